package report

import (
	"fmt"
	"strconv"
	"strings"

	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// Preflight is what `revenant preflight` finds.
type Preflight struct {
	*preflight.Report
	// Offsets are where the records are that Refs names, for SARIF.
	Offsets Offsets `json:"-"`
}

// Text writes the checks for people, the grade first.
func (f *Preflight) Text(p *Printer) {
	p.verdict(severityOf(f.Grade), f.Headline)
	p.Line("")
	f.facts(p)
	for _, g := range preflight.Groups {
		p.Line("")
		p.Line("%s", g.Title)
		for i := range f.Checks {
			if c := &f.Checks[i]; c.Group == g.ID {
				p.check(c)
			}
		}
	}
}

// facts are what the checks rest on.
func (f *Preflight) facts(p *Printer) {
	for i := range f.Evidence {
		evidenceLine(p, &f.Evidence[i])
	}
	p.Field("checked", "for "+words.Time(f.At.Time))
	t := &f.Targets
	p.wrappedField("etcd", target(t.Etcd, t.EtcdFrom)+fmt.Sprintf("; quota %s", words.Bytes(t.QuotaBytes)))
	p.wrappedField("kubernetes", target(t.Kubernetes, t.KubernetesFrom))
	p.wrappedField("platform", target(string(t.Platform), t.PlatformFrom))
}

// target is what is known of a program.
func target(what, from string) string {
	if what == "" {
		return "not known"
	}
	return fmt.Sprintf("%s (%s)", what, from)
}

// check writes one check: its verdict, its id and what was found, and where that is no
// pass, why it matters and what to do.
func (p *Printer) check(c *preflight.Check) {
	const indent = 31 // of what was found
	verdict := fmt.Sprintf("%-7s", c.Verdict)
	text := c.Reason
	if c.Counts != c.Verdict {
		text += fmt.Sprintf(" (the policy counts it as %s)", c.Counts)
	}
	severity := severityOf(c.Verdict)
	if c.Counts == preflight.Ignored {
		severity = restore.OK
	}
	for i, line := range wrap(text, p.Width-indent) {
		if i == 0 {
			fmt.Fprintf(p.w, "  %s %-20s %s\n", p.paint(severity, verdict), c.ID, line)
			continue
		}
		fmt.Fprintf(p.w, "%*s%s\n", indent, "", line)
	}
	if c.Verdict == preflight.Pass || c.Counts == preflight.Ignored {
		return
	}
	for _, line := range wrap(strings.TrimSpace(c.Why+" To do: "+c.Action), p.Width-indent) {
		fmt.Fprintf(p.w, "%*s%s\n", indent, "", line)
	}
}

func severityOf(v preflight.Verdict) restore.Severity {
	switch v {
	case preflight.Fail:
		return restore.Critical
	case preflight.Warn, preflight.Unknown:
		return restore.Warning
	}
	return restore.OK
}

// Prometheus writes the measures and the verdicts in the text format of Prometheus, for
// the textfile collector of its node exporter. What is not known has no sample.
func (f *Preflight) Prometheus(p *Printer) {
	backup := backupLabel(f.Evidence)
	m := &f.Measures
	family := func(name, help string, samples ...sample) {
		for i := range samples {
			samples[i].labels = append([]string{backup}, samples[i].labels...)
		}
		p.family("revenant_preflight_"+name, help, samples...)
	}
	const values = "0 pass, 1 warn, 2 unknown, 3 fail"
	family("grade", "The worst that a check counts as under the policy: "+values+".", number(new(f.Grade.Rank())))
	var checks []sample
	for i := range f.Checks {
		c := &f.Checks[i]
		value := strconv.Itoa(c.Counts.Rank())
		if c.Counts == preflight.Ignored {
			value = "-1"
		}
		checks = append(checks, sample{value, []string{label("check", string(c.ID)), label("group", string(c.Group))}})
	}
	family("check", "What the verdict of a check counts as under the policy: "+values+", -1 ignored.", checks...)
	checked := f.At.Unix()
	family("checked_timestamp_seconds", "The time for which was checked.", number(&checked))
	family("backup_age_seconds", "How old the backup was then, at most.", number(m.AgeSeconds))
	family("backup_revision", "The newest revision of the backup.", number(&m.BackupRevision))
	family("backend_size_bytes", "The size of the backup's db as etcd counts it.", number(&m.SizeBytes))
	family("quota_bytes", "The quota that the size was held against.", number(&f.Targets.QuotaBytes))
	family("gap_revisions", "How many revisions the restore undoes.", number(m.Gap))
	family("revisions_per_second", "How fast the backup was written to, on average.", number(m.Rate))
	family("minimum_bump_revisions", "The smallest bump that passes all that is known to have been served.", number(m.MinimumBump))
	family("bump_revisions", "The bump of the plan, 0 for none.", number(m.Bump))
	plan, plain := label("plan", "checked"), label("plan", "plain")
	family("phantoms", "Pods that keep running, but that the API does not know, under the plan and without bump and restarts.", number(m.Phantoms, plan), number(m.PhantomsPlain, plain))
	family("ghosts", "Pods that the API shows although nothing runs, under the plan and without bump and restarts.", number(m.Ghosts, plan), number(m.GhostsPlain, plain))
}
