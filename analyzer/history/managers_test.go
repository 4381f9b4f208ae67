package history

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/decoder/snapshot/snapshottest"
)

// managed is a ConfigMap with these entries in managedFields.
func managed(entries ...string) snapshottest.Change {
	return snapshottest.Put(key, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"x","uid":"u","generateName":"a","deletionTimestamp":"2026-01-01T00:00:30Z","deletionGracePeriodSeconds":20,"managedFields":[`+
		strings.Join(entries, ",")+`]}}`)
}

func fields(manager, operation, subresource string, second int, text string) string {
	return fmt.Sprintf(`{"manager":%q,"operation":%q,"subresource":%q,"apiVersion":"v1","time":"2026-01-01T00:00:%02dZ","fieldsType":"FieldsV1","fieldsV1":%s}`, manager, operation, subresource, second, text)
}

func TestManagers(t *testing.T) {
	before := managed(fields("helm", "Apply", "", 1, `{"f:data":{".":{},"f:a":{},"f:b":{}}}`))
	after := managed(
		fields("helm", "Apply", "", 1, `{"f:data":{".":{},"f:a":{}}}`),
		fields("edit", "Update", "", 2, `{"f:data":{"f:a":{},"f:b":{}},"f:list":{"k:{\"name\":\"x\"}":{".":{},"f:c":{}}},"f:set":{"v:1":{}}}`),
		fields("old", "Update", "status", 2, `{"f:metadata":{"f:labels":{".":{}}}}`))
	r := &Reader{Prefix: "/registry", Sources: []Source{{Name: "a", Snapshot: snapshottest.Store(t, before, after)}}}
	h, err := r.Read(t.Context(), key, false)
	if err != nil {
		t.Fatal(err)
	}
	second := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC) }
	helm, edit, old := Writer{"helm", "Apply", "", second(1), false}, Writer{"edit", "Update", "", second(2), false}, Writer{"old", "Update", "status", second(2), false}
	lost := helm
	lost.Lost = true
	e := &h.Entries[1]
	if diff := cmp.Diff([]Writer{lost, edit, old}, e.Written); diff != "" || e.By != "edit, old" {
		t.Errorf("by %s:\n%s", e.By, diff)
	}
	if !e.Generated || !e.Asked.Equal(second(10)) {
		t.Errorf("generated %v, asked %s", e.Generated, e.Asked)
	}
	list, shared, problem := r.Managers(e)
	want := []Manager{
		{Writer: helm, Top: []string{"data.a"}, Fields: 1},
		{Writer: edit, Top: []string{"data.a", "data.b", "list.c", "set"}, Fields: 4},
		{Writer: old, Top: []string{"metadata.labels"}, Fields: 1},
	}
	if diff := cmp.Diff(want, list, cmpopts.IgnoreUnexported(Manager{})); diff != "" || problem != "" {
		t.Errorf("%s:\n%s", problem, diff)
	}
	if diff := cmp.Diff([]Shared{{[2]string{"helm", "edit"}, []string{"data.a"}, 1}}, shared); diff != "" {
		t.Error(diff)
	}
	m := Manager{}
	if m.read(strings.Repeat(`{"f:a":`, 20_000)); m.Problem == "" || m.Fields != 0 {
		t.Errorf("%+v", m)
	}
}

func TestStateAt(t *testing.T) {
	h := &History{Entries: make([]Entry, 3), Gone: &Gone{After: 60, Before: 70}}
	for i, e := range []struct {
		revision  int64
		tombstone bool
	}{{10, false}, {20, true}, {50, false}} {
		h.Entries[i].Main, h.Entries[i].Tombstone = e.revision, e.tombstone
	}
	for revision, want := range map[int64]State{
		9:  {Revision: 9, Alive: 9},
		15: {Revision: 15, Written: &h.Entries[0], Alive: 15},
		30: {Revision: 30, Written: &h.Entries[0], Gone: true, Deleted: &h.Entries[1], Alive: 19},
		55: {Revision: 55, Written: &h.Entries[2], Alive: 55},
		80: {Revision: 80, Written: &h.Entries[2], Gone: true, Alive: 60},
	} {
		if got := StateAt(h, revision); got != want {
			t.Errorf("at %d: %+v, want %+v", revision, got, want)
		}
	}
	h.Entries[2].Gone = &Gone{After: 12, Before: 50}
	h.Entries = append(h.Entries[:1], h.Entries[2])
	if got := StateAt(h, 30); !got.Gone || got.Alive != 12 {
		t.Errorf("%+v", got)
	}
}
