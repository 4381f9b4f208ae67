package resources

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"revenant/analyzer/clock"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Resource is a type of object, as it is served under a plural name.
type Resource struct {
	Group      string // "" for the core group, and where nothing tells
	Name       string // plural
	Kind       string // "" where nothing tells
	Singular   string
	ShortNames []string // as kubectl takes them
	Namespaced bool
	Custom     bool // a CustomResourceDefinition defines it
	Known      bool // it is built in or defined: not only found by its objects' keys
	Foreign    bool // keys that hold no API object, the Name says whose; their names are the keys
	Count      int  // of its objects at the revision
	Columns    []Column
	Categories []string // that a definition puts it into, such as all
	Fields     []string // by which a definition lets objects be selected: spec.color

	values func(*kube.Object, clock.Interval) ([]any, error)
}

// FullName is the plural with the group, such as deployments.apps.
func (r *Resource) FullName() string {
	if r.Group == "" {
		return r.Name
	}
	return r.Name + "." + r.Group
}

// Path is what all keys of the resource start with, in a namespace if one is given;
// those of foreign ones may start with anything.
func (r *Resource) Path(prefix, namespace string) string {
	if r.Foreign {
		return ""
	}
	return kube.Key{Group: r.Group, Resource: r.Name, Namespace: namespace}.Path(prefix)
}

// NameColumn is the place of the column with the object's name.
func (r *Resource) NameColumn() int {
	return slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == "Name" })
}

// Cells prints an object of the resource, a cell a column, at a time that lies in
// now. An object that could not be decoded has its name, and what is the matter in
// the column after it.
func (r *Resource) Cells(o *kube.Object, now clock.Interval) []Cell {
	cells := make([]Cell, len(r.Columns))
	values, err := r.values(o, now)
	if err != nil {
		name := max(r.NameColumn(), 0)
		cells[name].Text = o.Name
		cells[(name+1)%len(cells)].Text = "<" + err.Error() + ">"
		return cells
	}
	for i := range cells {
		if i < len(values) {
			cells[i] = cell(values[i], now)
		}
	}
	return cells
}

// Age is the cell of the column Age of a stored object, read off its metadata alone;
// ok is false where that is not enough. It is there of an object, too, of which Cells
// cannot print the rest.
func (r *Resource) Age(value []byte, now clock.Interval) (c Cell, ok bool) {
	if r.Custom {
		return c, false // a definition may call something else so
	}
	m, err := kube.ScanMeta(value)
	if err != nil {
		return c, false
	}
	return Age(m.Created, now), true
}

// printers are those of the built-in resources that have one.
var printers = func() map[string]printer {
	all := map[string]printer{}
	for _, some := range []map[string]printer{core, workloads, network, storage, access, machinery, newer} {
		maps.Copy(all, some)
	}
	return all
}()

// builtIns are the built-in resources, by group.
var builtIns = func() []Resource {
	var list []Resource
	for _, r := range kube.Resources() {
		p, ok := printers[r.Name]
		if !ok {
			p = plain(true)
		}
		list = append(list, Resource{
			Group: r.Group(), Name: r.Name, Kind: r.Kind, Singular: r.Singular(), ShortNames: r.ShortNames,
			Namespaced: r.Namespaced, Known: true, Columns: p.columns, values: p.values,
		})
	}
	return list
}()

// Catalog lists the resources of a snapshot at a revision. It is not changed once it
// is made, and safe for concurrent use.
type Catalog struct {
	list        []*Resource // built-in ones first, then by group and name
	byName      map[[2]string]*Resource
	definitions map[string]definition // by key
	namespaces  map[string]int
	namer       *keyspace.Namer
}

// definition is what is known of a CustomResourceDefinition.
type definition struct {
	revision snapshot.Revision
	resource *Resource // nil for one that cannot be read
}

// NewCatalog lists the resources of a state of s, whose API server keeps its keys
// below prefix. A definition that was read for the catalog before, of the same
// snapshot at another revision, is not read again; before may be nil. The error is
// ctx's.
func NewCatalog(ctx context.Context, s *snapshot.Snapshot, view *snapshot.View, prefix string, before *Catalog) (*Catalog, error) {
	c := &Catalog{byName: map[[2]string]*Resource{}, definitions: map[string]definition{}, namespaces: map[string]int{}, namer: keyspace.NewNamer(prefix)}
	for i := range builtIns {
		r := builtIns[i]
		c.add(&r)
	}
	if err := c.define(ctx, s, view, prefix, before); err != nil {
		return nil, err
	}
	if err := c.count(ctx, view); err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.list[len(builtIns):], func(a, b *Resource) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
	return c, nil
}

func (c *Catalog) add(r *Resource) {
	name := [2]string{r.Group, r.Name}
	if c.byName[name] == nil {
		c.byName[name] = r
		c.list = append(c.list, r)
	}
}

