package audit

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	"revenant/decoder/audit"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

func at(second int) time.Time { return time.Date(2026, 11, 23, 4, 0, second, 0, time.UTC) }

// entry is a revision that was written in the second of its number.
func entry(what history.Verb, revision int64, written ...string) history.Entry {
	e := history.Entry{What: what, UID: "u", In: []int{0}, When: clock.Interval{From: at(int(revision)), To: at(int(revision))}}
	e.Record = snapshot.Record{Revision: snapshot.Revision{Main: revision}, Generation: 1, Tombstone: what == history.Deleted}
	if e.Tombstone {
		e.UID = ""
	}
	for _, manager := range written {
		manager, subresource, _ := strings.Cut(manager, "/")
		e.Written = append(e.Written, history.Writer{Manager: manager, Subresource: subresource, Time: at(int(revision))})
	}
	return e
}

// request is one that was served in a second.
func request(id, verb string, second int, set ...func(*audit.Event)) *audit.Event {
	e := &audit.Event{ID: id, Verb: verb, Name: "web", Code: 200, Manager: "kubectl", Received: at(second), Ended: at(second)}
	for _, set := range set {
		set(e)
	}
	return e
}

func code(n int32) func(*audit.Event)     { return func(e *audit.Event) { e.Code = n } }
func manager(s string) func(*audit.Event) { return func(e *audit.Event) { e.Manager = s } }
func sub(s string) func(*audit.Event)     { return func(e *audit.Event) { e.Subresource = s } }
func sentFor(s string) func(*audit.Event) { return func(e *audit.Event) { e.ResourceVersion = s } }
func uid(s string) func(*audit.Event)     { return func(e *audit.Event) { e.UID = s } }
func status(uid string) func(*audit.Event) {
	return func(e *audit.Event) { e.Answer = audit.Answer{Status: true, UID: uid} }
}
func dryRun(e *audit.Event)  { e.DryRun = true }
func unnamed(e *audit.Event) { e.Name = "" }
func answer(rev int64) func(*audit.Event) {
	return func(e *audit.Event) {
		e.Answer = audit.Answer{UID: "u", ResourceVersion: strconv.FormatInt(rev, 10)}
	}
}

// TestMatch has an object that is created at 10, changed at 20 and 30 (its status), asked
// to be deleted at 40 and deleted at 50.
func TestMatch(t *testing.T) {
	entries := []history.Entry{
		entry(history.Created, 10, "kubectl"), entry(history.Changed, 20, "kubectl"), entry(history.Changed, 30, "kcm/status"),
		entry(history.Changed, 40), entry(history.Deleted, 50),
	}
	entries[3].Asked = at(40)
	type r = *audit.Event
	for _, tt := range []struct {
		name     string
		i        int
		requests []r
		want     string
	}{
		{"nothing", 0, nil, "none "},
		{"a creation", 0, []r{request("a", "create", 10, code(201))}, "probable a"},
		{"a creation that is answered", 0, []r{request("a", "create", 10, code(201), answer(10))}, "certain a"},
		{"a creation by apply", 0, []r{request("a", "patch", 10, code(201))}, "probable a"},
		{"a patch that found it", 0, []r{request("a", "patch", 10)}, "none "},
		{"a creation without a name", 0, []r{request("a", "create", 10, unnamed)}, "none "},
		{"a creation that failed", 0, []r{request("a", "create", 10, code(409))}, "none "},
		{"a creation that failed late", 0, []r{request("a", "create", 10, code(504))}, "possible a"},
		{"another time", 1, []r{request("a", "patch", 24)}, "none "},
		{"within the skew", 1, []r{request("a", "patch", 22)}, "probable a"},
		{"a dry run", 1, []r{request("a", "patch", 20, dryRun)}, "none "},
		{"exec", 1, []r{request("a", "create", 20, sub("exec"))}, "none "},
		{"an object of that name before", 1, []r{request("a", "update", 20, uid("v"))}, "none "},
		{"two", 1, []r{request("a", "patch", 20), request("b", "patch", 21)}, "possible a b"},
		{"two, one of another manager", 1, []r{request("a", "patch", 20, manager("helm")), request("b", "patch", 21)}, "probable b"},
		{"another manager", 1, []r{request("a", "patch", 20, manager("helm"))}, "possible a"},
		{"the same in two logs", 1, []r{request("a", "patch", 20), request("a", "patch", 20)}, "probable a"},
		{"five", 1, []r{request("a", "patch", 20), request("b", "patch", 20), request("c", "patch", 20), request("d", "patch", 20), request("e", "patch", 20)}, "possible a b c +2"},
		{"sent for the revision before", 1, []r{request("a", "patch", 20), request("b", "update", 20, sentFor("10"))}, "probable b"},
		{"sent for another", 1, []r{request("a", "update", 20, sentFor("9")), request("b", "update", 20, sentFor("20"))}, "none "},
		{"an update that is answered", 1, []r{request("a", "patch", 20), request("b", "update", 24, sentFor("10"), answer(20))}, "possible b"},
		{"an update that is answered in time", 1, []r{request("a", "patch", 20), request("b", "update", 20, sentFor("10"), answer(20))}, "certain b"},
		{"a patch that is answered, at its manager's time", 1, []r{request("a", "patch", 20, answer(20))}, "certain a"},
		{"a patch that is answered, later", 1, []r{request("a", "patch", 21, answer(20))}, "probable a"},
		{"a patch that changed nothing", 1, []r{request("a", "patch", 20, answer(20)), request("b", "patch", 22, answer(20))}, "certain a"},
		{"a patch that wrote another", 1, []r{request("a", "patch", 20, answer(21))}, "none "},
		{"a delete", 1, []r{request("a", "delete", 20)}, "none "},
		{"the status", 2, []r{request("a", "update", 30, sub("status"), manager("kcm")), request("b", "update", 30, manager("kcm"))}, "probable a"},
		{"what sets deletionTimestamp", 3, []r{request("a", "patch", 40), request("b", "delete", 40)}, "probable b"},
		{"what sets it, answered", 3, []r{request("b", "delete", 40, answer(40)), request("c", "delete", 41, answer(40))}, "certain b"},
		{"an eviction", 3, []r{request("a", "create", 40, sub("eviction"), code(201))}, "probable a"},
		{"a collection", 3, []r{request("a", "deletecollection", 40, unnamed)}, "probable a"},
		{"a deletion", 4, []r{request("a", "delete", 50)}, "probable a"},
		{"a deletion that is answered", 4, []r{request("a", "delete", 50, answer(50)), request("b", "delete", 49, answer(40))}, "certain a"},
		{"the last finalizer", 4, []r{request("a", "patch", 50)}, "probable a"},
		{"a Status, where it was being deleted", 4, []r{request("a", "delete", 50, status("u"))}, "probable a"},
		{"a Status of another", 4, []r{request("a", "delete", 50, status("v"))}, "none "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := New(entries)
			for _, e := range tt.requests {
				j.Add(e)
			}
			m := j.Match(tt.i)
			got := string(m.Sure) + " "
			for i, e := range m.Events {
				got += strings.Repeat(" ", min(i, 1)) + e.ID
			}
			if m.More > 0 {
				got += " +" + strconv.Itoa(m.More)
			}
			if got != tt.want || (m.Reason == "") != (m.Sure == None) {
				t.Errorf("%s, want %s: %s", got, tt.want, m.Reason)
			}
		})
	}
}

