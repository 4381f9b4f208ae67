package restore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/internal/words"
)

// controllersBy is when controllers have done what they find to do, counted from the
// API being back, in seconds: one that must wait for an old lease starts 15 s later,
// and the garbage collector deletes pods up to 30 s after their Job.
const controllersBy = 90

// jobTracking is the finalizer that the Job controller takes off a pod once it has
// counted it (k8s.io/api/batch/v1 JobTrackingFinalizer).
const jobTracking = "batch.kubernetes.io/job-tracking"

// jobEnd is the end of a Job of the backup that controllers make by themselves.
type jobEnd struct {
	reason  string
	sure    bool
	deleted bool  // the Job itself, and then all of its pods; else it fails, and those that are active go
	by      int64 // seconds after the API is back at the latest
}

// endJobs finds the Jobs that controllers end by themselves, and says so of their pods.
func (f *forecast) endJobs(pods []PodOutcome) {
	if f.general.column == stale { // controllers see the erased past
		return
	}
	failures, active := f.failures(pods), f.active()
	f.jobEnds = map[int32]*jobEnd{}
	for i := range f.workloads {
		was := f.workloads[i].backup
		switch {
		case was == nil || was.Kind != "Job":
		case was.Finished && !was.Expires.IsZero():
			f.jobEnds[int32(i)] = f.jobEndAt(was.Expires, jobEnd{reason: fmt.Sprintf("The Job has ended, and is deleted at %s by its ttlSecondsAfterFinished, with its pods.", words.Time(was.Expires)), deleted: true})
		case was.Finished:
		case was.Deciding != "" || !was.Suspended:
			if end := f.jobEnd(was, failures[int32(i)], active[activeJob{was.Owner, was.UID}]); end != nil {
				f.jobEnds[int32(i)] = end
			}
		}
	}
	for i := range pods {
		p := f.cases[i]
		if end := f.jobEnds[p.workload]; end != nil && p.backup != nil {
			f.deleted(&pods[i], p, end)
		}
	}
}

// failures are what a Job counts against its backoffLimit beside what the backup's
// status has.
type failures struct {
	sure, perhaps int64 // pods that have failed
	restarts      int64 // of the containers of active pods, as the API shows them in time
}

// failures counts what each Job's pods add (kubernetes v1.37 pkg/controller/job/
// job_controller.go getNewFinishedPods, isPodFailed, pastBackoffLimitOnFailure).
func (f *forecast) failures(pods []PodOutcome) map[int32]failures {
	all := map[int32]failures{}
	for i := range pods {
		o, p := &pods[i], f.cases[i]
		if p.workload < 0 || o.API == nil { // which is only there for pods of the backup
			continue
		}
		n := all[p.workload]
		counted := !slices.Contains(p.backup.Finalizers, jobTracking)
		switch {
		case o.API.Phase == "Failed" && !p.backup.Terminal() && !p.backup.Terminating() && o.Certainty == Certain:
			n.sure++
		case o.API.Phase == "Failed" && !p.backup.Terminal() && !p.backup.Terminating():
			n.perhaps++
		case o.API.Phase == "Succeeded":
		case o.API.Phase == "Failed", o.API.Terminating:
			if !counted {
				n.perhaps++
			}
		default:
			n.restarts += restarts(o, p, f.column(p, f.verdict(p)))
		}
		all[p.workload] = n
	}
	return all
}

// restarts are what the API will show of an active pod's containers.
func restarts(o *PodOutcome, p *podCase, c column) int64 {
	switch {
	case o.Outcome == Restarted:
		return int64(p.backup.Restarts) + int64(len(p.backup.Containers))
	case p.current != nil && c != deaf:
		return int64(max(p.backup.Restarts, p.current.Restarts))
	}
	return int64(p.backup.Restarts)
}

// verdict is what the kubelet of the pod's node does.
func (f *forecast) verdict(p *podCase) *verdict {
	if p.node >= 0 {
		return &f.verdicts[p.node]
	}
	return &f.general
}

