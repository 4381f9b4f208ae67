// Package damage makes damaged copies of an etcd snapshot, to test the readers of
// such files.
//
// It takes the bytes of a healthy bbolt file, with or without the SHA-256 trailer
// that etcd appends, and a seed. It returns a copy with one kind of damage and the
// classes of the bytes that were hit, so a test can distinguish damage that must be
// noticed (a page header) from damage that cannot be (a byte of a value in a file
// without trailer). The same seed gives the same copy.
//
// It has its own parser, which shares no code and therefore no mistake with the
// readers it tests. It refuses a file that is not healthy, and one too small to have
// a branch page and a bucket.
package damage

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

// Class says what a byte of a healthy file is for. Classes combine as a set.
type Class uint16

const (
	Unread    Class = 1 << iota // no reader needs it: free pages, the rest of a page, bucket sequences
	Meta                        // the two meta pages
	Header                      // page headers, those of inline buckets too
	Element                     // element tables of branch and leaf pages, ids of a freelist
	Separator                   // keys in branch pages
	Root                        // root page ids of buckets
	Key                         // keys in leaf pages, names of buckets too
	Value                       // values in leaf pages
	Trailer                     // the SHA-256 after the last page
	Length                      // not a byte: the copy is longer or shorter than the file
)

// Sizes and flags of bbolt's file format, version 2 (go.etcd.io/bbolt v1.5.0,
// internal/common/page.go, meta.go and bucket.go). Everything is little-endian
// on the machines etcd supports.
const (
	headerSize  = 16 // id uint64, flags, count uint16, overflow uint32
	elementSize = 16 // leaf: flags, pos, ksize, vsize uint32; branch: pos, ksize uint32, pgid uint64
	bucketSize  = 16 // root, sequence uint64
	metaSize    = 64 // magic, version, pageSize, flags uint32, root, sequence, freelist, pgid, txid, checksum uint64

	metaPageSize = 8
	metaRoot     = 16
	metaSequence = 24
	metaFreelist = 32
	metaPgid     = 40
	metaTxid     = 48
	metaChecksum = 56

	magic   = 0xED0CDAED
	version = 2

	branchFlag   = 0x01
	leafFlag     = 0x02
	metaFlag     = 0x04
	freelistFlag = 0x10

	bucketFlag = 0x01
	noFreelist = ^uint64(0)
)

// File is a healthy file and the class of each of its bytes. The zero value is
// not usable; Parse makes one.
type File struct {
	data     []byte
	class    []Class
	pageSize int
	pages    int // below the high-water mark
	seen     []bool
	parents  map[int]int // of the pages of trees, by id; a root's is the page that names it

	branches []table
	leaves   []table
	roots    []int // offsets of the root ids in leaf values
}

// table is a page header at off with n elements after it.
type table struct {
	off, n int
	inline bool
}

func (t table) element(i int) int { return t.off + headerSize + i*elementSize }

// Parse reads a healthy file. It keeps data and expects it not to change.
func Parse(data []byte) (*File, error) {
	f := &File{data: data, class: make([]Class, len(data))}
	for i := range f.class {
		f.class[i] = Unread
	}
	meta, err := f.metas()
	if err != nil {
		return nil, err
	}
	f.pageSize = int(f.u32(meta + metaPageSize))
	size := len(data)
	if size%512 == sha256.Size {
		size -= sha256.Size
		f.mark(size, sha256.Size, Trailer)
	}
	hwm := f.u64(meta + metaPgid)
	if hwm > uint64(size/f.pageSize) {
		return nil, fmt.Errorf("high-water mark %d is past the end", hwm)
	}
	f.pages = int(hwm)
	f.seen = make([]bool, f.pages)
	if id := f.u64(meta + metaFreelist); id != noFreelist {
		if err := f.freelist(id); err != nil {
			return nil, err
		}
	}
	if err := f.tree(f.u64(meta + metaRoot)); err != nil {
		return nil, err
	}
	if len(f.branches) == 0 || len(f.roots) == 0 {
		return nil, errors.New("no branch page or no bucket: the file is too small")
	}
	return f, nil
}

