package snapshot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
)

// memberRecord is a member as etcd stores it.
func memberRecord(id uint64, learner bool) string {
	return fmt.Sprintf(`{"id":%d,"peerURLs":["http://m%d:2380"],"name":"m%d","isLearner":%v}`, id, id, id, learner)
}

// withMembers is a db with these members by id, which are learners or not, and raft's
// configuration.
func withMembers(t *testing.T, members map[uint64]bool, conf string) []byte {
	t.Helper()
	return addMembers(t, snapshottest.Bytes(t, snapshottest.Put("/a", "1")), members, conf)
}

// addMembers adds them to a db.
func addMembers(t *testing.T, data []byte, members map[uint64]bool, conf string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists([]byte("members"))
		if err != nil {
			return err
		}
		for id, learner := range members {
			if err := bucket.Put(fmt.Appendf(nil, "%x", id), []byte(memberRecord(id, learner))); err != nil {
				return err
			}
		}
		meta, err := tx.CreateBucketIfNotExists([]byte("meta"))
		if err != nil || conf == "" {
			return err
		}
		return meta.Put([]byte("confState"), []byte(conf))
	})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return data
}

func openDir(t *testing.T, dir string) *snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// roles are the members and what they are.
func roles(s *snapshot.Snapshot) (list []string) {
	for _, m := range s.Meta().Members {
		role := "votes"
		if m.Learner {
			role = "learns"
		}
		list = append(list, m.ID+" "+role)
	}
	return list
}

// TestVoters has raft's configuration and the bucket of the members disagree. The log has
// an entry that is not known to be agreed on: it is applied where one member votes alone.
func TestVoters(t *testing.T) {
	const me = waltest.Member
	for _, tt := range []struct {
		name    string
		members map[uint64]bool
		conf    string
		want    []string
		alone   bool
		says    string
	}{
		{"before 3.5", map[uint64]bool{me: false}, "", []string{"%x votes"}, true, ""},
		{"one", map[uint64]bool{me: false}, `{"voters":[%d]}`, []string{"%x votes"}, true, ""},
		{"promotions that were not stored", map[uint64]bool{me: false, 2: true, 3: true}, `{"voters":[%d,2,3]}`, []string{"2 votes", "3 votes", "%x votes"}, false, "etcd 3.5.1 to 3.5.19 do not store a promotion"},
		{"a learner", map[uint64]bool{me: false, 2: true}, `{"voters":[%d],"learners":[2]}`, []string{"2 learns", "%x votes"}, true, ""},
		{"a learner only raft knows to be one", map[uint64]bool{me: false, 2: false}, `{"voters":[%d],"learners":[2]}`, []string{"2 learns", "%x votes"}, true, "is no learner there and one in raft's configuration"},
		{"restored from three", map[uint64]bool{me: false}, `{"voters":[%d,2,3]}`, []string{"%x votes"}, false, "a restore leaves the configuration of before"},
		{"restored from one", map[uint64]bool{me: false, 2: false, 3: false}, `{"voters":[%d]}`, []string{"2 votes", "3 votes", "%x votes"}, false, "is not in raft's configuration"},
		{"learns itself", map[uint64]bool{me: true, 2: false}, `{"voters":[2],"learners":[%d]}`, []string{"2 votes", "%x learns"}, false, ""},
		{"not JSON", map[uint64]bool{me: false}, `voters`, []string{"%x votes"}, true, "confState is not the JSON"},
		{"no bucket", nil, `{"voters":[%d]}`, nil, true, ""},
		{"no bucket of three", nil, `{"voters":[%d,2,3]}`, nil, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := tt.conf
			if strings.Contains(conf, "%d") {
				conf = fmt.Sprintf(conf, uint64(me))
			}
			dir := member(t, withMembers(t, tt.members, conf), func(*waltest.Log) {})
			l := waltest.New(t, filepath.Join(dir, "member", "wal"), 0)
			l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/b"), Value: []byte("2")}})
			l.Close()
			s := openDir(t, dir)
			for i, role := range tt.want {
				if strings.Contains(role, "%x") {
					tt.want[i] = fmt.Sprintf(role, uint64(me))
				}
			}
			slices.Sort(tt.want)
			got := roles(s)
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if alone := s.WAL().Uncommitted == 0; alone != tt.alone {
				t.Errorf("%d entries not applied", s.WAL().Uncommitted)
			}
			said := slices.ContainsFunc(s.Problems(), func(p snapshot.Problem) bool {
				return strings.Contains(p.Where, "members") || strings.Contains(p.What, "confState")
			})
			if said != (tt.says != "") || said && !strings.Contains(fmt.Sprint(s.Problems()), tt.says) {
				t.Errorf("problems %v, want %q", s.Problems(), tt.says)
			}
		})
	}
}

