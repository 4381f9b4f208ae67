package restore

import (
	"fmt"
	"time"
)

// cronJob says whether a slot of the schedule is run again: the newest one that
// was missed is, if its deadline allows (kubernetes v1.37 pkg/controller/cronjob/
// utils.go mostRecentScheduleTime, cronjob_controllerv2.go syncCronJob).
func (f *forecast) cronJob(o *WorkloadOutcome, w *workload) {
	o.Severity = OK
	switch {
	case w.backup == nil:
		o.Severity, o.Reason = Warning, "Created after the backup: it is lost, and no slot of its schedule runs."
	case w.backup.Suspended && w.current == nil:
		o.Reason = "Deleted after the backup: it is back, suspended."
	case w.backup.Suspended:
		o.Reason = "Suspended in the backup: no slot runs again."
	case f.blocked(w.backup) != "":
		o.Severity = Critical
		o.Reason = fmt.Sprintf("No slot of its schedule (%s) runs: its concurrencyPolicy is Forbid, and its Job %s counts as active, because the API shows pods of it that do not run. That ends when their kubelets relist their pods.", w.backup.Schedule, f.blocked(w.backup))
		o.Action = "Make their kubelets relist (bump and mark compacted, or restart them), or delete that Job."
	case w.current == nil:
		o.Severity, o.Reason = Warning, fmt.Sprintf("Deleted after the backup: it is back and runs on its schedule (%s).", w.backup.Schedule)
	case w.current.LastSchedule.After(w.backup.LastSchedule):
		o.RunsAgain = append(o.RunsAgain, w.current.LastSchedule.UTC().Format(time.RFC3339))
		within := ""
		if w.backup.Deadline > 0 {
			within = fmt.Sprintf(", if the controller is back within %s of it", w.backup.Deadline)
		}
		o.Severity = Warning
		o.Reason = fmt.Sprintf("The backup does not have the slot of %s, which has run: the newest slot (%s) runs again%s.", o.RunsAgain[0], w.backup.Schedule, within)
		if len(w.backup.Active) > 0 {
			switch w.backup.Policy {
			case "Forbid":
				o.Reason += " That waits until the Job that the backup has as active has ended (concurrencyPolicy Forbid)."
			case "Replace":
				o.Reason += " The Job that the backup has as active is deleted for it (concurrencyPolicy Replace); its pods on deaf or missing kubelets stay Terminating until the kubelet relists."
			}
		}
	default:
		o.Reason = "No slot has run since the backup."
	}
	if w.backup != nil && w.backup.Unreadable != "" || w.current != nil && w.current.Unreadable != "" {
		o.Severity, o.Reason, o.Action = Warning, "Unknown: its value cannot be read.", ""
	}
}

// blocked names a Job that keeps a CronJob from running: it counts as active although
// nothing of it goes on.
func (f *forecast) blocked(cron *Workload) string {
	if cron.Policy != "Forbid" {
		return ""
	}
	for _, uid := range cron.Active {
		if name := f.waiting[uid]; name != "" {
			return name
		}
	}
	return ""
}
