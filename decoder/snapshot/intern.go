package snapshot

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// interner numbers distinct keys from 0, for several goroutines at a time. It
// is most of what indexing costs, in time and in memory, so it is no map behind
// a lock: looking up a known key, which is what happens almost always, takes no
// lock, and a key takes eight bytes of table beside its own.
type interner struct {
	seed  maphash.Seed
	table atomic.Pointer[keyTable]

	mu    sync.Mutex // held to add a key
	count int
	chunk []byte // where the bytes of new keys go; it never moves
}

// keyTable is an open-addressing table of fixed size. A slot is written once:
// the key's hash in the upper half, its number and one in the lower.
type keyTable struct {
	slots []atomic.Uint64 // a power of two of them, at least half of them 0
	keys  []string        // by number; as long as there may be keys
}

const (
	firstSlots = 1 << 12
	chunkSize  = 1 << 18 // bytes
)

func newKeyTable(slots int) *keyTable {
	return &keyTable{slots: make([]atomic.Uint64, slots), keys: make([]string, slots/2)}
}

func newInterner() *interner {
	n := &interner{seed: maphash.MakeSeed()}
	n.table.Store(newKeyTable(firstSlots))
	return n
}

func (n *interner) hash(key []byte) uint32 { return uint32(maphash.Bytes(n.seed, key)) }

// keys returns the keys by number, once no more are added.
func (n *interner) keys() []string { return slices.Clip(n.table.Load().keys[:n.count]) }

// number returns the key's number, and gives it one when it has none.
func (n *interner) number(key []byte, hash uint32) uint32 {
	if id, ok := n.table.Load().find(key, hash); ok {
		return id
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.table.Load()
	if id, ok := t.find(key, hash); ok {
		return id // another goroutine was faster, or the table was an old one
	}
	if n.count == len(t.keys) {
		t = t.grown()
		n.table.Store(t)
	}
	id := uint32(n.count)
	t.keys[id] = n.copy(key)
	t.put(hash, id)
	n.count++
	return id
}

func (t *keyTable) find(key []byte, hash uint32) (id uint32, ok bool) {
	mask := uint32(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		switch s := t.slots[at].Load(); {
		case s == 0:
			return 0, false
		case uint32(s>>32) == hash && t.keys[uint32(s)-1] == string(key):
			return uint32(s) - 1, true
		}
	}
}

func (t *keyTable) put(hash, id uint32) {
	mask := uint32(len(t.slots) - 1)
	at := hash & mask
	for t.slots[at].Load() != 0 {
		at = (at + 1) & mask
	}
	t.slots[at].Store(uint64(hash)<<32 | uint64(id+1))
}

// grown returns a table of twice the size with the same keys.
func (t *keyTable) grown() *keyTable {
	next := newKeyTable(2 * len(t.slots))
	copy(next.keys, t.keys)
	for i := range t.slots {
		if s := t.slots[i].Load(); s != 0 {
			next.put(uint32(s>>32), uint32(s)-1)
		}
	}
	return next
}

// touchSlot and touchKey load what find will look at, so that several loads can
// be under way at once; they return something made of it, to keep the loads.
func (t *keyTable) touchSlot(hash uint32) uint64 {
	return t.slots[hash&uint32(len(t.slots)-1)].Load()
}

func (t *keyTable) touchKey(hash uint32) byte {
	s := t.slots[hash&uint32(len(t.slots)-1)].Load()
	if s == 0 || t.keys[uint32(s)-1] == "" {
		return 0
	}
	key := t.keys[uint32(s)-1]
	return key[0] ^ key[len(key)-1]
}

// copy returns a copy of key. Copies share chunks, which is less memory and
// less work than an allocation each.
func (n *interner) copy(key []byte) string {
	if len(key) == 0 {
		return ""
	}
	if cap(n.chunk)-len(n.chunk) < len(key) {
		n.chunk = make([]byte, 0, max(chunkSize, len(key)))
	}
	at := len(n.chunk)
	n.chunk = append(n.chunk, key...)
	return unsafe.String(&n.chunk[at], len(key))
}
