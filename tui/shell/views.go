package shell

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// view is what was shown: a screen, and the place in it, such as the resource that is listed.
type view struct {
	screen int
	place  any    // what its Place said; nil for none
	filter string // that was there last
}

// views are those that were shown, which one goes back and forward through.
type views struct {
	list []view
	at   int
	last *view // shown before the one that is shown; nil for none

	noted bool // the view is one that the last key press brought
	going bool // to the view at at, which may take reading
}

// mostViews is how many views are remembered.
const mostViews = 50

// now is the view that is shown.
func (m *model) now() view {
	v := view{screen: m.at}
	if p, ok := m.screens[m.at].(session.Placed); ok {
		v.place, v.filter = p.Place()
	}
	return v
}

// note remembers the view that is shown, where it is another one than before.
func (m *model) note() {
	if m.Input == nil || len(m.screens) == 0 {
		return
	}
	v, now := &m.views, m.now()
	if len(v.list) == 0 {
		v.list = []view{now}
		return
	}
	switch was := v.list[v.at]; {
	case was.screen == now.screen && was.place == now.place:
		v.going = false
		v.list[v.at] = now
		return
	case v.going:
		return
	case v.noted: // what the same key press still brings
		v.list[v.at] = now
		return
	}
	v.add(now)
}

// add remembers a view that comes after the one that was shown.
func (v *views) add(now view) {
	was := v.list[v.at]
	v.last, v.noted = &was, true
	v.list = append(slices.Clip(v.list[:v.at+1]), now)
	v.list = v.list[max(len(v.list)-mostViews, 0):]
	v.at = len(v.list) - 1
}

// viewKeys says which views can be gone to.
func (m *model) viewKeys(k keys.Set) {
	v := &m.views
	if v.last != nil {
		k.Offer(keys.LastView)
	}
	if v.at > 0 {
		k.Offer(keys.ViewBack)
	}
	if v.at < len(v.list)-1 {
		k.Offer(keys.ViewAhead)
	}
}

// step goes back or forward through the views.
func (m *model) step(by int) tea.Cmd {
	v := &m.views
	was := v.list[v.at]
	v.last, v.at = &was, v.at+by
	return m.visit(v.list[v.at])
}

// lastView goes to the view before, and the next time back.
func (m *model) lastView() tea.Cmd {
	to := *m.views.last
	m.views.add(to)
	return m.visit(to)
}

// visit shows a view again, and says which of those that were shown it is: it may look like the
// one before.
func (m *model) visit(to view) tea.Cmd {
	m.views.going = true
	m.show(to.screen)
	which := widget.Notify(fmt.Sprintf("view %d of %d", m.views.at+1, len(m.views.list)))
	p, ok := m.screens[to.screen].(session.Placed)
	if !ok || to.place == nil {
		return which
	}
	if place, _ := p.Place(); place == to.place {
		return which
	}
	return tea.Batch(which, p.Return(to.place, to.filter))
}

// askAliases lists what the prompt of commands takes: screens, commands and resources with all
// their names.
func (m *model) askAliases() {
	p := &paletteScreen{Session: m.Session, title: "What : takes"}
	for i := range registry {
		e := &registry[i]
		does, _ := e.in(m.Input)
		p.items = append(p.items, paletteItem{":" + e.name, e.key, does, func() tea.Cmd { m.show(i); return nil }})
	}
	for _, v := range m.verbs() {
		p.items = append(p.items, paletteItem{":" + v.name, "", strings.TrimSuffix(v.does+": "+v.args, ": "), m.asked(&v)})
	}
	if m.Objects != nil {
		for _, r := range m.Objects.Catalog.Resources() {
			if r.Foreign || r.Count == 0 {
				continue
			}
			name := r.Name
			if m.Objects.Catalog.Lookup(name) != r {
				name = r.FullName()
			}
			names := slices.Clone(r.ShortNames)
			if one := cmp.Or(r.Singular, strings.ToLower(r.Kind)); one != "" && one != name {
				names = append(names, one)
			}
			p.items = append(p.items, paletteItem{":" + draw.Safe(name), "", fmt.Sprintf("%s (%s)", strings.Join(append(names, r.FullName()), ", "), words.Count(r.Count, "object")), func() tea.Cmd { return m.command(name) }})
		}
	}
	p.find("")
	m.find(p)
}

// asked runs a command that is found by its name, once its argument was typed.
func (m *model) asked(v *verb) func() tea.Cmd {
	if v.args == "" {
		return func() tea.Cmd { return v.run(m, nil) }
	}
	return func() tea.Cmd { m.askCommand(v.name + " "); return nil }
}

// choose is the command ctx: it chooses the file that is looked at.
func (m *model) choose(args []string) tea.Cmd {
	if len(args) == 0 {
		m.show(screenNamed("files"))
		return nil
	}
	at, err := m.fileNamed(args)
	if err != nil {
		return widget.Notify(err.Error())
	}
	if s := m.Input.Series; s != nil {
		if at == m.Input.Members[1] {
			return widget.Notify(s.Names()[at] + " is CURRENT already")
		}
		return func() tea.Msg { return session.PairMsg{Backup: m.Input.Members[0], Current: at, Chosen: at} }
	}
	m.show(screenNamed("objects"))
	return func() tea.Msg { return session.MomentMsg{Moment: session.Moment{Source: at}} }
}

// choices are those that ctx takes.
func (m *model) choices() []string {
	if s := m.Input.Series; s != nil {
		return s.Names()
	}
	var list []string
	for _, i := range m.Input.Chosen() {
		list = append(list, m.Input.Role(i))
	}
	return list
}

// fileNamed is the place of a file: of a member of a series, or of the source.
func (m *model) fileNamed(args []string) (int, error) {
	names := m.choices()
	i := slices.Index(names, strings.Join(args, " "))
	switch {
	case i < 0:
		return 0, fmt.Errorf("the files are %s", strings.Join(names, ", "))
	case m.Input.Series != nil:
		if i == m.Input.Members[0] {
			return 0, fmt.Errorf("%s is BACKUP: CURRENT is a newer one", names[i])
		}
		return i, nil
	}
	return m.Input.Chosen()[i], nil
}
