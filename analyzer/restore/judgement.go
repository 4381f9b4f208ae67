package restore

import (
	"fmt"
	"strings"

	"revenant/internal/words"
)

// judgement is all that the words about a workload depend on.
type judgement struct {
	evicted, stopping, by                        int64
	perhaps                                      bool
	lost, back, scaled, rolled, deaf, claims     bool
	wanted, wantedNow, running, phantoms, ghosts int64
	surplus, shortfall, recreates, removes       int64
	twice, hangs, again                          int
	end                                          *jobEnd
	ended                                        bool // since the backup, too
}

// judged is a judgement in words.
type judged struct {
	severity Severity
	reason   string
}

// judge says in words what becomes of the workload, the worst first. Workloads of
// which the same is to be said share it.
func (f *forecast) judge(o *WorkloadOutcome, w *workload, later judgement) (Severity, string) {
	e := w.either()
	if e.Unreadable != "" {
		return Warning, "Unknown: its value cannot be read (" + e.Unreadable + ")."
	}
	j := judgement{
		lost: w.backup == nil, back: w.current == nil, deaf: f.general.column == deaf,
		claims: len(o.Twice) > 0 && len(o.Twice[0].Claims) > 0,
		wanted: o.Wanted, running: o.Running, phantoms: o.Phantoms, ghosts: o.Ghosts,
		surplus: o.Surplus, shortfall: o.Shortfall, recreates: o.Recreates, removes: o.Removes,
		twice: len(o.Twice), hangs: len(o.Hangs), again: len(o.RunsAgain),
		evicted: later.evicted, stopping: later.stopping, by: later.by, perhaps: later.perhaps, end: later.end,
	}
	if !j.lost && !j.back {
		j.scaled = w.backup.Wanted != w.current.Wanted && e.Kind != "Job"
		j.rolled = w.backup.Template != w.current.Template
		j.ended = w.current.Finished
	}
	if j.scaled {
		j.wanted, j.wantedNow = w.backup.Wanted, w.current.Wanted
	}
	said, ok := f.judgements[j]
	if !ok {
		said = j.explain()
		f.judgements[j] = said
	}
	return said.severity, said.reason
}

func (j judgement) explain() judged {
	var parts []string
	severity := OK
	say := func(when bool, s Severity, format string, args ...any) {
		if !when {
			return
		}
		severity = worse(severity, s)
		parts = append(parts, fmt.Sprintf(format, args...))
	}
	on := ""
	if j.claims {
		on = ", on the same claims"
	}
	pods := func(n int64) string { return words.Count(n, "pod") }
	say(j.lost && j.running > 0, Critical, "It is lost with the restore. Still running without it: %s.", pods(j.running))
	say(j.lost && j.running == 0, Warning, "It is lost with the restore.")
	say(j.twice > 0, Critical, "Running twice at the same time%s: %s.", on, words.Count(j.twice, "pod"))
	say(j.hangs > 0, Critical, "Waiting for pods that have already ended: %s.", words.Count(j.hangs, "pod"))
	if j.end != nil {
		say(!j.ended, Warning, "%s", j.end.reason)
		say(j.ended, OK, "%s", j.end.reason)
	}
	say(!j.lost && j.phantoms > 0, Critical, "Unseen by the API: %s.", pods(j.phantoms))
	say(j.ghosts > 0, Critical, "Shown by the API and not running: %s.", pods(j.ghosts))
	// What its controller removes by itself is no harm, unless a kubelet does not hear of it.
	say(!j.lost && j.surplus > 0 && (j.deaf || j.surplus > j.removes), Critical, "%d run, %d are wanted.", j.running, j.wanted)
	if !j.lost && j.shortfall > 0 && j.recreates == 0 && j.hangs == 0 {
		switch {
		case j.evicted == 0 && !j.perhaps:
			say(true, Critical, "Of %d wanted %d run, and nothing replaces the rest.", j.wanted, j.running)
		case j.evicted < j.shortfall && !j.perhaps:
			say(true, Critical, "Of %d wanted %d run, and nothing replaces %d of them.", j.wanted, j.running, j.shortfall-j.evicted)
		default:
			say(true, Critical, "Of %d wanted %d run.", j.wanted, j.running)
		}
	}
	recreated := func(n int64, when string) {
		say(n > 0 && j.deaf, Critical, "Recreated%s, but not started on nodes whose kubelet is deaf: %s.", when, pods(n))
		say(n > 0 && !j.deaf, Warning, "Recreated%s: %s.", when, pods(n))
	}
	recreated(j.recreates, "")
	recreated(j.stopping, " once they are stopped")
	recreated(j.evicted, fmt.Sprintf(" within %d s, when they are deleted with their machine", j.by))
	say(j.removes > 0, Warning, "Removed by its controller: %s.", pods(j.removes))
	say(j.again > 0, Warning, "Work that is done again: %s.", words.Count(j.again, "pod"))
	say(j.back, Warning, "It was deleted after the backup and is back.")
	say(j.scaled, Warning, "It goes back from %d to %d wanted pods.", j.wantedNow, j.wanted)
	say(j.rolled, Warning, "Its pod template is rolled back to the backup's: the rollout since then is undone.")
	if len(parts) == 0 {
		return judged{OK, "As before."}
	}
	return judged{severity, strings.Join(parts, " ")}
}
