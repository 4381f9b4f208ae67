// Package audit joins the revisions of an object with the requests in audit logs that may
// have written them.
//
// It takes the revisions, as analyzer/history tells them, and requests to the object, in
// any order. It returns for each revision the requests that fit it best, how sure that is,
// and why. Few of them are kept for a revision, and the others counted.
//
// An audit log has what its policy asks for, of one API server: that no request fits shows
// nothing.
package audit

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"revenant/analyzer/history"
	"revenant/decoder/audit"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// Certainty says how sure it is that a request wrote a revision.
type Certainty string

// The certainties, surest first.
const (
	// Certain: the log shows that the request wrote the revision.
	Certain Certainty = "certain"
	// Probable: it is the only one in the logs that can have.
	Probable Certainty = "probable"
	// Possible: it is one of several that can have, or it is odd.
	Possible Certainty = "possible"
	// None: no request fits.
	None Certainty = "none"
)

// Most is how many requests are kept for a revision.
const Most = 3

// Match is the requests that may have written a revision.
type Match struct {
	Sure   Certainty
	Reason string
	Events []*audit.Event // in the order in which they were read; at most Most
	More   int            // that fit as well
}

// skew is how much the clocks of two machines may differ, as package clock assumes.
const skew = 2 * time.Second

// QueryOf is what to look for in logs for the requests to an object. Resources of the first
// API group of all workloads, extensions, were moved to others, and served in both.
func QueryOf(key kube.Key) audit.Query {
	q := audit.Query{Resource: key.Resource, Namespace: key.Namespace, Name: key.Name}
	switch _, builtIn := key.Type(); {
	case builtIn && key.Resource == "events":
		q.Groups = []string{"", "events.k8s.io"}
	case builtIn:
		q.Groups = []string{key.Group, "extensions"}
	case key.Group != "":
		q.Groups = []string{key.Group}
	}
	return q
}

// strength is how well a request fits a revision, the weakest first.
type strength int

const (
	unfit   strength = iota
	failed           // it failed late, and may have written before
	odd              // its manager is not one of those that wrote, or its answer names another revision
	fits             // by verb and time
	managed          // and by its manager, too
	before           // and it was sent for the revision before
	named            // its answer names the revision
	proven
)

// Join is revisions and what fits them so far.
type Join struct {
	writes []write
}

// write is a revision, with what fits it.
type write struct {
	*history.Entry
	prior *history.Entry // one before it in the same life, nil where none is held
	next  bool           // nothing was written between the two
	uid   string
	fit   [proven + 1]group
}

// group is the requests that fit equally well.
type group struct {
	events []*audit.Event
	all    int
	why    string // of proven ones
	places int    // how many revisions the first one fits as well
}

// New prepares the join of the revisions of a history, in their order.
func New(entries []history.Entry) *Join {
	j := &Join{writes: make([]write, len(entries))}
	for i := range entries {
		w := &j.writes[i]
		w.Entry, w.uid = &entries[i], entries[i].UID
		if i > 0 && entries[i-1].Generation == w.Generation {
			w.prior = &entries[i-1]
			w.next = !w.Tombstone && w.Unseen == 0 || w.Tombstone && slices.ContainsFunc(w.In, func(source int) bool { return slices.Contains(w.prior.In, source) })
			if w.uid == "" {
				w.uid = j.writes[i-1].uid
			}
		}
	}
	return j
}

// mute are subresources that write no object.
var mute = []string{"attach", "exec", "log", "portforward", "proxy", "token"}

// Add takes a request.
func (j *Join) Add(e *audit.Event) {
	if e.DryRun || e.Code >= 400 && e.Code < 500 || slices.Contains(mute, e.Subresource) {
		return
	}
	fit := make([]strength, len(j.writes))
	why := make([]string, len(j.writes))
	best, places := unfit, 0
	for i := range j.writes {
		if fit[i], why[i] = j.writes[i].judge(e); fit[i] > best {
			best, places = fit[i], 0
		}
		if fit[i] == best {
			places++
		}
	}
	for i := range j.writes {
		// A request writes once. Only a delete may write twice: that it was asked for, and the
		// tombstone.
		if f := fit[i]; f != unfit && (f == best || e.Verb == "delete") {
			j.writes[i].fit[f].add(e, why[i], places)
		}
	}
}

