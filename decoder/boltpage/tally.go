package boltpage

import (
	"context"
	"encoding/binary"
	"os"
)

// Tally is what walking and reading a bucket finds out about the file, its items left
// aside. Who keeps it can open the file the next time without either.
type Tally struct {
	Items int
	Runs  []Run
	// Heads and Used have a bit for each page: whether a node of a tree begins there, and
	// whether a node that was read has it. They are of all buckets.
	Heads, Used []uint64
}

// Run is a number of leaf pages, those that elements of a branch page name, or the one
// that is the root.
type Run struct {
	Branch   uint64 // 0 when From is the root
	From, To uint64 // elements, the last one not included
}

// Tally is that of a bucket; ok is false unless it was read whole, has pages of its
// own, and the file has not far more pages than it uses. No bucket within one may have
// been opened.
func (b *Bucket) Tally() (t Tally, ok bool) {
	b.mu.Lock()
	t.Items, ok = b.items, b.counted
	b.mu.Unlock()
	if !ok || b.Root == 0 || len(b.holes) > 0 {
		return Tally{}, false
	}
	for _, r := range b.runs {
		t.Runs = append(t.Runs, Run{r.branch, r.from, r.to})
	}
	f := b.file
	f.mu.Lock()
	defer f.mu.Unlock()
	if used, _ := f.used.count(nil); f.limit()/64 > used+1<<16 {
		return Tally{}, false // almost all of the file is a hole, or free
	}
	t.Heads, t.Used = f.heads.words(f.limit()), f.used.words(f.limit())
	return t, true
}

// Resume is Open with a tally of the bucket of that name instead of walking it. resumed is
// false where the tally does not fit; the bucket was walked then.
func Resume(ctx context.Context, f *os.File, name string, t *Tally) (file *File, resumed bool, err error) {
	k := &kept{name: name, tally: t}
	file, err = open(ctx, f, k)
	return file, k.used, err
}

// kept is a tally, and whether it was used.
type kept struct {
	name  string
	tally *Tally
	used  bool
}

// resume returns the bucket of which value is the header; nil where nothing is kept of it
// that fits. The other buckets have been walked.
func (f *File) resume(k *kept, value []byte) *Bucket {
	if k == nil || k.used || len(value) != bucketHeaderSize {
		return nil
	}
	t, limit := k.tally, f.limit()
	root, sequence := binary.LittleEndian.Uint64(value), binary.LittleEndian.Uint64(value[8:])
	if t.Items < 0 || uint64(len(t.Heads)) != (limit+63)/64 || len(t.Used) != len(t.Heads) || root < 2 || root >= limit {
		return nil
	}
	b := &Bucket{Name: k.name, Root: root, Sequence: sequence, file: f, depth: 1, items: t.Items, counted: true}
	for _, r := range t.Runs {
		ofRoot := r.Branch == 0 && r.From == root && r.To == root+1 && len(t.Runs) == 1
		ofBranch := r.Branch >= 2 && r.Branch < limit && r.From < r.To && r.To <= 1<<16
		if !ofRoot && !ofBranch {
			return nil
		}
		b.runs = append(b.runs, run{branch: r.Branch, from: r.From, to: r.To, first: b.pages})
		if b.pages += int(r.To - r.From); uint64(b.pages) > limit {
			return nil
		}
	}
	heads, used := bitmapOf(t.Heads), bitmapOf(t.Used)
	if limit%64 != 0 && (t.Heads[limit/64]|t.Used[limit/64])>>(limit%64) != 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if heads.has(0) || !heads.has(root) || heads.outside(used) || used.meets(f.free) || f.heads.outside(heads) || f.used.outside(used) {
		return nil
	}
	f.heads, f.used = heads, used
	for page := used.nextSet(0, limit); page < limit; page = used.nextSet(page+1, limit) {
		if !heads.has(page) { // it is overflow, as are those up to the next head
			if head, ok := heads.lastSet(page); ok {
				f.spanned.set(head)
			}
			page = heads.nextSet(page, limit) - 1
		}
	}
	k.used = true
	return b
}