// activeJob is a Job that the backup's status of a CronJob has as active, by their uids.
type activeJob struct{ cronJob, job string }

// active finds the CronJob of every such Job.
func (f *forecast) active() map[activeJob]*workload {
	all := map[activeJob]*workload{}
	for i := range f.workloads {
		if w := &f.workloads[i]; w.backup != nil {
			for _, job := range w.backup.Active {
				all[activeJob{w.backup.UID, job}] = w
			}
		}
	}
	return all
}

// jobEnd says what ends a Job of the backup, what is sure first; nil for nothing. The
// CronJob is the one that has it as active, nil for none.
func (f *forecast) jobEnd(was *Workload, n failures, cronJob *workload) *jobEnd {
	var ends []*jobEnd
	if cronJob != nil && cronJob.backup.Policy == "Replace" && !cronJob.backup.Suspended {
		ends = append(ends, cronJob.replaces())
	}
	if was.Deciding != "" { // job_controller.go syncJob: nothing else is looked at then
		ends = append(ends, &jobEnd{reason: fmt.Sprintf("The Job's end is decided in the backup (%s): its active pods are deleted, and it makes no more.", was.Deciding), sure: true, by: controllersBy})
	}
	limit := was.BackoffLimit
	failed := fmt.Sprintf("The Job fails (BackoffLimitExceeded): with the %d failures that the backup counts, %d are above its backoffLimit of %d, and its active pods are deleted.", was.Failed, was.Failed+n.sure+n.perhaps, limit)
	switch {
	case was.FailurePolicy && n.sure+n.perhaps > 0:
		ends = append(ends, &jobEnd{reason: "The Job may fail: its podFailurePolicy decides what counts as a failure.", by: controllersBy})
	case was.PerIndex && n.sure+n.perhaps > 0:
		ends = append(ends, &jobEnd{reason: "The Job may fail: failures count by index (backoffLimitPerIndex).", by: controllersBy})
	case was.Failed+n.sure > limit:
		ends = append(ends, &jobEnd{reason: failed, sure: true, by: controllersBy})
	case was.Failed+n.sure+n.perhaps > limit:
		ends = append(ends, &jobEnd{reason: failed, by: controllersBy})
	case was.OnFailure && n.restarts >= max(limit, 1):
		ends = append(ends, &jobEnd{reason: fmt.Sprintf("The Job may fail (BackoffLimitExceeded): its containers were restarted %d times, its backoffLimit is %d. Its active pods are deleted then.", n.restarts, limit), by: controllersBy})
	}
	if at := was.FailsAt; !at.IsZero() {
		ends = append(ends, f.jobEndAt(at, jobEnd{
			reason: fmt.Sprintf("The Job fails (DeadlineExceeded) at %s, by its own activeDeadlineSeconds, if it has not ended by then, and its active pods are deleted.", words.Time(at)),
		}))
	}
	if len(ends) == 0 {
		return nil
	}
	return slices.MinFunc(ends, func(a, b *jobEnd) int {
		return cmp.Compare(unsureRank(a), unsureRank(b))
	})
}

// jobEndAt is an end that controllers make at a time, or once they are back. That the API
// is back after the current snapshot bounds when.
func (f *forecast) jobEndAt(at time.Time, end jobEnd) *jobEnd {
	end.by = controllersBy
	if known := f.current.Time; !known.IsZero() {
		end.sure = true
		end.by = add(end.by, max(int64(at.Sub(known)/time.Second), 0))
	}
	return &end
}

func unsureRank(e *jobEnd) int {
	if e.sure {
		return 0
	}
	return 1
}

