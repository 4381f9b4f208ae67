package boltpage

import (
	"bytes"
	"sort"
)

// Page is the range of the i-th leaf page, counted from 0 in the order of keys.
func (b *Bucket) Page(i int) Range { return Range{bucket: b, from: i, to: i + 1} }

// Find is the place, among the leaf pages, of the one on which key stands if it is in the
// bucket: the last that begins with no greater one, as its parent page has it. It reads
// branch pages only.
func (b *Bucket) Find(key []byte) int {
	return max(0, sort.Search(b.pages, func(i int) bool {
		greater := false
		list, err := b.leaves(nil, i, 1)
		if err == nil && len(list) > 0 {
			err = b.file.guard(func() { greater = bytes.Compare(list[0].key, key) > 0 })
		}
		b.file.reportFault(err)
		return greater
	})-1)
}
