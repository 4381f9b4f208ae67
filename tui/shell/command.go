package shell

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// verb is a command of the shell's own.
type verb struct {
	name, args, does string
	run              func(m *model, args []string) tea.Cmd
	complete         func(m *model) []string // the argument, nil where anything goes
	pair             bool                    // it needs a backup and the newest state
}

// verbs are the commands beside the names of the screens, and beside what screens
// take themselves.
func verbs() []verb {
	return []verb{
		{"bump", "N|none|recommended|minimum", "set --bump-revision", (*model).bumpTo, func(*model) []string { return []string{"none", "recommended", "minimum"} }, true},
		{"copy", "", "copy what is selected or open", func(m *model, _ []string) tea.Cmd { m.took(); return m.copyOut(m.excerpt(false)) }, nil, false},
		{"save", "[--raw] FILE", "save what is listed or open; --raw: an object as it is stored", func(m *model, args []string) tea.Cmd { return m.saveTo(strings.Join(args, " ")) }, nil, false},
		{"platform", "NAME", "the platform that the runbook is for", (*model).platformTo, func(m *model) []string { return m.Input.Platforms }, true},
		{"theme", "dark|light", "colours for a dark or a light background", (*model).themed, func(*model) []string { return []string{"dark", "light"} }, false},
		{"help", "", "the keys, and what the outcomes mean", func(m *model, _ []string) tea.Cmd { m.toggleHelp(); return nil }, nil, false},
		{"ctx", "[FILE]", "choose the file: of two, whose objects are listed; of many, which is CURRENT", (*model).choose, (*model).choices, false},
		{"quit", "", "quit (:q; :q! without asking)", func(m *model, _ []string) tea.Cmd { return m.quit() }, nil, false},
	}
}

// verbs are those that can be done with the evidence that there is.
func (m *model) verbs() []verb {
	return slices.DeleteFunc(verbs(), func(v verb) bool { return v.pair && m.Input.Alone() != "" })
}

// command does what is typed after a colon.
func (m *model) command(text string) tea.Cmd {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	m.typedCommands = append(slices.DeleteFunc(m.typedCommands, func(was string) bool { return was == text }), text)
	name := strings.ToLower(words[0])
	switch name {
	case "q":
		name = "quit"
	case "q!", "quit!":
		return tea.Quit
	}
	if i := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == name }); i >= 0 {
		if why := m.Input.Alone(); verbs()[i].pair && why != "" {
			return widget.Notify(name + " " + why)
		}
		return verbs()[i].run(m, words[1:])
	}
	if i := screenNamed(name); i >= 0 && len(words) == 1 {
		m.show(i)
		return nil
	}
	for i, s := range m.screens {
		if c, ok := s.(session.Commander); ok {
			if cmd, ok := c.Command(words); ok {
				m.show(i)
				return cmd
			}
		}
	}
	return widget.Notify(m.unknown(text).Error())
}

func (m *model) unknown(text string) error {
	return fmt.Errorf("no command %s: tab after %s lists them, %s finds one by its name", draw.Quoted(text), m.Keymap.Key(keys.Command), m.Keymap.Key(keys.Palette))
}

// checkCommand says what is wrong with a command, so that it can be corrected where it was
// typed.
func (m *model) checkCommand(text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	name := strings.ToLower(words[0])
	if i := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == name }); i >= 0 {
		if name == "ctx" && len(words) > 1 {
			_, err := m.fileNamed(words[1:])
			return err
		}
		if name == "bump" && m.Input.Alone() == "" {
			_, err := m.bumpOf(words[1:])
			return err
		}
		return nil
	}
	if slices.Contains([]string{"q", "q!", "quit!"}, name) || screenNamed(name) >= 0 && len(words) == 1 {
		return nil
	}
	known := false
	for _, s := range m.screens {
		if c, ok := s.(session.Checker); ok {
			if err := c.CheckCommand(words); err != nil {
				return err
			}
		}
		if c, ok := s.(session.Commander); ok {
			known = known || c.Takes(words)
		}
	}
	if !known {
		return m.unknown(text)
	}
	return nil
}

