package shell

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/adversary"
	"revenant/internal/corpus"
	"revenant/internal/demo"
	"revenant/internal/golden"
	"revenant/tui/draw"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// TestAlone holds the screens of one snapshot against the golden files.
func TestAlone(t *testing.T) {
	in := sessiontest.Alone(demoInput(t))
	for _, tt := range []struct{ name, keys string }{
		{"overview", ""},
		{"overview end", "G"},
		{"plan", "2"},
		{"pods", "3"},
		{"pod", "3/db-0<enter><enter>"},
		{"nodes", "4"},
		{"node", "4j<enter>"},
		{"workloads", "5"},
		{"workload", "5j<enter>"},
		{"objects", "6"},
		{"object difference", ":deploy web -n shop<enter>d"},
		{"object without another version", ":ns shop<enter>d"},
		{"history of a pod", "3/cache-1<enter>H"},
		{"diff", "8"},
		{"diff of two revisions", ":diff 500 900<enter>"},
		{"timeline", "9"},
		{"storage", "0"},
		{"undone", ":undone<enter>"},
		{"problems", ":problems<enter>"},
		{"key that needs two", "3b"},
		{"palette", "<ctrl+k>"},
		{"help", "?"},
	} {
		for _, size := range sizes {
			t.Run(tt.name+"/"+size.name, func(t *testing.T) {
				x := openOn(t, in, size.width, size.height).typed(tt.keys)
				x.fits()
				golden.Named(t, x.plain())
			})
		}
	}
}

// TestAloneNeedsTwo asks one snapshot for what needs two: it says why not, and does
// nothing.
func TestAloneNeedsTwo(t *testing.T) {
	const why = "needs a second file (revenant backup.db current.db)"
	x := openOn(t, sessiontest.Alone(demoInput(t)), 120, 40)
	for _, keys := range []string{"b", "e", "m", "r", "a", "6o", "8o", "0o", ":bump 5<enter>", ":platform k3s<enter>", ":diff backup@300<enter>", "6@current@900<enter>"} {
		x.shows(keys, why)
		x.typed("<esc><esc>")
	}
	if x.Prediction != nil || x.Rollback != nil || x.Pending || x.Plan.Asked > 0 {
		t.Error("something is predicted")
	}
	for i, e := range registry {
		x.show(i)
		if screen := x.plain(); strings.Contains(screen, "mark-compacted") || strings.Contains(screen, "phantom") {
			t.Errorf("%s shows a plan:\n%s", e.name, screen)
		}
	}
	for _, c := range x.completions("") {
		if c == "bump" || c == "platform" {
			t.Errorf("%s is offered", c)
		}
	}
}

// TestAloneGrades opens one snapshot of every kind, and looks at all screens of it.
func TestAloneGrades(t *testing.T) {
	_, data, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	hurt := bytes.Clone(data)
	clear(hurt[900_000:905_000])
	for _, tt := range []struct {
		name string
		data []byte
		see  []string
	}{
		{"whole", data, []string{"Whole: the trailer vouches for every byte.", "Revision 1,472, saved about 2026-11-23 04:03:49Z, never compacted.", "31 Running", "revenant preflight"}},
		{"damaged", hurt, []string{"damaged  Overview", "Damaged: the rest is read", "faults: :problems lists", "revenant salvage"}},
		{"cut", data[:1_500_000], []string{"Wreck: no revision can be reached", "revenant salvage"}},
		{"encrypted", corpus.Unpack(t, "../../testdata/clusters/scenario-3/plain/current.db.gz"), []string{"4 values encrypted (aescbc v1, "}},
		{"without Kubernetes", corpus.Unpack(t, "../../testdata/etcd/churned-0.db.gz"), []string{"Unverified: nothing is wrong", "Revision 3,969, saved at an unknown time, its history kept from"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := snapshot.OpenBytes(t.Context(), "one.db", tt.data, snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			state, err := restore.Load(t.Context(), s, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			x := openOn(t, &session.Input{Prefix: "/registry", Sources: []session.Source{{Snapshot: s, State: state}}}, 160, 48)
			x.shows("", tt.see...)
			for i := range registry {
				x.show(i)
				x.typed("j<enter>").fits()
				if screen := x.plain(); strings.Contains(screen, "comparing"+x.Theme.Ellipsis) || strings.Contains(screen, "predicting") {
					t.Errorf("%s waits for what does not come:\n%s", registry[i].name, screen)
				}
			}
		})
	}
}

// TestAloneHostile types random keys over one snapshot of evidence that is made to break
// who reads it, with names too long to be shown.
func TestAloneHostile(t *testing.T) {
	presses := allPresses()
	shown := 0
	try := func(name string, c *adversary.Case, column int) {
		in := aloneInput(t, c)
		if in == nil {
			return
		}
		shown++
		r := rand.New(rand.NewPCG(uint64(shown), 7))
		size := sizes[shown%3]
		x := openOn(t, in, size.width, size.height)
		for i := range 2 * len(registry) {
			if i%2 == 0 {
				x.show(i / 2)
			}
			x.send(presses[r.IntN(len(presses))])
			x.fits()
			x.harmless()
			if n := len(x.raw()); n > column*size.width*size.height {
				t.Errorf("%s: a frame of %d bytes on %s", name, n, size.name)
			}
			if t.Failed() {
				t.Fatalf("%s: %s", name, strings.Join(c.Notes, "; "))
			}
		}
	}
	for seed := range uint64(6) {
		c, err := adversary.New(seed)
		if err != nil {
			t.Fatal(err)
		}
		try("random", c, draw.MostInCell)
	}
	for i, long := range longNames[:6] {
		c, err := adversary.Named(uint64(i), long.of)
		if err != nil {
			t.Fatal(err)
		}
		try(long.name, c, draw.MostInCell)
	}
	if shown < 6 {
		t.Errorf("only %d snapshots were shown", shown)
	}
}

// aloneInput opens the current snapshot of a case, nil when it does not open.
func aloneInput(t testing.TB, c *adversary.Case) *session.Input {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), c.Current.Path, c.Files[c.Current.Path], snapshot.Options{})
	if err != nil {
		return nil
	}
	t.Cleanup(func() { s.Close() })
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		return nil
	}
	return &session.Input{Prefix: "/registry", Sources: []session.Source{{Snapshot: s, State: state}}}
}

// TestPlainAlone reviews one snapshot line by line.
func TestPlainAlone(t *testing.T) {
	var out bytes.Buffer
	script := []string{"plan", "outcomes", "/db-0", "enter", "b", "esc", "kubelets", "workloads", "timeline", "undone", "quit"}
	err := Run(t.Context(), Options{Load: loads(sessiontest.Alone(demoInput(t))), Plain: true, Input: strings.NewReader(strings.Join(script, "\n")), Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(out.Bytes(), func(r rune) bool { return r > unicode.MaxASCII || r < ' ' && r != '\n' }); i >= 0 {
		t.Errorf("there is %q", out.Bytes()[max(0, i-40):min(out.Len(), i+10)])
	}
	golden.Named(t, out.String())
}
