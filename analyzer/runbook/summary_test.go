package runbook

import (
	"strings"
	"testing"
)

// TestSummary: in every situation the summary names the step from which on there is no
// way back, and what goes before it keeps the former data and lets no kubelet list.
func TestSummary(t *testing.T) {
	fenced := 0
	situations(t, func(t *testing.T, name string, _ *Input, r *Runbook) {
		s := r.Summary
		if s.Does == "" || len(s.Costs) < 2 {
			t.Errorf("%s: %+v", name, s)
		}
		p := s.PointOfNoReturn
		if p == nil || p.Number < 1 || p.Number > len(r.Steps) || r.Steps[p.Number-1].ID != p.Step || p.Text == "" {
			t.Fatalf("%s: %+v", name, p)
		}
		if p.Step == "let-in" {
			fenced++
		}
		for i := range r.Steps[:p.Number-1] {
			for _, c := range r.Steps[i].Commands {
				wipes := strings.Contains(c.Run, " reset --") || strings.Contains(c.Run, "--cluster-reset") || strings.Contains(c.Run, "cluster-restore")
				lets := strings.Contains(c.Run, "iptables -D INPUT") || p.Step == "start-api" && strings.Contains(c.Run, "stopped/kube-apiserver.yaml")
				if wipes || lets {
					t.Errorf("%s: there is no way back from %s on, and before it: %s", name, p.Step, c.Run)
				}
			}
		}
	})
	if fenced == 0 {
		t.Error("no runbook has a fence")
	}
}
