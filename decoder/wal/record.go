package wal

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"

	"revenant/decoder/wire"
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
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
			return errRecord
		case f.Num() == 1 && f.Type() == wire.Varint:
			rec.kind = f.Val
		case f.Num() == 2 && f.Type() == wire.Varint:
			rec.crc = uint32(f.Val)
		case f.Num() == 3 && f.Type() == wire.Bytes:
			rec.data = f.Payload(b)
		default:
			return errRecord
		}
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
		if wire.Check(rec.data) != nil {
			return fmt.Errorf("raft's state cannot be read")
		}
		r.log.Term, r.log.Commit = number(rec.data, stateTerm), number(rec.data, stateCommit)
		r.agree(r.log.Commit)
	case snapshotRecord:
		// It says that a snapshot file was saved; the db is newer.
		r.agree(number(rec.data, snapshotIndex))
	default:
		return fmt.Errorf("record of unknown type %d", rec.kind)
	}
	return nil
}

// Fields of an etcdserverpb.Metadata, of a raftpb.HardState and of a walpb.Snapshot.
const (
	metadataNode    = 1
	metadataCluster = 2

	stateTerm   = 1
	stateCommit = 3

	snapshotIndex = 1
	snapshotTerm  = 2
	snapshotConf  = 3
)

func (r *reader) identity(data []byte) error {
	if wire.Check(data) != nil {
		return fmt.Errorf("the member's identity cannot be read")
	}
	if r.metadata != nil && !bytes.Equal(r.metadata, data) {
		return fmt.Errorf("a segment of another member")
	}
	r.metadata = bytes.Clone(data)
	r.log.NodeID, r.log.ClusterID = number(data, metadataNode), number(data, metadataCluster)
	return nil
}

// agree takes note of an index that was agreed on: nothing overrules its entry.
func (r *reader) agree(index uint64) {
	r.agreed = max(r.agreed, index)
	r.saw(index)
}

// entry appends an entry. It overrules the one that had its index, and all that followed
// that one (wal.go ReadAll).
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
	} else {
		r.log.Entries = nil // the db has this one
	}
	r.log.Seen = max(e.Index, r.agreed)
	return nil
}

// gapError says that entries between two are missing.
type gapError struct{ index, term, last uint64 }

func (e *gapError) Error() string { return fmt.Sprintf("entry %d follows entry %d", e.index, e.last) }

var errEntry = errors.New("an entry cannot be read")

// parse reads a raftpb.Entry, whose data aliases b. A type that raft does not have
// is kept.
func (e *Entry) parse(b []byte) error {
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
			return errEntry
		case f.Num() == 1 && f.Type() == wire.Varint:
			e.Type = EntryType(f.Val)
		case f.Num() == 2 && f.Type() == wire.Varint:
			e.Term = f.Val
		case f.Num() == 3 && f.Type() == wire.Varint:
			e.Index = f.Val
		case f.Num() == 4 && f.Type() == wire.Bytes:
			e.Data = f.Payload(b)
		default:
			return errEntry
		}
	}
	return nil
}
