package report

import (
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/analyzer/ties"
	"revenant/internal/words"
)

// headOnto is the head of a prediction for other machines.
func (p *Prediction) headOnto(w *Printer) {
	for i := range p.Evidence {
		evidenceLine(w, &p.Evidence[i])
	}
	w.Field("plan", planText(p.Plan))
	w.wrappedField("kubernetes", kubernetesText(&p.Kubernetes))
	w.Field("restored to", "revision "+words.Number(p.Revisions.Restored))
}

// nextOnto says when a bump is needed, and where the steps are.
func (p *Prediction) nextOnto(w *Printer) {
	if len(p.Pods) > 0 {
		w.Line("")
		w.Line("The pods")
		w.Wrapped("  ", textWidth, "Delete them with the old Node objects before controllers start. Controllers then make others, and the scheduler places those on the new nodes; a pod without a controller has to be created again.")
	}
	w.Line("")
	w.Line("Bump")
	w.Wrapped("  ", textWidth, p.Revisions.BumpReason)
	w.Line("")
	w.Line("The steps")
	w.Line("    revenant plan BACKUP --onto %s --platform PLATFORM", p.Plan.Onto)
}

// tiesText writes what binds the backup to its machines, network and accounts, worst
// first.
func tiesText(w *Printer, t *ties.Ties, all bool) {
	w.Line("")
	w.Line("What binds the backup to its machines, network and accounts")
	for _, k := range t.Machines {
		w.Line("  %s: %s below %s", k.What, words.Number(k.Count), k.Prefix)
	}
	for _, info := range ties.Infos {
		list := t.Of(info.ID)
		if len(list) == 0 {
			continue
		}
		w.Line("")
		w.title(info.Severity, fmt.Sprintf("%s: %s", info.ID, info.Title), "")
		w.Wrapped("  ", textWidth, info.Explains)
		shown := list
		if !all && len(shown) > listedFindings {
			shown = shown[:listedFindings]
		}
		for i := range shown {
			w.Wrapped("    ", textWidth, strings.TrimPrefix(shown[i].Object()+": "+shown[i].Detail, ": "))
		}
		if n := t.Summary[info.ID] - len(shown); n > 0 {
			how := ""
			if !all && len(list) > len(shown) {
				how = "; --all lists them"
			}
			w.Line("    and %s more%s", words.Number(n), how)
		}
		w.Wrapped("  ", textWidth, "To do: "+info.Remedy)
	}
}

// ontoText is how a plan for other machines is called.
func ontoText(p restore.Plan) string {
	bump := "no bump"
	if p.BumpRevision > 0 {
		bump = fmt.Sprintf("--bump-revision %d --mark-compacted", p.BumpRevision)
	}
	return fmt.Sprintf("onto %s, %s", strings.ReplaceAll(string(p.Onto), "-", " "), bump)
}
