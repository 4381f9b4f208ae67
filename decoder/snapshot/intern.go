package snapshot

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// interner numbers distinct keys from 0, for several goroutines at a time. It
// is most of what indexing costs, in time and in memory, so it is no map behind
// a lock: looking up a known key, which is what happens almost always, takes no
// lock, and waits for memory twice, for the slot and for the entry.
type interner struct {
	seed   maphash.Seed
	table  atomic.Pointer[keyTable]
	chunks atomic.Pointer[[][]byte] // of entries; none of them ever moves

	mu    sync.Mutex // held to add a key
	count int
	free  []byte // the rest of the last chunk
}

// keyTable is an open-addressing table of fixed size: a power of two of slots, at
// least half of them 0. A slot is written once: bits of the key's hash above
// placeBits, and below them the place of its entry and one.
type keyTable []atomic.Uint64

// An entry is a key's number and its length, four bytes each, and the key. Its
// place is the number of its chunk and, in eights of bytes, where it begins there.
const (
	entryHead  = 8
	firstSlots = 1 << 12
	chunkBits  = 18 // of the bytes of a chunk, unless its only key is longer
	chunkSize  = 1 << chunkBits
	placeBits  = 40
)

func newInterner() *interner {
	n := &interner{seed: maphash.MakeSeed()}
	table := make(keyTable, firstSlots)
	n.table.Store(&table)
	n.chunks.Store(&[][]byte{})
	return n
}

func (n *interner) hash(key []byte) uint64 { return maphash.Bytes(n.seed, key) }

// keys returns the keys by number, once no more are added.
func (n *interner) keys() []string {
	keys := make([]string, 0, n.count)
	for _, chunk := range *n.chunks.Load() {
		// A chunk ends with what was too short for the next entry, zeros.
		for len(keys) < n.count && len(chunk) > 0 && int(binary.LittleEndian.Uint32(chunk)) == len(keys) {
			size := int(binary.LittleEndian.Uint32(chunk[4:]))
			keys = append(keys, unsafe.String(unsafe.SliceData(chunk[entryHead:]), size))
			chunk = chunk[entrySize(size):]
		}
	}
	return keys
}

// number returns the key's number, and gives it one when it has none.
func (n *interner) number(key []byte, hash uint64) uint32 {
	if number, ok := n.find(key, hash); ok {
		return number
	}
	return n.insert(key, hash)
}

func (n *interner) insert(key []byte, hash uint64) uint32 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number, ok := n.find(key, hash); ok {
		return number // another goroutine was faster, or the table was an old one
	}
	t := n.table.Load()
	if n.count == len(*t)/2 {
		t = n.grown(t)
		n.table.Store(t)
	}
	number := uint32(n.count)
	t.put(hash, n.add(key, number))
	n.count++
	return number
}

// find looks a key up in the table as it is now.
func (n *interner) find(key []byte, hash uint64) (number uint32, ok bool) {
	t := *n.table.Load()
	for at := hash; ; at++ {
		s := t[at&uint64(len(t)-1)].Load()
		if s == 0 {
			return 0, false
		}
		if s>>placeBits == hash>>placeBits {
			e := n.entry(s)
			if k := e[entryHead:]; len(k) >= len(key) && int(binary.LittleEndian.Uint32(e[4:])) == len(key) && string(k[:len(key)]) == string(key) {
				return binary.LittleEndian.Uint32(e), true
			}
		}
	}
}

// entry returns the entry that a slot with the value s leads to, and what follows it.
func (n *interner) entry(s uint64) []byte {
	place := s&(1<<placeBits-1) - 1
	const bits = chunkBits - 3
	return (*n.chunks.Load())[place>>bits][place%(1<<bits)<<3:]
}

func (t keyTable) put(hash, place uint64) {
	at := hash
	for t[at&uint64(len(t)-1)].Load() != 0 {
		at++
	}
	t[at&uint64(len(t)-1)].Store(hash>>placeBits<<placeBits | (place + 1))
}

// grown returns a table of twice the size with the same keys.
func (n *interner) grown(t *keyTable) *keyTable {
	next := make(keyTable, 2*len(*t))
	for i := range *t {
		if s := (*t)[i].Load(); s != 0 {
			e := n.entry(s)
			next.put(n.hash(e[entryHead:][:binary.LittleEndian.Uint32(e[4:])]), s&(1<<placeBits-1)-1)
		}
	}
	return &next
}

// entrySize is how many bytes an entry takes, a multiple of eight.
func entrySize(key int) int { return (entryHead + key + 7) &^ 7 }

// add writes a new entry and returns its place; n.mu is held.
func (n *interner) add(key []byte, number uint32) (place uint64) {
	chunks := *n.chunks.Load()
	size := entrySize(len(key))
	if len(n.free) < size {
		n.free = make([]byte, max(chunkSize, size))
		chunks = append(slices.Clip(chunks), n.free) // what others see does not change
		n.chunks.Store(&chunks)
	}
	last := len(chunks) - 1
	off := len(chunks[last]) - len(n.free)
	binary.LittleEndian.PutUint32(n.free, number)
	binary.LittleEndian.PutUint32(n.free[4:], uint32(len(key)))
	copy(n.free[entryHead:], key)
	n.free = n.free[size:]
	return uint64(last)<<(chunkBits-3) | uint64(off)>>3
}

// touchSlot and touchEntry load what find will look at for a key, so that several
// loads can be under way at once. They return something made of it, to keep the
// loads: the slot, and bytes of the entry that the slot leads to.
func (t keyTable) touchSlot(hash uint64) uint64 { return t[hash&uint64(len(t)-1)].Load() }

func (n *interner) touchEntry(slot uint64, key []byte) byte {
	if slot == 0 {
		return 0
	}
	e := n.entry(slot)
	size := min(len(key), int(binary.LittleEndian.Uint32(e[4:]))) // what follows the entry may be being written
	return e[0] ^ e[entryHead+size-1]
}
