package relations

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// TestEventsByRevision wants Events of real clusters beside what they are about.
func TestEventsByRevision(t *testing.T) {
	open := func(name string) *snapshot.Snapshot {
		return snapshottest.OpenBytes(t, name, corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/"+name+".db.gz"))
	}
	backup, current := open("backup"), open("current")
	events, err := EventsByRevision(t.Context(), backup, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	later, err := EventsByRevision(t.Context(), current, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	web := kube.Key{Group: "apps", Resource: "deployments", Namespace: "shop", Name: "web"}
	told := func(revision int64) (list []string) {
		for _, e := range events.Of(web, revision) {
			list = append(list, fmt.Sprintf("%s %s of %d", e.About.Kind, e.Reason, e.About.Revision))
		}
		return list
	}
	if d := cmp.Diff([]string{"Deployment ScalingReplicaSet of 171"}, told(171)); d != "" {
		t.Error(d)
	}
	if list := told(455); list != nil {
		t.Errorf("the backup has %q", list)
	}
	before := len(events)
	events.Join(later)
	if d := cmp.Diff([]string{"Deployment ScalingReplicaSet of 171"}, told(171)); d != "" {
		t.Errorf("joined: %s", d)
	}
	if d := cmp.Diff([]string{"Deployment ScalingReplicaSet of 455"}, told(455)); d != "" {
		t.Errorf("joined: %s", d)
	}
	for revision, list := range events {
		if !slices.ContainsFunc(list, func(e Regarded) bool { return e.About.Revision == revision && e.Record.Main > revision }) {
			t.Errorf("revision %d: %v", revision, list)
		}
	}
	if before == 0 || len(events) < before || len(events.Of(kube.Key{Resource: "pods", Namespace: "shop", Name: "web"}, 1)) > 0 {
		t.Errorf("%d revisions of the backup, %d of both", before, len(events))
	}
}
