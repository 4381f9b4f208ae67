package snapshot

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

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

	live    *liveKeys
	names   []string          // of the keys that the db does not have
	numbers map[string]uint32 // theirs

	leases map[int64][]byte              // granted and not revoked
	items  map[int64]map[uint32]struct{} // the keys of each lease; nil until one is revoked
	alarms map[alarmKind]int             // raised, by type
	raised map[alarm]struct{}            // the same, one by one
	roster
	changes []change // records written, in order
	size    int64    // of them in bytes
	limit   int64    // of size
	end     int64    // of the db in bytes: where the overlay begins

	ctx      context.Context
	progress *progress
	doubt    error // what is strange about the entry at hand
	stopped  error // why nothing more is done: ctx's, or one of those below
	work     int   // since ctx was asked
	buf      []byte
}

type alarm struct {
	member uint64
	kind   alarmKind
}

// newReplay begins at the state of the db.
func newReplay(ctx context.Context, s *Snapshot) *replay {
	r := &replay{
		s: s, head: max(s.Revision(), firstRevision-1), compact: s.CompactRevision(),
		numbers: map[string]uint32{},
		leases:  map[int64][]byte{},
		alarms:  map[alarmKind]int{},
		raised:  map[alarm]struct{}{},
		roster:  newRoster(s.meta.Members, s.meta.Removed, s.meta.others),
		limit:   overlayLeast,
		end:     s.pages.Size(),
		ctx:     ctx,
		buf:     make([]byte, 0, 512),
	}
	r.live = &liveKeys{name: r.name}
	var keys []liveKey
	for _, n := range s.index.sorted {
		if r.tick(1); r.stopped != nil {
			break
		}
		if p, ok := s.index.newestPlace(n, s.Revision()); ok && s.index.keys[n] != "" {
			if b, i := s.index.at(p); !b.tombstone(i) {
				keys = append(keys, liveKey{number: n})
			}
		}
	}
	r.live.fill(keys)
	eachItem(s.pages, "lease", &s.problems, func(key string, value []byte) {
		if len(key) == 8 {
			r.leases[int64(binary.BigEndian.Uint64([]byte(key)))] = bytes.Clone(value)
		}
	})
	s.storedAlarms(r.raise)
	return r
}

// Errors that end a replay.
var (
	errOverLimit    = errors.New("makes more, with the entries before it, than a log of that size may make")
	errLastRevision = errors.New("comes after the last revision that there can be")
)

// tick takes note of work that was done, and asks from time to time whether to go
// on.
func (r *replay) tick(work int) {
	const often = 1 << 14 // keys looked at: about a millisecond
	if r.work += work; r.work >= often {
		r.work = 0
		if err := r.ctx.Err(); err != nil {
			r.stopped = err
		}
	}
}

// name is the name of the key with a number.
func (r *replay) name(number uint32) string {
	if known := r.s.dbIndex.keys; int(number) < len(known) {
		return known[number]
	}
	return r.names[int(number)-len(r.s.dbIndex.keys)]
}

// number is the number of the key with a name, which may be new.
func (r *replay) number(name string) uint32 {
	if at, ok := r.s.dbIndex.search(name); ok {
		return r.s.dbIndex.sorted[at]
	}
	n, ok := r.numbers[name]
	if !ok {
		n = uint32(len(r.s.dbIndex.keys) + len(r.names))
		r.names = append(r.names, name)
		r.numbers[name] = n
	}
	return n
}

// apply applies one entry. The error says why it, or a part of it, was not
// understood.
func (r *replay) apply(e *wal.Entry) error {
	switch e.Type {
	case wal.EntryNormal:
		if len(e.Data) == 0 {
			return nil // a new leader's first entry
		}
		req, err := parseRequest(e.Data)
		if err != nil {
			return err
		}
		r.doubt = nil
		r.request(&req)
		if req.unknown && r.doubt == nil {
			return errors.New("has a field that this program does not know: it was applied without")
		}
		return r.doubt
	case wal.EntryConfChange:
		return r.configure(e.Data)
	default:
		return fmt.Errorf("is of type %d, which etcd does not write", e.Type)
	}
}

