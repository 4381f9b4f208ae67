package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

// endless are zeros that do not end.
type endless struct{}

func (endless) ReadAt(b []byte, _ int64) (int, error) {
	clear(b)
	return len(b), nil
}

// unreadable is what no byte can be read of.
type unreadable struct{}

var errUnreadable = errors.New("input/output error")

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errUnreadable }

// TestCloseStopsHashing: a file that is closed is no longer read, be it a snapshot or not.
func TestCloseStopsHashing(t *testing.T) {
	s := &Snapshot{path: "endless.db", size: 1 << 60}
	pages := func() (*boltpage.File, error) { return nil, ErrNoMeta }
	if err := s.open(t.Context(), endless{}, pages, Options{}); !errors.Is(err, ErrNoMeta) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.hash.done:
	default:
		t.Error("it is hashed on")
	}
}

// TestHashOthers: the files beside a db have their hashes although the db cannot be read
// to its end.
func TestHashOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "0.wal")
	if err := os.WriteFile(path, []byte("entries"), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("entries"))
	h := startHashing(t.Context(), unreadable{}, 1<<20, false, newProgress(nil, PhaseHash, 1<<20))
	h.hashOthers([]string{path, path + ".gone"})
	<-h.done
	if diff := cmp.Diff([]string{hex.EncodeToString(sum[:]), ""}, h.others); diff != "" || !errors.Is(h.err, errUnreadable) {
		t.Errorf("of the db %v, hashes of the others (-want +got):\n%s", h.err, diff)
	}
}

// TestIntegrityOfUnread: a file that was not hashed to its end has no SHA-256: because it was
// closed, because it cannot be read, or because nobody asked for it.
func TestIntegrityOfUnread(t *testing.T) {
	db := hostile.Store([]hostile.Item{hostile.Record(2, 0, 2, 1, "/a", nil)})
	pages := func() (*boltpage.File, error) { return boltpage.OpenBytes(t.Context(), db) }

	closed := &Snapshot{path: "endless.db", size: 1 << 60}
	if err := closed.open(t.Context(), endless{}, pages, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if in, err := closed.Integrity(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("of a file that was closed: %+v, %v", in, err)
	}

	bad := &Snapshot{path: "bad.db", size: int64(len(db))}
	if err := bad.open(t.Context(), unreadable{}, pages, Options{}); err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	bad.hash.hashOthers(nil)
	in, err := bad.Integrity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Integrity{Checks: []Check{{Name: "trailer", Verdict: Bad, Detail: "hash: input/output error"}, {Name: "content", Verdict: OK}}}
	if diff := cmp.Diff(want, in); diff != "" || !in.Bad() {
		t.Errorf("of a file that cannot be read (-want +got):\n%s", diff)
	}

	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, db, 0o600); err != nil {
		t.Fatal(err)
	}
	skipped, err := Open(t.Context(), path, Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer skipped.Close()
	if in, err = skipped.Integrity(t.Context()); err != nil {
		t.Fatal(err)
	}
	want.Checks[0] = Check{Name: "trailer", Verdict: Skipped, Detail: "the SHA-256 of the file was not computed"}
	if diff := cmp.Diff(want, in); diff != "" || in.Bad() {
		t.Errorf("of a file that was not to be hashed (-want +got):\n%s", diff)
	}
}

// TestSHA256 hashes a file to its last byte, where the last block has one and where it has
// many.
func TestSHA256(t *testing.T) {
	db := hostile.Store([]hostile.Item{hostile.Record(2, 0, 2, 1, "/a", nil)})
	for _, size := range []int{len(db), hashBlock, hashBlock + 1, hashBlock + sha256.Size, hashBlock + 1 + sha256.Size} {
		data := append(db[:len(db):len(db)], make([]byte, size-len(db))...)
		data[size-1] = 7
		s, err := OpenBytes(t.Context(), "snapshot.db", data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Integrity(t.Context())
		if sum := sha256.Sum256(data); in.SHA256 != hex.EncodeToString(sum[:]) || err != nil {
			t.Errorf("of %d bytes: %s, %v", size, in.SHA256, err)
		}
		s.Close()
	}
}

// TestMostProblems lists so many problems, and counts those that are not listed.
func TestMostProblems(t *testing.T) {
	var one, all problemList
	for range maxProblems - 1 {
		one.add(Note, "file", "a problem", "")
	}
	all.merge(&one)
	all.merge(&one)
	if len(one.list) != maxProblems-1 || one.dropped != 0 || len(all.list) != maxProblems || all.dropped != maxProblems-2 {
		t.Errorf("%d problems and %d more, of twice that %d and %d more", len(one.list), one.dropped, len(all.list), all.dropped)
	}
	one.add(Damage, "page 1", "the last one", "1 item")
	one.add(Damage, "page 2", "one too many", "")
	if last := one.list[len(one.list)-1]; last.What != "the last one" || len(one.list) != maxProblems || one.dropped != 1 {
		t.Errorf("the last of %d problems is %v, %d more", len(one.list), last, one.dropped)
	}
}