// TestMembersOfLog has the log change the members. What etcd refuses changes nothing.
func TestMembersOfLog(t *testing.T) {
	const me = waltest.Member
	change := func(l *waltest.Log, kind raftpb.ConfChangeType, id uint64, context string) {
		data, err := proto.Marshal(&raftpb.ConfChange{Type: &kind, NodeId: &id, Context: []byte(context)})
		if err != nil {
			t.Fatal(err)
		}
		entry := raftpb.EntryConfChange
		l.Append(&raftpb.Entry{Type: &entry, Data: data})
	}
	db := withMembers(t, map[uint64]bool{me: false}, fmt.Sprintf(`{"voters":[%d],"auto_leave":false}`, uint64(me)))
	dir := member(t, db, func(l *waltest.Log) {
		change(l, raftpb.ConfChangeAddLearnerNode, 2, memberRecord(2, true))
		promote := strings.TrimSuffix(memberRecord(2, false), "}") + `,"isPromote":true}`
		change(l, raftpb.ConfChangeAddNode, 2, promote)
		change(l, raftpb.ConfChangeAddLearnerNode, 3, memberRecord(3, true))
		change(l, raftpb.ConfChangeAddLearnerNode, 5, memberRecord(5, true))                    // one too many
		change(l, raftpb.ConfChangeAddNode, 9, strings.ReplaceAll(promote, `"id":2`, `"id":9`)) // not there
		change(l, raftpb.ConfChangeAddNode, 3, memberRecord(3, false))                          // there already
		change(l, raftpb.ConfChangeUpdateNode, 3, `{"id":3,"peerURLs":["http://new:2380"]}`)
		change(l, raftpb.ConfChangeUpdateNode, 3, `{"id":3,"peerURLs":["http://m2:2380"]}`) // another one's
		change(l, raftpb.ConfChangeAddNode, 4, memberRecord(4, false))
		change(l, raftpb.ConfChangeRemoveNode, 4, "")
		change(l, raftpb.ConfChangeRemoveNode, 8, "")                  // not there
		change(l, raftpb.ConfChangeAddNode, 4, memberRecord(4, false)) // it was removed
		l.Request(&etcdserverpb.InternalRaftRequest{ClusterMemberAttrSet: &membershippb.ClusterMemberAttrSetRequest{
			Member_ID: 2, MemberAttributes: &membershippb.Attributes{Name: "two", ClientUrls: []string{"http://two:2379"}},
		}})
		l.Entry(v2Put("/0/members/3/attributes", `{"name":"three","clientURLs":["http://three:2379"]}`))
		l.Entry(v2Put("/0/members/7/attributes", `{"name":"seven"}`)) // not there
		l.Entry(v2Put("/0/version", "3.6.0"))
		l.Request(&etcdserverpb.InternalRaftRequest{ClusterVersionSet: &membershippb.ClusterVersionSetRequest{Ver: "3.7.0"}})
	})
	s := openDir(t, dir)
	want := []snapshot.Member{
		{ID: "2", Name: "two", PeerURLs: []string{"http://m2:2380"}, ClientURLs: []string{"http://two:2379"}},
		{ID: "3", Name: "three", PeerURLs: []string{"http://new:2380"}, ClientURLs: []string{"http://three:2379"}, Learner: true},
		{ID: fmt.Sprintf("%x", uint64(me)), Name: fmt.Sprintf("m%d", uint64(me)), PeerURLs: []string{fmt.Sprintf("http://m%d:2380", uint64(me))}},
	}
	got := s.Meta()
	slices.SortFunc(got.Members, func(a, b snapshot.Member) int { return len(a.ID) - len(b.ID) })
	if diff := cmp.Diff(want, got.Members); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"4"}, got.Removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	var conf struct{ Voters, Learners []uint64 }
	if err := json.Unmarshal([]byte(got.ConfState), &conf); err != nil || len(conf.Voters) != 2 || !slices.Equal(conf.Learners, []uint64{3}) {
		t.Errorf("confState %s, %v", got.ConfState, err)
	}
	if got.ClusterVersion != "3.7.0" {
		t.Errorf("cluster version %s", got.ClusterVersion)
	}
	if !strings.Contains(fmt.Sprint(s.Problems()), "learner 5 was taken to be refused") {
		t.Errorf("problems %v", s.Problems())
	}
	if !s.WAL().MembersChanged {
		t.Error("it is not said that the log changes the members")
	}
}

// v2Put is a request of the v2 API, as etcd up to 3.5 writes it.
func v2Put(path, value string) (b []byte) {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), 77)
	for i, text := range []string{"PUT", path, value} {
		b = protowire.AppendString(protowire.AppendTag(b, protowire.Number(2+i), protowire.BytesType), text)
	}
	return b
}

// TestRemovedMember reads the directory of a member that was removed.
func TestRemovedMember(t *testing.T) {
	const me = waltest.Member
	db := withMembers(t, map[uint64]bool{me: false, 2: false}, fmt.Sprintf(`{"voters":[%d,2]}`, uint64(me)))
	dir := member(t, db, func(l *waltest.Log) {
		kind, id, entry := raftpb.ConfChangeRemoveNode, uint64(me), raftpb.EntryConfChange
		data, err := proto.Marshal(&raftpb.ConfChange{Type: &kind, NodeId: &id})
		if err != nil {
			t.Fatal(err)
		}
		l.Append(&raftpb.Entry{Type: &entry, Data: data})
		l.Commit()
	})
	s := openDir(t, dir)
	if diff := cmp.Diff([]string{"2 votes"}, roles(s)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if !strings.Contains(fmt.Sprint(s.Problems()), "this member was removed from the cluster") {
		t.Errorf("problems %v", s.Problems())
	}
}
