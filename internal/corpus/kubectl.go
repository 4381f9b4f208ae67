package corpus

import (
	"encoding/json"
	"path/filepath"
	"time"
)

// Kubectl is what a real kubectl and a real API server answered about the cluster of one
// snapshot (oracle/cmd/kubectl).
type Kubectl struct {
	Snapshot []byte

	From, To  time.Time // when kubectl was asked: UTC, right after the snapshot was saved
	Resources []struct {
		Name, Singular, Kind, Group string
		ShortNames                  []string
		Namespaced                  bool
	}
	Tried   []string            // fields
	Fields  map[string][]string // by resource (deployments.apps): those that objects are selected by
	Queries []struct {
		Args           []string // of kubectl get, beside -A
		Stdout, Stderr string
		Failed         bool
	}
	Applied []struct {
		Manifest string // a file of revenant extract --dir
		Refused  string // what kubectl apply said, "" when it was applied
	}
}

// ReadKubectl unpacks the answers in the directory testdata.
func ReadKubectl(t Test, testdata string) *Kubectl {
	files := Files(t, filepath.Join(testdata, "kubectl", "answers.tar.gz"))
	k := &Kubectl{Snapshot: files["snapshot.db"]}
	if err := json.Unmarshal(files["answers.json"], k); err != nil {
		t.Fatalf("%v", err)
	}
	return k
}
