package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"os"
	"slices"

	"revenant/decoder/boltpage"
	"revenant/decoder/container"
)

// Glance is what the meta data of a snapshot shows, and those pages that are asked for.
// It costs some pages of the file where a Snapshot costs all of them: enough to say
// which revisions are in it, and whether it is of one history with another.
//
// Of evidence that nothing can be said of without reading it whole (a log or delta files
// to apply, damage), it is made from a Snapshot.
type Glance struct {
	Path            string
	Revision        int64 // as Snapshot.Revision
	CompactRevision int64 // as Snapshot.CompactRevision
	Meta            Meta
	Files           []container.File // as they were handed over; nil for evidence in memory

	evidence *container.Evidence
	pages    *boltpage.File
	keys     *boltpage.Bucket
	decrypt  func(string, []byte) ([]byte, error)
	whole    *Snapshot // nil where pages are read as they are asked for

	last  []Stored // of the leaf page that was read last
	place int      // of it
}

// Stored is a record with the bytes that etcd stores for it, an mvccpb.KeyValue; none for
// a bump marker.
type Stored struct {
	Record
	Raw []byte
}

// Look opens evidence for a Glance. The options are those of Open; nothing is hashed. It
// is not safe for concurrent use. The error is that of Open.
func Look(ctx context.Context, path string, opts Options) (*Glance, error) {
	opts.SkipHashCheck = true
	if path != "-" {
		if g, err := look(ctx, path, opts); err != nil || g != nil {
			return g, err
		}
	}
	s, err := Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	g := s.Glance()
	return g, nil
}

// Glance is that of a snapshot which is open: closing it closes the snapshot.
func (s *Snapshot) Glance() *Glance {
	return &Glance{Path: s.path, Revision: s.Revision(), CompactRevision: s.CompactRevision(), Meta: s.meta, Files: s.Files(), whole: s}
}

// HasTrailer says whether etcdutl takes the file to end with a SHA-256 (etcdutl/v3 v3.7
// snapshot/v3_snapshot.go hasChecksum). It restores one that does not with
// --skip-hash-check only. Of what was found in a container it is true.
func (s *Snapshot) HasTrailer() bool { return s.Container() != "" || s.Size()%512 == 32 }

// Files are the files of evidence as they were handed over; nil for evidence in memory.
func (s *Snapshot) Files() []container.File {
	if s.evidence == nil {
		return nil
	}
	return s.evidence.Files
}

