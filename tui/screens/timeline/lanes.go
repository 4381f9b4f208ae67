package timeline

import (
	"cmp"
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/timeline"
)

// The lanes that events are counted in.
const (
	laneVerb = iota
	laneResource
	laneNamespace
	laneWays
)

// countedEvents are the events listed, counted in lanes.
type countedEvents struct {
	*timeline.Histogram
	of     *eventView
	names  []string // of the lanes
	totals []int
}

// countedEventsMsg brings them.
type countedEventsMsg struct {
	screen *Screen
	asked  int64
	*countedEvents
}

// fineBins are the bins that events are counted in: more than a screen has columns.
const fineBins = 1024

// count counts the events listed.
func (x *Screen) count() tea.Cmd {
	asked := x.asked.Add(1)
	if x.of == nil {
		return nil
	}
	ctx, v, shown, lanes := x.Ctx, x.of, x.Table.Shown, x.lanes
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

// atEnd says that the newest event is among those counted.
func (c *countedEvents) atEnd() bool { return c.of.last == c.of.Len() }
