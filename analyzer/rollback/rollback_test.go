package rollback_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/finding"
	"revenant/analyzer/rollback"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

const clusters = "../../testdata/clusters"

// eachRun runs a test on the two snapshots of every real run.
func eachRun(t *testing.T, test func(t *testing.T, backup, current *snapshot.Snapshot)) {
	paths, err := filepath.Glob(clusters + "/*/*/current.db.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("found %d runs, err %v", len(paths), err)
	}
	for _, path := range paths {
		dir := filepath.Dir(path)
		t.Run(strings.TrimPrefix(dir, clusters+"/"), func(t *testing.T) {
			test(t, snapshottest.Open(t, dir+"/backup.db.gz"), snapshottest.Open(t, path))
		})
	}
}

func compare(t testing.TB, backup, current *snapshot.Snapshot) *rollback.Rollback {
	t.Helper()
	r, err := rollback.Compare(t.Context(), backup, current, rollback.Options{Prefix: prefix, Taken: taken})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// stored is an object with its uid, if it can be decoded, and its value.
type stored struct {
	resource, uid string
	owner         keyspace.Owner // of a key that holds no object
	value         string
}

func everything(t *testing.T, s *snapshot.Snapshot) map[string]stored {
	t.Helper()
	all := map[string]stored{}
	namer := keyspace.NewNamer(prefix)
	for r := range s.Keys("") {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		k, ok := kube.ParseKey(prefix, r.Key)
		if !ok {
			all[r.Key] = stored{resource: namer.Name(r.Key), owner: namer.Sort(r.Key).Owner, value: string(value)}
			continue
		}
		name := k.Resource
		if k.Group != "" {
			name += "." + k.Group
		}
		all[r.Key] = stored{resource: name, uid: kube.Decode(k, value).UID, value: string(value)}
	}
	return all
}

// TestCounts compares the counts with those of all objects decoded, told apart by
// uid and content rather than by revision.
func TestCounts(t *testing.T) {
	replaced := 0
	eachRun(t, func(t *testing.T, backup, current *snapshot.Snapshot) {
		want := map[string]rollback.Kind{}
		count := func(of stored, add func(*rollback.Kind)) {
			resource := of.resource
			k := want[resource]
			k.Resource, k.Owner = resource, of.owner
			add(&k)
			want[resource] = k
		}
		before, after := everything(t, backup), everything(t, current)
		for key, a := range after {
			b, ok := before[key]
			switch {
			case !ok:
				count(a, func(k *rollback.Kind) { k.Lost++ })
			case a.uid != b.uid:
				count(a, func(k *rollback.Kind) { k.Replaced++ })
				replaced++
			case a.value != b.value:
				count(a, func(k *rollback.Kind) { k.RolledBack++ })
			default:
				count(a, func(k *rollback.Kind) { k.Unchanged++ })
			}
		}
		for key, b := range before {
			if _, ok := after[key]; !ok {
				count(b, func(k *rollback.Kind) { k.Resurrected++ })
			}
		}
		got := map[string]rollback.Kind{}
		for _, k := range compare(t, backup, current).Kinds {
			if k.StatusOnly > k.RolledBack || k.Heartbeats > 0 && k.Resource != "events" && k.Resource != "nodes" && !strings.HasPrefix(k.Resource, "leases.") && k.Owner != keyspace.Bookkeeping {
				t.Errorf("impossible: %+v", k)
			}
			k.RolledBack += k.Heartbeats
			k.Heartbeats, k.StatusOnly, k.Examples = 0, 0, rollback.Examples{}
			got[k.Resource] = k
		}
		// A write that changed nothing is a revision, and a change to the one count
		// but not to the other.
		same := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Unchanged" || p.Last().String() == ".RolledBack" }, cmp.Ignore())
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("counts (-want):\n%s", diff)
		}
		for name, w := range want {
			g := got[name]
			if w.Unchanged+w.RolledBack != g.Unchanged+g.RolledBack || g.RolledBack < w.RolledBack {
				t.Errorf("%s: %d changed of %d, want %d of %d", name, g.RolledBack, g.RolledBack+g.Unchanged, w.RolledBack, w.RolledBack+w.Unchanged)
			}
		}
	})
	if replaced == 0 {
		t.Error("no object was replaced in any run")
	}
}

