package shared

import (
	"revenant/analyzer/restore"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Ruler is that of the two snapshots under the plan.
func Ruler(s *session.Session) *widget.Ruler {
	r := &widget.Ruler{Backup: held(s.Backup()), Current: held(s.Current())}
	if p := s.Prediction; p != nil {
		v := &p.Revisions
		r.Start = startOf(v, s.Backup().State.NewestRecord+v.MinimumSafeBump)
	}
	return r
}

// startOf is where the store of a prediction starts.
func startOf(v *restore.Revisions, least int64) *widget.StoreStart {
	return &widget.StoreStart{
		Revision: v.Restored, Least: least, Seen: v.LastSeenAtMost,
		Enough: v.BumpVerdict == restore.BumpEnough, Unsure: v.BumpVerdict == restore.BumpUnsure, Insufficient: v.NoBumpFits != "",
	}
}

// held is the revisions that a snapshot holds.
func held(s *session.Source) widget.Window {
	return widget.Window{Head: s.State.Revision, Compact: s.State.CompactRevision, Unknown: s.State.CompactUnknown, Bumped: s.Snapshot.BumpMarkers()}
}
