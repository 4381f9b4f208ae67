package problems

import (
	"cmp"
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// New lists what was found wrong with the evidence.
func New(s *session.Session) session.Screen {
	return widget.NewBoard(&s.UI, widget.Listing{
		Title: "problems", Noun: "problem", Waiting: "verifying the evidence and looking at every value",
		Columns: []widget.Column{
			{Title: "SEVERITY", Key: "S", Min: 8, Desc: true},
			{Title: "IN", Key: "I", Min: 7},
			{Title: "WHERE", Key: "W", Min: 12, Max: 40},
			{Title: "WHAT", Key: "A", Min: 20},
		},
		Of: func() any {
			if s.Problems == nil {
				return nil
			}
			return s.Problems
		},
		Rows: func() widget.Rows { return problemRows(s, *s.Problems) },
		Empty: func() string {
			return "Nothing was found wrong: pages, revisions and, where there is one, the trailer are as etcd leaves them, and every live object can be decoded."
		},
	})
}

func weight(p *session.Problem) restore.Severity {
	if p.Severity == snapshot.Damage {
		return restore.Critical
	}
	return restore.OK
}

func problemRows(s *session.Session, list []session.Problem) widget.Rows {
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
			p := &list[row]
			return []string{string(p.Severity), s.Input.Role(p.Source), p.Where, p.What}[column]
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 0:
				return cmp.Or(weight(x).Rank()-weight(y).Rank(), cmp.Compare(x.Source, y.Source))
			case 1:
				return cmp.Compare(x.Source, y.Source)
			case 2:
				return strings.Compare(x.Where, y.Where)
			}
			return strings.Compare(x.What, y.What)
		},
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, weight(&list[row])) },
		ID: func(row int) string {
			p := &list[row]
			return fmt.Sprintf("%s: %s: %s", s.Input.Role(p.Source), p.Where, p.What)
		},
		Detail: func(row, width int) []string { return problem(s, &list[row], width) },
	}
}

// problem tells all of a problem.
func problem(s *session.Session, p *session.Problem, width int) []string {
	t := s.Theme
	lines := []string{t.Heading(fmt.Sprintf("%s: %s", s.Input.Role(p.Source), p.Severity), width)}
	lines = append(lines, t.Facts(width, "file", s.Source(p.Source).Snapshot.Path(), "where", p.Where, "what", p.What, "costs", p.Cost)...)
	lines = append(lines, "")
	if p.Severity == snapshot.Damage && strings.HasPrefix(p.Where, "/") {
		return append(lines, draw.Wrap("The record was read whole, and what is stored in it is no object of a known encoding.", width)...)
	}
	if p.Severity == snapshot.Damage {
		return append(lines, draw.Wrap("All that is shown comes from what could be read. revenant salvage writes that into a clean snapshot; what is missing stays missing.", width)...)
	}
	return append(lines, draw.PaintAll(t.Dim, draw.Wrap("Worth knowing; nothing is damaged.", width))...)
}
