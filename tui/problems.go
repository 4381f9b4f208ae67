package tui

import (
	"cmp"
	"fmt"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
)

// newProblems lists what was found wrong with the evidence.
func newProblems(s *session) screen {
	return newBoard(&s.ui, listing{
		title: "problems", noun: "problem", waiting: "verifying the evidence and looking at every value",
		columns: []column{
			{title: "SEVERITY", key: "S", min: 8},
			{title: "IN", key: "O", min: 7},
			{title: "WHERE", key: "P", min: 12, max: 40},
			{title: "WHAT", key: "N", min: 20},
		},
		of: func() any {
			if s.problems == nil {
				return nil
			}
			return s.problems
		},
		rows: func() rows { return s.problemRows(*s.problems) },
		empty: func() string {
			return "Nothing was found wrong with either file: pages, revisions and, where there is one, the trailer are as etcd leaves them, and every live object can be decoded."
		},
	})
}

func (p *problem) weight() restore.Severity {
	if p.Severity == snapshot.Damage {
		return restore.Critical
	}
	return restore.OK
}

func (s *session) problemRows(list []problem) rows {
	return rows{
		count: len(list),
		cell: func(row, column int) string {
			p := &list[row]
			return []string{string(p.Severity), string(roles[p.side]), p.Where, p.What}[column]
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case 0:
				return cmp.Or(x.weight().Rank()-y.weight().Rank(), cmp.Compare(x.side, y.side))
			case 1:
				return cmp.Compare(x.side, y.side)
			case 2:
				return strings.Compare(x.Where, y.Where)
			}
			return strings.Compare(x.What, y.What)
		},
		look: func(t *theme, row int) (style, string) { return t.severity(list[row].weight()) },
		id: func(row int) string {
			p := &list[row]
			return fmt.Sprintf("%s: %s: %s", roles[p.side], p.Where, p.What)
		},
		detail: func(row, width int) []string { return s.problem(&list[row], width) },
	}
}

// problem tells all of a problem.
func (s *session) problem(p *problem, width int) []string {
	t := s.theme
	lines := []string{t.heading(fmt.Sprintf("%s: %s", roles[p.side], p.Severity), width)}
	lines = append(lines, t.facts(width, "file", s.side(p.side).Snapshot.Path(), "where", p.Where, "what", p.What, "costs", p.Cost)...)
	lines = append(lines, "")
	if p.Severity == snapshot.Damage && strings.HasPrefix(p.Where, "/") {
		return append(lines, wrap("The record was read whole, and what is stored in it is no object of a known encoding.", width)...)
	}
	if p.Severity == snapshot.Damage {
		return append(lines, wrap("Everything is told from what could be read. revenant salvage writes that into a clean snapshot; what is missing stays missing.", width)...)
	}
	return append(lines, paintAll(t.dim, wrap("Worth knowing; nothing is damaged.", width))...)
}
