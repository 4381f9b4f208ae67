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

	elementSize       = 16 // of branch and leaf elements alike
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

// limit is one past the last page that can be used: the file may end early.
func (f *File) limit() uint64 { return min(f.pages, f.meta.HighWater) }

// claim marks a page as part of a tree. It refuses one that cannot be, or that
// is part of one already.
func (f *File) claim(id uint64) bool { return len(f.claimAll([]child{{id: id}})) == 1 }

// claimAll claims pages in order and returns those that it did not refuse.
func (f *File) claimAll(children []child) []child {
	f.mu.Lock()
	defer f.mu.Unlock()
	claimed := children[:0]
	for _, c := range children {
		switch id := c.id; {
		case id < 2 || id >= f.meta.HighWater:
			f.anomalies.add(Anomaly{Page: id, Kind: OutOfRange, Detail: fmt.Sprintf("page id outside 2 to %d", f.meta.HighWater-1), Lost: -1})
		case id >= f.pages:
			f.anomalies.add(Anomaly{Page: id, Kind: Truncated, Detail: "page lies beyond the end of the file", Lost: -1})
		case f.used.has(id):
			f.anomalies.add(Anomaly{Page: id, Kind: Shared, Detail: "page is reached a second time", Lost: -1})
		default:
			f.use(id)
			f.heads.set(id)
			claimed = append(claimed, c)
		}
	}
	return claimed
}

// use marks a page; f.mu is held.
func (f *File) use(id uint64) {
	f.used.set(id)
	if f.free.has(id) {
		f.anomalies.add(Anomaly{Page: id, Kind: BadFreelist, Detail: "page is in use but listed as free"})
	}
}

// span returns how many pages the node at id has to itself: up to the next page that
// is one of a tree or of the freelist, extent at most. Nodes that share no page cannot
// stand for more bytes than there are. The first time it marks the overflow pages.
func (f *File) span(id, extent uint64) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	shared := func(page uint64) {
		f.anomalies.add(Anomaly{Page: id, Kind: Shared, Detail: fmt.Sprintf("page spans page %d, which is in use", page), Lost: -1})
	}
	first := !f.spanned.has(id)
	end := id + extent
	for page := f.heads.nextSet(id+1, end); page < end; page = f.heads.nextSet(page+1, end) {
		if first {
			shared(page)
		}
		if f.named(page) {
			end = page
		}
	}
	if first {
		f.spanned.set(id)
		for page := id + 1; page < end; page++ {
			if !f.used.has(page) {
				f.use(page)
			}
		}
	}
	return end - id
}

// isLeaf says whether the page is that of a leaf. It does not look for its overflow
// pages, which are known once all pages of the trees are.
func (f *File) isLeaf(id uint64) bool {
	h := parseHeader(f.data[id*uint64(f.meta.PageSize):])
	return h.id == id && h.flags == flagLeaf
}

// named says whether the page has the header of one that begins there. Where a damaged
// page id leads into the middle of a node it has not.
func (f *File) named(id uint64) bool {
	h := parseHeader(f.data[id*uint64(f.meta.PageSize):])
	return h.id == id && (h.flags == flagBranch || h.flags == flagLeaf || h.flags == flagFreelist)
}

// maxHole is the longest hole, in bytes, that a node or the freelist may have: no
// value of etcd's has more zeros.
const maxHole = 16 << 20

// withoutHoles returns how many of so many pages from id on stand before a hole that
// is too long.
func (f *File) withoutHoles(id, pages uint64) uint64 {
	size := int64(f.meta.PageSize)
	off, end := int64(id)*size, int64(id+pages)*size
	for data := f.sparse; data.file != nil && end-off > maxHole; off = data.to {
		next, ok := data.Next(off)
		if !ok || next-off > maxHole {
			return uint64((off+size-1)/size) - id
		}
	}
	return pages
}

// node returns the page id, which was claimed, as a node of a tree. Every
// number in its header is bounded by what the file holds.
func (f *File) node(id uint64) (p page, ok bool) { return f.nodeOf(id, nil) }

