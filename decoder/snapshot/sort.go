package snapshot

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// sortedOrder returns the numbers of the keys in the order of the keys.
//
// Kubernetes' keys share long beginnings, so comparing them whole mostly reads
// bytes that are equal, far apart in memory. Here keys are sorted by eight
// bytes at a time, which stand beside the number: only keys that are equal so
// far have their next eight looked at.
func sortedOrder(keys []string) []uint32 {
	list := make([]keyWord, len(keys))
	for i := range list {
		list[i].number = uint32(i)
	}
	sortWords(list, keys, 0)
	order := make([]uint32, len(keys))
	for i, w := range list {
		order[i] = w.number
	}
	return order
}

// keyWord is a key with eight bytes of it.
type keyWord struct {
	word   uint64
	number uint32
	length uint32 // of the bytes in word, or more when the key goes on
}

const (
	wordSize = 8
	fewKeys  = 16 // so few are compared whole
)

func (w keyWord) compare(other keyWord) int {
	// A key that ends and one that goes on with zeros have one word.
	return cmp.Or(cmp.Compare(w.word, other.word), cmp.Compare(w.length, other.length))
}

// sortWords sorts keys that are equal up to depth.
func sortWords(list []keyWord, keys []string, depth int) {
	for len(list) > fewKeys {
		for i := range list {
			list[i].read(keys[list[i].number][depth:])
		}
		slices.SortFunc(list, keyWord.compare)
		depth += wordSize
		if list[0].compare(list[len(list)-1]) == 0 {
			continue
		}
		for from := 0; from < len(list); {
			to := from + 1
			for to < len(list) && list[to].compare(list[from]) == 0 {
				to++
			}
			sortWords(list[from:to], keys, depth)
			from = to
		}
		return
	}
	slices.SortFunc(list, func(a, b keyWord) int { return strings.Compare(keys[a.number], keys[b.number]) })
}

// read takes the first bytes of s in such a way that words compare as strings.
func (w *keyWord) read(s string) {
	var b [wordSize]byte
	copy(b[:], s)
	w.word, w.length = binary.BigEndian.Uint64(b[:]), uint32(min(len(s), wordSize+1))
}
