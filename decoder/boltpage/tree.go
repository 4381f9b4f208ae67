package boltpage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"
)

// maxDepth bounds the depth of a bucket's tree and the nesting of buckets. A
// tree with the smallest fan-out bbolt writes, two, would hold 2⁴⁸ leaves.
const maxDepth = 48

// Bucket is a tree of leaf pages with its items in key order.
type Bucket struct {
	Name     string
	Root     uint64 // page of its root; 0 for a bucket inline in its parent's page
	Sequence uint64

	file   *File
	depth  int // of nesting
	leaves []leaf
	inline page // the only leaf of an inline bucket
	host   leaf // where the inline page stands
}

// leaf is a leaf page in its place in the bucket.
type leaf struct {
	id    uint64
	off   int // of the page's first byte, from the start of the file
	first int // index in the bucket of its first item
	count int
}

// readTree walks the pages of the root bucket and of each bucket in it.
// Buckets deeper down are walked when they are asked for.
func (f *File) readTree() {
	f.root = f.walk("", f.meta.Root, f.meta.Sequence, 0)
	type entry struct {
		name  string
		value []byte
		host  leaf
		off   int
	}
	var entries []entry
	each := func(it Item) error {
		if !it.Bucket {
			f.report(Anomaly{Page: it.Page, Kind: BadElement, Detail: "an item stands among the buckets of the root", Lost: 1})
			return nil
		}
		host := leaf{id: it.Page, off: int(it.Offset)}
		entries = append(entries, entry{name: string(it.Key), value: bytes.Clone(it.Value), host: host})
		return nil
	}
	if err := f.root.Each(each); err != nil {
		f.reportFault(err)
	}
	for _, e := range entries {
		if b, err := f.openBucket(e.name, e.value, e.host, 1); err == nil {
			f.buckets[e.name] = b
		}
	}
}

