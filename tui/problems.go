package tui

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// problem is one thing found wrong with one of the two snapshots.
type problem struct {
	side int
	snapshot.Problem
}

// newProblems lists what was found wrong with the evidence.
func newProblems(s *session) screen {
	return newBoard(s, listing{
		title: "problems", noun: "problem", waiting: "verifying the evidence and looking at every value",
		columns: []column{
			{title: "SEVERITY", key: "S", min: 8},
			{title: "IN", key: "O", min: 7},
			{title: "WHERE", key: "P", min: 12, max: 40},
			{title: "WHAT", key: "N", min: 20},
		},
		of: func(s *session) any {
			if s.problems == nil {
				return nil
			}
			return s.problems
		},
		rows: func(s *session) rows { return s.problemRows(*s.problems) },
		empty: func(*session) string {
			return "Nothing was found wrong with either file: pages, revisions and, where there is one, the trailer are as etcd leaves them, and every live object can be decoded."
		},
	})
}

// foundProblems are those of the files and of what is in them; nil until both files
// are verified and every live value was looked at.
func (s *session) foundProblems() *[]problem {
	list := []problem{}
	for side := range s.files {
		f := &s.files[side]
		if !f.verified || !f.decoded {
			return nil
		}
		for _, c := range f.integrity.Checks {
			if c.Name == "trailer" && c.Verdict != snapshot.OK {
				severity := snapshot.Note
				if c.Verdict == snapshot.Bad {
					severity = snapshot.Damage
				}
				list = append(list, problem{side, snapshot.Problem{Severity: severity, Where: "trailer", What: string(c.Verdict) + ": " + c.Detail}})
			}
		}
		for _, p := range slices.Concat(f.problems, f.undecoded) {
			list = append(list, problem{side, p})
		}
	}
	return &list
}

// decodedMsg says what of the live values of a snapshot cannot be decoded.
type decodedMsg struct {
	side     int
	problems []snapshot.Problem
}

// maxUndecoded is how many values that cannot be decoded are named.
const maxUndecoded = 1000

// decode looks at every live value. Those that are encrypted are counted by resource
// and key; those that cannot be decoded are named.
func (m *model) decode(side int, s *snapshot.Snapshot) tea.Cmd {
	ctx, prefix := m.ctx, m.input.Prefix
	return m.tasks.cmd(func() tea.Msg {
		type sealed struct{ resource, by string }
		encrypted := map[sealed]int{}
		msg := decodedMsg{side: side}
		n, more := 0, 0
		for r := range s.Keys("") {
			if n++; n%1024 == 0 && ctx.Err() != nil {
				return nil
			}
			key, ok := kube.ParseKey(prefix, r.Key)
			if !ok {
				continue
			}
			value, err := s.Value(r)
			if err == nil {
				_, err = kube.ScanMeta(value)
			}
			var e *kube.EncryptedError
			switch {
			case err == nil:
			case errors.As(err, &e):
				encrypted[sealed{key.Resource, fmt.Sprintf("%s %s, %s", e.Provider, e.Version, e.Name)}]++
			case len(msg.problems) < maxUndecoded:
				msg.problems = append(msg.problems, snapshot.Problem{Severity: snapshot.Damage, Where: r.Key, What: err.Error(), Cost: "the object cannot be decoded"})
			default:
				more++
			}
		}
		if more > 0 {
			msg.problems = append(msg.problems, snapshot.Problem{Severity: snapshot.Damage, Where: "values", What: plural(more, "more value") + " cannot be decoded"})
		}
		for _, k := range slices.SortedFunc(maps.Keys(encrypted), func(a, b sealed) int {
			return cmp.Or(strings.Compare(a.resource, b.resource), strings.Compare(a.by, b.by))
		}) {
			msg.problems = append(msg.problems, snapshot.Problem{Severity: snapshot.Note, Where: k.resource,
				What: fmt.Sprintf("%s encrypted (%s)", plural(encrypted[k], "value"), k.by), Cost: "what is in them, without --encryption-config and a key that fits"})
		}
		return msg
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
