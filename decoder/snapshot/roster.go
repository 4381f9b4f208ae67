package snapshot

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"revenant/decoder/wal"
	"revenant/decoder/wire"
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
	cc, err := parseConfChange(data)
	if err != nil {
		return errors.New("is a change of the members that cannot be read")
	}
	id := cc.node
	if cc.kind == removeNode || cc.kind == updateNode {
		r.recall(id)
	}
	old, known := r.members[id]
	if cc.kind == removeNode {
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
	m, err := parseMember(hexID(id), cc.context)
	var promote struct {
		IsPromote bool `json:"isPromote"`
	}
	if err != nil || json.Unmarshal(cc.context, &promote) != nil {
		return errors.New("is a change of the members that cannot be read")
	}
	promoted := promote.IsPromote && cc.kind != updateNode
	if promoted {
		r.recall(id)
		old, known = r.members[id]
	}
	switch _, removed := r.removed[id]; {
	case removed, known == (cc.kind != updateNode && !promoted):
		return nil // it was removed, is there already, or is not there
	case promoted && !old.Learner, !promoted && r.taken(id, m.PeerURLs):
		return nil
	case cc.kind == updateNode:
		old.PeerURLs = m.PeerURLs
	case promoted:
		old.Learner = false
	default:
		old = m
		old.Learner = cc.kind == addLearnerNode
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
	id, set, err := parseAttributes(body)
	if err != nil {
		return errors.New("is what a member says of itself, and cannot be read")
	}
	r.name(id, set.Name, set.ClientURLs)
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
func changesRoster(kind wal.EntryType, data []byte) bool {
	if kind != wal.EntryNormal {
		return true
	}
	for f, err := range wire.Fields(data) {
		switch {
		case err != nil:
			return false
		case f.Num() == memberAttrField || f.Num() == v2Field && f.Type() == wire.Bytes:
			return true
		case f.Num() >= rangeField && f.Num() <= checkpointField:
			return false
		}
	}
	return false
}

// confChange is a raftpb.ConfChange (raft/v3 v3.7 raftpb/raft.proto).
type confChange struct {
	kind    int32
	node    uint64
	context []byte
}

// Kinds of changes.
const (
	removeNode     = 1
	updateNode     = 2
	addLearnerNode = 3
)

func parseConfChange(b []byte) (cc confChange, err error) {
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
			return cc, err
		case f.Num() == 2 && f.Type() == wire.Varint:
			cc.kind = int32(f.Val)
		case f.Num() == 3 && f.Type() == wire.Varint:
			cc.node = f.Val
		case f.Num() == 4 && f.Type() == wire.Bytes:
			cc.context = f.Payload(b)
		}
	}
	return cc, nil
}

// parseAttributes reads a membershippb.ClusterMemberAttrSetRequest: which member, and its
// Attributes (etcd api/v3 v3.7 membershippb/membership.proto).
func parseAttributes(b []byte) (id uint64, a attributes, err error) {
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
			return 0, a, err
		case f.Num() == 1 && f.Type() == wire.Varint:
			id = f.Val
		case f.Num() == 2 && f.Type() == wire.Bytes:
			if err := a.parse(f.Payload(b)); err != nil {
				return 0, a, err
			}
		}
	}
	return id, a, nil
}

// parse adds what the message b has, as a message given twice is merged.
func (a *attributes) parse(b []byte) error {
	for f, err := range wire.Fields(b) {
		switch {
		case err != nil:
			return err
		case f.Type() != wire.Bytes || f.Num() > 2:
		case !utf8.Valid(f.Payload(b)):
			return errors.New("a string that is not UTF-8")
		case f.Num() == 1:
			a.Name = string(f.Payload(b))
		case f.Num() == 2:
			a.ClientURLs = append(a.ClientURLs, string(f.Payload(b)))
		}
	}
	return nil
}
