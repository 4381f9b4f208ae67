package tui

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	digests "revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// pods lists the pods, worst first, or groups of them, and shows the selected pod
// in detail: beside the list, below it, or in its place, as there is room.
type pods struct {
	*session
	table  *table
	detail *detail
	of     *restore.Prediction // whose pods the table shows, or will when it is arranged
	place  place
	opened bool      // keys go to the detail
	groups int       // the column that groups have in common, none while pods are listed
	within *podGroup // whose pods, or groups of them, are listed; nil for all

	width, height int
}

// withinMsg asks for the pods of a group.
type withinMsg struct{ group *podGroup }

// none is no column.
const none = -1

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
	colSeverity
	colCertainty
	colNamespace
	colName
	colNode
	colOwner
	colAge
	colFlags
)

var podColumns = []column{
	{title: "OUTCOME", key: "S", min: 11},
	{title: "SEVERITY", key: "V", min: 8, drop: 6},
	{title: "CERTAINTY", key: "C", min: 9, drop: 2},
	{title: "NAMESPACE", key: "P", min: 8, max: 30},
	{title: "NAME", key: "N", min: 16, max: 63},
	{title: "NODE", key: "O", min: 6, max: 40},
	{title: "OWNER", key: "W", min: 12, max: 60, drop: 5},
	{title: "AGE", key: "A", min: 6, drop: 3},
	{title: "FLAGS", key: "F", min: 12, drop: 4},
}

func newPods(s *session) screen {
	return &pods{session: s, detail: newDetail(s), table: newTable(&s.ui, podColumns...), groups: none}
}

