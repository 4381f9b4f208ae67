package snapshot

import "revenant/decoder/boltpage"

// block is a number of records, so that indexing never moves what it has
// written. A new one is begun when one is full: whatever the revisions, a record
// takes no more. The pointers come first: the garbage collector looks no further.
type block struct {
	subs    *[blockSize]uint32 // nil while all are 0
	high    *[blockSize]highs  // nil while all are 0
	suspect *bitset            // nil while all are 0
	secret  *bitset            // values that are encrypted by their beginning; nil while all are 0
	n       int
	first   int64             // main revision of the first record
	ahead   [blockSize]uint32 // main revision less first, the low half of its bits
	age     [blockSize]uint32 // main revision less create revision, the low half
	offset  [blockSize]int64  // of the mvccpb.KeyValue, in bytes from the start of the file
	size    [blockSize]uint32 // of it in bytes; tombstoneBit is set on tombstones
	version [blockSize]uint32
	key     [blockSize]uint32 // its number
}

// bitset is a bit a record.
type bitset [blockSize / 64]uint64

func (b *bitset) has(i int) bool { return b != nil && b[i/64]&(1<<(i%64)) != 0 }

// set sets the i-th bit, or clears it, of a list that is made when it is needed.
func (b *bitset) set(i int, to bool) *bitset {
	switch {
	case to && b == nil:
		b = new(bitset)
		fallthrough
	case to:
		b[i/64] |= 1 << (i % 64)
	case b != nil:
		b[i/64] &^= 1 << (i % 64)
	}
	return b
}

// highs are the high halves of ahead and age, which only absurd revisions need.
type highs struct{ ahead, age uint32 }

const (
	blockBits    = 12
	blockSize    = 1 << blockBits
	tombstoneBit = 1 << 31
)

func (b *block) tombstone(i int) bool { return b.size[i]&tombstoneBit != 0 }

// marker says whether the record is the empty one that `etcdutl snapshot
// restore --bump-revision` leaves behind: 17 bytes of key, no value.
func (b *block) marker(i int) bool { return b.size[i] == 0 }

func (b *block) main(i int) int64 {
	ahead := int64(b.ahead[i])
	if b.high != nil {
		ahead |= int64(b.high[i].ahead) << 32
	}
	return b.first + ahead
}

func (b *block) create(i int) int64 {
	age := int64(b.age[i])
	if b.high != nil {
		age |= int64(b.high[i].age) << 32
	}
	return b.main(i) - age
}

func (b *block) revision(i int) Revision {
	rev := Revision{Main: b.main(i)}
	if b.subs != nil {
		rev.Sub = int64(b.subs[i])
	}
	return rev
}

// isSuspect says whether the record contradicts itself or what stands around it.
func (b *block) isSuspect(i int) bool { return b.suspect.has(i) }

// entry is a record on its way into a block.
type entry struct {
	rev     Revision
	create  int64
	offset  int64
	size    uint32 // with tombstoneBit
	version uint32
	key     uint32
	suspect bool
	secret  bool
}

func newEntry(rev Revision, tombstone bool, kv *keyValue, it *boltpage.Item) entry {
	e := entry{
		rev: rev, create: kv.createRevision, offset: it.Offset, size: uint32(len(it.Value)),
		version: uint32(min(max(kv.version, 0), 1<<32-1)), secret: encrypted(kv.value),
	}
	if tombstone { // whatever a damaged one says besides
		e.size |= tombstoneBit
		e.create, e.version = 0, 0
	}
	return e
}

func (b *block) entry(i int) entry {
	return entry{b.revision(i), b.create(i), b.offset[i], b.size[i], b.version[i], b.key[i], b.suspect.has(i), b.secret.has(i)}
}

// set writes the i-th record. Differences may be negative: they are added up again
// without their sign.
func (b *block) set(i int, e *entry) {
	ahead, age := uint64(e.rev.Main-b.first), uint64(e.rev.Main-e.create)
	b.ahead[i], b.age[i] = uint32(ahead), uint32(age)
	if (ahead|age)>>32 != 0 && b.high == nil {
		b.high = new([blockSize]highs)
	}
	if b.high != nil {
		b.high[i] = highs{uint32(ahead >> 32), uint32(age >> 32)}
	}
	if e.rev.Sub != 0 && b.subs == nil {
		b.subs = new([blockSize]uint32)
	}
	if b.subs != nil {
		b.subs[i] = uint32(e.rev.Sub)
	}
	b.suspect, b.secret = b.suspect.set(i, e.suspect), b.secret.set(i, e.secret)
	b.offset[i], b.size[i], b.version[i], b.key[i] = e.offset, e.size, e.version, e.key
}
