package wal

import "revenant/decoder/wire"

// EntryType is a raftpb.EntryType (raft/v3 v3.7 raftpb/raft.proto).
type EntryType int32

// The types of entries.
const (
	EntryNormal       EntryType = 0
	EntryConfChange   EntryType = 1
	EntryConfChangeV2 EntryType = 2 // which etcd does not write
)

// ConfState is raft's configuration, a raftpb.ConfState. etcd keeps it in this JSON in
// the bucket meta from 3.5 on.
type ConfState struct {
	Voters         []uint64 `json:"voters"`
	Learners       []uint64 `json:"learners,omitempty"`
	VotersOutgoing []uint64 `json:"voters_outgoing,omitempty"`
	LearnersNext   []uint64 `json:"learners_next,omitempty"`
	AutoLeave      bool     `json:"auto_leave"`
}

// Parse adds to c what the message b has, as a message given twice is merged.
func (c *ConfState) Parse(b []byte) error {
	lists := [...]*[]uint64{1: &c.Voters, 2: &c.Learners, 3: &c.VotersOutgoing, 4: &c.LearnersNext}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch {
		case int(f.Num()) < len(lists):
			if err := appendNumbers(lists[f.Num()], f, b); err != nil {
				return err
			}
		case f.Num() == 5 && f.Type() == wire.Varint:
			c.AutoLeave = f.Val != 0
		}
	}
	return nil
}

// appendNumbers appends to list a repeated number, packed or not.
func appendNumbers(list *[]uint64, f wire.Field, b []byte) error {
	switch f.Type() {
	case wire.Varint:
		*list = append(*list, f.Val)
	case wire.Bytes:
		for b := f.Payload(b); len(b) > 0; {
			v, n, err := wire.Number(b)
			if err != nil {
				return err
			}
			*list, b = append(*list, v), b[n:]
		}
	}
	return nil
}

// number is the value of a message's numeric field, 0 where it has none.
func number(b []byte, field int32) (value uint64) {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return 0
		}
		if f.Num() == field && f.Type() == wire.Varint {
			value = f.Val
		}
	}
	return value
}
