package tui

import (
	"context"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	digests "revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	timelines "revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
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
	Keys() keys
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
	taker interface{ Take(save bool) excerpt }
	// sorter has columns to sort by.
	sorter interface{ Columns() []column }
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

// excerpt is what copy and save take.
type excerpt struct {
	what string // in a few words
	file string // what to call it
	text string // plain

	later func() string // makes the text, in a command, where it takes work; nil for text
}

// none says that there is nothing to take.
func (e *excerpt) none() bool { return e.text == "" && e.later == nil }

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

// Messages from the shell to the screens.
type (
	// filterMsg is the filter as it is typed.
	filterMsg string
	// searchMsg is what is searched for in a text, as it is typed.
	searchMsg string
	// predictionMsg says that the session's prediction, or refusal, is another.
	predictionMsg struct{}
	// changedMsg says that something else of the session is another.
	changedMsg struct{}
	// themedMsg says that its theme is.
	themedMsg struct{}
)

// Messages from the screens to the shell.
type (
	// restartNodeMsg asks to change whether the plan restarts the kubelet of a node.
	restartNodeMsg struct{ node string }
	// goMsg asks for a screen by its name, and to give it a message then.
	goMsg struct {
		screen string
		then   tea.Msg
	}
	// sayMsg is shown in the bottom line until the next key.
	sayMsg string
)

// say makes the command that shows something in the bottom line.
func say(text string) tea.Cmd { return func() tea.Msg { return sayMsg(text) } }

// visit makes the command that goes to a screen.
func visit(screen string, then tea.Msg) tea.Cmd {
	return func() tea.Msg { return goMsg{screen, then} }
}

// session is what all screens show. The shell changes it between frames; a
// command may hold on to what it points to, which is not changed any more.
type session struct {
	ctx context.Context
	ui

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

// ui is what everything that is drawn shares.
type ui struct {
	theme  *theme
	keymap keymap
	tasks  tasks // what is done beside the screen
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

// tasks are the commands that use the evidence. All of them end before Run
// returns, for the caller closes the evidence then.
type tasks struct {
	mu    sync.Mutex
	wg    sync.WaitGroup
	ended bool
}

// cmd makes a command that is waited for, or does not start any more.
func (t *tasks) cmd(work func() tea.Msg) tea.Cmd {
	return func() tea.Msg {
		t.mu.Lock()
		ended := t.ended
		if !ended {
			t.wg.Add(1)
		}
		t.mu.Unlock()
		if ended {
			return nil
		}
		defer t.wg.Done()
		return work()
	}
}

// end waits for the commands that have started and lets no other one start.
func (t *tasks) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.wg.Wait()
}

// linksTo goes on from a row to the object that it is of, in the snapshot where it is
// looked for first, to two versions of it, or to its history. Nil for no key.
func (s *session) linksTo(side int, key string) func(action) tea.Cmd {
	if key == "" {
		return nil
	}
	return func(a action) tea.Cmd {
		msg := lookAtMsg{moment: s.having(side, key), key: key, toText: a == toObject}
		switch a {
		case historyOf:
			return func() tea.Msg { return historyMsg{key: key} }
		case toDiff:
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
