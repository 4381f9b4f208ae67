// Package waltest writes write-ahead logs for tests, record by record as etcd's
// own writer does (server/v3 v3.7 storage/wal: encoder.go, wal.go). What cannot
// be written ends the test.
package waltest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// Member and Cluster are the ids in every log.
const (
	Member  = 0x1001
	Cluster = 0x2002
)

// Log is a log in the making.
type Log struct {
	t       testing.TB
	dir     string
	seq     uint64
	index   uint64 // of the last entry
	crc     uint32
	path    string // of the last segment
	content []byte
	state   raftpb.HardState
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// New begins a log in a directory that it makes, after the entry with an index.
func New(t testing.TB, dir string, after uint64) *Log {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := &Log{t: t, dir: dir, index: after}
	first := uint64(0)
	if after > 0 {
		first = after + 1
	}
	l.begin(first)
	return l
}

// Name is the name of a segment.
func Name(seq, index uint64) string { return fmt.Sprintf("%016x-%016x.wal", seq, index) }

// begin begins a segment.
func (l *Log) begin(index uint64) {
	l.path, l.content = filepath.Join(l.dir, Name(l.seq, index)), nil
	l.Record(4, nil)
	l.record(1, &etcdserverpb.Metadata{NodeID: new(uint64(Member)), ClusterID: new(uint64(Cluster))})
	if l.state.Commit != nil {
		l.record(3, &l.state)
	}
}

// Record appends a record of a type with any data.
func (l *Log) Record(kind uint64, data []byte) {
	l.crc = crc32.Update(l.crc, castagnoli, data)
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), kind)
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(l.crc))
	if data != nil {
		b = protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), data)
	}
	size := uint64(len(b))
	if pad := (8 - size%8) % 8; pad != 0 {
		size |= (0x80 | pad) << 56
		b = append(b, make([]byte, pad)...)
	}
	l.content = append(binary.LittleEndian.AppendUint64(l.content, size), b...)
}

func (l *Log) record(kind uint64, m proto.Message) {
	l.t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		l.t.Fatal(err)
	}
	l.Record(kind, data)
}

// Request appends the entries of requests.
func (l *Log) Request(requests ...*etcdserverpb.InternalRaftRequest) {
	l.t.Helper()
	for _, r := range requests {
		data, err := proto.Marshal(r)
		if err != nil {
			l.t.Fatal(err)
		}
		l.Entry(data)
	}
}

// Entry appends an entry with any data.
func (l *Log) Entry(data []byte) {
	l.t.Helper()
	l.Append(&raftpb.Entry{Type: raftpb.EntryNormal.Enum(), Data: data})
}

// Append appends an entry, whose term is 1 and whose index the next one, unless
// it says otherwise.
func (l *Log) Append(e *raftpb.Entry) {
	l.t.Helper()
	if e.Term == nil {
		e.Term = new(uint64(1))
	}
	if e.Index == nil {
		e.Index = new(l.index + 1)
	}
	l.index = e.GetIndex()
	l.record(2, e)
}

// Commit records that the entries up to the last one are agreed on.
func (l *Log) Commit() {
	l.t.Helper()
	l.state = raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(Member)), Commit: new(l.index)}
	l.record(3, &l.state)
}

// Cut ends the segment and begins the next.
func (l *Log) Cut() {
	l.t.Helper()
	l.write(l.content)
	l.seq++
	l.begin(l.index + 1)
}

// Close ends the log, with some of the zeros that etcd prepares a segment with.
func (l *Log) Close() {
	l.t.Helper()
	l.write(append(l.content, make([]byte, 4096)...))
}

func (l *Log) write(content []byte) {
	l.t.Helper()
	if err := os.WriteFile(l.path, content, 0o600); err != nil {
		l.t.Fatal(err)
	}
}
