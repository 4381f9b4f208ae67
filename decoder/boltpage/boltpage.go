package boltpage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"unsafe"
)

// Errors that say why nothing at all can be read from a file.
var (
	// ErrEmpty says that the file has no bytes.
	ErrEmpty = errors.New("file is empty")
	// ErrNoMeta says that neither meta page is valid, so there is no way in.
	ErrNoMeta = errors.New("no valid meta page")
)

// File is one bbolt file. Its methods are safe for concurrent use until Close.
type File struct {
	data    []byte
	raw     io.ReaderAt // the same bytes, to copy pages from; nil for none
	sparse  Sparse      // where there is data; copied by those who step through it
	unmap   func() error
	metas   [2]Meta
	meta    Meta   // the one in use
	pages   uint64 // whole pages that the file holds
	root    *Bucket
	buckets map[string]*Bucket

	searched bool // no meta page leads to the root that is read
	fellBack bool // the newest meta page does not, and the other one does
	fixed    bool // another field of the meta in use is not what the file says

	keyRoot   uint64 // of the bucket key, instead of what its entry says; 0 for none
	misplaced bool   // that root is a part of another tree

	free          bitmap // pages listed as free
	freelistPages uint64 // pages that hold that list

	mu        sync.Mutex // guards what follows
	used      bitmap     // pages of the trees and of the freelist, overflow pages included
	heads     bitmap     // those of them that begin a node or the freelist
	spanned   bitmap     // heads whose overflow pages are marked in used
	anomalies anomalyList
}

// Open maps the file f read-only and reads its structure. It reads f's size
// once: bytes appended later are not seen. f is read from until Close, and not
// closed by it.
// The error is ErrEmpty, ErrNoMeta, a *FaultError, ctx's, or what mapping said.
func Open(ctx context.Context, f *os.File) (*File, error) { return open(ctx, f, nil) }

func open(ctx context.Context, f *os.File, k *kept) (*File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, ErrEmpty
	}
	if info.Size() != int64(int(info.Size())) {
		return nil, fmt.Errorf("map %s: %d bytes do not fit the address space", f.Name(), info.Size())
	}
	data, unmap, err := mapFile(f, int(info.Size()))
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	file := &File{data: data, sparse: NewSparse(f, info.Size()), buckets: map[string]*Bucket{}}
	if err := file.read(ctx, k); err != nil {
		return nil, errors.Join(err, unmap())
	}
	file.raw, file.unmap = f, unmap
	return file, nil
}

// OpenBytes is Open for a bbolt file that is already in memory. The caller must not
// change data while the File is in use.
func OpenBytes(ctx context.Context, data []byte) (*File, error) {
	if len(data) == 0 {
		return nil, ErrEmpty
	}
	file := &File{data: data, buckets: map[string]*Bucket{}}
	if err := file.read(ctx, nil); err != nil {
		return nil, err
	}
	return file, nil
}

// read reads the file's structure, but for what is kept of it.
func (f *File) read(ctx context.Context, k *kept) error {
	if err := f.guard(f.readMetas); err != nil {
		return err
	}
	if err := f.choose(ctx); err != nil {
		return err
	}
	f.reportFault(f.guard(func() { f.settleHighWater(ctx) }))
	if f.pages < f.meta.HighWater {
		f.report(Anomaly{Page: f.pages, Kind: Truncated, Detail: fmt.Sprintf("file ends at page %d of %d", f.pages, f.meta.HighWater)})
	}
	f.compareMetas()
	return f.readFrom(ctx, k)
}

// readFrom reads what the meta in use leads to.
func (f *File) readFrom(ctx context.Context, k *kept) error {
	for _, b := range []*bitmap{&f.used, &f.heads, &f.spanned, &f.free} {
		*b = newBitmap(f.limit())
	}
	f.readFreelist(ctx)
	f.readTree(ctx, k)
	return ctx.Err()
}

// Close gives the map back. No other call may be running or follow.
func (f *File) Close() error {
	f.data = nil
	if f.unmap == nil {
		return nil
	}
	unmap := f.unmap
	f.unmap = nil
	return unmap()
}

// Size is the size of the file in bytes, a trailer included.
func (f *File) Size() int64 { return int64(len(f.data)) }

// PageSize is the size of a page in bytes.
func (f *File) PageSize() int { return int(f.meta.PageSize) }

// Pages is the number of whole pages the file holds.
func (f *File) Pages() uint64 { return f.pages }

// Anomalies lists what was found wrong so far: by Open in the structure, and
// by every Each that has run in the pages it read. They are in one order, by page
// first, whoever read first.
func (f *File) Anomalies() []Anomaly {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.anomalies.sorted()
}

// AnomalyCount is the number of anomalies found so far, those past the limit
// of what Anomalies keeps included.
func (f *File) AnomalyCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.anomalies.total
}

// ReadAt copies bytes of the file, as io.ReaderAt. A page that vanished under
// the map is a *FaultError.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(f.data)) || int64(len(p)) > int64(len(f.data))-off {
		return 0, fmt.Errorf("read %d bytes at offset %d: beyond the file's %d bytes", len(p), off, len(f.data))
	}
	n := 0
	err := f.guard(func() { n = copy(p, f.data[off:]) })
	return n, err
}

