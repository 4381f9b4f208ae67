package pods

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/diff"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/screens/shared"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// The places of the pod's objects.
const (
	inBackup = iota
	inCurrent
)

// detail shows one pod: what becomes of it, why, and the object itself.
type detail struct {
	*session.Session
	widget.Pager
	width     int // with the margins
	lineWidth int

	pod     *restore.PodOutcome // nil for none
	asked   *atomic.Int64       // counts the pods shown: only the last one's objects count
	objects [2]object           // it in the two snapshots
	loaded  bool                // objects are there
	changes []diff.Change       // from the backup's to the current one's
	unlike  string              // why they cannot be compared
	side    int                 // whose object is shown
	wrapped wrapped
	goal    func(*detail) int // where to go once the objects are there; nil for nowhere
}

// object is a pod as a snapshot has it.
type object struct {
	there    bool
	revision int64
	yaml     string // safe to show
	json     []byte
	problem  string // why there is none
}

// objectsMsg are the objects of a pod.
type objectsMsg struct {
	asked   int64
	objects [2]object
	changes []diff.Change
	unlike  string
}

// wrapped is YAML broken into lines for a width.
type wrapped struct {
	side, width int
	lines       []string
}

func newDetail(s *session.Session) *detail { return &detail{Session: s, asked: new(atomic.Int64)} }

// setSize says how many columns and lines there are. In place of the list its lines stand in one
// column.
func (d *detail) setSize(width, height int, inPlace bool) {
	d.width, d.Height = width, height-1
	d.lineWidth = d.Flow(width-2, inPlace)
}

// show turns to another pod, nil for none, and reads its objects.
func (d *detail) show(pod *restore.PodOutcome) tea.Cmd {
	if d.pod != nil && pod != nil && samePod(d.pod, pod) {
		d.pod = pod // under another plan
		return nil
	}
	asked := d.asked.Add(1)
	d.pod, d.loaded, d.objects, d.wrapped = pod, false, [2]object{}, wrapped{}
	d.goal = nil
	d.Rewind()
	if pod == nil {
		return nil
	}
	sides := [2]*session.Source{inBackup: d.Backup(), inCurrent: d.Current()}
	return d.Tasks.Cmd(func() tea.Msg {
		msg := objectsMsg{asked: asked}
		for i := range sides {
			if d.asked.Load() != asked {
				return nil // the person has moved on
			}
			msg.objects[i] = readObject(sides[i], pod)
		}
		if b, c := msg.objects[inBackup].json, msg.objects[inCurrent].json; b != nil && c != nil {
			var err error
			if msg.changes, err = diff.Fields(b, c); err != nil {
				msg.unlike = err.Error()
			}
		}
		return msg
	})
}

func samePod(a, b *restore.PodOutcome) bool {
	return a.UID == b.UID && a.Name == b.Name && a.Namespace == b.Namespace
}

// read takes the objects over.
func (d *detail) read(msg objectsMsg) {
	if msg.asked != d.asked.Load() {
		return
	}
	d.objects, d.loaded, d.changes, d.unlike = msg.objects, true, msg.changes, msg.unlike
	d.side = inCurrent
	if !d.objects[inCurrent].there {
		d.side = inBackup
	}
	if d.goal != nil {
		d.Top, d.goal = d.goal(d), nil
	}
}

// readObject reads and decodes the pod's object.
func readObject(s *session.Source, pod *restore.PodOutcome) object {
	p := podIn(s.State, pod)
	if p == nil {
		return object{}
	}
	o := object{there: true, revision: p.ModRevision}
	value, err := newest(s.Snapshot, p.Key)
	if err != nil {
		o.problem = draw.Safe(err.Error())
		return o
	}
	key := kube.Key{Resource: "pods", Namespace: p.Namespace, Name: p.Name}
	decoded := kube.Decode(key, value)
	o.yaml = string(decoded.YAML(kube.PrintOptions{DropManagedFields: true, Most: kube.MostOnScreen}))
	o.json = decoded.JSON(kube.PrintOptions{})
	return o
}

// podIn finds the pod in a state, nil when it is not there.
func podIn(s *restore.State, pod *restore.PodOutcome) *restore.Pod {
	for _, p := range s.Pods {
		if p.UID == pod.UID && p.Name == pod.Name && p.Namespace == pod.Namespace {
			return p
		}
	}
	return nil
}

// newest reads the value that a key has at the snapshot's head. The revision at
// which it was written may be compacted, as that of any pod is which has not
// changed for some minutes: it cannot be asked for.
func newest(s *snapshot.Snapshot, key string) ([]byte, error) {
	r, err := s.Get(key, 0)
	if err != nil {
		return nil, err
	}
	return s.Value(r)
}

// noOther says why there is no other object to turn to.
func (d *detail) noOther() string {
	switch {
	case !d.loaded:
		return "the objects are still being read"
	case !d.objects[inBackup].there:
		return "the pod is in the current snapshot only"
	case !d.objects[inCurrent].there:
		return "the pod is in the backup only"
	}
	return ""
}

// title names the snapshot that an object is in.
func (d *detail) title(side int) string { return d.Input.Title(d.Input.Chosen()[side]) }

func (d *detail) swap() { d.side = 1 - d.side }

// jump goes to a part, or back to the top when it is there.
func (d *detail) jump(to func(*detail) int) {
	if d.pod == nil {
		return
	}
	if !d.loaded {
		d.goal = to
	}
	at := min(to(d), max(len(d.lines())-d.Span(), 0))
	if at == d.Top {
		at = 0
	}
	d.Top = at
}

