package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
)

// pods is the table of pods with the details of the selected one.
type pods struct {
	table  table
	detail bool
	body   text

	filter    string
	filtering bool // keys go to the filter
	all       bool // also the pods that need no attention
	backup    bool // the object shown is that of the backup

	from   *restore.Prediction // what rows were made of
	rows   []*restore.PodOutcome
	hidden int
	object object
	width  int
	height int
}

func newPods() *pods {
	p := &pods{}
	p.table.columns = []column{{"OUTCOME", 18}, {"CERTAINTY", 11}, {"NAMESPACE", 14}, {"NAME", 30}, {"NODE", 14}, {"RULE", 7}, {"FLAGS", 20}}
	p.table.cell = p.cell
	return p
}

// wide says whether the details stand beside the table and not in its place.
func (p *pods) wide() bool { return p.width >= 140 }

func (p *pods) setSize(width, height int) {
	p.width, p.height = width, height
	tableWidth := width
	if p.detail && p.wide() {
		tableWidth = width / 2
	}
	p.table.resize(tableWidth, height-1)
	p.body.width, p.body.height = width, height-1
	if p.wide() {
		p.body.width = width - tableWidth - 2
	}
}

// refresh makes the rows anew when the prediction, the filter or the choice of
// rows has changed, and keeps the selected pod.
func (p *pods) refresh(from *restore.Prediction) {
	selected := p.selected()
	p.from, p.rows, p.hidden = from, nil, 0
	if from == nil {
		p.table.length = 0
		return
	}
	want := strings.ToLower(p.filter)
	for i := range from.Pods {
		o := &from.Pods[i]
		switch {
		case !strings.Contains(strings.ToLower(haystack(o)), want):
		case !p.all && o.Severity == restore.OK:
			p.hidden++
		default:
			p.rows = append(p.rows, o)
		}
	}
	slices.SortStableFunc(p.rows, func(a, b *restore.PodOutcome) int {
		if d := a.Severity.Rank() - b.Severity.Rank(); d != 0 {
			return d
		}
		return outcomeRank[a.Outcome] - outcomeRank[b.Outcome]
	})
	p.table.length = len(p.rows)
	if selected != nil {
		if i := slices.IndexFunc(p.rows, func(o *restore.PodOutcome) bool { return o.UID == selected.UID && o.Name == selected.Name }); i >= 0 {
			p.table.cursor = i
		}
	}
	p.table.move(0)
}

var outcomeRank = func() map[restore.Outcome]int {
	m := map[restore.Outcome]int{}
	for i, o := range restore.Outcomes {
		m[o.ID] = i
	}
	return m
}()

// haystack is what the filter looks in.
func haystack(o *restore.PodOutcome) string {
	return strings.Join([]string{string(o.Outcome), string(o.Certainty), o.Namespace + "/" + o.Name, o.Node, string(o.Rule), flags(o), o.UID}, " ")
}

func flags(o *restore.PodOutcome) string {
	list := make([]string, len(o.Flags))
	for i, f := range o.Flags {
		list[i] = string(f)
	}
	return strings.Join(list, ",")
}

func (p *pods) cell(row, column int) string {
	o := p.rows[row]
	return sanitize.Line([]string{string(o.Outcome), string(o.Certainty), o.Namespace, o.Name, o.Node, string(o.Rule), flags(o)}[column])
}

// selected is the pod under the cursor, nil when there is none.
func (p *pods) selected() *restore.PodOutcome {
	if p.table.cursor < len(p.rows) {
		return p.rows[p.table.cursor]
	}
	return nil
}

func (p *pods) update(m *model, a action) tea.Cmd {
	if p.detail { // beside the table, its lines scroll by pages only
		switch a {
		case actUp, actDown, actTop, actBottom:
			if p.wide() {
				break
			}
			fallthrough
		case actPageUp, actPageDown:
			p.body.act(a)
			return nil
		}
	}
	before := p.selected()
	switch a {
	case actUp:
		p.table.move(-1)
	case actDown:
		p.table.move(1)
	case actPageUp:
		p.table.move(-p.table.rows())
	case actPageDown:
		p.table.move(p.table.rows())
	case actTop:
		p.table.move(-p.table.length)
	case actBottom:
		p.table.move(p.table.length)
	case actOpen:
		p.detail = p.selected() != nil
		p.setSize(p.width, p.height)
		return p.load(m)
	case actBack:
		if p.detail {
			p.detail = false
			p.setSize(p.width, p.height)
		} else if p.filter != "" {
			p.filter = ""
			p.refresh(p.from)
		}
	case actFilter:
		p.filtering = true
	case actAll:
		p.all = !p.all
		p.refresh(p.from)
	case actSide:
		p.backup = !p.backup
		return p.load(m)
	}
	if p.detail && p.selected() != before {
		p.body.top = 0
		return p.load(m)
	}
	return nil
}

