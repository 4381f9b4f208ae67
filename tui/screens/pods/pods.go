package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Screen lists the pods, worst first, or groups of them, and shows the selected pod
// in detail: beside the list, below it, or in its place, as there is room.
type Screen struct {
	*session.Session
	Table  *widget.Table
	detail *detail
	of     *restore.Prediction // whose pods the table shows, or will when it is arranged
	place  widget.Place
	opened bool         // keys go to the detail
	order  widget.Order // that the pods had before they were grouped
	groups int          // the column that groups have in common, none while pods are listed
	within *podGroup    // whose pods, or groups of them, are listed; nil for all

	width, height int
}

// none is no column.
const none = -1

// The columns of the list.
const (
	colOutcome = iota
	colSeverity
	colCertainty
	colNamespace
	colName
	colNode
	colOwner
	colAge
	colFlags
)

var podColumns = []widget.Column{
	{Title: "OUTCOME", Key: "U", Min: 11, Desc: true, By: "the worst severity, then outcome and certainty"},
	{Title: "SEVERITY", Key: "S", Min: 8, Drop: 6, Desc: true, By: "the worst severity, then outcome and certainty"},
	{Title: "CERTAINTY", Key: "C", Min: 9, Drop: 2, Desc: true, By: "certain before possible"},
	{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
	{Title: "NAME", Key: "N", Min: 16, Max: 63},
	{Title: "NODE", Key: "O", Min: 6, Max: 40},
	{Title: "OWNER", Key: "W", Min: 12, Max: 60, Drop: 5},
	{Title: "AGE", Key: "A", Min: 6, Drop: 3},
	{Title: "FLAGS", Key: "F", Min: 12, Drop: 4},
}

// New makes the screen.
func New(s *session.Session) session.Screen {
	return &Screen{Session: s, detail: newDetail(s), Table: widget.NewTable(&s.UI, podColumns...), groups: none}
}

// SetSize says how many columns and lines there are.
func (p *Screen) SetSize(width, height int) {
	p.width, p.height = width, height
	switch {
	case p.Theme.Plain:
		p.place = widget.InPlace
		p.Table.SetSize(width, height-1)
		p.detail.setSize(width, height, true)
	case width >= 150:
		p.place = widget.Beside
		p.Table.SetSize(p.Table.Beside(width), height-1)
		p.detail.setSize(width-p.Table.Width-2, height, false)
	case height >= 30:
		p.place = widget.Below
		p.Table.SetSize(width, p.listHeight()-1)
		p.detail.setSize(width, height-p.listHeight(), false)
	default:
		p.place = widget.InPlace
		p.Table.SetSize(width, height-1)
		p.detail.setSize(width, height, true)
	}
}

func (p *Screen) listHeight() int { return p.height * 9 / 20 }

// Keys lists the actions that Update takes.
func (p *Screen) Keys() keys.Set {
	k := keys.Set{}
	if p.opened {
		p.detail.moves(k)
		k.Offer(keys.Leave, keys.Back, keys.CopyOut, keys.SaveOut)
	} else {
		p.Table.Actions(k)
		p.Table.Narrowing(k)
		k.Offer(keys.GroupBy, keys.InNamespace)
		k[keys.CopyOut], k[keys.SaveOut] = k[keys.Open], k[keys.Open]
		p.Table.Hiding(k)
		if p.within != nil || p.groups != none {
			k.Offer(keys.Back)
		}
	}
	why := ""
	if _, ok := p.selected(); !ok {
		why = "no pod is selected"
	}
	k[keys.ToObject], k[keys.ToDiff], k[keys.HistoryOf], k[keys.Other] = why, why, why, cmp.Or(why, p.detail.noOther())
	if why == "" && p.opened {
		k[keys.ToDiff] = p.detail.noOther()
		if len(p.detail.lines()) <= p.detail.Span() {
			k[keys.ToObject], k[keys.ToDiff] = "all of the pod is on the screen", "all of the pod is on the screen"
		}
	}
	if k[keys.RestartAt] = why; why == "" && p.node() == "" {
		k[keys.RestartAt] = "the pod is on no node"
	}
	return k
}

// Update takes a press of one of Keys, and every message.
func (p *Screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case session.PredictionMsg:
		return p.predicted()
	case widget.ArrangedMsg:
		if p.Table.Take(msg) {
			p.SetSize(p.width, p.height)
			return p.follow()
		}
	case objectsMsg:
		p.detail.read(msg)
	case session.PodsMsg:
		p.opened, p.within = false, groupOf(msg)
		p.Table.Order.Words, p.Table.Order.Namespace, p.Table.Order.All = "", "", true
		return p.by(none)
	case widget.SearchMsg:
		p.detail.Search(string(msg), p.detail.lines())
	case widget.FilterMsg:
		p.Table.Order.Words = string(msg)
		return p.renarrowed()
	case widget.NamespaceMsg:
		p.Table.Order.Namespace = string(msg)
		return p.renarrowed()
	case keys.Press:
		return p.press(msg)
	}
	return nil
}

