package restore

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"revenant/internal/golden"
)

// toldInFull is all that is said of a pod, in a line, but for its reason and what to do.
// What is said of its kubelet is left out.
func toldInFull(o PodOutcome) string {
	s := describe(o) + " " + string(o.Severity)
	if o.Ends != nil {
		s += " ends " + o.Ends.Sub(takenAt).String()
	}
	if o.MayBeBoundTo != nil {
		s += fmt.Sprint(" to ", o.MayBeBoundTo)
	}
	if d := o.DoubleRun; d != nil {
		s += fmt.Sprintf("; with %s for %d s, until %s", d.With, d.AtMostSeconds, d.Until)
	}
	for _, t := range o.Through {
		s += fmt.Sprintf("; through %s: %s", strings.Join(t.APIServers, ","), t.API)
	}
	if o.Then != nil {
		s += "; then " + toldLater(o)
		if o.Then.Relists {
			s += " (relists)"
		}
	}
	why := o.CertaintyReason
	for _, kubelet := range []string{"Its kubelet ", "The plan restarts its kubelet", "The restored store starts", "The API servers were left running"} {
		why, _, _ = strings.Cut(why, kubelet)
	}
	if o.Certainty == Unlikely {
		s += " unlikely"
	}
	switch why, _, _ = strings.Cut(why, ":"); {
	case why == "The same whatever its kubelet does.":
		s += "; settled"
	case why != "":
		s += "; " + strings.TrimSpace(why)
	}
	for how, text := range twinReasons {
		if text != "" && strings.HasSuffix(o.Reason, text) {
			s += "; " + [...]string{nowLong: "beside the backup's", nowShort: "may be beside the backup's", wasLong: "beside the current one", wasShort: "may be beside the current one", nearDeaf: "near deaf kubelets"}[how]
		}
	}
	switch o.Action {
	case actTwin:
		s += "; stop the current one first"
	case actNearDeaf:
		s += "; restart or cordon"
	}
	return s
}

// outcomePlans are plans that differ in what kubelets and API servers do.
var outcomePlans = []struct {
	name string
	plan Plan
}{
	{"plain", Plan{}},
	{"bump that may do", bump(currentAt - backupAt)},
	{"bump", bump(1_000_000)},
	{"restart", Plan{RestartKubelets: Restart{All: true}}},
	{"restart n2", Plan{RestartKubelets: ParseRestart("n2")}},
	{"keep", kept(Plan{})},
	{"keep some", kept(Plan{RestartAPIServers: []string{"b"}})},
	{"keep and bump", kept(bump(1_000_000))},
}

