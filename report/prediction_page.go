package report

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/report/page"
)

// Page writes the prediction as a page: all that its text has, every pod, and pictures
// of the revisions and of the nodes.
func (p *Prediction) Page(w *Printer) {
	severity, headline := p.Headline()
	w.sheet.page.Write(page.Head{Kind: "Prediction", About: about(p.Evidence), Mark: marks[severity], Verdict: headline}, toolLine(p.Tool), p.sections(w))
}

func toolLine(t restore.Tool) string { return t.Name + " " + t.Version }

// sections are the parts of the page.
func (p *Prediction) sections(w *Printer) []page.Section {
	whole := &Prediction{Prediction: p.Prediction, All: true}
	same := p.Plan.Onto == "" // machines
	return w.sections(
		page.Section{ID: "outcomes", Title: "Outcomes", Write: func() { p.summary(w) }},
		page.Section{ID: "next", Title: "What to do", Write: func() {
			if same {
				p.next(w)
			} else {
				p.nextOnto(w)
			}
		}},
		page.Section{ID: "limits", Title: "Limits of this prediction", Write: when(len(p.Warnings) > 0, func() { w.sheet.page.Bullets(p.Warnings) })},
		page.Section{ID: "revisions", Title: "Revisions", Write: when(same, func() { p.ruler(w) })},
		page.Section{ID: "nodes", Title: "Nodes", Write: when(same && len(p.Nodes) > 0, func() { p.nodeMap(w) })},
		page.Section{ID: "pods", Title: "Pods", Write: when(len(p.Pods) > 0, func() { p.podTable(w) })},
		page.Section{ID: "workloads", Title: "Workloads", Write: when(len(p.Workloads) > 0, func() { p.workloadTable(w) })},
		page.Section{ID: "api-servers", Title: "API servers", Write: when(p.serversDiffer(), func() { whole.apiServers(w) })},
		page.Section{ID: "rollback", Title: "What else goes back in time", Write: when(p.Rollback != nil, func() {
			rollbackText(w, p.Rollback, len(p.Missing) > 0, true)
			watchersText(w, p.Rollback.Watchers, true)
		})},
		page.Section{ID: "ties", Title: "What binds the backup", Write: when(p.Ties != nil, func() { tiesText(w, p.Ties, true) })},
		page.Section{ID: "meaning", Title: "What the outcomes mean", Write: when(same && len(p.Pods) > 0, func() { whole.legend(w) })},
		page.Section{ID: "evidence", Title: "Evidence and custody", Write: func() {
			p.facts(w)
			w.sheet.flush()
			w.custody(p.Evidence)
		}},
	)
}

// serversDiffer says whether some pod is shown otherwise by some API server.
func (p *Prediction) serversDiffer() bool {
	return slices.ContainsFunc(p.Pods, func(o restore.PodOutcome) bool { return len(o.Through) > 0 })
}

// ruler draws the revisions of the restore.
func (p *Prediction) ruler(w *Printer) {
	r := &p.Revisions
	spans := []page.Span{
		{Name: "backup", From: 0, To: r.Backup, Text: "revision " + words.Number(r.Backup)},
		{Name: "undone", From: r.Backup, To: r.Current, Mark: page.Warn, Text: undoneText(r.Gap)},
		{Name: "current", From: 0, To: r.Current, Text: "revision " + words.Number(r.Current)},
	}
	says := fmt.Sprintf("The backup is at revision %s, the current state at %s; kubelets have seen up to about %s, at most %s; the restored store starts at %s.",
		words.Number(r.Backup), words.Number(r.Current), words.Number(r.LastSeenExpected), words.Number(r.LastSeenAtMost), words.Number(r.Restored))
	// What would squeeze all else into a corner is not drawn to its end.
	limit := 2 * max(r.Current, 1)
	seen := fmt.Sprintf("up to about %s, at most %s", words.Number(r.LastSeenExpected), words.Number(r.LastSeenAtMost))
	spans = append(spans, page.Span{Name: "kubelets saw", From: 0, To: min(r.LastSeenExpected, limit), Mark: page.None, Text: seen})
	mark := page.Bad
	switch r.BumpVerdict {
	case restore.BumpEnough:
		mark = page.None
	case restore.BumpUnsure:
		mark = page.Warn
	}
	starts := "starts at " + words.Number(r.Restored)
	if r.Restored > limit {
		starts += ", beyond this scale"
	}
	spans = append(spans, page.Span{Name: "restored", From: 0, To: min(r.Restored, limit), Mark: mark, Text: starts})
	w.sheet.page.Ruler(spans, says)
	w.sheet.page.El("p", "", says)
}

