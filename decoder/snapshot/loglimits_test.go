package snapshot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/wal"
)

// TestMissingText: which entries are missing, by how many runs of them there are.
func TestMissingText(t *testing.T) {
	lost := func(from, to uint64) wal.Gap { return wal.Gap{From: from, To: to, Why: wal.Lost} }
	for _, tt := range []struct {
		gaps []wal.Gap
		want string // what is missing of what
		list string // the same, without what nothing bounds
		n    uint64
		from uint64 // from which on nothing bounds it, 0 for none
	}{
		{[]wal.Gap{lost(7, 7)}, "entry 7", "1 entry (7)", 1, 0},
		{[]wal.Gap{lost(7, 9)}, "entries 7 to 9", "3 entries (7 to 9)", 3, 0},
		{[]wal.Gap{lost(7, 0)}, "what was written after entry 6", "", 0, 7},
		{[]wal.Gap{lost(7, 9), {From: 10, To: 10, Why: wal.AfterGap}}, "entries 7 to 9; entry 10, which cannot be applied without those before", "4 entries (7 to 9, 10)", 4, 0},
		{[]wal.Gap{lost(1, 1), lost(3, 3), lost(5, 5), lost(7, 7)}, "entry 1; entry 3; entry 5; entry 7", "4 entries (1, 3, 5, 7)", 4, 0},
		{[]wal.Gap{lost(1, 1), lost(3, 3), lost(5, 5), lost(7, 7), lost(9, 9)}, "entry 1; entry 3; entry 5; entry 7; and 1 more run", "5 entries (1, 3, 5, 7, …)", 5, 0},
		{[]wal.Gap{lost(1, 1), lost(3, 3), lost(5, 5), lost(7, 7), lost(9, 0)}, "entry 1; entry 3; entry 5; entry 7; and 1 more run", "4 entries (1, 3, 5, 7)", 4, 9},
		{[]wal.Gap{lost(1, 1), lost(3, 3), lost(5, 5), lost(7, 7), lost(9, 9), lost(11, 11)}, "entry 1; entry 3; entry 5; entry 7; and 2 more runs", "6 entries (1, 3, 5, 7, …)", 6, 0},
		{[]wal.Gap{lost(1, 1<<63), lost(1<<63+2, 1<<64-1)}, "entries 1 to 9223372036854775808; entries 9223372036854775810 to 18446744073709551615", "9223372036854775807 entries (1 to 9223372036854775808, 9223372036854775810 to 18446744073709551615)", 1<<64 - 2, 0},
		{[]wal.Gap{lost(0, 1<<64-1)}, "entries 0 to 18446744073709551615", "9223372036854775807 entries (0 to 18446744073709551615)", 1<<64 - 1, 0},
		{[]wal.Gap{lost(1, 1<<64-1), lost(1, 1)}, "entries 1 to 18446744073709551615; entry 1", "9223372036854775807 entries (1 to 18446744073709551615, 1)", 1<<64 - 1, 0},
	} {
		w := &WAL{Missing: tt.gaps}
		if got := missingText(tt.gaps); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.gaps, got, tt.want)
		}
		if n := w.MissingEntries(); n != tt.n || w.endsBefore() != tt.from {
			t.Errorf("%v: %d entries, ends before %d", tt.gaps, n, w.endsBefore())
		}
		if tt.n == 0 {
			continue
		}
		if got := missingEntries(tt.gaps, clamp(tt.n)); got != tt.list {
			t.Errorf("%v: %q, want %q", tt.gaps, got, tt.list)
		}
	}
}

