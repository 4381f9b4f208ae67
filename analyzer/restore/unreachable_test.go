package restore

import (
	"slices"
	"strings"
	"testing"
)

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
		for i := range current.Nodes {
			current.Nodes[i].Unreachable = current.Nodes[i].Name == "n1"
		}
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

// TestUnreachableStartsAgain: what a restarted kubelet starts again is not certain to run
// where the node was unreachable, although it had ended there.
func TestUnreachableStartsAgain(t *testing.T) {
	backup, current := states([]*Pod{was()}, []*Pod{now(failed)})
	for i := range current.Nodes {
		current.Nodes[i].Unreachable = current.Nodes[i].Name == "n1"
	}
	p := mustPredict(t, backup, current, Plan{RestartKubelets: Restart{All: true}})
	if got, want := describe(p.Pods[0]), "4b' restarted self perhaps on n1 api Running@n1 +runs-again +node-unreachable ?"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
