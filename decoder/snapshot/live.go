package snapshot

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// liveKeys are the keys that exist at the revision that a replay has reached, in
// order. They stand in blocks, so that a key comes and goes at the cost of one
// block, and a condition on a range is answered block by block.
type liveKeys struct {
	name   func(number uint32) string
	blocks []*liveBlock // none is empty
}

// liveKey is a key and its newest record.
type liveKey struct {
	number uint32 // of the key
	change uint32 // the number of its change plus 1, 0 for the db's newest record
}

const liveBlockSize = 128

type liveBlock struct {
	keys    []liveKey
	columns [targetLease + 1]*column // by what a compare looks at; nil until it pays
	scans   [targetLease + 1]uint8   // without one, since the block changed
}

// column is one property of a block's keys, sorted.
type column struct {
	numbers []int64
	values  []valueRef // for targetValue
	common  []byte     // what all values begin with
	heads   []uint64   // the bytes of each after that
}

// changed drops what was made of the block's keys.
func (b *liveBlock) changed() {
	b.columns, b.scans = [targetLease + 1]*column{}, [targetLease + 1]uint8{}
}

// fill makes blocks of keys in their order.
func (l *liveKeys) fill(keys []liveKey) {
	for some := range slices.Chunk(keys, liveBlockSize) {
		l.blocks = append(l.blocks, &liveBlock{keys: some[:len(some):len(some)]})
	}
}

// livePlace is where a live key stands, or would.
type livePlace struct{ block, at int }

// find returns the place of the first key that is not less than a name; exact says
// whether it has that name. A place may be after its block's last key.
func (l *liveKeys) find(name string) (p livePlace, exact bool) {
	// The last block that begins at or before the name.
	p.block = max(sort.Search(len(l.blocks), func(i int) bool { return l.name(l.blocks[i].keys[0].number) > name })-1, 0)
	if p.block == len(l.blocks) {
		return p, false
	}
	p.at, exact = slices.BinarySearchFunc(l.blocks[p.block].keys, name, func(k liveKey, name string) int {
		return cmp.Compare(l.name(k.number), name)
	})
	return p, exact
}

func (l *liveKeys) get(name string) (liveKey, bool) {
	p, ok := l.find(name)
	if !ok {
		return liveKey{}, false
	}
	return l.blocks[p.block].keys[p.at], true
}

// set puts a key in, or its newer record in the place of the one before.
func (l *liveKeys) set(name string, k liveKey) {
	p, ok := l.find(name)
	if p.block == len(l.blocks) {
		l.blocks = append(l.blocks, &liveBlock{})
	}
	b := l.blocks[p.block]
	b.changed()
	if ok {
		b.keys[p.at] = k
		return
	}
	b.keys = slices.Insert(b.keys, p.at, k)
	if len(b.keys) >= 2*liveBlockSize {
		half := &liveBlock{keys: slices.Clone(b.keys[liveBlockSize:])}
		b.keys = b.keys[:liveBlockSize]
		l.blocks = slices.Insert(l.blocks, p.block+1, half)
	}
}

func (l *liveKeys) remove(name string) {
	if p, ok := l.find(name); ok {
		l.cut(p, livePlace{p.block, p.at + 1})
	}
}

// bounds are the places of the first key in a range and of the one after its last; the
// second is not after the first when nothing is in it. An end of one zero byte has no
// bound; none is the key alone (txn/delete.go mkGteRange).
func (l *liveKeys) bounds(key, end []byte) (from, to livePlace) {
	from, exact := l.find(string(key))
	switch {
	case len(end) == 0 && exact:
		return from, livePlace{from.block, from.at + 1}
	case string(end) == "\x00":
		return from, livePlace{len(l.blocks), 0}
	}
	to, _ = l.find(string(end))
	return from, to
}

// parts yields what of each block lies between two places.
func (l *liveKeys) parts(from, to livePlace) iter.Seq2[*liveBlock, []liveKey] {
	return func(yield func(*liveBlock, []liveKey) bool) {
		for n := from.block; n <= to.block && n < len(l.blocks); n++ {
			b := l.blocks[n]
			first, last := l.within(n, from, to)
			if first < last && !yield(b, b.keys[first:last]) {
				return
			}
		}
	}
}

// within says which keys of a block lie between two places.
func (l *liveKeys) within(n int, from, to livePlace) (first, last int) {
	last = len(l.blocks[n].keys)
	if n == from.block {
		first = from.at
	}
	if n == to.block {
		last = to.at
	}
	return first, last
}

// cut takes out the keys between two places.
func (l *liveKeys) cut(from, to livePlace) {
	end := min(to.block+1, len(l.blocks))
	kept := from.block
	for n := from.block; n < end; n++ {
		b := l.blocks[n]
		if first, last := l.within(n, from, to); first < last {
			b.keys = slices.Delete(b.keys, first, last)
			b.changed()
		}
		if len(b.keys) > 0 {
			l.blocks[kept] = b
			kept++
		}
	}
	if kept < end {
		l.blocks = slices.Delete(l.blocks, kept, end)
	}
}
