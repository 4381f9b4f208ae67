package report

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Prediction is a prediction with the choice of what its text shows. In JSON it
// is the prediction alone, and whole.
type Prediction struct {
	*restore.Prediction
	All bool `json:"-"` // the text lists pods to which nothing happens, too
	// Offsets are where the records are that Refs names, for SARIF.
	Offsets Offsets `json:"-"`
}

// textWidth is how wide paragraphs are, in columns.
const textWidth = 100

// Text writes the prediction for people: what it rests on, the verdict, the
// pods, what the outcomes mean and what to do.
func (p *Prediction) Text(w *Printer) {
	p.facts(w)
	w.Line("")
	w.verdict(p.Headline())
	w.Line("")
	p.pods(w)
	p.workloads(w)
	p.apiServers(w)
	p.nodes(w)
	if p.Rollback != nil {
		w.Line("")
		rollbackText(w, p.Rollback, len(p.Missing) > 0, p.All)
		watchersText(w, p.Rollback.Watchers, p.All)
	}
	if p.Ties != nil {
		tiesText(w, p.Ties, p.All)
	}
	if p.Plan.Onto == "" {
		p.legend(w)
	}
	p.warnings(w)
	if p.Plan.Onto != "" {
		p.nextOnto(w)
	} else {
		p.next(w)
	}
}

// Overview writes all but the pods.
type Overview struct {
	*restore.Prediction
}

// Text writes the overview for people.
func (o *Overview) Text(w *Printer) {
	p := Prediction{Prediction: o.Prediction}
	p.head(w)
	w.Line("")
	w.verdict(p.Headline())
	w.Line("")
	p.summary(w)
	p.warnings(w)
	p.next(w)
}

// facts are what the prediction rests on.
func (p *Prediction) facts(w *Printer) {
	if p.Plan.Onto != "" {
		p.headOnto(w)
	} else {
		p.head(w)
	}
}

func (p *Prediction) head(w *Printer) {
	for i := range p.Evidence {
		evidenceLine(w, &p.Evidence[i])
	}
	metricsText(w, p.Metrics)
	r := &p.Revisions
	w.wrappedField("lineage", fmt.Sprintf("%s: %s", p.Lineage.Relation, p.Lineage.Reason))
	gap := undoneText(r.Gap)
	if len(p.Missing) > 0 {
		gap = "at least " + gap + ": evidence is missing"
	}
	w.Field("gap", gap)
	w.Field("plan", planText(p.Plan))
	w.wrappedField("kubernetes", kubernetesText(&p.Kubernetes))
	w.Field("restored to", fmt.Sprintf("revision %s; kubelets have seen up to about %s, at most %s", words.Number(r.Restored), words.Number(r.LastSeenExpected), words.Number(r.LastSeenAtMost)))
	w.wrappedField("", "if "+r.LastSeenBasis)
	if r.Deaf != nil {
		until := fmt.Sprintf("until the store has passed revision %s", words.Number(r.Deaf.UntilRevision))
		if r.Deaf.UntilExpected > r.Deaf.UntilRevision {
			until += fmt.Sprintf(" (up to about %s)", words.Number(r.Deaf.UntilExpected))
		}
		if r.Deaf.Estimate != "" {
			until += fmt.Sprintf(": about %s at the measured rates", r.Deaf.Estimate)
		}
		w.wrappedField("kubelets deaf", until)
	}
}

// evidenceLine names a file and what is wrong with it.
func evidenceLine(w *Printer, e *restore.Evidence) {
	w.Field(e.Role, fmt.Sprintf("%s, revision %s, %s", e.Path, words.Number(e.Revision), compactedText(e)))
	logText(w, e.WAL)
	deltasText(w, e)
	missingText(w, e.Missing)
	caseText(w, &e.Custody)
	for _, c := range e.Integrity {
		if c.Verdict != snapshot.OK {
			w.Field("", fmt.Sprintf("%s %s", c.Name, checkText(c)))
		}
	}
}

func planText(p restore.Plan) string {
	if p.Onto != "" {
		return ontoText(p)
	}
	parts := []string{"no bump"}
	if p.BumpRevision > 0 {
		parts[0] = fmt.Sprintf("--bump-revision %d --mark-compacted", p.BumpRevision)
	}
	servers := "API servers restarted"
	switch {
	case len(p.RestartAPIServers) > 0:
		servers += ": " + p.APIServers() + " alone, the others left running"
	case p.KeepAPIServers:
		servers = "API servers left running"
	}
	parts = append(parts, servers, "kubelets restarted: "+p.RestartKubelets.String())
	if reaches := p.Kubelets(); reaches != "" {
		parts = append(parts, "kubelets that reach one API server: "+reaches)
	}
	if p.Outage.To > 0 {
		parts = append(parts, "no API for "+p.Outage.String()+" s")
	}
	return strings.Join(parts, ", ")
}

// summary counts the pods by outcome, worst first.
func (p *Prediction) summary(w *Printer) {
	var rows [][]string
	var severities []restore.Severity
	for _, o := range restore.Outcomes {
		if n := p.Summary[o.ID]; n > 0 {
			rows = append(rows, []string{string(o.ID), words.Number(n), o.Title})
			severities = append(severities, o.Severity)
		}
	}
	w.Table([]string{"OUTCOME", "PODS", "MEANING"}, rows, severities)
}

