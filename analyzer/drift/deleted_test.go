package drift

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kubelet"
	"revenant/decoder/snapshot/snapshottest"
)

// TestFindDeletions: of what nodes and API servers name, each pod that was deleted is found
// by its uid, whatever came before and after it under its name.
func TestFindDeletions(t *testing.T) {
	const prefix = "/registry"
	at := func(name string) string { return prefix + "/pods/ns/" + name }
	put := func(name, uid string) snapshottest.Change {
		return snapshottest.Put(at(name), fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"ns","name":%q,"uid":%q}}`, name, uid))
	}
	s := snapshottest.Store(t, // revisions from 2 on
		put("twice", "1-1"), put("twice", "1-1"), snapshottest.Delete(at("twice")),
		put("twice", "1-2"), snapshottest.Delete(at("twice")), put("twice", "1-3"),
		put("served", "2-2"), snapshottest.Delete(at("served")),
		put("alive", "3-3"), put("alive", "3-3"),
		snapshottest.Delete(at("compacted")), // its versions before are not retained
		snapshottest.Put(at("unread"), "x"), snapshottest.Delete(at("unread")),
		put("nouid", ""), snapshottest.Delete(at("nouid")), snapshottest.Delete(at("nouid")),
		put("unasked", "6-6"), snapshottest.Delete(at("unasked")),
	)
	in := Input{
		Nodes:   []Node{node("n1", kubelet.Running, runs("1-1", "twice"), runs("3-3", "alive"), runs("4-4", "compacted"), runs("5-5", "unread"), runs("7-7", "nouid"), runs("1-1", "twice"))},
		Servers: []Server{{Pods: []kubelet.Pod{has("2-2", "served", "n1")}}},
	}
	if err := in.FindDeletions(t.Context(), s, prefix, nil); err != nil {
		t.Fatal(err)
	}
	want := map[string]Deletion{"1-1": {Revision: 4}, "1-2": {Revision: 6}, "2-2": {Revision: 9}}
	if diff := cmp.Diff(want, in.Deleted); diff != "" {
		t.Error(diff)
	}
}
