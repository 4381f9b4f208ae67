package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// The smallest terminal that everything fits into.
const (
	minWidth  = 80
	minHeight = 20
)

// chrome is how many lines the header, the plan and the bottom line take.
const chrome = 1 + planHeight + 1

// model is the shell around the screens: header, plan, bottom line, and where
// every message goes.
type model struct {
	*session
	load    func() (*Input, error)
	loading loading
	profile colorprofile.Profile
	err     error // of load

	plan    planner
	screens []screen
	at      int   // the screen shown
	trail   []int // those shown before it, each once
	help    *helpScreen
	prompt  *prompt
	message string // in the bottom line until the next key

	width, height int
}

func newModel(ctx context.Context, profile colorprofile.Profile, g glyphs) *model {
	return &model{
		session: &session{ctx: ctx, theme: newTheme(true, profile, g)},
		profile: profile, width: minWidth, height: 24,
	}
}

// Messages of the shell's own commands.
type (
	progressMsg struct {
		snapshot.Progress
		role string
	}
	loadedMsg struct {
		input *Input
		err   error
	}
	integrityMsg struct {
		side      int
		integrity snapshot.Integrity
		problems  []snapshot.Problem
	}
	countedMsg  struct{ side, keys int }
	rollbackMsg struct{ rollback *rollback.Rollback }
)

// Init asks the terminal for its background and starts to load.
func (m *model) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, m.tasks.cmd(func() tea.Msg {
		input, err := m.load()
		return loadedMsg{input, err}
	}))
}

// Update is the one place where anything changes.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.version++
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		if msg.Width > 0 && msg.Height > 0 {
			m.width, m.height = msg.Width, msg.Height
		}
		m.resize()
		return m, nil
	case tea.BackgroundColorMsg:
		m.theme = newTheme(msg.IsDark(), m.profile, m.theme.glyphs)
		return m, nil
	case tea.KeyPressMsg:
		return m, m.press(msg)
	case tea.PasteMsg:
		return m, m.typed(msg)
	case progressMsg:
		m.progress(msg)
		return m, nil
	case loadedMsg:
		return m, m.loaded(msg)
	case integrityMsg:
		f := &m.files[msg.side]
		f.verified, f.integrity, f.problems = true, msg.integrity, msg.problems
		m.problems = m.foundProblems()
		return m, m.broadcast(changedMsg{})
	case countedMsg:
		f := &m.files[msg.side]
		f.counted, f.keys = true, msg.keys
		return m, nil
	case predictedMsg:
		return m, m.predicted(msg)
	case modesMsg:
		m.modes = msg.modes
		return m, nil
	case rollbackMsg:
		m.rollback = msg.rollback
		return m, m.broadcast(changedMsg{})
	case adoptMsg:
		return m, m.replan(func() { m.plan.plan = msg.plan })
	case restartNodeMsg:
		return m, m.replan(func() { m.plan.toggleNode(msg.node) })
	}
	return m, m.broadcast(msg)
}

