package shell

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"revenant/tui/keys"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
	"revenant/tui/widget"
)

var (
	walkSteps = flag.Int("walksteps", 0, "steps of TestWalk in all; 0 for as many as there is time for")
	walkOn    = flag.Bool("walkon", false, "go on with TestWalk after a failure")
	walkSeed  = flag.Uint64("walkseed", 1, "seed of the first walk of TestWalk")
)

// How long TestWalk walks when no number of steps is given, and how long one walk is.
const (
	walkFor  = time.Minute
	walkLong = 150
)

// TestWalk walks at random: keys, commands, filters, clicks and sizes on all screens of
// several kinds of evidence. After each step the screen fits the window; a key did something or
// said why not; the selected object is the one that was selected; and no filter is gone that
// nobody took away. A failure names the seed and the steps.
func TestWalk(t *testing.T) {
	begun, steps := time.Now(), 0
	evidence := walkEvidence(t)
	for seed := *walkSeed; ; seed++ {
		name := evidence[seed%uint64(len(evidence))]
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			if w := newWalk(t, seed, name.name, name.make(seed)); w != nil {
				steps += w.walk(walkLong)
			}
		})
		if t.Failed() && !*walkOn {
			return
		}
		if *walkSteps > 0 && steps >= *walkSteps || *walkSteps == 0 && (time.Since(begun) > walkFor || testing.Short()) {
			break
		}
	}
	t.Logf("%d steps from seed %d on", steps, *walkSeed)
}

// walkInput is evidence to walk over; nil for none that can be opened.
type walkInput struct {
	name string
	make func(seed uint64) *session.Input
}

func walkEvidence(t *testing.T) []walkInput {
	pair := demoInput(t)
	alone := sessiontest.Alone(pair)
	many := seriesInput(t)
	return []walkInput{
		{"the demo", func(uint64) *session.Input { return pair }},
		{"one file", func(uint64) *session.Input { return alone }},
		{"hostile evidence", func(seed uint64) *session.Input { return hostileInput(t, seed) }},
		{"many files", func(uint64) *session.Input { return many }},
	}
}

type walk struct {
	*terminal
	r     *rand.Rand
	seed  uint64
	of    string
	steps []string
	keys  []string
	// The row that was gone to last, and the one that was opened last, by screen: it is selected again
	// where it comes back.
	moved, opened map[int]string
}

// walkSizes are windows: the usual ones, the smallest, and ones in which it is tight.
var walkSizes = [][2]int{{80, 24}, {120, 30}, {160, 48}, {250, 60}, {80, 20}, {100, 25}, {149, 29}, {150, 30}, {300, 80}, {60, 15}, {30, 8}}

func newWalk(t *testing.T, seed uint64, of string, in *session.Input) *walk {
	if in == nil {
		return nil
	}
	r := rand.New(rand.NewPCG(seed, 18))
	size := walkSizes[r.IntN(len(walkSizes)-2)]
	w := &walk{terminal: openOn(t, in, size[0], size[1]), r: r, seed: seed, of: of, moved: map[int]string{}, opened: map[int]string{}}
	for _, b := range keys.Default {
		for _, key := range b.Keys {
			if !slices.Contains([]keys.Action{keys.Quit, keys.Interrupt, keys.Suspend, keys.SaveOut}, b.Action) {
				w.keys = append(w.keys, key)
			}
		}
	}
	return w
}

var (
	walkCommands = []string{"overview", "plan", "outcomes", "kubelets", "workloads", "objects", "history", "diff", "timeline", "storage", "files", "undone", "problems",
		"po", "po shop", "deploy", "ns", "svc -n data", "po /web|db", "po shop /api", "secret", "ev", "widgets", "diff 500 900", "diff backup@300", "bump 7", "bump none", "bump minimum", "ctx", "ctx backup", "theme light", "help", "po --at 300", "nonsense"}
	walkFilters    = []string{"db", "web", "!web", "web|db", "^(api|cache)", "-f dbn", "-l app=web", "no such thing", "node-1", "(", "shop"}
	walkMoments    = []string{"300", "newest", "500", "04:03:20Z", "7xyz", "backup@300"}
	walkNamespaces = []string{"shop", "data", "none-such", ""}
	walkTexts      = []string{"spec", "a", "revision|status"}
)

// pick is one of some things.
func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// walk walks, and counts its steps.
func (w *walk) walk(n int) int {
	defer func() {
		if p := recover(); p != nil {
			w.fail("panic: %v", p)
			panic(p)
		}
	}()
	for i := range n {
		w.step()
		if w.Failed() {
			w.Logf("seed %d, %s, %dx%d, step %d of %q\n%s", w.seed, w.of, w.width, w.height, i, w.steps[max(len(w.steps)-30, 0):], w.plain())
			return i
		}
	}
	return n
}

func (w *walk) fail(format string, args ...any) {
	w.Errorf("seed %d, %s, after %q: %s", w.seed, w.of, w.steps[max(len(w.steps)-12, 0):], fmt.Sprintf(format, args...))
}

// tables are those of all screens.
func (w *walk) tables() (list []*widget.Table) {
	for _, s := range w.screens {
		table := (*widget.Table)(nil)
		if field := reflect.ValueOf(s).Elem().FieldByName("Table"); field.IsValid() {
			table, _ = field.Interface().(*widget.Table)
		}
		list = append(list, table)
	}
	return list
}