// completions are what a command may become.
func (m *model) completions(text string) []string {
	words := strings.Fields(text)
	if len(words) == 0 || strings.HasSuffix(text, " ") {
		words = append(words, "")
	}
	last := words[len(words)-1]
	lead := strings.Join(words[:len(words)-1], " ")
	var list []string
	offer := func(candidates ...string) {
		for _, c := range candidates {
			if whole := strings.TrimLeft(lead+" "+c, " "); strings.HasPrefix(c, last) && !slices.Contains(list, whole) {
				list = append(list, whole)
			}
		}
	}
	if len(words) == 1 {
		for _, e := range registry {
			offer(e.name)
		}
		for _, v := range m.verbs() {
			offer(v.name)
		}
	}
	for _, v := range m.verbs() {
		if len(words) == 2 && v.name == words[0] && v.complete != nil {
			offer(v.complete(m)...)
		}
	}
	for _, s := range m.screens {
		if c, ok := s.(session.Commander); ok {
			offer(c.Complete(words)...)
		}
	}
	return list
}

func (m *model) bumpTo(args []string) tea.Cmd {
	n, err := m.bumpOf(args)
	if err != nil {
		return widget.Notify(err.Error())
	}
	return m.Replan(func() { m.Plan.Plan.BumpRevision, m.Plan.Given = n, n })
}

// bumpOf is the bump that is named.
func (m *model) bumpOf(args []string) (int64, error) {
	if len(args) != 1 {
		return 0, errors.New("bump needs a number of revisions, or none, recommended or minimum")
	}
	s := m.Plan.Suggested()
	n, ok := map[string]int64{"none": 0, "recommended": s.Recommended, "minimum": s.Minimum}[args[0]]
	switch p := m.Prediction; {
	case ok && n == 0 && args[0] != "none" && p != nil && p.Revisions.NoBumpFits != "":
		return 0, errors.New(p.Revisions.NoBumpFits)
	case !ok:
		var err error
		if n, err = strconv.ParseInt(strings.NewReplacer(",", "", "_", "").Replace(args[0]), 10, 64); err != nil || n < 0 {
			return 0, errors.New(draw.Quoted(args[0]) + " is no number of revisions: give one, or none, recommended or minimum")
		}
	}
	return n, nil
}

func (m *model) platformTo(args []string) tea.Cmd {
	if len(args) != 1 || !slices.Contains(m.Input.Platforms, args[0]) {
		return widget.Notify("the platforms are " + strings.Join(m.Input.Platforms, ", "))
	}
	m.Platform = args[0]
	m.show(screenNamed("plan"))
	return m.WriteRunbook()
}

func (m *model) themed(args []string) tea.Cmd {
	if len(args) != 1 || args[0] != "dark" && args[0] != "light" {
		return widget.Notify("theme needs dark or light")
	}
	m.themeChosen = true
	return m.setTheme(args[0] == "dark")
}

// rawFlag has an object saved as it is stored.
const rawFlag = "--raw"

func (m *model) saveTo(path string) tea.Cmd {
	e := m.excerpt(true)
	raw := false
	if path, raw = strings.CutPrefix(path, rawFlag); raw {
		path = strings.TrimSpace(path)
	}
	switch {
	case e.None():
		return widget.Notify("there is nothing to save")
	case raw && e.Raw == nil:
		return widget.Notify(rawFlag + " saves an opened object as it is stored, and none is open")
	case path == "":
		return widget.Notify("save needs the name of a file")
	}
	if raw {
		e = e.Stored()
	}
	m.took()
	return m.save(path, e)
}

// excerpt is what the screen gives to copy or save.
func (m *model) excerpt(save bool) widget.Export {
	if t, ok := m.shown().(session.Exporter); ok {
		return t.Export(save)
	}
	return widget.Export{}
}