// TestMiss: entries that follow one another and are missing for one reason are one run; the
// last of very many runs takes all that follow.
func TestMiss(t *testing.T) {
	w := &WAL{}
	for _, gap := range []wal.Gap{{From: 1, To: 1, Why: wal.Unread}, {From: 2, To: 2, Why: wal.Unread}, {From: 4, To: 4, Why: wal.Unread}, {From: 5, To: 9, Why: wal.OverLimit}} {
		w.miss(gap.From, gap.To, gap.Why)
	}
	want := []wal.Gap{{From: 1, To: 2, Why: wal.Unread}, {From: 4, To: 4, Why: wal.Unread}, {From: 5, To: 9, Why: wal.OverLimit}}
	if diff := cmp.Diff(want, w.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	w = &WAL{}
	const runs = maxGaps + 2
	for i := range uint64(runs) {
		w.miss(2*i+1, 2*i+1, wal.Unread)
	}
	if n := len(w.Missing); n != maxGaps || w.Missing[n-1] != (wal.Gap{From: 2*maxGaps - 1, To: 2*runs - 1, Why: wal.Unread}) || w.Missing[n-2].To != 2*maxGaps-3 {
		t.Errorf("%d runs, the last ones %v", n, w.Missing[n-2:])
	}
}

// TestOverLimit: a log may make so much and no byte more. Nothing is applied of the entry
// that makes more, and nothing after it.
func TestOverLimit(t *testing.T) {
	s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: 2}, "/a", strings.Repeat("v", 1000), 2, 1}), Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keep := &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: &etcdserverpb.PutRequest{Key: []byte("/a"), IgnoreValue: true}}}
	txn := &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{keep, keep}}
	tombstone := &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{keep, {Request: &etcdserverpb.RequestOp_RequestDeleteRange{RequestDeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte("/a")}}}}}
	for _, t2 := range []*etcdserverpb.TxnRequest{txn, tombstone} {
		whole := newReplay(t.Context(), s)
		whole.progress = newProgress(nil, PhaseReplay, 0)
		if whole.txn(marshal(t, t2)); whole.stopped != nil || len(whole.changes) != 2 {
			t.Fatalf("%d changes, stopped by %v", len(whole.changes), whole.stopped)
		}
		for _, less := range []int64{0, 1} {
			r := newReplay(t.Context(), s)
			r.progress, r.limit = newProgress(nil, PhaseReplay, 0), whole.size-less
			r.txn(marshal(t, t2))
			if over := r.stopped == errOverLimit; over != (less > 0) || len(r.changes) != 2-int(less) {
				t.Errorf("%d bytes less than there are: %d changes, stopped by %v", less, len(r.changes), r.stopped)
			}
		}
	}

	// overlayLeast is enough for some of these entries.
	var entries []wal.Entry
	large, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: 2}, "/a", strings.Repeat("v", 10<<20), 2, 1}), Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	put := marshal(t, &etcdserverpb.InternalRaftRequest{Put: keep.GetRequestPut()})
	for i := range uint64(9) {
		data := put
		if i == 5 { // two at once
			data = marshal(t, &etcdserverpb.InternalRaftRequest{Txn: txn})
		}
		entries = append(entries, wal.Entry{Index: 10 + i, Term: 1, Data: data})
	}
	large.wal = &WAL{FirstIndex: 10, LastIndex: 18}
	r := newReplay(t.Context(), large)
	if err := large.run(r, &wal.Log{Entries: entries, Commit: 18}, false); err != nil {
		t.Fatal(err)
	}
	large.layOver(r)
	want := &WAL{FirstIndex: 10, LastIndex: 18, Applied: 5, Missing: []wal.Gap{{From: 15, To: 18, Why: wal.OverLimit}}}
	if diff := cmp.Diff(want, large.wal); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if large.Revision() != 7 || large.Len() != 6 || large.meta.ConsistentIndex != 14 {
		t.Errorf("revision %d, %d records, entry %d", large.Revision(), large.Len(), large.meta.ConsistentIndex)
	}
	says := slices.ContainsFunc(large.Problems(), func(p Problem) bool {
		return p.Severity == Damage && p.Where == "log" && p.What == fmt.Sprintf("entry 15 %v", errOverLimit) && p.Cost == "entries 15 to 18"
	})
	if !says {
		t.Errorf("problems %v", large.Problems())
	}
}

// TestRevisionsUsedUp: after the last revision that there can be no entry is applied.
func TestRevisionsUsedUp(t *testing.T) {
	const last = 1<<63 - 1
	s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: last - 1}, "/a", "v", last - 1, 1}), Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put := marshal(t, &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/a")}})
	s.wal = &WAL{FirstIndex: 1, LastIndex: 3}
	r := newReplay(t.Context(), s)
	if err := s.run(r, &wal.Log{Entries: []wal.Entry{{Index: 1, Data: put}, {Index: 2, Data: put}, {Index: 3, Data: put}}, Commit: 3}, false); err != nil {
		t.Fatal(err)
	}
	s.layOver(r)
	if diff := cmp.Diff([]wal.Gap{{From: 2, To: 3, Why: wal.OverLimit}}, s.wal.Missing); diff != "" || s.Revision() != last || s.SeenRevision() != last {
		t.Errorf("revision %d, seen %d, missing (-want +got):\n%s", s.Revision(), s.SeenRevision(), diff)
	}
}
