// Package objects finds the objects of a state that are named as kubectl names them.
//
// It takes the words of a command (pods, deploy,svc, pods web-0, deployments.apps/web, or a
// raw key), a namespace and selectors, or an object whose owners and dependents are
// wanted, and a state of a snapshot with the catalog of its resources. It yields the
// objects' records in the order of their keys as they are found; or returns a List of them,
// with the number of objects of each resource and in each namespace.
//
// It refuses words that name no resource of that state, and lists those there are. Values
// are read only for definitions of custom resources, for selectors, and to find owners and
// dependents.
package objects

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"

	"revenant/analyzer/relations"
	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Query says which objects are wanted. The zero value wants all.
type Query struct {
	// Words are what kubectl takes: resources with commas between them and then names,
	// or RESOURCE/NAME any number of times; and raw keys, which begin with a slash.
	Words     []string
	Namespace string // "" for all
	// Prefixes takes each name for what names begin with.
	Prefixes bool
	// Labels choose by labels; nil for all.
	Labels labels.Selector
	// Fields choose by those fields by which the API server does; nil for all.
	Fields fields.Selector
	// RelatedTo is the key of an object whose owners and dependents are wanted, and nothing
	// else; "" for none.
	RelatedTo string
	// Foreign, without words, also wants keys that hold no API object.
	Foreign bool
}

// Parse reads selectors as kubectl takes them; "" is none.
func (q *Query) Parse(labelSelector, fieldSelector string) (err error) {
	q.Labels, q.Fields = nil, nil
	if labelSelector != "" {
		if q.Labels, err = labels.Parse(labelSelector); err != nil {
			return &SelectorError{"--selector", "app=web,tier!=db or 'env in (prod,test)'", err}
		}
	}
	if fieldSelector != "" {
		if q.Fields, err = fields.ParseSelector(fieldSelector); err != nil {
			return &SelectorError{"--field-selector", "spec.nodeName=node-1,status.phase!=Running", err}
		}
	}
	return nil
}

// SelectorError says that a selector cannot be read.
type SelectorError struct {
	Flag, Example string
	Err           error
}

func (e *SelectorError) Error() string { return e.Flag + ": " + e.Err.Error() }

func (e *SelectorError) Unwrap() error { return e.Err }

// Selectors are those of labels and of fields, as they are typed; "" for none.
func (q *Query) Selectors() (labelSelector, fieldSelector string) {
	if q.Labels != nil {
		labelSelector = q.Labels.String()
	}
	if q.Fields != nil {
		fieldSelector = q.Fields.String()
	}
	return labelSelector, fieldSelector
}

// Everything says whether nothing is left out that Foreign does not.
func (q *Query) Everything() bool { return q.Equal(&Query{Foreign: q.Foreign}) }

// Equal says whether two queries want the same.
func (q *Query) Equal(other *Query) bool {
	byLabels, byFields := q.Selectors()
	otherLabels, otherFields := other.Selectors()
	return slices.Equal(q.Words, other.Words) && q.Namespace == other.Namespace && q.Prefixes == other.Prefixes && q.RelatedTo == other.RelatedTo &&
		q.Foreign == other.Foreign && byLabels == otherLabels && byFields == otherFields
}

// Several says whether objects of more than one resource can be found. Words that
// cannot be parsed are refused by Find.
func (q *Query) Several(s State) bool {
	parts, _ := q.parse(&s)
	return several(parts)
}

func several(parts []part) bool {
	return len(parts) == 0 || slices.ContainsFunc(parts, func(p part) bool {
		return p.resource != parts[0].resource || p.plural != parts[0].plural && p.resource == nil
	})
}

// Named says whether no more than one object of a resource is asked for, by its name.
func (q *Query) Named() bool {
	switch len(q.Words) {
	case 1:
		return strings.Contains(strings.TrimPrefix(q.Words[0], "/"), "/") && !strings.HasSuffix(q.Words[0], "/")
	case 2:
		return !strings.Contains(q.Words[0], "/") && !strings.Contains(q.Words[1], "/") && !strings.Contains(q.Words[0], ",")
	}
	return false
}

// all is what kubectl means by all: the resources of the category (kubernetes v1.37
// pkg/registry, Categories).
var all = []string{
	"pods", "replicationcontrollers", "services", "daemonsets.apps", "deployments.apps", "replicasets.apps", "statefulsets.apps",
	"horizontalpodautoscalers.autoscaling", "cronjobs.batch", "jobs.batch",
}

// expanded are the resources of a category, those that definitions put into it among
// them, or else the word itself.
func expanded(word string, c *resources.Catalog) (list []string) {
	if c.Lookup(word) != nil {
		return []string{word}
	}
	if word == "all" {
		list = slices.Clone(all)
	}
	for _, r := range c.Resources() {
		if slices.Contains(r.Categories, word) {
			list = append(list, r.FullName())
		}
	}
	if list == nil {
		list = []string{word}
	}
	return list
}

