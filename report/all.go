package report

import (
	"fmt"
	"time"

	"revenant/analyzer/restore"
	"revenant/analyzer/timeline"
	"revenant/internal/words"
	"revenant/report/page"
)

// Report is all that is found of a pair of snapshots, in one document: what a change
// request has to say.
type Report struct {
	SchemaVersion int                     `json:"schemaVersion"` // 1
	Kind          string                  `json:"kind"`          // Report
	Tool          restore.Tool            `json:"tool"`
	Evidence      []restore.Evidence      `json:"evidence"`
	Prediction    *restore.Prediction     `json:"prediction"` // under the plan of the runbook
	Plans         *restore.PlanComparison `json:"plans"`
	Preflight     *Preflight              `json:"preflight"`
	Runbook       *Runbook                `json:"runbook"`
	Changes       Changes                 `json:"changes"` // between the newest states of the two

	Rates *timeline.Joined `json:"-"` // when revisions were written; nil where that is not known
}

// Changes are the objects that differ between two states, without noise.
type Changes struct {
	Summary []string `json:"summary"`
	Objects []Change `json:"objects"`
}

// Change is an object that differs.
type Change struct {
	What      string `json:"what"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Before    int64  `json:"before"` // mod revisions, 0 where it is not there
	After     int64  `json:"after"`
	Note      string `json:"note,omitempty"`
}

// Text writes the parts one after another.
func (r *Report) Text(w *Printer) {
	for i, part := range []struct {
		title string
		text  func(*Printer)
	}{
		{"Prediction", (&Prediction{Prediction: r.Prediction}).Text},
		{"Plans", (&PlanComparison{r.Plans}).Text},
		{"Preflight", r.Preflight.Text},
		{"What changed", r.Changes.text},
		{"Runbook", r.Runbook.Text},
	} {
		if i > 0 {
			w.Line("")
		}
		w.Line("=== %s", part.title)
		w.Line("")
		part.text(w)
	}
}

// text lists what differs.
func (c *Changes) text(w *Printer) {
	for _, line := range c.Summary {
		w.Wrapped("", textWidth, line)
	}
	if len(c.Objects) == 0 {
		return
	}
	w.Line("")
	rows := make([][]string, len(c.Objects))
	for i := range c.Objects {
		rows[i] = c.Objects[i].cells()
	}
	w.Table([]string{"WHAT", "RESOURCE", "NAMESPACE", "NAME", "BEFORE", "AFTER", "NOTE"}, rows, nil)
}

func (c *Change) cells() []string {
	return []string{c.What, c.Resource, words.OrDash(c.Namespace), c.Name, words.NumberOrDash(c.Before), words.NumberOrDash(c.After), c.Note}
}

// Page writes the report as one page.
func (r *Report) Page(w *Printer) {
	p, plans := &Prediction{Prediction: r.Prediction}, &PlanComparison{r.Plans}
	severity, headline := p.Headline()
	head := page.Head{
		Kind: "Restore report", About: append(about(r.Evidence), "plan: "+planText(r.Prediction.Plan)), Mark: marks[severity], Verdict: headline,
		Verdicts: []string{plans.Reason, "Preflight: " + r.Preflight.Headline, r.Runbook.Summary.Does},
	}
	head.Mark = max(head.Mark, marks[severityOf(r.Preflight.Grade)])
	of := map[string]page.Section{}
	for _, s := range p.sections(w) {
		of[s.Title] = s
	}
	take := func(titles ...string) (list []page.Section) {
		for _, title := range titles {
			if s, ok := of[title]; ok {
				list = append(list, s)
			}
		}
		return list
	}
	sections := w.sections(page.Section{ID: "plans", Title: "Plans side by side", Write: func() {
		plans.plans(w)
		w.sheet.flush()
		w.sheet.page.El("p", "", words.LikelyText)
	}})
	sections = append(sections, take("Outcomes", "What to do")...)
	preflight := r.Preflight.sections(w)
	sections = append(sections, w.sections(preflight[0])...)
	sections = append(sections, take("Revisions")...)
	sections = append(sections, w.sections(page.Section{ID: "rate", Title: "Rate", Write: when(r.Rates != nil && len(r.Rates.Rates) > 0, func() { r.rate(w) })})...)
	sections = append(sections, take("Nodes", "Pods", "Workloads", "API servers", "What else goes back in time")...)
	sections = append(sections, w.sections(page.Section{ID: "changes", Title: "What changed", Write: func() { r.Changes.page(w) }})...)
	runbook := r.Runbook.sections(w)
	sections = append(sections, w.sections(runbook[:len(runbook)-1]...)...)
	sections = append(sections, w.sections(preflight[1])...)
	sections = append(sections, take("Limits of this prediction", "What the outcomes mean")...)
	sections = append(sections, w.sections(page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
		p.facts(w)
		w.sheet.flush()
		w.custody(r.Evidence)
	}})...)
	w.sheet.page.Write(head, toolLine(r.Tool), sections)
}

// page lists what differs, in a table that can be filtered.
func (c *Changes) page(w *Printer) {
	for _, line := range c.Summary {
		w.sheet.page.El("p", "", line)
	}
	if len(c.Objects) == 0 {
		return
	}
	rows := make([]page.Row, len(c.Objects))
	for i := range c.Objects {
		rows[i].Cells = c.Objects[i].cells()
	}
	w.sheet.page.Table("objects", "Objects that differ", []page.Column{{Title: "what"}, {Title: "resource"}, {Title: "namespace"}, {Title: "name"}, {Title: "before", Number: true}, {Title: "after", Number: true}, {Title: "note", Wide: true}}, rows)
}

// Difference is what differs between two states, for a page.
type Difference struct {
	Tool     restore.Tool
	Evidence []restore.Evidence
	Changes  Changes
	Fields   []Fields
}

// Fields are what differs of an object, line by line.
type Fields struct{ Title, Text string }

// Page writes the difference as a page.
func (d *Difference) Page(w *Printer) {
	head := page.Head{Kind: "Difference", About: about(d.Evidence), Verdict: d.Changes.Summary[0], Verdicts: d.Changes.Summary[1:]}
	w.sheet.page.Write(head, toolLine(d.Tool), w.sections(
		page.Section{ID: "objects", Title: "Objects", Write: when(len(d.Changes.Objects) > 0, func() { (&Changes{Objects: d.Changes.Objects}).page(w) })},
		page.Section{ID: "fields", Title: "Fields", Write: when(len(d.Fields) > 0, func() {
			for i := range d.Fields {
				w.sheet.page.El("h3", "", d.Fields[i].Title)
				w.sheet.page.Lines(d.Fields[i].Text)
			}
		})},
		page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
			for i := range d.Evidence {
				evidenceLine(w, &d.Evidence[i])
			}
			w.sheet.flush()
			w.custody(d.Evidence)
		}},
	))
}

// Timeline is revisions in order, for a page.
type Timeline struct {
	Tool     restore.Tool
	Evidence []restore.Evidence
	Notes    []string   // what the list cannot show
	Rows     [][]string // revision, from, to, verb, namespace, object, who, what
}

// Page writes the timeline as a page.
func (t *Timeline) Page(w *Printer) {
	rows := make([]page.Row, len(t.Rows))
	for i := range t.Rows {
		rows[i].Cells = t.Rows[i]
	}
	head := page.Head{Kind: "Timeline", About: about(t.Evidence), Verdict: words.Count(len(rows), "revision") + ", the oldest first", Verdicts: t.Notes}
	if len(t.Notes) > 0 {
		head.Mark = page.Warn
	}
	w.sheet.page.Write(head, toolLine(t.Tool), w.sections(
		page.Section{ID: "revisions", Title: "Revisions", Write: when(len(rows) > 0, func() {
			w.sheet.page.Table("timeline", "Every revision in order: when, what, and by whom", []page.Column{{Title: "revision"}, {Title: "from"}, {Title: "to"}, {Title: "verb"}, {Title: "namespace"}, {Title: "object"}, {Title: "who"}, {Title: "what", Wide: true}}, rows)
		})},
		page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
			for i := range t.Evidence {
				evidenceLine(w, &t.Evidence[i])
			}
			w.sheet.flush()
			w.custody(t.Evidence)
		}},
	))
}

// rate plots how many revisions a second were written.
func (r *Report) rate(w *Printer) {
	const clock = "15:04:05Z"
	rates := r.Rates.Rates
	head := r.Rates.Heads[0].From
	most, known := 0.0, false
	bars := make([]page.Bar, len(rates))
	for i, part := range rates {
		bars[i] = page.Bar{Value: part.Expected, Known: part.Known, Says: fmt.Sprintf("%s to %s: not known", part.From.UTC().Format(clock), part.To.UTC().Format(clock))}
		if !part.Known {
			continue
		}
		known, most = true, max(most, part.Expected)
		bars[i].Says = fmt.Sprintf("%s to %s: about %s a second", part.From.UTC().Format(clock), part.To.UTC().Format(clock), words.Rate(part.Expected))
		if !head.IsZero() && part.From.After(head) {
			bars[i].Mark = page.Warn
		}
	}
	if !known {
		w.sheet.page.El("p", "", "Too few revisions are dated to draw how fast they were written.")
		return
	}
	from, to := rates[0].From.UTC(), rates[len(rates)-1].To.UTC()
	length := to.Sub(from) / time.Duration(len(rates))
	says := fmt.Sprintf("Revisions a second, %s to %s, in parts of %s: at most about %s. Within a part, and between known times, writes are taken to be even.",
		from.Format("2006-01-02 "+clock), to.Format("2006-01-02 "+clock), words.Duration(length), words.Rate(most))
	if !head.IsZero() {
		says += fmt.Sprintf(" The backup's newest revision %s was written %s.", words.Number(r.Prediction.Revisions.Backup), r.Rates.Heads[0])
	}
	w.sheet.page.Bars(bars, words.Rate(most)+"/s", from.Format(clock), to.Format(clock), says)
}
