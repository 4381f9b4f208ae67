package snapshot_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal"
	"revenant/decoder/wal/waltest"
	"revenant/internal/hostile"
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
	want := &snapshot.WAL{Segments: []string{}, Missing: []wal.Gap{{From: 1, Why: wal.Lost}}, DBRevision: 2}
	if diff := cmp.Diff(want, s.WAL()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
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

// TestStoredAlarms: alarms that the db has are raised, and the log can disarm them. What is
// no alarm is none.
func TestStoredAlarms(t *testing.T) {
	alarms := func(keys ...string) []byte {
		var list []hostile.Item
		for _, key := range keys {
			list = append(list, hostile.Item{Key: []byte(key)})
		}
		var f hostile.File
		root := f.Leaf(hostile.Record(2, 0, 2, 1, "/a", nil))
		return f.Finish(f.Leaf(hostile.Inline("alarm", list...), hostile.Bucket("key", root), hostile.Inline("meta")), hostile.NoFreelist, 0)
	}
	const noSpace, other, corrupt, none = "\x08\x0a\x10\x01", "\x08\x0b\x10\x01", "\x08\x0a\x10\x02", "\x08\x0a"
	for _, tt := range []struct {
		name string
		db   []byte
		off  uint64 // the member whose NOSPACE the log disarms; 0 for no log
		want []snapshot.Alarm
		full bool // a put is refused after that
	}{
		{"one", alarms(noSpace), 0, []snapshot.Alarm{{Member: "a", Kind: "NOSPACE"}}, false},
		{"several", alarms(noSpace, corrupt, other), 0, []snapshot.Alarm{{Member: "a", Kind: "CORRUPT"}, {Member: "a", Kind: "NOSPACE"}, {Member: "b", Kind: "NOSPACE"}}, false},
		{"of no kind", alarms(none), 0, []snapshot.Alarm{{Member: "a", Kind: "NONE"}}, false},
		{"no alarm", alarms("\xff"), 0, nil, false},
		{"disarmed", alarms(noSpace), 10, nil, false},
		{"one of two disarmed", alarms(noSpace, other), 10, []snapshot.Alarm{{Member: "b", Kind: "NOSPACE"}}, true},
		{"another member's disarmed", alarms(noSpace), 11, []snapshot.Alarm{{Member: "a", Kind: "NOSPACE"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, tt.db)
			if tt.off != 0 {
				path = member(t, tt.db, func(l *waltest.Log) {
					l.Request(raise(etcdserverpb.AlarmRequest_DEACTIVATE, tt.off, etcdserverpb.AlarmType_NOSPACE), putKey("/n"))
				})
			}
			s := openDir(t, path)
			if diff := cmp.Diff(tt.want, s.Alarms()); diff != "" {
				t.Errorf("alarms (-want +got):\n%s", diff)
			}
			if tt.off != 0 && (s.Revision() == 2) != tt.full {
				t.Errorf("revision %d", s.Revision())
			}
		})
	}
}

// TestTail: what entries make that are not known to be agreed on is told from what
// those before make.
func TestTail(t *testing.T) {
	put := func(key string) *etcdserverpb.InternalRaftRequest {
		return &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte(key)}}
	}
	dir := member(t, alone(t), func(*waltest.Log) {})
	l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
	l.Request(put("/b"))
	l.Commit()
	l.Request(raise(etcdserverpb.AlarmRequest_DEACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE), put("/c"), put("/d")) // the first changes no key
	l.Close()
	s := openDir(t, dir)
	got := map[string]snapshot.Source{}
	for r := range s.Records() {
		got[r.Key] = s.Source(r)
	}
	want := map[string]snapshot.Source{"/a": snapshot.FromDB, "/b": snapshot.FromLog, "/c": snapshot.FromTail, "/d": snapshot.FromTail}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if w := s.WAL(); w.Tail != 3 || w.TailRevision != 4 {
		t.Errorf("%d entries after the last commit, the first revision is %d", w.Tail, w.TailRevision)
	}
}

// TestStrangeEntry: of an entry that is strange in two ways it is said what etcd makes of
// it, and not only that a field is not known.
func TestStrangeEntry(t *testing.T) {
	for _, test := range []struct{ name, put, says string }{
		{"a field that is not known", "\x0a\x02/b\x38\x01", "has a field that this program does not know"},
		{"an empty key", "\x12\x01v", "puts an empty key"},
		{"both", "\x12\x01v\x38\x01", "puts an empty key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := member(t, alone(t), func(l *waltest.Log) {
				l.Entry(append([]byte{4<<3 | 2, byte(len(test.put))}, test.put...))
			})
			if says := damageOf(openDir(t, dir)); strings.Count(says, "\n") != 1 || !strings.Contains(says, test.says) {
				t.Errorf("damage %q, want %q", says, test.says)
			}
		})
	}
}

// TestKeptValue: a put that keeps value and lease keeps those that reading the record
// before gives, however that is written.
func TestKeptValue(t *testing.T) {
	for name, more := range map[string]string{
		"as etcd writes it":  "\x30\x07",
		"two values":         "\x2a\x05other",
		"an empty one after": "\x2a\x00",
		"two values, lease":  "\x2a\x05other\x30\x07",
	} {
		t.Run(name, func(t *testing.T) {
			record := hostile.Record(2, 0, 2, 1, "/a", []byte("one"))
			record.Value = append(record.Value, more...)
			s := openDir(t, member(t, hostile.Store([]hostile.Item{record}), func(l *waltest.Log) {
				l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/a"), IgnoreValue: true, IgnoreLease: true}})
			}))
			var values []string
			for r := range s.Records() {
				value, err := s.Value(r)
				if err != nil {
					t.Fatal(err)
				}
				lease, err := s.Lease(r)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, fmt.Sprintf("%s, lease %d", value, lease))
			}
			if len(values) != 2 || values[0] != values[1] {
				t.Errorf("values %q", values)
			}
		})
	}
}
