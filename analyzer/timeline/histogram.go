package timeline

import (
	"context"
	"iter"
	"math"
	"math/bits"
	"time"

	"revenant/analyzer/clock"
)

// Axis is what a histogram counts over: from the First-th event to the one before
// the Last-th, in so many bins.
type Axis struct {
	First, Last int
	Bins        int
	ByTime      bool // where the events' times are known; else over revisions
}

// Histogram counts events in bins of one length.
type Histogram struct {
	ByTime             bool
	From, To           time.Time // the ends of the axis, UTC, where it is by time
	FromMain, ToMain   int64     // and by revision
	Lanes              [][]float64
	Counted            int           // events counted
	Undated            int           // and left out, since nothing tells between which times they were
	Within             time.Duration // half of those counted are known to within this time or less; by time only
	bins               int
	secondsOrRevisions float64 // length of the axis
}

// Histogram counts events, given by their numbers, in lanes: lane says which one
// an event is in, less than 0 for none. Over time an event is spread evenly over its
// interval, so that a bin's count need not be a whole number. The error is ctx's.
func (t *Timeline) Histogram(ctx context.Context, a Axis, numbers iter.Seq[int], lanes int, lane func(n int) int) (*Histogram, error) {
	h := t.axis(a)
	h.Lanes = make([][]float64, lanes)
	inner := make([][]float64, lanes) // changes from bin to bin of what is spread over whole bins
	for i := range h.Lanes {
		h.Lanes[i], inner[i] = make([]float64, h.bins), make([]float64, h.bins+1)
	}
	var widths [65]int // by their logarithms
	main, when := int64(-1), clock.Interval{}
	checked := 0
	for n := range numbers {
		if checked++; checked%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l := lane(n)
		if l < 0 {
			continue
		}
		e := &t.events[n]
		if !h.ByTime {
			h.Lanes[l][h.bin(h.at(float64(e.main-h.FromMain)))]++
			h.Counted++
			continue
		}
		if e.main != main {
			main, when = e.main, t.sources[e.from].Clock.TimeOf(e.main)
		}
		if when.From.IsZero() || when.To.IsZero() {
			h.Undated++
			continue
		}
		h.Counted++
		widths[bits.Len64(uint64(max(when.To.Sub(when.From), 0)))]++
		h.spread(h.Lanes[l], inner[l], when)
	}
	for i, lane := range h.Lanes {
		sum := 0.0
		for b := range lane {
			sum += inner[i][b]
			lane[b] += max(sum, 0)
		}
	}
	h.Within = median(widths[:])
	return h, nil
}

// afterNewest is how far the axis goes beyond the newest mark.
const afterNewest = 2 * time.Second

// axis says where the histogram begins and ends.
func (t *Timeline) axis(a Axis) *Histogram {
	h := &Histogram{bins: max(a.Bins, 1)}
	first, last := max(a.First, 0), min(a.Last, len(t.events))-1
	if first > last {
		return h
	}
	h.FromMain, h.ToMain = t.events[first].main, t.events[last].main
	h.secondsOrRevisions = float64(h.ToMain-h.FromMain) + 1
	if !a.ByTime {
		return h
	}
	// Clocks of several sources need not agree: their ends are looked at where they lie.
	from, to := t.When(first), t.When(last)
	if h.From = from.From; h.From.IsZero() {
		h.From = from.To
	}
	if h.To = to.To; h.To.IsZero() {
		h.To = to.From
	}
	if taken := t.sources[t.events[last].from].Clock.Taken(); h.To.Equal(taken.To) {
		// What came after the newest mark is bounded by an inference only: it is drawn
		// right behind that mark.
		h.To = taken.From.Add(min(afterNewest, taken.To.Sub(taken.From)))
	}
	if h.From.IsZero() || !h.To.After(h.From) {
		h.From, h.To = time.Time{}, time.Time{}
		return h
	}
	h.ByTime, h.secondsOrRevisions = true, h.To.Sub(h.From).Seconds()
	return h
}