// metas marks both meta pages and returns the offset of the newer meta.
func (f *File) metas() (int, error) {
	if len(f.data) < headerSize+metaSize {
		return 0, errors.New("no room for a meta page")
	}
	pageSize := f.u32(headerSize + metaPageSize)
	if pageSize < 512 || pageSize > 1<<16 || pageSize&(pageSize-1) != 0 || len(f.data) < 2*int(pageSize) {
		return 0, fmt.Errorf("page size %d", pageSize)
	}
	newest := 0
	for id := range 2 {
		page := id * int(pageSize)
		m := page + headerSize
		if f.u32(m) != magic || f.u32(m+4) != version || f.u32(m+metaPageSize) != pageSize ||
			f.u64(page) != uint64(id) || f.u16(page+8) != metaFlag || f.u64(m+metaChecksum) != metaSum(f.data[m:]) {
			return 0, fmt.Errorf("meta page %d is not valid", id)
		}
		f.mark(page, headerSize+metaSize, Meta)
		f.mark(m+metaSequence, 8, Unread)
		if newest == 0 || f.u64(m+metaTxid) > f.u64(newest+metaTxid) {
			newest = m
		}
	}
	return newest, nil
}

func metaSum(meta []byte) uint64 {
	h := fnv.New64a()
	h.Write(meta[:metaChecksum])
	return h.Sum64()
}

// tree marks the pages under the bucket root id and of the buckets inside it.
func (f *File) tree(root uint64) error {
	todo := []uint64{root}
	f.parents = map[int]int{}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		off, end, err := f.claim(id)
		if err != nil {
			return err
		}
		children, err := f.page(off, end, false)
		if err != nil {
			return fmt.Errorf("page %d: %w", id, err)
		}
		for _, child := range children {
			f.parents[int(child)] = int(id)
		}
		todo = append(todo, children...)
	}
	return nil
}

// claim returns where page id begins and where its overflow ends. No page may
// be claimed twice.
func (f *File) claim(id uint64) (off, end int, err error) {
	if id < 2 || id >= uint64(f.pages) {
		return 0, 0, fmt.Errorf("page %d is out of range", id)
	}
	off = int(id) * f.pageSize
	if f.u64(off) != id {
		return 0, 0, fmt.Errorf("page %d says it is page %d", id, f.u64(off))
	}
	n := uint64(f.u32(off+12)) + 1
	if n > uint64(f.pages)-id {
		return 0, 0, fmt.Errorf("page %d overflows past the end", id)
	}
	for i := id; i < id+n; i++ {
		if f.seen[i] {
			return 0, 0, fmt.Errorf("page %d is used twice", i)
		}
		f.seen[i] = true
	}
	return off, off + int(n)*f.pageSize, nil
}

// page marks the branch or leaf page at off, which ends before end, and returns
// the page ids it refers to. An inline page is one in a bucket's value.
func (f *File) page(off, end int, inline bool) (children []uint64, err error) {
	if end-off < headerSize {
		return nil, errors.New("no room for a header")
	}
	f.mark(off, headerSize, Header)
	t := table{off: off, n: int(f.u16(off + 10)), inline: inline}
	if t.element(t.n) > end {
		return nil, fmt.Errorf("%d elements do not fit", t.n)
	}
	f.mark(t.element(0), t.n*elementSize, Element)
	switch flags := f.u16(off + 8); {
	case flags == branchFlag && !inline:
		f.branches = append(f.branches, t)
		return f.branch(t, end)
	case flags == leafFlag:
		f.leaves = append(f.leaves, t)
		return f.leaf(t, end)
	default:
		return nil, fmt.Errorf("flags %#x", flags)
	}
}