// replaces says when a CronJob with concurrencyPolicy Replace deletes its Job: for the
// slot that comes after it (kubernetes v1.37 pkg/controller/cronjob/
// cronjob_controllerv2.go syncCronJob). That is sure of a slot that has run since the
// backup.
func (w *workload) replaces() *jobEnd {
	const does = "The Job's CronJob replaces it (concurrencyPolicy Replace), unless the CronJob is suspended before controllers start: "
	end := &jobEnd{deleted: true, by: controllersBy, reason: does + "if a slot has come since the backup, the Job is deleted for it, with its pods."}
	if w.missedSlot() {
		end.sure = w.backup.Deadline == 0
		end.reason = does + "a slot has come since the backup, and the Job is deleted for it, with its pods."
		if !end.sure {
			end.reason += fmt.Sprintf(" That is so if the controller is back within %s of the slot.", w.backup.Deadline)
		}
	}
	return end
}

// missedSlot says whether a slot of the CronJob's schedule, as the backup has it, has
// run since.
func (w *workload) missedSlot() bool {
	was, now := w.backup, w.current
	return now != nil && was.Schedule == now.Schedule && was.TimeZone == now.TimeZone && now.LastSchedule.After(was.LastSchedule)
}

// deleted adds to what is said of a pod what the end of its Job makes of it. Where its
// kubelet is deaf, has finished with it, or there is none, a deletion is not done.
func (f *forecast) deleted(o *PodOutcome, p *podCase, end *jobEnd) {
	ended := o.API.ended()
	if o.API == nil || o.API.Terminating || ended && !end.deleted {
		return
	}
	v := f.verdict(p)
	hangs := p.row.cell(f.column(p, v)).flags&needsForceDelete != 0
	acts := p.node >= 0 && !f.Comparison.nodes[p.node].gone && v.column != deaf && !hangs
	held := slices.ContainsFunc(p.backup.Finalizers, func(name string) bool { return name != jobTracking })
	l := &Later{BySeconds: end.by, RunsOn: noNodes, Reason: end.reason}
	in := func(phase string) { l.API = orShown(l.API, &APIView{phase, o.API.Node, true}) }
	switch {
	case ended && !held:
		l.API = []*APIView{nil}
	case ended:
		in(o.API.Phase)
	case o.API.Node == "": // not bound, or to a node that is not known
		l.API = []*APIView{nil}
		if len(o.MayBeBoundTo) > 0 {
			in("Pending")
		}
		if len(o.MayRunOn) > 0 { // it has started by then, and is to stop
			l.BySeconds = add(l.BySeconds, graceOf(p.backup))
		}
		if !acts {
			l.RunsOn, l.MayRunOn = o.RunsOn, o.MayRunOn
		}
	case !acts:
		in(o.API.Phase)
		l.RunsOn, l.MayRunOn = o.RunsOn, o.MayRunOn
	case held:
		in("Succeeded")
		in("Failed")
		l.BySeconds = add(l.BySeconds, graceOf(p.backup))
	default:
		l.API = []*APIView{nil}
		l.BySeconds = add(l.BySeconds, graceOf(p.backup))
	}
	if !end.sure {
		l.API = orShown(l.API, o.API)
		if acts {
			l.RunsOn, l.MayRunOn = noNodes, union(o.RunsOn, o.MayRunOn)
		}
	}
	if f.cutOff(p) && !ended { // its kubelet may never come back
		in(o.API.Phase)
		l.RunsOn, l.MayRunOn = noNodes, union(union(l.RunsOn, l.MayRunOn), union(o.RunsOn, o.MayRunOn))
	}
	if then := o.Then; then != nil { // either may come first
		l.API = orShown(orShown(l.API, then.API...), o.API)
		l.RunsOn, l.MayRunOn = noNodes, union(union(l.RunsOn, l.MayRunOn), union(then.RunsOn, then.MayRunOn))
		l.BySeconds = max(l.BySeconds, then.BySeconds)
		l.Reason = strings.TrimSpace(then.Reason + " " + l.Reason)
	}
	o.Then = l
	if acts && len(o.RunsOn)+len(o.MayRunOn) > 0 && !ended {
		if !end.sure && o.Certainty == Certain {
			o.Certainty, o.CertaintyReason = Possible, end.reason
		}
		if o.Severity == OK {
			warned := *o.Finding
			warned.Severity = Warning
			warned.Reason += " " + end.reason
			o.Finding = &warned
		}
	}
}
