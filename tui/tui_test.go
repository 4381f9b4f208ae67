package tui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/demo"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// demoInput opens the built-in pair.
func demoInput(t testing.TB) *Input {
	t.Helper()
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	side := func(name string, data []byte) Side {
		s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		state, err := restore.Load(t.Context(), s, "/registry")
		if err != nil {
			t.Fatal(err)
		}
		return Side{Snapshot: s, State: state}
	}
	return &Input{Tool: "revenant test", Backup: side(demo.BackupName, backup), Current: side(demo.CurrentName, current)}
}

// start opens the input at a size and runs everything that follows from it.
func start(t testing.TB, in *Input, width, height int) *model {
	t.Helper()
	m := newModel(t.Context(), colorprofile.TrueColor, unicodeGlyphs)
	send(t, m, tea.WindowSizeMsg{Width: width, Height: height})
	send(t, m, loadedMsg{input: in})
	return m
}

// send gives a message to the model, and the messages of the commands that come
// of it, until none come.
func send(t testing.TB, m *model, msg tea.Msg) {
	t.Helper()
	switch msg := msg.(type) {
	case nil, tea.QuitMsg:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			if cmd != nil {
				send(t, m, cmd())
			}
		}
		return
	}
	_, cmd := m.Update(msg)
	draw(m) // a frame may come after any message
	if cmd != nil {
		send(t, m, cmd())
	}
}

// typeKeys types keys: a rune each, or a name in angle brackets.
func typeKeys(t testing.TB, m *model, keys string) {
	t.Helper()
	named := map[string]tea.Key{"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "down": {Code: tea.KeyDown}, "pgdown": {Code: tea.KeyPgDown}, "backspace": {Code: tea.KeyBackspace}}
	for keys != "" {
		draw(m) // the person sees the screen before the next key
		if name, rest, ok := strings.Cut(strings.TrimPrefix(keys, "<"), ">"); ok && keys[0] == '<' {
			send(t, m, tea.KeyPressMsg(named[name]))
			keys = rest
			continue
		}
		r := rune(keys[0])
		send(t, m, tea.KeyPressMsg(tea.Key{Code: r, Text: string(r)}))
		keys = keys[1:]
	}
}

// plain is the screen without colours.
func plain(m *model) string { return ansi.Strip(draw(m)) }

func draw(m *model) string { return m.View().Content }

// TestScreens holds every screen against its golden file, at sizes from the
// smallest, and wants each to fill the terminal exactly.
func TestScreens(t *testing.T) {
	in := demoInput(t)
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 50}} {
		for _, tt := range []struct{ name, keys string }{
			{"overview", ""},
			{"overview-bump", "bm"},
			{"overview-end", "G"},
			{"refused", "b"},
			{"pods", "2"},
			{"pods-filter", "2/db-<enter>"},
			{"pods-none", "2/nothing-like-it<enter>"},
			{"pods-healed-all", "2bmu"},
			{"pods-kept", "2a"},
			{"detail", "2jj<enter>"},
			{"detail-object", "2jj<enter><pgdown>"},
			{"help", "2?"},
		} {
			name := fmt.Sprintf("%s-%dx%d", tt.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				m := start(t, in, size[0], size[1])
				typeKeys(t, m, tt.keys)
				got := plain(m)
				fits(t, got, size[0], size[1])
				golden(t, name, got)
			})
		}
	}
}

// fits wants every line to be at most as wide as the terminal, and as many of
// them as it has.
func fits(t *testing.T, screen string, width, height int) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	if len(lines) != height {
		t.Errorf("%d lines in a terminal of %d", len(lines), height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("line %d is %d columns wide in a terminal of %d: %q", i, w, width, line)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	got = trimRight(got)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("screen differs; -update writes it anew (-golden +got):\n%s", diff)
	}
}

