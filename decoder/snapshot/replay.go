package snapshot

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"k8s.io/utils/third_party/forked/golang/btree"

	"revenant/decoder/wal"
)

// replay applies entries of a member's log to the state that its db holds, as
// etcd does when it starts (server/v3 v3.7 etcdserver/apply, etcdserver/txn,
// storage/mvcc/kvstore_txn.go, lease/lessor.go). What it writes goes to an
// overlay; the db stays as it is.
type replay struct {
	s       *Snapshot
	head    int64 // revision of the last change
	compact int64 // compact revision

	touched map[string]*keyState           // keys that the log has changed, or asked for
	fresh   *btree.BTree[string]           // those that the db does not have
	leases  map[int64][]byte               // granted and not revoked
	items   map[int64]map[string]struct{}  // the keys of each lease; nil until one is revoked
	alarms  map[etcdserverpb.AlarmType]int // raised, by type
	raised  map[alarm]struct{}             // the same, one by one
	voters  map[uint64]struct{}            // members that vote
	members map[uint64]Member              // all of them
	changes []change                       // records written, in order
	arena   []byte                         // their values

}

type alarm struct {
	member uint64
	kind   etcdserverpb.AlarmType
}

// keyState is what a key is at the revision reached.
type keyState struct {
	exists      bool
	create, mod int64
	version     int64
	lease       int64
	value       []byte
	stored      *Record // where value and lease are still to be read from; nil when they are known
}

// change is a record of the overlay.
type change struct {
	key       string
	rev       Revision
	create    int64
	version   int64
	tombstone bool
	offset    int // in arena
	size      int
}

func newReplay(s *Snapshot) *replay {
	r := &replay{
		s: s, head: max(s.Revision(), firstRevision-1), compact: s.CompactRevision(),
		touched: map[string]*keyState{},
		fresh:   btree.NewOrdered[string](32),
		leases:  map[int64][]byte{},
		alarms:  map[etcdserverpb.AlarmType]int{},
		raised:  map[alarm]struct{}{},
		voters:  map[uint64]struct{}{},
		members: map[uint64]Member{},
	}
	for _, m := range s.meta.Members {
		if id, err := strconv.ParseUint(m.ID, 16, 64); err == nil {
			r.addMember(id, m)
		}
	}
	eachItem(s.pages, "lease", &s.problems, func(key string, value []byte) {
		if len(key) == 8 {
			r.leases[int64(binary.BigEndian.Uint64([]byte(key)))] = bytes.Clone(value)
		}
	})
	eachItem(s.pages, "alarm", &s.problems, func(key string, _ []byte) {
		var m etcdserverpb.AlarmMember
		if proto.Unmarshal([]byte(key), &m) == nil {
			r.raise(m.GetMemberID(), m.GetAlarm())
		}
	})
	return r
}

func (r *replay) addMember(id uint64, m Member) {
	r.members[id] = m
	delete(r.voters, id)
	if !m.Learner {
		r.voters[id] = struct{}{}
	}
}

// alone says whether the member is the only one that votes: then its log is
// all agreed on, for nobody else was asked.
func (r *replay) alone(id uint64) bool {
	_, votes := r.voters[id]
	return votes && len(r.voters) == 1
}

// apply applies one entry.
func (r *replay) apply(e *wal.Entry) error {
	switch e.Type {
	case raftpb.EntryNormal:
		if len(e.Data) == 0 {
			return nil // a new leader's first entry
		}
		var req etcdserverpb.InternalRaftRequest
		if err := proto.Unmarshal(e.Data, &req); err != nil {
			return nil // of the v2 API, which has a store of its own
		}
		r.request(&req)
		return nil
	case raftpb.EntryConfChange:
		var cc raftpb.ConfChange
		if err := proto.Unmarshal(e.Data, &cc); err != nil {
			return fmt.Errorf("a change of the members cannot be read")
		}
		return r.configure(&cc)
	default:
		return fmt.Errorf("type %d is not one that etcd writes", e.Type)
	}
}

// configure applies a change of the members (etcdserver/server.go
// applyConfChange).
func (r *replay) configure(cc *raftpb.ConfChange) error {
	id := cc.GetNodeId()
	switch cc.GetType() {
	case raftpb.ConfChangeRemoveNode:
		delete(r.members, id)
		delete(r.voters, id)
	default:
		m, err := parseMember(strconv.FormatUint(id, 16), cc.Context)
		if err != nil {
			return err
		}
		var promote struct {
			IsPromote bool `json:"isPromote"`
		}
		_ = json.Unmarshal(cc.Context, &promote)
		if old, ok := r.members[id]; ok && (promote.IsPromote || cc.GetType() == raftpb.ConfChangeUpdateNode) {
			if promote.IsPromote {
				old.Learner = false
			} else {
				old.PeerURLs = m.PeerURLs
			}
			m = old
		}
		r.addMember(id, m)
	}
	return nil
}

