package snapshot

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// txn applies a transaction: all compares first, on the state before it, then
// the checks, then the operations of the branches taken (etcdserver/txn/txn.go).
func (r *replay) txn(t []byte) {
	path := r.branches(t, nil)
	if check := slices.Clone(path); r.stopped != nil || !r.checkTxn(t, &check) {
		return
	}
	r.transaction(func() { r.execute(t, &path) })
}

// branches appends whether the compares of a transaction hold, and of those in
// the branch that is taken, in their order.
func (r *replay) branches(t []byte, path []bool) []bool {
	taken := r.compares(t)
	path = append(path, taken)
	for kind, op := range ops(t, taken) {
		if kind == opTxn {
			path = r.branches(op, path)
		}
		if r.stopped != nil {
			break
		}
	}
	return path
}

// step takes the first step of a path.
func step(path *[]bool) bool {
	taken := (*path)[0]
	*path = (*path)[1:]
	return taken
}

// checkTxn says whether etcd carries the operations out, all or none.
func (r *replay) checkTxn(t []byte, path *[]bool) bool {
	for kind, op := range ops(t, step(path)) {
		switch kind {
		case opRange:
			if rev := rangeRevision(op); rev > r.head || rev != 0 && rev < r.oldest() {
				return false
			}
		case opPut:
			if p := parsePut(op); !r.checkPut(&p) {
				return false
			}
		case opTxn:
			if !r.checkTxn(op, path) {
				return false
			}
		}
		if r.tick(1); r.stopped != nil {
			return false
		}
	}
	return true
}

// oldest is the oldest revision that a range may ask for (txn/range.go checkRange), -1
// in a store that was never compacted (storage/mvcc/kvstore.go NewStore).
func (r *replay) oldest() int64 {
	if r.compact == 0 {
		return -1
	}
	return r.compact
}

// rangeRevision is the revision that a RangeRequest asks for.
func rangeRevision(b []byte) (rev int64) {
	for num, f := range fields(b) {
		if num == 4 {
			rev = int64(f.number)
		}
	}
	return rev
}

func (r *replay) execute(t []byte, path *[]bool) {
	for kind, op := range ops(t, step(path)) {
		switch kind {
		case opPut:
			p := parsePut(op)
			r.put(&p)
		case opDelete:
			r.deleteRange(keyRange(op))
		case opTxn:
			r.execute(op, path)
		}
		r.progress.add(int64(len(op)))
		if r.tick(1); r.stopped != nil {
			return
		}
	}
}

// compares says whether all conditions of a transaction hold.
func (r *replay) compares(t []byte) bool {
	for num, f := range fields(t) {
		if num != 1 {
			continue
		}
		c := parseCompare(f.bytes)
		if !r.compare(&c) || r.stopped != nil {
			return false
		}
		r.progress.add(int64(len(f.bytes)))
	}
	return true
}

// compare evaluates one condition, which must hold for every key of its range. A
// key that does not exist has zero for everything but its value, which no
// condition holds for (txn.go applyCompare).
func (r *replay) compare(c *compare) bool {
	r.tick(1)
	from, to := r.live.bounds(c.key, c.end)
	none := true
	for b, keys := range r.live.parts(from, to) {
		none = false
		if !r.holdsFor(c, b, keys) {
			return false
		}
		if r.stopped != nil {
			return false
		}
	}
	return !none || c.target != targetValue && holds(c.result, cmp.Compare(0, c.number))
}

// enoughScans is how often all of a block is looked at, key by key, before it is
// sorted for the next time.
const enoughScans = 4

// holdsFor says whether the condition holds for some keys of a block.
func (r *replay) holdsFor(c *compare, b *liveBlock, keys []liveKey) bool {
	if len(keys) == len(b.keys) && c.target >= 0 && c.target <= targetLease {
		if b.columns[c.target] == nil && b.scans[c.target] >= enoughScans {
			b.columns[c.target] = r.column(b.keys, c.target)
		}
		if sorted := b.columns[c.target]; sorted != nil {
			return r.holdsForAll(c, sorted)
		}
		b.scans[c.target]++
	}
	for _, k := range keys {
		r.tick(1)
		if !holds(c.result, r.compareKey(c, k)) {
			return false
		}
	}
	return true
}

// compareKey compares a property of a key with what it is to be. A target that
// etcd does not know equals everything.
func (r *replay) compareKey(c *compare, k liveKey) int {
	switch c.target {
	case targetValue:
		value, _ := r.load(k)
		return r.compareValue(value, c.value)
	case targetVersion, targetCreate, targetMod, targetLease:
		return cmp.Compare(r.numberOf(k, c.target), c.number)
	}
	return 0
}

