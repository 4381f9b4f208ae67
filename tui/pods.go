package tui

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// pods lists the pods, worst first, and shows the selected one in detail: beside
// the list, below it, or in its place, as there is room.
type pods struct {
	*session
	table  *table
	detail *detail
	of     *restore.Prediction // whose pods the table shows
	place  place
	opened bool // keys go to the detail

	width, height int
}

// place is where the detail is.
type place int

const (
	inPlace place = iota // of the list, when opened
	beside
	below
)

// The columns of the list.
const (
	colOutcome = iota
	colCertainty
	colNamespace
	colName
	colNode
	colFlags
)

func newPods(s *session) screen {
	return &pods{
		session: s,
		detail:  newDetail(s),
		table: newTable(s,
			column{title: "OUTCOME", key: "S", min: 11},
			column{title: "CERTAINTY", key: "C", min: 9, drop: 2},
			column{title: "NAMESPACE", key: "P", min: 8, max: 30},
			column{title: "NAME", key: "N", min: 16, max: 63},
			column{title: "NODE", key: "O", min: 6, max: 40},
			column{title: "FLAGS", min: 12, drop: 3},
		),
	}
}

func (p *pods) SetSize(width, height int) {
	p.width, p.height = width, height
	switch {
	case width >= 150:
		p.place = beside
		p.table.setSize(p.listWidth(), height-1)
		p.detail.setSize(width-p.listWidth()-2, height)
	case height >= 30:
		p.place = below
		p.table.setSize(width, p.listHeight()-1)
		p.detail.setSize(width, height-p.listHeight())
	default:
		p.place = inPlace
		p.table.setSize(width, height-1)
		p.detail.setSize(width, height)
	}
}

func (p *pods) listWidth() int  { return p.width / 2 }
func (p *pods) listHeight() int { return p.height * 9 / 20 }

func (p *pods) Keys() keys {
	k := keys{}
	if p.opened {
		p.detail.moves(k)
		k.offer(leave, back, copyOut, saveOut)
	} else {
		p.table.moves(k)
		k.offer(filterBy, sortBy, showAll)
		k[copyOut], k[saveOut] = k[open], k[open]
		if p.table.order.words != "" {
			k.offer(back)
		}
	}
	why := ""
	if _, ok := p.selected(); !ok {
		why = "no pod is selected"
	}
	k[toObject], k[historyOf], k[other] = why, why, cmp.Or(why, p.detail.noOther())
	if k[restartAt] = why; why == "" && p.node() == "" {
		k[restartAt] = "the pod is on no node"
	}
	return k
}

func (p *pods) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case predictionMsg:
		return p.predicted()
	case arrangedMsg:
		if p.table.arranged(msg) {
			return p.follow()
		}
	case objectsMsg:
		p.detail.read(msg)
	case searchMsg:
		p.detail.search(string(msg), p.detail.lines())
	case filterMsg:
		o := p.table.order
		o.words = string(msg)
		return p.table.setOrder(o)
	case press:
		return p.press(msg)
	}
	return nil
}

func (p *pods) press(msg press) tea.Cmd {
	switch msg.action {
	case open, toObject, restartAt:
		p.table.chosen = true
	}
	switch msg.action {
	case open:
		p.opened = true
		return p.follow()
	case leave:
		p.opened = false
	case back:
		if p.opened {
			p.opened = false
			return nil
		}
		return p.Update(filterMsg(""))
	case sortBy:
		return p.table.sortBy(msg.key)
	case mark:
		p.table.mark()
		return p.follow()
	case showAll:
		o := p.table.order
		o.all = !o.all
		return p.table.setOrder(o)
	case toObject:
		return p.toObject()
	case historyOf:
		if pod, ok := p.selected(); ok {
			key := kube.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}.Path(p.input.Prefix)
			return func() tea.Msg { return historyMsg{key} }
		}
	case other:
		p.detail.swap()
	case restartAt:
		node := p.node()
		return func() tea.Msg { return restartNodeMsg{node} }
	default:
		if p.opened {
			p.detail.press(msg.action)
			return nil
		}
		p.table.move(msg.action)
		return p.follow()
	}
	return nil
}

// toObject opens the detail at the object, or goes there and back when it is open.
func (p *pods) toObject() tea.Cmd {
	if p.opened {
		p.detail.jump()
		return nil
	}
	p.opened = true
	cmd := p.follow()
	p.detail.top = 0
	p.detail.jump()
	return cmd
}

// predicted shows another prediction. Its pods are those of the one before, in
// the same order.
func (p *pods) predicted() tea.Cmd {
	if p.prediction == nil || p.prediction == p.of {
		return nil
	}
	p.of = p.prediction
	return tea.Batch(p.follow(), p.table.setRows(podRows(p.of.Pods)))
}

// follow shows the selected pod in the detail, if that is to be seen.
func (p *pods) follow() tea.Cmd {
	pod, ok := p.selected()
	if !ok {
		p.opened = false
		p.detail.show(nil)
		return nil
	}
	if p.place == inPlace && !p.opened {
		return nil
	}
	return p.detail.show(pod)
}

