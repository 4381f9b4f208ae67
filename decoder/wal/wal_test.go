package wal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/internal/corpus"
)

// kept is the directory of a member whose etcd was killed under load.
const kept = "../../testdata/clusters/scenario-5/datadir-lagging/member.tar.gz"

const first = "0000000000000000-0000000000000000.wal"

// segmentOf unpacks its only segment, up to the zeros it was prepared with.
func segmentOf(t testing.TB) []byte {
	t.Helper()
	data := corpus.Files(t, kept)["member/wal/"+first]
	if len(data) == 0 {
		t.Fatalf("no %s in %s", first, kept)
	}
	return bytes.TrimRight(data, "\x00")
}

// read reads segments by their names.
func read(t testing.TB, after uint64, segments map[string][]byte) (*Log, error) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range segments {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	log, err := Read(t.Context(), dir, after)
	if files, _ := os.ReadDir(dir); len(files) != len(segments) {
		t.Errorf("%d files where there were %d", len(files), len(segments))
	}
	return log, err
}

func TestKilledMember(t *testing.T) {
	data := segmentOf(t)
	log, err := read(t, 1380, map[string][]byte{first: append(data, make([]byte, 4096)...), "0.tmp": nil})
	if err != nil {
		t.Fatal(err)
	}
	if len(log.Entries) != 312 || log.Entries[0].Index != 1381 || log.Last(0) != 1692 || log.Commit != 1691 || log.NodeID != 0x8425f172696c3d59 {
		t.Errorf("%d entries, last %d, commit %d, node %x", len(log.Entries), log.Last(0), log.Commit, log.NodeID)
	}
	if len(log.Faults) != 1 || log.Faults[0].Damage || log.Faults[0].What != "0.tmp was prepared ahead and never used" {
		t.Errorf("faults %v", log.Faults)
	}
}

// TestCutAnywhere cuts the log at places of every kind: whatever is whole before
// is read, and a log that merely ends is no damage.
func TestCutAnywhere(t *testing.T) {
	data := segmentOf(t)
	const largest = 1 << 15 // no record of it is larger
	last := 0
	for cut := 8; cut < len(data); cut += 4001 {
		for _, zeros := range []int{0, 1 << 16} {
			log, err := read(t, 0, map[string][]byte{first: append(bytes.Clone(data[:cut]), make([]byte, zeros)...)})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range log.Faults {
				// Of a record that was cut within its last sector no sector is all zeros.
				if f.Damage && (zeros == 0 || cut/sectorSize != (int(f.Offset)+largest)/sectorSize && cut-int(f.Offset) > largest) {
					t.Errorf("cut at %d with %d zeros: %v", cut, zeros, f)
				}
			}
			if n := len(log.Entries); n < last {
				t.Fatalf("cut at %d: %d entries, %d before", cut, n, last)
			} else {
				last = n
			}
		}
	}
	if last < 1600 {
		t.Errorf("only %d entries", last)
	}
}

func TestDamage(t *testing.T) {
	data := segmentOf(t)
	middle := len(data) / 2
	flip := bytes.Clone(data)
	flip[middle] ^= 1
	gone := bytes.Clone(data)
	clear(gone[middle-middle%sectorSize : middle-middle%sectorSize+2048])
	second := "0000000000000002-0000000000001000.wal"
	for _, test := range []struct {
		name     string
		after    uint64
		segments map[string][]byte
		says     string
		entries  bool
	}{
		{"damaged length", 0, map[string][]byte{first: length(data)}, "cut off", true},
		{"flipped bit", 0, map[string][]byte{first: flip}, "checksum does not match", true},
		{"zeroed sectors", 0, map[string][]byte{first: gone}, "", true},
		{"segment missing between", 4094, map[string][]byte{"0000000000000000-0000000000000000.wal": data, second: data}, "", false},
		{"segment missing before", 10, map[string][]byte{second: data}, "a segment is missing", false},
		{"bytes after the end", 0, map[string][]byte{first: append(append(bytes.Clone(data), make([]byte, 100)...), 1)}, "not zero follow", true},
		{"entries missing", 5, map[string][]byte{"0000000000000000-0000000000000001.wal": data[0:0]}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			log, err := read(t, test.after, test.segments)
			if err != nil {
				t.Fatal(err)
			}
			damage := ""
			for _, f := range log.Faults {
				if f.Damage {
					damage += f.String() + "\n"
				}
			}
			if test.name != "entries missing" && (damage == "" || !strings.Contains(damage, test.says)) {
				t.Errorf("damage %q", damage)
			}
			if (len(log.Entries) > 0) != test.entries {
				t.Errorf("%d entries", len(log.Entries))
			}
		})
	}
}

// length makes a record in the middle longer than the file.
func length(data []byte) []byte {
	at := 0
	for range 500 {
		size := binary.LittleEndian.Uint64(data[at:])
		at += 8 + int(size&(1<<56-1)) + int(size>>56&7)
	}
	data = bytes.Clone(data)
	data[at+4] = 1
	return data
}

func TestNoLog(t *testing.T) {
	if _, err := read(t, 0, map[string][]byte{"x": nil}); !errors.Is(err, ErrNoSegments) {
		t.Errorf("error %v", err)
	}
	if _, err := Read(t.Context(), "missing", 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, first), segmentOf(t), 0o400); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(ctx, dir, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// FuzzRead reads any bytes as a segment, and any two.
func FuzzRead(f *testing.F) {
	data, err := os.ReadFile(filepath.Join(segmentsOf10(f), first))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data, []byte(nil), uint64(0))
	f.Add(data[:700], data, uint64(3))
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\x84"), []byte("\xff\xff\xff\xff\xff\xff\xff\x00"), uint64(1<<63))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, one, two []byte, after uint64) {
		for name, data := range map[string][]byte{first: one, "0000000000000001-0000000000000008.wal": two} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		log, err := Read(t.Context(), dir, after)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadConfig(t.Context(), dir, after, func(*Entry) bool { return true }); err != nil {
			t.Fatal(err)
		}
		for i, e := range log.Entries {
			if e.Index != after+1+uint64(i) {
				t.Fatalf("entry %d has index %d after %d", i, e.Index, after)
			}
		}
		last := log.Last(after)
		for i, gap := range log.Missing {
			if gap.From != last+1 || gap.To < gap.From && (gap.To != 0 || i < len(log.Missing)-1) {
				t.Fatalf("missing %v after entry %d", log.Missing, log.Last(after))
			}
			last = gap.To
		}
		if (damageOf(log) != "") != (len(log.Missing) > 0) || last != 0 && last < log.Seen {
			t.Fatalf("missing %v, entry %d was seen, damage %q", log.Missing, log.Seen, damageOf(log))
		}
	})
}
