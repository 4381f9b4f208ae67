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
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// pods lists the pods, worst first, or groups of them, and shows the selected pod
// in detail: beside the list, below it, or in its place, as there is room.
type pods struct {
	*session
	table  *widget.Table
	detail *detail
	of     *restore.Prediction // whose pods the table shows, or will when it is arranged
	place  widget.Place
	opened bool      // keys go to the detail
	groups int       // the column that groups have in common, none while pods are listed
	within *podGroup // whose pods, or groups of them, are listed; nil for all

	width, height int
}

// withinMsg asks for the pods of a group.
type withinMsg struct{ group *podGroup }

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
	{Title: "OUTCOME", Key: "S", Min: 11},
	{Title: "SEVERITY", Key: "V", Min: 8, Drop: 6},
	{Title: "CERTAINTY", Key: "C", Min: 9, Drop: 2},
	{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
	{Title: "NAME", Key: "N", Min: 16, Max: 63},
	{Title: "NODE", Key: "O", Min: 6, Max: 40},
	{Title: "OWNER", Key: "W", Min: 12, Max: 60, Drop: 5},
	{Title: "AGE", Key: "A", Min: 6, Drop: 3},
	{Title: "FLAGS", Key: "F", Min: 12, Drop: 4},
}

func newPods(s *session) screen {
	return &pods{session: s, detail: newDetail(s), table: widget.NewTable(&s.UI, podColumns...), groups: none}
}

func (p *pods) SetSize(width, height int) {
	p.width, p.height = width, height
	switch {
	case p.Theme.Plain:
		p.place = widget.InPlace
		p.table.SetSize(width, height-1)
		p.detail.setSize(width, height)
	case width >= 150:
		p.place = widget.Beside
		p.table.SetSize(p.listWidth(), height-1)
		p.detail.setSize(width-p.listWidth()-2, height)
	case height >= 30:
		p.place = widget.Below
		p.table.SetSize(width, p.listHeight()-1)
		p.detail.setSize(width, height-p.listHeight())
	default:
		p.place = widget.InPlace
		p.table.SetSize(width, height-1)
		p.detail.setSize(width, height)
	}
}

func (p *pods) listWidth() int  { return p.width / 2 }
func (p *pods) listHeight() int { return p.height * 9 / 20 }

func (p *pods) Keys() keys.Set {
	k := keys.Set{}
	if p.opened {
		p.detail.moves(k)
		k.Offer(keys.Leave, keys.Back, keys.CopyOut, keys.SaveOut)
	} else {
		p.table.Actions(k)
		k.Offer(keys.FilterBy, keys.SortBy, keys.GroupBy)
		k[keys.CopyOut], k[keys.SaveOut] = k[keys.Open], k[keys.Open]
		if p.table.Rows.Minor != nil {
			k.Offer(keys.ShowAll)
		}
		if p.table.Order.Words != "" || p.within != nil || p.groups != none || len(p.table.Marked) > 0 {
			k.Offer(keys.Back)
		}
	}
	why := ""
	if _, ok := p.selected(); !ok {
		why = "no pod is selected"
	}
	k[keys.ToObject], k[keys.ToDiff], k[keys.HistoryOf], k[keys.Other] = why, why, why, cmp.Or(why, p.detail.noOther())
	if k[keys.RestartAt] = why; why == "" && p.node() == "" {
		k[keys.RestartAt] = "the pod is on no node"
	}
	return k
}

func (p *pods) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case predictionMsg:
		return p.predicted()
	case widget.ArrangedMsg:
		if p.table.Take(msg) {
			return p.follow()
		}
	case objectsMsg:
		p.detail.read(msg)
	case withinMsg:
		p.opened, p.groups, p.within, p.table.Pinned = false, none, msg.group, false
		p.table.Order.Words, p.table.Order.All = "", true
		return p.list()
	case widget.SearchMsg:
		p.detail.Search(string(msg), p.detail.lines())
	case widget.FilterMsg:
		o := p.table.Order
		o.Words = string(msg)
		return p.table.SetOrder(o)
	case keys.Press:
		return p.press(msg)
	}
	return nil
}