// add keeps a request; one that is in two logs counts once.
func (g *group) add(e *audit.Event, why string, places int) {
	if e.ID != "" && slices.ContainsFunc(g.events, func(was *audit.Event) bool { return was.ID == e.ID }) {
		return
	}
	if g.all++; len(g.events) < Most {
		g.events = append(g.events, e)
	}
	if g.all == 1 {
		g.why, g.places = why, places
	}
}

// judge says how well a request fits, and why that proves it.
func (w *write) judge(e *audit.Event) (strength, string) {
	answered := e.Answer.ResourceVersion != "" && e.Answer.ResourceVersion == strconv.FormatInt(w.Main, 10)
	timely := w.meets(e)
	switch {
	case !w.verb(e), w.uid != "" && e.Answer.UID != "" && e.Answer.UID != w.uid:
		return unfit, ""
	case w.uid != "" && e.UID != "" && e.UID != w.uid && e.Verb != "create": // a new object's is not the client's
		return unfit, ""
	case !answered && !timely:
		return unfit, ""
	case !answered && e.Answer.ResourceVersion != "" && !w.Tombstone && e.Verb != "delete": // it wrote another
		return unfit, ""
	case !w.sentFor(e):
		return unfit, ""
	case e.Code >= 500:
		return failed, ""
	case answered && timely:
		if why := w.proof(e); why != "" {
			return proven, why
		}
		return named, ""
	case answered:
		return named, ""
	}
	if why := w.removed(e); why != "" {
		return proven, why
	}
	manages, others := false, false
	for _, by := range w.Written {
		if by.Lost {
			continue
		}
		// Before 1.22 no subresource was stored.
		if by.Manager == e.Manager && (by.Subresource == "" || by.Subresource == e.Subresource) {
			manages = true
		} else {
			others = true
		}
	}
	switch {
	case w.Tombstone && e.Answer.ResourceVersion != "":
		return odd, ""
	case others && !manages:
		return odd, ""
	case e.ResourceVersion != "" && e.Verb != "create" && w.next:
		return before, ""
	case manages:
		return managed, ""
	}
	return fits, ""
}

// meets says whether a request was served when the revision was written.
func (w *write) meets(e *audit.Event) bool {
	return (w.When.To.IsZero() || !e.Received.After(w.When.To.Add(skew))) && (w.When.From.IsZero() || !e.Ended.Before(w.When.From.Add(-skew)))
}

// verb says whether a verb can do what the revision did. A patch or an update may create an
// object, and answers 201 then. A delete of an object with a grace period or with finalizers
// only sets its deletionTimestamp; the request that takes the last finalizer away, of any
// verb, deletes it (apiserver v0.37 pkg/registry/generic/registry/store.go Delete, Update).
func (w *write) verb(e *audit.Event) bool {
	deletes := e.Verb == "delete" || e.Verb == "deletecollection" || e.Verb == "create" && e.Subresource == "eviction"
	writes := e.Verb == "update" || e.Verb == "patch" || e.Verb == "create" && e.Subresource != "" && !deletes
	known := w.next && w.prior.Problem == ""
	switch {
	case w.What == history.Created:
		if e.Verb == "create" && e.Subresource == "" {
			return e.Name != "" || e.Answer.Name != "" || w.Generated
		}
		return e.Subresource == "" && writes && (e.Code == 0 || e.Code == 201)
	case w.Tombstone:
		return deletes || writes && !(known && w.prior.Asked.IsZero())
	case e.Code == 201 && e.Subresource == "": // it created the object
		return false
	case known && w.prior.Asked.IsZero() && !w.Asked.IsZero(): // nothing else can set it
		return deletes
	case w.Problem == "" && w.Asked.IsZero():
		return writes
	}
	return deletes || writes
}

