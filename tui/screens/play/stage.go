package play

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/replay"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// pace is how long a step stands when a restore is played on its own.
const pace = 700 * time.Millisecond

// stage shows a restore that is played: what each part of the cluster does, step by step,
// which pods run and what the API shows, and what can be done next. The play is moved by
// commands, one at a time; what is drawn is the moment that the last one led to.
type stage struct {
	*widget.UI
	play  *replay.Play
	begin int                   // steps that cannot be taken back
	visit func(id string) error // goes to a moment; nil for the play's own
	veil  func(*replay.View)    // takes out what is not to be shown yet; nil for nothing
	also  func() (any, error)   // what else is looked up of a moment; nil for nothing
	first option                // stands before the actions; none without a text

	shown   moment
	moving  bool             // a command moves the play
	waiting []func() tea.Cmd // moves that were asked for meanwhile
	playing bool             // steps follow one another on their own
	ticks   int              // counts the times that playing was begun
	at      int              // the selected option
	page    page             // stands in place of it all; none without a title

	width, height int
}

// option is something that can be done.
type option struct {
	text string
	own  bool                            // it happens by itself
	do   func() func(*replay.Play) error // what moves the play
}

// moment is what is drawn of a moment.
type moment struct {
	view    *replay.View
	columns []column     // of the lanes
	options []option     // what can be done
	step    *replay.Step // that led here; nil at the beginning
	steps   int          // up to here
	undone  int          // that were taken back
	more    bool         // something is left to happen by itself
	id      string
	also    any
}

// movedMsg is where a command has moved the play to.
type movedMsg struct {
	stage  *stage
	moment moment
	notice string // for the bottom line
	err    error
}

// tickMsg is the time for the next step of a restore that is played on its own.
type tickMsg struct {
	stage *stage
	n     int
}

func newStage(u *widget.UI, play *replay.Play) *stage {
	return &stage{UI: u, play: play, begin: len(play.Steps())}
}

// look says what is to be drawn of the moment that a play is at.
func (s *stage) look() (moment, error) {
	p := s.play
	view, err := p.View(p.State())
	if err == nil && s.veil != nil {
		s.veil(view)
	}
	m := moment{view: view, columns: columns(p, s.veil), steps: len(p.Steps()), undone: len(p.Undone()), more: p.More(), id: p.ID()}
	if m.steps > 0 {
		step := p.Steps()[m.steps-1]
		m.step = &step
	}
	if s.first.text != "" {
		m.options = append(m.options, s.first)
	}
	for _, a := range p.Actions(p.State()) {
		do := func(p *replay.Play) error { return p.Do(a) }
		m.options = append(m.options, option{p.Say(a), !a.Operator(), func() func(*replay.Play) error { return do }})
	}
	if err == nil && s.also != nil {
		m.also, err = s.also()
	}
	return m, err
}

// mostWaiting bounds the moves that wait for the one before.
const mostWaiting = 100

// move makes the command that moves the play, once the one before has ended. Notice, which
// may be nil, says what came of it.
func (s *stage) move(by func(*replay.Play) error, notice func() string) tea.Cmd {
	if s.moving {
		if len(s.waiting) < mostWaiting {
			s.waiting = append(s.waiting, func() tea.Cmd { return s.move(by, notice) })
		}
		return nil
	}
	s.moving = true
	return s.Tasks.Cmd(func() tea.Msg {
		msg := movedMsg{stage: s, err: by(s.play)}
		if notice != nil {
			msg.notice = notice()
		}
		var err error
		if msg.moment, err = s.look(); msg.err == nil {
			msg.err = err
		}
		return msg
	})
}

// moved takes over where a command has led.
func (s *stage) moved(msg movedMsg) tea.Cmd {
	s.moving = false
	if msg.moment.view != nil {
		other := msg.moment.id != s.shown.id
		if s.shown = msg.moment; other {
			s.at = 0
		}
		s.at = max(min(s.at, len(s.shown.options)-1), 0)
	}
	switch {
	case msg.err != nil:
		s.playing, s.waiting = false, nil
		return widget.Notify(msg.err.Error())
	case len(s.waiting) > 0:
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		return next()
	case s.playing && s.shown.more:
		n := s.ticks
		return tea.Tick(pace, func(time.Time) tea.Msg { return tickMsg{s, n} })
	}
	s.playing = false
	if msg.notice != "" {
		return widget.Notify(msg.notice)
	}
	return nil
}

func (s *stage) next() tea.Cmd {
	return s.move(func(p *replay.Play) error { p.Next(); return nil }, nil)
}

// setSize says how many columns and lines there are.
func (s *stage) setSize(width, height int) {
	s.width, s.height = width, height
	s.page.Height = height - 2
}

const notYet = "the last step is still being taken"

