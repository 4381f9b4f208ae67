package relations

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/resources"
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
			event, ok := kube.Decode(eventKey, value).Typed.(*corev1.Event) // as which those of events.k8s.io are stored, too
			if !ok {
				found.Unread++
				continue
			}
			about := &event.InvolvedObject
			if about.Name != key.Name || about.Namespace != key.Namespace || kind != "" && about.Kind != kind {
				continue
			}
			e := Event{
				Key: eventKey, Record: record, Type: event.Type, Reason: event.Reason, Message: strings.TrimSpace(event.Message),
				Source: cmp.Or(event.Source.Component, event.ReportingController),
				// kubelets name nodes by their name
				Former: uid != "" && about.UID != "" && string(about.UID) != uid && string(about.UID) != key.Name,
			}
			e.First, e.Last, e.Count = resources.EventTimes(event)
			found.List = append(found.List, e)
		}
	}
	slices.SortFunc(found.List, func(a, b Event) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(b.Record.Main, a.Record.Main))
	})
	return found, nil
}