func (p *pods) press(msg keys.Press) tea.Cmd {
	switch msg.Action {
	case keys.Open, keys.ToObject, keys.RestartAt:
		p.table.Pinned = true
	}
	switch msg.Action {
	case keys.Open:
		if g, ok := p.table.Item().(*podGroup); ok {
			p.within, p.groups = g, none
			p.table.Pinned = false
			return p.list()
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
		return p.table.SortBy(msg.Key)
	case keys.Mark:
		p.table.Mark()
		return p.follow()
	case keys.ShowAll:
		o := p.table.Order
		o.All = !o.All
		return p.table.SetOrder(o)
	case keys.ToObject:
		return p.jump((*detail).atObject)
	case keys.ToDiff:
		return p.jump((*detail).atDifference)
	case keys.HistoryOf:
		if pod, ok := p.selected(); ok {
			key := kube.Key{Resource: "pods", Namespace: pod.Namespace, Name: pod.Name}.Path(p.input.Prefix)
			return func() tea.Msg { return historyMsg{key: key} }
		}
	case keys.Other:
		p.detail.swap()
	case keys.RestartAt:
		node := p.node()
		return func() tea.Msg { return restartNodeMsg{node} }
	default:
		if p.opened {
			p.detail.press(msg.Action)
			return nil
		}
		p.table.Move(msg.Action)
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
	p.detail.Top = 0
	p.detail.jump(to)
	return cmd
}

// back closes what was opened last.
func (p *pods) back() tea.Cmd {
	switch {
	case p.opened:
		p.opened = false
		return nil
	case len(p.table.Marked) > 0:
		clear(p.table.Marked)
		return nil
	case p.table.Order.Words != "":
		return p.Update(widget.FilterMsg(""))
	case p.groups != none:
		p.groups = none
	case p.within != nil:
		p.groups, p.within = p.within.column, p.within.outer
	}
	p.table.Pinned = false
	return p.list()
}

// group goes from the pods to groups by outcome, by node, by owner, and back. What they
// are listed of stays.
func (p *pods) group() tea.Cmd {
	order := []int{none, colOutcome, colNode, colOwner, none}
	for p.groups = order[slices.Index(order, p.groups)+1]; p.groups != none && p.within.by(p.groups); {
		p.groups = order[slices.Index(order, p.groups)+1]
	}
	p.table.Pinned = false
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
	return p.table.MakeRows(func() widget.Rows {
		if within != nil {
			list.only = list.in(within)
		}
		if by != none {
			return groupRows(list.groups(by, within))
		}
		r := list.rows()
		r.Labels = func(row int) map[string]string { return read(list.at(row)) }
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
	if p.place == widget.InPlace && !p.opened {
		return nil
	}
	return p.detail.show(pod)
}

func (p *pods) selected() (*restore.PodOutcome, bool) {
	pod, ok := p.table.Item().(*restore.PodOutcome)
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
func (p *pods) Columns() []widget.Column { return p.table.Columns }

// Crumb is the group, or the opened pod.
func (p *pods) Crumb() string {
	if pod, ok := p.selected(); ok && p.opened {
		return pod.Namespace + "/" + pod.Name
	}
	return p.within.text()
}

// Take is the opened pod, or the rows.
func (p *pods) Take(save bool) widget.Export {
	if pod, ok := p.selected(); ok && p.opened {
		return widget.Export{What: "pod " + draw.Safe(pod.Namespace+"/"+pod.Name), File: widget.FileName(pod.Namespace+"-"+pod.Name) + ".txt", Text: draw.Flat(p.detail.lines())}
	}
	return p.table.Export(save, "pods", "row")
}

func (p *pods) Remember() map[string]string { return p.table.Remember() }

func (p *pods) Recall(m map[string]string) tea.Cmd { return p.table.Recall(m) }

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
		return draw.OrDash(pod.Node)
	case colOwner:
		return draw.OrDash(l.known[pod.UID].Controller())
	case colAge:
		if age := l.known[pod.UID].Age(); age >= 0 {
			return duration.HumanDuration(age)
		}
		return "-"
	}
	return flagText(pod.Flags)
}

// rows makes rows of the list.
func (l podList) rows() widget.Rows {
	ranks := sync.OnceValue(func() []uint16 { return l.ranks() })
	return widget.Rows{
		Columns: podColumns,
		Count:   l.len(),
		Cell:    func(row, column int) string { return l.cell(l.at(row), column) },
		Compare: func(a, b, column int) int {
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
		Minor: func(row int) bool { return l.at(row).Severity == restore.OK },
		Id: func(row int) string {
			pod := l.at(row)
			return pod.Namespace + "/" + pod.Name + " " + pod.UID
		},
		Copied: func(row int) string { return l.at(row).Namespace + "/" + l.at(row).Name },
		Look:   func(t *draw.Theme, row int) (draw.Style, string) { return severity(t, l.at(row).Severity) },
		Item:   func(row int) any { return l.at(row) },
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
	return append(g.outer.chips(), strings.ToLower(podColumns[g.column].Title)+" "+g.name)
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
func groupRows(list []*podGroup) widget.Rows {
	title := "GROUP"
	if len(list) > 0 {
		title = podColumns[list[0].column].Title
	}
	return widget.Rows{
		Columns: []widget.Column{
			{Title: title, Key: "S", Min: 20, Max: 70},
			{Title: "PODS", Key: "N", Min: 6, Right: true},
			{Title: "PHANTOM", Key: "P", Min: 8, Right: true},
			{Title: "GHOST", Key: "O", Min: 6, Right: true},
			{Title: "OTHER HARM", Key: "C", Min: 8, Drop: 2, Right: true},
			{Title: "UNAFFECTED", Key: "U", Min: 8, Drop: 1, Right: true},
		},
		Count: len(list),
		Cell: func(row, column int) string {
			g := list[row]
			switch column {
			case 0:
				return g.name
			case 1:
				return draw.Count(g.pods)
			}
			return draw.ZeroAsDash(g.number(column))
		},
		Compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case 0:
				return cmp.Or(x.severity.Rank()-y.severity.Rank(), cmp.Compare(y.critical, x.critical))
			case 1:
				return cmp.Compare(y.pods, x.pods)
			}
			return cmp.Compare(y.number(column), x.number(column))
		},
		Id:   func(row int) string { return list[row].name },
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return severity(t, list[row].severity) },
		Item: func(row int) any { return list[row] },
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
	t := p.Theme
	switch p.place {
	case widget.Beside:
		if p.detail.pod == nil {
			return p.lines()
		}
		between := t.Dim.Paint(" " + t.Column)
		return t.Beside(p.lines(), p.detail.view(p.opened), p.listWidth(), between)
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
func (p *pods) lines() []string {
	t := p.Theme
	width := p.table.Width
	lines := []string{" " + t.Cut(p.counts(), width-1)}
	if p.table.Ready() && len(p.table.Shown) == 0 {
		return append(append(lines, ""), draw.PaintAll(t.Dim, draw.Item("   ", p.empty(), width-3))...)
	}
	return append(lines, p.table.View(!p.opened, p.refused != nil)...)
}

// counts says what of the pods is shown, and why not the rest.
func (p *pods) counts() string {
	t := p.Theme
	if p.of == nil || !p.table.Ready() && len(p.table.Shown) == 0 {
		return t.Dim.Paint("predicting" + t.Ellipsis)
	}
	noun := "pod"
	if p.groups != none {
		noun = "group"
	}
	parts := []string{t.Bold.Paint(fmt.Sprintf("%s of %s", draw.Count(len(p.table.Shown)), draw.Plural(p.table.Rows.Count, noun)))}
	for _, chip := range p.within.chips() {
		parts = append(parts, t.Bold.Paint("["+draw.Safe(chip)+"]"))
	}
	if p.refused != nil {
		parts = append(parts, t.Critical.Paint("plan refused, shown as before"))
	}
	return strings.Join(append(parts, p.table.State()...), t.Dim.Paint(" "+t.Dot+" "))
}

// empty says why no pod is shown.
func (p *pods) empty() string {
	switch o := p.table.Have; {
	case len(p.of.Pods) == 0:
		return "Neither snapshot holds a pod."
	case o.Words != "" && !o.All:
		return fmt.Sprintf("No affected pod matches %q. %s looks among the unaffected, too; %s clears the filter.", o.Words, p.Keymap.Key(keys.ShowAll), p.Keymap.Key(keys.Back))
	case o.Words != "":
		return fmt.Sprintf("No pod matches %q. %s clears the filter.", o.Words, p.Keymap.Key(keys.Back))
	}
	return fmt.Sprintf("Nothing happens to any of the %s under this plan. %s shows them all.", draw.Plural(len(p.of.Pods), "pod"), p.Keymap.Key(keys.ShowAll))
}
