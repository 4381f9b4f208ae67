package rollback

import (
	"fmt"
	"iter"

	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// change is one key in both snapshots; a record that is not there is the zero
// Record.
type change struct {
	kube.Key
	before, after snapshot.Record
}

func (ch *change) lost() bool        { return !has(ch.before) }
func (ch *change) resurrected() bool { return !has(ch.after) }

// replaced says whether the object was deleted and recreated in between: the
// API server gives every object that it creates a uid of its own (apiserver v0.37
// pkg/registry/rest/create.go BeforeCreate).
func (ch *change) replaced() bool {
	return has(ch.before) && has(ch.after) && ch.before.CreateRevision != ch.after.CreateRevision
}

// same says whether both snapshots hold the same version.
func (ch *change) same() bool { return sameRecord(ch.before, ch.after) }

// sameRecord says whether two records, one of which is there, are the same.
func sameRecord(a, b snapshot.Record) bool {
	return a.Revision == b.Revision && a.CreateRevision == b.CreateRevision && a.Size == b.Size
}

// sameObject says whether two records are of one life of the object.
func sameObject(a, b snapshot.Record) bool {
	return has(a) && has(b) && a.CreateRevision == b.CreateRevision
}

// join yields every key of the two snapshots that starts with prefix, sorted.
// It ends early when ctx does.
func (c *comparison) join(prefix string) iter.Seq2[snapshot.Record, snapshot.Record] {
	return func(yield func(before, after snapshot.Record) bool) {
		next, stop := iter.Pull(c.current.Keys(prefix))
		defer stop()
		after, _ := next()
		n := 0
		alive := func() bool { n++; return n%256 != 0 || c.ctx.Err() == nil }
		for before := range c.backup.Keys(prefix) {
			for has(after) && after.Key < before.Key {
				if !alive() || !yield(snapshot.Record{}, after) {
					return
				}
				after, _ = next()
			}
			var match snapshot.Record
			if after.Key == before.Key {
				match = after
				after, _ = next()
			}
			if !alive() || !yield(before, match) {
				return
			}
		}
		for ; has(after); after, _ = next() {
			if !alive() || !yield(snapshot.Record{}, after) {
				return
			}
		}
	}
}

// changes yields what differs among the objects of a resource, sorted by key. They
// have been counted before.
func (c *comparison) changes(group, resource string) iter.Seq[change] {
	return func(yield func(change) bool) {
		if k := c.kinds[kube.Key{Group: group, Resource: resource}]; k == nil || !k.Changed() {
			return
		}
		prefix := kube.Key{Group: group, Resource: resource}.Path(c.prefix)
		for before, after := range c.join(prefix) {
			if sameRecord(before, after) {
				continue
			}
			k, ok := kube.ParseKey(c.prefix, keyOf(before, after))
			if ok && !yield(change{k, before, after}) {
				return
			}
		}
	}
}

func keyOf(before, after snapshot.Record) string {
	if has(before) {
		return before.Key
	}
	return after.Key
}

// unread are the values of a resource that a rule needed and did not get.
type unread struct {
	key    kube.Key // of the resource
	values map[finding.Ref]struct{}
	first  finding.Ref
	err    error // why the first
}

func (c *comparison) noteUnread(s side, r snapshot.Record, err error) {
	k, _ := kube.ParseKey(c.prefix, r.Key)
	c.noteUnreadOf(k, s, r, err)
}

func (c *comparison) noteUnreadOf(k kube.Key, s side, r snapshot.Record, err error) {
	name := resourceName(k)
	if c.unread[name] == nil {
		c.unread[name] = &unread{kube.Key{Group: k.Group, Resource: k.Resource}, map[finding.Ref]struct{}{}, s.ref(r), err}
	}
	c.unread[name].values[s.ref(r)] = struct{}{}
}

// partly says that values of a resource could not be read in a snapshot, so that what it
// does not show may be in them; "" where all could that were asked for.
func (c *comparison) partly(s side, k kube.Key, what string) string {
	where := map[finding.In]string{finding.InBackup: "backup", finding.InCurrent: "current state"}[s.in]
	if u := c.unread[resourceName(k)]; u != nil {
		for ref := range u.values {
			if ref.Snapshot == s.in {
				return fmt.Sprintf(" (not all %s of the %s could be read)", what, where)
			}
		}
	}
	return ""
}

// value reads the value of a record; nil when there is no record, and when it
// cannot be read, which is noted.
func (c *comparison) value(s side, r snapshot.Record) []byte {
	if !has(r) {
		return nil
	}
	v, err := s.Value(r)
	if err != nil {
		c.noteUnread(s, r, err)
		return nil
	}
	if v == nil {
		v = []byte{} // no object either, but there is a record
	}
	return v
}

// get decodes the object of a record. ok is false when there is no record, and
// when it is no T, which is noted.
func get[T runtime.Object](c *comparison, s side, r snapshot.Record) (obj T, ok bool) {
	value := c.value(s, r)
	if value == nil {
		return obj, false
	}
	o := kube.Decode(kube.Key{}, value)
	obj, err := kube.As[T](o)
	if err != nil {
		c.noteUnread(s, r, err)
		return obj, false
	}
	return obj, true
}

// find returns the newest record of an object, or the zero Record.
func (c *comparison) find(s side, k kube.Key) snapshot.Record {
	r, err := s.Get(k.Path(c.prefix), 0)
	if err != nil {
		return snapshot.Record{}
	}
	return r
}

// names counts objects and keeps the first few.
type names struct {
	count int
	first []string
}

func (n *names) add(name string) {
	n.count++
	n.first = appendExample(n.first, name)
}

// String lists the names, and how many more there are.
func (n *names) String() string {
	return words.FirstOf(n.first, maxExamples, n.count)
}

func appendExample(list []string, name string) []string {
	if len(list) < maxExamples {
		list = append(list, name)
	}
	return list
}
