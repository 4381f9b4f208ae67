package preflight

import (
	"revenant/analyzer/restore"
)

// counted are the pods of a prediction by their outcome.
type counted struct {
	phantoms, ghosts                 int // certain and possible ones
	unlikelyPhantoms, unlikelyGhosts int
	unknown                          int
	doubles                          int
	doublesBound                     int64 // seconds, 0 where nothing bounds the longest
}

func countPods(p *restore.Prediction) *counted {
	c := &counted{}
	unbounded := false
	for i := range p.Pods {
		o := &p.Pods[i]
		unlikely := o.Certainty == restore.Unlikely
		switch {
		case o.Outcome == restore.Phantom && unlikely:
			c.unlikelyPhantoms++
		case o.Outcome == restore.Phantom:
			c.phantoms++
		case o.Outcome == restore.Ghost && unlikely:
			c.unlikelyGhosts++
		case o.Outcome == restore.Ghost:
			c.ghosts++
		case o.Outcome == restore.Unknown:
			c.unknown++
		}
		if o.DoubleRun != nil {
			c.doubles++
			c.doublesBound = max(c.doublesBound, o.DoubleRun.AtMostSeconds)
			unbounded = unbounded || o.DoubleRun.AtMostSeconds == 0
		}
	}
	if unbounded {
		c.doublesBound = 0
	}
	return c
}

// measures are the numbers that the checks went by.
func (r *run) measures() Measures {
	m := Measures{BackupRevision: r.Backup.State.Revision, SizeBytes: r.Backup.Snapshot.BackendSize()}
	if taken := r.Backup.State.Clock.Taken(); !taken.From.IsZero() {
		age := r.At.Sub(taken.From).Seconds()
		m.AgeSeconds = &age
	}
	if rate, ok := r.Backup.State.Clock.Rate(); ok {
		m.Rate = &rate.Mean
	}
	if r.runbook != nil {
		m.Bump = &r.runbook.Bump.Revision
		if r.needs == "" || r.runbook.Bump.Minimum > 0 {
			m.MinimumBump = &r.runbook.Bump.Minimum
		}
	}
	if r.needs != "" {
		return m
	}
	gap := r.Current.State.Revision - r.Backup.State.Revision
	m.Gap = &gap
	if r.prediction != nil {
		with, without := countPods(r.prediction), countPods(r.plain)
		m.Phantoms, m.Ghosts, m.PhantomsPlain, m.GhostsPlain = &with.phantoms, &with.ghosts, &without.phantoms, &without.ghosts
	}
	return m
}
