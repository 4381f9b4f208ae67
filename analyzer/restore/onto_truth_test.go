package restore_test

import (
	"slices"
	"testing"

	"revenant/analyzer/restore"
)

// TestOntoOfRuns restores the backup and the current state of every run onto other
// machines.
func TestOntoOfRuns(t *testing.T) {
	workloads := 0
	for _, r := range loadRuns(t) {
		for _, state := range []*restore.State{r.backup, r.current} {
			p, err := restore.RestoreOnto(state).Predict(restore.Plan{Onto: restore.NewMachines})
			if err != nil {
				t.Fatal(err)
			}
			restore.CheckOnto(t, state, p)
			for i := range p.Workloads {
				w := &p.Workloads[i]
				if later := w.Recreates + w.RecreatesLater; w.Kind == "Deployment" && w.Wanted > 0 && later == 0 {
					t.Errorf("%s: %s %s/%s wants %d pods, and none is said to be recreated: %s", r.name, w.Kind, w.Namespace, w.Name, w.Wanted, w.Reason)
				}
				workloads++
			}
			old := state.Old()
			if len(old.Nodes) != len(state.Nodes) || old.Running == 0 || !slices.IsSorted(old.Nodes) {
				t.Errorf("%s: the old cluster: %+v", r.name, old)
			}
		}
	}
	if workloads < 100 {
		t.Errorf("only %d workloads", workloads)
	}
}
