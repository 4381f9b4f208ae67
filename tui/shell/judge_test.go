package shell

import (
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"

	"revenant/tui/draw"
)

// words is the screen in one line, without what is drawn.
func (x *terminal) words() string { return strings.Join(strings.Fields(x.plain()), " ") }

// TestFirstLine: the first thing that is said is whether the plan in force is safe, and what to
// do; the command below it follows the plan, with the backup's own path.
func TestFirstLine(t *testing.T) {
	in := demoInput(t)
	const command = "etcdutl snapshot restore BACKUP --data-dir NEW-DIR"
	for _, tt := range []struct {
		keys, first string
		see         []string
	}{
		{"", "UNSAFE as planned: 18 pods keep running unseen and 12 pods are shown by the API although nothing of them runs. Press b m: restore with --bump-revision 1001527 --mark-compacted.",
			[]string{"The plan in force is not enough. This is: " + command + ` \ --bump-revision 1001527 --mark-compacted`, "● 18 phantom"}},
		{"bm", "No phantoms and no ghosts are predicted: every kubelet relists its pods, within 120 s of the API being back.", []string{"The plan in force: " + command + ` \ --bump-revision 1001527 --mark-compacted`, "Press 2: the runbook of this plan."}},
		{"bbm", "NOT PROVEN SAFE as planned: up to 18 pods keep running unseen", []string{"Press b b: restore with --bump-revision 1001527", "● 18? phantom"}},
		{"r", "No phantoms and no ghosts are predicted", []string{"The plan in force: " + command + " Then restart the kubelets: all."}},
		{"a", "UNSAFE as planned: 18 pods are still shown until API servers restart, and then run unseen.", nil},
		{"b", "This plan is refused: --bump-revision needs --mark-compacted. Press m: it adds --mark-compacted.", nil},
		{"m", "This plan is refused: --mark-compacted needs", []string{"Press b: it adds a bump."}},
	} {
		x := openOn(t, in, 120, 70).typed(tt.keys)
		_, said, _ := strings.Cut(x.words(), "─ Verdict ")
		if said = strings.TrimLeft(said, "─ "); !strings.HasPrefix(said, tt.first) {
			t.Errorf("after %q it begins with\n%.300s", tt.keys, said)
		}
		for _, want := range tt.see {
			if !strings.Contains(x.words(), want) {
				t.Errorf("after %q there is no %q:\n%s", tt.keys, want, x.plain())
			}
		}
	}
}

// TestPressed: pressing what the first line says leaves no pod that comes to lasting harm.
func TestPressed(t *testing.T) {
	for _, keys := range []string{"", "b", "bbm", "e<ctrl+u>7<enter>m"} {
		x := openOn(t, demoInput(t), 120, 70).typed(keys)
		for i := 0; i < 2 && x.Yours.Critical > 0 || x.Refused != nil; i++ {
			_, press, ok := strings.Cut(x.words(), "Press ")
			press, _, _ = strings.Cut(press, ":")
			if !ok {
				t.Fatalf("after %q it says nothing to press:\n%s", keys, x.plain())
			}
			x.typed(strings.ReplaceAll(press, " ", ""))
		}
		if x.Yours.Critical > 0 || !x.Plan.Plan.MarkCompacted {
			t.Errorf("after %q: %+v\n%s", keys, x.Plan.Plan, x.plain())
		}
	}
}

// TestYours: the plan in force has a row of its own, whatever it is, and the cursor goes there
// when it changes; in ASCII it is marked otherwise than the plan of the least harm.
func TestYours(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	x.shows("2", "▌   yours: plain", "  ✓ bump ")
	x.shows("jj<enter>", "▌   yours: bump", "  ✓ bump ")
	x.shows("e<ctrl+u>4000<enter>", "▌   yours ", "  ✓ bump ")
	x.shows("j", "▌   plain", "─ plain restore ─")
	x.shows("r", "▌   yours ")
	x.Theme = draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)
	x.shows("j", ">   plain", "  + bump ")
	x.shows("j", "> + bump ", "recommended bump, marked compacted")
}

