package kube

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// scansJSONLikeDecode wants the scans of a JSON value that Decode takes whole to read
// what Decode reads.
func scansJSONLikeDecode(t *testing.T, value []byte) {
	t.Helper()
	content, loss, err := parseObject(value)
	if err != nil || loss.err() != nil || len(content) > maxParts {
		return
	}
	want := metaOf(content)
	if want.Finalizers != nil && len(want.Finalizers)*stringSize > keepable(len(value)) {
		return
	}
	got, err := ScanMeta(value)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("ScanMeta (%v) reads something else: %s", err, diff)
	}
	links := linksOf(content)
	if _, err := links.bounded(value); err == nil {
		got, err := ScanLinks(value)
		if diff := cmp.Diff(links, got); err != nil || diff != "" {
			t.Errorf("ScanLinks (%v) reads something else: %s", err, diff)
		}
	}
	if o := DecodeMetadata(Key{}, value); o.Problem != nil || o.Name != Decode(Key{}, value).Name {
		t.Errorf("DecodeMetadata: %q, %v", o.Name, o.Problem)
	}
	if !SameButStatus(value, value) {
		t.Error("not the same as itself")
	}
	content["status"] = "another"
	other, _ := json.Marshal(content)
	if !SameButStatus(value, other) || !SameButStatus(other, value) {
		t.Errorf("not the same but for its status: %s", other)
	}
	content["added"] = "field"
	if other, _ = json.Marshal(content); SameButStatus(value, other) {
		t.Errorf("the same, although a field was added: %s", other)
	}
	if want, err := decodeDefinition(value); err == nil {
		got, err := ScanDefinition(value)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ScanDefinition (%v) reads something else: %s", err, diff)
		}
	}
}

func TestScanJSONOfSnapshots(t *testing.T) {
	n := 0
	for _, r := range records(t) {
		if strings.HasPrefix(string(r.value), "{") && n < 2000 {
			n++
			scansJSONLikeDecode(t, r.value)
		}
	}
	if n < 100 {
		t.Errorf("only %d values", n)
	}
}

const aDefinition = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"a"},"spec":{"group":"g","names":{"plural":"p\"\\"},"versions":[{"name":"v1","served":true},{"name":"v2"}],"conversion":{"strategy":"Webhook","webhook":{"clientConfig":{"caBundle":"eA==","service":{"namespace":"n","name":"s"}}}}},"status":{"storedVersions":["v1"]}}`

const aBetaDefinition = `{"apiVersion":"apiextensions.k8s.io/v1beta1","kind":"CustomResourceDefinition","metadata":{"name":"a"},"spec":{"group":"g","version":"v1","names":{"plural":"p"},"conversion":{"strategy":"Webhook","webhookClientConfig":{"caBundle":"eA==","service":{"namespace":"n","name":"s"}}}},"status":{"storedVersions":["v1"]}}`

// TestScanDefinition: both versions of a definition tell the same of its webhook.
func TestScanDefinition(t *testing.T) {
	want := Definition{
		Group: "g", Plural: "p", Versions: []DefinedVersion{{Name: "v1", Served: true}}, StoredVersions: []string{"v1"},
		Webhook: true, Service: Key{Resource: "services", Namespace: "n", Name: "s"}, CABundle: []byte("x"),
	}
	got, err := ScanDefinition([]byte(aBetaDefinition))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("v1beta1 (%v): %s", err, diff)
	}
	want.Plural, want.Versions = "p\"\\", append(want.Versions, DefinedVersion{Name: "v2"})
	got, err = ScanDefinition([]byte(aDefinition))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("v1 (%v): %s", err, diff)
	}
	for name, value := range map[string]string{"v1": aDefinition, "v1beta1": aBetaDefinition} {
		got, err := ScanDefinition([]byte(strings.Replace(value, `"Webhook"`, `"None"`, 1)))
		if err != nil || got.Webhook || got.Service != (Key{}) || got.CABundle != nil {
			t.Errorf("%s without a webhook: %+v, %v", name, got, err)
		}
	}
}

func FuzzScanJSON(f *testing.F) {
	addStored(f, func(_ string, value []byte) {
		if strings.HasPrefix(string(value), "{") {
			f.Add(value)
		}
	})
	for _, s := range []string{
		aDefinition, aBetaDefinition, `{}`, ` { "metadata" : { "uid" : "u" } , "a" : [ 1 , "\"]}" ] } `, `{"meta\u0064ata":{"finalizers":["a"]}}`,
		`{"metadata":null}`, `{"a":1}x`, `{"a":1,}`, `{"a"}`, `{,}`, `{"a":[}`, `{"\ud800":1}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) { scansJSONLikeDecode(t, value) })
}

// TestScanJSONRefuses holds that what is cut off or goes on is no object.
func TestScanJSONRefuses(t *testing.T) {
	for i := range len(aDefinition) {
		if _, err := ScanDefinition([]byte(aDefinition[:i])); err == nil {
			t.Errorf("the first %d bytes are read", i)
		}
		if _, err := ScanMeta([]byte(aDefinition[:i])); err == nil {
			t.Errorf("the first %d bytes have metadata", i)
		}
	}
	for _, value := range []string{aDefinition + "x", aDefinition + "}", `{"a":1 "b":2}`, `{"a" 1}`, `{"a":}`, `{"a":1,}`, `{1:2}`, `{"metadata":{"uid":"u",}}`, `{"metadata":7x}`} {
		if _, err := ScanMeta([]byte(value)); err == nil {
			t.Errorf("%s is read", value)
		}
	}
}
