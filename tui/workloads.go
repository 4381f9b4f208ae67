package tui

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
)

// The columns of the workloads.
const (
	workKind = iota
	workNamespace
	workName
	workWanted
	workBelieved
	workRunning
	workPhantoms
	workGhosts
	workMade
	workTwice
)

// newWorkloads lists what becomes of the controllers' objects: pods wanted,
// believed by the API, and really running.
func newWorkloads(s *session) screen {
	return &workloads{s, newBoard(&s.ui, listing{
		title: "workloads", noun: "workload", waiting: "predicting",
		columns: []column{
			{title: "KIND", key: "S", min: 11},
			{title: "NAMESPACE", key: "P", min: 8, max: 30},
			{title: "NAME", key: "N", min: 12, max: 50},
			{title: "WANTED", min: 6, right: true},
			{title: "API", min: 4, right: true},
			{title: "RUNS", key: "O", min: 6, right: true},
			{title: "PHANTOMS", min: 8, drop: 2, right: true},
			{title: "GHOSTS", min: 6, drop: 3, right: true},
			{title: "MADE ANEW", min: 9, drop: 4, right: true},
			{title: "TWICE", min: 5, drop: 1, right: true},
		},
		of: func() any {
			if s.prediction == nil {
				return nil
			}
			return s.prediction
		},
		rows:  func() rows { return s.workloadRows(s.prediction.Workloads) },
		empty: func() string { return "Neither snapshot holds a workload." },
	})}
}

// workloads is the board of workloads, from which one goes on to the pods of one.
type workloads struct {
	*session
	*board
}

func (w *workloads) Keys() keys {
	k := w.board.Keys()
	if _, ok := w.table.row(); ok {
		k.offer(open)
	}
	return k
}

func (w *workloads) Update(msg tea.Msg) tea.Cmd {
	row, ok := w.table.row()
	if p, pressed := msg.(press); pressed && ok && p.action == open && w.opened {
		of := w.table.rows.item(row).(*restore.WorkloadOutcome)
		return visit("pods", withinMsg{&podGroup{column: none, name: of.Kind + " " + of.Namespace + "/" + of.Name, workload: of.UID}})
	}
	return w.board.Update(msg)
}

func (s *session) workloadRows(list []restore.WorkloadOutcome) rows {
	number := func(n int64) string { return zeroAsDash(int(n)) }
	return rows{
		count: len(list),
		cell: func(row, column int) string {
			w := &list[row]
			switch column {
			case workKind:
				return w.Kind
			case workNamespace:
				return w.Namespace
			case workName:
				return w.Name
			case workWanted:
				return number(w.Wanted)
			case workBelieved:
				return number(w.Believed)
			case workRunning:
				if w.MayRun > 0 {
					return number(w.Running) + "+" + count(w.MayRun) + "?"
				}
				return number(w.Running)
			case workPhantoms:
				return number(w.Phantoms)
			case workGhosts:
				return number(w.Ghosts)
			case workMade:
				return number(w.Recreates)
			}
			return zeroAsDash(len(w.Twice))
		},
		compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case workKind:
				return cmp.Or(x.Severity.Rank()-y.Severity.Rank(), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Namespace, y.Namespace))
			case workNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case workRunning:
				return cmp.Or(cmp.Compare(y.Running, x.Running), cmp.Compare(y.MayRun, x.MayRun))
			}
			return strings.Compare(x.Name, y.Name)
		},
		minor: func(row int) bool { return list[row].Severity == restore.OK },
		look:  func(t *theme, row int) (style, string) { return t.severity(list[row].Severity) },
		id:    func(row int) string { return list[row].Kind + " " + list[row].Namespace + "/" + list[row].Name },
		item:  func(row int) any { return &list[row] },
		links: func(row int) func(action) tea.Cmd {
			return s.linksTo(current, s.keyOfKind(list[row].Kind, list[row].Namespace, list[row].Name))
		},
		detail: func(row, width int) []string { return s.workload(&list[row], width) },
	}
}

// keyOfKind is the key of an object of a built-in kind.
func (s *session) keyOfKind(kind, namespace, name string) string {
	r, ok := kube.LookupResource(kind)
	if !ok {
		return ""
	}
	return kube.Key{Group: r.Group(), Resource: r.Name, Namespace: namespace, Name: name}.Path(s.input.Prefix)
}

// workload tells all of a workload.
func (s *session) workload(w *restore.WorkloadOutcome, width int) []string {
	t := s.theme
	lines := []string{t.heading(safe(w.Kind+" "+w.Namespace+"/"+w.Name), width)}
	color, _ := t.severity(w.Severity)
	lines = append(lines, paintAll(color, wrap(w.Reason, width))...)
	if w.Action != "" {
		lines = append(lines, wrap(w.Action, width)...)
	}
	lines = append(lines, "")
	changed := ""
	if w.WantedNow != w.Wanted {
		changed = count(w.WantedNow) + " before the restore"
	}
	lines = append(lines, t.facts(width,
		"in", map[string]string{"both": "both snapshots", "backup": "the backup only: it comes back", "current": "the current state only: it is lost"}[w.In],
		"wanted", count(w.Wanted), "", changed,
		"API believes", count(w.Believed), "really run", count(w.Running),
		"may run", positive(w.MayRun), "phantoms", positive(w.Phantoms), "ghosts", positive(w.Ghosts),
		"surplus", positive(w.Surplus), "short of", positive(w.Shortfall),
		"made anew", positive(w.Recreates), "deleted", positive(w.Removes),
	)...)
	for _, twice := range w.Twice {
		lines = append(lines, "", t.critical.paint(t.cut(safe(twice.Pod)+" runs twice", width)))
		lines = append(lines, t.facts(width, "on", strings.Join(twice.Nodes, " and "), "as", strings.Join(twice.UIDs, " and "),
			"with", strings.Join(twice.Claims, ", "), "until", twice.Until)...)
	}
	if len(w.Hangs) > 0 {
		lines = append(lines, "", t.bold.paint("It waits for pods that have ended"))
		lines = append(lines, bulleted(w.Hangs, width)...)
	}
	if len(w.RunsAgain) > 0 {
		lines = append(lines, "", t.bold.paint("Done again"))
		lines = append(lines, bulleted(w.RunsAgain, width)...)
	}
	return lines
}

func positive(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

func bulleted(list []string, width int) []string {
	var lines []string
	for _, name := range list {
		lines = append(lines, item("- ", name, width)...)
	}
	return lines
}
