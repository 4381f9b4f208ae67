package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Label says what became of a carved revision.
type Label string

// The labels.
const (
	Live       Label = "live"       // the current value of its key, as far as can be known
	Superseded Label = "superseded" // there is a newer revision of its key
	Deleted    Label = "deleted"    // its key was deleted since, and the deletion is known
	Compacted  Label = "compacted"  // its key does not exist any more, and no trace of its deletion is left
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
	Records   []Carved // by revision
	Windows   []Window // from the compact revision backwards
	Conflicts int      // revisions of which pages have differing copies: none is among the records
	Foreign   int      // pages' records of a revision that the buckets have with another key: of another history, as a restore leaves it
	Newest    int64    // main revisions of the first and last of them, 0 for none
	Oldest    int64
}

// windows are the distances behind the compact revision that are told apart. What
// can be recovered falls with it.
var windows = []int64{2000, 4000, 8000}

// Carve recovers revisions that compactions removed, or that the buckets do not
// lead to any more, from pages that were not used again since. The error is ctx's.
func (s *Snapshot) Carve(ctx context.Context) (*Carving, error) {
	left, err := s.Leftovers(ctx)
	if err != nil {
		return nil, err
	}
	c := &Carving{}
	slices.SortFunc(left, func(a, b Leftover) int { return a.compare(b.Revision) })
	left = slices.DeleteFunc(left, func(l Leftover) bool {
		switch {
		case l.Conflict:
			c.Conflicts++
		case l.Foreign:
			c.Foreign++
		}
		return l.Conflict || l.Foreign
	})
	deletions := map[string]Revision{} // the newest one carved of each key
	for _, l := range left {
		if l.Tombstone {
			deletions[l.Key] = l.Revision
		}
	}
	lost := len(s.Lost()) > 0 || s.Damaged()
	for _, l := range left {
		label, sure, reason := s.label(&l, deletions[l.Key], lost)
		c.Records = append(c.Records, Carved{l, label, sure, reason})
	}
	if n := len(c.Records); n > 0 {
		c.Oldest, c.Newest = c.Records[0].Main, c.Records[n-1].Main
	}
	c.Windows = s.windows(left)
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
		if newest, ok := s.index.newest(k, s.NewestRecord()); ok && l.less(newest.Revision) {
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
	return Compacted, Sure, fmt.Sprintf("the key does not exist any more: it was deleted after revision %s, at %d at the latest", l.Revision, s.CompactRevision())
}

// windows counts main revisions by their distance behind the compact revision.
func (s *Snapshot) windows(left []Leftover) []Window {
	compact := s.CompactRevision()
	if compact == 0 {
		return []Window{}
	}
	var list []Window
	to := compact
	for _, distance := range append(slices.Clone(windows), compact) {
		from := max(compact-distance+1, firstRevision)
		if from > to {
			break
		}
		list = append(list, Window{From: from, To: to, Gone: to - from + 1})
		to = from - 1
	}
	at := func(main int64) *Window {
		i := slices.IndexFunc(list, func(w Window) bool { return main >= w.From && main <= w.To })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	kept := map[int64]bool{}
	for _, b := range s.index.blocks {
		for i := range b.n {
			if main := b.main(i); main <= compact && !kept[main] {
				kept[main] = true
				if w := at(main); w != nil {
					w.Gone--
				}
			}
		}
	}
	slices.SortFunc(left, func(a, b Leftover) int { return cmp.Compare(a.Main, b.Main) })
	last := int64(0)
	for _, l := range left {
		if w := at(l.Main); w != nil && l.Main != last && !kept[l.Main] {
			w.Recovered++
		}
		last = l.Main
	}
	return list
}
