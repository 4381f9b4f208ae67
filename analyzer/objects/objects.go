// Package objects lists the objects of a snapshot at a revision.
//
// In go the snapshot, a revision and a query: those of one resource or of all, in one
// namespace or in all, or the owners and dependents of one object. Out comes a List:
// their keys with their records, and how many there are of each resource and in each
// namespace. Keys that hold no API object are listed, too.
//
// No value is read, but for definitions of custom resources and for what looking for
// owners and dependents takes.
package objects

import (
	"context"
	"errors"
	"slices"
	"strings"

	"revenant/analyzer/clock"
	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Query says which objects are listed. The zero value lists all.
type Query struct {
	Resource  string // as kubectl takes it, "" for all
	Namespace string // "" for all
	RelatedTo string // key of the object whose owners and dependents are listed, "" for any
}

// Source is a snapshot of which objects are listed.
type Source struct {
	Snapshot *snapshot.Snapshot
	Clock    *clock.Clock       // nil when nothing shows the time
	Prefix   string             // of the API server's keys
	Catalog  *resources.Catalog // of another revision of it, whose definitions are not read again; nil for none
}

// List is the objects that a query finds at a revision. It is not changed once it is
// made.
type List struct {
	Query    Query
	Now      clock.Interval // when the store was at the revision
	View     *snapshot.View
	Catalog  *resources.Catalog
	Resource *resources.Resource // nil for those of all resources, and where there is none of that name
	Objects  []Object            // by key
	// How many there are of each resource and in each namespace, by name; of lists of all
	// resources.
	Resources, Namespaces []Group
}

// Object is one that is listed.
type Object struct {
	kube.Key
	Record snapshot.Record
}

// Group is the objects that have their resource or their namespace in common.
type Group struct {
	Name     string // as a query takes it
	Objects  int
	Bytes    int64               // of their keys and values
	Resource *resources.Resource // nil for a namespace
}

// checkEvery is after how many keys it is looked whether the list is still wanted.
const checkEvery = 1 << 12

// Read lists what a query finds at a revision, 0 for the newest. The error is ctx's, or
// the snapshot's, such as that the revision is compacted.
func Read(ctx context.Context, from Source, revision int64, q Query) (l *List, err error) {
	l = &List{Query: q}
	if l.View, err = from.Snapshot.At(revision); err != nil {
		return nil, err
	}
	if from.Clock != nil {
		l.Now = from.Clock.TimeOf(l.View.Revision())
	}
	if l.Catalog, err = resources.NewCatalog(ctx, from.Snapshot, l.View, from.Prefix, from.Catalog); err != nil {
		return nil, err
	}
	if q.RelatedTo != "" {
		return l, l.readRelated(ctx, from)
	}
	start := ""
	if q.Resource != "" {
		if l.Resource = l.Catalog.Lookup(q.Resource); l.Resource == nil {
			return l, nil
		}
		start = l.Resource.Path(from.Prefix, q.Namespace)
	}
	n := 0
	for r := range l.View.Keys(start) {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if key, _ := l.Catalog.Key(r.Key); l.lists(key) {
			l.Objects = append(l.Objects, Object{key, r})
		}
	}
	l.group()
	return l, nil
}

// readRelated lists the owners and the dependents of an object: none where the object
// does not exist or cannot be read.
func (l *List) readRelated(ctx context.Context, from Source) error {
	key, _ := kube.ParseKey(from.Prefix, l.Query.RelatedTo)
	tree, err := relations.TreeOf(ctx, relations.State{Snapshot: from.Snapshot, View: l.View, Prefix: from.Prefix, Catalog: l.Catalog}, key)
	if err != nil {
		return ctx.Err()
	}
	for i := range tree.Relatives {
		if r := &tree.Relatives[i]; r.Presence == relations.Present || r.Presence == relations.Unreadable {
			l.Objects = append(l.Objects, Object{r.Key, r.Record})
		}
	}
	return nil
}

// lists says whether an object is of the query.
func (l *List) lists(key kube.Key) bool {
	return (l.Query.Namespace == "" || key.Namespace == l.Query.Namespace) &&
		(l.Resource == nil || key.Resource == l.Resource.Name && key.Group == l.Resource.Group)
}

// group counts the objects by what they have in common.
func (l *List) group() {
	if l.Resource != nil {
		return
	}
	byResource, byNamespace := groups{}, groups{}
	for i := range l.Objects {
		o := &l.Objects[i]
		if r := l.Catalog.Of(o.Key); r != nil {
			byResource.add(r.FullName(), r, o)
		}
		byNamespace.add(o.Namespace, nil, o)
	}
	l.Resources, l.Namespaces = byResource.list(), byNamespace.list()
}

type groups map[string]*Group

func (g groups) add(name string, r *resources.Resource, o *Object) {
	if name == "" {
		return
	}
	if g[name] == nil {
		g[name] = &Group{Name: name, Resource: r}
	}
	g[name].Objects++
	g[name].Bytes += int64(o.Record.Size)
}

func (g groups) list() []Group {
	var list []Group
	for _, x := range g {
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Foreign says whether it is a key that holds no API object.
func (o *Object) Foreign() bool { return o.Name == o.Record.Key }

// ResourceName is the plural of a key's resource with its group, where the key has it.
func ResourceName(k kube.Key) string {
	if strings.Contains(k.Group, ".") {
		return k.Resource + "." + k.Group
	}
	return k.Resource
}

// Title is how people write what a key names, such as: pods default/web-1.
func Title(k kube.Key) string {
	name := k.Name
	if k.Namespace != "" {
		name = k.Namespace + "/" + name
	}
	return strings.TrimSpace(k.Resource + " " + name)
}

// ErrUsage says what a command for objects may have.
var ErrUsage = errors.New("after a resource come a NAME, -n NAMESPACE, -A, -l SELECTOR, --at REVISION")

// Command is a command for objects, in the words that kubectl get takes.
type Command struct {
	Query
	Name     string // of one object, "" for all
	Selector string // of labels
	At       string // the moment, as it was typed
}

// Parse reads the words of a command; ok is false where the first one is no resource
// of the catalog. The error is ErrUsage.
func Parse(c *resources.Catalog, words []string) (cmd Command, ok bool, err error) {
	word, name, _ := strings.Cut(words[0], "/")
	resource := c.Lookup(word)
	if resource == nil {
		return cmd, false, nil
	}
	cmd.Resource, cmd.Name = resource.FullName(), name
	for i := 1; i < len(words); i++ {
		flag, value, given := strings.Cut(words[i], "=")
		to := map[string]*string{"-n": &cmd.Namespace, "--namespace": &cmd.Namespace, "-l": &cmd.Selector, "--selector": &cmd.Selector, "--at": &cmd.At}[flag]
		switch {
		case flag == "-A" || flag == "--all-namespaces":
			cmd.Namespace = ""
		case to != nil && given:
			*to = value
		case to != nil:
			if i++; i == len(words) {
				return cmd, true, ErrUsage
			}
			*to = words[i]
		case strings.HasPrefix(flag, "-") || cmd.Name != "":
			return cmd, true, ErrUsage
		default:
			cmd.Name = words[i]
		}
	}
	if !resource.Namespaced {
		cmd.Namespace = ""
	}
	return cmd, true, nil
}
