package session

import (
	"context"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/train"
	"revenant/tui/draw"
)

// Input is everything that the screens show.
type Input struct {
	Tool    string   // name and version, such as "revenant 1.2.0"
	Sources []Source // the evidence; at least one. Those of Chosen come first
	// Backup is the place of the snapshot that would be restored, Current that of the
	// newest state. Where both are one, there is no pair, and nothing is predicted.
	Backup, Current int
	Plan            restore.Plan     // to begin with
	Prefix          string           // of the API server's keys, such as /registry
	Lineage         *lineage.Lineage // of backup and current state; nil when they were not compared
	Metrics         *restore.Metrics // from before the outage; nil for none
	Warnings        []string         // of the caller's, shown with those of the prediction
	// Runbook writes the runbook of a plan, nil for the recommended one, for one of
	// Platforms, of which the first is the one to begin with. Nil when there is none.
	Runbook   func(ctx context.Context, plan *restore.Plan, platform string) (Runbook, error)
	Platforms []string
	Carved    bool // histories and the timeline begin with what is carved

	Series  *Series // all files, where there are more than the two; nil otherwise
	Members [2]int  // places among them of the backup, or NoMember, and of the newest state
	Notice  string  // shown until the first key

	Training *Training // the scenarios; nil for none
}

// Source is a snapshot and what was read off it. Neither is changed.
type Source struct {
	Snapshot *snapshot.Snapshot // nil for a member of a series until it is looked at
	State    *restore.State     // of a member no more than its clock

	name           string // of a member
	member         int
	oldest, newest int64 // revisions whose states it holds
}

// Window is the oldest revision whose state is held, and the newest.
func (s *Source) Window() (oldest, newest int64) {
	if s.Snapshot == nil {
		return max(s.oldest, 1), s.newest
	}
	return max(s.Snapshot.CompactRevision(), 1), s.Snapshot.Revision()
}

// Pair makes the evidence of a backup and of the newest state.
func (in *Input) Pair(backup, current Source) {
	in.Sources, in.Backup, in.Current = []Source{backup, current}, 0, 1
}

// Alone says why what needs a backup and the newest state is not there: one of them is
// missing. It is "" when both are there.
func (in *Input) Alone() string {
	if in.Backup != in.Current {
		return ""
	}
	return "needs a second file (revenant backup.db current.db)"
}

// Chosen are the places of the backup and of the current snapshot, or of the one that
// is shown alone.
func (in *Input) Chosen() []int {
	if in.Alone() != "" {
		return []int{in.Current}
	}
	return []int{in.Backup, in.Current}
}

// Other is the place of the current snapshot for that of the backup, and the other way
// round.
func (in *Input) Other(i int) int {
	if i == in.Current {
		return in.Backup
	}
	return in.Current
}

// Role names a source where there is little room.
func (in *Input) Role(i int) string {
	switch {
	case in.Sources[i].name != "":
		return draw.Safe(in.Sources[i].name)
	case in.Alone() != "" || i != in.Backup && i != in.Current:
		return "snapshot"
	case i == in.Backup:
		return string(restore.InBackup)
	}
	return string(restore.InCurrent)
}

// Title names a source in a sentence.
func (in *Input) Title(i int) string {
	switch role := in.Role(i); {
	case in.Sources[i].name != "":
		return "file " + role
	case role != string(restore.InCurrent):
		return role
	}
	return "current snapshot"
}

// Training is what the scenarios need of whoever shows them.
type Training struct {
	Scenarios []train.Scenario
	Begin     string // the id of the one to begin with, "" for the list of all
	At        string // the id of the moment to begin at, "" for its beginning
	Shown     string // the id of the one whose files are shown, "" for none
	Dir       string // where its files are

	// Solved says which are solved, and Keep keeps what was done in one.
	Solved func(ctx context.Context) map[string]bool
	Keep   func(ctx context.Context, given train.Given) error
	// Open shows the files of one that is about files, and begins it at a moment.
	Open func(ctx context.Context, id, at string, progress func(snapshot.Progress, string)) (*Input, error)
	// Read reads a file that answers a question.
	Read func(path string) (string, error)
}
