package pods

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/duration"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// podList is pods of a prediction, which are sorted by namespace and name.
type podList struct {
	pods  []restore.PodOutcome
	known map[string]digest.Pod
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
		return words.OrDash(pod.Node)
	case colOwner:
		return words.OrDash(l.known[pod.UID].Controller())
	case colAge:
		if age := l.known[pod.UID].Age(); age >= 0 {
			return duration.HumanDuration(age)
		}
		return "-"
	}
	return shared.FlagText(pod.Flags)
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
				return cmp.Compare(x.Certainty.Rank(), y.Certainty.Rank())
			case colAge:
				return cmp.Compare(l.known[x.UID].Age(), l.known[y.UID].Age())
			}
			return strings.Compare(l.cell(x, column), l.cell(y, column))
		},
		Minor: func(row int) bool { return l.at(row).Severity == restore.OK },
		ID: func(row int) string {
			pod := l.at(row)
			return pod.Namespace + "/" + pod.Name + " " + pod.UID
		},
		Copied: func(row int) string { return l.at(row).Namespace + "/" + l.at(row).Name },
		Look:   func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, l.at(row).Severity) },
		Item:   func(row int) any { return l.at(row) },
	}
}

// podGroup is pods that have something in common.
type podGroup struct {
	column   int // where their cells are the same
	name     string
	severity restore.Severity // of the worst
	pods     int
	of       map[restore.Outcome]counted
	critical counted

	workload string    // the uid of what they belong to, in place of a column; "" for none
	outer    *podGroup // that it is a part of, nil for all pods
}

// counted is how many pods there are of something, and how many of them certainly.
type counted struct{ all, certain int }

func (c *counted) add(certain bool) {
	c.all++
	if certain {
		c.certain++
	}
}

// groupOf is the group of pods that is asked for.
func groupOf(msg session.PodsMsg) *podGroup {
	if w := msg.Workload; w != nil {
		return &podGroup{column: none, name: w.Kind + " " + w.Namespace + "/" + w.Name, workload: w.UID}
	}
	return &podGroup{column: colNode, name: msg.Node}
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
			g = &podGroup{column: column, name: name, severity: restore.OK, of: map[restore.Outcome]counted{}, outer: outer}
			found[name] = g
		}
		g.pods++
		sure, of := pod.Certainty == restore.Certain, g.of[pod.Outcome]
		of.add(sure)
		g.of[pod.Outcome] = of
		if pod.Severity == restore.Critical {
			g.critical.add(sure)
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

// inNamespace are the places of the pods of a namespace among those that are listed, nil for all
// where there is none.
func (l *podList) inNamespace(name string) []int32 {
	if name == "" {
		return l.only
	}
	only := []int32{}
	for i := range l.len() {
		if l.at(i).Namespace != name {
			continue
		}
		place := int32(i)
		if l.only != nil {
			place = l.only[i]
		}
		only = append(only, place)
	}
	return only
}

// places are those of some rows.
func (l *podList) places(rows []int32) []int32 {
	for i, row := range rows {
		if l.only != nil {
			rows[i] = l.only[row]
		}
	}
	return rows
}

// groupRows makes rows of groups, the worst first.
func groupRows(list []*podGroup) widget.Rows {
	title, key := "GROUP", "U"
	if len(list) > 0 {
		title, key = podColumns[list[0].column].Title, podColumns[list[0].column].Key
	}
	return widget.Rows{
		Columns: []widget.Column{
			{Title: title, Key: key, Min: 20, Max: 70, Desc: true, By: "the worst severity, then how many are harmed"},
			{Title: "PODS", Key: "D", Min: 6, Right: true, Desc: true},
			{Title: "PHANTOM", Key: "T", Min: 8, Right: true, Desc: true, By: "certain and possible"},
			{Title: "GHOST", Key: "S", Min: 6, Right: true, Desc: true, By: "certain and possible"},
			{Title: "OTHER HARM", Key: "A", Min: 8, Drop: 2, Right: true, Desc: true, By: "certain and possible"},
			{Title: "UNAFFECTED", Key: "F", Min: 8, Drop: 1, Right: true, Desc: true},
		},
		Sifted: true,
		Count:  len(list),
		Cell: func(row, column int) string {
			g := list[row]
			switch column {
			case 0:
				return g.name
			case 1:
				return words.Number(g.pods)
			}
			n := g.number(column)
			return words.Likely(n.certain, n.all-n.certain)
		},
		Compare: func(a, b, column int) int {
			x, y := list[a], list[b]
			switch column {
			case 0:
				return cmp.Or(x.severity.Rank()-y.severity.Rank(), cmp.Compare(y.critical.all, x.critical.all))
			case 1:
				return cmp.Compare(y.pods, x.pods)
			}
			return cmp.Compare(y.number(column).all, x.number(column).all)
		},
		ID:   func(row int) string { return list[row].name },
		Look: func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, list[row].severity) },
		Item: func(row int) any { return list[row] },
	}
}

// number is what a column counts.
func (g *podGroup) number(column int) counted {
	switch column {
	case 2:
		return g.of[restore.Phantom]
	case 3:
		return g.of[restore.Ghost]
	case 4:
		other, phantoms, ghosts := g.critical, g.of[restore.Phantom], g.of[restore.Ghost]
		other.all -= phantoms.all + ghosts.all
		other.certain -= phantoms.certain + ghosts.certain
		return other
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
		ranks[i] = uint16(pod.Severity.Rank()<<8 | outcome[pod.Outcome]<<2 | pod.Certainty.Rank())
	}
	return ranks
}
