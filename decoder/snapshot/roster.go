package snapshot

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"

	"go.etcd.io/etcd/api/v3/membershippb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// roster is who is in the cluster, as entries of the log change it.
type roster struct {
	voters     map[uint64]struct{} // members that vote
	members    map[uint64]Member   // all of them
	removed    map[uint64]struct{} // members that were
	refused    map[uint64]Member   // learners that were one too many
	learners   int                 // how many there may be
	configured bool                // something was changed
	version    string              // of the cluster, "" unless it was set
}

// newRoster begins with members. Those in others vote, too, for all that is known.
func newRoster(members []Member, removed []string, others []uint64) roster {
	r := roster{voters: map[uint64]struct{}{}, members: map[uint64]Member{}, removed: map[uint64]struct{}{}, refused: map[uint64]Member{}}
	for _, m := range members {
		if id := m.number(); id != 0 {
			r.add(id, m)
		}
	}
	for _, id := range others {
		r.voters[id] = struct{}{}
	}
	for _, removed := range removed {
		if id, err := strconv.ParseUint(removed, 16, 64); err == nil {
			r.removed[id] = struct{}{}
		}
	}
	r.learners = maxLearners(len(r.members) - len(r.voters))
	return r
}

// maxLearners is etcd's --max-learners where so many were seen: its default, or what is
// not known.
func maxLearners(seen int) int {
	if seen > 1 {
		return math.MaxInt
	}
	return 1
}

func (r *roster) add(id uint64, m Member) {
	r.members[id] = m
	delete(r.voters, id)
	if !m.Learner {
		r.voters[id] = struct{}{}
	}
}

// alone says whether the member is the only one that votes: then its log is
// all agreed on, for nobody else was asked.
func (r *roster) alone(id uint64) bool {
	_, votes := r.voters[id]
	return votes && len(r.voters) == 1
}

// configure applies a change of the members. One that etcd refuses changes nothing
// (etcd server/v3 v3.7 etcdserver/server.go applyConfChange,
// api/membership/cluster.go ValidateConfigurationChange).
func (r *roster) configure(data []byte) error {
	var cc raftpb.ConfChange
	if err := proto.Unmarshal(data, &cc); err != nil {
		return errors.New("is a change of the members that cannot be read")
	}
	id := cc.GetNodeId()
	if cc.GetType() == raftpb.ConfChangeRemoveNode || cc.GetType() == raftpb.ConfChangeUpdateNode {
		r.recall(id)
	}
	old, known := r.members[id]
	if cc.GetType() == raftpb.ConfChangeRemoveNode {
		_, votes := r.voters[id]
		if _, removed := r.removed[id]; removed || !known && !votes {
			return nil
		}
		delete(r.members, id)
		delete(r.voters, id)
		r.removed[id] = struct{}{}
		r.configured = true
		return nil
	}
	m, err := parseMember(hexID(id), cc.Context)
	var promote struct {
		IsPromote bool `json:"isPromote"`
	}
	if err != nil || json.Unmarshal(cc.Context, &promote) != nil {
		return errors.New("is a change of the members that cannot be read")
	}
	promoted := promote.IsPromote && cc.GetType() != raftpb.ConfChangeUpdateNode
	if promoted {
		r.recall(id)
		old, known = r.members[id]
	}
	switch _, removed := r.removed[id]; {
	case removed, known == (cc.GetType() != raftpb.ConfChangeUpdateNode && !promoted):
		return nil // it was removed, is there already, or is not there
	case promoted && !old.Learner, !promoted && r.taken(id, m.PeerURLs):
		return nil
	case cc.GetType() == raftpb.ConfChangeUpdateNode:
		old.PeerURLs = m.PeerURLs
	case promoted:
		old.Learner = false
	default:
		old = m
		old.Learner = cc.GetType() == raftpb.ConfChangeAddLearnerNode
		if old.Learner && len(r.members)-len(r.voters) >= r.learners {
			r.refused[id] = old
			return nil
		}
		delete(r.refused, id)
	}
	r.add(id, old)
	r.configured = true
	return nil
}

// recall takes back that a learner was refused, when more is heard of it: --max-learners
// is not what it is by default then, and others need not have been refused, either.
func (r *roster) recall(id uint64) {
	if _, ok := r.refused[id]; !ok {
		return
	}
	for id, m := range r.refused {
		r.add(id, m)
	}
	clear(r.refused)
	r.learners = math.MaxInt
	r.configured = true
}

// taken says whether another member has one of the URLs.
func (r *roster) taken(id uint64, urls []string) bool {
	for other, m := range r.members {
		if other != id && slices.ContainsFunc(m.PeerURLs, func(u string) bool { return slices.Contains(urls, u) }) {
			return true
		}
	}
	return false
}

// publish takes the name and the URLs that a member publishes when it starts.
func (r *roster) publish(body []byte) error {
	var set membershippb.ClusterMemberAttrSetRequest
	if proto.Unmarshal(body, &set) != nil {
		return errors.New("is what a member says of itself, and cannot be read")
	}
	r.name(set.GetMember_ID(), set.GetMemberAttributes().GetName(), set.GetMemberAttributes().GetClientUrls())
	return nil
}

func (r *roster) name(id uint64, name string, clients []string) {
	r.recall(id)
	if m, ok := r.members[id]; ok {
		m.Name, m.ClientURLs = name, clients
		r.members[id] = m
		r.configured = true
	}
}

// setVersion takes the version of the cluster (membershippb.ClusterVersionSetRequest).
func (r *roster) setVersion(body []byte) {
	for num, f := range fields(body) {
		if num == 1 && f.bytes != nil {
			r.version = string(f.bytes)
		}
	}
}

// attributesPath is where members of etcd up to 3.5 publish themselves (etcd server/v3
// v3.5 etcdserver/server.go storeMemberAttributeRegexp).
var attributesPath = regexp.MustCompile(`^/0/members/([0-9a-f]{1,16})/attributes$`)

// v2 applies a request of the v2 API, by which members of etcd up to 3.5 say of
// themselves and of the cluster what later ones say in requests of their own
// (server/v3 v3.6 etcdserver/apply_v2.go).
func (r *roster) v2(body []byte) error {
	var method, path, value string
	for num, f := range fields(body) {
		switch num {
		case 2:
			method = string(f.bytes)
		case 3:
			path = string(f.bytes)
		case 4:
			value = string(f.bytes)
		}
	}
	if method != "PUT" {
		return nil
	}
	if path == "/0/version" {
		r.version = value
		return nil
	}
	m := attributesPath.FindStringSubmatch(path)
	if m == nil {
		return nil
	}
	var a attributes
	if json.Unmarshal([]byte(value), &a) != nil {
		return errors.New("is what a member says of itself, and cannot be read")
	}
	id, _ := strconv.ParseUint(m[1], 16, 64)
	r.name(id, a.Name, a.ClientURLs)
	return nil
}

// attributes are what a member says of itself (server/v3 v3.5
// etcdserver/api/membership/member.go).
type attributes struct {
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
}

// changesRoster says whether an entry may change who is in the cluster, or what they
// say of themselves.
func changesRoster(kind raftpb.EntryType, data []byte) bool {
	if kind != raftpb.EntryNormal {
		return true
	}
	for b := data; len(b) > 0; {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		switch {
		case num == memberAttrField || num == v2Field && typ == protowire.BytesType:
			return true
		case num >= rangeField && num <= checkpointField:
			return false
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
			return false
		}
		b = b[n:]
	}
	return false
}
