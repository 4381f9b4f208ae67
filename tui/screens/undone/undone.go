package undone

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// New lists what else goes back in time: everything that is not a pod.
func New(s *session.Session) session.Screen {
	return widget.NewBoard(&s.UI, widget.Listing{
		Title: "undone", Noun: "finding", Waiting: "comparing the objects",
		Columns: []widget.Column{
			{Title: "FINDING", Key: "F", Min: 16, Max: 36, Desc: true, By: "the worst severity, then finding"},
			{Title: "CERTAINTY", Key: "C", Min: 9, Desc: true, By: "certain before possible"},
			{Title: "KIND", Key: "K", Min: 10, Max: 40},
			{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
			{Title: "NAME", Key: "N", Min: 10, Max: 60},
		},
		Of: func() any {
			if s.Rollback == nil {
				return nil
			}
			return s.Rollback
		},
		Rows: func() widget.Rows { return findingRows(s, s.Rollback.Findings) },
		Empty: func() string {
			if s.Lacking() {
				return "Nothing beside the pods, of what the evidence has; and some is missing."
			}
			return "Nothing beside the pods: the two snapshots hold the same."
		},
	})
}

func findingRows(s *session.Session, list []rollback.Finding) widget.Rows {
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			f := &list[row]
			return []string{string(f.ID), string(f.Certainty), f.Kind, f.Namespace, f.Name}[column]
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 0:
				return cmp.Or(x.Severity.Rank()-y.Severity.Rank(), strings.Compare(string(x.ID), string(y.ID)))
			case 1:
				return cmp.Compare(x.Certainty.Rank(), y.Certainty.Rank())
			case 2:
				return strings.Compare(x.Kind, y.Kind)
			case 3:
				return strings.Compare(x.Namespace, y.Namespace)
			}
			return strings.Compare(x.Name, y.Name)
		},
		Minor: func(row int) bool { return list[row].Severity == restore.OK },
		Look:  func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, list[row].Severity) },
		ID: func(row int) string {
			f := &list[row]
			return strings.TrimLeft(string(f.ID)+" "+f.Kind+" "+f.Namespace+"/"+f.Name, " ")
		},
		Links: func(row int) func(keys.Action) tea.Cmd {
			if refs := list[row].Evidence; len(refs) > 0 {
				return s.LinksTo(s.Input.Current, refs[0].Key)
			}
			return nil
		},
		Detail: func(row, width int) []string { return finding(s, &list[row], width) },
	}
}

// finding tells all of a finding.
func finding(s *session.Session, f *rollback.Finding, width int) []string {
	t := s.Theme
	info := rollback.Info{Title: string(f.ID)}
	if i := slices.IndexFunc(rollback.Infos, func(i rollback.Info) bool { return i.ID == f.ID }); i >= 0 {
		info = rollback.Infos[i]
	}
	lines := []string{t.Heading(info.Title, width)}
	object := f.Kind
	if f.Name != "" {
		object += "/" + f.Name
	}
	if f.Namespace != "" {
		object += " in " + f.Namespace
	}
	color, _ := shared.Severity(t, f.Severity)
	lines = append(lines, color.Paint(t.Cut(draw.Safe(object), width)))
	lines = append(lines, draw.Wrap(f.Reason, width)...)
	lines = append(lines, "")
	lines = append(lines, draw.PaintAll(t.Dim, draw.Wrap(info.Explains, width))...)
	if f.Inferred != "" {
		lines = append(lines, draw.Wrap("Inferred ("+string(f.Certainty)+"): "+f.Inferred, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, draw.PaintAll(t.Bold, draw.Wrap("To do: "+f.Action, width))...)
	if len(f.Evidence) > 0 {
		lines = append(lines, "", t.Dim.Paint("Evidence"))
	}
	for _, ref := range f.Evidence {
		lines = append(lines, draw.PaintAll(t.Dim, draw.Item("- ", string(ref.Snapshot)+", revision "+words.Number(ref.Revision)+": "+ref.Key, width))...)
	}
	return lines
}