// worstFirst are the pods that are wanted, worst first.
func (p *Prediction) worstFirst(wanted func(*restore.PodOutcome) bool) (list []*restore.PodOutcome) {
	for i := range p.Pods {
		if o := &p.Pods[i]; wanted(o) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b *restore.PodOutcome) int {
		if d := a.Severity.Rank() - b.Severity.Rank(); d != 0 {
			return d
		}
		return rank(a.Outcome) - rank(b.Outcome)
	})
	return list
}

// pods lists the pods, worst first.
func (p *Prediction) pods(w *Printer) {
	list := p.worstFirst(func(o *restore.PodOutcome) bool { return p.All || o.Severity != restore.OK })
	left := len(p.Pods) - len(list)
	var rows [][]string
	var severities []restore.Severity
	for _, o := range list {
		flags := make([]string, len(o.Flags))
		for i, f := range o.Flags {
			flags[i] = string(f)
		}
		severities = append(severities, o.Severity)
		rows = append(rows, []string{string(o.Outcome), string(o.Certainty), o.Namespace, o.Name, words.OrDash(o.Node), string(o.Rule), strings.Join(flags, ",")})
	}
	if len(rows) > 0 {
		w.Table([]string{"OUTCOME", "CERTAINTY", "NAMESPACE", "NAME", "NODE", "RULE", "FLAGS"}, rows, severities)
	}
	if left > 0 {
		known := ""
		if len(p.Missing) > 0 {
			known = ", as far as the evidence goes"
		}
		w.Line("%s more pods need no attention%s; --all lists them.", words.Number(left), known)
	}
}

// apiServers lists the API servers where they differ, and what each shows otherwise than
// the first.
func (p *Prediction) apiServers(w *Printer) {
	through := map[string]int{}
	for i := range p.Pods {
		for _, t := range p.Pods[i].Through {
			for _, name := range t.APIServers {
				through[name]++
			}
		}
	}
	if len(through) == 0 {
		return
	}
	w.Line("")
	var rows [][]string
	var severities []restore.Severity
	for _, s := range p.APIServers {
		restarted, severity := "no", restore.OK
		if s.Restarted {
			restarted = "yes"
		}
		if s.Serves == restore.ServesErased {
			severity = restore.Critical
		}
		rows = append(rows, []string{s.Name, restarted, string(s.Serves), string(s.Certainty), words.Number(through[s.Name])})
		severities = append(severities, severity)
	}
	w.Table([]string{"API SERVER", "RESTARTED", "SERVES", "CERTAINTY", "PODS SHOWN OTHERWISE"}, rows, severities)
	if !p.All {
		return
	}
	rows = rows[:0]
	for i := range p.Pods {
		o := &p.Pods[i]
		for _, t := range o.Through {
			rows = append(rows, []string{o.Namespace, o.Name, "through " + strings.Join(t.APIServers, ", "), t.API.String()})
		}
	}
	w.Line("")
	w.Table([]string{"NAMESPACE", "NAME", "API SERVER", "SHOWS"}, rows, make([]restore.Severity, len(rows)))
}

func rank(o restore.Outcome) int {
	return slices.IndexFunc(restore.Outcomes, func(info restore.OutcomeInfo) bool { return info.ID == o })
}

// legend explains the outcomes that occur.
func (p *Prediction) legend(w *Printer) {
	for _, o := range restore.Outcomes {
		if p.Summary[o.ID] == 0 || o.Severity == restore.OK && !p.All {
			continue
		}
		w.Line("")
		w.Line("%s: %s", string(o.ID), o.Title)
		w.Wrapped("  ", textWidth, o.Explanation)
		w.Wrapped("  ", textWidth, "To do: "+o.Remedy)
	}
}

func (p *Prediction) warnings(w *Printer) {
	if len(p.Warnings) == 0 {
		return
	}
	w.Line("")
	w.Line("Limits of this prediction")
	for _, text := range p.Warnings {
		w.Wrapped("  ", textWidth, "- "+text)
	}
}

// next says what would make the restore do less harm.
func (p *Prediction) next(w *Printer) {
	r := &p.Revisions
	if d := r.Deaf; d != nil {
		w.Line("")
		w.Line("While kubelets are deaf")
		w.Wrapped("  ", textWidth, d.Meanwhile)
		w.Wrapped("  ", textWidth, d.Ends)
	}
	w.Line("")
	w.Line("Bump")
	w.Wrapped("  ", textWidth, r.BumpReason)
	if r.BumpVerdict == restore.BumpEnough {
		return
	}
	if r.NoBumpFits != "" {
		w.Wrapped("  ", textWidth, r.NoBumpFits)
		return
	}
	w.Wrapped("  ", textWidth, fmt.Sprintf("At least %d (%s); recommended is %d:", r.MinimumSafeBump, boundText(r.MinimumSafeBumpIs), r.RecommendedBump))
	w.Line("    etcdutl snapshot restore BACKUP --bump-revision %d --mark-compacted …", r.RecommendedBump)
}

func boundText(b restore.BoundKind) string {
	if b == restore.LowerBound {
		return "a lower bound: enough only if nothing was written after the current snapshot"
	}
	return string(b)
}

// kubernetesText says of which versions the cluster is, and what the rules rest on.
func kubernetesText(k *restore.Kubernetes) string {
	servers := "API servers of an unknown version"
	if k.APIServers != "" {
		servers = "API servers " + k.APIServers
	}
	return fmt.Sprintf("%s (%s), kubelets %s. %s", servers, k.APIServersFrom, kubeletText(k.Kubelets), k.Reason)
}

func undoneText(gap int64) string {
	return words.CountOf(gap, "revision is undone", "revisions are undone")
}
