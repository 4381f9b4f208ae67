package report

import (
	"cmp"
	"fmt"

	"revenant/analyzer/restore"
)

// StatementType and PredicateType say what an attestation is.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "urn:revenant:examination:v1"
)

// Statement is an in-toto statement (in-toto/attestation, spec/v1/statement.md): who
// examined what, with what, and what came of it. It is not signed.
type Statement struct {
	Type          string      `json:"_type"`
	Subject       []Subject   `json:"subject"` // the evidence, then the reports
	PredicateType string      `json:"predicateType"`
	Predicate     Examination `json:"predicate"`
}

// Subject is a file by its content.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// Examination is the predicate.
type Examination struct {
	Tool      restore.Tool       `json:"tool"`
	Arguments []string           `json:"arguments"` // as they were typed
	Verdict   Verdict            `json:"verdict"`
	Evidence  []restore.Evidence `json:"evidence"` // with its custody
}

// Verdict is the first thing that a report says.
type Verdict struct {
	Severity restore.Severity `json:"severity"`
	Text     string           `json:"text"`
}

// Attested is a document of which a statement can be written.
type Attested interface {
	Examined() (restore.Tool, []restore.Evidence, Verdict)
}

// Attest returns the statement of a document and of the files that it was written to. It
// refuses evidence that was not hashed.
func Attest(doc Attested, written []Subject) (*Statement, error) {
	tool, evidence, verdict := doc.Examined()
	s := &Statement{Type: StatementType, PredicateType: PredicateType, Predicate: Examination{Tool: tool, Verdict: verdict, Evidence: evidence, Arguments: []string{}}}
	for i := range evidence {
		c := &evidence[i].Custody
		s.Predicate.Arguments = c.Arguments
		for _, f := range c.Files {
			if f.SHA256 == "" {
				return nil, fmt.Errorf("%s was not hashed, and an attestation names its subjects by SHA-256", f.Path)
			}
			s.Subject = append(s.Subject, Subject{f.Path, map[string]string{"sha256": f.SHA256}})
		}
	}
	s.Subject = append(s.Subject, written...)
	return s, nil
}

// Examined is what a statement has of the prediction.
func (p *Prediction) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	severity, text := p.Headline()
	return p.Tool, p.Evidence, Verdict{severity, text}
}

// Examined is what a statement has of the comparison.
func (c *PlanComparison) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	text := c.Reason
	if len(c.Missing) > 0 {
		text = c.missingText() + " " + text
	}
	return c.Tool, c.Evidence, Verdict{c.Modes[c.LeastHarm].Severity, text}
}

// Examined is what a statement has of the runbook.
func (r *Runbook) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	return r.Tool, r.Evidence, Verdict{restore.OK, cmp.Or(r.Predicted, r.Summary.Does)}
}

// Examined is what a statement has of the checks.
func (f *Preflight) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	return f.Tool, f.Evidence, Verdict{severityOf(f.Grade), f.Headline}
}

// Examined is what a statement has of the verification.
func (v *Verification) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	severity, text := v.headline()
	return v.Tool, v.Evidence, Verdict{cmp.Or(severity, restore.OK), text}
}

// Examined is what a statement has of the inspection: the grade of each file.
func (in *Inspection) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	v := Verdict{Severity: restore.OK}
	for i := range in.Evidence {
		e := &in.Evidence[i]
		if e.Damaged() {
			v.Severity = restore.Critical
		}
		if i > 0 {
			v.Text += "; "
		}
		v.Text += e.Path + ": " + e.gradeText()
	}
	return in.Tool, in.evidence(), v
}

// Examined is what a statement has of the report: the prediction, and what preflight found.
func (r *Report) Examined() (restore.Tool, []restore.Evidence, Verdict) {
	severity, text := r.Prediction.Headline()
	if s := severityOf(r.Preflight.Grade); s.Rank() < severity.Rank() {
		severity = s
	}
	return r.Tool, r.Evidence, Verdict{severity, text + " Preflight: " + r.Preflight.Headline}
}
