package snapshot_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"revenant/decoder/delta/deltatest"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
)

// saved is a db as `etcdctl snapshot save` writes it.
func saved(t *testing.T, db []byte) []byte {
	t.Helper()
	file, err := bolt.Open(write(t, t.TempDir(), "db", db), 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = file.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(&b)
		return err
	})
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archived is a tar of a directory's files.
func archived(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// write writes a file of a directory.
func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// handed are ways to hand a store over. Its newest revision is 3, of a delta file 4.
var handed = []struct {
	name  string
	make  func(t *testing.T, dir string, db []byte) (path string)
	stdin bool // it is read from there
}{
	{"a snapshot", func(t *testing.T, dir string, db []byte) string { return write(t, dir, "a.db", saved(t, db)) }, false},
	{"a member's db", func(t *testing.T, dir string, db []byte) string { return write(t, dir, "db", db) }, false},
	{"a member's db beside its log", func(t *testing.T, dir string, db []byte) string {
		return filepath.Join(memberDir(t, dir, db), "member", "snap", "db")
	}, false},
	{"a member's directory", func(t *testing.T, dir string, db []byte) string { return memberDir(t, dir, db) }, false},
	{"a snapshot, compressed", func(t *testing.T, dir string, db []byte) string {
		return write(t, dir, "a.db.gz", zipped(t, saved(t, db)))
	}, false},
	{"a member's directory in an archive", func(t *testing.T, dir string, db []byte) string {
		return write(t, dir, "a.tar", archived(t, memberDir(t, t.TempDir(), db)))
	}, false},
	{"a snapshot in an archive", func(t *testing.T, dir string, db []byte) string {
		of := t.TempDir()
		write(t, of, "some/a.db", saved(t, db))
		return write(t, dir, "a.tar.gz", zipped(t, archived(t, of)))
	}, false},
	{"standard input", func(t *testing.T, dir string, db []byte) string { return write(t, dir, "a.db", saved(t, db)) }, true},
	{"a full snapshot and a delta file", func(t *testing.T, dir string, db []byte) string { return deltas(t, dir, db, 4) }, false},
	{"a full snapshot and two delta files", func(t *testing.T, dir string, db []byte) string { return deltas(t, dir, db, 5) }, false},
	{"a full snapshot beside a delta file", func(t *testing.T, dir string, db []byte) string {
		return filepath.Join(deltas(t, dir, db, 4), deltatest.Name("Full", 0, 3, ""))
	}, false},
	{"a db that was received, and is newer", func(t *testing.T, dir string, db []byte) string {
		write(t, dir, "member/snap/000000000000000a.snap.db", db)
		return memberDir(t, dir, db)
	}, false},
	{"one that is as new, and others", func(t *testing.T, dir string, db []byte) string {
		write(t, dir, "member/snap/0000000000000000.snap.db", db)
		write(t, dir, "member/snap/00000000000000ff.snap.db.tmp", db)
		write(t, dir, "member/snap/ff.snap.db", db)
		return memberDir(t, dir, db)
	}, false},
}

// memberDir makes a member's directory, whose log has one entry.
func memberDir(t *testing.T, dir string, db []byte) string {
	t.Helper()
	write(t, dir, "member/snap/db", addMembers(t, db, map[uint64]bool{waltest.Member: false}, ""))
	l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
	l.Request(putKey("/n"))
	l.Commit()
	l.Close()
	return dir
}

// deltas makes a full snapshot, and delta files of one revision each.
func deltas(t *testing.T, dir string, db []byte, to int64) string {
	t.Helper()
	write(t, dir, deltatest.Name("Full", 0, 3, ""), saved(t, db))
	all := snapshottest.Store(t, snapshottest.Put("/a", "1"), snapshottest.Put("/a", "2"), snapshottest.Put("/b", "3"), snapshottest.Delete("/b"))
	for rev := int64(4); rev <= to; rev++ {
		write(t, dir, deltatest.Name("Incr", rev, rev, ""), deltatest.File(deltatest.Events(t, all, rev, rev)))
	}
	return dir
}

// TestHanded holds what is said of a store to testdata/handed.golden, however it is handed
// over, with its hashes and without.
func TestHanded(t *testing.T) {
	db := snapshottest.Bytes(t, snapshottest.Put("/a", "1"), snapshottest.Put("/a", "2"))
	var all strings.Builder
	for _, tt := range handed {
		whole := "" // what is said when hashes are computed, but for them
		for _, skip := range []bool{false, true} {
			var b strings.Builder
			dir := t.TempDir()
			path, opts := tt.make(t, dir, db), snapshot.Options{SkipHashCheck: skip}
			verified := int64(0)
			opts.Progress = func(p snapshot.Progress) {
				if p.Phase == snapshot.PhaseVerify {
					verified = p.Done
				}
			}
			if tt.stdin {
				f, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				path, opts.Stdin = "-", f
			}
			s, err := snapshot.Open(t.Context(), path, opts)
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Custody(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  container %q, format %q, entry %q; revision %d, seen %d; %s\n", s.Container(), c.Format, c.Entry, s.Revision(), s.SeenRevision(), hashed(c.SHA256))
			if c.SizeBytes != s.Size() {
				t.Errorf("%s: %d bytes of %d", tt.name, c.SizeBytes, s.Size())
			}
			if d := s.Deltas(); d != nil {
				fmt.Fprintf(&b, "  %d events of deltas\n", d.Applied)
			}
			if w := s.WAL(); w != nil {
				fmt.Fprintf(&b, "  log of %v\n", w.Segments)
			}
			total := int64(0)
			for _, f := range c.Files {
				fmt.Fprintf(&b, "  file %s, %s\n", strings.ReplaceAll(strings.TrimPrefix(f.Path, dir), `\`, "/"), hashed(f.SHA256))
				if f.SHA256 == "" || f.Path == "-" {
					continue
				}
				data, err := os.ReadFile(f.Path)
				if sum := fmt.Sprintf("%x", sha256.Sum256(data)); err != nil || f.SHA256 != sum || f.SizeBytes != int64(len(data)) {
					t.Errorf("%s: %+v, %v", tt.name, f, err)
				}
				total += f.SizeBytes
			}
			for _, p := range s.Problems() {
				fmt.Fprintf(&b, "  %s: %s\n", p.Severity, p)
			}
			missing, err := s.Missing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range missing {
				fmt.Fprintf(&b, "  missing %s: %s, %s\n", m.Kind, m.What, m.Bound())
			}
			if err := errors.Join(s.Unchanged(), s.Verify(t.Context())); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			if verified != total {
				t.Errorf("%s: %d bytes verified of %d", tt.name, verified, total)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			switch {
			case !skip:
				fmt.Fprintf(&all, "%s:\n%s", tt.name, &b)
				whole = strings.ReplaceAll(b.String(), " hashed\n", " no hash\n")
			case b.String() != whole:
				fmt.Fprintf(&all, "%s, hashes skipped:\n%s", tt.name, &b)
			}
		}
	}
	golden.Equal(t, "testdata/handed.golden", all.String())
}

func hashed(sum string) string {
	if sum == "" {
		return "no hash"
	}
	return "hashed"
}

// TestEvidenceChanges: whatever becomes of a file of the evidence is noticed, and named.
func TestEvidenceChanges(t *testing.T) {
	db := snapshottest.Bytes(t, snapshottest.Put("/a", "1"))
	size := len(saved(t, db))
	later := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	segment := func(dir string) string { return filepath.Join(dir, "member", "wal", waltest.Name(0, 0)) }
	for _, tt := range []struct {
		name      string
		directory bool
		do        func(path string) error
		says      string // by what the system says of the file
		verified  string // by its content
	}{
		{"nothing", false, func(string) error { return nil }, "", ""},
		{"nothing in a directory", true, func(string) error { return nil }, "", ""},
		{"removed", false, os.Remove, "was removed", "no such file"},
		{"another file", false, func(path string) error {
			info, err := os.Stat(path)
			if err == nil {
				err = errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, saved(t, db), 0o600), os.Chtimes(path, info.ModTime(), info.ModTime()))
			}
			return err
		}, "was replaced by another file", ""},
		{"longer", false, func(path string) error { return os.Truncate(path, int64(size)+100) }, fmt.Sprintf("changed its size from %d to %d bytes", size, size+100), "changed while it was read: its SHA-256 was"},
		{"touched", false, func(path string) error { return os.Chtimes(path, later, later) }, "was modified at 2027-01-02T03:04:05Z", ""},
		{"a file instead of a directory", false, func(path string) error {
			return errors.Join(os.RemoveAll(filepath.Dir(path)), os.WriteFile(filepath.Dir(path), nil, 0o600))
		}, "became unreadable", "not a directory"},
		{"a segment is touched", true, func(dir string) error { return os.Chtimes(segment(dir), later, later) }, "was modified at 2027", ""},
		{"a segment is removed", true, func(dir string) error { return os.Remove(segment(dir)) }, "was removed", "no such file"},
		{"a segment more", true, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "member", "wal", waltest.Name(1, 2)), nil, 0o600)
		}, "got or lost a segment while it was read", ""},
		{"a file more that is no segment", true, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "member", "wal", "1.tmp"), nil, 0o600)
		}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "evidence")
			path := dir
			if tt.directory {
				memberDir(t, dir, db)
			} else {
				path = write(t, dir, "a.db", saved(t, db))
			}
			s, err := snapshot.Open(t.Context(), path, snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Custody(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := tt.do(path); err != nil {
				t.Fatal(err)
			}
			check := func(what string, err error, says string) {
				if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v, want %q", what, err, says)
				}
			}
			check("unchanged", s.Unchanged(), tt.says)
			check("verified", s.Verify(t.Context()), tt.verified)
		})
	}
}

// TestInputChanges: standard input is watched where it is a file.
func TestInputChanges(t *testing.T) {
	path := write(t, t.TempDir(), "a.db", saved(t, snapshottest.Bytes(t, snapshottest.Put("/a", "1"))))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]io.Reader{"a file": f, "no file": bytes.NewReader(data)} {
		s, err := snapshot.Open(t.Context(), "-", snapshot.Options{Stdin: in})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Unchanged(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		later := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		if err := s.Unchanged(); (err != nil) != (in == f) {
			t.Errorf("%s: %v", name, err)
		}
		if err := os.Chtimes(path, later.Add(-time.Hour), later.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTorn: a directory that changes while it is read is read twice, and it is said that a
// running etcd uses it; that parts may be mixed where it changes the second time, too.
func TestTorn(t *testing.T) {
	db := snapshottest.Bytes(t, snapshottest.Put("/a", "1"))
	touch := func(dir string, n int) error {
		at := time.Date(2027, 1, 2, 3, 4, n, 0, time.UTC)
		return os.Chtimes(filepath.Join(dir, "member", "snap", "db"), at, at)
	}
	for _, tt := range []struct {
		name  string
		do    func(dir string, n int) error // while it is read for the nth time
		times int                           // in how many readings
		how   string
		again bool // it changed in the second reading
	}{
		{"never", touch, 0, "", false},
		{"once", touch, 1, "db was modified at 2027-01-02T03:04:01Z", false},
		{"twice", touch, 2, "db was modified at 2027-01-02T03:04:02Z", true},
		{"a segment more", func(dir string, n int) error {
			return os.WriteFile(filepath.Join(dir, "member", "wal", waltest.Name(1, 2)), nil, 0o600)
		}, 1, "the log got or lost a segment", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := memberDir(t, t.TempDir(), db)
			n, last := 0, int64(0)
			s, err := snapshot.Open(t.Context(), dir, snapshot.Options{Progress: func(p snapshot.Progress) {
				if p.Phase == snapshot.PhaseIndex && p.Done == p.Total {
					if n++; n <= tt.times {
						if err := tt.do(dir, n); err != nil {
							t.Error(err)
						}
					}
					last = p.Done
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if want := min(tt.times, 1) + 1; n != want || last == 0 || s.TornPossible() != (tt.how != "") {
				t.Errorf("read %d times, torn possible: %t", n, s.TornPossible())
			}
			var says, verdict string
			for _, p := range s.Problems() {
				if p.Where == "directory" {
					says = fmt.Sprintf("%s: %s", p.Severity, p.What)
				}
			}
			in, err := s.Integrity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range in.Checks {
				if c.Name == "unchanged" {
					verdict = fmt.Sprintf("%s: %s", c.Verdict, c.Detail)
				}
			}
			wantSays, wantVerdict := "", ""
			switch {
			case tt.again:
				wantSays = "damage: torn possible: it is in use by a running etcd (" + tt.how + "), and was read twice; a snapshot of the member, or a copy made while it is stopped, is whole"
				wantVerdict = "bad: " + tt.how + " while it was read: parts of several states may be mixed"
			case tt.how != "":
				wantSays = "note: torn possible: it is in use by a running etcd (" + tt.how + "), and was read twice; a snapshot of the member, or a copy made while it is stopped, is whole"
				wantVerdict = "absent: a running etcd uses it (" + tt.how + "): nothing vouches that one state was read"
			}
			if says != wantSays || verdict != wantVerdict {
				t.Errorf("%q, and %q; want %q, and %q", says, verdict, wantSays, wantVerdict)
			}
			missing, err := s.Missing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if is := slices.ContainsFunc(missing, func(m snapshot.Missing) bool { return m.Kind == snapshot.MissingState }); is != (tt.how != "") {
				t.Errorf("missing %v", missing)
			}
		})
	}
}

// TestMissingOf: what is missing of evidence that was cut off, or of which nothing vouches
// for its end.
func TestMissingOf(t *testing.T) {
	db := snapshottest.Bytes(t, snapshottest.Put("/a", "1"))
	whole := saved(t, db)
	wrong := bytes.Clone(whole)
	wrong[len(wrong)-1]++
	cutLog := func(index uint64) func(dir string) string {
		return func(dir string) string {
			m := membersDB{members: []string{memberOf(self, "")}, index: index}
			write(t, dir, "member/snap/db", m.bytes())
			l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
			l.Request(putKey("/n"), putKey("/m"))
			l.Commit()
			l.Cut()
			return dir
		}
	}
	for _, tt := range []struct {
		name string
		make func(dir string) string
		want []string
	}{
		{"whole", func(dir string) string { return write(t, dir, "a.db", whole) }, nil},
		{"another trailer", func(dir string) string { return write(t, dir, "a.db", wrong) }, []string{"bytes: the bytes that were saved: its trailer does not fit"}},
		{"cut off after its trailer began", func(dir string) string { return write(t, dir, "a.db", whole[:len(whole)-1]) }, []string{
			"log: the log of a member's own db: what was written in the last 100 ms or so before it was copied",
			"other-members: what the other members may have agreed to without this one (how many members vote is not known)",
			"content: what cannot be read of its pages, records or values (1 problem)",
		}},
		{"cut off at its last page", func(dir string) string { return write(t, dir, "a.db", whole[:len(whole)-32-4096]) }, []string{
			"content: what cannot be read of its pages, records or values (2 problems)",
		}},
		{"a log that was cut off", cutLog(0), []string{"log-rest: what may have followed entry 2, with which the log is cut off"}},
		{"a log that was cut off before the db's last entry", cutLog(2), []string{"log-rest: what may have followed entry 2, with which the log is cut off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := openDir(t, tt.make(t.TempDir()))
			missing, err := s.Missing(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in, err := s.Integrity(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range slices.Concat(missing, in.Missing()) {
				got = append(got, fmt.Sprintf("%s: %s", m.Kind, m.What))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("missing (-want +got):\n%s\n%v", diff, s.Problems())
			}
		})
	}
}