// actions lists what update takes.
func (s *stage) actions(k keys.Set) keys.Set {
	if s.page.title != "" {
		return s.page.Actions(k, len(s.page.lines)).Offer(keys.Back, keys.Leave)
	}
	busy, moving := "", ""
	switch {
	case s.shown.view == nil:
		busy, moving = notYet, notYet
	case s.playing:
		busy = s.Keymap.Key(keys.PlayOn) + " stops it first"
	case s.moving:
		moving = notYet
	}
	nothing, beginning := busy, busy
	if busy == "" && !s.moving && !s.shown.more {
		nothing = "nothing is left to happen by itself"
	}
	if busy == "" && !s.moving && s.shown.steps <= s.begin {
		beginning = "this is the beginning"
	}
	moving = cmp.Or(busy, moving)
	k[keys.Take], k[keys.StepOn], k[keys.Settle], k[keys.StepBack], k[keys.ToMoment] = moving, nothing, nothing, beginning, moving
	if k[keys.PlayOn] = nothing; s.playing {
		k[keys.PlayOn] = ""
	}
	moves := ""
	if len(s.shown.options) < 2 {
		moves = "nothing else can be done"
	}
	for _, a := range []keys.Action{keys.Up, keys.Down, keys.HalfUp, keys.HalfDown, keys.PageUp, keys.PageDown, keys.Top, keys.Bottom} {
		k[a] = moves
	}
	k[keys.Why] = ""
	if s.shown.view == nil {
		k[keys.Why] = notYet
	}
	k[keys.CopyOut], k[keys.SaveOut] = k[keys.Why], k[keys.Why]
	return k
}

// update takes a press of one of actions, and what its commands bring.
func (s *stage) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case movedMsg:
		return s.moved(msg)
	case tickMsg:
		if s.playing && msg.n == s.ticks && !s.moving {
			return s.next()
		}
	case widget.SearchMsg:
		s.page.Search(string(msg), s.page.lines)
	case keys.Press:
		if s.page.title != "" {
			return s.turn(msg.Action)
		}
		return s.press(msg.Action)
	}
	return nil
}

// turn does what is asked for while a page is shown.
func (s *stage) turn(a keys.Action) tea.Cmd {
	if a == keys.Back || a == keys.Leave {
		s.page = page{Pager: widget.Pager{Height: s.page.Height}}
		return nil
	}
	s.page.Move(a, s.page.lines)
	return nil
}

func (s *stage) press(a keys.Action) tea.Cmd {
	switch a {
	case keys.Take:
		return s.move(s.shown.options[s.at].do(), nil)
	case keys.StepOn:
		return s.next()
	case keys.StepBack:
		return s.move(func(p *replay.Play) error {
			if len(p.Steps()) > s.begin {
				p.Back()
			}
			return nil
		}, nil)
	case keys.Settle:
		n := 0
		return s.move(func(p *replay.Play) error { n = p.Settle(); return nil }, func() string {
			return words.CountOf(n, "step was taken by itself", "steps were taken by themselves")
		})
	case keys.PlayOn:
		if s.playing {
			s.playing = false
			return nil
		}
		if s.Theme.Plain { // nothing that moves is shown
			return s.press(keys.Settle)
		}
		s.playing = true
		s.ticks++
		return s.next()
	case keys.Why:
		s.open("Why", s.why(s.textWidth()))
	case keys.ToMoment:
		return s.askMoment()
	default:
		s.at = widget.Moved(s.at, a, s.optionRoom(), len(s.shown.options)-1)
	}
	return nil
}

// askMoment asks for the id of a moment.
func (s *stage) askMoment() tea.Cmd {
	check := func(id string) error {
		if id == "" {
			return nil
		}
		return replay.NewPlay(s.play.Cluster, s.play.Moments()[0]).Go(id)
	}
	visit := s.visit
	if visit == nil {
		visit = s.play.Go
	}
	return func() tea.Msg {
		return session.AskMsg{Prompt: &widget.Prompt{Lead: "id of a moment: ", Hints: "enter go, esc cancel", Check: check, Entered: func(id string) tea.Cmd {
			if id == "" || s.moving {
				return nil
			}
			return s.move(func(*replay.Play) error { return visit(id) }, nil)
		}}}
	}
}

// page is a text in place of the stage.
type page struct {
	widget.Pager
	title string
	lines []string
}

// open shows a text until it is left.
func (s *stage) open(title string, lines []string) {
	s.page = page{Pager: widget.Pager{Height: s.height - 2}, title: title, lines: lines}
}

// textWidth is how wide the lines of a page are.
func (s *stage) textWidth() int { return min(s.width-4, mostTextWidth) }

const mostTextWidth = 100