func (p *pods) SetSize(width, height int) {
	p.width, p.height = width, height
	switch {
	case p.theme.plain:
		p.place = inPlace
		p.table.setSize(width, height-1)
		p.detail.setSize(width, height)
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
		k.offer(filterBy, sortBy, groupBy)
		k[copyOut], k[saveOut] = k[open], k[open]
		if p.table.rows.minor != nil {
			k.offer(showAll)
		}
		if p.table.order.words != "" || p.within != nil || p.groups != none || len(p.table.marked) > 0 {
			k.offer(back)
		}
	}
	why := ""
	if _, ok := p.selected(); !ok {
		why = "no pod is selected"
	}
	k[toObject], k[toDiff], k[historyOf], k[other] = why, why, why, cmp.Or(why, p.detail.noOther())
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
	case withinMsg:
		p.opened, p.groups, p.within, p.table.chosen = false, none, msg.group, false
		p.table.order.words, p.table.order.all = "", true
		return p.list()
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
		if g, ok := p.table.item().(*podGroup); ok {
			p.within, p.groups = g, none
			p.table.chosen = false
			return p.list()
		}
		p.opened = true
		return p.follow()
	case leave:
		p.opened = false
	case back:
		return p.back()
	case groupBy:
		return p.group()
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
		return p.jump((*detail).atObject)
	case toDiff:
		return p.jump((*detail).atDifference)
	case historyOf:
		if pod, ok := p.selected(); ok {
			key := kube.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}.Path(p.input.Prefix)
			return func() tea.Msg { return historyMsg{key: key} }
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

// jump opens the detail at a part of it, or goes there and back when it is open.
func (p *pods) jump(to func(*detail) int) tea.Cmd {
	if p.opened {
		p.detail.jump(to)
		return nil
	}
	p.opened = true
	cmd := p.follow()
	p.detail.top = 0
	p.detail.jump(to)
	return cmd
}

// back closes what was opened last.
func (p *pods) back() tea.Cmd {
	switch {
	case p.opened:
		p.opened = false
		return nil
	case len(p.table.marked) > 0:
		clear(p.table.marked)
		return nil
	case p.table.order.words != "":
		return p.Update(filterMsg(""))
	case p.groups != none:
		p.groups = none
	case p.within != nil:
		p.groups, p.within = p.within.column, p.within.outer
	}
	p.table.chosen = false
	return p.list()
}

// group goes from the pods to groups by outcome, by node, by owner, and back. What they
// are listed of stays.
func (p *pods) group() tea.Cmd {
	order := []int{none, colOutcome, colNode, colOwner, none}
	for p.groups = order[slices.Index(order, p.groups)+1]; p.groups != none && p.within.by(p.groups); {
		p.groups = order[slices.Index(order, p.groups)+1]
	}
	p.table.chosen = false
	return p.list()
}

// predicted shows another prediction. Its pods are those of the one before, in
// the same order.
func (p *pods) predicted() tea.Cmd {
	if p.prediction == nil || p.prediction == p.of {
		return nil
	}
	p.of = p.prediction
	return p.list()
}

// list shows the pods of the prediction, or groups of them.
func (p *pods) list() tea.Cmd {
	if p.of == nil {
		return nil
	}
	list, by, within := podList{p.of.Pods, p.known, nil}, p.groups, p.within
	read := p.labelsOf
	return p.table.makeRows(func() rows {
		if within != nil {
			list.only = list.in(within)
		}
		if by != none {
			return groupRows(list.groups(by, within))
		}
		r := list.rows()
		r.labels = func(row int) map[string]string { return read(list.at(row)) }
		return r
	})
}

// labelsOf reads the labels of a pod's object.
func (s *session) labelsOf(pod *restore.PodOutcome) map[string]string {
	for _, ref := range slices.Backward(pod.Evidence) {
		side := backup
		if ref.Snapshot == restore.InCurrent {
			side = current
		}
		value, err := newest(s.side(side).Snapshot, ref.Key)
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
	pod, ok := p.table.item().(*restore.PodOutcome)
	return pod, ok
}

// node is that of the selected pod.
func (p *pods) node() string {
	pod, ok := p.selected()
	if !ok {
		return ""
	}
	return pod.Node
}

// Columns are those that the table has.
func (p *pods) Columns() []column { return p.table.columns }

// Crumb is the group, or the opened pod.
func (p *pods) Crumb() string {
	if pod, ok := p.selected(); ok && p.opened {
		return pod.Namespace + "/" + pod.Name
	}
	return p.within.text()
}

// Take is the opened pod, or the rows.
func (p *pods) Take(save bool) excerpt {
	if pod, ok := p.selected(); ok && p.opened {
		return excerpt{what: "pod " + safe(pod.Namespace+"/"+pod.Name), file: fileName(pod.Namespace+"-"+pod.Name) + ".txt", text: flat(p.detail.lines())}
	}
	return p.table.take(save, "pods", "row")
}

func (p *pods) Remember() map[string]string { return p.table.remember() }

func (p *pods) Recall(m map[string]string) tea.Cmd { return p.table.recall(m) }

// podList is pods of a prediction, which are sorted by namespace and name.
type podList struct {
	pods  []restore.PodOutcome
	known map[string]digests.Pod
	only  []int32 // places of those that are listed; nil for all
}

func (l *podList) len() int {
	if l.only == nil {
		return len(l.pods)
	}
	return len(l.only)
}

func (l *podList) at(row int) *restore.PodOutcome {
	if l.only != nil {
		row = int(l.only[row])
	}
	return &l.pods[row]
}

// cell is a pod's cell in a column.
func (l *podList) cell(pod *restore.PodOutcome, column int) string {
	switch column {
	case colOutcome:
		return string(pod.Outcome)
	case colSeverity:
		return string(pod.Severity)
	case colCertainty:
		return string(pod.Certainty)
	case colNamespace:
		return pod.Namespace
	case colName:
		return pod.Name
	case colNode:
		return orDash(pod.Node)
	case colOwner:
		return orDash(l.known[pod.UID].Controller())
	case colAge:
		if age := l.known[pod.UID].Age(); age >= 0 {
			return duration.HumanDuration(age)
		}
		return "-"
	}
	return flagText(pod.Flags)
}

// rows makes rows of the list.
func (l podList) rows() rows {
	ranks := sync.OnceValue(func() []uint16 { return l.ranks() })
	return rows{
		columns: podColumns,
		count:   l.len(),
		cell:    func(row, column int) string { return l.cell(l.at(row), column) },
		compare: func(a, b, column int) int {
			x, y := l.at(a), l.at(b)
			switch column {
			case colOutcome, colSeverity:
				return cmp.Compare(ranks()[a], ranks()[b])
			case colCertainty:
				return cmp.Compare(certaintyRank(x.Certainty), certaintyRank(y.Certainty))
			case colAge:
				return cmp.Compare(l.known[x.UID].Age(), l.known[y.UID].Age())
			}
			return strings.Compare(l.cell(x, column), l.cell(y, column))
		},
		minor: func(row int) bool { return l.at(row).Severity == restore.OK },
		id: func(row int) string {
			pod := l.at(row)
			return pod.Namespace + "/" + pod.Name + " " + pod.UID
		},
		copied: func(row int) string { return l.at(row).Namespace + "/" + l.at(row).Name },
		look:   func(t *theme, row int) (style, string) { return t.severity(l.at(row).Severity) },
		item:   func(row int) any { return l.at(row) },
	}
}

// podGroup is pods that have something in common.
type podGroup struct {
	column   int // where their cells are the same
	name     string
	severity restore.Severity // of the worst
	pods     int
	of       map[restore.Outcome]int
	critical int

	workload string    // the uid of what they belong to, in place of a column; "" for none
	outer    *podGroup // that it is a part of, nil for all pods
}

// by says whether a column is the same in all pods of the group, or of one around it.
func (g *podGroup) by(column int) bool { return g != nil && (g.column == column || g.outer.by(column)) }

// text names the group, and those around it; "" for all pods.
func (g *podGroup) text() string {
	switch {
	case g == nil:
		return ""
	case g.outer == nil:
		return g.name
	}
	return g.outer.text() + " " + g.name
}

// chips are what the pods of the group have in common, the outermost first.
func (g *podGroup) chips() []string {
	switch {
	case g == nil:
		return nil
	case g.column == none:
		return append(g.outer.chips(), g.name)
	}
	return append(g.outer.chips(), strings.ToLower(podColumns[g.column].title)+" "+g.name)
}

// holds says whether a pod is one of the group.
func (g *podGroup) holds(l *podList, pod *restore.PodOutcome) bool {
	if g.column == none {
		return pod.Workload == g.workload
	}
	return l.group(pod, g.column) == g.name
}

// group is the name of a pod's group by a column.
func (l *podList) group(pod *restore.PodOutcome, column int) string {
	name := l.cell(pod, column)
	if column == colOwner && name != "-" {
		name = pod.Namespace + " " + name
	}
	return name
}

// groups are the groups by a column, in order of their names. The pods are those of outer.
func (l *podList) groups(column int, outer *podGroup) []*podGroup {
	found := map[string]*podGroup{}
	for i := range l.len() {
		pod := l.at(i)
		name := l.group(pod, column)
		g := found[name]
		if g == nil {
			g = &podGroup{column: column, name: name, severity: restore.OK, of: map[restore.Outcome]int{}, outer: outer}
			found[name] = g
		}
		g.pods++
		g.of[pod.Outcome]++
		if pod.Severity == restore.Critical {
			g.critical++
		}
		if pod.Severity.Rank() < g.severity.Rank() {
			g.severity = pod.Severity
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b *podGroup) int { return strings.Compare(a.name, b.name) })
	return list
}

// in are the places of the pods of a group.
func (l *podList) in(g *podGroup) []int32 {
	only := []int32{}
	for i := range l.pods {
		pod, all := &l.pods[i], true
		for part := g; part != nil && all; part = part.outer {
			all = part.holds(l, pod)
		}
		if all {
			only = append(only, int32(i))
		}
	}
	return only
}

// groupRows makes rows of groups, the worst first.
func groupRows(list []*podGroup) rows {
	title := "GROUP"
	if len(list) > 0 {
		title = podColumns[list[0].column].title
	}
	return rows{
		columns: []column{
			{title: title, key: "S", min: 20, max: 70},
			{title: "PODS", key: "N", min: 6, right: true},
			{title: "PHANTOM", key: "P", min: 8, right: true},
			{title: "GHOST", key: "O", min: 6, right: true},
			{title: "OTHER HARM", key: "C", min: 8, drop: 2, right: true},
			{title: "UNAFFECTED", key: "U", min: 8, drop: 1, right: true},
		},
		count: len(list),
		cell: func(row, column int) string {
			g := list[row]
			switch column {
			case 0:
				return g.name
			case 1:
				return count(g.pods)
			}
			return zeroAsDash(g.number(column))
		},
		compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case 0:
				return cmp.Or(x.severity.Rank()-y.severity.Rank(), cmp.Compare(y.critical, x.critical))
			case 1:
				return cmp.Compare(y.pods, x.pods)
			}
			return cmp.Compare(y.number(column), x.number(column))
		},
		id:   func(row int) string { return list[row].name },
		look: func(t *theme, row int) (style, string) { return t.severity(list[row].severity) },
		item: func(row int) any { return list[row] },
	}
}

