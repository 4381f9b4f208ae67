package drift

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/kubelet"
	"revenant/internal/golden"
)

func runs(uid, name string) kubelet.Pod {
	return kubelet.Pod{Namespace: "ns", Name: name, UID: uid, Runs: true, Running: []string{"c"}}
}

func has(uid, name, node string) kubelet.Pod {
	return kubelet.Pod{Namespace: "ns", Name: name, UID: uid, Node: node, Phase: "Running", Containers: []string{"c"}}
}

func node(name string, kind kubelet.Kind, pods ...kubelet.Pod) Node {
	return Node{Name: name, Dumps: []kubelet.Dump{{Kind: kind, Pods: pods}}}
}

func TestCompare(t *testing.T) {
	taken := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	newer := kubelet.Pod{Namespace: "ns", Name: "new", UID: "3-3", Phase: "Running", Runs: true, Created: taken.Add(time.Minute)}
	static := kubelet.Pod{Namespace: "kube-system", Name: "etcd-n1", UID: "h", Static: true, Runs: true}
	mirror := kubelet.Pod{Namespace: "kube-system", Name: "etcd-n1", UID: "m", Node: "n1", Phase: "Running", Mirror: true, StaticUID: "h"}
	ended := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Running"}
	waits := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Pending"}
	waitsThere := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Pending", Node: "n1"}
	debugged := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Running", Runs: true, Running: []string{"c", "debugger"}}
	ready := func(uid, name string) kubelet.Pod {
		return kubelet.Pod{Namespace: "ns", Name: name, UID: uid, Runs: true}
	}
	over := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Succeeded"}
	failed := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Failed"}
	sandbox := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1"}
	stopping := kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Phase: "Running", Terminating: true, Created: taken.Add(time.Minute)}
	unmarked := kubelet.Pod{Namespace: "kube-system", Name: "etcd-n1", UID: "h", Runs: true}
	with := func(p kubelet.Pod, phase string) kubelet.Pod { p.Phase = phase; return p }
	gone := has("1-1", "a", "n1")
	gone.Terminating = true
	tests := []struct {
		name  string
		in    Input
		want  []string
		notes int
	}{
		{"as it should be", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, nil, 0},
		{"a phantom", Input{Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a certain"}, 0},
		{"one whose deletion the snapshot has", Input{Deleted: map[string]Deletion{"1-1": {Revision: 7}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a possible"}, 0},
		{
			"one that the snapshot has, and the API server's list does not",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Servers: []Server{{Pods: []kubelet.Pod{has("2-2", "b", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"), runs("2-2", "b"))}},
			[]string{"phantom n1 a possible"}, 0,
		},
		{
			"a ghost whose deletion the snapshot has",
			Input{Deleted: map[string]Deletion{"1-1": {Revision: 7}}, Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running)}},
			[]string{"ghost n1 a possible"}, 0,
		},
		{"a phantom by the kubelet's list alone", Input{Nodes: []Node{node("n1", kubelet.Listed, runs("1-1", "a"))}}, []string{"phantom n1 a possible"}, 1},
		{"listed as Pending, which a deaf kubelet goes on doing", Input{Nodes: []Node{node("n1", kubelet.Listed, waits)}}, []string{"phantom n1 a possible"}, 1},
		{"listed as Pending, and the API has it", Input{API: []kubelet.Pod{waitsThere}, Nodes: []Node{node("n1", kubelet.Listed, waits)}}, []string{"ghost n1 a possible"}, 1},
		{"listed as Pending, and the runtime does not run it", Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{waits}}, {Kind: kubelet.Running}}}}}, nil, 0},
		{"listed as ended", Input{Nodes: []Node{node("n1", kubelet.Listed, over)}}, nil, 1},
		{
			"listed, and the runtime does not run it",
			Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{runs("1-1", "a")}}, {Kind: kubelet.Running}}}}}, nil, 0,
		},
		{"a ghost", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"ghost n1 a certain"}, 0},
		{"listed with its containers ended", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Listed, ended)}}, []string{"ghost n1 a possible"}, 1},
		{"the kubelet does not list it, and may run it", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Listed)}}, []string{"ghost n1 a possible"}, 1},
		{"a list without a pod that may be either", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Empty)}}, []string{"ghost n1 a possible"}, 1},
		{
			"a list without a pod beside what the kubelet lists",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Empty}, {Kind: kubelet.Listed, Pods: []kubelet.Pod{runs("1-1", "a"), runs("2-2", "b")}}}}}},
			[]string{"phantom n1 b possible"}, 1,
		},
		{
			"listed as alive, as in a crash loop, and nothing runs",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{ended}}, {Kind: kubelet.Running}}}}},
			[]string{"ghost n1 a possible"}, 0,
		},
		{
			"listed as ended, and alive in the API",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{over}}, {Kind: kubelet.Running}}}}},
			[]string{"ghost n1 a certain"}, 0,
		},
		{"a sandbox in which nothing runs", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running, kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1"})}}, []string{"ghost n1 a possible"}, 0},
		{"no container of crictl's", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Containers)}}, []string{"ghost n1 a possible", "silent-kubelet n1  possible"}, 0},
		{"Pending, and its kubelet may know it", Input{API: []kubelet.Pod{waitsThere}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"ghost n1 a possible"}, 0},
		{
			"Pending, and its kubelet does not know it",
			Input{API: []kubelet.Pod{waitsThere}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed}, {Kind: kubelet.Running}}}}},
			[]string{"ghost n1 a certain"}, 0,
		},
		{"bound elsewhere", Input{API: []kubelet.Pod{has("1-1", "a", "n2")}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a")), node("n2", kubelet.Running)}}, []string{"phantom n1 a certain", "ghost n2 a certain"}, 0},
		{
			"one pod on two nodes",
			Input{API: []kubelet.Pod{has("1-1", "a", "n2")}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a")), node("n2", kubelet.Running, runs("1-1", "a"))}},
			[]string{"double n1 a certain", "double n2 a certain", "phantom n1 a certain"}, 0,
		},
		{
			"one name twice on a node",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Sandboxes, runs("1-1", "a"), runs("2-2", "a"))}},
			[]string{"double n1 a certain", "double n1 a certain", "phantom n1 a certain", "silent-kubelet n1  possible"}, 0,
		},
		{"newer than the snapshot", Input{Taken: taken, Nodes: []Node{node("n1", kubelet.Running, newer)}}, []string{"phantom n1 new possible"}, 0},
		{"newer, and the API's list is there", Input{Taken: taken, Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running, newer)}}, []string{"phantom n1 new certain"}, 0},
		{"the API's list of one namespace", Input{Servers: []Server{{Only: "other"}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a possible"}, 1},
		{"the API's list of its namespace", Input{Servers: []Server{{Only: "ns"}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a certain"}, 1},
		{"a node that nobody looked at", Input{API: []kubelet.Pod{has("1-1", "a", "n2")}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"unseen-node n2  certain"}, 0},
		{"the API's one of its name cannot be read", Input{Unreadable: map[string]bool{"ns/a": true}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"), runs("2-2", "b"))}}, []string{"phantom n1 a possible", "phantom n1 b certain"}, 1},
		{"a node without pods that nobody looked at", Input{Known: []string{"n1", "n2"}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"unseen-node n2  certain"}, 0},
		{"left out on purpose", Input{Partial: true, API: []kubelet.Pod{has("1-1", "a", "n2")}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 0},
		{"a stray container", Input{Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running, debugged)}}, []string{"stray-container n1 a certain"}, 0},
		{"that the snapshot does not have", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running, debugged)}}, []string{"stray-container n1 a possible"}, 0},
		{"that only /pods has", Input{Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Listed, debugged)}}, []string{"stray-container n1 a possible"}, 1},
		{
			"that has ended since",
			Input{Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{debugged}}, {Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}}}}}, nil, 0,
		},
		{"in a phantom, which is one as a whole", Input{Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running, debugged)}}, []string{"phantom n1 a certain"}, 0},
		{"which containers run is not told", Input{Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running, kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Runs: true})}}, nil, 1},
		{
			"a kubelet that does not answer, and its runtime",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Unread: "pods.json is empty"}, {Kind: kubelet.Containers, Pods: []kubelet.Pod{runs("1-1", "a")}}}}}},
			[]string{"silent-kubelet n1  certain"}, 0,
		},
		{
			"a kubelet that does not answer, and its runtime in part",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Unread: "pods.json is empty"}, {Kind: kubelet.Containers, Unread: "x", Pods: []kubelet.Pod{runs("1-1", "a")}}}}}},
			[]string{"unread-node n1  certain"}, 0,
		},
		{
			"a kubelet that answers one of two",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Unread: "pods.json is empty"}, {Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}}}}},
			[]string{"unread-node n1  certain"}, 0,
		},
		{
			"sandboxes that are ready, and no container in them",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Sandboxes, Pods: []kubelet.Pod{ready("1-1", "a"), ready("2-2", "b")}}, {Kind: kubelet.Containers, Pods: []kubelet.Pod{{Namespace: "ns", Name: "a", UID: "1-1"}}}}}}},
			[]string{"phantom n1 b possible", "ghost n1 a possible", "silent-kubelet n1  possible"}, 0,
		},
		{
			"API servers that disagree on which of two is theirs",
			Input{Servers: []Server{{Name: "x", Pods: []kubelet.Pod{has("1-1", "a", "n1")}}, {Name: "y", Pods: []kubelet.Pod{has("2-2", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"), runs("2-2", "a"))}},
			[]string{"api-disagreement n1 a possible", "double n1 a possible", "double n1 a possible", "phantom n1 a possible", "phantom n1 a possible"}, 0,
		},
		{
			"a kubelet that does not answer, and one of its runtime's answers",
			Input{Nodes: []Node{{"n1", []kubelet.Dump{{Unread: "pods.json is empty"}, {Kind: kubelet.Sandboxes, Pods: []kubelet.Pod{ready("1-1", "a")}}, {Kind: kubelet.Containers, Unread: "x"}}}}},
			[]string{"phantom n1 a certain", "unread-node n1  certain", "silent-kubelet n1  certain"}, 0,
		},
		{
			"listed as alive, and its sandbox is there",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{ended}}, {Kind: kubelet.Running, Pods: []kubelet.Pod{sandbox}}}}}},
			[]string{"ghost n1 a possible"}, 0,
		},
		{
			"listed as ended, and its sandbox is there",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{over}}, {Kind: kubelet.Running, Pods: []kubelet.Pod{sandbox}}}}}},
			[]string{"ghost n1 a certain"}, 0,
		},
		{"listed twice, once as ended", Input{Nodes: []Node{node("n1", kubelet.Listed, waits, over)}}, []string{"phantom n1 a possible"}, 1},
		{"listed as failed", Input{Nodes: []Node{node("n1", kubelet.Listed, failed)}}, nil, 1},
		{
			"listed as failed, and alive in the API",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{failed}}, {Kind: kubelet.Running}}}}},
			[]string{"ghost n1 a certain"}, 0,
		},
		{
			"a sandbox in an answer that was read in part",
			Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Unread: "x", Pods: []kubelet.Pod{sandbox}}}}}}, []string{"unread-node n1  certain"}, 0,
		},
		{
			"known by an answer that was read in part, and not listed",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Unread: "x", Pods: []kubelet.Pod{sandbox}}, {Kind: kubelet.Listed}}}}},
			[]string{"ghost n1 a possible", "unread-node n1  certain"}, 1,
		},
		{
			"nothing runs, by an answer that was read in full beside another",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running}, {Kind: kubelet.Listed, Unread: "x"}}}}},
			[]string{"ghost n1 a possible", "unread-node n1  certain"}, 0,
		},
		{"nothing was read", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Containers, Unread: "x"}}}}}, []string{"unread-node n1  certain"}, 0},
		{"a sandbox that is not ready", Input{Nodes: []Node{node("n1", kubelet.Sandboxes, sandbox)}}, []string{"silent-kubelet n1  possible"}, 0},
		{"a sandbox that is not ready, of what the API has", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Sandboxes, sandbox)}}, []string{"ghost n1 a certain", "silent-kubelet n1  possible"}, 0},
		{"no sandbox", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Sandboxes)}}, []string{"ghost n1 a certain", "silent-kubelet n1  possible"}, 0},
		{
			"a sandbox that is ready, and one of before",
			Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Sandboxes, Pods: []kubelet.Pod{ready("1-1", "a"), sandbox}}, {Kind: kubelet.Containers}}}}},
			[]string{"phantom n1 a possible", "silent-kubelet n1  possible"}, 0,
		},
		{
			"a sandbox, and its containers have ended",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Pods: []kubelet.Pod{sandbox}}, {Kind: kubelet.Containers, Pods: []kubelet.Pod{sandbox}}}}}},
			[]string{"ghost n1 a possible"}, 0,
		},
		{"containers that have ended", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Containers, sandbox)}}, []string{"ghost n1 a possible", "silent-kubelet n1  possible"}, 0},
		{
			"containers that have ended, and its kubelet does not list it",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Containers, Pods: []kubelet.Pod{sandbox}}, {Kind: kubelet.Listed}}}}},
			[]string{"ghost n1 a certain"}, 0,
		},
		{
			"that runs by one answer, and by a later one no more",
			Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}, {Kind: kubelet.Containers, Pods: []kubelet.Pod{sandbox}}}}}},
			[]string{"phantom n1 a certain"}, 0,
		},
		{
			"that is being stopped and newer than the snapshot, by the first of two answers",
			Input{Taken: taken, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Listed, Pods: []kubelet.Pod{stopping}}, {Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}}}}},
			[]string{"phantom n1 a possible"}, 0,
		},
		{
			"that is being stopped and newer than the snapshot, by the second of two answers",
			Input{Taken: taken, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}, {Kind: kubelet.Listed, Pods: []kubelet.Pod{stopping}}}}}},
			[]string{"phantom n1 a possible"}, 0,
		},
		{"older than the snapshot", Input{Taken: taken.Add(time.Hour), Nodes: []Node{node("n1", kubelet.Running, newer)}}, []string{"phantom n1 new certain"}, 0},
		{"of a snapshot that nothing dates", Input{Nodes: []Node{node("n1", kubelet.Running, newer)}}, []string{"phantom n1 new certain"}, 0},
		{"one whose deletion the snapshot has, and when", Input{Deleted: map[string]Deletion{"1-1": {Revision: 7, Time: clock.Interval{From: taken, To: taken}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a possible"}, 0},
		{
			"bound elsewhere, although the snapshot has its deletion", Input{Deleted: map[string]Deletion{"1-1": {Revision: 7}}, Partial: true, Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n2")}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}},
			[]string{"phantom n1 a certain"}, 0,
		},
		{"a ghost by an API server's list", Input{Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n1")}}}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"ghost n1 a certain"}, 0},
		{"a ghost of the snapshot whose deletion it has, too", Input{Deleted: map[string]Deletion{"1-1": {Revision: 7}}, API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"ghost n1 a certain"}, 0},
		{
			"one that the snapshot has elsewhere, and the API server's list not at all",
			Input{API: []kubelet.Pod{has("1-1", "a", "n2")}, Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a certain"}, 0,
		},
		{
			"one that the snapshot has here, and the API server elsewhere", Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Partial: true, Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n2")}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}},
			[]string{"phantom n1 a certain"}, 0,
		},
		{"the snapshot's one of its name cannot be read, and an API server was asked", Input{Unreadable: map[string]bool{"ns/a": true}, Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a certain"}, 0},
		{"bound to no node", Input{API: []kubelet.Pod{has("1-1", "a", "")}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}, []string{"phantom n1 a certain"}, 0},
		{"a phantom with a grace period of its own", Input{Nodes: []Node{node("n1", kubelet.Running, kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Runs: true, Grace: 60})}}, []string{"phantom n1 a certain"}, 0},
		{"a phantom without a uid, which no command may name", Input{Nodes: []Node{node("n1", kubelet.Running, runs("", "a"))}}, []string{"phantom n1 a certain"}, 0},
		{"ended in the API", Input{API: []kubelet.Pod{with(has("1-1", "a", "n1"), "Succeeded"), with(has("2-2", "b", "n1"), "Failed")}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 0},
		{"a ghost that is being deleted", Input{API: []kubelet.Pod{gone}, Nodes: []Node{node("n1", kubelet.Running)}}, []string{"ghost n1 a certain"}, 0},
		{
			"a container too many, bound elsewhere", Input{Partial: true, Servers: []Server{{Pods: []kubelet.Pod{has("1-1", "a", "n2")}}}, Nodes: []Node{node("n1", kubelet.Running, debugged)}},
			[]string{"phantom n1 a certain"}, 0,
		},
		{
			"containers of a pod of which the list names none", Input{Servers: []Server{{Pods: []kubelet.Pod{{Namespace: "ns", Name: "a", UID: "1-1", Node: "n1", Phase: "Running"}}}}, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}},
			[]string{"stray-container n1 a certain"}, 0,
		},
		{"containers of a mirror", Input{API: []kubelet.Pod{mirror}, Nodes: []Node{node("n1", kubelet.Running, kubelet.Pod{Namespace: "kube-system", Name: "etcd-n1", UID: "m", Runs: true, Running: []string{"etcd"}})}}, nil, 0},
		{
			"containers of a static pod that has the uid of another",
			Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{node("n1", kubelet.Running, kubelet.Pod{Namespace: "ns", Name: "a", UID: "1-1", Static: true, Runs: true, Running: []string{"debugger"}})}}, nil, 1,
		},
		{"a static pod that nothing but its mirror marks", Input{API: []kubelet.Pod{mirror}, Nodes: []Node{node("n1", kubelet.Containers, unmarked)}}, []string{"silent-kubelet n1  possible"}, 0},
		{"a static pod that the first of two answers marks", Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Pods: []kubelet.Pod{static}}, {Kind: kubelet.Containers, Pods: []kubelet.Pod{unmarked}}}}}}, nil, 1},
		{"a static pod that the second of two answers marks", Input{Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Containers, Pods: []kubelet.Pod{unmarked}}, {Kind: kubelet.Running, Pods: []kubelet.Pod{static}}}}}}, nil, 1},
		{"waits for a node", Input{API: []kubelet.Pod{with(has("1-1", "a", ""), "Pending")}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 0},
		{
			"a node that nobody looked at, on which API servers have other pods",
			Input{Servers: []Server{{Name: "x", Pods: []kubelet.Pod{has("1-1", "a", "n2"), has("2-2", "b", "n2")}}, {Name: "y", Pods: []kubelet.Pod{has("1-1", "a", "n2")}}}, Nodes: []Node{node("n1", kubelet.Running)}},
			[]string{"api-disagreement n2 b possible", "unseen-node n2  certain"}, 0,
		},
		{"all API servers were asked", Input{Named: 1, Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 0},
		{"an API server that was not asked", Input{Named: 2, Servers: []Server{{}}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 1},
		{"a static pod and its mirror", Input{API: []kubelet.Pod{mirror}, Nodes: []Node{node("n1", kubelet.Running, static)}}, nil, 0},
		{"a static pod without a mirror", Input{Nodes: []Node{node("n1", kubelet.Running, static)}}, nil, 1},
		{"a mirror of nothing", Input{API: []kubelet.Pod{mirror}, Nodes: []Node{node("n1", kubelet.Running)}}, nil, 0},
	}
	g := golden.Open(t, "testdata/compared.txtar")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Compare(tt.in)
			g.Equal(t, tt.name, told(r))
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%s %s %s %s", f.Kind, f.Node, f.Name, f.Certainty))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			notes := slices.DeleteFunc(r.Notes, func(n string) bool { return strings.HasPrefix(n, "After a restore") })
			if len(notes) != tt.notes {
				t.Errorf("notes %q", r.Notes)
			}
		})
	}
}