// why says by which rules the last step was so, and what each kubelet hears.
func (s *stage) why(width int) []string {
	t := s.Theme
	var lines []string
	if step := s.shown.step; step != nil {
		lines = append(lines, draw.PaintAll(t.Bold, draw.Wrap(step.Text, width))...)
		for _, r := range step.Rules {
			lines = append(lines, "")
			lines = append(lines, draw.Wrap(r.Text, width)...)
			lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap("("+r.Source+")", width))...)
		}
		lines = append(lines, "")
	}
	if k := s.shown.view.Controllers; k != nil {
		lines = append(lines, draw.Item("", "The controllers and the scheduler: "+k.Why, width)...)
	}
	for i := range s.shown.view.Kubelets {
		k := &s.shown.view.Kubelets[i]
		lines = append(lines, draw.Item("", "The kubelet of "+k.Node+": "+k.Why, width)...)
	}
	for i := range s.shown.view.Pods {
		if pod := &s.shown.view.Pods[i]; pod.Why != "" && (pod.Phantom || pod.Ghost) {
			lines = append(lines, draw.Item("", "The pod "+pod.Name+": "+pod.Why, width)...)
		}
	}
	if n := len(s.shown.view.Pods); n > 0 {
		lines = append(append(lines, ""), s.pods(width, n+1)...)
	}
	lines = append(lines, "")
	return append(lines, draw.Wrap("The id of this moment is "+s.shown.id+": "+s.Keymap.Key(keys.ToMoment)+" goes back to it.", width)...)
}

// text is the way to the moment, in sentences.
func (s *stage) text() string {
	var b strings.Builder
	for i, step := range s.play.Steps() {
		fmt.Fprintf(&b, "%d. %s\n", i+1, step.Text)
	}
	return b.String()
}

// optionRoom is how many options fit.
func (s *stage) optionRoom() int {
	if s.wide() {
		return max(s.height/2, 1)
	}
	return 5
}

// wide says whether the options have room beside the lanes.
func (s *stage) wide() bool { return s.width >= 140 && !s.Theme.Plain }

// view draws at most height lines of width columns.
func (s *stage) view(about []string) []string {
	t := s.Theme
	switch {
	case s.page.title != "":
		return append([]string{" " + t.Heading(s.page.title, s.width-2)}, s.page.Page(t, s.page.lines, s.width)...)
	case s.shown.view == nil:
		return []string{" " + t.Dim.Paint("Setting it up"+t.Ellipsis)}
	}
	if s.Theme.Plain {
		w := s.width - 2
		return draw.Margin(slices.Concat(s.lanes(w, len(rows(s.shown.view))), []string{""}, s.pods(w, len(s.shown.view.Pods)), []string{""}, s.happened(w, 20), []string{""}, s.can(w, len(s.shown.options)), []string{""}, about))
	}
	if s.wide() {
		half := s.width * 3 / 5
		room := s.height - 2
		lanes := s.lanes(half-3, room/2)
		left := append(lanes, "")
		left = append(left, s.pods(half-3, room-len(left))...)
		w := s.width - half - 5
		right := append(s.happened(w, room/3), "")
		can := s.can(w, min(len(s.shown.options), room-len(right)-len(about)-2))
		right = append(append(right, can...), "")
		right = append(right, about...)
		return t.Beside(draw.Margin(left), right, half, t.Dim.Paint(" "+t.Column+" "))
	}
	w := s.width - 2
	happened := s.happened(w, 2)
	can := s.can(w, min(len(s.shown.options), max(5, s.height/4)))
	room := s.height - len(happened) - len(can) - len(about)
	lanes := s.lanes(w, min(room-6, room*3/5))
	lines := append(lanes, s.pods(w, room-len(lanes))...)
	if spare := room - len(lines); spare > 0 {
		can = s.can(w, min(len(s.shown.options), len(can)-1+spare))
	}
	return draw.Margin(slices.Concat(lines, happened, can, about))
}

// happened is the last step, in at most so many lines below its heading.
func (s *stage) happened(width, most int) []string {
	t := s.Theme
	title := fmt.Sprintf("Step %d", s.shown.steps)
	if s.shown.undone > 0 {
		title += fmt.Sprintf(", %d taken back", s.shown.undone)
	}
	text := "Nothing has happened yet."
	if s.shown.step != nil {
		text = s.shown.step.Text
	}
	lines := draw.Wrap(text, width)
	if len(lines) > most {
		lines = append(lines[:most-1], t.Cut(lines[most-1]+" "+t.Ellipsis+" ("+s.Keymap.Key(keys.Why)+": all)", width))
	}
	return append([]string{t.Heading(title, width)}, lines...)
}

// can lists so many of what can be done, around the selected one.
func (s *stage) can(width, room int) []string {
	t := s.Theme
	room = max(room, 1)
	n := len(s.shown.options)
	title := "What can be done"
	if s.playing {
		title += t.Ellipsis + " " + s.Keymap.Key(keys.PlayOn) + " stops"
	}
	if n > room {
		title += fmt.Sprintf(": %d of %d", s.at+1, n)
	}
	lines := []string{t.Heading(title, width)}
	from := max(min(s.at-room/2, n-room), 0)
	for i, o := range s.shown.options[from:min(from+room, n)] {
		text := words.Capital(draw.Safe(o.text))
		cursor, own := "  ", ""
		if o.own {
			own = t.Dim.Paint("  by itself")
		}
		if from+i == s.at {
			cursor, text = t.Bold.Paint(t.Cursor)+" ", t.Bold.Paint(text)
		}
		lines = append(lines, t.Cut(cursor+text+own, width))
	}
	return lines
}
