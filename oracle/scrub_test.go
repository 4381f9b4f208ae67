package oracle

import (
	"os"
	"path/filepath"
	"testing"

	etcdsnapshot "go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"

	"revenant/decoder/kube"
	"revenant/decoder/scrub"
	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// TestScrub gives scrubbed snapshots to etcdutl: it verifies their hash, finds what is
// there, and restores them.
func TestScrub(t *testing.T) {
	for _, run := range []string{"rows/plain", "random-112/bump-small", "ha/plain"} {
		t.Run(run, func(t *testing.T) {
			dir := t.TempDir()
			from, err := snapshot.Open(t.Context(), testdata+"clusters/"+run+"/current.db.gz", snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer from.Close()
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			if _, err := scrub.New(scrub.NewKey(), kube.DefaultPrefix).Write(t.Context(), from, root, "clean.db", nil); err != nil {
				t.Fatal(err)
			}
			clean := filepath.Join(dir, "clean.db")
			status, err := etcdsnapshot.NewV3(zap.NewNop()).Status(clean)
			if err != nil || status.Revision != from.Revision() {
				t.Errorf("etcdutl: revision %d, want %d: %v", status.Revision, from.Revision(), err)
			}
			if err := fixture.Restore(clean, filepath.Join(dir, "restored"), 0); err != nil {
				t.Errorf("etcdutl: %v", err)
			}
		})
	}
}
