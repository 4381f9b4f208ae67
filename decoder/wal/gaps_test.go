package wal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
)

// segmentsOf10 is a log of five segments of ten entries each.
func segmentsOf10(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l := waltest.New(t, dir, 0)
	for i := range 50 {
		if i > 0 && i%10 == 0 {
			l.Cut()
		}
		l.Entry(fmt.Appendf(nil, "entry %d", i+1))
		l.Commit()
	}
	l.Close()
	return dir
}

func name(n int) string {
	if n == 0 {
		return waltest.Name(0, 0)
	}
	return waltest.Name(uint64(n), uint64(n*10+1))
}

// edit changes the content of a file.
func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(data), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestMissing takes from a log in many ways, and holds all that is read of the rest to
// testdata/missing.golden. Whatever is missing is counted from what is left.
func TestMissing(t *testing.T) {
	damage := func(n int, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(n)), func(data []byte) []byte {
				at := strings.Index(string(data), text)
				data[at]++
				return data
			})
		}
	}
	remove := func(list ...int) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, n := range list {
				if err := os.Remove(filepath.Join(dir, name(n))); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	replace := func(n int, by func(path string) error) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name(n))
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := by(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	own := func(write func(l *waltest.Log)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			remove(0, 1, 2, 3, 4)(t, dir)
			l := waltest.New(t, dir, 0)
			write(l)
			l.Close()
		}
	}
	// last changes the content of the last segment, from its last record on.
	last := func(change func(data []byte, at int) []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(4)), func(data []byte) []byte {
				return change(data, strings.Index(string(data), "entry 50")-len("\x00\x00\x00\x00\x00\x00\x00\x84\x08\x02\x10\x00\x00\x00\x00\x00\x1a\x0e\x08\x00\x10\x01\x18\x32\x22\x08"))
			})
		}
	}
	state := func(term, commit uint64) []byte {
		data, err := proto.Marshal(&raftpb.HardState{Term: new(term), Vote: new(uint64(1)), Commit: new(commit)})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	at := func(term, index uint64, data string) *raftpb.Entry {
		return &raftpb.Entry{Term: new(term), Index: new(index), Data: []byte(data)}
	}
	nothing := func(*testing.T, string) {}
	var all strings.Builder
	for _, test := range []struct {
		name  string
		after uint64
		do    func(t *testing.T, dir string)
	}{
		{"nothing", 0, nothing},
		{"nothing", 19, nothing},
		{"nothing", 20, nothing},
		{"nothing", 49, nothing},
		{"nothing", 50, nothing},
		{"nothing", 51, nothing},
		{"the first segment", 9, remove(0)},
		{"the first segment", 10, remove(0)},
		{"the last segment, and nothing shows that it was there", 5, remove(4)},
		{"more is agreed on than is there", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Record(stateRecord, state(3, 7))
		})},
		{"a snapshot of more than is there", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Record(snapshotRecord, []byte("\x08\x07\x10\x01"))
		})},
		{"entries are overruled", 0, own(func(l *waltest.Log) {
			for i := range 5 {
				l.Entry(fmt.Appendf(nil, "entry %d", i+1))
			}
			l.Append(at(2, 3, "another"))
		})},
		{"entries before those needed are overruled", 3, own(func(l *waltest.Log) {
			for i := range 5 {
				l.Entry(fmt.Appendf(nil, "entry %d", i+1))
			}
			l.Append(at(2, 3, "another"))
		})},
		{"an entry that was agreed on is overruled", 0, own(func(l *waltest.Log) {
			for i := range 5 {
				l.Entry(fmt.Appendf(nil, "entry %d", i+1))
			}
			l.Commit()
			l.Append(at(2, 3, "another"))
		})},
		{"only the name of a segment is left, and the db is further", 12, func(t *testing.T, dir string) {
			own(func(l *waltest.Log) {
				for range 10 {
					l.Entry([]byte("x"))
				}
				l.Cut()
			})(t, dir)
			if err := os.Remove(filepath.Join(dir, name(0))); err != nil {
				t.Fatal(err)
			}
		}},
		{"a segment is cut off after its first record", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(0)), func(data []byte) []byte { return data[:16] })
		}},
		{"an empty last segment", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(4)), func([]byte) []byte { return nil })
		}},
		{"an entry is left out", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Append(at(1, 3, "3"))
			l.Append(at(1, 4, "4"))
		})},
		{"an entry is left out, and is there later", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Append(at(1, 3, "3"))
			l.Append(at(2, 2, "2"))
			l.Append(at(2, 3, "3"))
		})},
		{"an entry stands again after a gap", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Entry([]byte("2"))
			l.Append(at(1, 4, "4"))
			l.Append(at(1, 2, "2"))
			l.Append(at(1, 3, "3"))
		})},
		{"entries after a gap that are not needed", 7, own(func(l *waltest.Log) {
			l.Append(at(1, 5, "5"))
			l.Append(at(1, 10, "10"))
			l.Append(at(2, 7, "7"))
			l.Append(at(2, 8, "8"))
		})},
		{"raft's state after a gap", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Append(at(1, 3, "3"))
			l.Record(stateRecord, state(2, 9))
		})},
		{"a snapshot after a gap", 0, own(func(l *waltest.Log) {
			l.Entry([]byte("1"))
			l.Append(at(1, 3, "3"))
			l.Record(snapshotRecord, []byte("\x08\x0b\x10\x01"))
		})},
		{"a gap, and a segment after it that only has its name", 0, func(t *testing.T, dir string) {
			own(func(l *waltest.Log) {
				l.Entry([]byte("1"))
				l.Cut()
				l.Entry([]byte("2"))
				l.Entry([]byte("3"))
				l.Cut()
			})(t, dir)
			if err := os.Remove(filepath.Join(dir, waltest.Name(1, 2))); err != nil {
				t.Fatal(err)
			}
		}},
		{"only the second segment is left", 5, func(t *testing.T, dir string) {
			remove(0, 2, 3, 4)(t, dir)
		}},
		{"and of it its first record", 5, func(t *testing.T, dir string) {
			remove(0, 2, 3, 4)(t, dir)
			edit(t, filepath.Join(dir, name(1)), func(data []byte) []byte { return data[:16] })
		}},
		{"a snapshot of more than is there, and a damaged length", 0, func(t *testing.T, dir string) {
			own(func(l *waltest.Log) {
				l.Entry([]byte("1"))
				l.Record(snapshotRecord, []byte("\x08\x07\x10\x01"))
				l.Entry([]byte("2"))
			})(t, dir)
			edit(t, filepath.Join(dir, name(0)), func(data []byte) []byte { data[96+4] = 1; return data })
		}},
		{"the very last record is damaged", 0, func(t *testing.T, dir string) {
			own(func(l *waltest.Log) {
				l.Entry([]byte("entry 1"))
				l.Entry([]byte("entry 2"))
			})(t, dir)
			damage(0, "entry 2")(t, dir)
		}},
		{"the last length is more than there is, and it ends after a number of another type", 5, last(func(data []byte, at int) []byte { data[at+4] = 1; data[at+8] = 9; return data[:at+17] })},
		{"a gap, and a segment after it that has not even that", 0, func(t *testing.T, dir string) {
			remove(1, 3, 4)(t, dir)
			edit(t, filepath.Join(dir, name(2)), func(data []byte) []byte { return data[:16] })
		}},
		{"a gap, and a damaged record after it", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			damage(3, "entry 35")(t, dir)
		}},
		{"a gap, and a damaged length after it", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			edit(t, filepath.Join(dir, name(4)), func(data []byte) []byte { data[40+4] = 1; return data })
		}},
		{"a gap, and an unfinished record after it", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			last(func(data []byte, at int) []byte { return data[:at+24] })(t, dir)
		}},
		{"a gap, and something after its last record", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			last(func(data []byte, at int) []byte { data[len(data)-1] = 1; return data })(t, dir)
		}},
		{"a gap, and a damaged length after it, not in the last segment", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			edit(t, filepath.Join(dir, name(3)), func(data []byte) []byte { data[40+4] = 1; return data })
		}},
		{"a gap, and a last segment that cannot be opened", 5, func(t *testing.T, dir string) {
			remove(1, 4)(t, dir)
			if err := os.Mkdir(filepath.Join(dir, name(4)), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		{"a gap, and what is no record after it", 5, func(t *testing.T, dir string) {
			remove(1)(t, dir)
			edit(t, filepath.Join(dir, name(4)), func(data []byte) []byte { data[40+8] = 0x0f; return data })
		}},
		{"a gap, and its first segment does not say whose it is", 0, func(t *testing.T, dir string) {
			remove(0)(t, dir)
			edit(t, filepath.Join(dir, name(1)), func(data []byte) []byte { data[40]++; return data })
		}},
		{"a segment without records", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(2)), func([]byte) []byte { return nil })
		}},
		{"a segment of zeros", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(4)), func(data []byte) []byte { return make([]byte, len(data)) })
		}},
		{"a segment's first record is damaged", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(2)), func(data []byte) []byte { data[11]++; return data })
		}},
		{"its identity is", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(2)), func(data []byte) []byte { data[40]++; return data })
		}},
		{"the identity of the first one is", 0, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(0)), func(data []byte) []byte { data[40]++; return data })
		}},
		{"the last entry ends within its length", 5, last(func(data []byte, at int) []byte { return data[:at+3] })},
		{"the last entry ends after its length", 5, last(func(data []byte, at int) []byte { return data[:at+8] })},
		{"the last entry ends within its head", 5, last(func(data []byte, at int) []byte { return data[:at+12] })},
		{"the last entry ends within its data", 5, last(func(data []byte, at int) []byte { return data[:at+24] })},
		{"the last entry ends within its padding", 5, last(func(data []byte, at int) []byte { return data[:at+37] })},
		{"the last entry is zeros but for its length", 5, last(func(data []byte, at int) []byte { clear(data[at+8:]); return data })},
		{"the last entry is zeros, and something follows", 5, last(func(data []byte, at int) []byte { clear(data[at+8:]); data[at+300] = 1; return data })},
		{"the last length is more than there is", 5, last(func(data []byte, at int) []byte { data[at+4] = 1; return data })},
		{"the last length is more than there is, and its data is cut off", 5, last(func(data []byte, at int) []byte { data[at+2] = 1; return data[:at+24] })},
		{"the last length is more than there is, and no record follows", 5, last(func(data []byte, at int) []byte { data[at+4] = 1; data[at+8] = 0x0b; return data })},
		{"the last length is more than there is, and a record of other fields follows", 5, last(func(data []byte, at int) []byte { data[at+4] = 1; data[at+8] = 0x0a; return data })},
		{"the last length is more than there is, and a record of other fields follows", 5, last(func(data []byte, at int) []byte { data[at+4] = 1; data[at+16] = 0x20; return data })},
		{"something follows the end", 5, last(func(data []byte, at int) []byte { data[len(data)-1] = 1; return data })},
		{"the segment before the last one", 5, func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, waltest.Name(6, 61)), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"first segments", 5, remove(0, 1)},
		{"segment in the middle", 5, remove(2)},
		{"two in the middle", 5, remove(1, 3)},
		{"one that is not needed", 25, remove(0)},
		{"FIFO", 5, replace(2, func(path string) error { return syscall.Mkfifo(path, 0o600) })},
		{"last is a FIFO", 5, replace(4, func(path string) error { return syscall.Mkfifo(path, 0o600) })},
		{"directory", 5, replace(0, func(path string) error { return os.Mkdir(path, 0o700) })},
		{"link to nothing", 5, replace(2, func(path string) error { return os.Symlink("nothing", path) })},
		{"link to itself", 5, replace(2, func(path string) error { return os.Symlink(path, path) })},
		{"link to a device", 5, replace(2, func(path string) error { return os.Symlink("/dev/zero", path) })},
		{"damaged entry", 5, damage(1, "entry 15")},
		{"last entry damaged", 5, damage(4, "entry 50")},
		{"length damaged", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(1)), func(data []byte) []byte {
				at := 0
				for range 5 {
					size := binary.LittleEndian.Uint64(data[at:])
					at += 8 + int(size&(1<<56-1)) + int(size>>56&7)
				}
				data[at+4] = 1
				return data
			})
		}},
		{"cut off in the middle", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(1)), func(data []byte) []byte { return data[:len(data)/2] })
		}},
		{"ends before the db", 60, nothing},
		{"a segment of another log", 5, replace(2, func(path string) error {
			dir := t.TempDir()
			l := waltest.New(t, dir, 20)
			for range 10 {
				l.Entry([]byte("another"))
			}
			l.Close()
			return os.Rename(filepath.Join(dir, waltest.Name(0, 21)), path)
		})},
		{"twice the same number", 5, func(t *testing.T, dir string) {
			if err := os.Link(filepath.Join(dir, name(1)), filepath.Join(dir, waltest.Name(1, 12))); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		dir := segmentsOf10(t)
		test.do(t, dir)
		log, err := Read(t.Context(), dir, test.after)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s, after entry %d:\n%s", test.name, test.after, describe(log))
	}
	golden.Equal(t, "testdata/missing.golden", strings.ReplaceAll(all.String(), t.TempDir(), "DIR"))
}