// State is what a query is asked of.
type State struct {
	Snapshot *snapshot.Snapshot
	View     *snapshot.View
	Catalog  *resources.Catalog // of the view
	Prefix   string             // of the API servers' keys
	// Deleted asks for what no longer exists at the view's revision, each in its last
	// retained state, and for nothing else.
	Deleted bool
	// Carved, with Deleted, also has objects whose last state is in none of the buckets, and
	// was recovered from pages that are free; nil leaves them out.
	Carved *snapshot.Carving
}

// Object is an object that was found.
type Object struct {
	kube.Key
	Resource *resources.Resource // nil where the catalog of the view has none
	Record   snapshot.Record
	Word     int // which of the words found it, those with commas and categories counted as several
}

// part is what one of the words names.
type part struct {
	word     string
	key      string              // a raw key, or what several begin with
	resource *resources.Resource // nil where the state has none of that name, and for a key
	group    string              // with plural: of a resource whose definition is gone, too
	plural   string
	name     string // "" for all of them
	prefix   bool   // name is what names begin with
}

// has says whether an object is of the part.
func (p *part) has(o *Object) bool {
	switch {
	case p.word == "":
		return true
	case p.key != "":
		return o.Record.Key == p.key || strings.HasPrefix(o.Record.Key, strings.TrimSuffix(p.key, "/")+"/")
	case p.resource != nil:
		return o.Key.Resource == p.resource.Name && o.Key.Group == p.resource.Group && p.names(o.Key.Name)
	}
	return o.Key.Resource == p.plural && (p.group == "" || o.Key.Group == p.group) && p.names(o.Key.Name)
}

// names says whether a name is one that the part has.
func (p *part) names(name string) bool {
	return p.name == "" || name == p.name || p.prefix && strings.HasPrefix(name, p.name)
}

// parse reads the words. Where one has a slash, all must, as for kubectl.
func (q *Query) parse(s *State) (parts []part, err error) {
	var plain, pairs []string
	for _, word := range q.Words {
		switch {
		case s.Catalog.Lookup(word) != nil:
			plain = append(plain, word)
		case strings.HasPrefix(word, "/"):
			parts = append(parts, part{word: word, key: word})
		case strings.Contains(word, "/"):
			pairs = append(pairs, word)
		default:
			plain = append(plain, word)
		}
	}
	if len(plain) > 0 && len(pairs) > 0 {
		return nil, fmt.Errorf("%q has no name, and %q has one: give RESOURCE NAME..., or RESOURCE/NAME for each", plain[0], pairs[0])
	}
	add := func(word, name string) error {
		p := part{word: strings.TrimSuffix(word+"/"+name, "/"), resource: s.Catalog.Lookup(word), name: name, prefix: q.Prefixes}
		if p.resource == nil && !s.Deleted {
			return &UnknownError{Word: word, Near: s.Catalog.Complete(word[:min(len(word), 2)])}
		}
		if p.resource != nil && q.Fields != nil {
			if err := checkFields(q.Fields, p.resource); err != nil {
				return err
			}
		}
		p.plural, p.group, _ = strings.Cut(word, ".")
		parts = append(parts, p)
		return nil
	}
	for _, pair := range pairs {
		resource, name, _ := strings.Cut(pair, "/")
		err = errors.Join(err, add(resource, name))
	}
	if len(plain) > 0 {
		names := plain[1:]
		if len(names) == 0 {
			names = []string{""}
		}
		list := []string{plain[0]}
		if s.Catalog.Lookup(plain[0]) == nil { // a key of any name can be all that shows a resource
			list = strings.Split(plain[0], ",")
		}
		for _, word := range list {
			for _, resource := range expanded(word, s.Catalog) {
				for _, name := range names {
					err = errors.Join(err, add(resource, name))
				}
			}
		}
	}
	return parts, err
}

// UnknownError says that a word is no resource of the state.
type UnknownError struct {
	Word string
	Near []string // resources that begin alike
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("there is no resource %q at this revision: it is not built in, nothing defines it, and no key is of it", e.Word)
}

// MissingError says that an object that was named is not there.
type MissingError struct {
	Word string // as it was given
}

func (e *MissingError) Error() string { return fmt.Sprintf("%s is not there", e.Word) }

// UnreadError says that an object cannot be read, so that selectors may mean it or not.
type UnreadError struct {
	Key string
	Err error
}

func (e *UnreadError) Error() string {
	return fmt.Sprintf("%s may be meant, and cannot be read: %v", e.Key, e.Err)
}

func (e *UnreadError) Unwrap() error { return e.Err }

// lookEvery is after how many keys a pass looks whether it is to stop.
const lookEvery = 1 << 10

