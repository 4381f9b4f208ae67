package boltpage

import (
	"bytes"
	"context"
)

// Gap is a stretch of a bucket of which something could not be read: what is
// missing has keys greater than After and smaller than Before. A nil bound is the
// beginning or the end of the bucket.
type Gap struct {
	After, Before []byte
}

// Contains says whether a key can be one of those that are missing.
func (g Gap) Contains(key []byte) bool {
	return (g.After == nil || bytes.Compare(g.After, key) < 0) && (g.Before == nil || bytes.Compare(key, g.Before) < 0)
}

// maxGaps bounds the gaps that are told apart, and maxGapBytes the keys beside them. The
// last one goes on to the end of the bucket where there are more.
const (
	maxGaps     = 10_000
	maxGapBytes = 8 << 20
)

// Gaps reads the bucket and returns where something of it is missing: pages that
// cannot be reached or read, and elements that are damaged. A bucket that was
// read whole has none. Keys in the wrong order are no gap, but a page that begins with
// another key than its parent page has for it is not the one that belongs there: all
// between the pages beside it may be missing. The error is ctx's.
func (b *Bucket) Gaps(ctx context.Context) ([]Gap, error) {
	if b.file == nil {
		return []Gap{{}}, nil // it was not found at all
	}
	g := gapFinder{holes: b.holes}
	for from := 0; from < b.pages; from += together {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		leaves, err := b.leaves(nil, from, min(together, b.pages-from))
		for i, l := range leaves {
			g.page(b, from+i, l)
		}
		if err != nil || len(leaves) < min(together, b.pages-from) {
			g.missing = true
		}
	}
	if g.missing || len(g.holes) > 0 {
		g.gaps = append(g.gaps, Gap{After: bytes.Clone(g.last)})
	}
	return g.gaps, nil
}

// OutOfOrder returns what says whether a byte of an item's value stands on a page whose
// keys are not those that the tree has for it. The items must have been read.
func (f *File) OutOfOrder() func(offset int64) bool {
	pages := map[uint64]bool{}
	for _, a := range f.Anomalies() {
		if a.Kind == BadOrder {
			pages[a.Page] = true
		}
	}
	return func(offset int64) bool { return len(pages) > 0 && pages[f.PageOf(offset)] }
}

// OutOfOrder is that of the bucket's file.
func (b *Bucket) OutOfOrder() func(offset int64) bool {
	if b.file == nil {
		return func(int64) bool { return false } // it was not found at all
	}
	return b.file.OutOfOrder()
}

// PageOf returns the leaf page that a byte of an item's value is part of: the page it
// lies on, or the one whose overflow that is. The item must have been read.
func (f *File) PageOf(offset int64) uint64 {
	id := uint64(max(offset, 0)) / uint64(f.PageSize())
	_ = f.guard(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.heads.has(id) && f.named(id) {
			return
		}
		if page, ok := f.spanned.lastSet(id); ok {
			if h := parseHeader(f.data[page*uint64(f.meta.PageSize):]); uint64(h.overflow) >= id-page {
				id = page
			}
		}
	})
	return id
}

type gapFinder struct {
	gaps    []Gap
	size    int // bytes of the keys in gaps
	holes   []int
	last    []byte // the last key that was read
	missing bool   // something before the next key is missing
}

// page reads the n-th leaf page.
func (g *gapFinder) page(b *Bucket, n int, l leaf) {
	for len(g.holes) > 0 && g.holes[0] <= n {
		g.holes, g.missing = g.holes[1:], true
	}
	err := b.file.guard(func() {
		p, ok := b.leafPage(l, nil)
		if !ok || p.count == 0 && l.key != nil {
			g.missing = true
			return
		}
		if l.key != nil && !p.beginsWith(l.key) {
			g.missing = true
			return
		}
		els := (*File)(nil).elements(p, l.id)
		for {
			before := els.next
			el, ok := els.step()
			if ok && els.next-before > 1 || !ok && els.next > before {
				g.missing = true
			}
			if !ok {
				return
			}
			if g.missing && len(g.gaps) < maxGaps && g.size < maxGapBytes {
				key := els.page.key(el)
				g.gaps = append(g.gaps, Gap{After: bytes.Clone(g.last), Before: bytes.Clone(key)})
				g.size += len(g.last) + len(key)
				g.missing = false
			}
			if g.missing {
				return // everything from here on counts as missing
			}
			g.last = append(g.last[:0], els.page.key(el)...)
		}
	})
	if err != nil {
		g.missing = true
	}
}
