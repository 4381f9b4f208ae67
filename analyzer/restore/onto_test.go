package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/decoder/kube"
)

func ofKind(kind string) func(*Pod) {
	return func(p *Pod) { p.Owner = kube.Owner{Kind: kind, UID: "owner"} }
}

func ofCustom(p *Pod) { p.Owner.Custom = true }

func tolerates(seconds int64) func(*Pod) {
	return func(p *Pod) { p.ToleratesUnreachable = seconds }
}

// ontoDecisions are pods of a backup that is restored onto other machines.
var ontoDecisions = []struct {
	name string
	was  *Pod
	want string
	then string // what the API shows later, "" where that does not change by itself
}{
	{"of a ReplicaSet", was(ofKind("ReplicaSet"), tolerates(300)), "onto ghost never api Running@n1 +node-gone ?", "Running on n1, terminating"},
	{"of a ReplicaSet, tolerating for good", was(ofKind("ReplicaSet"), tolerates(-1)), "onto ghost never api Running@n1 +node-gone ?", ""},
	{"of a StatefulSet", was(ofKind("StatefulSet"), tolerates(300)), "onto ghost never api Running@n1 +node-gone ?", "Running on n1, terminating"},
	{"of a DaemonSet", was(ofKind("DaemonSet"), tolerates(-1)), "onto ghost never api Running@n1 +node-gone ?", ""},
	{"of a Job", was(ofKind("Job"), tolerates(300), never), "onto ghost never api Running@n1 +runs-again +node-gone ?", "Running on n1, terminating"},
	{"of a custom resource named as a Job", was(ofKind("Job"), ofCustom, tolerates(300), never), "onto ghost never api Running@n1 +node-gone ?", "Running on n1, terminating"},
	{"of no controller", was(tolerates(300)), "onto ghost never api Running@n1 +node-gone ?", "Running on n1, terminating"},
	{"being deleted", was(tolerates(300), dying), "onto stuck-terminating never api Running@n1/terminating +node-gone ?", ""},
	{"ended", was(tolerates(300), succeeded, never), "onto finished self api Succeeded@n1 +node-gone ?", "no such pod"},
	{"on a node without a Node object", was(tolerates(300), on("n9")), "onto finished self api Running@n9 +node-gone ?", "no such pod"},
	{"not bound", was(tolerates(300), unbound("n1")), "onto unaffected self api Pending ?", "Pending, or Pending on n1, terminating"},
	{"not bound, being deleted", was(unbound("n1"), dying, held), "onto stuck-terminating never api Pending/terminating ?", ""},
	{"mirror", was(mirror, tolerates(-1)), "onto mirror never api Running@n1 +node-gone ?", ""},
	{"unreadable", was(unreadablePod), "unreadable unknown never ?", ""},
}

func ontoState(pods ...*Pod) *State {
	backup, _ := states(pods, nil)
	return backup
}

func predictOnto(t testing.TB, backup *State) *Prediction {
	t.Helper()
	p, err := RestoreOnto(backup).Predict(Plan{Onto: NewMachines})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOnto(t *testing.T) {
	for _, tt := range ontoDecisions {
		p := predictOnto(t, ontoState(tt.was))
		if len(p.Pods) != 1 {
			t.Fatalf("%s: %d pods", tt.name, len(p.Pods))
		}
		o := p.Pods[0]
		checkSpoken(t, o)
		then := ""
		if o.Then != nil {
			then = o.Then.Shows()
		}
		if got := describe(o); got != tt.want || then != tt.then {
			t.Errorf("%s:\ngot  %s, then %q\nwant %s, then %q", tt.name, got, then, tt.want, tt.then)
		}
	}
}

// checkOnto holds what must be so of every backup: no pod is said to run, nothing is
// certain, and no evidence is a current snapshot's.
func checkOnto(t *testing.T, backup *State, p *Prediction) {
	t.Helper()
	uids := map[string]bool{}
	for i := range p.Pods {
		o := &p.Pods[i]
		uids[o.UID] = true
		runs := slices.Concat(o.RunsOn, o.MayRunOn)
		if o.Then != nil {
			runs = slices.Concat(runs, o.Then.RunsOn, o.Then.MayRunOn)
		}
		if len(runs) > 0 || o.DoubleRun != nil {
			t.Errorf("%s/%s is said to run on %v (%+v)", o.Namespace, o.Name, runs, o.DoubleRun)
		}
		if o.Certainty == Certain || o.CertaintyReason == "" {
			t.Errorf("%s/%s is %s (%s): no restore onto other machines was seen", o.Namespace, o.Name, o.Certainty, o.CertaintyReason)
		}
		for _, r := range o.Evidence {
			if r.Snapshot != InBackup {
				t.Errorf("%s/%s rests on the %s snapshot", o.Namespace, o.Name, r.Snapshot)
			}
		}
	}
	for _, pod := range backup.Pods {
		if pod.UID != "" && !uids[pod.UID] {
			t.Errorf("nothing is said of %s", pod.Key)
		}
	}
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Kubelet != KubeletGone || n.Certainty == Certain || n.Capacity != nil {
			t.Errorf("node %s: its kubelet is %s, %s", n.Name, n.Kubelet, n.Certainty)
		}
	}
	for i := range p.Workloads {
		if w := &p.Workloads[i]; w.Running+w.MayRun > 0 {
			t.Errorf("%s %s/%s: %d pods run and %d may", w.Kind, w.Namespace, w.Name, w.Running, w.MayRun)
		}
	}
	if severity, text := p.Headline(); len(p.Pods) > 0 && (severity == OK || !strings.Contains(text, "every pod has to start again")) {
		t.Errorf("%s: %s", severity, text)
	}
}

