package preflight

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
)

// TestCountPods: what checks of numbers of pods go by.
func TestCountPods(t *testing.T) {
	pod := func(o restore.Outcome, c restore.Certainty, double ...int64) restore.PodOutcome {
		p := restore.PodOutcome{Finding: &restore.Finding{Outcome: o}, Certainty: c}
		for _, seconds := range double {
			p.DoubleRun = &restore.DoubleRun{AtMostSeconds: seconds}
		}
		return p
	}
	tests := []struct {
		name string
		pods []restore.PodOutcome
		want counted
	}{
		{"none", nil, counted{}},
		{"phantoms", []restore.PodOutcome{pod(restore.Phantom, restore.Certain), pod(restore.Phantom, restore.Possible), pod(restore.Phantom, restore.Unlikely)}, counted{phantoms: 2, unlikelyPhantoms: 1}},
		{"ghosts", []restore.PodOutcome{pod(restore.Ghost, restore.Certain), pod(restore.Ghost, restore.Possible), pod(restore.Ghost, restore.Unlikely)}, counted{ghosts: 2, unlikelyGhosts: 1}},
		{"others", []restore.PodOutcome{pod(restore.Unknown, restore.Possible), pod(restore.Unaffected, restore.Certain)}, counted{unknown: 1}},
		{"run twice for a time", []restore.PodOutcome{pod(restore.Restarted, restore.Certain, 30), pod(restore.Restarted, restore.Certain, 5)}, counted{doubles: 2, doublesBound: 30}},
		{"and one without end", []restore.PodOutcome{pod(restore.Restarted, restore.Certain, 30), pod(restore.Restarted, restore.Certain, 0)}, counted{doubles: 2}},
	}
	for _, tt := range tests {
		got := countPods(&restore.Prediction{Pods: tt.pods})
		if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(counted{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
