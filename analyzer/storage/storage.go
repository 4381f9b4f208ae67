// Package storage reports what uses the space of an etcd db.
//
// It takes a snapshot and returns its Storage: the bytes of live records and of
// history, by resource, namespace and key, the largest objects and the most rewritten
// ones, with every byte of the file accounted for. Leases reports the keys that are
// attached to leases. Live is the newest record of a key that exists; history is
// everything else that is retained: superseded records, and deletions. A compaction
// frees history, a defragmentation returns free pages.
//
// Bytes are those of records as etcd stores them, including the key. No value is
// decoded; it takes one pass over the index, and memory for the groups and for the
// listed keys.
package storage

import (
	"cmp"
	"context"
	"slices"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Options says what to tell. The zero value lists no keys.
type Options struct {
	Prefix string // of the API server's keys
	Top    int    // how many keys each list of them has at most
	TopOf  int    // and how many of its heaviest keys a group names
	// Within says which keys count, by what they name; nil counts all. The file is
	// left out where not all do.
	Within func(kube.Key) bool
}

// Tally sums up records.
type Tally struct {
	Keys       int   // that exist
	Live       int64 // bytes of their newest records
	Revisions  int   // retained, live ones and deletions included
	Tombstones int   // deletions among them
	History    int64 // bytes of all but the live ones
}

// Bytes are those of all records.
func (t *Tally) Bytes() int64 { return t.Live + t.History }

func (t *Tally) add(u *Tally) {
	t.Keys += u.Keys
	t.Live += u.Live
	t.Revisions += u.Revisions
	t.Tombstones += u.Tombstones
	t.History += u.History
}

// Group is what the keys of one name take.
type Group struct {
	// Name is a resource as kube.Key.Plural has it, or in words whose keys they are that
	// hold no API object; or a namespace; "" for keys that have none.
	Name string
	Tally
	Heaviest []Key // by all of their bytes
}

// Key is what one key takes.
type Key struct {
	Key     string
	Object  kube.Key // what it names; without a Name it holds no API object
	Version int64    // puts since it was created last; 0 when it does not exist
	Changed int64    // main revision of its newest record
	Tally
}

// Storage is what takes the space of a db.
type Storage struct {
	Total      Tally
	Resources  []Group // the largest first, as are the others
	Namespaces []Group
	Heaviest   []Key // by all of their bytes
	Largest    []Key // by their newest record: objects that are large themselves
	Rewritten  []Key // by the number of their revisions that are retained
	File       File
}

// checkEvery is after how many keys the pass looks whether it is to stop.
const checkEvery = 1 << 12

// Of tells what takes the space of a snapshot. The error is ctx's.
func Of(ctx context.Context, s *snapshot.Snapshot, o Options) (*Storage, error) {
	st := &Storage{}
	namer := keyspace.NewNamer(o.Prefix)
	resources, namespaces := groups{}, groups{}
	heaviest := top{n: o.Top, measure: (*Key).Bytes}
	largest := top{n: o.Top, measure: func(k *Key) int64 { return k.Live }}
	rewritten := top{n: o.Top, measure: func(k *Key) int64 { return int64(k.Revisions) }}
	var inFile stored
	passed := 0
	for records := range s.Histories() {
		if passed++; passed%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		object := parse(namer, records[0].Key)
		if o.Within == nil {
			inFile.add(s, records)
		} else if !o.Within(object) {
			continue
		}
		k := tell(records)
		st.Total.add(&k.Tally)
		of := [2]*group{resources.of(object.Plural()), namespaces.of(object.Namespace)}
		for _, g := range of {
			g.Tally.add(&k.Tally)
		}
		if k.Key == "" {
			continue // bump markers
		}
		for _, g := range of {
			g.heaviest.n, g.heaviest.measure = o.TopOf, (*Key).Bytes
			g.heaviest.add(&k)
		}
		heaviest.add(&k)
		largest.add(&k)
		rewritten.add(&k)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st.Resources, st.Namespaces = resources.list(namer), namespaces.list(namer)
	st.Heaviest, st.Largest, st.Rewritten = heaviest.take(namer), largest.take(namer), rewritten.take(namer)
	if o.Within == nil {
		var err error
		if st.File, err = fileOf(ctx, s, &inFile); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// tell sums up the records of one key, oldest first.
func tell(records []snapshot.Record) Key {
	newest := &records[len(records)-1]
	k := Key{Key: newest.Key, Changed: newest.Main, Version: newest.Version, Tally: Tally{Revisions: len(records)}}
	for i := range records {
		if k.History += int64(records[i].Size); records[i].Tombstone {
			k.Tombstones++
		}
	}
	if !newest.Tombstone && newest.Key != "" {
		k.Keys, k.Live = 1, int64(newest.Size)
		k.History -= k.Live
	}
	return k
}

// parse says what a key names: where it holds no API object, it has no Name, and the
// Resource says in words whose it is. Bump markers are the zero Key.
func parse(namer *keyspace.Namer, key string) kube.Key {
	k, ok := namer.Key(key)
	switch {
	case key == "":
		return kube.Key{}
	case !ok:
		k.Name = ""
	}
	return k
}

// groups are tallies by name.
type groups map[string]*group

// group is a tally with its heaviest keys.
type group struct {
	Tally
	heaviest top
}

func (g groups) of(name string) *group {
	one, ok := g[name]
	if !ok {
		one = new(group)
		g[name] = one
	}
	return one
}

// list is the groups, the largest first.
func (g groups) list(namer *keyspace.Namer) []Group {
	list := make([]Group, 0, len(g))
	for name, one := range g {
		list = append(list, Group{name, one.Tally, one.heaviest.take(namer)})
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Bytes(), a.Bytes()), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// top holds the n keys with the highest measure, and up to as many more that are
// thrown out together.
type top struct {
	n       int
	measure func(*Key) int64
	list    []Key
	last    *Key // the n-th of those seen so far, nil for fewer
}

func (t *top) compare(a, b *Key) int {
	return cmp.Or(cmp.Compare(t.measure(b), t.measure(a)), cmp.Compare(a.Key, b.Key))
}

func (t *top) add(k *Key) {
	if t.n <= 0 || t.measure(k) == 0 || t.last != nil && t.compare(t.last, k) < 0 {
		return
	}
	if t.list = append(t.list, *k); len(t.list) >= 2*t.n {
		t.cut()
	}
}

func (t *top) cut() {
	slices.SortFunc(t.list, func(a, b Key) int { return t.compare(&a, &b) })
	if len(t.list) >= t.n {
		t.list = t.list[:t.n]
		last := t.list[t.n-1]
		t.last = &last
	}
}

// take is the keys, the highest first, with what they name.
func (t *top) take(namer *keyspace.Namer) []Key {
	if t.n <= 0 {
		return nil
	}
	t.cut()
	for i := range t.list {
		t.list[i].Object = parse(namer, t.list[i].Key)
	}
	return t.list
}
