package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"revenant/decoder/container"
	"revenant/decoder/input"
	"revenant/internal/words"
)

// watched is a file of evidence as it was before it was read.
type watched struct {
	path string
	info os.FileInfo
	open *os.File // standard input; nil for what is found by its path
}

// watch notes what the evidence's files are before they are read.
func (s *Snapshot) watch() {
	for _, f := range s.evidence.Files {
		if f.Info != nil {
			s.watched = append(s.watched, watched{path: f.Path, info: f.Info})
		}
	}
	if s.evidence.Expanded() || s.evidence.WALDir == "" {
		return
	}
	s.segments = segments(s.evidence.WALDir)
	for _, name := range s.segments {
		path := filepath.Join(s.evidence.WALDir, name)
		if info, err := os.Stat(path); err == nil {
			s.watched = append(s.watched, watched{path: path, info: info})
		}
	}
}

// watchInput notes what standard input is before it is read, where it is a file.
func (s *Snapshot) watchInput(in io.Reader) {
	f, ok := in.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		s.watched = append(s.watched, watched{path: "-", info: info, open: f})
	}
}

// segments are the names of a log's segments, in order.
func segments(dir string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".wal" {
			names = append(names, e.Name())
		}
	}
	return names
}

// Unchanged compares size, time of modification and identity of the evidence's
// files with what they were before they were read, and says what differs.
func (s *Snapshot) Unchanged() error {
	for _, w := range s.watched {
		if what := w.changed(); what != "" {
			return fmt.Errorf("evidence %s %s while it was read", w.path, what)
		}
	}
	if s.segmentsChanged() {
		return fmt.Errorf("evidence %s got or lost a segment while it was read", s.evidence.WALDir)
	}
	return nil
}

func (s *Snapshot) segmentsChanged() bool {
	return s.segments != nil && !slices.Equal(s.segments, segments(s.evidence.WALDir))
}

// TornPossible says whether a running etcd uses the directory, so that what was read
// may be of several states. Its problems and its integrity say so, too.
func (s *Snapshot) TornPossible() bool { return s.tornPossible != "" }

// changed says how the file differs from what it was, "" when it does not.
func (w *watched) changed() string {
	now, err := os.Stat(w.path)
	if w.open != nil {
		now, err = w.open.Stat()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "was removed"
	case err != nil:
		return "became unreadable"
	case !os.SameFile(w.info, now):
		return "was replaced by another file"
	case now.Size() != w.info.Size():
		return fmt.Sprintf("changed its size from %d to %d bytes", w.info.Size(), now.Size())
	case !now.ModTime().Equal(w.info.ModTime()):
		return fmt.Sprintf("was modified at %s", now.ModTime().UTC().Format(time.RFC3339Nano))
	}
	return ""
}

// inUse says how it shows that a running etcd has the directory open, "" when it
// does not: by a lock on one of its files, or by one that changed. No lock is
// tried.
func (s *Snapshot) inUse() string {
	if what := s.changed(); what != "" {
		return what
	}
	for _, w := range s.watched {
		if locked(w.info) {
			return fmt.Sprintf("a process holds a lock on %s", filepath.Base(w.path))
		}
	}
	return ""
}

// changed says what of the directory changed since it was opened, "" for nothing.
func (s *Snapshot) changed() string {
	for _, w := range s.watched {
		if what := w.changed(); what != "" {
			return fmt.Sprintf("%s %s", filepath.Base(w.path), what)
		}
	}
	if s.segmentsChanged() {
		return "the log got or lost a segment"
	}
	if s.pages.MetasChanged() {
		return "a meta page of its db changed"
	}
	return ""
}

// torn marks what was read of a directory that was being written to.
func (s *Snapshot) torn(how string) {
	s.tornPossible = how
	severity := Note
	if again := s.changed(); again != "" {
		severity, how = Damage, again
	}
	s.problems.add(severity, "directory", "torn possible: it is in use by a running etcd ("+how+"), and was read twice; a snapshot of the member, or a copy made while it is stopped, is whole", "parts of several states may be mixed")
}

// unchangedCheck says of a directory in use whether it changed while it was read.
func (s *Snapshot) unchangedCheck() Check {
	if what := s.changed(); what != "" {
		return Check{"unchanged", Bad, what + " while it was read: parts of several states may be mixed"}
	}
	return Check{"unchanged", Absent, "a running etcd uses it (" + s.tornPossible + "): nothing vouches that one state was read"}
}

// Container says what the db was found in, "" for a file of its own.
func (s *Snapshot) Container() string {
	if s.evidence == nil {
		return ""
	}
	if n := len(s.evidence.Deltas); n > 0 {
		return fmt.Sprintf("a full snapshot (%s) and %s", s.evidence.Format, words.PlainOf(n, "delta file", "delta files"))
	}
	if s.evidence.Format == container.Plain {
		return ""
	}
	if s.evidence.Entry == "" {
		return string(s.evidence.Format)
	}
	return string(s.evidence.Format) + ", " + s.evidence.Entry
}

// Custody is what the evidence is, to the last byte.
type Custody struct {
	Format container.Format `json:"format"`
	Entry  string           `json:"entry,omitempty"` // of an archive or a directory
	Files  []container.File `json:"files"`           // as they were handed over
	// Of the db within them: what revisions were read from.
	SizeBytes int64  `json:"dbSizeBytes"`
	SHA256    string `json:"dbSHA256,omitempty"`
}

// Custody waits for the hashes. The error is ctx's.
func (s *Snapshot) Custody(ctx context.Context) (Custody, error) {
	in, err := s.Integrity(ctx)
	if err != nil {
		return Custody{}, err
	}
	c := Custody{Format: container.Plain, SizeBytes: s.size, SHA256: in.SHA256}
	if s.evidence == nil {
		c.Files = []container.File{{Path: s.path, SizeBytes: s.size, SHA256: in.SHA256}}
		return c, nil
	}
	c.Format, c.Entry = s.evidence.Format, s.evidence.Entry
	c.Files = slices.Clone(s.evidence.Files)
	if !s.evidence.Expanded() {
		c.Files[0].SHA256 = in.SHA256
		for i, sum := range s.hash.others {
			c.Files[1+i].SHA256 = sum
		}
	}
	return c, nil
}

// Verify hashes the files of evidence again and says what differs from
// before. What came from standard input or from memory cannot be read again. The
// error is ctx's, or names the file.
func (s *Snapshot) Verify(ctx context.Context) error {
	before, err := s.Custody(ctx)
	if err != nil {
		return err
	}
	if s.evidence == nil {
		return nil
	}
	var files []container.File
	total := int64(0)
	for _, f := range before.Files {
		if f.Path != "-" && f.SHA256 != "" {
			files = append(files, f)
			total += f.SizeBytes
		}
	}
	progress := newProgress(s.tell, PhaseVerify, total)
	for _, f := range files {
		sum, err := hashFile(ctx, f.Path, progress.add)
		if err != nil {
			return err
		}
		if sum != f.SHA256 {
			return fmt.Errorf("evidence %s changed while it was read: its SHA-256 was %s and is %s", f.Path, f.SHA256, sum)
		}
	}
	return nil
}

// hashFile computes the SHA-256 of a file, hexadecimal. read, if there is one, is
// told how many bytes were read.
func hashFile(ctx context.Context, path string, read func(int64)) (string, error) {
	f, err := input.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	buf := make([]byte, hashBlock)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buf)
		sum.Write(buf[:n])
		if read != nil {
			read(int64(n))
		}
		if err == io.EOF {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