// TestAtOnce: an object that is deleted at once goes with the request whose answer has its
// uid.
func TestAtOnce(t *testing.T) {
	j := New([]history.Entry{entry(history.Created, 10), entry(history.Deleted, 50)})
	j.Add(request("a", "delete", 51))
	j.Add(request("b", "delete", 49, status("u")))
	if m := j.Match(1); m.Sure != Certain || m.Events[0].ID != "b" {
		t.Errorf("%+v", m)
	}
}

// TestOnce: a request writes one revision at most, the one that it fits best; a delete may
// write two.
func TestOnce(t *testing.T) {
	entries := []history.Entry{entry(history.Created, 10), entry(history.Changed, 20), entry(history.Changed, 21, "kubectl"), entry(history.Changed, 22), entry(history.Deleted, 23)}
	entries[3].Asked = at(22)
	sure := func(requests ...*audit.Event) (list []Certainty) {
		j := New(entries)
		for _, e := range requests {
			j.Add(e)
		}
		for i := range entries {
			list = append(list, j.Match(i).Sure)
		}
		return list
	}
	if diff := cmp.Diff([]Certainty{None, None, Probable, None, None}, sure(request("a", "patch", 20))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Certainty{None, None, None, Probable, Probable}, sure(request("a", "delete", 22))); diff != "" {
		t.Error(diff)
	}
	entries[2].Written = nil
	if diff := cmp.Diff([]Certainty{None, Possible, Possible, None, None}, sure(request("a", "patch", 20))); diff != "" {
		t.Error(diff)
	}
}

// TestUnseen: where writes between two revisions are in no file, the first says less of the
// second.
func TestUnseen(t *testing.T) {
	entries := []history.Entry{entry(history.Created, 10), entry(history.Changed, 20), entry(history.Deleted, 50)}
	entries[1].Unseen, entries[1].Asked, entries[2].In = 3, at(15), []int{1}
	j := New(entries)
	j.Add(request("a", "update", 20, sentFor("17")))
	j.Add(request("b", "delete", 50, status("u")))
	if a, b := j.Match(1), j.Match(2); a.Sure != Probable || b.Sure != Probable {
		t.Errorf("%+v, %+v", a, b)
	}
}

// TestUnknownTimes: where nothing tells when a revision was written, any time fits.
func TestUnknownTimes(t *testing.T) {
	e := entry(history.Changed, 20)
	e.When = clock.Interval{}
	j := New([]history.Entry{e})
	j.Add(request("a", "patch", 59))
	if m := j.Match(0); m.Sure != Probable {
		t.Errorf("%+v", m)
	}
}

func TestQueryOf(t *testing.T) {
	for path, want := range map[string][]string{
		"/registry/deployments/shop/web":   {"apps", "extensions"},
		"/registry/pods/shop/web":          {"", "extensions"},
		"/registry/events/shop/web":        {"", "events.k8s.io"},
		"/registry/lab.example/things/x/y": {"lab.example"},
		"/registry/unheardof/shop/web":     nil,
	} {
		key, ok := kube.ParseKey("/registry", path)
		if q := QueryOf(key); !ok || !cmp.Equal(want, q.Groups) || q.Name != key.Name {
			t.Errorf("%s: %+v", path, q)
		}
	}
}
