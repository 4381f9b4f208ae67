// Package hostile makes bbolt files that no bbolt would write, for tests: every page
// is well-formed by itself, and what the pages say together is absurd.
package hostile

import (
	"encoding/binary"
	"hash/fnv"
	"math"
)

// PageSize is that of the files, in bytes.
const PageSize = 4096

const (
	pageHeader  = 16
	elementSize = 16
	flagBranch  = 1
	flagLeaf    = 2
	flagMeta    = 4
	flagList    = 16
)

// NoFreelist is the freelist page of a file without one.
const NoFreelist = math.MaxUint64

// File is a file being made. The zero value has nothing but room for its meta pages.
type File struct {
	Data []byte
}

// Item is an element of a leaf page.
type Item struct {
	Key, Value []byte
	Bucket     bool
	Size       int // what the element says of the value's size; 0 for the true one
}

// Pages is how many pages there are.
func (f *File) Pages() uint64 { return uint64(max(len(f.Data)/PageSize, 2)) }

// grow makes room for n pages and returns the id of the first.
func (f *File) grow(n int) uint64 {
	id := f.Pages()
	f.Data = append(f.Data, make([]byte, (int(id)+n)*PageSize-len(f.Data))...)
	return id
}

// header writes a page's header.
func (f *File) header(id uint64, flags, count, overflow int) []byte {
	b := f.Data[id*PageSize:]
	le := binary.LittleEndian
	le.PutUint64(b, id)
	le.PutUint16(b[8:], uint16(flags))
	le.PutUint16(b[10:], uint16(count))
	le.PutUint32(b[12:], uint32(overflow))
	return b
}

// Overflow changes how many overflow pages a page says that it has.
func (f *File) Overflow(id uint64, pages uint32) {
	binary.LittleEndian.PutUint32(f.Data[id*PageSize+12:], pages)
}

// node makes room for a page with n elements and so many bytes after them, and
// returns where these begin.
func (f *File) node(flag, n, size int) (id uint64, page []byte, at int) {
	at = pageHeader + n*elementSize
	pages := (at + size + PageSize - 1) / PageSize
	id = f.grow(pages)
	return id, f.header(id, flag, n, pages-1), at
}

// Leaf appends a leaf page with as many overflow pages as the items fill.
func (f *File) Leaf(items ...Item) uint64 {
	size := 0
	for _, it := range items {
		size += len(it.Key) + len(it.Value)
	}
	id, page, at := f.node(flagLeaf, len(items), size)
	le := binary.LittleEndian
	for i, it := range items {
		el := pageHeader + i*elementSize
		if it.Bucket {
			le.PutUint32(page[el:], 1)
		}
		said := it.Size
		if said == 0 {
			said = len(it.Value)
		}
		le.PutUint32(page[el+4:], uint32(at-el))
		le.PutUint32(page[el+8:], uint32(len(it.Key)))
		le.PutUint32(page[el+12:], uint32(said))
		at += copy(page[at:], it.Key)
		at += copy(page[at:], it.Value)
	}
	return id
}

// Branch appends a branch page over others, whose first keys are given.
func (f *File) Branch(keys [][]byte, pages []uint64) uint64 {
	size := 0
	for _, k := range keys {
		size += len(k)
	}
	id, page, at := f.node(flagBranch, len(keys), size)
	le := binary.LittleEndian
	for i, k := range keys {
		el := pageHeader + i*elementSize
		le.PutUint32(page[el:], uint32(at-el))
		le.PutUint32(page[el+4:], uint32(len(k)))
		le.PutUint64(page[el+8:], pages[i])
		at += copy(page[at:], k)
	}
	return id
}

// Freelist appends a list of free pages, which says that it has so many.
func (f *File) Freelist(said uint64, pages ...uint64) uint64 {
	n := (pageHeader + 8 + 8*len(pages) + PageSize - 1) / PageSize
	id := f.grow(n)
	b := f.header(id, flagList, math.MaxUint16, n-1)[pageHeader:]
	binary.LittleEndian.PutUint64(b, said)
	for i, p := range pages {
		binary.LittleEndian.PutUint64(b[8+8*i:], p)
	}
	return id
}

// fanOut is how many pages a branch page leads to.
const fanOut = 60

// Tree appends a leaf page for each group of items and branch pages over them, and
// returns its root and the leaf pages.
func (f *File) Tree(groups ...[]Item) (root uint64, leaves []uint64) {
	var keys [][]byte
	for _, items := range groups {
		leaves = append(leaves, f.Leaf(items...))
		keys = append(keys, items[0].Key)
	}
	level := leaves
	for len(level) > 1 {
		var above []uint64
		var first [][]byte
		for from := 0; from < len(level); from += fanOut {
			to := min(from+fanOut, len(level))
			above = append(above, f.Branch(keys[from:to], level[from:to]))
			first = append(first, keys[from])
		}
		level, keys = above, first
	}
	return level[0], leaves
}

// Bucket is the item of the root for a bucket with a page of its own.
func Bucket(name string, root uint64) Item {
	value := make([]byte, 16)
	binary.LittleEndian.PutUint64(value, root)
	return Item{Key: []byte(name), Value: value, Bucket: true}
}

// Inline is the item of the root for a bucket that stands within it.
func Inline(name string, items ...Item) Item {
	var f File
	f.Leaf(items...)
	size := pageHeader + len(items)*elementSize
	for _, it := range items {
		size += len(it.Key) + len(it.Value)
	}
	page := f.Data[2*PageSize:][:size]
	clear(page[:8]) // it is page 0
	return Item{Key: []byte(name), Value: append(make([]byte, 16), page...), Bucket: true}
}

// Finish writes the meta pages over the root bucket's page. pages is the high-water
// mark, 0 for as many pages as there are.
func (f *File) Finish(root, freelist, pages uint64) []byte {
	if pages == 0 {
		pages = f.Pages()
	}
	for id := range uint64(2) {
		b := f.header(id, flagMeta, 0, 0)[pageHeader:]
		le := binary.LittleEndian
		le.PutUint32(b, 0xED0CDAED)
		le.PutUint32(b[4:], 2)
		le.PutUint32(b[8:], PageSize)
		le.PutUint64(b[16:], root)
		le.PutUint64(b[32:], freelist)
		le.PutUint64(b[40:], pages)
		le.PutUint64(b[48:], 1+id)
		sum := fnv.New64a()
		sum.Write(b[:56])
		le.PutUint64(b[56:], sum.Sum64())
	}
	return f.Data
}