func damageOf(log *Log) (text string) {
	for _, f := range log.Faults {
		if f.Damage {
			text += f.String() + "\n"
		}
	}
	return text
}

// TestOverruledAfterGap: what a later record overrules is not taken, though the
// record stands after a gap.
func TestOverruledAfterGap(t *testing.T) {
	dir := t.TempDir()
	l := waltest.New(t, dir, 0)
	for i := range 9 {
		l.Entry(fmt.Appendf(nil, "entry %d", i+1))
	}
	l.Append(&raftpb.Entry{Index: new(uint64(5)), Term: new(uint64(2)), Data: []byte("damaged")})
	l.Append(&raftpb.Entry{Index: new(uint64(4)), Term: new(uint64(3)), Data: []byte("overrules")})
	l.Close()
	edit(t, filepath.Join(dir, name(0)), func(data []byte) []byte {
		data[strings.Index(string(data), "damaged")]++
		return data
	})
	log, err := Read(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Gap{{4, 4, AfterGap}, {5, 9, Lost}}, log.Missing); diff != "" || log.Last(0) != 3 {
		t.Errorf("last %d, missing (-want +got):\n%s", log.Last(0), diff)
	}
}

// TestCommittedAfterEnd: a log that says more was agreed on than it holds has
// lost its end.
func TestCommittedAfterEnd(t *testing.T) {
	dir := t.TempDir()
	l := waltest.New(t, dir, 0)
	l.Entry([]byte("1"))
	state, err := proto.Marshal(&raftpb.HardState{Term: new(uint64(1)), Vote: new(uint64(1)), Commit: new(uint64(7))})
	if err != nil {
		t.Fatal(err)
	}
	l.Record(stateRecord, state)
	l.Close()
	log, err := Read(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Gap{{2, 7, Lost}}, log.Missing); diff != "" || !strings.Contains(damageOf(log), "its end is missing") {
		t.Errorf("damage %q, missing (-want +got):\n%s", damageOf(log), diff)
	}
}

