package restore_test

import (
	"slices"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// TestStrayContainers holds the pods that are said to have ephemeral containers that the
// API does not show against those of which the runtime ran one, in every regular sample.
func TestStrayContainers(t *testing.T) {
	checked := 0
	for _, r := range loadRuns(t) {
		p, _ := r.predicted(t)
		for _, s := range r.regular() {
			if len(s.Ephemeral) == 0 {
				continue
			}
			for _, o := range p.Pods {
				was, now := r.find(r.backup, o.UID), r.find(r.current, o.UID)
				if was == nil || now == nil {
					continue
				}
				runs := slices.ContainsFunc(s.Ephemeral, func(e ephemeral) bool {
					return e.UID == o.UID && e.State == "RUNNING" && !slices.Contains(was.Ephemeral, e.Name) && !slices.ContainsFunc(now.InitContainers, named(e.Name))
				})
				if said := slices.Contains(o.Flags, restore.FlagStrayContainers); said != runs {
					t.Errorf("%s %s: %s has stray containers %v, said so %v", r.name, s.Label, at(o), runs, said)
				}
				checked++
			}
		}
	}
	if checked == 0 {
		t.Error("no sample tells")
	}
}

// TestCordonsOfRuns holds the cordons that are lost, and those that are back, against
// the Node objects of every regular sample.
func TestCordonsOfRuns(t *testing.T) {
	held := map[restore.Flag]int{}
	for _, r := range loadRuns(t) {
		if r.truth.Plan.KeepAPIServers {
			continue
		}
		p, _ := r.predicted(t)
		cordoned := map[string]bool{}
		for _, s := range r.regular() {
			for _, n := range s.Nodes {
				cordoned[n.Name] = n.Unschedulable
			}
		}
		for _, n := range p.Nodes {
			is, ok := cordoned[n.Name]
			for flag, want := range map[restore.Flag]bool{restore.FlagCordonLost: false, restore.FlagCordonBack: true} {
				if !ok || !slices.Contains(n.Flags, flag) {
					continue
				}
				held[flag]++
				if is != want {
					t.Errorf("%s: %s is %s, and cordoned: %v", r.name, n.Name, flag, is)
				}
			}
		}
	}
	if held[restore.FlagCordonLost] == 0 || held[restore.FlagCordonBack] == 0 {
		t.Errorf("held: %v", held)
	}
}

func named(name string) func(kube.Container) bool {
	return func(c kube.Container) bool { return c.Name == name }
}
