package tui

import (
	"fmt"
	"slices"
	"strings"
)

// action is what a key asks for.
type action string

// The actions. The shell takes those of the plan and of the screens, a screen
// those that it lists in its Keys.
const (
	up        action = "up"
	down      action = "down"
	halfUp    action = "half page up"
	halfDown  action = "half page down"
	pageUp    action = "page up"
	pageDown  action = "page down"
	top       action = "top"
	bottom    action = "bottom"
	open      action = "open"
	leave     action = "leave"
	filterBy  action = "filter"
	sortBy    action = "sort"
	showAll   action = "show all"
	widen     action = "wide"
	mark      action = "mark"
	unfold    action = "unfold noise"
	inColumns action = "side by side"
	groupBy   action = "group"
	toObject  action = "object"
	toDiff    action = "difference"
	other     action = "other snapshot"
	search    action = "search"
	nextHit   action = "next match"
	lastHit   action = "match before"
	copyOut   action = "copy"
	saveOut   action = "save"
	bump      action = "bump"
	compact   action = "mark compacted"
	restart   action = "restart kubelets"
	restartAt action = "restart the kubelet here"
	servers   action = "API servers"
	editBump  action = "edit the bump"
	platform  action = "platform"

	earlier     action = "a revision earlier"
	later       action = "a revision later"
	muchEarlier action = "100 revisions earlier"
	muchLater   action = "100 revisions later"
	goTo        action = "go to"
	zoomIn      action = "zoom in"
	zoomOut     action = "zoom out"
	byVerb      action = "verb"
	historyOf   action = "history"
	withCarved  action = "carved"
	inNamespace action = "namespace"
	decode      action = "decode a secret"
	asJSON      action = "JSON"
	toRelated   action = "relatives"

	command   action = "command"
	palette   action = "palette"
	number    action = "screen"
	next      action = "next screen"
	previous  action = "previous screen"
	back      action = "back"
	help      action = "help"
	suspend   action = "suspend"
	quit      action = "quit"
	interrupt action = "interrupt"
)

// keys says of each action that is taken here why it does nothing now, "" when
// it does something.
type keys map[action]string

// offer adds actions that do something.
func (k keys) offer(actions ...action) keys {
	for _, a := range actions {
		k[a] = ""
	}
	return k
}

// press is an action together with the key that asked for it.
type press struct {
	action action
	key    string
}

// binding is a row of the table of keys; one without an action is a heading.
type binding struct {
	action action
	keys   []string // as tea.KeyPressMsg.String writes them
	label  string   // and as people do
	does   string
	hint   string // key and a word or two for the bottom line, "" to leave it out
	absent string // why it does nothing where nobody takes it
}

const notRead = "the snapshots are still being read"

// sortLetters are the keys that columns may be sorted by: every capital letter
// that stands for nothing else in a list.
var sortLetters = strings.Split("ABCDEFIJKLMNOPQRSTUVWXYZ", "")

// keymap is the table of keys.
type keymap []binding