// define adds what the definitions of the state define.
func (c *Catalog) define(ctx context.Context, s *snapshot.Snapshot, view *snapshot.View, prefix string, before *Catalog) error {
	crds := kube.Key{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}
	for r := range view.Keys(crds.Path(prefix)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := definition{revision: r.Revision}
		if old, ok := before.definition(r.Key); ok && old.revision == r.Revision {
			d = old
		} else if value, err := s.Value(r); err == nil {
			d.resource = readDefinition(value)
		}
		c.definitions[r.Key] = d
		if d.resource != nil {
			custom := *d.resource
			c.add(&custom)
		}
	}
	return nil
}

func (c *Catalog) definition(key string) (definition, bool) {
	if c == nil {
		return definition{}, false
	}
	d, ok := c.definitions[key]
	return d, ok
}

// Key is what a key of the state names; ok is false for one that holds no API object.
func (c *Catalog) Key(key string) (k kube.Key, ok bool) { return c.namer.Key(key) }

// count counts objects by resource, and adds the resources that only keys show.
func (c *Catalog) count(ctx context.Context, view *snapshot.View) error {
	n := 0
	var last *Resource // keys of a resource come together
	for r := range view.Keys("") {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		key, ok := c.Key(r.Key)
		if last == nil || last.Name != key.Resource || last.Group != key.Group {
			last = c.of(key, !ok)
		}
		last.Count++
		if key.Namespace != "" {
			c.namespaces[key.Namespace]++
		}
	}
	return nil
}

// of finds the resource of a key, which it adds if there is none.
func (c *Catalog) of(key kube.Key, foreign bool) *Resource {
	if r := c.Of(key); r != nil {
		return r
	}
	p := plain(true)
	if foreign {
		p = keyOnly
	}
	r := &Resource{Group: key.Group, Name: key.Resource, Singular: key.Resource, Namespaced: key.Namespace != "", Foreign: foreign, Columns: p.columns, values: p.values}
	c.add(r)
	return r
}

// Of finds the resource of a key; nil when it is none of the catalog's.
func (c *Catalog) Of(key kube.Key) *Resource { return c.byName[[2]string{key.Group, key.Resource}] }

// OfKind finds the resource of a kind; of one that nothing defines, nil.
func (c *Catalog) OfKind(group, kind string) *Resource {
	for _, r := range c.list {
		if r.Kind == kind && r.Kind != "" && r.served(group) {
			return r
		}
	}
	return nil
}

// served says whether the resource is, or was, served by a group.
func (r *Resource) served(group string) bool {
	if r.Group == group {
		return true
	}
	built, ok := kube.Key{Group: r.Group, Resource: r.Name}.Type()
	return ok && !r.Custom && slices.Contains(built.Groups, group)
}

// Resources lists the resources, built-in ones first, those without objects
// included.
func (c *Catalog) Resources() []*Resource { return c.list }

// Namespaces lists the namespaces that objects are in, by name, whether or not there
// is an object Namespace of them.
func (c *Catalog) Namespaces() []string { return slices.Sorted(maps.Keys(c.namespaces)) }

// Lookup finds a resource by what kubectl takes for it: the plural, the singular, the
// kind or a short name, in any case, with or without a version and the group. Where
// that stands for several, a plural goes before a singular and that before a short
// name; then a resource that is built in, then the first by group.
func (c *Catalog) Lookup(word string) *Resource {
	name, group, qualified := strings.Cut(strings.ToLower(word), ".")
	_, versioned, _ := strings.Cut(group, ".") // deployments.v1.apps
	if name == "" {
		return nil
	}
	for _, r := range c.list {
		if r.Foreign && r.Name == word {
			return r
		}
	}
	for _, matches := range []func(*Resource) bool{
		func(r *Resource) bool { return r.Name == name },
		func(r *Resource) bool { return strings.EqualFold(r.Singular, name) || strings.EqualFold(r.Kind, name) },
		func(r *Resource) bool { return slices.Contains(r.ShortNames, name) },
	} {
		for _, r := range c.list {
			if !r.Foreign && matches(r) && (!qualified || r.served(group) || versioned != "" && r.served(versioned)) {
				return r
			}
		}
	}
	return nil
}

// Complete lists the names of resources that start with word, those that have
// objects, with the group where the plural alone stands for another one.
func (c *Catalog) Complete(word string) []string {
	var list []string
	for _, r := range c.list {
		name := r.Name
		if c.Lookup(name) != r {
			name = r.FullName()
		}
		if r.Count > 0 && !r.Foreign && strings.HasPrefix(name, strings.ToLower(word)) {
			list = append(list, name)
		}
	}
	return unique(list)
}