// TestOntoHeadline: what is shown alive and does not run is critical, and so is what
// cannot be predicted, of which a warning tells.
func TestOntoHeadline(t *testing.T) {
	named := func(name string, change ...func(*Pod)) *Pod {
		p := was(change...)
		p.Key, p.Name = "/registry/pods/ns/"+name, name
		if p.UID != "" {
			p.UID = name
		}
		return p
	}
	const nothing = "Nothing of the backup runs on the new machines: every pod has to start again. Its 4 nodes are not there."
	for _, tt := range []struct {
		name     string
		pods     []*Pod
		severity Severity
		want     string
	}{
		{"no nodes", []*Pod{named("a", unboundUnasked)}, Warning, "Nothing of the backup runs on the new machines: every pod has to start again."},
		{"one node", []*Pod{named("a", unboundUnasked)}, Warning, "Nothing of the backup runs on the new machines: every pod has to start again. Its 1 node is not there."},
		{"unbound", []*Pod{named("a", unbound("n1"))}, Warning, nothing},
		{"a ghost", []*Pod{named("a")}, Critical, nothing + " Until the old Node objects are deleted, of 1 pod, 1 is shown alive on an old node although nothing of it runs (a ghost)."},
		{"ghosts", []*Pod{named("a"), named("b")}, Critical, nothing + " Until the old Node objects are deleted, of 2 pods, 2 are shown alive on old nodes although nothing of them runs (ghosts)."},
		{"being deleted", []*Pod{named("a", dying)}, Warning, nothing + " Until the old Node objects are deleted, of 1 pod, 1 stays Terminating."},
		{"unreadable", []*Pod{named("a", unreadablePod)}, Critical, nothing + " Until the old Node objects are deleted, of 1 pod, 1 cannot be predicted."},
	} {
		backup := ontoState(tt.pods...)
		switch tt.name {
		case "no nodes":
			backup.Nodes = nil
		case "one node":
			backup.Nodes = backup.Nodes[:1]
		}
		p := predictOnto(t, backup)
		severity, got := p.Headline()
		got, _, _ = strings.Cut(got, " The rules were seen") // which no node shows to hold
		if severity != tt.severity || got != tt.want {
			t.Errorf("%s: %s: %s", tt.name, severity, got)
		}
		const warning = "1 pod cannot be predicted: see the outcome unknown."
		if got, want := slices.Contains(p.Warnings, warning), tt.name == "unreadable"; got != want {
			t.Errorf("%s: warned of it %t: %q", tt.name, got, p.Warnings)
		}
	}
}

func TestOntoOfManyClusters(t *testing.T) {
	for seed := range uint64(seeds) {
		backup, current := cluster(seed, 200)
		checkOnto(t, backup, predictOnto(t, backup))
		checkOnto(t, current, predictOnto(t, current))
	}
}

