package boltpage

import (
	"encoding/binary"
	"fmt"
)

// freelist is the file's own list of free pages, when it has one.
type freelist struct {
	ids []uint64
}

// Usage counts the pages of the file by what they are used for.
type Usage struct {
	Meta        uint64 // always 2
	Tree        uint64 // reached from the root, overflow pages included; nested buckets once they were opened
	Freelist    uint64 // the pages that hold the list of free pages
	Free        uint64 // listed as free; with NoFreelist, all that are unreachable
	Unreachable uint64 // neither reached nor free, which bbolt never leaves behind
	Beyond      uint64 // past the high-water mark: the file was grown ahead, or bytes were appended
}

// Usage counts the pages below the high-water mark that the file holds.
func (f *File) Usage() Usage {
	f.mu.Lock()
	defer f.mu.Unlock()
	total := min(f.pages, f.meta.HighWater)
	u := Usage{Meta: 2, Beyond: f.pages - total}
	free := newBitmap(total)
	for _, id := range f.freelist.ids {
		free.set(id)
	}
	list := f.freelistExtent()
	for id := uint64(2); id < total; id++ {
		switch {
		case f.visited.has(id):
			u.Tree++
		case id >= f.meta.Freelist && id < f.meta.Freelist+list:
			u.Freelist++
		case free.has(id) || f.meta.Freelist == NoFreelist:
			u.Free++
		default:
			u.Unreachable++
		}
	}
	return u
}

// freelistExtent is the number of pages the freelist itself takes.
func (f *File) freelistExtent() (n uint64) {
	if f.meta.Freelist == NoFreelist || f.meta.Freelist >= min(f.pages, f.meta.HighWater) {
		return 0
	}
	err := f.guard(func() {
		n = uint64(parseHeader(f.data[f.meta.Freelist*uint64(f.meta.PageSize):]).overflow) + 1
	})
	if err != nil {
		return 0
	}
	return min(n, min(f.pages, f.meta.HighWater)-f.meta.Freelist)
}

// readFreelist checks the list of free pages (bbolt internal/freelist
// shared.go Read): its ids lie inside the file, ascend, and name no page in
// use.
func (f *File) readFreelist() {
	if f.meta.Freelist == NoFreelist {
		return
	}
	if err := f.guard(f.parseFreelist); err != nil {
		f.reportFault(err)
	}
}

func (f *File) parseFreelist() {
	id := f.meta.Freelist
	bad := func(format string, args ...any) {
		f.report(Anomaly{Page: id, Kind: BadFreelist, Detail: fmt.Sprintf(format, args...)})
	}
	total := min(f.pages, f.meta.HighWater)
	if id >= total {
		bad("freelist page lies beyond the end of the file")
		return
	}
	if f.visited.has(id) {
		bad("freelist page is in use by a bucket")
	}
	data := f.data[id*uint64(f.meta.PageSize):]
	h := parseHeader(data)
	if h.id != id || h.flags != flagFreelist {
		bad("freelist page has id %d and flags %#x", h.id, h.flags)
		return
	}
	extent := min(uint64(h.overflow)+1, total-id)
	data = data[pageHeaderSize : extent*uint64(f.meta.PageSize)]
	count := uint64(h.count)
	if h.count == 0xFFFF { // the real count is the first entry
		count = binary.LittleEndian.Uint64(data)
		data = data[8:]
	}
	if count > uint64(len(data)/8) {
		bad("%d free pages do not fit the list's %d bytes", count, len(data))
		return
	}
	ids := make([]uint64, 0, count)
	for i := range count {
		free := binary.LittleEndian.Uint64(data[i*8:])
		switch {
		case free < 2 || free >= f.meta.HighWater:
			bad("free page %d lies outside the file", free)
			continue
		case len(ids) > 0 && free <= ids[len(ids)-1]:
			bad("free pages %d and %d are out of order", ids[len(ids)-1], free)
		case f.visited.has(free):
			bad("page %d is listed as free but in use", free)
		}
		if free < total {
			ids = append(ids, free)
		}
	}
	f.freelist.ids = ids
}
