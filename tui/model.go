package tui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// hints is the bottom line: what can be done here, as far as there is room, and
// at the right what can be done everywhere.
func (s *session) hints(taken keys.Set, width int) string {
	const gap = 2
	t := s.Theme
	var always, here []string
	room := width
	everywhere := []keys.Action{keys.Command, keys.Help, keys.Quit}
	for i := range s.Keymap {
		if b := &s.Keymap[i]; slices.Contains(everywhere, b.Action) {
			always = append(always, t.Hint(b.Hint))
			room -= len(b.Hint) + gap
		}
	}
	for i := range s.Keymap {
		b := &s.Keymap[i]
		if b.Hint == "" || slices.Contains(everywhere, b.Action) || b.Blocked(taken) != "" || len(b.Hint)+gap > room {
			continue
		}
		here = append(here, t.Hint(b.Hint))
		room -= len(b.Hint) + gap
	}
	return t.Spread(strings.Join(here, "  "), strings.Join(always, "  "), width)
}

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

	look  draw.Look
	mouse bool

	screens []screen
	at      int    // the screen shown
	trail   []int  // those shown before it, each once
	over    screen // help or palette, in place of the screen
	prompt  *widget.Prompt
	message string // in the bottom line until the next key

	typedCommands []string // oldest first
	themeChosen   bool     // by the person
	used          bool     // a key was pressed since the screens are there
	resume        func(hash string) *Memory
	outputs       *outfile.Guard

	width, height int
}

func newModel(ctx context.Context, profile colorprofile.Profile, g draw.Glyphs) *model {
	m := &model{
		session: &session{ctx: ctx, UI: widget.UI{Keymap: keys.Default}},
		profile: profile, look: draw.DefaultLook, width: minWidth, height: 24,
	}
	m.Theme = draw.NewTheme(true, profile, g, m.look)
	return m
}

// setTheme has everything drawn anew, what is drawn already, too.
func (m *model) setTheme(dark bool) tea.Cmd {
	m.Theme = draw.NewTheme(dark, m.profile, m.Theme.Glyphs, m.look)
	m.version++
	return m.broadcast(widget.ThemeMsg{})
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
	return tea.Batch(tea.RequestBackgroundColor, m.Tasks.Cmd(func() tea.Msg {
		input, err := m.load()
		return loadedMsg{input, err}
	}))
}

// Update is the one place where anything changes.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	return m, tea.Batch(cmd, m.wake())
}

// wake has the screen that is shown start what is done only for those who look.
func (m *model) wake() tea.Cmd {
	if m.input == nil {
		return nil
	}
	if w, ok := m.screens[m.at].(waking); ok {
		return w.Wake()
	}
	return nil
}

// update gives a message to whom it is for: the shell, the session, or the screens.
func (m *model) update(msg tea.Msg) tea.Cmd {
	m.version++
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return m.sized(msg)
	case tea.BackgroundColorMsg:
		return m.background(msg)
	case tea.KeyPressMsg:
		return m.press(msg)
	case tea.PasteMsg:
		return m.typed(msg)
	case tea.MouseWheelMsg:
		return m.wheel(msg)
	case progressMsg:
		return m.progress(msg)
	case loadedMsg:
		return m.loaded(msg)
	case widget.NoticeMsg:
		m.message = draw.Safe(string(msg))
		return nil
	case copiedMsg:
		return m.copyOut(msg.Export)
	case goMsg:
		return m.goTo(msg)
	case historyMsg:
		m.show(screenNamed("history"))
	}
	news, cmd := m.session.update(msg)
	if news == nil {
		return cmd
	}
	return tea.Batch(m.broadcast(news), m.recall(), cmd)
}

func (m *model) sized(msg tea.WindowSizeMsg) tea.Cmd {
	if msg.Width > 0 && msg.Height > 0 {
		m.width, m.height = msg.Width, msg.Height
	}
	m.resize()
	return nil
}

func (m *model) background(msg tea.BackgroundColorMsg) tea.Cmd {
	if m.themeChosen {
		return nil
	}
	return m.setTheme(msg.IsDark())
}

// goTo shows a screen, and gives it a message.
func (m *model) goTo(msg goMsg) tea.Cmd {
	m.show(screenNamed(msg.screen))
	if msg.then == nil {
		return nil
	}
	return m.update(msg.then)
}

