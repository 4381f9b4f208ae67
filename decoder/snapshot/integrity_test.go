package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
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
