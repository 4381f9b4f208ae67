package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
)

// member makes the data directory of a member with that db and a log.
func member(t testing.TB, db []byte, write func(*waltest.Log)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	snap := filepath.Join(dir, "member", "snap")
	if err := os.MkdirAll(snap, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(snap, "db"), db, 0o600); err != nil {
		t.Fatal(err)
	}
	l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
	write(l)
	l.Commit()
	l.Close()
	return dir
}

var (
	first, end = []byte("/k/"), []byte("/l")
	whole      = []byte{0}
)

func keyOf(i int) []byte { return fmt.Appendf(nil, "/k/%05d", i) }

func putOp(p *etcdserverpb.PutRequest) *etcdserverpb.RequestOp {
	return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: p}}
}

func deleteOp(key, end []byte) *etcdserverpb.RequestOp {
	return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestDeleteRange{RequestDeleteRange: &etcdserverpb.DeleteRangeRequest{Key: key, RangeEnd: end}}}
}

func txnOp(t *etcdserverpb.TxnRequest) *etcdserverpb.RequestOp {
	return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestTxn{RequestTxn: t}}
}

func requestTxn(t *etcdserverpb.TxnRequest) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{Txn: t}
}

// hostileLogs are logs of about a megabyte that ask for far more.
var hostileLogs = []struct {
	name  string
	large bool // the db is one key of 1.4 MB, and not 50,000 keys
	write func(l *waltest.Log)
	says  string
}{
	{"puts that keep a large value", true, func(l *waltest.Log) {
		txn := &etcdserverpb.TxnRequest{}
		for range 20_000 {
			txn.Success = append(txn.Success, putOp(&etcdserverpb.PutRequest{Key: []byte("k"), IgnoreValue: true}))
		}
		l.Request(requestTxn(txn))
	}, "makes more"},
	{"entries that keep a large value", true, func(l *waltest.Log) {
		for range 20_000 {
			l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("k"), IgnoreValue: true}})
		}
	}, "makes more"},
	{"nested puts that keep a value of the log", true, func(l *waltest.Log) {
		l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("new"), Value: bytes.Repeat([]byte("v"), 500_000)}})
		txn := &etcdserverpb.TxnRequest{}
		for range 1000 {
			txn = &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{putOp(&etcdserverpb.PutRequest{Key: []byte("new"), IgnoreValue: true, IgnoreLease: true}), txnOp(txn)}}
		}
		l.Request(requestTxn(txn))
	}, "makes more"},
	{"compares on a large value", true, func(l *waltest.Log) {
		txn := &etcdserverpb.TxnRequest{Failure: []*etcdserverpb.RequestOp{deleteOp(whole, whole)}}
		for range 20_000 {
			txn.Compare = append(txn.Compare, &etcdserverpb.Compare{Key: whole, RangeEnd: whole, Result: etcdserverpb.Compare_LESS, Target: etcdserverpb.Compare_VALUE, TargetUnion: &etcdserverpb.Compare_Value{Value: []byte("w")}})
		}
		l.Request(requestTxn(txn))
	}, ""},
	{"a million empty operations", false, func(l *waltest.Log) {
		l.Entry(append([]byte("\x32\x80\x89\x7a"), bytes.Repeat([]byte{0x12, 0}, 1_000_000)...))
	}, ""},
	{"ranges deleted again and again", false, func(l *waltest.Log) {
		for range 20_000 {
			l.Request(&etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: first, RangeEnd: end}})
		}
	}, ""},
	{"ranges deleted but for a key that comes back", false, func(l *waltest.Log) {
		for i := range 10_000 {
			l.Request(requestTxn(&etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{deleteOp(whole, whole), putOp(&etcdserverpb.PutRequest{Key: keyOf(i)})}}))
		}
	}, ""},
	{"range compares in one entry", false, func(l *waltest.Log) {
		txn := &etcdserverpb.TxnRequest{}
		for i := range 10_000 {
			txn.Compare = append(txn.Compare,
				&etcdserverpb.Compare{Key: first, RangeEnd: end, Result: etcdserverpb.Compare_NOT_EQUAL, Target: etcdserverpb.Compare_MOD, TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: int64(1_000_000 + i)}},
				&etcdserverpb.Compare{Key: keyOf(i), RangeEnd: whole, Result: etcdserverpb.Compare_EQUAL, Target: etcdserverpb.Compare_VERSION, TargetUnion: &etcdserverpb.Compare_Version{Version: 1}})
		}
		l.Request(requestTxn(txn))
	}, ""},
	{"range compares on values and leases", false, func(l *waltest.Log) {
		txn := &etcdserverpb.TxnRequest{}
		for i := range 7000 {
			txn.Compare = append(txn.Compare,
				&etcdserverpb.Compare{Key: first, RangeEnd: end, Result: etcdserverpb.Compare_NOT_EQUAL, Target: etcdserverpb.Compare_VALUE, TargetUnion: &etcdserverpb.Compare_Value{Value: fmt.Appendf(nil, "value of some length %d.", i)}},
				&etcdserverpb.Compare{Key: first, RangeEnd: end, Target: etcdserverpb.Compare_LEASE, TargetUnion: &etcdserverpb.Compare_Lease{}})
		}
		l.Request(requestTxn(txn))
	}, ""},
	{"a range compare in every entry", false, func(l *waltest.Log) {
		for i := range 10_000 {
			l.Request(requestTxn(&etcdserverpb.TxnRequest{
				Compare: []*etcdserverpb.Compare{{Key: first, RangeEnd: end, Result: etcdserverpb.Compare_GREATER, Target: etcdserverpb.Compare_VERSION}},
				Success: []*etcdserverpb.RequestOp{putOp(&etcdserverpb.PutRequest{Key: keyOf(i * 7919 % 50_000)})},
			}))
		}
	}, ""},
	{"leases of all keys", false, func(l *waltest.Log) {
		l.Request(&etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: 7, TTL: 60}})
		txn := &etcdserverpb.TxnRequest{}
		for i := range 30_000 {
			txn.Success = append(txn.Success, putOp(&etcdserverpb.PutRequest{Key: keyOf(i), IgnoreValue: true, Lease: 7}))
		}
		l.Request(requestTxn(txn))
		for range 1000 {
			l.Request(&etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: 7}},
				&etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: 7, TTL: 60}})
		}
	}, ""},
	{"entries of nothing", false, func(l *waltest.Log) {
		for range 30_000 {
			l.Entry([]byte{0xff})
		}
	}, "is not a request that etcd writes"},
}