// at is where on the axis, in bins from 0 on, something is that far from its beginning.
func (h *Histogram) at(distance float64) float64 {
	if h.secondsOrRevisions <= 0 {
		return 0
	}
	return distance / h.secondsOrRevisions * float64(h.bins)
}

// bin is the bin that a place on the axis is in.
func (h *Histogram) bin(at float64) int { return int(min(max(at, 0), float64(h.bins-1))) }

// spread adds one event, evenly over the part of its interval that the axis has.
func (h *Histogram) spread(lane, inner []float64, when clock.Interval) {
	from, to := h.at(when.From.Sub(h.From).Seconds()), h.at(when.To.Sub(h.From).Seconds())
	from, to = min(max(from, 0), float64(h.bins)), min(max(to, 0), float64(h.bins))
	i, j := h.bin(from), h.bin(to)
	if i == j {
		lane[i]++
		return
	}
	density := 1 / (to - from)
	lane[i] += density * (float64(i+1) - from)
	lane[j] += density * (to - float64(j))
	inner[i+1] += density
	inner[j] -= density
}

// Bins are the first and the last bin in which a main revision can have been written,
// ok false when nothing tells, or when it lies beyond the axis.
func (h *Histogram) Bins(main int64, when clock.Interval) (from, to int, ok bool) {
	if !h.ByTime {
		at := h.bin(h.at(float64(main - h.FromMain)))
		return at, at, main >= h.FromMain && main <= h.ToMain
	}
	if when.From.IsZero() || when.To.IsZero() || when.To.Before(h.From) || when.From.After(h.To) {
		return 0, 0, false
	}
	return h.bin(h.at(when.From.Sub(h.From).Seconds())), h.bin(h.at(when.To.Sub(h.From).Seconds())), true
}

// median is a width that half of those counted by their logarithms do not exceed.
func median(widths []int) time.Duration {
	all, sum := 0, 0
	for _, n := range widths {
		all += n
	}
	for log, n := range widths {
		if sum += n; n > 0 && 2*sum >= all {
			return time.Duration(uint64(1)<<log - 1)
		}
	}
	return 0
}

// Rate is how many revisions a second were written between two times: at least Low,
// at most High. Known is false where nothing tells, or where the store was set to
// another revision.
type Rate struct {
	From, To            time.Time // UTC
	Low, Expected, High float64
	Known               bool
}

// Rates are the rates in so many parts of equal length between two times; jumps are
// the revisions that the store was set to, by bumps. Expected takes revisions to have
// been written evenly between what is known.
func Rates(c *clock.Clock, from, to time.Time, parts int, jumps []int64) []Rate {
	if parts < 1 || from.IsZero() || !to.After(from) {
		return nil
	}
	list := make([]Rate, parts)
	length := to.Sub(from)
	start, begun := from, c.HeadAt(from)
	for i := range list {
		end := from.Add(time.Duration(float64(length) * float64(i+1) / float64(parts)))
		ended := c.HeadAt(end)
		r := Rate{From: start, To: end, Known: begun.From > 0 && !begun.Extrapolated && !ended.Extrapolated}
		for _, at := range jumps {
			r.Known = r.Known && !(begun.From < at && at <= ended.To)
		}
		if seconds := end.Sub(start).Seconds(); r.Known && seconds > 0 {
			middle := func(s clock.Span) float64 { return float64(s.From)/2 + float64(s.To)/2 }
			r.Low = max(float64(ended.From-begun.To), 0) / seconds
			r.High = float64(ended.To-begun.From) / seconds
			r.Expected = min(max((middle(ended)-middle(begun))/seconds, r.Low), r.High)
		}
		if math.IsInf(r.High, 0) || math.IsNaN(r.Expected) {
			r = Rate{From: start, To: end}
		}
		list[i] = r
		start, begun = end, ended
	}
	return list
}
