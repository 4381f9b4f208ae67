// Package relations finds the owners, the dependents and the events of an object, in
// a snapshot at a revision.
//
// It takes a state of a snapshot, the catalog of its resources and the key of an
// object. It returns all owners of the object up to the topmost and all its
// dependents, both by ownerReferences, and its events. An owner that is missing, or
// that exists with another uid, is marked: the garbage collector would delete a
// dependent without any other owner.
//
// Dependents are found by reading the metadata of every object that may be one: those
// of the same namespace, or all objects if the object is cluster-scoped. An Index reads
// them once for all objects that it is asked for.
package relations

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// State is one of a snapshot's.
type State struct {
	Snapshot *snapshot.Snapshot
	View     *snapshot.View
	Prefix   string // of the API server's keys
	Catalog  *resources.Catalog
}

// Presence says whether a relative is there.
type Presence int

const (
	Present    Presence = iota
	Absent              // no object has its name
	Replaced            // the object that has its name has another uid
	Unreadable          // an object has its name, and cannot be read
	Unknown             // nothing shows where objects of its kind are kept
)

// Relative is an object of a tree of owners.
type Relative struct {
	Key        kube.Key // of Unknown ones the name only
	Kind       string   // as its dependent calls it, or as its resource is
	UID        string
	Record     snapshot.Record // of Present, Replaced and Unreadable ones
	Presence   Presence
	Controller bool // it is the controller of its dependent or, further down, its owner is its controller
	Depth      int  // from the topmost owner
}

// Tree is the owners of an object, itself, and its dependents.
type Tree struct {
	Relatives []Relative // the topmost owner first, dependents below what they belong to
	Self      int        // the place of the object itself
	More      int        // dependents that were found and left out
	Unread    int        // objects that may belong to it and cannot be read
}

const (
	maxRelatives = 10_000
	maxLevels    = 16 // that owners are followed up and dependents down
	checkEvery   = 1 << 10
)

// TreeOf is that of an Index, of one object.
func TreeOf(ctx context.Context, s State, key kube.Key) (*Tree, error) {
	return NewIndex(s, false).TreeOf(ctx, s.View, key)
}

// OwnersOf is TreeOf without the dependents, for which no other object is read.
func OwnersOf(s State, key kube.Key) (*Tree, error) {
	record, err := s.View.Get(key.Path(s.Prefix))
	if err != nil {
		return nil, err
	}
	links, err := s.links(record)
	if err != nil {
		return nil, err
	}
	self := Relative{Key: key, Kind: s.kind(key), UID: links.UID, Record: record}
	t := new(Tree)
	levels := s.owners(key.Namespace, links.Owners)
	for i, level := range slices.Backward(levels) {
		for _, r := range level {
			r.Depth = len(levels) - 1 - i
			t.Relatives = append(t.Relatives, r)
		}
	}
	t.Self, self.Depth = len(t.Relatives), len(levels)
	t.Relatives = append(t.Relatives, self)
	return t, nil
}

func (s *State) links(r snapshot.Record) (kube.Links, error) {
	value, err := s.Snapshot.Value(r)
	if err != nil {
		return kube.Links{}, err
	}
	return kube.ScanLinks(value)
}

// kind is that of a key's resource, "" where nothing tells.
func (s *State) kind(key kube.Key) string {
	if r := s.Catalog.Of(key); r != nil {
		return r.Kind
	}
	return ""
}

// owners finds the owners that are named, then theirs, level by level.
func (s *State) owners(namespace string, refs []metav1.OwnerReference) (levels [][]Relative) {
	seen := map[string]bool{}
	for len(refs) > 0 && len(levels) < maxLevels {
		var level []Relative
		var next []metav1.OwnerReference
		for _, ref := range refs {
			id := ref.Kind + "/" + ref.Name + "/" + string(ref.UID)
			if seen[id] || len(seen) == maxRelatives {
				continue
			}
			seen[id] = true
			r, links := s.owner(namespace, ref)
			level, next = append(level, r), append(next, links.Owners...)
		}
		if level != nil {
			levels = append(levels, level)
		}
		refs = next
	}
	return levels
}

// owner finds what a reference names.
func (s *State) owner(namespace string, ref metav1.OwnerReference) (Relative, kube.Links) {
	r := Relative{
		Key: kube.Key{Name: ref.Name}, Kind: ref.Kind, UID: string(ref.UID),
		Controller: ref.Controller != nil && *ref.Controller, Presence: Unknown,
	}
	resource := s.Catalog.OfKind(schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).Group, ref.Kind)
	if resource == nil {
		return r, kube.Links{}
	}
	r.Key = kube.Key{Group: resource.Group, Resource: resource.Name, Name: ref.Name}
	if resource.Namespaced {
		r.Key.Namespace = namespace
	}
	record, err := s.View.Get(r.Key.Path(s.Prefix))
	if err != nil {
		r.Presence = Absent
		return r, kube.Links{}
	}
	r.Record = record
	links, err := s.links(record)
	switch {
	case err != nil:
		r.Presence = Unreadable
	case links.UID != r.UID:
		r.Presence = Replaced
	default:
		r.Presence = Present
		return r, links
	}
	return r, kube.Links{}
}

// dependent is an object that belongs to one that is in the tree.
type dependent struct {
	Relative
	owner string // uid
}

// hang adds the dependents of an owner below it.
func (t *Tree) hang(found []dependent, owner string, depth int) {
	byOwner := map[string][]Relative{}
	for _, d := range found {
		byOwner[d.owner] = append(byOwner[d.owner], d.Relative)
	}
	type level struct {
		list  []Relative
		depth int
	}
	stack := []level{{byOwner[owner], depth}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if len(top.list) == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		r := top.list[0]
		top.list = top.list[1:]
		r.Depth = top.depth
		t.Relatives = append(t.Relatives, r)
		stack = append(stack, level{byOwner[r.UID], r.Depth + 1})
	}
}

// String is how kubectl names a relative, with the group of a custom resource.
func (r *Relative) String() string {
	resource := r.Key.Resource
	if resource == "" {
		resource = strings.ToLower(r.Kind)
	} else if _, builtIn := r.Key.Type(); !builtIn && r.Key.Group != "" {
		resource += "." + r.Key.Group
	}
	return resource + "/" + r.Key.Name
}
