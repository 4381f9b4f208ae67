package lineage

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"

	"revenant/decoder/snapshot"
)

const (
	sampled = 1 << 12 // records of which one value is compared while nothing differs
	judged  = 1 << 8  // records after which a difference is judged
)

// pair is the records that both snapshots hold at one revision.
type pair struct{ was, now snapshot.Record }

// records walks both snapshots in the order of revisions, up to the older head,
// until the histories part.
func (c *comparison) records() error {
	end := min(c.backup.Revision(), c.current.Revision())
	damagedBackup, damagedCurrent := c.backup.Damaged(), c.current.Damaged()
	c.window = make([]pair, 0, sampled)
	for was, now := range merge(c.ctx, upTo(c.backup.Records(), end), upTo(c.current.Records(), end), byRevision) {
		switch {
		case was == nil && !damagedBackup:
			c.missing(now, c.backup, "backup")
		case now == nil && !damagedCurrent:
			c.missing(was, c.current, "current snapshot")
		case was != nil && now != nil:
			c.compare(was, now)
		}
		if c.parted != nil {
			return nil
		}
	}
	c.flush()
	c.judge()
	return c.ctx.Err()
}

func byRevision(a, b *snapshot.Record) int {
	return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub))
}

// missing takes note of a record that s lacks. It is a contradiction where nothing
// was removed.
func (c *comparison) missing(r *snapshot.Record, s *snapshot.Snapshot, name string) {
	if r.Main <= s.CompactRevision() {
		return
	}
	c.flush()
	c.observe(r.Main, &difference{r.Main, r.Key, fmt.Sprintf("the %s has no record of revision %s, and above its compact revision %d nothing is removed", name, r.Revision, s.CompactRevision())})
}

// compare holds the two records of one revision against each other. Values are
// read only for a sample while all is the same.
func (c *comparison) compare(was, now *snapshot.Record) {
	switch {
	case !sameHeader(was, now):
		c.flush()
		c.observe(now.Main, &difference{now.Main, now.Key, fmt.Sprintf("revision %s is another write in each", now.Revision)})
	case c.suspect != nil:
		c.settle(pair{*was, *now})
	default:
		c.window = append(c.window, pair{*was, *now})
		if len(c.window) == cap(c.window) {
			c.sample()
		}
	}
}

func sameHeader(a, b *snapshot.Record) bool {
	return a.Tombstone == b.Tombstone && a.CreateRevision == b.CreateRevision &&
		a.Version == b.Version && a.Size == b.Size && a.Key == b.Key
}

// sample compares the value of the newest put in the window. When it is the same,
// so is what lies before it; else the window is gone through.
func (c *comparison) sample() {
	for i := len(c.window) - 1; i >= 0; i-- {
		if p := &c.window[i]; !p.now.Tombstone {
			if !c.sameValue(p) {
				c.flush()
				return
			}
			break
		}
	}
	c.Compared.Records += len(c.window)
	c.CommonRevision = c.window[len(c.window)-1].now.Main
	c.window = c.window[:0]
}

// flush compares all values in the window.
func (c *comparison) flush() {
	for _, p := range c.window {
		c.settle(p)
	}
	c.window = c.window[:0]
}

// settle compares the values of two records whose headers are the same. A
// tombstone has none, and two timelines delete the same key easily: it says
// nothing against a suspect.
func (c *comparison) settle(p pair) {
	switch {
	case p.now.Tombstone && c.suspect != nil:
	case c.sameValue(&p):
		c.observe(p.now.Main, nil)
	default:
		c.observe(p.now.Main, &difference{p.now.Main, p.now.Key, fmt.Sprintf("the record of revision %s has another value in each", p.now.Revision)})
	}
}

// sameValue says whether the two values are the same. One that cannot be read
// proves nothing.
func (c *comparison) sameValue(p *pair) bool {
	was, err := c.backup.Value(p.was)
	if err != nil {
		return true
	}
	now, err := c.current.Value(p.now)
	if err != nil {
		return true
	}
	c.Compared.Values++
	return bytes.Equal(was, now)
}

// observe takes note of the record at a revision: nil for one that is the same in
// both.
func (c *comparison) observe(revision int64, d *difference) {
	switch {
	case c.parted != nil:
		return
	case d == nil && c.suspect == nil:
		c.Compared.Records++
		c.CommonRevision = revision
		return
	case d == nil:
		c.same++
		c.sameAt = revision
	case c.suspect == nil:
		c.suspect, c.same, c.differ = d, 0, 1
	default:
		c.differ++
	}
	if c.same+c.differ == judged {
		c.judge()
	}
}

// judge decides whether the histories part at the suspect, or whether it is
// damage, because most of what comes after it is the same.
func (c *comparison) judge() {
	switch {
	case c.suspect == nil:
		return
	case c.same > c.differ:
		c.Compared.Records += c.same
		c.Compared.Damaged += c.differ
		c.CommonRevision = c.sameAt
	default:
		c.parted, c.against = c.suspect, c.differ
	}
	c.suspect = nil
}

// upTo yields the records whose main revision is at most end.
func upTo(records iter.Seq[snapshot.Record], end int64) iter.Seq[snapshot.Record] {
	return func(yield func(snapshot.Record) bool) {
		for r := range records {
			if r.Main > end || !yield(r) {
				return
			}
		}
	}
}

// merge steps through two sequences that are sorted by compare, and yields what
// stands at the same place in both, nil where one has nothing. The records are
// valid until the next step. It ends early when ctx does.
func merge(ctx context.Context, a, b iter.Seq[snapshot.Record], compare func(x, y *snapshot.Record) int) iter.Seq2[*snapshot.Record, *snapshot.Record] {
	return func(yield func(x, y *snapshot.Record) bool) {
		nextA, stopA := iter.Pull(batches(ctx, a))
		defer stopA()
		nextB, stopB := iter.Pull(batches(ctx, b))
		defer stopB()
		var as, bs []snapshot.Record
		for {
			if len(as) == 0 {
				as, _ = nextA()
			}
			if len(bs) == 0 {
				bs, _ = nextB()
			}
			var order int
			switch {
			case len(as) == 0 && len(bs) == 0:
				return
			case len(as) == 0:
				order = 1
			case len(bs) == 0:
				order = -1
			default:
				order = compare(&as[0], &bs[0])
			}
			var x, y *snapshot.Record
			if order <= 0 {
				x, as = &as[0], as[1:]
			}
			if order >= 0 {
				y, bs = &bs[0], bs[1:]
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

// batches yields the records some hundred at a time: a step of a pulled iterator
// costs many times what a record does. The slice is used again, and the last one may
// be empty.
func batches(ctx context.Context, records iter.Seq[snapshot.Record]) iter.Seq[[]snapshot.Record] {
	return func(yield func([]snapshot.Record) bool) {
		batch := make([]snapshot.Record, 0, 1<<8)
		for r := range records {
			if batch = append(batch, r); len(batch) == cap(batch) {
				if !yield(batch) || ctx.Err() != nil {
					return
				}
				batch = batch[:0]
			}
		}
		yield(batch)
	}
}