func TestOntoRefuses(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now()})
	for _, plan := range []Plan{
		{},
		{Onto: "the moon"},
		{Onto: NewMachines, RestartKubelets: Restart{All: true}},
		{Onto: NewMachines, RestartKubelets: Restart{Nodes: []string{"n1"}}},
		{Onto: NewMachines, KeepAPIServers: true},
		{Onto: NewMachines, LastRevision: 5000},
		{Onto: NewMachines, LastRevision: 1},
		{Onto: NewMachines, Outage: Seconds{To: 60}},
		{Onto: NewMachines, Outage: Seconds{From: 1, To: 1}},
		{Onto: NewMachines, OutageAt: time.Unix(1, 0)},
		{Onto: NewMachines, BumpRevision: 5},
		{Onto: NewMachines, BumpRevision: 1<<63 - 1, MarkCompacted: true},
	} {
		var refused *PlanError
		if _, err := RestoreOnto(backup).Predict(plan); !errors.As(err, &refused) || refused.Hint() == "" {
			t.Errorf("%+v: %v", plan, err)
		}
	}
	var refused *PlanError
	if _, err := Compare(backup, current).Predict(Plan{Onto: NewMachines}); !errors.As(err, &refused) {
		t.Errorf("a pair: %v", err)
	}
	least, err := RestoreOnto(backup).Predict(Plan{Onto: NewMachines, BumpRevision: 1, MarkCompacted: true})
	if err != nil || least.Revisions.Restored != backupAt+1 || least.Revisions.BumpVerdict != BumpUnsure {
		t.Errorf("with a bump of one: %+v, %v", least.Revisions, err)
	}
	p, err := RestoreOnto(backup).Predict(Plan{Onto: NewMachines, BumpRevision: 1000, MarkCompacted: true})
	if err != nil || p.Revisions.Restored != backupAt+1000 || p.Revisions.BumpVerdict != BumpUnsure {
		t.Errorf("with a bump: %+v, %v", p.Revisions, err)
	}
}

// TestOldCluster: what the old cluster ran, and may run still.
func TestOldCluster(t *testing.T) {
	s := ontoState(was(as("a")), was(as("b"), pending), was(as("c"), succeeded), was(as("d"), unbound("n1")), was(as("e"), unreadablePod), was(as("f"), mirror))
	s.Nodes = nodesOf("v1.37.0", "n2", "n1", "n3")
	s.Nodes[0].Unreachable = true
	s.Clock = everySecond(backupAt)
	none := &State{Revision: 7}
	one := &State{Revision: 7, Nodes: nodesOf("v1.37.0", "n1")}
	many := &State{Revision: 7, Nodes: nodesOf("v1.37.0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9")}
	for _, tt := range []struct {
		of    *State
		want  string
		nodes string
	}{
		{s, "The old cluster had 3 running pods on 2 reachable nodes (n1, n3) in its newest snapshot (revision 1000, taken between 2026-11-23 05:00:00Z and 05:00:20Z), and may run them still. None of it may keep running next to the new cluster.", "[n1 n2 n3]"},
		{none, "The old cluster had 0 running pods on 0 reachable nodes in its newest snapshot (revision 7), and may run them still. None of it may keep running next to the new cluster.", "[]"},
		{one, "The old cluster had 0 running pods on 1 reachable node (n1) in its newest snapshot (revision 7), and may run them still. None of it may keep running next to the new cluster.", "[n1]"},
		{many, "The old cluster had 0 running pods on 9 reachable nodes (n1, n2, n3, n4, n5, n6, n7, n8 and 1 more) in its newest snapshot (revision 7), and may run them still. None of it may keep running next to the new cluster.", "[n1 n2 n3 n4 n5 n6 n7 n8 n9]"},
	} {
		o := tt.of.Old()
		if got := o.Text(); got != tt.want || fmt.Sprint(o.Nodes) != tt.nodes {
			t.Errorf("got  %s\nwant %s\nof %v", got, tt.want, o.Nodes)
		}
	}
}

// TestOntoEndedAndHeld: pods that had ended, or were being deleted, bound or not.
func TestOntoEndedAndHeld(t *testing.T) {
	for _, tt := range []struct {
		name string
		was  *Pod
		want string
	}{
		{"ended, being deleted", was(succeeded, dying, held, tolerates(300)), "onto stuck-terminating never api Succeeded@n1/terminating +node-gone ?"},
		{"ended and not bound", was(unbound("n1"), failed), "onto finished self api Failed ?"},
		{"a mirror being deleted", was(mirror, dying), "onto mirror never api Running@n1/terminating +node-gone ?"},
		{"on no Node object, being deleted", was(on("n9"), dying), "onto finished self api Running@n9/terminating +node-gone ?"},
		{"of a custom resource", was(ofKind("StatefulSet"), ofCustom, tolerates(-1)), "onto ghost never api Running@n1 +node-gone ?"},
	} {
		if got := describe(predictOnto(t, ontoState(tt.was)).Pods[0]); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestOntoKinds: what is said of a pod depends on its controller.
func TestOntoKinds(t *testing.T) {
	for what, p := range map[string]*Pod{
		"It has no controller":              was(),
		"It belongs to a custom resource":   was(ofKind("Job"), ofCustom),
		"Its Job makes another one":         was(ofKind("Job")),
		"Its DaemonSet makes pods":          was(ofKind("DaemonSet")),
		"Its StatefulSet makes no other":    was(ofKind("StatefulSet")),
		"Its controller makes another one ": was(ofKind("ReplicaSet")),
	} {
		if got := predictOnto(t, ontoState(p)).Pods[0].Reason; !strings.Contains(got, what) {
			t.Errorf("%s: %s", what, got)
		}
	}
}
