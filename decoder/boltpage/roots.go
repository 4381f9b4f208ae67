package boltpage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Root is a page that can be the root of an etcd db: it holds etcd's buckets.
type Root struct {
	Page  uint64
	Index uint64 // etcd's consistent index in it: of two roots the one with the higher is newer

	finished, scheduled uint64 // revisions of the compactions
	last                uint64 // revision of the last record
}

// newer orders the roots of one file. A root whose compaction is further is newer than
// one with the same consistent index.
func (r Root) newer(other Root) int {
	return cmp.Or(cmp.Compare(other.Index, r.Index), cmp.Compare(other.scheduled, r.scheduled), cmp.Compare(other.finished, r.finished),
		cmp.Compare(other.last, r.last), cmp.Compare(r.Page, other.Page))
}

const (
	maxRoots        = 8  // that are kept: the newest
	maxRootElements = 64 // of a root page, and of the bucket meta
)

// etcdBuckets are the buckets of every etcd since 3.0 (server/v3 v3.7
// storage/schema/bucket.go). A root has key and meta, and no item but buckets.
var etcdBuckets = []string{"alarm", "auth", "authRevision", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"}

// choose picks the state that is read. It is that of the newest meta page. Where that
// page leads to no root, and where none is valid, the roots are looked for.
func (f *File) choose(ctx context.Context) error {
	newest, ok := f.newestMeta()
	if ok {
		f.meta, f.pages = newest, uint64(len(f.data))/uint64(newest.PageSize)
		if f.isRoot(newest.Root) {
			return nil
		}
	}
	if size := f.findPageSize(ctx); size != 0 {
		f.meta.PageSize, f.pages = uint32(size), uint64(len(f.data)/size)
	} else if !ok {
		return cmp.Or(ctx.Err(), f.noMeta())
	}
	best, whole, err := f.bestRoot(ctx)
	switch {
	case err != nil:
		return err
	case best.Page != 0:
		f.found(best, whole)
	case !ok:
		return f.noMeta()
	}
	if f.searched {
		return nil
	}
	f.meta, f.pages = newest, uint64(len(f.data))/uint64(newest.PageSize)
	if other := f.metas[1-newest.Page]; other.Valid() && f.isRoot(other.Root) {
		f.meta, f.fellBack = other, true
		f.report(Anomaly{Page: newest.Page, Kind: BadMeta, Detail: fmt.Sprintf("page %d is no root; the state read is that of the other meta page, which is older", newest.Root), Lost: -1})
	}
	return nil
}

// found takes a root that no meta page leads to.
func (f *File) found(root Root, whole bool) {
	f.searched = true
	detail := fmt.Sprintf("no meta page leads to the root: this page was found by looking for one, with consistent index %d; a newer one may be lost", root.Index)
	if newest, ok := f.newestMeta(); ok {
		detail = fmt.Sprintf("page %d, to which meta page %d leads, is no root of the revisions; %s", newest.Root, newest.Page, detail)
		if newest.PageSize != f.meta.PageSize {
			detail = fmt.Sprintf("the page size is %d, not %d; %s", f.meta.PageSize, newest.PageSize, detail)
		}
	}
	if !whole {
		detail += "; what it leads to is not whole"
	}
	f.meta.Root, f.meta.HighWater, f.meta.Freelist = root.Page, f.pages, NoFreelist
	f.report(Anomaly{Page: root.Page, Kind: BadMeta, Detail: detail, Lost: -1})
}

// Searched says whether no meta page leads to what is read, so that it may be older
// than the newest state.
func (f *File) Searched() bool { return f.searched }

// MetaLost says whether a meta page is of no use, so that the state read may be one
// commit older than the newest.
func (f *File) MetaLost() bool {
	return !f.metas[0].Valid() || !f.metas[1].Valid() || f.fellBack
}

// Corrected says whether a field of the meta page in use was wrong, and another value
// was found for it.
func (f *File) Corrected() bool { return f.searched || f.fixed }

// findPageSize is the page size with which most pages of the file name themselves, 0
// when none does. It looks at some thousand pages, those at the beginning and others
// over the whole file: what is no db at all is not read to its end.
func (f *File) findPageSize(ctx context.Context) (size int) {
	const samples = 1 << 11
	most := 0
	for try := minPageSize; try <= maxPageSize && try < len(f.data) && ctx.Err() == nil; try *= 2 {
		g := File{data: f.data, meta: Meta{PageSize: uint32(try)}, pages: uint64(len(f.data) / try)}
		data, n := f.sparse, 0
		look := func(id uint64) {
			if id, ok := g.nextData(&data, id); ok && id < g.pages && id >= 2 {
				_ = g.guard(func() {
					if g.named(id) {
						n++
					}
				})
			}
		}
		for id := range min(samples, g.pages) {
			look(id)
		}
		for i := uint64(0); i < samples && g.pages > samples; i++ {
			look(samples + i*(g.pages-samples)/samples)
		}
		if n > most {
			size, most = try, n
		}
	}
	return size
}

// eachNamed calls fn for every page after the meta pages that names itself and its
// kind, until fn returns false. The error is ctx's; pages that vanish are stepped over.
func (f *File) eachNamed(ctx context.Context, fn func(id uint64, h header) bool) error {
	data := f.sparse
	for id, n, more := uint64(2), 0, true; more; id, n = id+1, n+1 {
		var ok bool
		if id, ok = f.nextData(&data, id); !ok || id >= f.pages {
			break
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		_ = f.guard(func() {
			if f.named(id) {
				more = fn(id, parseHeader(f.data[id*uint64(f.meta.PageSize):]))
			}
		})
	}
	return ctx.Err()
}

// isRoot says whether the page can be the root of a db: it holds a bucket, or leads to
// a page that does, or is the empty page of a new db.
func (f *File) isRoot(id uint64) (ok bool) {
	_ = f.guard(func() {
		p, named := f.rootPage(id)
		ok = named && p.flags == flagLeaf && p.count == 0
		f.eachRootItem(id, func(_, value []byte) { ok = ok || len(value) >= bucketHeaderSize })
	})
	return ok
}

// rootPage is the page with what it has of elements that are looked at.
func (f *File) rootPage(id uint64) (p page, ok bool) {
	if id < 2 || id >= f.pages || !f.named(id) {
		return page{}, false
	}
	data := f.data[id*uint64(f.meta.PageSize):][:f.meta.PageSize]
	p = page{header: parseHeader(data), data: data}
	p.count = min(p.count, maxRootElements, uint16((len(data)-pageHeaderSize)/elementSize))
	return p, p.flags != flagFreelist
}

// eachRootItem calls fn with the buckets of a root page, or of the pages that it leads
// to: those of a root are leaves. It says whether they hold nothing else.
func (f *File) eachRootItem(id uint64, fn func(name, value []byte)) (only bool) {
	p, ok := f.rootPage(id)
	if !ok {
		return false
	}
	only = true
	each := func(p page) {
		for i := range int(p.count) {
			el, ok := p.parseElement(i)
			if ok = ok && el.word == bucketElementFlag && el.off > el.start; ok {
				fn(p.key(el), p.value(el))
			}
			only = only && ok
		}
	}
	if p.flags == flagLeaf {
		each(p)
		return only
	}
	for i := range int(p.count) {
		el, inside := p.parseElement(i)
		child, ok := page{}, false
		if inside {
			child, ok = f.rootPage(el.word)
		}
		if only = only && ok && child.flags == flagLeaf; ok && child.flags == flagLeaf {
			each(child)
		}
	}
	return only
}

// etcdRoot reads a page as the root of an etcd db.
func (f *File) etcdRoot(id uint64) (r Root, ok bool) {
	var key, meta, other bool
	only := f.eachRootItem(id, func(name, value []byte) {
		switch {
		case len(value) < bucketHeaderSize, !slices.Contains(etcdBuckets, string(name)):
			other = true
		case string(name) == "key":
			key = true
			r.last = f.lastRevision(binary.LittleEndian.Uint64(value))
		case string(name) == "meta":
			meta = true
			f.rankByMeta(&r, value)
		}
	})
	r.Page = id
	return r, only && key && meta && !other
}

// rankByMeta reads how new the state is off the bucket meta, which stands inline or
// has a page.
func (f *File) rankByMeta(r *Root, bucket []byte) {
	p, ok := page{}, true
	if root := binary.LittleEndian.Uint64(bucket); root != 0 {
		p, ok = f.rootPage(root)
	} else if inline := bucket[bucketHeaderSize:]; len(inline) >= pageHeaderSize {
		p = page{header: parseHeader(inline), data: inline}
		p.count = min(p.count, maxRootElements, uint16((len(inline)-pageHeaderSize)/elementSize))
	}
	if !ok || p.flags != flagLeaf {
		return
	}
	fields := map[string]*uint64{"consistent_index": &r.Index, "scheduledCompactRev": &r.scheduled, "finishedCompactRev": &r.finished}
	for i := range int(p.count) {
		if el, ok := p.parseElement(i); ok && el.end-el.off >= 8 {
			if field := fields[string(p.key(el))]; field != nil {
				*field = binary.BigEndian.Uint64(p.value(el))
			}
		}
	}
}

// lastRevision is the main revision of the last key below a page, 0 where it cannot be
// read.
func (f *File) lastRevision(id uint64) uint64 {
	for range maxDepth {
		if id < 2 || id >= f.pages || !f.named(id) {
			return 0
		}
		data := f.data[id*uint64(f.meta.PageSize):]
		p := page{header: parseHeader(data), data: data}
		if p.count == 0 || p.flags == flagFreelist || pageHeaderSize+int(p.count)*elementSize > len(data) {
			return 0
		}
		el, ok := p.parseElement(int(p.count) - 1)
		switch {
		case !ok || el.off-el.start < 8:
			return 0
		case p.flags == flagLeaf:
			return binary.BigEndian.Uint64(p.key(el))
		}
		id = el.word
	}
	return 0
}

// Roots finds the pages that can be the root of an etcd db, the newest first, and the
// newest only where they are many. It reads the first bytes of every page. The error
// is ctx's.
func (f *File) Roots(ctx context.Context) ([]Root, error) {
	var list []Root
	err := f.eachNamed(ctx, func(id uint64, h header) bool {
		r, ok := f.etcdRoot(id)
		if !ok {
			return true
		}
		if at, _ := slices.BinarySearchFunc(list, r, Root.newer); at < maxRoots {
			list = slices.Insert(list, at, r)
			list = list[:min(len(list), maxRoots)]
		}
		return true
	})
	return list, err
}

// KeyRoots finds the branch pages in no tree that can be the root of etcd's bucket key,
// those with the newest records first, and some of them at most. It reads the first
// bytes of every page in no tree. It wants the trees to have been read. The error is ctx's.
func (f *File) KeyRoots(ctx context.Context) ([]uint64, error) {
	var list []Root
	err := f.eachUnusedBranch(ctx, func(p page) {
		r := Root{Page: p.id, last: f.lastRevision(p.id)}
		for i := range int(p.count) {
			if el, ok := p.parseElement(i); !ok || !isRevision(p.key(el)) {
				return
			}
		}
		if at, _ := slices.BinarySearchFunc(list, r, Root.newer); r.last > 0 && at < maxRoots {
			list = slices.Insert(list, at, r)
			list = list[:min(len(list), maxRoots)]
		}
	})
	pages := make([]uint64, len(list))
	for i, r := range list {
		pages[i] = r.Page
	}
	return pages, err
}

// eachUnusedBranch calls fn with the branch pages in no tree, without what they have on
// overflow pages.
func (f *File) eachUnusedBranch(ctx context.Context, fn func(p page)) error {
	f.mu.Lock()
	used := f.used.clone()
	f.mu.Unlock()
	at := f.sparse
	for id, n := uint64(2), 0; ; id, n = id+1, n+1 {
		var ok bool
		if id, ok = f.nextData(&at, used.nextUnset(id)); !ok || id >= f.limit() || n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		_ = f.guard(func() {
			data := f.data[id*uint64(f.meta.PageSize):][:f.meta.PageSize]
			if p := (page{header: parseHeader(data), data: data}); p.id == id && p.flags == flagBranch && !used.has(id) {
				p.count = min(p.count, uint16((len(data)-pageHeaderSize)/elementSize))
				fn(p)
			}
		})
	}
}

// isRevision says whether a key is one of etcd's bucket key (server/v3 v3.7
// storage/mvcc/revision.go).
func isRevision(key []byte) bool { return (len(key) == 17 || len(key) == 18) && key[8] == '_' }

// CheckKeyRoot looks for a page in no tree that leads to the root of etcd's bucket key,
// and after it to newer records: the root is a part of that tree then, and not its root.
// A root that was written where such a part had been is recognized by its last record: it is
// the newest, and no page of that tree began with a newer one. It wants the trees to have
// been read. Where there is such a page, that is an anomaly. The error is ctx's.
func (f *File) CheckKeyRoot(ctx context.Context) error {
	b := f.buckets["key"]
	if b == nil || b.Root == 0 {
		return nil
	}
	var first []byte
	last := uint64(0)
	f.reportFault(f.guard(func() {
		if p, ok := f.rootPage(b.Root); ok && p.count > 0 {
			if el, ok := p.parseElement(0); ok {
				first, last = bytes.Clone(p.key(el)), f.lastRevision(b.Root)
			}
		}
	}))
	if !isRevision(first) {
		return nil
	}
	return f.eachUnusedBranch(ctx, func(p page) {
		for i := range int(p.count) - 1 {
			el, ok := p.parseElement(i)
			next, ok2 := p.parseElement(i + 1)
			if !ok || !ok2 || el.word != b.Root || !bytes.Equal(p.key(el), first) || !isRevision(p.key(next)) {
				continue
			}
			if rev := binary.BigEndian.Uint64(p.key(next)); rev > last {
				f.report(Anomaly{Page: b.Root, Kind: BadPage, Lost: -1, Detail: fmt.Sprintf("the root of the bucket key is a part of the tree of page %d, which is in no bucket and leads to newer records", p.id)})
				f.misplaced = true
			}
		}
	})
}

// Misplaced says whether CheckKeyRoot found the root of etcd's bucket key to be a part of
// another tree, so that anything of the bucket may be missing.
func (f *File) Misplaced() bool { return f.misplaced }

// bestRoot is the newest root that leads to a whole tree, or else the one that leads
// to the most. Its page is 0 when there is none.
func (f *File) bestRoot(ctx context.Context) (best Root, whole bool, err error) {
	list, err := f.Roots(ctx)
	most := -1
	for _, r := range list {
		g, err := f.From(ctx, r.Page)
		if err != nil {
			return Root{}, false, err
		}
		n := 0
		if key := g.Bucket("key"); key != nil {
			err = key.Each(func(items []Item) error {
				n += len(items)
				return ctx.Err()
			})
		}
		switch {
		case ctx.Err() != nil:
			return Root{}, false, ctx.Err()
		case err == nil && g.AnomalyCount() == 0:
			return r, true, nil
		case n > most:
			best, most = r, n
		}
	}
	return best, false, err
}

// From reads the same file from another root. The two share the bytes, so it must not
// be used once f is closed, and closing it closes nothing. The error is ctx's.
func (f *File) From(ctx context.Context, root uint64) (*File, error) {
	return f.from(ctx, root, 0)
}

// FromKeys is From with the same root and another one of etcd's bucket key.
func (f *File) FromKeys(ctx context.Context, keys uint64) (*File, error) {
	return f.from(ctx, f.meta.Root, keys)
}

func (f *File) from(ctx context.Context, root, keys uint64) (*File, error) {
	g := &File{
		data: f.data, raw: f.raw, sparse: f.sparse, metas: f.metas, pages: f.pages, buckets: map[string]*Bucket{},
		meta: Meta{PageSize: f.meta.PageSize, Root: root, Freelist: NoFreelist, HighWater: f.pages}, searched: true, keyRoot: keys,
	}
	err := g.readFrom(ctx, nil)
	if errors.As(err, new(*FaultError)) {
		err = nil
	}
	return g, err
}