// TestOutcomes holds all that is said of pods of many kinds, from the first second on.
// Of the nodes n1 and n2 are in both snapshots, n3 as well and unreachable in the current
// state, n4 is in the backup only and n5 in the current state only.
func TestOutcomes(t *testing.T) {
	tolerates := tolerating(300)
	ready := func(p *Pod) { p.Ready = true }
	pairs := []struct {
		name     string
		was, now *Pod
	}{
		{"created", nil, made()},
		{"created on n5", nil, made(on("n5"))},
		{"created on n4", nil, made(on("n4"))},
		{"created on n3", nil, made(on("n3"))},
		{"created, with a deadline", nil, made(expiring)},
		{"created, deleting", nil, made(dying)},
		{"created, deleting, with a deadline", nil, made(dying, expiring)},
		{"created, without a phase", nil, made(func(p *Pod) { p.Phase = "" })},
		{"created, deleting on n3", nil, made(dying, on("n3"))},
		{"created, not stopped in time", nil, made(overdue)},
		{"created, ended on n3", nil, made(failed, on("n3"))},
		{"deleted", was(), nil},
		{"deleted, Pending", was(pending), nil},
		{"deleted, Never", was(never), nil},
		{"deleted on n3", was(on("n3"), tolerates), nil},
		{"deleted on n4", was(on("n4"), tolerates), nil},
		{"deleted, unbound", was(unbound("n1", "n2", "n4"), tolerates), nil},
		{"deleted, could only go to n4", was(unbound("n4"), tolerates), nil},
		{"kept", was(), now()},
		{"kept, Pending in both", was(pending), now(pending)},
		{"kept, deadline", was(expiring), now(expiring)},
		{"kept on n3", was(on("n3"), tolerates), now(on("n3"), tolerates)},
		{"kept on n3, deadline", was(on("n3"), tolerates, expiring), now(on("n3"), tolerates, expiring)},
		{"kept on n3, deleted for good", was(on("n3"), tolerating(-1)), now(on("n3"), dying)},
		{"ended on n3", was(on("n3"), tolerates), now(on("n3"), failed)},
		{"kept on n4", was(on("n4"), tolerates), now(on("n4"))},
		{"kept on n5", was(on("n5"), tolerates), now(on("n5"), ready)},
		{"ready since", was(), now(ready)},
		{"another image", was(), now(image("v2"))},
		{"another image, long grace period", was(), now(image("v2"), func(p *Pod) { p.Grace = 3600 })},
		{"ended, Always", was(), now(failed)},
		{"ended, OnFailure", was(onFailure), now(onFailure, succeeded)},
		{"deletion begun", was(), now(dying)},
		{"deletion done but for its end", was(), now(dead, succeeded)},
		{"unbound in both", was(unbound("n1", "n2")), now(unbound("n1", "n2"))},
		{"bound since, n1 or n2", was(unbound("n1", "n2"), tolerates), now()},
		{"bound since, n2 only", was(unbound("n2"), tolerates), now()},
		{"bound since, n2 or n4", was(unbound("n2", "n4"), tolerates), now()},
		{"bound since, n4 only", was(unbound("n4"), tolerates), now()},
		{"bound since, nowhere else", was(unbound()), now()},
		{"bound since, not looked up", was(unboundUnasked), now()},
		{"bound since to n5, deleting", was(unbound("n1")), now(on("n5"), dying)},
		{"bound since to n3", was(unbound("n1", "n2"), tolerates), now(on("n3"))},
		{"bound since to n4", was(unbound("n1", "n2"), tolerates), now(on("n4"))},
		{"bound since to n4, nowhere else", was(unbound("n4"), tolerates), now(on("n4"))},
		{"bound since, about to end", was(unbound("n1", "n2")), now(dead)},
		{"bound since, not stopped in time", was(unbound("n2")), now(overdue)},
		{"of one name, n2 and n1, with a deadline", was(on("n2")), made(expiring)},
		{"of one name, n1 and n1", was(), made()},
		{"of one name, n2 and n1", was(on("n2")), made()},
		{"of one name, n2 and n1, deleting", was(on("n2")), made(dying)},
		{"of one name, n1 and n3", was(), made(on("n3"))},
		{"of one name, unbound and n1", was(unbound("n1", "n2")), made()},
		{"of one name, n4 and n1", was(on("n4"), tolerates), made()},
		{"of one name, n2 and n4", was(on("n2")), made(on("n4"))},
		{"of one name, n2 and n1, ended", was(on("n2")), made(failed)},
	}
	var b strings.Builder
	for _, pair := range pairs {
		fmt.Fprintf(&b, "%s\n", pair.name)
		var told, names []string
		for _, mode := range outcomePlans {
			backup, current := states([]*Pod{pair.was}, []*Pod{pair.now})
			cutOff(current, "n3")
			current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}}
			if !mode.plan.KeepAPIServers {
				current.APIServers = nil
			}
			p, err := Compare(backup, current).Predict(mode.plan)
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, o := range p.Pods {
				text += "    " + toldInFull(o) + "\n"
			}
			if i := slices.Index(told, text); i >= 0 {
				names[i] += ", " + mode.name
				continue
			}
			told, names = append(told, text), append(names, mode.name)
		}
		for i := range told {
			fmt.Fprintf(&b, "  %s\n%s", names[i], told[i])
		}
	}
	golden.Equal(t, "testdata/outcomes.txt", b.String())
}
