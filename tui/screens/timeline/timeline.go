package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen shows how many events there were when, and lists them.
type Screen struct {
	*session.Session
	Table   *widget.Table
	wanted  *eventView // that the table shows, or will when it is arranged; nil for none
	of      *eventView // and that it shows now
	near    int64      // main revision of the selected event
	lanes   int        // what lanes are by
	woken   bool       // all files of a series are read, or being
	carving bool       // the timeline with carved events, or without, is being read
	asked   *atomic.Int64
	counted *countedEvents // of what is listed; nil until they are counted

	width, height int
}

// eventView says which events are listed. It is not changed once it is made.
type eventView struct {
	*timeline.Joined
	first, last int           // numbers of the events, last not included
	zoomed      bool          // they are not those that it begins with
	undone      int64         // main revision after which the restore undoes them; 0 for none
	verb        timeline.Verb // "" for all
	numbers     []int32       // of those of one verb; nil for all from first on
}

// number is that of the event in a row.
func (v *eventView) number(row int) int {
	if v.verb == "" {
		return v.first + row
	}
	return int(v.numbers[row])
}

// New makes the screen.
func New(s *session.Session) session.Screen {
	return &Screen{Session: s, asked: new(atomic.Int64), Table: widget.NewTable(&s.UI, eventColumns(whenLength)...)}
}

// SetSize says how many columns and lines there are.
func (x *Screen) SetSize(width, height int) {
	x.width, x.height = width, height
	x.Table.SetSize(width, max(height-x.above(), 2))
}

// above is how many lines stand above the list.
func (x *Screen) above() int {
	if x.Theme.Plain {
		return 1 + plainParts + plainMarks
	}
	return 1 + 1 + x.plotHeight() + 2 + x.laneHeight()
}

// plotHeight and laneHeight are how many lines there are for all events and for the
// lanes: they do not change with what is shown.
func (x *Screen) plotHeight() int { return min(max(x.height/6, 3), 8) }
func (x *Screen) laneHeight() int {
	if x.lanes == laneVerb {
		return len(timeline.Verbs)
	}
	return min(max(x.height/6, 3), maxLanes)
}

// Keys lists the actions that Update takes.
func (x *Screen) Keys() keys.Set {
	k := x.Table.Actions(keys.Set{})
	x.Table.Narrowing(k)
	for _, a := range []keys.Action{keys.CopyOut, keys.SaveOut, keys.HistoryOf, keys.ToObject, keys.ToDiff} {
		k[a] = k[keys.Open]
	}
	v, why := x.wanted, ""
	if v == nil {
		why = "the revisions are still being read"
	}
	for _, a := range []keys.Action{keys.ZoomIn, keys.ZoomOut, keys.Earlier, keys.Later, keys.MuchEarlier, keys.MuchLater, keys.GoTo, keys.WithCarved, keys.GroupBy, keys.ByVerb} {
		k[a] = why
	}
	if why != "" {
		return k
	}
	if v.zoomed || v.verb != "" {
		k.Offer(keys.Back)
	}
	if len(x.Table.Shown) == 0 {
		k[keys.GroupBy] = k[keys.Open]
	}
	if x.carving {
		k[keys.WithCarved] = "the free pages are still being searched"
	}
	if v.last-v.first <= fewest {
		k[keys.ZoomIn] = "these are few enough to see each"
	}
	if v.first == 0 {
		k[keys.Earlier], k[keys.MuchEarlier] = "nothing earlier is retained", "nothing earlier is retained"
	}
	if v.last == v.Len() {
		k[keys.Later], k[keys.MuchLater] = "nothing later was written", "nothing later was written"
	}
	if v.first == 0 && v.last == v.Len() {
		k[keys.ZoomOut] = "all events are shown"
	}
	return k
}

// CheckFilter says what is wrong with a filter.
func (x *Screen) CheckFilter(text string) error { return x.Table.CheckFilter(text) }

// Columns are those of the list.
func (x *Screen) Columns() []widget.Column { return x.Table.Columns }

// Export is the selected events, or to save, all that are listed.
func (x *Screen) Export(save bool) widget.Export { return x.Table.Export(save, "timeline", "event") }

