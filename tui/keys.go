package tui

import (
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
	filter    action = "filter"
	sortBy    action = "sort"
	showAll   action = "show all"
	toObject  action = "object"
	other     action = "other snapshot"
	bump      action = "bump"
	compact   action = "mark compacted"
	restart   action = "restart kubelets"
	restartAt action = "restart the kubelet here"
	servers   action = "API servers"
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

// bindings is the one table of keys.
var bindings = []binding{
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
	{compact, []string{"m"}, "m", "--mark-compacted", "", notRead},
	{restart, []string{"r"}, "r", "kubelets restarted afterwards: none, all", "", notRead},
	{restartAt, []string{"t"}, "t", "restart the kubelet of the selected pod's node", "", "needs a selected pod"},
	{servers, []string{"a"}, "a", "API servers: restarted, left running", "", notRead},

	{label: "Lists and details"},
	{open, []string{"enter", "l", "right"}, "enter", "open the selected row's detail, or take the selected plan over", "enter open", "needs a list"},
	{leave, []string{"h", "left"}, "h ←", "from the detail back to the list", "", "needs an open detail"},
	{filter, []string{"/"}, "/", "filter: all words typed must occur in a row", "/ filter", "needs a list"},
	{sortBy, []string{"S", "C", "P", "N", "O"}, "shift-letter", "sort: Severity, Certainty, namesPace, Name, nOde; again to reverse", "", "needs a list"},
	{showAll, []string{"u"}, "u", "show or hide what is unaffected", "u unaffected", "needs a list"},
	{toObject, []string{"y"}, "y", "to the object's YAML, and back to the top", "y YAML", "needs a pod"},
	{other, []string{"o"}, "o", "the object in the other snapshot", "o other snapshot", "needs a pod"},

	{label: "Screens"},
	{number, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}, "1 to 7", "a screen by its number", "", notRead},
	{next, []string{"tab"}, "tab", "the next screen", "tab next screen", notRead},
	{previous, []string{"shift+tab"}, "shift-tab", "the screen before it", "", notRead},
	{back, []string{"esc"}, "esc", "back: close the detail, clear the filter, to where you came from", "esc back", notRead},
	{help, []string{"?"}, "?", "this help", "? help", notRead},
	{suspend, []string{"ctrl+z"}, "ctrl-z", "to the shell; fg comes back", "", ""},
	{quit, []string{"q"}, "q", "quit", "q quit", ""},
	{interrupt, []string{"ctrl+c"}, "ctrl-c", "quit, also while typing", "", ""},
}

// bindingOf finds the row of a key.
func bindingOf(key string) (binding, bool) {
	i := slices.IndexFunc(bindings, func(b binding) bool { return slices.Contains(b.keys, key) })
	if i < 0 {
		return binding{}, false
	}
	return bindings[i], true
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
func (t *theme) hints(taken keys, width int) string {
	const gap = 2
	var always, here []string
	room := width
	for i := range bindings {
		if b := &bindings[i]; b.action == help || b.action == quit {
			always = append(always, t.hint(b.hint))
			room -= len(b.hint) + gap
		}
	}
	for i := range bindings {
		b := &bindings[i]
		if b.hint == "" || b.action == help || b.action == quit || b.blocked(taken) != "" || len(b.hint)+gap > room {
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
