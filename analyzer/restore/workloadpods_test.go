package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/internal/golden"
)

// toldWorkloadInFull is all that is said of a workload, in a line: what there is none of is
// left out.
func toldWorkloadInFull(w WorkloadOutcome) string {
	s := "in " + w.In
	for _, n := range []struct {
		what  string
		count int64
	}{
		{"wanted", w.Wanted}, {"wanted now", w.WantedNow}, {"believed", w.Believed}, {"running", w.Running}, {"may run", w.MayRun},
		{"phantoms", w.Phantoms}, {"ghosts", w.Ghosts}, {"surplus", w.Surplus}, {"shortfall", w.Shortfall},
		{"recreated", w.Recreates}, {"later", w.RecreatesLater}, {"removed", w.Removes},
	} {
		if n.count != 0 {
			s += fmt.Sprintf(", %d %s", n.count, n.what)
		}
	}
	for _, t := range w.Twice {
		s += fmt.Sprintf(", %s twice on %v with %v, claims %v", t.Pod, t.Nodes, t.UIDs, t.Claims)
	}
	if len(w.Hangs)+len(w.RunsAgain) > 0 {
		s += fmt.Sprintf(", waits for %v, runs %v again", w.Hangs, w.RunsAgain)
	}
	return s + "; " + string(w.Severity) + ": " + w.Reason
}

// TestWorkloadPods holds what is said of a workload of each kind that has one pod, for every
// kind of pod: of a StatefulSet and a DaemonSet where it is not what is said of a Deployment.
func TestWorkloadPods(t *testing.T) {
	pairs := []struct {
		name     string
		was, now []*Pod
	}{
		{"none", nil, nil},
		{"kept", []*Pod{was()}, []*Pod{now()}},
		{"kept on n3", []*Pod{was(on("n3"), tolerating(300))}, []*Pod{now(on("n3"))}},
		{"kept on n4", []*Pod{was(on("n4"), tolerating(300))}, []*Pod{now(on("n4"))}},
		{"deleted", []*Pod{was()}, nil},
		{"deleted, Never", []*Pod{was(never)}, nil},
		{"deleted, Pending", []*Pod{was(pending)}, nil},
		{"created", nil, []*Pod{made()}},
		{"created on n5", nil, []*Pod{made(on("n5"))}},
		{"created, Pending on n5", nil, []*Pod{made(on("n5"), pending)}},
		{"moved from n2 to n1", []*Pod{was(on("n2"))}, []*Pod{made()}},
		{"of one name on n1", []*Pod{was()}, []*Pod{made()}},
		{"ended since", []*Pod{was(never)}, []*Pod{now(never, succeeded)}},
		{"failed since", []*Pod{was()}, []*Pod{now(failed)}},
		{"ended", []*Pod{was(never, succeeded)}, []*Pod{now(never, succeeded)}},
		{"failed", []*Pod{was(never, failed)}, []*Pod{now(never, failed)}},
		{"deleting", []*Pod{was(dying)}, []*Pod{now(dying)}},
		{"deletion begun", []*Pod{was()}, []*Pod{now(dying)}},
		{"unbound", []*Pod{was(unbound("n1"))}, []*Pod{now(unbound("n1"))}},
		{"bound since", []*Pod{was(unbound("n2"))}, []*Pod{now()}},
		{"created, unbound", nil, []*Pod{made(unbound("n1"))}},
		{"kept on n6", []*Pod{was(on("n6"), tolerating(300))}, []*Pod{now(on("n6"))}},
		{"unbound, only n4 can take it, deleted since", []*Pod{was(unbound("n4"), tolerating(300))}, nil},
		{"bound since, n2 or n4", []*Pod{was(unbound("n2", "n4"), tolerating(300))}, []*Pod{now()}},
		{"of one name, unbound and n1", []*Pod{was(unbound("n2"))}, []*Pod{made()}},
		{"deletion begun, held", []*Pod{was(held)}, []*Pod{now(dying, held)}},
		{"two, one on n4", []*Pod{was(at("a", "1")), was(at("b", "2"), on("n4"), tolerating(300))}, []*Pod{was(at("a", "1")), was(at("b", "2"), on("n4"))}},
		{"two, both on n4", []*Pod{was(at("a", "1"), on("n4"), tolerating(300)), was(at("b", "2"), on("n4"), tolerating(300))}, nil},
		{"two deleted", []*Pod{was(at("a", "1")), was(at("b", "2"))}, nil},
		{"two kept", []*Pod{was(owned("", "a", "1")), was(owned("", "b", "2"))}, []*Pod{was(owned("", "a", "1")), was(owned("", "b", "2"))}},
	}
	kinds := []struct {
		kind     string
		was, now *Workload
	}{
		{"Deployment", &Workload{Wanted: 1}, &Workload{Wanted: 1}},
		{"StatefulSet", &Workload{Wanted: 1, Claims: []string{"data"}}, &Workload{Wanted: 1, Claims: []string{"data"}}},
		{"DaemonSet", &Workload{Wanted: 1}, &Workload{Wanted: 1}},
		{"Job", &Workload{Wanted: 1, Completions: 1, BackoffLimit: 6}, &Workload{Wanted: 1, Completions: 1, BackoffLimit: 6}},
		{"Job", &Workload{Wanted: 2, BackoffLimit: 6, Succeeded: 1}, &Workload{Wanted: 2, BackoffLimit: 6, Finished: true}},
		{"Job", nil, &Workload{Wanted: 2, Completions: 3}},
		{"ReplicationController", &Workload{Wanted: 2}, nil},
	}
	var b strings.Builder
	ofDeployment := map[string]string{}
	for _, kind := range kinds {
		fmt.Fprintf(&b, "%s of which %s\n", kind.kind, map[[2]bool]string{{true, true}: "both have one", {true, false}: "the backup has one", {false, true}: "the current state has one"}[[2]bool{kind.was != nil, kind.now != nil}])
		for _, pair := range pairs {
			var told, names []string
			for _, mode := range modes {
				own := func(pods []*Pod) []*Pod {
					var list []*Pod
					for _, p := range pods {
						c := *p
						c.Owner.Kind, c.Owner.UID = kind.kind, "w"
						list = append(list, &c)
					}
					return list
				}
				backup, current := states(own(pair.was), own(pair.now))
				cutOff(current, "n3")
				for state, w := range map[*State]*Workload{backup: kind.was, current: kind.now} {
					if w != nil {
						c := *w
						c.Kind, c.Namespace, c.Name, c.UID = kind.kind, "ns", "w", "w"
						state.Workloads = []Workload{c}
					}
				}
				text := toldWorkloadInFull(mustPredict(t, backup, current, mode.plan).Workloads[0])
				if i := slices.Index(told, text); i >= 0 {
					names[i] += ", " + mode.name
					continue
				}
				told, names = append(told, text), append(names, mode.name)
			}
			text := ""
			for i := range told {
				text += fmt.Sprintf("  %s; %s: %s\n", pair.name, names[i], told[i])
			}
			if kind.kind == "Deployment" {
				ofDeployment[pair.name] = text
			} else if text == ofDeployment[pair.name] {
				continue
			}
			b.WriteString(text)
		}
	}
	golden.Equal(t, "testdata/workloads.txt", b.String())
}
