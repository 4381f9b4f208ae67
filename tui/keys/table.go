package keys

import (
	"strings"
)

// Set says of each action that is taken here why it does nothing now, "" when
// it does something.
type Set map[Action]string

// Offer adds actions that do something.
func (k Set) Offer(actions ...Action) Set {
	for _, a := range actions {
		k[a] = ""
	}
	return k
}

// Press is an action together with the key that asked for it.
type Press struct {
	Action Action
	Key    string
}

// binding is a row of the table of keys; one without an action is a heading.
type binding struct {
	Action Action
	Keys   []string // as tea.KeyPressMsg.String writes them
	Label  string   // and as people do
	Does   string
	Hint   string // key and a word or two for the bottom line, "" to leave it out
	Absent string // why it does nothing where nobody takes it
}

const notPlayed = "needs a restore that is played (:play, :train)"

const notRead = "the snapshots are still being read"

// SortLetters are the keys that columns may be sorted by: every capital letter
// that stands for nothing else in a list.
var SortLetters = strings.Split("ABCDEFIJKLMNOPQRSTUVWXYZ", "")

// Default is the one table of keys. Where a key stands in it twice, that
// action counts which is taken here.
var Default = Map{
	{Label: "Moving"},
	{Up, []string{"k", "up"}, "k ↑", "up", "", "nothing to move in"},
	{Down, []string{"j", "down"}, "j ↓", "down", "j/k move", "nothing to move in"},
	{HalfUp, []string{"ctrl+u"}, "ctrl-u", "half a page up", "", "nothing to move in"},
	{HalfDown, []string{"ctrl+d"}, "ctrl-d", "half a page down", "", "nothing to move in"},
	{PageUp, []string{"pgup", "ctrl+b"}, "page up", "a page up", "", "nothing to move in"},
	{PageDown, []string{"pgdown", "ctrl+f"}, "page down", "a page down", "", "nothing to move in"},
	{Top, []string{"g", "home"}, "g", "to the top", "", "nothing to move in"},
	{Bottom, []string{"G", "end"}, "G", "to the bottom", "", "nothing to move in"},

	{Label: "Plan"},
	{Bump, []string{"b"}, "b", "--bump-revision: none, recommended, minimum", "", notRead},
	{EditBump, []string{"e"}, "e", "type the bump in", "", notRead},
	{Compact, []string{"m"}, "m", "--mark-compacted", "", notRead},
	{Restart, []string{"r"}, "r", "kubelets restarted afterwards: none, all", "", notRead},
	{RestartAt, []string{"t"}, "t", "restart the kubelet of the selected pod's node", "", "needs a selected pod or node"},
	{Servers, []string{"a"}, "a", "API servers: restarted, left running", "", notRead},
	{Platform, []string{"p"}, "p", "the platform that the runbook is for", "p platform", "needs the runbook"},

	{Label: "Lists"},
	{Open, []string{"enter", "l", "right"}, "enter", "open the selected row, and go on from there; on a namespace, list its pods; take the selected plan over", "enter open", "needs a list"},
	{FilterBy, []string{"/"}, "/", "filter: all words typed must occur in a row, or a regular expression must match where it looks like one (web|db, ^api-); /! what does not, /-l a label selector, /-f letters in order", "/ filter", "needs a list"},
	{SortBy, SortLetters, "shift-letter", "sort by a column; again to reverse", "", "needs a list"},
	{ShowAll, []string{"u"}, "u", "show or hide what is unaffected", "u unaffected", "nothing is hidden here"},
	{GroupBy, []string{"z"}, "z", "group: not at all, or by each of what rows have in common", "z group", "needs the pods, all objects, the differences, the timeline or the storage"},
	{ByVerb, []string{"f"}, "f", "events of one verb: created, updated, deleted, or all again", "f verb", "needs the timeline"},
	{Widen, []string{"w"}, "w", "more columns, or fewer", "", "needs a list with more columns"},
	{InNamespace, []string{"n"}, "n", "the rows of one namespace, or of all", "n namespace", "needs a list with namespaces"},
	{Mark, []string{"space"}, "space", "mark the row: copy takes the marked ones", "", "needs a list"},
	{Unfold, []string{"u"}, "u", "in a difference: show what is noise, or fold it away", "u noise", "needs a difference"},

	{Label: "Details and objects"},
	{Leave, []string{"h", "left"}, "h ←", "from the detail back to the list", "", "needs an open detail"},
	{Search, []string{"/"}, "/", "search in a text, for what is typed or for a regular expression", "/ search", "needs a text"},
	{NextHit, []string{"n"}, "n", "the next match", "", "needs a search"},
	{LastHit, []string{"N"}, "N", "the match before", "", "needs a search"},
	{ToObject, []string{"y"}, "y", "to the object's YAML, and back to the top", "y YAML", "needs an object"},
	{ToDiff, []string{"d"}, "d", "what differs, where there are two versions; again, or else, the description", "d diff", "needs an object"},
	{InColumns, []string{"s"}, "s", "the two states of an object side by side, or one below the other", "s side by side", "needs a difference"},
	{Other, []string{"o"}, "o", "the object, or the objects, of the other snapshot", "o other snapshot", "needs a pod, the objects, the differences or the storage"},
	{HistoryOf, []string{"H"}, "H", "the history of the selected object", "H history", "needs an object"},
	{AsJSON, []string{"J"}, "J", "the object as JSON, or as YAML again", "", "needs an open object"},
	{ToRelated, []string{"R"}, "R", "list the owners and the dependents of the object", "R relatives", "needs an open object"},
	{Decode, []string{"x"}, "x", "decode what a Secret holds, or hide it again", "x decode", "needs an open Secret"},
	{WithCarved, []string{"v"}, "v", "with revisions carved from free pages, or without", "v carved", "needs a history or the timeline"},

	{Label: "Through time"},
	{Earlier, []string{"<"}, "<", "a revision earlier; half of what is shown in the timeline", "< > revision", "needs the objects, the differences or the timeline"},
	{Later, []string{">"}, ">", "a revision later; half of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{MuchEarlier, []string{"{"}, "{", "100 revisions earlier; all of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{MuchLater, []string{"}"}, "}", "100 revisions later; all of what is shown in the timeline", "", "needs the objects, the differences or the timeline"},
	{Newest, []string{"."}, ".", "back to the newest state", ". newest", "the newest state is shown"},
	{GoTo, []string{"@"}, "@", "go to a revision or a time", "@ go to", "needs the objects, the differences or the timeline"},
	{ZoomIn, []string{"+", "="}, "+", "fewer events around the selected one", "+ _ zoom", "needs the timeline"},
	{ZoomOut, []string{"_"}, "_", "more events around the selected one", "", "needs the timeline"},

	{Label: "A restore, step by step"},
	{Take, []string{"enter"}, "enter", "do what is selected", "enter do", notPlayed},
	{StepOn, []string{"n"}, "n", "the step that happens by itself next, or that was taken back", "n next", notPlayed},
	{StepBack, []string{"b"}, "b", "take the last step back", "b back", notPlayed},
	{Settle, []string{"s"}, "s", "all that happens by itself", "s settle", notPlayed},
	{PlayOn, []string{"p"}, "p", "let it happen one step at a time, or stop it", "p play", notPlayed},
	{Why, []string{"w"}, "w", "why the last step was so, and what each kubelet hears", "w why", notPlayed},
	{ToMoment, []string{"@"}, "@", "go to a moment by its id", "", notPlayed},
	{Task, []string{"t"}, "t", "the story and the goals", "t task", notPlayed},
	{HintFor, []string{"i"}, "i", "a hint; each says more than the one before", "i hint", notPlayed},
	{Answer, []string{"a"}, "a", "answer the question that is open", "a answer", notPlayed},

	{Label: "Taking along"},
	{CopyOut, []string{"c"}, "c", "copy to the clipboard: the marked or selected rows, or the text", "", "there is nothing to copy"},
	{SaveOut, []string{"ctrl+s"}, "ctrl-s", "save to a file: all rows that are shown, or the text", "", "there is nothing to save"},

	{Label: "Files"},
	{AsBackup, []string{"b"}, "b", "of many files: the selected one is BACKUP", "b/c choose", "needs the files (:files)"},
	{AsCurrent, []string{"c"}, "c", "of many files: the selected one is CURRENT", "", "needs the files (:files)"},

	{Label: "Screens"},
	{Command, []string{":"}, ":", "a command: a screen, a resource, what to do", ": command", notRead},
	{Palette, []string{"ctrl+k"}, "ctrl-k", "find a command or a key by its name", "", notRead},
	{Number, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0"}, "1 to 0", "a screen by its number", "", notRead},
	{LastView, []string{"-"}, "-", "the view before this one, and back to this one", "", "no other view was shown"},
	{ViewBack, []string{"["}, "[", "back through the views that were shown", "", "there is no view before this one"},
	{ViewAhead, []string{"]"}, "]", "forward again through the views that were shown", "", "there is no view after this one"},
	{Aliases, []string{"ctrl+a"}, "ctrl-a", "list what : takes, with every short name", "", notRead},
	{Next, []string{"tab"}, "tab", "the next screen", "", notRead},
	{Previous, []string{"shift+tab"}, "shift-tab", "the screen before it", "", notRead},
	{Back, []string{"esc"}, "esc", "back: close the detail, clear the filter, to where you came from", "esc back", notRead},
	{Help, []string{"?"}, "?", "this help", "? help", notRead},
	{Suspend, []string{"ctrl+z"}, "ctrl-z", "to the shell; fg comes back", "", ""},
	{Quit, []string{"q"}, "q", "quit; again, where the plan was changed and its runbook not taken along", "q quit", ""},
	{Interrupt, []string{"ctrl+c"}, "ctrl-c", "quit, also while typing", "", ""},
}
