package salvage

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"os"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshotfile"
)

// Options say how to salvage.
type Options struct {
	// IncludeUncertain writes records at or below the compact revision that were
	// found on pages in no bucket, and records that contradict themselves.
	IncludeUncertain bool
	// State names the state to write; "" is the most complete that contradicts nothing.
	State string
	// Progress, when set, is called with how many of how many records are written.
	Progress func(done, total int)
}

// Source says where a small bucket's content is from.
type Source string

// The sources.
const (
	Tree     Source = "tree"     // the state that the file leads to
	Leftover Source = "leftover" // an older copy, on a page that nothing refers to
	Missing  Source = "missing"
)

// Found is a record from a page in no bucket.
type Found struct {
	Revision  string `json:"revision"`
	Key       string `json:"key"`
	Tombstone bool   `json:"tombstone"`
	Page      uint64 `json:"page"`

	scanned bool // on a page in no bucket
}

// Bucket is one of the small buckets.
type Bucket struct {
	Name   string `json:"name"`
	Items  int    `json:"items"`
	Source Source `json:"source"`
}

// Result says what is in the clean snapshot and what is missing.
type Result struct {
	Path            string `json:"path"` // the name given to Write
	SizeBytes       int64  `json:"sizeBytes"`
	SHA256          string `json:"sha256"` // of the file written, trailer included
	Revision        int64  `json:"revision"`
	CompactRevision int64  `json:"compactRevision"`
	// CompactUnknown says that the compact revision could not be read: what is old
	// and what was compacted cannot be distinguished, and so every record from a page
	// in no bucket is uncertain.
	CompactUnknown bool `json:"compactUnknown,omitempty"`
	// CompactSeen is the newest compact revision on any page. One newer
	// than the tree's shows that the tree is that of an older state: what it has lost
	// may have been compacted since, and counts as uncertain.
	CompactSeen int64 `json:"compactSeen,omitempty"`

	State  string  `json:"state"`  // the name of the one that was written
	States []State `json:"states"` // those that the evidence supports

	Records   int     `json:"records"`   // written, from the buckets and the log
	Recovered []Found `json:"recovered"` // written, from pages in no bucket
	// Uncertain are such records at or below the compact revision, and those that
	// the tree leads to on a page whose keys do not belong there.
	Uncertain []Found `json:"uncertain"`
	// Suspect are records of the tree that contradict themselves, or what stands
	// around them on their page. They are written only if the uncertain ones are.
	Suspect   []Found  `json:"suspect"`
	Included  bool     `json:"uncertainIncluded"`
	Conflicts []Found  `json:"conflicts"` // with differing copies; withheld
	Unread    []string `json:"unread"`    // records that the index has and whose value could not be read
	Stretches []string `json:"stretches"` // where the key bucket had lost something
	Missing   []string `json:"missing"`   // revisions above the compact one that are still missing
	Buckets   []Bucket `json:"buckets"`
}

// Lossless says whether all that etcd had is in the clean snapshot, as far as can
// be told.
func (r *Result) Lossless() bool {
	return (r.State == TreeState || r.State == ScanState) && len(r.Stretches) == 0 && len(r.Missing) == 0 && len(r.Unread) == 0 && len(r.Conflicts) == 0 && len(r.Suspect) == 0
}

