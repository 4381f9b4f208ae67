package kube

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
)

// repeated are values of about size bytes that are mostly one part, many times.
func repeated(t testing.TB, size int) map[string][]byte {
	times := func(unit string) []byte { return bytes.Repeat([]byte(unit), size/len(unit)) }
	values := map[string][]byte{}
	for _, unit := range []string{"\x12\x00", "\xa2\x01\x00", "\x0a\x00", "\xb2\x01\x00", "\x12\x02\x0a\x00", "\x12\x06\x32\x04\x10\x01\x22\x00", "\x92\x02\x00", "\x7a\x00", "\x7a\x02\x0a\x00", "\x3a\x00", "\x82\x02\x02\x0a\x00", "\x92\x02\x02\x0a\x00", "\x12\x1a\xba\x01\x17\x0a\x03cpu\x12\x10RestartContainer"} {
		values[fmt.Sprintf("spec of %x", unit)] = envelope(t, "v1", "Pod", pb(nil, 2, times(unit)))
		values[fmt.Sprintf("node's spec of %x", unit)] = envelope(t, "v1", "Node", pb(nil, 2, times(unit)))
		values[fmt.Sprintf("of %x, of an unknown type", unit)] = envelope(t, "x.y/v1", "Foo", pb(nil, 2, times(unit)))
	}
	values["taints"] = envelope(t, "v1", "Node", pb(nil, 2, times("\x2a\x00")))
	for _, unit := range []string{"\x12\x00", "\x42\x00", "\x52\x00", "\x62\x02\x0a\x00", "\x6a\x00", "\x6a\x06\x0a\x04\x0a\x00\x12\x00"} {
		values[fmt.Sprintf("status of %x", unit)] = envelope(t, "v1", "Pod", pb(nil, 3, times(unit)))
	}
	for _, unit := range []string{"\x72\x00", "\x6a\x00", "\x62\x00", "\x5a\x00", "\x8a\x01\x00", "\x5a\x04\x0a\x00\x12\x00"} {
		values[fmt.Sprintf("metadata of %x", unit)] = envelope(t, "v1", "Pod", pb(nil, 1, times(unit)))
	}
	for _, unit := range []string{"{},", "[],", "null,", "0,", `"",`, `{"a":1},`, `{"":{}},`, "[[]],"} {
		for _, kind := range []string{`"v1","kind":"Pod","spec":{"containers":[`, `"x/v1","kind":"Foo","spec":{"list":[`, `"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","spec":{"versions":[`} {
			values[kind+unit] = []byte(`{"apiVersion":` + kind + string(times(unit)) + "0]}}")
		}
	}
	var names strings.Builder
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(&names, `"%x":{},`, i)
	}
	values["many names"] = []byte(`{"apiVersion":"x/v1","kind":"Foo","metadata":{"labels":{` + names.String() + `"z":{}}}}`)
	for _, unit := range []string{"\xa0", "\x80", "\x40", "\x00", "\xa1\x00\x00", "\xa1\x41a\x00"} {
		n := size / len(unit)
		values[fmt.Sprintf("CBOR of %x", unit)] = append([]byte(cborMagic+"\xa1\x41a\x9a"+string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})), times(unit)...)
		values[fmt.Sprintf("CBOR of %x without end", unit)] = append([]byte(cborMagic+"\xa1\x41a\x9f"), append(times(unit), 0xff)...)
	}
	return values
}

var kept []any // so that it is not collected

