package shell

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/session"
)

const (
	plainHeight = 48
)

const (
	plainWait = 2 * time.Second
)

// plainHelp is said at the beginning.
const plainHelp = "Type a command, such as pods or help, or keys, such as j or enter, and then enter. An empty line is the next page. quit ends."

// runPlain shows the screens as lines for a screen reader, and reads a command or
// keys a line. Nothing is drawn, and nothing that was written changes.
func runPlain(ctx context.Context, o Options) error {
	outer := ctx
	ctx, cancel := context.WithCancel(outer)
	defer cancel()
	m := newModel(ctx, colorprofile.NoTTY, draw.PlainGlyphs)
	if err := m.configure(o); err != nil {
		return err
	}
	m.Theme = &draw.Theme{Glyphs: draw.PlainGlyphs, Plain: true}
	m.themeChosen = true
	m.width, m.height = draw.PlainWidth, plainHeight
	m.load = func() (*session.Input, error) { return o.Load(ctx, func(snapshot.Progress, string) {}) }
	p := &plainRun{model: m, ctx: ctx, messages: make(chan tea.Msg), out: bufio.NewWriter(o.Output)}
	err := p.run(o.Input)
	cancel()
	m.Tasks.End()
	if hash := m.Hash(); o.Remember != nil && hash != "" {
		o.Remember(hash, m.memory())
	}
	switch {
	case m.err != nil:
		return m.err
	case outer.Err() != nil:
		return outer.Err()
	}
	return err
}

type plainRun struct {
	*model
	ctx      context.Context
	messages chan tea.Msg
	pending  int // commands whose message has not come
	out      *bufio.Writer
	over     bool
}

func (p *plainRun) run(input io.Reader) error {
	p.say("reading the snapshots")
	p.start(p.Init())
	for p.Input == nil && !p.over {
		if !p.take(p.ctx.Done()) {
			return p.ctx.Err()
		}
	}
	if p.over {
		return p.out.Flush()
	}
	if p.Input.Notice != "" {
		p.say(p.message)
		p.message = ""
	}
	p.say(plainHelp)
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(input); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-p.ctx.Done():
				return
			}
		}
	}()
	for {
		p.settle()
		if p.over {
			return p.out.Flush()
		}
		p.write()
		if err := p.out.Flush(); err != nil {
			return err
		}
		for waiting := true; waiting; {
			select {
			case line, ok := <-lines:
				if !ok {
					return p.out.Flush()
				}
				p.message = ""
				p.line(line)
				waiting = false
			case msg := <-p.messages:
				p.receive(msg)
			case <-p.ctx.Done():
				return p.ctx.Err()
			}
		}
	}
}

// start runs a command on a goroutine.
func (p *plainRun) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	p.pending++
	go func() {
		select {
		case p.messages <- cmd():
		case <-p.ctx.Done():
		}
	}()
}

// follow runs what came of a line, and what the screen starts that is shown then.
func (p *plainRun) follow(cmd tea.Cmd) { p.start(tea.Batch(cmd, p.wake())) }

// receive takes the message of a command.
func (p *plainRun) receive(msg tea.Msg) {
	p.pending--
	switch msg := msg.(type) {
	case nil:
	case tea.QuitMsg:
		p.over = true
	case tea.BatchMsg:
		for _, cmd := range msg {
			p.start(cmd)
		}
	default:
		_, cmd := p.Update(msg)
		p.start(cmd)
	}
}

// take waits for one message. It is false when done came first.
func (p *plainRun) take(done <-chan struct{}) bool {
	select {
	case msg := <-p.messages:
		p.receive(msg)
		return true
	case <-done:
		return false
	}
}

// settle waits until no work is left, for a while.
func (p *plainRun) settle() {
	ctx, cancel := context.WithTimeout(p.ctx, plainWait)
	defer cancel()
	for p.pending > 0 && !p.over && p.take(ctx.Done()) {
	}
	for p.opening != nil && !p.over && p.take(p.ctx.Done()) {
	}
}

// line does what a line asks for.
func (p *plainRun) line(line string) {
	switch {
	case p.prompt != nil:
		p.prompt.Text = ""
		p.follow(p.typed(tea.PasteMsg{Content: line}))
		p.key("enter")
	case strings.TrimSpace(line) == "":
		p.key("pgdown")
	case line[0] == ':':
		p.follow(p.command(line[1:]))
	case line[0] == '/':
		p.key("/")
		if p.prompt != nil {
			p.follow(p.typed(tea.PasteMsg{Content: line[1:]}))
			p.key("enter")
		}
	case p.keys(strings.Fields(line)):
		for _, key := range strings.Fields(line) {
			p.key(key)
		}
	default:
		p.follow(p.command(line))
	}
}

// keys says whether all words are keys.
func (p *plainRun) keys(words []string) bool {
	for _, w := range words {
		if _, ok := p.Keymap.Of(w, nil); !ok {
			return false
		}
	}
	return true
}

// key presses a key by its name.
func (p *plainRun) key(name string) {
	p.follow(p.press(namedKey(name)))
	p.settle()
}

// namedKey is the key that has the name.
func namedKey(name string) tea.KeyPressMsg {
	k := tea.Key{Text: name}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok {
		k = tea.Key{Mod: tea.ModCtrl}
		name = rest
	} else if rest, ok := strings.CutPrefix(name, "shift+"); ok {
		k = tea.Key{Mod: tea.ModShift}
		name = rest
	}
	for code, special := range map[rune]string{
		tea.KeyEnter: "enter", tea.KeyEscape: "esc", tea.KeyTab: "tab", tea.KeySpace: "space", tea.KeyUp: "up", tea.KeyDown: "down",
		tea.KeyLeft: "left", tea.KeyRight: "right", tea.KeyPgUp: "pgup", tea.KeyPgDown: "pgdown", tea.KeyHome: "home", tea.KeyEnd: "end",
	} {
		if name == special {
			k.Code, k.Text = code, ""
			return tea.KeyPressMsg(k)
		}
	}
	for _, r := range name {
		k.Code = r
		break
	}
	return tea.KeyPressMsg(k)
}

// write writes what is shown.
func (p *plainRun) write() {
	p.say("")
	p.say(p.crumbs(draw.PlainWidth))
	blank := false
	for _, line := range p.shown().View() {
		line = strings.TrimRight(ansi.Strip(line), " ")
		if line == "" {
			blank = true
			continue
		}
		if blank {
			p.say("")
		}
		blank = false
		p.say(line)
	}
	if p.planned(p.screens[p.at]) {
		p.writePlan()
	}
	if p.message != "" {
		p.say(p.message)
	}
	if p.prompt != nil {
		for _, line := range p.prompt.Problem(p.Theme, draw.PlainWidth) {
			p.say(line)
		}
		p.say(p.prompt.Lead + " " + p.prompt.Text)
	}
}

// writePlan writes the plan, and what comes of it.
func (p *plainRun) writePlan() {
	plan := p.Plan.Plan
	compacted := "no"
	if plan.MarkCompacted {
		compacted = "yes"
	}
	p.say("")
	p.say(fmt.Sprintf("Plan: bump %s, mark-compacted %s, kubelets restarted %s, API servers %s.", bumpText(&p.Plan, 40), compacted, draw.Safe(plan.RestartKubelets.String()), serversText(&plan)))
	p.say(strings.TrimSpace(ansi.Strip(p.planResult())))
}

func (p *plainRun) say(line string) { _, _ = fmt.Fprintln(p.out, line) } // Flush tells the error
