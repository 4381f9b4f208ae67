package snapshot_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/wal/waltest"
	"revenant/internal/golden"
	"revenant/internal/hostile"
)

const self = waltest.Member

// membersDB is what a db has of the members.
type membersDB struct {
	members []string // JSON, by id
	removed []uint64
	conf    string // raft's configuration, JSON
	version string
	index   uint64 // of the last entry applied
}

// bytes is the db, whose only key is /a.
func (m *membersDB) bytes() []byte {
	inline := func(name string, items map[string]string) hostile.Item {
		var list []hostile.Item
		for key, value := range items {
			list = append(list, hostile.Item{Key: []byte(key), Value: []byte(value)})
		}
		slices.SortFunc(list, func(a, b hostile.Item) int { return strings.Compare(string(a.Key), string(b.Key)) })
		return hostile.Inline(name, list...)
	}
	members, removed, meta, cluster := map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}
	for _, record := range m.members {
		var of struct{ ID uint64 }
		if err := json.Unmarshal([]byte(record), &of); err != nil {
			panic(err) // the table is wrong
		}
		members[fmt.Sprintf("%x", of.ID)] = record
	}
	for _, id := range m.removed {
		removed[fmt.Sprintf("%x", id)] = "removed"
	}
	if m.conf != "" {
		meta["confState"] = m.conf
	}
	if m.version != "" {
		cluster["clusterVersion"] = m.version
	}
	meta["consistent_index"] = string(binary.BigEndian.AppendUint64(nil, m.index))
	var f hostile.File
	root := f.Leaf(hostile.Record(2, 0, 2, 1, "/a", []byte("1")))
	return f.Finish(f.Leaf(inline("cluster", cluster), hostile.Bucket("key", root), inline("members", members), inline("members_removed", removed), inline("meta", meta)), hostile.NoFreelist, 0)
}

// memberOf is a member as etcd stores it, and more fields.
func memberOf(id uint64, more string) string {
	return fmt.Sprintf(`{"id":%d,"peerURLs":["http://p%x"]%s}`, id, id, more)
}

const (
	named    = `,"name":"n","clientURLs":["http://c"]`
	learns   = `,"isLearner":true`
	promotes = `,"isPromote":true`
)

// membersLog writes entries that change members.
type membersLog struct {
	*waltest.Log
	t *testing.T
}

func (l membersLog) change(kind raftpb.ConfChangeType, id uint64, context string) {
	data, err := proto.Marshal(&raftpb.ConfChange{Type: &kind, NodeId: &id, Context: []byte(context)})
	if err != nil {
		l.t.Fatal(err)
	}
	l.changeBytes(data)
}

func (l membersLog) changeBytes(data []byte) {
	l.Append(&raftpb.Entry{Type: raftpb.EntryConfChange.Enum(), Data: data})
}

func (l membersLog) add(id uint64, more string) {
	l.change(raftpb.ConfChangeAddNode, id, memberOf(id, more))
}

func (l membersLog) addLearner(id uint64, more string) {
	l.change(raftpb.ConfChangeAddLearnerNode, id, memberOf(id, learns+more))
}

func (l membersLog) update(id uint64, context string) {
	l.change(raftpb.ConfChangeUpdateNode, id, context)
}

func (l membersLog) remove(id uint64) { l.change(raftpb.ConfChangeRemoveNode, id, "") }

func (l membersLog) publish(id uint64, name, client string) {
	l.Request(&etcdserverpb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{
		Member_ID: id, MemberAttributes: &membershippb.Attributes{Name: name, ClientUrls: []string{client}},
	}})
}

// saved notes that a snapshot was saved, with raft's configuration, or without one.
func (l membersLog) saved(index uint64, conf *raftpb.ConfState) {
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), index)
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1)
	if conf != nil {
		data, err := proto.Marshal(conf)
		if err != nil {
			l.t.Fatal(err)
		}
		b = protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), data)
	}
	l.Record(5, b)
}

