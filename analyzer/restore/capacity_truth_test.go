package restore_test

import (
	"slices"
	"testing"

	"revenant/analyzer/restore"
)

// TestRefuses holds what is certain of kubelets that refuse pods against whether they
// did: a pod that they should have started, or gone on running, is Failed.
func TestRefuses(t *testing.T) {
	for _, r := range loadRuns(t) {
		t.Run(r.name, func(t *testing.T) {
			p, _ := r.predicted(t)
			for _, n := range p.Nodes {
				if n.Capacity != nil && n.Capacity.Certainty == restore.Certain && !r.refused(p, n.Name) {
					t.Errorf("%s certainly refuses pods, but did not: %s", n.Name, n.Capacity.Refuses)
				}
			}
		})
	}
}

// refused says whether a pod failed that is predicted to run on the node.
func (r *run) refused(p *restore.Prediction, node string) bool {
	for _, o := range p.Pods {
		if !slices.Contains(o.RunsOn, node) {
			continue
		}
		for _, s := range r.regular() {
			if _, shown := s.seen(o.UID); shown != nil && shown.Phase == "Failed" {
				return true
			}
		}
	}
	return false
}
