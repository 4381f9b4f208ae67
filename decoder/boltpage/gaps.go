package boltpage

import "bytes"

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

// Gaps reads the bucket and returns where something of it is missing: pages that
// cannot be reached or read, and elements that are damaged. A bucket that was
// read whole has none. Keys in the wrong order are no gap.
func (b *Bucket) Gaps() []Gap {
	if b.file == nil {
		return []Gap{{}} // it was not found at all
	}
	g := gapFinder{holes: b.holes}
	for from := 0; from < b.pages; from += together {
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
	return g.gaps
}

// PageOf returns the leaf page that a byte of the file is part of: the page it
// lies on, or the one whose overflow that is.
func (f *File) PageOf(offset int64) uint64 {
	id := uint64(max(offset, 0)) / uint64(f.PageSize())
	_ = f.guard(func() {
		for page := min(id, f.limit()-1); page >= 2; page-- {
			if h := parseHeader(f.data[page*uint64(f.meta.PageSize):]); h.id == page && h.flags == flagLeaf && uint64(h.overflow) >= id-page {
				id = page
				return
			}
		}
	})
	return id
}

type gapFinder struct {
	gaps    []Gap
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
			if g.missing {
				g.gaps = append(g.gaps, Gap{After: bytes.Clone(g.last), Before: bytes.Clone(els.page.key(el))})
				g.missing = false
			}
			g.last = append(g.last[:0], els.page.key(el)...)
		}
	})
	if err != nil {
		g.missing = true
	}
}
