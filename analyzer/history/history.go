// Package history lists the revisions of one object that snapshots hold, with what each
// changed and who wrote it.
//
// It takes the snapshots with their clocks, and a key. It returns the revisions in order,
// each compared with the one before it in the same history: the fields that differ,
// the managers whose entry in managedFields is new, the life of the object that it
// belongs to, and of deletions what they may have come of. Where the histories of
// snapshots have parted, one revision may be there more than once, and each history
// goes on alone.
//
// What cannot be decoded is a problem of its entry; the others are still listed.
// Who deleted an object is not stored: what is said of it is inferred.
package history

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/relations"
	"revenant/decoder/snapshot"
)

// Most is how many revisions of an object are decoded, the newest, and MostDeletions
// of how many deletions it is looked for what they came of.
const (
	Most          = 2000
	MostDeletions = 20
)

// Source is a snapshot that may hold revisions of the object.
type Source struct {
	Name     string // such as backup
	Snapshot *snapshot.Snapshot
	Clock    *clock.Clock // nil when nothing tells the time
	// Open, where Snapshot is nil, opens it, which is done whenever something of it is read.
	Open func() (*snapshot.Snapshot, *clock.Clock, error)
	// To is the newest revision that belongs to the history; 0 for all of them.
	To int64
}

// Reader reads histories out of snapshots of one cluster, whose API server keeps its
// keys below Prefix. It is not changed, and safe for concurrent use where the snapshots
// are open.
type Reader struct {
	Prefix  string
	Sources []Source
	// One says that all sources are of one history, the oldest first: what lies between
	// them and is in none can be counted then.
	One bool
}

// History is the revisions of one key, the oldest first.
type History struct {
	Key     string
	Carved  bool // with what was carved
	Entries []Entry
	Gone    *Gone // it was deleted after the last entry, which no source shows; nil otherwise
}

// Gone is a deletion that no source holds: only that the object was there, and later was
// not.
type Gone struct {
	// After is the newest revision at which a source has the object, and Before the oldest
	// one after it at which a source has it not, or has its next life.
	After, Before int64
	When          clock.Interval // when the two were written
	Older, Newer  string         // names of the sources
}

// Entry is one revision of the object.
type Entry struct {
	snapshot.Record                   // the generation is that among all that are listed
	What            Verb              // it did
	In              []int             // places of the sources that have it; it is read from the first
	Apart           bool              // a source has another one at this revision
	sum             [sha256.Size]byte // of its stored bytes, where they could be read
	read            bool
	UID             string // of the object, "" where it was not decoded
	When            clock.Interval
	By              string   // managers that wrote fields, separated by commas
	Written         []Writer // their entries, and those of managers that only lost fields
	Generated       bool     // the API server made the name
	// Asked is when it was asked to be deleted, to the second, as its deletionTimestamp and
	// its grace period say; zero where it was not.
	Asked  time.Time
	Source string // names of the sources that have it, or what carving says of it
	Carved bool
	Before int // place of the revision before it in its history, -1 for none
	// Unseen is how many revisions of this life lie before it that no source holds: its
	// version counts them. Gone is the end of the life before, where no source holds that.
	Unseen          int64
	Gone            *Gone
	diff.Difference     // to that
	Fields          int // that differ and are no noise
	Deletion        *relations.Deletion
	Unexplained     string // why a tombstone has no Deletion
}

// Verb is what a revision did to the object.
type Verb string

// The verbs.
const (
	Created Verb = "created"
	Changed Verb = "changed"
	Deleted Verb = "deleted"
)

// Read reads the revisions of a key, with those that can be carved or without. The
// error is ctx's, says why nothing can be carved, or is that of opening a source.
func (r *Reader) Read(ctx context.Context, key string, carved bool) (*History, error) {
	g := gathered{found: map[snapshot.Revision][]*Entry{}, ends: make([]end, len(r.Sources))}
	for at := range r.Sources {
		if err := r.gather(ctx, &g, at, key, carved); err != nil {
			return nil, err
		}
	}
	h := &History{Key: key, Carved: carved}
	h.Entries = r.compare(ctx, &g)
	h.Gone = r.gone(h.Entries, g.ends)
	r.explain(ctx, h.Entries)
	return h, ctx.Err()
}

// gathered is what the sources have of a key.
type gathered struct {
	found map[snapshot.Revision][]*Entry // more than one where histories have parted
	list  []*Entry
	ends  []end // by source
}

func (g *gathered) add(e *Entry) {
	g.found[e.Revision] = append(g.found[e.Revision], e)
	g.list = append(g.list, e)
}

