package tui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// overview shows the evidence side by side, the revisions, the verdict and what
// to do.
type overview struct {
	body text
}

func (o *overview) setSize(width, height int) {
	o.body.width, o.body.height = width, height
}

func (o *overview) update(a action) { o.body.act(a) }

func (o *overview) view(m *model) string {
	o.body.lines = o.lines(m)
	o.body.scroll(0)
	return o.body.view()
}

func (o *overview) lines(m *model) []string {
	s, th, width := &m.session, &m.theme, o.body.width
	var lines []string
	add := func(l ...string) { lines = append(lines, l...) }
	paragraph := func(indent, text string, render func(...string) string) {
		wrapped := ansi.Wordwrap(sanitize.Line(text), max(20, width-len(indent)), " ")
		for line := range strings.SplitSeq(wrapped, "\n") {
			add(indent + render(strings.TrimSpace(line)))
		}
	}
	plain := func(s ...string) string { return strings.Join(s, " ") }

	p := s.prediction
	if s.refused != nil {
		p = nil // what it says is of another plan
		paragraph("", "This plan is refused: "+s.refused.Error(), th.critical.Render)
		var plan *restore.PlanError
		if errors.As(s.refused, &plan) {
			paragraph("", plan.Hint(), plain)
		}
		add("")
	}
	if p != nil {
		severity, headline := p.Headline()
		paragraph("", headline, th.severity(severity).Render)
		add("")
	}
	add(o.evidence(m)...)
	add("")
	add(o.ruler(m)...)
	if p != nil {
		add("")
		add(o.counts(m, p)...)
		add("", th.title.Render("What to do"))
		paragraph("  ", p.Revisions.BumpReason, plain)
		if p.Revisions.BumpVerdict != restore.BumpEnough {
			paragraph("  ", fmt.Sprintf("The minimum safe bump is %d, a %s: enough only if nothing was written after the current snapshot. Recommended:", p.Revisions.MinimumSafeBump, p.Revisions.MinimumSafeBumpIs), plain)
			add("    " + th.key.Render(fmt.Sprintf("etcdutl snapshot restore BACKUP --bump-revision %d --mark-compacted …", p.Revisions.RecommendedBump)))
		}
		add("", th.title.Render("To know"))
		for _, w := range append(s.in.Warnings, p.Warnings...) {
			paragraph("  ", "· "+w, plain)
		}
	}
	return lines
}

// evidence draws the two snapshots side by side.
func (o *overview) evidence(m *model) []string {
	s, th := &m.session, &m.theme
	names := []string{"", "file", "size", "sha256", "trailer", "content", "revision", "compacted", "etcd", "pods, nodes"}
	b, c := m.column(restore.InBackup, s.in.Backup), m.column(restore.InCurrent, s.in.Current)
	width := max(10, (o.body.width-13)/2)
	var lines []string
	for i, name := range names {
		left, right := pad(b[i], width-1), pad(c[i], width-1)
		if i == 0 {
			left, right = th.title.Render(left), th.title.Render(right)
		}
		if strings.HasPrefix(b[i], "bad") {
			left = th.critical.Render(left)
		}
		if strings.HasPrefix(c[i], "bad") {
			right = th.critical.Render(right)
		}
		lines = append(lines, th.dim.Render(pad(name, 13))+left+" "+right)
	}
	return lines
}

// column is one side of the evidence.
func (m *model) column(in restore.In, side Side) []string {
	snap := side.Snapshot
	sha, trailer, content := "computing…", "verifying…", "verifying…"
	if i := m.session.integrity[in]; i != nil {
		sha = "not computed"
		if i.SHA256 != "" {
			sha = i.SHA256
		}
		for _, c := range i.Checks {
			text := string(c.Verdict)
			if c.Detail != "" {
				text += ": " + c.Detail
			}
			if c.Name == "trailer" {
				trailer = text
			} else {
				content = text
			}
		}
	}
	title := "BACKUP"
	if in == restore.InCurrent {
		title = "CURRENT"
	}
	compacted := "never"
	if rev := snap.CompactRevision(); rev > 0 {
		compacted = fmt.Sprintf("to %d", rev)
	}
	version := snap.Meta().StorageVersion
	if version == "" {
		version = "before 3.6"
	}
	var members []string
	for _, member := range snap.Meta().Members {
		members = append(members, member.Name)
	}
	taken := ""
	if t := side.State.Time; !t.IsZero() {
		taken = ", " + t.UTC().Format(time.DateTime) + " UTC"
	}
	list := []string{
		title, snap.Path(), fmt.Sprintf("%d bytes", snap.Size()), sha, trailer, content,
		fmt.Sprintf("%d%s", snap.Revision(), taken), compacted,
		fmt.Sprintf("storage %s, members %s", version, strings.Join(members, " ")),
		fmt.Sprintf("%d, %d", len(side.State.Pods), len(side.State.Nodes)),
	}
	for i := range list {
		list[i] = sanitize.Line(list[i])
	}
	return list
}

func (o *overview) ruler(m *model) []string {
	s := &m.session
	b, c := s.in.Backup.Snapshot, s.in.Current.Snapshot
	r := ruler{
		ascii: m.ascii,
		spans: []span{{"backup", b.CompactRevision(), b.Revision()}, {"current", c.CompactRevision(), c.Revision()}},
		marks: []mark{
			{b.Revision(), fmt.Sprintf("%d backup", b.Revision())},
			{c.Revision(), fmt.Sprintf("%d current: %d revisions undone", c.Revision(), c.Revision()-b.Revision())},
		},
	}
	for _, side := range []*snapshot.Snapshot{b, c} {
		for _, rev := range side.BumpMarkers() {
			r.marks = append(r.marks, mark{rev, fmt.Sprintf("%d bumped here before", rev)})
		}
	}
	if p := s.prediction; p != nil && s.refused == nil {
		r.marks = append(r.marks, mark{p.Revisions.Restored, fmt.Sprintf("%d the store after the restore", p.Revisions.Restored)})
	}
	return r.lines(o.body.width)
}

// counts lists how many pods come out how, the worst first.
func (o *overview) counts(m *model, p *restore.Prediction) []string {
	lines := []string{m.theme.title.Render("Pods")}
	for _, info := range restore.Outcomes {
		n := p.Summary[info.ID]
		if n == 0 {
			continue
		}
		possible := 0
		for i := range p.Pods {
			if p.Pods[i].Outcome == info.ID && p.Pods[i].Certainty != restore.Certain {
				possible++
			}
		}
		count := fmt.Sprintf("%6d  ", n)
		line := m.theme.severity(info.Severity).Render(pad(string(info.ID), 20)) + count + info.Title
		if possible > 0 {
			line += fmt.Sprintf(", %d of them only possible", possible)
		}
		lines = append(lines, "  "+line)
	}
	return lines
}
