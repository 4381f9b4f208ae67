package kube

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"revenant/decoder/wire"
	"revenant/internal/golden"
)

// stored returns the last value of key in the file.
func stored(tb testing.TB, file, key string) []byte {
	tb.Helper()
	var value []byte
	for _, r := range records(tb) {
		if r.file == file && r.key == key {
			value = r.value
		}
	}
	if value == nil {
		tb.Fatalf("no %s in %s", key, file)
	}
	return value
}

func TestPrint(t *testing.T) {
	meta := pb(nil, 1, pb(nil, 1, []byte("a")), pb(nil, 3, []byte("b")))
	unknown := pb(meta, 2, Message{
		{Number: 1, Wire: wire.Varint, Value: 1<<64 - 1},
		{Number: 2, Wire: wire.Fixed32, Value: 7},
		{Number: 3, Wire: wire.Fixed64, Value: 1 << 63},
		{Number: 4, Wire: wire.Bytes, Bytes: []byte("two\nlines")},
		{Number: 5, Wire: wire.Bytes, Bytes: []byte("\x00\xff")},
		{Number: 6, Wire: wire.Bytes},
	}.Append(nil))
	const file = "scenario-1/plain/current.db.gz"

	tests := []struct {
		name  string
		key   string
		value []byte // that of key in file, if nil
		opts  PrintOptions
	}{
		{"pod", "/registry/pods/data/db-0", nil, PrintOptions{DropManagedFields: true}},
		{"deployment", "/registry/deployments/shop/api", nil, PrintOptions{}},
		{"secret", "/registry/secrets/shop/creds", nil, PrintOptions{DropManagedFields: true}},
		{"secret-shown", "/registry/secrets/shop/creds", nil, PrintOptions{DropManagedFields: true, ShowSecrets: true}},
		{"custom-resource", "/registry/lab.example.com/widgets/data/w3", nil, PrintOptions{DropManagedFields: true}},
		{"unknown-type", "/registry/foos/b/a", envelope(t, "x.y/v1", "Foo", unknown), PrintOptions{}},
		{"unknown-field", "/registry/configmaps/b/a", envelope(t, "v1", "ConfigMap", pb(meta, 99)), PrintOptions{}},
		{"encrypted", "/registry/secrets/b/a", []byte("k8s:enc:aescbc:v1:key1:\x00\x01"), PrintOptions{ShowSecrets: true}},
		{"text", "/registry/foos/b/a", []byte("some text\n"), PrintOptions{}},
		{"bytes", "/registry/foos/b/a", []byte("\xff\x00"), PrintOptions{}},
		{"numbers", "/registry/foos/b/a", []byte(`{"a":1.50,"b":18446744073709551615,"c":1e400,"d":-0,"e":123456789012345678901}`), PrintOptions{}},
		{"steering", "/registry/foos/b/a", []byte(`{"a":"\u001b[31m\u009b\u202e","<&>":"\ufffe\u007f"}`), PrintOptions{}},
		{"printed-by-number", "/registry/controllerrevisions/b/a", envelope(t, "apps/v1", "ControllerRevision", pb(meta, 2, pb(nil, 1, []byte("{")))), PrintOptions{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value := tt.value
			if value == nil {
				value = stored(t, file, tt.key)
			}
			key, ok := ParseKey(DefaultPrefix, tt.key)
			if !ok {
				t.Fatal("no key")
			}
			o := Decode(key, value)
			golden.Named(t, string(o.YAML(tt.opts))+"---\n"+string(o.JSON(tt.opts)))
		})
	}
}

