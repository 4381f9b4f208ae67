package play

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/replay"
	"revenant/decoder/snapshot"
	"revenant/train"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Training lists the scenarios, and is where one is done: on a stage, where it is played,
// or else beside the files that it is about.
type Training struct {
	*session.Session
	list   *widget.Board
	of     *session.Training // nil where there are none
	solved *solved           // nil until it is known
	woken  bool

	active  *train.Session // that is being done; nil for none
	awaited bool           // one is being begun
	stage   *stage         // of one that is played; nil otherwise
	results []train.Result // how it stands with its goals
	hints   []string       // that were given
	busy    bool           // an answer is being checked
	found   bool           // that it is solved was said
	page    page           // what is shown in place of it; none without a title

	width, height int
}

// solved says which scenarios are.
type solved map[string]bool

// NewTraining makes the screen.
func NewTraining(s *session.Session) session.Screen {
	x := &Training{Session: s, of: s.Input.Training}
	x.list = widget.NewBoard(&s.UI, widget.Listing{
		Title: "scenarios", Noun: "scenario", Waiting: "looking up which scenarios are solved",
		Columns: []widget.Column{
			{Title: "LEVEL", Key: "E", Min: 5},
			{Title: "SCENARIO", Key: "C", Min: 14},
			{Title: "STATE", Key: "S", Min: 6},
			{Title: "TITLE", Key: "T", Min: 20},
			{Title: "ON", Key: "O", Min: 7},
		},
		Of: func() any {
			if x.solved == nil {
				return nil
			}
			return x.solved
		},
		Rows:  func() widget.Rows { return x.rows(x.of.Scenarios, *x.solved) },
		Empty: func() string { return "There is no scenario." },
	})
	return x
}

func (x *Training) rows(list []train.Scenario, done solved) widget.Rows {
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			s := &list[row]
			state, on := "to do", "play"
			if done[s.ID] {
				state = "solved"
			}
			if !s.Played() {
				on = "files"
			}
			return []string{strconv.Itoa(s.Level), s.Argument(), state, s.Title, on}[column]
		},
		ID:     func(row int) string { return list[row].ID },
		Detail: func(row, width int) []string { return x.story(&list[row], width) },
	}
}

// OfFiles says whether the scenario is about the files; the plan is not below it.
func (x *Training) OfFiles() bool { return x.active != nil && !x.active.Played() }

// SetSize says how many columns and lines there are.
func (x *Training) SetSize(width, height int) {
	x.width, x.height = width, height
	x.list.SetSize(width, height)
	x.page.Height = height - 2
	if x.stage != nil {
		x.stage.setSize(width, height)
	}
}

// What commands bring.
type (
	solvedMsg struct {
		screen *Training
		solved solved
	}
	begunMsg struct {
		screen  *Training
		active  *train.Session
		stage   *stage // nil where nothing is played
		moment  moment
		results []train.Result
		err     error
	}
	answeredMsg struct {
		active  *train.Session
		result  train.Result
		results []train.Result
		err     error
	}
	endMsg struct { // what is said once a scenario is solved
		active *train.Session
		lines  func(*Training, int) []string
		err    error
	}
)

// Wake finds out which scenarios are solved, and begins the one to begin with.
func (x *Training) Wake() tea.Cmd {
	if x.woken || x.of == nil {
		return nil
	}
	x.woken = true
	find := x.of.Solved
	cmd := x.Tasks.Cmd(func() tea.Msg { return solvedMsg{x, find(x.Ctx)} })
	if x.of.Begin != "" {
		return tea.Batch(cmd, x.begin(x.of.Begin, x.of.At))
	}
	return cmd
}

// begin begins a scenario, at a moment where at is its id.
func (x *Training) begin(id, at string) tea.Cmd {
	s := train.Find(x.of.Scenarios, id)
	switch {
	case s == nil:
		return widget.Notify("no scenario is called " + draw.Quoted(id))
	case x.active != nil && x.active.ID == s.ID && at == "":
		return nil // it goes on
	case s.OnFiles() && x.of.Shown != s.ID && x.of.Open == nil:
		return widget.Notify("it is about other files: revenant train " + s.Argument() + " opens them")
	case s.OnFiles() && x.of.Shown != s.ID:
		open, id := x.of.Open, s.ID
		return func() tea.Msg {
			return session.OpenMsg{Load: func(ctx context.Context, progress func(snapshot.Progress, string)) (*session.Input, error) {
				return open(ctx, id, at, progress)
			}}
		}
	}
	if x.awaited {
		return nil
	}
	was := x.active
	x.active, x.stage, x.page, x.awaited = nil, nil, page{}, true
	return x.Tasks.Cmd(func() tea.Msg {
		if was != nil {
			was.Close()
		}
		active, err := train.New(x.Ctx, *s)
		msg := begunMsg{screen: x, active: active, err: err}
		if err == nil && at != "" {
			msg.err = active.Go(at)
		}
		if msg.err == nil {
			msg.results, msg.err = active.Check()
		}
		if msg.err == nil && active.Play != nil {
			msg.stage = newStage(&x.UI, active.Play)
			msg.stage.begin, msg.stage.visit = len(active.Play.Steps())-len(active.Steps()), active.Go
			msg.stage.veil = active.Veil
			msg.stage.also = func() (any, error) { return active.Check() }
			msg.moment, msg.err = msg.stage.look()
		}
		return msg
	})
}

