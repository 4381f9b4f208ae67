package snapshot

import (
	"context"
	"fmt"
	"iter"
	"slices"
)

// Label says what became of a carved revision.
type Label string

// The labels.
const (
	Live       Label = "live"       // the current value of its key, as far as can be known
	Superseded Label = "superseded" // there is a newer revision of its key
	Deleted    Label = "deleted"    // its key was deleted since, and the deletion is known
	Compacted  Label = "compacted"  // its key no longer exists, and no trace of its deletion is left
)

// Sureness says how sure a label is.
type Sureness string

// How sure.
const (
	Sure     Sureness = "certain"
	Doubtful Sureness = "possible"
)

// Carved is a record that was recovered from a page in no bucket.
type Carved struct {
	Leftover
	Label  Label
	Sure   Sureness
	Reason string
}

// Window counts what was carved at some distance behind the compact revision.
type Window struct {
	From      int64 `json:"from"` // main revisions, both included
	To        int64 `json:"to"`
	Gone      int64 `json:"gone"`      // revisions between them that the buckets do not have
	Recovered int64 `json:"recovered"` // of these, the ones that were carved
}

// Carving is all that was carved of a snapshot.
type Carving struct {
	Records   iter.Seq[Carved] // by revision; made up when they are asked for
	Count     int              // of Records
	Windows   []Window         // from the compact revision backwards
	Conflicts int              // revisions of which pages have differing copies: none is among the records
	Foreign   int              // pages' records of a revision that the buckets have with another key: of another history, as a restore leaves it
	Newest    int64            // main revisions of the first and last of them, 0 for none
	Oldest    int64
}

// windows are the distances behind the compact revision that are told apart. What
// can be recovered falls with it.
var windows = []int64{2000, 4000, 8000}

// Carve recovers revisions that compactions removed, or that the buckets do not
// lead to now, from pages that were not used again since. The error is ctx's, or
// that there are too many.
func (s *Snapshot) Carve(ctx context.Context) (*Carving, error) {
	left, err := s.Leftovers(ctx)
	if err != nil {
		return nil, err
	}
	lost, err := s.Lost(ctx)
	if err != nil {
		return nil, err
	}
	c := &Carving{}
	deletions := make([]place, len(left.x.keys)) // one more than that of the newest one carved of each key
	windows := s.windows()
	seen := int64(0)
	for p := range left.x.places() {
		if p%lookEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		b, i := left.x.at(p)
		rev := b.revision(i)
		_, foreign := s.index.byRevision(rev)
		switch {
		case b.isSuspect(i):
			c.Conflicts++
			continue
		case foreign:
			c.Foreign++
			continue
		}
		if c.Count++; c.Count == 1 {
			c.Oldest = rev.Main
		}
		c.Newest = rev.Main
		if b.tombstone(i) {
			deletions[b.key[i]] = p + 1
		}
		if w := windowOf(windows, rev.Main); w != nil && rev.Main != seen && !s.index.hasMain(rev.Main) {
			w.Recovered++
		}
		seen = rev.Main
	}
	c.Windows = windows
	doubt := lost.Any() || s.Damaged()
	c.Records = func(yield func(Carved) bool) {
		for p := range left.x.places() {
			l := left.at(p)
			if l.Conflict || l.Foreign {
				continue
			}
			var deletion Revision
			b, i := left.x.at(p)
			if at := deletions[b.key[i]]; at > 0 {
				b, i := left.x.at(at - 1)
				deletion = b.revision(i)
			}
			label, sure, reason := s.label(&l, deletion, doubt)
			if !yield(Carved{l, label, sure, reason}) {
				return
			}
		}
	}
	return c, nil
}

// label says what became of a record that the buckets do not have. deletion is the
// newest carved deletion of its key.
func (s *Snapshot) label(l *Leftover, deletion Revision, lost bool) (Label, Sureness, string) {
	if l.Main > s.NewestRecord() {
		reason := fmt.Sprintf("newer than revision %d, the newest one read: it was written while the file was saved, or the buckets are those of an older state", s.NewestRecord())
		switch {
		case l.Tombstone:
			return Deleted, Doubtful, reason
		case l.less(deletion):
			return Superseded, Doubtful, reason
		}
		return Live, Doubtful, reason
	}
	if k, ok := s.index.find(l.Key); ok {
		if newest, _ := s.index.newest(k, s.NewestRecord()); l.less(newest.Revision) {
			if newest.Tombstone && lost {
				return Superseded, Doubtful, fmt.Sprintf("deleted at revision %s, but a part of the buckets is lost: the key may have been created again", newest.Revision)
			}
			if newest.Tombstone {
				return Deleted, Sure, fmt.Sprintf("deleted at revision %s", newest.Revision)
			}
			return Superseded, Sure, fmt.Sprintf("the key exists since revision %d, last written at %s", newest.CreateRevision, newest.Revision)
		}
		// The key has older records only: this one is newer than what the buckets have.
		return Live, Doubtful, "the buckets have older revisions of the key only: they have lost this one, or they are those of an older state"
	}
	if lost {
		return Compacted, Doubtful, "the buckets do not have the key, but a part of them is lost: it may be there"
	}
	switch {
	case l.Tombstone:
		return Deleted, Sure, "it is the deletion, and the key was not created again, or was deleted again since"
	case l.less(deletion):
		return Deleted, Sure, fmt.Sprintf("deleted at revision %s, which was carved as well", deletion)
	}
	return Compacted, Sure, fmt.Sprintf("the key no longer exists: it was deleted after revision %s, at %d at the latest", l.Revision, s.CompactRevision())
}

// windows counts the main revisions that are gone by their distance behind the compact
// revision.
func (s *Snapshot) windows() []Window {
	list := []Window{}
	compact := s.CompactRevision()
	to := compact
	for _, distance := range append(slices.Clone(windows), compact) {
		from := max(compact-distance+1, firstRevision)
		if from > to {
			break
		}
		list = append(list, Window{From: from, To: to, Gone: to - from + 1})
		to = from - 1
	}
	seen := int64(0)
	for _, b := range s.index.blocks {
		for i := range b.n {
			main := b.main(i)
			if main > compact {
				return list
			}
			if w := windowOf(list, main); w != nil && main != seen {
				w.Gone--
			}
			seen = main
		}
	}
	return list
}

// windowOf is the window that a main revision is in, nil for none.
func windowOf(list []Window, main int64) *Window {
	for i := range list {
		if main >= list[i].From && main <= list[i].To {
			return &list[i]
		}
	}
	return nil
}
