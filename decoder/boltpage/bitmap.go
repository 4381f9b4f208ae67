package boltpage

import "math/bits"

// bitmap marks pages. What it takes grows with the pages that are marked, not with
// their numbers: a file may say that it has any number of pages, and be a hole.
type bitmap []*[chunkWords]uint64

const (
	chunkWords = 512
	chunkPages = 64 * chunkWords
)

func newBitmap(pages uint64) bitmap { return make(bitmap, (pages+chunkPages-1)/chunkPages) }

// chunk is the words that page i is marked in, nil for none.
func (b bitmap) chunk(i uint64) *[chunkWords]uint64 {
	if n := i / chunkPages; n < uint64(len(b)) {
		return b[n]
	}
	return nil
}

func (b bitmap) has(i uint64) bool {
	c := b.chunk(i)
	return c != nil && c[i%chunkPages/64]&(1<<(i%64)) != 0
}

func (b bitmap) set(i uint64) {
	c := &b[i/chunkPages]
	if *c == nil {
		*c = new([chunkWords]uint64)
	}
	(*c)[i%chunkPages/64] |= 1 << (i % 64)
}

func (b bitmap) unset(i uint64) {
	if c := b.chunk(i); c != nil {
		c[i%chunkPages/64] &^= 1 << (i % 64)
	}
}

func (b bitmap) clone() bitmap {
	copies := make(bitmap, len(b))
	for n, c := range b {
		if c != nil {
			words := *c
			copies[n] = &words
		}
	}
	return copies
}

// nextUnset is the first page from i on that is not marked, or one at or after the
// end of what the bitmap covers.
func (b bitmap) nextUnset(i uint64) uint64 {
	for c := b.chunk(i); c != nil; c = b.chunk(i) {
		if unset := ^c[i%chunkPages/64] >> (i % 64); unset != 0 {
			return i + uint64(bits.TrailingZeros64(unset))
		}
		i = (i/64 + 1) * 64
	}
	return i
}

// nextSet is the first marked page from i on that is before end, or end.
func (b bitmap) nextSet(i, end uint64) uint64 {
	for i < end {
		c := b.chunk(i)
		if c == nil {
			i = (i/chunkPages + 1) * chunkPages
			continue
		}
		if set := c[i%chunkPages/64] >> (i % 64); set != 0 {
			return min(i+uint64(bits.TrailingZeros64(set)), end)
		}
		i = (i/64 + 1) * 64
	}
	return end
}

// lastSet is the last marked page up to i; ok is false when there is none.
func (b bitmap) lastSet(i uint64) (page uint64, ok bool) {
	for {
		c := b.chunk(i)
		before := i / chunkPages * chunkPages // one after the last page to look at next
		if c != nil {
			if set := c[i%chunkPages/64] << (63 - i%64); set != 0 {
				return i - uint64(bits.LeadingZeros64(set)), true
			}
			before = i / 64 * 64
		}
		if before == 0 {
			return 0, false
		}
		i = before - 1
	}
}

// count is how many pages are marked, and how many of them are not in other.
func (b bitmap) count(other bitmap) (all, alone uint64) {
	for n, c := range b {
		if c == nil {
			continue
		}
		beside := other.chunk(uint64(n) * chunkPages)
		for w, word := range c {
			all += uint64(bits.OnesCount64(word))
			if beside != nil {
				word &^= beside[w]
			}
			alone += uint64(bits.OnesCount64(word))
		}
	}
	return all, alone
}

// words are the marks of so many pages.
func (b bitmap) words(pages uint64) []uint64 {
	list := make([]uint64, (pages+63)/64)
	for n, c := range b {
		if at := n * chunkWords; c != nil && at < len(list) {
			copy(list[at:], c[:])
		}
	}
	return list
}

// bitmapOf is the bitmap of which words are list.
func bitmapOf(list []uint64) bitmap {
	b := newBitmap(uint64(len(list)) * 64)
	for n := range b {
		words := new([chunkWords]uint64)
		copy(words[:], list[n*chunkWords:])
		b[n] = words
	}
	return b
}

// outside says whether a page is marked that is not in other.
func (b bitmap) outside(other bitmap) bool {
	_, alone := b.count(other)
	return alone > 0
}

// meets says whether a page is marked in both.
func (b bitmap) meets(other bitmap) bool {
	all, alone := b.count(other)
	return alone < all
}
