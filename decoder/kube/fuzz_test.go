package kube

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
)

// addStored seeds f with every kind of stored value, some of each.
func addStored(f *testing.F, add func(key string, value []byte)) {
	seen := map[string]int{}
	for _, r := range records(f) {
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.key, "/registry/"), "/")
		if seen[kind]++; seen[kind] <= 3 && len(r.value) < 10_000 {
			add(r.key, r.value)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	addStored(f, func(key string, _ []byte) { f.Add(DefaultPrefix, key) })
	f.Add("", "")
	f.Add("kubernetes.io/", "/kubernetes.io/cr.bar.com/foos/ns/n")
	f.Add("/registry", "/registry/apiextensions.k8s.io/customresourcedefinitions/a.b")
	f.Fuzz(func(t *testing.T, prefix, key string) {
		k, ok := ParseKey(prefix, key)
		if !ok {
			return
		}
		if back := k.Path(prefix); back != key {
			t.Errorf("%q goes over %+v back to %q", key, k, back)
		}
		all := Key{Group: k.Group, Resource: k.Resource}
		if !strings.HasPrefix(key, all.Path(prefix)) {
			t.Errorf("%q does not start with %q", key, all.Path(prefix))
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	addStored(f, func(_ string, value []byte) { f.Add(value) })
	f.Add([]byte("k8s:enc:kms:v2:plugin:xyz"))
	f.Add([]byte(cborMagic))
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := ParseEnvelope(value)
		if len(e.Raw) > 0 && !bytes.Contains(value, e.Raw) {
			t.Errorf("%q is not in the value", e.Raw)
		}
		raw, ok := bytes.CutPrefix(value, []byte(protobufMagic))
		if ok != (e.Encoding == Protobuf) {
			t.Errorf("encoding is %v", e.Encoding)
		}
		if !ok || err != nil {
			return
		}
		var want runtime.Unknown
		if err := want.Unmarshal(raw); err != nil {
			t.Fatalf("apimachinery refuses it: %v", err)
		}
		got := runtime.Unknown{
			TypeMeta: runtime.TypeMeta{APIVersion: e.APIVersion, Kind: e.Kind}, Raw: e.Raw,
			ContentEncoding: e.ContentEncoding, ContentType: e.ContentType,
		}
		if got.TypeMeta != want.TypeMeta || !bytes.Equal(got.Raw, want.Raw) ||
			got.ContentEncoding != want.ContentEncoding || got.ContentType != want.ContentType {
			t.Errorf("got %+v, apimachinery reads %+v", got, want)
		}
	})
}

func FuzzDecode(f *testing.F) {
	addStored(f, func(key string, value []byte) { f.Add(key, value) })
	f.Add("/registry/secrets/a/b", []byte("k8s:enc:aescbc:v1:key1:\x00"))
	f.Add("", []byte(cborMagic+"\xa1\x41a\x81\x01"))
	f.Add("", []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"overhead":{"cpu":"1e3"}}}`))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		before := bytes.Clone(value)
		k, _ := ParseKey(DefaultPrefix, key)
		o := Decode(k, value)
		if o.Typed == nil && o.Unstructured == nil && o.Problem == nil {
			t.Error("nothing decoded, and no problem")
		}
		for _, opts := range []PrintOptions{{}, {ShowSecrets: true, DropManagedFields: true}} {
			if len(o.YAML(opts)) == 0 || len(o.JSON(opts)) == 0 {
				t.Error("printed nothing")
			}
		}
		if !bytes.Equal(before, value) {
			t.Error("the value was changed")
		}
	})
}

func FuzzScanPod(f *testing.F) {
	for _, value := range pods(f, "rows/plain/current.db.gz")[:50] {
		if e, err := ParseEnvelope(value); err == nil {
			f.Add(e.Raw)
		}
	}
	f.Add(marshal(f, examplePod()))
	f.Add(podWith("123456789012345678901"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > math.MaxUint16 {
			return
		}
		scansLikeDecode(t, envelope(t, "v1", "Pod", raw))
	})
}

func FuzzGeneric(f *testing.F) {
	addStored(f, func(_ string, value []byte) {
		if e, err := ParseEnvelope(value); err == nil {
			f.Add(e.Raw)
		}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkMessageRoundTrip(t, raw)
	})
}
