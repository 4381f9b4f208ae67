package restore

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// particulars are what distinguishes the explanations of two pods of the same row. Pods
// with the same particulars share one row of explanations.
type particulars struct {
	row    rowID
	grace  int64     // seconds, -1 unknown
	evicts string    // what deletes it when its machine is gone
	ends   time.Time // end of the grace period of a deletion
	was    string    // phase in the backup
	now    string    // phase in the current snapshot
	why    string
	stray  string // names of ephemeral containers that were added after the backup
}

// explanation is a cell of the table in full.
type explanation struct {
	Finding
	settled bool // all cells of the row lead to the same outcome
}

// explain returns p's row with p's particulars in it.
func (p particulars) explain() *[columns]explanation {
	grace := ""
	if p.grace >= 0 {
		grace = " of " + strconv.FormatInt(p.grace, 10) + " s"
	}
	ends := "its end"
	if !p.ends.IsZero() {
		ends = p.ends.UTC().Format(time.RFC3339)
	}
	r := strings.NewReplacer("$grace", grace, "$ends", ends, "$was", p.was, "$now", p.now, "$why", p.why, "$evicted", p.evicts)
	settled := true
	for c := range unplaced {
		settled = settled && p.row.cell(c).outcome == p.row.cell(deaf).outcome
	}
	var said [columns]explanation
	for c := range columns {
		e := p.row.cell(c)
		if e.outcome == "" {
			continue // no case of its own
		}
		said[c] = explanation{
			Finding: Finding{
				Outcome:  e.outcome,
				Severity: e.severity,
				Heals:    e.heals,
				Reason:   r.Replace(e.reason),
				Action:   cmp.Or(e.action, e.outcome.Info().Remedy),
			},
			settled: settled,
		}
		if p.stray != "" && strays(c, e) {
			said[c].tellStray(p.stray)
		}
	}
	return &said
}

// strays says whether ephemeral containers that the restored API lacks run on: nothing
// stops a container that a pod's spec does not have (kubernetes v1.37
// pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions).
func strays(c column, e *effect) bool { return c != stale && e.runs == here }

// tellStray adds what is to be said of such containers.
func (s *explanation) tellStray(names string) {
	s.Reason += " Ephemeral containers that were added after the backup run on in it (" + names + "), also after its kubelet has relisted or is restarted: neither the API nor its kubelet's /pods shows them, only /runningpods and the container runtime."
	action := "See them on its node with crictl ps --pod, and stop with crictl stop those that should not run."
	if s.Severity == OK {
		s.Severity, s.Action = Warning, action
		return
	}
	s.Action += " " + action
}
