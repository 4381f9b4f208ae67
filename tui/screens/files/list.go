package files

import (
	"fmt"
	"strings"

	"revenant/analyzer/series"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Roles in the prediction.
const (
	isBackup  = "BACKUP"
	isCurrent = "CURRENT"
)

// list are the files in the order of their history.
func list(s *session.Session) []file {
	if s.Input.Series == nil {
		return given(s)
	}
	var files []file
	in := s.Input
	names, branch := in.Series.Names(), in.Branch()
	for i := range in.Series.Members {
		m := &in.Series.Members[i]
		f := file{
			path: m.Name, name: names[i], revision: m.Revision, compact: m.CompactRevision, damaged: m.Damaged,
			taken: session.Brief(m.Taken), takenFull: m.Taken.String(), at: m.Taken.From.UnixNano(),
		}
		if common, how := in.Series.Apart(m.Branch, branch); m.Branch != branch && m.Revision > common {
			f.branch, f.parted = parted(how, common)
		}
		switch i {
		case in.Members[0]:
			f.role, f.damaged = isBackup, f.damaged || bad(s, in.Backup)
		case in.Members[1]:
			f.role, f.damaged = isCurrent, f.damaged || bad(s, in.Current)
		}
		files = append(files, f)
	}
	return files
}

// bad says whether a check of a file that is open has failed so far.
func bad(s *session.Session, i int) bool { return s.Files[i].Verified && s.Files[i].Integrity.Bad() }

// parted says how a file is of another history than CURRENT, which it shares up to a
// revision.
func parted(how series.How, common int64) (branch, sentence string) {
	after := "what was written after revision " + words.Number(common)
	switch how {
	case series.Restore:
		return "given up by a restore", "A restore gave up " + after + "."
	case series.Fork:
		return "fork", "Another cluster went on from the same data: " + after + " is its own."
	}
	return "other history", "It is of another history: of " + after + " nothing tells whether a restore gave it up, or another cluster wrote it."
}

// given are the one or two files that are open.
func given(s *session.Session) []file {
	var files []file
	in := s.Input
	for _, i := range in.Chosen() {
		of := s.Source(i)
		taken := of.State.Clock.Taken()
		path := of.Snapshot.Path()
		f := file{
			path: path, name: path, revision: of.State.Revision, compact: of.State.CompactRevision, damaged: bad(s, i),
			taken: session.Brief(taken), takenFull: taken.String(), at: taken.From.UnixNano(),
		}
		switch {
		case in.Alone() != "":
		case i == in.Backup:
			f.role = isBackup
			if !in.Lineage.OneHistory() {
				f.branch, f.parted = string(in.Lineage.Relation), in.Lineage.Reason
			}
		default:
			f.role = isCurrent
		}
		files = append(files, f)
	}
	return files
}

// below is what the files hold between them, in pictures and in words, drawn once for
// every change.
func (f *Screen) below() []string {
	if d := &f.drawn; d.Lines == nil || d.Version != f.Version || d.Width != f.width {
		*d = shared.Drawn{Version: f.Version, Width: f.width, Lines: f.compose()}
	}
	return f.drawn.Lines
}

func (f *Screen) compose() []string {
	t, width := f.Theme, f.width-2
	lines := []string{t.Heading("Revisions that the files hold", width)}
	if f.Input.Series == nil {
		lines = append(lines, windows(list(f.Session)).Lines(t, width, 2)...)
		return draw.Margin(append(lines, draw.Wrap("Hourly backups, or a directory of them, are read as one history: revenant FILE FILE FILE, or revenant DIRECTORY. Any two of them can be chosen here then, History reads all, and the stretches that are in no file are counted.", width)...))
	}
	const most = 8 // a row a file up to so many
	w := windows(list(f.Session))
	rows := min(most, f.height/4)
	if len(w.Rows) > rows {
		w = f.merged()
	}
	lines = append(lines, w.Lines(t, width, rows)...)
	lines = append(lines, draw.Wrap(holes(f.Input), width)...)
	return draw.Margin(append(lines, f.left(width)...))
}

// windows has a row for each file.
func windows(files []file) *widget.Windows {
	w := &widget.Windows{}
	for i := range files {
		f := &files[i]
		w.Rows = append(w.Rows, widget.WindowRow{Label: f.name, Held: []widget.Window{{Head: f.revision, Compact: f.compact}}})
	}
	return w
}

// merged has a row for the history that leads to the newest state, and one for what other
// branches hold beside it.
func (f *Screen) merged() *widget.Windows {
	s, branch := f.Input.Series, f.Input.Branch()
	main := widget.WindowRow{Label: "all files"}
	for _, p := range s.Path(branch) {
		main.Held = append(main.Held, widget.Window{Head: p.To, Compact: s.Members[p.Member].CompactRevision})
	}
	w := &widget.Windows{Rows: []widget.WindowRow{main}}
	for _, other := range s.Beside(branch) {
		common, how := s.Apart(other, branch)
		label, _ := parted(how, common)
		row := widget.WindowRow{Label: map[bool]string{true: "given up", false: label}[how == series.Restore], Look: f.Theme.Dim}
		for i := range s.Members {
			if m := &s.Members[i]; m.Branch == other && m.Revision > common {
				row.Held = append(row.Held, widget.Window{Head: m.Revision, Compact: max(m.CompactRevision, common+1)})
			}
		}
		w.Rows = append(w.Rows, row)
	}
	return w
}

// holes says what is in no file.
func holes(in *session.Input) string {
	of := ""
	if len(in.Series.Branches) > 1 {
		of = " of the history that leads to CURRENT"
	}
	list := in.Series.Holes(in.Branch())
	n := int64(0)
	for i := range list {
		n += list[i].Revisions()
	}
	switch len(list) {
	case 0:
		return "Between the files no revision" + of + " is missing."
	case 1:
		return fmt.Sprintf("%s%s, between %s and %s, are in no file.", words.Count(n, "revision"), of, words.Number(list[0].After), words.Number(list[0].Before))
	}
	return fmt.Sprintf("%s%s, in %s between the files, are in no file.", words.Count(n, "revision"), of, words.CountOf(len(list), "stretch", "stretches"))
}

// left names what could not be taken in, and why.
func (f *Screen) left(width int) (lines []string) {
	const most = 3
	left := f.Input.Series.Left
	for i := range left[:min(len(left), most)] {
		why := strings.TrimPrefix(left[i].Err.Error(), "open "+left[i].Name+": ")
		lines = append(lines, f.Theme.Cut(draw.Safe("Not taken in: "+left[i].Name+": "+why), width))
	}
	if more := len(left) - most; more > 0 {
		lines = append(lines, fmt.Sprintf("Not taken in: %d more", more))
	}
	return draw.PaintAll(f.Theme.Warning, lines)
}