// TestDisagreement: how API servers list a pod differently, which of them as the snapshot
// has it, and what to do about it.
func TestDisagreement(t *testing.T) {
	taken := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	list := func(name string, pods ...kubelet.Pod) Server { return Server{Name: name, Pods: pods} }
	pod := has("1-1", "a", "n1")
	with := func(change func(p *kubelet.Pod)) kubelet.Pod { p := pod; change(&p); return p }
	pending := with(func(p *kubelet.Pod) { p.Phase = "" })
	deleting := with(func(p *kubelet.Pod) { p.Terminating = true })
	debugged := with(func(p *kubelet.Pod) { p.Containers = []string{"c", "debugger"} })
	elsewhere := with(func(p *kubelet.Pod) { p.Node = "n2" })
	unbound := with(func(p *kubelet.Pod) { p.Node, p.Phase = "", "" })
	newer := with(func(p *kubelet.Pod) { p.Created = taken.Add(time.Second) })
	another := has("2-2", "b", "n1")
	disagreements := golden.Open(t, "testdata/disagreements.txtar")
	for _, tt := range []struct {
		name string
		in   Input
	}{
		{"alike", Input{Taken: taken, Servers: []Server{list("x", pod), list("y", pod)}}},
		{"another phase", Input{API: []kubelet.Pod{pod}, Taken: taken, Servers: []Server{list("x", pending), list("y", pod)}}},
		{"being deleted", Input{API: []kubelet.Pod{pod}, Taken: taken, Servers: []Server{list("x", deleting), list("y", pod)}}},
		{"another container", Input{API: []kubelet.Pod{debugged}, Taken: taken, Servers: []Server{list("x", debugged), list("y", pod)}}},
		{"on another node, whatever its phase in the snapshot", Input{API: []kubelet.Pod{pending}, Taken: taken, Servers: []Server{list("x", pod), list("y", elsewhere)}}},
		{"on no node", Input{Taken: taken, Servers: []Server{list("x", pod), list("y", unbound)}}},
		{"one of three does not list it", Input{API: []kubelet.Pod{pod}, Taken: taken, Servers: []Server{list("x", pod), list("y"), list("z", pod)}}},
		{"two of three do not list it, and the snapshot does not have it", Input{Taken: taken, Servers: []Server{list("x"), list("y", pod), list("z")}}},
		{"the snapshot has one as each", Input{API: []kubelet.Pod{pod}, Taken: taken, Servers: []Server{list("x", pod, another), list("y")}}},
		{"older than the lists", Input{API: []kubelet.Pod{newer}, Taken: taken, Servers: []Server{list("x", newer), list("y")}}},
		{"a snapshot that nothing dates", Input{API: []kubelet.Pod{pod}, Servers: []Server{list("x", pod), list("y")}}},
		{"a value that cannot be read", Input{Unreadable: map[string]bool{"ns/a": true}, Taken: taken, Servers: []Server{list("x", pod), list("y")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Partial = true
			r := Compare(tt.in)
			var b strings.Builder
			for _, s := range r.Servers {
				fmt.Fprintf(&b, "%s: %d pods, %d listed differently, %d as the snapshot\n", s.Name, s.Pods, s.Differs, s.AsSnapshot)
			}
			for _, f := range r.Findings {
				fmt.Fprintf(&b, "%s/%s on %q, %s, by %v: %s\n  %s\n", f.Namespace, f.Name, f.Node, f.Certainty, f.Evidence, f.Reason, f.Action)
			}
			disagreements.Equal(t, tt.name, b.String())
		})
	}
}

// TestAPIPods: what a snapshot has of a pod is what the API would list of it.
func TestAPIPods(t *testing.T) {
	created, deleted := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	c := func(names ...string) (list []kube.Container) {
		for _, n := range names {
			list = append(list, kube.Container{Name: n})
		}
		return list
	}
	state := func(pods ...kube.Pod) *restore.State {
		s := &restore.State{}
		for _, p := range pods {
			s.Pods = append(s.Pods, &restore.Pod{Pod: p})
		}
		return s
	}
	list, unreadable := APIPods(state(
		kube.Pod{Namespace: "ns", Name: "a", UID: "1-1", NodeName: "n1", Phase: "Running", Created: created, Grace: 45, InitContainers: c("i"), Containers: c("c"), EphemeralContainers: c("e")},
		kube.Pod{Namespace: "ns", Name: "unread"},
		kube.Pod{Namespace: "kube-system", Name: "etcd-n1", UID: "m", NodeName: "n1", Mirror: "h", Deleted: deleted, Grace: -1},
	))
	want := []kubelet.Pod{
		{Namespace: "ns", Name: "a", UID: "1-1", Node: "n1", Phase: "Running", Created: created, Grace: 45, Containers: []string{"i", "c", "e"}},
		{Namespace: "kube-system", Name: "etcd-n1", UID: "m", Node: "n1", Terminating: true, Mirror: true, StaticUID: "h"},
	}
	if diff := cmp.Diff(want, list) + cmp.Diff(map[string]bool{"ns/unread": true}, unreadable); diff != "" {
		t.Error(diff)
	}
}

// TestStopping: a phantom that is being stopped ends by itself, and one that is not does not.
func TestStopping(t *testing.T) {
	stopping := runs("1-1", "a")
	stopping.Terminating = true
	r := Compare(Input{Nodes: []Node{node("n1", kubelet.Running, stopping, runs("2-2", "b"))}})
	for i, want := range []string{"It runs here, is being stopped, and the API does not have its uid: it ends with its grace period.", "It runs here, and the API does not have its uid."} {
		if got := r.Findings[i].Reason; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestGhostReason: what is known of a ghost is what was asked for.
func TestGhostReason(t *testing.T) {
	for _, tt := range []struct {
		dumps []kubelet.Dump
		want  string
	}{
		{[]kubelet.Dump{{Kind: kubelet.Running}}, "and nothing of it runs"},
		{[]kubelet.Dump{{Kind: kubelet.Running}, {Kind: kubelet.Listed}}, "and its kubelet does not know it"},
		{[]kubelet.Dump{{Kind: kubelet.Listed}}, "it may still run"},
	} {
		r := Compare(Input{API: []kubelet.Pod{has("1-1", "a", "n1")}, Nodes: []Node{{"n1", tt.dumps}}})
		if len(r.Findings) != 1 || !strings.Contains(r.Findings[0].Reason, tt.want) {
			t.Errorf("%q is not in %+v", tt.want, r.Findings)
		}
	}
}

// TestUnseen: of a node that nobody looked at, the pods count that only a look could find.
func TestUnseen(t *testing.T) {
	mirror := has("3-3", "etcd-n3", "n3")
	mirror.Mirror = true
	r := Compare(Input{
		API:   []kubelet.Pod{has("1-1", "a", "n2"), has("2-2", "b", "n2"), mirror},
		Known: []string{"n1", "n2", "n3"},
		Nodes: []Node{node("n1", kubelet.Running)},
	})
	var got []string
	for _, f := range r.Findings {
		says, _, _ := strings.Cut(f.Reason, ",")
		got = append(got, f.Node+": "+says)
	}
	if diff := cmp.Diff([]string{"n2: The API has 2 pods on it", "n3: The API has no pods on it"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMany: of many nodes that a pod runs on a finding names a few.
func TestMany(t *testing.T) {
	for _, tt := range []struct {
		nodes int
		want  string
	}{
		{2, "with its uid on n1."}, {11, "with its uid on n10."}, {12, "with its uid on n10, and 1 more."}, {15, "with its uid on n10, and 4 more."},
	} {
		var in Input
		for i := range tt.nodes {
			in.Nodes = append(in.Nodes, node(fmt.Sprint("n", i), kubelet.Running, runs("1-1", "a")))
		}
		r := Compare(in)
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Kind == Double && f.Node == "n0" })
		if i < 0 || !strings.Contains(r.Findings[i].Reason, tt.want) {
			t.Errorf("on %d nodes: %+v", tt.nodes, r.Findings)
		}
	}
}

// TestCommands: names from evidence stay single words of the command.
func TestCommands(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell to ask")
	}
	for _, evil := range []string{"a'; touch x; '", "$(touch x)", "a b", "-rf", "100%", "a\x1b[2J", "\u202e"} {
		p := kubelet.Pod{Namespace: evil, Name: evil, UID: "1-1", Node: "n1", Phase: "Running"}
		q := kubelet.Pod{Namespace: "ns", Name: "q", UID: evil, Runs: true}
		r := Compare(Input{API: []kubelet.Pod{p}, Nodes: []Node{node("n1", kubelet.Running, q)}})
		for _, f := range r.Findings {
			if f.Command == "" {
				continue // it cannot be written, and is not
			}
			probe := strings.NewReplacer("ssh -- n1 ", "sh -c ", "kubectl ", "printf '%s\\n' ").Replace(f.Command)
			probe = `crictl() { printf '%s\n' "$@" >&2; }; systemctl() { :; }; ` + strings.Replace(probe, "sh -c ", "eval ", 1)
			cmd := exec.Command("sh", "-c", probe)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), evil) {
				t.Errorf("%q: %s: %v, %s", evil, f.Command, err, out)
			}
		}
	}
}

func TestAgainst(t *testing.T) {
	pod := func(uid, node string, o restore.Outcome) restore.PodOutcome {
		return restore.PodOutcome{RunsOn: []string{node}, PodIdentity: &restore.PodIdentity{Namespace: "ns", Name: uid, UID: uid, Node: node}, Finding: &restore.Finding{Outcome: o}, Certainty: restore.Certain}
	}
	listed := func(uid, node, phase string) restore.PodOutcome { // on a node, and nothing of it runs
		o := pod(uid, "n1", restore.StaleStatus)
		o.RunsOn, o.API = []string{}, &restore.APIView{Phase: phase, Node: node}
		return o
	}
	waiting := pod("10-10", "n1", restore.Phantom) // it may not have been started
	waiting.RunsOn = []string{}
	data, err := json.Marshal(&restore.Prediction{SchemaVersion: 1, Kind: "Prediction", Pods: []restore.PodOutcome{
		pod("1-1", "n1", restore.Phantom), pod("2-2", "n1", restore.Ghost), pod("3-3", "n1", restore.Phantom), pod("4-4", "n9", restore.Phantom), pod("5-5", "n1", restore.Unaffected),
		listed("7-7", "n1", "Running"), listed("8-8", "n2", "Running"), listed("9-9", "n1", "Failed"),
		waiting,
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePrediction(data)
	if err != nil {
		t.Fatal(err)
	}
	r := Compare(Input{
		API:   []kubelet.Pod{has("2-2", "b", "n1"), has("5-5", "e", "n1"), has("7-7", "g", "n1"), has("8-8", "h", "n1"), has("9-9", "i", "n1")},
		Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"), runs("6-6", "f"))},
	})
	want := &Outcome{
		CameTrue: 3, NotLookedAt: 1, // 7-7 was predicted to be listed as it is, with nothing of it running
		DidNotHappen: []Difference{{"ns", "3-3", "3-3", "n1", "phantom", restore.Certain, "nothing of it runs there"}},
		NotPredicted: []Difference{
			{"ns", "f", "6-6", "n1", "nothing", "", "a phantom"},
			{"ns", "e", "5-5", "n1", "unaffected", restore.Certain, "a ghost"},
			{"ns", "h", "8-8", "n1", "stale-status", restore.Certain, "a ghost"},
			{"ns", "i", "9-9", "n1", "stale-status", restore.Certain, "a ghost"},
		},
	}
	if diff := cmp.Diff(want, r.Against(p)); diff != "" {
		t.Error(diff)
	}
	const nodes = `,"nodes":[]}`
	for text, want := range map[string]string{
		`{`: "is no prediction: it is cut short after 1 bytes",
		`{"kind":"Inspection","schemaVersion":1}`:                                       `is no prediction but a document of kind "Inspection"`,
		`{"schemaVersion":1}`:                                                           `is no prediction but a document of kind ""`,
		`{"kind":"Inspection","pods":[{}]}`:                                             `is no prediction but a document of kind "Inspection"`,
		`{"pods":[{}]}`:                                                                 "is a prediction with a pod that has no name or no outcome: pods[0]",
		`{"kind":"Prediction","schemaVersion":2}`:                                       "is a prediction of schema version 2, which this program does not know",
		`{"kind":"Prediction","schemaVersion":1}`:                                       "is a prediction without pods or nodes",
		`{"kind":"Prediction","schemaVersion":1,"pods":[]}`:                             "is a prediction without pods or nodes",
		`{"kind":"Prediction","schemaVersion":1,"pods":[{"outcome":"phantom"}]` + nodes: "is a prediction with a pod that has no name or no outcome: pods[0]",
		`{"kind":"Prediction","schemaVersion":1,"pods":[{"name":"a"}]` + nodes:          "is a prediction with a pod that has no name or no outcome: pods[0]",
		`{"kind":"Prediction","schemaVersion":1,"pods":[{"name":"a","outcome":"ghost"},{"name":"b","outcome":"lucky"}]` + nodes: "is a prediction with an outcome that this program does not know: pods[1]",
		`{"kind":"Prediction","schemaVersion":1,"pods":[],"nodes":[{"name":"n1"},{"kubelet":"restart"}]}`:                       "is a prediction with a node that has no name: nodes[1]",
	} {
		if _, err := ParsePrediction([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	p, err = ParsePrediction([]byte(`{"kind":"Prediction","schemaVersion":1,"pods":[],"nodes":[{"name":"n1","kubelet":"relist"},{"name":"n2","kubelet":"gone"},{"kubelet":"deaf","name":"n3"}]}`))
	if err != nil || !slices.Equal(p.Nodes, []string{"n1", "n3"}) {
		t.Errorf("nodes %v, %v", p, err)
	}
}

// TestOutcomes holds one prediction of a pod against what was found of it.
func TestOutcomes(t *testing.T) {
	api := []kubelet.Pod{has("1-1", "a", "n1")}
	ghost := Input{API: api, Nodes: []Node{node("n1", kubelet.Running)}}
	phantom := Input{Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}
	well := Input{API: api, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a"))}}
	twice := Input{API: api, Partial: true, Nodes: []Node{node("n1", kubelet.Running, runs("1-1", "a")), node("n2", kubelet.Running, runs("1-1", "a"))}}
	partly := Input{API: api, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Pods: []kubelet.Pod{runs("1-1", "a")}}, {Kind: kubelet.Listed, Unread: "x"}}}}}
	unread := Input{API: api, Nodes: []Node{{"n1", []kubelet.Dump{{Kind: kubelet.Running, Unread: "x"}}}}}
	unseen := Input{API: api}
	off := func(outcome, is string) Outcome {
		return Outcome{DidNotHappen: []Difference{{"ns", "a", "1-1", "n1", outcome, "certain", is}}, NotPredicted: []Difference{}}
	}
	foundOnly := func(outcome string, kind string) Outcome {
		return Outcome{DidNotHappen: []Difference{}, NotPredicted: []Difference{{"ns", "a", "1-1", "n1", outcome, "certain", kind}}}
	}
	nothing := Outcome{DidNotHappen: []Difference{}, NotPredicted: []Difference{}}
	came, unlooked := nothing, nothing
	came.CameTrue, unlooked.NotLookedAt = 1, 1
	const running, listed = `,"runsOn":["n1"]`, `,"runsOn":[],"api":{"node":"n1","phase":"Running"}`
	for _, tt := range []struct {
		name, outcome, more string
		in                  Input
		want                Outcome
	}{
		{"a phantom", "phantom", running, phantom, came},
		{"a ghost", "ghost", "", ghost, came},
		{"a phantom, and nothing of it runs", "phantom", running, Input{Nodes: []Node{node("n1", kubelet.Running)}}, off("phantom", "nothing of it runs there")},
		{"a phantom that may not have started, and nothing of it runs", "phantom", "", Input{Nodes: []Node{node("n1", kubelet.Running)}}, nothing},
		{"a phantom that may not have started, and is a ghost", "phantom", "", ghost, off("phantom", "it is a ghost")},
		{"a phantom, and it is a ghost", "phantom", running, ghost, off("phantom", "it is a ghost")},
		{"a ghost, and it is a phantom", "ghost", "", phantom, off("ghost", "it is a phantom")},
		{"a ghost, and it runs", "ghost", "", well, off("ghost", "it runs, or the API no longer has it")},
		{"a ghost, and it runs, of what was read in part", "ghost", "", partly, unlooked},
		{"a ghost, and nothing was read", "ghost", "", unread, unlooked},
		{"a ghost, and nobody looked", "ghost", "", unseen, unlooked},
		{"a phantom, which runs twice, too", "phantom", running, Input{Partial: true, Nodes: twice.Nodes, API: []kubelet.Pod{has("1-1", "a", "n2")}}, came},
		{"unaffected, and it runs twice", "unaffected", running, twice, Outcome{DidNotHappen: []Difference{}, NotPredicted: []Difference{{"ns", "a", "1-1", "n2", "unaffected", "certain", "a phantom"}}}},
		{"unaffected, and it is a ghost", "unaffected", running, ghost, foundOnly("unaffected", "a ghost")},
		{"another outcome that claims the same", "stale-status", listed, ghost, came},
		{"another outcome, and it is a phantom", "stale-status", listed, phantom, foundOnly("stale-status", "a phantom")},
		{"another outcome, by which it runs", "stale-status", `,"runsOn":["n1"],"api":{"node":"n1","phase":"Running"}`, ghost, foundOnly("stale-status", "a ghost")},
		{"another outcome, by which it has ended", "stale-status", `,"runsOn":[],"api":{"node":"n1","phase":"Succeeded"}`, ghost, foundOnly("stale-status", "a ghost")},
		{"another outcome, by which it has failed", "stale-status", `,"runsOn":[],"api":{"node":"n1","phase":"Failed"}`, ghost, foundOnly("stale-status", "a ghost")},
		{"another outcome, on another node", "stale-status", `,"runsOn":[],"api":{"node":"n2","phase":"Running"}`, ghost, foundOnly("stale-status", "a ghost")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePrediction([]byte(`{"kind":"Prediction","schemaVersion":1,"nodes":[],"pods":[{"namespace":"ns","name":"a","uid":"1-1","node":"n1","outcome":"` + tt.outcome + `","certainty":"certain"` + tt.more + `}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, Compare(tt.in).Against(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
