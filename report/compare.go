package report

import (
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// PlanComparison is a comparison of plans to write.
type PlanComparison struct {
	*restore.PlanComparison
}

// Text writes the comparison for people: the ways to restore side by side, what
// each costs, and which does the least harm.
func (c *PlanComparison) Text(w *Printer) {
	c.facts(w)
	w.Line("")
	if len(c.Missing) > 0 {
		w.Wrapped("", textWidth, c.missingText())
		w.Line("")
	}
	c.plans(w)
	w.Line("")
	w.Wrapped("", textWidth, c.Reason)
	w.Wrapped("", textWidth, words.LikelyText)
}

// facts are what the comparison rests on.
func (c *PlanComparison) facts(w *Printer) {
	for i := range c.Evidence {
		evidenceLine(w, &c.Evidence[i])
	}
	metricsText(w, c.Metrics)
}

// plans lays the ways to restore side by side, and says what each costs.
func (c *PlanComparison) plans(w *Printer) {
	c.table(w)
	w.Line("")
	for i := range c.Modes {
		m := &c.Modes[i]
		w.Line("%s: %s (%s)", m.ID, m.Title, planFlags(m.Plan))
		w.Wrapped("  ", textWidth, m.Price)
	}
}

// table has a column for each mode.
func (c *PlanComparison) table(w *Printer) {
	header := []string{"OUTCOME"}
	for i := range c.Modes {
		id := strings.ToUpper(c.Modes[i].ID)
		if i == c.LeastHarm {
			id += " *"
		}
		header = append(header, id)
	}
	var rows [][]string
	var severities []restore.Severity
	row := func(s restore.Severity, name string, cell func(*restore.ModeOutcome) string) {
		cells := []string{name}
		for i := range c.Modes {
			cells = append(cells, cell(&c.Modes[i]))
		}
		rows, severities = append(rows, cells), append(severities, s)
	}
	for _, o := range restore.Outcomes {
		occurs := false
		for i := range c.Modes {
			occurs = occurs || c.Modes[i].Summary[o.ID] > 0
		}
		if occurs {
			row(o.Severity, string(o.ID), func(m *restore.ModeOutcome) string {
				return words.Likely(m.Certain[o.ID], m.Summary[o.ID]-m.Certain[o.ID])
			})
		}
	}
	row(restore.Critical, "nothing repairs", func(m *restore.ModeOutcome) string { return words.NumberOrDash(m.Critical) })
	row(restore.Warning, "run twice", func(m *restore.ModeOutcome) string { return words.NumberOrDash(m.DoubleRuns) })
	row(restore.Warning, "stopped gracefully", func(m *restore.ModeOutcome) string { return words.NumberOrDash(m.Graceful) })
	row(restore.Warning, "killed in 2 s", func(m *restore.ModeOutcome) string { return words.NumberOrDash(m.Killed) })
	w.Table(header, rows, severities)
}

// planFlags is the plan as flags of predict.
func planFlags(p restore.Plan) string {
	var flags []string
	if p.BumpRevision > 0 {
		flags = append(flags, fmt.Sprintf("--bump-revision %d --mark-compacted", p.BumpRevision))
	}
	if s := p.RestartKubelets.String(); s != "none" {
		flags = append(flags, "--restart-kubelets "+s)
	}
	switch servers := p.APIServers(); servers {
	case "all":
	case "none":
		flags = append(flags, "--keep-apiservers")
	default:
		flags = append(flags, "--restart-apiservers "+servers)
	}
	if len(flags) == 0 {
		return "no flags"
	}
	return strings.Join(flags, " ")
}
