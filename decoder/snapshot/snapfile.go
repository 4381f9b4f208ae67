package snapshot

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"strconv"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/input"
)

// snapFile is what raft's last snapshot says of the members. It is a file beside the db
// (etcd server/v3 v3.6 etcdserver/api/snap/snapshotter.go), with the store of the v2 API
// in it; 3.7 writes it, too.
type snapFile struct {
	conf    *raftpb.ConfState
	members map[uint64]Member
}

// maxSnapFile is the size in bytes of the largest one that is read: Kubernetes keeps
// nothing in the v2 store.
const maxSnapFile = 4 << 20

// readSnapFile is nil where there is none, or none that can be read.
func readSnapFile(path string) *snapFile {
	f, err := input.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSnapFile+1))
	if err != nil || len(data) > maxSnapFile {
		return nil
	}
	return parseSnapFile(data)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// parseSnapFile reads a snappb.Snapshot: a checksum, and a raftpb.Snapshot.
func parseSnapFile(data []byte) *snapFile {
	var sum uint64
	var body []byte
	for b := data; len(b) > 0; {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil
		}
		b = b[n:]
		switch {
		case num == 1 && typ == protowire.VarintType:
			sum, n = protowire.ConsumeVarint(b)
		case num == 2 && typ == protowire.BytesType:
			body, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return nil
		}
		b = b[n:]
	}
	var s raftpb.Snapshot
	if len(body) == 0 || crc32.Checksum(body, castagnoli) != uint32(sum) || proto.Unmarshal(body, &s) != nil {
		return nil
	}
	return &snapFile{conf: s.GetMetadata().GetConfState(), members: v2Members(s.Data)}
}

// node is a node of the v2 store (etcd server/v3 v3.5 etcdserver/api/v2store/node.go).
type node struct {
	Value    string
	Children map[string]*node
}

func (n *node) child(names ...string) *node {
	for _, name := range names {
		if n == nil {
			return nil
		}
		n = n.Children[name]
	}
	return n
}

// v2Members are the members in a store of the v2 API (server/v3 v3.5
// etcdserver/api/membership/store.go nodeToMember).
func v2Members(data []byte) map[uint64]Member {
	var store struct{ Root *node }
	if json.Unmarshal(data, &store) != nil {
		return nil
	}
	list := store.Root.child("0", "members")
	if list == nil {
		return nil
	}
	members := map[uint64]Member{}
	for name, n := range list.Children {
		id, err := strconv.ParseUint(name, 16, 64)
		raft := n.child("raftAttributes")
		if err != nil || raft == nil {
			continue
		}
		m, err := parseMember(hexID(id), []byte(raft.Value))
		if err != nil {
			continue
		}
		var a attributes
		if own := n.child("attributes"); own != nil && json.Unmarshal([]byte(own.Value), &a) == nil {
			m.Name, m.ClientURLs = a.Name, a.ClientURLs
		}
		members[id] = m
	}
	return members
}

// of are the members of raft's configuration, as the file has them or else the db.
func (f *snapFile) of(conf *raftpb.ConfState, stored map[uint64]Member) (list []Member) {
	add := func(ids []uint64, learner bool) {
		for _, id := range ids {
			m := stored[id]
			if f != nil {
				if saved, ok := f.members[id]; ok {
					m = saved
				}
			}
			m.ID, m.Learner = hexID(id), learner
			list = append(list, m)
		}
	}
	add(conf.GetLearners(), true)
	add(conf.GetLearnersNext(), true)
	add(conf.GetVoters(), false)
	add(conf.GetVotersOutgoing(), false)
	return list
}
