package boltpage

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
)

// Item is one key with its value, or, with Bucket set, a bucket by its name.
// Key and Value are part of the map, or of a copy: they are valid in the callback
// only, and must not be changed.
type Item struct {
	Key    []byte
	Value  []byte
	Bucket bool
	Loose  bool   // it does not end where what follows it on the page begins: its length may be wrong
	Page   uint64 // the page the item stands on, without overflow pages
	Offset int64  // of Value, in bytes from the start of the file
}

// Range is a run of a bucket's leaf pages, to be read on its own.
type Range struct {
	bucket   *Bucket
	from, to int // indices of leaves
	census   *census
	part     int // of the census
}

// census counts items while the parts of a bucket are read, so that a pass over all of
// them need not be made once more for their number.
type census struct {
	mu    sync.Mutex
	items []int // of each part; -1 until it was read to its end
}

// count notes the items of a part, and with the last part those of the bucket.
func (c *census) count(b *Bucket, part, items int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.items[part] = items
	total := 0
	for _, n := range c.items {
		if n < 0 {
			return
		}
		total += n
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items, b.counted = total, true
}

// Len is the number of items the bucket's pages claim to hold; damage may make
// fewer readable. Unless all ranges were read to their ends, the first call reads the
// header of every leaf page. The error is ctx's.
func (b *Bucket) Len(ctx context.Context) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counted {
		return b.items, nil
	}
	items := 0
	b.whole().eachGroup(func(leaves []leaf, err error) bool {
		b.file.reportFault(err)
		for _, l := range leaves {
			b.file.reportFault(b.file.guard(func() {
				if p, ok := b.leafPage(l, nil); ok {
					items += int(p.count)
				}
			}))
		}
		return ctx.Err() == nil
	})
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b.items, b.counted = items, true
	return items, nil
}

// Pages is the number of leaf pages.
func (b *Bucket) Pages() int { return b.pages }

func (b *Bucket) whole() Range { return Range{bucket: b, to: b.pages} }

// Ranges splits the bucket into at most n runs of as many leaf pages each, in
// key order, at least one. They can be read in parallel.
func (b *Bucket) Ranges(n int) []Range {
	n = max(1, min(n, b.pages))
	ranges := make([]Range, n)
	c := &census{items: make([]int, n)}
	for i := range ranges {
		ranges[i] = Range{bucket: b, from: i * b.pages / n, to: (i + 1) * b.pages / n, census: c, part: i}
		c.items[i] = -1
	}
	return ranges
}

// Each calls fn with the bucket's readable items in key order, some thousands at
// most, and none where nothing on several pages can be read. The slice is used again
// for the next call. Each stops at fn's first error, which it returns. Otherwise the error is the
// first *FaultError met; items on other pages were still read.
// Anything else that is wrong is in Anomalies afterwards.
func (b *Bucket) Each(fn func(items []Item) error) error {
	return b.whole().Each(fn)
}

// together is how many leaf pages are read at a time: of the usual size, as much as
// stays in a processor's own cache.
const together = 48

// eachGroup calls fn with the leaf pages of the range, some at a time, until it
// returns false. The error says that the branch page which names them vanished.
func (r Range) eachGroup(fn func([]leaf, error) bool) {
	var leaves []leaf
	var err error
	for from := r.from; from < r.to; {
		at := from / together * together // groups start alike however the bucket is split
		n := min(at+together, r.to) - from
		leaves, err = r.bucket.leaves(leaves[:0], from, n)
		if !fn(leaves, err) {
			return
		}
		from += n
	}
}

// Each is Bucket.Each over the range.
func (r Range) Each(fn func(items []Item) error) error {
	b, f := r.bucket, r.bucket.file
	var items []Item
	var copies, before []byte
	var first, stop error
	fault := func(err error) {
		f.reportFault(err)
		first = cmp.Or(first, err)
	}
	hand := func(items []Item) []Item {
		if stop == nil {
			fault(f.guard(func() { stop = fn(items) }))
		}
		return items[:0]
	}
	from, last := r.keyBefore()
	claimed := 0
	r.eachGroup(func(leaves []leaf, err error) bool {
		fault(err)
		if last != nil { // it may be part of the copies
			if err := f.guard(func() { before = append(before[:0], last...) }); err != nil {
				last = nil
			} else {
				last = before
			}
		}
		copies = b.copyPages(copies[:0], leaves)
		items = items[:0]
		for i, l := range leaves {
			var head []byte
			if len(copies) > 0 {
				head = copies[i*f.PageSize():][:f.PageSize()]
			}
			err := f.guard(func() {
				if last != nil && bytes.Compare(from.key, l.key) < 0 && bytes.Compare(last, l.key) >= 0 {
					f.report(Anomaly{Page: from.id, Kind: BadOrder, Detail: "the last key is not less than the one that its parent page has for the next page"})
					last = nil // the next page is where it belongs
				}
				n := 0
				items, last, n = b.read(l, head, items, last, hand)
				claimed += n
				from = l
			})
			if fault(err); err != nil {
				last = nil // it may lie on the page that vanished
			}
		}
		hand(items)
		return stop == nil
	})
	if stop != nil {
		return stop
	}
	if r.census != nil {
		r.census.count(b, r.part, claimed)
	}
	return first
}

