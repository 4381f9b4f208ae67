package restore_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

var update = flag.Bool("update", false, "write docs/claims.md anew")

const claimsHead = `# What outcomes claim, and what was observed

Written by ` + "`go test ./analyzer/restore -run TestClaims -update`" + `. In four runs every class of pod was played by
name on a whole cluster with real kubelets, and what every outcome claims was held against what the container
runtimes and the API showed at the last regular sample: on which node a pod runs (in brackets: may run), and its
phase, node and deletion in the API. A dash is: nowhere, not there. The column *of* tells the two uids of a name
apart: that of the backup (B) or of the current state (A). A pod with the remark *ends* is being stopped: it runs
until then at the latest, and is reported ended after that. One whose node is gone turns Terminating when its
tolerations are over, in five minutes.
`

// TestClaims holds what every outcome claims, where the pod runs and what the
// API shows of it, against what runtime and API showed at the last regular
// sample, and keeps the two side by side in docs/claims.md.
func TestClaims(t *testing.T) {
	const path = "../../docs/claims.md"
	var doc strings.Builder
	doc.WriteString(claimsHead)
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
			fmt.Fprintf(&doc, "\n## %s, %s after the API was back\n\n| class | pod | of | outcome | claimed to run on | runs on | claimed in the API | in the API | remark |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
				r.name, time.Duration(s.SecondsSinceReady*float64(time.Second)).Round(time.Second))
			for _, c := range r.truth.Rows {
				for _, which := range []string{"B", "A"} {
					uid := map[string]string{"A": c.UIDA, "B": c.UIDB}[which]
					if uid == "" || which == "B" && c.UIDA == c.UIDB {
						continue
					}
					o, ok := rows[uid]
					if !ok {
						t.Errorf("%s %s (%s): no prediction", c.Class, c.ID, uid)
						continue
					}
					checked++
					doc.WriteString(sideBySide(c, o, s.Rows[c.ID], which))
					for _, wrong := range contradicted(o, s.Rows[c.ID], which, when) {
						t.Errorf("%s %s uid of %s: %s (rule %s, %s): %s", c.Class, c.ID, which, o.Outcome, o.Rule, o.Certainty, wrong)
					}
				}
			}
			t.Logf("%d pods checked", checked)
		})
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc.String(), string(got)); diff != "" {
		t.Errorf("%s is not what this test finds; -update writes it anew (-found +document):\n%s", path, diff)
	}
}

// sideBySide is a row of docs/claims.md.
func sideBySide(c classed, o restore.PodOutcome, seen observed, which string) string {
	claimedRuns := strings.Join(o.RunsOn, ", ")
	if len(o.MayRunOn) > 0 {
		claimedRuns += "(" + strings.Join(o.MayRunOn, ", ") + ")"
	}
	api := func(phase, node string, terminating bool) string {
		text := phase
		if node != "" {
			text += " on " + node
		}
		if terminating {
			text += ", terminating"
		}
		return text
	}
	var claimed, shown, remark string
	if o.API != nil {
		claimed = api(o.API.Phase, o.API.Node, o.API.Terminating)
	}
	if a := seen.API; a != nil && a.UID == o.UID {
		shown = api(a.Phase, a.Node, a.Deleting)
	}
	if o.Ends != nil {
		remark = "ends " + o.Ends.UTC().Format("15:04:05")
	}
	cells := []string{c.Class, c.ID, which, fmt.Sprintf("%s (%s)", o.Outcome, o.Rule), claimedRuns, strings.Join(running(o, seen, which), ", "), claimed, shown, remark}
	for i, cell := range cells {
		if cells[i] = strings.ReplaceAll(cell, "|", "\\|"); cell == "" && i < len(cells)-1 {
			cells[i] = "-"
		}
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
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
	runs := running(o, seen, which)
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

// running are the nodes on which the runtime runs the pod.
func running(o restore.PodOutcome, seen observed, which string) (nodes []string) {
	for _, c := range seen.CRI {
		mine := strings.Contains(c.Which, which) || o.Outcome == restore.Mirror && len(o.RunsOn) > 0 && c.Which == "other"
		if mine && c.State == "RUNNING" && !slices.Contains(nodes, c.Node) {
			nodes = append(nodes, c.Node)
		}
	}
	slices.Sort(nodes)
	return nodes
}

func onGoneNode(o restore.PodOutcome, node string) bool {
	return slices.Contains(o.Flags, restore.FlagNodeGone) || o.API.Node == "" && o.Node != node
}
