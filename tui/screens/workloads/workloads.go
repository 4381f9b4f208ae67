package workloads

import (
	"cmp"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
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
	workHarm
)

// New lists what becomes of the controllers' objects: pods wanted,
// believed by the API, and really running.
func New(s *session.Session) session.Screen {
	return &Screen{s, widget.NewBoard(&s.UI, widget.Listing{
		Title: "workloads", Noun: "workload", Waiting: "predicting", Sorted: "HARM", Notes: shared.Legend(s),
		Columns: []widget.Column{
			{Title: "KIND", Key: "K", Min: 11},
			{Title: "NAMESPACE", Key: "P", Min: 8, Max: 30},
			{Title: "NAME", Key: "N", Min: 12, Max: 50},
			{Title: "WANTED", Key: "W", Min: 6, Right: true, Desc: true},
			{Title: "API", Key: "I", Min: 4, Right: true, Desc: true},
			{Title: "RUNS", Key: "R", Min: 6, Right: true, Desc: true, By: "those that certainly run, then those that may"},
			{Title: "PHANTOMS", Key: "T", Min: 8, Right: true, Desc: true, By: "certain and possible"},
			{Title: "GHOSTS", Key: "S", Min: 6, Right: true, Desc: true, By: "certain and possible"},
			{Title: "RECREATED", Key: "C", Min: 9, Drop: 8, Right: true, Desc: true},
			{Title: "TWICE", Key: "E", Min: 5, Drop: 7, Right: true, Desc: true},
			{Title: "HARM", Key: "A", Min: 6, Drop: 9, Right: true, Desc: true, By: "severity, then phantoms and ghosts"},
		},
		Of: func() any {
			if s.Prediction == nil {
				return nil
			}
			return s.Prediction
		},
		Rows:  func() widget.Rows { return workloadRows(s, s.Prediction.Workloads) },
		Empty: func() string { return "Neither snapshot holds a workload." },
	})}
}

// Screen is the board of workloads, from which one goes on to the pods of one.
type Screen struct {
	*session.Session
	*widget.Board
}

// Keys lists the actions that Update takes.
func (w *Screen) Keys() keys.Set {
	k := w.Board.Keys()
	if _, ok := w.Table.Row(); ok {
		k.Offer(keys.Open)
	}
	return k
}

// Update takes a press of one of Keys, and every message.
func (w *Screen) Update(msg tea.Msg) tea.Cmd {
	row, ok := w.Table.Row()
	if p, pressed := msg.(keys.Press); pressed && ok && p.Action == keys.Open && w.Opened {
		of := w.Table.Rows.Item(row).(*restore.WorkloadOutcome)
		return session.Visit("outcomes", session.PodsMsg{Workload: of})
	}
	return w.Board.Update(msg)
}

func workloadRows(s *session.Session, list []restore.WorkloadOutcome) widget.Rows {
	d := s.Digest
	number := func(n int64) string { return words.NumberOrDash(int(n)) }
	return widget.Rows{
		Count: len(list),
		Cell: func(row, column int) string {
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
				return words.Likely(w.Running, w.MayRun)
			case workPhantoms:
				return words.Likely(d.OfWorkload(w.UID, restore.Phantom, w.Phantoms))
			case workGhosts:
				return words.Likely(d.OfWorkload(w.UID, restore.Ghost, w.Ghosts))
			case workHarm:
				return words.Likely(harm(&d, w))
			case workMade:
				return number(w.Recreates)
			}
			return words.NumberOrDash(len(w.Twice))
		},
		Compare: func(a, b, column int) int {
			x, y := &list[a], &list[b]
			switch column {
			case workKind:
				return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Namespace, y.Namespace))
			case workNamespace:
				return strings.Compare(x.Namespace, y.Namespace)
			case workRunning:
				return cmp.Or(cmp.Compare(y.Running, x.Running), cmp.Compare(y.MayRun, x.MayRun))
			case workWanted:
				return cmp.Compare(y.Wanted, x.Wanted)
			case workBelieved:
				return cmp.Compare(y.Believed, x.Believed)
			case workPhantoms:
				return cmp.Compare(y.Phantoms, x.Phantoms)
			case workGhosts:
				return cmp.Compare(y.Ghosts, x.Ghosts)
			case workMade:
				return cmp.Compare(y.Recreates, x.Recreates)
			case workTwice:
				return cmp.Compare(len(y.Twice), len(x.Twice))
			case workHarm:
				return cmp.Or(x.Severity.Rank()-y.Severity.Rank(), cmp.Compare(y.Phantoms+y.Ghosts, x.Phantoms+x.Ghosts), cmp.Compare(len(y.Twice), len(x.Twice)))
			}
			return strings.Compare(x.Name, y.Name)
		},
		Minor: func(row int) bool { return list[row].Severity == restore.OK },
		Look:  func(t *draw.Theme, row int) (draw.Style, string) { return shared.Severity(t, list[row].Severity) },
		ID:    func(row int) string { return list[row].Kind + " " + list[row].Namespace + "/" + list[row].Name },
		Item:  func(row int) any { return &list[row] },
		Links: func(row int) func(keys.Action) tea.Cmd {
			return s.LinksTo(s.Input.Current, s.KeyOfKind(list[row].Kind, list[row].Namespace, list[row].Name))
		},
		Detail: func(row, width int) []string { return workload(s, &list[row], width) },
	}
}

