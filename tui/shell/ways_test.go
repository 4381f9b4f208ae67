package shell

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/tui/draw"
)

// TestWays goes from screen to screen and back.
func TestWays(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	for _, step := range []struct{ keys, title, see string }{
		{"", "overview", "Verdict"},
		{"<tab>", "plan", "least harm"},
		{"<tab>", "outcomes", "OUTCOME"},
		{"<tab>", "kubelets", "PHANTOMS"},
		{"<enter>", "kubelets", "has seen"},
		{"<esc>", "kubelets", "PHANTOMS"},
		{"<tab>", "workloads", "WANTED"},
		{"<tab>", "objects", "RESOURCE"},
		{"<tab>", "history", "no object was chosen"},
		{":undone<enter>", "undone", "FINDING"},
		{"<tab>", "problems", "Nothing was found wrong"},
		{"<tab>", "play", "What can be done"},
		{"<tab>", "train", "revenant train shows the scenarios"},
		{"<tab>", "handbook", "Revisions, watches and kubelets"},
		{"<tab>", "overview", "Verdict"},
		{"<shift+tab>", "handbook", "Revisions, watches and kubelets"},
		{"<tab>", "overview", "Verdict"},
		{"3", "outcomes", "OUTCOME"},
		{"<enter>", "outcomes", "API shows"},
		{"<esc>", "outcomes", "OUTCOME"},
		{"/db-<enter>", "outcomes", `filter "db-"`},
		{"l", "outcomes", "runs on"},
		{"<left>", "outcomes", `filter "db-"`},
		{"<esc>", "outcomes", "30 of 43 pods"},
		{"?", "outcomes", "Keys on Outcomes"},
		{"?", "outcomes", "OUTCOME"},
		{"?<esc>", "outcomes", "OUTCOME"},
		{"?1", "overview", "Verdict"},
		{"2", "plan", "least harm"},
		{"jj<enter>", "plan", "mark-compacted yes"},
		{"<esc>", "overview", "Verdict"},
		{"<esc>", "outcomes", "OUTCOME"},
		{"<esc>", "handbook", "Revisions, watches and kubelets"},
		{"<esc><esc><esc><esc><esc><esc><esc><esc>", "kubelets", "PHANTOMS"},
		{"<esc>", "kubelets", "esc: this is where you came in"},
	} {
		x.typed(step.keys)
		if registry[x.at].name != step.title || !strings.Contains(x.plain(), step.see) {
			t.Errorf("after %q: want %q with %q:\n%s", step.keys, step.title, step.see, x.plain())
		}
	}
}

func TestQuit(t *testing.T) {
	in := demoInput(t)
	quits := func(x *terminal, keys string) bool {
		list := keysOf(keys)
		for _, key := range list[:len(list)-1] {
			x.send(key)
		}
		_, cmd := x.Update(list[len(list)-1])
		if cmd == nil {
			return false
		}
		_, ok := cmd().(tea.QuitMsg)
		return ok
	}
	for _, tt := range []struct {
		keys string
		want bool
	}{{"q", true}, {"<ctrl+c>", true}, {"3q", true}, {"?q", true}, {"3<enter>q", true}, {"3/q", false}, {"3/<ctrl+c>", true}, {"<esc>", false}} {
		if got := quits(openOn(t, in, 80, 24), tt.keys); got != tt.want {
			t.Errorf("%q quits: %v", tt.keys, got)
		}
	}
	for _, tt := range []struct {
		keys string
		want bool
	}{{"q", true}, {"<ctrl+c>", true}, {"<esc>", true}, {"b", false}} {
		loading := &terminal{t, newModel(t.Context(), colorprofile.ASCII, draw.UnicodeGlyphs)}
		if got := quits(loading, tt.keys); got != tt.want {
			t.Errorf("%q quits while loading: %v", tt.keys, got)
		}
	}
}
