// Package history tells the revisions of one object, as snapshots hold them, what each
// changed, and who wrote it.
//
// In go the snapshots with their clocks, and a key. Out come the revisions in order,
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
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/relations"
	"revenant/decoder/kube"
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
}

// Reader reads histories out of snapshots of one cluster, whose API server keeps its
// keys below Prefix. It is not changed, and safe for concurrent use.
type Reader struct {
	Prefix  string
	Sources []Source
}

// History is the revisions of one key, the oldest first.
type History struct {
	Key     string
	Carved  bool // with what was carved
	Entries []Entry
}

// Entry is one revision of the object.
type Entry struct {
	snapshot.Record        // the generation is that among all that are listed
	What            Verb   // it did
	In              []int  // places of the sources that have it; it is read from the first
	Apart           bool   // a source has another one at this revision
	UID             string // of the object, "" where it was not decoded
	When            clock.Interval
	By              string // managers that wrote fields, separated by commas
	Source          string // names of the sources that have it, or what carving says of it
	Carved          bool
	Before          int // place of the revision before it in its history, -1 for none
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
// error is ctx's, or says why nothing can be carved.
func (r *Reader) Read(ctx context.Context, key string, carved bool) (*History, error) {
	found := map[snapshot.Revision][]*Entry{} // more than one where histories have parted
	var list []*Entry
	add := func(e *Entry) {
		found[e.Revision] = append(found[e.Revision], e)
		list = append(list, e)
	}
	for at := range r.Sources {
		s := &r.Sources[at]
		for _, record := range s.Snapshot.History(key) {
			e := r.Entry(at, record)
			there := found[e.Revision]
			if i := slices.IndexFunc(there, func(was *Entry) bool { return r.Same(was, e) }); i >= 0 {
				there[i].In = append(there[i].In, at)
				continue
			}
			for _, was := range there {
				was.Apart, e.Apart = true, true
			}
			add(e)
		}
		if !carved {
			continue
		}
		c, err := s.Snapshot.Carve(ctx)
		if err != nil {
			return nil, err
		}
		for record := range c.Records {
			if record.Key == key && found[record.Revision] == nil {
				e := r.Entry(at, record.Record)
				e.Source = fmt.Sprintf("carved from %s: %s, %s", s.Name, record.Label, record.Sure)
				e.Carved = true
				add(e)
			}
		}
	}
	for _, e := range list {
		if !e.Carved {
			e.Source = r.held(e)
		}
	}
	h := &History{Key: key, Carved: carved, Entries: r.compare(ctx, list)}
	r.explain(ctx, h.Entries)
	return h, ctx.Err()
}

// held names the sources that have a revision, and of one alone the part of it that
// the revision is in.
func (r *Reader) held(e *Entry) string {
	switch len(e.In) {
	case 1:
		s := &r.Sources[e.In[0]]
		if part := s.Snapshot.Source(e.Record); part != snapshot.FromDB {
			return s.Name + ", " + string(part)
		}
		return s.Name
	case 2:
		if len(r.Sources) == 2 {
			return "both"
		}
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
	if c := r.Sources[at].Clock; c != nil {
		e.When = c.TimeOf(record.Main)
	}
	return e
}

// Same says that two sources hold the same bytes at a revision: where their histories
// have parted, they need not.
func (r *Reader) Same(b, a *Entry) bool {
	if b.In[0] == a.In[0] || b.Carved {
		return false
	}
	x, errX := r.of(b).Raw(b.Record, nil)
	y, errY := r.of(a).Raw(a.Record, nil)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// of is the snapshot that a revision is read from.
func (r *Reader) of(e *Entry) *snapshot.Snapshot { return r.Sources[e.In[0]].Snapshot }

// Value reads a revision's value, decrypted; nil for a deletion, and not nil for an
// empty value.
func (r *Reader) Value(e *Entry) ([]byte, error) {
	if e.Tombstone {
		return nil, nil
	}
	value, err := r.of(e).Value(e.Record)
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
		var err error
		if e.Deletion, err = relations.DeletionOf(ctx, r.of(e), r.Prefix, e.Record); err != nil {
			e.Unexplained = err.Error()
		}
	}
}

// compare compares every revision with the one before it in the same history.
func (r *Reader) compare(ctx context.Context, found []*Entry) []Entry {
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
		now := r.compareWith(&list[i], last[e.In[0]])
		now.place = i
		for at := range last {
			if e.Carved || slices.Contains(e.In, at) {
				last[at] = now
			}
		}
	}
	return list
}

// state is what an object was after a revision. The zero value is that it was not yet.
type state struct {
	life, created int64
	deleted       bool
	value         []byte
	fields        []metav1.ManagedFieldsEntry
	place         int
}

// compareWith compares a revision with the state before it, and returns that after it.
func (r *Reader) compareWith(e *Entry, was state) state {
	now := state{life: max(was.life, 1), created: e.CreateRevision, deleted: e.Tombstone}
	if was.life > 0 && (was.deleted || !e.Tombstone && was.created != e.CreateRevision) {
		now.life++
	}
	e.Generation, e.Before = int(now.life), -1
	if e.Tombstone {
		now.created = was.created
		return now
	}
	value, err := r.Value(e)
	if err != nil {
		e.Problem = err.Error()
		return now
	}
	var problem string
	e.UID, now.fields, problem = r.managers(e.Key, value)
	now.value = value
	if now.life != was.life {
		was = state{}
	}
	e.By = strings.Join(writers(was.fields, now.fields), ", ")
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

// managers decodes an object: its uid, and who manages its fields.
func (r *Reader) managers(key string, value []byte) (uid string, fields []metav1.ManagedFieldsEntry, problem string) {
	k, ok := kube.ParseKey(r.Prefix, key)
	if !ok {
		k = kube.Key{Name: key}
	}
	o := kube.Decode(k, value)
	if o.Problem != nil {
		problem = o.Problem.Error()
	}
	if meta, ok := o.Typed.(metav1.Object); ok {
		fields = meta.GetManagedFields()
	} else if o.Unstructured != nil {
		fields = (&unstructured.Unstructured{Object: o.Unstructured}).GetManagedFields()
	}
	return o.UID, fields, problem
}

// writers are the managers whose entry is not what it was before.
func writers(before, after []metav1.ManagedFieldsEntry) []string {
	var names []string
	for _, e := range after {
		same := slices.ContainsFunc(before, func(b metav1.ManagedFieldsEntry) bool {
			return b.Manager == e.Manager && b.Operation == e.Operation && b.Subresource == e.Subresource && b.Time.Equal(e.Time) &&
				rawFields(b) == rawFields(e)
		})
		if !same && !slices.Contains(names, e.Manager) {
			names = append(names, e.Manager)
		}
	}
	return names
}

func rawFields(e metav1.ManagedFieldsEntry) string {
	if e.FieldsV1 == nil {
		return ""
	}
	return e.FieldsV1.GetRawString()
}
