package boltpage

import "context"

// EachUnused calls fn with the readable items of every leaf page that belongs
// to no tree, page by page in the order of the file. Such pages are free: what
// they hold was deleted, moved or rewritten since, and stays until the page is
// used again. No anomaly is reported for them, and items that share bytes or
// lie outside their page are left out. Each stops at fn's first error, which it
// returns, and when ctx is done; pages that vanish are stepped over.
//
// Overflow pages of the trees are told apart only once the trees have been
// read (Each or Len).
func (f *File) EachUnused(ctx context.Context, fn func(items []Item) error) error {
	f.mu.Lock()
	used := f.used.clone()
	for _, a := range f.anomalies.list {
		// What something leads to that is no page belongs to the page that it is within.
		if a.Kind == BadPage && f.heads.has(a.Page) && !f.names(a.Page) {
			used.unset(a.Page)
		}
	}
	f.mu.Unlock()
	return f.eachLeaf(ctx, used, f.limit(), fn)
}

// names is named for a page that may have vanished.
func (f *File) names(id uint64) (ok bool) {
	_ = f.guard(func() { ok = f.named(id) })
	return ok
}

// EachLeaf is EachUnused for every page that looks like a leaf page, whether it
// belongs to a tree, to none, or to the overflow of another. Items on overflow pages
// are left out.
func (f *File) EachLeaf(ctx context.Context, fn func(items []Item) error) error {
	return f.eachLeaf(ctx, newBitmap(f.limit()), 1, fn)
}

// eachLeaf goes over the leaf pages that are not marked, of which it reads so many
// pages at most.
func (f *File) eachLeaf(ctx context.Context, used bitmap, most uint64, fn func(items []Item) error) error {
	var items []Item
	var stop error
	data := f.sparse
	checked := 0
	for id := uint64(2); stop == nil; {
		var ok bool
		if id, ok = f.nextData(&data, used.nextUnset(id)); !ok || id >= f.limit() {
			break
		}
		if checked++; checked%checkEvery == 0 && ctx.Err() != nil {
			break
		}
		if used.has(id) {
			continue // the data begins on a page that is in use
		}
		next := id + 1
		_ = f.guard(func() {
			p, ok := f.unusedLeaf(id, used, most)
			if !ok {
				return
			}
			next = id + uint64(len(p.data)/f.PageSize())
			els := (*File)(nil).elements(p, id)
			items = els.items(items[:0], id, int64(id)*int64(f.PageSize()), nil)
			if len(items) > 0 {
				stop = fn(items)
			}
		})
		id = next
	}
	if stop == nil {
		stop = ctx.Err()
	}
	return stop
}

// unusedLeaf returns the page when its header is that of a leaf page standing
// where it was written. A free span is used again from its front, so after an
// intact header the content is intact up to the next page in use.
func (f *File) unusedLeaf(id uint64, used bitmap, most uint64) (page, bool) {
	data := f.data[id*uint64(f.meta.PageSize):]
	h := parseHeader(data)
	if h.id != id || h.flags != flagLeaf || h.count == 0 {
		return page{}, false
	}
	end := min(id+min(most, uint64(h.overflow)+1), f.limit())
	extent := f.withoutHoles(id, used.nextSet(id, end)-id)
	p := page{header: h, data: data[:extent*uint64(f.meta.PageSize)]}
	if pageHeaderSize+int(h.count)*elementSize > len(p.data) {
		return page{}, false
	}
	return p, true
}
