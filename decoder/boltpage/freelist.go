package boltpage

import (
	"context"
	"encoding/binary"
	"fmt"
)

// Usage counts the pages of the file by what they are used for.
type Usage struct {
	Meta        uint64 // always 2
	Tree        uint64 // part of a bucket, overflow pages included; of nested buckets those that were opened and read
	Freelist    uint64 // the pages that hold the list of free pages
	Free        uint64 // listed as free; with NoFreelist, all that are in no bucket
	Unreachable uint64 // neither in use nor free, which bbolt never leaves behind
	Beyond      uint64 // past the high-water mark: the file was grown ahead, or bytes were appended
}

// Usage counts the pages below the high-water mark that the file holds. The
// first call reads the header of every leaf page. The error is ctx's.
func (f *File) Usage(ctx context.Context) (Usage, error) {
	for _, b := range f.buckets { // marks the overflow pages
		if _, err := b.Len(ctx); err != nil {
			return Usage{}, err
		}
	}
	if _, err := f.root.Len(ctx); err != nil {
		return Usage{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := Usage{Meta: 2, Beyond: f.pages - f.limit(), Freelist: f.freelistPages}
	used, _ := f.used.count(nil)
	_, u.Free = f.free.count(f.used)
	u.Tree = used - u.Freelist
	u.Unreachable = max(f.limit(), 2) - 2 - used - u.Free
	if f.meta.Freelist == NoFreelist {
		u.Free, u.Unreachable = u.Unreachable, 0
	}
	return u, nil
}

// readFreelist checks the list of free pages and marks its own pages as used
// (bbolt internal/freelist shared.go Read). It runs before any tree is walked.
func (f *File) readFreelist(ctx context.Context) {
	if f.meta.Freelist == NoFreelist {
		return
	}
	f.reportFault(f.guard(func() { f.parseFreelist(ctx) }))
}

func (f *File) parseFreelist(ctx context.Context) {
	id := f.meta.Freelist
	bad := func(format string, args ...any) {
		f.report(Anomaly{Page: id, Kind: BadFreelist, Detail: fmt.Sprintf(format, args...)})
	}
	if id >= f.limit() {
		bad("freelist page lies beyond the end of the file")
		return
	}
	data := f.data[id*uint64(f.meta.PageSize):]
	h := parseHeader(data)
	if h.id != id || h.flags != flagFreelist {
		bad("freelist page has id %d and flags %#x", h.id, h.flags)
		return
	}
	pages := f.withoutHoles(id, min(uint64(h.overflow)+1, f.limit()-id))
	data = data[pageHeaderSize : pages*uint64(f.meta.PageSize)]
	count := uint64(h.count)
	if h.count == 0xFFFF { // the real count is the first entry
		count = binary.LittleEndian.Uint64(data)
		data = data[8:]
	}
	fit := count <= uint64(len(data)/8)
	if fit { // bbolt allocates a page more than the list fills; any further ones are not its own
		filled := (pageHeaderSize + 8 + 8*count) / uint64(f.meta.PageSize)
		pages = min(pages, filled+2)
	} else {
		pages = 1
	}
	f.freelistPages = pages
	f.heads.set(id)
	for i := range pages {
		f.used.set(id + i)
	}
	if !fit {
		bad("%d free pages do not fit the list's %d bytes", count, len(data))
		return
	}
	last, before := uint64(1), f.anomalies.total
	for i := range count {
		if f.anomalies.total-before > maxAnomalies || i%checkEvery == 0 && ctx.Err() != nil {
			return
		}
		free := binary.LittleEndian.Uint64(data[i*8:])
		switch {
		case free < 2 || free >= f.meta.HighWater:
			bad("free page %d lies outside the file", free)
			continue
		case free <= last:
			bad("free pages %d and %d are out of order", last, free)
		case f.used.has(free):
			bad("page %d is listed as free but holds the list", free)
		}
		last = free
		if free < f.limit() {
			f.free.set(free)
		}
	}
}
