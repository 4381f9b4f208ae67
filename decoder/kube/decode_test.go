package kube

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/klog/v2"

	"revenant/decoder/wire"
)

// pb appends a field of wire type 2.
func pb(b []byte, num int32, payload ...[]byte) []byte {
	return append(b, Message{{Number: num, Wire: wire.Bytes, Bytes: bytes.Join(payload, nil)}}.Append(nil)...)
}

// summary is what a test says of an Object.
type summary struct {
	Encoding   Encoding
	APIVersion string
	Kind       string
	Namespace  string
	Name       string
	UID        string
	Content    string // which of Typed, Unstructured, Unknown there are
	Problem    string
}

func summarize(o *Object) summary {
	s := summary{o.Encoding, o.APIVersion, o.Kind, o.Namespace, o.Name, o.UID, "", ""}
	if o.Typed != nil {
		s.Content += "T"
	}
	if o.Unstructured != nil {
		s.Content += "U"
	}
	if o.Unknown != nil {
		s.Content += "M"
	}
	if o.Problem != nil {
		s.Problem = o.Problem.Error()
	}
	return s
}

func TestDecode(t *testing.T) {
	meta := pb(nil, 1, pb(nil, 1, []byte("a")), pb(nil, 3, []byte("b")), pb(nil, 5, []byte("c")))
	binary, err := direct.Marshal(map[string]any{
		"apiVersion": "x.y/v1", "kind": "Foo", "metadata": map[string]any{"name": "a", "namespace": "b", "uid": "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	key := Key{Resource: "foos", Namespace: "ns", Name: "n"}
	const content = `{"apiVersion":"x.y/v1","kind":"Foo","metadata":{"name":"a","namespace":"b","uid":"c"}`

	tests := []struct {
		name  string
		value []byte
		want  summary
	}{
		{
			"built-in type", envelope(t, "v1", "ConfigMap", meta),
			summary{Protobuf, "v1", "ConfigMap", "b", "a", "c", "T", ""},
		},
		{
			"type without a name", envelope(t, "v1", "ConfigMap", nil),
			summary{Protobuf, "v1", "ConfigMap", "ns", "n", "", "T", ""},
		},
		{
			"unknown type", envelope(t, "x.y/v1", "Foo", meta),
			summary{Protobuf, "x.y/v1", "Foo", "b", "a", "c", "M", `no Go type for "x.y/v1" "Foo": fields shown by number`},
		},
		{
			"unknown version", envelope(t, "v9", "Pod", meta),
			summary{Protobuf, "v9", "Pod", "b", "a", "c", "M", `no Go type for "v9" "Pod": fields shown by number`},
		},
		{
			"no type", envelope(t, "", "", meta),
			summary{Protobuf, "", "", "b", "a", "c", "M", `no Go type for "" "": fields shown by number`},
		},
		{
			"unknown fields", envelope(t, "v1", "Pod", pb(pb(meta, 2, pb(nil, 2, pb(nil, 77)), pb(nil, 2, pb(nil, 77))), 99, []byte("?"))),
			summary{Protobuf, "v1", "Pod", "b", "a", "c", "T", `fields unknown to Kubernetes 1.37, left out: ["spec.containers.77" "99"]`},
		},
		{
			"unknown field of a quantity", envelope(t, "v1", "Pod", pb(meta, 2, pb(nil, 32, pb(nil, 1, []byte("cpu")), pb(nil, 2, pb(nil, 1, []byte("1")), pb(nil, 2))))),
			summary{Protobuf, "v1", "Pod", "b", "a", "c", "T", `fields unknown to Kubernetes 1.37, left out: ["spec.overhead.value.2"]`},
		},
		{
			"text that is not UTF-8", envelope(t, "v1", "ConfigMap", pb(meta, 2, pb(nil, 1, []byte("k")), pb(nil, 2, []byte("\xff")))),
			summary{Protobuf, "v1", "ConfigMap", "b", "a", "c", "T", `text that is not UTF-8: ["data.value"]`},
		},
		{
			"bytes that are not UTF-8", envelope(t, "v1", "ConfigMap", pb(meta, 3, pb(nil, 1, []byte("k")), pb(nil, 2, []byte("\xff")))),
			summary{Protobuf, "v1", "ConfigMap", "b", "a", "c", "T", ""},
		},
		{
			"malformed field", envelope(t, "v1", "Pod", append(meta, "\x12\x03\x12\x7fx"...)),
			summary{Protobuf, "v1", "Pod", "b", "a", "c", "M", `field "spec": message is cut off`},
		},
		{
			"malformed message", envelope(t, "v1", "Pod", append(meta, 0x12)),
			summary{Protobuf, "v1", "Pod", "ns", "n", "", "", "message is cut off"},
		},
		{
			"invalid quantity", envelope(t, "v1", "Pod", pb(meta, 2, pb(nil, 32, pb(nil, 2, pb(nil, 1, []byte("x")))))),
			summary{Protobuf, "v1", "Pod", "b", "a", "c", "M", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
		},
		{
			"map entry of wrong wire type", envelope(t, "v1", "ConfigMap", pb(meta, 2, []byte{0x08, 0x01})),
			summary{Protobuf, "v1", "ConfigMap", "b", "a", "c", "M", `field "data.key": field has a wrong wire type`},
		},
		{
			"malformed envelope", []byte("k8s\x00\x0a"),
			summary{Protobuf, "", "", "ns", "n", "", "", "read protobuf envelope: message is cut off"},
		},
		{
			"compressed", append(envelope(t, "v1", "Pod", []byte("\x1f\x8b")), "\x1a\x04gzip"...),
			summary{Protobuf, "v1", "Pod", "ns", "n", "", "", "compressed, which no API server stores"},
		},
		{
			"custom resource", []byte(content + `,"n":18446744073709551616}`),
			summary{JSON, "x.y/v1", "Foo", "b", "a", "c", "U", ""},
		},
		{
			"name given twice", []byte(content + `,"spec":[{"a":1,"a":2}]}`),
			summary{JSON, "x.y/v1", "Foo", "b", "a", "c", "U", `names given twice, the last one shown: ["spec.0.a"]`},
		},
		{
			"JSON that is not UTF-8", []byte(content + ",\"a\":\"\xff\"}"),
			summary{JSON, "x.y/v1", "Foo", "b", "a", "c", "U", `text that is not UTF-8: ["."]`},
		},
		{
			"built-in type in JSON", []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`),
			summary{JSON, "v1", "Pod", "", "a", "", "TU", ""},
		},
		{
			"built-in type in JSON that does not fit", []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":1}`),
			summary{JSON, "v1", "Pod", "", "a", "", "U", "decode as v1 Pod: json: cannot unmarshal number into Go struct field Pod.spec of type v1.PodSpec"},
		},
		{
			"JSON of no object", []byte(`{"metadata":7}`),
			summary{JSON, "", "", "ns", "n", "", "U", ""},
		},
		{
			"JSON cut off", []byte(content),
			summary{JSON, "", "", "ns", "n", "", "", "read JSON: at byte 85: unexpected EOF"},
		},
		{
			"JSON with more after it", []byte(content + "}{"),
			summary{JSON, "", "", "ns", "n", "", "", "read JSON: more after the end of the object"},
		},
		{
			"CBOR", append([]byte(cborMagic), binary...),
			summary{CBOR, "x.y/v1", "Foo", "b", "a", "c", "U", ""},
		},
		{
			"CBOR cut off", []byte(cborMagic + "\xa1"),
			summary{CBOR, "", "", "ns", "n", "", "", "read CBOR: unexpected EOF"},
		},
		{
			"CBOR of nothing", []byte(cborMagic + "\xf6"),
			summary{CBOR, "", "", "ns", "n", "", "", "read CBOR: not an object"},
		},
		{
			"encrypted", []byte("k8s:enc:secretbox:v1:key2:xyz"),
			summary{Encrypted, "", "", "ns", "n", "", "", `encrypted by secretbox with key "key2"`},
		},
		{
			"text", []byte("1234"),
			summary{UnknownEncoding, "", "", "ns", "n", "", "", "in no encoding of an API server"},
		},
		{
			"empty", nil,
			summary{UnknownEncoding, "", "", "ns", "n", "", "", "in no encoding of an API server"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summarize(Decode(key, tt.value))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeSnapshots(t *testing.T) {
	encrypted := 0
	for _, r := range records(t) {
		if r.key == "" {
			continue // the mark of a bump
		}
		k, _ := ParseKey(DefaultPrefix, r.key)
		o := Decode(k, r.value)
		if o.Encoding == Encrypted {
			encrypted++
			continue
		}
		if o.Problem != nil {
			t.Errorf("%s: %s: %v", r.file, r.key, o.Problem)
		}
		if o.Typed == nil && o.Encoding == Protobuf {
			t.Errorf("%s: %s: no Go type", r.file, r.key)
		}
	}
	if encrypted == 0 {
		t.Error("no encrypted value was met")
	}
}

// TestDecodeHostile: values made to exhaust memory, the stack or patience. Each decoder was
// measured on these without the checks: the nesting kills the process, the
// exponent runs for hours.
func TestDecodeHostile(t *testing.T) {
	nested := func(open, leaf, end string, depth int) []byte {
		return []byte(strings.Repeat(open, depth) + leaf + strings.Repeat(end, depth))
	}
	deep := func(depth int, num int32) (b []byte) {
		for range depth {
			b = pb(nil, num, b)
		}
		return b
	}
	quantity := func(q []byte) []byte {
		return pb(nil, 2, pb(nil, 32, pb(nil, 1, []byte("cpu")), pb(nil, 2, q)))
	}
	pod := func(raw []byte) []byte { return envelope(t, "v1", "Pod", raw) }
	const crd = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","spec":`

	tests := []struct {
		name    string
		value   []byte
		problem error // nil for any or none
	}{
		{"containers of nothing", pod(pb(nil, 2, bytes.Repeat([]byte("\x12\x00"), 1<<20))), errTooLarge},
		{"annotations of nothing", pod(pb(nil, 1, bytes.Repeat([]byte("\x62\x00"), 1<<20))), nil},
		{"length near 2^63", pod([]byte("\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f")), wire.ErrTruncated},
		{"length beyond 64 bits", pod([]byte("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")), wire.ErrVarint},
		{"length of 2 GiB", pod([]byte("\x12\xff\xff\xff\xff\x07")), wire.ErrTruncated},
		{"packed list of 2 GiB", envelope(t, "v1", "RangeAllocation", []byte("\x1a\xff\xff\xff\xff\x07")), wire.ErrTruncated},
		{"schemas in schemas", envelope(t, "apiextensions.k8s.io/v1", "CustomResourceDefinition",
			pb(nil, 2, pb(nil, 7, pb(nil, 4, pb(nil, 1, deep(5000, 28)))))), errTooDeep},
		{"groups in groups in a quantity", pod(quantity(bytes.Repeat([]byte{0x1b}, 2<<20))), wire.ErrGroup},
		{"quantity with a large exponent", pod(quantity(pb(nil, 1, []byte("1e1000000000")))), errQuantity},
		{"quantity with a small exponent", pod(quantity(pb(nil, 1, []byte("1e-1000000000")))), errQuantity},
		{"long quantity", pod(quantity(pb(nil, 1, bytes.Repeat([]byte("9"), 1<<20)))), errQuantity},
		{"messages in messages of an unknown type", envelope(t, "x.y/v1", "Foo", deep(5000, 1)), nil},
		{"many fields of an unknown type", envelope(t, "x.y/v1", "Foo", bytes.Repeat([]byte("\x08\x01"), 1<<20)), nil},
		{"text in text of an unknown type", envelope(t, "x.y/v1", "Foo", pb(nil, 1, bytes.Repeat([]byte("\x0a\x01\x0a"), 1<<20))), nil},
		{"larger than any value", make([]byte, maxValue+1), errTooLarge},
		{"objects in objects", nested(`{"a":`, "1", "}", 100_000), errTooDeep},
		{"lists in lists", []byte(`{"a":` + string(nested("[", "1", "]", 9_000)) + "}"), errTooDeep},
		{"wide and deep JSON", []byte(`{"a":` + string(nested("[", strings.Repeat("0,", 1<<20)+"0", "]", 400)) + "}"), nil},
		{"many empty objects", []byte(`{"a":[` + strings.Repeat("{},", 1<<20) + "{}]}"), nil},
		{"containers of nothing in JSON", []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[` + strings.Repeat("null,", 1<<20) + "{}]}}"), errTooLarge},
		{"quantity in JSON", []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"overhead":{"cpu":"1e-1000000000"}}}`), errQuantity},
		{"quantity as a number in JSON", []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"overhead":{"cpu":1e-1000000000}}}`), errQuantity},
		{"schemas in schemas in JSON", []byte(crd + string(nested(`{"not":`, "{}", "}", 5_000)) + "}"), errTooDeep},
		{"CBOR of arrays", []byte(cborMagic + "\xa1\x41a" + strings.Repeat("\x81", 1<<20)), nil},
		{"CBOR of 2^60 items", []byte(cborMagic + "\x9b\x10\x00\x00\x00\x00\x00\x00\x00"), nil},
		{"provider without end", append([]byte(encryptionPrefix), bytes.Repeat([]byte("x"), 1<<20)...), wire.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()

			o := Decode(Key{Resource: "pods"}, tt.value)
			if len(o.YAML(PrintOptions{})) == 0 || len(o.JSON(PrintOptions{ShowSecrets: true})) == 0 {
				t.Error("printed nothing")
			}

			if spent := time.Since(start); spent > time.Minute { // most take milliseconds
				t.Errorf("took %v", spent)
			}
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<30 {
				t.Errorf("allocated %d MiB for %d KiB", allocated>>20, len(tt.value)>>10)
			}
			if tt.problem != nil && !errors.Is(o.Problem, tt.problem) {
				t.Errorf("problem is %v, want %v", o.Problem, tt.problem)
			}
		})
	}
}

func TestSensibleQuantity(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"", true},
		{"100m", true},
		{"1.5Gi", true},
		{"2E", true},
		{"1e3", true},
		{"-1E-999", true},
		{"1e0000000009", true},
		{"1e1000", false},
		{"1E-1000", false},
		{"+.5e-1000000000", false},
		{strings.Repeat("9", 64), true},
		{strings.Repeat("9", 65), false},
		{"3 retries, then it gives up", true}, // no quantity at all
		{"9e107d9d372bb6826bd81d3542a419d6", true},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got := sensibleQuantity(tt.text); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	failed := errors.New("failed")
	if err := guard(func() error { return failed }); err != failed {
		t.Errorf("error is %v", err)
	}
	err := guard(func() error { panic("out of range") })
	if err == nil || err.Error() != "decoder panicked: out of range" {
		t.Errorf("error is %v", err)
	}
}

// TestSilent wants nothing logged of an object that Kubernetes' types cannot read.
func TestSilent(t *testing.T) {
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(f *os.File) { os.Stderr = f }(os.Stderr)
	os.Stderr = stderr
	for _, fields := range []string{`"x"`, `[[]]`, `[{"time":"never"}]`, `[7]`} {
		o := Decode(Key{Group: "example.com", Resource: "things", Name: "a"}, []byte(`{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a","managedFields":`+fields+`}}`))
		(&unstructured.Unstructured{Object: o.Unstructured}).GetManagedFields()
	}
	klog.Flush()
	if written, err := os.ReadFile(stderr.Name()); err != nil || len(written) > 0 {
		t.Errorf("written: %q, %v", written, err)
	}
}
