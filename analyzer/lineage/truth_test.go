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

// TestClusters: the snapshots of a run are one history, those of two runs are of
// two clusters.
func TestClusters(t *testing.T) {
	dirs, err := filepath.Glob(clusters + "/*/*")
	if err != nil || len(dirs) < 15 {
		t.Fatalf("found %d runs, %v", len(dirs), err)
	}
	var other *snapshot.Snapshot
	for _, dir := range dirs {
		t.Run(dir[len(clusters)+1:], func(t *testing.T) {
			b, c := open(t, filepath.Join(dir, "backup.db.gz")), open(t, filepath.Join(dir, "current.db.gz"))
			l := compare(t, b, c)
			if l.Relation != lineage.Ancestor || l.CommonRevision != b.Revision() || l.Cluster != lineage.Equal || l.Members != lineage.Equal {
				t.Errorf("%+v", l)
			}
			if l.Compared.Records < 100 || l.Compared.Values < 50 {
				t.Errorf("compared %+v", l.Compared)
			}
			if len(l.Restores) > 0 {
				t.Errorf("restores %+v", l.Restores)
			}
			if l := compare(t, c, c); l.Relation != lineage.Same {
				t.Errorf("with itself: %+v", l)
			}
			if other != nil {
				if l := compare(t, other, c); l.Relation != lineage.Unrelated || l.Predictable == "" {
					t.Errorf("with another run's: %+v", l)
				}
			}
			t.Logf("%s: %+v", l.Reason, l.Compared)
		})
		other = open(t, filepath.Join(dir, "backup.db.gz"))
	}
}

func compare(t *testing.T, b, c *snapshot.Snapshot) *lineage.Lineage {
	t.Helper()
	l, err := lineage.Compare(t.Context(), b, c, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t *testing.T, path string) *snapshot.Snapshot {
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
	s, err := snapshot.OpenBytes(t.Context(), path, data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
