package snapshotfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// content is all that a snapshot has.
func content(t *testing.T, s *snapshot.Snapshot) Content {
	t.Helper()
	c := Content{PageSize: s.PageSize(), Small: map[string]map[string][]byte{}}
	for _, name := range Buckets {
		c.Small[name] = map[string][]byte{}
		_, err := s.EachBucket(name, func(key, value []byte) error {
			c.Small[name][string(key)] = value
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var records []snapshot.Record
	for r := range s.Records() {
		records = append(records, r)
	}
	c.Next = func(room []byte) (snapshot.Record, []byte, error) {
		if len(records) == 0 {
			return snapshot.Record{}, nil, io.EOF
		}
		r := records[0]
		records = records[1:]
		value, err := s.Raw(r, room)
		return r, value, err
	}
	return c
}

func written(t *testing.T, ctx context.Context, c Content) ([]byte, Written, error) {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	w, err := Write(ctx, dir, "out.db", c)
	if err != nil {
		return nil, w, err
	}
	data, err := dir.ReadFile("out.db")
	return data, w, err
}

func TestWrite(t *testing.T) {
	for _, path := range []string{"../../testdata/clusters/rows/plain/current.db.gz", "../../testdata/mvcc/bumped.db.gz", "../../testdata/etcd/compacted.db.gz"} {
		t.Run(path, func(t *testing.T) {
			s := snapshottest.OpenBytes(t, "in.db", corpus.Unpack(t, path))
			data, w, err := written(t, t.Context(), content(t, s))
			if err != nil {
				t.Fatal(err)
			}
			whole, pages := sha256.Sum256(data), sha256.Sum256(data[:len(data)-sha256.Size])
			if w.SizeBytes != int64(len(data)) || w.SHA256 != hex.EncodeToString(whole[:]) || !bytes.Equal(pages[:], data[len(data)-sha256.Size:]) {
				t.Errorf("%+v of %d bytes, trailer %x", w, len(data), data[len(data)-sha256.Size:])
			}
			out := snapshottest.OpenBytes(t, "out.db", data)
			if out.Damaged() {
				t.Errorf("problems: %v", out.Problems())
			}
			was, err1 := s.Status(t.Context())
			is, err2 := out.Status(t.Context())
			was.TotalSize, is.TotalSize = 0, 0
			was.Hash, is.Hash = 0, 0 // of buckets, too, which etcd makes where they are missing
			next, stop := iter.Pull(out.Records())
			defer stop()
			for r := range s.Records() {
				a, errA := s.Raw(r, nil)
				other, _ := next()
				b, errB := out.Raw(other, nil)
				if errA != nil || errB != nil || !bytes.Equal(a, b) || r.Revision != other.Revision {
					t.Fatalf("revision %s differs: %v, %v", r.Revision, errA, errB)
				}
			}
			if diff := cmp.Diff(was, is); err1 != nil || err2 != nil || diff != "" {
				t.Errorf("%v, %v: %s", err1, err2, diff)
			}
		})
	}
}

// TestFreed leaves a record on a page that nothing refers to, and nowhere else.
func TestFreed(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/registry/a", strings.Repeat("1", 4096)), snapshottest.Put("/registry/b", "2"))
	c := content(t, s)
	for r := range s.Records() {
		raw, err := s.Raw(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Freed = Freed{Record: snapshot.Record{Revision: snapshot.Revision{Main: 9}}, Value: bytes.ReplaceAll(raw, []byte("registry"), []byte("elsewher"))}
	}
	data, _, err := written(t, t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	out := snapshottest.OpenBytes(t, "out.db", data)
	if out.Damaged() || out.Revision() != s.Revision() || out.SeenRevision() != 9 || out.Len() != s.Len() || !bytes.Contains(data, []byte("elsewher")) {
		t.Errorf("revision %d, seen %d, %d records: %v", out.Revision(), out.SeenRevision(), out.Len(), out.Problems())
	}
}

func TestWriteEnds(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/registry/a", "1"), snapshottest.Put("/registry/b", strings.Repeat("2", 1<<20)))
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := written(t, stopped, content(t, s)); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	broken := errors.New("broken")
	c := content(t, s)
	c.Next = func([]byte) (snapshot.Record, []byte, error) { return snapshot.Record{}, nil, broken }
	if _, _, err := written(t, t.Context(), c); !errors.Is(err, broken) {
		t.Errorf("a record that cannot be read: %v", err)
	}
}
