package diff

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/internal/demo"
)

func demoPair(t testing.TB) (b, c *snapshot.Snapshot) {
	t.Helper()
	x, y, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return open(t, demo.BackupName, x), open(t, demo.CurrentName, y)
}

func open(t testing.TB, name string, data []byte) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.OpenBytes(t.Context(), name, data, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func compare(t testing.TB, before, after State, common int64) *Comparison {
	t.Helper()
	c, err := Compare(t.Context(), before, after, Options{Prefix: "/registry", Common: common})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Sift(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompareDemo(t *testing.T) {
	b, c := demoPair(t)
	got := compare(t, State{b, 0}, State{c, 0}, b.Revision())
	counts := map[string]Counts{}
	for _, g := range got.Within {
		counts[g.Name] = g.Counts
	}
	want := map[string]Counts{ // added, removed, recreated, changed, noise only
		"API servers: peer leases":        {Quiet: 1},
		"configmaps":                      {7, 2, 0, 0, 0},
		"deployments":                     {1, 1, 0, 2, 0},
		"endpoints":                       {0, 0, 0, 2, 0},
		"endpointslices.discovery.k8s.io": {0, 0, 0, 2, 0},
		"events":                          {49, 5, 0, 0, 3},
		"jobs":                            {1, 1, 0, 0, 0},
		"leases.coordination.k8s.io":      {0, 0, 0, 0, 7},
		"namespaces":                      {1, 1, 0, 0, 0},
		"nodes":                           {0, 0, 0, 4, 0},
		"persistentvolumeclaims":          {1, 0, 0, 2, 0},
		"persistentvolumes":               {0, 0, 0, 1, 0},
		"poddisruptionbudgets":            {0, 0, 0, 1, 0},
		"pods":                            {16, 9, 3, 0, 0},
		"replicasets":                     {2, 1, 0, 2, 0},
		"secrets":                         {1, 1, 0, 1, 0},
		"serviceaccounts":                 {1, 1, 0, 0, 0},
		"statefulsets":                    {0, 0, 0, 1, 1},
		"widgets.lab.example.com":         {1, 1, 0, 1, 0},
	}
	if d := cmp.Diff(want, counts); d != "" {
		t.Error(d)
	}
	if want := []string{"managed fields", "lease renewals", "repeated events", "API server leases"}; !slices.Equal(got.Group.Noise.Names(), want) {
		t.Errorf("noise %q, want %q", got.Group.Noise.Names(), want)
	}
	if len(got.Warnings) != 0 || !got.Differ() {
		t.Errorf("warnings %q, differ %v", got.Warnings, got.Differ())
	}
}

// TestCompareWithoutLineage holds what is found without knowing that two snapshots
// are of one history against what is found with it.
func TestCompareWithoutLineage(t *testing.T) {
	b, c := demoPair(t)
	knowing, not := compare(t, State{b, 0}, State{c, 0}, b.Revision()), compare(t, State{b, 0}, State{c, 0}, 0)
	if d := cmp.Diff(knowing.Objects, not.Objects); d != "" {
		t.Error(d)
	}
	if knowing.Same != not.Same {
		t.Errorf("%d are the same, %d without knowing", knowing.Same, not.Same)
	}
	if len(not.Warnings) != 1 {
		t.Errorf("warnings %q, want one", not.Warnings)
	}
}

// TestCompareAnyTwo compares states of one snapshot, of every kind of history there
// is a file of, with the states read whole.
func TestCompareAnyTwo(t *testing.T) {
	_, c := demoPair(t)
	snapshots := []*snapshot.Snapshot{c}
	for _, name := range []string{"history", "bumped", "compacted"} {
		s, err := snapshot.Open(t.Context(), filepath.Join("../../testdata/mvcc", name+".db.gz"), snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		snapshots = append(snapshots, s)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[Fate]int{}
	for _, s := range snapshots {
		oldest := max(s.CompactRevision(), 1)
		some := func() int64 { return oldest + rng.Int64N(min(s.Revision()-oldest, 2000)+1) }
		for range 12 {
			from, to := some(), some()
			got := compare(t, State{s, from}, State{s, to}, 0)
			before, after := whole(t, s, from), whole(t, s, to)
			union := maps.Clone(before)
			maps.Copy(union, after)
			same := len(union)
			want := map[string]Fate{}
			for key := range union {
				b, okB := before[key]
				a, okA := after[key]
				switch {
				case !okB:
					want[key] = Added
				case !okA:
					want[key] = Removed
				case b.create != a.create:
					want[key] = Recreated
				case b.mod == a.mod:
					continue
				default:
					want[key] = Changed
				}
				same--
			}
			found := map[string]Fate{}
			for i, o := range got.Objects {
				fate := o.Fate
				seen[fate]++
				if fate == Quiet { // only then may the content be the same
					if d := got.Difference(i); !d.Quiet() || len(d.Changes) == 0 {
						t.Errorf("%s is said to be noise only: %v", o.Key, d)
					}
					fate = Changed
				} else if fate == Changed && bytes.Equal(before[o.Key].value, after[o.Key].value) {
					t.Errorf("%s is said to be changed, and is the same", o.Key)
				}
				found[o.Key] = fate
			}
			if d := cmp.Diff(want, found); d != "" || got.Same != same {
				t.Fatalf("%s from %d to %d, %d the same and not %d: %s", s.Path(), from, to, got.Same, same, d)
			}
		}
	}
	for f := range fates {
		if seen[f] == 0 {
			t.Errorf("no object was %s", f)
		}
	}
}

type one struct {
	create, mod int64
	value       []byte
}

func whole(t *testing.T, s *snapshot.Snapshot, rev int64) map[string]one {
	t.Helper()
	v, err := s.At(rev)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]one{}
	for r := range v.Keys("") {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		all[r.Key] = one{r.CreateRevision, r.Main, value}
	}
	return all
}

// TestCompareBackwards turns the two states of every pair there is round: what was
// added is removed, and nothing else changes.
func TestCompareBackwards(t *testing.T) {
	backups, err := filepath.Glob("../../testdata/clusters/*/*/backup.db.gz")
	if err != nil || len(backups) == 0 {
		t.Fatalf("no pairs: %v", err)
	}
	turned := map[Fate]Fate{Added: Removed, Removed: Added, Recreated: Recreated, Changed: Changed, Quiet: Quiet}
	for _, path := range backups {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			read := func(name string) *snapshot.Snapshot {
				s, err := snapshot.Open(t.Context(), filepath.Join(filepath.Dir(path), name), snapshot.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				return s
			}
			b, c := read("backup.db.gz"), read("current.db.gz")
			forth, back := compare(t, State{b, 0}, State{c, 0}, 0), compare(t, State{c, 0}, State{b, 0}, 0)
			var want []Object
			for _, o := range forth.Objects {
				o.Before, o.After, o.Fate = o.After, o.Before, turned[o.Fate]
				want = append(want, o)
			}
			if d := cmp.Diff(want, back.Objects); d != "" {
				t.Error(d)
			}
			if forth.Same != back.Same || forth.Same == 0 {
				t.Errorf("%d are the same, %d the other way round", forth.Same, back.Same)
			}
			for i, o := range forth.Objects {
				if o.Problem != "" && (o.Fate != Changed || !strings.HasPrefix(o.Problem, "encrypted by")) {
					t.Errorf("%s is %s: %s", o.Key, o.Fate, o.Problem)
				}
				if d := forth.Difference(i); len(d.Changes) == 0 || (o.Fate == Quiet) != d.Quiet() {
					t.Errorf("%s is %s, and reads %+v", o.Key, o.Fate, d)
				}
			}
		})
	}
}

func TestCompareSelf(t *testing.T) {
	_, c := demoPair(t)
	got := compare(t, State{c, 0}, State{c, 0}, 0)
	if got.Differ() || len(got.Objects) > 0 || got.Same == 0 {
		t.Errorf("%d objects differ from themselves, %d do not", len(got.Objects), got.Same)
	}
}

func TestCompareRefuses(t *testing.T) {
	_, c := demoPair(t)
	if _, err := Compare(t.Context(), State{c, 0}, State{c, c.Revision() + 1}, Options{}); !errors.Is(err, snapshot.ErrFuture) {
		t.Errorf("error %v for a revision to come", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	plain, err := Compare(ctx, State{c, 1}, State{c, 0}, Options{Prefix: "/registry"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := plain.Sift(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v when cancelled", err)
	}
}

// TestGroups holds the tree against the list.
func TestGroups(t *testing.T) {
	b, c := demoPair(t)
	got := compare(t, State{b, 0}, State{c, 0}, b.Revision())
	var all Counts
	seen := map[int32]bool{}
	for _, resource := range got.Within {
		var of Counts
		for _, space := range resource.Within {
			for i := range of {
				of[i] += space.Counts[i]
			}
			if len(space.Objects) != space.Total() {
				t.Errorf("%s in %q counts %d and has %d", resource.Name, space.Name, space.Total(), len(space.Objects))
			}
			for _, i := range space.Objects {
				k := got.Name(int(i))
				if seen[i] || k.Namespace != space.Name || resourceOf(k) != resource.Name {
					t.Errorf("%v is in %s of %q", k, resource.Name, space.Name)
				}
				seen[i] = true
			}
		}
		if of != resource.Counts {
			t.Errorf("%s counts %v, its namespaces %v", resource.Name, resource.Counts, of)
		}
		for i := range all {
			all[i] += of[i]
		}
	}
	if all != got.Counts || len(seen) != len(got.Objects) {
		t.Errorf("%v in all, %v in resources; %d of %d objects", got.Counts, all, len(seen), len(got.Objects))
	}
}

// oldService is a Service as Kubernetes 1.19 encodes one: with a cluster name, "-" for
// an empty one and "" for none, and a topology key.
func oldService(cluster, topology string) string {
	field := func(number int, data string) string {
		b := binary.AppendUvarint(nil, uint64(number)<<3|2)
		return string(binary.AppendUvarint(b, uint64(len(data)))) + data
	}
	meta := field(1, "a")
	if cluster != "" {
		meta += field(15, strings.Trim(cluster, "-"))
	}
	raw := field(1, meta) + field(2, field(3, "10.0.0.1")+field(16, topology))
	return "k8s\x00" + field(1, field(1, "v1")+field(2, "Service")) + field(2, raw)
}

// TestStored tells objects apart as API servers store them.
func TestStored(t *testing.T) {
	secret := func(password string) string {
		return `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","uid":"1","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"` + password + `"}},"data":{"password":"` + password + `","user":"YQ=="}}`
	}
	lease := func(holder, renewed string) string {
		return `{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a","uid":"1"},"spec":{"holderIdentity":"` + holder + `","renewTime":"` + renewed + `"}}`
	}
	leader := func(holder, renewed string) string {
		return `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","annotations":{"control-plane.alpha.kubernetes.io/leader":"{\"holderIdentity\":\"` + holder + `\",\"renewTime\":\"` + renewed + `\"}"}}}`
	}
	for _, test := range []struct {
		name, key, before, after string
		want                     Difference
	}{
		{"a renewed lease", "/registry/leases/n/a", lease("x", "2026-01-01T00:00:00.000000Z"), lease("x", "2026-01-01T00:00:10.000000Z"),
			Difference{Changes: []Change{{"spec.renewTime", `"2026-01-01T00:00:00.000000Z"`, `"2026-01-01T00:00:10.000000Z"`, Renewal}}}},
		{"a lease with another holder", "/registry/leases/n/a", lease("x", "2026-01-01T00:00:00.000000Z"), lease("y", "2026-01-01T00:00:10.000000Z"),
			Difference{Changes: []Change{{"spec.holderIdentity", `"x"`, `"y"`, 0}, {"spec.renewTime", `"2026-01-01T00:00:00.000000Z"`, `"2026-01-01T00:00:10.000000Z"`, Renewal}}}},
		{"a leader that renews", "/registry/configmaps/n/a", leader("x", "1"), leader("x", "2"),
			Difference{Changes: []Change{{leaderAnnotation, `"{\"holderIdentity\":\"x\",\"renewTime\":\"1\"}"`, `"{\"holderIdentity\":\"x\",\"renewTime\":\"2\"}"`, Leader}}}},
		{"another leader", "/registry/configmaps/n/a", leader("x", "1"), leader("y", "2"),
			Difference{Changes: []Change{{leaderAnnotation, `"{\"holderIdentity\":\"x\",\"renewTime\":\"1\"}"`, `"{\"holderIdentity\":\"y\",\"renewTime\":\"2\"}"`, 0}}}},
		{"a cluster name that an upgrade drops", "/registry/pods/n/a", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","clusterName":"east"}}`, `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`,
			Difference{Changes: []Change{{"metadata.clusterName", `"east"`, "", Outdated}}}},
		{"another topology", "/registry/services/specs/n/a", oldService("", "zone"), oldService("", "host"),
			Difference{Changes: []Change{{"spec.topologyKeys[0]", `"zone"`, `"host"`, 0}}}},
		{"metadata that later encoders leave out", "/registry/services/specs/n/a", oldService("east", "zone"), oldService("", "zone"),
			Difference{Changes: []Change{{"metadata.clusterName", `"east"`, "", Outdated}}}},
		{"the same, empty", "/registry/services/specs/n/a", oldService("-", "zone"), oldService("", "zone"),
			Difference{Changes: []Change{{"", `"protobuf"`, `"protobuf"`, Reencoded}}}},
		{"a custom resource called Lease", "/registry/example.com/leases/n/a", `{"apiVersion":"example.com/v1","kind":"Lease","spec":{"renewTime":"1"}}`, `{"apiVersion":"example.com/v1","kind":"Lease","spec":{"renewTime":"2"}}`,
			Difference{Changes: []Change{{"spec.renewTime", `"1"`, `"2"`, 0}}}},
		{"a node's heartbeat", "/registry/minions/a", `{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:00:00Z"}]}}`,
			`{"apiVersion":"v1","kind":"Node","metadata":{"name":"a"},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:05:00Z"}]}}`,
			Difference{Changes: []Change{{"status.conditions[type=Ready].lastHeartbeatTime", `"2026-01-01T00:00:00Z"`, `"2026-01-01T00:05:00Z"`, Heartbeat}}}},
		{"an event again", "/registry/events/n/a", `{"apiVersion":"v1","kind":"Event","metadata":{"name":"a"},"count":1}`, `{"apiVersion":"v1","kind":"Event","metadata":{"name":"a"},"count":2}`,
			Difference{Changes: []Change{{"count", "1", "2", Repetition}}}},
		{"an API server's lease", "/registry/masterleases/10.0.0.1", `{"apiVersion":"v1","kind":"Endpoints","metadata":{"generation":1}}`, `{"apiVersion":"v1","kind":"Endpoints","metadata":{"generation":2}}`,
			Difference{Changes: []Change{{"metadata.generation", "1", "2", Identity}}}},
		{"a generation", "/registry/example.com/widgets/n/a", `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"generation":1}}`, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"generation":2}}`,
			Difference{Changes: []Change{{"metadata.generation", "1", "2", 0}}}},
		{"another object", "/registry/example.com/widgets/n/a", `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"uid":"1"}}`, `{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"uid":"2"}}`,
			Difference{Recreated: true, Changes: []Change{{"metadata.uid", `"1"`, `"2"`, 0}}}},
		{"written otherwise", "/registry/example.com/widgets/n/a", `{"apiVersion":"example.com/v1","kind":"Widget"}`, `{"kind":"Widget","apiVersion":"example.com/v1"}`,
			Difference{Changes: []Change{{"", `"JSON"`, `"JSON"`, Reencoded}}}},
		{"a secret of the same length", "/registry/secrets/n/a", secret("aHVudGVyMQ=="), secret("aHVudGVyMg=="),
			Difference{Changes: []Change{
				{"data.password", `"<redacted, 7 bytes>"`, `"<redacted, 7 bytes>, not the same"`, 0},
				{`metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`, `"<redacted, 12 bytes>"`, `"<redacted, 12 bytes>, not the same"`, 0},
			}}},
		{"encrypted", "/registry/secrets/n/a", "k8s:enc:aescbc:v1:key1:0123456789abcdef", "k8s:enc:aescbc:v1:key1:fedcba9876543210",
			Difference{Problem: "encrypted by aescbc with key \"key1\"", Changes: []Change{{"", "<stored bytes>", "<other stored bytes>", 0}}}},
		{"unreadable bytes of a secret", "/registry/secrets/n/a", "\x01\x02", "\x01\x03",
			Difference{Problem: "in no encoding of an API server", Changes: []Change{{"", "<stored bytes>", "<other stored bytes>", 0}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Stored("/registry", test.key, []byte(test.before), []byte(test.after))
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
			back := Stored("/registry", test.key, []byte(test.after), []byte(test.before))
			if got.Quiet() != back.Quiet() || got.Noise() != back.Noise() || len(got.Changes) != len(back.Changes) {
				t.Errorf("the other way round it is %v", back)
			}
		})
	}
	for _, side := range [][2][]byte{{[]byte(secret("aHVudGVyMQ==")), nil}, {nil, []byte(secret("aHVudGVyMQ=="))}} {
		d := Stored("/registry", "/registry/secrets/n/a", side[0], side[1])
		for _, c := range d.Changes {
			if strings.Contains(c.Before+c.After, "aHVudGVy") {
				t.Errorf("a secret is shown: %v", c)
			}
		}
		if len(d.Changes) == 0 || d.Quiet() {
			t.Errorf("nothing is said about a secret that was added or removed: %v", d)
		}
	}
}

// FuzzStored compares any two values: nothing is said about values that are the same,
// and of others something is; a Secret's content is not.
func FuzzStored(f *testing.F) {
	b, _ := demoPair(f)
	n := 0
	for r := range b.Keys("") {
		if v, err := b.Value(r); err == nil && n%20 == 0 {
			f.Add(r.Key, v, bytes.ReplaceAll(v, []byte("a"), []byte("b")))
		}
		n++
	}
	for _, noisy := range []string{"1", "2"} {
		f.Add("/registry/leases/n/a", []byte(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","spec":{"renewTime":"2026-01-01T00:00:00.000000Z"}}`),
			[]byte(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","spec":{"renewTime":"2026-01-01T00:00:0`+noisy+`.000000Z"}}`))
	}
	f.Fuzz(func(t *testing.T, key string, before, after []byte) {
		if before == nil || after == nil {
			return
		}
		d := Stored("/registry", key, bytes.Clone(before), bytes.Clone(after))
		if same := bytes.Equal(before, after); same != (len(d.Changes) == 0) {
			t.Fatalf("same %v: %v", same, d)
		}
		for i := range d.Changes {
			d.Changes[i].Lines(2)
		}
		fate, noise, problem := verdict("/registry", key, bytes.Clone(before), bytes.Clone(after))
		if (fate == Recreated) != d.Recreated || problem != d.Problem || fate == Quiet && !d.Quiet() || fate == Quiet && noise == 0 {
			t.Fatalf("sifting finds %s (%s, %s), reading %v", fate, noise, problem, d)
		}
	})
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		name, before, after string
		want                []Line
	}{
		{"a number", "1", "2", []Line{{Replaced, "1", "2", 0}}},
		{"added", "", `"a"`, []Line{{In, "", `"a"`, 0}}},
		{"an object removed", `{"b":[{"c":1,"d":"x"}],"a":{}}`, "", []Line{{Out, "a: {}", "", 0}, {Out, "b:", "", 0}, {Out, "  - c: 1", "", 0}, {Out, `    d: "x"`, "", 0}}},
		{"a file", `"1\n2\n3\n4\n5\n6\n"`, `"1\n2\n3\n4\nfive\n6\nnew\n"`, []Line{
			{Folded, "", "", 3}, {Kept, "4", "4", 0}, {Replaced, "5", "five", 0}, {Kept, "6", "6", 0}, {In, "", "new", 0}, {Kept, "", "", 0},
		}},
		{"no JSON", "<stored bytes>", "<other stored bytes>", []Line{{Replaced, "<stored bytes>", "<other stored bytes>", 0}}},
		{"names that would be misread", `{"a: b":1,"":2}`, "", []Line{{Out, `"": 2`, "", 0}, {Out, `"a: b": 1`, "", 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Change{Before: test.before, After: test.after}
			if d := cmp.Diff(test.want, c.Lines(1)); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzLines takes texts apart: the lines give both of them back.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\nc", "a\nc\nd")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, before, after string) {
		b, a := strings.Split(before, "\n"), strings.Split(after, "\n")
		var x, y []string
		for _, l := range match(b, a) {
			if l.Op != In {
				x = append(x, l.Before)
			}
			if l.Op != Out {
				y = append(y, l.After)
			}
			if (l.Op == Kept) != (l.Op != In && l.Op != Out && l.Before == l.After) {
				t.Fatalf("%q is said to be %q of %q", l.Before, l.Op, l.After)
			}
		}
		if d := cmp.Diff([][]string{b, a}, [][]string{x, y}); d != "" {
			t.Error(d)
		}
	})
}

// BenchmarkSift measures reading the objects that were changed.
func BenchmarkSift(b *testing.B) {
	x, y := demoPair(b)
	c, err := Compare(b.Context(), State{x, 0}, State{y, 0}, Options{Prefix: "/registry"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Sift(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*c.Counts[Changed]), "µs/object")
}

// BenchmarkCompareMillion compares two states of a snapshot that `go run ./bench`
// makes, where there is one.
func BenchmarkCompareMillion(b *testing.B) {
	path := os.Getenv("REVENANT_BENCH_SNAPSHOT")
	if path == "" {
		b.Skip("REVENANT_BENCH_SNAPSHOT names no snapshot")
	}
	s, err := snapshot.Open(b.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		c, err := Compare(b.Context(), State{s, s.Revision() / 2}, State{s, 0}, Options{Prefix: "/registry"})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(c.Objects)), "objects")
	}
}
