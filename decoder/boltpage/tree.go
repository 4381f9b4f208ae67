package boltpage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
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
	depth  int    // of nesting
	runs   []run  // the leaf pages in order
	pages  int    // how many they are
	holes  []int  // before which of them a part of the tree could not be reached
	inline page   // the only leaf of an inline bucket
	inPage uint64 // where the inline page stands: the page
	inOff  int64  // and the offset in bytes from the start of the file

	mu      sync.Mutex // guards what follows
	counted bool
	items   int
}

// run is a number of leaf pages that one branch page names, or the one leaf
// page that is a root. Leaf pages are looked at only when they are read: a pass
// over their headers alone would cost as much as reading the keys, and listing
// them as much memory as the branch pages.
type run struct {
	branch   uint64 // the branch page; 0 when from is the root itself
	from, to uint64 // its elements, the last one not included
	first    int    // how many leaf pages stand before it
}

// leaf is a leaf page and the key that the branch page has for it, a part of the
// map; nil for a root.
type leaf struct {
	id  uint64
	key []byte
}

// maxBuckets is how many buckets of the root are read; etcd has ten.
const maxBuckets = 1000

// readTree walks the branch pages of the root bucket and of each bucket in it.
// Buckets deeper down are walked when they are asked for, and the one of which a tally is
// kept is not, where that fits.
func (f *File) readTree(ctx context.Context, k *kept) {
	f.root = f.walk(ctx, "", f.meta.Root, f.meta.Sequence, 0)
	type entry struct {
		name string
		item Item
	}
	var entries []entry
	err := f.root.Each(func(items []Item) error {
		for _, it := range items {
			switch {
			case !it.Bucket:
				f.report(Anomaly{Page: it.Page, Kind: BadElement, Detail: "an item stands among the buckets of the root", Lost: 1})
			case len(entries) == maxBuckets:
				f.report(Anomaly{Page: it.Page, Kind: BadElement, Detail: fmt.Sprintf("the root has more than %d buckets; those after them are not read", maxBuckets), Lost: -1})
				return errManyBuckets
			default:
				it.Value = f.data[it.Offset:][:len(it.Value)]
				entries = append(entries, entry{string(it.Key), it})
			}
		}
		return ctx.Err()
	})
	f.reportFault(err)
	if f.keyRoot != 0 {
		entries = slices.DeleteFunc(entries, func(e entry) bool { return e.name == "key" })
		f.buckets["key"] = f.walk(ctx, "key", f.keyRoot, 0, 1)
	}
	var last []entry // of the tally: what it says is held against the other buckets
	for _, e := range entries {
		if k != nil && e.name == k.name {
			last = append(last, e)
			continue
		}
		f.addBucket(ctx, e.name, e.item, nil)
	}
	for _, e := range last {
		f.addBucket(ctx, e.name, e.item, k)
	}
}

// addBucket walks a bucket of the root, or takes what is kept of it.
func (f *File) addBucket(ctx context.Context, name string, it Item, k *kept) {
	f.reportFault(f.guard(func() {
		if b := f.resume(k, it.Value); b != nil {
			f.buckets[name] = b
			return
		}
		if b, err := f.openBucket(ctx, name, it, 1); err == nil {
			f.buckets[name] = b
		}
	}))
}

// errManyBuckets ends the reading of the root.
var errManyBuckets = errors.New("too many buckets")

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
// same one twice reports its pages as shared. The error is ctx's, or says what is
// wrong with the bucket.
func (b *Bucket) Open(ctx context.Context, it Item) (*Bucket, error) {
	return b.file.openBucket(ctx, string(it.Key), it, b.depth+1)
}

// Inline returns the bucket that stands whole in the item, an item with Bucket
// set of a page in no tree. Call it from within the callback that received it.
// One with pages of its own is refused: they may have been used again.
func (f *File) Inline(it Item) (*Bucket, error) {
	if len(it.Value) < bucketHeaderSize || binary.LittleEndian.Uint64(it.Value) != 0 {
		return nil, fmt.Errorf("bucket %q is not inline", it.Key)
	}
	return f.openBucket(context.Background(), string(it.Key), it, 1)
}

