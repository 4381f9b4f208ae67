package restore

import (
	"slices"
	"strings"
	"testing"
)

// TestTouched: of a pod that was written since the backup it is said where that is undone,
// and of another that nothing changed.
func TestTouched(t *testing.T) {
	for _, tt := range []struct {
		name string
		now  *Pod
		plan Plan
		want string
	}{
		{"unchanged", pod("uid", 500, 600), Plan{}, "The same in both snapshots: it runs on."},
		{"written", now(), Plan{}, "conditions) is back to the backup's in the API."},
		{"written, and its kubelet lists", now(), bump(1_000_000), "conditions) is back to the backup's in the API."},
		{"written, and API servers run on", now(), Plan{KeepAPIServers: true}, "conditions) is back to the backup's in etcd; the API servers list it from their cache."},
	} {
		if o := predictPods(t, was(), tt.now, tt.plan).Pods[0]; !strings.HasSuffix(o.Reason, tt.want) {
			t.Errorf("%s: %s", tt.name, o.Reason)
		}
	}
}

// TestStray: ephemeral containers that the backup lacks are a warning, with their names.
func TestStray(t *testing.T) {
	o := predictPods(t, was(ephemeral("old")), now(ephemeral("old", "debug")), Plan{}).Pods[0]
	if o.Severity != Warning || !strings.Contains(o.Reason, "(debug)") || !strings.Contains(o.Action, "crictl") {
		t.Errorf("%s: %s %s", o.Severity, o.Reason, o.Action)
	}
	many := strings.Split(strings.Repeat("x ", 100), " ")
	if o := predictPods(t, was(), now(ephemeral(many...)), Plan{}).Pods[0]; !strings.Contains(o.Reason, "(x, x, x, x, x and 96 more)") {
		t.Error(o.Reason)
	}
}

// TestCordons: cordons since the backup are lost, and so are their ends.
func TestCordons(t *testing.T) {
	backup, current := states(nil, nil) // n1 to n4, and n1 to n3 and n5
	backup.Nodes[0].Cordoned, backup.Nodes[1].Cordoned, backup.Nodes[3].Cordoned = true, true, true
	current.Nodes[1].Cordoned, current.Nodes[2].Cordoned, current.Nodes[3].Cordoned = true, true, true
	p := mustPredict(t, backup, current, Plan{})
	for _, n := range p.Nodes {
		lost, back := slices.Contains(n.Flags, FlagCordonLost), slices.Contains(n.Flags, FlagCordonBack)
		if lost != (n.Name == "n3" || n.Name == "n5") || back != (n.Name == "n1") {
			t.Errorf("%s: %v", n.Name, n.Flags)
		}
	}
	for text, nodes := range map[string]string{"cordoned after": "n3, n5", "uncordoned after": "n1"} {
		if !slices.ContainsFunc(p.Warnings, func(w string) bool {
			return strings.HasPrefix(w, "Nodes that were "+text) && strings.Contains(w, ": "+nodes+".")
		}) {
			t.Errorf("no warning that %s were %s the backup: %q", nodes, text, p.Warnings)
		}
	}
}
