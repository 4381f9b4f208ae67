package wal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
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

// TestReadConfig holds what logs report about the members up to their tenth entry to
// testdata/config.golden.
func TestReadConfig(t *testing.T) {
	entries := func(l *waltest.Log, n int) {
		for range n {
			l.Entry([]byte("x"))
		}
	}
	again := func(l *waltest.Log, term, index uint64) {
		l.Append(&raftpb.Entry{Type: raftpb.EntryNormal.Enum(), Index: new(index), Term: new(term), Data: []byte("again")})
	}
	damage := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name), func(data []byte) []byte {
				data[strings.Index(string(data), text)]++
				return data
			})
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var all strings.Builder
	for _, tt := range []struct {
		name  string
		write func(l *waltest.Log)
		harm  func(t *testing.T, dir string) // nil for none
	}{
		{"from the first entry", func(l *waltest.Log) { l.Record(snapshotRecord, saved(t, 0)); entries(l, 12) }, nil},
		{"to the tenth", func(l *waltest.Log) { l.Record(snapshotRecord, saved(t, 0)); entries(l, 10) }, nil},
		{"to the ninth", func(l *waltest.Log) { l.Record(snapshotRecord, saved(t, 0)); entries(l, 9) }, nil},
		{"to the ninth, and a snapshot of the tenth", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 9)
			l.Record(snapshotRecord, saved(t, 10, 1, 2))
		}, nil},
		{"a snapshot of the eleventh", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 11)
			l.Record(snapshotRecord, saved(t, 11, 1, 2))
		}, nil},
		{"after a snapshot", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1, 2))
			l.Cut()
			entries(l, 6)
		}, nil},
		{"an older snapshot after it", func(l *waltest.Log) {
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1, 2))
			l.Record(snapshotRecord, saved(t, 3, 7))
			entries(l, 6)
		}, nil},
		{"a snapshot of the same entry after it", func(l *waltest.Log) {
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1, 2))
			l.Record(snapshotRecord, saved(t, 4, 7))
			entries(l, 6)
		}, nil},
		{"the beginning was purged", func(l *waltest.Log) {
			entries(l, 3)
			l.Cut()
			entries(l, 6)
			l.Record(snapshotRecord, saved(t, 4, 1))
			entries(l, 3)
		}, remove(waltest.Name(0, 0))},
		{"the beginning was purged up to the snapshot", func(l *waltest.Log) {
			entries(l, 3)
			l.Cut()
			l.Record(snapshotRecord, saved(t, 3, 1))
			entries(l, 8)
		}, remove(waltest.Name(0, 0))},
		{"and one entry more", func(l *waltest.Log) {
			entries(l, 3)
			l.Cut()
			l.Record(snapshotRecord, saved(t, 2, 1))
			entries(l, 8)
		}, remove(waltest.Name(0, 0))},
		{"entries after the snapshot are missing", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Cut()
			entries(l, 3)
			l.Cut()
			entries(l, 6)
		}, remove(waltest.Name(1, 4))},
		{"no snapshot", func(l *waltest.Log) { entries(l, 12) }, nil},
		{"a snapshot whose configuration cannot be read", func(l *waltest.Log) {
			l.Record(snapshotRecord, append(saved(t, 0), "\x1a\x01\x08"...))
			entries(l, 12)
		}, nil},
		{"a snapshot that is cut off", func(l *waltest.Log) {
			l.Record(snapshotRecord, append(saved(t, 0), 0x1a))
			entries(l, 12)
		}, nil},
		{"a snapshot with a number for its configuration", func(l *waltest.Log) {
			l.Record(snapshotRecord, append(saved(t, 0), "\x18\x07"...))
			entries(l, 12)
		}, nil},
		{"a snapshot with another message", func(l *waltest.Log) {
			l.Record(snapshotRecord, append(saved(t, 0), "\x22\x02\x08\x07"...))
			entries(l, 12)
		}, nil},
		{"a snapshot that the leader had sent", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Record(snapshotRecord, saved(t, 8, 1, 2, 3))
			again(l, 1, 9)
			entries(l, 3)
		}, nil},
		{"entries that were overruled", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 12)
			again(l, 2, 6)
			entries(l, 6)
		}, nil},
		{"entries that were overruled, and the log ends before the tenth", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 12)
			again(l, 2, 6)
		}, nil},
		{"the first entry is overruled", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 12)
			again(l, 2, 1)
			entries(l, 9)
		}, nil},
		{"one before those that are there is overruled", func(l *waltest.Log) {
			entries(l, 3)
			l.Cut()
			l.Record(snapshotRecord, saved(t, 3, 1))
			entries(l, 8)
			again(l, 2, 2)
			entries(l, 8)
		}, remove(waltest.Name(0, 0))},
		{"an entry cannot be read", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Record(entryRecord, []byte("\x18"))
			entries(l, 7)
		}, nil},
		{"a damaged record", func(l *waltest.Log) {
			l.Record(snapshotRecord, saved(t, 0))
			entries(l, 3)
			l.Entry([]byte("damaged"))
			l.Cut()
			entries(l, 8)
		}, damage(waltest.Name(0, 0), "damaged")},
		{"a damaged record before the snapshot", func(l *waltest.Log) {
			l.Entry([]byte("damaged"))
			l.Cut()
			l.Record(snapshotRecord, saved(t, 2, 1))
			entries(l, 10)
		}, damage(waltest.Name(0, 0), "damaged")},
		{"a segment that is a directory", func(l *waltest.Log) {
			entries(l, 1)
			l.Cut()
			l.Record(snapshotRecord, saved(t, 1, 1))
			entries(l, 10)
		}, func(t *testing.T, dir string) {
			remove(waltest.Name(0, 0))(t, dir)
			if err := os.Mkdir(filepath.Join(dir, waltest.Name(0, 0)), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := t.TempDir()
		l := waltest.New(t, dir, 0)
		tt.write(l)
		l.Close()
		if tt.harm != nil {
			tt.harm(t, dir)
		}
		c, err := ReadConfig(t.Context(), dir, 10, func(e *Entry) bool { return e.Index != 7 })
		if err != nil {
			t.Fatal(err)
		}
		if c == nil {
			fmt.Fprintf(&all, "%s: nothing\n", tt.name)
			continue
		}
		fmt.Fprintf(&all, "%s: entry %d of term %d, %+v, then", tt.name, c.Snapshot, c.Term, c.ConfState)
		for _, e := range c.Entries {
			fmt.Fprintf(&all, " %d %s", e.Index, e.Data)
		}
		fmt.Fprintln(&all)
	}
	golden.Equal(t, "testdata/config.golden", all.String())
}

// TestReadConfigLimits: no more entries are kept than may be, and a context that is done
// ends the reading.
func TestReadConfigLimits(t *testing.T) {
	for _, n := range []uint64{maxPicked, maxPicked + 1} {
		dir := t.TempDir()
		l := waltest.New(t, dir, 0)
		l.Record(snapshotRecord, saved(t, 0))
		for range n {
			l.Entry(nil)
		}
		l.Close()
		c, err := ReadConfig(t.Context(), dir, n, func(*Entry) bool { return true })
		if err != nil || (c != nil) != (n == maxPicked) || c != nil && len(c.Entries) != maxPicked {
			t.Errorf("%d entries: known %t, %v", n, c != nil, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := ReadConfig(ctx, dir, n, func(*Entry) bool { return true }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	}
	if _, err := ReadConfig(t.Context(), "missing", 1, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