// Keys lists the actions that Update takes.
func (x *Training) Keys() keys.Set {
	switch {
	case x.of == nil:
		return keys.Set{}
	case x.active == nil:
		return x.list.Keys()
	}
	k := keys.Set{}
	if x.page.title != "" {
		x.page.Actions(k, len(x.page.lines)).Offer(keys.Leave)
	} else if x.stage != nil {
		if x.stage.actions(k); x.stage.page.title != "" {
			return k
		}
	} else {
		x.page.Actions(k, len(x.task(x.textWidth())))
		delete(k, keys.Search)
		delete(k, keys.NextHit)
		delete(k, keys.LastHit)
	}
	k.Offer(keys.Back, keys.Task, keys.HintFor)
	k[keys.Answer] = ""
	switch {
	case x.busy:
		k[keys.Answer] = "the last answer is being checked"
	case x.active.Open() < 0:
		k[keys.Answer] = "no question is open"
	case x.stage != nil && (x.stage.moving || x.stage.playing):
		k[keys.Answer] = notYet
	}
	return k
}

// Update takes a press of one of Keys, and every message.
func (x *Training) Update(msg tea.Msg) tea.Cmd {
	if x.of == nil {
		return nil
	}
	switch msg := msg.(type) {
	case solvedMsg:
		if msg.screen == x {
			x.solved = &msg.solved
			return x.list.Refresh()
		}
		return nil
	case begunMsg:
		if msg.screen == x {
			return x.begun(msg)
		}
		return nil
	case answeredMsg:
		if msg.active == x.active {
			return x.answered(msg)
		}
		return nil
	case endMsg:
		if msg.active == x.active && x.active != nil {
			if msg.err != nil {
				return widget.Notify(msg.err.Error())
			}
			x.open("Solved", msg.lines(x, x.textWidth()))
		}
		return nil
	case movedMsg:
		if x.stage == nil || msg.stage != x.stage {
			return nil
		}
		cmd := x.stage.moved(msg)
		if results, ok := msg.moment.also.([]train.Result); ok {
			x.results = results
		}
		return tea.Batch(cmd, x.reached())
	case tickMsg:
		if x.stage == nil || msg.stage != x.stage {
			return nil
		}
		return x.stage.update(msg)
	case widget.SearchMsg:
		if x.page.title != "" {
			x.page.Search(string(msg), x.page.lines)
			return nil
		}
		if x.stage != nil {
			return x.stage.update(msg)
		}
	case keys.Press:
		return x.press(msg)
	}
	return x.list.Update(msg)
}

func (x *Training) begun(msg begunMsg) tea.Cmd {
	x.awaited = false
	if msg.err != nil {
		if msg.active != nil {
			msg.active.Close()
		}
		return widget.Notify(msg.err.Error())
	}
	x.active, x.stage, x.results, x.hints, x.found, x.busy = msg.active, msg.stage, msg.results, nil, false, false
	if x.page = (page{}); x.stage != nil {
		x.stage.shown = msg.moment
		x.open(taskTitle, x.task(x.textWidth()))
	}
	x.SetSize(x.width, x.height)
	return nil
}

func (x *Training) press(msg keys.Press) tea.Cmd {
	paged := x.page.title != ""
	switch {
	case paged && (msg.Action == keys.Back || msg.Action == keys.Leave):
		x.page = page{Pager: widget.Pager{Height: x.height - 2}}
		return nil
	case x.active == nil:
		if msg.Action == keys.Open {
			if row, ok := x.list.Table.Row(); ok {
				return x.begin(x.of.Scenarios[row].ID, "")
			}
		}
		return x.list.Update(msg)
	case !paged && x.stage != nil && x.stage.page.title != "":
		return x.stage.update(msg)
	}
	switch msg.Action {
	case keys.Back:
		x.active, x.stage = nil, nil
	case keys.Task:
		x.open(taskTitle, x.task(x.textWidth()))
	case keys.HintFor:
		text, left := x.active.Hint()
		if len(x.hints) == 0 || x.hints[len(x.hints)-1] != text {
			x.hints = append(x.hints, text)
		}
		x.open(fmt.Sprintf("Hint %d of %d", len(x.hints), len(x.hints)+left), x.hinted(x.textWidth()))
	case keys.Answer:
		return x.ask()
	default:
		switch {
		case paged:
			x.page.Move(msg.Action, x.page.lines)
		case x.stage != nil:
			return x.stage.update(msg)
		default:
			x.page.Move(msg.Action, x.task(x.textWidth()))
		}
	}
	return nil
}

