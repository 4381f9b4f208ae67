package snapshot

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"revenant/decoder/wal"
	"revenant/internal/words"
)

// MissingKind says what of the evidence was not read.
type MissingKind string

// The kinds.
const (
	// MissingEntries: entries of the log that are known to have been there.
	MissingEntries MissingKind = "log-entries"
	// MissingEnd: what followed the last entry of the log that can be read.
	MissingEnd MissingKind = "log-end"
	// MissingRest: what may have followed, where the log does not end as etcd leaves one.
	MissingRest MissingKind = "log-rest"
	// MissingAgreement: entries that were not applied, for the other members may not
	// have agreed to them.
	MissingAgreement MissingKind = "uncommitted"
	// MissingRevisions: what delta files have after the last one that was applied.
	MissingRevisions MissingKind = "revisions"
	// MissingLog: the log of a member's own db.
	MissingLog MissingKind = "log"
	// MissingContent: pages, records or values.
	MissingContent MissingKind = "content"
	// MissingBytes: the bytes that were saved, where the trailer does not fit.
	MissingBytes MissingKind = "bytes"
	// MissingState: one state, where a running etcd wrote while it was read.
	MissingState MissingKind = "one-state"
	// MissingOthers: what the other members may have agreed to without this one.
	MissingOthers MissingKind = "other-members"
	// MissingRemoved: what the cluster wrote after this member was removed from it.
	MissingRemoved MissingKind = "after-removal"
	// MissingReceived: a newer db that the leader had sent, and that was not read.
	MissingReceived MissingKind = "received-db"
)

// Sure says whether something is missing for sure, and not only the certainty that
// nothing is.
func (m *Missing) Sure() bool {
	switch m.Kind {
	case MissingRest, MissingAgreement, MissingLog, MissingOthers, MissingRemoved:
		return false
	}
	return true
}

// Missing is something that is known to be missing from the evidence, so that what
// is not in it may still have been.
type Missing struct {
	Kind MissingKind `json:"kind"`
	What string      `json:"what"` // a noun: "entries 485 to 1001 of the log (517)"
	// Revisions bounds how many revisions after the newest one that was read are in
	// it; nil where nothing does.
	Revisions *int64 `json:"revisionsAtMost"`
}

// Bound says how much of what was written last is in it.
func (m *Missing) Bound() string {
	switch n := m.Revisions; {
	case n == nil:
		return "nothing bounds how much was written in it"
	case *n == 0:
		return "nothing newer than what was read"
	default:
		return fmt.Sprintf("up to %s newer than what was read", words.PlainOf(*n, "revision", "revisions"))
	}
}

// batchLimit is how many writes etcd's backend holds back at most before it commits
// them, or for 100 ms; unless --backend-batch-limit or -interval says otherwise (etcd
// server/v3 v3.7 storage/backend/backend.go).
const batchLimit = 10_000

