package snapshot

import (
	"bytes"
	"context"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"revenant/internal/corpus"
	"revenant/internal/hostile"
)

// FuzzKeyValue holds the scan of a record against etcd's own message type.
func FuzzKeyValue(f *testing.F) {
	for _, kv := range []*mvccpb.KeyValue{
		{},
		{Key: []byte("/registry/a")},
		{Key: []byte("/registry/a"), CreateRevision: 2, ModRevision: 9, Version: 3, Value: bytes.Repeat([]byte("v"), 300), Lease: 1 << 60},
		{Key: []byte("/registry/a"), CreateRevision: -1, Value: []byte{}},
	} {
		data, err := proto.Marshal(kv)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x0a\x01a\x0a\x01b\x38\x05"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want mvccpb.KeyValue
		wantErr := proto.Unmarshal(data, &want)
		got, err := scanKeyValue(data)
		if err != nil {
			return // stricter than protobuf where etcd writes no such thing
		}
		if wantErr != nil {
			t.Fatalf("scan takes what protobuf refuses: %v", wantErr)
		}
		if !bytes.Equal(got.key, want.Key) || !bytes.Equal(got.value, want.Value) || got.createRevision != want.CreateRevision ||
			got.modRevision != want.ModRevision || got.version != want.Version || got.lease != want.Lease {
			t.Fatalf("scan %+v, protobuf %v", got, &want)
		}
		if got.unknown != (len(want.ProtoReflect().GetUnknown()) > 0) {
			t.Fatalf("unknown fields: scan says %v, protobuf has %x", got.unknown, want.ProtoReflect().GetUnknown())
		}
	})
}

// FuzzSnapshot writes the fuzzer's bytes over a small real file and asks
// everything of what is left.
func FuzzSnapshot(f *testing.F) {
	healthy := corpus.Unpack(f, "../../testdata/mvcc/compacted.db.gz")
	f.Add(uint32(0), []byte{}, uint32(0))
	f.Add(uint32(8192+16), []byte{0, 0, 0, 0, 255}, uint32(3))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, cut uint32) {
		data := bytes.Clone(healthy)
		copy(data[int(at)%len(data):], patch)
		data = data[:len(data)-int(cut)%len(data)]
		s, err := OpenBytes(context.Background(), "fuzzed", data, Options{SkipHashCheck: true})
		if err != nil {
			return
		}
		defer s.Close()
		askAll(t, s)
	})
}

func askAll(t *testing.T, s *Snapshot) {
	if _, err := s.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Integrity(t.Context()); err != nil {
		t.Fatal(err)
	}
	carving, err := s.Carve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for c := range carving.Records {
		if _, err := s.Value(c.Record); err != nil {
			t.Fatalf("value of a carved record: %v", err)
		}
	}
	for r := range s.Records() {
		if _, err := s.Value(r); err != nil {
			t.Fatalf("value of an indexed record: %v", err)
		}
	}
	for key := range s.AllKeys("") {
		if len(s.History(key)) == 0 {
			t.Fatalf("key %q without a history", key)
		}
	}
	for rev := s.CompactRevision(); rev <= min(s.Revision(), s.CompactRevision()+20); rev++ {
		v, err := s.At(rev)
		if err != nil {
			t.Fatalf("state at %d of %d to %d: %v", rev, s.CompactRevision(), s.Revision(), err)
		}
		for r := range v.Keys("") {
			if got, err := v.Get(r.Key); err != nil || got != r {
				t.Fatalf("get of a listed key: %v, %v", got, err)
			}
		}
		if _, err := s.HashKV(t.Context(), rev); err != nil {
			t.Fatalf("hash at %d: %v", rev, err)
		}
	}
	s.Problems()
	if _, err := s.Buckets(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.BumpMarkers()
}

// FuzzAllocation makes a db that no etcd would write from a seed, writes the fuzzer's
// bytes over it, and holds what opening it and all questions allocate against its size.
func FuzzAllocation(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, uint32(0), []byte{})
	}
	f.Add(uint64(3), uint32(2*hostile.PageSize+8), []byte{2, 0, 255, 255, 255, 255, 255, 0})
	f.Fuzz(func(t *testing.T, seed uint64, at uint32, patch []byte) {
		data := hostile.Generate(seed)
		start := 2 * hostile.PageSize // the meta pages have a checksum
		copy(data[start+int(at)%(len(data)-start):], patch)
		got := allocated(func() {
			s, err := OpenBytes(t.Context(), "fuzzed", data, Options{SkipHashCheck: true, Workers: 2})
			if err != nil {
				return
			}
			defer s.Close()
			askMemory(t, s)
		})
		if most := uint64(leastAllocated + allocatedPerByte*len(data)); got > most {
			t.Errorf("seed %d: %d bytes are allocated for a file of %d, at most %d", seed, got, len(data), most)
		}
	})
}

// What opening a file and asking everything of it may allocate: so many bytes, and so
// many more for each byte of the file. All that is ever allocated counts, so this is
// several times what is held.
const (
	leastAllocated   = 6 << 20
	allocatedPerByte = 40
)
