package snapshot

import (
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
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
		{"a lease before the value", append([]byte("\x30\x07"), whole...), 0, 0},
		{"number without end", append([]byte("\x10"), strings.Repeat("\xff", 20)...), 0, 0},
		{"a value too large to be stored", []byte("\x2a\x80\x80\x80\x80\x08"), 0, 0},
	} {
		if from, to := valueSpan(tt.b); from != tt.from || to != tt.to {
			t.Errorf("%s: from %d to %d, want %d to %d", tt.name, from, to, tt.from, tt.to)
		}
	}
}