// Find yields the objects: those of the first word first, each word's in the order of
// their keys, and none twice. Its errors are ctx's, an *UnknownError for a word, a
// *FieldError for a field, an *UnreadError beside an object that selectors may mean,
// and in the end a *MissingError for each object that was named and not found.
func (q *Query) Find(ctx context.Context, s State) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if q.RelatedTo != "" {
			q.related(ctx, &s, yield)
			return
		}
		parts, err := q.parse(&s)
		if err != nil {
			yield(Object{}, err)
			return
		}
		if len(parts) == 0 {
			parts = []part{{}}
		}
		var missing []string
		passed := 0
		for i := range parts {
			p, found := &parts[i], false
			for r := range s.records(q.start(p, s.Prefix)) {
				if passed++; passed%lookEvery == 0 && ctx.Err() != nil {
					yield(Object{}, ctx.Err())
					return
				}
				key, ok := s.Catalog.Key(r.Key)
				if !ok && p.word == "" && !q.Foreign {
					continue // no API object: only for who names its key
				}
				o := Object{Key: key, Resource: s.Catalog.Of(key), Record: r, Word: i}
				if q.Namespace != "" && key.Namespace != q.Namespace && !p.ofCluster() || !p.has(&o) {
					continue
				}
				found = true
				if slices.ContainsFunc(parts[:i], func(earlier part) bool { return earlier.has(&o) }) {
					continue
				}
				chosen, err := q.chooses(&s, &o)
				if err != nil {
					err = &UnreadError{Key: r.Key, Err: err}
				}
				if (chosen || err != nil) && !yield(o, err) {
					return
				}
			}
			if !found && (p.name != "" || p.key != "") {
				missing = append(missing, p.word)
			}
		}
		for _, word := range missing {
			if !yield(Object{}, &MissingError{word}) {
				return
			}
		}
	}
}

// related yields the owners and the dependents of an object: none where the object does not
// exist or cannot be read.
func (q *Query) related(ctx context.Context, s *State, yield func(Object, error) bool) {
	key, _ := kube.ParseKey(s.Prefix, q.RelatedTo)
	tree, err := relations.TreeOf(ctx, relations.State{Snapshot: s.Snapshot, View: s.View, Prefix: s.Prefix, Catalog: s.Catalog}, key)
	if err != nil {
		if ctx.Err() != nil {
			yield(Object{}, ctx.Err())
		}
		return
	}
	for i := range tree.Relatives {
		r := &tree.Relatives[i]
		there := r.Presence == relations.Present || r.Presence == relations.Unreadable
		if there && !yield(Object{Key: r.Key, Resource: s.Catalog.Of(r.Key), Record: r.Record}, nil) {
			return
		}
	}
}

// ofCluster says whether the objects of the part are in no namespace, so that none
// leaves them out.
func (p *part) ofCluster() bool { return p.resource != nil && !p.resource.Namespaced }

// start is what all keys of a part begin with.
func (q *Query) start(p *part, prefix string) string {
	switch {
	case p.key != "":
		return p.key
	case p.resource == nil || p.resource.Foreign:
		return ""
	case p.ofCluster():
		return p.resource.Path(prefix, "") + p.name
	case q.Namespace == "":
		return p.resource.Path(prefix, "")
	}
	return p.resource.Path(prefix, q.Namespace) + p.name
}

// chooses says whether the selectors match an object. The error says that its value,
// which would tell, cannot be read.
func (q *Query) chooses(s *State, o *Object) (bool, error) {
	if q.Labels != nil && !q.Labels.Empty() {
		value, err := s.Snapshot.Value(o.Record)
		if err != nil {
			return false, err
		}
		links, err := kube.ScanLinks(value)
		if err != nil || !q.Labels.Matches(labels.Set(links.Labels)) {
			return false, err
		}
	}
	return q.matchesFields(s, o)
}

// records yields the state of every key that begins with start, or with Deleted the last
// state of every one that is no longer there.
func (s *State) records(start string) iter.Seq[snapshot.Record] {
	if !s.Deleted {
		return s.View.Keys(start)
	}
	return func(yield func(snapshot.Record) bool) {
		carved := s.carved(start)
		keys := slices.Collect(s.Snapshot.AllKeys(start))
		if len(carved) > 0 {
			keys = slices.AppendSeq(keys, maps.Keys(carved))
			slices.Sort(keys)
			keys = slices.Compact(keys)
		}
		for _, key := range keys {
			if _, err := s.View.Get(key); err == nil {
				continue
			}
			last, found := carved[key]
			for _, r := range slices.Backward(s.Snapshot.History(key)) {
				if !r.Tombstone && r.Main <= s.View.Revision() {
					if !found || r.Main > last.Main {
						last, found = r, true
					}
					break
				}
			}
			if found && !yield(last) {
				return
			}
		}
	}
}

// carved are the newest states that were recovered of keys that begin with start.
func (s *State) carved(start string) map[string]snapshot.Record {
	list := map[string]snapshot.Record{}
	if s.Carved == nil {
		return list
	}
	for r := range s.Carved.Records { // by revision
		if strings.HasPrefix(r.Key, start) && !r.Tombstone && r.Main <= s.View.Revision() {
			list[r.Key] = r.Record
		}
	}
	return list
}

// Recovered says whether a record is in none of the buckets: it was carved.
func (s *State) Recovered(r snapshot.Record) bool {
	return s.Carved != nil && !slices.ContainsFunc(s.Snapshot.History(r.Key), func(h snapshot.Record) bool { return h.Revision == r.Revision })
}
