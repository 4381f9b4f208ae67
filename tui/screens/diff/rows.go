package diff

import (
	"cmp"
	"slices"
	"strings"

	"revenant/analyzer/diff"
	"revenant/decoder/kube"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

func groupNamed(list []diff.Group, name string) *diff.Group {
	i, ok := slices.BinarySearchFunc(list, name, func(g diff.Group, name string) int { return strings.Compare(g.Name, name) })
	if !ok {
		return nil
	}
	return &list[i]
}

// rows makes those of a level.
func (d *Screen) rows(l *level) widget.Rows {
	resource := groupNamed(l.all.Within, l.resource)
	switch {
	case l.flat && l.depth == 0:
		places := make([]int32, len(l.all.Objects))
		for i := range places {
			places[i] = int32(i)
		}
		return d.objectRows(l, places)
	case l.depth == 0:
		return d.groupRows(l, "RESOURCE", l.all.Within)
	case resource == nil:
		return d.objectRows(l, nil)
	case l.flat:
		var places []int32
		for i := range resource.Within {
			places = append(places, resource.Within[i].Objects...)
		}
		slices.Sort(places)
		return d.objectRows(l, places)
	case l.depth == 1:
		return d.groupRows(l, "NAMESPACE", resource.Within)
	}
	if space := groupNamed(resource.Within, l.namespace); space != nil {
		return d.objectRows(l, space.Objects)
	}
	return d.objectRows(l, nil)
}

// The columns of groups.
const (
	groupName = iota
	groupAdded
	groupRemoved
	groupRecreated
	groupChanged
	groupNoise
)

func groupColumns(title string) []widget.Column {
	return []widget.Column{
		{Title: title, Key: map[bool]string{true: "S", false: "P"}[title == "RESOURCE"], Min: 20, Max: 60},
		{Title: "ADDED", Key: "A", Min: 7, Right: true, Desc: true},
		{Title: "REMOVED", Key: "R", Min: 9, Right: true, Desc: true},
		{Title: "RECREATED", Key: "E", Min: 11, Right: true, Desc: true},
		{Title: "CHANGED", Key: "C", Min: 9, Right: true, Desc: true},
		{Title: "NOISE ONLY", Key: "O", Min: 12, Drop: 1, Right: true, Desc: true},
	}
}

// groupFates are the fates that columns of groups count.
var groupFates = map[int]diff.Fate{groupAdded: diff.Added, groupRemoved: diff.Removed, groupRecreated: diff.Recreated, groupChanged: diff.Changed, groupNoise: diff.Quiet}

func (d *Screen) groupRows(l *level, title string, list []diff.Group) widget.Rows {
	name := func(row int) string {
		switch {
		case list[row].Name != "":
			return list[row].Name
		case title == "RESOURCE":
			return shared.OtherKeys
		}
		return "-"
	}
	return widget.Rows{
		Columns: groupColumns(title),
		Groups:  title == "RESOURCE",
		Count:   len(list),
		Cell: func(row, column int) string {
			if column == groupName {
				return name(row)
			}
			return words.NumberOrDash(list[row].Counts[groupFates[column]])
		},
		Compare: func(a, b, column int) int {
			if column == groupName {
				return strings.Compare(list[a].Name, list[b].Name)
			}
			return cmp.Compare(list[b].Counts[groupFates[column]], list[a].Counts[groupFates[column]])
		},
		Minor:  func(row int) bool { return list[row].Counts[diff.Quiet] == list[row].Total() },
		Hidden: "with noise only",
		ID:     func(row int) string { return list[row].Name },
		Copied: name,
		Item:   func(row int) any { return placed{level: l, group: &list[row]} },
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			if list[row].Unread > 0 {
				return t.Warning, t.MarkWarning
			}
			return "", " "
		},
		Detail: func(row, width int) []string { return d.groupDetail(l, name(row), &list[row], width) },
	}
}

// groupDetail lists what is in a group.
func (d *Screen) groupDetail(l *level, name string, g *diff.Group, width int) []string {
	t := d.Theme
	lines := []string{t.Heading(draw.Safe(name), width)}
	lines = append(lines, draw.Wrap(d.tally(g), width)...)
	if g.Unread > 0 {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap(words.Count(g.Unread, "object")+" could not be read in full and count as changed.", width))...)
	}
	lines = append(lines, "")
	if len(g.Within) > 1 {
		for i := range g.Within[:min(len(g.Within), shared.MaxListed)] {
			w := &g.Within[i]
			lines = append(lines, draw.Indent(t.Fit(words.OrDash(draw.Safe(w.Name)), 24)+"  ", d.tally(w), width)...)
		}
		return shared.AndMore(t, lines, len(g.Within))
	}
	places := g.Objects
	if len(g.Within) == 1 {
		places = g.Within[0].Objects
	}
	n := 0
	for _, place := range places {
		o := &l.all.Objects[place]
		if o.Fate == diff.Quiet && !d.look.Noise {
			continue
		}
		if n++; n <= shared.MaxListed {
			lines = append(lines, t.Cut(fateMarks[o.Fate]+" "+draw.Safe(l.all.Name(int(place)).Name), width))
		}
	}
	return shared.AndMore(t, lines, n)
}