// chosen is what a table says is selected, and of what it is.
type chosen struct {
	screen, filter, namespace, row string
	kept                           string // the one that the person chose, which may not be there
	titles                         string
	pinned                         bool
}

func (w *walk) chosen() (list []chosen) {
	for i, table := range w.tables() {
		c := chosen{screen: registry[i].name}
		if table != nil {
			c.filter, c.namespace, c.pinned = table.Order.Words, table.Order.Namespace, table.Pinned
			c.kept = table.Selected
			if row, ok := table.Row(); ok {
				c.row = table.Rows.Name(row)
			}
			for _, column := range table.Columns {
				c.titles += column.Title + " "
			}
		}
		list = append(list, c)
	}
	return list
}

// moves go through rows, lines or matches, and stay at the last one.
var moves = []keys.Action{keys.NextHit, keys.LastHit, keys.Up, keys.Down, keys.HalfUp, keys.HalfDown, keys.PageUp, keys.PageDown, keys.Top, keys.Bottom}

// step does one thing.
func (w *walk) step() {
	switch n := w.r.IntN(100); {
	case w.prompt != nil:
		w.typing()
	case n < 70:
		w.key(pick(w.r, w.keys))
	case n < 78:
		w.whole(":"+pick(w.r, walkCommands), true)
	case n < 84 && w.can(keys.FilterBy):
		w.whole("/"+pick(w.r, walkFilters), true)
	case n < 86 && w.can(keys.Search):
		w.whole("/"+pick(w.r, walkTexts), false)
	case n < 88 && w.can(keys.GoTo):
		w.whole("@"+pick(w.r, walkMoments), false)
	case n < 90 && w.can(keys.InNamespace):
		w.whole("n"+pick(w.r, walkNamespaces), true)
	case n < 94:
		size := pick(w.r, walkSizes)
		w.did(fmt.Sprintf("%dx%d", size[0], size[1]), "", false, func() { w.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]}) })
	case n < 97:
		x, y := w.r.IntN(w.width), w.r.IntN(w.height)
		w.did(fmt.Sprintf("click %d,%d", x, y), keys.Open, true, func() { w.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) })
	default:
		w.key(string("1234567890"[w.r.IntN(10)]))
	}
}

// can says whether an action does something now.
func (w *walk) can(a keys.Action) bool {
	if w.Input == nil || w.opening != nil {
		return false
	}
	why, ok := w.taken()[a]
	return ok && why == ""
}

// typing types into a prompt, enters it or leaves it.
func (w *walk) typing() {
	key := pick(w.r, []string{"enter", "esc", "tab", "a", "1", "(", "backspace", "up", "down", "esc"})
	w.did(key, "", true, func() { w.send(namedKey(key)) })
}

// whole types a text after a key, and enters it; what is wrong is left.
func (w *walk) whole(text string, other bool) {
	w.did(text, "", true, func() {
		for _, r := range text {
			w.send(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
		w.send(tea.KeyPressMsg{Code: tea.KeyEnter})
		if w.prompt != nil {
			w.send(tea.KeyPressMsg{Code: tea.KeyEscape})
		}
	})
}

// key presses a key.
func (w *walk) key(name string) {
	b, ok := w.Keymap.Of(name, w.taken())
	if !ok {
		w.fail("%s is no key", name)
	}
	before, opening := w.raw(), w.opening != nil
	w.did(name, b.Action, false, func() { w.send(namedKey(name)) })
	if w.raw() == before && w.message == "" && !w.tooSmall() && !opening && !slices.Contains(moves, b.Action) {
		w.fail("%s (%s) does nothing, and does not say so", name, b.Action)
	}
}

// freely are the actions that go somewhere else, where other rows are listed or selected.
var freely = append([]keys.Action{keys.Open, keys.Back, keys.GroupBy, keys.Mark, keys.ToObject, keys.ToDiff, keys.HistoryOf, keys.ToRelated, keys.LastView, keys.ViewBack, keys.ViewAhead,
	keys.AsBackup, keys.AsCurrent, keys.FilterBy, keys.Search, keys.Other}, moves...)

// did does a step and looks at what came of it. Other says that other rows may be listed then.
func (w *walk) did(name string, a keys.Action, other bool, do func()) {
	w.Helper()
	was, in, input := w.chosen(), w.at, w.Input
	w.steps = append(w.steps, name)
	do()
	w.fits()
	if w.Input != input {
		return // another pair
	}
	now := w.chosen()
	if slices.Contains(moves, a) || a == keys.Mark || strings.HasPrefix(name, "click") {
		w.moved[w.at] = now[w.at].row
	}
	if a == keys.Open {
		w.opened[w.at] = now[w.at].row
	}
	if other || slices.Contains(freely, a) {
		return
	}
	for i := range now {
		if was[i].filter != now[i].filter || was[i].namespace != now[i].namespace {
			w.fail("the filter of %s was %q in %q, and is %q in %q", now[i].screen, was[i].filter, was[i].namespace, now[i].filter, now[i].namespace)
		}
	}
	table := w.tables()[in]
	if table == nil || !was[in].pinned || was[in].titles != now[in].titles || was[in].row == now[in].row || was[in].kept == now[in].row || w.moved[in] == now[in].row || w.opened[in] == now[in].row || w.screens[in] == nil {
		return
	}
	for _, row := range table.Shown {
		if table.Rows.Name(int(row)) == was[in].row {
			w.fail("%s was selected in %s, is still there, and %s is selected", was[in].row, now[in].screen, now[in].row)
			return
		}
	}
}