// number is what a column counts.
func (g *podGroup) number(column int) int {
	switch column {
	case 2:
		return g.of[restore.Phantom]
	case 3:
		return g.of[restore.Ghost]
	case 4:
		return g.critical - g.of[restore.Phantom] - g.of[restore.Ghost]
	}
	return g.of[restore.Unaffected]
}

// ranks are those of the pods by severity, outcome and certainty, 0 the worst.
func (l *podList) ranks() []uint16 {
	outcome := map[restore.Outcome]int{}
	for i, info := range restore.Outcomes {
		outcome[info.ID] = i
	}
	ranks := make([]uint16, l.len())
	for i := range ranks {
		pod := l.at(i)
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
		if p.detail.pod == nil {
			return p.lines()
		}
		between := t.dim.paint(" " + t.column)
		return t.beside(p.lines(), p.detail.view(p.opened), p.listWidth(), between)
	case below:
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
func (p *pods) lines() []string {
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
	noun := "pod"
	if p.groups != none {
		noun = "group"
	}
	parts := []string{t.bold.paint(fmt.Sprintf("%s of %s", count(len(p.table.shown)), plural(p.table.rows.count, noun)))}
	for _, chip := range p.within.chips() {
		parts = append(parts, t.bold.paint("["+safe(chip)+"]"))
	}
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