// request applies what a client asked for. One that etcd refuses changes
// nothing (apply/uber_applier.go, capped.go, corrupt.go).
func (r *replay) request(req *request) {
	closed, full := r.alarms[corrupt] > 0, r.alarms[noSpace] > 0
	switch {
	case req.field == alarmField:
		r.alarm(req.body)
	case req.field == memberAttrField:
		r.doubt = r.publish(req.body)
	case req.field == 0:
		r.doubt = r.v2(req.body)
	case req.field == clusterVersionField:
		r.setVersion(req.body)
	case req.field == authEnableField:
		r.s.noteAuth()
	case closed:
	case req.field == putField:
		if p := parsePut(req.body); !full && r.checkPut(&p) {
			r.transaction(func() { r.put(&p) })
		}
	case req.field == deleteField:
		r.transaction(func() { r.deleteRange(keyRange(req.body)) })
	case req.field == txnField:
		if !full || !putsAnything(req.body) {
			r.txn(req.body)
		}
	case req.field == compactionField:
		if rev := int64(numbers(req.body)[1]); rev > r.compact && rev <= r.head {
			r.compact = rev
		}
	case req.field == grantField:
		n := numbers(req.body)
		if ttl, id := int64(n[1]), int64(n[2]); !full && id != 0 && ttl <= maxLeaseTTL {
			r.grant(id, ttl)
		}
	case req.field == revokeField:
		r.revoke(int64(numbers(req.body)[1]))
	}
}

// grant keeps a lease as etcd stores it (lease/leasepb/lease.proto): id, time to
// live in seconds.
func (r *replay) grant(id, ttl int64) {
	if _, ok := r.leases[id]; ok {
		return
	}
	b := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(id))
	r.leases[id] = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(ttl))
}

// maxLeaseTTL is the longest time to live that etcd grants, in seconds
// (lease/lessor.go MaxLeaseTTL).
const maxLeaseTTL = 9_000_000_000

func (r *replay) alarm(body []byte) {
	n := numbers(body)
	which := alarm{n[2], alarmKind(n[3])}
	switch int32(n[1]) {
	case activateAlarm:
		if which.kind != noAlarm {
			r.raise(which.member, which.kind)
		}
	case deactivateAlarm:
		if _, ok := r.raised[which]; ok {
			delete(r.raised, which)
			r.alarms[which.kind]--
		}
	}
}

func (r *replay) raise(member uint64, kind alarmKind) {
	which := alarm{member, kind}
	if _, ok := r.raised[which]; !ok {
		r.raised[which] = struct{}{}
		r.alarms[kind]++
	}
}

