package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/decoder/kube"
	"revenant/internal/golden"
)

// told is the resources in a few characters.
func (r Resources) told() string {
	return fmt.Sprintf("%d/%d/%d", r.MilliCPU, r.Memory>>20, r.Pods)
}

// toldCapacity is all that is said of what takes a node, in a line: CPU, MiB of memory and pods.
func toldCapacity(c *Capacity) string {
	if c == nil {
		return "none"
	}
	s := fmt.Sprintf("of %s believed %s, running %s", c.Allocatable.told(), c.Believed.told(), c.Running.told())
	if c.MayRun != (Resources{}) {
		s += ", may run " + c.MayRun.told()
	}
	if c.MayBePlaced != (Resources{}) {
		s += ", to place " + c.MayBePlaced.told()
	}
	for _, clash := range c.Clashes {
		s += fmt.Sprintf(", %s %d of %s", clash.Protocol, clash.Port, strings.Join(clash.Pods, " and "))
	}
	if c.Refuses != "" || c.Certainty != "" {
		s += fmt.Sprintf("; %s: %s", c.Certainty, c.Refuses)
	}
	return s
}

// TestCapacities holds what is said of what takes a node of 1 CPU, 1 GiB and 4 pods, n1 but where
// another one is named.
func TestCapacities(t *testing.T) {
	needs := func(milli, mi int64) func(*Pod) {
		return func(p *Pod) { p.Requests = kube.Requests{MilliCPU: milli, Memory: mi << 20} }
	}
	holding := func(milli int64) func(*Pod) {
		return func(p *Pod) { p.Allocated = &kube.Allocation{Requests: kube.Requests{MilliCPU: milli}} }
	}
	port := func(list ...kube.HostPort) func(*Pod) { return func(p *Pod) { p.HostPorts = list } }
	udp := kube.HostPort{Protocol: "UDP", Port: 80}
	tcp := func(port int32) kube.HostPort { return kube.HostPort{Protocol: "TCP", Port: port} }
	named := func(name string, change ...func(*Pod)) *Pod {
		return was(append([]func(*Pod){owned("", name, name)}, change...)...)
	}
	waiting := named("waiting", unbound("n1"), needs(500, 10))
	small := named("small", needs(100, 1))
	deployment := func(s *State) {
		s.Workloads = []Workload{{Kind: "Deployment", Name: "w", UID: "w", Wanted: 3}}
	}
	tests := []struct {
		name     string
		was, now []*Pod
		change   func(*State)
		node     string
	}{
		{"nothing", nil, nil, nil, ""},
		{"kept", []*Pod{was(needs(900, 900))}, []*Pod{now(needs(900, 900))}, nil, ""},
		{"kept, exactly all there is", []*Pod{was(needs(1000, 1024))}, []*Pod{now(needs(1000, 1024))}, nil, ""},
		{"kept, an unreadable request", []*Pod{was(needs(-5, -1))}, []*Pod{now(needs(-5, -1))}, nil, ""},
		{"kept, more than there is", []*Pod{was(needs(1100, 1))}, []*Pod{now(needs(1100, 1))}, nil, ""},
		{"created, more than there is", nil, []*Pod{made(needs(1100, 1))}, nil, ""},
		{"kept on n6", []*Pod{was(on("n6"), needs(900, 900))}, []*Pod{now(on("n6"), needs(900, 900))}, nil, "n6"},
		{"ended", []*Pod{was(failed, needs(900, 900))}, []*Pod{now(failed, needs(900, 900))}, nil, ""},
		{"ended since", []*Pod{was(never, needs(900, 900))}, []*Pod{now(never, succeeded, needs(900, 900))}, nil, ""},
		{"created", nil, []*Pod{made(needs(900, 900))}, nil, ""},
		{"created, and one waits", []*Pod{waiting}, []*Pod{made(needs(900, 900)), waiting}, nil, ""},
		{"created, and one waits that just fits", []*Pod{waiting}, []*Pod{made(needs(500, 900)), waiting}, nil, ""},
		{"created, Pending", nil, []*Pod{made(pending, needs(900, 900))}, nil, ""},
		{"created, deleting", nil, []*Pod{made(dying, needs(900, 900))}, nil, ""},
		{"deleted", []*Pod{was(needs(900, 900))}, nil, nil, ""},
		{"deleted, beside one that is kept", []*Pod{was(needs(900, 900)), named("kept", needs(200, 1))}, []*Pod{named("kept", needs(200, 1))}, nil, ""},
		{"deleted, beside one that is being stopped", []*Pod{was(needs(900, 900)), named("kept", needs(200, 1))}, []*Pod{named("kept", needs(200, 1), dying)}, nil, ""},
		{"deleted, four beside one that is kept", []*Pod{small, named("a"), named("b"), named("c"), named("d")}, []*Pod{small}, nil, ""},
		{"another image", []*Pod{was(needs(900, 900))}, []*Pod{now(image("v2"), needs(900, 900))}, nil, ""},
		{"larger since", []*Pod{was(needs(100, 1))}, []*Pod{now(needs(900, 1))}, nil, ""},
		{"larger since, and one waits", []*Pod{was(needs(100, 1)), waiting}, []*Pod{now(needs(900, 1)), waiting}, nil, ""},
		{"larger since, one created, and one waits", []*Pod{was(needs(100, 1)), waiting}, []*Pod{now(needs(400, 900)), named("made", func(p *Pod) { p.CreateRevision = 1500 }, needs(300, 1)), waiting}, nil, ""},
		{"larger in memory since, and one waits", []*Pod{was(needs(100, 1)), waiting}, []*Pod{now(needs(100, 1020)), waiting}, nil, ""},
		{"smaller since", []*Pod{was(needs(900, 900))}, []*Pod{now(needs(100, 1))}, nil, ""},
		{"smaller since, beside one that is back", []*Pod{was(needs(900, 900)), named("back", needs(200, 1))}, []*Pod{now(needs(100, 1))}, nil, ""},
		{"to be larger", []*Pod{was(needs(100, 1))}, []*Pod{now(needs(900, 1), holding(100))}, nil, ""},
		{"to be larger in both", []*Pod{was(needs(900, 1), holding(100))}, []*Pod{now(needs(900, 1), holding(100))}, nil, ""},
		{"bound since", []*Pod{was(unbound("n1", "n2"), needs(900, 900))}, []*Pod{now(on("n2"), needs(900, 900))}, nil, ""},
		{"bound since to n2", []*Pod{was(unbound("n1", "n2"), needs(900, 900))}, []*Pod{now(on("n2"), needs(900, 900))}, nil, "n2"},
		{"unbound, being deleted", []*Pod{was(unbound("n1"), dying, held, needs(900, 900))}, []*Pod{now(unbound("n1"), dying, held, needs(900, 900))}, nil, ""},
		{"kept on n3", []*Pod{was(on("n3"), needs(900, 900))}, []*Pod{now(on("n3"), needs(900, 900))}, nil, "n3"},
		{"deleted on n3, beside one that is kept", []*Pod{was(on("n3"), needs(900, 900)), named("kept", on("n3"), needs(200, 1))}, []*Pod{named("kept", on("n3"), needs(200, 1))}, nil, "n3"},
		{"kept on n4", []*Pod{was(on("n4"), needs(900, 900))}, []*Pod{now(on("n4"), needs(900, 900))}, nil, "n4"},
		{"created on n5", nil, []*Pod{made(on("n5"), needs(900, 900))}, nil, "n5"},
		{"two are to be made again", []*Pod{was(ownedBy("Deployment"), needs(400, 1), func(p *Pod) { p.Owner.UID = "w" })}, []*Pod{made(needs(900, 1))}, deployment, ""},
		{"one of two is to be made again, of which one was larger", []*Pod{was(owned("Deployment", "w", "w"), needs(400, 1))}, []*Pod{made(owned("Deployment", "v", "v"), needs(900, 1))}, deployment, ""},
		{"three are to be made, as large as one that is lost", nil, []*Pod{made(owned("Deployment", "v", "v"), needs(300, 1))}, deployment, ""},
		{"one port of two that run", []*Pod{was(port(tcp(80)))}, []*Pod{was(port(tcp(80))), named("made", func(p *Pod) { p.CreateRevision = 1500 }, port(tcp(80)))}, nil, ""},
		{"one port of two, one gone", []*Pod{was(port(udp, tcp(80), tcp(80), tcp(81)))}, []*Pod{made(port(tcp(81), tcp(80), udp))}, nil, ""},
		{"one port of two that have ended", []*Pod{was(failed, port(tcp(80)))}, []*Pod{made(failed, port(tcp(80)))}, nil, ""},
		{"one port of an unbound one", []*Pod{was(unbound("n1"), port(tcp(80)))}, []*Pod{made(port(tcp(80)))}, nil, ""},
	}
	plans := slices.DeleteFunc(slices.Clone(outcomePlans), func(p struct {
		name string
		plan Plan
	}) bool {
		return p.plan.someKept() || p.name == "restart n2" || p.name == "keep and bump"
	})
	var b strings.Builder
	for _, tt := range tests {
		fmt.Fprintf(&b, "%s\n", tt.name)
		var told, names []string
		for _, mode := range plans {
			backup, current := states(tt.was, tt.now)
			cutOff(current, "n3")
			for _, s := range []*State{backup, current} {
				for i := range s.Nodes {
					s.Nodes[i].Allocatable = kube.Allocatable{MilliCPU: 1000, Memory: 1 << 30, Pods: 4}
				}
			}
			current.Nodes[2].Allocatable = kube.Allocatable{} // n3 says so in the backup only
			if tt.change != nil {
				tt.change(backup)
			}
			text := "none"
			for _, n := range mustPredict(t, backup, current, mode.plan).Nodes {
				if n.Name == tt.node || tt.node == "" && n.Name == "n1" {
					text = toldCapacity(n.Capacity)
				}
			}
			if i := slices.Index(told, text); i >= 0 {
				names[i] += ", " + mode.name
				continue
			}
			told, names = append(told, text), append(names, mode.name)
		}
		for i := range told {
			fmt.Fprintf(&b, "  %s: %s\n", names[i], told[i])
		}
	}
	golden.Equal(t, "testdata/capacities.txt", b.String())
}
