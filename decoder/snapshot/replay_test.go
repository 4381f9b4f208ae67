package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal"
	"revenant/internal/corpus"
)

// entriesOf cuts bytes into the data of entries, each after its length.
func entriesOf(data []byte) (log wal.Log) {
	for len(data) >= 2 {
		n := min(int(binary.LittleEndian.Uint16(data)), len(data)-2)
		log.Entries = append(log.Entries, wal.Entry{Index: uint64(len(log.Entries) + 1), Term: 1, Data: data[2 : 2+n]})
		data = data[2+n:]
	}
	log.Commit, log.Bytes = uint64(len(log.Entries)), int64(len(data))
	return log
}

// FuzzReplay applies any requests to a real store. Whatever they are, the history
// that comes out is one that etcd could have written.
func FuzzReplay(f *testing.F) {
	data := corpus.Unpack(f, "../../testdata/mvcc/compacted.db.gz")
	base, err := OpenBytes(f.Context(), "base", data, Options{})
	if err != nil {
		f.Fatal(err)
	}
	var key []byte
	for r := range base.Keys("") {
		key = []byte(r.Key)
	}
	head := base.Revision()
	base.Close()
	request := func(list ...*etcdserverpb.InternalRaftRequest) (b []byte) {
		for _, r := range list {
			data, err := proto.Marshal(r)
			if err != nil {
				f.Fatal(err)
			}
			b = append(binary.LittleEndian.AppendUint16(b, uint16(len(data))), data...)
		}
		return b
	}
	put := &etcdserverpb.PutRequest{Key: key, Value: []byte("v"), Lease: 7}
	all := &etcdserverpb.DeleteRangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}
	op := func(p *etcdserverpb.PutRequest) *etcdserverpb.RequestOp {
		return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: p}}
	}
	f.Add(request(
		&etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: 7, TTL: 60}},
		&etcdserverpb.InternalRaftRequest{Put: put},
		&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: key, IgnoreValue: true}},
		&etcdserverpb.InternalRaftRequest{Txn: &etcdserverpb.TxnRequest{
			Compare: []*etcdserverpb.Compare{{Key: key, Target: etcdserverpb.Compare_VALUE, TargetUnion: &etcdserverpb.Compare_Value{Value: []byte("v")}}},
			Success: []*etcdserverpb.RequestOp{op(put), op(&etcdserverpb.PutRequest{Key: []byte("new")})},
			Failure: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestDeleteRange{RequestDeleteRange: all}}},
		}},
		&etcdserverpb.InternalRaftRequest{Compaction: &etcdserverpb.CompactionRequest{Revision: head + 1}},
		&etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: 7}},
		&etcdserverpb.InternalRaftRequest{Alarm: &etcdserverpb.AlarmRequest{Action: etcdserverpb.AlarmRequest_ACTIVATE, Alarm: etcdserverpb.AlarmType_NOSPACE}},
		&etcdserverpb.InternalRaftRequest{DeleteRange: all},
	))
	f.Fuzz(func(t *testing.T, requests []byte) {
		s, err := OpenBytes(t.Context(), "base", data, Options{SkipHashCheck: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		log := entriesOf(requests)
		s.wal = &WAL{}
		r := newReplay(t.Context(), s)
		if err := s.run(r, &log, true); err != nil {
			t.Fatal(err)
		}
		s.layOver(r)
		s.checkHistory()
		for _, p := range s.Problems() {
			if p.Severity == Damage && p.Where != "log" { // that an entry is not what etcd writes
				t.Errorf("%v", p)
			}
		}
		live := 0
		for rec := range s.Keys("") {
			if _, err := s.Value(rec); err != nil {
				t.Error(err)
			}
			live++
		}
		want := 0
		for _, b := range r.live.blocks {
			want += len(b.keys)
		}
		if live != want {
			t.Errorf("%d live keys, the replay has %d", live, want)
		}
	})
}

// TestReplayStops: an entry is not gone through to its end once ctx is done.
func TestReplayStops(t *testing.T) {
	s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: 2}, "/a", "1", 2, 1}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 100_000
	exists := &etcdserverpb.Compare{Key: []byte("/a"), Result: etcdserverpb.Compare_GREATER}
	put := &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: &etcdserverpb.PutRequest{Key: []byte("/a")}}}
	compares, puts := &etcdserverpb.TxnRequest{}, &etcdserverpb.TxnRequest{}
	for range n {
		compares.Compare = append(compares.Compare, exists)
		puts.Success = append(puts.Success, put)
	}
	for name, txn := range map[string]*etcdserverpb.TxnRequest{"compares": compares, "puts": puts} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			r := newReplay(ctx, s)
			r.progress = newProgress(nil, PhaseReplay, 0)
			r.txn(marshal(t, txn))
			least := int64(n * min(proto.Size(exists), proto.Size(put))) // bytes gone through at the end
			if done := r.progress.done.Load(); !errors.Is(r.stopped, context.Canceled) || done >= least || len(r.changes) >= n {
				t.Errorf("stopped by %v after %d bytes and %d changes", r.stopped, done, len(r.changes))
			}
		})
	}
}
