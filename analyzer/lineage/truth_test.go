package lineage_test

import (
	"path/filepath"
	"strings"
	"testing"

	"revenant/analyzer/lineage"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
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
		b, c := snapshottest.Open(t, filepath.Join(dir, "backup.db.gz")), snapshottest.Open(t, filepath.Join(dir, "current.db.gz"))
		t.Run(dir[len(clusters)+1:], func(t *testing.T) {
			restores := 0
			if strings.Contains(dir, "/again/") {
				restores = 1 // of the same backup, before the current snapshot
			}
			l := compare(t, b, c)
			if l.Relation != lineage.Ancestor || l.CommonRevision != b.Revision() || l.Cluster != lineage.Equal || l.Members != lineage.Equal {
				t.Errorf("%+v", l)
			}
			if sure := c.CompactRevision() <= b.Revision(); l.Certain != sure {
				t.Errorf("compacted at %d, backup at %d, certain %t", c.CompactRevision(), b.Revision(), l.Certain)
			}
			if l.Compared.Records < 100 || l.Compared.Values < 100 || l.Compared.Damaged > 0 || len(l.Restores) != restores {
				t.Errorf("compared %+v, restores %+v", l.Compared, l.Restores)
			}
			t.Log(l.Reason)
			if l := compare(t, c, b); l.Relation != lineage.Descendant || l.CommonRevision != b.Revision() || len(l.Restores) != restores {
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