// dbs are one of 50,000 keys and one of a single large key.
func dbs(t testing.TB) (many, large []byte) {
	var changes []snapshottest.Change
	for i := range 50_000 {
		changes = append(changes, snapshottest.Put(string(keyOf(i)), fmt.Sprintf("value of some length %d", i)))
	}
	return snapshottest.Bytes(t, changes...), snapshottest.Bytes(t, snapshottest.Put("k", strings.Repeat("v", 1_400_000)))
}

// TestHostileLogs reads them within bounds of time and memory, and says what of
// them it does not apply.
func TestHostileLogs(t *testing.T) {
	many, large := dbs(t)
	for _, test := range hostileLogs {
		t.Run(test.name, func(t *testing.T) {
			db := many
			if test.large {
				db = large
			}
			dir := member(t, db, test.write)
			const patience = 20 * time.Second // several times what a busy machine takes
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			s, err := snapshot.Open(ctx, dir, snapshot.Options{SkipHashCheck: true})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			runtime.ReadMemStats(&after)
			const allocated = 160 << 20
			if got := after.TotalAlloc - before.TotalAlloc; got > allocated {
				t.Errorf("%d bytes allocated, more than %d", got, allocated)
			}
			t.Logf("%v, %d MiB allocated", time.Since(began), (after.TotalAlloc-before.TotalAlloc)>>20)
			says := damageOf(s)
			if (says == "") != (test.says == "") || !strings.Contains(says, test.says) {
				t.Errorf("damage %.300q, want %q", says, test.says)
			}
			if missing := s.WAL().MissingEntries(); (missing > 0) != (test.says != "") {
				t.Errorf("%d entries are missing", missing)
			}
		})
	}
}

// damageOf is what a snapshot says of its damage.
func damageOf(s *snapshot.Snapshot) string {
	var b strings.Builder
	for _, p := range s.Problems() {
		if p.Severity == snapshot.Damage {
			b.WriteString(p.String() + "\n")
		}
	}
	return b.String()
}

func BenchmarkHostileLogs(b *testing.B) {
	many, large := dbs(b)
	for _, test := range hostileLogs {
		b.Run(test.name, func(b *testing.B) {
			db := many
			if test.large {
				db = large
			}
			dir := member(b, db, test.write)
			b.ReportAllocs()
			for b.Loop() {
				s, err := snapshot.Open(b.Context(), dir, snapshot.Options{SkipHashCheck: true})
				if err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
		})
	}
}

// TestInterruptedEntry is interrupted in the middle of an entry, as soon as that
// shows how far it is.
func TestInterruptedEntry(t *testing.T) {
	dir := member(t, snapshottest.Bytes(t, snapshottest.Put("/k/1", "v")), func(l *waltest.Log) {
		txn := &etcdserverpb.TxnRequest{}
		for range 100_000 {
			txn.Compare = append(txn.Compare, &etcdserverpb.Compare{Key: first, RangeEnd: end, Result: etcdserverpb.Compare_GREATER})
		}
		l.Request(requestTxn(txn))
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := false
	s, err := snapshot.Open(ctx, dir, snapshot.Options{SkipHashCheck: true, Progress: func(p snapshot.Progress) {
		if p.Phase == snapshot.PhaseReplay && p.Done > 0 && p.Done < p.Total && !told {
			told = true
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !told {
		t.Errorf("opened %v, error %v, progress was told: %v", s, err, told)
	}
}