// numberOf is a property of a key.
func (r *replay) numberOf(k liveKey, target int32) int64 {
	if target == targetLease {
		_, lease := r.load(k)
		return lease
	}
	var create, mod, version int64
	if k.change != 0 {
		c := &r.changes[k.change-1]
		create, mod, version = c.create, c.rev.Main, c.version
	} else if p, ok := r.s.dbIndex.newestPlace(k.number, r.s.dbIndex.newestMain()); ok {
		b, i := r.s.dbIndex.at(p)
		create, mod, version = b.create(i), b.main(i), int64(b.version[i])
	}
	switch target {
	case targetCreate:
		return create
	case targetMod:
		return mod
	}
	return version
}

// column sorts a block's keys by one property.
func (r *replay) column(keys []liveKey, target int32) *column {
	r.tick(8 * len(keys))
	c := &column{}
	if target != targetValue {
		for _, k := range keys {
			c.numbers = append(c.numbers, r.numberOf(k, target))
		}
		slices.Sort(c.numbers)
		return c
	}
	for _, k := range keys {
		value, _ := r.load(k)
		c.values = append(c.values, value)
	}
	slices.SortFunc(c.values, func(a, b valueRef) int {
		if r.stopped != nil {
			return 0
		}
		return r.compareValues(a, b)
	})
	c.common = bytes.Clone(r.part(c.values[0], 0, maxCommon))
	last := r.part(c.values[len(keys)-1], 0, maxCommon)
	for i := range c.common {
		if i == len(last) || last[i] != c.common[i] {
			c.common = c.common[:i]
			break
		}
	}
	c.heads = make([]uint64, len(keys))
	for i, v := range c.values {
		c.heads[i] = head(r.part(v, len(c.common), 8))
	}
	return c
}

// maxCommon bounds how much of what values have in common is remembered.
const maxCommon = 256

// head is the first eight bytes of a value as a number that sorts as they do.
func head(value []byte) uint64 {
	var b [8]byte
	copy(b[:], value)
	return binary.BigEndian.Uint64(b[:])
}

// holdsForAll is holds for all keys of a column.
func (r *replay) holdsForAll(c *compare, sorted *column) bool {
	n, at := len(sorted.numbers), func(i int) int { return cmp.Compare(sorted.numbers[i], c.number) }
	if c.target == targetValue {
		n, at = len(sorted.values), r.comparison(c.value, sorted)
	}
	r.tick(1)
	switch c.result {
	case equal:
		return at(0) == 0 && at(n-1) == 0
	case greater:
		return at(0) > 0
	case less:
		return at(n-1) < 0
	case notEqual:
		i := sort.Search(n, func(i int) bool { return at(i) >= 0 })
		return i == n || at(i) != 0
	}
	return true
}

// comparison compares one of the column's values with another one.
func (r *replay) comparison(value []byte, sorted *column) func(i int) int {
	if common := sorted.common; !bytes.HasPrefix(value, common) {
		all := bytes.Compare(common, value)
		return func(int) int { return all }
	}
	want := head(value[len(sorted.common):])
	return func(i int) int {
		if head := sorted.heads[i]; head != want {
			return cmp.Compare(head, want)
		}
		return r.compareValue(sorted.values[i], value)
	}
}

// holds says whether the outcome of a comparison is the wanted one (txn.go
// compareKV).
func holds(result int32, outcome int) bool {
	switch result {
	case equal:
		return outcome == 0
	case notEqual:
		return outcome != 0
	case greater:
		return outcome > 0
	case less:
		return outcome < 0
	}
	return true
}

// part is a part of a value, shorter where that ends; it is valid until the next
// call where it stands in the db. A value that cannot be read is zeros.
func (r *replay) part(v valueRef, at, size int) []byte {
	size = max(min(size, v.len()-at), 0)
	if v.offset == 0 {
		return v.bytes[min(at, len(v.bytes)):][:size]
	}
	r.tick(size >> 6)
	r.buf = slices.Grow(r.buf[:0], size)[:size]
	if err := v.read(r.s.pages, r.buf, at); err != nil {
		clear(r.buf)
	}
	return r.buf
}

func (r *replay) compareValue(v valueRef, to []byte) int {
	return bytes.Compare(r.part(v, 0, len(to)+1), to)
}

// compareValues compares the values of two keys, piece by piece.
func (r *replay) compareValues(a, b valueRef) int {
	if a.offset != 0 && a.offset == b.offset {
		return 0
	}
	var piece []byte
	for at, size := 0, 64; ; at, size = at+size, min(2*size, 1<<16) {
		piece = append(piece[:0], r.part(a, at, size)...)
		c := bytes.Compare(piece, r.part(b, at, size))
		if c != 0 || len(piece) < size || r.stopped != nil {
			return c
		}
	}
}