func (m *model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range m.screens {
		cmds = append(cmds, s.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (m *model) progress(msg progressMsg) tea.Cmd {
	if m.input == nil {
		m.loading.progress(msg)
	}
	m.hashed(msg.role, msg.Progress)
	return nil
}

// loaded makes the screens, once everything that they show is being read.
func (m *model) loaded(msg loadedMsg) tea.Cmd {
	if msg.err != nil {
		m.err = msg.err
		return tea.Quit
	}
	cmd := m.open(msg.input)
	for _, r := range registry {
		m.screens = append(m.screens, r.new(m.session))
	}
	m.resize()
	return cmd
}

func (m *model) tooSmall() bool { return m.width < minWidth || m.height < minHeight }

func (m *model) resize() {
	for _, s := range m.screens {
		s.SetSize(m.width, m.height-chrome)
	}
	if m.over != nil {
		m.over.SetSize(m.width, m.height-chrome)
	}
}

// shown is the screen that keys go to.
func (m *model) shown() screen {
	if m.over != nil {
		return m.over
	}
	return m.screens[m.at]
}

// taken lists what keys do now.
func (m *model) taken() keys.Set {
	k := keys.Set{}
	if m.input != nil {
		k = m.shown().Keys()
		k.Offer(keys.Bump, keys.EditBump, keys.Compact, keys.Restart, keys.Servers, keys.Number, keys.Next, keys.Previous, keys.Help, keys.Command, keys.Palette)
		if _, ok := k[keys.Back]; !ok {
			k[keys.Back] = ""
			if m.over == nil && len(m.trail) == 0 {
				k[keys.Back] = "this is where you came in"
			}
		}
	}
	return k.Offer(keys.Suspend, keys.Quit, keys.Interrupt)
}

// press does what a key asks for.
func (m *model) press(key tea.KeyPressMsg) tea.Cmd {
	m.message, m.used = "", m.used || m.input != nil
	name := key.String()
	taken := m.taken()
	b, ok := m.Keymap.Of(name, taken)
	switch {
	case b.Action == keys.Interrupt:
		return tea.Quit
	case m.prompt != nil:
		return m.typed(key)
	case m.input == nil && b.Action == keys.Back:
		return tea.Quit
	case !ok:
		return nil
	}
	if why := b.Blocked(taken); why != "" {
		m.message = b.Label + ": " + why
		return nil
	}
	return m.do(keys.Press{Action: b.Action, Key: name})
}

// do does an action that is taken.
func (m *model) do(p keys.Press) tea.Cmd {
	if cmd, done := m.act(p); done {
		return cmd
	}
	return m.shown().Update(p)
}

// act does what is the shell's to do. Done is false for what is the screen's.
func (m *model) act(p keys.Press) (cmd tea.Cmd, done bool) {
	switch p.Action {
	case keys.Quit:
		return tea.Quit, true
	case keys.Suspend:
		return tea.Suspend, true
	case keys.Help:
		m.toggleHelp()
	case keys.Back:
		return m.back()
	case keys.Next:
		m.show((m.at + 1) % len(m.screens))
	case keys.Previous:
		m.show((m.at + len(m.screens) - 1) % len(m.screens))
	case keys.Number:
		m.byNumber(p.Key)
	case keys.FilterBy:
		return m.askFilter(), true
	case keys.Search:
		m.askSearch()
	case keys.InNamespace:
		m.askNamespace()
	case keys.GoTo:
		m.prompt = &widget.Prompt{Lead: "revision or time: ", Hints: "enter go, esc cancel", Entered: func(text string) tea.Cmd {
			if text == "" {
				return nil
			}
			return m.shown().Update(atMsg(text))
		}, Check: func(text string) error {
			if c, ok := m.shown().(interface{ CheckMoment(string) error }); ok && text != "" {
				return c.CheckMoment(text)
			}
			return nil
		}}
	case keys.Command:
		m.askCommand("")
	case keys.Palette:
		m.askPalette()
	case keys.CopyOut:
		return m.copyOut(m.excerpt(false)), true
	case keys.SaveOut:
		m.askFile()
	case keys.EditBump:
		m.prompt = &widget.Prompt{Lead: "--bump-revision ", Hints: "enter set, esc cancel", Entered: func(text string) tea.Cmd { return m.bumpTo(strings.Fields(text)) },
			Complete: func(text string) []string { return widget.StartingWith(text, "none", "recommended", "minimum") }}
		if n := m.plan.plan.BumpRevision; n > 0 {
			m.prompt.Text = strconv.FormatInt(n, 10)
		}
	case keys.Bump:
		return m.replan(m.plan.nextBump), true
	case keys.Compact:
		return m.replan(m.plan.toggleCompact), true
	case keys.Restart:
		return m.replan(m.plan.nextRestart), true
	case keys.Servers:
		return m.replan(m.plan.toggleServers), true
	default:
		return nil, false
	}
	return nil, true
}

func (m *model) byNumber(key string) {
	for i, e := range registry {
		if e.key == key {
			m.show(i)
			return
		}
	}
	m.message = "no screen has the number " + key
}

func (m *model) show(i int) {
	m.over = nil
	if i == m.at || i < 0 {
		return
	}
	m.trail = append(slices.DeleteFunc(m.trail, func(was int) bool { return was == i || was == m.at }), m.at)
	m.at = i
}

// back closes help or palette, or lets the screen close something, or goes to the
// screen shown before.
func (m *model) back() (cmd tea.Cmd, done bool) {
	if m.over != nil {
		m.over = nil
		return nil, true
	}
	if _, ok := m.shown().Keys()[keys.Back]; ok {
		return nil, false
	}
	last := len(m.trail) - 1
	m.at, m.trail = m.trail[last], m.trail[:last]
	return nil, true
}

func (m *model) toggleHelp() {
	if _, ok := m.over.(*helpScreen); ok {
		m.over = nil
		return
	}
	m.over = nil
	h := newHelp(m.session, registry[m.at].title, m.taken())
	if s, ok := m.shown().(sorter); ok {
		h.sorts = widget.SortKeys(s.Columns())
	}
	m.over = h
	m.resize()
}

// askFilter asks for a filter, which counts as it is typed.
func (m *model) askFilter() tea.Cmd {
	filter := func(text string) tea.Cmd { return m.shown().Update(widget.FilterMsg(text)) }
	m.prompt = &widget.Prompt{Lead: "/", Hints: "enter keep, esc clear", Typed: filter, Entered: filter, Left: func() tea.Cmd { return filter("") }}
	return filter("")
}

// askSearch asks what to search for in a text, which is gone to as it is typed.
func (m *model) askSearch() {
	find := func(text string) tea.Cmd { return m.shown().Update(widget.SearchMsg(text)) }
	m.prompt = &widget.Prompt{Lead: "/", Hints: "enter keep, esc clear", Typed: find, Entered: find, Left: func() tea.Cmd { return find("") }}
}

// askCommand asks for a command. The arrows go through those typed before.
func (m *model) askCommand(text string) {
	at := len(m.typedCommands)
	m.prompt = &widget.Prompt{Lead: ":", Hints: "tab complete, esc cancel", Text: text, Entered: m.command, Complete: m.completions,
		Moved: func(step int) string {
			at = max(min(at+step, len(m.typedCommands)), 0)
			if at == len(m.typedCommands) {
				return ""
			}
			return m.typedCommands[at]
		}}
}

// askPalette shows all that can be done, and finds it as its name is typed.
func (m *model) askPalette() {
	m.over = nil
	p := newPalette(m)
	m.over = p
	m.resize()
	m.prompt = &widget.Prompt{Lead: "find: ", Hints: "enter do, esc close",
		Typed: func(text string) tea.Cmd { p.find(text); return nil },
		Moved: func(step int) string { p.move(step); return m.prompt.Text },
		Left:  func() tea.Cmd { m.over = nil; return nil },
		Entered: func(string) tea.Cmd {
			m.over = nil
			if len(p.found) == 0 {
				return nil
			}
			m.prompt = nil
			return p.items[p.found[p.at]].run()
		}}
}

// askNamespace asks for the namespace whose objects are to be listed.
func (m *model) askNamespace() {
	m.prompt = &widget.Prompt{Lead: "namespace, nothing for all: ", Hints: "tab complete, enter go, esc cancel",
		Entered: func(text string) tea.Cmd { return m.shown().Update(namespaceMsg(strings.TrimSpace(text))) },
		Complete: func(text string) []string {
			if c, ok := m.shown().(commander); ok {
				return c.Complete([]string{"", "-n", text})
			}
			return nil
		}}
}

// askFile asks where to save what is shown.
func (m *model) askFile() {
	e := m.excerpt(true)
	if e.None() {
		m.message = "there is nothing to save"
		return
	}
	lead := "save " + draw.Safe(e.What) + " to: "
	if len(lead) > m.width/3 {
		lead = "save to: " // the name needs the room
	}
	m.prompt = &widget.Prompt{Lead: lead, Hints: "enter save, esc cancel", Text: e.File, Entered: func(path string) tea.Cmd {
		if path == "" {
			return nil
		}
		return m.save(atHome(path), e)
	}}
}

// typed gives a key or pasted text to the prompt.
func (m *model) typed(msg tea.Msg) tea.Cmd {
	if m.prompt == nil {
		return nil
	}
	p := m.prompt
	cmd, done := p.Update(msg)
	if done && m.prompt == p { // what was entered may ask for more
		m.prompt = nil
	}
	return cmd
}

// wheel scrolls by three lines.
func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	a, ok := map[tea.MouseButton]keys.Action{tea.MouseWheelUp: keys.Up, tea.MouseWheelDown: keys.Down}[msg.Button]
	if !ok || m.input == nil || m.prompt != nil {
		return nil
	}
	var cmds []tea.Cmd
	for range 3 {
		if why, ok := m.shown().Keys()[a]; ok && why == "" {
			cmds = append(cmds, m.shown().Update(keys.Press{Action: a}))
		}
	}
	return tea.Batch(cmds...)
}

// View draws the whole terminal.
func (m *model) View() tea.View {
	var v tea.View
	v.AltScreen = true
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	lines := m.lines()
	for i, line := range lines {
		lines[i] = m.Theme.Cut(line, m.width)
	}
	v.SetContent(strings.Join(lines, "\n"))
	if m.prompt != nil && !m.tooSmall() {
		v.Cursor = m.prompt.Cursor(m.width, m.height-1)
	}
	return v
}

func (m *model) lines() []string {
	if m.tooSmall() {
		return draw.Wrap(fmt.Sprintf("The terminal is too small: %dx%d, at least %dx%d is needed. q quits.", m.width, m.height, minWidth, minHeight), m.width)
	}
	if m.input == nil {
		return m.loading.lines(m.Theme, m.width, m.height)
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

// header says where one is, names the evidence and the screens.
func (m *model) header() string {
	t := m.Theme
	right := m.tabs(true)
	if ansi.StringWidth(right) > m.width-50 {
		right = m.tabs(false)
	}
	lead := ""
	if damaged := m.damaged(); damaged != "" {
		lead = t.Critical.Paint("damaged: "+damaged) + "  "
	}
	room := m.width - ansi.StringWidth(right) - ansi.StringWidth(lead) - 2
	crumbs := m.crumbs(room)
	line := " " + lead + t.Bold.Paint(crumbs)
	if rest := room - ansi.StringWidth(crumbs) - 2; rest > 16 {
		line += "  " + t.Dim.Paint(m.fileNames(rest))
	}
	return t.Spread(line, right, m.width)
}

// crumbs is the way from the screen that one came from to what is shown.
func (m *model) crumbs(room int) string {
	t := m.Theme
	var parts []string
	for _, i := range m.trail[max(len(m.trail)-2, 0):] {
		parts = append(parts, registry[i].title)
	}
	parts = append(parts, registry[m.at].title)
	if c, ok := m.screens[m.at].(crumbed); ok && c.Crumb() != "" {
		parts = append(parts, draw.Safe(c.Crumb()))
	}
	switch m.over.(type) {
	case *helpScreen:
		parts = append(parts, "Help")
	case *paletteScreen:
		parts = append(parts, "Find")
	}
	for len(parts) > 1 && ansi.StringWidth(strings.Join(parts, " > ")) > room {
		parts = parts[1:]
	}
	return t.Cut(strings.Join(parts, " "+t.Crumb+" "), room)
}

// tabs are the screens by their numbers, with all names or only that of the one shown.
func (m *model) tabs(names bool) string {
	t := m.Theme
	var b strings.Builder
	for i, e := range registry {
		switch {
		case i == m.at && e.key == "":
			b.WriteString((t.Selected + t.Bold).Paint(" " + e.title + " "))
		case i == m.at:
			b.WriteString((t.Selected + t.Bold).Paint(" " + e.key + " " + e.title + " "))
		case e.key == "":
		case names:
			b.WriteString(t.Dim.Paint(" " + e.key + " " + e.title + " "))
		default:
			b.WriteString(t.Dim.Paint(" " + e.key))
		}
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
			name := draw.Safe(m.side(i).Snapshot.Path())
			if short {
				name = name[strings.LastIndexAny(name, `/\`)+1:]
			}
			list = append(list, name)
		}
		return strings.Join(list, " "+m.Theme.Arrow+" ")
	}
	if long := names(false); ansi.StringWidth(long) <= room {
		return long
	}
	return m.Theme.Cut(names(true), room)
}

func (m *model) bottomLine() string {
	t := m.Theme
	switch {
	case m.prompt != nil:
		return m.prompt.Line(t, m.width)
	case m.message != "":
		return " " + t.Cut(m.message, m.width-2)
	}
	return " " + m.hints(m.taken(), m.width-2) + " "
}
