package replay_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"revenant/analyzer/replay"
	"revenant/internal/golden"
	"revenant/internal/words"
)

var deeper = flag.Int("deeper", 0, "how many actions deeper is explored than docs/model.md says")

// explored is a cluster, where its exploration starts, and how deep it goes.
type explored struct {
	name    string
	servers int
	begin   func(c *replay.Cluster, s replay.State) replay.State
	depth   int
	more    bool // kubelets meet HTTP errors, and pods of the snapshots are deleted
	// controllers are part of it
	controllers bool
}

// begins are where explorations start: each reaches what is too many actions away for the
// others.
func begins() []explored {
	act := func(c *replay.Cluster, s replay.State, list ...replay.Action) replay.State {
		for _, a := range list {
			s, _ = c.Do(s, a)
		}
		return s
	}
	server := func(kind replay.Kind, i int32) replay.Action { return replay.Action{Kind: kind, Target: i} }
	stores := func(bump int64) []replay.Action {
		return []replay.Action{{Kind: replay.StopEtcd}, {Kind: replay.Restore, N: bump}, {Kind: replay.StartEtcd}}
	}
	before := func(_ *replay.Cluster, s replay.State) replay.State { return s }
	plain := func(c *replay.Cluster, s replay.State) replay.State {
		for i := range c.Servers {
			s = act(c, s, server(replay.StopServer, int32(i)))
		}
		s = act(c, s, stores(0)...)
		for i := range c.Servers {
			s = act(c, s, server(replay.StartServer, int32(i)))
		}
		s, _ = c.Settle(s)
		return s
	}
	return []explored{
		{"before the outage, one API server", 1, before, 8, false, false},
		{"before the outage, two API servers", 2, before, 7, false, false},
		{"after a plain restore, one API server", 1, plain, 8, false, false},
		{"after a plain restore, two API servers", 2, plain, 7, false, false},
		{"after a restore with one of two API servers left running", 2, func(c *replay.Cluster, s replay.State) replay.State {
			s = act(c, s, server(replay.StopServer, 0))
			s, _ = c.Settle(s)
			s = act(c, s, stores(0)...)
			s = act(c, s, server(replay.StartServer, 0))
			s, _ = c.Settle(s)
			return s
		}, 7, false, false},
		{"after a restore with a bump, one API server", 1, func(c *replay.Cluster, s replay.State) replay.State {
			s = act(c, s, server(replay.StopServer, 0))
			s = act(c, s, stores(c.Bumps[2])...)
			s = act(c, s, server(replay.StartServer, 0))
			s, _ = c.Settle(s)
			return s
		}, 8, false, false},
		{"before the outage, one API server, with HTTP errors and deletions of pods", 1, before, 6, true, false},
		{"after a plain restore, one API server, with HTTP errors and deletions of pods", 1, plain, 6, true, false},
		{"before the outage, two API servers, with the controllers", 2, before, 6, false, true},
		{"after a plain restore, two API servers, with the controllers", 2, plain, 6, false, true},
	}
}

// TestModel explores small clusters: all invariants hold in all states, remedies that are
// said to heal do from all, and those that are only believed to do not from some. What was
// explored, and the shortest traces against what is believed, are docs/model.md.
func TestModel(t *testing.T) {
	const path = "../../docs/model.md"
	var table, traces strings.Builder
	failed, tried := map[string]*replay.Trace{}, map[string]int{}
	states, transitions := 0, 0
	for _, b := range begins() {
		c, s := replay.Small(b.servers)
		c.Errors, c.Deletes = b.more, b.more
		if !b.controllers {
			s.Controllers = replay.Controllers{}
		}
		s = b.begin(c, s)
		x, err := replay.Explore(t.Context(), c, s, b.depth+*deeper)
		if err != nil {
			t.Fatal(err)
		}
		for id, trace := range x.Broken {
			t.Errorf("%s: the invariant %q does not hold:\n%s", b.name, id, told(trace))
		}
		for id, trace := range x.Failed {
			if failed[id] == nil { // from the first beginning that has one
				failed[id] = trace
			}
		}
		for id, n := range x.Tried {
			tried[id] += n
		}
		states, transitions = states+x.States, transitions+x.Transitions
		fmt.Fprintf(&table, "| %s | %d | %s | %s | %s |\n", b.name, x.Depth, words.Number(x.States), words.Number(x.Transitions), words.Number(x.Settled))
	}
	fmt.Fprintf(&table, "| all | | %s | %s | |\n", words.Number(states), words.Number(transitions))
	for _, r := range replay.Remedies {
		switch trace := failed[r.ID]; {
		case tried[r.ID] == 0:
			t.Errorf("the remedy %q was never tried", r.ID)
		case r.True && trace != nil:
			t.Errorf("the remedy %q leaves phantoms:\n%s", r.ID, told(trace))
		case !r.True && trace == nil:
			t.Errorf("no state contradicts what is believed: %s", r.Statement)
		case !r.True:
			fmt.Fprintf(&traces, "### %s\n\nNo. %s\n\n%s\n", r.Statement, r.Because, told(trace))
		}
	}
	if t.Failed() || *deeper > 0 {
		t.Logf("%s states, %s transitions", words.Number(states), words.Number(transitions))
		return
	}
	got := document(table.String(), tried, traces.String())
	golden.Equal(t, path, got)
}

