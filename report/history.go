package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/history"
	"revenant/analyzer/relations"
	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// History is the revisions of one object, over all files.
type History struct {
	SchemaVersion int          `json:"schemaVersion"`
	Kind          string       `json:"kind"` // History
	Tool          restore.Tool `json:"tool"`
	Series
	Key       string `json:"key"`
	Resource  string `json:"resource"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Histories are one for each branch, that of the newest file first. The others have
	// what was written after they parted.
	Histories []BranchHistory `json:"histories"`

	// Patch writes what changed below a revision; nil leaves it out.
	Patch func(p *Printer, changes []diff.Change) `json:"-"`
}

// BranchHistory is the revisions of an object in the history that leads to a branch's
// newest file.
type BranchHistory struct {
	Branch    int               `json:"branch"`
	Revisions []HistoryRevision `json:"revisions"`
	// Gone is a deletion after the last revision that no file holds, null for none.
	Gone *HistoryGone `json:"gone"`
}

// HistoryGone is a deletion that no file holds: the object was there at After, and not, or
// in its next life, at Before.
type HistoryGone struct {
	After  int64          `json:"after"`
	Before int64          `json:"before"`
	Time   clock.Interval `json:"time"`
	Older  string         `json:"older"` // path of the file that has it last
	Newer  string         `json:"newer"`
}

// NewHistoryGone is nil for nil.
func NewHistoryGone(g *history.Gone) *HistoryGone {
	if g == nil {
		return nil
	}
	return &HistoryGone{g.After, g.Before, g.When, g.Older, g.Newer}
}

// HistoryRevision is one of them.
type HistoryRevision struct {
	Revision string         `json:"revision"`
	Verb     history.Verb   `json:"verb"`
	Life     int            `json:"life"` // counts the generations of the key that are held, from 1
	UID      string         `json:"uid"`
	Version  int64          `json:"version"` // counts the writes of this life; 0 for a deletion
	Time     clock.Interval `json:"time"`
	Managers string         `json:"managers"`
	Files    []string       `json:"files"` // paths of those that hold it
	Carved   string         `json:"carved,omitempty"`
	// Unseen is how many writes of this life before it are in no file, and Gone the end of
	// the life before, where no file holds that.
	Unseen   int64           `json:"unseen"`
	Gone     *HistoryGone    `json:"gone"`
	Changes  []HistoryChange `json:"changes"` // to the revision before it in this life
	Deletion string          `json:"deletion,omitempty"`
	Object   any             `json:"object,omitempty"`
	Problem  string          `json:"problem,omitempty"`

	changes []diff.Change
}

// HistoryChange is a field that differs, as JSON; null where it was not there.
type HistoryChange struct {
	Path   string  `json:"path"`
	Before *string `json:"before"`
	After  *string `json:"after"`
	Noise  string  `json:"noise,omitempty"` // why it says nothing
}

// NewHistoryRevision describes an entry of a history read from some sources.
func NewHistoryRevision(e *history.Entry, sources []history.Source) HistoryRevision {
	r := HistoryRevision{
		Revision: e.Revision.String(), Verb: e.What, Life: e.Generation, UID: e.UID, Version: e.Version, Time: e.When, Managers: e.By,
		Unseen: e.Unseen, Gone: NewHistoryGone(e.Gone), Problem: e.Problem, changes: e.Changes,
	}
	for _, in := range e.In {
		r.Files = append(r.Files, sources[in].Name)
	}
	if e.Carved {
		r.Carved = e.Source
	}
	if e.Deletion != nil {
		r.Deletion = deletionText(e.Deletion)
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		change := HistoryChange{Path: c.Path, Noise: c.Noise.String()}
		if c.Before != "" {
			change.Before = &c.Before
		}
		if c.After != "" {
			change.After = &c.After
		}
		r.Changes = append(r.Changes, change)
	}
	return r
}

// deletionText says what a deletion may have come of.
func deletionText(d *relations.Deletion) string {
	var parts []string
	if d.Asked > 0 {
		parts = append(parts, "asked for at revision "+words.Number(d.Asked))
	}
	for _, c := range d.Causes {
		parts = append(parts, c.Text)
	}
	if d.Owned != "" && len(d.Causes) == 0 {
		parts = append(parts, "perhaps by its owner, "+d.Owned)
	}
	return strings.Join(parts, "; ")
}

// Text writes the history for people.
func (h *History) Text(p *Printer) {
	for i := range h.Histories {
		b := &h.Histories[i]
		if i > 0 {
			p.Line("")
			p.Line("%s:", h.branchTitle(b.Branch))
		}
		h.table(p, b)
	}
	if len(h.Histories[0].Revisions) == 0 {
		p.Line("No file that leads to the newest one holds a revision of it.")
	}
	h.holeText(p)
}

func (h *History) table(p *Printer, b *BranchHistory) {
	names := h.fileNames()
	var rows [][]string
	note := func(text string) { rows = append(rows, []string{"", "", "", "", "", text}) }
	var patches [][]diff.Change
	for i := range b.Revisions {
		r := &b.Revisions[i]
		if r.Gone != nil {
			note(goneText(r.Gone, names))
		}
		if r.Unseen > 0 {
			note(words.CountOf(r.Unseen, "write is in no file", "writes are in no file"))
		}
		rows = append(rows, []string{r.Revision, span(r.Time), strconv.Itoa(r.Life), words.OrDash(r.Managers), h.in(r, names), r.what()})
		patches = append(patches, r.changes)
	}
	if b.Gone != nil {
		note(goneText(b.Gone, names))
	}
	if h.Patch == nil {
		p.Table([]string{"REVISION", "WRITTEN", "LIFE", "BY", "FILE", "WHAT"}, rows, nil)
		return
	}
	n := 0
	for _, row := range rows {
		if row[0] == "" {
			p.Line("# %s", row[5])
			continue
		}
		p.Line("revision %s, written %s by %s, in %s: %s", row[0], row[1], row[3], row[4], row[5])
		h.Patch(p, patches[n])
		n++
	}
}

// what says what a revision did, and which fields it changed.
func (r *HistoryRevision) what() string {
	var paths []string
	noise := 0
	for _, c := range r.Changes {
		if c.Noise != "" {
			noise++
		} else if short := shortPath(c.Path); !slices.Contains(paths, short) {
			paths = append(paths, short)
		}
	}
	switch {
	case r.Problem != "":
		return string(r.Verb) + "; " + r.Problem
	case r.Verb == history.Deleted && r.Deletion != "":
		return "deleted. " + r.Deletion
	case r.Verb != history.Changed:
		return string(r.Verb)
	case len(paths) == 0 && noise > 0:
		return "changed nothing but noise"
	case len(paths) == 0:
		return "changed; what, is not known"
	}
	return "changed " + words.First(paths, 4)
}

// shortPath is the first two names of a path.
func shortPath(path string) string {
	first, rest, ok := strings.Cut(path, ".")
	if !ok {
		return path
	}
	return first + "." + rest[:min(len(rest), cmp.Or(strings.IndexAny(rest, ".[")+1, len(rest)+1)-1)]
}

// in names the files that hold a revision: the first and how many more.
func (h *History) in(r *HistoryRevision, names map[string]string) string {
	if r.Carved != "" {
		return r.Carved
	}
	first := names[r.Files[0]]
	if n := len(r.Files); n > 1 && n == len(h.Files) {
		return "all files"
	}
	if more := len(r.Files) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", first, more)
	}
	return first
}

func goneText(g *HistoryGone, names map[string]string) string {
	if g.Before <= g.After+1 {
		return fmt.Sprintf("deleted after revision %s, at revision %s: no file holds how", words.Number(g.After), words.Number(g.Before))
	}
	text := fmt.Sprintf("deleted between revisions %s (%s) and %s (%s)", words.Number(g.After), names[g.Older], words.Number(g.Before), names[g.Newer])
	if from, to := g.Time.From, g.Time.To; !from.IsZero() && !to.IsZero() {
		text += ", " + words.Duration(to.Sub(from)) + " apart"
	}
	return text + ": no file holds the time between"
}

// span is an interval of times in a cell.
func span(i clock.Interval) string {
	from, to := words.Time(i.From), words.Time(i.To)
	switch {
	case i.From.IsZero() && i.To.IsZero():
		return "-"
	case i.From.IsZero():
		return "before " + to
	case i.To.IsZero():
		return "after " + from
	case from == to:
		return from
	}
	day, _, _ := strings.Cut(from, " ")
	return from + " to " + strings.TrimPrefix(to, day+" ")
}

// holeText says which revisions no file holds: what was written in them and overwritten or
// deleted before their end is not listed.
func (s *Series) holeText(p *Printer) {
	for i := range s.Branches {
		b := &s.Branches[i]
		if !b.Newest {
			continue
		}
		oldest := s.oldest(i)
		if oldest > 1 {
			p.Wrapped("", textWidth, fmt.Sprintf("Before revision %s only what was still there then is held.", words.Number(oldest)))
		}
		if n := len(b.Holes); n > 0 {
			all := int64(0)
			for _, h := range b.Holes {
				all += h.Before - h.After - 1
			}
			p.Wrapped("", textWidth, fmt.Sprintf("%s, in %s between the files, are in no file.", words.Count(all, "revision"), words.CountOf(n, "stretch", "stretches")))
		}
	}
}

// oldest is the oldest revision of the newest history whose state a file holds.
func (s *Series) oldest(branch int) int64 {
	for s.Branches[branch].Parent >= 0 {
		branch = s.Branches[branch].Parent
	}
	for _, f := range s.Files {
		if f.Branch == branch {
			return f.CompactRevision
		}
	}
	return 0
}