// TestNotWritten: a record whose checksum is right, and that etcd does not write, ends
// what is read, and is named.
func TestNotWritten(t *testing.T) {
	for _, test := range []struct {
		name string
		kind uint64
		data string
		says string
	}{
		{"identity", metadataRecord, "\x08", "the member's identity cannot be read"},
		{"another member", metadataRecord, "\x08\x07\x10\x02", "a segment of another member"},
		{"state", stateRecord, "\x18", "raft's state cannot be read"},
		{"entry", entryRecord, "\x18", "an entry cannot be read"},
		{"type", 9, "", "record of unknown type 9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			l := waltest.New(t, dir, 0)
			l.Entry([]byte("1"))
			l.Record(test.kind, []byte(test.data))
			l.Entry([]byte("2"))
			l.Close()
			log, err := Read(t.Context(), dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Gap{{2, 2, AfterGap}}, log.Missing); diff != "" || !strings.Contains(damageOf(log), test.says) {
				t.Errorf("damage %q, missing (-want +got):\n%s", damageOf(log), diff)
			}
			if log.NodeID != waltest.Member || log.ClusterID != waltest.Cluster {
				t.Errorf("the log is of member %x in cluster %x", log.NodeID, log.ClusterID)
			}
		})
	}
}

// TestMayGoOn: only the zeros after the last record, which etcd has prepared, show that
// nothing followed it.
func TestMayGoOn(t *testing.T) {
	for _, test := range []struct {
		name string
		size int // of the last entry
		cut  bool
		want bool
		says string
	}{
		{"zeros follow", 1, false, false, ""},
		{"nothing follows", 1, true, true, "the segment ends with its last record"},
		{"a full segment", prepared, true, true, "the last segment is full"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			l := waltest.New(t, dir, 0)
			l.Entry(make([]byte, test.size))
			if test.cut {
				l.Cut() // of what it begins nothing is written
			} else {
				l.Close()
			}
			log, err := Read(t.Context(), dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			says := ""
			for _, f := range log.Faults {
				says += f.String()
			}
			if log.MayGoOn != test.want || (says == "") != (test.says == "") || !strings.Contains(says, test.says) || damageOf(log) != "" || len(log.Entries) != 1 {
				t.Errorf("%d entries, more may follow: %v, faults %v", len(log.Entries), log.MayGoOn, log.Faults)
			}
		})
	}
}

