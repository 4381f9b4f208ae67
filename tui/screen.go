package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	digests "revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	timelines "revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// screen is what stands between the header and the plan. A screen reads the
// session and changes only itself.
type screen interface {
	// SetSize says how many columns and lines there are.
	SetSize(width, height int)
	// Update takes a press of one of Keys, the filter or search as it is typed, and
	// every message that is not the shell's own. It does no work: that is the
	// command's.
	Update(tea.Msg) tea.Cmd
	// Keys lists the actions that Update takes.
	Keys() keys.Set
	// View draws at most height lines of at most width columns.
	View() []string
}

// What a screen may be beside.
type (
	// crumbed has a place within it, such as an opened row.
	crumbed interface{ Crumb() string }
	// waking starts work that is done only for those who look: Wake is asked after
	// everything that happens while the screen is shown.
	waking interface{ Wake() tea.Cmd }
	// taker has something to copy or to save.
	taker interface{ Take(save bool) widget.Export }
	// sorter has columns to sort by.
	sorter interface{ Columns() []widget.Column }
	// commander takes commands of its own, such as the name of a resource.
	commander interface {
		// Complete lists what the last of the words may become.
		Complete(words []string) []string
		// Command does a command, and says whether it was one of its own.
		Command(words []string) (tea.Cmd, bool)
	}
	// remembered has something that outlives the program, such as its filter.
	remembered interface {
		Remember() map[string]string
		Recall(map[string]string) tea.Cmd
	}
)

// entry is a row of the registry.
type entry struct {
	key   string // one of the keys of number, "" for none
	name  string // that : takes, in lower case
	title string
	does  string // for the palette
	new   func(*session) screen
}

// registry lists the screens. A new one is a file and a row here.
var registry = []entry{
	{"1", "overview", "Overview", "verdict, revisions, evidence, what to do next", newOverview},
	{"2", "plan", "Plan", "ways to restore side by side, and the runbook", newPlans},
	{"3", "pods", "Pods", "what becomes of every pod, and why", newPods},
	{"4", "nodes", "Nodes", "what really runs on every node, and what the API believes", newNodes},
	{"5", "workloads", "Workloads", "pods wanted, believed and really running", newWorkloads},
	{"6", "objects", "Objects", "any object at any revision", newObjects},
	{"7", "history", "History", "every revision of one object", newHistory},
	{"8", "diff", "Diff", "what differs between two moments, down to the fields", newDifferences},
	{"9", "timeline", "Timeline", "what happened when", newTimeline},
	{"0", "storage", "Storage", "what takes the space, and what could be had back", newStorage},
	{"", "undone", "Undone", "what else goes back in time", newUndone},
	{"", "problems", "Problems", "what could not be read or trusted", newProblems},
}

// screenNamed finds a screen by the name that : takes, -1 for none.
func screenNamed(name string) int {
	return slices.IndexFunc(registry, func(e entry) bool { return e.name == name })
}

type (
	// predictionMsg says that the session's prediction, or refusal, is another.
	predictionMsg struct{}
)

type (
	// changedMsg says that something else of the session is another.
	changedMsg struct{}
)

type (
	// restartNodeMsg asks to change whether the plan restarts the kubelet of a node.
	restartNodeMsg struct{ node string }
)

type (
	// goMsg asks for a screen by its name, and to give it a message then.
	goMsg struct {
		screen string
		then   tea.Msg
	}
)

// visit makes the command that goes to a screen.
func visit(screen string, then tea.Msg) tea.Cmd {
	return func() tea.Msg { return goMsg{screen, then} }
}

// session is what all screens show. The shell changes it between frames; a
// command may hold on to what it points to, which is not changed any more.
type session struct {
	ctx context.Context
	widget.UI

	version int // another one with every message

	input      *Input
	plan       planner // the plan in force, and what can be chosen
	files      [2]file // by side
	prediction *restore.Prediction
	digest     digests.Digest          // of it
	known      map[string]digests.Pod  // pods by uid
	refused    error                   // why the plan has no prediction: prediction is of the last one that had
	pending    bool                    // the prediction of the plan is being made
	modes      *restore.PlanComparison // the ways to restore; nil until they are compared
	rollback   *rollback.Rollback      // what else goes back in time; nil until it is compared
	objects    *objectList             // of the moment shown; nil until they are listed
	wanted     listMsg                 // the objects that are listed, or are being
	history    *shownHistory           // of the object chosen; nil for none
	timeline   *timelines.Pair         // of both snapshots; nil until it is read
	problems   *[]problem              // of both files; nil until they are verified
	runbook    *writtenRunbook         // of the plan; nil until it is written
	platform   string                  // that the runbook is for

	stopListing  func() // ends the listing that goes on; nil for none
	runbookAsked int    // counts the runbooks asked for: only the last one counts
}

// The sides of a session.
const (
	backup = iota
	current
)

// roles name the sides.
var roles = [2]restore.In{backup: restore.InBackup, current: restore.InCurrent}

// lacking says whether evidence is known to be missing.
func (s *session) lacking() bool {
	return len(s.input.Backup.State.Missing)+len(s.input.Current.State.Missing) > 0
}

func (s *session) side(i int) *Side { return s.input.side(i) }

func (in *Input) side(i int) *Side {
	if i == backup {
		return &in.Backup
	}
	return &in.Current
}

// file is what becomes known of a snapshot's file while the screens are shown.
type file struct {
	hashed    snapshot.Progress
	verified  bool // integrity is known
	integrity snapshot.Integrity
	problems  []snapshot.Problem
	decoded   bool // undecoded is known
	undecoded []snapshot.Problem
	counted   bool // keys is known
	keys      int  // live ones
}

// linksTo goes on from a row to the object that it is of, in the snapshot where it is
// looked for first, to two versions of it, or to its history. Nil for no key.
func (s *session) linksTo(side int, key string) func(keys.Action) tea.Cmd {
	if key == "" {
		return nil
	}
	return func(a keys.Action) tea.Cmd {
		msg := lookAtMsg{moment: s.having(side, key), key: key, toText: a == keys.ToObject}
		switch a {
		case keys.HistoryOf:
			return func() tea.Msg { return historyMsg{key: key} }
		case keys.ToDiff:
			msg.reading = versionsRead
		}
		return visit("objects", msg)
	}
}

// having is the newest moment of a snapshot, or that of the other one where only that
// has the object.
func (s *session) having(side int, key string) moment {
	if _, err := s.side(side).Snapshot.Get(key, 0); err != nil {
		if _, err := s.side(1-side).Snapshot.Get(key, 0); err == nil {
			side = 1 - side
		}
	}
	return moment{side: side}
}