func (p *pods) selected() (*restore.PodOutcome, bool) {
	row, ok := p.table.row()
	if !ok || p.of == nil || row >= len(p.of.Pods) {
		return nil, false
	}
	return &p.of.Pods[row], true
}

// node is that of the selected pod.
func (p *pods) node() string {
	pod, ok := p.selected()
	if !ok {
		return ""
	}
	return pod.Node
}

// podRows makes rows of pods, which are sorted by namespace and name.
func podRows(list []restore.PodOutcome) rows {
	ranks := sync.OnceValue(func() []uint16 { return rankPods(list) })
	return rows{
		count: len(list),
		cell: func(row, column int) string {
			pod := &list[row]
			switch column {
			case colOutcome:
				return string(pod.Outcome)
			case colCertainty:
				return string(pod.Certainty)
			case colNamespace:
				return pod.Namespace
			case colName:
				return pod.Name
			case colNode:
				return orDash(pod.Node)
			}
			return flagText(pod.Flags)
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case colOutcome:
				return cmp.Compare(ranks()[a], ranks()[b])
			case colCertainty:
				return cmp.Compare(certaintyRank(x.Certainty), certaintyRank(y.Certainty))
			case colNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case colName:
				return strings.Compare(x.Name, y.Name)
			}
			return strings.Compare(x.Node, y.Node)
		},
		minor: func(row int) bool { return list[row].Severity == restore.OK },
		id:    func(row int) string { return list[row].Namespace + "/" + list[row].Name + " " + list[row].UID },
		look:  func(t *theme, row int) (style, string) { return t.severity(list[row].Severity) },
	}
}

// rankPods ranks each pod by severity, outcome and certainty, 0 the worst.
func rankPods(list []restore.PodOutcome) []uint16 {
	outcome := map[restore.Outcome]int{}
	for i, info := range restore.Outcomes {
		outcome[info.ID] = i
	}
	ranks := make([]uint16, len(list))
	for i := range list {
		pod := &list[i]
		ranks[i] = uint16(pod.Severity.Rank()<<8 | outcome[pod.Outcome]<<2 | certaintyRank(pod.Certainty))
	}
	return ranks
}

func certaintyRank(c restore.Certainty) int {
	switch c {
	case restore.Certain:
		return 0
	case restore.Possible:
		return 1
	}
	return 2
}

func flagText(flags []restore.Flag) string {
	switch len(flags) {
	case 0:
		return ""
	case 1:
		return string(flags[0])
	}
	list := make([]string, len(flags))
	for i, f := range flags {
		list[i] = string(f)
	}
	return strings.Join(list, " ")
}

func (p *pods) View() []string {
	t := p.theme
	switch p.place {
	case beside:
		between := t.dim.paint(" " + t.column)
		return t.beside(p.list(), p.detail.view(p.opened), p.listWidth(), between)
	case below:
		lines := p.list()
		for len(lines) < p.listHeight() {
			lines = append(lines, "")
		}
		return append(lines, p.detail.view(p.opened)...)
	}
	if p.opened {
		return p.detail.view(true)
	}
	return p.list()
}

// list is the line of counts and the table.
func (p *pods) list() []string {
	t := p.theme
	width := p.table.width
	lines := []string{" " + t.cut(p.counts(), width-1)}
	if p.table.ready() && len(p.table.shown) == 0 {
		return append(append(lines, ""), paintAll(t.dim, item("   ", p.empty(), width-3))...)
	}
	return append(lines, p.table.view(!p.opened, p.refused != nil)...)
}

// counts says what of the pods is shown, and why not the rest.
func (p *pods) counts() string {
	t := p.theme
	if p.of == nil || !p.table.ready() && len(p.table.shown) == 0 {
		return t.dim.paint("predicting" + t.ellipsis)
	}
	parts := []string{t.bold.paint(fmt.Sprintf("%s of %s", count(len(p.table.shown)), plural(len(p.of.Pods), "pod")))}
	if p.refused != nil {
		parts = append(parts, t.critical.paint("plan refused, shown as before"))
	}
	return strings.Join(append(parts, p.table.state()...), t.dim.paint(" "+t.dot+" "))
}

// empty says why no pod is shown.
func (p *pods) empty() string {
	switch o := p.table.have; {
	case len(p.of.Pods) == 0:
		return "Neither snapshot holds a pod."
	case o.words != "" && !o.all:
		return fmt.Sprintf("No affected pod matches %q. %s looks among the unaffected, too; %s clears the filter.", o.words, p.keymap.key(showAll), p.keymap.key(back))
	case o.words != "":
		return fmt.Sprintf("No pod matches %q. %s clears the filter.", o.words, p.keymap.key(back))
	}
	return fmt.Sprintf("Nothing happens to any of the %s under this plan. %s shows them all.", plural(len(p.of.Pods), "pod"), p.keymap.key(showAll))
}