// View calls fn with bytes of the file where they stand. They are fn's until it returns,
// must not be changed, and may change where somebody writes to the file. When a page
// vanishes, fn is ended and View returns a *FaultError.
func (f *File) View(off int64, size int, fn func([]byte)) error {
	if off < 0 || size < 0 || off > int64(len(f.data)) || int64(size) > int64(len(f.data))-off {
		return fmt.Errorf("read %d bytes at offset %d: beyond the file's %d bytes", size, off, len(f.data))
	}
	return f.guard(func() { fn(f.data[off:][:size:size]) })
}

// FaultError says that a part of the file could not be read through the map:
// the file was cut short after it was mapped, or the disk failed.
type FaultError struct {
	Page   uint64 // the page that could not be read
	Offset int64  // bytes from the start of the file
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("page %d (offset %d) vanished while it was read: the file was truncated or its disk failed", e.Page, e.Offset)
}

// guard runs fn and turns a fault inside the map into a *FaultError. It guards
// the calling goroutine only. Every other panic passes through.
func (f *File) guard(fn func()) (err error) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			fault := f.faultFrom(r)
			if fault == nil {
				panic(r)
			}
			err = fault
		}
	}()
	fn()
	return nil
}

// faultFrom returns nil when the panic value r is no fault inside the map.
func (f *File) faultFrom(r any) *FaultError {
	addresser, ok := r.(interface{ Addr() uintptr })
	if !ok || len(f.data) == 0 {
		return nil
	}
	base := uintptr(unsafe.Pointer(unsafe.SliceData(f.data)))
	addr := addresser.Addr()
	if addr < base || addr-base >= uintptr(len(f.data)) {
		return nil
	}
	off := int64(addr - base)
	if f.meta.PageSize == 0 {
		return &FaultError{Offset: off}
	}
	return &FaultError{Page: uint64(off) / uint64(f.meta.PageSize), Offset: off}
}

// report records an anomaly.
func (f *File) report(a Anomaly) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.anomalies.add(a)
}

// Kind names a class of anomaly. The names are stable.
type Kind string

// The kinds of anomaly.
const (
	BadMeta     Kind = "bad-meta"     // a meta page is invalid or contradicts the other
	Truncated   Kind = "truncated"    // the file ends before its last page
	OutOfRange  Kind = "out-of-range" // a page id points outside the file
	BadPage     Kind = "bad-page"     // a page is not what its place in the tree says
	Shared      Kind = "shared-page"  // a page is reached twice: a cycle or two parents
	BadElement  Kind = "bad-element"  // an element lies outside its page or is malformed
	BadPacking  Kind = "bad-packing"  // elements do not follow one another as bbolt writes them
	BadOrder    Kind = "bad-order"    // keys are not in ascending order
	BadFreelist Kind = "bad-freelist" // the list of free pages is malformed or lists a page in use
	TooDeep     Kind = "too-deep"     // the tree is deeper than any real one
	Fault       Kind = "fault"        // a page vanished under the map
	OtherMeta   Kind = "other-meta"   // the two metas show different states where a copy would have one; not damage by itself
)

// kinds are those of anomalies in the order that they are listed in: what explains others
// comes first.
var kinds = []Kind{BadMeta, OtherMeta, Truncated, OutOfRange, BadPage, Shared, TooDeep, BadElement, BadPacking, BadOrder, BadFreelist, Fault}

// Anomaly is one thing that is wrong with the file.
type Anomaly struct {
	Page   uint64 // where, as a page id
	Kind   Kind
	Detail string // for people; holds no bytes of keys or values
	Lost   int    // how many items it makes unreadable, -1 when that cannot be known
}

func (a Anomaly) String() string {
	return fmt.Sprintf("page %d: %s: %s", a.Page, a.Kind, a.Detail)
}

// maxAnomalies bounds the memory that a hostile file can claim for its faults.
const maxAnomalies = 10_000

type anomalyList struct {
	list  []Anomaly
	seen  map[Anomaly]struct{}
	total int
}

// add keeps an anomaly once, however often the page is read.
func (l *anomalyList) add(a Anomaly) {
	if _, ok := l.seen[a]; ok {
		return
	}
	l.total++
	if len(l.list) == maxAnomalies {
		return
	}
	if l.seen == nil {
		l.seen = map[Anomaly]struct{}{}
	}
	l.seen[a] = struct{}{}
	l.list = append(l.list, a)
}

// sorted returns the anomalies in an order that is the same however many read the file:
// by page, kind and detail, the shorter one first, so that element 9 is before element 10.
func (l *anomalyList) sorted() []Anomaly {
	list := slices.Clone(l.list)
	slices.SortFunc(list, func(a, b Anomaly) int {
		return cmp.Or(
			cmp.Compare(a.Page, b.Page),
			cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)),
			cmp.Compare(len(a.Detail), len(b.Detail)),
			cmp.Compare(a.Detail, b.Detail),
			cmp.Compare(a.Lost, b.Lost),
		)
	})
	return list
}