func trimRight(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestThemes wants the same text on a dark and a light background, other colours
// on each, and none at all without colour.
func TestThemes(t *testing.T) {
	in := demoInput(t)
	dark, light := start(t, in, 100, 30), start(t, in, 100, 30)
	send(t, dark, tea.BackgroundColorMsg{Color: color.Black})
	send(t, light, tea.BackgroundColorMsg{Color: color.White})
	typeKeys(t, dark, "2")
	typeKeys(t, light, "2")
	if plain(dark) != plain(light) {
		t.Error("the text depends on the background")
	}
	if draw(dark) == draw(light) {
		t.Error("the colours do not depend on the background")
	}
	var out bytes.Buffer
	w := colorprofile.Writer{Forward: &out, Profile: colorprofile.ASCII}
	if _, err := w.WriteString(draw(dark)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\x1b[3") || strings.Contains(out.String(), "38;") {
		t.Error("a colour is left without colour")
	}
}

func TestNoColor(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    bool
	}{
		{nil, false},
		{[]string{"NO_COLOR="}, false},
		{[]string{"NO_COLOR=1"}, true},
		{[]string{"NO_COLOR=0"}, true},
		{[]string{"NO_COLOR=false"}, true},
		{[]string{"NO_COLOR=no"}, true},
	} {
		if got := withoutColor(tt.environ); got != tt.want {
			t.Errorf("noColor(%q) = %v", tt.environ, got)
		}
	}
}

func TestPlanKeys(t *testing.T) {
	m := start(t, demoInput(t), 100, 30)
	phantoms := func() int { return m.prediction.Summary[restore.Phantom] }
	if phantoms() != 18 {
		t.Fatalf("%d phantoms at the start", phantoms())
	}
	typeKeys(t, m, "b")
	if p := m.plan.plan; p.BumpRevision == 0 || m.refused == nil || phantoms() != 18 {
		t.Errorf("a bump alone is not refused, or the old prediction is gone: %+v", p)
	}
	typeKeys(t, m, "m")
	if p := m.plan.plan; !p.MarkCompacted || m.refused != nil || phantoms() != 0 {
		t.Errorf("after b and m: %+v, %v, %d phantoms", p, m.refused, phantoms())
	}
	typeKeys(t, m, "mbb")
	if p := m.plan.plan; p.BumpRevision != 0 || p.MarkCompacted || phantoms() != 18 || m.refused != nil {
		t.Errorf("back at no bump: %+v, %d phantoms, %v", p, phantoms(), m.refused)
	}
	typeKeys(t, m, "r")
	if phantoms() != 0 {
		t.Errorf("%d phantoms with all kubelets restarted", phantoms())
	}
	typeKeys(t, m, "ra")
	if n := m.prediction.Summary[restore.Hidden]; n != 18 || phantoms() != 0 {
		t.Errorf("%d hidden, %d phantoms with API servers kept", n, phantoms())
	}
	typeKeys(t, m, "a2t")
	if got := m.plan.plan.RestartKubelets.Nodes; len(got) != 1 || phantoms() == 0 || phantoms() == 18 {
		t.Errorf("kubelet of the selected pod's node: %v, %d phantoms", got, phantoms())
	}
}

// TestPlanChangesUnderDetail changes the plan while a pod's detail is open, at a
// size where it stands in the table's place, below it and beside it.
func TestPlanChangesUnderDetail(t *testing.T) {
	in := demoInput(t)
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 50}} {
		m := start(t, in, size[0], size[1])
		typeKeys(t, m, "2j<enter>bmra??tuyo/x<enter><esc>1")
		fits(t, plain(m), size[0], size[1])
	}
}

// TestAnyOrder types random keys and lets the commands that come of them end in
// random order, with a frame after each step, as a terminal would.
func TestAnyOrder(t *testing.T) {
	in := demoInput(t)
	var keys []tea.Key
	for _, b := range bindings {
		for _, name := range b.keys {
			if r := []rune(name); len(r) == 1 && name != "q" {
				keys = append(keys, tea.Key{Code: r[0], Text: name})
			}
		}
	}
	keys = append(keys, tea.Key{Code: tea.KeyEnter}, tea.Key{Code: tea.KeyEscape}, tea.Key{Code: tea.KeyDown}, tea.Key{Code: tea.KeyPgDown}, tea.Key{Code: tea.KeyTab})
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 7))
		size := [][2]int{{80, 24}, {120, 40}, {200, 50}, {81, 24}}[seed%4]
		m := start(t, in, size[0], size[1])
		var running []tea.Cmd
		for range 400 {
			var msg tea.Msg = tea.KeyPressMsg(keys[r.IntN(len(keys))])
			if n := len(running); n > 0 && r.IntN(2) == 0 {
				i := r.IntN(n)
				msg = running[i]()
				running = slices.Delete(running, i, i+1)
			}
			if batch, ok := msg.(tea.BatchMsg); ok {
				running = append(running, batch...)
			} else if _, cmd := m.Update(msg); cmd != nil {
				running = append(running, cmd)
			}
			running = slices.DeleteFunc(running, func(c tea.Cmd) bool { return c == nil })
			fits(t, plain(m), size[0], size[1])
		}
	}
}

// TestOldAnswerIsDropped wants a prediction that comes late not to replace that
// of a newer plan.
func TestOldAnswerIsDropped(t *testing.T) {
	m := start(t, demoInput(t), 100, 30)
	late := m.predict()()
	m.Update(tea.KeyPressMsg(tea.Key{Code: 'r', Text: "r"})) // another plan, not yet predicted
	_, again := m.Update(late)
	if again == nil || !m.pending {
		t.Fatal("the older plan's prediction is taken for the newer one's")
	}
	send(t, m, again())
	if m.prediction.Summary[restore.Phantom] != 0 || m.pending {
		t.Error("the newer plan's prediction is not shown")
	}
}

