package relations

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestIndex wants the same of an index as of one object after the other, in real clusters.
func TestIndex(t *testing.T) {
	s := stateOf(t, snapshottest.Open(t, "../../testdata/clusters/scenario-10/plain/current.db.gz"))
	x := NewIndex(s, false)
	n := 0
	for record := range s.View.Keys(prefix + "/") {
		key, ok := kube.ParseKey(prefix, record.Key)
		if !ok {
			continue
		}
		n++
		alone, err := TreeOf(t.Context(), s, key)
		if err != nil {
			continue // what has no metadata
		}
		tree, err := x.TreeOf(t.Context(), s.View, key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(alone, tree, cmp.AllowUnexported(snapshot.Record{})); diff != "" {
			t.Errorf("%s: -alone +index:\n%s", record.Key, diff)
		}
		about, err := EventsOf(t.Context(), s, key, "")
		if err != nil {
			t.Fatal(err)
		}
		events, err := x.EventsOf(t.Context(), key, "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(about, events, cmp.AllowUnexported(snapshot.Record{})); diff != "" {
			t.Errorf("%s: -alone +index:\n%s", record.Key, diff)
		}
	}
	if n < 100 {
		t.Errorf("only %d objects", n)
	}
}

// TestIndexReads counts the values that are read for what belongs to many objects, and for
// their Events: they grow as the objects do.
func TestIndexReads(t *testing.T) {
	reads := func(objects int, deleted bool) (n int) {
		var changes []snapshottest.Change
		for i := range objects {
			name := fmt.Sprintf("web-%d", i)
			changes = append(changes,
				object("/replicasets/a/"+name, "r"+name),
				object("/pods/a/"+name, "p"+name, "ReplicaSet/"+name+"/r"+name),
				snapshottest.Put(prefix+"/events/a/"+name, fmt.Sprintf(`{"apiVersion":"v1","kind":"Event","metadata":{"name":%q},"involvedObject":{"kind":"ReplicaSet","namespace":"a","name":%q}}`, name, name)),
			)
		}
		count := func(_ string, value []byte) ([]byte, error) { n++; return value, nil }
		opened, err := snapshot.OpenBytes(t.Context(), "counted", snapshottest.Bytes(t, changes...), snapshot.Options{SkipHashCheck: true, Decrypt: count})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { opened.Close() })
		s := stateOf(t, opened)
		n = 0
		x := NewIndex(s, deleted)
		for i := range objects {
			key := kube.Key{Group: "apps", Resource: "replicasets", Namespace: "a", Name: fmt.Sprintf("web-%d", i)}
			tree, err := x.TreeOf(t.Context(), s.View, key)
			if err != nil {
				t.Fatal(err)
			}
			events, err := x.EventsOf(t.Context(), key, "")
			if err != nil {
				t.Fatal(err)
			}
			if len(tree.Relatives) != 2 || len(events.List) != 1 {
				t.Errorf("%v: %d relatives, %d Events", key, len(tree.Relatives), len(events.List))
			}
		}
		return n
	}
	for _, deleted := range []bool{false, true} {
		few, many := reads(10, deleted), reads(100, deleted)
		if few == 0 || many > 10*few {
			t.Errorf("deleted %v: %d values are read for 10 objects, and %d for 100", deleted, few, many)
		}
	}
}

// TestIndexOfDeleted finds what belonged to objects when they were there.
func TestIndexOfDeleted(t *testing.T) {
	s := stateOf(t, snapshottest.Store(t,
		object("/replicasets/a/web", "r1"),                     // 2
		object("/pods/a/one", "p1", "ReplicaSet/web/r1"),       // 3
		snapshottest.Put(prefix+"/secrets/a/s", "k8s:enc:v1:"), // 4
		snapshottest.Delete(prefix+"/pods/a/one"),              // 5
		snapshottest.Delete(prefix+"/secrets/a/s"),             // 6
		object("/pods/a/one", "p2", "ReplicaSet/web/r2"),       // 7
		snapshottest.Delete(prefix+"/replicasets/a/web"),       // 8
		object("/replicasets/a/web", "r2"),                     // 9
	))
	x := NewIndex(s, true)
	key := kube.Key{Group: "apps", Resource: "replicasets", Namespace: "a", Name: "web"}
	for revision, want := range map[int64]struct {
		uids   []string
		unread int
	}{
		3: {[]string{"r1", "p1"}, 0},
		4: {[]string{"r1", "p1"}, 1},
		5: {[]string{"r1"}, 1},
		7: {[]string{"r1"}, 0},
		9: {[]string{"r2", "p2"}, 0},
	} {
		view, err := s.Snapshot.At(revision)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := x.TreeOf(t.Context(), view, key)
		if err != nil {
			t.Fatal(err)
		}
		var uids []string
		for _, r := range tree.Relatives {
			uids = append(uids, r.UID)
		}
		if diff := cmp.Diff(want.uids, uids); diff != "" || tree.Unread != want.unread {
			t.Errorf("at revision %d: %d unread, -want +got:\n%s", revision, tree.Unread, diff)
		}
	}
}