// TestScansKeepLittle: what is kept of a value takes no more than four times its size.
func TestScansKeepLittle(t *testing.T) {
	const size = 60_000
	for name, value := range repeated(t, size) {
		scans := map[string]func() (any, error){
			"ScanPod":     func() (any, error) { return ScanPod(value) },
			"ScanPodRefs": func() (any, error) { return ScanPodRefs(value) },
			"ScanNode":    func() (any, error) { return ScanNode(value) },
			"ScanMeta":    func() (any, error) { return ScanMeta(value) },
			"ScanLinks":   func() (any, error) { return ScanLinks(value) },
		}
		for scan, do := range scans {
			grown := math.MaxInt
			for range 3 { // the runtime keeps something itself now and then
				kept = nil
				before := heap()
				for range 2 {
					got, _ := do()
					kept = append(kept, got)
				}
				if grown = min(grown, heap()-before); grown <= 2*(4*len(value)+4096) {
					break
				}
			}
			if grown > 2*(4*len(value)+4096) {
				t.Errorf("%s of %s keeps %d bytes a value of %d", scan, name, grown/2, len(value))
			}
		}
	}
	kept = nil
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// What decoding and printing a value may allocate in all, garbage included, as they
// make about four copies in different forms.
const mostAllocated = 640 << 20

func allocated(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// TestDecodeIsBounded: values of the size that etcd takes ask for no more memory than
// that of an honest one.
func TestDecodeIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for name, value := range repeated(t, 700_000) {
		decoded := allocated(func() { kept = []any{Decode(Key{}, value)} })
		o := kept[0].(*Object)
		kept = nil
		if decoded > 192<<20 {
			t.Errorf("%s: decoding allocates %d MiB", name, decoded>>20)
		}
		var out []byte
		if printed := allocated(func() { out = o.YAML(PrintOptions{}) }); printed > mostAllocated || len(out) > 64<<20 {
			t.Errorf("%s: YAML of %d MiB allocates %d MiB", name, len(out)>>20, printed>>20)
		}
		if printed := allocated(func() { out = o.JSON(PrintOptions{}) }); printed > mostAllocated || len(out) > 64<<20 {
			t.Errorf("%s: JSON of %d MiB allocates %d MiB", name, len(out)>>20, printed>>20)
		}
	}
}

// FuzzAllocation looks for a part that takes much memory when it is there many times.
func FuzzAllocation(f *testing.F) {
	f.Add(uint8(0), "v1", "Pod", uint8(2), "\x12\x00")
	f.Add(uint8(0), "v1", "Node", uint8(1), "\x5a\x00")
	f.Add(uint8(1), "v1", "Pod", uint8(0), `{},`)
	f.Add(uint8(1), "apps/v1", "Deployment", uint8(0), `{"a":null},`)
	f.Add(uint8(2), "", "", uint8(0), "\xa0")
	f.Fuzz(func(t *testing.T, encoding uint8, version, kind string, field uint8, unit string) {
		const size = 8 << 10
		if unit == "" || len(unit) > 1000 || len(version)+len(kind) > 1000 {
			return
		}
		many := bytes.Repeat([]byte(unit), size/len(unit))
		var value []byte
		switch encoding % 3 {
		case 0:
			value = envelope(t, version, kind, pb(nil, int32(field%50)+1, many))
		case 1:
			value = fmt.Appendf(nil, `{"apiVersion":%q,"kind":%q,"metadata":{"labels":[%s0]},"spec":[%s0]}`, version, kind, many, many)
		case 2:
			value = append([]byte(cborMagic+"\xa1\x41a\x9f"), append(many, 0xff)...)
		}
		o := Decode(Key{}, value) // what is made once for a type does not count
		for what, bound := range map[string]struct {
			do func()
			of int // bytes a byte of the value
		}{
			"scanning": {func() {
				_, _ = ScanPod(value)
				_, _ = ScanPodRefs(value)
				_, _ = ScanMeta(value)
				_, _ = ScanLinks(value)
			}, 1024},
			"decoding": {func() { Decode(Key{}, value) }, 1024},
			"printing": {func() { o.YAML(PrintOptions{}) }, 16 << 10}, // the emitter takes kilobytes an item
		} {
			if got := allocated(bound.do); got > 4<<20+bound.of*len(value) {
				t.Errorf("%s allocates %d KiB for %d KiB", what, got>>10, len(value)>>10)
			}
		}
	})
}
