package report

import (
	"fmt"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/report/page"
)

// Page writes the runbook as a page.
func (r *Runbook) Page(w *Printer) {
	head := page.Head{Kind: "Restore runbook", About: about(r.Evidence), Verdict: r.Summary.Does}
	if r.Predicted != "" {
		head.Verdicts = append(head.Verdicts, r.Predicted)
	}
	w.sheet.page.Write(head, toolLine(r.Tool), w.sections(r.sections(w)...))
}

func (r *Runbook) sections(w *Printer) []page.Section {
	return []page.Section{
		{ID: "in-short", Title: "In short", Write: func() { r.inShort(w) }},
		{ID: "steps", Title: "Runbook", Write: func() {
			for i := range r.Steps {
				r.pageStep(w, i)
			}
		}},
		{ID: "platform", Title: "What the platform's own restore does", Write: func() { w.sheet.page.Bullets(r.notes()) }},
		{ID: "unknown", Title: "What is not known", Write: func() { w.sheet.page.Bullets(r.Unknowns) }},
		{ID: "evidence", Title: "Evidence and custody", Write: func() {
			for i := range r.Evidence {
				e := &r.Evidence[i]
				w.Field(e.Role, fmt.Sprintf("%s, revision %s", e.Path, words.Number(e.Revision)))
			}
			metricsText(w, r.Metrics)
			w.sheet.flush()
			w.custody(r.Evidence)
		}},
	}
}

// inShort sums the runbook up.
func (r *Runbook) inShort(w *Printer) {
	for _, text := range r.Warnings {
		w.sheet.page.El("p", "alert", text)
	}
	w.Field("platform", r.Platform.Title)
	w.Field("plan", planText(r.Plan))
	w.Field("bump", r.bumpText())
	if r.Predicted != "" {
		w.Field("predicted", r.Predicted)
	}
	r.summary(w.Field)
}

func (r *Runbook) pageStep(w *Printer, i int) {
	s, to := &r.Steps[i], w.sheet.page
	if p := r.Summary.PointOfNoReturn; p != nil && p.Step == s.ID {
		to.El("p", "alert", "There is no way back from here on. "+p.Text)
	}
	to.El("h3", "", fmt.Sprintf("%d. %s", i+1, s.Title))
	to.El("p", "", s.Why)
	for _, g := range s.Groups() {
		to.El("p", "", "On "+g.Heading()+":")
		for _, c := range g.Commands {
			if c.Comment != "" {
				to.El("p", "comment", c.Comment)
			}
			to.Command(c.Run)
		}
	}
	to.Checks(s.Checks)
	for _, text := range s.Warnings {
		to.El("p", "alert", text)
	}
}

// Page writes the comparison as a page.
func (c *PlanComparison) Page(w *Printer) {
	m := &c.Modes[c.LeastHarm]
	head := page.Head{Kind: "Ways to restore, side by side", About: about(c.Evidence), Mark: marks[m.Severity], Verdict: c.Reason}
	if len(c.Missing) > 0 {
		head.Mark = max(head.Mark, page.Warn)
		head.Verdicts = append(head.Verdicts, c.missingText())
	}
	w.sheet.page.Write(head, toolLine(c.Tool), w.sections(
		page.Section{ID: "plans", Title: "Plans", Write: func() {
			c.plans(w)
			w.sheet.flush()
			w.sheet.page.El("p", "", words.LikelyText)
		}},
		page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
			c.facts(w)
			w.sheet.flush()
			w.custody(c.Evidence)
		}},
	))
}

func (c *PlanComparison) missingText() string {
	return restore.MissingText(c.Missing) + " More pods may be affected than are counted here."
}