func (f *File) branch(t table, end int) (children []uint64, err error) {
	if t.n == 0 {
		return nil, errors.New("branch without elements")
	}
	next := t.element(t.n)
	for i := range t.n {
		e := t.element(i)
		key, ksize := e+int(f.u32(e)), int(f.u32(e+4))
		if key != next || ksize > end-key {
			return nil, fmt.Errorf("key %d is not in its place", i)
		}
		f.mark(key, ksize, Separator)
		next = key + ksize
		children = append(children, f.u64(e+8))
	}
	return children, nil
}

func (f *File) leaf(t table, end int) (children []uint64, err error) {
	next := t.element(t.n)
	for i := range t.n {
		e := t.element(i)
		key, ksize, vsize := e+int(f.u32(e+4)), int(f.u32(e+8)), int(f.u32(e+12))
		if key != next || ksize > end-key || vsize > end-key-ksize {
			return nil, fmt.Errorf("element %d is not in its place", i)
		}
		value := key + ksize
		next = value + vsize
		f.mark(key, ksize, Key)
		f.mark(value, vsize, Value)
		if f.u32(e)&bucketFlag == 0 {
			continue
		}
		if t.inline {
			return nil, errors.New("bucket in an inline bucket")
		}
		ids, err := f.bucket(value, next)
		if err != nil {
			return nil, err
		}
		children = append(children, ids...)
	}
	return children, nil
}

// bucket marks the value of a bucket's element: its root, and its page where
// the bucket is inline.
func (f *File) bucket(off, end int) (children []uint64, err error) {
	if end-off < bucketSize {
		return nil, errors.New("no room for a bucket")
	}
	f.mark(off, 8, Root)
	f.mark(off+8, 8, Unread)
	f.roots = append(f.roots, off)
	if root := f.u64(off); root != 0 {
		return []uint64{root}, nil
	}
	return f.page(off+bucketSize, end, true)
}

// freelist marks the freelist page id and its ids.
func (f *File) freelist(id uint64) error {
	off, end, err := f.claim(id)
	if err != nil {
		return err
	}
	n, ids := uint64(f.u16(off+10)), off+headerSize
	if n == 0xFFFF { // then the first id is the count
		n = f.u64(ids) + 1
	}
	if f.u16(off+8) != freelistFlag || n > uint64(end-ids)/8 {
		return fmt.Errorf("page %d is not a freelist", id)
	}
	f.mark(off, headerSize, Header)
	f.mark(ids, int(n)*8, Element)
	return nil
}

func (f *File) mark(off, n int, c Class) {
	for i := off; i < off+n; i++ {
		f.class[i] = c
	}
}

func (f *File) u16(off int) uint16 { return binary.LittleEndian.Uint16(f.data[off:]) }
func (f *File) u32(off int) uint32 { return binary.LittleEndian.Uint32(f.data[off:]) }
func (f *File) u64(off int) uint64 { return binary.LittleEndian.Uint64(f.data[off:]) }

// Bytes is the healthy file.
func (f *File) Bytes() []byte { return f.data }

// Roots are the offsets of the root page ids of buckets that have pages of their own.
func (f *File) Roots() (list []int) {
	for _, off := range f.roots {
		if f.u64(off) != 0 {
			list = append(list, off)
		}
	}
	return list
}

// Revision is a record of the key bucket: its bbolt key and value, and where its
// page, overflow included, begins and ends in the file.
type Revision struct {
	Key, Value []byte
	Page, End  int
}

// Revisions are the records of the healthy file, in no order.
func (f *File) Revisions() []Revision {
	var list []Revision
	for _, t := range f.leaves {
		if t.inline {
			continue
		}
		end := t.off + (int(f.u32(t.off+12))+1)*f.pageSize
		for i := range t.n {
			e := t.element(i)
			key, ksize, vsize := e+int(f.u32(e+4)), int(f.u32(e+8)), int(f.u32(e+12))
			if (ksize == 17 || ksize == 18) && f.data[key+8] == '_' {
				list = append(list, Revision{f.data[key : key+ksize], f.data[key+ksize : key+ksize+vsize], t.off, end})
			}
		}
	}
	return list
}