// TestLinked: a segment that is a link to a file is read, and that is noted.
func TestLinked(t *testing.T) {
	dir := segmentsOf10(t)
	other := filepath.Join(t.TempDir(), "elsewhere")
	path := filepath.Join(dir, name(2))
	if err := os.Rename(path, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "copy\x1b of 1.wal"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := Read(t.Context(), dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var says []string
	for _, f := range log.Faults {
		says = append(says, f.String())
	}
	want := []string{
		`"copy\x1b of 1.wal" is not named as etcd names a segment: it was not read`,
		name(2) + ", byte 0: is a symbolic link, which was followed",
	}
	if len(log.Entries) != 50 || damageOf(log) != "" || cmp.Diff(want, says) != "" {
		t.Errorf("%d entries, faults %q", len(log.Entries), says)
	}
}

// TestSparse reads a segment that ends with a terabyte of nothing, and one whose
// last byte comes after it.
func TestSparse(t *testing.T) {
	for _, test := range []struct {
		name   string
		byte   bool
		damage string
	}{{"hole", false, ""}, {"hole and a byte", true, "bytes that are not zero follow"}} {
		t.Run(test.name, func(t *testing.T) {
			dir := segmentsOf10(t)
			f, err := os.OpenFile(filepath.Join(dir, name(4)), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if err := f.Truncate(1 << 40); err != nil {
				t.Skipf("no sparse files here: %v", err)
			}
			if test.byte {
				if _, err := f.WriteAt([]byte{1}, 1<<40); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			log, err := Read(ctx, dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(log.Entries) != 50 || !strings.Contains(damageOf(log), test.damage) {
				t.Errorf("%d entries, damage %q", len(log.Entries), damageOf(log))
			}
		})
	}
}

// FuzzEntry holds the reading of an entry against raft's own message type.
func FuzzEntry(f *testing.F) {
	for _, e := range []*raftpb.Entry{{}, {Type: raftpb.EntryConfChange.Enum(), Term: new(uint64(1)), Index: new(uint64(1 << 63)), Data: []byte("data")}} {
		data, err := proto.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x08\x07\x22\x01a\x22\x01b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got Entry
		if got.parse(data) != nil {
			return // stricter than protobuf where etcd writes no such thing
		}
		var want raftpb.Entry
		if err := proto.Unmarshal(data, &want); err != nil {
			t.Fatalf("takes what protobuf refuses: %v", err)
		}
		known := got.Type >= 0 && int(got.Type) < len(raftpb.EntryType_name)
		if got.Term != want.GetTerm() || got.Index != want.GetIndex() || string(got.Data) != string(want.Data) || known && int32(got.Type) != int32(want.GetType()) && len(want.ProtoReflect().GetUnknown()) == 0 {
			t.Fatalf("got %+v, protobuf %v", got, &want)
		}
	})
}

// TestStrict: a field of another number or type is in no record, and in no entry, that etcd
// writes.
func TestStrict(t *testing.T) {
	number := func(num protowire.Number) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), 7)
	}
	octets := func(num protowire.Number) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), []byte("x"))
	}
	for num := range protowire.Number(6) {
		if num == 0 {
			continue
		}
		for _, tt := range []struct {
			what   string
			data   []byte
			record bool // it is a field of a record
			entry  bool
		}{
			{"number", number(num), num <= 2, num <= 3},
			{"octets", octets(num), num == 3, num == 4},
			{"cut off", octets(num)[:1], false, false},
		} {
			if err := new(record).parse(tt.data); (err == nil) != tt.record {
				t.Errorf("field %d of a record, %s: %v", num, tt.what, err)
			}
			if err := new(Entry).parse(tt.data); (err == nil) != tt.entry {
				t.Errorf("field %d of an entry, %s: %v", num, tt.what, err)
			}
		}
	}
}