// nodeMap draws how many pods of each node come to harm, and lists the nodes.
func (p *Prediction) nodeMap(w *Printer) {
	counts := map[string]*[4]int{}
	for i := range p.Pods {
		o := &p.Pods[i]
		if o.Node == "" {
			continue
		}
		if counts[o.Node] == nil {
			counts[o.Node] = new([4]int)
		}
		counts[o.Node][marks[o.Severity]]++
	}
	var cells []page.Cell
	var rows []page.Row
	for i := range p.Nodes {
		n := &p.Nodes[i]
		c := counts[n.Name]
		if c == nil {
			c = new([4]int)
		}
		said := fmt.Sprintf("kubelet %s (%s), %s critical, %s warning, %s ok", n.Kubelet, n.Certainty, words.Number(c[page.Bad]), words.Number(c[page.Warn]), words.Number(c[page.None]))
		cells = append(cells, page.Cell{Name: n.Name, Text: said, Counts: *c})
		mark := page.None
		if n.Kubelet == restore.KubeletDeaf || n.Kubelet == restore.KubeletStale {
			mark = page.Warn
		}
		if n.Phantoms+n.Ghosts > 0 {
			mark = page.Bad
		}
		flags := make([]string, len(n.Flags))
		for i, f := range n.Flags {
			flags[i] = string(f)
		}
		reason := n.Reason
		if len(flags) > 0 {
			reason += " (" + strings.Join(flags, ", ") + ")"
		}
		rows = append(rows, page.Row{Mark: mark, Cells: []string{n.Name, string(n.Kubelet), string(n.Certainty), words.Number(n.Phantoms), words.Number(n.Ghosts), words.Number(c[0] + c[1] + c[2] + c[3]), reason}})
	}
	w.sheet.page.Map(cells, "Pods of each node by the severity of their outcome, the worst first: critical, warning, ok.")
	w.sheet.page.Table("nodes", "What becomes of each node's kubelet", []page.Column{{Title: "node"}, {Title: "kubelet"}, {Title: "certainty"}, {Title: "phantoms", Number: true}, {Title: "ghosts", Number: true}, {Title: "pods", Number: true}, {Title: "why", Wide: true}}, rows)
	(&Prediction{Prediction: p.Prediction, All: true}).nodes(w)
}

// podTable lists every pod, the worst first, and why.
func (p *Prediction) podTable(w *Printer) {
	list := p.worstFirst(func(*restore.PodOutcome) bool { return true })
	rows := make([]page.Row, len(list))
	for i, o := range list {
		flags := make([]string, len(o.Flags))
		for i, f := range o.Flags {
			flags[i] = string(f)
		}
		why := o.Reason
		if o.Certainty != restore.Certain {
			why += " " + o.CertaintyReason
		}
		if o.Severity == restore.OK && o.Certainty == restore.Certain && len(list) > 5000 {
			why = "" // of many pods that go on as they are, the outcome's meaning says it
		}
		rows[i] = page.Row{Mark: marks[o.Severity], Cells: []string{string(o.Outcome), string(o.Certainty), o.Namespace, o.Name, words.OrDash(o.Node), string(o.Rule), strings.Join(flags, ", "), why}}
	}
	w.sheet.page.Table("pods", "Every pod, the worst outcome first", []page.Column{{Title: "outcome"}, {Title: "certainty"}, {Title: "namespace"}, {Title: "name"}, {Title: "node"}, {Title: "rule"}, {Title: "flags"}, {Title: "why", Wide: true}}, rows)
}

// workloadTable lists every controller's object, the worst first.
func (p *Prediction) workloadTable(w *Printer) {
	list := make([]*restore.WorkloadOutcome, len(p.Workloads))
	for i := range p.Workloads {
		list[i] = &p.Workloads[i]
	}
	slices.SortStableFunc(list, func(a, b *restore.WorkloadOutcome) int { return a.Severity.Rank() - b.Severity.Rank() })
	rows := make([]page.Row, len(list))
	for i, o := range list {
		what := o.Reason
		for _, t := range o.Twice {
			what += " " + twiceText(o, &t)
		}
		if o.Action != "" {
			what += " To do: " + o.Action
		}
		rows[i] = page.Row{Mark: marks[o.Severity], Cells: []string{o.Namespace, o.Kind + "/" + o.Name, words.Number(o.Wanted), words.Number(o.Believed), runningText(o), words.NumberOrDash(o.Recreates), what}}
	}
	w.sheet.page.Table("workloads", "Workloads: pods wanted, believed by the API, really running, and recreated by their controllers", []page.Column{{Title: "namespace"}, {Title: "workload"}, {Title: "wanted", Number: true}, {Title: "believed", Number: true}, {Title: "running", Number: true}, {Title: "new", Number: true}, {Title: "what happens", Wide: true}}, rows)
	if mayRun(list) {
		w.sheet.page.El("p", "", words.LikelyText)
	}
}
