package snapshot

import (
	"encoding/json"
	"hash/crc32"
	"io"
	"strconv"

	"revenant/decoder/input"
	"revenant/decoder/wal"
	"revenant/decoder/wire"
)

// snapFile is what raft's last snapshot says of the members. It is a file beside the db
// (etcd server/v3 v3.6 etcdserver/api/snap/snapshotter.go), with the store of the v2 API
// in it; 3.7 writes it, too.
type snapFile struct {
	conf    *wal.ConfState
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

// parseSnapFile reads a snappb.Snapshot: a checksum, and a raftpb.Snapshot.
func parseSnapFile(data []byte) *snapFile {
	var sum uint64
	var body []byte
	for f, err := range wire.Fields(data) {
		switch {
		case err != nil:
			return nil
		case f.Num() == 1 && f.Type() == wire.Varint:
			sum = f.Val
		case f.Num() == 2 && f.Type() == wire.Bytes:
			body = f.Payload(data)
		}
	}
	if len(body) == 0 || crc32.Checksum(body, castagnoli) != uint32(sum) {
		return nil
	}
	conf, store, err := parseRaftSnapshot(body)
	if err != nil {
		return nil
	}
	return &snapFile{conf: conf, members: v2Members(store)}
}

// parseRaftSnapshot reads of a raftpb.Snapshot its data and the configuration in its
// SnapshotMetadata, nil where it has none.
func parseRaftSnapshot(b []byte) (conf *wal.ConfState, data []byte, err error) {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return nil, nil, err
		}
		switch {
		case f.Type() != wire.Bytes:
		case f.Num() == 1:
			data = f.Payload(b)
		case f.Num() == 2:
			metadata := f.Payload(b)
			for f, err := range wire.Fields(metadata) {
				if err != nil {
					return nil, nil, err
				}
				if f.Num() != 1 || f.Type() != wire.Bytes {
					continue
				}
				if conf == nil {
					conf = &wal.ConfState{}
				}
				if err := conf.Parse(f.Payload(metadata)); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return conf, data, nil
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
func (f *snapFile) of(conf *wal.ConfState, stored map[uint64]Member) (list []Member) {
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
	add(conf.Learners, true)
	add(conf.LearnersNext, true)
	add(conf.Voters, false)
	add(conf.VotersOutgoing, false)
	return list
}
