package adversary

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// applied is the last entry that the db of a member has applied.
const applied = 100

// logCase is a backup, and a dead member whose log has all that came after it, with
// entries that are absurd.
func (m *maker) logCase() error {
	m.cluster(m.IntN(2))
	b, c := m.files()
	if err := m.save(b, b); err != nil {
		return err
	}
	c.records, c.raw, c.compact = b.records, true, b.compact
	c.Path = "data"
	c.put("meta", []byte("consistent_index"), binary.BigEndian.AppendUint64(nil, applied))
	db, err := c.bytes(m)
	if err != nil {
		return err
	}
	m.Files["data/member/snap/db"] = db
	l := m.newLog()
	rest := m.history.records[m.history.backup:]
	at := m.IntN(len(rest))
	for i := range rest {
		if i == at {
			for range 1 + m.IntN(3) {
				m.oddEntry(l, c)
			}
		}
		r := &rest[i]
		l.request(m, m.changeOf(r))
	}
	l.state()
	name := "data/member/wal/0000000000000000-0000000000000000.wal"
	data := append(l.data, make([]byte, 1<<14)...)
	switch m.IntN(8) {
	case 0:
		m.note("the log: a segment that is a directory")
		m.Files["data/member/wal/0000000000000001-0000000000000200.wal/x"] = nil
		m.lost(c, "a segment of the log is a directory")
	case 1:
		m.note("the log: a segment is missing")
		m.Files["data/member/wal/0000000000000007-0000000000000200.wal"] = m.newLog().data
		m.lost(c, "segments of the log are missing")
	case 2:
		m.note("the log: odd files beside the segments")
		m.Files["data/member/wal/"+one(m, "\x1b[2J", "pwned\n.wal", "-rf", "0000000000000000-0000000000000000.WAL", "\xff.wal", "$(touch pwned)")] = []byte("x")
		m.Files["data/member/wal/0.tmp"] = nil
		m.Files["data/member/wal/ffffffffffffffff-ffffffffffffffff.wal.broken"] = nil
		c.Sound = false
	}
	m.Files[name] = data
	return nil
}

// changeOf is what a client asked for, of which a record came.
func (m *maker) changeOf(r *record) *etcdserverpb.InternalRaftRequest {
	if r.tombstone {
		return &etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte(r.key)}}
	}
	put := &etcdserverpb.PutRequest{Key: []byte(r.key), Value: r.value}
	if !m.odds(20) {
		return &etcdserverpb.InternalRaftRequest{Put: put}
	}
	txn := &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}}}}
	for range one(m, 0, 1, 2, 5, 40, 200) {
		txn = &etcdserverpb.TxnRequest{Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestTxn{RequestTxn: txn}}}}
	}
	return &etcdserverpb.InternalRaftRequest{Txn: txn}
}

// writeAhead is a segment of a log (etcd server/v3 v3.7 storage/wal/encoder.go).
type writeAhead struct {
	data  []byte
	crc   uint32
	index uint64
	again int // puts that take a large value again
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m *maker) newLog() *writeAhead {
	l := &writeAhead{index: applied}
	l.record(4, nil)
	node, cluster := uint64(0x706535fb64ef728f), uint64(1)
	l.record(1, m.marshal(&etcdserverpb.Metadata{NodeID: &node, ClusterID: &cluster}))
	l.record(5, nil)
	return l
}

func (m *maker) marshal(msg proto.Message) []byte {
	data, err := proto.Marshal(msg)
	if err != nil {
		m.err = err
	}
	return data
}

// record appends a record with the checksum that it should have.
func (l *writeAhead) record(kind uint64, data []byte) {
	l.crc = crc32.Update(l.crc, castagnoli, data)
	l.frame(kind, l.crc, data)
}

func (l *writeAhead) frame(kind uint64, crc uint32, data []byte) {
	b := protowire.AppendVarint([]byte{1 << 3}, kind)
	b = protowire.AppendVarint(append(b, 2<<3), uint64(crc))
	if data != nil {
		b = protowire.AppendBytes(append(b, 3<<3|2), data)
	}
	length, pad := uint64(len(b)), (8-len(b)%8)%8
	if pad > 0 {
		length |= uint64(0x80|pad) << 56
	}
	l.data = append(append(binary.LittleEndian.AppendUint64(l.data, length), b...), make([]byte, pad)...)
}

