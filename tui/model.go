package tui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// screen is one of the places the person can be at.
type screen int

const (
	screenOverview screen = iota
	screenPods
	screens
)

var screenNames = [screens]string{"overview", "pods"}

// frame is how many lines stand around a screen: title, plan, what comes of it,
// and keys.
const frame = 4

// The smallest terminal that everything fits.
const (
	minWidth  = 80
	minHeight = 24
)

// model is the one Bubble Tea model.
type model struct {
	ctx     context.Context
	options Options
	send    func(tea.Msg)

	width, height int
	theme         theme
	ascii         bool // the terminal shows ASCII only

	loading  atomic.Bool   // Load was begun
	loaded   chan struct{} // closed when Load is over
	loadErr  error
	progress map[string]snapshot.Progress

	session  session
	screen   screen
	help     bool
	keys     text // the help
	overview overview
	pods     *pods
}

func newModel(ctx context.Context, o Options) *model {
	m := &model{
		ctx: ctx, options: o, loaded: make(chan struct{}), theme: newTheme(true), pods: newPods(),
		progress: map[string]snapshot.Progress{}, ascii: asciiOnly(o.Environ), send: func(tea.Msg) {},
		session: session{integrity: map[restore.In]*snapshot.Integrity{}},
	}
	return m
}

// asciiOnly says whether the locale cannot show more than ASCII.
func asciiOnly(environ []string) bool {
	for _, name := range []string{"LC_ALL=", "LC_CTYPE=", "LANG="} {
		for _, e := range environ {
			if value, ok := strings.CutPrefix(e, name); ok && value != "" {
				return value == "C" || value == "POSIX"
			}
		}
	}
	return false
}

type loadProgress struct {
	file     string
	progress snapshot.Progress
}

type loadDone struct {
	in         *Input
	comparison *restore.Comparison
	err        error
}

// Init asks for the terminal's background and opens the snapshots.
func (m *model) Init() tea.Cmd { return tea.Batch(tea.RequestBackgroundColor, m.load) }

func (m *model) load() tea.Msg {
	m.loading.Store(true)
	defer close(m.loaded)
	in, err := m.options.Load(m.ctx, func(p snapshot.Progress, file string) { m.send(loadProgress{file, p}) })
	if err != nil {
		m.loadErr = err
		return loadDone{err: err}
	}
	return loadDone{in: in, comparison: restore.Compare(in.Backup.State, in.Current.State)}
}

// Update takes a message. It does nothing that could wait.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.resize()
	case tea.BackgroundColorMsg:
		m.theme = newTheme(msg.IsDark())
	case loadProgress:
		m.progress[msg.file] = msg.progress
	case loadDone:
		return m, m.opened(msg)
	case predicted:
		m.session.answer(msg)
		m.pods.refresh(m.session.prediction)
	case verified:
		m.session.integrity[msg.side] = msg.integrity
	case object:
		m.pods.object = msg
	case tea.KeyPressMsg:
		return m, m.key(msg)
	}
	return m, nil
}

func (m *model) resize() {
	body := m.height - frame
	m.overview.setSize(m.width, body)
	m.pods.setSize(m.width, body)
	m.keys.width, m.keys.height = m.width, body
}

func (m *model) opened(msg loadDone) tea.Cmd {
	if msg.err != nil {
		return tea.Quit
	}
	s := &m.session
	s.in, s.comparison, s.plan = msg.in, msg.comparison, msg.in.Plan
	return tea.Batch(s.predict(), verify(m.ctx, restore.InBackup, s.in.Backup.Snapshot), verify(m.ctx, restore.InCurrent, s.in.Current.Snapshot))
}

func (m *model) key(key tea.KeyPressMsg) tea.Cmd {
	if key.String() != "ctrl+c" && m.screen == screenPods && m.pods.filtering && !m.help {
		m.pods.typed(key)
		return nil
	}
	a := actionOf(m, key.String())
	switch {
	case a == actInterrupt || a == actQuit:
		return tea.Quit
	case m.session.comparison == nil:
		if a == actBack {
			return tea.Quit // gives up the opening
		}
		return nil
	case a == actHelp, m.help && a == actBack:
		m.help = !m.help
		return nil
	case m.help:
		m.keys.act(a)
		return nil
	}
	return m.do(a)
}