// harm is how many pods of a workload are phantoms or ghosts.
func harm(d *digest.Digest, w *restore.WorkloadOutcome) (certain, possible int64) {
	for _, of := range []struct {
		outcome restore.Outcome
		pods    int64
	}{{restore.Phantom, w.Phantoms}, {restore.Ghost, w.Ghosts}} {
		sure, perhaps := d.OfWorkload(w.UID, of.outcome, of.pods)
		certain, possible = certain+sure, possible+perhaps
	}
	return certain, possible
}

// workload tells all of a workload.
func workload(s *session.Session, w *restore.WorkloadOutcome, width int) []string {
	t := s.Theme
	lines := []string{t.Heading(draw.Safe(w.Kind+" "+w.Namespace+"/"+w.Name), width)}
	color, _ := shared.Severity(t, w.Severity)
	lines = append(lines, draw.PaintAll(color, draw.Wrap(w.Reason, width))...)
	if w.Action != "" {
		lines = append(lines, draw.Wrap(w.Action, width)...)
	}
	lines = append(lines, "")
	changed := ""
	if w.WantedNow != w.Wanted {
		changed = words.Number(w.WantedNow) + " before the restore"
	}
	lines = append(lines, t.Facts(width,
		"in", map[string]string{"both": "both snapshots", "backup": "the backup only: it comes back", "current": "the current state only: it is lost"}[w.In],
		"wanted", words.Number(w.Wanted), "", changed,
		"API believes", words.Number(w.Believed), "really run", words.Number(w.Running),
		"may run", draw.Positive(w.MayRun), "phantoms", draw.Positive(w.Phantoms), "ghosts", draw.Positive(w.Ghosts),
		"surplus", draw.Positive(w.Surplus), "short of", draw.Positive(w.Shortfall),
		"made again", draw.Positive(w.Recreates), "deleted", draw.Positive(w.Removes),
	)...)
	for _, twice := range w.Twice {
		lines = append(lines, "", t.Critical.Paint(t.Cut(draw.Safe(twice.Pod)+" runs twice", width)))
		lines = append(lines, t.Facts(width, "on", strings.Join(twice.Nodes, " and "), "as", strings.Join(twice.UIDs, " and "),
			"with", strings.Join(twice.Claims, ", "), "until", twice.Until)...)
	}
	if len(w.Hangs) > 0 {
		lines = append(lines, "", t.Bold.Paint("It waits for pods that have ended"))
		lines = append(lines, bulleted(w.Hangs, width)...)
	}
	if len(w.RunsAgain) > 0 {
		lines = append(lines, "", t.Bold.Paint("Done again"))
		lines = append(lines, bulleted(w.RunsAgain, width)...)
	}
	return lines
}

func bulleted(list []string, width int) []string {
	var lines []string
	for _, name := range list {
		lines = append(lines, draw.Item("- ", name, width)...)
	}
	return lines
}
