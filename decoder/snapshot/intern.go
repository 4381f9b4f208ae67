package snapshot

import "hash/maphash"

// interner numbers distinct keys in the order of their first appearance. It is
// an open-addressing table of eight bytes a slot: half the memory and a third
// of the time of a map[string]uint32, which is most of what indexing costs.
type interner struct {
	seed    maphash.Seed
	slots   []slot // a power of two of them
	keys    []string
	touched uint32
}

type slot struct {
	hash uint32
	id   uint32 // one more than the key's number; 0 is an empty slot
}

const firstSlots = 1 << 12

func newInterner() *interner {
	return &interner{seed: maphash.MakeSeed(), slots: make([]slot, firstSlots)}
}

func (n *interner) hash(key []byte) uint32 { return uint32(maphash.Bytes(n.seed, key)) }

// number returns the key's number, which is its index in keys.
func (n *interner) number(key []byte, hash uint32) uint32 {
	mask := uint32(len(n.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := n.slots[at]
		if s.id == 0 {
			return n.add(string(key), hash, at)
		}
		if s.hash == hash && n.keys[s.id-1] == string(key) {
			return s.id - 1
		}
	}
}

// touchSlot and touchKey load what number will look at first, so that several
// loads can be under way at once.
func (n *interner) touchSlot(hash uint32) {
	n.touched ^= n.slots[hash&uint32(len(n.slots)-1)].hash
}

func (n *interner) touchKey(hash uint32) {
	s := n.slots[hash&uint32(len(n.slots)-1)]
	if s.id != 0 && n.keys[s.id-1] != "" {
		n.touched ^= uint32(n.keys[s.id-1][0])
	}
}

// add puts a new key into the empty slot at, and keeps half the slots empty.
func (n *interner) add(key string, hash, at uint32) uint32 {
	n.keys = append(n.keys, key)
	id := uint32(len(n.keys))
	n.slots[at] = slot{hash: hash, id: id}
	if len(n.keys)*2 > len(n.slots) {
		n.grow()
	}
	return id - 1
}

func (n *interner) grow() {
	old := n.slots
	n.slots = make([]slot, 2*len(old))
	mask := uint32(len(n.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		at := s.hash & mask
		for n.slots[at].id != 0 {
			at = (at + 1) & mask
		}
		n.slots[at] = s
	}
}