// nodeOf is node for a page of which head is a copy without overflow pages, or nil.
// What spans several pages is read from the map.
func (f *File) nodeOf(id uint64, head []byte) (p page, ok bool) {
	data := f.data[id*uint64(f.meta.PageSize):]
	if head == nil {
		head = data
	}
	h := parseHeader(head)
	bad := func(format string, args ...any) {
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: fmt.Sprintf(format, args...), Lost: -1})
	}
	switch {
	case h.id != id:
		bad("page says it is page %d", h.id)
		return page{}, false
	case h.flags != flagBranch && h.flags != flagLeaf:
		bad("page flags %#x are neither branch nor leaf", h.flags)
		return page{}, false
	}
	extent := uint64(h.overflow) + 1
	if room := f.limit() - id; extent > room {
		bad("page spans %d pages where %d are left", extent, room)
		extent = room
	}
	if extent > 1 {
		if filled := f.filled(id, h, extent); extent > filled+1 {
			f.report(Anomaly{Page: id, Kind: BadPacking, Detail: fmt.Sprintf("page spans %d pages, its elements fill %d", extent, filled)})
			extent = filled
		}
	}
	if filled := f.withoutHoles(id, extent); filled < extent {
		bad("page spans %d pages, of which those from page %d on are a hole", extent, id+filled)
		extent = max(filled, 1)
	}
	if extent > 1 {
		extent = f.span(id, extent)
		head = data
	}
	p = page{header: h, data: head[:extent*uint64(f.meta.PageSize)]}
	if pageHeaderSize+int(h.count)*elementSize > len(p.data) {
		bad("%d elements do not fit the page", h.count)
		p.count = uint16((len(p.data) - pageHeaderSize) / elementSize)
	}
	return p, true
}

// filled is how many pages the elements of the page reach over, of so many that it spans,
// at least one. Where an element lies outside them it is all.
func (f *File) filled(id uint64, h header, extent uint64) uint64 {
	size := uint64(f.meta.PageSize)
	p := page{header: h, data: f.data[id*size:][:extent*size]}
	if pageHeaderSize+int(p.count)*elementSize > len(p.data) {
		return extent
	}
	end := pageHeaderSize + int(p.count)*elementSize
	for i := range int(p.count) {
		el, ok := p.parseElement(i)
		if !ok {
			return extent
		}
		end = max(end, el.end)
	}
	return max(1, (uint64(end)+size-1)/size)
}

// element says where the key and the value of a leaf element stand in its page, or
// the key of a branch element. Offsets count from the start of the page.
type element struct {
	start int    // of the key
	off   int    // of the value, where the key ends
	end   int    // of the value; of a branch element as off
	word  uint64 // the flags of a leaf element, the page that a branch element names
}

func (p *page) key(el element) []byte   { return p.data[el.start:el.off:el.off] }
func (p *page) value(el element) []byte { return p.data[el.off:el.end:el.end] }

// parseElement reads the i-th element of a page, which p.count bounds. ok is false
// when the element does not lie inside the page: then only start can be used.
func (p *page) parseElement(i int) (el element, ok bool) {
	at := pageHeaderSize + i*elementSize
	b := p.data[at : at+elementSize]
	le := binary.LittleEndian
	var pos, ksize, vsize uint32
	var word uint64
	if p.flags == flagLeaf {
		word, pos, ksize, vsize = uint64(le.Uint32(b)), le.Uint32(b[4:]), le.Uint32(b[8:]), le.Uint32(b[12:])
	} else {
		pos, ksize, word = le.Uint32(b), le.Uint32(b[4:]), le.Uint64(b[8:])
	}
	start := at + int(pos)
	off := start + int(ksize)
	end := off + int(vsize)
	return element{start: start, off: off, end: end, word: word}, end <= len(p.data)
}

// elements steps through the elements of a page in order and checks each: its
// bytes lie inside the page, right after those of the element before, as
// bbolt writes them (internal/common/inode.go WriteInodeToPage), and its key
// is greater than the one before.
type elements struct {
	file    *File // takes the anomalies; nil for none
	id      uint64
	page    page
	next    int    // index of the next element
	end     int    // where the data of the last element ended
	taken   bool   // the element before next was readable
	loose   bool   // and it does not end where the one after it starts
	room    int    // how many more bytes of data the page can hold
	lastKey []byte // key of the last element
}

