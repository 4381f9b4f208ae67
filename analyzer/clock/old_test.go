package clock

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// stored is an object as an API server stores it.
func stored(t *testing.T, key, apiVersion, kind string, o interface{ Marshal() ([]byte, error) }) snapshottest.Change {
	t.Helper()
	raw, err := o.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	value, err := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: raw}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snapshottest.Put("/registry/"+key, "k8s\x00"+string(value))
}

// TestRenewals: every version of a Lease that is retained tells when it was renewed.
func TestRenewals(t *testing.T) {
	renewed := func(name string, seconds float64) snapshottest.Change {
		when := metav1.NewMicroTime(at(seconds))
		return stored(t, "leases/kube-node-lease/"+name, "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: name},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &when},
		})
	}
	s := snapshottest.Store(t, renewed("a", 0), renewed("a", 10), renewed("b", 15), renewed("a", 20), renewed("b", 25))
	c, err := Build(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Summary().Marks[Renewal]; got != 5 {
		t.Errorf("%d marks, want 5", got)
	}
}

// TestOf: of some records, Leases tell when they were renewed, and all others when they were
// created.
func TestOf(t *testing.T) {
	renewed := metav1.NewMicroTime(at(20))
	lease := stored(t, "leases/kube-node-lease/n", "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: "n", CreationTimestamp: metav1.NewTime(at(0))},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &renewed},
	})
	config := stored(t, "configmaps/ns/c", "v1", "ConfigMap", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", CreationTimestamp: metav1.NewTime(at(10))}})
	for _, tt := range []struct {
		name    string
		changes []snapshottest.Change
		want    map[Source]int
	}{
		{"none", nil, map[Source]int{}},
		{"a Lease", []snapshottest.Change{lease}, map[Source]int{Renewal: 1}},
		{"another object", []snapshottest.Change{config}, map[Source]int{Creation: 1}},
		{"a deletion", []snapshottest.Change{config, snapshottest.Delete(config.Key)}, map[Source]int{Creation: 1}},
		{"what is not below the prefix", []snapshottest.Change{snapshottest.Put("/other/configmaps/ns/c", string(config.Value))}, map[Source]int{}},
		{"both", []snapshottest.Change{config, lease}, map[Source]int{Creation: 1, Renewal: 1}},
	} {
		s := snapshottest.Store(t, tt.changes...)
		c, err := Of(t.Context(), func(yield func(snapshot.Record, []byte) bool) {
			for r := range s.Records() {
				value, err := s.Value(r)
				if err != nil {
					t.Error(err)
				}
				if !yield(r, value) {
					return
				}
			}
		}, s.Revision(), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, c.Summary().Marks); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

// TestWithoutLeases reads the time of a cluster in which nothing renews a Lease.
func TestWithoutLeases(t *testing.T) {
	created := metav1.NewTime(at(0))
	node := func(name string, heartbeat time.Time) snapshottest.Change {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: created}}
		n.Status.Conditions = []corev1.NodeCondition{{Type: "OutOfDisk"}, {Type: corev1.NodeReady, LastHeartbeatTime: metav1.NewTime(heartbeat)}}
		return stored(t, "minions/"+name, "v1", "Node", n)
	}
	leader := func(renewed time.Time) snapshottest.Change {
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "scheduler", CreationTimestamp: created}}
		o.Annotations = map[string]string{leaderKey: fmt.Sprintf(`{"holderIdentity":"a","renewTime":%q}`, renewed.Format(time.RFC3339))}
		return stored(t, "configmaps/kube-system/scheduler", "v1", "ConfigMap", o)
	}
	var changes []snapshottest.Change
	for second := range 100 {
		if second%2 == 0 {
			changes = append(changes, leader(at(float64(second))))
		}
		if second%10 == 0 {
			changes = append(changes, node("n", at(float64(second))), node("silent", at(-600))) // written by another
		}
	}
	silent := stored(t, "minions/new", "v1", "Node", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "new"}}) // it has not reported yet
	changes = append(changes, silent, silent, snapshottest.Put("/registry/minions/broken", "not an object"))
	s := snapshottest.Store(t, changes...)
	c, err := Build(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	sum := c.Summary()
	if sum.Marks[Leader] != 49 || sum.Marks[Heartbeat] != 9 || sum.Marks[Report] == 0 || sum.Rejected != 0 {
		t.Errorf("marks %v, %d rejected", sum.Marks, sum.Rejected)
	}
	if want := (Interval{at(98), at(118)}); c.Taken() != want {
		t.Errorf("taken %v", c.Taken())
	}
	if r, ok := c.Rate(); !ok || r.Mean < 0.5 || r.Mean > 0.9 {
		t.Errorf("rate %+v, %v", r, ok)
	}

	created = metav1.Time{} // long ago
	// A report is a heartbeat that came not much later than it should.
	for seconds, want := range map[float64]int{20: 1, 21: 0} {
		if c, err = Build(t.Context(), snapshottest.Store(t, node("n", at(0)), node("n", at(seconds))), "/registry"); err != nil {
			t.Fatal(err)
		}
		if got := c.Summary().Marks[Heartbeat]; got != want {
			t.Errorf("after %v s: %d heartbeats, want %d", seconds, got, want)
		}
	}
	// One version of each tells no more than that it was written later.
	s = snapshottest.Store(t, leader(at(98)), node("n", at(90)))
	if c, err = Build(t.Context(), s, "/registry"); err != nil {
		t.Fatal(err)
	}
	if sum := c.Summary(); sum.Marks[Report] != 2 || sum.Marks[Leader]+sum.Marks[Heartbeat] != 0 {
		t.Errorf("marks %v", sum.Marks)
	}
	if taken := c.Taken(); !taken.To.IsZero() {
		t.Errorf("taken %v", taken)
	}
}

