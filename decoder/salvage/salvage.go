package salvage

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"slices"

	"revenant/decoder/snapshot"
)

// Options say how to salvage.
type Options struct {
	// IncludeUncertain writes records at or below the compact revision that were
	// found on pages in no bucket, and records that contradict themselves.
	IncludeUncertain bool
	// Progress, when set, is told how many of how many records are written.
	Progress func(done, total int)
}

// Source says where a small bucket's content is from.
type Source string

// The sources.
const (
	Tree     Source = "tree"     // the state that the file leads to
	Leftover Source = "leftover" // an older copy, on a page that nothing leads to any more
	Missing  Source = "missing"
)

// Found is a record from a page in no bucket.
type Found struct {
	Revision  string `json:"revision"`
	Key       string `json:"key"`
	Tombstone bool   `json:"tombstone"`
	Page      uint64 `json:"page"`
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
	// and what was compacted cannot be told apart, and so every record from a page
	// in no bucket is uncertain.
	CompactUnknown bool `json:"compactUnknown,omitempty"`
	// CompactSeen is the newest compact revision that any page tells of. One newer
	// than the tree's shows that the tree is that of an older state: what it has lost
	// may have been compacted since, and counts as uncertain.
	CompactSeen int64 `json:"compactSeen,omitempty"`

	Records   int     `json:"records"`   // written, from the buckets and the log
	Recovered []Found `json:"recovered"` // written, from pages in no bucket
	// Uncertain are such records at or below the compact revision, and those that
	// the tree leads to on a page that does not belong there.
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
	return len(r.Stretches) == 0 && len(r.Missing) == 0 && len(r.Unread) == 0 && len(r.Conflicts) == 0 && len(r.Suspect) == 0
}

// entry is a record to be written.
type entry struct {
	rev       snapshot.Revision
	tombstone bool
	record    snapshot.Record
}

// Write writes what can be read of s to a new file in dir, and leaves a working file
// beside it. The error is ctx's, or that of the file.
func Write(ctx context.Context, s *snapshot.Snapshot, dir *os.Root, name string, opts Options) (*Result, error) {
	r := &Result{
		Path: name, Included: opts.IncludeUncertain, // lists without an entry are [] in JSON
		Recovered: []Found{}, Uncertain: []Found{}, Suspect: []Found{}, Conflicts: []Found{},
		Unread: []string{}, Stretches: []string{}, Missing: []string{},
	}
	small, err := r.smallBuckets(ctx, s)
	if err != nil {
		return nil, err
	}
	entries, err := r.choose(ctx, s, opts)
	if err != nil {
		return nil, err
	}
	w := &writer{ctx: ctx, s: s, result: r, progress: opts.Progress}
	if err := w.database(dir, name, small, entries); err != nil {
		return nil, err
	}
	return r, nil
}

// choose puts together the records to be written, in order.
func (r *Result) choose(ctx context.Context, s *snapshot.Snapshot, opts Options) ([]entry, error) {
	var entries []entry
	doubtful := s.Doubtful()
	for rec := range s.Records() {
		found := func() Found { return Found{rec.Revision.String(), rec.Key, rec.Tombstone, s.Page(rec)} }
		switch {
		case s.Suspect(rec):
			r.Suspect = append(r.Suspect, found())
			if !opts.IncludeUncertain {
				continue
			}
		case (r.CompactUnknown || rec.Main <= r.CompactRevision) && doubtful(rec):
			r.Uncertain = append(r.Uncertain, found())
			if !opts.IncludeUncertain {
				continue
			}
		}
		entries = append(entries, entry{rec.Revision, rec.Tombstone, rec})
	}
	lost := s.Lost()
	if len(lost) > 0 || s.Damaged() {
		r.Stretches = append(r.Stretches, lost.Stretches()...)
		left, err := s.Leftovers(ctx)
		if err != nil {
			return nil, err
		}
		seen, err := s.CompactSeen(ctx)
		if err != nil {
			return nil, err
		}
		r.CompactSeen = max(seen, r.CompactRevision)
		for _, l := range left {
			behind := s.Behind(l.Revision)
			if !behind && !lost.Contains(l.Revision, l.Tombstone) {
				continue
			}
			found := Found{l.Revision.String(), l.Key, l.Tombstone, l.Page}
			switch {
			case l.Foreign:
				continue
			case l.Conflict:
				r.Conflicts = append(r.Conflicts, found)
				continue
			case r.CompactUnknown || l.Main <= r.CompactSeen || behind && !lost.Contains(l.Revision, l.Tombstone):
				r.Uncertain = append(r.Uncertain, found)
				if !opts.IncludeUncertain {
					continue
				}
			default:
				r.Recovered = append(r.Recovered, found)
			}
			entries = append(entries, entry{l.Revision, l.Tombstone, l.Record})
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.rev.Main, b.rev.Main), cmp.Compare(a.rev.Sub, b.rev.Sub))
	})
	r.stillMissing(entries)
	return entries, nil
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

// stillMissing finds the gaps above the compact revision, where etcd never removes
// anything.
func (r *Result) stillMissing(entries []entry) {
	if r.CompactUnknown {
		return
	}
	next := max(r.CompactRevision+1, 2)
	for _, e := range entries {
		if e.rev.Main > next && len(r.Missing) < maxMissing {
			name := fmt.Sprintf("%d to %d", next, e.rev.Main-1)
			if e.rev.Main == next+1 {
				name = fmt.Sprint(next)
			}
			r.Missing = append(r.Missing, name)
		}
		next = max(next, e.rev.Main+1)
	}
}

// smallBuckets reads all buckets but the revisions'. What nothing leads to any more
// is taken from the newest copy that was left behind.
func (r *Result) smallBuckets(ctx context.Context, s *snapshot.Snapshot) (map[string]map[string][]byte, error) {
	all := map[string]map[string][]byte{}
	var older map[string]map[string][]byte
	looked := false
	for _, name := range buckets {
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

// buckets are the small buckets of every etcd since 3.4 (server/v3 v3.7
// storage/schema/bucket.go). etcd makes those that are missing.
var buckets = []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "lease", "members", "members_removed", "meta"}

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
