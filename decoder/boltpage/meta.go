package boltpage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
)

const (
	pageHeaderSize = 16
	metaSize       = 64
	metaMagic      = 0xED0CDAED
	metaVersion    = 2
	// NoFreelist is the freelist page id of a file whose free pages are not
	// listed but are simply those not reachable, as etcd has it (bbolt
	// Options.NoFreelistSync).
	NoFreelist = 1<<64 - 1

	minPageSize = 512
	maxPageSize = 32 << 20
)

// Meta is one of the two meta pages. The valid one with the higher TxID is the
// state of the file.
type Meta struct {
	Page      uint64 // 0 or 1
	PageSize  uint32 // bytes
	Root      uint64 // page of the root bucket
	Sequence  uint64 // of the root bucket
	Freelist  uint64 // page of the list of free pages, or NoFreelist
	HighWater uint64 // one past the highest page in use
	TxID      uint64 // transaction that wrote it
	Problem   string // why it is invalid, "" when it is valid
}

// Valid says whether magic, version, checksum and page size are right. The page ids
// may still be wrong.
func (m Meta) Valid() bool { return m.PageSize != 0 && m.Problem == "" }

// Size is the size in bytes that bbolt reports for this state (Tx.Size), which
// can be less than that of the file.
func (m Meta) Size() int64 { return int64(m.HighWater) * int64(m.PageSize) }

// Metas returns both meta pages, valid or not.
func (f *File) Metas() [2]Meta { return f.metas }

// TwoStates says whether the two meta pages show two states, as those of a db that is
// written to do; those of a copy show one.
func (f *File) TwoStates() bool {
	a, b := f.metas[0], f.metas[1]
	return a.Valid() && b.Valid() && (a.Root != b.Root || a.Freelist != b.Freelist)
}

// MetasChanged says whether a meta page is not what it was when the file was
// opened: somebody commits to it.
func (f *File) MetasChanged() (changed bool) {
	err := f.guard(func() {
		for _, m := range f.metas {
			at := int64(m.Page) * int64(m.PageSize)
			if m.Valid() && (at >= f.Size() || parseMeta(f.data[at:], m.Page) != m) {
				changed = true
			}
		}
	})
	return changed || err != nil
}

// Meta returns the meta page in use. Where it was of no use, its fields are those that
// were found instead.
func (f *File) Meta() Meta { return f.meta }

// readMetas finds the page size and reads both meta pages. The second one is found
// without the first as bbolt does (db.go getPageSizeFromSecondMeta): by trying the
// powers of two.
func (f *File) readMetas() {
	f.metas[0] = parseMeta(f.data, 0)
	f.metas[1] = Meta{Page: 1, Problem: "not found"}
	if f.metas[0].Valid() {
		f.metas[1] = parseMeta(f.data[min(int(f.metas[0].PageSize), len(f.data)):], 1)
		if f.metas[1].Valid() && f.metas[1].PageSize != f.metas[0].PageSize {
			f.metas[1].Problem = fmt.Sprintf("page size %d where the first meta page has %d", f.metas[1].PageSize, f.metas[0].PageSize)
		}
	} else {
		for size := minPageSize; size <= maxPageSize && size < len(f.data); size *= 2 {
			m := parseMeta(f.data[size:], 1)
			if m.Valid() && int(m.PageSize) == size {
				f.metas[1] = m
				break
			}
		}
	}
}

// newestMeta is the valid meta page of the last transaction; ok is false when there
// is none.
func (f *File) newestMeta() (newest Meta, ok bool) {
	for _, m := range f.metas {
		if m.Valid() && (!ok || m.TxID > newest.TxID) {
			newest, ok = m, true
		}
	}
	return newest, ok
}

// parseMeta reads the meta page at the start of data. It asks what bbolt asks
// (internal/common/meta.go Validate), and for a page size that can be.
func parseMeta(data []byte, page uint64) Meta {
	m := Meta{Page: page}
	if len(data) < pageHeaderSize+metaSize {
		m.Problem = "cut off"
		return m
	}
	b := data[pageHeaderSize : pageHeaderSize+metaSize]
	le := binary.LittleEndian
	switch magic := le.Uint32(b); {
	case magic == metaMagic:
	case binary.BigEndian.Uint32(b) == metaMagic:
		m.Problem = "written on a big-endian machine"
		return m
	default:
		m.Problem = fmt.Sprintf("magic number %08x is not bbolt's", magic)
		return m
	}
	m.PageSize = le.Uint32(b[8:])
	m.Root = le.Uint64(b[16:])
	m.Sequence = le.Uint64(b[24:])
	m.Freelist = le.Uint64(b[32:])
	m.HighWater = le.Uint64(b[40:])
	m.TxID = le.Uint64(b[48:])
	sum := fnv.New64a()
	sum.Write(b[:56])
	switch {
	case le.Uint32(b[4:]) != metaVersion:
		m.Problem = fmt.Sprintf("format version %d is not %d", le.Uint32(b[4:]), metaVersion)
	case sum.Sum64() != le.Uint64(b[56:]):
		m.Problem = "checksum does not match"
	case m.PageSize < minPageSize || m.PageSize > maxPageSize || m.PageSize&(m.PageSize-1) != 0:
		m.Problem = fmt.Sprintf("page size %d is not a power of two from %d to %d", m.PageSize, minPageSize, maxPageSize)
	}
	return m
}

