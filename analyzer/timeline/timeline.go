// Package timeline lists events in the order of their revisions.
//
// It takes snapshots of one history, with their clocks and optionally the revisions
// carved from them. It returns a Timeline: every revision that any of them holds as
// an Event, in order, and the moments that matter as Marks. A Filter selects events;
// a Histogram counts them over time or over revisions; Rates are revisions per
// second.
//
// It reports nothing that is not known. An event's time is the interval that its
// clock gives; a histogram over time spreads an event evenly over its interval. Below
// the compact revision only the records that were newest then are retained, so the
// events there are incomplete: Complete is the revision from which on they are
// complete.
//
// Only keys are read, no values: a Timeline of a million revisions is built in well
// under a second and takes 40 bytes an event in addition to the snapshots' own keys.
package timeline

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"
	"strings"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Verb says what an event did to its key.
type Verb string

// The verbs.
const (
	Created Verb = "created"
	Updated Verb = "updated"
	Deleted Verb = "deleted"
)

// Verbs lists them all.
var Verbs = []Verb{Created, Updated, Deleted}

// Source is a snapshot to report.
type Source struct {
	Name     string // such as backup
	Snapshot *snapshot.Snapshot
	Clock    *clock.Clock      // nil when nothing tells the time
	Carving  *snapshot.Carving // nil to leave out what can be carved
	// Open, where Snapshot is nil, opens it to be read; done is called once it was.
	Open func(context.Context) (s *snapshot.Snapshot, c *clock.Clock, done func(), err error)
	To   int64 // the newest revision that belongs to the history; 0 for all of them

	carve bool // once it is open
}

// Event is one change of one key.
type Event struct {
	Key string
	snapshot.Revision
	Verb   Verb
	Object kube.Key // what the key names; the zero Key when it names no object
	When   clock.Interval
	In     []string // names of the sources that hold it, or that it was carved from
	Carved bool     // no snapshot refers to it: from pages that are free
}

// Timeline is all events of some sources. It is not changed once it is made, and
// safe for concurrent use.
type Timeline struct {
	sources []Source
	prefix  string
	events  []event
	kinds   []Kind
	marks   []Mark
	held    []held               // by source
	sets    [][]int              // of sources, by event.in: those of one source come first, in their order
	names   [][]string           // of the sources of each set
	unions  map[[2]uint16]uint16 // of sets that were asked for
}

// held is what a source retains.
type held struct {
	compact, newest int64
	bumps           []int64
}

// Kind is what objects are grouped by.
type Kind struct {
	Resource  string // as kube.Key.Plural has it; "" for keys that name no object
	Namespace string // "" for none
}

// event is an Event in little memory.
type event struct {
	key  string
	main int64
	sub  uint32
	kind uint32 // number in kinds
	verb uint8  // number in Verbs
	kept bool   // not carved
	in   uint16 // number of the set of sources that have it
	from uint16 // number of the source that it is read from
}

func (e *event) revision() snapshot.Revision {
	return snapshot.Revision{Main: e.main, Sub: int64(e.sub)}
}

func (e *event) compare(f *event) int {
	return cmp.Or(cmp.Compare(e.main, f.main), cmp.Compare(e.sub, f.sub))
}

// maxSources is how many sources there are at most.
const maxSources = 1 << 12

// checkEvery is after how many events a pass looks whether it is to stop.
const checkEvery = 1 << 13

