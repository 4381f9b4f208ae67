package play

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/replay"
	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
)

// A lane is a part of the cluster, etcd first, then the API servers and the kubelets; a
// column is a moment.
type column []cell

// cell is a part of the cluster at a moment: the revision that it is at.
type cell struct {
	up       bool
	revision int64 // 0 where it has seen none
	severity restore.Severity
}

func (c cell) text() string {
	switch {
	case !c.up:
		return "down"
	case c.revision == 0:
		return "-"
	}
	return strconv.FormatInt(c.revision, 10)
}

// mostColumns is how many moments are looked at for the lanes: no terminal shows more.
const mostColumns = 64

// columns are the moments up to now, the last ones where there are many.
func columns(p *replay.Play, veil func(*replay.View)) []column {
	moments := p.Moments()
	var list []column
	for i := max(len(moments)-mostColumns, 0); i < len(moments); i++ {
		m := &moments[i]
		c := column{{m.Etcd.Up, m.Etcd.Revision, restore.OK}}
		var all replay.View
		all.Servers, all.Kubelets, all.Controllers = p.Actors(m)
		if veil != nil {
			veil(&all)
		}
		for _, v := range all.Servers {
			x := cell{v.Up, v.Seen, restore.OK}
			if v.Erased {
				x.severity = restore.Critical
			}
			c = append(c, x)
		}
		if v := all.Controllers; v != nil {
			x := cell{true, v.Seen, restore.OK}
			if v.Deaf {
				x.severity = restore.Warning
			}
			if v.Erased {
				x.severity = restore.Critical
			}
			c = append(c, x)
		}
		for _, v := range all.Kubelets {
			x := cell{v.Up, v.Seen, restore.OK}
			if v.Deaf {
				x.severity = restore.Warning
			}
			c = append(c, x)
		}
		list = append(list, c)
	}
	return list
}

// lane is a row of the lanes.
type lane struct {
	name, does string
	severity   restore.Severity
	at         int // place in a column
}

// rows are the lanes of a view.
func rows(v *replay.View) []lane {
	list := []lane{{"etcd", etcdDoes(v), restore.OK, 0}}
	for i := range v.Servers {
		s := &v.Servers[i]
		x := lane{s.Name, s.Doing, restore.OK, len(list)}
		if s.Erased {
			x.severity = restore.Critical
		}
		list = append(list, x)
	}
	if k := v.Controllers; k != nil {
		x := lane{"controllers", k.Doing, restore.OK, len(list)}
		if k.Deaf {
			x.severity = restore.Warning
		}
		if k.Erased {
			x.severity = restore.Critical
		}
		list = append(list, x)
	}
	for i := range v.Kubelets {
		k := &v.Kubelets[i]
		x := lane{"kubelet of " + k.Node, k.Doing, restore.OK, len(list)}
		if k.Deaf {
			x.severity = restore.Warning
		}
		if k.Phantoms > 0 {
			x.severity = restore.Critical
			x.does += "; " + words.Count(k.Phantoms, "pod") + " unseen"
		}
		list = append(list, x)
	}
	return list
}

func etcdDoes(v *replay.View) string {
	text := "holds the backup"
	switch {
	case v.Etcd.Base == replay.Before:
		text = "holds the current state"
	case v.Etcd.Restores > 1:
		text = "holds the backup, restored " + strconv.Itoa(int(v.Etcd.Restores)) + " times"
	}
	if !v.Etcd.Up {
		text = "is down, " + text
	}
	return text
}

// lanes draws the moments up to now, a line for each part of the cluster: at most most
// lines below their heading. Those in which something is wrong go first where not all have room.
func (s *stage) lanes(width, most int) []string {
	t, v := s.Theme, s.shown.view
	list, hidden := rows(v), 0
	if most = max(most, 4); len(list) > most {
		last := s.shown.columns[len(s.shown.columns)-1]
		before := last
		if n := len(s.shown.columns); n > 1 {
			before = s.shown.columns[n-2]
		}
		urgent := func(x lane) int {
			if x.at < len(rows(v))-len(v.Kubelets) {
				return -1
			}
			moved := 1
			if last[x.at] != before[x.at] {
				moved = 0
			}
			return 2*(restore.Critical.Rank()-x.severity.Rank()) + moved
		}
		hidden = len(list) - most + 1
		slices.SortStableFunc(list, func(a, b lane) int { return cmp.Compare(urgent(a), urgent(b)) })
		list = list[:most-1]
		slices.SortFunc(list, func(a, b lane) int { return cmp.Compare(a.at, b.at) })
	}
	name, does := 0, 0
	for _, x := range list {
		name, does = max(name, ansi.StringWidth(draw.Safe(x.name)), 16), max(does, ansi.StringWidth(draw.Safe(x.does)))
	}
	name = min(name, width/3)
	wide := 6
	for _, c := range s.shown.columns {
		for _, x := range c {
			wide = max(wide, len(x.text())+2)
		}
	}
	room := max((width-name-4-min(does, 2*width/5))/wide, 1)
	shown := s.shown.columns[max(len(s.shown.columns)-room, 0):]
	if t.Plain {
		shown = shown[len(shown)-1:]
	}
	head := t.Fit("  REVISION AT STEP", name+3)
	for i := range shown {
		head += t.Fit(strconv.Itoa(s.shown.steps-len(shown)+1+i), wide)
	}
	lines := []string{t.Dim.Paint(t.Cut(head+" WHAT IT DOES", width))}
	for _, x := range list {
		color, mark := shared.Severity(t, x.severity)
		line := color.Paint(mark+" "+t.Fit(draw.Safe(x.name), name)) + " "
		for i, c := range shown {
			text := c[x.at].text()
			switch {
			case i > 0 && shown[i-1][x.at] == c[x.at] && t.Line != "":
				text = t.Dim.Paint(strings.Repeat(t.Line, wide))
			case i+1 < len(shown) && shown[i+1][x.at] == c[x.at] && t.Line != "":
				text = paint(t, c[x.at], text) + " " + t.Dim.Paint(strings.Repeat(t.Line, wide-len(text)-1))
			default:
				text = paint(t, c[x.at], t.Fit(text, wide))
			}
			line += text
		}
		line += " " + color.Paint(draw.Safe(x.does))
		lines = append(lines, t.Cut(line, width))
	}
	if hidden > 0 {
		lines = append(lines, t.Dim.Paint(t.Cut("  and "+words.CountOf(hidden, "kubelet", "kubelets")+" more", width)))
	}
	return lines
}