func (m *model) do(a action) tea.Cmd {
	switch a {
	case actOverview:
		m.screen = screenOverview
	case actPods:
		m.screen = screenPods
	case actNextScreen:
		m.screen = (m.screen + 1) % screens
	case actBump, actCompacted, actKubelets, actServers:
		m.changePlan(a)
		return m.session.predict()
	default:
		if m.screen == screenPods {
			if a == actBack && !m.pods.detail && m.pods.filter == "" {
				m.screen = screenOverview
				return nil
			}
			return m.pods.update(m, a)
		}
		m.overview.update(a)
	}
	return nil
}

// changePlan steps one switch of the plan. What etcdutl refuses can be chosen:
// the bar then says why it is refused.
func (m *model) changePlan(a action) {
	p := &m.session.plan
	switch a {
	case actBump:
		p.BumpRevision = next(m.bumps(), p.BumpRevision)
		if p.BumpRevision == 0 || !p.MarkCompacted {
			p.MarkCompacted = p.BumpRevision > 0 // the two go together; m parts them
		}
	case actCompacted:
		p.MarkCompacted = !p.MarkCompacted
	case actServers:
		p.KeepAPIServers = !p.KeepAPIServers
	case actKubelets:
		choices := []string{"none", "all"}
		if o := m.pods.selected(); m.screen == screenPods && o != nil && o.Node != "" {
			choices = append(choices, o.Node)
		}
		p.RestartKubelets = restore.ParseRestart(next(choices, p.RestartKubelets.String()))
	}
}

// bumps are the bumps that b steps through: none, the recommended and the
// minimum, and the one the program was started with.
func (m *model) bumps() []int64 {
	list := []int64{0}
	if p := m.session.prediction; p != nil {
		list = append(list, p.Revisions.RecommendedBump, p.Revisions.MinimumSafeBump)
	}
	if given := m.session.in.Plan.BumpRevision; !slices.Contains(list, given) {
		list = append(list, given)
	}
	return list
}

// next is the choice after the present one, the first when that is none of them.
func next[T comparable](choices []T, present T) T {
	return choices[(slices.Index(choices, present)+1)%len(choices)]
}

// View draws the screen.
func (m *model) View() tea.View {
	v := tea.NewView(m.draw())
	v.AltScreen = true
	v.WindowTitle = "revenant"
	return v
}

func (m *model) draw() string {
	switch {
	case m.width == 0:
		return ""
	case m.width < minWidth || m.height < minHeight:
		return fmt.Sprintf("The terminal has %d×%d characters,\nrevenant needs %d×%d. q quits.", m.width, m.height, minWidth, minHeight)
	case m.session.comparison == nil:
		return m.drawLoading()
	}
	var body string
	switch {
	case m.help:
		m.keys.lines = m.drawHelp()
		m.keys.scroll(0)
		body = m.keys.view()
	case m.screen == screenPods:
		body = m.pods.view(m)
	default:
		body = m.overview.view(m)
	}
	lines := strings.Split(body, "\n")
	for len(lines) < m.height-frame {
		lines = append(lines, "")
	}
	lines = lines[:m.height-frame]
	return strings.Join([]string{m.drawTitle(), m.drawPlan(), m.drawResult(), strings.Join(lines, "\n"), m.drawKeys()}, "\n")
}

func (m *model) drawTitle() string {
	var tabs []string
	for i, name := range screenNames {
		tab := fmt.Sprintf("%d %s", i+1, name)
		if screen(i) == m.screen {
			tabs = append(tabs, m.theme.selected.Render(" "+tab+" "))
		} else {
			tabs = append(tabs, " "+tab+" ")
		}
	}
	left := m.theme.title.Render("revenant") + "  " + strings.Join(tabs, " ")
	s := m.session.in
	right := sanitize.Line(filepath.Base(s.Backup.Snapshot.Path()) + " → " + filepath.Base(s.Current.Snapshot.Path()))
	if damaged := m.damaged(); damaged != "" {
		left += "  " + m.theme.critical.Render("damaged: "+damaged)
	}
	right = ansi.Truncate(right, max(0, m.width-ansi.StringWidth(left)-2), "…")
	return left + strings.Repeat(" ", max(1, m.width-ansi.StringWidth(left)-ansi.StringWidth(right))) + m.theme.dim.Render(right)
}

// damaged names the snapshots of which a check has failed so far.
func (m *model) damaged() string {
	var names []string
	for _, in := range []restore.In{restore.InBackup, restore.InCurrent} {
		if i := m.session.integrity[in]; i != nil && i.Bad() {
			names = append(names, sideNames[in])
		}
	}
	return strings.Join(names, ", ")
}

