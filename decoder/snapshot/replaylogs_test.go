package snapshot_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
	"revenant/internal/hostile"
)

type (
	requests = []*etcdserverpb.InternalRaftRequest
	ops      = []*etcdserverpb.RequestOp
	compares = []*etcdserverpb.Compare
)

func putRequest(key, value string, lease int64) *etcdserverpb.PutRequest {
	return &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(value), Lease: lease}
}

func keepValue(key string, lease int64) *etcdserverpb.PutRequest {
	return &etcdserverpb.PutRequest{Key: []byte(key), Lease: lease, IgnoreValue: true}
}

func keepLease(key, value string) *etcdserverpb.PutRequest {
	return &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(value), IgnoreLease: true}
}

func requestPut(p *etcdserverpb.PutRequest) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{Put: p}
}

func putKey(key string) *etcdserverpb.InternalRaftRequest {
	return requestPut(putRequest(key, "x", 0))
}

func deleteKeys(key, end string) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte(key), RangeEnd: []byte(end)}}
}

func grantLease(id, ttl int64) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: ttl}}
}

func revokeLease(id int64) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: id}}
}

func compactAt(revision int64) *etcdserverpb.InternalRaftRequest {
	return &etcdserverpb.InternalRaftRequest{Compaction: &etcdserverpb.CompactionRequest{Revision: revision}}
}

func rangeOp(revision int64) *etcdserverpb.RequestOp {
	return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestRange{RequestRange: &etcdserverpb.RangeRequest{Key: []byte("/a"), Revision: revision}}}
}

func putX(key string) *etcdserverpb.RequestOp { return putOp(putRequest(key, "x", 0)) }

func deleteKey(key string) *etcdserverpb.RequestOp { return deleteOp([]byte(key), nil) }

// txnOf does the operations where all hold, else the others.
func txnOf(all compares, do, otherwise ops) *etcdserverpb.InternalRaftRequest {
	return requestTxn(&etcdserverpb.TxnRequest{Compare: all, Success: do, Failure: otherwise})
}

const (
	isEqual    = etcdserverpb.Compare_EQUAL
	isGreater  = etcdserverpb.Compare_GREATER
	isLess     = etcdserverpb.Compare_LESS
	isNotEqual = etcdserverpb.Compare_NOT_EQUAL
)

func whereVersion(key, end string, result etcdserverpb.Compare_CompareResult, n int64) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{Key: []byte(key), RangeEnd: []byte(end), Result: result, Target: etcdserverpb.Compare_VERSION, TargetUnion: &etcdserverpb.Compare_Version{Version: n}}
}

func whereCreate(key string, result etcdserverpb.Compare_CompareResult, n int64) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{Key: []byte(key), Result: result, Target: etcdserverpb.Compare_CREATE, TargetUnion: &etcdserverpb.Compare_CreateRevision{CreateRevision: n}}
}

func whereMod(key string, result etcdserverpb.Compare_CompareResult, n int64) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{Key: []byte(key), Result: result, Target: etcdserverpb.Compare_MOD, TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: n}}
}

func whereLease(key string, result etcdserverpb.Compare_CompareResult, n int64) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{Key: []byte(key), Result: result, Target: etcdserverpb.Compare_LEASE, TargetUnion: &etcdserverpb.Compare_Lease{Lease: n}}
}

func whereValue(key, end string, result etcdserverpb.Compare_CompareResult, value string) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{Key: []byte(key), RangeEnd: []byte(end), Result: result, Target: etcdserverpb.Compare_VALUE, TargetUnion: &etcdserverpb.Compare_Value{Value: []byte(value)}}
}

// each is a transaction for every condition, which puts a key after it.
func each(conditions ...*etcdserverpb.Compare) (list requests) {
	for i, c := range conditions {
		list = append(list, txnOf(compares{c}, ops{putX(fmt.Sprintf("/held-%d", i))}, nil))
	}
	return list
}

// smallStore has keys with one version and with two, with a lease and without, and a
// deleted one.
func smallStore(t *testing.T) []byte {
	t.Helper()
	db := snapshottest.Bytes(t,
		snapshottest.Put("/a", "one"),
		snapshottest.Change{Key: "/b", Value: []byte("two"), Lease: 7, TTL: 60},
		snapshottest.Put("/c", "three"),
		snapshottest.Delete("/c"),
		snapshottest.Put("/a", "one more"),
		snapshottest.Change{Key: "/d", Value: []byte("four"), Lease: 7, TTL: 60},
	)
	return addMembers(t, db, map[uint64]bool{waltest.Member: false}, "")
}

