package shell

import (
	"cmp"
	"slices"

	"revenant/tui/screens/diff"
	"revenant/tui/screens/files"
	"revenant/tui/screens/handbook"
	"revenant/tui/screens/history"
	"revenant/tui/screens/nodes"
	"revenant/tui/screens/objects"
	"revenant/tui/screens/overview"
	"revenant/tui/screens/plans"
	"revenant/tui/screens/play"
	"revenant/tui/screens/pods"
	"revenant/tui/screens/problems"
	"revenant/tui/screens/shared"
	"revenant/tui/screens/state"
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
	alone *alone // what it is where one file is open; nil for the same
}

// alone is a screen where there is no pair of a backup and the newest state.
type alone struct {
	title string // "" for the same
	does  string // "" where it says what a second file would bring
	new   func(*session.Session) session.Screen
}

// needsPair says in place of a screen what a second file would bring.
func needsPair(title, brings string) *alone {
	return &alone{"", "", shared.NeedsPair(title, brings)}
}

// in is the screen for the evidence that there is.
func (e *entry) in(in *session.Input) (does string, new func(*session.Session) session.Screen) {
	if e.alone == nil || in.Alone() == "" {
		return e.does, e.new
	}
	return cmp.Or(e.alone.does, "with a second file: "+e.does), e.alone.new
}

// titled is what the screen is called for the evidence that there is.
func (e *entry) titled(in *session.Input) string {
	if e.alone == nil || in.Alone() == "" {
		return e.title
	}
	return cmp.Or(e.alone.title, e.title)
}

// registry lists the screens. A new one is a package and a row here.
var registry = []entry{
	{"1", "overview", "Overview", "verdict, revisions, evidence, what to do next", overview.New,
		&alone{"", "what the file is and holds, whether it is whole, what to do next", overview.Alone}},
	{"2", "plan", "Plan", "ways to restore side by side, and the runbook", plans.New,
		needsPair("Plan", "With the backup and the newest state, it lays the ways to restore side by side: how many pods each would harm, and which bump is enough. For the one that you choose it writes the runbook.")},
	{"3", "outcomes", "Outcomes", "what becomes of every pod, and why", pods.New,
		&alone{"Pods", "the pods that the API had, with their status", state.Pods}},
	{"4", "kubelets", "Kubelets", "what really runs on every node, and what the API believes", nodes.New,
		&alone{"Nodes", "the nodes, and the pods that the API had on each", state.Nodes}},
	{"5", "workloads", "Workloads", "pods wanted, believed and really running", workloads.New,
		&alone{"", "pods wanted, and those that the API had", state.Workloads}},
	{"6", "objects", "Objects", "any object at any revision", objects.New, nil},
	{"7", "history", "History", "every revision of one object", history.New, nil},
	{"8", "diff", "Diff", "what differs between two moments, down to the fields", diff.New, nil},
	{"9", "timeline", "Timeline", "what happened when", timeline.New, nil},
	{"0", "storage", "Storage", "what takes the space, and what could be had back", storage.New, nil},
	{"", "files", "Files", "what the files hold, and which two are compared", files.New, nil},
	{"", "undone", "Undone", "what else goes back in time", undone.New,
		needsPair("Undone", "With the backup and the newest state, it lists what the restore takes back besides pods: volumes, Services, Secrets, certificates, webhooks and custom resources that were created, changed or deleted since.")},
	{"", "problems", "Problems", "what could not be read or trusted", problems.New, nil},
	{"", "play", "Play", "a restore step by step: what etcd, API servers and kubelets do, and what runs", play.New,
		needsPair("Play", "With the backup and the newest state, it plays the restore step by step: which revision etcd, each API server and each kubelet is at, who hears what, which pods run and what kubectl would list.")},
	{"", "train", "Train", "scenarios: a restore that is yours to carry out, or to repair (revenant train)", play.NewTraining, nil},
	{"", "handbook", "Handbook", "what a restore does and how to do it, in chapters; what words mean (:handbook WORD)", handbook.New, nil},
}

// screenNamed finds a screen by the name that : takes, -1 for none.
func screenNamed(name string) int {
	return slices.IndexFunc(registry, func(e entry) bool { return e.name == name })
}