// Write writes what can be read of s to a new file in dir, and leaves a working file
// beside it. The error is ctx's, an *UnknownStateError, or that of the file.
func Write(ctx context.Context, s *snapshot.Snapshot, dir *os.Root, name string, opts Options) (*Result, error) {
	c, small, err := choose(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	c.r.Path = name
	w := &writer{ctx: ctx, s: c.s, result: c.r, progress: opts.Progress, total: c.total}
	if err := w.database(dir, name, small, c.records()); err != nil {
		return nil, err
	}
	return c.r, nil
}

func newResult(opts Options) *Result {
	return &Result{
		Included:  opts.IncludeUncertain, // lists without an entry are [] in JSON
		States:    []State{},
		Recovered: []Found{}, Uncertain: []Found{}, Suspect: []Found{}, Conflicts: []Found{},
		Unread: []string{}, Stretches: []string{}, Missing: []string{},
	}
}

// choice is which records are written. They are chosen as they are read, twice, since
// a list of them would take several times the memory that the snapshot does.
type choice struct {
	r        *Result
	s        *snapshot.Snapshot
	doubtful func(snapshot.Record) bool
	lost     *snapshot.Lost
	left     *snapshot.Leftovers // nil where nothing is missing
	all      bool                // what is uncertain counts, too
	total    int
}

// lookEvery is after how many records a pass looks whether it is to stop.
const lookEvery = 1 << 10

// newChoice chooses of what the tree leads to, and notes what is uncertain in it.
func (r *Result) newChoice(ctx context.Context, s *snapshot.Snapshot) (*choice, error) {
	c := &choice{r: r, s: s, doubtful: s.Doubtful(), all: r.Included}
	var err error
	if c.lost, err = s.Lost(ctx); err != nil {
		return nil, err
	}
	for rec := range interruptible(ctx, s.Records()) {
		if list := c.listed(&rec); list != nil {
			*list = append(*list, Found{Revision: rec.Revision.String(), Key: rec.Key, Tombstone: rec.Tombstone, Page: s.Page(rec)})
		}
	}
	r.Stretches = append(r.Stretches, c.lost.Stretches()...)
	return c, ctx.Err()
}

// damaged says whether something of the tree is missing, or may be, or what is newer than
// it is asked for.
func (c *choice) damaged() bool {
	return c.lost.Any() || c.s.Damaged() || c.all && c.s.NewerUnused()
}

// scan adds what is found on pages in no bucket.
func (c *choice) scan(ctx context.Context) (err error) {
	if c.left, err = c.s.Leftovers(ctx); err != nil {
		return err
	}
	for l := range interruptible(ctx, c.left.All()) {
		if list := c.listedLeftover(&l); list != nil {
			*list = append(*list, Found{Revision: l.Revision.String(), Key: l.Key, Tombstone: l.Tombstone, Page: l.Page, scanned: true})
		}
	}
	return ctx.Err()
}

// nameNewer lists what a page in no bucket holds that is newer than a tree which has lost
// nothing. None of it is written: it is a part of a newer state.
func (c *choice) nameNewer(ctx context.Context) error {
	if !c.s.NewerUnused() {
		return nil
	}
	err := c.scan(ctx)
	c.left = nil
	return err
}

// seeCompactions looks for the newest compaction on any page.
func (c *choice) seeCompactions(ctx context.Context) error {
	seen, err := c.s.CompactSeen(ctx)
	c.r.CompactSeen = max(seen, c.r.CompactRevision)
	return err
}

// findMissing counts what is written, and notes which revisions are still missing.
func (c *choice) findMissing(ctx context.Context) error {
	m := missing{r: c.r, last: max(c.r.CompactRevision, 1)}
	for rec := range interruptible(ctx, c.records()) {
		m.see(rec.Main)
		c.total++
	}
	return ctx.Err()
}

// interruptible ends a sequence once ctx is done.
func interruptible[T any](ctx context.Context, seq iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		passed := 0
		for x := range seq {
			if passed++; passed%lookEvery == 0 && ctx.Err() != nil || !yield(x) {
				return
			}
		}
	}
}

// listed is the list that a record of the buckets belongs on, nil for none.
func (c *choice) listed(rec *snapshot.Record) *[]Found {
	switch {
	case c.s.Suspect(*rec):
		return &c.r.Suspect
	case (c.r.CompactUnknown || rec.Main <= c.r.CompactRevision) && c.doubtful(*rec):
		return &c.r.Uncertain
	}
	return nil
}

// listedLeftover is the list that a record on a page in no bucket belongs on, nil for
// none.
func (c *choice) listedLeftover(l *snapshot.Leftover) *[]Found {
	behind, lost := c.s.Behind(l.Revision), c.lost.Contains(l.Revision, l.Tombstone)
	switch {
	case !behind && !lost, l.Foreign:
		return nil
	case l.Conflict:
		return &c.r.Conflicts
	case c.r.CompactUnknown || l.Main <= c.r.CompactSeen || behind && !lost:
		return &c.r.Uncertain
	}
	return &c.r.Recovered
}

// records yields what is written, by revision.
func (c *choice) records() iter.Seq[snapshot.Record] {
	return func(yield func(snapshot.Record) bool) {
		next, stop := iter.Pull(c.recovered())
		defer stop()
		l, more := next()
		for rec := range c.s.Records() {
			if c.listed(&rec) != nil && !c.all {
				continue
			}
			for ; more && before(&l, &rec); l, more = next() {
				if !yield(l) {
					return
				}
			}
			if !yield(rec) {
				return
			}
		}
		for ; more; l, more = next() {
			if !yield(l) {
				return
			}
		}
	}
}

