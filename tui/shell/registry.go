package shell

import (
	"slices"

	"revenant/tui/screens/diff"
	"revenant/tui/screens/history"
	"revenant/tui/screens/nodes"
	"revenant/tui/screens/objects"
	"revenant/tui/screens/overview"
	"revenant/tui/screens/plans"
	"revenant/tui/screens/pods"
	"revenant/tui/screens/problems"
	"revenant/tui/screens/storage"
	"revenant/tui/screens/timeline"
	"revenant/tui/screens/undone"
	"revenant/tui/screens/workloads"
	"revenant/tui/session"
)

// entry is a row of the registry.
type entry struct {
	key   string // one of the keys of number, "" for none
	name  string // that : takes, in lower case
	title string
	does  string // for the palette
	new   func(*session.Session) session.Screen
}

// registry lists the screens. A new one is a package and a row here.
var registry = []entry{
	{"1", "overview", "Overview", "verdict, revisions, evidence, what to do next", overview.New},
	{"2", "plan", "Plan", "ways to restore side by side, and the runbook", plans.New},
	{"3", "pods", "Pods", "what becomes of every pod, and why", pods.New},
	{"4", "nodes", "Nodes", "what really runs on every node, and what the API believes", nodes.New},
	{"5", "workloads", "Workloads", "pods wanted, believed and really running", workloads.New},
	{"6", "objects", "Objects", "any object at any revision", objects.New},
	{"7", "history", "History", "every revision of one object", history.New},
	{"8", "diff", "Diff", "what differs between two moments, down to the fields", diff.New},
	{"9", "timeline", "Timeline", "what happened when", timeline.New},
	{"0", "storage", "Storage", "what takes the space, and what could be had back", storage.New},
	{"", "undone", "Undone", "what else goes back in time", undone.New},
	{"", "problems", "Problems", "what could not be read or trusted", problems.New},
}

// screenNamed finds a screen by the name that : takes, -1 for none.
func screenNamed(name string) int {
	return slices.IndexFunc(registry, func(e entry) bool { return e.name == name })
}
