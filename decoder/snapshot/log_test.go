package snapshot_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal"
	"revenant/decoder/wal/waltest"
)

// alone is a db of which the member of the log is the only one.
func alone(t *testing.T) []byte {
	t.Helper()
	return withMembers(t, map[uint64]bool{waltest.Member: false}, "")
}

// TestLogWithoutSegments: a log of which no segment is left has lost all entries after
// the db's last one.
func TestLogWithoutSegments(t *testing.T) {
	dir := member(t, alone(t), func(*waltest.Log) {})
	if err := os.Remove(filepath.Join(dir, "member", "wal", waltest.Name(0, 0))); err != nil {
		t.Fatal(err)
	}
	s := openDir(t, dir)
	if diff := cmp.Diff([]wal.Gap{{From: 1, Why: wal.Lost}}, s.WAL().Missing); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	missing, err := s.Missing(t.Context())
	if err != nil || !slices.ContainsFunc(missing, func(m snapshot.Missing) bool { return m.Kind == snapshot.MissingEnd }) {
		t.Errorf("missing %v, %v", missing, err)
	}
}

// raise is the request that raises or disarms an alarm.
func raise(action etcdserverpb.AlarmRequest_AlarmAction, member uint64, kind etcdserverpb.AlarmType) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{Alarm: &etcdserverpb.AlarmRequest{Action: action, MemberID: member, Alarm: kind}}
}

// TestGrants: which leases the log grants, and which etcd refuses.
func TestGrants(t *testing.T) {
	grant := func(id, ttl int64) *etcdserverpb.InternalRaftRequest {
		return &etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: ttl}}
	}
	const longest = 9_000_000_000 // seconds
	dir := member(t, alone(t), func(l *waltest.Log) {
		l.Request(
			grant(1, 60), grant(2, longest), grant(3, longest+1), grant(0, 60),
			raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE),
			grant(4, 60),
			raise(etcdserverpb.AlarmRequest_DEACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE),
			grant(5, 60),
		)
	})
	got := slices.Sorted(maps.Keys(openDir(t, dir).Leases()))
	if diff := cmp.Diff([]int64{1, 2, 5}, got); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
}

// TestAlarmsRefuse: while etcd has no space it carries out only what takes none, and while
// data is corrupt nothing.
func TestAlarmsRefuse(t *testing.T) {
	put := func(key string) *etcdserverpb.PutRequest { return &etcdserverpb.PutRequest{Key: []byte(key)} }
	ops := func(ops ...*etcdserverpb.RequestOp) []*etcdserverpb.RequestOp { return ops }
	const noSpace, corrupt = etcdserverpb.AlarmType_NOSPACE, etcdserverpb.AlarmType_CORRUPT
	for _, test := range []struct {
		name           string
		request        *etcdserverpb.InternalRaftRequest
		full, diverged bool // it changes something nevertheless
	}{
		{"a put", &etcdserverpb.InternalRaftRequest{Put: put("/b")}, false, false},
		{"a deletion", &etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte("/a")}}, true, false},
		{"a transaction that puts", requestTxn(&etcdserverpb.TxnRequest{Success: ops(putOp(put("/b")))}), false, false},
		{"one that puts in one that is in it", requestTxn(&etcdserverpb.TxnRequest{
			Success: ops(txnOp(&etcdserverpb.TxnRequest{Success: ops(putOp(put("/b")))})),
		}), false, false},
		{"one that would put if it failed", requestTxn(&etcdserverpb.TxnRequest{
			Success: ops(deleteOp([]byte("/a"), nil)), Failure: ops(putOp(put("/b"))),
		}), false, false},
		{"one that deletes", requestTxn(&etcdserverpb.TxnRequest{
			Success: ops(deleteOp([]byte("/a"), nil)), Failure: ops(deleteOp([]byte("/b"), nil)),
		}), true, false},
	} {
		for kind, want := range map[etcdserverpb.AlarmType]bool{etcdserverpb.AlarmType_NONE: true, noSpace: test.full, corrupt: test.diverged} {
			t.Run(test.name+"/"+kind.String(), func(t *testing.T) {
				dir := member(t, alone(t), func(l *waltest.Log) {
					l.Request(raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, kind), test.request)
				})
				s := openDir(t, dir)
				if changed := s.Revision() > s.WAL().DBRevision; changed != want {
					t.Errorf("revision %d after %d", s.Revision(), s.WAL().DBRevision)
				}
			})
		}
	}
}

// TestAlarms: every alarm that is raised is listed, and what its kind means is said once.
func TestAlarms(t *testing.T) {
	on, off := etcdserverpb.AlarmRequest_ACTIVATE, etcdserverpb.AlarmRequest_DEACTIVATE
	const noSpace, corrupt = etcdserverpb.AlarmType_NOSPACE, etcdserverpb.AlarmType_CORRUPT
	type requests = []*etcdserverpb.InternalRaftRequest
	for _, test := range []struct {
		name  string
		log   requests
		want  []snapshot.Alarm
		notes int
	}{
		{"none", nil, nil, 0},
		{"one", requests{raise(on, 10, noSpace)}, []snapshot.Alarm{{Member: "a", Kind: "NOSPACE"}}, 1},
		{"two of a kind", requests{raise(on, 11, noSpace), raise(on, 10, noSpace)}, []snapshot.Alarm{{Member: "a", Kind: "NOSPACE"}, {Member: "b", Kind: "NOSPACE"}}, 1},
		{"of each kind", requests{raise(on, 10, noSpace), raise(on, 10, corrupt)}, []snapshot.Alarm{{Member: "a", Kind: "CORRUPT"}, {Member: "a", Kind: "NOSPACE"}}, 2},
		{"of no kind that is known", requests{raise(on, 10, 7)}, []snapshot.Alarm{{Member: "a", Kind: "7"}}, 1},
		{"disarmed", requests{raise(on, 10, noSpace), raise(off, 10, noSpace)}, nil, 0},
		{"another member's is disarmed", requests{raise(on, 10, noSpace), raise(off, 11, noSpace)}, []snapshot.Alarm{{Member: "a", Kind: "NOSPACE"}}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := openDir(t, member(t, snapshottest.Bytes(t, snapshottest.Put("/a", "1")), func(l *waltest.Log) { l.Request(test.log...) }))
			if diff := cmp.Diff(test.want, s.Alarms()); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			notes := 0
			for _, p := range s.Problems() {
				if p.Where == "alarm" {
					notes++
				}
			}
			if notes != test.notes {
				t.Errorf("%d notes among %v", notes, s.Problems())
			}
		})
	}
}