// savedFile is the file of a snapshot: raft's configuration, or none, and the v2 store.
func savedFile(t *testing.T, conf *raftpb.ConfState, members ...string) []byte {
	t.Helper()
	type node struct {
		Value    string           `json:",omitempty"`
		Children map[string]*node `json:",omitempty"`
	}
	list := map[string]*node{}
	for _, record := range members {
		var of struct {
			ID         uint64
			Name       string   `json:"name"`
			ClientURLs []string `json:"clientURLs"`
		}
		if err := json.Unmarshal([]byte(record), &of); err != nil {
			t.Fatal(err)
		}
		own, err := json.Marshal(of)
		if err != nil {
			t.Fatal(err)
		}
		n := &node{Children: map[string]*node{"raftAttributes": {Value: record}}}
		if of.Name != "" {
			n.Children["attributes"] = &node{Value: string(own)}
		}
		list[fmt.Sprintf("%x", of.ID)] = n
	}
	store, err := json.Marshal(struct{ Root *node }{&node{Children: map[string]*node{"0": {Children: map[string]*node{"members": {Children: list}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(&raftpb.Snapshot{Data: store, Metadata: &raftpb.SnapshotMetadata{ConfState: conf}})
	if err != nil {
		t.Fatal(err)
	}
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(sum))
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), body)
}

// memberSituations are dbs and their logs.
var memberSituations = []struct {
	name string
	db   membersDB
	log  func(l membersLog)        // nil for none
	snap func(t *testing.T) []byte // raft's snapshot of entry 4; nil for none
}{
	// The db alone.
	{name: "a name and no client URL, 3.5", db: membersDB{members: []string{memberOf(self, `,"name":"n"`)}, version: "3.5.0"}},
	{name: "a name and no client URL, 3.6", db: membersDB{members: []string{memberOf(self, `,"name":"n"`)}, version: "3.6.0"}},
	{name: "no name and no client URL, 3.5", db: membersDB{members: []string{memberOf(self, "")}, version: "3.5.0"}},
	{name: "a client URL, 3.5", db: membersDB{members: []string{memberOf(self, named)}, version: "3.5.0"}},
	{name: "a learner that becomes one, and a voter that was one", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns), memberOf(3, "")}, conf: `{"voters":[4097],"learners_next":[2],"voters_outgoing":[3]}`}},
	{name: "a member that only raft has, which votes", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[4097,2]}`}, log: func(l membersLog) { l.Request(putKey("/n")) }},
	{name: "a member that only raft has, which learns", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[4097],"learners":[2]}`}, log: func(l membersLog) { l.Request(putKey("/n")) }},
	{name: "only raft has members", db: membersDB{conf: `{"voters":[4097,2],"learners":[3]}`}, log: func(l membersLog) { l.Request(putKey("/n")) }},
	{name: "a learner whose vote was not stored", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}, conf: `{"voters":[4097,2]}`}},
	{name: "a voter that raft knows for a learner", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, conf: `{"voters":[4097],"learners":[2]}`}},

	// Who has to agree.
	{name: "this member has no vote", db: membersDB{members: []string{memberOf(self, learns), memberOf(2, "")}}, log: func(l membersLog) { l.Request(putKey("/n"), putKey("/m")) }},
	{name: "nothing is known of members", log: func(l membersLog) { l.Request(putKey("/n")) }},
	{name: "two vote", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}}, log: func(l membersLog) { l.Request(putKey("/n")) }},
	{name: "three vote", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, ""), memberOf(3, "")}}, log: func(l membersLog) { l.Request(putKey("/n")); l.Commit() }},
	{name: "five vote", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, ""), memberOf(3, ""), memberOf(4, ""), memberOf(5, "")}}, log: func(l membersLog) { l.Request(putKey("/n")); l.Commit() }},
	{name: "an entry that was not applied changes who votes", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}}, log: func(l membersLog) { l.Request(putKey("/n")); l.Commit(); l.add(3, "") }},
	{name: "this member is removed", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, ""), memberOf(3, "")}}, log: func(l membersLog) { l.remove(self); l.Commit(); l.Request(putKey("/n")) }},

	// What the log changes.
	{name: "members come and go", db: membersDB{members: []string{memberOf(self, "")}}, log: func(l membersLog) {
		l.add(2, "")
		l.add(3, "")
		l.remove(3)
		l.add(3, "") // was removed
		l.remove(3)
		l.remove(4) // is not there
		l.Commit()
	}},
	{name: "changes that etcd refuses", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, removed: []uint64{9}}, log: func(l membersLog) {
		l.add(2, named)                                              // is there
		l.add(9, "")                                                 // was removed
		l.update(9, memberOf(9, ""))                                 // was removed
		l.update(7, memberOf(7, ""))                                 // is not there
		l.update(2, `{"peerURLs":["http://new","http://p1001"]}`)    // another one's
		l.change(raftpb.ConfChangeAddNode, 8, memberOf(2, ""))       // another one's
		l.change(raftpb.ConfChangeAddNode, 2, memberOf(2, promotes)) // votes
		l.change(raftpb.ConfChangeAddNode, 7, memberOf(7, promotes)) // is not there
		l.update(2, `{"peerURLs":["http://p2","http://second"],"isPromote":true}`)
		l.Commit()
	}},
	{name: "one is removed again that raft still has", db: membersDB{members: []string{memberOf(self, "")}, removed: []uint64{9}, conf: `{"voters":[4097,9]}`}, log: func(l membersLog) {
		l.remove(9)
		l.Commit()
		l.Request(putKey("/n"))
	}},
	{name: "one is removed that only raft has", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[4097,9]}`}, log: func(l membersLog) {
		l.remove(9)
		l.Commit()
		l.Request(putKey("/n"))
	}},
	{name: "changes that cannot be read", db: membersDB{members: []string{memberOf(self, "")}}, log: func(l membersLog) {
		l.changeBytes([]byte("\xff"))
		l.add(2, `,`)
		l.add(3, `,"isPromote":7`)
		l.add(4, `,"name":7`)
		l.Commit()
	}},
	{name: "a learner is promoted", db: membersDB{members: []string{memberOf(self, "")}}, log: func(l membersLog) { l.addLearner(2, named); l.add(2, promotes); l.Commit() }},
	{name: "a learner is promoted, and another one's URL is named with it", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) {
		l.change(raftpb.ConfChangeAddNode, 2, memberOf(self, promotes))
		l.Commit()
	}},
	{name: "one learner too many", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) { l.addLearner(3, ""); l.addLearner(4, ""); l.Commit() }},
	{name: "two learners were there", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns), memberOf(3, learns)}}, log: func(l membersLog) { l.addLearner(4, ""); l.Commit() }},
	{name: "a learner that seemed refused is promoted", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) {
		l.addLearner(3, "")
		l.addLearner(4, "")
		l.add(3, promotes)
		l.addLearner(5, "")
		l.Commit()
	}},
	{name: "one is removed", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) { l.addLearner(3, ""); l.addLearner(4, ""); l.remove(3); l.Commit() }},
	{name: "one is updated", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) { l.addLearner(3, ""); l.update(3, `{"peerURLs":["http://new"]}`); l.Commit() }},
	{name: "one says its name", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) { l.addLearner(3, ""); l.publish(3, "three", "http://three"); l.Commit() }},
	{name: "one is added again, to vote", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns)}}, log: func(l membersLog) { l.addLearner(3, ""); l.add(3, ""); l.Commit() }},
	{name: "what members say of themselves", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, version: "3.4.0"}, log: func(l membersLog) {
		l.publish(self, "one", "http://one")
		l.publish(9, "nine", "http://nine")
		l.Entry(v2Put("/0/members/2/attributes", `{"name":"two","clientURLs":["http://two"]}`))
		l.Entry(v2Put("/0/members/2/other", `{"name":"never"}`))
		l.Entry(v2Put("/0/members/00000000000000002/attributes", `{"name":"never"}`))
		l.Entry(v2Put("/0/version", "3.5.0"))
		l.Entry([]byte("\xa2\x51\x02\x08\x01")) // a version that is a number
		l.Entry([]byte("\x08\x01\x12\x06DELETE\x1a\x0a/0/version\x22\x053.3.0"))
		l.Commit()
	}},
	{name: "what cannot be read of it", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, version: "3.4.0"}, log: func(l membersLog) {
		l.Entry(v2Put("/0/members/2/attributes", `{`))
		l.Request(&etcdserverpb.InternalRaftRequest{ClusterVersionSet: &membershippb.ClusterVersionSetRequest{}})
		l.Entry([]byte("\xaa\x51\x04\x08\x02\x12\xff")) // a member's attributes, which go on after the entry
		l.Entry([]byte("\xaa\x51\x07\x08\x02\x12\x03\x0a\x01\xff"))
		l.Commit()
	}},

	// What the log has of the members as of the db's last entry.
	{name: "the log has them from its beginning", db: membersDB{members: []string{memberOf(self, "")}, index: 4}, log: func(l membersLog) {
		l.saved(0, nil)
		l.add(self, "")
		l.publish(self, "one", "http://one")
		l.addLearner(2, "")
		l.Entry(v2Put("/0/members/2/attributes", `{"name":"two"}`))
		l.Commit()
	}},
	{name: "the log has them from its beginning, 3.5", db: membersDB{members: []string{memberOf(self, `,"name":"n"`)}, version: "3.5.0", index: 2}, log: func(l membersLog) {
		l.saved(0, nil)
		l.add(self, "")
		l.publish(self, "n", "http://one")
		l.Commit()
	}},
	{name: "and agrees with the db", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[4097]}`, index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "and ends before the db", db: membersDB{members: []string{memberOf(self, "")}, index: 3}, log: func(l membersLog) { l.saved(0, nil); l.add(self, named); l.Request(putKey("/n")); l.Commit() }},
	{name: "and has an entry that cannot be read", db: membersDB{members: []string{memberOf(self, "")}, index: 2}, log: func(l membersLog) { l.saved(0, nil); l.add(self, named); l.changeBytes([]byte("\xff")); l.Commit() }},
	{name: "and an attribute that cannot be read", db: membersDB{members: []string{memberOf(self, "")}, index: 2}, log: func(l membersLog) {
		l.saved(0, nil)
		l.add(self, named)
		l.Entry([]byte("\xaa\x51\x04\x08\x02\x12\xff"))
		l.Commit()
	}},
	{name: "and is of other members", db: membersDB{members: []string{memberOf(2, "")}, index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "and the db has none", db: membersDB{index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "and lacks one of the db", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "and has one that the db has removed", db: membersDB{members: []string{memberOf(self, "")}, removed: []uint64{2}, index: 2}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.add(2, ""); l.Commit() }},
	{name: "and removes one that the db has", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, "")}, index: 3}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.add(2, ""); l.remove(2); l.Commit() }},
	{name: "the configuration is of before a restore", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[7,8]}`, index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "its learners are", db: membersDB{members: []string{memberOf(self, "")}, conf: `{"voters":[4097],"learners":[8]}`, index: 1}, log: func(l membersLog) { l.saved(0, nil); l.add(self, ""); l.Commit() }},
	{name: "a snapshot with a configuration", db: membersDB{members: []string{memberOf(self, named), memberOf(2, learns), memberOf(3, "")}, version: "3.5.0", index: 6}, log: func(l membersLog) {
		l.Request(putKey("/1"), putKey("/2"), putKey("/3"), putKey("/4"))
		l.saved(4, &raftpb.ConfState{Voters: []uint64{self}, Learners: []uint64{2}, VotersOutgoing: []uint64{3}})
		l.add(2, promotes)
		l.Request(putKey("/6"))
		l.Commit()
	}},
	{name: "one without, whose file has it", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, named)}, version: "3.5.0", index: 4}, log: savedAtFour(nil),
		snap: func(t *testing.T) []byte {
			return savedFile(t, &raftpb.ConfState{Voters: []uint64{self}, Learners: []uint64{3}, LearnersNext: []uint64{2}}, memberOf(self, named), memberOf(7, ""))
		}},
	{name: "one without, whose file has none", db: membersDB{members: []string{memberOf(self, "")}, index: 4}, log: savedAtFour(nil), snap: func(t *testing.T) []byte { return savedFile(t, nil, memberOf(self, named)) }},
	{name: "one without, and no file", db: membersDB{members: []string{memberOf(self, "")}, index: 4}, log: savedAtFour(nil)},
	{name: "a client URL that was not stored", db: membersDB{members: []string{memberOf(self, `,"name":"n"`)}, version: "3.5.0", index: 4}, log: savedAtFour(&raftpb.ConfState{Voters: []uint64{self}}),
		snap: func(t *testing.T) []byte { return savedFile(t, nil, memberOf(self, named)) }},
	{name: "and no file", db: membersDB{members: []string{memberOf(self, `,"name":"n"`)}, version: "3.5.0", index: 4}, log: savedAtFour(&raftpb.ConfState{Voters: []uint64{self}})},
	{name: "learners of the db count as well", db: membersDB{members: []string{memberOf(self, ""), memberOf(2, learns), memberOf(3, learns)}, index: 3}, log: func(l membersLog) {
		l.saved(0, nil)
		l.add(self, "")
		l.addLearner(2, "")
		l.addLearner(3, "")
		l.Commit()
	}},
}

// savedAtFour writes four entries, and that a snapshot of them was saved.
func savedAtFour(conf *raftpb.ConfState) func(l membersLog) {
	return func(l membersLog) {
		l.Request(putKey("/1"), putKey("/2"), putKey("/3"), putKey("/4"))
		l.saved(4, conf)
		l.Commit()
	}
}

// TestMemberSituations holds all that is said of members to testdata/members.golden.
func TestMemberSituations(t *testing.T) {
	var all strings.Builder
	for _, tt := range memberSituations {
		fmt.Fprintf(&all, "%s:\n", tt.name)
		dir := t.TempDir()
		path := filepath.Join(dir, "member", "snap", "db")
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, tt.db.bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if tt.snap != nil {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "0000000000000001-0000000000000004.snap"), tt.snap(t), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if tt.log != nil {
			l := membersLog{waltest.New(t, filepath.Join(dir, "member", "wal"), 0), t}
			tt.log(l)
			l.Close()
			path = dir
		}
		s := openDir(t, path)
		m := s.Meta()
		for _, x := range m.Members {
			role := "votes"
			if x.Learner {
				role = "learns"
			}
			fmt.Fprintf(&all, "  %s %q %s, peers %v, clients %v\n", x.ID, x.Name, role, x.PeerURLs, x.ClientURLs)
		}
		fmt.Fprintf(&all, "  removed %v, raft's %s, version %q", m.Removed, m.ConfState, m.ClusterVersion)
		if m.Stale {
			fmt.Fprint(&all, ", may be older")
		}
		if s.WAL() != nil && s.WAL().MembersChanged {
			fmt.Fprint(&all, ", changed by the log")
		}
		fmt.Fprintln(&all)
		for _, p := range s.Problems() {
			fmt.Fprintf(&all, "  %s: %s\n", p.Severity, p)
		}
		missing, err := s.Missing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range missing {
			fmt.Fprintf(&all, "  missing %s: %s, %s\n", m.Kind, m.What, m.Bound())
		}
	}
	golden.Equal(t, "testdata/members.golden", all.String())
}
