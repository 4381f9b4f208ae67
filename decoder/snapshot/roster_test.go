package snapshot

import (
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"

	"revenant/decoder/wal"
)

// TestChangesRoster: of the entries before the db's last one, those are kept that may say
// something of the members.
func TestChangesRoster(t *testing.T) {
	header := &etcdserverpb.RequestHeader{ID: 7}
	set := &membershippb.ClusterMemberAttrSetRequest{Member_ID: 1}
	for _, tt := range []struct {
		name string
		kind wal.EntryType
		data []byte
		want bool
	}{
		{"change of the members", wal.EntryConfChange, []byte("\xff"), true},
		{"attributes", wal.EntryNormal, marshal(t, &etcdserverpb.InternalRaftRequest{ClusterMemberAttrSet: set}), true},
		{"attributes after a header", wal.EntryNormal, marshal(t, &etcdserverpb.InternalRaftRequest{Header: header, ClusterMemberAttrSet: set}), true},
		{"v2", wal.EntryNormal, legacyRequest("PUT", "/0/members/1/attributes", "{}"), true},
		{"put", wal.EntryNormal, marshal(t, &etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{}}), false},
		{"put after a header", wal.EntryNormal, marshal(t, &etcdserverpb.InternalRaftRequest{Header: header, Put: &etcdserverpb.PutRequest{}}), false},
		{"version", wal.EntryNormal, marshal(t, &etcdserverpb.InternalRaftRequest{ClusterVersionSet: &membershippb.ClusterVersionSetRequest{}}), false},
		{"a number where v2 is", wal.EntryNormal, []byte("\x10\x01"), false},
		{"leader's first", wal.EntryNormal, nil, false},
		{"not a message", wal.EntryNormal, []byte("\xff"), false},
	} {
		if got := changesRoster(tt.kind, tt.data); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
