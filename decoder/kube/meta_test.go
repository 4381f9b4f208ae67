package kube

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/decoder/wire"
)

// metaOfTyped takes from a decoded object what ScanMeta reads.
func metaOfTyped(t *testing.T, o *Object) Meta {
	t.Helper()
	m, err := meta.Accessor(o.Typed)
	if err != nil {
		t.Fatal(err)
	}
	want := Meta{APIVersion: o.APIVersion, Kind: o.Kind, UID: string(m.GetUID()), Finalizers: m.GetFinalizers()}
	if at := m.GetCreationTimestamp(); !at.IsZero() {
		want.Created = at.UTC()
	}
	if at := m.GetDeletionTimestamp(); at != nil {
		want.Deleted = at.UTC()
	}
	return want
}

func TestScanMetaOfSnapshots(t *testing.T) {
	deleted, typed := 0, 0
	for _, r := range records(t) {
		o := Decode(Key{}, r.value)
		if o.Typed == nil || o.Kind == "Endpoints" || o.Kind == "RangeAllocation" {
			continue
		}
		typed++
		got, err := ScanMeta(r.value)
		if err != nil {
			t.Fatalf("%s: %s: %v", r.file, r.key, err)
		}
		if diff := cmp.Diff(metaOfTyped(t, o), got); diff != "" {
			t.Errorf("%s: %s (-):\n%s", r.file, r.key, diff)
		}
		if !got.Deleted.IsZero() {
			deleted++
		}
	}
	if typed < 10_000 || deleted == 0 {
		t.Errorf("only %d objects, %d of them being deleted", typed, deleted)
	}
}

func TestScanMeta(t *testing.T) {
	json := `{"apiVersion":"x.y/v1","kind":"Widget","metadata":{"uid":"u","creationTimestamp":"2026-11-22T03:00:00+01:00","deletionTimestamp":"2026-11-22T03:00:00Z","finalizers":["f",1]}}`
	var encrypted *EncryptedError
	tests := []struct {
		name  string
		value []byte
		want  Meta
		err   any // nil for none
	}{
		{"JSON", []byte(json), Meta{"x.y/v1", "Widget", "u", time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), []string{"f"}}, nil},
		{"no such time", []byte(`{"metadata":{"deletionTimestamp":"soon"}}`), Meta{}, nil},
		{"metadata of another type", []byte(`{"metadata":[],"kind":7}`), Meta{}, nil},
		{"no metadata", envelope(t, "v1", "Pod", nil), Meta{APIVersion: "v1", Kind: "Pod"}, nil},
		{"malformed", envelope(t, "v1", "Pod", []byte("\x0a\x05")), Meta{}, &wire.ErrTruncated},
		{"encrypted", []byte("k8s:enc:aescbc:v1:key1:xyz"), Meta{}, &encrypted},
		{"nothing", nil, Meta{}, &errNoEncoding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScanMeta(tt.value)
			if (err != nil) != (tt.err != nil) || err != nil && !errors.As(err, tt.err) {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("meta (-want):\n%s", diff)
			}
		})
	}
}

// sameTypedButStatus is what SameButStatus says, by way of the decoded objects.
func sameTypedButStatus(t *testing.T, a, b runtime.Object) bool {
	t.Helper()
	if reflect.TypeOf(a) != reflect.TypeOf(b) || !reflect.ValueOf(a).Elem().FieldByName("Status").IsValid() {
		return false
	}
	for _, o := range []runtime.Object{a, b} {
		m, err := meta.Accessor(o)
		if err != nil {
			t.Fatal(err)
		}
		m.SetManagedFields(nil)
		m.SetResourceVersion("")
		reflect.ValueOf(o).Elem().FieldByName("Status").SetZero()
	}
	return reflect.DeepEqual(a, b)
}

// TestSameButStatusOfSnapshots: all successive versions of every object in the snapshots.
func TestSameButStatusOfSnapshots(t *testing.T) {
	last := map[string][]byte{}
	seen := map[bool]int{}
	for _, r := range records(t) {
		id := r.file + r.key
		before := last[id]
		last[id] = r.value
		if before == nil {
			continue
		}
		a, b := Decode(Key{}, before), Decode(Key{}, r.value)
		if a.Typed == nil || b.Typed == nil || a.Encoding != Protobuf {
			continue
		}
		got := SameButStatus(before, r.value)
		if want := sameTypedButStatus(t, a.Typed, b.Typed); got != want {
			t.Errorf("%s: %s: %v, want %v", r.file, r.key, got, want)
		}
		seen[got]++
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Errorf("too few of one sort: %v", seen)
	}
}

func TestSameButStatus(t *testing.T) {
	node := func(change func(*corev1.Node)) []byte {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"a": "b"}}}
		change(n)
		raw, err := n.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return envelope(t, "v1", "Node", raw)
	}
	plain := node(func(*corev1.Node) {})
	named := func(rest string) []byte { return envelope(t, "v1", "Node", []byte(wireText(1, wireText(1, "n")+rest))) }
	custom := `{"kind":"W","metadata":{"name":"w","managedFields":[{}]},"spec":{"n":1},"status":{"x":1}}`
	tests := []struct {
		name string
		a, b []byte
		want bool
	}{
		{"equal", plain, plain, true},
		{"status", plain, node(func(n *corev1.Node) { n.Status.Phase = "x" }), true},
		{"managed fields", plain, node(func(n *corev1.Node) { n.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "m"}} }), true},
		{"metadata of old versions", named(""), named(wireText(15, "") + wireText(16, "")), true},
		{"labels", plain, node(func(n *corev1.Node) { n.Labels["a"] = "c" }), false},
		{"spec", plain, node(func(n *corev1.Node) { n.Spec.PodCIDR = "10.0.0.0/24" }), false},
		{"kind", plain, envelope(t, "v1", "Pod", nil), false},
		{"a kind without status", envelope(t, "v1", "Secret", nil), envelope(t, "v1", "Secret", nil), false},
		{"an unknown kind", envelope(t, "v9", "X", nil), envelope(t, "v9", "X", nil), false},
		{"malformed", envelope(t, "v1", "Node", []byte("\x0a\x05")), envelope(t, "v1", "Node", []byte("\x0a\x05")), false},
		{"JSON status", []byte(custom), []byte(`{"kind":"W","metadata":{"name":"w"},"spec":{"n":1}}`), true},
		{"JSON spec", []byte(custom), []byte(`{"kind":"W","metadata":{"name":"w"},"spec":{"n":2}}`), false},
		{"JSON, cut off", []byte(custom), []byte(custom[:9]), false},
		{"encoding", plain, []byte(custom), false},
		{"encrypted", []byte("k8s:enc:a:v1:k:x"), []byte("k8s:enc:a:v1:k:x"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := SameButStatus(tt.a, tt.b); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzMeta(f *testing.F) {
	addStored(f, func(_ string, value []byte) { f.Add(value, value) })
	f.Fuzz(func(t *testing.T, a, b []byte) {
		before := bytes.Clone(a)
		if _, err := ScanMeta(a); err != nil && SameButStatus(a, b) && a[0] != 'k' {
			t.Errorf("same as another, but cannot be read: %v", err)
		}
		if SameButStatus(a, b) != SameButStatus(b, a) {
			t.Error("not symmetric")
		}
		if !bytes.Equal(a, before) {
			t.Error("the value was changed")
		}
	})
}