// request applies what a client asked for. One that etcd refuses changes
// nothing (apply/uber_applier.go, capped.go, corrupt.go).
func (r *replay) request(req *etcdserverpb.InternalRaftRequest) {
	corrupt := r.alarms[etcdserverpb.AlarmType_CORRUPT] > 0
	full := r.alarms[etcdserverpb.AlarmType_NOSPACE] > 0
	switch {
	case req.Alarm != nil:
		r.alarm(req.Alarm)
	case req.AuthEnable != nil:
		r.s.noteAuth()
	case corrupt:
	case req.Put != nil:
		if !full && r.checkPut(req.Put) {
			r.transaction(func() { r.put(req.Put) })
		}
	case req.DeleteRange != nil:
		r.transaction(func() { r.deleteRange(req.DeleteRange.Key, req.DeleteRange.RangeEnd) })
	case req.Txn != nil:
		if !full || !putsAnything(req.Txn) {
			r.txn(req.Txn)
		}
	case req.Compaction != nil:
		if rev := req.Compaction.Revision; rev > r.compact && rev <= r.head {
			r.compact = rev
		}
	case req.LeaseGrant != nil:
		if !full && req.LeaseGrant.ID != 0 && req.LeaseGrant.TTL <= maxLeaseTTL {
			r.grant(req.LeaseGrant)
		}
	case req.LeaseRevoke != nil:
		r.revoke(req.LeaseRevoke.ID)
	}
}

// grant keeps a lease as etcd stores it (lease/leasepb/lease.proto): id, time to
// live in seconds.
func (r *replay) grant(g *etcdserverpb.LeaseGrantRequest) {
	if _, ok := r.leases[g.ID]; ok {
		return
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(g.ID))
	r.leases[g.ID] = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(g.TTL))
}

// maxLeaseTTL is the longest time to live that etcd grants, in seconds
// (lease/lessor.go MaxLeaseTTL).
const maxLeaseTTL = 9_000_000_000

func (r *replay) alarm(a *etcdserverpb.AlarmRequest) {
	switch a.Action {
	case etcdserverpb.AlarmRequest_ACTIVATE:
		if a.Alarm != etcdserverpb.AlarmType_NONE {
			r.raise(a.MemberID, a.Alarm)
		}
	case etcdserverpb.AlarmRequest_DEACTIVATE:
		which := alarm{a.MemberID, a.Alarm}
		if _, ok := r.raised[which]; ok {
			delete(r.raised, which)
			r.alarms[a.Alarm]--
		}
	}
}

func (r *replay) raise(member uint64, kind etcdserverpb.AlarmType) {
	which := alarm{member, kind}
	if _, ok := r.raised[which]; !ok {
		r.raised[which] = struct{}{}
		r.alarms[kind]++
	}
}

// putsAnything says whether a transaction costs space (storage/quota.go costTxn).
func putsAnything(t *etcdserverpb.TxnRequest) bool {
	puts := func(op *etcdserverpb.RequestOp) bool { return op.GetRequestPut() != nil }
	return slices.ContainsFunc(t.Success, puts) || slices.ContainsFunc(t.Failure, puts)
}

// transaction runs what makes one main revision, if it changes anything.
func (r *replay) transaction(fn func()) {
	before := len(r.changes)
	fn()
	if len(r.changes) > before {
		r.head++
	}
}

// next is the revision of the next change.
func (r *replay) next() Revision {
	rev := Revision{Main: r.head + 1}
	if n := len(r.changes); n > 0 && r.changes[n-1].rev.Main == rev.Main {
		rev.Sub = r.changes[n-1].rev.Sub + 1
	}
	return rev
}

// state returns what the key is now.
func (r *replay) state(key string) *keyState {
	if k, ok := r.touched[key]; ok {
		return k
	}
	k := &keyState{}
	if n, ok := r.s.index.find(key); ok && key != "" {
		if rec, ok := r.s.index.newest(n, r.s.Revision()); ok && !rec.Tombstone {
			*k = keyState{exists: true, create: rec.CreateRevision, mod: rec.Main, version: rec.Version, stored: &rec}
		}
	} else {
		r.fresh.ReplaceOrInsert(key)
	}
	r.touched[key] = k
	return k
}

// load reads value and lease of a key that the db has.
func (r *replay) load(k *keyState) {
	if k.stored == nil {
		return
	}
	kv, err := r.s.read(*k.stored)
	if err != nil {
		r.s.problems.add(Damage, revisionName(k.stored.Revision), "a record that the log refers to cannot be read", "what the log makes of it")
	}
	k.value, k.lease, k.stored = kv.value, kv.lease, nil
}