// openBucket reads a bucket's header: the page of its root and its sequence,
// and after them, when that page is 0, a whole page within the value
// (go.etcd.io/bbolt v1.5.0 bucket.go openBucket).
func (f *File) openBucket(ctx context.Context, name string, it Item, depth int) (*Bucket, error) {
	fail := func(kind Kind, detail string) (*Bucket, error) {
		a := Anomaly{Page: it.Page, Kind: kind, Detail: detail, Lost: -1}
		f.report(a)
		return nil, fmt.Errorf("open bucket %q: %s", name, a)
	}
	value := f.data[it.Offset:][:len(it.Value)] // the item's may be in a copy of its page
	if len(value) < bucketHeaderSize {
		return fail(BadElement, fmt.Sprintf("bucket header of %d bytes", len(value)))
	}
	if depth > maxDepth {
		return fail(TooDeep, fmt.Sprintf("buckets nested more than %d deep", maxDepth))
	}
	root, sequence := binary.LittleEndian.Uint64(value), binary.LittleEndian.Uint64(value[8:])
	if root != 0 {
		if len(value) != bucketHeaderSize {
			f.report(Anomaly{Page: it.Page, Kind: BadElement, Detail: fmt.Sprintf("bucket with a root page has %d bytes after its header", len(value)-bucketHeaderSize)})
		}
		b := f.walk(ctx, name, root, sequence, depth)
		return b, ctx.Err()
	}
	data := value[bucketHeaderSize:]
	if len(data) < pageHeaderSize {
		return fail(BadElement, "inline bucket without a page")
	}
	h := parseHeader(data)
	if h.flags != flagLeaf || h.id != 0 || h.overflow != 0 {
		return fail(BadPage, fmt.Sprintf("inline bucket's page has id %d, flags %#x, overflow %d", h.id, h.flags, h.overflow))
	}
	if pageHeaderSize+int(h.count)*elementSize > len(data) {
		return fail(BadPage, fmt.Sprintf("%d elements do not fit the inline bucket", h.count))
	}
	return &Bucket{
		Name: name, Sequence: sequence, file: f, depth: depth,
		runs: []run{{to: 1}}, pages: 1, inline: page{header: h, data: data}, inPage: it.Page, inOff: it.Offset + bucketHeaderSize,
	}, nil
}

// walk collects the leaf pages below root, left to right. Once ctx is done it misses
// some.
func (f *File) walk(ctx context.Context, name string, root, sequence uint64, depth int) *Bucket {
	b := &Bucket{Name: name, Root: root, Sequence: sequence, file: f, depth: depth}
	f.reportFault(f.guard(func() { b.descend(ctx, root, nil, 0) }))
	return b
}

// descend visits the page id, for which its parent has key. It says whether the
// page is a leaf.
func (b *Bucket) descend(ctx context.Context, id uint64, key []byte, depth int) (isLeaf bool) {
	f := b.file
	if ctx.Err() != nil {
		return false
	}
	if depth > maxDepth {
		f.report(Anomaly{Page: id, Kind: TooDeep, Detail: fmt.Sprintf("tree of more than %d levels", maxDepth), Lost: -1})
		b.hole()
		return false
	}
	if !f.claim(id) {
		b.hole()
		return false
	}
	if f.isLeaf(id) {
		if key == nil {
			b.runs, b.pages = []run{{from: id, to: id + 1}}, 1
		}
		return true
	}
	p, ok := f.node(id)
	if !ok {
		b.hole()
		return false
	}
	if p.count == 0 {
		f.report(Anomaly{Page: id, Kind: BadPage, Detail: "branch page has no elements", Lost: -1})
		b.hole()
	}
	f.checkFirstKey(p, key)
	els := f.elements(p, id)
	// All leaves of a tree have the same depth: where one child is a leaf, so
	// are those after it. A page that is not shows when it is read.
	leaves := false
	var rest []child
	for {
		before := els.next
		el, ok := els.step()
		if ok && els.next-before > 1 || !ok && els.next > before {
			rest = b.addLeaves(id, rest)
			b.hole()
		}
		if !ok {
			break
		}
		i := uint64(els.next - 1)
		if leaves {
			rest = append(rest, child{id: el.word, index: i})
			continue
		}
		// A fault below costs that subtree only.
		if err := f.guard(func() { leaves = b.descend(ctx, el.word, p.key(el), depth+1) }); err != nil {
			f.reportFault(err)
			b.hole()
		}
		if leaves {
			b.addLeaf(id, i)
			rest = make([]child, 0, int(p.count)-els.next)
		}
	}
	els.checkEnd(f.PageSize())
	b.addLeaves(id, rest)
	return false
}