// Buckets lists the names of the buckets in the root, sorted.
func (f *File) Buckets() []string {
	names := make([]string, 0, len(f.buckets))
	for name := range f.buckets {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Bucket returns the bucket of the root with that name, or nil.
func (f *File) Bucket(name string) *Bucket { return f.buckets[name] }

// Root returns the root bucket, whose items are the buckets.
func (f *File) Root() *Bucket { return f.root }

// Open returns the bucket inside b that it, an item of b with Bucket set,
// stands for. Call it from within the callback that received it. Opening the
// same one twice reports its pages as shared.
func (b *Bucket) Open(it Item) (*Bucket, error) {
	return b.file.openBucket(string(it.Key), it.Value, leaf{id: it.Page, off: int(it.Offset)}, b.depth+1)
}

// openBucket reads a bucket's header: the page of its root and its sequence,
// and behind them, when that page is 0, a whole page within the value
// (go.etcd.io/bbolt v1.5.0 bucket.go openBucket).
func (f *File) openBucket(name string, value []byte, host leaf, depth int) (*Bucket, error) {
	fail := func(kind Kind, detail string) (*Bucket, error) {
		a := Anomaly{Page: host.id, Kind: kind, Detail: detail, Lost: -1}
		f.report(a)
		return nil, fmt.Errorf("open bucket %q: %s", name, a)
	}
	if len(value) < bucketHeaderSize {
		return fail(BadElement, fmt.Sprintf("bucket header of %d bytes", len(value)))
	}
	if depth > maxDepth {
		return fail(TooDeep, fmt.Sprintf("buckets nested more than %d deep", maxDepth))
	}
	root, sequence := binary.LittleEndian.Uint64(value), binary.LittleEndian.Uint64(value[8:])
	if root != 0 {
		if len(value) != bucketHeaderSize {
			f.report(Anomaly{Page: host.id, Kind: BadElement, Detail: fmt.Sprintf("bucket with a root page has %d bytes behind its header", len(value)-bucketHeaderSize)})
		}
		b := f.walk(name, root, sequence, depth)
		return b, nil
	}
	data := value[bucketHeaderSize:]
	if len(data) < pageHeaderSize {
		return fail(BadElement, "inline bucket without a page")
	}
	h := parseHeader(data)
	if h.flags != flagLeaf || h.id != 0 || h.overflow != 0 {
		return fail(BadPage, fmt.Sprintf("inline bucket's page has id %d, flags %#x, overflow %d", h.id, h.flags, h.overflow))
	}
	if pageHeaderSize+int(h.count)*leafElementSize > len(data) {
		return fail(BadPage, fmt.Sprintf("%d elements do not fit the inline bucket", h.count))
	}
	b := &Bucket{Name: name, Sequence: sequence, file: f, depth: depth, host: host}
	host.off += bucketHeaderSize
	host.count = int(h.count)
	b.inline = page{header: h, data: data}
	b.leaves = []leaf{host}
	return b, nil
}

// walk collects the leaf pages below root, left to right.
func (f *File) walk(name string, root, sequence uint64, depth int) *Bucket {
	w := walker{file: f, bucket: &Bucket{Name: name, Root: root, Sequence: sequence, file: f, depth: depth}}
	if err := f.guard(func() { w.descend(root, nil, 0) }); err != nil {
		f.reportFault(err)
	}
	return w.bucket
}

type walker struct {
	file   *File
	bucket *Bucket
	items  int
}

// descend visits the page id, whose parent names it by key (nil for the root).
func (w *walker) descend(id uint64, key []byte, depth int) {
	if depth > maxDepth {
		w.file.report(Anomaly{Page: id, Kind: TooDeep, Detail: fmt.Sprintf("tree of more than %d levels", maxDepth), Lost: -1})
		return
	}
	p, ok := w.file.claim(id)
	if !ok {
		return
	}
	if p.count == 0 && (p.flags == flagBranch || depth > 0) {
		w.file.report(Anomaly{Page: id, Kind: BadPage, Detail: "page below the root has no elements", Lost: -1})
		return
	}
	w.checkFirstKey(p, key)
	if p.flags == flagLeaf {
		w.bucket.leaves = append(w.bucket.leaves, leaf{id: id, off: int(id) * w.file.PageSize(), first: w.items, count: int(p.count)})
		w.items += int(p.count)
		return
	}
	report := func(kind Kind, lost int, format string, args ...any) {
		if lost > 0 {
			lost = -1 // an unreadable branch element loses everything below it
		}
		w.file.report(Anomaly{Page: id, Kind: kind, Detail: fmt.Sprintf(format, args...), Lost: lost})
	}
	els := newElements(p, report)
	for {
		el, ok := els.step()
		if !ok {
			break
		}
		// A fault below costs that subtree only.
		if err := w.file.guard(func() { w.descend(el.child, el.key, depth+1) }); err != nil {
			w.file.reportFault(err)
		}
	}
	els.checkEnd(w.file.PageSize())
}

// checkFirstKey holds the first key of a page against the one its parent has
// for it; bbolt keeps them equal (node.go spill).
func (w *walker) checkFirstKey(p page, key []byte) {
	if key == nil {
		return
	}
	els := newElements(p, func(Kind, int, string, ...any) {}) // reported when the page itself is read
	if el, ok := els.read(0); ok && !bytes.Equal(el.key, key) {
		w.file.report(Anomaly{Page: p.id, Kind: BadOrder, Detail: "the first key is not the one its parent page has for it", Lost: -1})
	}
}

// Item is one key with its value, or, with Bucket set, a bucket by its name.
// Key and Value are part of the map: they are valid in the callback only, and
// must not be changed.
type Item struct {
	Key    []byte
	Value  []byte
	Bucket bool
	Page   uint64 // the page the item stands on, without overflow pages
	Offset int64  // of Value, in bytes from the start of the file
}

// Range is a run of a bucket's leaf pages, to be read on its own.
type Range struct {
	bucket   *Bucket
	from, to int // indices of leaves
}

// Len is the number of items the bucket's pages claim to hold; damage may make
// fewer readable.
func (b *Bucket) Len() int {
	if len(b.leaves) == 0 {
		return 0
	}
	last := b.leaves[len(b.leaves)-1]
	return last.first + last.count
}

// Ranges splits the bucket into at most n runs of roughly equal length, in key
// order, at least one. They can be read in parallel.
func (b *Bucket) Ranges(n int) []Range {
	n = max(1, min(n, len(b.leaves)))
	ranges := make([]Range, 0, n)
	from := 0
	for i := 1; i <= n; i++ {
		target := b.Len() / n * i
		to := from + sort.Search(len(b.leaves)-from, func(j int) bool { return b.leaves[from+j].first >= target })
		if i == n {
			to = len(b.leaves)
		}
		if to > from || i == n {
			ranges = append(ranges, Range{bucket: b, from: from, to: to})
			from = to
		}
	}
	return ranges
}

// Len is the number of items the range's pages claim to hold.
func (r Range) Len() int {
	if r.from == r.to {
		return 0
	}
	first, last := r.bucket.leaves[r.from], r.bucket.leaves[r.to-1]
	return last.first + last.count - first.first
}

// Each calls fn for every readable item of the bucket in key order, and stops
// at fn's first error, which it returns. Otherwise the error is the first
// *FaultError met; what lay on other pages was read all the same. Anything
// else that is wrong is in Anomalies afterwards.
func (b *Bucket) Each(fn func(Item) error) error {
	return Range{bucket: b, to: len(b.leaves)}.Each(fn)
}

// Each is Bucket.Each over the range.
func (r Range) Each(fn func(Item) error) error {
	f := r.bucket.file
	var fault, stop error
	last := r.keyBefore()
	for i := r.from; i < r.to && stop == nil; i++ {
		leaf := &r.bucket.leaves[i]
		err := f.guard(func() {
			last, stop = r.bucket.eachIn(leaf, last, fn)
		})
		if err != nil {
			f.reportFault(err)
			last = nil // it may lie on the page that vanished
			if fault == nil {
				fault = err
			}
		}
	}
	if stop != nil {
		return stop
	}
	return fault
}

// eachIn reads one leaf page; last is the key before it, and the last key of
// it is returned.
func (b *Bucket) eachIn(l *leaf, last []byte, fn func(Item) error) ([]byte, error) {
	p := b.inline
	if b.Root != 0 {
		p = b.file.leafPage(l)
	}
	els := newElements(p, func(kind Kind, lost int, format string, args ...any) {
		b.file.report(Anomaly{Page: l.id, Kind: kind, Detail: fmt.Sprintf(format, args...), Lost: lost})
	})
	els.lastKey = last
	for {
		el, ok := els.step()
		if !ok {
			break
		}
		it := Item{Key: el.key, Value: el.value, Bucket: el.flags&bucketElementFlag != 0, Page: l.id, Offset: int64(l.off + el.off)}
		if err := fn(it); err != nil {
			return nil, err
		}
	}
	if b.Root != 0 {
		els.checkEnd(b.file.PageSize())
	}
	return els.lastKey, nil
}

// leafPage is the page l as claim checked it. Its header is read again, so it
// is bounded again: the file may change under the map.
func (f *File) leafPage(l *leaf) page {
	data := f.data[l.off:]
	h := parseHeader(data)
	h.count = uint16(l.count)
	room := min(f.pages, f.meta.HighWater) - l.id
	extent := min(uint64(h.overflow)+1, room)
	p := page{header: h, data: data[:extent*uint64(f.meta.PageSize)]}
	p.flags = flagLeaf
	p.count = min(p.count, uint16(min((len(p.data)-pageHeaderSize)/leafElementSize, 1<<16-1)))
	return p
}

// keyBefore is the last key of the page before the range, so that the order is
// checked across the borders of ranges too; nil when there is none to be had.
func (r Range) keyBefore() (key []byte) {
	if r.from == 0 {
		return nil
	}
	f, l := r.bucket.file, &r.bucket.leaves[r.from-1]
	err := f.guard(func() {
		p := f.leafPage(l)
		els := newElements(p, func(Kind, int, string, ...any) {})
		if p.count == 0 {
			return
		}
		if el, ok := els.read(int(p.count) - 1); ok {
			key = el.key
		}
	})
	if err != nil {
		return nil
	}
	return key
}
