package report

import (
	"fmt"
	"slices"

	"revenant/analyzer/finding"
	"revenant/analyzer/rollback"
	"revenant/internal/words"
)

// listedFindings is how many findings of one sort the text shows without all.
const listedFindings = 5

// rollbackText writes what goes back in time beside the pods: the resources of
// which something does, then the findings, worst first. With all it shows what
// happens all the time, too, and every finding there is. lacking says that evidence is
// missing.
func rollbackText(w *Printer, r *rollback.Rollback, lacking, all bool) {
	w.Line("What else goes back in time")
	if len(r.Findings) == 0 && !slices.ContainsFunc(r.Kinds, func(k rollback.Kind) bool { return k.Changed() }) {
		if lacking {
			w.Line("  Nothing of what the evidence has, and some is missing.")
		} else {
			w.Line("  Nothing: the two snapshots hold the same.")
		}
		return
	}
	rollbackKinds(w, r.Kinds, all)
	listed := map[rollback.ID]int{}
	calm := 0
	for i := 0; i < len(r.Findings); {
		group := r.Findings[i:]
		if end := slices.IndexFunc(group, func(f rollback.Finding) bool { return !sameSort(&f, &group[0]) }); end > 0 {
			group = group[:end]
		}
		i += len(group)
		listed[group[0].ID] += len(group)
		if all || group[0].Severity != finding.OK {
			rollbackFindings(w, group, all)
		} else {
			calm += len(group)
		}
	}
	rollbackLeft(w, r, listed, calm)
}

// rollbackLeft tells which findings are not in the text.
func rollbackLeft(w *Printer, r *rollback.Rollback, listed map[rollback.ID]int, calm int) {
	var lines []string
	for _, info := range rollback.Infos {
		if more := r.Summary[info.ID] - listed[info.ID]; more > 0 {
			lines = append(lines, fmt.Sprintf("%s: %s more were only counted.", info.ID, words.Number(more)))
		}
	}
	if calm > 0 {
		lines = append(lines, words.CountOf(calm, "finding needs no attention; --all lists it.", "findings need no attention; --all lists them."))
	}
	if len(lines) > 0 {
		w.Line("")
	}
	for _, line := range lines {
		w.Line("%s", line)
	}
}

// sameSort says whether two findings read the same but for what they are about.
func sameSort(a, b *rollback.Finding) bool {
	return a.ID == b.ID && a.Severity == b.Severity && a.Certainty == b.Certainty && a.Inferred == b.Inferred && a.Action == b.Action
}

func rollbackKinds(w *Printer, kinds []rollback.Kind, all bool) {
	header := []string{"RESOURCE", "LOST", "BACK", "REPLACED", "ROLLED BACK", "STATUS ONLY", "UNCHANGED"}
	var rows [][]string
	same := 0
	for i := range kinds {
		k := &kinds[i]
		if !all && (!k.Changed() || k.Resource == "events") {
			same++
			continue
		}
		row := []string{k.Resource}
		for _, n := range []int{k.Lost, k.Resurrected, k.Replaced, k.RolledBack, k.StatusOnly, k.Unchanged + k.Heartbeats} {
			row = append(row, words.NumberOrDash(n))
		}
		rows = append(rows, row)
	}
	if len(rows) > 0 {
		w.Table(header, rows, nil)
	}
	if same > 0 {
		w.Line("%s more resources do not differ in anything that lasts.", words.Number(same))
	}
}

// rollbackFindings writes findings of one sort.
func rollbackFindings(w *Printer, list []rollback.Finding, all bool) {
	f := &list[0]
	info := rollback.Infos[slices.IndexFunc(rollback.Infos, func(i rollback.Info) bool { return i.ID == f.ID })]
	w.Line("")
	w.title(f.Severity, string(f.ID), fmt.Sprintf(": %s (%s, %s)", info.Title, f.Severity, f.Certainty))
	w.Wrapped("  ", textWidth, info.Explains)
	if f.Inferred != "" {
		w.Wrapped("  ", textWidth, "Inferred: "+f.Inferred)
	}
	w.Wrapped("  ", textWidth, "To do: "+f.Action)
	shown := list
	if !all {
		shown = shown[:min(len(shown), listedFindings)]
	}
	for i := range shown {
		w.Wrapped("    ", textWidth, fmt.Sprintf("- %s: %s", findingObject(&shown[i]), shown[i].Reason))
	}
	if more := len(list) - len(shown); more > 0 {
		w.Line("    - and %s more; --all lists them", words.Number(more))
	}
}

// findingObject names what a finding is about, as kubectl takes it.
func findingObject(f *rollback.Finding) string {
	switch {
	case f.Name == "":
		return f.Kind
	case f.Namespace == "":
		return f.Kind + "/" + f.Name
	}
	return fmt.Sprintf("%s/%s in %s", f.Kind, f.Name, f.Namespace)
}