// defaultKeys is the one table of keys. Where a key stands in it twice, that
// action counts which is taken here.
var defaultKeys = keymap{
	{label: "Moving"},
	{up, []string{"k", "up"}, "k ↑", "up", "", "nothing to move in"},
	{down, []string{"j", "down"}, "j ↓", "down", "j/k move", "nothing to move in"},
	{halfUp, []string{"ctrl+u"}, "ctrl-u", "half a page up", "", "nothing to move in"},
	{halfDown, []string{"ctrl+d"}, "ctrl-d", "half a page down", "", "nothing to move in"},
	{pageUp, []string{"pgup", "ctrl+b"}, "page up", "a page up", "", "nothing to move in"},
	{pageDown, []string{"pgdown", "ctrl+f"}, "page down", "a page down", "", "nothing to move in"},
	{top, []string{"g", "home"}, "g", "to the top", "", "nothing to move in"},
	{bottom, []string{"G", "end"}, "G", "to the bottom", "", "nothing to move in"},

	{label: "Plan"},
	{bump, []string{"b"}, "b", "--bump-revision: none, recommended, minimum", "", notRead},
	{editBump, []string{"e"}, "e", "type the bump in", "", notRead},
	{compact, []string{"m"}, "m", "--mark-compacted", "", notRead},
	{restart, []string{"r"}, "r", "kubelets restarted afterwards: none, all", "", notRead},
	{restartAt, []string{"t"}, "t", "restart the kubelet of the selected pod's node", "", "needs a selected pod or node"},
	{servers, []string{"a"}, "a", "API servers: restarted, left running", "", notRead},
	{platform, []string{"p"}, "p", "the platform that the runbook is for", "p platform", "needs the runbook"},

	{label: "Lists"},
	{open, []string{"enter", "l", "right"}, "enter", "open the selected row, and go on from there; take the selected plan over", "enter open", "needs a list"},
	{filterBy, []string{"/"}, "/", "filter: all words typed must occur in a row; /! none of them, /-l a label selector, /-f letters in order", "/ filter", "needs a list"},
	{sortBy, sortLetters, "shift-letter", "sort by a column; again to reverse", "", "needs a list"},
	{showAll, []string{"u"}, "u", "show or hide what is unaffected", "u unaffected", "needs a list with rows that need no attention"},
	{groupBy, []string{"z"}, "z", "group: not at all, or by each of what rows have in common", "z group", "needs the pods, all objects, the differences, the timeline or the storage"},
	{byVerb, []string{"f"}, "f", "events of one verb: created, updated, deleted, or all again", "f verb", "needs the timeline"},
	{widen, []string{"w"}, "w", "more columns, or fewer", "", "needs a list with more columns"},
	{inNamespace, []string{"n"}, "n", "the objects of one namespace, or of all", "n namespace", "needs the objects"},
	{mark, []string{"space"}, "space", "mark the row: copy takes the marked ones", "", "needs a list"},
	{unfold, []string{"u"}, "u", "in a difference: show what is noise, or fold it away", "u noise", "needs a difference"},

	{label: "Details and objects"},
	{leave, []string{"h", "left"}, "h ←", "from the detail back to the list", "", "needs an open detail"},
	{search, []string{"/"}, "/", "search in a text", "/ search", "needs a text"},
	{nextHit, []string{"n"}, "n", "the next match", "", "needs a search"},
	{lastHit, []string{"N"}, "N", "the match before", "", "needs a search"},
	{toObject, []string{"y"}, "y", "to the object's YAML, and back to the top", "y YAML", "needs an object"},
	{toDiff, []string{"d"}, "d", "what differs, where there are two versions; again, or else, the description", "d diff", "needs an object"},
	{inColumns, []string{"s"}, "s", "the two states of an object side by side, or one below the other", "s side by side", "needs a difference"},
	{other, []string{"o"}, "o", "the object, or the objects, of the other snapshot", "o other snapshot", "needs a pod, the objects, the differences or the storage"},
	{historyOf, []string{"H"}, "H", "the history of the selected object", "H history", "needs an object"},
	{asJSON, []string{"J"}, "J", "the object as JSON, or as YAML again", "", "needs an open object"},
	{toRelated, []string{"R"}, "R", "list the owners and the dependents of the object", "R relatives", "needs an open object"},
	{decode, []string{"x"}, "x", "decode what a Secret holds, or hide it again", "x decode", "needs an open Secret"},
	{withCarved, []string{"v"}, "v", "with revisions carved from free pages, or without", "v carved", "needs a history or the timeline"},

	{label: "Through time"},
	{earlier, []string{"["}, "[", "a revision earlier; half of what is shown in the timeline", "[ ] revision", "needs the objects, the differences or the timeline"},
	{later, []string{"]"}, "]", "a revision later; half of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{muchEarlier, []string{"{"}, "{", "100 revisions earlier; all of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{muchLater, []string{"}"}, "}", "100 revisions later; all of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{goTo, []string{"@"}, "@", "go to a revision or a time", "@ go to", "needs the objects, the differences or the timeline"},
	{zoomIn, []string{"+", "="}, "+", "fewer events around the selected one", "+ - zoom", "needs the timeline"},
	{zoomOut, []string{"-", "_"}, "-", "more events around the selected one", "", "needs the timeline"},

	{label: "Taking along"},
	{copyOut, []string{"c"}, "c", "copy to the clipboard: the marked or selected rows, or the text", "", "there is nothing to copy"},
	{saveOut, []string{"ctrl+s"}, "ctrl-s", "save to a file: all rows that are shown, or the text", "", "there is nothing to save"},

	{label: "Screens"},
	{command, []string{":"}, ":", "a command: a screen, a resource, what to do", ": command", notRead},
	{palette, []string{"ctrl+k"}, "ctrl-k", "find a command or a key by its name", "", notRead},
	{number, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}, "1 to 0", "a screen by its number", "", notRead},
	{next, []string{"tab"}, "tab", "the next screen", "", notRead},
	{previous, []string{"shift+tab"}, "shift-tab", "the screen before it", "", notRead},
	{back, []string{"esc"}, "esc", "back: close the detail, clear the filter, to where you came from", "esc back", notRead},
	{help, []string{"?"}, "?", "this help", "? help", notRead},
	{suspend, []string{"ctrl+z"}, "ctrl-z", "to the shell; fg comes back", "", ""},
	{quit, []string{"q"}, "q", "quit", "q quit", ""},
	{interrupt, []string{"ctrl+c"}, "ctrl-c", "quit, also while typing", "", ""},
}

// of is what a key stands for where these actions are taken: of several, one that
// does something, else one that says why it does nothing here.
func (m keymap) of(key string, taken keys) (binding, bool) {
	var found binding
	rank := 0
	for i := range m {
		b := &m[i]
		if !slices.Contains(b.keys, key) {
			continue
		}
		r := 1
		if why, ok := taken[b.action]; ok {
			r = 2
			if why == "" {
				r = 3
			}
		}
		if r > rank {
			found, rank = *b, r
		}
	}
	return found, rank > 0
}

// key is the first key of an action, as people write it.
func (m keymap) key(a action) string {
	if i := m.index(a); i >= 0 {
		key, _, _ := strings.Cut(m[i].label, " ")
		return key
	}
	return ""
}

func (m keymap) index(a action) int {
	return slices.IndexFunc(m, func(b binding) bool { return b.action == a })
}

// with returns the table with other keys for some actions. The error names an
// action that does not exist, or a key that stands for two things in one place.
func (m keymap) with(other map[string][]string) (keymap, error) {
	m = slices.Clone(m)
	for name, keys := range other {
		i := m.index(action(name))
		switch {
		case i < 0 || name == "":
			return nil, fmt.Errorf("no action is called %q", name)
		case fixed(action(name)):
			return nil, fmt.Errorf("the keys of %q cannot be changed", name)
		case len(keys) == 0:
			return nil, fmt.Errorf("%s has no key", name)
		}
		b := &m[i]
		if slices.Equal(b.keys, keys) {
			continue
		}
		first, hinted, _ := strings.Cut(b.hint, " ")
		b.keys, b.label = keys, strings.ReplaceAll(keys[0], "+", "-")
		if b.hint != "" && first != "" {
			b.hint = b.label + " " + hinted
		}
	}
	sorts := &m[m.index(sortBy)]
	for _, b := range m {
		if b.action != sortBy && !apart(b.action, sortBy) {
			sorts.keys = slices.DeleteFunc(slices.Clone(sorts.keys), func(key string) bool { return slices.Contains(b.keys, key) })
		}
	}
	for _, key := range m.keys() {
		var actions []action
		for _, b := range m {
			if slices.Contains(b.keys, key) {
				actions = append(actions, b.action)
			}
		}
		for i, a := range actions {
			for _, b := range actions[i+1:] {
				if !apart(a, b) {
					return nil, fmt.Errorf("%s stands for both %q and %q", key, a, b)
				}
			}
		}
	}
	return m, nil
}

// fixed says that the keys of an action say what it acts on: a column, a screen.
func fixed(a action) bool { return a == sortBy || a == number }

// keys are all keys in the table.
func (m keymap) keys() []string {
	var list []string
	for _, b := range m {
		list = append(list, b.keys...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// The actions of lists, and those of texts: no place takes both kinds.
var (
	ofLists = []action{filterBy, sortBy, showAll, groupBy, inNamespace, widen, mark, open}
	ofTexts = []action{search, nextHit, lastHit, leave, asJSON, toRelated, decode}
)

// apart says that two actions are never taken in the same place.
func apart(a, b action) bool {
	in := func(list []action, x action) bool { return slices.Contains(list, x) }
	if unfolds := []action{showAll, unfold}; in(unfolds, a) && in(unfolds, b) {
		return true // what can be folded is noise, or else what needs no attention
	}
	return in(ofLists, a) && in(ofTexts, b) || in(ofTexts, a) && in(ofLists, b)
}

// blocked says why the binding does nothing, "" when it does something.
func (b *binding) blocked(taken keys) string {
	if why, ok := taken[b.action]; ok {
		return why
	}
	return b.absent
}

// hints is the bottom line: what can be done here, as far as there is room, and
// at the right what can be done everywhere.
func (s *session) hints(taken keys, width int) string {
	const gap = 2
	t := s.theme
	var always, here []string
	room := width
	everywhere := []action{command, help, quit}
	for i := range s.keymap {
		if b := &s.keymap[i]; slices.Contains(everywhere, b.action) {
			always = append(always, t.hint(b.hint))
			room -= len(b.hint) + gap
		}
	}
	for i := range s.keymap {
		b := &s.keymap[i]
		if b.hint == "" || slices.Contains(everywhere, b.action) || b.blocked(taken) != "" || len(b.hint)+gap > room {
			continue
		}
		here = append(here, t.hint(b.hint))
		room -= len(b.hint) + gap
	}
	return t.spread(strings.Join(here, "  "), strings.Join(always, "  "), width)
}

// hint sets the key off from what it does.
func (t *theme) hint(text string) string {
	key, does, _ := strings.Cut(text, " ")
	return t.bold.paint(key) + " " + t.dim.paint(does)
}