// Remember keeps the filter and the order.
func (x *Screen) Remember() map[string]string { return x.Table.Remember() }

// Recall goes back to what Remember has kept.
func (x *Screen) Recall(m map[string]string) tea.Cmd { return x.Table.Recall(m) }

// Update takes a press of one of Keys, and every message.
func (x *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case widget.ArrangedMsg:
		if x.Table.Take(msg) {
			first := x.of == nil
			x.of, _ = x.Table.Rows.Of.(*eventView)
			x.stay(msg.At >= 0)
			if first { // where the backup ends
				x.Table.Center()
			}
			return x.count()
		}
	case countedEventsMsg:
		if msg.screen == x && msg.asked == x.asked.Load() {
			x.counted = msg.countedEvents
		}
	case widget.FilterMsg:
		return x.filter(string(msg))
	case widget.NamespaceMsg:
		return x.Table.InNamespace(string(msg))
	case session.AtMsg:
		return x.goTo(string(msg))
	case keys.Press:
		return x.press(msg)
	}
	return x.refresh()
}

// stay keeps the selection where it was in time: where the event itself is not
// listed, on the first one after it.
func (x *Screen) stay(found bool) {
	v, t := x.of, x.Table
	if !found && t.Pinned && t.Have.By == eventRevision && !t.Have.Reverse {
		at, _ := slices.BinarySearchFunc(t.Shown, x.near, func(row int32, near int64) int {
			return cmp.Compare(v.Revision(v.number(int(row))).Main, near)
		})
		t.At = min(at, max(len(t.Shown)-1, 0))
	}
	x.move("")
}

// move moves the selection.
func (x *Screen) move(a keys.Action) {
	x.Table.Move(a)
	if n, ok := x.event(); ok {
		x.near = x.of.Revision(n).Main
	}
}

func (x *Screen) filter(words string) tea.Cmd {
	o := x.Table.Order
	o.Words = words
	return x.Table.SetOrder(o)
}

// joined is the timeline that is shown: of a series, that of all files.
func (x *Screen) joined() *timeline.Joined {
	switch {
	case x.Input.Series == nil:
		return x.Session.Timeline
	case x.Session.Whole == nil:
		return nil
	}
	return x.Session.Whole.Joined
}

// Wake reads all files of a series, the first time.
func (x *Screen) Wake() tea.Cmd {
	if x.Input.Series == nil || x.woken {
		return nil
	}
	x.woken = true
	return x.ReadWhole(x.Input.Carved)
}

// read reads it again.
func (x *Screen) read(carved bool) tea.Cmd {
	if x.Input.Series != nil {
		return x.ReadWhole(carved)
	}
	return x.ReadTimeline(carved)
}

// place is that of the source from which an event is read.
func (x *Screen) place(n int) int {
	if x.Input.Series != nil {
		return x.Session.Whole.Places[x.of.Source(n)]
	}
	return x.of.Source(n)
}

// refresh shows another timeline when there is one.
func (x *Screen) refresh() tea.Cmd {
	joined, was := x.joined(), x.wanted
	if joined == nil || was != nil && joined == was.Joined {
		return nil
	}
	x.carving = false
	v := eventView{Joined: joined, first: begin(joined), last: joined.Len()}
	if x.Input.Alone() == "" {
		v.undone = x.Backup().State.Revision
	}
	if was != nil {
		v.zoomed, v.verb = was.zoomed, was.verb
	}
	if v.zoomed && was.first < was.last {
		v.first, v.last = joined.Between(was.Revision(was.first).Main, was.Revision(was.last-1).Main)
	}
	if was == nil && joined.Len() > 0 {
		// What was undone is what one looks for first.
		at, _ := joined.Between(x.Backup().State.Revision+1, 0)
		x.choose(joined, min(at, joined.Len()-1))
	}
	cmd := x.show(v)
	if joined.Carving {
		cmd = tea.Batch(cmd, widget.Notify(fmt.Sprintf("%s carved from pages that are free", words.Count(joined.Recovered, "event"))))
	}
	return cmd
}

