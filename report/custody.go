package report

import (
	"fmt"
	"path/filepath"

	"revenant/analyzer/restore"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// custodyText says in what the db was found, and for what case it was examined.
func custodyText(p *Printer, c *restore.Custody) {
	if c.Format != container.Plain {
		text := string(c.Format)
		if c.Entry != "" {
			text += ", entry " + c.Entry
		}
		p.Field("read from", text)
		if c.Format != container.Directory && c.SHA256 != "" {
			p.Field("sha256 inside", c.SHA256)
		}
	}
	if name := map[bool]string{true: "log segment", false: "delta file"}[c.Format == container.Directory]; len(c.Files) > 1 {
		for _, f := range c.Files[1:] {
			name := name
			if filepath.Ext(f.Path) == ".snap" {
				name = "raft snapshot"
			}
			p.Field(name, fmt.Sprintf("%s, %s, sha256 %s", f.Path, words.Bytes(f.SizeBytes), known(f.SHA256)))
		}
	}
	caseText(p, c)
}

// caseText says what case the examination belongs to, when it was said.
func caseText(p *Printer, c *restore.Custody) {
	if c.Case == "" && c.Examiner == "" {
		return
	}
	p.Field("case", known(c.Case))
	p.Field("examiner", known(c.Examiner))
	p.Field("examined", c.Examined+" with "+c.Tool)
	p.Field("evidence after", c.Verified)
}

// logText says what a member's log added to its db.
func logText(p *Printer, w *snapshot.WAL) {
	if w == nil {
		return
	}
	text := "the db has applied all of it"
	switch {
	case w.Applied == 0 && len(w.Missing) > 0:
		text = "nothing of it was applied to the db"
	case w.Applied > 0:
		text = fmt.Sprintf("%s applied to the db, which was at revision %s", words.Span(w.FirstIndex, w.FirstIndex+uint64(w.Applied)-1, "entry", "entries"), words.Number(w.DBRevision))
		if w.Tail > 0 {
			text += fmt.Sprintf("; %s of them after the last known commit %d (tail)", words.Number(w.Tail), w.Commit)
		}
	case w.Uncommitted > 0:
		text = "nothing in it is known to be agreed on after the db"
	}
	if w.Uncommitted > 0 {
		text += fmt.Sprintf("; %s not applied: uncommitted", words.CountOf(w.Uncommitted, "entry", "entries"))
	}
	p.Field("log", text)
	if w.MemberID != "" {
		p.Field("log of member", fmt.Sprintf("%s in cluster %s", w.MemberID, w.ClusterID))
	}
}

// deltasText says what delta files added to a full snapshot.
func deltasText(p *Printer, e *restore.Evidence) {
	d := e.Deltas
	if d == nil {
		return
	}
	text := "the full snapshot has all that was applied"
	if d.Applied > 0 {
		text = fmt.Sprintf("%s events of %d applied to the full snapshot, which was at revision %s", words.Number(d.Applied), len(d.Files), words.Number(d.DBRevision))
	}
	if n := len(d.Unapplied); n > 0 {
		text += fmt.Sprintf("; %d not applied, up to revision %s", n, words.Number(d.LastSeen))
	}
	p.Field("delta files", text)
}

// metricsText says what metrics show, and from which files.
func metricsText(p *Printer, m *restore.Metrics) {
	if m == nil {
		return
	}
	p.wrappedField("metrics", fmt.Sprintf("revision %s was reached (%s)", words.Number(m.Revision()), m.Text()))
	for _, f := range m.Files {
		p.Field("", fmt.Sprintf("%s, %s, sha256 %s", f.Path, words.Bytes(f.SizeBytes), known(f.SHA256)))
	}
}

// missingText says what is missing from the evidence.
func missingText(p *Printer, list []snapshot.Missing) {
	for _, m := range list {
		p.wrappedField("missing", m.What+"; "+m.Bound())
	}
}