func (m *model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range m.screens {
		cmds = append(cmds, s.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (m *model) progress(msg progressMsg) {
	if m.input == nil {
		m.loading.progress(msg)
	}
	if i := slices.Index(roles[:], restore.In(msg.role)); i >= 0 && msg.Phase == snapshot.PhaseHash {
		m.files[i].hashed = msg.Progress
	}
}

// loaded makes the screens, and starts what goes on behind them.
func (m *model) loaded(msg loadedMsg) tea.Cmd {
	if msg.err != nil {
		m.err = msg.err
		return tea.Quit
	}
	m.input = msg.input
	m.plan.plan, m.plan.given = msg.input.Plan, msg.input.Plan.BumpRevision
	for _, r := range registry {
		m.screens = append(m.screens, r.new(m.session))
	}
	m.resize()
	cmds := []tea.Cmd{m.predict(), m.undo()}
	for i := range m.files {
		s := m.side(i).Snapshot
		cmds = append(cmds, m.verify(i, s), m.count(i, s))
	}
	return tea.Batch(cmds...)
}

// undo compares what is not a pod.
func (m *model) undo() tea.Cmd {
	ctx, in := m.ctx, m.input
	return m.tasks.cmd(func() tea.Msg {
		r, err := rollback.Compare(ctx, in.Backup.Snapshot, in.Current.Snapshot, rollback.Options{Prefix: in.Prefix, Time: in.Current.State.Time})
		if err != nil {
			return nil // the program ends
		}
		return rollbackMsg{r}
	})
}

// verify waits for the file's hash.
func (m *model) verify(side int, s *snapshot.Snapshot) tea.Cmd {
	ctx := m.ctx
	return m.tasks.cmd(func() tea.Msg {
		in, err := s.Integrity(ctx)
		if err != nil {
			return nil // the program ends
		}
		return integrityMsg{side, in, s.Problems()}
	})
}

// count counts the live keys.
func (m *model) count(side int, s *snapshot.Snapshot) tea.Cmd {
	ctx := m.ctx
	return m.tasks.cmd(func() tea.Msg {
		n := 0
		for range s.Keys("") {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil
			}
		}
		return countedMsg{side, n}
	})
}

func (m *model) tooSmall() bool { return m.width < minWidth || m.height < minHeight }

func (m *model) resize() {
	for _, s := range m.screens {
		s.SetSize(m.width, m.height-chrome)
	}
	if m.help != nil {
		m.help.SetSize(m.width, m.height-chrome)
	}
}

// shown is the screen that keys go to.
func (m *model) shown() screen {
	if m.help != nil {
		return m.help
	}
	return m.screens[m.at]
}

// taken lists what keys do now.
func (m *model) taken() keys {
	k := keys{}
	if m.input != nil {
		k = m.shown().Keys()
		k.offer(bump, compact, restart, servers, number, next, previous, help)
		if _, ok := k[back]; !ok {
			k[back] = ""
			if m.help == nil && len(m.trail) == 0 {
				k[back] = "this is where you came in"
			}
		}
	}
	return k.offer(suspend, quit, interrupt)
}

// press does what a key asks for.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	m.message = ""
	name := key.String()
	b, ok := bindingOf(name)
	switch {
	case b.action == interrupt:
		return tea.Quit
	case m.prompt != nil:
		return m.typed(key)
	case m.input == nil && b.action == back:
		return tea.Quit
	case !ok:
		return nil
	}
	if why := b.blocked(m.taken()); why != "" {
		m.message = b.label + ": " + why
		return nil
	}
	if cmd, done := m.act(press{b.action, name}); done {
		return cmd
	}
	return m.shown().Update(press{b.action, name})
}

// act does what is the shell's to do. Done is false for what is the screen's.
func (m *model) act(p press) (cmd tea.Cmd, done bool) {
	switch p.action {
	case quit:
		return tea.Quit, true
	case suspend:
		return tea.Suspend, true
	case help:
		m.toggleHelp()
	case back:
		return m.back()
	case next:
		m.show((m.at + 1) % len(m.screens))
	case previous:
		m.show((m.at + len(m.screens) - 1) % len(m.screens))
	case number:
		for i, r := range registry {
			if r.key == p.key {
				m.show(i)
				return nil, true
			}
		}
		m.message = "no screen has the number " + p.key
	case filter:
		m.prompt = &prompt{}
	case bump:
		return m.replan(m.plan.nextBump), true
	case compact:
		return m.replan(m.plan.toggleCompact), true
	case restart:
		return m.replan(m.plan.nextRestart), true
	case servers:
		return m.replan(m.plan.toggleServers), true
	default:
		return nil, false
	}
	return nil, true
}

func (m *model) show(i int) {
	m.help = nil
	if i == m.at {
		return
	}
	m.trail = append(slices.DeleteFunc(m.trail, func(was int) bool { return was == i || was == m.at }), m.at)
	m.at = i
}

// back closes the help, or lets the screen close something, or goes to the
// screen shown before.
func (m *model) back() (cmd tea.Cmd, done bool) {
	if m.help != nil {
		m.help = nil
		return nil, true
	}
	if _, ok := m.shown().Keys()[back]; ok {
		return nil, false
	}
	last := len(m.trail) - 1
	m.at, m.trail = m.trail[last], m.trail[:last]
	return nil, true
}

func (m *model) toggleHelp() {
	if m.help != nil {
		m.help = nil
		return
	}
	m.help = newHelp(m.session, m.shown().Title(), m.taken())
	m.resize()
}

// typed gives a key or pasted text to the prompt.
func (m *model) typed(msg tea.Msg) tea.Cmd {
	if m.prompt == nil {
		return nil
	}
	done := m.prompt.update(msg)
	text := filterMsg(m.prompt.text)
	if done {
		m.prompt = nil
	}
	return m.shown().Update(text)
}

// View draws the whole terminal.
func (m *model) View() tea.View {
	var v tea.View
	v.AltScreen = true
	lines := m.lines()
	for i, line := range lines {
		lines[i] = m.theme.cut(line, m.width)
	}
	v.SetContent(strings.Join(lines, "\n"))
	if m.prompt != nil && !m.tooSmall() {
		v.Cursor = m.prompt.cursor(m.width, m.height-1)
	}
	return v
}

func (m *model) lines() []string {
	if m.tooSmall() {
		return wrap(fmt.Sprintf("The terminal is too small: %dx%d, at least %dx%d is needed. q quits.", m.width, m.height, minWidth, minHeight), m.width)
	}
	if m.input == nil {
		return m.loading.lines(m.theme, m.width, m.height)
	}
	body := m.shown().View()
	height := m.height - chrome
	lines := append(make([]string, 0, m.height), m.header())
	for i := range height {
		if i < len(body) {
			lines = append(lines, body[i])
			continue
		}
		lines = append(lines, "")
	}
	lines = append(lines, m.planBar()...)
	return append(lines, m.bottomLine())
}

// header names the evidence and the screens.
func (m *model) header() string {
	t := m.theme
	var tabs []string
	for i, s := range m.screens {
		tab := " " + registry[i].key + " " + s.Title() + " "
		if i == m.at {
			tabs = append(tabs, (t.selected + t.bold).paint(tab))
			continue
		}
		tabs = append(tabs, t.dim.paint(tab))
	}
	right := strings.Join(tabs, "")
	if ansi.StringWidth(right) > m.width-34 {
		right = m.shortTabs()
	}
	name, color := sanitize.Line(m.input.Tool), t.bold
	if damaged := m.damaged(); damaged != "" {
		name, color = "damaged: "+damaged, t.critical
	}
	room := m.width - ansi.StringWidth(right) - ansi.StringWidth(name) - 4
	return t.spread(" "+color.paint(name)+"  "+t.dim.paint(m.fileNames(room)), right, m.width)
}

// shortTabs has the names of the screens only where they fit: that of the one shown.
func (m *model) shortTabs() string {
	t := m.theme
	var b strings.Builder
	for i, s := range m.screens {
		if i == m.at {
			b.WriteString((t.selected + t.bold).paint(" " + registry[i].key + " " + s.Title() + " "))
			continue
		}
		b.WriteString(t.dim.paint(" " + registry[i].key + " "))
	}
	return b.String()
}

// damaged names the snapshots of which a check has failed so far.
func (m *model) damaged() string {
	var names []string
	for i := range m.files {
		if m.files[i].verified && m.files[i].integrity.Bad() {
			names = append(names, string(roles[i]))
		}
	}
	return strings.Join(names, ", ")
}

// fileNames are those of the two files, without their directories if need be.
func (m *model) fileNames(room int) string {
	names := func(short bool) string {
		var list []string
		for i := range m.files {
			name := sanitize.Line(m.side(i).Snapshot.Path())
			if short {
				name = name[strings.LastIndexAny(name, `/\`)+1:]
			}
			list = append(list, name)
		}
		return strings.Join(list, " "+m.theme.arrow+" ")
	}
	if long := names(false); ansi.StringWidth(long) <= room {
		return long
	}
	return m.theme.cut(names(true), room)
}

func (m *model) bottomLine() string {
	t := m.theme
	switch {
	case m.prompt != nil:
		return m.prompt.line(t, m.width)
	case m.message != "":
		return " " + t.cut(m.message, m.width-2)
	}
	return " " + t.hints(m.taken(), m.width-2) + " "
}
