package shell

import (
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
)

// TestOwnKeys uses a key of one's own: it does what it should, and the help and
// the bottom line name it.
func TestOwnKeys(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	if err := x.configure(Options{Keys: keys.File{"mark compacted": {"M", "ctrl+x"}, "filter": {"&"}, "search": {"&"}}}); err != nil {
		t.Fatal(err)
	}
	x.typed("M")
	if !x.Plan.Plan.MarkCompacted {
		t.Error("the key does nothing")
	}
	x.typed("m")
	if !x.Plan.Plan.MarkCompacted {
		t.Error("the old key still does something")
	}
	if screen := x.typed("3").plain(); !strings.Contains(screen, "M mark-compacted") || !strings.Contains(screen, "& filter") {
		t.Errorf("the new keys are not named:\n%s", screen)
	}
	if screen := x.typed("&db-0<enter>").plain(); !strings.Contains(screen, `filter "db-0"`) {
		t.Errorf("nothing is filtered:\n%s", screen)
	}
}

func TestOwnLook(t *testing.T) {
	look := draw.DefaultLook
	look.Dark.Critical = draw.RGB(0x010203)
	x := openOn(t, demoInput(t), 80, 24)
	if err := x.configure(Options{Look: &look}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(x.typed("3").raw(), "38;2;1;2;3") {
		t.Error("the colour is not there")
	}
}

// TestMemory goes on where it was left.
func TestMemory(t *testing.T) {
	in := demoInput(t)
	x := openOn(t, in, 80, 24).typed("bm3u/db-0<enter>")
	memory, hash := x.memory(), x.Hash()
	if len(hash) != 129 {
		t.Fatalf("the hash is %q", hash)
	}
	want := &Memory{Screen: "outcomes", Plan: restore.Plan{BumpRevision: 1_001_527, MarkCompacted: true},
		Screens: map[string]map[string]string{"outcomes": {"filter": "db-0", "all": "yes"}}}
	if diff := cmp.Diff(want, memory); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	resume := func(x *terminal) *terminal {
		x.load = func() (*session.Input, error) { return in, nil }
		x.resume = func(h string) *Memory {
			if h != hash {
				t.Errorf("asked for %q", h)
			}
			return memory
		}
		return x
	}
	y := resume(&terminal{t, newModel(t.Context(), colorprofile.TrueColor, draw.UnicodeGlyphs)})
	y.run(y.Init())
	if y.message != "as you left it" {
		t.Errorf("it says %q", y.message)
	}
	y.typed("g")
	x.typed("g")
	// The way there is not remembered.
	if diff := cmp.Diff(body(x), body(y)); diff != "" {
		t.Errorf("it is not as it was: -was +is\n%s", diff)
	}
	z := resume(openOn(t, in, 80, 24).typed("4"))
	z.run(z.recall())
	if !strings.HasPrefix(z.message, "not resumed") || registry[z.at].name != "kubelets" {
		t.Errorf("it says %q", z.message)
	}
}

// body is the screen without its header.
func body(x *terminal) string {
	_, rest, _ := strings.Cut(x.plain(), "\n")
	return rest
}