// show lists other events.
func (x *Screen) show(v eventView) tea.Cmd {
	v.numbers = nil
	x.wanted = &v
	return x.Table.MakeRows(func() widget.Rows {
		of := v // the command's own: Update copies the one that is wanted
		for n := of.first; of.verb != "" && n < of.last; n++ {
			if of.Verb(n) == of.verb {
				of.numbers = append(of.numbers, int32(n))
			}
		}
		return of.rows()
	})
}

// event is the number of the selected event.
func (x *Screen) event() (int, bool) {
	n, ok := x.Table.Item().(int)
	return n, ok
}

func (x *Screen) press(p keys.Press) tea.Cmd {
	switch p.Action {
	case keys.Open:
		return x.lookAt(false)
	case keys.ToObject:
		return x.lookAt(true)
	case keys.HistoryOf, keys.ToDiff:
		if n, ok := x.event(); ok {
			return x.historyAt(n, p.Action == keys.ToDiff)
		}
	case keys.ZoomIn:
		return x.zoom(0.5)
	case keys.ZoomOut:
		return x.zoom(2)
	case keys.Earlier:
		return x.pan(-0.5)
	case keys.Later:
		return x.pan(0.5)
	case keys.MuchEarlier:
		return x.pan(-1)
	case keys.MuchLater:
		return x.pan(1)
	case keys.WithCarved:
		x.carving = true
		return tea.Batch(widget.Notify("searching the free pages"+x.Theme.Ellipsis), x.read(!x.wanted.Carving))
	case keys.GroupBy:
		x.lanes = (x.lanes + 1) % laneWays
		x.SetSize(x.width, x.height)
		return x.count()
	case keys.ByVerb:
		v := *x.wanted
		if i := slices.Index(timeline.Verbs, v.verb) + 1; i < len(timeline.Verbs) {
			v.verb = timeline.Verbs[i]
		} else {
			v.verb = ""
		}
		return x.show(v)
	case keys.SortBy:
		return x.Table.SortBy(p.Key)
	case keys.Mark:
		x.Table.Pinned = true
		x.Table.Mark()
	case keys.Back:
		return x.back()
	case keys.GoTo: // the shell's
	default:
		x.move(p.Action)
	}
	return nil
}

// back takes the marks away, or the filter, or shows again what it began with.
func (x *Screen) back() tea.Cmd {
	v := *x.wanted
	switch {
	case x.Table.Narrowed():
		return x.Table.Loosen()
	case v.verb != "":
		v.verb = ""
	default:
		v.first, v.last, v.zoomed = begin(v.Joined), v.Len(), false
	}
	return x.show(v)
}

// historyAt goes to what is known of the event's object, at the event, and opens what
// that changed.
func (x *Screen) historyAt(n int, opened bool) tea.Cmd {
	msg := session.HistoryMsg{Key: x.of.Key(n), At: x.of.Revision(n).String(), Carved: x.of.Carved(n), Opened: opened}
	return func() tea.Msg { return msg }
}

// lookAt goes to the object as it was at the event, or before it when it was a
// deletion. Where the state of that moment is gone, as it never is for
// what was carved, its history is shown instead.
func (x *Screen) lookAt(text bool) tea.Cmd {
	n, ok := x.event()
	if !ok {
		return nil
	}
	revision := x.of.Revision(n).Main
	if x.of.Verb(n) == timeline.Deleted {
		revision--
	}
	at := x.At(x.place(n), revision)
	oldest, newest := x.Source(at.Source).Window()
	if x.of.Carved(n) || at.Revision < oldest {
		why := fmt.Sprintf("the objects of revision %s are gone: this is the object's own history", words.Number(at.Revision))
		return tea.Batch(x.historyAt(n, false), widget.Notify(why))
	}
	if at.Revision == newest {
		at.Revision = 0
	}
	return session.Visit("objects", session.LookAtMsg{Moment: at, Key: x.of.Key(n), ToText: text})
}

// fewest is how many events are zoomed in to at most.
const fewest = 8

// Click is what a click asks for.
func (x *Screen) Click(column, y int) (keys.Press, bool) { return x.Table.Click(column, y-x.above()) }