// putsAnything says whether a transaction costs space, whichever branch is taken
// (storage/quota.go costTxn).
func putsAnything(txn []byte) bool {
	for _, branch := range []bool{true, false} {
		for kind, op := range ops(txn, branch) {
			if kind == opPut || kind == opTxn && putsAnything(op) {
				return true
			}
		}
	}
	return false
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

// stored is what the db has of a key that the log has not changed.
func (r *replay) stored(k liveKey) Record {
	rec, _ := r.s.dbIndex.newest(k.number, r.s.dbIndex.newestMain())
	return rec
}

// load finds the value and the lease of a key, without reading a value.
func (r *replay) load(k liveKey) (value valueRef, lease int64) {
	if k.change != 0 {
		c := &r.changes[k.change-1]
		return c.value, c.lease
	}
	value, lease, err := r.s.locate(r.stored(k), r.buf)
	if err != nil {
		r.unreadable(k)
	}
	return value, lease
}

// unreadable reports a record of the db that the log needs.
func (r *replay) unreadable(k liveKey) {
	r.s.problems.add(Damage, revisionName(r.stored(k).Revision), "a record that the log refers to cannot be read", "what the log makes of it")
}

// Errors that say why etcd panics when it applies an entry, or would never have
// written it.
var (
	errKeepsNothing = errors.New("keeps the value or the lease of a key that it has deleted: etcd panics")
	errNoKey        = errors.New("puts an empty key, which etcd refuses")
)

// checkPut says whether etcd carries a put out (txn/put.go checkPut).
func (r *replay) checkPut(p *put) bool {
	if len(p.key) == 0 {
		r.doubt = errNoKey
		return false
	}
	if p.lease != 0 {
		if _, ok := r.leases[p.lease]; !ok {
			return false
		}
	}
	if !p.ignoreValue && !p.ignoreLease {
		return true
	}
	_, exists := r.live.get(string(p.key))
	return exists
}

func (r *replay) put(p *put) {
	name := string(p.key)
	k, exists := r.live.get(name)
	value, lease := valueRef{bytes: p.value}, p.lease
	if p.ignoreValue || p.ignoreLease {
		var old valueRef
		var oldLease int64
		if exists {
			old, oldLease = r.load(k)
		} else {
			r.doubt = errKeepsNothing
		}
		if p.ignoreValue {
			value = old
		}
		if p.ignoreLease {
			lease = oldLease
		}
	}
	c := change{rev: r.next(), version: 1, lease: lease, value: value}
	c.create = c.rev.Main
	switch {
	case !exists:
		k.number = r.number(name)
	case k.change != 0:
		old := &r.changes[k.change-1]
		c.create, c.version = old.create, old.version+1
	default:
		rec := r.stored(k)
		c.create, c.version = rec.CreateRevision, rec.Version+1
	}
	c.key = k.number
	if r.items != nil {
		if exists {
			r.detach(k)
		}
		r.attach(k.number, lease)
	}
	if r.write(c, name) {
		r.live.set(name, liveKey{k.number, uint32(len(r.changes))})
	}
}

func (r *replay) deleteRange(key, end []byte) {
	from, to := r.live.bounds(key, end)
	for _, keys := range r.live.parts(from, to) {
		for _, k := range keys {
			r.delete(k)
		}
		if r.stopped != nil {
			return
		}
	}
	r.live.cut(from, to)
}

// delete writes the tombstone of a key, and leaves it among the live ones.
func (r *replay) delete(k liveKey) {
	if r.items != nil {
		r.detach(k)
	}
	r.write(change{key: k.number, rev: r.next(), tombstone: true}, r.name(k.number))
}

// write adds a record to the overlay, unless that grows over its limit. It has to
// be read in the end, though no value is held twice: a put that keeps the value
// there is makes a record of any size out of a few bytes.
func (r *replay) write(c change, name string) bool {
	r.tick(1)
	size := int64(len(c.head(name)) + c.value.len() + len(c.tail()))
	switch {
	case r.stopped != nil:
	case c.rev.Main < 0:
		r.stopped = errLastRevision
	case size >= tombstoneBit || r.size+size > r.limit:
		r.stopped = errOverLimit
	}
	if r.stopped != nil {
		return false
	}
	c.offset, c.size = r.size, uint32(size)
	r.size += size
	r.changes = append(r.changes, c)
	return true
}

// revoke deletes the keys of a lease, in one transaction and in their order
// (lease/lessor.go Revoke).
func (r *replay) revoke(id int64) {
	if _, ok := r.leases[id]; !ok {
		return
	}
	r.collectItems()
	var names []string
	for n := range r.items[id] {
		names = append(names, r.name(n))
	}
	slices.Sort(names)
	r.transaction(func() {
		for _, name := range names {
			if k, ok := r.live.get(name); ok {
				r.delete(k)
				r.live.remove(name)
			}
			if r.stopped != nil {
				return
			}
		}
	})
	if r.stopped == nil {
		delete(r.leases, id)
		delete(r.items, id)
	}
}

// collectItems finds the keys of all leases, once.
func (r *replay) collectItems() {
	if r.items != nil {
		return
	}
	r.items = map[int64]map[uint32]struct{}{}
	for _, b := range r.live.blocks {
		for _, k := range b.keys {
			_, lease := r.load(k)
			r.attach(k.number, lease)
		}
		if r.tick(len(b.keys)); r.stopped != nil {
			return
		}
	}
}

func (r *replay) attach(key uint32, lease int64) {
	if lease == 0 {
		return
	}
	if r.items[lease] == nil {
		r.items[lease] = map[uint32]struct{}{}
	}
	r.items[lease][key] = struct{}{}
}

// detach takes a live key off its lease.
func (r *replay) detach(k liveKey) {
	_, lease := r.load(k)
	delete(r.items[lease], k.number)
}
