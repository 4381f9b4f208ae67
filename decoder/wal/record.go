package wal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// The types of records (wal.go).
const (
	metadataRecord = 1
	entryRecord    = 2
	stateRecord    = 3
	crcRecord      = 4
	snapshotRecord = 5
)

// record is a walpb.Record (walpb/record.proto).
type record struct {
	kind uint64
	crc  uint32
	data []byte
}

var (
	errChecksum = errors.New("the checksum does not match")
	errRecord   = errors.New("not a record")
)

// parse reads a record; its data aliases b.
func (rec *record) parse(b []byte) error {
	*rec = record{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errRecord
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			rec.kind, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			rec.crc = uint32(v)
		case num == 3 && typ == protowire.BytesType:
			rec.data, n = protowire.ConsumeBytes(b)
		default:
			return errRecord
		}
		if n < 0 {
			return errRecord
		}
		b = b[n:]
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record takes a record in.
func (r *reader) record(rec *record) error {
	if rec.kind == crcRecord {
		// The first one of a segment carries the sum on from the one before.
		if r.seeded && r.crc != 0 && rec.crc != r.crc {
			return fmt.Errorf("the segment does not continue the one before: %w", errChecksum)
		}
		r.crc, r.seeded = rec.crc, true
		return nil
	}
	sum := crc32.Update(r.crc, castagnoli, rec.data)
	if sum != rec.crc {
		return errChecksum
	}
	r.crc = sum
	switch rec.kind {
	case metadataRecord:
		return r.identity(rec.data)
	case entryRecord:
		return r.entry(rec.data)
	case stateRecord:
		var state raftpb.HardState
		if err := proto.Unmarshal(rec.data, &state); err != nil {
			return fmt.Errorf("raft's state cannot be read")
		}
		r.log.Term, r.log.Commit = state.GetTerm(), state.GetCommit()
	case snapshotRecord:
		// It says that a snapshot file was saved; the db is newer.
	default:
		return fmt.Errorf("record of unknown type %d", rec.kind)
	}
	return nil
}

func (r *reader) identity(data []byte) error {
	var m etcdserverpb.Metadata
	if err := proto.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("the member's identity cannot be read")
	}
	if r.metadata != nil && !bytes.Equal(r.metadata, data) {
		return fmt.Errorf("a segment of another member")
	}
	r.metadata = bytes.Clone(data)
	r.log.NodeID, r.log.ClusterID = m.GetNodeID(), m.GetClusterID()
	return nil
}

// entry appends an entry, or puts it in the place of one that was overruled
// (wal.go ReadAll).
func (r *reader) entry(data []byte) error {
	var e raftpb.Entry
	if err := proto.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("an entry cannot be read")
	}
	if e.GetIndex() <= r.after {
		return nil
	}
	at := e.GetIndex() - r.after - 1
	if at > uint64(len(r.log.Entries)) {
		return fmt.Errorf("entry %d follows entry %d", e.GetIndex(), r.log.Last(r.after))
	}
	r.log.Entries = append(r.log.Entries[:at], Entry{Index: e.GetIndex(), Term: e.GetTerm(), Type: e.GetType(), Data: e.Data})
	return nil
}