func (l *writeAhead) request(m *maker, r *etcdserverpb.InternalRaftRequest) {
	l.entry(m, raftpb.EntryNormal, 2, m.marshal(r))
}

func (l *writeAhead) entry(m *maker, kind raftpb.EntryType, term uint64, data []byte) {
	l.index++
	index := l.index
	l.record(2, m.marshal(&raftpb.Entry{Index: &index, Term: &term, Type: &kind, Data: data}))
}

// state says that all entries so far are committed.
func (l *writeAhead) state() {
	b := protowire.AppendVarint([]byte{1 << 3}, 2)
	b = protowire.AppendVarint(append(b, 2<<3), 0x706535fb64ef728f)
	l.record(3, protowire.AppendVarint(append(b, 3<<3), l.index))
}

// lost notes that what follows in the log may be lost, and with it what is known.
func (m *maker) lost(f *file, what string) {
	f.damaged("%s", what)
	m.Phantoms, m.Ghosts = nil, nil
}

// oddEntry appends an entry that is absurd, and notes what it makes of the evidence.
func (m *maker) oddEntry(l *writeAhead, f *file) {
	odd := oddEntries[m.IntN(len(oddEntries))]
	m.note("the log: %s", odd.name)
	odd.write(m, l, f)
}

var oddEntries = []struct {
	name  string
	write func(*maker, *writeAhead, *file)
}{
	{"an entry that does not parse", func(m *maker, l *writeAhead, f *file) {
		l.entry(m, raftpb.EntryNormal, 2, one(m, []byte{0xff}, []byte("\x1a\xff\xff\xff\xff\x0f"), []byte(strings.Repeat("\x0b", 3000)), []byte(m.name()+"\xff")))
		m.lost(f, "an entry of the log does not parse")
	}},
	{"a record that is no entry", func(m *maker, l *writeAhead, f *file) {
		l.record(2, []byte{0xff, 0xff})
		m.lost(f, "a record of the log does not parse")
	}},
	{"a record of an unknown type", func(m *maker, l *writeAhead, f *file) {
		l.record(one[uint64](m, 0, 6, 77, math.MaxUint64), []byte("x"))
		m.lost(f, "a record of the log is of an unknown type")
	}},
	{"a wrong checksum", func(m *maker, l *writeAhead, f *file) {
		l.frame(2, l.crc+1, []byte("x"))
		m.lost(f, "a checksum of the log is wrong")
	}},
	{"entries are missing", func(m *maker, l *writeAhead, f *file) {
		l.index += one[uint64](m, 1, 1000, 1<<40, math.MaxUint64-l.index-1000)
		m.lost(f, "entries of the log are missing")
	}},
	{"a member that does not parse", func(m *maker, l *writeAhead, f *file) {
		l.entry(m, raftpb.EntryConfChange, 2, []byte{0xff})
		m.lost(f, "a change of the members does not parse")
	}},
	{"an entry of a type that etcd does not write", func(m *maker, l *writeAhead, f *file) {
		l.entry(m, raftpb.EntryConfChangeV2, 2, []byte{})
		m.lost(f, "an entry of the log is of a type that etcd does not write")
	}},
	{"learners of hostile names", func(m *maker, l *writeAhead, f *file) {
		for i := range uint64(1 + m.IntN(50)) {
			kind := raftpb.ConfChangeAddLearnerNode
			l.entry(m, raftpb.EntryConfChange, 2, m.marshal(&raftpb.ConfChange{NodeId: new(i + 7), Type: &kind, Context: fmt.Appendf(nil, `{"id":%d,"peerURLs":[%s],"isLearner":true,"name":%s}`, i+7, m.quoted(m.word()), m.quoted(m.name()))}))
		}
		f.Sound = false
	}},
	{"absurd leases", func(m *maker, l *writeAhead, f *file) {
		for range 1 + m.IntN(50) {
			id := one[int64](m, -1, math.MinInt64, math.MaxInt64, 0, 7)
			l.request(m, &etcdserverpb.InternalRaftRequest{LeaseGrant: &etcdserverpb.LeaseGrantRequest{ID: id, TTL: one[int64](m, -1, 0, math.MaxInt64, math.MinInt64, 60)}})
			if m.odds(3) {
				l.request(m, &etcdserverpb.InternalRaftRequest{LeaseRevoke: &etcdserverpb.LeaseRevokeRequest{ID: id}})
			}
		}
	}},
	{"compactions of what is not there", func(m *maker, l *writeAhead, f *file) {
		for _, rev := range []int64{-1, math.MinInt64, math.MaxInt64, 0, m.history.revision * 1000} {
			l.request(m, &etcdserverpb.InternalRaftRequest{Compaction: &etcdserverpb.CompactionRequest{Revision: rev}})
		}
	}},
	{"alarms", func(m *maker, l *writeAhead, f *file) {
		for range 3 {
			l.request(m, &etcdserverpb.InternalRaftRequest{Alarm: &etcdserverpb.AlarmRequest{Action: etcdserverpb.AlarmRequest_AlarmAction(one[int32](m, 2, 99, -1)), MemberID: m.Uint64(), Alarm: etcdserverpb.AlarmType(m.big())}})
		}
		f.Sound = false
	}},
	{"many deletions of nothing", func(m *maker, l *writeAhead, f *file) {
		for range 500 {
			l.request(m, &etcdserverpb.InternalRaftRequest{DeleteRange: &etcdserverpb.DeleteRangeRequest{Key: []byte("/registry/zz/"), RangeEnd: []byte("/registry/zz0")}})
		}
	}},
	{"many comparisons", func(m *maker, l *writeAhead, f *file) {
		txn := &etcdserverpb.TxnRequest{}
		for range 500 {
			txn.Compare = append(txn.Compare, &etcdserverpb.Compare{Key: []byte{0}, RangeEnd: []byte{0}, Target: etcdserverpb.Compare_CREATE, Result: etcdserverpb.Compare_GREATER, TargetUnion: &etcdserverpb.Compare_CreateRevision{CreateRevision: -1}})
		}
		l.request(m, &etcdserverpb.InternalRaftRequest{Txn: txn})
	}},
	{"puts that take the value again", func(m *maker, l *writeAhead, f *file) {
		big := make([]byte, 100_000)
		key := []byte("/registry/configmaps/default/big")
		l.request(m, &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: key, Value: big}})
		n := one(m, 100, 100, 2000)
		if l.again += n; l.again > 600 {
			f.Sound, m.Phantoms, m.Ghosts = false, nil, nil // more than a log of that size may make: the rest is not read
		}
		for range n {
			l.request(m, &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: key, IgnoreValue: true}})
		}
	}},
	{"puts without a key, or with a hostile one", func(m *maker, l *writeAhead, f *file) {
		for _, key := range []string{"", "\x00", m.word(), "/registry/pods/team/" + m.name()} {
			l.request(m, &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte(key), Value: []byte(m.word()), PrevKv: true, IgnoreLease: m.odds(2), Lease: one[int64](m, 0, -1, 12345)}})
		}
		f.Sound = false
	}},
	{"requests of other kinds", func(m *maker, l *writeAhead, f *file) {
		for _, r := range []*etcdserverpb.InternalRaftRequest{
			{AuthUserAdd: &etcdserverpb.AuthUserAddRequest{Name: strings.ToValidUTF8(m.name(), "?"), Password: strings.ToValidUTF8(m.word(), "?")}}, {AuthDisable: &etcdserverpb.AuthDisableRequest{}},
			{LeaseCheckpoint: &etcdserverpb.LeaseCheckpointRequest{}}, {}, {Range: &etcdserverpb.RangeRequest{Key: []byte{0}, RangeEnd: []byte{0}}},
		} {
			l.request(m, r)
		}
		f.Sound = false
	}},
}
