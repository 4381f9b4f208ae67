package restore_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
)

// TestComparePlans holds the comparison against the predictions that it counts,
// for every run and the plan that was carried out there.
func TestComparePlans(t *testing.T) {
	for _, r := range loadRuns(t) {
		t.Run(r.name, func(t *testing.T) {
			comparison := restore.Compare(r.backup, r.current)
			all, err := comparison.ComparePlans(r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			given := 0
			for i, m := range all.Modes {
				if m.Plan.Equal(r.truth.Plan) {
					given++
				}
				p, err := comparison.Predict(m.Plan)
				if err != nil {
					t.Fatal(err)
				}
				checkMode(t, &m, p)
				if harm(m) < harm(all.Modes[all.LeastHarm]) {
					t.Errorf("%s does less harm than %s", m.ID, all.Modes[all.LeastHarm].ID)
				}
				if i > 0 && m.ID == "given" {
					t.Errorf("the given plan is not the first but number %d", i)
				}
			}
			if given != 1 {
				t.Errorf("the given plan is there %d times", given)
			}
			if plan := all.Modes[all.LeastHarm].Plan; plan.BumpRevision == 0 && r.current.Revision > r.backup.Revision {
				t.Errorf("the least harm is %+v, without a bump", plan)
			}
		})
	}
}

func harm(m restore.ModeOutcome) int { return m.Critical + m.Killed }

func checkMode(t *testing.T, m *restore.ModeOutcome, p *restore.Prediction) {
	t.Helper()
	if diff := cmp.Diff(p.Summary, m.Summary); diff != "" {
		t.Errorf("%s: %s", m.ID, diff)
	}
	twice, stopped := 0, 0
	for _, o := range p.Pods {
		if slices.Contains(o.Flags, restore.FlagDoubleRun) != (o.DoubleRun != nil) {
			t.Errorf("%s: %s has flags %v and double run %+v", m.ID, at(o), o.Flags, o.DoubleRun)
		}
		if o.DoubleRun != nil {
			twice++
		}
		if o.Outcome == restore.Terminated && o.Ends == nil {
			stopped++
		}
	}
	if m.DoubleRuns != twice || m.Graceful+m.Killed != stopped {
		t.Errorf("%s: %d run twice and %d+%d are stopped, want %d and %d", m.ID, m.DoubleRuns, m.Graceful, m.Killed, twice, stopped)
	}
	if m.Killed > 0 && m.Plan.RestartKubelets.String() == "none" {
		t.Errorf("%s kills %d pods without a kubelet restart", m.ID, m.Killed)
	}
}
