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

// EventsOf finds the events that regard an object, by its kind, namespace and name;
// uid tells apart those of an earlier object of that name. The error is ctx's.
func EventsOf(ctx context.Context, s State, key kube.Key, uid string) (*Events, error) {
	found := new(Events)
	events := s.Catalog.Of(kube.Key{Resource: "events"})
	if found.None = events == nil || events.Count == 0; found.None {
		return found, nil
	}
	namespaces := []string{key.Namespace}
	if key.Namespace == "" { // where events about what is in no namespace may be (kubernetes v1.37 pkg/apis/core/validation/events.go)
		namespaces = []string{"default", "kube-system"}
	}
	kind, name := s.kind(key), []byte(key.Name)
	for _, namespace := range namespaces {
		n := 0
		for record := range s.View.Keys(events.Path(s.Prefix, namespace)) {
			if n++; n%checkEvery == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			value, err := s.Snapshot.Value(record)
			if err != nil {
				found.Unread++
				continue
			}
			if e, err := kube.ParseEnvelope(value); err != nil || e.Encoding == kube.Encrypted {
				found.Unread++
				continue
			}
			if !bytes.Contains(value, name) {
				continue // names have no character that an encoding would escape
			}
			eventKey, _ := kube.ParseKey(s.Prefix, record.Key)
			e, about, ok := ReadEvent(eventKey, value)
			if !ok {
				found.Unread++
				continue
			}
			if !about.Is(key) || kind != "" && about.Kind != kind {
				continue
			}
			e.Record = record
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
