package session

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/digest"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/timeline"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/tui/widget"
)

// Session is what all screens show. Only its own methods change it, in Update; a command
// may hold on to what it points to, which is never changed again.
type Session struct {
	Ctx context.Context // ends all reading
	widget.UI

	Version int // another one with every message

	Input      *Input
	Plan       Planner                 // the plan in force, and what can be chosen
	Files      []File                  // of the sources, in their order
	Prediction *restore.Prediction     // of the last plan that was not refused; nil until there is one
	Digest     digest.Digest           // of it
	Yours      *restore.ModeOutcome    // it as a way to restore
	Known      map[string]digest.Pod   // pods by uid
	Refused    error                   // why the plan has no prediction: prediction is of the last one that had
	Pending    bool                    // the prediction of the plan is being made
	Modes      *restore.PlanComparison // the ways to restore; nil until they are compared
	Rollback   *rollback.Rollback      // what else goes back in time; nil until it is compared
	Objects    *ObjectList             // of the moment shown; nil until they are listed
	Wanted     ListMsg                 // the objects that are listed, or are being
	History    *History                // of the object chosen; nil for none
	Timeline   *timeline.Joined        // of the snapshots that are chosen; nil until it is read
	Whole      *WholeTimeline          // of all files of a series; nil until it is read
	Problems   *[]Problem              // of all files; nil until they are verified
	Runbook    *WrittenRunbook         // of the plan; nil until it is written
	Platform   string                  // that the runbook is for

	rest         tea.Cmd // what is read once there is a prediction
	stopListing  func()  // ends the listing that goes on; nil for none
	runbookAsked int     // counts the runbooks asked for: only the last one counts
}

// Lacking says whether evidence is known to be missing.
func (s *Session) Lacking() bool {
	return slices.ContainsFunc(s.Input.Sources, func(of Source) bool { return len(of.State.Missing) > 0 })
}

// Source is the one in a place.
func (s *Session) Source(i int) *Source { return &s.Input.Sources[i] }

// Backup and Current are the two that are compared; one and the same where there is no pair.
func (s *Session) Backup() *Source  { return s.Source(s.Input.Backup) }
func (s *Session) Current() *Source { return s.Source(s.Input.Current) }

// File is what becomes known of a snapshot's file while the screens are shown.
type File struct {
	Hashed    snapshot.Progress
	Verified  bool // integrity is known
	Integrity snapshot.Integrity
	Problems  []snapshot.Problem
	decoded   bool // Undecoded is known
	Undecoded []snapshot.Problem
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

// Hash is that of the evidence, "" until all files are hashed.
func (s *Session) Hash() string {
	var list []string
	for i := range s.Files {
		if s.Files[i].Integrity.SHA256 == "" {
			return ""
		}
		list = append(list, s.Files[i].Integrity.SHA256)
	}
	return strings.Join(list, "-")
}
