package shell

import (
	tea "charm.land/bubbletea/v2"

	"revenant/tui/keys"
)

// quit ends the program. Where the plan was changed and its runbook taken nowhere, it asks
// first: the same again quits.
func (m *model) quit() tea.Cmd {
	if m.quitting || !m.untaken() {
		return tea.Quit
	}
	m.quitting = true
	m.message = "The plan was changed, and its runbook not copied or saved: " + m.Keymap.Key(keys.Quit) + " quits (--resume brings the plan back), :plan has the runbook."
	return nil
}

// untaken says whether there is a plan of the person's own whose runbook was neither copied nor
// saved.
func (m *model) untaken() bool {
	if m.Input == nil || m.Input.Runbook == nil || m.Input.Alone() != "" {
		return false
	}
	plan := m.Plan.Plan
	return !plan.Equal(m.begun) && (m.kept == nil || !plan.Equal(*m.kept))
}

// took notes that what is shown was copied or saved: of the plan, its runbook.
func (m *model) took() {
	if registry[m.at].name == "plan" && m.Runbook != nil && m.Runbook.Of(&m.Plan.Plan) {
		plan := m.Plan.Plan
		m.kept = &plan
	}
}
