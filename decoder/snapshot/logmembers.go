package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"revenant/decoder/wal"
)

// logMembers holds the members that the db has against those that the whole log shows
// up to the db's last entry: raft's configuration in its last snapshot, and what has
// changed it since. The log is believed where both are of one cluster: etcd 3.5.1 to
// 3.5.19 do not store what changes of a member, and a restore leaves raft's configuration
// of before in the db, not in the log. Of names and URLs the log may tell nothing. The
// error is ctx's.
func (s *Snapshot) logMembers(ctx context.Context, dir string) error {
	conf, err := wal.ReadConfig(ctx, dir, s.meta.ConsistentIndex, func(e *wal.Entry) bool { return changesRoster(e.Type, e.Data) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || conf == nil {
		return nil
	}
	path := filepath.Join(filepath.Dir(s.evidence.DBPath), fmt.Sprintf("%016x-%016x.snap", conf.Term, conf.Snapshot))
	saved := readSnapFile(path)
	if saved != nil {
		s.addEvidence(path)
	}
	state := conf.ConfState
	switch {
	case state != nil:
	case conf.Snapshot == 0:
		state = &wal.ConfState{}
	case saved == nil || saved.conf == nil:
		return nil
	default:
		state = saved.conf
	}
	if len(state.Voters)+len(state.Learners)+len(state.VotersOutgoing)+len(state.LearnersNext) > maxMembers {
		return nil
	}
	stored := map[uint64]Member{}
	for _, m := range s.meta.Members {
		stored[m.number()] = m
	}
	r := newRoster(saved.of(state, stored), nil, nil) // what the db has as removed was there before
	r.learners = max(r.learners, maxLearners(countLearners(s.meta.Members)))
	for i := range conf.Entries {
		e := &conf.Entries[i]
		if e.Type == wal.EntryConfChange {
			err = r.configure(e.Data)
		} else if req, bad := parseRequest(e.Data); bad != nil {
			err = bad
		} else if req.field == memberAttrField {
			err = r.publish(req.body)
		} else if req.field == 0 {
			err = r.v2(req.body)
		}
		if err != nil {
			return nil // nothing certain is known
		}
	}
	for _, removed := range s.meta.Removed { // for good; before 3.5 the bucket can be ahead of the db's last entry
		if id, err := strconv.ParseUint(removed, 16, 64); err == nil {
			delete(r.members, id)
			delete(r.voters, id)
		}
	}
	s.believeLog(&r, stored, conf.Snapshot == 0 || saved != nil && saved.members != nil)
	return nil
}

// maxMembers is more than any cluster has.
const maxMembers = 1000

func countLearners(members []Member) (n int) {
	for _, m := range members {
		if m.Learner {
			n++
		}
	}
	return n
}

// believeLog makes the members those of the log, and notes what the db has otherwise. The
// log may tell all of them.
func (s *Snapshot) believeLog(r *roster, stored map[uint64]Member, all bool) {
	if len(r.members) == 0 {
		return
	}
	ids := slices.Sorted(maps.Keys(r.members))
	shared := slices.ContainsFunc(ids, func(id uint64) bool { _, ok := stored[id]; return ok })
	note := func(format string, args ...any) {
		s.problems.add(Note, "bucket members", fmt.Sprintf(format, args...), "")
	}
	if len(stored) > 0 && !shared {
		note("the log has other members than the bucket: the bucket is believed")
		return
	}
	changed := false
	for _, id := range ids {
		m := r.members[id]
		old, ok := stored[id]
		delete(stored, id)
		differs := describe(old) != describe(m)
		switch changed = changed || differs || !ok; {
		case !ok:
			note("member %x is not there, and the log, which is believed, has it", id)
		case differs:
			note("of member %x the bucket has: %s; and the log, which is believed: %s (etcd 3.5.1 to 3.5.19 do not store what changes of a member)", id, describe(old), describe(m))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(stored)) {
		note("member %x is in the bucket and not in the log: the log is believed", id)
		changed = true
	}
	voters, learners := s.confMembers()
	var conf wal.ConfState
	conf.Voters, conf.Learners = r.conf()
	if s.meta.ConfState != "" && (!slices.Equal(voters, conf.Voters) || !slices.Equal(learners, conf.Learners)) {
		s.problems.add(Note, "bucket meta", "confState there is not raft's configuration in the log, which is believed: a restore leaves that of before", "")
		changed = true
	}
	s.meta.others, s.meta.Stale = nil, s.meta.Stale && !all
	if !changed {
		return
	}
	s.meta.Members = nil
	for _, id := range ids {
		s.meta.Members = append(s.meta.Members, r.members[id])
	}
	slices.SortFunc(s.meta.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	if text, err := json.Marshal(conf); err == nil {
		s.meta.ConfState = string(text)
	}
	s.wal.MembersChanged = true
}

// confMembers are the voters and the learners of the db's confState, in order.
func (s *Snapshot) confMembers() (voters, learners []uint64) {
	var conf wal.ConfState
	if json.Unmarshal([]byte(s.meta.ConfState), &conf) != nil {
		return nil, nil
	}
	return slices.Sorted(slices.Values(slices.Concat(conf.Voters, conf.VotersOutgoing))), slices.Sorted(slices.Values(slices.Concat(conf.Learners, conf.LearnersNext)))
}

// describe says what there is to a member, for people.
func describe(m Member) string {
	role := "votes"
	if m.Learner {
		role = "learns"
	}
	return fmt.Sprintf("name %q, %s, peers %s, clients %s", m.Name, role, strings.Join(m.PeerURLs, " "), strings.Join(m.ClientURLs, " "))
}

// conf is raft's configuration, in order.
func (r *roster) conf() (voters, learners []uint64) {
	for id, m := range r.members {
		if m.Learner {
			learners = append(learners, id)
		} else {
			voters = append(voters, id)
		}
	}
	slices.Sort(voters)
	slices.Sort(learners)
	return voters, learners
}