func paint(t *draw.Theme, c cell, text string) string {
	color, _ := shared.Severity(t, c.severity)
	return color.Paint(text)
}

// pods draws what runs beside what etcd and the API servers have, in at most so many
// lines. Pods that run unseen, or do not run, go first where not all have room.
func (s *stage) pods(width, most int) []string {
	t, v := s.Theme, s.shown.view
	most = max(most, 3)
	list := make([]*replay.PodView, len(v.Pods))
	for i := range v.Pods {
		list[i] = &v.Pods[i]
	}
	hidden := 0
	if len(list) > most-1 {
		urgent := func(p *replay.PodView) int {
			switch {
			case p.Phantom || p.Ghost:
				return 0
			case len(p.MayRunOn) > 0 || (p.Stored != nil && p.Stored.Phase == "Running") != (len(p.RunsOn) > 0):
				return 1
			}
			return 2
		}
		hidden = len(list) - most + 2
		slices.SortStableFunc(list, func(a, b *replay.PodView) int { return cmp.Compare(urgent(a), urgent(b)) })
		list = list[:most-2]
	}
	table := [][]string{{"POD", "RUNS ON", "ETCD HAS"}}
	for _, server := range v.Servers {
		table[0] = append(table[0], strings.ToUpper(draw.Safe(server.Name))+" LISTS")
	}
	marks := []restore.Severity{restore.OK}
	for _, p := range list {
		name := draw.Safe(p.Name)
		if slices.ContainsFunc(v.Pods, func(o replay.PodView) bool { return o.Name == p.Name && o.UID != p.UID }) {
			name += " (" + draw.Safe(p.UID[:min(len(p.UID), 4)]) + ")"
		}
		row := []string{name, runs(p), has(p.Stored)}
		for i := range v.Servers {
			if !v.Servers[i].Up {
				row = append(row, "(down)")
				continue
			}
			row = append(row, has(p.Listed[i]))
		}
		mark := restore.OK
		switch {
		case p.Phantom:
			row[1] += ", unseen"
			mark = restore.Critical
		case p.Ghost:
			row[1] = "does not run"
			mark = restore.Critical
		}
		table, marks = append(table, row), append(marks, mark)
	}
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, text := range row {
			widths[i] = max(widths[i], ansi.StringWidth(text)+2)
		}
	}
	shrink(widths, width-2)
	var lines []string
	for i, row := range table {
		color, mark := shared.Severity(t, marks[i])
		line := mark + " "
		if i == 0 {
			line, color = "  ", t.Dim
		}
		for j, text := range row {
			line += t.Fit(t.Cut(text, widths[j]-1), widths[j])
		}
		lines = append(lines, color.Paint(t.Cut(line, width)))
	}
	if hidden > 0 {
		lines = append(lines, t.Dim.Paint(t.Cut("  and "+words.Count(hidden, "pod")+" more ("+s.Keymap.Key(keys.Why)+": all)", width)))
	}
	return lines
}

// shrink takes from the widest columns until all fit.
func shrink(widths []int, room int) {
	for {
		sum, widest := 0, 0
		for i, w := range widths {
			if sum += w; w > widths[widest] {
				widest = i
			}
		}
		if sum <= room || widths[widest] <= 6 {
			return
		}
		widths[widest]--
	}
}

func runs(p *replay.PodView) string {
	switch {
	case len(p.RunsOn) == 0 && len(p.MayRunOn) == 0 && p.Stopped != "":
		return p.Stopped
	case len(p.RunsOn) > 0:
		return draw.Safe(strings.Join(p.RunsOn, ", "))
	case len(p.MayRunOn) > 0:
		return "perhaps " + draw.Safe(strings.Join(p.MayRunOn, ", "))
	}
	return "-"
}

func has(v *restore.APIView) string {
	if v == nil {
		return "-"
	}
	return draw.Safe(v.String())
}
