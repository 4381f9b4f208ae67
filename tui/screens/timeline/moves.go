package timeline

import (
	"fmt"
	"math"
	"sort"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/widget"
)

// zoom lists fewer or more events around the selected one, which keeps its place.
func (x *Screen) zoom(by float64) tea.Cmd {
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
func (x *Screen) pan(by float64) tea.Cmd {
	size := x.wanted.last - x.wanted.first
	step := int(math.Round(float64(size) * by))
	if step == 0 {
		step = int(math.Copysign(1, by))
	}
	return x.showFrom(x.wanted.first+step, size)
}

// showFrom lists so many events from one on, as far as there are.
func (x *Screen) showFrom(first, size int) tea.Cmd {
	v := *x.wanted
	v.first = max(min(first, v.Len()-size), 0)
	v.last, v.zoomed = min(v.first+size, v.Len()), true
	return x.show(v)
}

// goTo selects the first event at or after a revision or a time, and shows it.
func (x *Screen) goTo(text string) tea.Cmd {
	v := x.wanted
	if v == nil {
		return nil
	}
	to, err := x.ParseMoment(text, x.Input.Current)
	if err != nil {
		return widget.Notify(draw.Safe(err.Error()))
	}
	revision := to.Revision
	if revision == 0 {
		_, revision = x.Source(to.Source).Window()
	}
	at, _ := v.Between(revision, 0)
	if when, ok := to.Time(); ok {
		at = sort.Search(v.Len(), func(n int) bool { in := v.When(n); return !in.To.IsZero() && !in.To.Before(when) })
		for at < v.Len()-1 && v.When(at).From.IsZero() { // what outlived a compaction may have been written long before
			at++
		}
		revision = v.Revision(min(at, v.Len()-1)).Main
	}
	if at == v.Len() {
		return widget.Notify(fmt.Sprintf("nothing was written at or after revision %s", words.Number(revision)))
	}
	x.choose(v.Joined, at)
	if at < v.first || at >= v.last {
		size := v.last - v.first
		return x.showFrom(at-size/2, size)
	}
	return x.Table.Arrange()
}

// CheckMoment says what is wrong with a moment as it was typed.
func (x *Screen) CheckMoment(text string) error {
	_, err := x.ParseMoment(text, x.Input.Current)
	return err
}

// begin is the first event that is listed unless others are asked for: from it on none
// is missing. What is carved is from before that.
func begin(p *timeline.Joined) int {
	if p.Carving {
		return 0
	}
	return p.First
}

// choose selects an event once its row is there.
func (x *Screen) choose(joined *timeline.Joined, n int) {
	x.Table.Selected, x.Table.Pinned, x.near = eventID(joined, n), true, joined.Revision(n).Main
}
