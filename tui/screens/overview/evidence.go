package overview

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/session"
)

// evidence shows the two files side by side.
func (o *Screen) evidence(width int) []string {
	t := o.Theme
	const label = 10
	column := (width - label) / 2
	lines := []string{
		t.Heading("Evidence", width),
		draw.Spaces(label) + t.Bold.Paint(t.Fit("backup", column)) + t.Bold.Paint("current"),
	}
	for _, f := range facts {
		cell := func(side int) (string, bool) {
			text, color := f.tell(o, side)
			return color.Paint(t.Cut(draw.Safe(text), column-1)), text != ""
		}
		left, some := cell(session.Backup)
		right, any := cell(session.Current)
		if !some && !any {
			continue
		}
		lines = append(lines, t.Dim.Paint(t.Fit(f.name, label))+t.Fit(left, column)+right)
	}
	return lines
}

// facts are what is told of a file.
var facts = []struct {
	name string
	tell func(*Screen, int) (string, draw.Style)
}{
	{"file", func(o *Screen, i int) (string, draw.Style) { return o.Side(i).Snapshot.Path(), "" }},
	{"read from", func(o *Screen, i int) (string, draw.Style) { return o.Side(i).Snapshot.Container(), "" }},
	{"log", (*Screen).log},
	{"delta files", (*Screen).deltas},
	{"missing", (*Screen).missing},
	{"saved", func(o *Screen, i int) (string, draw.Style) { return saved(o.Side(i).State.Time), "" }},
	{"size", func(o *Screen, i int) (string, draw.Style) { return words.Size(o.Side(i).Snapshot.Size()), "" }},
	{"sha256", (*Screen).hash},
	{"trailer", (*Screen).trailer},
	{"content", (*Screen).content},
	{"revision", func(o *Screen, i int) (string, draw.Style) { return words.Number(o.Side(i).State.Revision), "" }},
	{"kept from", func(o *Screen, i int) (string, draw.Style) {
		if rev := o.Side(i).State.CompactRevision; rev > 0 {
			return words.Number(rev), ""
		}
		if o.Side(i).State.CompactUnknown {
			return "unknown: what would tell it is lost", o.Theme.Warning
		}
		return "the first: never compacted", ""
	}},
	{"etcd", func(o *Screen, i int) (string, draw.Style) {
		m := o.Side(i).Snapshot.Meta()
		return "storage " + cmp.Or(m.StorageVersion, "unknown") + ", cluster " + cmp.Or(m.ClusterVersion, "unknown"), ""
	}},
	{"members", (*Screen).members},
	{"cluster", func(o *Screen, i int) (string, draw.Style) {
		return cmp.Or(o.Side(i).State.ClusterUID, o.Side(i).State.ClusterUnknown), ""
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

func (o *Screen) hash(side int) (string, draw.Style) {
	f := &o.Files[side]
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

func (o *Screen) trailer(side int) (string, draw.Style) { return o.check(side, 0) }
func (o *Screen) content(side int) (string, draw.Style) { return o.check(side, 1) }

// check tells a check of the file's integrity.
func (o *Screen) check(side, n int) (string, draw.Style) {
	f := &o.Files[side]
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
func (o *Screen) missing(side int) (string, draw.Style) {
	var list []string
	for _, m := range o.Side(side).State.Missing {
		list = append(list, m.What)
	}
	return strings.Join(list, "; "), o.Theme.Warning
}

// log says what a member's write-ahead log added to its db.
func (o *Screen) log(side int) (string, draw.Style) {
	w := o.Side(side).Snapshot.WAL()
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
func (o *Screen) deltas(side int) (string, draw.Style) {
	d := o.Side(side).Snapshot.Deltas()
	if d == nil {
		return "", ""
	}
	text := fmt.Sprintf("%s applied, from revision %s", words.Count(d.Applied, "event"), words.Number(d.DBRevision))
	if n := len(d.Unapplied); n > 0 {
		return text + fmt.Sprintf("; %s not applied", words.Count(n, "file")), o.Theme.Warning
	}
	return text, ""
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return words.Number(int64(n)) + " entries"
}

func (o *Screen) members(side int) (string, draw.Style) {
	var names []string
	for _, m := range o.Side(side).Snapshot.Meta().Members {
		name := cmp.Or(m.Name, m.ID)
		if m.Learner {
			name += " (learner)"
		}
		names = append(names, name)
	}
	return cmp.Or(strings.Join(names, ", "), "none recorded"), ""
}

func (o *Screen) objects(side int) (string, draw.Style) {
	s := o.Side(side).State
	text := words.Count(len(s.Pods), "pod") + ", " + words.Count(len(s.Nodes), "node")
	if f := &o.Files[side]; f.Counted {
		text += ", " + words.Count(f.Keys, "key")
	}
	return text, ""
}
