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
)

// watched is a file of evidence as it was before it was read.
type watched struct {
	path string
	info os.FileInfo
}

// watch notes what the evidence's files are before they are read.
func (s *Snapshot) watch() {
	paths := []string{}
	for _, f := range s.evidence.Files {
		if f.Path != "-" {
			paths = append(paths, f.Path)
		}
	}
	if !s.evidence.Expanded() && s.evidence.WALDir != "" {
		segments, _ := filepath.Glob(filepath.Join(s.evidence.WALDir, "*.wal"))
		paths = append(paths, segments...)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			s.watched = append(s.watched, watched{path, info})
		}
	}
}

// Unchanged compares size, time of modification and identity of the evidence's
// files with what they were before they were read, and says what differs.
func (s *Snapshot) Unchanged() error {
	if s.tornPossible {
		return nil // that is among the problems
	}
	for _, w := range s.watched {
		if what := w.changed(); what != "" {
			return fmt.Errorf("evidence %s %s while it was read", w.path, what)
		}
	}
	return nil
}

// changed says how the file differs from what it was, "" when it does not.
func (w *watched) changed() string {
	now, err := os.Stat(w.path)
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
	if s.pages.MetasChanged() {
		return "a meta page of its db changed"
	}
	return ""
}

// torn marks what was read of a directory that was being written to.
func (s *Snapshot) torn(how string) {
	s.tornPossible = true
	severity := Note
	if again := s.changed(); again != "" {
		severity, how = Damage, again
	}
	s.problems.add(severity, "directory", "torn possible: it is in use by a running etcd ("+how+"), and was read twice; a snapshot of the member, or a copy made while it is stopped, is whole", "parts of several states may be mixed")
}

// Container says what the db was found in, "" for a file of its own.
func (s *Snapshot) Container() string {
	if s.evidence == nil || s.evidence.Format == container.Plain {
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

// Verify hashes the files of evidence once more and says what differs from
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
	f, err := os.Open(path)
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
