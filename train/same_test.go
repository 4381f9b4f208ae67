package train

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/scrub"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
	"revenant/internal/demo"
)

func openBytes(t *testing.T, name string, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func comparisonOf(t *testing.T, backup, current *snapshot.Snapshot) *restore.Comparison {
	t.Helper()
	var states [2]*restore.State
	for i, s := range []*snapshot.Snapshot{backup, current} {
		var err error
		if states[i], err = restore.Load(t.Context(), s, kube.DefaultPrefix); err != nil {
			t.Fatal(err)
		}
	}
	c := restore.Compare(states[0], states[1])
	var err error
	if c.Lineage, err = lineage.Compare(t.Context(), backup, current, kube.DefaultPrefix); err != nil {
		t.Fatal(err)
	}
	return c
}

// pairs are the snapshots of real clusters, and the demo's.
func pairs(t *testing.T) map[string][2][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/clusters/*/*/backup.db.gz")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d pairs, %v", len(paths), err)
	}
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2][]byte{"demo": {backup, current}}
	for i, path := range paths {
		dir := filepath.Dir(path)
		if !testing.Short() || i%4 == 0 {
			all[filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir)] = [2][]byte{corpus.Unpack(t, path), corpus.Unpack(t, filepath.Join(dir, "current.db.gz"))}
		}
	}
	return all
}

// TestScrubbedPredictsTheSame scrubs every pair, compares all predictions, and plays the
// scenario that is made of it.
func TestScrubbedPredictsTheSame(t *testing.T) {
	for name, pair := range pairs(t) {
		t.Run(name, func(t *testing.T) {
			s := scrub.New(scrub.NewKey(), kube.DefaultPrefix)
			var from, made [2]*snapshot.Snapshot
			for i, data := range pair {
				from[i] = openBytes(t, "original", data)
				made[i] = openBytes(t, "scrubbed", scrubOne(t, s, from[i]))
			}
			original, scrubbed := comparisonOf(t, from[0], from[1]), comparisonOf(t, made[0], made[1])
			if err := SamePredictions(original, scrubbed, s); err != nil {
				t.Error(err)
			}
			if err := SamePredictions(original, original, s); err == nil {
				t.Error("the names of the original pass for pseudonyms")
			}
			playPair(t, scrubbed)
		})
	}
}

// scrubOne scrubs a snapshot, and looks at every byte of what comes out.
func scrubOne(t *testing.T, s *scrub.Scrubber, from *snapshot.Snapshot) []byte {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	r, err := s.Write(t.Context(), from, dir, "out", nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Blanked > 0 {
		t.Errorf("%d values could not be read: %s", r.Blanked, r.First)
	}
	data, err := dir.ReadFile("out")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ledger().Audit(t.Context(), bytes.NewReader(data[:len(data)-sha256.Size])); err != nil {
		t.Error(err)
	}
	// The names of the laboratory's clusters, and what it kept in Secrets.
	for _, name := range []string{"lab/app", "old-app", "doomed", "/shop/", "node-1", "hollow", "fake-", "password="} {
		if i := bytes.Index(data, []byte(name)); i >= 0 {
			t.Errorf("%q stays: %q", name, data[max(0, i-20):i+20])
		}
	}
	return data
}

// TestSamePredictions makes sure that what differs is seen.
func TestSamePredictions(t *testing.T) {
	all := pairs(t)
	a, b := all["demo"], all["demo"]
	b[1] = all["scenario-10/plain"][1]
	if testing.Short() {
		b[1] = a[0]
	}
	s := scrub.New(scrub.KeyOf("other"), kube.DefaultPrefix)
	var made [2]*snapshot.Snapshot
	for i, data := range b {
		made[i] = openBytes(t, "scrubbed", scrubOne(t, s, openBytes(t, "original", data)))
	}
	if err := SamePredictions(comparisonOf(t, openBytes(t, "backup", a[0]), openBytes(t, "current", a[1])), comparisonOf(t, made[0], made[1]), s); err == nil {
		t.Error("another pair is taken for the same")
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"the pod web-1 on node-1", "the pod " + s.Name("web-1") + " on " + s.Name("node-1"), true},
		{"web-1, db-0 and 3 more", s.Name("db-0") + ", " + s.Name("web-1") + " and 3 more", true},
		{"the pod web-1", "the pod web-1 ", true},
		{"the pod web-1", "a pod " + s.Name("web-1"), false},
		{"the pod web-1", "the pod " + s.Name("web-2"), false},
		{"the pod web-1", "the pod " + s.Name("web-1") + " again", false},
	} {
		if got := (sameness{s}).texts(test.a, test.b); got != test.same {
			t.Errorf("%q and %q: %v", test.a, test.b, got)
		}
	}
}