// atObject is the line at which the object begins.
func (d *detail) atObject() int { return len(d.explanation()) + len(d.difference()) }

// atDifference is the line at which the difference begins; the top, where there are
// no two versions.
func (d *detail) atDifference() int {
	if d.noOther() != "" {
		return 0
	}
	return len(d.explanation())
}

func (d *detail) moves(k keys.Set) { d.Pager.Actions(k, len(d.lines())) }

func (d *detail) press(a keys.Action) {
	d.goal = nil
	d.Move(a, d.lines())
}

// view draws the detail. With focus its heading says so.
func (d *detail) view(focus bool) []string {
	t := d.Theme
	if d.pod == nil {
		return []string{" " + t.Heading("Pod", d.width-2), "", t.Dim.Paint(" No pod is selected.")}
	}
	lines := d.lines()
	title := "Pod " + draw.Safe(d.pod.Namespace) + "/" + draw.Safe(d.pod.Name)
	more := d.More(t, len(lines))
	room := d.width - 2 - ansi.StringWidth(more) - 1
	head := t.Heading(title, room)
	if focus {
		head = t.Fit((t.Selected + t.Bold).Paint(" "+t.Cut(title, room-2)+" "), room)
	}
	view := []string{" " + head + " " + t.Dim.Paint(more)}
	return append(view, d.Window(t, lines)...)
}

func (d *detail) lines() []string {
	if d.pod == nil {
		return nil
	}
	return slices.Concat(d.explanation(), d.difference(), d.object())
}

// difference is what differs between the two objects.
func (d *detail) difference() []string {
	if !d.loaded || d.noOther() != "" {
		return nil
	}
	t, width := d.Theme, d.lineWidth
	lines := []string{t.Heading("From the backup to the current snapshot", width)}
	switch {
	case d.unlike != "":
		lines = append(lines, draw.Wrap(d.unlike, width)...)
	case len(d.changes) == 0:
		lines = append(lines, t.Dim.Paint("Nothing differs but what changes with every write."))
	}
	if len(d.changes) > 0 {
		lines = append(lines, shared.Changes(t, d.changes, shared.ChangesLook{}, width)...)
	}
	return append(lines, "")
}

// explanation says what becomes of the pod, and why.
func (d *detail) explanation() []string {
	t, pod, width := d.Theme, d.pod, d.lineWidth
	info := pod.Outcome.Info()
	color, mark := shared.Severity(t, pod.Severity)
	var lines []string
	add := func(more ...string) { lines = append(lines, more...) }
	field := func(name, text string) {
		lead := t.Fit(name, 12)
		for i, line := range draw.Item(lead, text, width) {
			if i == 0 {
				line = t.Dim.Paint(lead) + strings.TrimPrefix(line, lead)
			}
			add(line)
		}
	}
	add(draw.PaintAll(color+t.Bold, draw.Wrap(fmt.Sprintf("%s %s: %s", mark, pod.Outcome, info.Title), width))...)
	add(draw.Wrap(info.Explanation, width)...)
	add("")
	field("runs on", runsOn(pod))
	field("API shows", apiShows(pod))
	for _, t := range pod.Through {
		field("through", strings.Join(t.APIServers, ", ")+": "+t.API.String())
	}
	field("heals", heals(pod.Heals))
	if later := pod.Then; later != nil {
		runs := runsOn(&restore.PodOutcome{RunsOn: later.RunsOn, MayRunOn: later.MayRunOn})
		field("then", later.When()+": "+later.Reason+" Then it runs on "+runs+", and the API shows: "+later.Shows()+".")
	}
	if d := pod.DoubleRun; d != nil {
		field("runs twice", twice(d, pod.UID))
	}
	add("")
	field("reason", pod.Reason)
	field(string(pod.Certainty), pod.CertaintyReason)
	field("rule "+string(pod.Rule), ruleTitle(pod.Rule))
	for _, flag := range pod.Flags {
		field("flag", string(flag)+": "+flagExplanation(flag))
	}
	add("")
	field("to do", pod.Action)
	add("")
	for _, ref := range pod.Evidence {
		field("evidence", fmt.Sprintf("%s, revision %s: %s", ref.Snapshot, words.Number(ref.Revision), ref.Key))
	}
	field("uid", words.OrDash(pod.UID))
	add("")
	return lines
}

// object is the object as YAML.
func (d *detail) object() []string {
	t, width := d.Theme, d.lineWidth
	if !d.loaded {
		return []string{t.Heading("Object", width), t.Dim.Paint("reading" + t.Ellipsis)}
	}
	o := &d.objects[d.side]
	if !o.there {
		return []string{t.Heading("Object", width), t.Dim.Paint("It is in neither snapshot under this uid.")}
	}
	title := fmt.Sprintf("Object in the %s, revision %s", d.title(d.side), words.Number(o.revision))
	if d.noOther() == "" {
		title += fmt.Sprintf(" (%s: in the %s)", d.Keymap.Key(keys.Other), d.title(1-d.side))
	}
	lines := []string{t.Heading(title, width)}
	if o.problem != "" {
		return append(lines, draw.Wrap(o.problem, width)...)
	}
	return append(lines, d.wrap(o, width)...)
}

// wrap breaks the YAML into lines, once for a width.
func (d *detail) wrap(o *object, width int) []string {
	if w := &d.wrapped; w.lines == nil || w.side != d.side || w.width != width {
		*w = wrapped{side: d.side, width: width, lines: d.Theme.Document(o.yaml, width)}
	}
	return d.wrapped.lines
}
