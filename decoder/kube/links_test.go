package kube

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/decoder/wire"
)

// linksOfTyped takes from a decoded object what ScanLinks reads.
func linksOfTyped(tb testing.TB, o *Object) Links {
	tb.Helper()
	m, err := meta.Accessor(o.Typed)
	if err != nil {
		tb.Fatal(err)
	}
	return Links{UID: string(m.GetUID()), Labels: m.GetLabels(), Owners: m.GetOwnerReferences()}
}

var likeScanned = cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(metav1.OwnerReference{}, "BlockOwnerDeletion")}

func TestScanLinksOfSnapshots(t *testing.T) {
	labelled, owned := 0, 0
	for _, r := range records(t) {
		o := Decode(Key{}, r.value)
		if o.Typed == nil || o.Kind == "RangeAllocation" {
			continue
		}
		want := linksOfTyped(t, o)
		got, err := ScanLinks(r.value)
		if err != nil {
			t.Fatalf("%s: %s: %v", r.file, r.key, err)
		}
		if diff := cmp.Diff(want, got, likeScanned); diff != "" {
			t.Errorf("%s: %s (-):\n%s", r.file, r.key, diff)
		}
		sameController(t, r.value, got)
		if len(got.Owners) > 0 {
			owned++
			if !HasOwner(r.value) {
				t.Errorf("%s: %s: HasOwner is false", r.file, r.key)
			}
		}
		if len(got.Labels) > 0 {
			labelled++
		}
	}
	if labelled < 1000 || owned < 1000 {
		t.Errorf("only %d objects with labels, %d with owners", labelled, owned)
	}
}

func TestScanLinks(t *testing.T) {
	controller := true
	owner := metav1.OwnerReference{APIVersion: "x.y/v1", Kind: "Widget", Name: "w", UID: "v", Controller: &controller}
	var encrypted *EncryptedError
	tests := []struct {
		name  string
		value string
		want  Links
		owner bool
		err   any // nil for none
	}{
		{"JSON", `{"metadata":{"uid":"u","labels":{"a":"b"},"ownerReferences":[{"apiVersion":"x.y/v1","kind":"Widget","name":"w","uid":"v","controller":true}]}}`,
			Links{"u", map[string]string{"a": "b"}, []metav1.OwnerReference{owner}}, true, nil},
		{"JSON without owner", `{"metadata":{"uid":"u"}}`, Links{UID: "u"}, false, nil},
		{"JSON that spells it otherwise", `{"metadata":{"owner\u0052eferences":[{"name":"w"}]}}`, Links{Owners: []metav1.OwnerReference{{Name: "w"}}}, true, nil},
		{"of another type", `{"metadata":{"uid":1,"labels":{"a":2},"ownerReferences":[3,{"name":4}]}}`,
			Links{Labels: map[string]string{}, Owners: []metav1.OwnerReference{{}}}, true, nil},
		{"no metadata", string(envelope(t, "v1", "Pod", nil)), Links{}, true, nil},
		{"malformed", string(envelope(t, "v1", "Pod", []byte("\x0a\x05"))), Links{}, true, &wire.ErrTruncated},
		{"malformed owner", string(envelope(t, "v1", "Pod", []byte("\x0a\x03\x6a\x01\x08"))), Links{}, true, &wire.ErrTruncated},
		{"encrypted", "k8s:enc:aescbc:v1:key1:xyz", Links{}, true, &encrypted},
		{"nothing", "", Links{}, true, &errNoEncoding},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ScanLinks([]byte(tt.value))
			if (err != nil) != (tt.err != nil) || err != nil && !errors.As(err, tt.err) {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("links (-want):\n%s", diff)
			}
			if got := HasOwner([]byte(tt.value)); got != tt.owner {
				t.Errorf("HasOwner is %v", got)
			}
		})
	}
}

// FuzzScanLinks holds the scan against the decoder of a type: what that accepts,
// it reads alike.
func FuzzScanLinks(f *testing.F) {
	addStored(f, func(_ string, value []byte) {
		if e, err := ParseEnvelope(value); err == nil {
			f.Add(e.Raw)
		}
	})
	f.Add([]byte("\x0a\x10\x5a\x06\x0a\x01a\x12\x01b\x6a\x06\x0a\x01k\x22\x01u"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > math.MaxUint16 {
			return
		}
		value := envelope(t, "v1", "ConfigMap", raw)
		got, err := ScanLinks(value)
		o := Decode(Key{}, value)
		if o.Typed == nil {
			return
		}
		if err != nil {
			t.Fatalf("decodes, but: %v", err)
		}
		if diff := cmp.Diff(linksOfTyped(t, o), got, likeScanned); diff != "" {
			t.Errorf("links (-decoded):\n%s", diff)
		}
		sameController(t, value, got)
	})
}

// sameController holds ScanController against the links of a value.
func sameController(t *testing.T, value []byte, links Links) {
	t.Helper()
	wantKind, wantName := links.Controller()
	if kind, name, err := ScanController(value); err != nil || kind != wantKind || name != wantName {
		t.Errorf("controller is %q %q (%v), want %q %q", kind, name, err, wantKind, wantName)
	}
}
