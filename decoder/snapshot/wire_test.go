package snapshot

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"
)

// TestValueSpan finds the value in the beginning of a record as etcd writes it, and in
// nothing else.
func TestValueSpan(t *testing.T) {
	value := strings.Repeat("v", 300)
	whole := marshal(t, &mvccpb.KeyValue{Key: []byte("/key"), CreateRevision: 2, ModRevision: 1 << 40, Version: 3, Value: []byte(value), Lease: 7})
	from := strings.Index(string(whole), value)
	to := from + len(value)
	for _, tt := range []struct {
		name     string
		b        []byte
		from, to int
	}{
		{"whole", whole, from, to},
		{"cut off in the value", whole[:from+1], from, to},
		{"cut off before the value", whole[:from], from, to},
		{"cut off in the value's length", whole[:from-1], 0, 0},
		{"cut off in a number", whole[:10], 0, 0},
		{"cut off in the key", whole[:3], 0, 0},
		{"nothing", nil, 0, 0},
		{"no value", marshal(t, &mvccpb.KeyValue{Key: []byte("/key"), CreateRevision: 2}), 0, 0},
		{"a key longer than a number", []byte("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\x2a\x01v"), 0, 0},
		{"a field of another type before the value", []byte("\x12\x01x\x2a\x01v"), 0, 0},
		{"a lease before the value", append([]byte("\x30\x07"), whole...), 0, 0},
		{"number without end", append([]byte("\x10"), strings.Repeat("\xff", 20)...), 0, 0},
		{"a value too large to be stored", []byte("\x2a\x80\x80\x80\x80\x08"), 0, 0},
	} {
		if from, to := valueSpan(tt.b); from != tt.from || to != tt.to {
			t.Errorf("%s: from %d to %d, want %d to %d", tt.name, from, to, tt.from, tt.to)
		}
	}
}

// TestScanLongTags: tags that take more bytes than they need are those that they are, for
// protobuf and so for etcd.
func TestScanLongTags(t *testing.T) {
	short := []byte("\x0a\x02/a\x10\x02\x18\x03\x20\x01\x2a\x01v\x30\x07")
	long := []byte("\x8a\x00\x02/a\x90\x00\x02\x98\x80\x00\x03\xa0\x00\x01\xaa\x00\x01v\xb0\x00\x07")
	want, err := scanKeyValue(short)
	if err != nil {
		t.Fatal(err)
	}
	got, err := scanKeyValue(long)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(keyValue{})); diff != "" || err != nil {
		t.Errorf("%v, (-short +long):\n%s", err, diff)
	}
	var kv mvccpb.KeyValue
	if err := proto.Unmarshal(long, &kv); err != nil || string(kv.Key) != "/a" || kv.ModRevision != 3 {
		t.Errorf("protobuf reads %v, %v", &kv, err)
	}
}

// TestValueHead finds the beginning of the value in the beginning of a record, and in nothing
// else.
func TestValueHead(t *testing.T) {
	whole := string(marshal(t, &mvccpb.KeyValue{Key: []byte("/key"), CreateRevision: 2, ModRevision: 1 << 40, Version: 3, Value: []byte("value"), Lease: 7}))
	const number, fixed = "\x10\x02", "\x11\x2a\x02abcdef"
	for _, tt := range []struct {
		name, b string
		n       int
		want    string
	}{
		{"a part", whole, 3, "val"},
		{"as much as there is", whole, 5, "value"},
		{"more than there is", whole, 6, "value"},
		{"none of it", whole, 0, ""},
		{"cut off in the value", whole[:strings.Index(whole, "lue")], 4, "va"},
		{"cut off before the value", whole[:strings.Index(whole, "value")], 4, ""},
		{"cut off in the key", whole[:4], 4, ""},
		{"after a key that ends with what is there", "\x0a\x02/a", 4, ""},
		{"no value", number, 4, ""},
		{"value first", "\x2a\x02ab" + number, 4, "ab"},
		{"after a field of another type", fixed + "\x2a\x02ab", 4, ""},
		{"after a tag that there is not", "\x07" + "\x2a\x02ab", 4, ""},
		{"a value without end", "\x2a\xff\xff\xff\xff\xff\xff\xff\xff\x7fab", 4, "ab"},
	} {
		if got := string(valueHead([]byte(tt.b), tt.n)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestScanRefuses: what is cut off is no record, nor is what has another type; a field that
// etcd does not have is noted.
func TestScanRefuses(t *testing.T) {
	const key = "\x0a\x02/a"
	for _, tt := range []struct {
		name, b     string
		ok, unknown bool
	}{
		{"key", key, true, false},
		{"key and an empty value", key + "\x2a\x00", true, false},
		{"a number is missing", key + "\x10", false, false},
		{"a number is cut off", key + "\x10\x80", false, false},
		{"a length is missing", key + "\x2a", false, false},
		{"a value is cut off", key + "\x2a\x02v", false, false},
		{"a key of another type", "\x0d\x01\x02\x03\x04", false, false},
		{"a lease of another type", key + "\x31\x01\x02\x03\x04\x05\x06\x07\x08", false, false},
		{"a seventh field", key + "\x38\x01", true, true},
	} {
		if kv, err := scanKeyValue([]byte(tt.b)); (err == nil) != tt.ok || kv.unknown != tt.unknown {
			t.Errorf("%s: %+v, %v", tt.name, kv, err)
		}
	}
}