// told is a trace as a numbered list.
func told(trace *replay.Trace) string {
	var b strings.Builder
	for i := range trace.Steps {
		who := ""
		if !trace.Steps[i].Action.Operator() {
			who = " *"
		}
		fmt.Fprintf(&b, "%d. %s%s\n", i+1, trace.Steps[i].Text, strings.Replace(who, "*", "(by itself)", 1))
	}
	var pods []string
	for _, p := range trace.Phantoms {
		pods = append(pods, p.Pod)
	}
	fmt.Fprintf(&b, "\nPhantoms: %s.\n", words.List(pods))
	return b.String()
}

const modelHead = `# A restore as a state machine

Written by ` + "`go test ./analyzer/replay -run TestModel -update`" + `, from ` + "`analyzer/replay`" + `.

A *list and watch* client, such as a kubelet, lists once, and from then on watches for what is newer than the newest revision it has
seen. That is right as long as revisions only grow. A restore makes them go back. This model says what happens then, in states that
can all be looked at: it was explored from several beginnings, in every order in which an operator and the environment can act.

## State

| what | of it |
| --- | --- |
| etcd | whether it is up; its revision; what is compacted; whose pods it holds: those of the current state, or after a restore the backup's; pods created and deleted since; how often it was restored |
| each API server | whether it is up; whether it was left running through a restore; what its watch cache holds; the revision of its first list; the newest revision it has seen |
| each kubelet | the API server that its watch is open at, or none; the newest revision it has seen (*L*); whether it must list; what it has done about its pods since the restore: nothing, listed, or restarted and listed |
| the controllers and the scheduler, as one watcher | the API server that their watch is open at, or none; the newest revision they have seen; whether they must list |

A kubelet is **deaf** when its watch is open and it has seen more than its API server has, or its API server more than etcd. A
**phantom** is a pod that runs on a node while etcd does not have it there. A state is **settled** when nothing is left to happen by
itself. The model has no time: what waits may wait as long as it likes, so what holds in it holds however fast or slow things are.

What a kubelet's list makes of a pod is not in the model: that is the [decision table](table.md), and both are one program. A play of
a plan ends where the prediction of it does, for every pod: tests hold that for the pairs of real clusters and for generated ones.

## Actions

The operator can stop and start each API server and etcd, restore the backup while etcd is down (without a bump, with one of as many
revisions as the restore undoes, or with one above all that was seen), restart each kubelet or the controllers, create a pod, delete
it, and wait while the cluster writes. By itself an API server hears from etcd, and a kubelet reaches any API server that is up, hears
from it, or loses its watch; so do the controllers. In two explorations kubelets also meet HTTP errors, and the operator deletes pods
of the snapshots; in two others the controllers take part.

## What is not in it

- **Time.** What a kubelet stops is stopped in the same step; the training and the screens say how, with the pod's own grace period or
  within two seconds. Pauses between attempts, and how long two pods of one name overlap, are not in it.
- **What controllers create and the scheduler binds.** Both are watchers by the same rules. A pod that is created is an action, and is
  bound to a node at once. A stop of etcd, or of the last API server, is taken to last the ten seconds in which they lose their leases. No
  kubelet depends on what they have seen, so most explorations leave them out.
- **The load balancer.** It is no part of the state: a kubelet may reach any API server that is up, in every order.
- **Other watches.** Only that of pods is followed. The same rules hold for those of nodes, Secrets and Services.
- **Old API servers.** Up to Kubernetes 1.30 one whose cache is not ready answers 503, and kubelets list: [design.md](design.md).
- **A second restore before etcd has been started.** It takes the place of the first, of which nobody has seen anything.

## Rules

| rule | what it says | source | |
| --- | --- | --- | --- |
`

// document is docs/model.md.
func document(table string, tried map[string]int, traces string) string {
	var b strings.Builder
	b.WriteString(modelHead)
	for _, r := range replay.Rules {
		seen := "read in source"
		if r.Seen {
			seen = "seen"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, r.Text, r.Source, seen)
	}
	b.WriteString("\n## What was explored\n\nTwo nodes; three pods, of which one was created after the backup, one deleted, and one is in both snapshots; kubelets have seen two\nrevisions more than the current state. Every state that can be reached in so many actions, whoever takes them:\n\n| from | actions | states | transitions | settled |\n| --- | --- | --- | --- | --- |\n")
	b.WriteString(table)
	b.WriteString("\n## Invariants\n\nThey hold in every one of these states.\n\n")
	for _, inv := range replay.Invariants {
		fmt.Fprintf(&b, "- **%s**: %s\n", inv.ID, inv.Statement)
	}
	b.WriteString("\n## What heals\n\nEach was done from every state in which it can be begun, and none was left with a phantom once all had settled.\n\n| what the operator does | from states |\n| --- | --- |\n")
	for _, r := range replay.Remedies {
		if r.True {
			fmt.Fprintf(&b, "| %s | %s |\n", r.Statement, words.Number(tried[r.ID]))
		}
	}
	b.WriteString("\n## What is believed to heal, and does not\n\nOf each, the fewest actions to a state in which it is tried in vain, and then what is done and what happens by itself.\n\n")
	b.WriteString(traces)
	return strings.TrimRight(b.String(), "\n") + "\n"
}
