package boltpage

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10

	branchElementSize = 16
	leafElementSize   = 16
	bucketHeaderSize  = 16
	bucketElementFlag = 0x01
)

type header struct {
	id       uint64
	flags    uint16
	count    uint16
	overflow uint32
}

// parseHeader wants at least pageHeaderSize bytes.
func parseHeader(b []byte) header {
	le := binary.LittleEndian
	return header{id: le.Uint64(b), flags: le.Uint16(b[8:]), count: le.Uint16(b[10:]), overflow: le.Uint32(b[12:])}
}

// page is the bytes of a page with its overflow, whose header was checked.
type page struct {
	header
	data []byte
}

// claim checks the page id as a node of the tree and marks it reached, so that
// a second claim of the same page is an anomaly. ok says whether it can be used.
func (f *File) claim(id uint64) (p page, ok bool) {
	if id < 2 || id >= f.meta.HighWater {
		f.report(Anomaly{Page: id, Kind: OutOfRange, Detail: fmt.Sprintf("page id outside 2 to %d", f.meta.HighWater-1), Lost: -1})
		return page{}, false
	}
	if id >= f.pages {
		f.report(Anomaly{Page: id, Kind: Truncated, Detail: "page lies beyond the end of the file", Lost: -1})
		return page{}, false
	}
	if f.claimed(id) {
		f.report(Anomaly{Page: id, Kind: Shared, Detail: "page is reached a second time", Lost: -1})
		return page{}, false
	}
	data := f.data[id*uint64(f.meta.PageSize):]
	h := parseHeader(data)
	switch {
	case h.id != id:
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: fmt.Sprintf("page says it is page %d", h.id), Lost: -1})
		return page{}, false
	case h.flags != flagBranch && h.flags != flagLeaf:
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: fmt.Sprintf("page flags %#x are neither branch nor leaf", h.flags), Lost: -1})
		return page{}, false
	}
	// A wrong overflow makes the page shorter or longer than its elements; the
	// check of each element against the page then finds it.
	room := min(f.pages, f.meta.HighWater) - id
	extent := uint64(h.overflow) + 1
	if extent > room {
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: fmt.Sprintf("page spans %d pages where %d are left", extent, room), Lost: -1})
		extent = room
	}
	p = page{header: h, data: data[:extent*uint64(f.meta.PageSize)]}
	if table := pageHeaderSize + int(h.count)*leafElementSize; table > len(p.data) {
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: fmt.Sprintf("%d elements do not fit the page", h.count), Lost: -1})
		p.count = uint16((len(p.data) - pageHeaderSize) / leafElementSize)
	}
	if overlap, ok := f.mark(id, extent); !ok {
		f.report(Anomaly{Page: id, Kind: Shared, Detail: fmt.Sprintf("page overlaps page %d, which is in use", overlap), Lost: -1})
	}
	return p, true
}

func (f *File) claimed(id uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.visited.has(id)
}

func (f *File) mark(id, extent uint64) (overlap uint64, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ok = true
	for i := id; i < id+extent; i++ {
		if ok && f.visited.has(i) {
			overlap, ok = i, false
		}
		f.visited.set(i)
	}
	return overlap, ok
}

// element is a leaf or branch element whose bytes were checked to lie inside
// its page.
type element struct {
	flags uint32
	child uint64 // branch only
	key   []byte
	value []byte // leaf only
	off   int    // of the value, from the start of the page
}

// elements steps through the elements of a page in order and checks each: its
// bytes lie inside the page, right behind those of the element before, as
// bbolt writes them (internal/common/inode.go WriteInodeToPage), and its key
// is greater than the one before.
type elements struct {
	page    page
	next    int    // index of the next element
	end     int    // where the data of the last element ended
	lastKey []byte // key of the last element
	report  func(kind Kind, lost int, format string, args ...any)
}

func newElements(p page, report func(kind Kind, lost int, format string, args ...any)) elements {
	return elements{page: p, end: pageHeaderSize + int(p.count)*leafElementSize, report: report}
}

// step returns the next readable element; ok is false at the end.
func (e *elements) step() (el element, ok bool) {
	for e.next < int(e.page.count) {
		i := e.next
		e.next++
		if el, ok = e.read(i); ok {
			return el, true
		}
	}
	return element{}, false
}

func (e *elements) read(i int) (el element, ok bool) {
	at := pageHeaderSize + i*leafElementSize
	b := e.page.data[at : at+leafElementSize]
	le := binary.LittleEndian
	var pos, ksize, vsize uint64
	if e.page.flags == flagLeaf {
		el.flags = le.Uint32(b)
		pos, ksize, vsize = uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[8:])), uint64(le.Uint32(b[12:]))
	} else {
		pos, ksize, el.child = uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), le.Uint64(b[8:])
	}
	start := uint64(at) + pos
	if start+ksize+vsize > uint64(len(e.page.data)) {
		e.report(BadElement, 1, "element %d lies outside the page", i)
		return element{}, false
	}
	if int(start) != e.end {
		e.report(BadPacking, 0, "element %d starts at byte %d of the page, not at %d", i, start, e.end)
	}
	el.off = int(start + ksize)
	e.end = int(start + ksize + vsize)
	el.key = e.page.data[start : start+ksize : start+ksize]
	el.value = e.page.data[el.off:e.end:e.end]
	switch {
	case ksize == 0:
		e.report(BadElement, 1, "element %d has an empty key", i)
		return element{}, false
	case el.flags&^bucketElementFlag != 0:
		e.report(BadElement, 0, "element %d has unknown flags %#x", i, el.flags)
	}
	if e.lastKey != nil && bytes.Compare(e.lastKey, el.key) >= 0 {
		e.report(BadOrder, 0, "the key of element %d is not greater than the one before", i)
	}
	e.lastKey = el.key
	return el, true
}

// tail is how many bytes behind the last element are looked at.
const tail = 16

// checkEnd holds the page's extent against what its elements need: bbolt gives
// a page as many overflow pages as they fill (tx.go allocate), old versions of
// it one more when they fill the last one to the brim, and it starts from
// zeroed memory, so zeros follow the last element.
func (e *elements) checkEnd(pageSize int) {
	for _, c := range e.page.data[e.end:min(e.end+tail, len(e.page.data))] {
		if c != 0 {
			e.report(BadPacking, 0, "bytes follow the last element")
			break
		}
	}
	full := e.end / pageSize
	if e.end%pageSize != 0 {
		full++
	}
	if extent := len(e.page.data) / pageSize; extent > full+1 || (extent == full+1 && e.end%pageSize != 0) {
		e.report(BadPacking, 0, "page spans %d pages, its elements fill %d", extent, full)
	}
}