func (p *Screen) press(msg keys.Press) tea.Cmd {
	switch msg.Action {
	case keys.Open, keys.ToObject, keys.RestartAt:
		p.Table.Pinned = true
	}
	switch msg.Action {
	case keys.Open:
		if g, ok := p.Table.Item().(*podGroup); ok {
			p.within = g
			return p.by(none)
		}
		p.opened = true
		return p.follow()
	case keys.Leave:
		p.opened = false
	case keys.Back:
		return p.back()
	case keys.GroupBy:
		return p.group()
	case keys.SortBy:
		return p.Table.SortBy(msg.Key)
	case keys.Mark:
		p.Table.Mark()
		return p.follow()
	case keys.ShowAll:
		o := p.Table.Order
		o.All = !o.All
		return p.Table.SetOrder(o)
	case keys.ToObject:
		return p.jump((*detail).atObject)
	case keys.ToDiff:
		return p.jump((*detail).atDifference)
	case keys.HistoryOf:
		if pod, ok := p.selected(); ok {
			key := kube.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}.Path(p.Input.Prefix)
			return func() tea.Msg { return session.HistoryMsg{Key: key} }
		}
	case keys.Other:
		p.detail.swap()
	case keys.RestartAt:
		node := p.node()
		return func() tea.Msg { return session.RestartNodeMsg{Node: node} }
	default:
		if p.opened {
			p.detail.press(msg.Action)
			return nil
		}
		p.Table.Move(msg.Action)
		return p.follow()
	}
	return nil
}

// jump opens the detail at a part of it, or goes there and back when it is open.
func (p *Screen) jump(to func(*detail) int) tea.Cmd {
	if p.opened {
		p.detail.jump(to)
		return nil
	}
	p.opened = true
	cmd := p.follow()
	p.detail.Top = 0
	p.detail.jump(to)
	return cmd
}

// back closes what was opened last.
func (p *Screen) back() tea.Cmd {
	switch {
	case p.opened:
		p.opened = false
		return nil
	case p.Table.Narrowed():
		was := p.Table.Order
		cmd := p.Table.Loosen()
		if p.Table.Order != was {
			return p.renarrowed()
		}
		return cmd
	case p.groups != none:
		return p.by(none)
	case p.within != nil:
		column := p.within.column
		p.within = p.within.outer
		return p.by(column)
	}
	return nil
}

// by groups the pods by a column, or lists them. Groups begin with the worst, and the pods are
// sorted again as they were.
func (p *Screen) by(column int) tea.Cmd {
	o := &p.Table.Order
	switch {
	case p.groups == none && column != none:
		p.order = *o
		o.By, o.Reverse = 0, false
	case p.groups != none && column == none:
		o.By, o.Reverse = p.order.By, p.order.Reverse
	}
	p.groups, p.Table.Pinned = column, false
	return p.list()
}

// group goes from the pods to groups by outcome, by node, by owner, and back. What they
// are listed of stays.
func (p *Screen) group() tea.Cmd {
	order := []int{none, colOutcome, colNode, colOwner, none}
	next := order[slices.Index(order, p.groups)+1]
	for next != none && p.within.by(next) {
		next = order[slices.Index(order, next)+1]
	}
	return p.by(next)
}