// addLeaves appends the leaf pages that some elements of a branch page name, but
// for those that cannot be, and empties the list.
func (b *Bucket) addLeaves(branch uint64, list []child) []child {
	asked := len(list)
	if asked == 0 {
		return list
	}
	next := list[0].index
	for _, c := range b.file.claimAll(list) {
		if c.index != next {
			b.hole()
		}
		b.addLeaf(branch, c.index)
		next, asked = c.index+1, asked-1
	}
	if asked > 0 {
		b.hole()
	}
	return list[:0]
}

// hole notes that a part of the tree is missing after the leaf pages so far.
func (b *Bucket) hole() {
	if n := len(b.holes); n == 0 || b.holes[n-1] != b.pages {
		b.holes = append(b.holes, b.pages)
	}
}

// child is what the index-th element of a branch page names.
type child struct {
	id, index uint64
}

// addLeaf appends the leaf page that the i-th element of a branch page names.
func (b *Bucket) addLeaf(branch, i uint64) {
	if n := len(b.runs); n > 0 && b.runs[n-1].branch == branch && b.runs[n-1].to == i {
		b.runs[n-1].to++
	} else {
		b.runs = append(b.runs, run{branch: branch, from: i, to: i + 1, first: b.pages})
	}
	b.pages++
}

// leaves appends the n leaf pages from the from-th on, fewer when the file has
// changed since; the error is a *FaultError.
func (b *Bucket) leaves(list []leaf, from, n int) (_ []leaf, err error) {
	at := sort.Search(len(b.runs), func(i int) bool { return b.runs[i].first > from }) - 1
	for ; n > 0 && at < len(b.runs); at++ {
		r := b.runs[at]
		start := r.from + uint64(from-r.first)
		end := min(start+uint64(n), r.to)
		var fault error
		list, fault = b.leavesOf(list, r.branch, start, end)
		err = cmp.Or(err, fault)
		from += int(end - start)
		n -= int(end - start)
	}
	return list, err
}

// leavesOf appends the leaf pages that some elements of a branch page name.
// They were checked when they were claimed, and are checked again.
func (b *Bucket) leavesOf(list []leaf, branch, from, to uint64) ([]leaf, error) {
	if branch == 0 {
		return append(list, leaf{id: from}), nil
	}
	f := b.file
	err := f.guard(func() {
		p, ok := f.node(branch)
		for i := from; ok && i < min(to, uint64(p.count)); i++ {
			el, inside := p.parseElement(int(i))
			if inside && el.word >= 2 && el.word < f.limit() {
				list = append(list, leaf{id: el.word, key: p.key(el)})
			}
		}
	})
	return list, err
}

// checkFirstKey holds the first key of a page against the one that its parent
// has for it; bbolt keeps them equal (node.go spill).
func (f *File) checkFirstKey(p page, key []byte) {
	if key == nil || p.count == 0 {
		return
	}
	if !p.beginsWith(key) {
		f.report(Anomaly{Page: p.id, Kind: BadOrder, Detail: "the first key is not the one its parent page has for it", Lost: -1})
	}
}

// beginsWith says whether the first key of the page is key, or cannot be read.
func (p *page) beginsWith(key []byte) bool {
	el, ok := p.parseElement(0)
	return !ok || bytes.Equal(p.key(el), key)
}
