package state

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

func pods(list ...kube.Pod) (all []*restore.Pod) {
	for _, p := range list {
		all = append(all, &restore.Pod{Pod: p})
	}
	return all
}

// TestStatus: what asks for attention is what is neither ready nor ended as it should.
func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		pod  restore.Pod
		want string
		asks bool
	}{
		{restore.Pod{Pod: kube.Pod{Phase: "Running", Ready: true}}, "Running", false},
		{restore.Pod{Pod: kube.Pod{Phase: "Running"}}, "not ready", true},
		{restore.Pod{Pod: kube.Pod{Phase: "Running", Ready: true, Deleted: time.Unix(1, 0)}}, "Terminating", true},
		{restore.Pod{Pod: kube.Pod{Phase: "Pending"}}, "Pending", true},
		{restore.Pod{Pod: kube.Pod{Phase: "Failed"}}, "Failed", true},
		{restore.Pod{Pod: kube.Pod{Phase: "Succeeded"}}, "Succeeded", false},
		{restore.Pod{}, "unknown", true},
		{restore.Pod{Unreadable: "encrypted"}, "unreadable", true},
	} {
		if got := status(&tt.pod); got != tt.want || asks(&tt.pod) != tt.asks {
			t.Errorf("%+v is %q, and asks for attention: %v", tt.pod, got, asks(&tt.pod))
		}
	}
}

// TestNodes lists a node that has no object for the pods that are bound to it, and no
// node for those that are bound to none.
func TestNodes(t *testing.T) {
	of := &restore.State{
		Nodes: []restore.Node{{Name: "a"}, {Name: "b", Unreachable: true}, {Name: "c", Cordoned: true}},
		Pods:  pods(kube.Pod{NodeName: "b", Phase: "Running", Ready: true}, kube.Pod{NodeName: "gone", Phase: "Failed"}, kube.Pod{Phase: "Pending"}, kube.Pod{NodeName: "b", Phase: "Pending"}),
	}
	var got []string
	for _, n := range nodesOf(of) {
		got = append(got, n.Name+": "+n.state+": "+statuses(n.pods))
	}
	want := []string{"a: : ", "b: unreachable: 1 Pending, 1 Running", "c: cordoned: ", "gone: no object: 1 Failed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWorkloads counts the pods of a Deployment's ReplicaSet as the Deployment's, and
// misses none of what has ended or is suspended.
func TestWorkloads(t *testing.T) {
	of := &restore.State{
		Workloads: []restore.Workload{{Name: "web", UID: "1", Wanted: 2}, {Name: "done", UID: "2", Wanted: 1, Finished: true}, {Name: "later", Wanted: 1, Suspended: true}, {Name: "short", UID: "3", Wanted: 1}},
		OwnedBy:   map[string]string{"9": "1"},
		Pods: pods(kube.Pod{Owner: kube.Owner{UID: "9"}, Phase: "Running", Ready: true}, kube.Pod{Owner: kube.Owner{UID: "1"}, Phase: "Running", Ready: true},
			kube.Pod{Owner: kube.Owner{UID: "3"}, Phase: "Running"}, kube.Pod{}),
	}
	type row struct {
		Name  string
		Pods  int
		Short bool
	}
	var got []row
	for _, w := range workloadsOf(of) {
		got = append(got, row{w.Name, len(w.pods), w.short()})
	}
	if diff := cmp.Diff([]row{{"web", 2, false}, {"done", 0, false}, {"later", 0, false}, {"short", 1, true}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
