package oracle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	etcdutl "go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"

	"revenant/train"
)

// TestTrainDamaged holds what the scenario "damaged" tells: etcdutl's status passes all of its
// files, its restore refuses the damaged one by its hash alone, and takes it without.
func TestTrainDamaged(t *testing.T) {
	list, err := train.Scenarios("en")
	if err != nil {
		t.Fatal(err)
	}
	files, err := train.Find(list, "damaged").Files()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		manager := etcdutl.NewV3(zap.NewNop())
		if _, err := manager.Status(path); err != nil {
			t.Errorf("status of %s: %v", name, err)
		}
		for _, skip := range []bool{false, true} {
			err := manager.Restore(etcdutl.RestoreConfig{
				SnapshotPath: path, Name: "m0", OutputDataDir: filepath.Join(t.TempDir(), "data"), SkipHashCheck: skip,
				PeerURLs: []string{"http://127.0.0.1:2380"}, InitialCluster: "m0=http://127.0.0.1:2380", InitialClusterToken: "t",
			})
			switch refused := name == "tuesday.db" && !skip; {
			case refused && (err == nil || !strings.Contains(err.Error(), "sha256")):
				t.Errorf("restore of %s: %v", name, err)
			case !refused && err != nil:
				t.Errorf("restore of %s, hash check skipped %v: %v", name, skip, err)
			}
		}
	}
}
