package snapshot

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBelieveLog: what the log has of members is believed, and each difference to the db is
// noted.
func TestBelieveLog(t *testing.T) {
	one, two := Member{ID: "1", Name: "a"}, Member{ID: "2", Name: "b"}
	learner := Member{ID: "2", Name: "b", Learner: true}
	const (
		both     = `{"voters":[1,2],"auto_leave":false}`
		learning = `{"voters":[1],"learners":[2],"auto_leave":false}`
	)
	tests := []struct {
		name        string
		stored, log []Member
		conf        string
		want        []string
		wantConf    string
		members     int
		changed     bool
	}{
		{name: "the same", stored: []Member{one, two}, log: []Member{one, two}, conf: both, wantConf: both, members: 2},
		{name: "no confState, as before 3.5", stored: []Member{one, two}, log: []Member{one, two}, members: 2},
		{name: "nothing in the log", stored: []Member{one, two}, conf: both, wantConf: both, members: 2},
		{name: "a member more", stored: []Member{one}, log: []Member{one, two}, conf: both, wantConf: both, members: 2, changed: true,
			want: []string{"member 2 is not there, and the log, which is believed, has it"}},
		{name: "a member less", stored: []Member{one, two}, log: []Member{one}, conf: `{"voters":[1],"auto_leave":false}`, wantConf: `{"voters":[1],"auto_leave":false}`, members: 1, changed: true,
			want: []string{"member 2 is in the bucket and not in the log: the log is believed"}},
		{name: "of other members", stored: []Member{two}, log: []Member{one}, conf: both, wantConf: both, members: 1,
			want: []string{"the log has other members than the bucket: the bucket is believed"}},
		{name: "promoted", stored: []Member{one, learner}, log: []Member{one, two}, conf: both, wantConf: both, members: 2, changed: true,
			want: []string{`of member 2 the bucket has: name "b", learns, peers , clients ; and the log, which is believed: name "b", votes, peers , clients  (etcd 3.5.1 to 3.5.19 do not store what changes of a member)`}},
		{name: "raft's configuration of before", stored: []Member{one, two}, log: []Member{one, two}, conf: learning, wantConf: both, members: 2, changed: true,
			want: []string{"confState there is not raft's configuration in the log, which is believed: a restore leaves that of before"}},
		{name: "of before, learners alone", stored: []Member{one, learner}, log: []Member{one, learner}, conf: `{"voters":[1],"auto_leave":false}`, wantConf: learning, members: 2, changed: true,
			want: []string{"confState there is not raft's configuration in the log, which is believed: a restore leaves that of before"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			byID := func(list []Member) map[uint64]Member {
				m := map[uint64]Member{}
				for _, x := range list {
					m[x.number()] = x
				}
				return m
			}
			s := &Snapshot{wal: &WAL{}, meta: Meta{Members: tt.stored, ConfState: tt.conf, Stale: true}}
			s.believeLog(&roster{members: byID(tt.log)}, byID(tt.stored), false)
			var got []string
			for _, p := range s.problems.list {
				got = append(got, p.What)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
			if s.meta.ConfState != tt.wantConf || len(s.meta.Members) != tt.members || s.wal.MembersChanged != tt.changed {
				t.Errorf("confState %s, members %v, changed %t", s.meta.ConfState, s.meta.Members, s.wal.MembersChanged)
			}
		})
	}
}

// TestSettleMembers: who votes by raft's configuration, where that is of the same members.
func TestSettleMembers(t *testing.T) {
	one, two := Member{ID: "1", Name: "a", ClientURLs: []string{"c"}}, Member{ID: "2", Name: "b", ClientURLs: []string{"c"}}
	learner := two
	learner.Learner = true
	tests := []struct {
		name    string
		members []Member
		conf    string
		want    []string // noted
		learns  []bool
		stale   bool
		others  []uint64
	}{
		{name: "the same", members: []Member{one, learner}, conf: `{"voters":[1],"learners":[2]}`, learns: []bool{false, true}},
		{name: "none", members: []Member{one, learner}, learns: []bool{false, true}},
		{name: "about to learn", members: []Member{one, learner}, conf: `{"voters":[1],"learners_next":[2]}`, learns: []bool{false, true}},
		{name: "about to vote no more", members: []Member{one, two}, conf: `{"voters":[1],"voters_outgoing":[2],"learners_next":[2]}`, learns: []bool{false, false}},
		{name: "promoted", members: []Member{one, learner}, conf: `{"voters":[1,2]}`, learns: []bool{false, false}, stale: true,
			want: []string{"member 2 is a learner there and votes in raft's configuration, which is believed: etcd 3.5.1 to 3.5.19 do not store a promotion"}},
		{name: "no learner there", members: []Member{one, two}, conf: `{"voters":[1],"learners":[2]}`, learns: []bool{false, true},
			want: []string{"member 2 is no learner there and one in raft's configuration, which is believed"}},
		{name: "of other members", members: []Member{one, learner}, conf: `{"voters":[3],"learners":[4]}`, learns: []bool{false, true}, others: []uint64{3},
			want: []string{
				"member 1 is not in raft's configuration: it is taken for a member", "member 2 is not in raft's configuration: it is taken for a member",
				"member 3 is in raft's configuration and not there: it is not taken for a member, for a restore leaves the configuration of before",
				"member 4 is in raft's configuration and not there: it is not taken for a member, for a restore leaves the configuration of before",
			}},
		{name: "no members there", conf: `{"voters":[3]}`, others: []uint64{3}},
		{name: "no JSON", members: []Member{one}, conf: `{`, learns: []bool{false}, want: []string{"confState is not the JSON that etcd writes"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Meta{Members: tt.members, ConfState: tt.conf}
			var problems problemList
			m.settleMembers(&problems)
			var got []string
			for _, p := range problems.list {
				got = append(got, p.What)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("noted (-want +got):\n%s", diff)
			}
			var learns []bool
			for _, x := range m.Members {
				learns = append(learns, x.Learner)
			}
			if !cmp.Equal(tt.learns, learns) || m.Stale != tt.stale || !cmp.Equal(tt.others, m.others) {
				t.Errorf("learners %v, stale %t, others %v", learns, m.Stale, m.others)
			}
		})
	}
}

// TestNoClientURL: a member that runs and whose clients find it nowhere is as it was added.
func TestNoClientURL(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		member        Member
		want          bool
	}{
		{"of 3.5", "3.5.0", Member{ID: "1", Name: "a"}, true},
		{"of 3.6", "3.6.0", Member{ID: "1", Name: "a"}, false},
		{"never started", "3.5.0", Member{ID: "1"}, false},
		{"with one", "3.5.0", Member{ID: "1", Name: "a", ClientURLs: []string{"c"}}, false},
	} {
		m, problems := Meta{ClusterVersion: tt.version, Members: []Member{tt.member}}, problemList{}
		if m.settleMembers(&problems); m.Stale != tt.want || len(problems.list) > 0 != tt.want {
			t.Errorf("%s: stale %t, %v", tt.name, m.Stale, problems.list)
		}
	}
}
