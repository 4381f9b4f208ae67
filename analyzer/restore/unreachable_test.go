package restore

import (
	"slices"
	"strings"
	"testing"

	"revenant/decoder/kube"
)

// cutOff makes a node unreachable.
func cutOff(s *State, name string) {
	for i := range s.Nodes {
		s.Nodes[i].Unreachable = s.Nodes[i].Unreachable || s.Nodes[i].Name == name
	}
}

// TestUnreachable: whatever the plan, nothing is certain of a pod that may run on a
// node that was unreachable in the current state, and it may run there still.
func TestUnreachable(t *testing.T) {
	ghost := was()
	ghost.Key, ghost.UID, ghost.Name = "/registry/pods/ns/ghost", "ghost", "ghost"
	over := made(succeeded)
	over.Key, over.UID, over.Name = "/registry/pods/ns/over", "over", "over"
	stopped := made(overdue)
	stopped.Key, stopped.UID, stopped.Name = "/registry/pods/ns/stopped", "stopped", "stopped"
	for _, plan := range []Plan{{}, bump(1_000_000), {RestartKubelets: Restart{All: true}}, {KeepAPIServers: true}} {
		backup, current := states([]*Pod{ghost}, []*Pod{made(), over, stopped})
		cutOff(current, "n1")
		p := mustPredict(t, backup, current, plan)
		for _, o := range p.Pods {
			if o.UID == "over" {
				if o.Certainty != Certain || len(o.RunsOn)+len(o.MayRunOn) > 0 {
					t.Errorf("%+v: it had ended: %s", plan, describe(o))
				}
				continue
			}
			if o.Certainty != Possible || len(o.RunsOn) > 0 || !slices.Contains(o.MayRunOn, "n1") || !slices.Contains(o.Flags, FlagNodeUnreachable) {
				t.Errorf("%+v: %s, may run on %v", plan, describe(o), o.MayRunOn)
			}
		}
		if severity, text := p.Headline(); severity == OK || !strings.Contains(text, "1 node was unreachable") {
			t.Errorf("%+v: %s: %s", plan, severity, text)
		}
	}
}

// TestUnreachableTakesItsPlace: a pod that may run on a node that was unreachable takes
// resources there, also where the scheduler may bind it to another node again.
func TestUnreachableTakesItsPlace(t *testing.T) {
	for _, choice := range []string{"n1", "n2", "n3"} {
		backup, current := states([]*Pod{was(unbound(choice), asks(100))}, []*Pod{now(on("n2"), asks(100))})
		for i := range backup.Nodes {
			backup.Nodes[i].Allocatable = kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 10}
		}
		cutOff(current, "n2")
		p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{Nodes: []string{choice}}})
		if may := p.Nodes[1].Capacity.MayRun; may.MilliCPU != 100 || may.Pods != 1 {
			t.Errorf("bound to %s again: %s, and on n2 %+v may be taken", choice, describe(p.Pods[0]), may)
		}
	}
}

// TestUnreachableStartsAgain: what a restarted kubelet starts again is not certain to run
// where the node was unreachable, although it had ended there.
func TestUnreachableStartsAgain(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now(failed)})
	cutOff(current, "n1")
	p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{All: true}})
	if got, want := describe(p.Pods[0]), "4b' restarted self perhaps on n1 api Running@n1 +runs-again +node-unreachable ?"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestUnreachableUnbound: a pod that the restored API has not bound to the node that was
// unreachable is not evicted with that.
func TestUnreachableUnbound(t *testing.T) {
	for name, tt := range map[string]struct {
		was  *Pod
		want string
	}{
		"bound":       {was(tolerating(300)), "340-390 s on [] [n1]: Running on n1, or Running on n1, terminating"},
		"bound since": {was(unbound("n2", "n3"), tolerating(300)), "stays"},
	} {
		backup, current := states([]*Pod{tt.was}, []*Pod{now(tolerating(300))})
		cutOff(current, "n1")
		if got := toldLater(mustPredict(t, backup, current, Plan{}).Pods[0]); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