// TestEvents: where no Lease tells a time, an event that is written again tells that it had
// occurred by then. What is no object's key tells nothing.
func TestEvents(t *testing.T) {
	event := func(seconds float64) snapshottest.Change {
		return stored(t, "events/ns/e", "v1", "Event", &corev1.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "e"}, LastTimestamp: metav1.NewTime(at(seconds))})
	}
	renewed := metav1.NewMicroTime(at(20))
	lease := stored(t, "leases/kube-node-lease/n", "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: "n"}, Spec: coordinationv1.LeaseSpec{RenewTime: &renewed},
	})
	config := stored(t, "configmaps/ns/c", "v1", "ConfigMap", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", CreationTimestamp: metav1.NewTime(at(10))}})
	for _, tt := range []struct {
		name    string
		changes []snapshottest.Change
		want    map[Source]int
	}{
		{"once", []snapshottest.Change{event(5)}, map[Source]int{}},
		{"twice", []snapshottest.Change{event(5), event(15)}, map[Source]int{Report: 1}},
		{"twice, beside a Lease", []snapshottest.Change{event(5), event(15), lease}, map[Source]int{Renewal: 1}},
		{"a Lease that was never renewed", []snapshottest.Change{stored(t, "leases/kube-node-lease/m", "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: "m"}})}, map[Source]int{}},
		{"an object", []snapshottest.Change{config, snapshottest.Delete(config.Key)}, map[Source]int{Creation: 1}},
		{"what is not below the prefix", []snapshottest.Change{snapshottest.Put("/other/configmaps/ns/c", string(config.Value))}, map[Source]int{}},
	} {
		c, err := Build(t.Context(), snapshottest.Store(t, tt.changes...), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		if s := c.Summary(); !cmp.Equal(tt.want, s.Marks) || s.Rejected != 0 {
			t.Errorf("%s: %s, %d rejected", tt.name, cmp.Diff(tt.want, s.Marks), s.Rejected)
		}
	}
}

// TestMany: of very many that renew, as many are read as it takes, and the newest version
// of each first.
func TestMany(t *testing.T) {
	when := metav1.NewMicroTime(at(0))
	lease := func(name string) snapshottest.Change {
		return stored(t, "leases/kube-node-lease/"+name, "coordination.k8s.io/v1", "Lease", &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-node-lease", Name: name}, Spec: coordinationv1.LeaseSpec{RenewTime: &when}})
	}
	leader := func(name string, seconds float64) snapshottest.Change {
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name}}
		o.Annotations = map[string]string{leaderKey: fmt.Sprintf(`{"renewTime":%q}`, at(seconds).Format(time.RFC3339))}
		return stored(t, "configmaps/kube-system/"+name, "v1", "ConfigMap", o)
	}
	var leases, leaders []snapshottest.Change
	for i := range maxRenewals + 3 {
		leases = append(leases, lease(fmt.Sprint("n", i)))
	}
	for _, seconds := range []float64{0, 2} {
		for i := range maxRenewals + 3 {
			leaders = append(leaders, leader(fmt.Sprint("l", i), seconds))
		}
	}
	var long []snapshottest.Change
	for range maxRenewals {
		long = append(long, lease("n"))
	}
	for _, tt := range []struct {
		name    string
		changes []snapshottest.Change
		source  Source
		want    int
	}{
		{"Leases", leases, Renewal, maxRenewals},
		{"versions of one Lease, beside another", append(long, lease("m"), lease("m")), Renewal, maxRenewals},
		{"leaders", leaders, Leader, maxRenewals},
	} {
		c, err := Build(t.Context(), snapshottest.Store(t, tt.changes...), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Summary().Marks[tt.source]; got != tt.want {
			t.Errorf("%s: %d marks, want %d", tt.name, got, tt.want)
		}
	}
}

// TestChanged: when its fields were last managed dates a later write of an object, and not
// the one that made it.
func TestChanged(t *testing.T) {
	written := func(seconds float64) snapshottest.Change {
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c", CreationTimestamp: metav1.NewTime(at(0))}}
		when := metav1.NewTime(at(seconds))
		long := metav1.NewTime(at(-600))
		o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m", Time: &when}, {Manager: "timeless"}, {Manager: "old", Time: &long}}
		return stored(t, "configmaps/ns/c", "v1", "ConfigMap", o)
	}
	for writes, want := range []int{0, 0, 1, 2} {
		var changes []snapshottest.Change
		for i := range writes {
			changes = append(changes, written(float64(10*i)))
		}
		c, err := Build(t.Context(), snapshottest.Store(t, changes...), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Summary().Marks[Change]; got != want {
			t.Errorf("%d writes give %d marks, want %d", writes, got, want)
		}
		if last := c.Taken().From; writes > 1 && !last.Equal(at(float64(10*(writes-1)))) {
			t.Errorf("%d writes: the last one came after %v", writes, last)
		}
	}
}
