package restore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/restore"
)

// classed is a pod of the runs that play every row of the decision table.
type classed struct {
	ID, Class  string
	UIDB, UIDA string
}

// observed is what the last regular sample showed of it.
type observed struct {
	CRI []struct{ Node, Which, State string }
	API *struct {
		UID, Node, Phase string
		Deleting         bool
	}
}

// TestClaims holds what every outcome claims, where the pod runs and what the
// API shows of it, against what runtime and API showed at the last regular
// sample.
func TestClaims(t *testing.T) {
	for _, r := range loadRuns(t) {
		if len(r.truth.Rows) == 0 {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			p, err := restore.Predict(r.backup, r.current, r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			rows := map[string]restore.PodOutcome{}
			for _, o := range p.Pods {
				rows[o.UID] = o
			}
			s := r.lastRegular()
			when := r.truth.Times["apiserver_ready"].Add(time.Duration(s.SecondsSinceReady * float64(time.Second)))
			checked := 0
			for _, c := range r.truth.Rows {
				for which, uid := range map[string]string{"A": c.UIDA, "B": c.UIDB} {
					if uid == "" || which == "B" && c.UIDA == c.UIDB {
						continue
					}
					o, ok := rows[uid]
					if !ok {
						t.Errorf("%s %s (%s): no prediction", c.Class, c.ID, uid)
						continue
					}
					checked++
					for _, wrong := range contradicted(o, s.Rows[c.ID], which, when) {
						t.Errorf("%s %s uid of %s: %s (rule %s, %s): %s", c.Class, c.ID, which, o.Outcome, o.Rule, o.Certainty, wrong)
					}
				}
			}
			t.Logf("%d pods checked", checked)
		})
	}
}

func (r *run) lastRegular() sample {
	last := r.truth.Samples[0]
	for _, s := range r.truth.Samples {
		if strings.HasPrefix(s.Label, "t") {
			last = s
		}
	}
	return last
}

// contradicted lists the claims of o that the observation contradicts. A pod
// that is being deleted stops by the end of its grace period, or before. Pods of
// a node that is gone turn Terminating only when their tolerations are over. A
// static pod runs under a uid of its own, whichever mirror it has.
func contradicted(o restore.PodOutcome, seen observed, which string, when time.Time) (wrong []string) {
	dying := o.Ends != nil
	over := dying && o.Ends.Before(when)
	var runs []string
	for _, c := range seen.CRI {
		mine := strings.Contains(c.Which, which) || o.Outcome == restore.Mirror && len(o.RunsOn) > 0 && c.Which == "other"
		if mine && c.State == "RUNNING" && !slices.Contains(runs, c.Node) {
			runs = append(runs, c.Node)
		}
	}
	for _, node := range o.RunsOn {
		if !slices.Contains(runs, node) && !dying {
			wrong = append(wrong, fmt.Sprintf("does not run on %s but on %v", node, runs))
		}
	}
	for _, node := range runs {
		if over || !slices.Contains(o.RunsOn, node) && !slices.Contains(o.MayRunOn, node) {
			wrong = append(wrong, fmt.Sprintf("runs on %s, not on %v or one of %v", node, o.RunsOn, o.MayRunOn))
		}
	}
	switch shown := seen.API; {
	case shown == nil || shown.UID != o.UID:
		if o.API != nil {
			wrong = append(wrong, fmt.Sprintf("the API does not show it %+v", *o.API))
		}
	case o.API == nil:
		wrong = append(wrong, fmt.Sprintf("the API shows it %+v", *shown))
	case o.API.Phase != shown.Phase && !(over && (shown.Phase == "Succeeded" || shown.Phase == "Failed")):
		wrong = append(wrong, fmt.Sprintf("the API shows phase %s, not %s", shown.Phase, o.API.Phase))
	case o.API.Node != "" && o.API.Node != shown.Node:
		wrong = append(wrong, fmt.Sprintf("the API shows it on %s, not %s", shown.Node, o.API.Node))
	case o.API.Terminating != shown.Deleting && !onGoneNode(o, shown.Node):
		wrong = append(wrong, fmt.Sprintf("the API shows it terminating: %v, not %v", shown.Deleting, o.API.Terminating))
	}
	return wrong
}

func onGoneNode(o restore.PodOutcome, node string) bool {
	return slices.Contains(o.Flags, restore.FlagNodeGone) || o.API.Node == "" && o.Node != node
}
