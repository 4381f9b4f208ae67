package lineage_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
)

const clusters = "../../testdata/clusters"

// TestClusters: the snapshots of a run are one history without a restore in it,
// those of two runs are of two clusters.
func TestClusters(t *testing.T) {
	dirs, err := filepath.Glob(clusters + "/*/*")
	if err != nil || len(dirs) < 15 {
		t.Fatalf("found %d runs, %v", len(dirs), err)
	}
	type run struct {
		name   string
		backup *snapshot.Snapshot
	}
	var others []run
	for _, dir := range dirs {
		b, c := open(t, filepath.Join(dir, "backup.db.gz")), open(t, filepath.Join(dir, "current.db.gz"))
		t.Run(dir[len(clusters)+1:], func(t *testing.T) {
			l := compare(t, b, c)
			if l.Relation != lineage.Ancestor || l.CommonRevision != b.Revision() || l.Cluster != lineage.Equal || l.Members != lineage.Equal {
				t.Errorf("%+v", l)
			}
			if sure := c.CompactRevision() <= b.Revision(); l.Certain != sure {
				t.Errorf("compacted at %d, backup at %d, certain %t", c.CompactRevision(), b.Revision(), l.Certain)
			}
			if l.Compared.Records < 100 || l.Compared.Values < 100 || l.Compared.Damaged > 0 || len(l.Restores) > 0 {
				t.Errorf("compared %+v, restores %+v", l.Compared, l.Restores)
			}
			t.Log(l.Reason)
			if l := compare(t, c, b); l.Relation != lineage.Descendant || l.CommonRevision != b.Revision() || len(l.Restores) > 0 {
				t.Errorf("swapped: %+v", l)
			}
			if l := compare(t, c, c); l.Relation != lineage.Same || !l.Certain {
				t.Errorf("with itself: %+v", l)
			}
			for _, other := range others {
				if l := compare(t, other.backup, c); l.Relation != lineage.Unrelated || l.Cluster != lineage.Different {
					t.Errorf("with %s: %+v", other.name, l)
				}
			}
		})
		others = append(others, run{dir, b})
	}
}

func compare(t testing.TB, b, c *snapshot.Snapshot) *lineage.Lineage {
	t.Helper()
	l, err := lineage.Compare(t.Context(), b, c, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t testing.TB, path string) *snapshot.Snapshot {
	t.Helper()
	return openBytes(t, unpack(t, path))
}

func openBytes(t testing.TB, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), "snapshot.db", data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
