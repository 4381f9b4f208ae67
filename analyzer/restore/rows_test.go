package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/decoder/kube"
	"revenant/internal/golden"
)

// kind is a way for a pod to be in a snapshot.
type kind struct {
	name   string
	change []func(*Pod)
}

var backupKinds = []kind{
	{"absent", nil},
	{"unbound", []func(*Pod){unbound("n1", "n2")}},
	{"unbound, deleting", []func(*Pod){unbound("n1", "n2"), dying}},
	{"Pending", []func(*Pod){pending}},
	{"Running", []func(*Pod){}},
	{"Running, past its deadline", []func(*Pod){expired}},
	{"deleting", []func(*Pod){dying}},
	{"deleting, held", []func(*Pod){dying, held}},
	{"Succeeded", []func(*Pod){succeeded}},
	{"Failed, held", []func(*Pod){failed, held}},
	{"Succeeded, deleting", []func(*Pod){succeeded, dying}},
	{"Succeeded, deleting, held", []func(*Pod){succeeded, dying, held}},
}

var currentKinds = []kind{
	{"absent", nil},
	{"unbound", []func(*Pod){unbound("n1", "n2")}},
	{"unbound, deleting", []func(*Pod){unbound("n1", "n2"), dying}},
	{"Pending", []func(*Pod){pending}},
	{"Running", []func(*Pod){}},
	{"untouched", []func(*Pod){func(p *Pod) { p.ModRevision = 600 }}},
	{"with a deadline", []func(*Pod){expiring}},
	{"ready", []func(*Pod){func(p *Pod) { p.Ready = true }}},
	{"restarted", []func(*Pod){func(p *Pod) { p.Restarts = 1 }}},
	{"another image", []func(*Pod){image("v2")}},
	{"another init container", []func(*Pod){func(p *Pod) { p.InitContainers = []kube.Container{{Name: "i", Image: "v1"}} }}},
	{"other requests", []func(*Pod){asks(80)}},
	{"other limits", []func(*Pod){func(p *Pod) { p.Limits.Memory = 1 }}},
	{"another limit, RestartContainer", []func(*Pod){func(p *Pod) { p.Limits.Memory, p.RestartOnResize = 1, "c: memory" }}},
	{"CPU moved between containers, RestartContainer", []func(*Pod){func(p *Pod) { p.RestartOnResize = "c: cpu 1, d: cpu 2" }}},
	{"more CPU, RestartContainer", []func(*Pod){asksToRestart(80)}},
	{"deleting, with a deadline", []func(*Pod){dying, expiring}},
	{"deleting", []func(*Pod){dying}},
	{"about to end", []func(*Pod){dead}},
	{"overdue, with a deadline", []func(*Pod){overdue, expiring}},
	{"overdue", []func(*Pod){overdue}},
	{"Succeeded", []func(*Pod){succeeded}},
	{"Failed", []func(*Pod){failed}},
	{"Succeeded, deleting", []func(*Pod){succeeded, dying}},
	{"Failed, overdue", []func(*Pod){failed, overdue}},
	{"Failed, deleting, held", []func(*Pod){failed, dying, held}},
}

// grouped writes "all that" for kinds of the current state that the list has all of.
func grouped(list []string) []string {
	for _, group := range []struct{ name, from, to string }{
		{"all that run", "Pending", "more CPU, RestartContainer"},
		{"all that run and are being deleted", "deleting, with a deadline", "overdue"},
		{"all that have ended and are being deleted", "Succeeded, deleting", "Failed, deleting, held"},
	} {
		at := func(name string) int {
			return slices.IndexFunc(currentKinds, func(k kind) bool { return k.name == name })
		}
		var names []string
		for _, k := range currentKinds[at(group.from) : at(group.to)+1] {
			names = append(names, k.name)
		}
		if i := slices.Index(list, names[0]); i >= 0 && len(list) >= i+len(names) && slices.Equal(list[i:i+len(names)], names) {
			list = slices.Replace(slices.Clone(list), i, i+len(names), group.name)
		}
	}
	return list
}

// TestRows holds to which row of the decision table a pod comes, for every way to be in the
// backup and every way to be in the current state, on each kind of node and with each restart
// policy: n1 is in both snapshots, n4 in the backup only, n5 in the current state only, n6 in
// neither.
func TestRows(t *testing.T) {
	nodes := []string{"n1", "n4", "n5", "n6"}
	policies := []string{"Always", "OnFailure", "Never"}
	var b strings.Builder
	for _, before := range backupKinds {
		fmt.Fprintf(&b, "in the backup: %s\n", before.name)
		found := map[rowID]map[string][]string{} // row → node → kinds of the current state
		for _, node := range nodes {
			for _, after := range currentKinds {
				if before.change == nil && after.change == nil {
					continue
				}
				with := map[rowID][]string{}
				for _, policy := range policies {
					place := []func(*Pod){on(node), func(p *Pod) { p.RestartPolicy = policy }}
					var was, now *Pod
					if before.change != nil {
						was = pod("uid", 500, 600, slices.Concat(place, before.change)...)
					}
					if after.change != nil {
						now = pod("uid", 500, seenAt, slices.Concat(place, after.change)...)
					}
					r := Compare(states([]*Pod{was}, []*Pod{now})).cases[0].row
					with[r] = append(with[r], policy)
				}
				for r, list := range with {
					name := after.name
					if len(list) < len(policies) {
						name += " (" + strings.Join(list, ", ") + ")"
					}
					if found[r] == nil {
						found[r] = map[string][]string{}
					}
					found[r][node] = append(found[r][node], name)
				}
			}
		}
		for r := range rows {
			byNode := found[r]
			if byNode == nil {
				continue
			}
			fmt.Fprintf(&b, "  %s\n", table[r].pods)
			for i, node := range nodes {
				same := func(n string) bool { return slices.Equal(byNode[n], byNode[node]) }
				if byNode[node] == nil || slices.ContainsFunc(nodes[:i], same) {
					continue
				}
				alike := slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return !same(n) })
				fmt.Fprintf(&b, "    %s: %s\n", strings.Join(alike, " "), strings.Join(grouped(byNode[node]), "; "))
			}
		}
	}
	golden.Equal(t, "testdata/rows.txt", b.String())
}