// sentFor says whether a request that names the revision it wants to change can have found
// the object at that one (apiserver v0.37 pkg/audit/request.go LogRequestObject,
// pkg/registry/generic/registry/store.go Update).
func (w *write) sentFor(e *audit.Event) bool {
	sent, err := strconv.ParseInt(e.ResourceVersion, 10, 64)
	if err != nil || sent == 0 || e.Verb == "create" {
		return true
	}
	if w.next {
		return sent == w.prior.Main
	}
	return sent < w.Main && (w.prior == nil || sent >= w.prior.Main)
}

// proof says why a request whose answer names the revision wrote it. A patch or an update
// that changes nothing, and a second delete, write nothing and answer with the revision that
// is there (apiserver v0.37 pkg/storage/etcd3/store.go GuaranteedUpdate); so does one that
// only reads.
func (w *write) proof(e *audit.Event) string {
	switch {
	case w.What == history.Created && e.Code == 201:
		return "it created the object at this revision, as its answer says"
	case w.Tombstone: // the revision of a deletion is in no other answer
		return "its answer names the revision of the deletion"
	case e.Verb == "update" && e.ResourceVersion != "":
		return fmt.Sprintf("it was sent for revision %s, and its answer names this one", e.ResourceVersion)
	case e.Verb == "delete" && during(e, w.Asked):
		return "its answer names this revision, and deletionTimestamp was set while it was served"
	case e.Verb == "delete":
		return ""
	}
	for _, by := range w.Written {
		if by.Manager == e.Manager && !by.Lost && during(e, by.Time) {
			return "its answer names this revision, and managedFields has its manager at its time"
		}
	}
	return ""
}

// removed says why a request deleted the object. Its answer is a Status with the uid of what
// was removed; where it was being deleted already the same is answered while it stays
// (store.go finalizeDelete).
func (w *write) removed(e *audit.Event) string {
	if w.Tombstone && e.Verb == "delete" && e.Answer.Status && w.uid != "" && e.Answer.UID == w.uid && w.next && w.prior.Problem == "" && w.prior.Asked.IsZero() {
		return "its answer names the uid of the object, which no other request was deleting"
	}
	return ""
}

// during says whether a time, to the second, is one at which a request was served.
func during(e *audit.Event, t time.Time) bool {
	return !t.IsZero() && !t.Before(e.Received.Truncate(time.Second)) && !t.After(e.Ended)
}

// Match is what fits the i-th revision best.
func (j *Join) Match(i int) Match {
	w := &j.writes[i]
	best := proven
	for best > unfit && w.fit[best].all == 0 {
		best--
	}
	g := &w.fit[best]
	m := Match{Sure: Possible, Events: g.events, More: g.all - len(g.events)}
	switch {
	case best == unfit:
		return Match{Sure: None}
	case best == proven && g.all == 1:
		m.Sure, m.Reason = Certain, g.why
	case g.all > 1:
		m.Reason = words.CountOf(g.all, "request fits", "requests fit") + " it equally well"
	case g.places > 1 && g.events[0].Verb != "delete":
		m.Reason = fmt.Sprintf("no other request fits, but this one fits %s as well, and wrote one at most", words.Count(g.places-1, "other revision"))
	case best == failed:
		m.Reason = fmt.Sprintf("it failed with code %d, perhaps after it had written", g.events[0].Code)
	case best == odd && w.Tombstone:
		m.Reason = "no other request fits by verb and time, but its answer names another revision"
	case best == odd:
		m.Reason = fmt.Sprintf("no other request fits by verb and time, but managedFields has no new entry of its manager, %s", words.OrDash(g.events[0].Manager))
	case best == named && !w.meets(g.events[0]):
		m.Reason = "its answer names this revision, but it was not served when that was written"
	default:
		m.Sure, m.Reason = Probable, reasons[best]
		if best == named && g.events[0].Verb == "delete" {
			m.Reason = "its answer names this revision; a second delete is answered alike"
		}
	}
	return m
}

var reasons = map[strength]string{
	fits:    "it is the only request that fits by verb and time",
	managed: "it is the only request that fits by verb, time and manager",
	before:  "it is the only request that was sent for the revision before",
	named:   "its answer names this revision; one that changes nothing is answered alike",
}