// predicted shows another prediction. Its pods are those of the one before, in
// the same order.
func (p *Screen) predicted() tea.Cmd {
	if p.Prediction == nil || p.Prediction == p.of {
		return nil
	}
	p.of = p.Prediction
	return p.list()
}

// list shows the pods of the prediction, or groups of them.
func (p *Screen) list() tea.Cmd {
	if p.of == nil {
		return nil
	}
	list, by, within, o := podList{p.of.Pods, p.Known, nil}, p.groups, p.within, p.Table.Order
	s := p.Session
	return p.Table.MakeRows(func() widget.Rows {
		if within != nil {
			list.only = list.in(within)
		}
		if by != none {
			list.only = list.inNamespace(o.Namespace)
			r := list.rows()
			r.Labels = func(row int) map[string]string { return labelsOf(s, list.at(row)) }
			if o.Words != "" {
				list.only = list.places(r.Passing(o.Words, len(podColumns)))
			}
			return groupRows(list.groups(by, within))
		}
		r := list.rows()
		r.Labels = func(row int) map[string]string { return labelsOf(s, list.at(row)) }
		return r
	})
}

// renarrowed shows other rows: groups count the pods that pass the filter, in the namespace.
func (p *Screen) renarrowed() tea.Cmd {
	if p.groups != none {
		return p.list()
	}
	return p.Table.Arrange()
}

// place is what is listed.
type place struct {
	within *podGroup
	groups int
}

// Place is what is listed.
func (p *Screen) Place() (any, string) { return place{p.within, p.groups}, p.Table.Order.Words }

// Return lists what was listed.
func (p *Screen) Return(to any, filter string) tea.Cmd {
	at := to.(place)
	p.Table.Order.Words = filter
	p.within, p.opened = at.within, false
	return p.by(at.groups)
}

// labelsOf reads the labels of a pod's object.
func labelsOf(s *session.Session, pod *restore.PodOutcome) map[string]string {
	for _, ref := range slices.Backward(pod.Evidence) {
		source := s.Input.Backup
		if ref.Snapshot == restore.InCurrent {
			source = s.Input.Current
		}
		value, err := newest(s.Source(source).Snapshot, ref.Key)
		if err != nil {
			continue
		}
		o := kube.Decode(kube.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}, value)
		if meta, ok := o.Typed.(metav1.Object); ok && string(meta.GetUID()) == pod.UID {
			return meta.GetLabels()
		}
	}
	return nil
}

// follow shows the selected pod in the detail, if that is to be seen.
func (p *Screen) follow() tea.Cmd {
	pod, ok := p.selected()
	if !ok {
		p.opened = false
		p.detail.show(nil)
		return nil
	}
	if p.place == widget.InPlace && !p.opened {
		return nil
	}
	return p.detail.show(pod)
}

func (p *Screen) selected() (*restore.PodOutcome, bool) {
	pod, ok := p.Table.Item().(*restore.PodOutcome)
	return pod, ok
}

// node is that of the selected pod.
func (p *Screen) node() string {
	pod, ok := p.selected()
	if !ok {
		return ""
	}
	return pod.Node
}

// CheckFilter says what is wrong with a filter.
func (p *Screen) CheckFilter(text string) error { return p.Table.CheckFilter(text) }

// Columns are those that the table has.
func (p *Screen) Columns() []widget.Column { return p.Table.Columns }

// Location is the group, or the opened pod.
func (p *Screen) Location() string {
	if pod, ok := p.selected(); ok && p.opened {
		return pod.Namespace + "/" + pod.Name
	}
	return p.within.text()
}

// Export is the opened pod, or the rows.
func (p *Screen) Export(save bool) widget.Export {
	if pod, ok := p.selected(); ok && p.opened {
		return widget.Export{What: "pod " + draw.Safe(pod.Namespace+"/"+pod.Name), File: widget.FileName(pod.Namespace+"-"+pod.Name) + ".txt", Text: draw.Flat(p.detail.lines())}
	}
	return p.Table.Export(save, "pods", "row")
}