// look is nil, without an error, where the evidence has to be read whole.
func look(ctx context.Context, path string, opts Options) (g *Glance, err error) {
	progress := newProgress(opts.Progress, PhaseExpand, -1)
	evidence, err := container.Open(ctx, path, container.Options{
		Limits: opts.Limits, WALDir: opts.WALDir, SkipHash: true, MkdirTemp: opts.MkdirTemp, Progress: progress.set,
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, openError(path, err)
	}
	g = &Glance{Path: evidence.Path, Files: evidence.Files, evidence: evidence, decrypt: opts.Decrypt, place: -1}
	defer func() {
		if err != nil || g.keys == nil {
			err = errors.Join(err, g.Close())
			g = nil
		}
	}()
	if evidence.WALDir != "" || len(evidence.Deltas) > 0 {
		return g, nil
	}
	if g.pages, err = boltpage.Open(ctx, evidence.DB); err != nil {
		g.pages = nil
		return g, ctx.Err()
	}
	evidence.Forget()
	var problems problemList
	g.Meta = readMeta(g.pages, &problems)
	keys := g.pages.Bucket("key")
	if keys == nil || g.pages.Bucket("meta") == nil || g.pages.AnomalyCount() > 0 || len(problems.list) > 0 {
		return g, nil
	}
	g.keys = keys
	g.CompactRevision = g.Meta.compactRevision()
	for r := range g.Newest(math.MaxInt64) {
		g.Revision = r.Main
		break
	}
	g.Revision = max(g.Revision, g.CompactRevision)
	if g.pages.AnomalyCount() > 0 {
		g.keys = nil
	}
	return g, nil
}

// Close gives back what was opened.
func (g *Glance) Close() error {
	var err error
	if g.whole != nil {
		err = g.whole.Close()
	}
	if g.pages != nil {
		err = errors.Join(err, g.pages.Close())
	}
	if g.evidence != nil {
		err = errors.Join(err, g.evidence.Close())
	}
	return err
}

// Complete says whether the evidence was read whole.
func (g *Glance) Complete() bool { return g.whole != nil }

// Damaged is that of the evidence where it was read whole; else none was met.
func (g *Glance) Damaged() bool { return g.whole != nil && g.whole.Damaged() }

// FilesUnchanged says whether files of evidence are what they were when they were handed
// over, by size, time of modification and identity.
func FilesUnchanged(files []container.File) error {
	for _, f := range files {
		if f.Info == nil {
			continue
		}
		info, err := os.Stat(f.Path)
		if err != nil {
			return openError(f.Path, err)
		}
		if info.Size() != f.Info.Size() || !info.ModTime().Equal(f.Info.ModTime()) || !os.SameFile(info, f.Info) {
			return &OpenError{Path: f.Path, Err: errors.New("it has changed since it was read first")}
		}
	}
	return nil
}

// Value is the value of a record, decrypted where the keys are there; nil where it cannot
// be read.
func (g *Glance) Value(r Stored) []byte {
	kv, err := scanKeyValue(r.Raw)
	if err != nil {
		return nil
	}
	decrypt := g.decrypt
	if g.whole != nil {
		decrypt = g.whole.decrypt
	}
	if decrypt != nil {
		if clear, err := decrypt(r.Key, kv.value); err == nil {
			return clear
		}
	}
	return kv.value
}

// Newest yields the records whose main revision is at most from, newest first, bump
// markers (with the empty key) included. What cannot be read is left out.
func (g *Glance) Newest(from int64) iter.Seq[Stored] {
	if g.whole != nil {
		return g.read(g.whole.index.backward(from))
	}
	return func(yield func(Stored) bool) {
		for i := g.find(Revision{from, math.MaxInt64}); i >= 0; i-- {
			for _, r := range slices.Backward(g.page(i)) {
				if r.Main <= from && !yield(r) {
					return
				}
			}
		}
	}
}

// Oldest yields the records whose main revision is at least from, oldest first, as Newest
// does.
func (g *Glance) Oldest(from int64) iter.Seq[Stored] {
	if g.whole != nil {
		return g.read(g.whole.index.forward(from))
	}
	return func(yield func(Stored) bool) {
		for i := g.find(Revision{Main: from}); i < g.keys.Pages(); i++ {
			for _, r := range g.page(i) {
				if r.Main >= from && !yield(r) {
					return
				}
			}
		}
	}
}

// At is the record of a revision; false where there is none, or none that can be read.
func (g *Glance) At(rev Revision) (Stored, bool) {
	if g.whole != nil {
		if p, ok := g.whole.index.byRevision(rev); ok {
			for r := range g.read(slices.Values([]place{p})) {
				return r, true
			}
		}
		return Stored{}, false
	}
	for _, r := range g.page(g.find(rev)) {
		if r.Revision == rev {
			return r, true
		}
	}
	return Stored{}, false
}

// read reads the records at some places of the index.
func (g *Glance) read(places iter.Seq[place]) iter.Seq[Stored] {
	return func(yield func(Stored) bool) {
		for p := range places {
			r := g.whole.index.record(p)
			if raw, err := g.whole.Raw(r, nil); err == nil && !yield(Stored{r, raw}) {
				return
			}
		}
	}
}

// find is the place of the leaf page with a revision, if it is there.
func (g *Glance) find(rev Revision) int {
	key := append(binary.BigEndian.AppendUint64(nil, uint64(max(rev.Main, 0))), '_')
	return g.keys.Find(append(binary.BigEndian.AppendUint64(key, uint64(rev.Sub)), 't'))
}

// mostOnPage is how many bytes of a leaf page are copied: etcd takes requests of 1.5 MiB,
// or of ten times that where it was told to.
const mostOnPage = 64 << 20

// page reads the records of a leaf page, oldest first.
func (g *Glance) page(i int) []Stored {
	if i == g.place {
		return g.last
	}
	g.last, g.place = nil, i
	size := 0
	// A fault is among the pages' anomalies; what else there is counts.
	_ = g.keys.Page(i).Each(func(items []boltpage.Item) error {
		for j := range items {
			if size += len(items[j].Value); size > mostOnPage {
				return nil
			}
			if r, ok := stored(&items[j]); ok {
				g.last = append(g.last, r)
			}
		}
		return nil
	})
	return g.last
}

// stored copies a record that a page has.
func stored(it *boltpage.Item) (Stored, bool) {
	rev, tombstone, ok := parseRevision(it.Key)
	if !ok || it.Bucket {
		return Stored{}, false
	}
	raw := slices.Clone(it.Value)
	kv, err := scanKeyValue(raw)
	if err != nil {
		return Stored{}, false
	}
	r := Record{Key: string(kv.key), Revision: rev, Tombstone: tombstone, Size: len(raw)}
	if !tombstone {
		r.CreateRevision, r.Version = kv.createRevision, kv.version
	}
	return Stored{r, raw}, true
}
