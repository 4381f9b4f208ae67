package wal

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal/waltest"
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

// TestMissing takes from a log in many ways. Whatever is missing is counted from
// what is left.
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
	for _, test := range []struct {
		name    string
		after   uint64
		do      func(t *testing.T, dir string)
		last    uint64 // entry that is read
		missing []Gap
		says    string
	}{
		{"nothing", 5, func(*testing.T, string) {}, 50, nil, ""},
		{"first segments", 5, remove(0, 1), 5, []Gap{{6, 20, Lost}, {21, 50, AfterGap}}, "the log begins with entry 21, the one needed first is 6"},
		{"segment in the middle", 5, remove(2), 20, []Gap{{21, 30, Lost}, {31, 50, AfterGap}}, "segments 2 to 2 before it are missing"},
		{"two in the middle", 5, remove(1, 3), 10, []Gap{{11, 20, Lost}, {21, 30, AfterGap}, {31, 40, Lost}, {41, 50, AfterGap}}, "segments 1 to 1"},
		{"one that is not needed", 25, remove(0), 50, nil, ""},
		{"FIFO", 5, replace(2, func(path string) error { return syscall.Mkfifo(path, 0o600) }), 20, []Gap{{21, 30, Lost}, {31, 50, AfterGap}}, "is a pipe, not a file"},
		{"last is a FIFO", 5, replace(4, func(path string) error { return syscall.Mkfifo(path, 0o600) }), 40, []Gap{{From: 41, Why: Lost}}, "is a pipe"},
		{"directory", 5, replace(0, func(path string) error { return os.Mkdir(path, 0o700) }), 5, []Gap{{6, 10, Lost}, {11, 50, AfterGap}}, "is a directory"},
		{"link to nothing", 5, replace(2, func(path string) error { return os.Symlink("nothing", path) }), 20, []Gap{{21, 30, Lost}, {31, 50, AfterGap}}, "cannot be opened"},
		{"link to itself", 5, replace(2, func(path string) error { return os.Symlink(path, path) }), 20, []Gap{{21, 30, Lost}, {31, 50, AfterGap}}, "cannot be opened"},
		{"link to a device", 5, replace(2, func(path string) error { return os.Symlink("/dev/zero", path) }), 20, []Gap{{21, 30, Lost}, {31, 50, AfterGap}}, "is a device"},
		{"damaged entry", 5, damage(1, "entry 15"), 14, []Gap{{15, 15, Lost}, {16, 50, AfterGap}}, "the checksum does not match"},
		{"last entry damaged", 5, damage(4, "entry 50"), 49, []Gap{{50, 50, Lost}}, "the checksum does not match"},
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
		}, 11, []Gap{{12, 20, Lost}, {21, 50, AfterGap}}, "cut off"},
		{"cut off in the middle", 5, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name(1)), func(data []byte) []byte { return data[:len(data)/2] })
		}, 14, []Gap{{15, 20, Lost}, {21, 50, AfterGap}}, "cut off"},
		{"ends before the db", 60, func(*testing.T, string) {}, 60, []Gap{{From: 61, Why: Lost}}, "the log ends with entry 50, and the db has applied entry 60"},
		{"a segment of another log", 5, replace(2, func(path string) error {
			dir := t.TempDir()
			l := waltest.New(t, dir, 20)
			for range 10 {
				l.Entry([]byte("another"))
			}
			l.Close()
			return os.Rename(filepath.Join(dir, waltest.Name(0, 21)), path)
		}), 20, []Gap{{21, 50, AfterGap}}, "the segment does not continue the one before"},
		{"twice the same number", 5, func(t *testing.T, dir string) {
			if err := os.Link(filepath.Join(dir, name(1)), filepath.Join(dir, waltest.Name(1, 12))); err != nil {
				t.Fatal(err)
			}
		}, 20, []Gap{{21, 50, AfterGap}}, "another segment has the same number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := segmentsOf10(t)
			test.do(t, dir)
			log, err := Read(t.Context(), dir, test.after)
			if err != nil {
				t.Fatal(err)
			}
			if last := log.Last(test.after); last != test.last {
				t.Errorf("last entry read is %d, want %d", last, test.last)
			}
			if diff := cmp.Diff(test.missing, log.Missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if wrong := damageOf(log); (wrong == "") != (test.says == "") || !strings.Contains(wrong, test.says) {
				t.Errorf("damage %q, want %q", wrong, test.says)
			}
		})
	}
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