// keysIn returns the keys that exist in a range, sorted. An end of one zero byte
// has no bound; none is the key alone (txn/delete.go mkGteRange).
func (r *replay) keysIn(key, end []byte) []string {
	from, to := string(key), string(end)
	if to == "" {
		if r.state(from).exists {
			return []string{from}
		}
		return nil
	}
	unbounded := to == "\x00"
	var keys []string
	at, _ := r.s.index.search(from)
	for _, n := range r.s.index.sorted[at:] {
		key := r.s.index.keys[n]
		if !unbounded && key >= to {
			break
		}
		if key != "" && r.state(key).exists {
			keys = append(keys, key)
		}
	}
	r.fresh.AscendGreaterOrEqual(from, func(key string) bool {
		if !unbounded && key >= to {
			return false
		}
		if r.state(key).exists {
			keys = append(keys, key)
		}
		return true
	})
	slices.Sort(keys)
	return slices.Compact(keys)
}

// checkPut says whether etcd carries a put out (txn/put.go checkPut).
func (r *replay) checkPut(p *etcdserverpb.PutRequest) bool {
	if p.Lease != 0 {
		if _, ok := r.leases[p.Lease]; !ok {
			return false
		}
	}
	return !p.IgnoreValue && !p.IgnoreLease || r.state(string(p.Key)).exists
}

func (r *replay) put(p *etcdserverpb.PutRequest) {
	k := r.state(string(p.Key))
	value, lease := p.Value, p.Lease
	if p.IgnoreValue || p.IgnoreLease {
		r.load(k)
		if p.IgnoreValue {
			value = k.value
		}
		if p.IgnoreLease {
			lease = k.lease
		}
	}
	if r.items != nil {
		r.detach(string(p.Key), k)
		r.attach(string(p.Key), lease)
	}
	rev := r.next()
	if !k.exists {
		k.create, k.version = rev.Main, 0
	}
	*k = keyState{exists: true, create: k.create, mod: rev.Main, version: k.version + 1, lease: lease, value: value}
	r.write(change{key: string(p.Key), rev: rev, create: k.create, version: k.version}, &mvccpb.KeyValue{
		Key: p.Key, CreateRevision: k.create, ModRevision: k.mod, Version: k.version, Value: value, Lease: lease,
	})
}

func (r *replay) deleteRange(key, end []byte) {
	for _, key := range r.keysIn(key, end) {
		r.delete(key)
	}
}

func (r *replay) delete(key string) {
	k := r.state(key)
	if r.items != nil {
		r.detach(key, k)
	}
	*k = keyState{}
	r.write(change{key: key, rev: r.next(), tombstone: true}, &mvccpb.KeyValue{Key: []byte(key)})
}

func (r *replay) write(c change, kv *mvccpb.KeyValue) {
	c.offset = len(r.arena)
	r.arena, _ = proto.MarshalOptions{}.MarshalAppend(r.arena, kv)
	c.size = len(r.arena) - c.offset
	r.changes = append(r.changes, c)
}

// revoke deletes the keys of a lease, in one transaction and in their order
// (lease/lessor.go Revoke).
func (r *replay) revoke(id int64) {
	if _, ok := r.leases[id]; !ok {
		return
	}
	r.collectItems()
	keys := make([]string, 0, len(r.items[id]))
	for key := range r.items[id] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	r.transaction(func() {
		for _, key := range keys {
			r.delete(key)
		}
	})
	delete(r.leases, id)
	delete(r.items, id)
}

// collectItems finds the keys of all leases, once.
func (r *replay) collectItems() {
	if r.items != nil {
		return
	}
	r.items = map[int64]map[string]struct{}{}
	for n, key := range r.s.index.keys {
		if _, ok := r.touched[key]; ok {
			continue
		}
		rec, ok := r.s.index.newest(uint32(n), r.s.Revision())
		if !ok || rec.Tombstone || key == "" {
			continue
		}
		if lease, err := r.s.Lease(rec); err == nil {
			r.attach(key, lease)
		}
	}
	for key, k := range r.touched {
		if k.exists {
			r.load(k)
			r.attach(key, k.lease)
		}
	}
}

func (r *replay) attach(key string, lease int64) {
	if lease == 0 {
		return
	}
	if r.items[lease] == nil {
		r.items[lease] = map[string]struct{}{}
	}
	r.items[lease][key] = struct{}{}
}

func (r *replay) detach(key string, k *keyState) {
	if k.exists {
		r.load(k)
		delete(r.items[k.lease], key)
	}
}
