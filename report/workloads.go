package report

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// workloads lists the controllers' objects and what becomes of them, the worst
// first.
func (p *Prediction) workloads(w *Printer) {
	var list []*restore.WorkloadOutcome
	for i := range p.Workloads {
		if o := &p.Workloads[i]; p.All || o.Severity != restore.OK {
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b *restore.WorkloadOutcome) int { return a.Severity.Rank() - b.Severity.Rank() })
	var rows [][]string
	var severities []restore.Severity
	for _, o := range list {
		severities = append(severities, o.Severity)
		rows = append(rows, []string{o.Namespace, o.Kind + "/" + o.Name, words.Number(o.Wanted), words.Number(o.Believed), runningText(o), words.NumberOrDash(o.Recreates), o.Reason})
	}
	w.Line("")
	w.Line("Workloads: pods wanted, believed by the API, really running, and recreated by their controllers")
	w.Table([]string{"NAMESPACE", "WORKLOAD", "WANTED", "BELIEVED", "RUNNING", "NEW", "WHAT HAPPENS"}, rows, severities)
	if mayRun(list) {
		w.Wrapped("  ", textWidth, words.LikelyText)
	}
	for _, o := range list {
		if o.Action != "" {
			w.Wrapped("  ", textWidth, fmt.Sprintf("%s/%s: %s", o.Namespace, o.Name, o.Action))
		}
		for _, t := range o.Twice {
			w.Wrapped("  ", textWidth, twiceText(o, &t))
		}
	}
}

func mayRun(list []*restore.WorkloadOutcome) bool {
	return slices.ContainsFunc(list, func(o *restore.WorkloadOutcome) bool { return o.MayRun > 0 })
}

// runningText is how many pods of a workload run, and how many more may.
func runningText(o *restore.WorkloadOutcome) string {
	if o.MayRun > 0 {
		return words.Likely(o.Running, o.MayRun)
	}
	return words.Number(o.Running)
}

// twiceText says which pod of a workload runs twice, where and until when.
func twiceText(o *restore.WorkloadOutcome, t *restore.Twice) string {
	claims := ""
	if len(t.Claims) > 0 {
		claims = ", both on the claims " + strings.Join(t.Claims, ", ")
	}
	return fmt.Sprintf("%s/%s runs twice (%s%s) until %s.", o.Namespace, t.Pod, words.List(t.Nodes), claims, t.Until)
}

// nodes lists the nodes that will refuse pods, or on which host ports clash.
func (p *Prediction) nodes(w *Printer) {
	var rows [][]string
	var severities []restore.Severity
	var notes []string
	for i := range p.Nodes {
		n := &p.Nodes[i]
		c := n.Capacity
		if c == nil || !p.All && c.Refuses == "" && len(c.Clashes) == 0 {
			continue
		}
		severity, refuses := restore.OK, "-"
		if c.Refuses != "" {
			severity, refuses = restore.Warning, string(c.Certainty)
			notes = append(notes, n.Name+": "+c.Refuses)
		}
		for _, clash := range c.Clashes {
			severity = restore.Warning
			notes = append(notes, fmt.Sprintf("%s: host port %d/%s is claimed by %s", n.Name, clash.Port, clash.Protocol, words.List(clash.Pods)))
		}
		severities = append(severities, severity)
		rows = append(rows, []string{n.Name, taken(c, func(r restore.Resources) string { return restore.Cores(r.MilliCPU) }),
			taken(c, func(r restore.Resources) string { return restore.Bytes(r.Memory) }),
			taken(c, func(r restore.Resources) string { return words.Number(r.Pods) }), refuses})
	}
	if len(rows) == 0 {
		return
	}
	w.Line("")
	w.Line("Nodes: requests believed by the API / really running / allocatable")
	w.Table([]string{"NODE", "CPU", "MEMORY", "PODS", "REFUSES PODS"}, rows, severities)
	for _, text := range notes {
		w.Wrapped("  ", textWidth, text)
	}
}

func taken(c *restore.Capacity, of func(restore.Resources) string) string {
	return of(c.Believed) + " / " + of(c.Running) + " / " + of(c.Allocatable)
}