// TestHostileEvidence gives the screens names that would steer a terminal.
func TestHostileEvidence(t *testing.T) {
	in := demoInput(t)
	evil := "\x1b]52;c;ZXZpbA==\a\x1b[2J\r\n\u202e\u009b31m\x00"
	for i := range in.Current.State.Pods {
		p := &in.Current.State.Pods[i]
		p.Name, p.Namespace, p.NodeName = evil+p.Name, evil, evil
		p.Containers = []kube.Container{{Name: evil, Image: evil}}
	}
	m := start(t, in, 100, 30)
	for _, keys := range []string{"", "2", "<enter>", "<pgdown>", "r", "r", "r", "/" + "x", "<enter>", "1", "G"} {
		typeKeys(t, m, keys)
		for line := range strings.SplitSeq(plain(m), "\n") {
			if i := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' }); i >= 0 {
				t.Fatalf("after %q: control character in %q", keys, line)
			}
		}
		if strings.Contains(draw(m), "]52;") && strings.Contains(draw(m), "\x1b]") {
			t.Fatalf("after %q: an escape sequence of the evidence reached the screen", keys)
		}
		fits(t, plain(m), 100, 30)
	}
}

// TestDamageIsShownEverywhere wants a failed check to be named on every screen.
func TestDamageIsShownEverywhere(t *testing.T) {
	m := start(t, demoInput(t), 80, 24)
	send(t, m, integrityMsg{side: backup, integrity: snapshot.Integrity{Checks: []snapshot.Check{{Name: "trailer", Verdict: snapshot.Bad, Detail: "other bytes"}}}})
	for _, keys := range []string{"1", "2", "<enter>", "?"} {
		typeKeys(t, m, keys)
		if !strings.Contains(plain(m), "damaged: backup") {
			t.Errorf("after %q the damage is not named:\n%s", keys, plain(m))
		}
		fits(t, plain(m), 80, 24)
	}
}

func TestTooSmall(t *testing.T) {
	m := start(t, demoInput(t), 60, 20)
	if got := plain(m); !strings.Contains(got, "terminal is too small") {
		t.Errorf("screen: %q", got)
	}
	send(t, m, tea.WindowSizeMsg{Width: 80, Height: 24})
	fits(t, plain(m), 80, 24)
}

// TestHelpIsWhole wants the help to name every binding.
func TestHelpIsWhole(t *testing.T) {
	m := start(t, demoInput(t), 100, 80)
	typeKeys(t, m, "?")
	shown := strings.Join(strings.Fields(plain(m)), " ")
	for _, b := range bindings {
		if !strings.Contains(shown, b.does) {
			t.Errorf("the help lacks %q", b.does)
		}
	}
	if !strings.Contains(plain(m), "needs a list") {
		t.Error("the help does not say why a key does nothing here")
	}
}

func TestKeysAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, b := range bindings {
		for _, k := range b.keys {
			if seen[k] != "" {
				t.Errorf("%s stands for %s and for %s", k, seen[k], b.does)
			}
			seen[k] = b.does
		}
	}
}

// TestRun runs the program on a terminal made of pipes.
func TestRun(t *testing.T) {
	in := demoInput(t)
	failure := errors.New("no such file")
	for _, tt := range []struct {
		name string
		load func(context.Context, func(snapshot.Progress, string)) (*Input, error)
		keys string
		want error
	}{
		{"quit", func(context.Context, func(snapshot.Progress, string)) (*Input, error) { return in, nil }, "2q", nil},
		{"load fails", func(context.Context, func(snapshot.Progress, string)) (*Input, error) { return nil, failure }, "", failure},
		{"given up", func(ctx context.Context, _ func(snapshot.Progress, string)) (*Input, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "\x1b", context.Canceled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			keys, typist, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer keys.Close()
			defer typist.Close()
			if _, err := typist.WriteString(tt.keys); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err = Run(t.Context(), Options{Load: tt.load, Input: keys, Output: &out, Environ: []string{"TERM=xterm"}})
			if tt.name == "quit" && errors.Is(err, context.Canceled) {
				return // q came before the snapshots were open
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

// BenchmarkTable draws a frame of tables of three lengths: the cost must not
// depend on it.
func BenchmarkTable(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := start(b, demoInput(b), 160, 48)
			pods := make([]restore.PodOutcome, n)
			for i := range pods {
				pods[i] = m.prediction.Pods[i%len(m.prediction.Pods)]
				pods[i].Name = fmt.Sprintf("pod-%d", i)
				pods[i].Severity = restore.Critical
			}
			p := *m.prediction
			p.Pods = pods
			m.prediction = &p
			send(b, m, predictionMsg{})
			typeKeys(b, m, "2")
			for b.Loop() {
				m.Update(tea.KeyPressMsg(tea.Key{Code: 'j', Text: "j"}))
				_ = draw(m)
			}
		})
	}
}