// View draws it.
func (x *Screen) View() []string {
	lines := []string{" " + x.Theme.Cut(x.title(), x.width-1)}
	switch {
	case x.of == nil:
		return lines
	case x.Theme.Plain:
		lines = append(lines, x.inWords()...)
	default:
		lines = append(lines, x.plot()...)
	}
	if x.Table.Ready() && len(x.Table.Shown) == 0 {
		return append(append(lines, x.Table.Empty(), ""), draw.PaintAll(x.Theme.Dim, draw.Item("   ", x.why(), x.width-3))...)
	}
	return append(lines, x.Table.View(true, false)...)
}

// why says why no event is listed.
func (x *Screen) why() string {
	v, clears := x.of, x.Keymap.Key(keys.Back)
	events := "events"
	if v.verb != "" {
		events = string(v.verb) + " events"
	}
	switch {
	case v.Len() == 0:
		return "No revision is retained."
	case x.Table.Have.Words != "":
		return fmt.Sprintf("None of the %s %s matches %s. %s clears the filter.", events, v.rangeText(), draw.Quoted(x.Table.Have.Words), clears)
	case x.Table.Have.Namespace != "":
		return fmt.Sprintf("None of the %s %s is in the namespace %s. %s shows all namespaces.", events, v.rangeText(), draw.Quoted(x.Table.Have.Namespace), clears)
	case v.verb != "":
		return fmt.Sprintf("There are no %s %s. %s shows all verbs again.", events, v.rangeText(), clears)
	}
	return "There is no event here."
}

// rangeText says from which revision to which events are listed.
func (v *eventView) rangeText() string {
	if v.first >= v.last {
		return "at no revision"
	}
	return "of revisions " + words.Number(v.Revision(v.first).Main) + " to " + words.Number(v.Revision(v.last-1).Main)
}

// missing is how many revisions between the files of a series none holds.
func (x *Screen) missing() (n int64) {
	if x.Input.Series == nil {
		return 0
	}
	holes := x.Input.Series.Holes(x.Input.Branch())
	for i := range holes {
		n += holes[i].Revisions()
	}
	return n
}

// title counts what is listed, and says what is known of the times.
func (x *Screen) title() string {
	t, v := x.Theme, x.of
	if v == nil {
		return t.Dim.Paint("reading what happened when" + t.Ellipsis)
	}
	parts := []string{t.Bold.Paint(fmt.Sprintf("%s of %s", words.Number(len(x.Table.Shown)), words.Count(v.Len(), "event")))}
	if v.verb != "" {
		parts = append(parts, string(v.verb)+" only")
	}
	switch {
	case v.zoomed:
		parts = append(parts, v.rangeText())
	case v.Carving && v.Joined.First > 0:
		parts = append(parts, "complete from revision "+words.Number(v.From)+" on")
	case v.Joined.First > 0:
		parts = append(parts, fmt.Sprintf("%s before revision %s outlived a compaction: %s shows them", words.Number(v.Joined.First), words.Number(v.From), x.Keymap.Key(keys.ZoomOut)))
	}
	if n := x.missing(); n > 0 && !v.Carving {
		parts = append(parts, t.Warning.Paint(words.CountOf(n, "revision is", "revisions are")+" in no file"))
	}
	parts = append(parts, x.Table.State()...)
	if v.Carving && v.Recovered > 0 {
		parts = append(parts, t.Warning.Paint(words.Number(v.Recovered)+" carved"))
	} else if v.Carving {
		parts = append(parts, "nothing carved")
	}
	if c := x.counted; c != nil {
		switch {
		case !c.ByTime:
			parts = append(parts, t.Dim.Paint("by revision: no time is known"))
		case c.Counted > 0:
			parts = append(parts, t.Dim.Paint("times known to "+shared.Roughly(c.Within)+" (median)"))
		}
		if c.Undated > 0 {
			parts = append(parts, t.Warning.Paint(words.Number(c.Undated)+" at unknown times"))
		}
	}
	return strings.Join(parts, t.Dim.Paint(" "+t.Dot+" "))
}
