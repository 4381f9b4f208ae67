package wal_test

import (
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal"
	"revenant/decoder/wal/waltest"
)

// saved is the record of a snapshot.
func saved(t *testing.T, index uint64, voters ...uint64) []byte {
	t.Helper()
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), index)
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1)
	if len(voters) == 0 {
		return b
	}
	conf, err := proto.Marshal(&raftpb.ConfState{Voters: voters})
	if err != nil {
		t.Fatal(err)
	}
	return protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), conf)
}

// TestReadConfig reads what logs report about the members up to their tenth entry.
func TestReadConfig(t *testing.T) {
	entries := func(l *waltest.Log, n int) {
		for range n {
			l.Entry([]byte("x"))
		}
	}
	const snapshotRecord = 5
	for _, tt := range []struct {
		name     string
		write    func(l *waltest.Log)
		remove   string
		known    bool
		snapshot uint64
		voters   int
		picked   int
	}{
		{"from the first entry", func(l *waltest.Log) { l.Record(snapshotRecord, saved(t, 0)); entries(l, 12) }, "", true, 0, 0, 10},
		{"after a snapshot", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1, 2))
			l.Cut()
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 11, 1, 2, 3)) // later than what is asked for
		}, "", true, 4, 2, 6},
		{"the beginning was purged", func(l *waltest.Log) {
			entries(l, 3)
			l.Cut()
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1))
			entries(l, 3)
		}, waltest.Name(0, 0), true, 4, 1, 6},
		{"entries after the snapshot are missing", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Cut()
			entries(l, 3)
			l.Cut()
			entries(l, 6)
		}, waltest.Name(1, 4), false, 0, 0, 0},
		{"the end is missing", func(l *waltest.Log) { l.Record(snapshotRecord, saved(t, 0)); entries(l, 9) }, "", false, 0, 0, 0},
		{"no snapshot", func(l *waltest.Log) { entries(l, 12) }, "", false, 0, 0, 0},
		{"a snapshot that cannot be read", func(l *waltest.Log) {
			l.Record(snapshotRecord, append(saved(t, 0), "\x1a\x01\x08"...))
			entries(l, 12)
		}, "", false, 0, 0, 0},
		{"a snapshot that the leader had sent", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Record(snapshotRecord, saved(t, 8, 1, 2, 3))
			l.Append(&raftpb.Entry{Type: raftpb.EntryNormal.Enum(), Index: new(uint64(9))})
			entries(l, 3)
		}, "", true, 8, 3, 2},
		{"entries that were overruled", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 12)
			l.Append(&raftpb.Entry{Type: raftpb.EntryNormal.Enum(), Index: new(uint64(6)), Term: new(uint64(2))})
			entries(l, 6)
		}, "", true, 0, 0, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			l := waltest.New(t, dir, 0)
			tt.write(l)
			l.Close()
			if tt.remove != "" {
				if err := os.Remove(filepath.Join(dir, tt.remove)); err != nil {
					t.Fatal(err)
				}
			}
			c, err := wal.ReadConfig(t.Context(), dir, 10, func(*wal.Entry) bool { return true })
			if err != nil || (c != nil) != tt.known {
				t.Fatalf("%+v, %v", c, err)
			}
			if c != nil && (c.Snapshot != tt.snapshot || c.ConfState != nil && len(c.ConfState.Voters) != tt.voters || c.ConfState == nil && tt.voters != 0 || len(c.Entries) != tt.picked) {
				t.Errorf("%+v", c)
			}
		})
	}
}
