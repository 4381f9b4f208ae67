package tui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
)

// newUndone lists what else goes back in time: everything that is not a pod.
func newUndone(s *session) screen {
	return newBoard(&s.ui, listing{
		title: "undone", noun: "finding", waiting: "comparing the objects",
		columns: []column{
			{title: "FINDING", key: "S", min: 16, max: 36},
			{title: "CERTAINTY", key: "C", min: 9},
			{title: "KIND", key: "O", min: 10, max: 40},
			{title: "NAMESPACE", key: "P", min: 8, max: 30},
			{title: "NAME", key: "N", min: 10, max: 60},
		},
		of: func() any {
			if s.rollback == nil {
				return nil
			}
			return s.rollback
		},
		rows: func() rows { return s.findingRows(s.rollback.Findings) },
		empty: func() string {
			if s.lacking() {
				return "Nothing beside the pods, of what the evidence has; and some is missing."
			}
			return "Nothing beside the pods: the two snapshots hold the same."
		},
	})
}

func (s *session) findingRows(list []rollback.Finding) rows {
	return rows{
		count: len(list),
		cell: func(row, column int) string {
			f := &list[row]
			return []string{string(f.ID), string(f.Certainty), f.Kind, f.Namespace, f.Name}[column]
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 0:
				return cmp.Or(x.Severity.Rank()-y.Severity.Rank(), strings.Compare(string(x.ID), string(y.ID)))
			case 1:
				return cmp.Compare(certaintyRank(x.Certainty), certaintyRank(y.Certainty))
			case 2:
				return strings.Compare(x.Kind, y.Kind)
			case 3:
				return strings.Compare(x.Namespace, y.Namespace)
			}
			return strings.Compare(x.Name, y.Name)
		},
		minor: func(row int) bool { return list[row].Severity == restore.OK },
		look:  func(t *theme, row int) (style, string) { return t.severity(list[row].Severity) },
		id: func(row int) string {
			f := &list[row]
			return strings.TrimLeft(string(f.ID)+" "+f.Kind+" "+f.Namespace+"/"+f.Name, " ")
		},
		links: func(row int) func(action) tea.Cmd {
			if refs := list[row].Evidence; len(refs) > 0 {
				return s.linksTo(current, refs[0].Key)
			}
			return nil
		},
		detail: func(row, width int) []string { return s.finding(&list[row], width) },
	}
}

// finding tells all of a finding.
func (s *session) finding(f *rollback.Finding, width int) []string {
	t := s.theme
	info := rollback.Info{Title: string(f.ID)}
	if i := slices.IndexFunc(rollback.Infos, func(i rollback.Info) bool { return i.ID == f.ID }); i >= 0 {
		info = rollback.Infos[i]
	}
	lines := []string{t.heading(info.Title, width)}
	object := f.Kind
	if f.Name != "" {
		object += "/" + f.Name
	}
	if f.Namespace != "" {
		object += " in " + f.Namespace
	}
	color, _ := t.severity(f.Severity)
	lines = append(lines, color.paint(t.cut(safe(object), width)))
	lines = append(lines, wrap(f.Reason, width)...)
	lines = append(lines, "")
	lines = append(lines, paintAll(t.dim, wrap(info.Explains, width))...)
	if f.Inferred != "" {
		lines = append(lines, wrap("Inferred ("+string(f.Certainty)+"): "+f.Inferred, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, paintAll(t.bold, wrap("To do: "+f.Action, width))...)
	if len(f.Evidence) > 0 {
		lines = append(lines, "", t.dim.paint("Evidence"))
	}
	for _, ref := range f.Evidence {
		lines = append(lines, paintAll(t.dim, item("- ", string(ref.Snapshot)+", revision "+count(ref.Revision)+": "+ref.Key, width))...)
	}
	return lines
}
