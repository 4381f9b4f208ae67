package relations

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Regarding is what an Event says that it is about.
type Regarding struct {
	Kind, Namespace, Name, UID string
	Revision                   int64 // of the object, as the Event's reporter had it; 0 where it does not say
}

// Is says whether it is about the object that a key names.
func (r *Regarding) Is(key kube.Key) bool { return r.Namespace == key.Namespace && r.Name == key.Name }

// maxMessage is how many bytes of an Event's message are kept of each of all Events.
const maxMessage = 512

// ReadEvent reads a stored Event, with what it is about; ok is false for what is none, or
// cannot be read.
func ReadEvent(key kube.Key, value []byte) (e Event, about Regarding, ok bool) {
	stored, ok := kube.Decode(key, value).Typed.(*corev1.Event) // as which those of events.k8s.io are stored, too
	if !ok {
		return e, about, false
	}
	object := stored.InvolvedObject
	about = Regarding{Kind: object.Kind, Namespace: object.Namespace, Name: object.Name, UID: string(object.UID)}
	if revision, err := strconv.ParseInt(object.ResourceVersion, 10, 64); err == nil && revision > 0 {
		about.Revision = revision
	}
	e = Event{
		Key: key, Type: stored.Type, Reason: stored.Reason, Message: strings.TrimSpace(stored.Message),
		Source: cmp.Or(stored.Source.Component, stored.ReportingController),
	}
	e.First, e.Last, e.Count = resources.EventTimes(stored)
	return e, about, true
}

// ByRevision are Events by the revision of the object that they are about.
type ByRevision map[int64][]Regarded

// Regarded is an Event with what it is about.
type Regarded struct {
	Event
	About Regarding
}

// EventsByRevision reads the last retained state of every Event, deleted ones included.
// Those that name no revision are left out. The error is ctx's.
func EventsByRevision(ctx context.Context, s *snapshot.Snapshot, prefix string) (ByRevision, error) {
	all := ByRevision{}
	n := 0
	for key := range s.AllKeys(kube.Key{Resource: "events"}.Path(prefix)) {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		parsed, ok := kube.ParseKey(prefix, key)
		records := s.History(key)
		for len(records) > 0 && records[len(records)-1].Tombstone {
			records = records[:len(records)-1]
		}
		if !ok || len(records) == 0 {
			continue
		}
		last := records[len(records)-1]
		value, err := s.Value(last)
		if err != nil {
			continue
		}
		if e, about, ok := ReadEvent(parsed, value); ok && about.Revision > 0 {
			e.Record = last
			e.Message = strings.Clone(strings.ToValidUTF8(e.Message[:min(len(e.Message), maxMessage)], ""))
			all[about.Revision] = append(all[about.Revision], Regarded{e, about})
		}
	}
	return all, ctx.Err()
}

// Of are the Events about an object as it was written at a revision.
func (b ByRevision) Of(key kube.Key, revision int64) []Regarded {
	var list []Regarded
	for _, e := range b[revision] {
		if e.About.Is(key) {
			list = append(list, e)
		}
	}
	return list
}

// Join adds the Events of a later snapshot, whose state of an Event counts.
func (b ByRevision) Join(later ByRevision) {
	for revision, list := range later {
		for _, e := range b[revision] {
			if !slices.ContainsFunc(list, func(other Regarded) bool { return other.Key == e.Key }) {
				list = append(list, e)
			}
		}
		b[revision] = list
	}
}
