package relations

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Event is an event that regards an object.
type Event struct {
	Key     kube.Key
	Record  snapshot.Record
	First   time.Time // seen, UTC; zero where nothing shows it
	Last    time.Time
	Count   int32
	Type    string // Normal or Warning
	Reason  string
	Message string
	Source  string // component that reported it
	// Former says that it regards an object of the same name with another uid.
	Former bool
}

// Events are the events that regard an object.
type Events struct {
	List   []Event // the one seen last first
	Unread int     // events that could not be read
	None   bool    // there is not one event of any object: they may be kept in another etcd
}

// EventsOf is that of an Index, of one object.
func EventsOf(ctx context.Context, s State, key kube.Key, uid string) (*Events, error) {
	x := NewIndex(s, false)
	x.only = []byte(key.Name)
	return x.EventsOf(ctx, key, uid)
}

// mentions are the Events of a namespace by the name of what they are about.
type mentions struct {
	list   []pointer
	unread int
}

// EventsOf finds the events that regard an object, by its kind, namespace and name;
// uid tells apart those of an earlier object of that name. The error is ctx's.
func (x *Index) EventsOf(ctx context.Context, key kube.Key, uid string) (*Events, error) {
	found := new(Events)
	events := x.Catalog.Of(kube.Key{Resource: "events"})
	if found.None = events == nil || events.Count == 0; found.None {
		return found, nil
	}
	namespaces := []string{key.Namespace}
	if key.Namespace == "" { // where events about what is in no namespace may be (kubernetes v1.37 pkg/apis/core/validation/events.go)
		namespaces = []string{"default", "kube-system"}
	}
	kind := x.kind(key)
	for _, namespace := range namespaces {
		m := x.events[namespace]
		if m == nil {
			m = new(mentions)
			if err := x.readEvents(ctx, m, events.Path(x.Prefix, namespace)); err != nil {
				return nil, err
			}
			x.events[namespace] = m
		}
		found.Unread += m.unread
		for k := range x.named(m.list, key.Name) {
			e, about, ok := x.event(k)
			if !ok || !about.Is(key) || kind != "" && about.Kind != kind {
				continue
			}
			// kubelets name nodes by their name
			e.Former = uid != "" && about.UID != "" && about.UID != uid && about.UID != key.Name
			found.List = append(found.List, e)
		}
	}
	slices.SortFunc(found.List, func(a, b Event) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(b.Record.Main, a.Record.Main))
	})
	return found, nil
}

// readEvents notes what the Events of a namespace are about.
func (x *Index) readEvents(ctx context.Context, m *mentions, path string) error {
	n := 0
	for record := range x.View.Keys(path) {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		value, err := x.Snapshot.Value(record)
		if err != nil {
			m.unread++
			continue
		}
		if e, err := kube.ParseEnvelope(value); err != nil || e.Encoding == kube.Encrypted {
			m.unread++
			continue
		}
		if !bytes.Contains(value, x.only) {
			continue // names have no character that an encoding would escape
		}
		key, _ := kube.ParseKey(x.Prefix, record.Key)
		_, about, ok := ReadEvent(key, value)
		if !ok {
			m.unread++
			continue
		}
		m.list = append(m.list, x.pointer(about.Name, record.Key))
	}
	sortPointers(m.list)
	return nil
}

// event reads one that was noted.
func (x *Index) event(key string) (e Event, about Regarding, ok bool) {
	record, err := x.View.Get(key)
	if err != nil {
		return e, about, false
	}
	value, err := x.Snapshot.Value(record)
	if err != nil {
		return e, about, false
	}
	parsed, _ := kube.ParseKey(x.Prefix, key)
	e, about, ok = ReadEvent(parsed, value)
	e.Record = record
	return e, about, ok
}