// maxCopied is the largest size of a page, in bytes, that is copied to be read.
const maxCopied = 64 << 10

// copyPages appends the given pages, without their overflow pages, one after the
// other. Pages are copied because a pass over all of them is waiting for memory:
// the system copies at the speed of memory where reading the map would wait for
// each page, and for the system to map it. It appends nothing where that cannot
// be, or a page cannot be had; the map then tells which.
func (b *Bucket) copyPages(copies []byte, leaves []leaf) []byte {
	f := b.file
	if f.raw == nil || b.Root == 0 || f.PageSize() > maxCopied {
		return copies
	}
	size := f.PageSize()
	copies = slices.Grow(copies, len(leaves)*size)[:len(leaves)*size]
	for i := 0; i < len(leaves); {
		n := 1
		for i+n < len(leaves) && leaves[i+n].id == leaves[i].id+uint64(n) {
			n++
		}
		if _, err := f.raw.ReadAt(copies[i*size:(i+n)*size], int64(leaves[i].id)*int64(size)); err != nil {
			return copies[:0]
		}
		i += n
	}
	return copies
}

// read appends the items of one leaf page, of which head is a copy if not nil, and
// hands over those that are too many; last is the key before them, and the last one
// of them is returned, and how many there are by the page's header.
func (b *Bucket) read(l leaf, head []byte, items []Item, last []byte, hand func([]Item) []Item) ([]Item, []byte, int) {
	p, ok := b.leafPage(l, head)
	if !ok {
		return items, last, 0
	}
	start := int64(l.id) * int64(b.file.meta.PageSize)
	if b.Root == 0 {
		start, l = b.inOff, leaf{id: b.inPage}
	}
	if p.count == 0 && l.key != nil {
		b.file.report(Anomaly{Page: l.id, Kind: BadPage, Detail: "leaf page below the root has no elements", Lost: -1})
	}
	b.file.checkFirstKey(p, l.key)
	els := b.file.elements(p, l.id)
	els.lastKey = last
	items = els.items(items, l.id, start, hand)
	switch {
	case b.Root != 0:
		els.checkEnd(b.file.PageSize())
	case els.end != len(p.data):
		els.report(BadPacking, 0, "inline bucket has %d bytes, its elements fill %d", len(p.data), els.end)
	}
	return items, els.lastKey, int(p.count)
}

// leafPage returns the page that l names, whose first bytes are those of head if that
// is not nil. Its header is read each time and bounded each time: the file may
// change meanwhile.
func (b *Bucket) leafPage(l leaf, head []byte) (page, bool) {
	if b.Root == 0 {
		return b.inline, true
	}
	p, ok := b.file.nodeOf(l.id, head)
	if ok && p.flags != flagLeaf {
		b.file.report(Anomaly{Page: l.id, Kind: BadPage, Detail: "a branch page stands among leaf pages", Lost: -1})
		return page{}, false
	}
	return p, ok
}

// keyBefore is the page before the range and its last key, so that the order is
// checked across the borders of ranges too; nil when there is none to be had.
func (r Range) keyBefore() (l leaf, key []byte) {
	if r.from == 0 {
		return leaf{}, nil
	}
	before, err := r.bucket.leaves(nil, r.from-1, 1)
	if err != nil || len(before) == 0 {
		return leaf{}, nil
	}
	err = r.bucket.file.guard(func() {
		p, ok := r.bucket.leafPage(before[0], nil)
		if !ok || p.count == 0 {
			return
		}
		if el, ok := p.parseElement(int(p.count) - 1); ok && el.off > el.start {
			key = p.key(el)
		}
	})
	if err != nil {
		return leaf{}, nil
	}
	return before[0], key
}
