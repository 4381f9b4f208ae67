package shell

import (
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/session"
)

// Memory is what outlives the program: where one was, the plan, and how lists are
// filtered and sorted. Nothing of the evidence is in it but what was typed, and the
// names of the resource and the namespace that were listed.
type Memory struct {
	Screen  string                       `json:"screen"`
	Plan    restore.Plan                 `json:"plan"`
	Screens map[string]map[string]string `json:"screens,omitempty"` // by name
}

// memory is what there is to remember.
func (m *model) memory() *Memory {
	if m.Input == nil {
		return nil
	}
	list := map[string]map[string]string{}
	for i, s := range m.screens {
		if r, ok := s.(session.Rememberer); ok {
			if kept := r.Remember(); len(kept) > 0 {
				list[registry[i].name] = kept
			}
		}
	}
	return &Memory{Screen: registry[m.at].name, Plan: m.Plan.Plan, Screens: list}
}

// recall goes back to where the person was with this evidence, once it is known
// by its hashes, unless they have pressed a key already.
func (m *model) recall() tea.Cmd {
	hash := m.Hash()
	if m.resume == nil || hash == "" {
		return nil
	}
	remembered := m.resume(hash)
	m.resume = nil
	switch {
	case remembered == nil:
		m.message = "nothing is remembered of this evidence"
		return nil
	case m.used:
		m.message = "not resumed: a key was pressed before the evidence was known by its hash"
		return nil
	}
	return m.apply(remembered)
}

// gone are the screens that are remembered, and that there are no longer.
func (memory *Memory) gone() []string {
	names := slices.Sorted(maps.Keys(memory.Screens))
	if memory.Screen != "" && !slices.Contains(names, memory.Screen) {
		names = append(names, memory.Screen)
	}
	return slices.DeleteFunc(names, func(name string) bool { return screenNamed(name) >= 0 })
}

func (m *model) apply(memory *Memory) tea.Cmd {
	m.show(screenNamed(memory.Screen))
	m.trail = nil
	var cmds []tea.Cmd
	for i, s := range m.screens {
		if r, ok := s.(session.Rememberer); ok && memory.Screens[registry[i].name] != nil {
			cmds = append(cmds, r.Recall(memory.Screens[registry[i].name]))
		}
	}
	cmds = append(cmds, m.Replan(func() {
		m.Plan.Plan = memory.Plan
		m.Plan.Given = memory.Plan.BumpRevision
	}))
	m.begun, m.message = memory.Plan, "as you left it"
	if gone := memory.gone(); len(gone) > 0 {
		m.message += ", but what was kept of screens that are called otherwise now: " + draw.Safe(words.First(gone, 5))
	}
	return tea.Batch(cmds...)
}
