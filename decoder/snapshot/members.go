package snapshot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"revenant/decoder/wal"
	"revenant/internal/words"
)

// settleMembers says who votes. Raft goes by its configuration; the bucket members names
// the members, and from 3.5.1 to 3.5.19 etcd did not store there that a learner was
// promoted. But a restore rewrites the bucket and leaves the configuration of the
// cluster that the snapshot is of (etcdutl/v3 v3.7 snapshot/v3_snapshot.go), so that the
// bucket is believed where the two are not of the same members. What they disagree on is
// among the problems.
func (m *Meta) settleMembers(problems *problemList) {
	note := func(format string, args ...any) {
		problems.add(Note, "bucket members", fmt.Sprintf(format, args...), "")
	}
	for i := range m.Members {
		// A member that runs says where its clients find it.
		if x := &m.Members[i]; x.Name != "" && len(x.ClientURLs) == 0 && strings.HasPrefix(m.ClusterVersion, "3.5.") {
			m.Stale = true
			note("member %s has no client URL there: etcd 3.5.1 to 3.5.19 do not store what changes of a member, and names and URLs may be of when it was added", x.ID)
		}
	}
	if m.ConfState == "" {
		return
	}
	var conf wal.ConfState
	if json.Unmarshal([]byte(m.ConfState), &conf) != nil {
		problems.add(Damage, "bucket meta", "confState is not the JSON that etcd writes", "who votes; the bucket members is believed")
		return
	}
	votes := map[uint64]bool{} // by member
	for _, id := range slices.Concat(conf.Learners, conf.LearnersNext) {
		votes[id] = false
	}
	for _, id := range slices.Concat(conf.Voters, conf.VotersOutgoing) {
		votes[id] = true
	}
	for i := range m.Members {
		x := &m.Members[i]
		voter, ok := votes[x.number()]
		delete(votes, x.number())
		switch {
		case !ok:
			note("member %s is not in raft's configuration: it is taken for a member", x.ID)
		case voter && x.Learner:
			m.Stale = true
			note("member %s is a learner there and votes in raft's configuration, which is believed: etcd 3.5.1 to 3.5.19 do not store a promotion", x.ID)
		case !voter && !x.Learner:
			note("member %s is no learner there and one in raft's configuration, which is believed", x.ID)
		}
		if ok {
			x.Learner = !voter
		}
	}
	for _, id := range slices.Sorted(maps.Keys(votes)) {
		if votes[id] {
			m.others = append(m.others, id)
		}
		if len(m.Members) > 0 {
			note("member %x is in raft's configuration and not there: it is not taken for a member, for a restore leaves the configuration of before", id)
		}
	}
}

// number is the member's id as a number, 0 when it is none.
func (m *Member) number() uint64 {
	id, err := strconv.ParseUint(m.ID, 16, 64)
	if err != nil {
		return 0
	}
	return id
}

// Record is the member as etcd stores it (etcd server/v3 v3.7
// etcdserver/api/membership/member.go).
func (m *Member) Record() []byte {
	record, _ := json.Marshal(struct { // which holds nothing that JSON cannot
		ID         uint64   `json:"id"`
		PeerURLs   []string `json:"peerURLs"`
		IsLearner  bool     `json:"isLearner,omitempty"`
		Name       string   `json:"name,omitempty"`
		ClientURLs []string `json:"clientURLs,omitempty"`
	}{m.number(), m.PeerURLs, m.Learner, m.Name, m.ClientURLs})
	return record
}

// takeMembers makes the members after the log those of the state read.
func (s *Snapshot) takeMembers(r *replay) {
	if r.version != "" {
		s.meta.ClusterVersion = r.version
	}
	for _, id := range slices.Sorted(maps.Keys(r.refused)) {
		s.problems.add(Note, "log", fmt.Sprintf("learner %x was taken to be refused: etcd has no more than %d at a time, unless --max-learners allows them", id, r.learners), "")
	}
	if !r.configured {
		return
	}
	var conf wal.ConfState
	s.meta.Members, s.meta.Removed = nil, nil
	for _, id := range slices.Sorted(maps.Keys(r.members)) {
		m := r.members[id]
		s.meta.Members = append(s.meta.Members, m)
		if m.Learner {
			conf.Learners = append(conf.Learners, id)
		} else {
			conf.Voters = append(conf.Voters, id)
		}
	}
	slices.SortFunc(s.meta.Members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	if text, err := json.Marshal(conf); err == nil {
		s.meta.ConfState = string(text)
	}
	s.wal.MembersChanged = true
	for _, id := range slices.Sorted(maps.Keys(r.removed)) {
		s.meta.Removed = append(s.meta.Removed, hexID(id))
	}
}

// noteOthers says what the other members may have done without the one whose log was
// read. The entries are those that were not applied.
func (s *Snapshot) noteOthers(r *replay, node uint64, entries []wal.Entry) {
	if _, s.gone = r.removed[node]; s.gone {
		s.problems.add(Note, "log", "this member was removed from the cluster: etcd would not start on the directory again, and what the cluster wrote since is not in it", "what was written after that")
		return
	}
	s.without = goOn(r.voters, node)
	changes := slices.ContainsFunc(entries, func(e wal.Entry) bool { return e.Type != wal.EntryNormal })
	if s.without == "" && changes {
		s.without = "an entry that was not applied changes who votes"
	}
}

// goOn says why the other members can agree to something without this one, which is 0
// when the db does not show it: more than half of those that vote have to. It is "" when
// they cannot. Of two that vote, each agrees to everything.
func goOn(voters map[uint64]struct{}, node uint64) string {
	n := len(voters)
	_, votes := voters[node]
	switch {
	case n == 0:
		return "how many members vote is not known"
	case node != 0 && !votes:
		return fmt.Sprintf("it has no vote, and %s", words.PlainOf(n, "member has", "members have"))
	case n < 3:
		return ""
	}
	return fmt.Sprintf("%d of the %d that vote are enough: the newest revision in the directories of as many bounds it", n/2+1, n)
}