// ref is the record of the selected pod on the side shown, or on the other when
// that side has none.
func (p *pods) ref() (restore.Ref, bool) {
	o := p.selected()
	if o == nil || len(o.Evidence) == 0 {
		return restore.Ref{}, false
	}
	want := restore.InCurrent
	if p.backup {
		want = restore.InBackup
	}
	for _, r := range o.Evidence {
		if r.Snapshot == want {
			return r, true
		}
	}
	return o.Evidence[0], true
}

func (p *pods) load(m *model) tea.Cmd {
	ref, ok := p.ref()
	if !ok || ref == p.object.ref {
		return nil
	}
	return m.session.read(ref)
}

// typed takes a key while the filter is being typed.
func (p *pods) typed(key tea.KeyPressMsg) {
	switch key.String() {
	case "enter":
		p.filtering = false
	case "esc":
		p.filtering, p.filter = false, ""
	case "backspace":
		if r := []rune(p.filter); len(r) > 0 {
			p.filter = string(r[:len(r)-1])
		}
	default:
		p.filter += sanitize.Line(key.Text)
	}
	p.refresh(p.from)
}

func (p *pods) view(m *model) string {
	p.table.style = func(row, column int, cell string) string {
		if column == 0 {
			return m.theme.severity(p.rows[row].Severity).Render(cell)
		}
		return cell
	}
	if p.detail && p.selected() != nil {
		p.body.set(p.describe())
		if !p.wide() {
			return pad(p.status(m), p.width) + "\n" + p.body.view()
		}
		bar := "│ "
		if m.ascii {
			bar = "| "
		}
		left, right := strings.Split(p.list(m), "\n"), strings.Split(p.body.view(), "\n")
		for i := range right {
			row := strings.Repeat(" ", p.table.width)
			if i < len(left) {
				row = pad(left[i], p.table.width)
			}
			right[i] = row + m.theme.border.Render(bar) + right[i]
		}
		return pad(p.status(m), p.width) + "\n" + strings.Join(right, "\n")
	}
	return pad(p.status(m), p.width) + "\n" + p.list(m)
}

// list is the table, or why it is empty.
func (p *pods) list(m *model) string {
	if len(p.rows) > 0 {
		return p.table.view(&m.theme)
	}
	switch {
	case p.from == nil:
		return "No prediction yet: the plan is refused, or being computed."
	case p.filter != "":
		return "No pod matches the filter. esc takes it away."
	case p.hidden > 0:
		return "No pod needs attention under this plan. u shows the others."
	}
	return "Neither snapshot has a pod."
}

// status says what is listed, and the filter.
func (p *pods) status(m *model) string {
	s := fmt.Sprintf("%d pods", len(p.rows))
	if p.hidden > 0 {
		s += fmt.Sprintf(", %d more need no attention (u shows them)", p.hidden)
	}
	if m.session.refused != nil {
		s += ", of the last plan that was not refused"
	}
	switch {
	case p.filtering:
		s = "/" + p.filter + "▏  " + s
	case p.filter != "":
		s = "filter " + p.filter + ": " + s
	}
	return m.theme.dim.Render(sanitize.Line(s))
}

// describe tells all about the selected pod.
func (p *pods) describe() string {
	o := p.selected()
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(sanitize.Line(fmt.Sprintf(format, args...)) + "\n")
	}
	info := o.Outcome.Info()
	line("%s/%s", o.Namespace, o.Name)
	line("%s, %s: %s", o.Outcome, o.Certainty, info.Title)
	line("")
	line("%s", o.Reason)
	line("")
	line("To do: %s", o.Action)
	line("")
	line("Certainty: %s", o.CertaintyReason)
	line("")
	line("uid       %s", o.UID)
	line("node      %s", o.Node)
	line("runs on   %s", or(strings.Join(o.RunsOn, " "), "nowhere"))
	if len(o.MayRunOn) > 0 {
		line("may run   %s", strings.Join(o.MayRunOn, " "))
	}
	shows := "nothing"
	if o.API != nil {
		shows = fmt.Sprintf("%s on %s", o.API.Phase, or(o.API.Node, "no node"))
		if o.API.Terminating {
			shows += ", Terminating"
		}
	}
	line("API shows %s", shows)
	line("heals     %s", o.Heals)
	line("rule      %s: %s", o.Rule, ruleTitle(o.Rule))
	for _, f := range o.Flags {
		line("flag      %s", f)
	}
	for _, r := range o.Evidence {
		line("evidence  %s, revision %d: %s", sideNames[r.Snapshot], r.Revision, r.Key)
	}
	line("")
	if ref, ok := p.ref(); ok {
		line("object in the %s, revision %d (o: the other one)", sideNames[ref.Snapshot], ref.Revision)
		if p.object.ref == ref {
			b.WriteString(p.object.text)
		} else {
			line("reading…")
		}
	}
	return b.String()
}

var sideNames = map[restore.In]string{restore.InBackup: "backup", restore.InCurrent: "current state"}

func ruleTitle(id restore.Rule) string {
	for _, r := range restore.Rules {
		if r.ID == id {
			return r.Title
		}
	}
	return ""
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
