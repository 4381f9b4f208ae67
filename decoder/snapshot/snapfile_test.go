package snapshot

import (
	"bytes"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal"
	"revenant/internal/corpus"
)

// FuzzSnapFile gives any bytes as raft's snapshot file.
func FuzzSnapFile(f *testing.F) {
	for name, data := range corpus.Files(f, "../../testdata/etcd/members/3.4/m0.tar.gz") {
		if filepath.Ext(name) == ".snap" {
			if s := parseSnapFile(data); s == nil || s.conf == nil || len(s.members) == 0 {
				f.Fatalf("%s: %+v", name, s)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("\x08\x01\x12\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s := parseSnapFile(data); s != nil {
			s.of(s.conf, s.members)
		}
		for id, m := range v2Members(data) {
			if m.number() != id {
				t.Fatalf("member %x is %+v", id, m)
			}
		}
	})
}

// TestSnapFileOf refuses what is too large, damaged, or no file.
func TestSnapFileOf(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"large": make([]byte, maxSnapFile+1), "empty": nil, "damaged": []byte("\x08\x01\x12\x01a")} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := readSnapFile(path); s != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := readSnapFile(dir); s != nil {
		t.Errorf("a directory: %+v", s)
	}
	body := marshal(t, &raftpb.Snapshot{Data: []byte("{}")})
	for size, want := range map[int]bool{maxSnapFile: true, maxSnapFile + 1: false} {
		data := slices.Concat(protowire.AppendVarint([]byte{8}, uint64(crc32.Checksum(body, castagnoli))), protowire.AppendBytes([]byte{18}, body))
		for len(data) < size-8 { // fields that are not known
			data = protowire.AppendBytes(append(data, 34), make([]byte, min(size-8-len(data), 100)))
		}
		data = append(data, bytes.Repeat([]byte{0x28, 0}, (size-len(data))/2)...)
		if len(data) < size {
			data = append(data[:len(data)-2], 0x28, 0x80, 0)
		}
		path := filepath.Join(dir, "valid")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := readSnapFile(path); len(data) != size || parseSnapFile(data) == nil || (s != nil) != want {
			t.Errorf("%d bytes of %d: %+v", len(data), size, s)
		}
	}
}

