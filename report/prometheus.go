package report

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// family writes the samples of a metric in the text format of Prometheus. All have the
// same first labels; one without a value is none.
func (p *Printer) family(name, help string, samples ...sample) {
	samples = slices.DeleteFunc(samples, func(s sample) bool { return s.value == "" })
	if len(samples) == 0 {
		return
	}
	fmt.Fprintf(p.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	for _, s := range samples {
		fmt.Fprintf(p.w, "%s{%s} %s\n", name, strings.Join(s.labels, ","), s.value)
	}
}

// sample is a value with its labels; "" is none.
type sample struct {
	value  string
	labels []string
}

func number[T int | int64 | float64](n *T, labels ...string) sample {
	if n == nil {
		return sample{}
	}
	return sample{fmt.Sprint(*n), labels}
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// label is a label of the text format. What cannot stand in UTF-8 or steers a terminal
// is escaped first.
func label(name, value string) string {
	return name + `="` + labelEscapes.Replace(strings.ToValidUTF8(sanitize.Line(value), "\uFFFD")) + `"`
}

// backupLabel names the backup of the evidence.
func backupLabel(list []restore.Evidence) string {
	for i := range list {
		if e := &list[i]; e.Role == string(restore.InBackup) {
			return label("backup", e.Path)
		}
	}
	return label("backup", "")
}

// Prometheus writes how many pods come to what, and the revisions that decide, for the
// textfile collector of Prometheus' node exporter.
func (p *Prediction) Prometheus(w *Printer) {
	backup := backupLabel(p.Evidence)
	const name = "revenant_predict_"
	severity, _ := p.Headline()
	w.family(name+"severity", "How severe the headline is: 0 ok, 1 warning, 2 critical.", number(new(max(int(marks[severity])-1, 0)), backup))
	certain := map[restore.Outcome]int{}
	for i := range p.Pods {
		if o := &p.Pods[i]; o.Certainty == restore.Certain {
			certain[o.Outcome]++
		}
	}
	var pods []sample
	for _, o := range restore.Outcomes {
		outcome := label("outcome", string(o.ID))
		pods = append(pods, number(new(certain[o.ID]), backup, outcome, label("certain", "true")), number(new(p.Summary[o.ID]-certain[o.ID]), backup, outcome, label("certain", "false")))
	}
	w.family(name+"pods", "Pods by what becomes of them under the plan.", pods...)
	kubelets := map[restore.Kubelet]int{}
	for i := range p.Nodes {
		kubelets[p.Nodes[i].Kubelet]++
	}
	var nodes []sample
	for _, k := range []restore.Kubelet{restore.KubeletDeaf, restore.KubeletRelists, restore.KubeletRestarted, restore.KubeletStale, restore.KubeletGone} {
		nodes = append(nodes, number(new(kubelets[k]), backup, label("kubelet", string(k))))
	}
	w.family(name+"nodes", "Nodes by what their kubelet does.", nodes...)
	if p.Plan.Onto != "" {
		return
	}
	r := &p.Revisions
	w.family(name+"gap_revisions", "How many revisions the restore undoes.", number(&r.Gap, backup))
	w.family(name+"backup_revision", "The newest revision of the backup.", number(&r.Backup, backup))
	w.family(name+"current_revision", "The newest revision of the current state.", number(&r.Current, backup))
	w.family(name+"restored_revision", "The revision right after the restore.", number(&r.Restored, backup))
	w.family(name+"last_seen_at_most_revision", "The newest revision that a watcher has seen, at most.", number(&r.LastSeenAtMost, backup))
	if r.NoBumpFits == "" {
		w.family(name+"minimum_bump_revisions", "The smallest bump that passes all that is known to have been served.", number(&r.MinimumSafeBump, backup))
		w.family(name+"recommended_bump_revisions", "The recommended bump.", number(&r.RecommendedBump, backup))
	}
}

// Prometheus writes what each file is, for the textfile collector of Prometheus' node
// exporter.
func (in *Inspection) Prometheus(w *Printer) {
	const name = "revenant_inspect_"
	var files []*InspectedEvidence // each once: no two samples may have the same labels
	for i := range in.Evidence {
		e := &in.Evidence[i]
		if !slices.ContainsFunc(files, func(o *InspectedEvidence) bool { return label("file", o.Path) == label("file", e.Path) }) {
			files = append(files, e)
		}
	}
	of := func(value func(*InspectedEvidence) (int64, bool)) (list []sample) {
		for _, e := range files {
			if n, ok := value(e); ok {
				list = append(list, number(&n, label("file", e.Path)))
			}
		}
		return list
	}
	always := func(value func(*InspectedEvidence) int64) []sample {
		return of(func(e *InspectedEvidence) (int64, bool) { return value(e), true })
	}
	grades := []Grade{Whole, Unverified, Broken, Wreck}
	w.family(name+"grade", "What is known of the file: 0 whole, 1 unverified, 2 damaged, 3 wreck.", always(func(e *InspectedEvidence) int64 { return int64(slices.Index(grades, e.Grade)) })...)
	w.family(name+"revision", "The newest revision.", always(func(e *InspectedEvidence) int64 { return e.Revision })...)
	w.family(name+"compact_revision", "The compact revision, 0 for never compacted.", of(func(e *InspectedEvidence) (int64, bool) { return e.CompactRevision, !e.CompactUnknown })...)
	w.family(name+"size_bytes", "The size of the db.", always(func(e *InspectedEvidence) int64 { return e.Custody.SizeBytes })...)
	w.family(name+"records", "Revisions kept, puts and tombstones.", always(func(e *InspectedEvidence) int64 { return int64(e.Records) })...)
	w.family(name+"live_keys", "Keys of the state that was read.", always(func(e *InspectedEvidence) int64 { return int64(e.LiveKeys) })...)
	w.family(name+"taken_timestamp_seconds", "When the snapshot was taken, at the earliest.", of(func(e *InspectedEvidence) (int64, bool) {
		return e.Clock.Taken.From.Unix(), !e.Clock.Taken.From.IsZero()
	})...)
	var problems []sample
	for _, e := range files {
		damage := 0
		for _, p := range e.Problems {
			if p.Severity == snapshot.Damage {
				damage++
			}
		}
		problems = append(problems, number(&damage, label("file", e.Path), label("severity", "damage")), number(new(len(e.Problems)-damage), label("file", e.Path), label("severity", "note")))
	}
	w.family(name+"problems", "Problems of the file.", problems...)
}
