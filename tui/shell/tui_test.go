package shell

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/snapshot"
	"revenant/internal/demo"
	"revenant/internal/golden"
	"revenant/tui/draw"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// TestScreens holds every screen at every size against the golden files.
func TestScreens(t *testing.T) {
	in := demoInput(t)
	for _, tt := range []struct{ name, keys string }{
		{"overview", ""},
		{"overview end", "G"},
		{"overview bumped", "bm"},
		{"overview bump too small", "bbm"},
		{"overview refused", "b"},
		{"overview API servers kept", "a"},
		{"pods", "3"},
		{"pods all", "3u"},
		{"pods sorted by node", "3OO"},
		{"pods filtered", "3/shop node-4<enter>"},
		{"pods filter finds nothing", "3/nosuchpod"},
		{"pods unaffected", "3bm/mirror"},
		{"pods refused", "3m"},
		{"pods by outcome", "3z"},
		{"pods by node", "3zz"},
		{"pods by owner", "3zzz"},
		{"pods of a node", "3zzj<enter>"},
		{"pods with a label", "3/-l app=web<enter>"},
		{"pods without a word", "3/!phantom<enter>"},
		{"pods by letters", "3/-f db0n4<enter>"},
		{"pods with a broken selector", "3/-l app in (<enter>"},
		{"pods marked", "3 j  c"},
		{"pod difference", "3u/cache-1<enter>d"},
		{"pod searched", "3<enter>/revision<enter>n"},
		{"commands", ":wo"},
		{"command unknown", ":nonsense<enter>"},
		{"palette", "3<ctrl+k>bump"},
		{"plans", "2"},
		{"plans restart", "2jj"},
		{"plans taken over", "2j<enter>"},
		{"plan runbook", "2/Take stock<enter>"},
		{"plan for another platform", "2p/platform<enter>"},
		{"plan bump typed in", "e<ctrl+u>4000<enter>m2"},
		{"plan bump asked for", "be"},
		{"pod", "3jj<enter>"},
		{"pod that runs twice", "bm3/db-0<enter><enter>"},
		{"pod object", "3u/cache-1<enter>yo"},
		{"nodes", "4"},
		{"node", "4j<enter>"},
		{"nodes bumped", "bm4"},
		{"node bumped", "bm4<enter>"},
		{"pods of the node", "4j<enter><enter>"},
		{"pods of the workload", "5/web<enter><enter><enter>"},
		{"workloads", "5"},
		{"workloads all", "5u"},
		{"workload", "5j<enter>"},
		{"objects", "6"},
		{"objects filtered", "6/deployments shop<enter>"},
		{"objects find nothing", "6/nosuchthing"},
		{"objects of the backup", "6o"},
		{"objects earlier", "6{{<lt><lt>"},
		{"objects at a revision", "6@500<enter>"},
		{"objects at a time", "6@2026-11-23T04:03:10Z<enter>"},
		{"objects at no revision", "6@99999<enter>"},
		{"objects asked for when", "6@12"},
		{"object", "6/secrets shop<enter><enter>"},
		{"object difference", ":deploy web -n shop<enter>d"},
		{"object described", ":deploy web -n shop<enter>dd"},
		{"object of one version", ":po -n shop<enter>d"},
		{"objects by resource", "6z"},
		{"objects by namespace", "6zz"},
		{"objects of a namespace", "6nshop<enter>"},
		{"objects of a group", "6z/deployments<enter><enter>"},
		{"resource", ":po -n shop<enter>"},
		{"resource in all namespaces", ":deploy<enter>w"},
		{"resource by age", ":po<enter>A"},
		{"resource by label", ":po -l app=web<enter>"},
		{"resource of the cluster", ":no<enter>"},
		{"resource of events", ":ev<enter>"},
		{"custom resource", ":widgets<enter>"},
		{"resource without objects", ":po -n late --at 300<enter>"},
		{"resource that is not there", ":widgets --at 1<enter>"},
		{"resources completed", ":depl"},
		{"resource misspelt", ":po -x<enter>"},
		{"object with owners", ":rs -n shop<enter>j<enter>"},
		{"object as YAML from the list", ":svc<enter>y"},
		{"key of no object", "6<enter>"},
		{"relatives", ":deploy web -n shop<enter>R"},
		{"object that is gone", ":job batch-old -n shop<enter>"},
		{"object before it was", ":deploy late-app -n late<enter>{{{{{{{{"},
		{"object scrubbed away", ":po -n late<enter>j{{{{{{{{<gt>"},
		{"object as JSON", ":svc web -n shop<enter>Jy"},
		{"secret", ":secret creds -n shop<enter>"},
		{"secret decoded", ":secret creds -n shop<enter>x"},
		{"history of nothing", "7"},
		{"history", "6/deployments web<enter>H"},
		{"history of a pod", "3/cache-1<enter>H"},
		{"history carved", "6/deployments web<enter>Hv"},
		{"change of a revision", "6/deployments web<enter>H<enter>"},
		{"history of lives", "3/cache-0<enter>H"},
		{"history marked", "6/deployments web<enter>H jj d"},
		{"history at a revision", "6/deployments web<enter>Hjjy"},
		{"diff", "8"},
		{"diff with noise", "8u"},
		{"diff filtered", "8/widgets<enter>"},
		{"diff of a resource", "8/pods<enter><enter>"},
		{"diff of a namespace", "8/replicasets<enter><enter><enter>"},
		{"diff of an object", "8/replicasets<enter><enter>/shop<enter><enter>jj<enter>"},
		{"diff side by side", "8/replicasets<enter><enter>/shop<enter><enter>jj<enter>s"},
		{"diff with noise unfolded", "8/replicasets<enter><enter>/shop<enter><enter>jj<enter>u"},
		{"diff of a secret", "8z/creds changed<enter><enter>"},
		{"diff of what was created again", "8z/db-0 recreated<enter><enter>"},
		{"diff of what was removed", "8z/old-app removed<enter><enter>"},
		{"diff of one snapshot", ":diff 500 900<enter>"},
		{"diff of nothing", ":diff 900 900<enter>"},
		{"diff of the backup alone", "8o"},
		{"diff at no revision", "8:diff 99999<enter>"},
		{"timeline", "9"},
		{"timeline zoomed in", "9+++"},
		{"timeline zoomed in and moved", "9+++<gt><gt>"},
		{"timeline by resource", "9z"},
		{"timeline by namespace", "9zz/shop<enter>"},
		{"timeline of one verb", "9fff"},
		{"timeline filter finds nothing", "9/nosuchthing"},
		{"timeline carved", "9v/carved<enter>"},
		{"timeline at a time", "9@2026-11-23T04:03:10Z<enter>"},
		{"timeline to an object", "9<enter>"},
		{"timeline to before a deletion", "9fff<enter>"},
		{"timeline to a history", "9jjH"},
		{"storage", "0"},
		{"storage of the backup", "0o"},
		{"storage of a resource", "0<enter><enter>"},
		{"storage of a namespace", "0zj<enter><enter>"},
		{"storage of a resource in a namespace", "0zj<enter><enter><enter><enter>"},
		{"storage by namespace", "0z"},
		{"storage by key", "0zz"},
		{"storage by size", "0zzz"},
		{"storage by churn", "0zzzz"},
		{"storage on leases", "0zzzzz"},
		{"storage by part", "0zzzzzz"},
		{"storage by bucket", "0zzzzzzz"},
		{"storage by history", "0I"},
		{"storage filtered", "0/lease<enter>"},
		{"storage of what was deleted", "0zz/old-app<enter><enter>"},
		{"stored resource", "0<enter>"},
		{"stored key", "0zz<enter>"},
		{"leases", "0zzzzz<enter>"},
		{"part of the file", "0zzzzzzG<enter>"},
		{"bucket", "0zzzzzzz<enter>"},
		{"undone", ":undone<enter>"},
		{"undone filtered", ":undone<enter>u/secret<enter>"},
		{"finding", ":undone<enter><enter>"},
		{"problems", ":problems<enter>"},
		{"play", ":play<enter>"},
		{"play of the plan", ":play<enter><enter>"},
		{"play of a bump", "bm:play<enter><enter>bbb"},
		{"play why", ":play<enter><enter>w"},
		{"handbook", ":handbook<enter>"},
		{"handbook chapter", ":handbook<enter>jj<enter>"},
		{"handbook word", ":handbook phantom<enter>"},
		{"help", "?"},
		{"help on pods", "3?"},
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

// TestLooks holds the colours, and the drawing in ASCII, against golden files.
func TestLooks(t *testing.T) {
	in := demoInput(t)
	for _, tt := range []struct {
		name  string
		theme *draw.Theme
	}{
		{"dark", draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)},
		{"light", draw.NewTheme(false, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)},
		{"16 colours", draw.NewTheme(true, colorprofile.ANSI, draw.UnicodeGlyphs, draw.DefaultLook)},
		{"no colour", draw.NewTheme(true, colorprofile.ASCII, draw.UnicodeGlyphs, draw.DefaultLook)},
		{"ASCII", draw.NewTheme(true, colorprofile.ASCII, draw.ASCIIGlyphs, draw.DefaultLook)},
	} {
		for _, screen := range []struct{ name, keys string }{{"overview", ""}, {"pods", "3jb"}, {"pod", "3<enter>"}, {"plans", "2j"}, {"nodes", "4j"}, {"node", "4<enter>"}, {"workloads", "5u"}, {"objects", "6j"}, {"resource", ":po<enter>j"}, {"object", ":deploy web -n shop<enter>"}, {"history", "6/deployments web<enter>H"}, {"diff", "8j"}, {"difference", "8z/creds changed<enter><enter>"}, {"fields", ":deploy web -n shop<enter>d"}, {"yaml", ":deploy web -n shop<enter>y"}, {"timeline", "9j"}, {"storage", "0j"}, {"storage by part", "0zzzzzz"}, {"stored key", "0zz<enter>"}, {"undone", ":undone<enter>"}, {"help", "3?"}} {
			t.Run(tt.name+"/"+screen.name, func(t *testing.T) {
				x := openOn(t, in, 80, 24)
				x.Theme = tt.theme
				x.send(tea.WindowSizeMsg{Width: 80, Height: 24})
				x.typed(screen.keys)
				x.fits()
				golden.Named(t, x.raw())
				if tt.name == "no colour" && strings.Contains(x.raw(), "8;2;") {
					t.Error("there is colour")
				}
				if block := colouredBlock(x.raw()); tt.name == "16 colours" && block != "" {
					t.Errorf("a block of colour: %q", block)
				}
				if tt.name == "ASCII" && strings.ContainsFunc(x.raw(), func(r rune) bool { return r > unicode.MaxASCII }) {
					t.Error("not only ASCII")
				}
			})
		}
	}
}

// sgr is a sequence that sets how text is drawn, and the text after it.
var sgr = regexp.MustCompile("\x1b\\[([0-9;]*)m([^\x1b\n]*)")

// colouredBlock is the first text that is reversed while it has a colour, "" for none.
func colouredBlock(raw string) string {
	reversed, coloured := false, false
	for _, m := range sgr.FindAllStringSubmatch(raw, -1) {
		for _, p := range strings.Split(m[1], ";") {
			switch n, _ := strconv.Atoi(p); {
			case n == 0:
				reversed, coloured = false, false
			case n == 7:
				reversed = true
			case n >= 30 && n <= 37 || n >= 90 && n <= 97:
				coloured = true
			case n == 39:
				coloured = false
			}
		}
		if reversed && coloured && m[2] != "" {
			return m[2]
		}
	}
	return ""
}

func TestBackground(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	dark := x.raw()
	x.send(tea.BackgroundColorMsg{Color: color.White})
	light := x.raw()
	if dark == light {
		t.Error("a light background changes nothing")
	}
	if plain(dark) != plain(light) {
		t.Error("a light background changes the text")
	}
	x.send(tea.BackgroundColorMsg{Color: color.Black})
	if x.raw() != dark {
		t.Error("a dark background does not change it back")
	}
}

// TestSizes draws every screen at sizes from nothing to very wide.
func TestSizes(t *testing.T) {
	in := demoInput(t)
	for _, keys := range []string{"", "3", "3<enter>", "3u<enter>y", "?", "b", "3/x", "4", "4<enter>", "5u", "5<enter>", "6", "6<enter>", "6@5", "6z", ":po<enter>w", ":ev<enter><enter>", ":secret creds -n shop<enter>x", "6H", "6H<enter>", "6H<enter>y", "8", "8u", "8z<enter>", "8z<enter>su", "9", "9+++zz", "9fff", "9v", "9/nothing", "0", "0<enter>", "0zz<enter>", "0zzzzzz", ":undone<enter>u", ":undone<enter><enter>", ":problems<enter>"} {
		x := openOn(t, in, 80, 24).typed(keys)
		for _, width := range []int{1, 20, 79, 80, 81, 100, 139, 140, 149, 150, 200, 300, 500} {
			for _, height := range []int{1, 5, 19, 20, 24, 29, 35, 36, 80} {
				x.send(tea.WindowSizeMsg{Width: width, Height: height})
				x.fits()
				if small := strings.Contains(x.plain(), "too"); width > 20 && small != x.tooSmall() && x.prompt == nil && x.message == "" {
					t.Errorf("%q at %dx%d: too small is %v", keys, width, height, small)
				}
			}
		}
	}
}

// TestStill checks that the plan and the bottom line stay where they are,
// whatever is shown above.
func TestStill(t *testing.T) {
	in := demoInput(t)
	x := openOn(t, in, 80, 24)
	for _, keys := range []string{"", "b", "m", "b", "r", "a", "3", "u", "/x", "<esc>", "<enter>", "G", "<esc>", "?"} {
		x.typed(keys)
		lines := strings.Split(x.plain(), "\n")
		if !strings.HasPrefix(lines[20], "─ Plan ──") || !strings.HasPrefix(lines[21], " b bump ") {
			t.Errorf("after %q the plan has moved:\n%s", keys, x.plain())
		}
		for i, word := range []string{" m mark-compacted ", " r kubelets ", " a API "} {
			if at := []int{21, 43, 61}[i]; !strings.HasPrefix(lines[21][at:], word) {
				t.Errorf("after %q there is no %q at column %d of %q", keys, word, at, lines[21])
			}
		}
	}
}

// TestHostile gives names to everything that try to steer the terminal.
func TestHostile(t *testing.T) {
	const evil = "a\x1b]52;c;ZXZpbA==\x07b\x1b[2Jc\r\nd\u202ee\u200bf\x9b31mg\x7f\t文"
	in := demoInput(t)
	in.Tool, in.Warnings = evil, []string{evil}
	_, data, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.OpenBytes(t.Context(), evil, data, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	in.Sources[in.Current].Snapshot = s
	for _, side := range []*session.Source{&in.Sources[in.Backup], &in.Sources[in.Current]} {
		for i := range side.State.Nodes {
			side.State.Nodes[i].Name += evil
		}
		for i, p := range side.State.Pods {
			p.Name, p.Namespace, p.UID, p.NodeName, p.Phase, p.Reason = p.Name+evil, p.Namespace+evil, p.UID+evil, p.NodeName+evil, p.Phase+evil, evil
			if i%2 == 0 {
				p.Key += evil // cannot be read
			}
		}
		side.State.ClusterUID = ""
		side.State.ClusterUnknown = evil
	}
	for _, size := range sizes {
		for _, keys := range []string{"", "G", "b", "r", "3", "3u<enter>", "3ujjj<enter>y", "3t", "3?", "3/" + evil} {
			x := openOn(t, in, size.width, size.height).typed(keys)
			for range 30 { // through all that there is
				x.fits()
				x.harmless()
				x.typed("<pgdown>")
			}
		}
	}
	x := openOn(t, in, 80, 24).typed("2/x")
	x.send(tea.PasteMsg{Content: evil})
	x.harmless()
}

// harmless checks that nothing but colours steers the terminal.
func (x *terminal) harmless() {
	x.Helper()
	screen := strings.ReplaceAll(sessiontest.SGR.ReplaceAllString(x.raw(), ""), "\n", "")
	if i := strings.IndexFunc(screen, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		x.Fatalf("the screen holds %q", []rune(screen[i:])[0])
	}
}

// TestDamage names damaged evidence on every screen.
func TestDamage(t *testing.T) {
	x := openOn(t, demoInput(t), 80, 24)
	bad := snapshot.Integrity{Checks: []snapshot.Check{{Name: "trailer", Verdict: snapshot.Bad, Detail: "other bytes"}}}
	for side, want := range []string{"damaged: backup ", "damaged: backup, current "} {
		x.send(session.IntegrityMsg{Source: side, Integrity: bad})
		for _, keys := range []string{"1", "3", "<enter>", "?"} {
			if screen := x.typed(keys).plain(); !strings.Contains(screen, want) {
				t.Errorf("after %q there is no %q:\n%s", keys, want, screen)
			}
			x.fits()
		}
	}
}

// step is keys that are typed once a text is on the screen.
type step struct{ text, keys string }

// watched is an output that tells when it has been given some text after another.
type watched struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	from  int // of what has not been looked at
	steps []step
	found func(keys string)
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(b)
	if len(w.steps) == 0 {
		return len(b), nil
	}
	text := w.buf.String()[w.from:]
	if !strings.HasPrefix(w.steps[0].text, "\x1b") { // what is drawn, not how
		text = ansi.Strip(text)
	}
	if strings.Contains(text, w.steps[0].text) {
		keys := w.steps[0].keys
		w.steps, w.from = w.steps[1:], w.buf.Len()
		w.found(keys)
	}
	return len(b), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// runUntil runs the program and goes through steps.
func runUntil(t *testing.T, o Options, steps ...step) (string, error) {
	t.Helper()
	in, typing := io.Pipe()
	t.Cleanup(func() { typing.Close() })
	out := &watched{steps: steps, found: func(keys string) { go io.WriteString(typing, keys) }}
	o.Input, o.Output, o.size = in, out, tea.WindowSizeMsg{Width: 80, Height: 24}
	if o.Environ == nil {
		o.Environ = []string{"TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR_FORCE=1"}
	}
	err := Run(t.Context(), o)
	return out.String(), err
}

func loads(in *session.Input) func(context.Context, func(snapshot.Progress, string)) (*session.Input, error) {
	return func(_ context.Context, tell func(snapshot.Progress, string)) (*session.Input, error) {
		tell(snapshot.Progress{Phase: snapshot.PhaseIndex, Done: 1, Total: 2}, "backup")
		return in, nil
	}
}

func TestRun(t *testing.T) {
	in := demoInput(t)
	out, err := runUntil(t, Options{Load: loads(in)}, step{"1,018 undone", "q"})
	if err != nil {
		t.Error(err)
	}
	for _, want := range []string{"\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not written", want)
		}
	}
	for _, mouse := range []string{"\x1b[?1000h", "\x1b[?1002h", "\x1b[?1003h"} {
		if strings.Contains(out, mouse) {
			t.Errorf("%q captures the mouse", mouse)
		}
	}
	if !regexp.MustCompile(`\x1b\[[0-9;]*38;2;`).MatchString(out) {
		t.Error("there is no colour")
	}
}

