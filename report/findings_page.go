package report

import (
	"fmt"
	"path/filepath"
	"slices"

	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/report/page"
)

// Page writes the checks as a page.
func (f *Preflight) Page(w *Printer) {
	w.sheet.page.Write(page.Head{Kind: "Preflight", About: about(f.Evidence), Mark: marks[severityOf(f.Grade)], Verdict: f.Headline}, toolLine(f.Tool), w.sections(f.sections(w)...))
}

func (f *Preflight) sections(w *Printer) []page.Section {
	return []page.Section{
		{ID: "attention", Title: "What does not pass", Write: when(len(f.failing()) > 0, func() { f.attention(w) })},
		{ID: "checks", Title: "All checks", Write: func() {
			for _, g := range preflight.Groups {
				f.group(w, g.ID, g.Title)
			}
		}},
		{ID: "evidence", Title: "Evidence and custody", Write: func() {
			f.facts(w)
			w.sheet.flush()
			w.custody(f.Evidence)
		}},
	}
}

// group lists the checks of a group.
func (f *Preflight) group(w *Printer, id preflight.Group, title string) {
	var rows []page.Row
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Group != id {
			continue
		}
		verdict, mark := string(c.Verdict), marks[severityOf(c.Verdict)]
		if c.Verdict == preflight.Pass {
			mark = page.Good
		}
		if c.Counts != c.Verdict {
			verdict += fmt.Sprintf(" (counts as %s)", c.Counts)
		}
		if c.Counts == preflight.Ignored {
			mark = page.None
		}
		rows = append(rows, page.Row{Mark: mark, Cells: []string{verdict, string(c.ID), c.Reason}})
	}
	w.sheet.page.Table("checks", title, []page.Column{{Title: "verdict"}, {Title: "check"}, {Title: "what was found", Wide: true}}, rows)
}

// failing are the checks that do not pass and are not ignored, the worst first.
func (f *Preflight) failing() (list []*preflight.Check) {
	for i := range f.Checks {
		if c := &f.Checks[i]; c.Verdict != preflight.Pass && c.Counts != preflight.Ignored {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *preflight.Check) int { return b.Counts.Rank() - a.Counts.Rank() })
	return list
}

// attention lists the checks that do not pass, why they matter and what to do.
func (f *Preflight) attention(w *Printer) {
	for _, c := range f.failing() {
		w.title(severityOf(c.Verdict), fmt.Sprintf("%s: %s", c.Verdict, c.ID), "")
		w.Wrapped("  ", textWidth, c.Reason)
		w.Wrapped("  ", textWidth, c.Why)
		w.Wrapped("  ", textWidth, "To do: "+c.Action)
	}
}

// Page writes the verification as a page.
func (v *Verification) Page(w *Printer) {
	severity, headline := v.headline()
	w.sheet.page.Write(page.Head{Kind: "Verification", About: append(about(v.Evidence), "held against: "+v.API), Mark: marks[severity], Verdict: headline}, toolLine(v.Tool), w.sections(
		page.Section{ID: "findings", Title: "Findings", Write: when(len(v.Findings) > 0, func() { v.findings(w) })},
		page.Section{ID: "nodes", Title: "Nodes", Write: func() {
			v.servers(w)
			v.nodes(w)
		}},
		page.Section{ID: "limits", Title: "Limits of this comparison", Write: when(len(v.Notes) > 0, func() { w.sheet.page.Bullets(v.Notes) })},
		page.Section{ID: "prediction", Title: "Against the prediction", Write: when(v.Prediction != nil, func() { v.prediction(w) })},
		page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
			v.facts(w)
			w.sheet.flush()
			w.custody(v.Evidence)
		}},
	))
}

// Page writes the inspection as a page.
func (in *Inspection) Page(w *Printer) {
	head := page.Head{Kind: "Inspection", About: about(in.evidence())}
	for i := range in.Evidence {
		e := &in.Evidence[i]
		text := filepath.Base(e.Path) + ": " + e.gradeText()
		switch e.Grade {
		case Broken, Wreck:
			head.Mark = page.Bad
		}
		if i == 0 {
			head.Verdict = text
		} else {
			head.Verdicts = append(head.Verdicts, text)
		}
	}
	var sections []page.Section
	for i := range in.Evidence {
		e := &in.Evidence[i]
		sections = append(sections, page.Section{ID: page.Number(i + 1), Title: e.Path, Write: func() {
			e.fields(w)
			w.sheet.flush()
			e.problems(w)
		}})
	}
	sections = append(sections,
		page.Section{ID: "agreement", Title: "Agreement", Write: when(len(in.Agreement) > 0, func() { in.agreementText(w) })},
		page.Section{ID: "custody", Title: "Custody", Write: func() { w.custody(in.evidence()) }})
	w.sheet.page.Write(head, toolLine(in.Tool), w.sections(sections...))
}

// problems lists all that is wrong with a file.
func (e *InspectedEvidence) problems(w *Printer) {
	if len(e.Problems) == 0 {
		return
	}
	rows := make([]page.Row, len(e.Problems))
	for i, p := range e.Problems {
		mark := page.None
		if p.Severity == snapshot.Damage {
			mark = page.Bad
		}
		rows[i] = page.Row{Mark: mark, Cells: []string{string(p.Severity), p.Where, p.What, p.Cost}}
	}
	w.sheet.page.Table("", words.Count(len(rows), "problem"), []page.Column{{Title: "severity"}, {Title: "where"}, {Title: "what", Wide: true}, {Title: "cost"}}, rows)
}

// evidence is that of all files.
func (in *Inspection) evidence() []restore.Evidence {
	list := make([]restore.Evidence, len(in.Evidence))
	for i := range in.Evidence {
		list[i] = in.Evidence[i].Evidence
	}
	return list
}