// ask asks for the answer to the question that is open.
func (x *Training) ask() tea.Cmd {
	goal := &x.active.Goals[x.active.Open()]
	lead := "answer: "
	if goal.Manifest() {
		lead = "file with the manifest: "
	}
	return func() tea.Msg {
		return session.AskMsg{Prompt: &widget.Prompt{Lead: lead, Hints: "enter answer, esc cancel", Entered: func(text string) tea.Cmd {
			if strings.TrimSpace(text) == "" || x.active == nil {
				return nil
			}
			return x.answer(text, goal.Manifest())
		}}}
	}
}

// answer has an answer checked; of a manifest it is the path of its file.
func (x *Training) answer(text string, file bool) tea.Cmd {
	x.busy = true
	active, read := x.active, x.of.Read
	return x.Tasks.Cmd(func() tea.Msg {
		msg := answeredMsg{active: active}
		if file {
			if text, msg.err = read(text); msg.err != nil {
				return msg
			}
		}
		if msg.result, msg.err = active.Answer(x.Ctx, text); msg.err == nil {
			msg.results, msg.err = active.Check()
		}
		return msg
	})
}

func (x *Training) answered(msg answeredMsg) tea.Cmd {
	x.busy = false
	if msg.err != nil {
		return widget.Notify(msg.err.Error())
	}
	x.results = msg.results
	if !msg.result.Reached {
		x.open("Not yet", draw.Wrap(strings.Join(msg.result.Overlook, " "), x.textWidth()))
		return nil
	}
	if x.page.title != "" {
		x.open(taskTitle, x.task(x.textWidth()))
	}
	if x.stage != nil { // shows more than before
		again := x.stage.move(func(*replay.Play) error { return nil }, nil)
		return tea.Batch(again, widget.Notify("Right."))
	}
	if cmd := x.reached(); cmd != nil {
		return cmd
	}
	return widget.Notify("Right.")
}

func (x *Training) open(title string, lines []string) {
	x.page = page{Pager: widget.Pager{Height: x.height - 2}, title: title, lines: lines}
}

func (x *Training) textWidth() int { return max(min(x.width-4, mostTextWidth), 20) }

// View draws it.
func (x *Training) View() []string {
	t := x.Theme
	switch {
	case x.of == nil:
		return draw.Margin(draw.Wrap("revenant train shows the scenarios.", x.width-2))
	case x.page.title != "":
		return append([]string{" " + t.Heading(x.page.title, x.width-2)}, x.page.Page(t, x.page.lines, x.width)...)
	case x.active == nil:
		return x.list.View()
	case x.stage != nil:
		return x.stage.view(x.goals())
	}
	x.page.Height = x.height - 2
	return append([]string{" " + t.Heading(taskTitle, x.width-2)}, x.page.Page(t, x.task(x.textWidth()), x.width)...)
}

// Location is the scenario, and the page that is open.
func (x *Training) Location() string {
	if x.active == nil {
		return ""
	}
	title := x.page.title
	if title == "" && x.stage != nil {
		title = x.stage.page.title
	}
	if title == "" {
		return x.active.Argument()
	}
	return x.active.Argument() + " " + x.Theme.Crumb + " " + title
}

// Export is the command that leads to this moment, or to save, the way to it.
func (x *Training) Export(save bool) widget.Export {
	if x.active == nil || x.stage == nil || x.stage.moving {
		return widget.Export{}
	}
	if save {
		return widget.Export{What: "the steps up to here", File: widget.FileName("train-"+x.active.Argument()) + ".txt", Text: x.stage.text()}
	}
	return widget.Export{What: "the command that leads here", Text: "revenant train " + x.active.Argument() + " --at " + x.stage.shown.id}
}

const trainCommand = "train"

// Takes says whether a command is one of its own.
func (x *Training) Takes(words []string) bool { return words[0] == trainCommand }

// CheckCommand says what is wrong with one.
func (x *Training) CheckCommand(words []string) error {
	if words[0] != trainCommand || len(words) < 2 {
		return nil
	}
	if x.of == nil || train.Find(x.of.Scenarios, words[1]) == nil {
		return fmt.Errorf("no scenario is called %s", draw.Quoted(words[1]))
	}
	return nil
}

// Complete lists what the last of the words may become.
func (x *Training) Complete(words []string) []string {
	if x.of == nil || len(words) != 2 || words[0] != trainCommand {
		return nil
	}
	var ids []string
	for i := range x.of.Scenarios {
		ids = append(ids, x.of.Scenarios[i].Argument())
	}
	return widget.StartingWith(words[1], ids...)
}

// Command begins a scenario, and goes to a moment of it.
func (x *Training) Command(words []string) (tea.Cmd, bool) {
	if words[0] != trainCommand || len(words) < 2 || x.of == nil {
		return nil, false
	}
	at := ""
	if len(words) > 2 {
		at = words[2]
	}
	return x.begin(words[1], at), true
}