// TestConfState holds what is read of raft's configuration against raft's own type.
func TestConfState(t *testing.T) {
	all, err := proto.Marshal(&raftpb.ConfState{Voters: []uint64{1, 1 << 63}, Learners: []uint64{3}, VotersOutgoing: []uint64{4}, LearnersNext: []uint64{5}, AutoLeave: new(true)})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"nothing": "", "all": string(all), "all twice": string(all) + string(all), "packed": "\x0a\x03\x01\x80\x01\x12\x00",
		"not left by itself": "\x28\x01\x28\x00", "bytes for that": "\x28\x01\x2a\x00", "a field more": "\x08\x01\x30\x01\x3a\x01x", "a number of another type": "\x09\x00\x00\x00\x00\x00\x00\x00\x00",
		"cut off": "\x08", "packed, and cut off": "\x0a\x01\x80", "no message": "\xff",
	} {
		var got ConfState
		var want raftpb.ConfState
		err, wrong := got.Parse([]byte(data)), proto.Unmarshal([]byte(data), &want)
		if (err != nil) != (wrong != nil) {
			t.Errorf("%s: %v, protobuf %v", name, err, wrong)
		}
		expected := ConfState{Voters: want.Voters, Learners: want.Learners, VotersOutgoing: want.VotersOutgoing, LearnersNext: want.LearnersNext, AutoLeave: want.GetAutoLeave()}
		if diff := cmp.Diff(expected, got); err == nil && diff != "" {
			t.Errorf("%s (-protobuf +got):\n%s", name, diff)
		}
	}
}

