package relations

import (
	"cmp"
	"context"
	"hash/maphash"
	"iter"
	"slices"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Index finds the owners, the dependents and the Events of many objects. What may belong
// to one is read once for all of a namespace, and for all objects in none once more; it
// takes 24 bytes for each object that has an owner, and for each Event. It is not safe for
// concurrent use.
type Index struct {
	State
	deleted bool
	only    []byte // of Events, only those in which this is; nil for all

	seed   maphash.Seed
	owned  map[string]*belongings // by namespace, "" for those of all
	events map[string]*mentions   // by namespace
}

// NewIndex makes an index of a state. With deleted it also finds the dependents of what was
// deleted before, at a time when it was there: all retained revisions are read then.
func NewIndex(s State, deleted bool) *Index {
	return &Index{State: s, deleted: deleted, seed: maphash.MakeSeed(), owned: map[string]*belongings{}, events: map[string]*mentions{}}
}

// pointer leads from something by its hash to the key of an object. Hashes can be the
// same: what is found is compared.
type pointer struct {
	hash uint64
	key  string // the snapshot's own
}

func (x *Index) pointer(of, key string) pointer { return pointer{maphash.String(x.seed, of), key} }

// sortPointers leaves those of one hash in their order.
func sortPointers(list []pointer) {
	slices.SortStableFunc(list, func(a, b pointer) int { return cmp.Compare(a.hash, b.hash) })
}

// named yields the keys that something may lead to.
func (x *Index) named(list []pointer, of string) iter.Seq[string] {
	hash := maphash.String(x.seed, of)
	from, _ := slices.BinarySearchFunc(list, hash, func(p pointer, hash uint64) int { return cmp.Compare(p.hash, hash) })
	return func(yield func(string) bool) {
		for i := from; i < len(list) && list[i].hash == hash && yield(list[i].key); i++ {
		}
	}
}

// belongings are the objects of a namespace by the uids of their owners.
type belongings struct {
	list   []pointer
	unread []unreadable // by revision
}

// unreadable says how many objects cannot be read from a revision on.
type unreadable struct {
	revision int64
	objects  int // from there on, once all are known; how many more, before
}

// TreeOf finds the owners and dependents of an object in a view of the state's snapshot:
// the state's own, or with deleted any. The error is ctx's, snapshot.ErrNotFound, or says
// why the object cannot be read.
func (x *Index) TreeOf(ctx context.Context, view *snapshot.View, key kube.Key) (*Tree, error) {
	s := x.State
	s.View = view
	t, err := OwnersOf(s, key)
	if err != nil {
		return nil, err
	}
	self := t.Relatives[t.Self]
	if self.UID == "" {
		return t, nil // an empty uid is no one's
	}
	b := x.owned[key.Namespace]
	if b == nil {
		if b, err = x.readOwned(ctx, key.Namespace); err != nil {
			return nil, err
		}
		x.owned[key.Namespace] = b
	}
	t.Unread = b.unreadAt(view.Revision())
	known := map[string]bool{self.UID: true}
	var found []dependent
	level := []string{self.UID}
	for range maxLevels {
		var next []string
		for _, owner := range level {
			for k := range x.named(b.list, owner) {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				d, ok := s.dependent(k, owner)
				if !ok || known[d.UID] {
					continue
				}
				known[d.UID] = true
				next = append(next, d.UID)
				if len(found) < maxRelatives {
					found = append(found, d)
				} else {
					t.More++
				}
			}
		}
		level = next
	}
	t.hang(found, self.UID, self.Depth+1)
	return t, nil
}

// dependent reads an object that may belong to an owner; ok is false where it does not.
func (s *State) dependent(key, owner string) (d dependent, ok bool) {
	record, err := s.View.Get(key)
	if err != nil {
		return d, false
	}
	links, err := s.links(record)
	if err != nil || links.UID == "" {
		return d, false
	}
	parsed, _ := kube.ParseKey(s.Prefix, key)
	for _, ref := range links.Owners {
		if string(ref.UID) == owner {
			return dependent{Relative{
				Key: parsed, Kind: s.kind(parsed), UID: links.UID, Record: record, Controller: ref.Controller != nil && *ref.Controller,
			}, owner}, true
		}
	}
	return d, false
}

// readOwned notes the owners of every object that has a uid, of a namespace or, without
// one, of all of the cluster, and what cannot be read.
func (x *Index) readOwned(ctx context.Context, namespace string) (*belongings, error) {
	b := new(belongings)
	n := 0
	for _, r := range x.Catalog.Resources() {
		if r.Count == 0 && !x.deleted || namespace != "" && !r.Namespaced || r.Foreign || r.Name == "events" && r.Group == "" {
			continue
		}
		for key, records := range x.records(r, namespace) {
			if n++; n%checkEvery == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			first := len(b.list)
			for i, record := range records {
				links, err := x.ownerLinks(record)
				if err != nil {
					b.unread = append(b.unread, unreadable{record.Main, 1})
					if i+1 < len(records) {
						b.unread = append(b.unread, unreadable{records[i+1].Main, -1})
					}
				}
				for _, ref := range links.Owners {
					if p := x.pointer(string(ref.UID), key); !slices.Contains(b.list[first:], p) {
						b.list = append(b.list, p)
					}
				}
			}
		}
	}
	sortPointers(b.list)
	slices.SortStableFunc(b.unread, func(a, b unreadable) int { return cmp.Compare(a.revision, b.revision) })
	for i := 1; i < len(b.unread); i++ {
		b.unread[i].objects += b.unread[i-1].objects
	}
	return b, ctx.Err()
}

// records yields the keys of a resource with what is read of each: its state or, with
// deleted, its history.
func (x *Index) records(r *resources.Resource, namespace string) iter.Seq2[string, []snapshot.Record] {
	mine := func(key string) bool {
		k, ok := kube.ParseKey(x.Prefix, key)
		return ok && k.Resource == r.Name && k.Group == r.Group // and not of one whose path goes on where this one's ends
	}
	path := r.Path(x.Prefix, namespace)
	return func(yield func(string, []snapshot.Record) bool) {
		if x.deleted {
			for key := range x.Snapshot.AllKeys(path) {
				if mine(key) && !yield(key, x.Snapshot.History(key)) {
					return
				}
			}
			return
		}
		for record := range x.View.Keys(path) {
			if mine(record.Key) && !yield(record.Key, []snapshot.Record{record}) {
				return
			}
		}
	}
}

// ownerLinks are those of a record that has any owner. The error says that it cannot be
// read.
func (x *Index) ownerLinks(record snapshot.Record) (links kube.Links, err error) {
	value, err := x.Snapshot.Value(record)
	if err != nil || record.Tombstone || !kube.HasOwner(value) {
		return links, err
	}
	return kube.ScanLinks(value)
}

// unreadAt is how many objects cannot be read at a revision.
func (b *belongings) unreadAt(revision int64) int {
	after, _ := slices.BinarySearchFunc(b.unread, revision+1, func(u unreadable, revision int64) int { return cmp.Compare(u.revision, revision) })
	if after == 0 {
		return 0
	}
	return b.unread[after-1].objects
}
