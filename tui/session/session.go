package session

import (
	"context"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/timeline"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/tui/widget"
)

// The sides of a session: the two snapshots.
const (
	Backup = iota
	Current
)

// Roles name the sides.
var Roles = [2]restore.In{Backup: restore.InBackup, Current: restore.InCurrent}

// Titles name the snapshots in a sentence.
var Titles = [2]string{Backup: "backup", Current: "current snapshot"}

// Session is what all screens show. Only its own methods change it, in Update; a command
// may hold on to what it points to, which is never changed again.
type Session struct {
	Ctx context.Context // ends all reading
	widget.UI

	Version int // another one with every message

	Input      *Input
	Plan       Planner                 // the plan in force, and what can be chosen
	Files      [2]File                 // by side
	Prediction *restore.Prediction     // of the last plan that was not refused; nil until there is one
	Digest     digest.Digest           // of it
	Known      map[string]digest.Pod   // pods by uid
	Refused    error                   // why the plan has no prediction: prediction is of the last one that had
	Pending    bool                    // the prediction of the plan is being made
	Modes      *restore.PlanComparison // the ways to restore; nil until they are compared
	Rollback   *rollback.Rollback      // what else goes back in time; nil until it is compared
	Objects    *ObjectList             // of the moment shown; nil until they are listed
	Wanted     ListMsg                 // the objects that are listed, or are being
	History    *History                // of the object chosen; nil for none
	Timeline   *timeline.Pair          // of both snapshots; nil until it is read
	Problems   *[]Problem              // of both files; nil until they are verified
	Runbook    *WrittenRunbook         // of the plan; nil until it is written
	Platform   string                  // that the runbook is for

	stopListing  func() // ends the listing that goes on; nil for none
	runbookAsked int    // counts the runbooks asked for: only the last one counts
}

// Lacking says whether evidence is known to be missing.
func (s *Session) Lacking() bool {
	return len(s.Input.Backup.State.Missing)+len(s.Input.Current.State.Missing) > 0
}

// Side is one of the two snapshots, Backup or Current.
func (s *Session) Side(i int) *Side { return s.Input.Side(i) }

// File is what becomes known of a snapshot's file while the screens are shown.
type File struct {
	Hashed    snapshot.Progress
	Verified  bool // integrity is known
	Integrity snapshot.Integrity
	Problems  []snapshot.Problem
	decoded   bool // undecoded is known
	undecoded []snapshot.Problem
	Counted   bool // keys is known
	Keys      int  // live ones
}

// KeyOfKind is the key of an object of a built-in kind.
func (s *Session) KeyOfKind(kind, namespace, name string) string {
	r, ok := kube.LookupResource(kind)
	if !ok {
		return ""
	}
	return kube.Key{Group: r.Group(), Resource: r.Name, Namespace: namespace, Name: name}.Path(s.Input.Prefix)
}

// Hash is that of the evidence, "" until both files are hashed.
func (s *Session) Hash() string {
	b, c := s.Files[Backup].Integrity.SHA256, s.Files[Current].Integrity.SHA256
	if b == "" || c == "" {
		return ""
	}
	return b + "-" + c
}
