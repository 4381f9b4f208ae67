package tui

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/timeline"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// timelineMsg brings it.
type timelineMsg struct{ timeline *timeline.Pair }

// The columns of the events.
const (
	eventRevision = iota
	eventWhen
	eventVerb
	eventResource
	eventNamespace
	eventName
	eventIn
)

// The lanes that events are counted in.
const (
	laneVerb = iota
	laneResource
	laneNamespace
	laneWays
)

// happenings shows how many events there were when, and lists them.
type happenings struct {
	*session
	table   *widget.Table
	wanted  *eventView // that the table shows, or will when it is arranged; nil for none
	of      *eventView // and that it shows now
	near    int64      // main revision of the selected event
	lanes   int        // what lanes are by
	carving bool       // the timeline with carved events, or without, is being read
	asked   *atomic.Int64
	counted *countedEvents // of what is listed; nil until they are counted

	width, height int
}

// eventView says which events are listed. It is not changed once it is made.
type eventView struct {
	*timeline.Pair
	first, last int           // numbers of the events, last not included
	zoomed      bool          // they are not those that it begins with
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

// countedEvents are the events listed, counted in lanes.
type countedEvents struct {
	*timeline.Histogram
	of     *eventView
	names  []string // of the lanes
	totals []int
}

// countedEventsMsg brings them.
type countedEventsMsg struct {
	screen *happenings
	asked  int64
	*countedEvents
}

func newTimeline(s *session) screen {
	return &happenings{session: s, asked: new(atomic.Int64), table: widget.NewTable(&s.UI, eventColumns(whenLength)...)}
}

// How long the times of events are, those of one day and those of several.
const (
	whenLength = len("15:04:05Z +2s")
	dateLength = len("01-02 15:04:05Z +2s")
)

func eventColumns(when int) []widget.Column {
	return []widget.Column{
		{Title: "REVISION", Key: "O", Min: 10},
		{Title: "WHEN", Min: when, Max: 30},
		{Title: "VERB", Key: "V", Min: 7},
		{Title: "RESOURCE", Key: "S", Min: 10, Max: 26},
		{Title: "NAMESPACE", Key: "P", Min: 9, Max: 30},
		{Title: "NAME", Key: "N", Min: 12, Max: 70},
		{Title: "IN", Key: "I", Min: 7, Drop: 3},
	}
}

func (x *happenings) SetSize(width, height int) {
	x.width, x.height = width, height
	x.table.SetSize(width, max(height-x.above(), 2))
}

// above is how many lines stand above the list.
func (x *happenings) above() int {
	if x.Theme.Plain {
		return 1 + plainParts + plainMarks
	}
	return 1 + 1 + x.plotHeight() + 2 + x.laneHeight()
}

// plotHeight and laneHeight are how many lines there are for all events and for the
// lanes: they do not change with what is shown.
func (x *happenings) plotHeight() int { return min(max(x.height/6, 3), 8) }
func (x *happenings) laneHeight() int {
	if x.lanes == laneVerb {
		return len(timeline.Verbs)
	}
	return min(max(x.height/6, 3), maxLanes)
}

func (x *happenings) Keys() keys.Set {
	k := x.table.Actions(keys.Set{}).Offer(keys.FilterBy, keys.SortBy)
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
	if x.table.Order.Words != "" || v.zoomed || v.verb != "" || len(x.table.Marked) > 0 {
		k.Offer(keys.Back)
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

// Columns are those of the list.
func (x *happenings) Columns() []widget.Column { return x.table.Columns }

// Take is the selected events, or to save, all that are listed.
func (x *happenings) Take(save bool) widget.Export { return x.table.Export(save, "timeline", "event") }

// Remember keeps the filter and the order.
func (x *happenings) Remember() map[string]string { return x.table.Remember() }

func (x *happenings) Recall(m map[string]string) tea.Cmd { return x.table.Recall(m) }

func (x *happenings) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case widget.ArrangedMsg:
		if x.table.Take(msg) {
			x.of, _ = x.table.Rows.Of.(*eventView)
			x.stay(msg.At >= 0)
			return x.count()
		}
	case countedEventsMsg:
		if msg.screen == x && msg.asked == x.asked.Load() {
			x.counted = msg.countedEvents
		}
	case widget.FilterMsg:
		return x.filter(string(msg))
	case atMsg:
		return x.goTo(string(msg))
	case keys.Press:
		return x.press(msg)
	}
	return x.refresh()
}

// stay keeps the selection where it was in time: where the event itself is not listed
// any more, on the first one after it.
func (x *happenings) stay(found bool) {
	v, t := x.of, x.table
	if !found && t.Pinned && t.Have.By == eventRevision && !t.Have.Reverse {
		at, _ := slices.BinarySearchFunc(t.Shown, x.near, func(row int32, near int64) int {
			return cmp.Compare(v.Revision(v.number(int(row))).Main, near)
		})
		t.At = min(at, max(len(t.Shown)-1, 0))
	}
	x.move("")
}

// move moves the selection.
func (x *happenings) move(a keys.Action) {
	x.table.Move(a)
	if n, ok := x.event(); ok {
		x.near = x.of.Revision(n).Main
	}
}

func (x *happenings) filter(words string) tea.Cmd {
	o := x.table.Order
	o.Words = words
	return x.table.SetOrder(o)
}

// refresh shows another timeline when there is one.
func (x *happenings) refresh() tea.Cmd {
	told, was := x.session.timeline, x.wanted
	if told == nil || was != nil && told == was.Pair {
		return nil
	}
	x.carving = false
	v := eventView{Pair: told, first: begin(told), last: told.Len()}
	if was != nil {
		v.zoomed, v.verb = was.zoomed, was.verb
	}
	if v.zoomed && was.first < was.last {
		v.first, v.last = told.Between(was.Revision(was.first).Main, was.Revision(was.last-1).Main)
	}
	if was == nil && told.Len() > 0 {
		// What was undone is what one looks for first.
		at, _ := told.Between(x.side(backup).State.Revision+1, 0)
		x.choose(told, min(at, told.Len()-1))
	}
	cmd := x.show(v)
	if told.Carving {
		cmd = tea.Batch(cmd, widget.Notify(fmt.Sprintf("%s carved from pages that are free", draw.Plural(told.Recovered, "event"))))
	}
	return cmd
}

// show lists other events.
func (x *happenings) show(v eventView) tea.Cmd {
	v.numbers = nil
	x.wanted = &v
	return x.table.MakeRows(func() widget.Rows {
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
func (x *happenings) event() (int, bool) {
	n, ok := x.table.Item().(int)
	return n, ok
}

func (x *happenings) press(p keys.Press) tea.Cmd {
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
		return tea.Batch(widget.Notify("searching the free pages"+x.Theme.Ellipsis), x.readTimeline(!x.wanted.Carving))
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
		return x.table.SortBy(p.Key)
	case keys.Mark:
		x.table.Pinned = true
		x.table.Mark()
	case keys.Back:
		return x.back()
	case keys.GoTo: // the shell's
	default:
		x.move(p.Action)
	}
	return nil
}

// back takes the marks away, or the filter, or shows again what it began with.
func (x *happenings) back() tea.Cmd {
	v := *x.wanted
	switch {
	case len(x.table.Marked) > 0:
		clear(x.table.Marked)
		return nil
	case x.table.Order.Words != "":
		return x.filter("")
	case v.verb != "":
		v.verb = ""
	default:
		v.first, v.last, v.zoomed = begin(v.Pair), v.Len(), false
	}
	return x.show(v)
}

// historyAt goes to what is known of the event's object, at the event, and opens what
// that changed.
func (x *happenings) historyAt(n int, opened bool) tea.Cmd {
	msg := historyMsg{key: x.of.Key(n), at: x.of.Revision(n).String(), carved: x.of.Carved(n), opened: opened}
	return func() tea.Msg { return msg }
}

// lookAt goes to the object as it was at the event, or before it when it was a
// deletion. Where the state of that moment is not there any more, as it never is for
// what was carved, its history is shown instead.
func (x *happenings) lookAt(text bool) tea.Cmd {
	n, ok := x.event()
	if !ok {
		return nil
	}
	at := moment{side: x.of.Source(n), revision: x.of.Revision(n).Main}
	if x.of.Verb(n) == timeline.Deleted {
		at.revision--
	}
	s := x.side(at.side).Snapshot
	if from := max(s.CompactRevision(), 1); x.of.Carved(n) || at.revision < from {
		why := fmt.Sprintf("the objects of revision %s are not there any more: this is the object's own history", draw.Count(at.revision))
		return tea.Batch(x.historyAt(n, false), widget.Notify(why))
	}
	if at.revision == s.Revision() {
		at.revision = 0
	}
	return visit("objects", lookAtMsg{moment: at, key: x.of.Key(n), toText: text})
}

// fewest is how many events are zoomed in to at most.
const fewest = 8

// zoom lists fewer or more events around the selected one, which keeps its place.
func (x *happenings) zoom(by float64) tea.Cmd {
	v := *x.wanted
	n := float64(v.last - v.first)
	at, ok := x.event()
	if !ok {
		at = (v.first + v.last) / 2
	}
	at = min(max(at, v.first), v.last)
	size := max(int(math.Round(n*by)), fewest)
	return x.showFrom(at-int(float64(at-v.first)/max(n, 1)*float64(size)), size)
}

// pan lists those before or after by a part of how many are listed.
func (x *happenings) pan(by float64) tea.Cmd {
	size := x.wanted.last - x.wanted.first
	step := int(math.Round(float64(size) * by))
	if step == 0 {
		step = int(math.Copysign(1, by))
	}
	return x.showFrom(x.wanted.first+step, size)
}

// showFrom lists so many events from one on, as far as there are.
func (x *happenings) showFrom(first, size int) tea.Cmd {
	v := *x.wanted
	v.first = max(min(first, v.Len()-size), 0)
	v.last, v.zoomed = min(v.first+size, v.Len()), true
	return x.show(v)
}

// goTo selects the first event at or after a revision or a time, and shows it.
func (x *happenings) goTo(text string) tea.Cmd {
	v := x.wanted
	if v == nil {
		return nil
	}
	to, err := x.sideMoment(text, current)
	if err != nil {
		return widget.Notify(draw.Safe(err.Error()))
	}
	revision := to.revision
	if revision == 0 {
		revision = x.side(to.side).Snapshot.Revision()
	}
	at, _ := v.Between(revision, 0)
	if at == v.Len() {
		return widget.Notify(fmt.Sprintf("nothing was written at or after revision %s", draw.Count(revision)))
	}
	x.choose(v.Pair, at)
	if at < v.first || at >= v.last {
		size := v.last - v.first
		return x.showFrom(at-size/2, size)
	}
	return x.table.Arrange()
}

// CheckMoment says what is wrong with a moment as it was typed.
func (x *happenings) CheckMoment(text string) error {
	_, err := x.sideMoment(text, current)
	return err
}

// begin is the first event that is listed unless others are asked for: from it on none
// is missing. What is carved is from before that.
func begin(p *timeline.Pair) int {
	if p.Carving {
		return 0
	}
	return p.First
}

// choose selects an event once its row is there.
func (x *happenings) choose(told *timeline.Pair, n int) {
	x.table.Selected, x.table.Pinned, x.near = eventID(told, n), true, told.Revision(n).Main
}

// eventID is what a row is called: of one revision there may be two events, where the
// histories have parted.
func eventID(t *timeline.Pair, n int) string {
	r := t.Revision(n)
	if n > 0 && t.Revision(n-1) == r {
		return r.String() + " " + t.Key(n)
	}
	return r.String()
}

// rows are those of the events listed.
func (v *eventView) rows() widget.Rows {
	size := v.last - v.first
	if v.verb != "" {
		size = len(v.numbers)
	}
	day, when := v.days()
	return widget.Rows{
		Of:      v,
		Columns: eventColumns(when),
		Count:   size,
		Item:    func(row int) any { return v.number(row) },
		Id:      func(row int) string { return eventID(v.Pair, v.number(row)) },
		Copied: func(row int) string {
			n := v.number(row)
			return fmt.Sprintf("%s %s %s", v.Revision(n), v.Verb(n), v.Key(n))
		},
		Cell: func(row, column int) string {
			n := v.number(row)
			switch column {
			case eventRevision:
				return v.Revision(n).String()
			case eventWhen:
				return timeText(v.When(n), day)
			case eventVerb:
				return string(v.Verb(n))
			case eventResource:
				return draw.OrDash(v.Kind(n).Resource)
			case eventNamespace:
				return draw.OrDash(v.Kind(n).Namespace)
			case eventName:
				return v.Name(n)
			}
			return inText(v.Pair, n)
		},
		Compare: func(a, b, column int) int {
			a, b = v.number(a), v.number(b)
			switch column {
			case eventVerb:
				return strings.Compare(string(v.Verb(a)), string(v.Verb(b)))
			case eventResource:
				return strings.Compare(v.Kind(a).Resource, v.Kind(b).Resource)
			case eventNamespace:
				return strings.Compare(v.Kind(a).Namespace, v.Kind(b).Namespace)
			case eventName:
				return strings.Compare(v.Name(a), v.Name(b))
			case eventIn:
				return strings.Compare(inText(v.Pair, a), inText(v.Pair, b))
			}
			return cmp.Compare(a, b)
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			switch n := v.number(row); {
			case v.Carved(n):
				return severity(t, restore.Warning)
			case v.Verb(n) == timeline.Deleted:
				return severity(t, restore.Critical)
			}
			return severity(t, restore.OK)
		},
	}
}

// days are the day that the timeline ends on, zero when that is not known, and how long
// the times of its events are.
func (v *eventView) days() (last time.Time, length int) {
	if v.Len() == 0 {
		return time.Time{}, dateLength
	}
	last = v.When(v.Len() - 1).From
	first := v.When(v.Pair.First)
	if sameDay(cmp.Or(first.From, first.To), last) {
		return last, whenLength
	}
	return last, dateLength
}

// inText names the snapshots that hold an event.
func inText(t *timeline.Pair, n int) string {
	in := t.In(n)
	text := "both"
	if len(in) == 1 {
		text = in[0]
	}
	if t.Carved(n) {
		return "carved: " + text
	}
	return text
}

// timeText is an interval in few columns: without the day where that is the last one,
// without the year where it is the same.
func timeText(i clock.Interval, day time.Time) string {
	layout := "01-02 " + draw.ClockLayout
	switch {
	case day.IsZero() || i.From.IsZero() || i.To.IsZero() || i.From.UTC().Year() != day.UTC().Year():
		return brief(i)
	case sameDay(i.From, day):
		layout = draw.ClockLayout
	}
	return i.From.UTC().Format(layout) + " +" + i.To.Sub(i.From).Round(time.Second).String()
}

// sameDay says that two times are known, and on one day in UTC.
func sameDay(a, b time.Time) bool {
	const day = 24 * time.Hour
	return !a.IsZero() && !b.IsZero() && a.UTC().Truncate(day).Equal(b.UTC().Truncate(day))
}

// fineBins are the bins that events are counted in: more than a screen has columns.
const fineBins = 1024

// count counts the events listed.
func (x *happenings) count() tea.Cmd {
	asked := x.asked.Add(1)
	if x.of == nil {
		return nil
	}
	ctx, v, shown, lanes := x.ctx, x.of, x.table.Shown, x.lanes
	return x.Tasks.Cmd(func() tea.Msg {
		if asked != x.asked.Load() {
			return nil
		}
		c := &countedEvents{of: v}
		lane := c.laneOf(lanes, shown)
		numbers := func(yield func(int) bool) {
			for _, row := range shown {
				if !yield(v.number(int(row))) {
					return
				}
			}
		}
		var err error
		c.Histogram, err = v.Histogram(ctx, timeline.Axis{First: v.first, Last: v.last, Bins: fineBins, ByTime: true}, numbers, len(c.names), lane)
		if err != nil {
			return nil // the program ends
		}
		return countedEventsMsg{x, asked, c}
	})
}

// maxLanes is how many lanes there are at most, the one of all others included.
const maxLanes = 9

// laneOf names the lanes, the fullest first, and says which one an event is in.
func (c *countedEvents) laneOf(by int, shown []int32) func(n int) int {
	name := func(n int) string { return string(c.of.Verb(n)) }
	switch by {
	case laneResource:
		name = func(n int) string { return c.of.Kind(n).Resource }
	case laneNamespace:
		name = func(n int) string { return c.of.Kind(n).Namespace }
	}
	totals := map[string]int{}
	if by == laneVerb {
		for _, v := range timeline.Verbs {
			totals[string(v)] = 0
		}
	}
	for _, row := range shown {
		totals[name(c.of.number(int(row)))]++
	}
	for n := range totals {
		c.names = append(c.names, n)
	}
	slices.SortFunc(c.names, func(a, b string) int {
		if by == laneVerb {
			return cmp.Compare(slices.Index(timeline.Verbs, timeline.Verb(a)), slices.Index(timeline.Verbs, timeline.Verb(b)))
		}
		return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b))
	})
	others := 0
	for len(c.names) > maxLanes {
		last := len(c.names) - 1
		others += totals[c.names[last]]
		c.names = c.names[:last]
	}
	numbers := map[string]int{}
	for i, n := range c.names {
		numbers[n] = i
		c.totals = append(c.totals, totals[n])
	}
	if others > 0 {
		c.names, c.totals = append(c.names, "others"), append(c.totals, others)
	}
	for i, n := range c.names {
		if n == "" {
			c.names[i] = map[int]string{laneResource: "other keys", laneNamespace: "no namespace"}[by]
		}
	}
	return func(n int) int {
		if lane, ok := numbers[name(n)]; ok {
			return lane
		}
		return len(c.names) - 1
	}
}

func (x *happenings) View() []string {
	lines := []string{" " + x.Theme.Cut(x.title(), x.width-1)}
	switch {
	case x.of == nil:
		return lines
	case x.Theme.Plain:
		lines = append(lines, x.told()...)
	default:
		lines = append(lines, x.plot()...)
	}
	if x.table.Ready() && len(x.table.Shown) == 0 {
		return append(lines, draw.PaintAll(x.Theme.Dim, draw.Item("   ", x.why(), x.width-3))...)
	}
	return append(lines, x.table.View(true, false)...)
}

// why says why no event is listed.
func (x *happenings) why() string {
	v, clears := x.of, x.Keymap.Key(keys.Back)
	events := "events"
	if v.verb != "" {
		events = string(v.verb) + " events"
	}
	switch {
	case v.Len() == 0:
		return "Neither snapshot holds a revision."
	case x.table.Have.Words != "":
		return fmt.Sprintf("None of the %s %s matches %s. %s clears the filter.", events, v.rangeText(), draw.Quoted(x.table.Have.Words), clears)
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
	return "of revisions " + draw.Count(v.Revision(v.first).Main) + " to " + draw.Count(v.Revision(v.last-1).Main)
}

// title counts what is listed, and says what is known of the times.
func (x *happenings) title() string {
	t, v := x.Theme, x.of
	if v == nil {
		return t.Dim.Paint("reading what happened when" + t.Ellipsis)
	}
	parts := []string{t.Bold.Paint(fmt.Sprintf("%s of %s", draw.Count(len(x.table.Shown)), draw.Plural(v.Len(), "event")))}
	if v.verb != "" {
		parts = append(parts, string(v.verb)+" only")
	}
	switch {
	case v.zoomed:
		parts = append(parts, v.rangeText())
	case v.Carving && v.Pair.First > 0:
		parts = append(parts, "complete from revision "+draw.Count(v.Complete())+" on")
	case v.Pair.First > 0:
		parts = append(parts, fmt.Sprintf("%s before revision %s outlived a compaction: %s shows them", draw.Count(v.Pair.First), draw.Count(v.Complete()), x.Keymap.Key(keys.ZoomOut)))
	}
	parts = append(parts, x.table.State()...)
	if v.Carving && v.Recovered > 0 {
		parts = append(parts, t.Warning.Paint(draw.Count(v.Recovered)+" carved"))
	} else if v.Carving {
		parts = append(parts, "nothing carved")
	}
	if c := x.counted; c != nil {
		switch {
		case !c.ByTime:
			parts = append(parts, t.Dim.Paint("by revision: no time is known"))
		case c.Counted > 0:
			parts = append(parts, t.Dim.Paint("times known to "+roughly(c.Within)+" (median)"))
		}
		if c.Undated > 0 {
			parts = append(parts, t.Warning.Paint(draw.Count(c.Undated)+" at unknown times"))
		}
	}
	return strings.Join(parts, t.Dim.Paint(" "+t.Dot+" "))
}

// roughly is a duration with two digits.
func roughly(d time.Duration) string {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if d >= 10*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(100 * time.Millisecond).String()
}

const (
	plotLabel  = 26 // columns before the plot
	blindWidth = 4  // and behind it, for what came after the newest event: not to scale
)

// atEnd says that the newest event is among those counted.
func (c *countedEvents) atEnd() bool { return c.of.last == c.of.Len() }

// columns is how many the plot has.
func (x *happenings) columns() int {
	n := x.width - plotLabel - 1
	if x.counted.atEnd() {
		n -= blindWidth
	}
	return max(n, 1)
}

// plot draws how many events there were when, in all and in lanes.
func (x *happenings) plot() []string {
	t, height := x.Theme, x.above()-1
	c := x.counted
	if c == nil {
		return make([]string, height)
	}
	columns := x.columns()
	all := make([]float64, fineBins)
	for _, lane := range c.Lanes {
		for i, v := range lane {
			all[i] += v
		}
	}
	values := widget.Rebin(all, columns)
	undone := columns
	if _, to, ok := x.column(x.headMark(backup)); ok {
		undone = to + 1
	} else if x.side(backup).State.Revision < c.FromMain {
		undone = 0
	}
	look := func(column int) draw.Style {
		if column >= undone {
			return t.Warning
		}
		return ""
	}
	lines := []string{draw.Spaces(plotLabel) + x.marks(columns).String()}
	for i, line := range widget.Bars(t, values, widget.Max(values), x.plotHeight(), look) {
		label := ""
		if i == 0 && c.Counted > 0 {
			label = t.Dim.Paint(t.Fit("  "+x.scale(values), plotLabel))
		}
		lines = append(lines, t.Fit(label, plotLabel)+line)
	}
	lines = append(lines, draw.Spaces(plotLabel)+x.cursor(columns).String(), draw.Spaces(plotLabel)+x.axis(columns).String())
	lanes := make([]string, 0, x.laneHeight())
	highest := 0.0
	drawn := make([][]float64, len(c.names))
	for i := range drawn {
		drawn[i] = widget.Rebin(c.Lanes[i], columns)
		highest = max(highest, widget.Max(drawn[i]))
	}
	for i, name := range c.names {
		if len(lanes) == x.laneHeight() {
			break // those of another grouping are on their way
		}
		if len(lanes) == x.laneHeight()-1 && len(c.names) > x.laneHeight() {
			more := 0
			for _, n := range c.totals[i:] {
				more += n
			}
			lanes = append(lanes, t.Dim.Paint(fmt.Sprintf("  and %d more with %s", len(c.names)-i, draw.Plural(more, "event"))))
			break
		}
		lead := t.Fit("  "+draw.Safe(name), plotLabel-9) + fmt.Sprintf("%8s ", draw.Count(c.totals[i]))
		lanes = append(lanes, t.Dim.Paint(lead)+widget.Bars(t, drawn[i], highest, 1, look)[0])
	}
	for len(lanes) < x.laneHeight() {
		lanes = append(lanes, "")
	}
	return append(lines, lanes...)
}

// scale says what the highest bar stands for.
func (x *happenings) scale(values []float64) string {
	c := x.counted
	text := "at most " + draw.Count(int64(math.Round(widget.Max(values))))
	if c.ByTime {
		return text + " in " + roughly(c.To.Sub(c.From)/time.Duration(len(values)))
	}
	return text + " a column"
}

// headMark is the mark of a snapshot's newest revision.
func (x *happenings) headMark(side int) timeline.Mark {
	for _, m := range x.counted.of.Marks() {
		if m.Kind == timeline.Head && slices.Contains(m.In, string(roles[side])) {
			return m
		}
	}
	return timeline.Mark{}
}

// column is between which columns a mark is.
func (x *happenings) column(m timeline.Mark) (from, to int, ok bool) {
	from, to, ok = x.counted.Bins(m.Revision, m.When)
	columns := x.columns()
	return from * columns / fineBins, to * columns / fineBins, ok
}

// marks are the moments that matter: what the restore undoes, bumps, compactions.
func (x *happenings) marks(columns int) *widget.Strip {
	t, c := x.Theme, x.counted
	s := widget.NewStrip(columns)
	was, now := x.headMark(backup), x.headMark(current)
	if now.Revision > was.Revision {
		_, from, shown := x.column(was)
		_, to, ends := x.column(now)
		if !shown {
			from = 0
		}
		if !ends {
			to = columns - 1
		}
		if shown || was.Revision < c.FromMain {
			s.Fill(from, to, t.Line, t.Dim)
			text := " undone by the restore "
			if to-from > len(text)+1 {
				s.Put(from+(to-from-len(text)+1)/2, text, t.Warning)
			}
		}
		if shown {
			s.Fill(from, from, t.Left, t.Dim)
			label := "backup " + draw.Count(was.Revision) + " "
			if !s.Put(from-len(label), label, t.Bold) && from+1+len(label) < to {
				s.Put(from+1, " "+label, t.Bold)
			}
		}
		if ends {
			s.Fill(to, to, t.Right, t.Dim)
		}
	}
	sparse := -1 // up to which column only what outlived a compaction is known
	for _, m := range c.of.Marks() {
		from, to, ok := x.column(m)
		switch at := (from + to) / 2; {
		case !ok:
		case m.Kind == timeline.Compacted && m.Revision+1 == c.of.Complete():
			sparse = to
		case m.Kind == timeline.Bumped && s.Free(at, at+1):
			s.Mark(at, at, t.Bumped, "bumped to "+draw.Count(m.Revision), t.Bold)
		case m.Kind == timeline.Bumped:
			s.Fill(at, at, t.Bumped, t.Bold)
		}
	}
	for i := 0; i <= sparse && c.of.first < c.of.First; i++ {
		if s.Free(i, i+1) {
			s.Fill(i, i, t.Compacted, t.Dim)
		}
	}
	return s
}

// cursor is between which times the selected event was.
func (x *happenings) cursor(columns int) *widget.Strip {
	t := x.Theme
	s := widget.NewStrip(x.width - plotLabel - 1)
	if n, ok := x.event(); ok {
		from, to, ok := x.column(timeline.Mark{Revision: x.of.Revision(n).Main, When: x.of.When(n)})
		if ok {
			s.Fill(from, to, t.Line, t.Bold)
			s.Fill((from+to)/2, (from+to)/2, t.Up, t.Bold)
		}
	}
	if x.counted.atEnd() {
		s.Fill(columns, columns+blindWidth-1, t.Seen, t.Dim)
		texts := []string{"nothing tells of later "}
		if at := x.outage(); !at.IsZero() {
			s.Fill(columns+blindWidth-1, columns+blindWidth-1, t.Minimum, t.Bold)
			texts = []string{"nothing tells of later; outage " + at.UTC().Format("2006-01-02 "+draw.ClockLayout) + " ", "outage " + at.UTC().Format(draw.ClockLayout) + " "}
		}
		for _, text := range texts {
			if s.Free(columns-len(text)-1, columns) && s.Put(columns-len(text), text, t.Dim) {
				break
			}
		}
	}
	return s
}

// outage is when the last API server stopped, if the plan says so.
func (x *happenings) outage() time.Time {
	if x.prediction == nil {
		return time.Time{}
	}
	return x.prediction.Plan.OutageAt
}

// axis are the times or revisions at its ends and in the middle.
func (x *happenings) axis(columns int) *widget.Strip {
	t, c := x.Theme, x.counted
	s := widget.NewStrip(columns)
	text := func(share float64) string {
		return draw.Count(c.FromMain + int64(share*float64(c.ToMain-c.FromMain)))
	}
	if c.ByTime {
		span := c.To.Sub(c.From)
		text = func(share float64) string {
			at := c.From.Add(time.Duration(share * float64(span))).UTC()
			switch {
			case span > 72*time.Hour:
				return at.Format("2006-01-02")
			case share == 0:
				return at.Format("2006-01-02 " + draw.ClockLayout)
			}
			return at.Format(draw.ClockLayout)
		}
	}
	put := func(at int, label string) {
		if s.Free(at-1, at+len(label)+1) {
			s.Put(at, label, t.Dim)
		}
	}
	put(0, text(0))
	put(columns-len(text(1)), text(1))
	put(columns/2-len(text(0.5))/2, text(0.5))
	return s
}

// How many parts of the time, and then marks, are told where nothing is drawn.
const (
	plainParts = 8
	plainMarks = 6
)

// told says in words what plot draws.
func (x *happenings) told() []string {
	c := x.counted
	if c == nil || c.Counted == 0 {
		return nil
	}
	var lines []string
	parts := make([][]float64, len(c.names))
	for i := range parts {
		parts[i] = widget.Rebin(c.Lanes[i], plainParts)
	}
	for p := range plainParts {
		text := fmt.Sprintf("revisions %s to %s: ", draw.Count(c.FromMain+(c.ToMain-c.FromMain)*int64(p)/plainParts), draw.Count(c.FromMain+(c.ToMain-c.FromMain)*int64(p+1)/plainParts))
		if c.ByTime {
			step := c.To.Sub(c.From) / plainParts
			from := c.From.Add(step * time.Duration(p)).UTC()
			text = fmt.Sprintf("%s to %s: about ", from.Format("2006-01-02 "+draw.ClockLayout), from.Add(step).Format("2006-01-02 "+draw.ClockLayout))
		}
		var counts []string
		for i, name := range c.names {
			if n := int64(math.Round(parts[i][p])); n > 0 {
				counts = append(counts, draw.Count(n)+" "+draw.Safe(name))
			}
		}
		lines = append(lines, text+cmp.Or(strings.Join(counts, ", "), "nothing"))
	}
	for side := range roles {
		m := x.headMark(side)
		lines = append(lines, fmt.Sprintf("The %s was saved at revision %s, written %s.", roles[side], draw.Count(m.Revision), m.When))
	}
	if at := x.outage(); !at.IsZero() {
		lines = append(lines, "The outage was at "+at.UTC().Format("2006-01-02 "+draw.ClockLayout)+": nothing tells of what came before it and after these revisions.")
	}
	for _, revision := range c.of.Jumps() {
		if len(lines) < plainParts+plainMarks {
			lines = append(lines, "An earlier restore bumped the store to revision "+draw.Count(revision)+".")
		}
	}
	for i, line := range lines {
		lines[i] = x.Theme.Cut(line, x.width)
	}
	return lines
}
