package shell

import (
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/analyzer/runbook"
	"revenant/report"
	"revenant/tui/draw"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// demoInput opens the built-in pair, with its runbook.
func demoInput(t testing.TB) *session.Input {
	in := sessiontest.DemoInput(t)
	in.Platforms = []string{"generic", "k3s"}
	in.Runbook = func(ctx context.Context, plan *restore.Plan, platform string) (session.Runbook, error) {
		r := runbook.Input{Plan: plan, Platform: runbook.Platform(platform), Comparison: restore.Compare(in.Sources[in.Backup].State, in.Sources[in.Current].State)}
		r.Backup = runbookSide(t, in.Sources[in.Backup])
		now := runbookSide(t, in.Sources[in.Current])
		r.Current = &now
		book, err := runbook.New(r)
		if err != nil {
			return session.Runbook{}, err
		}
		doc := &report.Runbook{Runbook: book}
		print := func(on func(io.Writer) *report.Printer, width int, how func(*report.Printer)) string {
			var b strings.Builder
			p := on(&b)
			p.Width = width
			how(p)
			if err := p.Flush(); err != nil {
				t.Error(err)
			}
			return b.String()
		}
		return session.Runbook{Text: func(width int) string { return print(report.NewPrinter, width, doc.Text) }, Markdown: print(report.NewMarkdown, 100, doc.Page)}, nil
	}
	return in
}

func runbookSide(t testing.TB, s session.Source) runbook.Side {
	facts, err := runbook.Look(t.Context(), s.Snapshot, "/registry")
	if err != nil {
		t.Error(err)
	}
	return runbook.Side{Path: s.Snapshot.Path(), State: s.State, Facts: facts}
}

// terminal is a model that is driven without a terminal.
type terminal struct {
	testing.TB
	*model
}

// openOn shows the input on a terminal of a size.
func openOn(t testing.TB, in *session.Input, width, height int) *terminal {
	t.Helper()
	x := &terminal{t, newModel(t.Context(), colorprofile.TrueColor, draw.UnicodeGlyphs)}
	x.load = func() (*session.Input, error) { return in, nil }
	x.send(tea.WindowSizeMsg{Width: width, Height: height})
	x.run(x.Init())
	return x
}

// send gives a message to the model and does what comes of it, to the end.
func (x *terminal) send(msg tea.Msg) {
	_, cmd := x.Update(msg)
	x.View() // a frame may come after any message
	x.run(cmd)
}

func (x *terminal) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil, tea.QuitMsg:
	case tea.BatchMsg:
		for _, cmd := range msg {
			x.run(cmd)
		}
	default:
		x.send(msg)
	}
}

var named = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "backspace": {Code: tea.KeyBackspace},
	"down": {Code: tea.KeyDown}, "up": {Code: tea.KeyUp}, "left": {Code: tea.KeyLeft}, "pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp},
	"lt": {Code: '<', Text: "<"}, "gt": {Code: '>', Text: ">"}, "ctrl+a": {Code: 'a', Mod: tea.ModCtrl},
	"ctrl+d": {Code: 'd', Mod: tea.ModCtrl}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+w": {Code: 'w', Mod: tea.ModCtrl},
	"ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+k": {Code: 'k', Mod: tea.ModCtrl}, "ctrl+s": {Code: 's', Mod: tea.ModCtrl}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
}

// keysOf is what typing does: a rune is a key, and so is a name in <>.
func keysOf(typed string) []tea.KeyPressMsg {
	var list []tea.KeyPressMsg
	for typed != "" {
		if name, rest, ok := strings.Cut(typed, ">"); ok && typed[0] == '<' {
			list = append(list, tea.KeyPressMsg(named[name[1:]]))
			typed = rest
			continue
		}
		r := []rune(typed)[0]
		list = append(list, tea.KeyPressMsg{Code: unicode.ToLower(r), Text: string(r)})
		typed = typed[len(string(r)):]
	}
	return list
}

func (x *terminal) typed(keys string) *terminal {
	for _, key := range keysOf(keys) {
		x.send(key)
	}
	return x
}

// raw is the screen with its colours, plain without.
func (x *terminal) raw() string   { return x.View().Content + "\n" }
func (x *terminal) plain() string { return plain(x.raw()) }

var trailing = regexp.MustCompile(` +\n`)

func plain(screen string) string { return trailing.ReplaceAllString(ansi.Strip(screen), "\n") }

// fits checks that the screen fills the terminal and no line is too long.
func (x *terminal) fits() {
	x.Helper()
	lines := strings.Split(strings.TrimSuffix(x.raw(), "\n"), "\n")
	if len(lines) != x.height && !x.tooSmall() {
		x.Errorf("%d lines on a terminal of %d", len(lines), x.height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > x.width {
			x.Errorf("line %d has %d columns of %d: %q", i, w, x.width, line)
		}
	}
}

var sizes = []struct {
	name          string
	width, height int
}{{"80x24", 80, 24}, {"120x40", 120, 40}, {"200x50", 200, 50}}
