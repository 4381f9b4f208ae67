package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/raft/v3/raftpb"
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
	f.Add([]byte("\x12\x05\x0a\x03\x0a\x01\x05\x12\x04\x0a\x02\x08\x06")) // a configuration in two parts, packed and not
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
