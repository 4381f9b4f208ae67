package shared

import (
	"revenant/analyzer/restore"
	"revenant/tui/session"
	"revenant/tui/widget"
)

// Ruler is that of the two snapshots under the plan.
func Ruler(s *session.Session) *widget.Ruler {
	r := &widget.Ruler{Backup: held(s, session.Backup), Current: held(s, session.Current)}
	if p := s.Prediction; p != nil {
		v := &p.Revisions
		r.Start = startOf(v, s.Input.Backup.State.NewestRecord+v.MinimumSafeBump)
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

// held is the revisions that a side holds.
func held(s *session.Session, at int) widget.Window {
	side := s.Side(at)
	return widget.Window{Head: side.State.Revision, Compact: side.State.CompactRevision, Unknown: side.State.CompactUnknown, Bumped: side.Snapshot.BumpMarkers()}
}