// tally counts in words.
func (d *Screen) tally(g *diff.Group) string {
	var parts []string
	for _, f := range []diff.Fate{diff.Added, diff.Removed, diff.Recreated, diff.Changed} {
		if n := g.Counts[f]; n > 0 {
			parts = append(parts, words.Number(n)+" "+f.String())
		}
	}
	if n := g.Counts[diff.Quiet]; n > 0 {
		text := words.Number(n) + " noise only"
		if len(parts) == 0 || g.Noise != 0 {
			text += " (" + g.Noise.String() + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// fateMarks are those of objects.
var fateMarks = map[diff.Fate]string{diff.Added: "+", diff.Removed: "-", diff.Recreated: "=", diff.Changed: "~", diff.Quiet: " "}

// The columns of objects.
const (
	differsWhat = iota
	differsResource
	differsNamespace
	differsName
	differsBefore
	differsAfter
	differsNote
)

func (d *Screen) objectRows(l *level, places []int32) widget.Rows {
	c := l.all
	at := func(row int) *diff.Object { return &c.Objects[places[row]] }
	key := func(row int) kube.Key { return c.Name(int(places[row])) }
	columns := []widget.Column{
		{Title: "WHAT", Key: "W", Min: 10},
		{Title: "RESOURCE", Key: "R", Min: 12, Max: 44},
		{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
		{Title: "NAME", Key: "N", Min: 16, Max: 70},
		{Title: "BEFORE", Key: "B", Min: 8, Right: true, Desc: true},
		{Title: "AFTER", Key: "A", Min: 8, Right: true, Desc: true},
		{Title: "NOISE", Min: 5, Max: 40, Drop: 1},
	}
	shown := []int{differsWhat, differsResource, differsNamespace, differsName, differsBefore, differsAfter, differsNote}
	if !l.flat {
		shown = slices.Delete(shown, differsResource, differsNamespace+1)
	}
	var chosen []widget.Column
	for _, i := range shown {
		chosen = append(chosen, columns[i])
	}
	return widget.Rows{
		Columns: chosen,
		Count:   len(places),
		Cell: func(row, column int) string {
			o := at(row)
			switch shown[column] {
			case differsWhat:
				return o.Fate.String()
			case differsResource:
				return cmp.Or(key(row).GroupResource(), shared.OtherKeys)
			case differsNamespace:
				return words.OrDash(key(row).Namespace)
			case differsName:
				return key(row).Name
			case differsBefore:
				return revisionOrDash(o.Before)
			case differsAfter:
				return revisionOrDash(o.After)
			}
			if o.Problem != "" {
				return "not read in full"
			}
			return words.OrDash(o.Noise.String())
		},
		Compare: func(a, b, column int) int {
			x, y := at(a), at(b)
			switch shown[column] {
			case differsWhat:
				return cmp.Compare(x.Fate, y.Fate)
			case differsNamespace:
				return strings.Compare(key(a).Namespace, key(b).Namespace)
			case differsName:
				return strings.Compare(lastPart(x.Key), lastPart(y.Key))
			case differsBefore:
				return cmp.Compare(y.Before, x.Before)
			case differsAfter:
				return cmp.Compare(y.After, x.After)
			}
			return strings.Compare(x.Key, y.Key)
		},
		Minor:  func(row int) bool { return at(row).Fate == diff.Quiet },
		Hidden: "with noise only",
		ID:     func(row int) string { return at(row).Key },
		Copied: func(row int) string {
			k := key(row)
			if k.Namespace == "" {
				return k.Name
			}
			return k.Namespace + "/" + k.Name
		},
		Item: func(row int) any { return placed{level: l, place: int(places[row])} },
		Look: func(t *draw.Theme, row int) (draw.Style, string) {
			if at(row).Problem != "" {
				return t.Warning, t.MarkWarning
			}
			return "", fateMarks[at(row).Fate]
		},
		Load: func(row, width int) func() []string {
			place, look, t := int(places[row]), d.look, d.Theme
			return func() []string {
				r := &readDifference{l, place, c.Difference(place)}
				d.lastRead.Store(r)
				return d.tellDifference(t, r, look, width)
			}
		},
	}
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

func revisionOrDash(revision int64) string {
	if revision == 0 {
		return "-"
	}
	return words.Number(revision)
}

// redraw draws what was read last, if it is what is selected.
func (d *Screen) redraw() {
	r := d.lastRead.Load()
	if r == nil || r.level != d.level || d.Of != any(d.level) {
		return
	}
	if place, ok := d.object(); ok && place == r.place {
		d.SetLines(d.tellDifference(d.Theme, r, d.look, d.DetailWidth()))
	}
}

// tellDifference tells what differs in an object.
func (d *Screen) tellDifference(t *draw.Theme, r *readDifference, look shared.ChangesLook, width int) []string {
	c := r.level.all
	o, k := &c.Objects[r.place], c.Name(r.place)
	name := k.Name
	if k.Name != o.Key {
		name = k.GroupResource() + " " + k.Namespace + "/" + k.Name
	}
	lines := []string{t.Heading(strings.Replace(draw.Safe(name), " /", " ", 1)+": "+o.Fate.String(), width)}
	lines = append(lines, t.Facts(width, "before", d.written(r.level.of[0], o.Before), "after", d.written(r.level.of[1], o.After))...)
	if r.Recreated {
		lines = append(lines, draw.Wrap("Deleted and created again: another object of the same name.", width)...)
	}
	if r.Problem != "" {
		lines = append(lines, draw.PaintAll(t.Warning, draw.Wrap("Not read in full, so that more may differ: "+r.Problem, width))...)
	}
	look.Whole = o.Before == 0 || o.After == 0
	return append(append(lines, ""), shared.Changes(t, r.Changes, look, width)...)
}

// written says which revision a state of an object is of, and when it was written.
func (d *Screen) written(at session.Moment, revision int64) string {
	if revision == 0 {
		return "does not exist in the " + d.Input.Title(at.Source) + " then"
	}
	text := "revision " + words.Number(revision) + " in the " + d.Input.Title(at.Source)
	if c := d.Source(at.Source).State.Clock; c != nil {
		text += ", " + session.Brief(c.TimeOf(revision))
	}
	return text
}