// compacting is a store that says that it is to be compacted, and that it was.
func compacting(scheduled, finished byte, records ...hostile.Item) func(t *testing.T) []byte {
	return func(t *testing.T) []byte {
		meta := []hostile.Item{{Key: []byte("scheduledCompactRev"), Value: []byte(revisionAt(scheduled))}}
		if finished > 0 {
			meta = slices.Insert(meta, 0, hostile.Item{Key: []byte("finishedCompactRev"), Value: []byte(revisionAt(finished))})
		}
		var f hostile.File
		root := f.Leaf(records...)
		member := hostile.Item{Key: fmt.Appendf(nil, "%x", waltest.Member), Value: []byte(memberOf(waltest.Member, ""))}
		return f.Finish(f.Leaf(hostile.Bucket("key", root), hostile.Inline("members", member), hostile.Inline("meta", meta...)), hostile.NoFreelist, 0)
	}
}

// smallLogs are logs after smallStore, whose revision is 7, or after another store.
var smallLogs = []struct {
	name  string
	log   requests
	store func(t *testing.T) []byte
	write func(l *waltest.Log) // instead of log
}{
	{name: "nothing"},
	{name: "a new key, and again", log: requests{putKey("/n"), putKey("/n")}},
	{name: "a key of the db", log: requests{requestPut(putRequest("/a", "x", 0)), requestPut(putRequest("/b", "", 7))}},
	{name: "a key that the db has deleted", log: requests{putKey("/c")}},
	{name: "deletions", log: requests{deleteKeys("/a", ""), deleteKeys("/a", ""), deleteKeys("/nowhere", ""), putKey("/a"), deleteKeys("/a", "")}},
	{name: "deletion of a range", log: requests{deleteKeys("/b", "/d")}},
	{name: "deletion of several keys", log: requests{putKey("/bb"), deleteKeys("/b", "/e")}},
	{name: "deletion from a key on", log: requests{deleteKeys("/b", "\x00")}},
	{name: "deletion of everything", log: requests{deleteKeys("\x00", "\x00"), deleteKeys("\x00", "\x00"), putKey("/z")}},
	{name: "deletion of empty ranges", log: requests{deleteKeys("/b", "/b"), deleteKeys("/b", "/a"), deleteKeys("/e", "/f")}},
	{name: "leases that are not there", log: requests{requestPut(putRequest("/n", "x", 8)), revokeLease(7), requestPut(putRequest("/n", "x", 7)), revokeLease(7)}},
	{name: "a lease is revoked", log: requests{revokeLease(7), revokeLease(7)}},
	{name: "keys that changed their lease", log: requests{
		grantLease(8, 30), grantLease(9, 30), requestPut(putRequest("/b", "two", 8)), requestPut(putRequest("/n", "x", 7)), requestPut(putRequest("/m", "x", 7)), deleteKeys("/m", ""), revokeLease(7),
		requestPut(putRequest("/b", "two", 9)), requestPut(putRequest("/n", "x", 9)), requestPut(putRequest("/o", "x", 8)), revokeLease(8), deleteKeys("/n", ""), putKey("/n"), revokeLease(9),
	}},
	{name: "a lease without keys is revoked", log: requests{grantLease(8, 30), revokeLease(8), putKey("/n")}},
	{name: "a lease is granted twice", log: requests{grantLease(7, 30), grantLease(8, 30), grantLease(8, 40)}},
	{name: "value and lease are kept", log: requests{
		grantLease(8, 30), requestPut(keepValue("/b", 0)), requestPut(keepValue("/b", 8)), requestPut(keepLease("/b", "x")), requestPut(keepValue("/nowhere", 0)), requestPut(keepLease("/nowhere", "x")),
		requestPut(keepLease("/d", "x")), requestPut(keepValue("/d", 9)), requestPut(keepValue("/c", 0)),
	}},
	{name: "a value is kept that is deleted before", log: requests{txnOf(nil, ops{deleteKey("/b"), putOp(keepValue("/b", 0)), putOp(keepLease("/b", "x"))}, nil)}},
	{name: "a transaction", log: requests{txnOf(nil, ops{putX("/n"), putX("/n"), deleteKey("/n"), deleteKey("/a"), putX("/a"), rangeOp(0)}, ops{putX("/never")})}},
	{name: "the other branch", log: requests{txnOf(compares{whereVersion("/a", "", isEqual, 1)}, ops{putX("/never")}, ops{putX("/n"), deleteKey("/b")})}},
	{name: "all conditions have to hold", log: requests{
		txnOf(compares{whereVersion("/a", "", isEqual, 2), whereVersion("/b", "", isEqual, 1)}, ops{putX("/both")}, nil),
		txnOf(compares{whereVersion("/a", "", isEqual, 1), whereVersion("/b", "", isEqual, 1)}, ops{putX("/never")}, nil),
		txnOf(compares{whereVersion("/a", "", isEqual, 2), whereVersion("/b", "", isEqual, 2)}, ops{putX("/never")}, nil),
	}},
	{name: "a transaction that does nothing", log: requests{txnOf(nil, nil, nil), txnOf(nil, ops{rangeOp(0), deleteKey("/nowhere"), {}}, nil), putKey("/n")}},
	{name: "one operation that is refused refuses all", log: requests{
		txnOf(nil, ops{putX("/never"), putOp(putRequest("/n", "x", 8))}, nil),
		txnOf(nil, ops{putX("/never"), txnOp(&etcdserverpb.TxnRequest{Success: ops{putOp(putRequest("/n", "x", 8))}})}, nil),
		txnOf(nil, ops{putX("/n"), txnOp(&etcdserverpb.TxnRequest{Failure: ops{putOp(putRequest("/n", "x", 8))}})}, nil),
	}},
	{name: "revisions that are asked for", log: requests{
		txnOf(nil, ops{putX("/head"), rangeOp(7)}, nil), txnOf(nil, ops{putX("/never"), rangeOp(9)}, nil),
		compactAt(5),
		txnOf(nil, ops{putX("/never"), rangeOp(4)}, nil), txnOf(nil, ops{putX("/compact"), rangeOp(5)}, nil), txnOf(nil, ops{putX("/any"), rangeOp(0)}, nil), txnOf(nil, ops{putX("/never"), rangeOp(-1)}, nil),
	}},
	{name: "revisions below 0 that are asked for", log: requests{txnOf(nil, ops{putX("/n"), rangeOp(-1)}, nil), txnOf(nil, ops{putX("/never"), rangeOp(-2)}, nil)}},
	{name: "transactions in one another", log: requests{
		// All conditions are on the state before the whole.
		txnOf(nil, ops{
			putX("/n"),
			txnOp(&etcdserverpb.TxnRequest{Compare: compares{whereVersion("/n", "", isEqual, 0)}, Success: ops{putX("/n-was-not"), txnOp(&etcdserverpb.TxnRequest{Success: ops{putX("/inner")}})}, Failure: ops{putX("/never")}}),
			txnOp(&etcdserverpb.TxnRequest{Compare: compares{whereVersion("/n", "", isEqual, 1)}, Success: ops{putX("/never")}, Failure: ops{deleteKey("/a")}}),
			putX("/last"),
		}, nil),
	}},
	{name: "conditions on versions", log: each(
		whereVersion("/a", "", isEqual, 2), whereVersion("/a", "", isEqual, 1), whereVersion("/a", "", isGreater, 1), whereVersion("/a", "", isGreater, 2),
		whereVersion("/a", "", isLess, 3), whereVersion("/a", "", isLess, 2), whereVersion("/a", "", isNotEqual, 1), whereVersion("/a", "", isNotEqual, 2), whereVersion("/a", "", 4, 9),
	)},
	{name: "conditions on a key that is not there", log: each(
		whereVersion("/c", "", isEqual, 0), whereVersion("/c", "", isGreater, 0), whereVersion("/c", "", isLess, 1), whereVersion("/c", "", isNotEqual, 0), whereCreate("/c", isEqual, 0), whereMod("/c", isEqual, 5), whereLease("/c", isEqual, 0),
		whereValue("/c", "", isEqual, ""), whereValue("/c", "", isNotEqual, "x"), whereVersion("/x", "/y", isEqual, 0), whereVersion("/x", "/y", isEqual, 1),
	)},
	{name: "conditions on revisions and leases", log: each(
		whereCreate("/a", isEqual, 2), whereCreate("/a", isEqual, 6), whereMod("/a", isEqual, 6), whereMod("/a", isEqual, 2), whereLease("/a", isEqual, 0), whereLease("/b", isEqual, 7), whereLease("/b", isEqual, 0), whereLease("/b", isLess, 8),
	)},
	{name: "conditions on what the log wrote", log: append(
		requests{grantLease(8, 30), requestPut(putRequest("/n", "value", 8)), requestPut(putRequest("/n", "value", 8)), putKey("/a")},
		each(whereCreate("/n", isEqual, 8), whereMod("/n", isEqual, 9), whereVersion("/n", "", isEqual, 2), whereLease("/n", isEqual, 8), whereValue("/n", "", isEqual, "value"),
			whereCreate("/a", isEqual, 2), whereMod("/a", isEqual, 10), whereVersion("/a", "", isEqual, 3))...)},
	{name: "conditions on values", log: each(
		whereValue("/a", "", isEqual, "one more"), whereValue("/a", "", isEqual, "one"), whereValue("/a", "", isEqual, "one more."), whereValue("/a", "", isGreater, "one"), whereValue("/a", "", isGreater, "one more"),
		whereValue("/a", "", isLess, "one more."), whereValue("/a", "", isLess, "one more"), whereValue("/a", "", isNotEqual, "one"), whereValue("/a", "", isNotEqual, "one more"), whereValue("/a", "", isGreater, ""),
	)},
	{name: "conditions on ranges", log: each(
		whereVersion("/a", "/z", isGreater, 0), whereVersion("/a", "/z", isEqual, 1), whereVersion("/b", "/z", isEqual, 1), whereVersion("/b", "\x00", isGreater, 0), whereValue("/b", "/e", isGreater, "five"), whereValue("/b", "/e", isGreater, "four"),
		whereVersion("/b", "/b", isGreater, 0),
	)},
	{name: "a condition that compares with another property", log: requests{
		txnOf(compares{{Key: []byte("/a"), Target: etcdserverpb.Compare_VERSION, TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: 2}}}, ops{putX("/never")}, nil),
		txnOf(compares{{Key: []byte("/c"), Target: etcdserverpb.Compare_VERSION, TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: 2}}}, ops{putX("/zero")}, nil),
		txnOf(compares{{Key: []byte("/a"), Target: 9, Result: isEqual}}, ops{putX("/unknown-target")}, nil),
	}},
	{name: "a compaction", log: requests{compactAt(6)}},
	{name: "a compaction at a deletion", log: requests{compactAt(5)}},
	{name: "a compaction of what the log wrote", log: requests{putKey("/n"), putKey("/n"), deleteKeys("/a", ""), compactAt(10), putKey("/n")}},
	{name: "compactions that etcd refuses", log: requests{compactAt(8), compactAt(0), compactAt(-1), compactAt(3), compactAt(3), compactAt(2)}},
	{name: "a compaction at the newest revision", log: requests{compactAt(7)}},
	{name: "no member has data that differs", log: requests{raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, etcdserverpb.AlarmType_NONE), raise(etcdserverpb.AlarmRequest_GET, 1, etcdserverpb.AlarmType_CORRUPT), putKey("/n")}},
	{name: "an alarm of two members, one disarmed", log: requests{
		raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, etcdserverpb.AlarmType_CORRUPT), raise(etcdserverpb.AlarmRequest_ACTIVATE, 2, etcdserverpb.AlarmType_CORRUPT), raise(etcdserverpb.AlarmRequest_ACTIVATE, 2, etcdserverpb.AlarmType_CORRUPT),
		raise(etcdserverpb.AlarmRequest_DEACTIVATE, 2, etcdserverpb.AlarmType_CORRUPT), raise(etcdserverpb.AlarmRequest_DEACTIVATE, 2, etcdserverpb.AlarmType_CORRUPT), putKey("/never"), compactAt(5), grantLease(8, 30), revokeLease(7),
		raise(etcdserverpb.AlarmRequest_DEACTIVATE, 1, etcdserverpb.AlarmType_CORRUPT), putKey("/n"),
	}},
	{name: "no space", log: requests{
		raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE), putKey("/never"), grantLease(8, 30), compactAt(5), revokeLease(7), txnOf(nil, ops{deleteKey("/a")}, ops{rangeOp(0)}),
		txnOf(nil, ops{txnOp(&etcdserverpb.TxnRequest{Success: ops{deleteOp([]byte("/a"), []byte{0})}})}, nil),
		raise(etcdserverpb.AlarmRequest_DEACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE), putKey("/n"),
	}},
	{name: "no space, and the last operation is not a put", log: requests{
		raise(etcdserverpb.AlarmRequest_ACTIVATE, 1, etcdserverpb.AlarmType_NOSPACE),
		txnOf(nil, ops{txnOp(&etcdserverpb.TxnRequest{Success: ops{deleteKey("/a")}}), deleteKey("/b")}, nil),
	}},
	{name: "keys with a lease that the store does not have", store: func(t *testing.T) []byte {
		db := snapshottest.Bytes(t, snapshottest.Change{Key: "/a", Value: []byte("1"), Lease: 9}, snapshottest.Change{Key: "/b", Value: []byte("1"), Lease: 8, TTL: 20})
		return addMembers(t, db, map[uint64]bool{waltest.Member: false}, "")
	}, log: requests{revokeLease(9), putKey("/n")}},
	{name: "conditions on properties that etcd does not know", log: each(
		&etcdserverpb.Compare{Key: []byte("/a"), RangeEnd: []byte("/z"), Target: 5}, &etcdserverpb.Compare{Key: []byte("/a"), RangeEnd: []byte("/z"), Target: -1}, &etcdserverpb.Compare{Key: []byte("/a"), RangeEnd: []byte("/z"), Target: 5, Result: isLess},
	)},
	{name: "authentication is switched on", log: requests{{AuthEnable: &etcdserverpb.AuthEnableRequest{}}, {AuthEnable: &etcdserverpb.AuthEnableRequest{}}, putKey("/n")}},
	{name: "an empty store", store: func(t *testing.T) []byte {
		return addMembers(t, snapshottest.Bytes(t), map[uint64]bool{waltest.Member: false}, "")
	}, log: requests{putKey("/n"), putKey("/m")}},
	{name: "a store that was compacted", store: func(t *testing.T) []byte { return snapshottest.Compact(t, smallStore(t), 5) },
		log: requests{compactAt(5), txnOf(nil, ops{putX("/never"), rangeOp(4)}, nil), txnOf(nil, ops{putX("/n"), rangeOp(5)}, nil)}},
	{name: "a compaction that had not finished", store: compacting(5, 0, hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(3, 0, 3, 1, "/b", nil), hostile.Record(4, 0, 2, 2, "/a", nil), hostile.Tombstone(5, 0, "/b"), hostile.Record(6, 0, 6, 1, "/c", nil))},
	{name: "one that had got to the newest record", store: compacting(5, 0, hostile.Record(4, 0, 2, 2, "/a", nil), hostile.Tombstone(5, 0, "/b"), hostile.Record(6, 0, 6, 1, "/c", nil)), log: requests{putKey("/n")}},
	{name: "one that had not finished, and a later one", store: compacting(4, 3, hostile.Record(3, 0, 2, 2, "/a", nil), hostile.Record(4, 0, 2, 3, "/a", nil), hostile.Record(5, 0, 5, 1, "/b", nil)), log: requests{putKey("/n"), compactAt(5)}},
	{name: "one that has left a deletion at its revision", store: compacting(5, 5, hostile.Record(4, 0, 2, 2, "/a", nil), hostile.Tombstone(5, 0, "/b")), log: requests{putKey("/n")}},
	{name: "a compaction at a deletion whose key is lost", store: compacting(0, 0, hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(3, 0, 2, 2, "/a", nil), hostile.Record(4, 0, 2, 3, "/a", nil), hostile.Tombstone(5, 0, "/b")), log: requests{compactAt(5)}},
	{name: "one that has left what it should not", store: compacting(5, 5, hostile.Record(2, 0, 2, 1, "/a", nil), hostile.Record(4, 0, 2, 2, "/a", nil), hostile.Record(5, 0, 2, 3, "/a", nil)), log: requests{putKey("/n")}},
	{name: "a leader's first entry", write: func(l *waltest.Log) { l.Entry(nil); l.Request(putKey("/n")) }},
	{name: "an entry of a type that etcd does not write", write: func(l *waltest.Log) {
		l.Append(&raftpb.Entry{Type: raftpb.EntryConfChangeV2.Enum(), Data: []byte("x")})
		l.Request(putKey("/n"))
	}},
	{name: "entries that etcd does not write", write: func(l *waltest.Log) {
		l.Entry([]byte{0xff})
		l.Request(putKey("/n"))
		l.Entry([]byte{0xff})
		l.Entry([]byte{0xff})
	}},
	{name: "entries that may not be agreed on", write: func(l *waltest.Log) {
		l.Request(putKey("/n"))
		l.Commit()
		l.Request(deleteKeys("/nowhere", ""), putKey("/m"), putKey("/o"))
	}},
	{name: "a put with a bump marker's key", store: func(t *testing.T) []byte {
		return hostile.Store([]hostile.Item{hostile.Record(2, 0, 2, 1, "/a", []byte("1")), {Key: []byte("\x00\x00\x00\x00\x00\x00\x00\x09_\x00\x00\x00\x00\x00\x00\x00\x00")}})
	}, log: requests{deleteKeys("\x00", "\x00"), requestPut(&etcdserverpb.PutRequest{})}},
}