// TestPast: another moment than the newest is said in a banner of its own colour, and one key
// goes back.
func TestPast(t *testing.T) {
	for _, size := range sizes {
		x := openOn(t, demoInput(t), size.width, size.height)
		for keys, banner := range map[string]string{"6@500<enter>": "IN THE PAST: current, revision 500", "6o": "IN THE BACKUP: backup, newest revision 454", ":po --at 04:03:20Z<enter>": "IN THE PAST: current, revision", "6@backup@300<enter>": "IN THE PAST: backup, revision 300"} {
			x.shows(keys, banner)
			x.fits()
			if !strings.Contains(x.raw(), string(x.Theme.Past)+" IN THE ") {
				t.Errorf("the banner has no colour of its own")
			}
			x.shows("<enter>", banner)
			if x.typed(".").fits(); strings.Contains(x.plain(), "IN THE ") {
				t.Errorf("after %q and . the past is still shown:\n%s", keys, x.plain())
			}
			x.typed("<esc><esc><esc>")
		}
		if x.shows(".", "the newest state is shown"); strings.Contains(x.plain(), "IN THE ") {
			t.Error("the newest state has a banner")
		}
	}
}

// TestKubectlNames: what kubectl calls a resource lists its objects, by every name; what
// becomes of pods and nodes has names of its own.
func TestKubectlNames(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40)
	for _, name := range []string{"pods", "pod", "po", "nodes", "node", "no"} {
		x.typed(":" + name + "<enter>")
		if registry[x.at].name != "objects" || !strings.Contains(x.plain(), "[") {
			t.Errorf(":%s shows %s", name, registry[x.at].name)
		}
	}
	x.shows(":outcomes<enter>", "OUTCOME", "phantom")
	x.shows(":kubelets<enter>", "KUBELET", "PHANTOMS")
	for _, e := range registry {
		// Workloads of scheduling.k8s.io are newer than what everybody calls so.
		if e.name != "workloads" && x.Objects.Catalog.Lookup(e.name) != nil {
			t.Errorf(":%s is a resource, too", e.name)
		}
	}
}

// TestRefusedCommand: a command that is wrong stays where it was typed, with what is wrong in
// full above it, and is taken once it is right.
func TestRefusedCommand(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	const forms = "a revision (1234), newest, a time"
	for _, tt := range []struct{ wrong, says string }{
		{":diff 500 7xyz", forms}, {":diff 12abc", forms}, {":po --at 7xyz", forms}, {":po --at @5m", forms}, {":nonsense", "No command"},
		{":bump 12abc", "is no number of revisions"}, {":diff 1 2 3", "One or two moments are needed"}, {"6@7xyz", forms}, {"8@12abc", forms}, {"9@x", forms}, {"e12abc", "is no number of revisions"},
	} {
		x.typed(tt.wrong + "<enter>")
		typed := strings.TrimLeft(tt.wrong, "6789@:e")
		if x.prompt == nil || !strings.HasSuffix(x.prompt.Text, typed) || !strings.Contains(x.words(), tt.says) {
			t.Errorf("%q:\n%s", tt.wrong, x.plain())
		}
		x.fits()
		x.typed("<esc>")
	}
	if x.typed(":diff 500 9oo<enter><ctrl+w>900<enter>"); x.prompt != nil || registry[x.at].name != "diff" {
		t.Errorf("the command was not taken:\n%s", x.plain())
	}
}

// TestScopesOfLists: what was gone into is a chip, which stays while the rows are grouped, and
// goes by esc.
func TestScopesOfLists(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	for _, tt := range []struct{ into, chip string }{
		{"8/pods<enter><enter>", "[pods]"}, {":pods -n shop<enter>", "[namespace shop]"}, {"0<enter><enter>", "["}, {"6zz<enter>", "[namespace "},
	} {
		x.shows(tt.into, tt.chip)
		x.shows("z", tt.chip)
		x.typed("<esc><esc><esc><esc>")
		if strings.Contains(x.plain(), tt.chip) {
			t.Errorf("after %q the scope stays:\n%s", tt.into, x.plain())
		}
	}
}