// compareMetas reports a damaged meta page, and two that cannot both come from
// bbolt: every commit raises TxID by one, and a copy (bbolt Tx.WriteTo, which
// `etcdctl snapshot save` uses) writes the same state twice, the second time
// with TxID less one. A commit goes to the page of its TxID's parity: the first one to
// a copy may overwrite the newer of the two, and leaves one that is older by two.
func (f *File) compareMetas() {
	for _, m := range f.metas {
		if m.Valid() {
			f.checkMetaHeader(m)
			continue
		}
		detail := fmt.Sprintf("meta page %d: %s", m.Page, m.Problem)
		if !f.searched {
			detail += "; the state read is that of the other one, which may be older"
		}
		f.report(Anomaly{Page: m.Page, Kind: BadMeta, Detail: detail, Lost: -1})
	}
	a, b := f.metas[0], f.metas[1]
	if !a.Valid() || !b.Valid() {
		return
	}
	firstOfCopy := a.TxID-b.TxID == 2 && a.TxID%2 == 0
	if a.TxID-b.TxID != 1 && b.TxID-a.TxID != 1 && !firstOfCopy {
		f.report(Anomaly{Page: f.meta.Page, Kind: BadMeta, Detail: fmt.Sprintf("transactions %d and %d do not follow one another", a.TxID, b.TxID), Lost: -1})
	}
	switch same := !f.TwoStates(); {
	case same && (a.HighWater != b.HighWater || a.Sequence != b.Sequence):
		f.report(Anomaly{Page: f.meta.Page, Kind: BadMeta, Detail: "the two meta pages name the same root but not the same size", Lost: -1})
	case !same && f.pages == f.meta.HighWater:
		f.report(Anomaly{Page: f.meta.Page, Kind: OtherMeta, Detail: "the two meta pages name different roots, as in a member's own db, although the file has the size of a copy that etcd makes; the newer one is read"})
	}
}

// settleHighWater looks for pages past the high-water mark. bbolt grows a file ahead
// with zeros and the mark only rises, so a page that was written there shows that the
// mark is too low. Then, and where it cannot be at all, the pages that are there count.
func (f *File) settleHighWater(ctx context.Context) {
	mark := f.meta.HighWater
	bad := func(page uint64, format string, args ...any) {
		f.report(Anomaly{Page: page, Kind: BadMeta, Detail: fmt.Sprintf(format, args...), Lost: -1})
	}
	switch other := f.metas[1-f.meta.Page]; {
	case mark >= 1<<63/uint64(f.meta.PageSize):
		f.meta.HighWater, f.fixed = f.pages, true
		bad(f.meta.Page, "high-water mark %d is impossible; all %d pages of the file are read", mark, f.pages)
		return
	case mark > f.pages && other.Valid() && other.Root == f.meta.Root && other.HighWater <= f.pages:
		f.meta.HighWater, f.fixed = other.HighWater, true // compareMetas reports it
	}
	for id := min(mark, f.pages) - 1; mark > 2 && mark < f.pages && id >= 2 && (mark-id)*uint64(f.meta.PageSize) <= maxHole; id-- {
		if !f.named(id) {
			continue
		}
		h := parseHeader(f.data[id*uint64(f.meta.PageSize):])
		if end := id + uint64(h.overflow) + 1; end > mark && end <= f.pages {
			f.meta.HighWater, f.fixed = end, true
			bad(id, "page extends past the high-water mark %d", mark)
		}
		break
	}
	data := f.sparse
	for id := max(mark, 2); id < f.pages; id++ {
		var ok bool
		if id, ok = f.nextData(&data, id); !ok || id >= f.pages || id%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		h := parseHeader(f.data[id*uint64(f.meta.PageSize):])
		if h.id != id {
			continue
		}
		switch h.flags {
		case flagBranch, flagLeaf, flagFreelist:
			if !f.fixed {
				f.fixed = true
				bad(id, "page was written although it lies past the high-water mark %d", mark)
			}
			f.meta.HighWater = max(f.meta.HighWater, id+min(uint64(h.overflow)+1, f.pages-id))
		}
	}
	if f.meta.HighWater < 3 {
		f.meta.HighWater, f.fixed = f.pages, true
		bad(f.meta.Page, "high-water mark %d is impossible; all %d pages of the file are read", mark, f.pages)
	}
}

// checkEvery is after how many pages a pass looks whether it is to stop.
const checkEvery = 1 << 10

// nextData is the first page from id on that is not in a hole; ok is false when there
// is none.
func (f *File) nextData(data *Sparse, id uint64) (page uint64, ok bool) {
	size := uint64(f.meta.PageSize)
	off, ok := data.Next(int64(id * size))
	return uint64(off) / size, ok
}

// checkMetaHeader looks at the page header before a meta, which bbolt writes
// but does not read.
func (f *File) checkMetaHeader(m Meta) {
	f.reportFault(f.guard(func() {
		h := parseHeader(f.data[m.Page*uint64(f.meta.PageSize):])
		if h.id != m.Page || h.flags != flagMeta {
			f.report(Anomaly{Page: m.Page, Kind: BadMeta, Detail: fmt.Sprintf("page header says page %d with flags %#x", h.id, h.flags)})
		}
	}))
}

// noMeta says what is wrong with both meta pages.
func (f *File) noMeta() error {
	return fmt.Errorf("%w: page 0: %s; page 1: %s", ErrNoMeta, f.metas[0].Problem, f.metas[1].Problem)
}

// reportFault records the page that vanished when err says that one did.
func (f *File) reportFault(err error) {
	if err == nil {
		return // as almost always
	}
	var fault *FaultError
	if errors.As(err, &fault) {
		f.report(Anomaly{Page: fault.Page, Kind: Fault, Detail: "vanished while it was read", Lost: -1})
	}
}
