package restore_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
)

// TestRecreated holds the pods that controllers are predicted to make after the
// restore against those that they made, by owner, in the first regular sample
// once kubelets have listed.
func TestRecreated(t *testing.T) {
	for _, r := range loadRuns(t) {
		s, ok := r.settled()
		if !ok || r.truth.Plan.APIServers() == "none" || len(r.truth.RunbookSteps) > 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(p.Nodes, func(n restore.NodeOutcome) bool { return n.Certainty != restore.Certain }) {
				t.Skip("what kubelets do is not certain")
			}
			made, predicted := map[string]int{}, map[string]int{}
			for _, o := range s.Recreated {
				if owner := topmost(o.Owner); r.has(o.NS, owner) {
					made[o.NS+" "+owner]++
				} else if w := cronJobOf(p, o.NS, owner); w == nil || len(w.RunsAgain) == 0 {
					t.Errorf("%s was made for %s, which the backup does not have", o.Name, owner)
				}
			}
			for _, w := range p.Workloads {
				if w.Recreates > 0 {
					predicted[w.Namespace+" "+w.Kind+"/"+w.Name] = int(w.Recreates)
				}
			}
			if diff := cmp.Diff(made, predicted); diff != "" {
				t.Errorf("recreated (-made +predicted):\n%s", diff)
			}
		})
	}
}

// has says whether the backup has the owner.
func (r *run) has(namespace, owner string) bool {
	return slices.ContainsFunc(r.backup.Workloads, func(w restore.Workload) bool {
		return w.Namespace == namespace && w.Kind+"/"+w.Name == owner
	})
}

// cronJobOf is the CronJob that made a Job for a slot.
func cronJobOf(p *restore.Prediction, namespace, job string) *restore.WorkloadOutcome {
	for i := range p.Workloads {
		w := &p.Workloads[i]
		if name, ok := strings.CutPrefix(job, "Job/"+w.Name+"-"); ok && w.Kind == "CronJob" && w.Namespace == namespace && !strings.Contains(name, "-") {
			return w
		}
	}
	return nil
}

// topmost is the owner of a pod, or of the ReplicaSet that owns it.
func topmost(owner string) string {
	if name, ok := strings.CutPrefix(owner, "ReplicaSet/"); ok {
		return "Deployment/" + name[:strings.LastIndexByte(name, '-')]
	}
	return owner
}

// TestSameNames holds the pairs of pods of one name, as the API listed them at the
// two snapshots, against the flags.
func TestSameNames(t *testing.T) {
	for _, r := range loadRuns(t) {
		was, now := map[string]object{}, map[string]object{}
		for _, o := range r.truth.APIPods["backup"] {
			was[o.Namespace+"/"+o.Name] = o
		}
		for _, o := range r.truth.APIPods["current"] {
			now[o.Namespace+"/"+o.Name] = o
		}
		if len(was) == 0 || len(now) == 0 || strings.HasSuffix(r.name, ".flight") {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, restore.Plan{})
			if err != nil {
				t.Fatal(err)
			}
			pairs, predicted := map[string]restore.Flag{}, map[string]restore.Flag{}
			for name, b := range was {
				if c, ok := now[name]; ok && b.UID != c.UID && b.Node != "" && c.Node != "" {
					if pairs[name] = restore.FlagSameNameOtherNode; b.Node == c.Node {
						pairs[name] = restore.FlagSameNameSameNode
					}
				}
			}
			for _, o := range p.Pods {
				for _, f := range []restore.Flag{restore.FlagSameNameSameNode, restore.FlagSameNameOtherNode} {
					if slices.Contains(o.Flags, f) {
						predicted[o.Namespace+"/"+o.Name] = f
					}
				}
			}
			maps.DeleteFunc(pairs, func(name string, _ restore.Flag) bool { return strings.HasPrefix(name, "kube-system/static-") }) // mirrors
			if diff := cmp.Diff(pairs, predicted); diff != "" {
				t.Errorf("same names (-listed +predicted):\n%s", diff)
			}
		})
	}
}
