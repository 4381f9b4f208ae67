package lineage

import (
	"fmt"
	"strings"

	"revenant/decoder/snapshot"
)

// states compares what the compactions have left: the state of every key at the
// newer of the two compact revisions, below which single records say nothing.
// Where the older snapshot ends before it, its last state is what that one must
// have come from.
func (c *comparison) states() error {
	v := view{older: c.backup, newer: c.current, olderName: "backup", newerName: "current snapshot"}
	if v.older.Revision() > v.newer.Revision() {
		v.older, v.newer, v.olderName, v.newerName = v.newer, v.older, v.newerName, v.olderName
	}
	v.at, v.head = c.compacted(), v.older.Revision()
	if v.at == 0 {
		return nil // nothing was compacted
	}
	was, err := v.older.At(min(v.at, v.head))
	if err != nil {
		return nil // not retained: nothing to compare
	}
	now, err := v.newer.At(v.at)
	if err != nil {
		return nil
	}
	damaged := c.damaged()
	for x, y := range merge(c.ctx, was.Keys(""), now.Keys(""), byKey) {
		d := v.contradiction(x, y)
		switch {
		case d == nil && y != nil && y.CreateRevision <= v.head:
			c.Compared.Keys++
		case d == nil || damaged: // a lost record leaves an older one in its place
		case d.revision <= c.CommonRevision:
			c.Compared.Damaged++
		default:
			c.against++
			if c.parted == nil || d.revision < c.parted.revision {
				c.parted = d
			}
		}
	}
	return c.ctx.Err()
}

func byKey(a, b *snapshot.Record) int { return strings.Compare(a.Key, b.Key) }

// view is the states that are compared: that of newer at a revision, and that of
// older there or, when it ends before, at its head.
type view struct {
	older, newer         *snapshot.Snapshot
	olderName, newerName string
	at, head             int64
}

// contradiction says what about a key one history cannot explain, nil when
// nothing. x is its record in the older snapshot's state and y in the newer's.
func (v *view) contradiction(x, y *snapshot.Record) *difference {
	switch {
	case y == nil && v.at > v.head, y != nil && y.CreateRevision > v.head:
		return nil // deleted or made since
	case y != nil && y.Main > v.head:
		return v.generation(x, y)
	case x == nil || y != nil && y.Main < x.Main:
		return unwritten(y, v.newerName, v.older, v.olderName)
	case y == nil || x.Main < y.Main:
		return unwritten(x, v.olderName, v.newer, v.newerName)
	}
	return nil // the same record, or one that differs and was seen to
}

// generation holds a key that was written after the older head against what it
// was there: it must have been the same life of it.
func (v *view) generation(x, y *snapshot.Record) *difference {
	parts := func(revision int64, how string) *difference {
		return &difference{revision, y.Key, fmt.Sprintf("a key has lived since revision %d in the %s, and in the %s %s", y.CreateRevision, v.newerName, v.olderName, how)}
	}
	switch {
	case x == nil:
		ended := func(r snapshot.Record) bool { return r.Tombstone || r.CreateRevision > y.CreateRevision }
		return parts(first(v.older, y.Key, y.CreateRevision, ended), "it does not exist")
	case x.CreateRevision != y.CreateRevision:
		return parts(max(x.CreateRevision, y.CreateRevision), fmt.Sprintf("since revision %d", x.CreateRevision))
	case x.Version >= y.Version:
		return parts(x.Main, fmt.Sprintf("it was written more often, up to revision %d", x.Main))
	}
	return nil
}

// unwritten is the contradiction that r is a key's newest record in one history,
// and that the other, in s, has changed the key since or never had r.
func unwritten(r *snapshot.Record, name string, s *snapshot.Snapshot, other string) *difference {
	at := first(s, r.Key, r.Main, func(snapshot.Record) bool { return true })
	return &difference{at, r.Key, fmt.Sprintf("a key was last written at revision %s in the %s, and is not as written then in the %s by revision %d", r.Revision, name, other, at)}
}

// first returns the main revision of the first record of the key in s that is
// newer than since and for which breaks holds. Without one, s does not have what
// the other history has had since then; it shows at that revision, or at the
// compaction that has removed what came after it.
func first(s *snapshot.Snapshot, key string, since int64, breaks func(snapshot.Record) bool) int64 {
	for _, r := range s.History(key) {
		if r.Main > since && breaks(r) {
			return r.Main
		}
	}
	return max(since, s.CompactRevision())
}