func before(a, b *snapshot.Record) bool {
	return cmp.Or(cmp.Compare(a.Main, b.Main), cmp.Compare(a.Sub, b.Sub)) < 0
}

// recovered yields what is written of the pages in no bucket, by revision.
func (c *choice) recovered() iter.Seq[snapshot.Record] {
	return func(yield func(snapshot.Record) bool) {
		if c.left == nil {
			return
		}
		for l := range c.left.All() {
			list := c.listedLeftover(&l)
			if (list == &c.r.Recovered || list == &c.r.Uncertain && c.all) && !yield(l.Record) {
				return
			}
		}
	}
}

// compactRevision is the newest one that a meta bucket names, 0 for none.
func compactRevision(meta map[string][]byte) (rev int64) {
	for _, name := range []string{"scheduledCompactRev", "finishedCompactRev"} {
		if b := meta[name]; len(b) >= 8 {
			rev = max(rev, int64(binary.BigEndian.Uint64(b)))
		}
	}
	return rev
}

// maxMissing bounds the list of what is missing.
const maxMissing = 1000

// missing finds the gaps above the compact revision, where etcd never removes
// anything.
type missing struct {
	r    *Result
	last int64 // main revision up to which all is accounted for
}

// see takes the next main revision that is written.
func (m *missing) see(main int64) {
	if gap := main - m.last; gap > 1 && !m.r.CompactUnknown && len(m.r.Missing) < maxMissing {
		name := fmt.Sprintf("%d to %d", m.last+1, main-1)
		if gap == 2 {
			name = fmt.Sprint(m.last + 1)
		}
		m.r.Missing = append(m.r.Missing, name)
	}
	m.last = max(m.last, main)
}

// smallBuckets reads all buckets but the revisions'. What nothing refers to
// is taken from the newest copy that was left behind.
func (r *Result) smallBuckets(ctx context.Context, s *snapshot.Snapshot) (map[string]map[string][]byte, error) {
	all := map[string]map[string][]byte{}
	var older map[string]map[string][]byte
	looked := false
	for _, name := range snapshotfile.Buckets {
		items := map[string][]byte{}
		found, err := s.EachBucket(name, func(k, v []byte) error {
			items[string(k)] = v
			return nil
		})
		source := Tree
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if (!found || name == "meta" && s.CompactUnknown()) && s.Damaged() {
			if !looked {
				if older, err = s.LeftoverBuckets(ctx); err != nil {
					return nil, err
				}
				looked = true
			}
			if content, ok := older[name]; ok {
				items, source = content, Leftover
			} else {
				items, source = map[string][]byte{}, Missing
			}
		}
		all[name] = items
		r.Buckets = append(r.Buckets, Bucket{name, len(items), source})
	}
	r.applyMeta(s, all)
	return all, nil
}

// applyMeta brings the meta bucket up to what was read: a log may have been
// applied, and then compactions in it are done.
func (r *Result) applyMeta(s *snapshot.Snapshot, all map[string]map[string][]byte) {
	meta := all["meta"]
	if s.WAL() != nil {
		m := s.Meta()
		meta["consistent_index"] = binary.BigEndian.AppendUint64(nil, m.ConsistentIndex)
		meta["term"] = binary.BigEndian.AppendUint64(nil, m.Term)
		if c := s.CompactRevision(); c > 0 {
			meta["scheduledCompactRev"], meta["finishedCompactRev"] = revisionKey(c), revisionKey(c)
		}
		if s.WAL().MembersChanged {
			meta["confState"] = []byte(m.ConfState)
			all["members"] = map[string][]byte{}
			for _, x := range m.Members {
				all["members"][x.ID] = x.Record()
			}
			for _, id := range m.Removed {
				all["members_removed"][id] = []byte("removed")
			}
		}
		all["lease"] = map[string][]byte{}
		for id, lease := range s.Leases() {
			all["lease"][string(binary.BigEndian.AppendUint64(nil, uint64(id)))] = lease
		}
	}
	r.CompactUnknown = len(meta) == 0
	r.CompactRevision = compactRevision(meta)
}

// revisionKey is a revision as etcd stores it.
func revisionKey(main int64) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(main))
	return binary.BigEndian.AppendUint64(append(b, '_'), 0)
}