// TestSecretsStayHidden: whatever shape a Secret is in, what it holds is not printed unless asked for.
func TestSecretsStayHidden(t *testing.T) {
	const secret = "hunter2-correct-horse"
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	copied := strings.Repeat(" ", maxAnnotation) + secret
	entry := func(key, value string) []byte { return append(pb(nil, 1, []byte(key)), pb(nil, 2, []byte(value))...) }
	meta := pb(nil, 1, pb(nil, 1, []byte("a")),
		pb(nil, 12, entry("kubectl.kubernetes.io/last-applied-configuration", secret)),
		pb(nil, 12, entry("example.com/copy", copied)))
	raw := pb(pb(pb(meta, 2, entry("password", secret)), 4, entry("more", secret)), 3, []byte("Opaque"))

	tests := []struct {
		name  string
		key   Key
		value []byte
	}{
		{"typed", Key{}, envelope(t, "v1", "Secret", raw)},
		{"unknown field", Key{}, envelope(t, "v1", "Secret", pb(raw, 77, []byte(secret)))},
		{"malformed", Key{}, envelope(t, "v1", "Secret", append(raw, 0x80))},
		{"field of wrong type", Key{}, envelope(t, "v1", "Secret", append(raw, 0x18, 0x01))},
		{"other version", Key{}, envelope(t, "v9", "Secret", raw)},
		{"no type", Key{}, envelope(t, "", "", raw)},
		{"type lost, by key", Key{Resource: "secrets"}, envelope(t, "v1", "Sebret", raw)},
		{"envelope lost", Key{Resource: "secrets"}, raw},
		{"envelope and key lost", Key{}, raw},
		{"OAuth client", Key{Resource: "oauthclients"}, envelope(t, "oauth.openshift.io/v1", "OAuthClient", raw)},
		{"JSON", Key{}, []byte(`{"apiVersion":"v1","kind":"Secret","data":{"password":"` + encoded + `","nested":{"a":"` + secret + `"}},
			"stringData":{"password":"` + secret + `"},"token":"` + secret + `","list":["` + secret + `"],
			"metadata":{"name":"a","annotations":{"openshift.io/token-secret.value":"` + secret + `","a":["` + secret + `"]}}}`)},
		{"JSON with text for metadata", Key{}, []byte(`{"apiVersion":"v1","kind":"Secret","metadata":"` + secret + `"}`)},
		{"JSON with text for annotations", Key{}, []byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"annotations":"` + secret + `"}}`)},
		{"JSON, cut off", Key{}, []byte(`{"apiVersion":"v1","kind":"Secret","data":{"password":"` + encoded + `"`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Decode(tt.key, tt.value)
			hides := func(s string) bool {
				return !strings.Contains(s, secret) && !strings.Contains(s, encoded) && !strings.Contains(s, "aHVudGVy")
			}
			for _, out := range [][]byte{o.YAML(PrintOptions{}), o.JSON(PrintOptions{})} {
				if !hides(string(out)) {
					t.Errorf("shown without being asked:\n%s", out)
				}
			}
			shown := PrintOptions{ShowSecrets: true}
			if out := o.YAML(shown); hides(string(out)) && !strings.Contains(string(out), "base64") {
				t.Errorf("hidden although asked for:\n%s", out)
			}
		})
	}
}

// TestMost: what is bounded is printed as it is stored, and says why.
func TestMost(t *testing.T) {
	var data []string
	for i := range 200 {
		data = append(data, fmt.Sprintf(`"key-%d": "x"`, i))
	}
	o := Decode(Key{Resource: "configmaps", Namespace: "a", Name: "b"}, fmt.Appendf(nil, `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "a"}, "data": {%s}}`, strings.Join(data, ", ")))
	for _, print := range []func(PrintOptions) []byte{o.YAML, o.JSON} {
		if text := string(print(PrintOptions{Most: 1000})); !strings.Contains(text, errUnprintable.Error()) {
			t.Errorf("it does not say that it is too large:\n%.300s", text)
		}
		for _, most := range []int{0, MostOnScreen} {
			if text := string(print(PrintOptions{Most: most})); strings.Contains(text, errUnprintable.Error()) || !strings.Contains(text, "key-199") {
				t.Errorf("most %d: it is cut:\n%.300s", most, text)
			}
		}
	}
}

func TestPrintingLeavesTheObjectAlone(t *testing.T) {
	o := Decode(Key{}, []byte(`{"apiVersion":"v1","kind":"Secret","data":{"a":"eA=="},
		"metadata":{"managedFields":[],"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"x"}}}`))
	all := PrintOptions{ShowSecrets: true}
	before := string(o.JSON(all))
	o.YAML(PrintOptions{DropManagedFields: true})
	if after := string(o.JSON(all)); after != before {
		t.Errorf("was\n%s\nis\n%s", before, after)
	}
}