// TestRuns says what must be found in two of the runs, whose story is known.
func TestRuns(t *testing.T) {
	tests := []struct {
		run  string
		want []string // id and object
	}{
		{"scenario-1/plain", []string{
			"namespace-lost namespaces/late",
			"endpoint-reused services/web in shop", // the fake runtime gives all pods one address
			"claim-lost persistentvolumeclaims/data-db-3 in data",
			"secret-rolled-back secrets/creds in shop",
			"namespace-resurrected namespaces/doomed",
			"endpoint-missing services/db in data",
			"endpoint-missing services/web in shop",
			"custom-resources-rolled-back *.lab.example.com",
		}},
		{"scenario-3/plain", []string{
			"secret-rolled-back secrets/dbpass in data",
			"endpoint-missing services/web in shop",
			"token-lost secrets/creds-b in shop", // encrypted: they may be tokens
			"token-lost secrets/creds-c in shop",
			"token-revived secrets/creds in shop",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.run, func(t *testing.T) {
			dir := clusters + "/" + tt.run
			var got []string
			for _, f := range compare(t, snapshottest.Open(t, dir+"/backup.db.gz"), snapshottest.Open(t, dir+"/current.db.gz")).Findings {
				object := f.Kind
				if f.Name != "" {
					object += "/" + f.Name
				}
				if f.Namespace != "" {
					object += " in " + f.Namespace
				}
				if f.Severity != finding.OK {
					got = append(got, string(f.ID)+" "+object)
				}
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
		})
	}
}

// TestOtherStores tells records apart that have a revision in common.
func TestOtherStores(t *testing.T) {
	put := snapshottest.Put
	for _, tt := range []struct {
		name    string
		current []change
		want    rollback.Kind
	}{
		{"the same", []change{put("/registry/configmaps/ns/a", "x"), put("/registry/configmaps/ns/a", "y")}, rollback.Kind{Unchanged: 1}},
		{"made later", []change{put("/registry/other/ns/a", "x"), put("/registry/configmaps/ns/a", "y")}, rollback.Kind{Replaced: 1}},
		{"longer", []change{put("/registry/configmaps/ns/a", "x"), put("/registry/configmaps/ns/a", "longer")}, rollback.Kind{RolledBack: 1}},
	} {
		backup := snapshottest.Store(t, put("/registry/configmaps/ns/a", "x"), put("/registry/configmaps/ns/a", "y"))
		for _, k := range compare(t, backup, snapshottest.Store(t, tt.current...)).Kinds {
			if k.Resource == "configmaps" && (k.Unchanged != tt.want.Unchanged || k.Replaced != tt.want.Replaced || k.RolledBack != tt.want.RolledBack) {
				t.Errorf("%s: %+v", tt.name, k)
			}
		}
	}
}

// TestSecretsStayHidden: no Secret's content may be in any finding.
func TestSecretsStayHidden(t *testing.T) {
	const hidden = "hunter2-do-not-print"
	backup, current := pair(t,
		changes(t, []runtime.Object{namespace("ns"), account("ns/robot", "uid"), secret("ns/a", "Opaque", "k", hidden), issued(token("ns/t", "robot"), hidden), bootstrap("gone", "", "token-secret", hidden)}),
		changes(t, []runtime.Object{secret("ns/a", "Opaque", "k", hidden+"2"), issued(token("ns/new", "robot"), hidden), deleted{bootstrap("gone", "")}}))
	r := compare(t, backup, current)
	if len(r.Findings) != 3 {
		t.Fatalf("%d findings: %+v", len(r.Findings), r.Findings)
	}
	if text := fmt.Sprintf("%+v", r); strings.Contains(text, hidden) {
		t.Errorf("the secret is in it: %s", text)
	}
}

// TestSame: two equal snapshots have no findings.
func TestSame(t *testing.T) {
	eachRun(t, func(t *testing.T, backup, _ *snapshot.Snapshot) {
		r := compare(t, backup, backup)
		for _, k := range r.Kinds {
			if k.Changed() || k.Heartbeats > 0 {
				t.Errorf("%+v", k)
			}
		}
		if len(r.Findings) > 0 {
			t.Errorf("findings: %+v", r.Findings)
		}
	})
}

func TestDeterministic(t *testing.T) {
	eachRun(t, func(t *testing.T, backup, current *snapshot.Snapshot) {
		first := compare(t, backup, current)
		for range 3 {
			if diff := cmp.Diff(first, compare(t, backup, current)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestCap(t *testing.T) {
	const n = 3 * rollback.MaxFindings
	var after []change
	for i := range n {
		after = append(after, put(t, volume(fmt.Sprintf("pv-%03d", i), "Retain", "")))
	}
	var gone []change
	for _, c := range after {
		gone = append(gone, snapshottest.Delete(c.Key))
	}
	worse := put(t, volume("pv-last", "Delete", ""))
	backup, current := pair(t, append(after, worse), append(gone, snapshottest.Delete(worse.Key)))
	r := compare(t, backup, current)
	if r.Summary[rollback.VolumeResurrected] != n+1 || len(r.Findings) != rollback.MaxFindings {
		t.Errorf("%d counted, %d listed", r.Summary[rollback.VolumeResurrected], len(r.Findings))
	}
	for i, f := range r.Findings[1:] { // those that are not as bad are listed as they come
		if want := fmt.Sprintf("pv-%03d", i); f.Name != want {
			t.Fatalf("%s is listed, want %s", f.Name, want)
		}
	}
	if f := r.Findings[0]; f.Name != "pv-last" || f.Severity != finding.Critical {
		t.Errorf("the worst is not listed first but %+v", f)
	}
}

// TestCapOfOneSort lists the first of as many as are equally bad, and none that is less bad than
// one that is not listed.
func TestCapOfOneSort(t *testing.T) {
	for _, tt := range []struct {
		name        string
		policies    string // of the volumes, by their first letters: those that are deleted are worse
		first, last string
	}{
		{"equally bad", strings.Repeat("R", rollback.MaxFindings+1), "pv-000", "pv-049"},
		{"only the first is less bad", "R" + strings.Repeat("D", rollback.MaxFindings), "pv-001", "pv-050"},
		{"only the last is less bad", strings.Repeat("D", rollback.MaxFindings) + "R", "pv-000", "pv-049"},
	} {
		var before, after []change
		for i, p := range tt.policies {
			c := put(t, volume(fmt.Sprintf("pv-%03d", i), map[rune]string{'R': "Retain", 'D': "Delete"}[p], ""))
			before, after = append(before, c), append(after, snapshottest.Delete(c.Key))
		}
		backup, current := pair(t, before, after)
		list := compare(t, backup, current).Findings
		if first, last := list[0].Name, list[len(list)-1].Name; len(list) != rollback.MaxFindings || first != tt.first || last != tt.last {
			t.Errorf("%s: %d, from %s to %s", tt.name, len(list), first, last)
		}
	}
}

// TestJSON: the lists are there in JSON when they are empty.
func TestJSON(t *testing.T) {
	backup, current := pair(t, nil, nil)
	r := compare(t, backup, current)
	if r.Watchers.Watchers == nil || r.Watchers.NotSeen == nil {
		t.Errorf("%+v", r.Watchers)
	}
	r.Watchers = nil // package watchers has tests of its own
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"kinds":[],"findings":[],"summary":{},"watchers":null}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCancelled(t *testing.T) {
	backup, current := pair(t, nil, []change{put(t, namespace("ns"))})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := rollback.Compare(ctx, backup, current, rollback.Options{Prefix: prefix}); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", r, err)
	}
}

// TestPrefix: keys are found below any prefix, and only there.
func TestPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/", "/kubernetes.io", "registry/"} {
		t.Run(prefix, func(t *testing.T) {
			c := put(t, volume("pv", "Retain", ""))
			c.Key = kube.Key{Resource: "persistentvolumes", Name: "pv"}.Path(prefix)
			backup, current := pair(t, []change{{Key: "/elsewhere/persistentvolumes/x", Value: c.Value}}, []change{c})
			r, err := rollback.Compare(t.Context(), backup, current, rollback.Options{Prefix: prefix})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 || r.Findings[0].ID != rollback.VolumeLeaked || len(r.Kinds) == 0 {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestVocabulary(t *testing.T) {
	seen := map[rollback.ID]bool{}
	for i, info := range rollback.Infos {
		if seen[info.ID] {
			t.Errorf("%s is twice in Infos", info.ID)
		}
		seen[info.ID] = true
		if i > 0 && info.Severity.Rank() < rollback.Infos[i-1].Severity.Rank() {
			t.Errorf("%s is worse than what is before it", info.ID)
		}
		if (info.Inferred == "") != (info.Source == "") {
			t.Errorf("%s: what is inferred has a source, and nothing else", info.ID)
		}
		for _, text := range []string{info.Explains, info.Remedy} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no sentence", info.ID, text)
			}
		}
	}
}

// FuzzCompare puts any two values where a rule looks at them.
func FuzzCompare(f *testing.F) {
	objects := []runtime.Object{
		volume("v", "Delete", "ns/c"), claim("ns/c", "v"), attachment("a", "v", "n"), service("ns/s", "10.0.0.1", 30000),
		endpoints("ns/s-abcde", "p 10.0.0.2"), pod("ns/p", ip("10.0.0.2"), tokened), secret("ns/x", "kubernetes.io/tls", "tls.crt", "-----BEGIN"),
		account("ns/default", "u"), role("r", "get"), webhooks("w", "Fail", "ns/s"), node("n", "10.1.0.0/24"), terminating(namespace("ns")),
		reserved(resourceClaim("ns/c", "gpu-0"), "p"), certificateRequest("ns/r", "p", 0), apiService("v1.m.example.com", "ns/s"), bootstrap("abcdef", "2026-11-22T04:00:00Z"),
		converting(definition("Widget", "v1", "v2"), "ns/s", "eA=="), kubernetesEndpoints("10.0.0.1")[0], kubernetesEndpoints("10.0.0.1")[1], definition("Widget", "v1"), finalized(custom("example.com/v1", "Widget", "ns/w"), "f"),
	}
	var keys []string
	for _, o := range objects {
		c := put(f, o)
		keys = append(keys, c.Key)
		f.Add(c.Value, []byte{})
		f.Add(c.Value, c.Value)
	}
	keys = append(keys, masterLease(f, "10.0.0.1").Key)
	f.Add(masterLease(f, "10.0.0.1").Value, masterLease(f, "10.0.0.2").Value)
	f.Add([]byte("k8s:enc:kms:v2:p:x"), []byte("k8s:enc:kms:v1:"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var before, after []change
		for i, key := range keys {
			before = append(before, change{Key: key, Value: a})
			if i%2 == 0 {
				after = append(after, change{Key: key + "x", Value: a})
			}
			if len(b) > 0 || i%3 > 0 {
				after = append(after, change{Key: key, Value: b})
			}
		}
		x, y := pair(t, before, after)
		for _, r := range []*rollback.Rollback{compare(t, x, y), compare(t, y, x)} {
			for _, f := range r.Findings {
				if f.Reason == "" || f.Action == "" || len(f.Evidence) == 0 {
					t.Errorf("incomplete: %+v", f)
				}
			}
		}
	})
}

// BenchmarkCompare compares two states of about 100,000 keys, of which one in ten
// has changed.
func BenchmarkCompare(b *testing.B) {
	backup, current := large(b, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		compare(b, backup, current)
	}
}

func large(tb testing.TB, n int) (backup, current *snapshot.Snapshot) {
	var before, after []change
	for i := range n / 10 {
		ns := fmt.Sprintf("ns-%d", i%100)
		address := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
		p := fmt.Sprintf("p-%d", i)
		for _, o := range []runtime.Object{
			pod(ns+"/"+p, ip(address), as("default"), tokened, reading("s")),
			pod(ns+"/q-"+p, as("default"), tokened), pod(ns+"/r-"+p, as("default"), tokened), pod(ns+"/t-"+p, as("default"), tokened),
			service(ns+"/"+p, address, 0), endpoints(ns+"/"+p+"-abcde", p+" "+address),
			secret(ns+"/"+p, "Opaque", "k", address), claim(ns+"/"+p, "pv-"+p), volume("pv-"+p, "Delete", ns+"/"+p),
			with(custom("example.com/v1", "Widget", ns+"/"+p), int64(i)),
		} {
			c := put(tb, o)
			before = append(before, c)
			switch {
			case i%20 == 3:
				after = append(after, snapshottest.Delete(c.Key))
			case i%20 == 7:
				after = append(after, c)
			}
		}
	}
	return pair(tb, before, after)
}

func TestLarge(t *testing.T) {
	backup, current := large(t, 20_000)
	start := time.Now()
	r := compare(t, backup, current)
	t.Logf("compared in %v", time.Since(start))
	want := map[string]int{"lost": 0, "resurrected": 1000, "rolled back": 1000}
	got := map[string]int{}
	for _, k := range r.Kinds {
		got["lost"] += k.Lost
		got["resurrected"] += k.Resurrected
		got["rolled back"] += k.RolledBack
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want):\n%s", diff)
	}
}