func TestRunWithoutColor(t *testing.T) {
	environ := []string{"TERM=xterm-256color", "COLORTERM=truecolor", "CLICOLOR_FORCE=1", "NO_COLOR=not a bool"}
	out, err := runUntil(t, Options{Load: loads(demoInput(t)), Environ: environ}, step{"1,018 undone", "q"})
	if err != nil {
		t.Error(err)
	}
	if match := regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`).FindString(out); match != "" {
		t.Errorf("%q is a colour", match)
	}
}

func TestRunLoadFails(t *testing.T) {
	want := errors.New("no such file")
	_, err := runUntil(t, Options{Load: func(context.Context, func(snapshot.Progress, string)) (*session.Input, error) { return nil, want }}, step{"-", ""})
	if err != want {
		t.Errorf("got error %v", err)
	}
}

// TestRunCancel quits while the evidence is read, which must have ended then.
func TestRunCancel(t *testing.T) {
	for _, key := range []string{"q", "\x1b", "\x03"} {
		ended := false
		load := func(ctx context.Context, _ func(snapshot.Progress, string)) (*session.Input, error) {
			<-ctx.Done()
			ended = true
			return nil, ctx.Err()
		}
		_, err := runUntil(t, Options{Load: load}, step{"cancel", key})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%q: got error %v", key, err)
		}
		if !ended {
			t.Errorf("%q: the evidence is still being read", key)
		}
	}
}

func TestRunContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	out := &watched{steps: []step{{"1,018 undone", ""}}, found: func(string) { cancel() }}
	err := Run(ctx, Options{Load: loads(demoInput(t)), Input: in, Output: out, Environ: []string{"TERM=xterm"}, size: tea.WindowSizeMsg{Width: 80, Height: 24}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if !strings.Contains(out.String(), "\x1b[?1049l") {
		t.Error("the terminal is not restored")
	}
}
