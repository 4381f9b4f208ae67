package overview

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/tui/draw"
)

// evidence shows the files side by side.
func (o *Screen) evidence(width int) []string {
	t, files := o.Theme, o.Input.Chosen()
	const label = 10
	column := (width - label) / len(files)
	row := func(name string, cell func(source int) string) string {
		line := t.Dim.Paint(t.Fit(name, label))
		for n, source := range files {
			if n > 0 {
				line = t.Fit(line, label+n*column)
			}
			line += cell(source)
		}
		return line
	}
	lines := []string{t.Heading("Evidence", width)}
	if len(files) > 1 {
		lines = append(lines, row("", func(source int) string { return t.Bold.Paint(o.Input.Role(source)) }))
	}
	for _, f := range facts {
		some := false
		line := row(f.name, func(source int) string {
			text, color := f.tell(o, source)
			some = some || text != ""
			return color.Paint(t.Cut(draw.Safe(text), column-1))
		})
		if some {
			lines = append(lines, line)
		}
	}
	return lines
}

// facts describe a file.
var facts = []struct {
	name string
	tell func(*Screen, int) (string, draw.Style)
}{
	{"file", func(o *Screen, i int) (string, draw.Style) { return o.Source(i).Snapshot.Path(), "" }},
	{"read from", func(o *Screen, i int) (string, draw.Style) { return o.Source(i).Snapshot.Container(), "" }},
	{"log", (*Screen).log},
	{"delta files", (*Screen).deltas},
	{"missing", (*Screen).missing},
	{"saved", func(o *Screen, i int) (string, draw.Style) { return saved(o.Source(i).State.Time), "" }},
	{"size", func(o *Screen, i int) (string, draw.Style) { return words.Size(o.Source(i).Snapshot.Size()), "" }},
	{"sha256", (*Screen).hash},
	{"trailer", (*Screen).trailer},
	{"content", (*Screen).content},
	{"revision", func(o *Screen, i int) (string, draw.Style) { return words.Number(o.Source(i).State.Revision), "" }},
	{"kept from", func(o *Screen, i int) (string, draw.Style) {
		if rev := o.Source(i).State.CompactRevision; rev > 0 {
			return words.Number(rev), ""
		}
		if o.Source(i).State.CompactUnknown {
			return "unknown: what would tell it is lost", o.Theme.Warning
		}
		return "the first: never compacted", ""
	}},
	{"etcd", func(o *Screen, i int) (string, draw.Style) {
		m := o.Source(i).Snapshot.Meta()
		return "storage " + cmp.Or(m.StorageVersion, "unknown") + ", cluster " + cmp.Or(m.ClusterVersion, "unknown"), ""
	}},
	{"members", (*Screen).members},
	{"cluster", func(o *Screen, i int) (string, draw.Style) {
		return cmp.Or(o.Source(i).State.ClusterUID, o.Source(i).State.ClusterUnknown), ""
	}},
	{"objects", (*Screen).objects},
}

// saved is the time that a snapshot's content gives away.
func saved(at time.Time) string {
	if at.IsZero() {
		return "unknown"
	}
	return "about " + at.UTC().Format("2006-01-02 15:04:05Z")
}

func (o *Screen) hash(source int) (string, draw.Style) {
	f := &o.Files[source]
	switch {
	case !f.Verified && f.Hashed.Total > 0:
		return fmt.Sprintf("hashing%s %d %%", o.Theme.Ellipsis, draw.Percent(f.Hashed.Done, f.Hashed.Total)), o.Theme.Dim
	case !f.Verified:
		return "hashing" + o.Theme.Ellipsis, o.Theme.Dim
	case f.Integrity.SHA256 == "":
		return "not computed", o.Theme.Warning
	case o.width >= wideOverview+50:
		return f.Integrity.SHA256, ""
	}
	return f.Integrity.SHA256[:16] + o.Theme.Ellipsis, ""
}

func (o *Screen) trailer(source int) (string, draw.Style) { return o.check(source, 0) }
func (o *Screen) content(source int) (string, draw.Style) { return o.check(source, 1) }

// check tells a check of the file's integrity.
func (o *Screen) check(source, n int) (string, draw.Style) {
	f := &o.Files[source]
	if !f.Verified {
		return "verifying" + o.Theme.Ellipsis, o.Theme.Dim
	}
	if n >= len(f.Integrity.Checks) {
		return "unknown", ""
	}
	c := f.Integrity.Checks[n]
	color := map[snapshot.Verdict]draw.Style{snapshot.OK: o.Theme.Good, snapshot.Bad: o.Theme.Critical}[c.Verdict]
	if c.Verdict == snapshot.Absent || c.Verdict == snapshot.Skipped {
		color = o.Theme.Warning
	}
	if c.Detail == "" {
		return string(c.Verdict), color
	}
	return string(c.Verdict) + ": " + c.Detail, color
}

// missing says what is known to be missing from it.
func (o *Screen) missing(source int) (string, draw.Style) {
	var list []string
	for _, m := range o.Source(source).State.Missing {
		list = append(list, m.What)
	}
	return strings.Join(list, "; "), o.Theme.Warning
}

// log says what a member's write-ahead log added to its db.
func (o *Screen) log(source int) (string, draw.Style) {
	w := o.Source(source).Snapshot.WAL()
	if w == nil {
		return "", ""
	}
	text := fmt.Sprintf("%s applied, from revision %s", entries(w.Applied), words.Number(w.DBRevision))
	if w.Uncommitted > 0 {
		return text + fmt.Sprintf("; %s not applied", entries(w.Uncommitted)), o.Theme.Warning
	}
	return text, ""
}

// deltas says what delta files added to a full snapshot.
func (o *Screen) deltas(source int) (string, draw.Style) {
	d := o.Source(source).Snapshot.Deltas()
	if d == nil {
		return "", ""
	}
	text := fmt.Sprintf("%s applied, from revision %s", words.Count(d.Applied, "event"), words.Number(d.DBRevision))
	if n := len(d.Unapplied); n > 0 {
		return text + fmt.Sprintf("; %s not applied", words.Count(n, "file")), o.Theme.Warning
	}
	return text, ""
}

func entries(n int) string { return words.CountOf(n, "entry", "entries") }

func (o *Screen) members(source int) (string, draw.Style) {
	var names []string
	for _, m := range o.Source(source).Snapshot.Meta().Members {
		name := cmp.Or(m.Name, m.ID)
		if m.Learner {
			name += " (learner)"
		}
		names = append(names, name)
	}
	return cmp.Or(strings.Join(names, ", "), "none recorded"), ""
}

func (o *Screen) objects(source int) (string, draw.Style) {
	s := o.Source(source).State
	text := words.Count(len(s.Pods), "pod") + ", " + words.Count(len(s.Nodes), "node")
	if f := &o.Files[source]; f.Counted {
		text += ", " + words.Count(f.Keys, "key")
	}
	return text, ""
}
