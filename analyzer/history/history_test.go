package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// object is a ConfigMap whose fields a manager has written.
func object(uid, manager string, value int) string {
	return fmt.Sprintf(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"x","uid":%q,
		"managedFields":[{"manager":%q,"operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:%02dZ","fieldsType":"FieldsV1","fieldsV1":{}}]},"data":{"n":"%d"}}`, uid, manager, value, value)
}

const key = "/registry/configmaps/x/a"

// reader reads two stores that these changes made.
func reader(t *testing.T, backup, current []snapshottest.Change) *Reader {
	return &Reader{Prefix: "/registry", Sources: []Source{
		{Name: "backup", Snapshot: snapshottest.Store(t, backup...)}, {Name: "current", Snapshot: snapshottest.Store(t, current...)},
	}}
}

// told is what a test compares of an entry.
type told struct {
	What       Verb
	Source, By string
	Life       int
	Fields     int
	Before     int
	Apart      bool
}

func (r *Reader) told(t *testing.T) []told {
	t.Helper()
	h, err := r.Read(t.Context(), key, false)
	if err != nil {
		t.Fatal(err)
	}
	var list []told
	for _, e := range h.Entries {
		list = append(list, told{e.What, e.Source, e.By, e.Generation, e.Fields, e.Before, e.Apart})
	}
	return list
}

func TestRead(t *testing.T) {
	put := func(uid, manager string, value int) snapshottest.Change {
		return snapshottest.Put(key, object(uid, manager, value))
	}
	first, second := put("1", "apply", 1), put("1", "edit", 2)
	again := put("2", "apply", 3)
	for _, tt := range []struct {
		name            string
		backup, current []snapshottest.Change
		want            []told
	}{
		{"nothing", nil, []snapshottest.Change{snapshottest.Put("/registry/configmaps/x/b", "x")}, nil},
		{"one history", []snapshottest.Change{first}, []snapshottest.Change{first, second}, []told{
			{Created, "both", "apply", 1, 0, -1, false}, {Changed, "current", "edit", 1, 1, 0, false},
		}},
		{"two lives", nil, []snapshottest.Change{first, snapshottest.Delete(key), again}, []told{
			{Created, "current", "apply", 1, 0, -1, false}, {Deleted, "current", "", 1, 0, -1, false}, {Created, "current", "apply", 2, 0, -1, false},
		}},
		{"parted", []snapshottest.Change{first, second}, []snapshottest.Change{first, again}, []told{
			{Created, "both", "apply", 1, 0, -1, false}, {Changed, "backup", "edit", 1, 1, 0, true}, {Changed, "current", "apply", 1, 2, 0, true},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, reader(t, tt.backup, tt.current).told(t)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSources reads one source alone, and three of which the last has parted from the others.
func TestSources(t *testing.T) {
	put := func(uid string, value int) snapshottest.Change {
		return snapshottest.Put(key, object(uid, "apply", value))
	}
	r := &Reader{Prefix: "/registry"}
	for i, changes := range [][]snapshottest.Change{{put("1", 1), put("1", 2)}, {put("1", 1), put("1", 2), put("1", 3)}, {put("1", 1), put("2", 4)}} {
		r.Sources = append(r.Sources, Source{Name: fmt.Sprint(i), Snapshot: snapshottest.Store(t, changes...)})
	}
	three := r.told(t)
	r.Sources = r.Sources[:1]
	for _, tt := range []struct {
		name      string
		got, want []told
	}{
		{"three", three, []told{
			{Created, "0, 1, 2", "apply", 1, 0, -1, false}, {Changed, "0, 1", "apply", 1, 1, 0, true}, {Changed, "2", "apply", 1, 2, 0, true}, {Changed, "1", "apply", 1, 1, 1, false},
		}},
		{"one", r.told(t), []told{{Created, "0", "apply", 1, 0, -1, false}, {Changed, "0", "apply", 1, 1, 0, false}}},
	} {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestBounds: of many revisions the newest are decoded, and of many deletions the
// newest explained.
func TestBounds(t *testing.T) {
	var changes []snapshottest.Change
	for i := range Most/2 + 10 {
		changes = append(changes, snapshottest.Put(key, object("1", "apply", i%60)), snapshottest.Delete(key))
	}
	h, err := reader(t, nil, changes).Read(t.Context(), key, false)
	if err != nil {
		t.Fatal(err)
	}
	explained := 0
	for i := range h.Entries {
		if e := &h.Entries[i]; e.Tombstone && e.Unexplained == "" {
			explained++
		}
	}
	if len(h.Entries) != Most || explained != MostDeletions || h.Entries[Most-1].What != Deleted {
		t.Errorf("%d entries, %d deletions explained", len(h.Entries), explained)
	}
}

// TestCarved adds what is carved from the free pages of a store that was written for long.
func TestCarved(t *testing.T) {
	churned := snapshottest.OpenBytes(t, "churned", corpus.Unpack(t, "../../testdata/etcd/churned-0.db.gz"))
	r := &Reader{Prefix: "/registry", Sources: []Source{{Name: "backup", Snapshot: churned}, {Name: "current", Snapshot: churned}}}
	carving, err := churned.Carve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	carved := ""
	for record := range carving.Records {
		carved = record.Key
	}
	without, err := r.Read(t.Context(), carved, false)
	if err != nil {
		t.Fatal(err)
	}
	with, err := r.Read(t.Context(), carved, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(with.Entries) <= len(without.Entries) || !with.Carved || without.Carved {
		t.Errorf("%d entries with, %d without what is carved", len(with.Entries), len(without.Entries))
	}
}

// TestUndecodable tells a value that is no object, and one that is empty.
func TestUndecodable(t *testing.T) {
	r := reader(t, nil, []snapshottest.Change{snapshottest.Put(key, "k8s\x00\xff"), snapshottest.Put(key, "")})
	h, err := r.Read(t.Context(), key, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Entries) != 2 || h.Entries[0].Problem == "" {
		t.Errorf("got %+v", h.Entries)
	}
	if value, err := r.Value(&h.Entries[1]); value == nil || len(bytes.TrimSpace(value)) > 0 || err != nil {
		t.Errorf("an empty value is %q, %v", value, err)
	}
}

func TestReadEnded(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	end()
	r := reader(t, nil, []snapshottest.Change{snapshottest.Put(key, object("1", "apply", 1))})
	if _, err := r.Read(ctx, key, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDamagedProvesNothing has an object that a later file lacks: it was deleted, unless a
// page of that file is lost, which may have had it.
func TestDamagedProvesNothing(t *testing.T) {
	var changes []snapshottest.Change
	for i := range 40 {
		changes = append(changes, snapshottest.Put(fmt.Sprintf("/registry/configmaps/y/%02d", i), fmt.Sprintf("marker-%02d ", i)+strings.Repeat("x", 1000)))
	}
	whole := snapshottest.Bytes(t, changes...)
	torn := bytes.Clone(whole)
	page := os.Getpagesize()
	lost := bytes.Index(torn, []byte("marker-20 ")) / page * page
	copy(torn[lost:lost+page], make([]byte, page))
	for name, test := range map[string]struct {
		later []byte
		gone  bool
	}{"whole": {whole, true}, "a page is lost": {torn, false}} {
		later := snapshottest.OpenBytes(t, "later", test.later)
		r := &Reader{Prefix: "/registry", One: true, Sources: []Source{
			{Name: "earlier", Snapshot: snapshottest.Store(t, snapshottest.Put(key, object("1", "apply", 1)))}, {Name: "later", Snapshot: later},
		}}
		h, err := r.Read(t.Context(), key, false)
		if err != nil {
			t.Fatal(err)
		}
		if later.Damaged() == test.gone || (h.Gone != nil) != test.gone {
			t.Errorf("%s: damaged %v, %+v", name, later.Damaged(), h.Gone)
		}
	}
}