// TestSmallLogs holds all that is read of a db with a log to testdata/logs.golden: the
// records that the log adds (+) and removes (-), leases, and what is said.
func TestSmallLogs(t *testing.T) {
	var all strings.Builder
	small := smallStore(t)
	for _, tt := range smallLogs {
		fmt.Fprintf(&all, "%s:\n", tt.name)
		db := small
		if tt.store != nil {
			db = tt.store(t)
		}
		dir := member(t, db, func(l *waltest.Log) { l.Request(tt.log...) })
		if tt.write != nil {
			l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
			tt.write(l)
			l.Close()
		}
		s := openDir(t, dir)
		fmt.Fprintf(&all, "  %s\n", toldWAL(s.WAL()))
		before, after := recordsOf(t, snapshottest.OpenBytes(t, "db", db)), recordsOf(t, s)
		for _, r := range before {
			if !slices.Contains(after, r) {
				fmt.Fprintf(&all, "  - %s\n", r)
			}
		}
		for _, r := range after {
			if !slices.Contains(before, r) {
				fmt.Fprintf(&all, "  + %s\n", r)
			}
		}
		if keys := slices.Sorted(s.AllKeys("")); len(slices.Compact(slices.Clone(keys))) != len(keys) {
			t.Errorf("%s: a key is there twice: %q", tt.name, keys)
		}
		if fmt.Sprint(s.Revision(), s.CompactRevision()) != "7 0" {
			fmt.Fprintf(&all, "  revision %d, compacted at %d\n", s.Revision(), s.CompactRevision())
		}
		leases := s.Leases()
		for _, id := range slices.Sorted(maps.Keys(leases)) {
			l := etcdserverpb.LeaseGrantRequest{} // a lease has its fields the other way round
			if err := proto.Unmarshal(leases[id], &l); err != nil || l.TTL != id {
				t.Errorf("%s: lease %d is %x, %v", tt.name, id, leases[id], err)
			}
			if id != 7 || l.ID != 60 {
				fmt.Fprintf(&all, "  lease %d of %d s\n", id, l.ID)
			}
		}
		if tt.store == nil && len(leases[7]) == 0 {
			fmt.Fprintf(&all, "  no lease 7\n")
		}
		for _, p := range s.Problems() {
			fmt.Fprintf(&all, "  %s: %s\n", p.Severity, p)
		}
		missing, err := s.Missing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range missing {
			fmt.Fprintf(&all, "  missing %s: %s, %s\n", m.Kind, m.What, m.Bound())
		}
	}
	golden.Equal(t, "testdata/logs.golden", all.String())
}

// toldWAL says which entries of a log there are, and how many of them were applied.
func toldWAL(w *snapshot.WAL) string {
	text := fmt.Sprintf("entries %d to %d", w.FirstIndex, w.LastIndex)
	if w.LastSeen != w.LastIndex || w.Commit != w.LastIndex || w.Applied != int(w.LastIndex) || w.Uncommitted > 0 {
		text += fmt.Sprintf(" of %d, %d of them agreed on, %d applied, %d after those agreed on (from revision %d), %d not applied", w.LastSeen, w.Commit, w.Applied, w.Tail, w.TailRevision, w.Uncommitted)
	}
	return text
}

// recordsOf are all records, in their order.
func recordsOf(t *testing.T, s *snapshot.Snapshot) (list []string) {
	t.Helper()
	for r := range s.Records() {
		if r.Tombstone {
			list = append(list, fmt.Sprintf("%s deletes %s", r.Revision, r.Key))
			continue
		}
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		lease, err := s.Lease(r)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%s %s version %d of %d, %q", r.Revision, r.Key, r.Version, r.CreateRevision, value)
		if lease != 0 {
			text += fmt.Sprintf(", lease %d", lease)
		}
		list = append(list, text)
	}
	return list
}
