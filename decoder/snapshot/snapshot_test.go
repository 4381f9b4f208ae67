package snapshot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

const clusters = "../../testdata/clusters"

// TestStatusEqualsEtcdutl holds every shared snapshot against what etcdutl
// 3.6.16 printed for it when it was made.
func TestStatusEqualsEtcdutl(t *testing.T) {
	truths, err := filepath.Glob(clusters + "/*/*/truth.json.gz")
	if err != nil || len(truths) < 15 {
		t.Fatalf("found %d truth files, err %v", len(truths), err)
	}
	for _, path := range truths {
		var truth struct {
			Status map[string]snapshot.Status `json:"status"`
		}
		if err := json.Unmarshal(corpus.Unpack(t, path), &truth); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(path)
		for _, name := range []string{"backup", "current"} {
			t.Run(strings.TrimPrefix(dir, clusters+"/")+"/"+name, func(t *testing.T) {
				s := openGzip(t, filepath.Join(dir, name+".db.gz"))
				got, err := s.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got.TotalKey35 = 0
				if diff := cmp.Diff(truth.Status[name], got); diff != "" {
					t.Errorf("status differs (-etcdutl +revenant):\n%s", diff)
				}
				in, err := s.Integrity(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range in.Checks {
					if c.Verdict != snapshot.OK {
						t.Errorf("check %s: %s %s", c.Name, c.Verdict, c.Detail)
					}
				}
				for _, p := range s.Problems() {
					if p.Severity == snapshot.Damage {
						t.Errorf("damage in a healthy file: %v", p)
					}
				}
			})
		}
	}
}

func openGzip(t testing.TB, path string) *snapshot.Snapshot {
	t.Helper()
	return open(t, writeFile(t, corpus.Unpack(t, path)))
}

func open(t testing.TB, path string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Unchanged(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, data, 0o400); err != nil {
		t.Fatal(err)
	}
	return path
}