// TestBelieved: no record is believed before a checksum is known, and none that does not
// continue it.
func TestBelieved(t *testing.T) {
	data := []byte("data")
	sum := crc32.Checksum(data, castagnoli)
	for _, tt := range []struct {
		name string
		r    reader
		rec  record
		want bool
	}{
		{"nothing is known", reader{}, record{entryRecord, sum, data}, false},
		{"it continues", reader{seeded: true}, record{entryRecord, sum, data}, true},
		{"it does not", reader{seeded: true, crc: 1}, record{entryRecord, sum, data}, false},
		{"a first record", reader{crc: 1}, record{crcRecord, 7, nil}, true},
		{"a first record that continues", reader{seeded: true, crc: 7}, record{crcRecord, 7, nil}, true},
		{"one that does not", reader{seeded: true, crc: 1}, record{crcRecord, 7, nil}, false},
		{"after one of no sum", reader{seeded: true}, record{crcRecord, 7, nil}, true},
	} {
		if got := tt.r.believed(&tt.rec); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestTooLarge: a record that is larger than a segment is not read.
func TestTooLarge(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "segment"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = frameHeader + maxRecord + 1
	_, err = f.WriteAt(binary.LittleEndian.AppendUint64(nil, maxRecord+1), 0)
	if err := errors.Join(err, f.Truncate(size)); err != nil {
		t.Fatal(err)
	}
	frames := newFrames(f, size)
	if rec, err := frames.next(); err == nil || !strings.Contains(err.Error(), "is more than any etcd writes") || len(frames.body) > 0 {
		t.Errorf("%+v, %v, %d bytes read", rec, err, len(frames.body))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if at, found, err := frames.nonZero(ctx); !errors.Is(err, context.Canceled) || found {
		t.Errorf("looked on up to byte %d: %v", at, err)
	}
}

// TestShrunk: a file that has become shorter than it was is cut off.
func TestShrunk(t *testing.T) {
	for _, n := range []int{0, 1, 50} {
		path := filepath.Join(t.TempDir(), "segment")
		if err := os.WriteFile(path, append([]byte{100, 0, 0, 0, 0, 0, 0, 0}, make([]byte, n)...), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if rec, err := newFrames(f, 108).next(); err != errCutOff {
			t.Errorf("%d bytes of 100: %+v, %v", n, rec, err)
		}
	}
}

// TestSpans: runs of entries after a gap are told apart, up to a number; an entry overrules
// those that had its index or a later one.
func TestSpans(t *testing.T) {
	r := &reader{log: &Log{}, after: 5}
	for _, index := range []uint64{10, 11, 12, 15, 20, 21} {
		r.noteEntry(index, 1)
	}
	if diff := cmp.Diff([]span{{10, 12}, {15, 15}, {20, 21}}, r.beyond, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.noteEntry(16, 2)
	if diff := cmp.Diff([]span{{10, 12}, {15, 16}}, r.beyond, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("overruled (-want +got):\n%s", diff)
	}
	r.noteEntry(11, 3)
	r.noteEntry(10, 4)
	if diff := cmp.Diff([]span{{10, 10}}, r.beyond, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("overruled again (-want +got):\n%s", diff)
	}
	r = &reader{log: &Log{}}
	r.noteEntry(math.MaxUint64, 1)
	r.finish()
	if diff := cmp.Diff([]Gap{{1, math.MaxUint64 - 1, Lost}, {math.MaxUint64, math.MaxUint64, AfterGap}}, r.log.Missing); diff != "" {
		t.Errorf("the last entry there can be (-want +got):\n%s", diff)
	}
	r = &reader{log: &Log{}}
	for i := range uint64(maxSpans + 2) {
		r.noteEntry(2*i+2, 1)
	}
	if n := len(r.beyond); n != maxSpans || r.beyond[n-1] != (span{2 * maxSpans, 2*maxSpans + 4}) {
		t.Errorf("%d runs, the last one %v", n, r.beyond[n-1])
	}
	r.finish()
	if last := r.log.Missing[len(r.log.Missing)-1]; r.log.Missing[0] != (Gap{1, 1, Lost}) || last != (Gap{2 * maxSpans, 2*maxSpans + 4, AfterGap}) {
		t.Errorf("missing %v to %v", r.log.Missing[0], last)
	}
}