// end is where a source's part of the history ends.
type end struct {
	oldest  snapshot.Revision // of its records of the key; zero without any
	newest  snapshot.Revision
	to      int64 // the newest revision of the part
	compact int64 // the oldest one whose state it has
	damaged bool  // so that what it lacks shows nothing
	when    func(int64) clock.Interval
}

// gather reads the records of a source.
func (r *Reader) gather(ctx context.Context, g *gathered, at int, key string, carved bool) error {
	source := &r.Sources[at]
	s, c, err := source.open()
	if err != nil {
		return err
	}
	mine := &g.ends[at]
	*mine = end{to: s.Revision(), compact: s.CompactRevision(), damaged: s.Damaged(), when: c.TimeOf}
	if source.To > 0 {
		mine.to = min(mine.to, source.To)
	}
	for _, record := range s.History(key) {
		if record.Main > mine.to {
			break
		}
		if mine.newest = record.Revision; mine.oldest.Main == 0 {
			mine.oldest = record.Revision
		}
		e := r.Entry(at, record)
		there := g.found[e.Revision]
		if i := slices.IndexFunc(there, func(was *Entry) bool { return r.Same(was, e) }); i >= 0 {
			there[i].In = append(there[i].In, at)
			there[i].Source = r.held(there[i])
			continue
		}
		for _, was := range there {
			was.Apart, e.Apart = true, true
		}
		e.Source = source.Name
		if part := s.Source(record); part != snapshot.FromDB {
			e.Source += ", " + string(part)
		}
		g.add(e)
	}
	if !carved {
		return ctx.Err()
	}
	carving, err := s.Carve(ctx)
	if err != nil {
		return err
	}
	for record := range carving.Records {
		if record.Key == key && g.found[record.Revision] == nil {
			e := r.Entry(at, record.Record)
			e.Source = fmt.Sprintf("carved from %s: %s, %s", source.Name, record.Label, record.Sure)
			e.Carved = true
			g.add(e)
		}
	}
	return nil
}

// aliveTo is the newest revision at which a source is known to have the object as an entry
// left it, and the source.
func aliveTo(e *Entry, ends []end) (revision int64, source int) {
	revision, source = e.Main, e.In[0]
	for _, at := range e.In {
		if end := &ends[at]; end.newest == e.Revision && end.to > revision {
			revision, source = end.to, at
		}
	}
	return revision, source
}

// between is a deletion after an entry that no source shows, before a revision of a
// source.
func (r *Reader) between(e *Entry, ends []end, before int64, newer int) *Gone {
	after, older := aliveTo(e, ends)
	for at := range ends {
		// What was there at the compact revision has a record from then or before.
		without := ends[at].oldest.Main == 0 || ends[at].oldest.Main > ends[at].compact
		if c := ends[at].compact; r.One && without && !ends[at].damaged && c > after && c < before && c <= ends[at].to {
			before, newer = c, at
		}
	}
	g := &Gone{After: min(after, before-1), Before: before, Older: r.Sources[older].Name, Newer: r.Sources[newer].Name}
	g.When = clock.Interval{From: ends[older].when(g.After).From, To: ends[newer].when(before).To}
	return g
}

// gone says whether the object was deleted after the last of its entries.
func (r *Reader) gone(list []Entry, ends []end) *Gone {
	last := slices.IndexFunc(list, func(e Entry) bool { return !e.Carved && e.Revision == newest(ends) })
	if !r.One || last < 0 || list[last].Tombstone {
		return nil
	}
	e := &list[last]
	after, _ := aliveTo(e, ends)
	best, before := -1, int64(0)
	for at := range ends {
		if ends[at].to <= after || ends[at].newest == e.Revision || ends[at].damaged {
			continue
		}
		if without := max(ends[at].compact, after+1); best < 0 || without < before {
			best, before = at, without
		}
	}
	if best < 0 {
		return nil
	}
	return r.between(e, ends, before, best)
}

// newest is the newest revision that any source has.
func newest(ends []end) (rev snapshot.Revision) {
	for i := range ends {
		if n := ends[i].newest; n.Main > rev.Main || n.Main == rev.Main && n.Sub > rev.Sub {
			rev = n
		}
	}
	return rev
}

// held names several sources that have a revision.
func (r *Reader) held(e *Entry) string {
	if len(e.In) == 2 && len(r.Sources) == 2 {
		return "both"
	}
	names := make([]string, len(e.In))
	for i, at := range e.In {
		names[i] = r.Sources[at].Name
	}
	return strings.Join(names, ", ")
}

