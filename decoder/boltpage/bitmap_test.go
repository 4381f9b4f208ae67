package boltpage

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBitmap holds a bitmap against a map of the same pages.
func TestBitmap(t *testing.T) {
	const pages = 3*chunkPages + 100
	r := rand.New(rand.NewPCG(1, 1))
	for _, marked := range []int{0, 1, 5, 5000, 2 * pages} {
		b, other, in := newBitmap(pages), newBitmap(pages), map[uint64]bool{}
		for range marked {
			page := r.Uint64N(pages)
			if marked == 5 {
				page = []uint64{0, 63, 64, chunkPages - 1, pages - 1}[r.IntN(5)]
			}
			b.set(page)
			in[page] = true
			if page%3 == 0 {
				other.set(page)
			}
		}
		all, alone := uint64(0), uint64(0)
		next, unset, last := uint64(pages), uint64(pages), make([]int64, pages)
		at := int64(-1)
		for page := range uint64(pages) {
			if in[page] {
				at = int64(page)
			}
			last[page] = at
		}
		for page := range uint64(pages) {
			i := pages - 1 - page
			if in[i] {
				all, next = all+1, i
				if i%3 != 0 {
					alone++
				}
			} else {
				unset = i
			}
			if b.has(i) != in[i] || b.nextSet(i, pages) != next || min(b.nextUnset(i), pages) != unset {
				t.Fatalf("%d marked, page %d: has %v, next %d, unset %d; want %v, %d, %d", marked, i, b.has(i), b.nextSet(i, pages), b.nextUnset(i), in[i], next, unset)
			}
			if got, ok := b.lastSet(i); ok != (last[i] >= 0) || ok && int64(got) != last[i] {
				t.Fatalf("%d marked, page %d: last %d %v, want %d", marked, i, got, ok, last[i])
			}
		}
		if gotAll, gotAlone := b.count(other); gotAll != all || gotAlone != alone {
			t.Errorf("%d marked: count %d, %d alone; want %d, %d", marked, gotAll, gotAlone, all, alone)
		}
		c := b.clone()
		c.set(7)
		if b.has(7) != in[7] || !slices.EqualFunc(b, b.clone(), func(x, y *[chunkWords]uint64) bool { return x == y || *x == *y }) {
			t.Error("a clone is not a copy of its own")
		}
	}
}
