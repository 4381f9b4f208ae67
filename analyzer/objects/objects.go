package objects

import (
	"context"
	"errors"
	"slices"
	"strings"

	"revenant/analyzer/clock"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

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
	Resource *resources.Resource // nil for those of several resources, and where there is none of that name
	Unknown  error               // an *UnknownError where a word is no resource of the state
	Unread   int                 // objects that selectors may mean, and that cannot be read
	Objects  []Object            // each word's by key
	// How many there are of each resource and in each namespace, by name; of lists of
	// several resources.
	Resources, Namespaces []Group
}

// Group is the objects that have their resource or their namespace in common.
type Group struct {
	Name     string // as a query takes it
	Objects  int
	Bytes    int64               // of their keys and values
	Resource *resources.Resource // nil for a namespace
}

// Read lists what a query finds at a revision, 0 for the newest. The error is ctx's, a
// *FieldError, or the snapshot's, such as that the revision is compacted.
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
	s := State{Snapshot: from.Snapshot, View: l.View, Catalog: l.Catalog, Prefix: from.Prefix}
	if parts, _ := q.parse(&s); !several(parts) && q.RelatedTo == "" {
		l.Resource = parts[0].resource
	}
	for o, err := range q.Find(ctx, s) {
		var missing *MissingError
		var unread *UnreadError
		switch {
		case errors.As(err, new(*UnknownError)):
			l.Unknown = err
		case errors.As(err, &unread):
			l.Unread++
		case err != nil && !errors.As(err, &missing):
			return nil, err
		case err == nil:
			l.Objects = append(l.Objects, o)
		}
	}
	if l.Resource == nil && q.RelatedTo == "" {
		l.group()
	}
	return l, nil
}

// group counts the objects by what they have in common.
func (l *List) group() {
	byResource, byNamespace := groups{}, groups{}
	for i := range l.Objects {
		o := &l.Objects[i]
		if o.Resource != nil {
			byResource.add(o.Resource.FullName(), o.Resource, o)
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

// Title is how people write what a key names, such as: pods default/web-1.
func Title(k kube.Key) string {
	name := k.Name
	if k.Namespace != "" {
		name = k.Namespace + "/" + name
	}
	return strings.TrimSpace(k.Resource + " " + name)
}

// ErrUsage says what a command for objects may have.
var ErrUsage = errors.New("after a resource come names, -n NAMESPACE, -A, -l SELECTOR, --field-selector FIELDS, --at REVISION")

// Command is a command for objects, in the words that kubectl get takes.
type Command struct {
	Query
	At string // the moment, as it was typed
}

// Takes says whether a word begins a command for objects: it names resources of the
// catalog, or a category of them, alone or with a name after a slash, or is a key.
func Takes(c *resources.Catalog, word string) bool {
	if strings.HasPrefix(word, "/") {
		return len(word) > 1
	}
	list, _, _ := strings.Cut(word, "/")
	for name := range strings.SplitSeq(list, ",") {
		if names := expanded(name, c); c.Lookup(names[0]) == nil {
			return false
		}
	}
	return true
}

// ParseCommand reads the words of a command. The error is ErrUsage, or a *SelectorError.
func ParseCommand(words []string) (cmd Command, err error) {
	var byLabels, byFields string
	values := map[string]*string{
		"-n": &cmd.Namespace, "--namespace": &cmd.Namespace, "-l": &byLabels, "--selector": &byLabels, "--field-selector": &byFields, "--at": &cmd.At,
	}
	for i := 0; i < len(words); i++ {
		flag, value, given := strings.Cut(words[i], "=")
		to := values[flag]
		switch {
		case !strings.HasPrefix(flag, "-"):
			cmd.Words = append(cmd.Words, words[i])
		case flag == "-A" || flag == "--all-namespaces":
			cmd.Namespace = ""
		case to == nil:
			return cmd, ErrUsage
		case given:
			*to = value
		default:
			if i++; i == len(words) {
				return cmd, ErrUsage
			}
			*to = words[i]
		}
	}
	return cmd, cmd.Parse(byLabels, byFields)
}