// Entry is what is known of a revision that a source has, by the source's place, before
// it is compared with another.
func (r *Reader) Entry(at int, record snapshot.Record) *Entry {
	e := &Entry{Record: record, What: Changed, In: []int{at}}
	switch {
	case record.Tombstone:
		e.What = Deleted
	case record.Version == 1:
		e.What = Created
	}
	if s, c, err := r.Sources[at].open(); err == nil {
		e.When = c.TimeOf(record.Main)
		if raw, err := s.Raw(record, nil); err == nil {
			e.sum, e.read = sha256.Sum256(raw), true
		}
	}
	return e
}

// open is the snapshot with its clock.
func (s *Source) open() (*snapshot.Snapshot, *clock.Clock, error) {
	if s.Snapshot == nil {
		return s.Open()
	}
	return s.Snapshot, s.Clock, nil
}

// Same says that two sources hold the same bytes at a revision: where their histories
// have parted, they need not.
func (r *Reader) Same(b, a *Entry) bool {
	return b.In[0] != a.In[0] && !b.Carved && b.read && a.read && b.sum == a.sum
}

// Value reads a revision's value, decrypted; nil for a deletion, and not nil for an
// empty value.
func (r *Reader) Value(e *Entry) ([]byte, error) {
	if e.Tombstone {
		return nil, nil
	}
	s, _, err := r.Sources[e.In[0]].open()
	if err != nil {
		return nil, err
	}
	value, err := s.Value(e.Record)
	if value == nil && err == nil {
		value = []byte{}
	}
	return value, err
}

// explain looks for what the newest deletions came of.
func (r *Reader) explain(ctx context.Context, list []Entry) {
	n := 0
	for i := range slices.Backward(list) {
		e := &list[i]
		if !e.Tombstone || e.Carved {
			continue
		}
		if n++; n > MostDeletions {
			e.Unexplained = fmt.Sprintf("only the newest %d deletions are looked into", MostDeletions)
			continue
		}
		s, _, err := r.Sources[e.In[0]].open()
		if err == nil {
			e.Deletion, err = relations.DeletionOf(ctx, s, r.Prefix, e.Record)
		}
		if err != nil {
			e.Unexplained = err.Error()
		}
	}
}

// compare compares every revision with the one before it in the same history.
func (r *Reader) compare(ctx context.Context, g *gathered) []Entry {
	found := g.list
	slices.SortStableFunc(found, func(a, b *Entry) int { return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub)) })
	if more := len(found) - Most; more > 0 {
		found = found[more:]
	}
	list := make([]Entry, len(found))
	last := make([]state, len(r.Sources)) // where histories have parted, each goes on alone
	for i, e := range found {
		if ctx.Err() != nil {
			return nil
		}
		list[i] = *e
		was := last[e.In[0]]
		now := r.compareWith(&list[i], was)
		if now.place = i; was.life > 0 && now.life > was.life && !was.deleted {
			list[i].Gone = r.between(&list[was.place], g.ends, e.CreateRevision, e.In[0])
		}
		for at := range last {
			if r.One || e.Carved || slices.Contains(e.In, at) {
				last[at] = now
			}
		}
	}
	return list
}

// state is what an object was after a revision. The zero value is that it was not yet.
type state struct {
	life, created int64
	version       int64
	deleted       bool
	value         []byte
	fields        []metav1.ManagedFieldsEntry
	place         int
}

// compareWith compares a revision with the state before it, and returns that after it.
func (r *Reader) compareWith(e *Entry, was state) state {
	now := state{life: max(was.life, 1), created: e.CreateRevision, version: e.Version, deleted: e.Tombstone}
	if was.life > 0 && (was.deleted || !e.Tombstone && was.created != e.CreateRevision) {
		now.life++
	}
	e.Generation, e.Before = int(now.life), -1
	if e.Tombstone {
		now.created, now.version = was.created, was.version
		return now
	}
	seen := was.version
	if was.life != now.life {
		seen = 0
	}
	e.Unseen = max(0, e.Version-seen-1)
	value, err := r.Value(e)
	if err != nil {
		e.Problem = err.Error()
		return now
	}
	var problem string
	var meta metav1.Object
	if meta, problem = r.metadata(e.Key, value); meta != nil {
		e.UID, now.fields = string(meta.GetUID()), meta.GetManagedFields()
		e.Generated, e.Asked = meta.GetGenerateName() != "", asked(meta)
	}
	now.value = value
	if now.life != was.life {
		was = state{}
	}
	e.Written = writers(was.fields, now.fields)
	e.By = strings.Join(names(e.Writers()), ", ")
	if was.value != nil {
		e.Difference, e.Before = diff.Stored(r.Prefix, e.Key, was.value, value), was.place
		for i := range e.Changes {
			if e.Changes[i].Noise == 0 {
				e.Fields++
			}
		}
	}
	e.Problem = cmp.Or(e.Problem, problem)
	return now
}