// drawPlan is the bar that is always there: the plan, and what comes of it.
func (m *model) drawPlan() string {
	s, th := &m.session, &m.theme
	p := s.plan
	bump, compacted, servers := "none", "no", "restarted"
	if p.BumpRevision > 0 {
		bump = fmt.Sprint(p.BumpRevision)
	}
	if p.MarkCompacted {
		compacted = "yes"
	}
	if p.KeepAPIServers {
		servers = "kept"
	}
	item := func(key, name, value string) string {
		return th.key.Render(key) + " " + name + " " + th.title.Render(sanitize.Line(value))
	}
	kubelets := ansi.Truncate(p.RestartKubelets.String(), 12, "…")
	if kubelets == "none" {
		kubelets = "running"
	} else {
		kubelets += " restarted"
	}
	bar := strings.Join([]string{
		th.dim.Render("plan"), item("b", "bump", bump), item("m", "compacted", compacted),
		item("r", "kubelets", kubelets), item("a", "apiservers", servers),
	}, "  ")
	return ansi.Truncate(bar, m.width, "…")
}

// drawResult is what comes of the plan in a line.
func (m *model) drawResult() string {
	s, th := &m.session, &m.theme
	if s.refused != nil {
		text := "refused: " + sanitize.Line(s.refused.Error())
		var plan *restore.PlanError
		if errors.As(s.refused, &plan) {
			text += ": " + sanitize.Line(plan.Hint())
		}
		return th.critical.Render(ansi.Truncate(text, m.width, "…"))
	}
	p := s.prediction
	if p == nil {
		return th.dim.Render("predicting…")
	}
	var parts []string
	for _, o := range restore.Outcomes {
		if n := p.Summary[o.ID]; n > 0 && o.Severity != restore.OK || o.ID == restore.Phantom || o.ID == restore.Ghost {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.ID))
		}
	}
	text := fmt.Sprintf("%s; store at revision %d, bump %s", strings.Join(parts, ", "), p.Revisions.Restored, p.Revisions.BumpVerdict)
	text = ansi.Truncate(text, m.width-2, "…")
	severity, _ := p.Headline()
	if s.answered != s.asked {
		return th.dim.Render(text + " …") // the answer to an older plan
	}
	return th.severity(severity).Render(text)
}

func (m *model) drawKeys() string {
	var parts []string
	for _, b := range bindings {
		if b.footer && b.why(m) == "" && !strings.HasPrefix(b.help, "plan: ") {
			parts = append(parts, m.theme.key.Render(b.shown)+" "+b.help)
		}
	}
	more := ""
	if m.moreBelow() {
		more = "↓ more"
		if m.ascii {
			more = "v more"
		}
	}
	left := ansi.Truncate(strings.Join(parts, "  "), m.width-len(more)-1, "…")
	return left + strings.Repeat(" ", max(1, m.width-ansi.StringWidth(left)-ansi.StringWidth(more))) + m.theme.dim.Render(more)
}

// moreBelow says whether lines stand below what is in sight.
func (m *model) moreBelow() bool {
	t := &m.overview.body
	switch {
	case m.help:
		t = &m.keys
	case m.screen == screenPods && m.pods.detail:
		t = &m.pods.body
	case m.screen == screenPods:
		return m.pods.table.top+m.pods.table.rows() < m.pods.table.length
	}
	return t.top+t.height < len(t.lines)
}

// drawHelp lists every key; one that does nothing here is dimmed, with the
// reason.
func (m *model) drawHelp() []string {
	var lines []string
	for _, b := range bindings {
		line := "  " + pad(b.shown, 14) + b.help
		if why := b.why(m); why != "" {
			lines = append(lines, m.theme.dim.Render(line+" ("+why+")"))
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// drawLoading says how far the opening is.
func (m *model) drawLoading() string {
	lines := []string{m.theme.title.Render("revenant"), ""}
	files := make([]string, 0, len(m.progress))
	for file := range m.progress {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range files {
		p := m.progress[file]
		percent := 0
		if p.Total > 0 {
			percent = int(p.Done * 100 / p.Total)
		}
		full, empty := "█", "░"
		if m.ascii {
			full, empty = "#", "."
		}
		const width = 40
		done := percent * width / 100
		lines = append(lines, fmt.Sprintf("%s %s%s %3d %%", pad(sanitize.Line(file), 10), strings.Repeat(full, done), strings.Repeat(empty, width-done), percent))
	}
	lines = append(lines, "", m.theme.dim.Render("opening the snapshots; esc gives up"))
	return strings.Join(lines, "\n")
}

// prefixOf is what stands before the resource in the key of a pod: the API
// server's prefix.
func prefixOf(key string) string {
	prefix, _, _ := strings.Cut(key, "/pods/")
	return prefix
}