// elements returns the elements of p, whose anomalies are those of the page id.
func (f *File) elements(p page, id uint64) elements {
	table := pageHeaderSize + int(p.count)*elementSize
	return elements{file: f, id: id, page: p, end: table, room: len(p.data) - table}
}

// report takes an anomaly; lost counts the items it costs.
func (e *elements) report(kind Kind, lost int, format string, args ...any) {
	if e.file == nil {
		return
	}
	if lost > 0 && e.page.flags == flagBranch {
		lost = -1 // an unreadable branch element loses everything below it
	}
	e.file.report(Anomaly{Page: e.id, Kind: kind, Detail: fmt.Sprintf(format, args...), Lost: lost})
}

// step returns the next readable element; ok is false at the end. loose then says
// that the one returned before it does not end where what follows it starts.
func (e *elements) step() (el element, ok bool) {
	e.loose = false
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
	el, ok = e.page.parseElement(i)
	e.loose = e.loose || e.taken && el.start != e.end
	e.taken = false
	if !ok {
		e.report(BadElement, 1, "element %d lies outside the page", i)
		return element{}, false
	}
	// Elements that share bytes must not make a small page stand for a large one.
	if e.room -= el.end - el.start; e.room < 0 {
		e.report(BadElement, 1, "element %d is more than the page can hold", i)
		return element{}, false
	}
	if el.start != e.end {
		e.report(BadPacking, 0, "element %d starts at byte %d of the page, not at %d", i, el.start, e.end)
	}
	e.end = el.end
	if el.off == el.start {
		e.report(BadElement, 1, "element %d has an empty key", i)
		return element{}, false
	}
	if e.page.flags == flagLeaf && el.word&^bucketElementFlag != 0 {
		e.report(BadElement, 0, "element %d has unknown flags %#x", i, el.word)
	}
	key := e.page.key(el)
	if e.lastKey != nil && bytes.Compare(e.lastKey, key) >= 0 {
		e.report(BadOrder, 0, "the key of element %d is not greater than the one before", i)
	}
	e.lastKey = key
	e.taken = true
	return el, true
}

// maxItems is how many items are handed over at a time, at most: they take several
// times the bytes that a small element does.
const maxItems = 1 << 12

// items appends the readable elements of a leaf page that starts at an offset in
// bytes from the start of the file. Where the list is full, full makes room; nil lets
// it grow.
func (e *elements) items(list []Item, page uint64, start int64, full func([]Item) []Item) []Item {
	for {
		el, ok := e.step()
		if e.loose {
			list[len(list)-1].Loose = true
		}
		if !ok {
			break
		}
		if full != nil && len(list) == maxItems {
			list = full(list)
		}
		list = append(list, Item{})
		it := &list[len(list)-1]
		it.Key, it.Value = e.page.key(el), e.page.value(el)
		it.Bucket = el.word&bucketElementFlag != 0
		it.Page, it.Offset = page, start+int64(el.off)
	}
	if e.taken && e.followed() {
		list[len(list)-1].Loose = true
	}
	return list
}

// tail is how many bytes after the last element are looked at.
const tail = 16

// followed says whether bytes other than zeros follow the last element. It is
// asked of every page.
func (e *elements) followed() bool {
	for _, c := range e.page.data[e.end:min(e.end+tail, len(e.page.data))] {
		if c != 0 {
			return true
		}
	}
	return false
}

// checkEnd holds the page's extent against what its elements need: bbolt gives
// a page as many overflow pages as they fill (tx.go allocate), old versions of
// it one more when they fill the last one to the brim, and it starts from
// zeroed memory, so zeros follow the last element.
func (e *elements) checkEnd(pageSize int) {
	if e.followed() {
		e.report(BadPacking, 0, "bytes follow the last element")
	}
	full := e.end / pageSize
	if e.end%pageSize != 0 {
		full++
	}
	if extent := len(e.page.data) / pageSize; extent > full+1 || (extent == full+1 && e.end%pageSize != 0) {
		e.report(BadPacking, 0, "page spans %d pages, its elements fill %d", extent, full)
	}
}
