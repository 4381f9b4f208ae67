package session

import (
	"context"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
)

// Side is one of the two snapshots, Backup or Current.
func (in *Input) Side(i int) *Side {
	if i == Backup {
		return &in.Backup
	}
	return &in.Current
}

// Input is everything that the screens show.
type Input struct {
	Tool            string // name and version, such as "revenant 1.2.0"
	Backup, Current Side
	Plan            restore.Plan     // to begin with
	Prefix          string           // of the API server's keys, such as /registry
	Lineage         *lineage.Lineage // of the two; nil when they were not compared
	Metrics         *restore.Metrics // from before the outage; nil for none
	Warnings        []string         // of the caller's, shown with those of the prediction
	// Runbook writes the runbook of a plan, nil for the recommended one, for one of
	// Platforms, of which the first is the one to begin with. Nil when there is none.
	Runbook   func(ctx context.Context, plan *restore.Plan, platform string) (Runbook, error)
	Platforms []string
	Carved    bool // histories and the timeline begin with what is carved
}

// Side is one of the two snapshots and what was read off it. Neither is changed.
type Side struct {
	Snapshot *snapshot.Snapshot
	State    *restore.State
}