// New makes the timeline of sources, whose API server keeps its keys below prefix. What
// several of them hold is one event, read from the last one. The error is ctx's, or that of
// opening a source.
func New(ctx context.Context, prefix string, sources ...Source) (*Timeline, error) {
	sources = sources[:min(len(sources), maxSources)]
	t := &Timeline{sources: slices.Clone(sources), prefix: prefix, unions: map[[2]uint16]uint16{}}
	numbers := map[Kind]uint32{}
	var lists [][]event
	for n := range sources {
		t.sets = append(t.sets, []int{n})
		list, err := t.open(ctx, n, numbers)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
	for len(lists) > 1 { // neighbours, so that none is copied often
		var next [][]event
		for i := 0; i < len(lists); i += 2 {
			if i+1 < len(lists) {
				lists[i] = t.merge(lists[i], lists[i+1])
				lists[i+1] = nil
			}
			next = append(next, lists[i])
		}
		lists = next
	}
	if len(lists) > 0 {
		t.events = lists[0]
	}
	t.marks = t.findMarks()
	for _, set := range t.sets {
		var names []string
		for _, n := range set {
			names = append(names, sources[n].Name)
		}
		t.names = append(t.names, names)
	}
	return t, ctx.Err()
}

// open lists the events of a source, which is opened for it where it is not.
func (t *Timeline) open(ctx context.Context, n int, numbers map[Kind]uint32) (list []event, err error) {
	s := t.sources[n]
	if s.Snapshot == nil {
		var done func()
		if s.Snapshot, s.Clock, done, err = s.Open(ctx); err != nil {
			return nil, err
		}
		defer done()
		t.sources[n].Clock = s.Clock
		if s.carve {
			if s.Carving, err = s.Snapshot.Carve(ctx); err != nil {
				return nil, err
			}
		}
	}
	h := held{s.Snapshot.CompactRevision(), s.Snapshot.Revision(), s.Snapshot.BumpMarkers()}
	if s.To > 0 {
		h.newest = min(h.newest, s.To)
		h.bumps = slices.DeleteFunc(h.bumps, func(revision int64) bool { return revision > s.To })
	}
	t.held = append(t.held, h)
	return t.read(ctx, &s, n, numbers)
}

// union is the number of the set of all sources that either of two has.
func (t *Timeline) union(a, b uint16) uint16 {
	if a == b {
		return a
	}
	of := [2]uint16{a, b}
	if n, ok := t.unions[of]; ok {
		return n
	}
	set := append(slices.Clone(t.sets[a]), t.sets[b]...)
	slices.Sort(set)
	set = slices.Compact(set)
	at := slices.IndexFunc(t.sets, func(other []int) bool { return slices.Equal(set, other) })
	switch {
	case at >= 0:
	case len(t.sets) > math.MaxUint16:
		at = int(b) // as far as they can be told apart
	default:
		at = len(t.sets)
		t.sets = append(t.sets, set)
	}
	t.unions[of] = uint16(at)
	return uint16(at)
}

// read lists the events of a source.
func (t *Timeline) read(ctx context.Context, s *Source, n int, numbers map[Kind]uint32) ([]event, error) {
	list := make([]event, 0, s.Snapshot.Len())
	for r := range s.Snapshot.Records() {
		if r.Key == "" {
			continue // a bump marker: see marks
		}
		if s.To > 0 && r.Main > s.To {
			break
		}
		if len(list)%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		list = append(list, t.event(&r, n, numbers))
	}
	if s.Carving == nil {
		return list, nil
	}
	carved := make([]event, 0, s.Carving.Count)
	for r := range s.Carving.Records {
		if len(carved)%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := t.event(&r.Record, n, numbers)
		e.kept = false
		carved = append(carved, e)
	}
	return t.merge(carved, list), nil
}

func (t *Timeline) event(r *snapshot.Record, n int, numbers map[Kind]uint32) event {
	e := event{key: r.Key, main: r.Main, sub: uint32(r.Sub), in: uint16(n), from: uint16(n), kept: true}
	switch {
	case r.Tombstone:
		e.verb = 2
	case r.Version > 1:
		e.verb = 1
	}
	var kind Kind
	if k, ok := kube.ParseKey(t.prefix, r.Key); ok {
		kind = Kind{k.Plural(), k.Namespace}
	}
	number, ok := numbers[kind]
	if !ok {
		number = uint32(len(t.kinds))
		t.kinds = append(t.kinds, kind)
		numbers[kind] = number
	}
	e.kind = number
	return e
}

// merge merges two ordered lists. An event that stands in both is one, read from b; if
// both hold it, or it is carved in both. Otherwise the one that is held counts.
func (t *Timeline) merge(a, b []event) []event {
	if len(a) == 0 {
		return b
	}
	list := make([]event, 0, len(a)+len(b)-shared(a, b))
	for len(a) > 0 && len(b) > 0 {
		switch c := a[0].compare(&b[0]); {
		case c == 0 && a[0].is(&b[0]):
			e := b[0]
			switch {
			case a[0].kept == b[0].kept:
				e.in = t.union(a[0].in, e.in)
			case a[0].kept:
				e = a[0]
			}
			list = append(list, e)
			a, b = a[1:], b[1:]
		case c <= 0:
			list, a = append(list, a[0]), a[1:]
		default:
			list, b = append(list, b[0]), b[1:]
		}
	}
	return append(append(list, a...), b...)
}

// is says whether two events of one revision are one.
func (e *event) is(f *event) bool { return e.key == f.key && (e.verb == 2) == (f.verb == 2) }

// shared is how many events stand in two ordered lists.
func shared(a, b []event) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch c := a[0].compare(&b[0]); {
		case c == 0 && a[0].is(&b[0]):
			n++
			a, b = a[1:], b[1:]
		case c <= 0:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return n
}

// Len is the number of events.
func (t *Timeline) Len() int { return len(t.events) }

// Event returns the event with a number from 0 on.
func (t *Timeline) Event(n int) Event {
	e := Event{Key: t.Key(n), Revision: t.Revision(n), Verb: t.Verb(n), When: t.When(n), In: t.In(n), Carved: t.Carved(n)}
	if k, ok := kube.ParseKey(t.prefix, e.Key); ok {
		e.Object = k
	}
	return e
}

// Key and the methods after it are what is known of Event(n), for those who look at many.
func (t *Timeline) Key(n int) string                 { return t.events[n].key }
func (t *Timeline) Revision(n int) snapshot.Revision { return t.events[n].revision() }
func (t *Timeline) Verb(n int) Verb                  { return Verbs[t.events[n].verb] }
func (t *Timeline) Kind(n int) Kind                  { return t.kinds[t.events[n].kind] }
func (t *Timeline) Carved(n int) bool                { return !t.events[n].kept }

// Name is that of the event's object, or the key that names none.
func (t *Timeline) Name(n int) string {
	e := &t.events[n]
	if t.kinds[e.kind].Resource == "" {
		return e.key
	}
	return e.key[strings.LastIndexByte(e.key, '/')+1:]
}

// When is the interval in which the event was.
func (t *Timeline) When(n int) clock.Interval {
	e := &t.events[n]
	return t.sources[e.from].Clock.TimeOf(e.main)
}

// In names the sources that hold the event. The slice must not be changed.
func (t *Timeline) In(n int) []string { return t.names[t.events[n].in] }

// Source is the number of the source that the event is read from.
func (t *Timeline) Source(n int) int { return int(t.events[n].from) }

// Events yields the events that pass the filter, by number, in order of revisions.
func (t *Timeline) Events(f Filter) iter.Seq2[int, Event] {
	return func(yield func(int, Event) bool) {
		for n := range t.Numbers(f) {
			if !yield(n, t.Event(n)) {
				return
			}
		}
	}
}

// Numbers is Events for those who need only the numbers.
func (t *Timeline) Numbers(f Filter) iter.Seq[int] {
	return func(yield func(int) bool) {
		from, to := t.Between(f.From, f.To)
		passes := t.passes(&f)
		for n := from; n < to; n++ {
			if passes(&t.events[n]) && !yield(n) {
				return
			}
		}
	}
}

// Between are the events of main revisions from to to, both included; a to of 0 is
// no bound: those with the numbers first to last-1.
func (t *Timeline) Between(from, to int64) (first, last int) {
	first, _ = slices.BinarySearchFunc(t.events, from, func(e event, rev int64) int { return cmp.Compare(e.main, rev) })
	last = len(t.events)
	if to > 0 {
		last, _ = slices.BinarySearchFunc(t.events, to+1, func(e event, rev int64) int { return cmp.Compare(e.main, rev) })
	}
	return first, max(first, last)
}

// Filter chooses events; its zero value chooses all. Words are compared in any case.
type Filter struct {
	From, To  int64  // main revisions, both included; a To of 0 is no bound
	Resource  string // a plural, as Kind has it; or what kubectl takes for a built-in one
	Namespace string
	Verb      Verb
	Text      string // that the key holds
	Held      bool   // without what was carved
}

// passes compiles the filter, but for its range.
func (t *Timeline) passes(f *Filter) func(*event) bool {
	kinds := make([]bool, len(t.kinds))
	resource := f.Resource
	if r, ok := kube.LookupResource(resource); ok {
		resource = r.Name
	}
	for i, k := range t.kinds {
		kinds[i] = (resource == "" || strings.EqualFold(k.Resource, resource)) && (f.Namespace == "" || k.Namespace == f.Namespace)
	}
	text := strings.ToLower(f.Text)
	return func(e *event) bool {
		return kinds[e.kind] && (f.Verb == "" || Verbs[e.verb] == f.Verb) && (e.kept || !f.Held) &&
			(text == "" || strings.Contains(strings.ToLower(e.key), text))
	}
}

// Complete is the revision from which on every event is there, carved ones and what
// damage has cost left aside: the smallest from which on every revision lies in what
// some source retains in full.
func (t *Timeline) Complete() int64 {
	type window struct{ from, to int64 }
	var list []window
	for _, h := range t.held {
		list = append(list, window{min(h.compact, math.MaxInt64-1) + 1, h.newest})
	}
	slices.SortFunc(list, func(a, b window) int { return cmp.Compare(b.to, a.to) })
	if len(list) == 0 {
		return 0
	}
	from := list[0].from
	for _, w := range list[1:] {
		if w.to >= from-1 {
			from = min(from, w.from)
		}
	}
	return from
}

// Begins is the revision from which on some source retains every revision.
func (t *Timeline) Begins() int64 {
	from := t.Complete()
	for _, h := range t.held {
		from = min(from, h.compact+1)
	}
	return from
}

// Interval is when the main revision was written, as the last source's clock tells
// that knows of it.
func (t *Timeline) Interval(main int64) clock.Interval {
	for _, s := range slices.Backward(t.sources) {
		if in := s.Clock.TimeOf(main); in != (clock.Interval{}) {
			return in
		}
	}
	return clock.Interval{}
}
