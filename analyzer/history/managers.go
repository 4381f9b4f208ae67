package history

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"revenant/decoder/kube"
)

// Writer is an entry in managedFields that a revision has and the one before it had not.
type Writer struct {
	Manager, Operation, Subresource string
	Time                            time.Time // to the second; zero for none
	// Lost says that it has only lost fields, which another has written.
	Lost bool
}

// Manager is an entry in managedFields: who owns which fields of an object.
type Manager struct {
	Writer
	// Top are the first two names of the fields' paths, sorted, each once, and Fields is how
	// many fields there are; Problem says why they are not known.
	Top     []string
	Fields  int
	Problem string

	owned map[uint64]string // the top, by the hash of a field's path
}

// Shared is fields that two managers own.
type Shared struct {
	Managers [2]string
	Top      []string
	Fields   int
}

const (
	largestFields = 1 << 20 // bytes of the fields of a manager; etcd takes 1.5 MiB with a whole object
	mostManagers  = 64      // for which shared fields are listed
)

var fieldSeed = maphash.MakeSeed()

// Managers are the managers of the fields of a revision, in their order, and what any two
// of them share. The problem says why there may be more.
func (r *Reader) Managers(e *Entry) (list []Manager, shared []Shared, problem string) {
	value, err := r.Value(e)
	if err != nil {
		return nil, nil, err.Error()
	}
	meta, problem := r.metadata(e.Key, value)
	if meta == nil {
		return nil, nil, problem
	}
	for _, f := range meta.GetManagedFields() {
		m := Manager{Writer: writer(f)}
		m.read(rawFields(f))
		list = append(list, m)
	}
	few := list[:min(len(list), mostManagers)]
	for i := range few {
		for j := i + 1; j < len(few); j++ {
			if s := few[i].shares(&few[j]); s.Fields > 0 {
				shared = append(shared, s)
			}
		}
	}
	return list, shared, problem
}

// read reads FieldsV1: objects in objects, whose names begin with what they are, f: for a
// field (apimachinery v0.37 pkg/apis/meta/v1/types.go FieldsV1).
func (m *Manager) read(text string) {
	var fields map[string]any
	switch {
	case len(text) > largestFields:
		m.Problem = "its list of fields is too long"
	case text == "":
	case json.Unmarshal([]byte(text), &fields) != nil:
		m.Problem = "its list of fields cannot be read"
	}
	m.owned = map[uint64]string{}
	m.walk(fields, 0, nil)
	m.Fields, m.Top = len(m.owned), tops(m.owned)
}

func (m *Manager) walk(fields map[string]any, path uint64, top []string) {
	for name, below := range fields {
		if name == "." {
			continue
		}
		path, top := maphash.Comparable(fieldSeed, [2]any{path, name}), top
		if field, ok := strings.CutPrefix(name, "f:"); ok && len(top) < 2 {
			top = append(slices.Clip(top), field)
		}
		if below, _ := below.(map[string]any); len(below) > 1 || len(below) == 1 && below["."] == nil {
			m.walk(below, path, top)
		} else {
			m.owned[path] = strings.Join(top, ".")
		}
	}
}

func (m *Manager) shares(other *Manager) Shared {
	common := map[uint64]string{}
	for path, top := range m.owned {
		if _, ok := other.owned[path]; ok {
			common[path] = top
		}
	}
	return Shared{[2]string{m.Manager, other.Manager}, tops(common), len(common)}
}

// tops are the tops of fields, sorted, each once.
func tops(owned map[uint64]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(owned)))
}

// metadata decodes an object; nil where that cannot be.
func (r *Reader) metadata(key string, value []byte) (meta metav1.Object, problem string) {
	k, ok := kube.ParseKey(r.Prefix, key)
	if !ok {
		k = kube.Key{Name: key}
	}
	o := kube.Decode(k, value)
	if o.Problem != nil {
		problem = o.Problem.Error()
	}
	if meta, ok = o.Typed.(metav1.Object); !ok && o.Unstructured != nil {
		meta = &unstructured.Unstructured{Object: o.Unstructured}
	}
	return meta, problem
}

// asked is when an object was asked to be deleted. Its deletionTimestamp is that time and
// the grace period (apiserver v0.37 pkg/registry/rest/delete.go BeforeDelete).
func asked(meta metav1.Object) time.Time {
	at := meta.GetDeletionTimestamp()
	if at == nil {
		return time.Time{}
	}
	grace := int64(0)
	if g := meta.GetDeletionGracePeriodSeconds(); g != nil {
		grace = min(max(*g, 0), 1<<31)
	}
	return at.Add(-time.Duration(grace) * time.Second).UTC()
}

// writers are the managers whose entry is not what it was before.
func writers(before, after []metav1.ManagedFieldsEntry) []Writer {
	var list []Writer
	for _, e := range after {
		same := slices.ContainsFunc(before, func(b metav1.ManagedFieldsEntry) bool {
			return b.Manager == e.Manager && b.Operation == e.Operation && b.Subresource == e.Subresource && b.Time.Equal(e.Time) &&
				rawFields(b) == rawFields(e)
		})
		if same {
			continue
		}
		w := writer(e)
		// A manager that writes has the time of that.
		w.Lost = e.Time != nil && slices.ContainsFunc(before, func(b metav1.ManagedFieldsEntry) bool {
			return b.Manager == e.Manager && b.Operation == e.Operation && b.Subresource == e.Subresource && b.Time.Equal(e.Time) && len(rawFields(b)) > len(rawFields(e))
		})
		list = append(list, w)
	}
	if !slices.ContainsFunc(list, func(w Writer) bool { return !w.Lost }) {
		for i := range list { // it wrote twice in a second, and took fields away
			list[i].Lost = false
		}
	}
	return list
}

func writer(e metav1.ManagedFieldsEntry) Writer {
	w := Writer{Manager: e.Manager, Operation: string(e.Operation), Subresource: e.Subresource}
	if e.Time != nil {
		w.Time = e.Time.UTC()
	}
	return w
}

// Writers are the entries of the managers that wrote the revision: one that only lost
// fields, which another has taken over, did not.
func (e *Entry) Writers() []Writer {
	return slices.DeleteFunc(slices.Clone(e.Written), func(w Writer) bool { return w.Lost })
}

// names are the managers, each once.
func names(list []Writer) []string {
	var names []string
	for _, w := range list {
		if !slices.Contains(names, w.Manager) {
			names = append(names, w.Manager)
		}
	}
	return names
}

func rawFields(e metav1.ManagedFieldsEntry) string {
	if e.FieldsV1 == nil {
		return ""
	}
	return e.FieldsV1.GetRawString()
}

// State is what a history says of an object at a revision.
type State struct {
	Revision int64
	Written  *Entry // the last write before that a source holds, nil for none
	Gone     bool   // it was not there, or nothing tells whether it was
	Deleted  *Entry // the tombstone that ended it, where a source holds it
	// Alive is the newest revision up to the one that was asked for at which the object is
	// known to have been there.
	Alive int64
}

// StateAt is the state at a revision.
func StateAt(h *History, revision int64) State {
	s := State{Revision: revision, Alive: revision}
	gone := h.Gone
	for i := range h.Entries {
		e := &h.Entries[i]
		if e.Main > revision {
			gone = e.Gone
			break
		}
		if s.Gone = e.Tombstone; e.Tombstone {
			s.Deleted, s.Alive = e, e.Main-1
		} else {
			s.Written, s.Deleted, s.Alive = e, nil, revision
		}
	}
	if gone != nil && !s.Gone && s.Written != nil && gone.After < revision {
		s.Gone, s.Alive = true, gone.After
	}
	return s
}