// Remember keeps the filter and the order.
func (p *Screen) Remember() map[string]string { return p.Table.Remember() }

// Recall goes back to what Remember has kept.
func (p *Screen) Recall(m map[string]string) tea.Cmd { return p.Table.Recall(m) }

// Click is what a click asks for: on the list a row or a title, on the detail to go there.
func (p *Screen) Click(x, y int) (keys.Press, bool) {
	if p.place == widget.Beside && x >= p.Table.Width || p.place == widget.Below && y >= p.listHeight() || p.place == widget.InPlace && p.opened {
		return keys.Press{Action: keys.Open}, !p.opened && p.detail.pod != nil
	}
	press, ok := p.Table.Click(x, y-1)
	if ok && press.Action == "" {
		p.opened = false
	}
	return press, ok && !(p.opened && press.Action == keys.SortBy)
}

// View draws it.
func (p *Screen) View() []string {
	t := p.Theme
	switch p.place {
	case widget.Beside:
		if p.detail.pod == nil {
			return p.lines()
		}
		between := t.Dim.Paint(" " + t.Column)
		return t.Beside(p.lines(), p.detail.view(p.opened), p.Table.Width, between)
	case widget.Below:
		lines := p.lines()
		for len(lines) < p.listHeight() {
			lines = append(lines, "")
		}
		return append(lines, p.detail.view(p.opened)...)
	}
	if p.opened {
		return p.detail.view(true)
	}
	return p.lines()
}

// lines is the line of counts and the table.
func (p *Screen) lines() []string {
	t := p.Theme
	width := p.Table.Width
	lines := []string{" " + t.Cut(p.counts(), width-1)}
	if p.Table.Ready() && len(p.Table.Shown) == 0 {
		return append(append(lines, p.Table.Empty(), ""), draw.PaintAll(t.Dim, draw.Item("   ", p.empty(), width-3))...)
	}
	return append(lines, p.Table.View(!p.opened, p.Refused != nil)...)
}

// counts says what of the pods is shown, and why not the rest.
func (p *Screen) counts() string {
	t := p.Theme
	if p.of == nil || !p.Table.Ready() && len(p.Table.Shown) == 0 {
		return t.Dim.Paint("predicting" + t.Ellipsis)
	}
	noun := "pod"
	if p.groups != none {
		noun = "group"
	}
	parts := []string{t.Bold.Paint(fmt.Sprintf("%s of %s", words.Number(len(p.Table.Shown)), words.Count(p.Table.Rows.Count, noun)))}
	for _, chip := range p.within.chips() {
		parts = append(parts, widget.Chip(t, chip))
	}
	if p.Refused != nil {
		parts = append(parts, t.Critical.Paint("plan refused, shown as before"))
	}
	return strings.Join(append(parts, p.Table.State()...), t.Dim.Paint(" "+t.Dot+" "))
}

// empty says why no pod is shown.
func (p *Screen) empty() string {
	switch o := p.Table.Have; {
	case len(p.of.Pods) == 0:
		return "Neither snapshot holds a pod."
	case o.Namespace != "" && o.Words == "":
		return fmt.Sprintf("None of the pods shown is in the namespace %s. %s shows all namespaces.", draw.Quoted(o.Namespace), p.Keymap.Key(keys.Back))
	case o.Words != "" && !o.All:
		return fmt.Sprintf("No affected pod matches %q. %s looks among the unaffected, too; %s clears the filter.", o.Words, p.Keymap.Key(keys.ShowAll), p.Keymap.Key(keys.Back))
	case o.Words != "":
		return fmt.Sprintf("No pod matches %q. %s clears the filter.", o.Words, p.Keymap.Key(keys.Back))
	}
	return fmt.Sprintf("Nothing happens to any of the %s under this plan. %s shows them all.", words.Count(len(p.of.Pods), "pod"), p.Keymap.Key(keys.ShowAll))
}
