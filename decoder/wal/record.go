package wal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"

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

// believed says whether the record's checksum continues that of the one before.
// The first record of a segment only carries the sum on (wal.go ReadAll).
func (r *reader) believed(rec *record) bool {
	if rec.kind == crcRecord {
		return !r.seeded || r.crc == 0 || rec.crc == r.crc
	}
	return r.seeded && crc32.Update(r.crc, castagnoli, rec.data) == rec.crc
}

// record takes in the record that begins at an offset in its segment.
func (r *reader) record(rec *record, offset int64) error {
	if rec.kind == crcRecord {
		if !r.believed(rec) {
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
		return r.entry(rec.data, offset)
	case stateRecord:
		var state raftpb.HardState
		if err := proto.Unmarshal(rec.data, &state); err != nil {
			return fmt.Errorf("raft's state cannot be read")
		}
		r.log.Term, r.log.Commit = state.GetTerm(), state.GetCommit()
		r.saw(r.log.Commit)
	case snapshotRecord:
		// It says that a snapshot file was saved; the db is newer.
		r.saw(field(rec.data, snapshotIndex))
	default:
		return fmt.Errorf("record of unknown type %d", rec.kind)
	}
	return nil
}

// Fields of an etcdserverpb.Metadata, of a raftpb.HardState and of a walpb.Snapshot.
const (
	metadataNode    protowire.Number = 1
	metadataCluster protowire.Number = 2

	stateCommit   protowire.Number = 3
	snapshotIndex protowire.Number = 1
	snapshotTerm  protowire.Number = 2
	snapshotConf  protowire.Number = 3
)

// field is the value of a message's numeric field, 0 where it has none.
func field(b []byte, field protowire.Number) (value uint64) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0
		}
		b = b[n:]
		if num == field && typ == protowire.VarintType {
			value, n = protowire.ConsumeVarint(b)
		} else {
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return 0
		}
		b = b[n:]
	}
	return value
}

// isMessage says whether b is a message, of whatever fields.
func isMessage(b []byte) bool {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

func (r *reader) identity(data []byte) error {
	if !isMessage(data) {
		return fmt.Errorf("the member's identity cannot be read")
	}
	if r.metadata != nil && !bytes.Equal(r.metadata, data) {
		return fmt.Errorf("a segment of another member")
	}
	r.metadata = bytes.Clone(data)
	r.log.NodeID, r.log.ClusterID = field(data, metadataNode), field(data, metadataCluster)
	return nil
}

// entry appends an entry, or puts it in the place of one that was overruled
// (wal.go ReadAll).
func (r *reader) entry(data []byte, offset int64) error {
	e := Entry{Segment: len(r.log.Segments) - 1, Offset: offset}
	if err := e.parse(data); err != nil {
		return err
	}
	if e.Index > r.after {
		at := e.Index - r.after - 1
		if at > uint64(len(r.log.Entries)) {
			return &gapError{e.Index, e.Term, r.log.Last(r.after)}
		}
		e.Data = bytes.Clone(e.Data)
		r.log.Entries = append(r.log.Entries[:at], e)
	}
	r.saw(e.Index)
	return nil
}

// gapError says that entries between two are missing.
type gapError struct{ index, term, last uint64 }

func (e *gapError) Error() string { return fmt.Sprintf("entry %d follows entry %d", e.index, e.last) }

var errEntry = errors.New("an entry cannot be read")

// parse reads a raftpb.Entry, whose data aliases b. A type that raft does not have
// is kept.
func (e *Entry) parse(b []byte) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errEntry
		}
		b = b[n:]
		switch {
		case num >= 1 && num <= 3 && typ == protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			switch num {
			case 1:
				e.Type = raftpb.EntryType(v)
			case 2:
				e.Term = v
			case 3:
				e.Index = v
			}
		case num == 4 && typ == protowire.BytesType:
			e.Data, n = protowire.ConsumeBytes(b)
		default:
			return errEntry
		}
		if n < 0 {
			return errEntry
		}
		b = b[n:]
	}
	return nil
}
