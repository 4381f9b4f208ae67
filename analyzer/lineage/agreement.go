package lineage

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"

	"revenant/decoder/container"
	"revenant/decoder/snapshot"
)

// Agreement says whether two snapshots, of two members of a cluster for one, hold
// the same up to the older head.
type Agreement struct {
	A string `json:"a"` // paths
	B string `json:"b"`
	// Identical: the files hold the same bytes, so that they agree whatever of them
	// can be read.
	Identical bool `json:"identical"`
	// Agree is nil when the two are of two clusters, or nothing could be compared.
	Agree *bool `json:"agree"`
	// Cluster is the uid of the namespace kube-system. Where it is not known, records
	// that are the same in both show that the cluster is.
	Cluster Match `json:"cluster"`
	// ComparedTo is the older head, up to which all was compared that both retain.
	ComparedTo int64 `json:"comparedTo"`
	// Partial: the newer one was compacted above the older head, so that only what
	// was not written since was compared.
	Partial bool `json:"partial,omitempty"`
	// Behind is how many revisions B is behind A, negative when it is ahead.
	Behind          int64            `json:"behind"`
	Same            int              `json:"same"` // records, byte for byte
	Differences     int              `json:"differences"`
	FirstDifference *FirstDifference `json:"firstDifference,omitempty"`
	// Damaged: a difference may be what damage has cost.
	Damaged bool `json:"damaged,omitempty"`
}

// FirstDifference is the oldest record that is not the same in both.
type FirstDifference struct {
	Revision int64  `json:"revision"`
	Key      string `json:"key"`
	In       Side   `json:"in"`
}

// Side says which of two snapshots has a record.
type Side string

// The sides.
const (
	InBoth Side = "both"
	InA    Side = "a"
	InB    Side = "b"
)

// Agree compares the records of two snapshots whose API servers keep their keys
// below prefix, every byte of them, up to the older head: all above the newer of
// the two compact revisions, and the state of every key there. Of what lies below
// that, members retain what they please: each compacts in its own time, and whether
// it keeps a tombstone at that very revision depends on its version.
//
// Files that hold the same bytes agree, and have the same damage.
//
// Unlike Compare it takes nothing for damage: one record that differs is one too
// many between members, whatever comes after it. The error is ctx's, or says which
// record could not be read.
func Agree(ctx context.Context, a, b *snapshot.Snapshot, prefix string) (*Agreement, error) {
	g := agreement{ctx: ctx, a: a, b: b, Agreement: Agreement{
		A: a.Path(), B: b.Path(), ComparedTo: min(a.Revision(), b.Revision()), Behind: a.Revision() - b.Revision(),
		Cluster: matched(clusterUID(a, prefix), clusterUID(b, prefix)), Damaged: a.Damaged() || b.Damaged(),
	}}
	var err error
	if g.Identical, err = identical(ctx, a, b); err != nil {
		return nil, err
	}
	if g.Cluster != Different {
		if err := g.walk(); err != nil && !g.Identical {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch agree := g.Differences == 0; {
	case g.Identical:
		g.Agree = &agree
	case g.Cluster == Different, g.Same == 0 && (agree || g.Cluster == NotCompared):
		g.Differences, g.FirstDifference = 0, nil // of two clusters, or of none
	default:
		g.Agree = &agree
	}
	return &g.Agreement, nil
}

// identical says whether the dbs hold the same bytes and, where a log was applied,
// all files do. Without hashes it is not said.
func identical(ctx context.Context, a, b *snapshot.Snapshot) (bool, error) {
	x, err := a.Custody(ctx)
	if err != nil {
		return false, err
	}
	y, err := b.Custody(ctx)
	if err != nil {
		return false, err
	}
	same := func(f, g container.File) bool { return f.SHA256 != "" && f.SHA256 == g.SHA256 }
	if a.WAL() != nil || b.WAL() != nil {
		return slices.EqualFunc(x.Files, y.Files, same), nil
	}
	return x.SHA256 != "" && x.SHA256 == y.SHA256, nil
}

// agreement is two snapshots and what was found of them so far.
type agreement struct {
	Agreement
	ctx        context.Context
	a, b       *snapshot.Snapshot
	bufA, bufB []byte
}

// walk goes over what both must have, in the order of revisions.
func (g *agreement) walk() error {
	at := max(g.a.CompactRevision(), g.b.CompactRevision())
	g.Partial = at > g.ComparedTo
	as, err := g.lasting(g.a, at)
	if err != nil {
		return err
	}
	bs, err := g.lasting(g.b, at)
	if err != nil {
		return err
	}
	for x, y := range merge(g.ctx, as, bs, byRevision) {
		if err := g.compare(x, y); err != nil {
			return err
		}
	}
	return nil
}

// lasting yields the records of s up to the older head that a compaction to at
// leaves, but for tombstones at or below it. Where s ends before, it is those that
// exist at its end.
func (g *agreement) lasting(s *snapshot.Snapshot, at int64) (iter.Seq[snapshot.Record], error) {
	at = min(at, s.Revision())
	view, err := s.At(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path(), err)
	}
	return func(yield func(snapshot.Record) bool) {
		for r := range upTo(s.Records(), g.ComparedTo) {
			if r.Main <= at {
				if newest, err := view.Get(r.Key); err != nil || newest.Revision != r.Revision {
					continue
				}
			}
			if !yield(r) {
				return
			}
		}
	}, nil
}

// compare holds what stands at one revision in each against each other, nil for
// nothing.
func (g *agreement) compare(x, y *snapshot.Record) error {
	switch {
	case x == nil:
		if !g.Partial || g.Behind < 0 { // else a, the newer one, has rewritten it since
			g.differ(y, InB)
		}
		return nil
	case y == nil:
		if !g.Partial || g.Behind > 0 {
			g.differ(x, InA)
		}
		return nil
	}
	same := x.Tombstone == y.Tombstone
	if same {
		var err error
		if g.bufA, err = g.a.Raw(*x, g.bufA); err != nil {
			return fmt.Errorf("%s: %w", g.A, err)
		}
		if g.bufB, err = g.b.Raw(*y, g.bufB); err != nil {
			return fmt.Errorf("%s: %w", g.B, err)
		}
		same = bytes.Equal(g.bufA, g.bufB)
	}
	if !same {
		g.differ(x, InBoth)
		return nil
	}
	g.Same++
	return nil
}

func (g *agreement) differ(r *snapshot.Record, in Side) {
	if g.Differences++; g.Differences == 1 {
		g.FirstDifference = &FirstDifference{Revision: r.Main, Key: r.Key, In: in}
	}
}
