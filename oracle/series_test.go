package oracle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/history"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
	"revenant/oracle/fixture"
)

// cluster is an etcd that is written to for hours, compacted every five minutes as API
// servers do, and saved every hour.
type cluster struct {
	*testing.T
	rng    *rand.Rand
	now    time.Time
	store  *fixture.Store
	model  *fixture.Model
	recent []int64 // the revision at each of the last minutes
	saves  *[]hourly
	dir    string

	parent *cluster
	common int64 // with the parent
}

// hourly is a snapshot, and what is true of it.
type hourly struct {
	path          string
	of            *cluster
	head, compact int64
}

func (c *cluster) object(kind, name, more string) string {
	stamp := c.now.Format(time.RFC3339)
	return fmt.Sprintf(`{"apiVersion":"v1","kind":%q,"metadata":{"name":%q,"namespace":"shop","uid":"%s-%d","creationTimestamp":%q,"managedFields":[{"manager":"m","operation":"Update","apiVersion":"v1","time":%q,"fieldsType":"FieldsV1","fieldsV1":{}}]}%s}`,
		kind, name, name, c.model.Head(), stamp, stamp, more)
}

// minute renews three Leases, and changes something now and then.
func (c *cluster) minute() {
	for node := range 3 {
		name := fmt.Sprintf("node-%d", node)
		lease := fmt.Sprintf(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":%q,"namespace":"kube-node-lease"},"spec":{"renewTime":%q}}`, name, c.now.Format("2006-01-02T15:04:05.000000Z07:00"))
		c.model.Apply(c.store, fixture.Op{Key: "/registry/leases/kube-node-lease/" + name, Value: lease})
	}
	if c.rng.IntN(6) == 0 {
		name := fmt.Sprintf("c%02d", c.rng.IntN(30))
		op := fixture.Op{Key: "/registry/configmaps/shop/" + name, Delete: c.rng.IntN(3) == 0}
		if !op.Delete {
			op.Value = c.object("ConfigMap", name, fmt.Sprintf(`,"data":{"n":"%d"}`, c.rng.Int64()))
		}
		c.model.Apply(c.store, op)
	}
	c.now = c.now.Add(time.Minute)
	if c.recent = append(c.recent, c.model.Head()); len(c.recent) > 5 {
		c.recent = c.recent[1:]
	}
	if c.now.Minute()%5 == 0 && len(c.recent) == 5 && c.recent[0] > c.store.FirstRev() {
		if err := c.store.CompactTo(c.recent[0]); err != nil {
			c.Fatal(err)
		}
	}
}

// hours passes some hours, and saves at the end of each.
func (c *cluster) hours(n int) *cluster {
	for range n {
		for range 60 {
			c.minute()
		}
		path := filepath.Join(c.dir, fmt.Sprintf("%02d.db", len(*c.saves)))
		if err := c.store.Save(path, true); err != nil {
			c.Fatal(err)
		}
		*c.saves = append(*c.saves, hourly{path, c, c.model.Head(), max(c.store.FirstRev(), 0)})
	}
	return c
}

// restored is the cluster that goes on with a snapshot, now.
func (c *cluster) restored(from hourly, bump uint64) *cluster {
	dir := filepath.Join(c.TempDir(), "data")
	if err := fixture.Restore(from.path, dir, bump); err != nil {
		c.Fatal(err)
	}
	n := &cluster{T: c.T, rng: c.rng, now: c.now.Add(10 * time.Minute).Truncate(time.Minute), saves: c.saves, dir: c.dir, parent: from.of, common: from.head}
	n.store = fixture.OpenStore(filepath.Join(dir, "member", "snap", "db"))
	n.Cleanup(func() { n.store.Close() })
	n.model = from.of.model.Until(from.head)
	n.model.Jump(n.store.Rev())
	return n
}

// shared is the newest revision that two saves have in common.
func shared(a, b hourly) int64 {
	limits := map[*cluster]int64{}
	limit := a.head
	for c := a.of; c != nil; c = c.parent {
		limits[c] = limit
		limit = min(limit, c.common)
	}
	limit = b.head
	for c := b.of; c != nil; c = c.parent {
		if l, ok := limits[c]; ok {
			return min(l, limit)
		}
		limit = min(limit, c.common)
	}
	return 0
}

// TestSeries reads fifty hourly snapshots of one cluster with two restores and a fork, and
// wants the history, the states and the holes that were written.
func TestSeries(t *testing.T) {
	var saves []hourly
	c := &cluster{T: t, rng: rand.New(rand.NewPCG(7, 0)), now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), model: &fixture.Model{}, saves: &saves, dir: t.TempDir()}
	c.store = fixture.OpenStore(filepath.Join(t.TempDir(), "db"))
	t.Cleanup(func() { c.store.Close() })
	c.model.Apply(c.store, fixture.Op{Key: "/registry/namespaces/kube-system", Value: c.object("Namespace", "kube-system", "")})
	c.hours(16)
	second := c.restored(saves[11], 0)
	second.hours(14)
	third := second.restored(saves[26], 5000)
	third.hours(10)
	fork := third.restored(saves[38], 0)
	fork.hours(5)
	third.hours(5)
	if len(saves) != 50 {
		t.Fatalf("%d snapshots", len(saves))
	}

	at := map[string]hourly{}
	var sources []series.Source
	for i := range saves {
		path := saves[i].path
		at[path] = saves[i]
		sources = append(sources, series.Source{
			Name: path,
			Look: func(ctx context.Context) (*snapshot.Glance, error) {
				return snapshot.Look(ctx, path, snapshot.Options{})
			},
			Open: func(ctx context.Context) (*snapshot.Snapshot, error) {
				return snapshot.Open(ctx, path, snapshot.Options{SkipHashCheck: true})
			},
		})
	}
	c.rng.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	s, err := series.New(t.Context(), sources, series.Options{Prefix: func(context.Context, *snapshot.Snapshot) (string, error) { return "/registry", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(s.Members) != len(saves) || len(s.Left) > 0 {
		t.Fatalf("%d members, left are %v", len(s.Members), s.Left)
	}
	truth := func(i int) hourly { return at[s.Members[i].Name] }
	checkBranches(t, s, truth)
	for branch := range s.Branches {
		path := s.Path(branch)
		tip := truth(path[len(path)-1].Member)
		checkHoles(t, s, branch, tip, truth)
		checkStates(t, s, branch, tip, c.rng)
		checkHistories(t, s, branch, tip)
	}
	if got := truth(s.Newest()); got.path != saves[44].path {
		t.Errorf("the newest is %s", got.path)
	}
}

func checkBranches(t *testing.T, s *series.Series, truth func(int) hourly) {
	t.Helper()
	for i := range s.Members {
		for j := range i {
			if want, got := shared(truth(i), truth(j)), s.Shared(i, j); got != want {
				t.Errorf("%s and %s share %d, want %d", s.Members[i].Name, s.Members[j].Name, got, want)
			}
		}
	}
	hows := map[series.How]int{}
	for i := range s.Branches {
		hows[s.Branches[i].How]++
	}
	if diff := cmp.Diff(map[series.How]int{"": 1, series.Restore: 2, series.Fork: 1}, hows); diff != "" {
		t.Errorf("branches (-want):\n%s%+v", diff, s.Branches)
	}
}

// checkHoles wants the revisions of no hole to be those that a member holds.
func checkHoles(t *testing.T, s *series.Series, branch int, tip hourly, truth func(int) hourly) {
	t.Helper()
	held := make([]bool, tip.head+2)
	for i := range s.Members {
		m := truth(i)
		for rev := max(m.compact, 1); rev <= shared(m, tip); rev++ {
			held[rev] = true
		}
	}
	got := slices.Repeat([]bool{true}, len(held))
	got[0], got[tip.head+1] = false, false
	for rev := range s.Members[s.Path(branch)[0].Member].CompactRevision {
		got[rev] = false
	}
	for _, h := range s.Holes(branch) {
		for rev := h.After + 1; rev < h.Before; rev++ {
			got[rev] = false
		}
	}
	for rev := range held {
		if _, err := s.At(branch, int64(rev)); rev > 0 && (err == nil) != got[rev] {
			t.Fatalf("branch %d: revision %d is in a hole: %v, and %v", branch, rev, !got[rev], err)
		}
		if got[rev] != held[rev] {
			t.Fatalf("branch %d: a file holds revision %d: %v", branch, rev, held[rev])
		}
	}
}

func checkStates(t *testing.T, s *series.Series, branch int, tip hourly, rng *rand.Rand) {
	t.Helper()
	states := 0
	for range 60 {
		revision := 1 + rng.Int64N(tip.head)
		i, err := s.At(branch, revision)
		var hole *series.HoleError
		if errors.As(err, &hole) {
			continue
		}
		states++
		opened, err := s.Open(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		view, err := opened.At(revision)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for r := range view.Keys("") {
			value, err := opened.Value(r)
			if err != nil {
				t.Fatal(err)
			}
			got[r.Key] = string(value)
		}
		want := map[string]string{}
		for key, e := range tip.of.model.State(revision) {
			want[key] = e.Value
		}
		if !maps.Equal(want, got) {
			t.Errorf("branch %d, revision %d: %d keys, want %d", branch, revision, len(got), len(want))
		}
	}
	if states == 0 {
		t.Error("no state was compared")
	}
}

// checkHistories wants every revision that is in a file, and what is in none to be counted.
func checkHistories(t *testing.T, s *series.Series, branch int, tip hourly) {
	t.Helper()
	written := map[string][]fixture.Event{}
	for _, e := range tip.of.model.Events {
		if e.Main <= tip.head {
			written[e.Key] = append(written[e.Key], e)
		}
	}
	r := s.Reader(t.Context(), branch)
	unseen, gone := int64(0), 0
	for key, events := range written {
		h, err := r.Read(t.Context(), key, false)
		if err != nil {
			t.Fatal(err)
		}
		n := 0 // events up to the entry before
		for i := range h.Entries {
			e := &h.Entries[i]
			at := slices.IndexFunc(events, func(w fixture.Event) bool { return w.Main == e.Main })
			if at < 0 || events[at].Tombstone != e.Tombstone || events[at].Version != e.Version {
				t.Fatalf("%s: revision %d was not written so: %+v", key, e.Main, e.Record)
			}
			missed := events[n:at]
			begun := slices.IndexFunc(missed, func(w fixture.Event) bool { return w.Main >= e.CreateRevision })
			if !e.Tombstone {
				own := int64(0)
				if begun >= 0 {
					own = int64(len(missed) - begun)
				}
				if e.Unseen != own {
					t.Errorf("%s: before revision %d are %d unseen, want %d", key, e.Main, e.Unseen, own)
				}
				unseen += own
			}
			checkGone(t, key, e.Gone, missed)
			if e.Gone != nil {
				gone++
			}
			n = at + 1
		}
		switch last := events[len(events)-1]; {
		case len(h.Entries) == 0:
		case h.Gone != nil:
			checkGone(t, key, h.Gone, events[n:])
			gone++
		case last.Tombstone != (h.Entries[len(h.Entries)-1].What == history.Deleted):
			t.Errorf("%s: its last revision %d deleted it: %v, and the history has %+v", key, last.Main, last.Tombstone, h.Entries[len(h.Entries)-1].Record)
		}
	}
	if unseen == 0 || gone == 0 {
		t.Errorf("branch %d: %d unseen revisions, %d unseen deletions: nothing was compared", branch, unseen, gone)
	}
}

// checkGone wants the deletion that is said to lie between two revisions to be among those
// that were missed.
func checkGone(t *testing.T, key string, g *history.Gone, missed []fixture.Event) {
	t.Helper()
	if g == nil {
		return
	}
	if !slices.ContainsFunc(missed, func(w fixture.Event) bool { return w.Tombstone && w.Main > g.After && w.Main <= g.Before }) {
		t.Errorf("%s: nothing deleted it between %d and %d", key, g.After, g.Before)
	}
}
