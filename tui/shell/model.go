package shell

import (
	"context"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The smallest terminal that everything fits into.
const (
	minWidth  = 80
	minHeight = 20
	// leastHeight is how many lines a screen has at least.
	leastHeight = 8
)

// chrome is how many lines the header, the plan, where there is one, and the bottom line
// take on a screen.
func (m *model) chrome(of session.Screen) int {
	if !m.planned(of) {
		return 1 + 1
	}
	return 1 + planHeight + 1
}

// planned says whether the plan stands below a screen.
func (m *model) planned(of session.Screen) bool {
	_, whole := of.(session.Whole)
	return m.Input != nil && m.Input.Alone() == "" && !whole
}

// model is the shell around the screens: header, plan, bottom line, and where
// every message goes.
type model struct {
	*session.Session
	end     func() // ends the session's reading
	base    context.Context
	load    func() (*session.Input, error)
	loading loading
	loads   int      // counts the pairs that are opened
	opened  int      // which of them is shown
	opening *opening // another pair; nil for none
	tell    func(progressMsg)
	release func(*session.Input)
	profile colorprofile.Profile
	err     error  // of load
	first   string // the screen to begin with, "" for the overview

	look  draw.Look
	mouse bool

	screens []session.Screen
	at      int            // the screen shown
	trail   []int          // those shown before it, each once
	over    session.Screen // help or palette, in place of the screen
	prompt  *widget.Prompt
	message string // in the bottom line until the next key

	typedCommands []string // oldest first
	themeChosen   bool     // by the person
	views         views
	quitting      bool          // asked whether to quit
	begun         restore.Plan  // to begin with
	kept          *restore.Plan // whose runbook was copied or saved; nil for none
	used          bool          // a key was pressed since the screens are there
	resume        func(hash string) *Memory
	outputs       *outfile.Guard

	width, height int
}

func newModel(ctx context.Context, profile colorprofile.Profile, g draw.Glyphs) *model {
	of, end := context.WithCancel(ctx)
	m := &model{
		base: ctx, end: end, tell: func(progressMsg) {}, release: func(*session.Input) {},
		Session: &session.Session{Ctx: of, UI: widget.UI{Keymap: keys.Default}},
		profile: profile, look: draw.DefaultLook, width: minWidth, height: 24,
	}
	m.Theme = draw.NewTheme(true, profile, g, m.look)
	return m
}

// setTheme has everything drawn again, what is drawn already, too.
func (m *model) setTheme(dark bool) tea.Cmd {
	m.Theme = draw.NewTheme(dark, m.profile, m.Theme.Glyphs, m.look)
	m.Version++
	return m.broadcast(widget.ThemeMsg{})
}

type (
	progressMsg struct {
		snapshot.Progress
		role string
		load int // of which pair
	}
)

type (
	loadedMsg struct {
		input *session.Input
		err   error
	}
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
	m.note()
	return m, tea.Batch(cmd, m.wake())
}

// wake has the screen that is shown start what is done only for those who look.
func (m *model) wake() tea.Cmd {
	if m.Input == nil {
		return nil
	}
	if w, ok := m.screens[m.at].(session.Waker); ok {
		return w.Wake()
	}
	return nil
}

// update gives a message to whom it is for: the shell, the session, or the screens.
func (m *model) update(msg tea.Msg) tea.Cmd {
	m.Version++
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
	case tea.MouseClickMsg:
		return m.click(msg)
	case progressMsg:
		return m.progress(msg)
	case loadedMsg:
		return m.loaded(msg)
	case widget.TaskMsg:
		if msg.Of != &m.Tasks {
			return nil // of a pair that is no longer shown
		}
		return m.update(msg.Msg)
	case session.PairMsg:
		return m.openPair(msg)
	case session.OpenMsg:
		return m.open(msg, msg.Load)
	case openedMsg:
		return m.replace(msg)
	case widget.NoticeMsg:
		m.message = draw.Safe(string(msg))
		return nil
	case copiedMsg:
		return m.copyOut(msg.Export)
	case session.GoMsg:
		return m.goTo(msg)
	case session.AskMsg:
		m.prompt = msg.Prompt
		return nil
	case session.HistoryMsg:
		m.show(screenNamed("history"))
	}
	news, cmd := m.Session.Update(msg)
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
func (m *model) goTo(msg session.GoMsg) tea.Cmd {
	m.show(screenNamed(msg.Screen))
	if msg.Then == nil {
		return nil
	}
	return m.update(msg.Then)
}

func (m *model) broadcast(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, s := range m.screens {
		cmds = append(cmds, s.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (m *model) progress(msg progressMsg) tea.Cmd {
	switch {
	case m.opening != nil && m.opening.load == msg.load:
		m.opening.loading.progress(msg)
	case m.opened != msg.load:
	case m.Input == nil:
		m.loading.progress(msg)
	default:
		m.Hashed(msg.role, msg.Progress)
	}
	return nil
}

// loaded makes the screens, once everything that they show is being read.
func (m *model) loaded(msg loadedMsg) tea.Cmd {
	if msg.err != nil {
		m.err = msg.err
		return tea.Quit
	}
	m.begun, m.views = msg.input.Plan, views{}
	m.Tasks.Marked = msg.input.Series != nil || msg.input.Training != nil
	cmd := m.Open(msg.input)
	if msg.input.Notice != "" && m.message == "" {
		m.message = draw.Safe(msg.input.Notice)
	}
	for i := range registry {
		_, screen := registry[i].in(m.Input)
		m.screens = append(m.screens, screen(m.Session))
	}
	if m.first != "" {
		m.show(screenNamed(m.first))
		m.trail, m.first = nil, ""
	}
	m.resize()
	return cmd
}

func (m *model) tooSmall() bool { return m.width < minWidth || m.height < minHeight }

func (m *model) resize() {
	size := func(of, on session.Screen) {
		width, height := m.width, m.height-m.chrome(on)
		if m.tooSmall() {
			width, height = max(width, minWidth), max(m.height-1, leastHeight)
		}
		of.SetSize(width, height)
	}
	for _, s := range m.screens {
		size(s, s)
	}
	if m.over != nil {
		size(m.over, m.screens[m.at])
	}
}

// shown is the screen that keys go to.
func (m *model) shown() session.Screen {
	if m.over != nil {
		return m.over
	}
	return m.screens[m.at]
}