// TestParseSnapFile: what stands in other fields, or in fields of another type, is not
// taken for raft's snapshot.
func TestParseSnapFile(t *testing.T) {
	body := marshal(t, &raftpb.Snapshot{Data: []byte(`{}`), Metadata: &raftpb.SnapshotMetadata{Index: new(uint64(9)), ConfState: &raftpb.ConfState{Voters: []uint64{1}}}})
	other := marshal(t, &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{ConfState: &raftpb.ConfState{Voters: []uint64{2}}}})
	field := func(num protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
	}
	number := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	sum := uint64(crc32.Checksum(body, castagnoli))
	whole := slices.Concat(number(1, sum), field(2, body))
	for _, tt := range []struct {
		name string
		data []byte
		want bool
	}{
		{"whole", whole, true},
		{"a third field", slices.Concat(whole, field(3, other)), true},
		{"a number with its number", slices.Concat(whole, number(2, 7)), true},
		{"a sum in another field", slices.Concat(whole, number(3, 7)), true},
		{"bytes for the sum", slices.Concat(whole, field(1, other)), true},
		{"another sum", slices.Concat(number(1, sum+1), field(2, body)), false},
		{"no sum", field(2, body), false},
		{"cut off", whole[:len(whole)-1], false},
		{"no body, and the sum of none", number(1, 0), false},
		{"a body that cannot be read", slices.Concat(number(1, uint64(crc32.Checksum([]byte("\xff"), castagnoli))), field(2, []byte("\xff"))), false},
	} {
		s := parseSnapFile(tt.data)
		if (s != nil) != tt.want || s != nil && (s.conf == nil || !slices.Equal(s.conf.Voters, []uint64{1})) {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
	list := v2Members([]byte(`{"Root":{"Children":{"0":{"Children":{"members":{"Children":{
		"a":{"Children":{"raftAttributes":{"Value":"{\"peerURLs\":[\"http://p\"]}"},"attributes":{"Value":"{\"name\":\"n\",\"clientURLs\":[\"http://c\"]}"}}},
		"b":{"Children":{"raftAttributes":{"Value":"{\"isLearner\":true}"},"attributes":{"Value":"{"}}},
		"c":{"Children":{"raftAttributes":{"Value":"{"}}},
		"d":{"Children":{"attributes":{"Value":"{}"}}},
		"e":null,
		"x":{"Children":{"raftAttributes":{"Value":"{}"}}}}}}}}}}`))
	want := map[uint64]Member{
		10: {ID: "a", Name: "n", PeerURLs: []string{"http://p"}, ClientURLs: []string{"http://c"}},
		11: {ID: "b", Learner: true},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
}

// TestParseAttributes: fields that etcd does not have, or of another type, are no attributes.
func TestParseAttributes(t *testing.T) {
	const want = "\x08\x07\x12\x11\x0a\x03one\x12\x0ahttp://one"
	for name, more := range map[string]string{
		"nothing more":                "",
		"another member's attributes": "\x1a\x05\x0a\x03two",
		"a number for attributes":     "\x10\x09",
		"bytes for the member":        "\x0a\x01\x09",
		"a field within":              "\x12\x04\x1a\x02\xff\xfe",
		"a number within":             "\x12\x02\x08\x07",
	} {
		id, a, err := parseAttributes([]byte(want + more))
		if err != nil || id != 7 || a.Name != "one" || !slices.Equal(a.ClientURLs, []string{"http://one"}) {
			t.Errorf("%s: member %d, %+v, %v", name, id, a, err)
		}
	}
	for name, data := range map[string]string{"cut off": want[:8], "cut off within": "\x12\x01\x0a", "no text": "\x12\x03\x0a\x01\xff", "no text for a URL": "\x12\x03\x12\x01\xff"} {
		if _, a, err := parseAttributes([]byte(data)); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// FuzzMembers holds what is read of raft's messages and of what a member says of itself
// against etcd's own types.
func FuzzMembers(f *testing.F) {
	conf := &raftpb.ConfState{Voters: []uint64{1, 1 << 63}, Learners: []uint64{3}, VotersOutgoing: []uint64{4}, LearnersNext: []uint64{5}, AutoLeave: new(true)}
	for _, m := range []proto.Message{
		&raftpb.ConfChange{Type: raftpb.ConfChangeAddLearnerNode.Enum(), NodeId: new(uint64(7)), Context: []byte("{}")},
		&raftpb.Snapshot{Data: []byte("{}"), Metadata: &raftpb.SnapshotMetadata{ConfState: conf, Index: new(uint64(9))}},
		&membershippb.ClusterMemberAttrSetRequest{Member_ID: 7, MemberAttributes: &membershippb.Attributes{Name: "a", ClientUrls: []string{"http://a", ""}}},
	} {
		f.Add(marshal(f, m))
	}
	f.Add([]byte("\x12\x04\x22\x02\x08\x07\x0a\x02{}\x08\x07"))                         // a snapshot, and fields of other types and numbers
	f.Add([]byte("\x10\x02\x18\x07\x22\x02{}\x12\x01\x01\x1a\x01\x01\x20\x01\x08\x09")) // a change, and the same
	f.Add([]byte("\x12\x05\x0a\x03\x0a\x01\x05\x12\x04\x0a\x02\x08\x06"))               // a configuration in two parts, packed and not
	f.Fuzz(func(t *testing.T, data []byte) {
		type read struct {
			Kind      int32
			ID        uint64
			Data      string
			Conf      *wal.ConfState
			Name      string
			Addresses []string
		}
		// It may be stricter than protobuf where etcd writes no such thing.
		if cc, err := parseConfChange(data); err == nil {
			var want raftpb.ConfChange
			if err := proto.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			got := read{Kind: cc.kind, ID: cc.node, Data: string(cc.context)}
			if diff := cmp.Diff(read{Kind: int32(want.GetType()), ID: want.GetNodeId(), Data: string(want.Context)}, got); diff != "" {
				t.Error(diff)
			}
		}
		if conf, store, err := parseRaftSnapshot(data); err == nil {
			var want raftpb.Snapshot
			if err := proto.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			expected := read{Data: string(want.Data)}
			if c := want.GetMetadata().GetConfState(); c != nil {
				expected.Conf = &wal.ConfState{Voters: c.Voters, Learners: c.Learners, VotersOutgoing: c.VotersOutgoing, LearnersNext: c.LearnersNext, AutoLeave: c.GetAutoLeave()}
			}
			if diff := cmp.Diff(expected, read{Data: string(store), Conf: conf}); diff != "" {
				t.Error(diff)
			}
		}
		if id, a, err := parseAttributes(data); err == nil {
			var want membershippb.ClusterMemberAttrSetRequest
			if err := proto.Unmarshal(data, &want); err != nil {
				t.Fatal(err)
			}
			set := want.GetMemberAttributes()
			if diff := cmp.Diff(read{ID: want.GetMember_ID(), Name: set.GetName(), Addresses: set.GetClientUrls()}, read{ID: id, Name: a.Name, Addresses: a.ClientURLs}); diff != "" {
				t.Error(diff)
			}
		}
	})
}