// Missing lists what is known to be missing. Reading more of the file can find more.
// The error is ctx's.
func (s *Snapshot) Missing(ctx context.Context) ([]Missing, error) {
	list := []Missing{}
	add := func(kind MissingKind, revisions int64, format string, args ...any) {
		m := Missing{Kind: kind, What: fmt.Sprintf(format, args...)}
		if revisions >= 0 {
			m.Revisions = &revisions
		}
		list = append(list, m)
	}
	if w := s.wal; w != nil {
		if n := clamp(w.MissingEntries()); n > 0 {
			add(MissingEntries, n, "%s of the log", missingEntries(w.Missing, n))
		}
		if from := w.endsBefore(); from > 0 {
			add(MissingEnd, -1, "what the log had after entry %d", from-1)
		}
		if w.MayGoOn {
			add(MissingRest, -1, "what may have followed entry %d, with which the log is cut off", max(w.LastIndex, w.DBIndex))
		}
		if n := int64(w.Uncommitted); n > 0 {
			add(MissingAgreement, n, "%s of the log, which the other members may not have agreed to", words.PlainOf(n, "entry", "entries"))
		}
	}
	if d := s.deltas; d != nil && d.unapplied(s.Revision()) > 0 {
		add(MissingRevisions, d.unapplied(s.Revision()), "%s of its delta files", words.Span(s.Revision()+1, d.LastSeen, "revision", "revisions"))
	}
	if s.withoutLog() {
		add(MissingLog, batchLimit, "the log of a member's own db: what was written in the last 100 ms or so before it was copied")
	}
	if s.received != "" {
		add(MissingReceived, -1, "what is newer in %s, which the leader had sent", s.received)
	}
	switch {
	case s.gone:
		add(MissingRemoved, -1, "what the cluster wrote after this member was removed from it")
	case s.without != "":
		add(MissingOthers, -1, "what the other members may have agreed to without this one (%s)", s.without)
	}
	if n := s.damagedContent(); n > 0 {
		head, err := s.Headless(ctx)
		if err != nil {
			return nil, err
		}
		add(MissingContent, head, "what cannot be read of its pages, records or values (%s)", words.PlainOf(n, "problem", "problems"))
	}
	if s.TornPossible() {
		add(MissingState, -1, "one state of it: a running etcd writes to it")
	}
	return list, nil
}

// Missing is what the checks show to be missing, beside what Snapshot.Missing lists.
func (i Integrity) Missing() []Missing {
	if !slices.ContainsFunc(i.Checks, func(c Check) bool { return c.Name == "trailer" && c.Verdict == Bad }) {
		return nil
	}
	return []Missing{{Kind: MissingBytes, What: "the bytes that were saved: its trailer does not fit"}}
}

// withoutLog says whether the db is a member's own, and its log was not read.
// `etcdctl snapshot save` writes a copy of one state, and a trailer, which may have
// been cut off with pages before it. Changes that follow it without a gap show that
// nothing was.
func (s *Snapshot) withoutLog() bool {
	if s.deltas != nil && s.deltas.Applied > 0 {
		return false
	}
	return s.wal == nil && (s.pages.TwoStates() || !hasTrailer(s.size) && s.size >= s.pages.Meta().Size())
}

// damagedContent counts the problems that cost something of what the db holds.
func (s *Snapshot) damagedContent() (n int) {
	for _, p := range s.Problems() {
		if p.Severity == Damage && p.Where != "log" && p.Where != "directory" && p.Where != "deltas" {
			n++
		}
	}
	return n
}

// endsBefore is the index from which on nothing shows how many entries there were,
// 0 where that is not so.
func (w *WAL) endsBefore() uint64 {
	for _, gap := range w.Missing {
		if gap.To == 0 {
			return gap.From
		}
	}
	return 0
}

// MissingEntries is how many entries are known to be missing, at least. Each may
// have made one revision: a transaction of many operations makes no more.
func (w *WAL) MissingEntries() (n uint64) {
	for _, gap := range w.Missing {
		if gap.To < gap.From {
			continue
		}
		more := gap.To - gap.From + 1
		if more == 0 || n+more < n {
			return math.MaxUint64
		}
		n += more
	}
	return n
}

// missingEntries names the runs of entries that are missing.
func missingEntries(gaps []wal.Gap, n int64) string {
	const listed = 4
	var runs []string
	for _, gap := range gaps {
		if gap.To < gap.From {
			continue
		}
		if len(runs) == listed {
			runs = append(runs, "…")
			break
		}
		if run := strconv.FormatUint(gap.From, 10); gap.From == gap.To {
			runs = append(runs, run)
		} else {
			runs = append(runs, run+" to "+strconv.FormatUint(gap.To, 10))
		}
	}
	return fmt.Sprintf("%s (%s)", words.PlainOf(n, "entry", "entries"), strings.Join(runs, ", "))
}

// clamp is n, or the largest revision there is.
func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
