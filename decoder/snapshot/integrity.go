package snapshot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"revenant/decoder/boltpage"
	"revenant/internal/words"
)

// Verdict is the result of one integrity check.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Bad     Verdict = "bad"
	Absent  Verdict = "absent"  // there is nothing to check against
	Skipped Verdict = "skipped" // it was asked not to, or the file is mostly holes
)

// Check is one integrity check and what came of it.
type Check struct {
	Name    string  `json:"check"` // trailer, content; unchanged of a directory that is in use
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"`
}

// Integrity is all that was checked about the file as a whole.
type Integrity struct {
	SHA256 string // of the whole file, hexadecimal; "" when it was not computed
	Checks []Check
}

// Bad says whether a check failed.
func (i Integrity) Bad() bool {
	for _, c := range i.Checks {
		if c.Verdict == Bad {
			return true
		}
	}
	return false
}

// hasTrailer says whether a file of this size ends in the SHA-256 that
// `etcdctl snapshot save` appends (etcdutl/v3 v3.7 snapshot/v3_snapshot.go
// hasChecksum).
func hasTrailer(size int64) bool { return size%512 == sha256.Size }

// checkSize reports a size that no snapshot has.
func (s *Snapshot) checkSize() {
	pageSize := int64(s.pages.PageSize())
	rest := s.Size() % pageSize
	if rest != 0 && rest != sha256.Size {
		s.problems.add(Damage, "file", fmt.Sprintf("%d bytes are neither whole pages of %d bytes nor whole pages and a trailer: bytes were cut off or appended", s.Size(), pageSize), "")
	}
	if beyond := s.Size() - s.pages.Meta().Size(); hasTrailer(s.Size()) && beyond > sha256.Size {
		s.problems.add(Damage, "file", fmt.Sprintf("%d bytes stand between the last page and the trailer", beyond-sha256.Size), "")
	}
}

// maxHoles is how many bytes of holes are hashed: some seconds of zeros. bbolt grows a
// file ahead by one GiB at most.
const maxHoles = 8 << 30

// tooHollow says whether the SHA-256 is not to be computed: because it was asked not
// to, or because most of the work would be zeros that no disk holds. The error is ctx's.
func (s *Snapshot) tooHollow(ctx context.Context, skip bool) (bool, error) {
	if skip {
		return true, nil
	}
	holes, err := boltpage.Holes(ctx, s.evidence.DB, s.size, maxHoles)
	if err != nil || holes <= maxHoles {
		return false, err
	}
	s.hollow = fmt.Sprintf("the SHA-256 of the file was not computed: more than %d of its %d bytes are holes, which no snapshot has", int64(maxHoles), s.size)
	s.problems.add(Damage, "file", s.hollow, "whether its bytes are those that were saved")
	return true, nil
}

// hashing computes the file's SHA-256 on a goroutine of its own: the sum over
// the pages, to hold against the trailer, and on from there over the whole.
type hashing struct {
	skip    bool
	trailer bool
	cancel  context.CancelFunc
	done    chan struct{}

	pages [sha256.Size]byte // sum of all but the trailer
	end   [sha256.Size]byte // the trailer
	whole [sha256.Size]byte
	err   error

	paths  chan []string // of further files to hash
	others []string      // their sums, "" where one could not be read
}

const hashBlock = 1 << 20

func startHashing(ctx context.Context, raw io.ReaderAt, size int64, skip bool, p *progress) *hashing {
	// Hashing goes on after Open, whose ctx may end then; Close ends it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := &hashing{skip: skip, trailer: hasTrailer(size), cancel: cancel, done: make(chan struct{}), paths: make(chan []string, 1)}
	if skip {
		close(h.done)
		return h
	}
	go func() {
		defer close(h.done)
		h.err = h.run(ctx, raw, size, p)
		select {
		case paths := <-h.paths:
			for _, path := range paths {
				sum, _ := hashFile(ctx, path, nil)
				h.others = append(h.others, sum)
			}
		case <-ctx.Done():
		}
	}()
	return h
}

// hashOthers lets further files be hashed, and ends the hashing when they are. It
// is called once.
func (h *hashing) hashOthers(paths []string) { h.paths <- paths }

// stop ends the hashing and waits until the file is no longer read.
func (h *hashing) stop() {
	h.cancel()
	<-h.done
}

// run reads with read(2), not through the map: a page that vanishes is then an
// ordinary error.
func (h *hashing) run(ctx context.Context, raw io.ReaderAt, size int64, p *progress) error {
	sum := sha256.New()
	content := size
	if h.trailer {
		content -= sha256.Size
	}
	r := io.NewSectionReader(raw, 0, size)
	buf := make([]byte, hashBlock)
	for left := content; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buf[:min(left, hashBlock)])
		sum.Write(buf[:n])
		if err != nil {
			return fmt.Errorf("hash: %w", err)
		}
		left -= int64(n)
		p.add(int64(n))
	}
	sum.Sum(h.pages[:0])
	if h.trailer {
		if _, err := io.ReadFull(r, h.end[:]); err != nil {
			return fmt.Errorf("hash: %w", err)
		}
		sum.Write(h.end[:])
		p.add(sha256.Size)
	}
	sum.Sum(h.whole[:0])
	return nil
}

// Integrity waits for the hash and returns everything checked so far. The
// error is ctx's.
func (s *Snapshot) Integrity(ctx context.Context) (Integrity, error) {
	select {
	case <-s.hash.done:
	case <-ctx.Done():
		return Integrity{}, ctx.Err()
	}
	if errors.Is(s.hash.err, context.Canceled) {
		return Integrity{}, s.hash.err
	}
	in := Integrity{Checks: []Check{s.trailerCheck()}}
	if !s.hash.skip && s.hash.err == nil {
		in.SHA256 = hex.EncodeToString(s.hash.whole[:])
	}
	in.Checks = append(in.Checks, s.contentCheck())
	if s.TornPossible() {
		in.Checks = append(in.Checks, s.unchangedCheck())
	}
	return in, nil
}

func (s *Snapshot) trailerCheck() Check {
	c := Check{Name: "trailer"}
	switch {
	case s.hash.skip:
		c.Verdict, c.Detail = Skipped, cmp.Or(s.hollow, "the SHA-256 of the file was not computed")
	case s.hash.err != nil:
		c.Verdict, c.Detail = Bad, s.hash.err.Error()
	case !s.hash.trailer:
		c.Verdict, c.Detail = Absent, "the file has no SHA-256 trailer: nothing vouches for its bytes"
	case bytes.Equal(s.hash.pages[:], s.hash.end[:]):
		c.Verdict = OK
	default:
		c.Verdict, c.Detail = Bad, "the SHA-256 of the content is not the one in the trailer: bytes were changed after the snapshot was saved"
	}
	return c
}

// contentCheck sums up Problems.
func (s *Snapshot) contentCheck() Check {
	damage := 0
	for _, p := range s.Problems() {
		if p.Severity == Damage {
			damage++
		}
	}
	if damage == 0 {
		return Check{Name: "content", Verdict: OK}
	}
	return Check{Name: "content", Verdict: Bad, Detail: words.PlainOf(damage, "problem", "problems") + " in pages or revisions"}
}
