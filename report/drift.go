package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/drift"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Verification is what `revenant verify` finds.
type Verification struct {
	SchemaVersion int                `json:"schemaVersion"` // 1
	Kind          string             `json:"kind"`          // Verification
	Tool          restore.Tool       `json:"tool"`
	Evidence      []restore.Evidence `json:"evidence"`
	// API says what the nodes were held against: the snapshot, or kubectl's list.
	API string `json:"api"`
	*drift.Report
	Prediction *drift.Outcome `json:"prediction,omitempty"` // how a saved prediction came out
}

// Text writes the verification for people.
func (v *Verification) Text(w *Printer) {
	v.facts(w)
	w.Line("")
	w.verdict(v.headline())
	w.Line("")
	v.servers(w)
	v.nodes(w)
	v.findings(w)
	v.notes(w)
	v.prediction(w)
}

// facts are what the verification rests on.
func (v *Verification) facts(w *Printer) {
	for i := range v.Evidence {
		evidenceLine(w, &v.Evidence[i])
	}
	w.Field("held against", v.API)
}

// nodes lists what was found by node.
func (v *Verification) nodes(w *Printer) {
	var rows [][]string
	var severities []restore.Severity
	for _, n := range v.Nodes {
		severity, seen := restore.OK, n.Seen
		switch {
		case len(n.Unread) > 0:
			severity, seen = restore.Warning, append(slices.Clip(seen), "not read in full")
		case n.Silent:
			severity, seen = restore.Warning, append(slices.Clip(seen), "kubelet does not answer")
		case len(seen) == 0:
			severity, seen = restore.Warning, []string{"nobody looked"}
		case n.Strays > 0:
			severity = restore.Warning
		}
		if n.Phantoms+n.Ghosts+n.Doubles > 0 {
			severity = restore.Critical
		}
		severities = append(severities, severity)
		rows = append(rows, []string{n.Name, words.Number(n.Running), words.Number(n.Phantoms), words.Number(n.Ghosts), words.Number(n.Doubles), words.Number(n.Strays), strings.Join(seen, ", ")})
	}
	w.Table([]string{"NODE", "RUNNING", "PHANTOMS", "GHOSTS", "DOUBLES", "STRAYS", "SEEN BY"}, rows, severities)
}

// notes are what the comparison rests on beyond single findings.
func (v *Verification) notes(w *Printer) {
	for i, note := range v.Notes {
		if i == 0 {
			w.Line("")
			w.Line("Limits of this comparison")
		}
		w.Wrapped("  ", textWidth, "- "+note)
	}
}

// headline says what was found, and how severe that is.
func (v *Verification) headline() (restore.Severity, string) {
	var parts []string
	var severity restore.Severity
	for _, k := range drift.Kinds {
		if n := v.Summary[k.ID]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", words.Number(n), k.ID))
			severity = cmp.Or(severity, k.Severity)
		}
	}
	switch {
	case len(parts) > 0:
		return severity, "Found: " + strings.Join(parts, ", ") + "."
	case slices.ContainsFunc(v.Evidence, func(e restore.Evidence) bool { return len(e.Missing) > 0 }):
		return restore.Warning, "Nothing was found on the nodes that were looked at. But evidence is missing, as its own lines say: what the API has may be more, or less."
	}
	return severity, "Nothing runs that the API does not have, and everything runs that it has, on the nodes that were looked at."
}

// servers lists the API servers, where there are several.
func (v *Verification) servers(w *Printer) {
	if len(v.Servers) < 2 {
		return
	}
	var rows [][]string
	var severities []restore.Severity
	for _, s := range v.Servers {
		severity := restore.OK
		if s.Differs > s.AsSnapshot {
			severity = restore.Critical
		}
		severities = append(severities, severity)
		rows = append(rows, []string{s.Name, words.Number(s.Pods), words.Number(s.Differs), words.Number(s.AsSnapshot)})
	}
	w.Table([]string{"API SERVER", "PODS", "DIFFERENT", "AS THE SNAPSHOT"}, rows, severities)
	w.Line("")
}

// findings lists what was found, by kind, each with what cleans it up.
func (v *Verification) findings(w *Printer) {
	for _, k := range drift.Kinds {
		if v.Summary[k.ID] == 0 {
			continue
		}
		w.Line("")
		w.Line("%s: %s", string(k.ID), k.Title)
		action := ""
		for _, f := range v.Findings {
			if f.Kind != k.ID {
				continue
			}
			if f.Action != action {
				action = f.Action
				w.Wrapped("  ", textWidth, "To do: "+action)
			}
			if f.Name == "" {
				w.Line("  * %s  (%s)", f.Node, string(f.Certainty))
			} else {
				w.Line("  * %s  %s/%s  %s  (%s)", cmp.Or(f.Node, "no node"), f.Namespace, f.Name, f.UID, string(f.Certainty))
			}
			w.Wrapped("      ", textWidth, f.Reason)
			if f.Command != "" {
				w.whole("      %s", f.Command)
			}
		}
	}
}

// prediction says what came out otherwise than predicted.
func (v *Verification) prediction(w *Printer) {
	o := v.Prediction
	if o == nil {
		return
	}
	w.Line("")
	w.Line("Against the prediction: %s came true, %s did not happen, %s were not predicted", words.Number(o.CameTrue), words.Number(len(o.DidNotHappen)), words.Number(len(o.NotPredicted)))
	if o.NotLookedAt > 0 {
		w.Line("%s more were predicted on nodes that nobody looked at.", words.Number(o.NotLookedAt))
	}
	for _, d := range o.DidNotHappen {
		w.Wrapped("  ", textWidth, fmt.Sprintf("- %s/%s on %s was predicted as %s (%s): %s", d.Namespace, d.Name, d.Node, d.Predicted, d.Certainty, d.Found))
	}
	for _, d := range o.NotPredicted {
		w.Wrapped("  ", textWidth, fmt.Sprintf("- %s/%s on %s is %s; predicted was %s", d.Namespace, d.Name, d.Node, d.Found, d.Predicted))
	}
}
