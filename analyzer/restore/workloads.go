package restore

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Workload is a controller's object: what it wants is what the controllers see
// after the restore.
type Workload struct {
	Kind, Namespace, Name, UID string
	// Wanted is how many pods it asks for: spec.replicas, of a DaemonSet the nodes
	// that its status says are to run one, of a Job spec.parallelism.
	Wanted int64
	// Template is a digest of the pod template: another one is another rollout.
	Template   string
	Unreadable string // why the value could not be read, "" when it could

	Claims []string // names of a StatefulSet's volumeClaimTemplates

	Completions int64 // of a Job; 0 when it has none to reach
	Succeeded   int64 // that its status counts
	Finished    bool  // complete or failed
	// Deciding is the condition of a Job whose end is decided while pods of it still
	// terminate: FailureTarget, SuccessCriteriaMet, or "".
	Deciding string

	Owner         string    // uid of a Job's CronJob
	BackoffLimit  int64     // of a Job
	Failed        int64     // that its status counts
	FailsAt       time.Time // when its activeDeadlineSeconds ends it, UTC; zero when it has none or has not started
	Expires       time.Time // when its ttlSecondsAfterFinished deletes it, UTC; zero when it does not, or has not ended
	FailurePolicy bool      // it has a podFailurePolicy
	PerIndex      bool      // it has a backoffLimitPerIndex
	OnFailure     bool      // the restart policy of its pods

	Schedule     string   // of a CronJob
	TimeZone     string   // of it
	Policy       string   // its concurrencyPolicy
	Active       []string // uids of the Jobs that its status has as active
	Suspended    bool     // of a CronJob or Job
	LastSchedule time.Time
	Deadline     time.Duration // startingDeadlineSeconds; 0 when there is none
}

// WorkloadOutcome is what becomes of a Deployment, ReplicaSet, StatefulSet,
// DaemonSet, Job, CronJob or ReplicationController. ReplicaSets of a Deployment
// count as the Deployment.
type WorkloadOutcome struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	// In says which of the two snapshots has it: both, backup or current.
	In string `json:"in"`

	Wanted    int64 `json:"wanted"`    // pods that it asks for after the restore
	WantedNow int64 `json:"wantedNow"` // and in the current state
	Believed  int64 `json:"believed"`  // pods that the restored API shows as active
	Running   int64 `json:"running"`   // pods that really run
	MayRun    int64 `json:"mayRun"`    // pods that may run in addition
	Phantoms  int64 `json:"phantoms"`  // of Running, those that the API does not show
	Ghosts    int64 `json:"ghosts"`    // of Believed, those of which nothing runs
	Surplus   int64 `json:"surplus"`   // Running above Wanted
	Shortfall int64 `json:"shortfall"` // Running and MayRun below Wanted
	// Recreates is how many pods its controller makes, because the API lacks them
	// or they are marked failed; on a node whose kubelet is deaf they do not start.
	Recreates int64 `json:"recreates"`
	// RecreatesLater is how many more it makes, when pods that the API shows now
	// have been deleted with their machine, or stopped, by themselves (Then).
	RecreatesLater int64 `json:"recreatesLater"`
	Removes        int64 `json:"removes"` // how many it deletes, because the API has too many

	Twice     []Twice  `json:"twice"`     // identities that run twice
	Hangs     []string `json:"hangs"`     // pods that a Job waits for although they have ended
	RunsAgain []string `json:"runsAgain"` // pods whose work is done again, or the time of a CronJob's slot

	Severity Severity `json:"severity"`
	Reason   string   `json:"reason"`
	Action   string   `json:"action,omitempty"` // "" where the reason says all, and for its pods
}

// Twice is an identity of a StatefulSet that runs twice.
type Twice struct {
	Pod    string   `json:"pod"`
	Nodes  []string `json:"nodes"`
	UIDs   []string `json:"uids"`
	Claims []string `json:"claims"` // persistent volume claims that both use
	Until  string   `json:"until"`
}

// workload is a workload of either snapshot, and the pods' counts in both.
type workload struct {
	backup, current *Workload
}

func (w *workload) either() *Workload { return cmp.Or(w.backup, w.current) }

// findWorkloads matches the controllers' objects of both snapshots and finds each pod's.
func (c *Comparison) findWorkloads() {
	byUID := map[string]int32{}
	file := func(list []Workload, set func(*workload, *Workload)) {
		for i := range list {
			w := &list[i]
			at, ok := byUID[w.UID]
			if !ok || w.UID == "" {
				at = int32(len(c.workloads))
				c.workloads = append(c.workloads, workload{})
				byUID[w.UID] = at
			}
			set(&c.workloads[at], w)
		}
	}
	file(c.backup.Workloads, func(w *workload, of *Workload) { w.backup = of })
	file(c.current.Workloads, func(w *workload, of *Workload) { w.current = of })
	slices.SortFunc(c.workloads, func(a, b workload) int {
		x, y := a.either(), b.either()
		return cmp.Or(strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name), strings.Compare(x.UID, y.UID))
	})
	for i := range c.workloads {
		byUID[c.workloads[i].either().UID] = int32(i)
	}
	for _, p := range c.cases {
		p.workload = -1
		uid, ownedBy := "", c.current.OwnedBy
		if p.backup != nil { // controllers use the backup's owner
			uid, ownedBy = p.backup.Owner.UID, c.backup.OwnedBy
		} else if p.current != nil {
			uid = p.current.Owner.UID
		}
		uid = cmp.Or(ownedBy[uid], uid)
		if at, ok := byUID[uid]; ok && uid != "" {
			p.workload = at
			p.Workload = c.workloads[at].either().UID
		}
	}
}

// tally counts what becomes of a workload's pods.
type podTally struct {
	believed, running, mayRun int64
	succeeded                 int64 // that the restore makes so
	moved                     int64 // pods of a DaemonSet whose node registers again
	held                      int64 // being deleted, and still there
	evicted, stopping         int64 // of believed, those that stop to count by themselves: their machine is gone, or they are being stopped
	perhaps                   int64 // of believed, those that may
	by                        int64 // seconds until the last of evicted does
	phantoms, ghosts          int64
	waits                     bool      // a pod of believed does not run, and its kubelet is deaf
	each                      Resources // what one of its pods takes
}

// workloadOutcomes says what becomes of every workload, given what becomes of its
// pods.
func (f *forecast) workloadOutcomes(pods []PodOutcome) []WorkloadOutcome {
	tallies := make([]podTally, len(f.workloads))
	list := make([]WorkloadOutcome, len(f.workloads))
	for i := range pods {
		if api := pods[i].API; api != nil && api.Node == "" && !api.ended() && !api.Terminating {
			f.toPlace.add(&f.cases[i].stored)
		}
		at := f.cases[i].workload
		if at < 0 {
			continue
		}
		f.tally(&tallies[at], &list[at], &pods[i], f.cases[i])
	}
	for i := range list {
		if end := f.jobEnds[int32(i)]; tallies[i].waits && (end == nil || !end.sure) {
			f.waiting[f.workloads[i].either().UID] = f.workloads[i].either().Name
		}
	}
	for i := range list {
		t := &tallies[i]
		f.workload(&list[i], int32(i), t)
		n := list[i].Recreates
		f.toPlace.add(&Resources{n * t.each.MilliCPU, n * t.each.Memory, n})
	}
	return list
}

// tally counts one pod.
func (f *forecast) tally(t *podTally, w *WorkloadOutcome, o *PodOutcome, p *podCase) {
	if t.each.Pods == 0 || p.backup != nil {
		t.each = p.stored
	}
	switch o.Outcome {
	case Phantom:
		t.phantoms++
	case Ghost:
		t.ghosts++
	}
	if len(o.RunsOn) > 0 {
		t.running++
	} else if len(o.MayRunOn) > 0 {
		t.mayRun++
	}
	if api := o.API; api != nil {
		switch {
		case api.Phase == "Succeeded":
			if p.backup != nil && !p.backup.Terminal() {
				t.succeeded++
			}
		case api.Phase == "Failed":
		case api.Terminating:
			t.held++
		default:
			t.believed++
			f.tallyLater(t, o, p)
			deaf := p.node >= 0 && !f.Comparison.nodes[p.node].gone && f.verdicts[p.node].column == deaf
			t.waits = t.waits || deaf && api.Node != "" && len(o.RunsOn)+len(o.MayRunOn) == 0
		}
	}
	// A node that registers again gets new pods of DaemonSets.
	if p.backup == nil && p.node >= 0 && f.Comparison.nodes[p.node].missing() && f.verdicts[p.node].column == restart {
		t.moved++
	}
	kind := f.workloads[p.workload].either().Kind
	if kind == "Job" && o.Outcome == StaleStatus && !o.API.ended() && len(o.RunsOn)+len(o.MayRunOn) == 0 {
		w.Hangs = append(w.Hangs, p.Name)
	}
	if kind == "Job" && slices.Contains(o.Flags, FlagRunsAgain) {
		w.RunsAgain = append(w.RunsAgain, p.Name)
	}
	if kind == "StatefulSet" && o.DoubleRun != nil && p.current != nil {
		w.Twice = append(w.Twice, f.identity(o, p))
	}
}

// tallyLater counts a pod that its controller counts now, and later perhaps no longer.
// ReplicaSets do not count what is being deleted or has ended, StatefulSets
// and DaemonSets wait until it is gone, and delete what has ended (kubernetes v1.37
// pkg/controller/controller_utils.go IsPodActive, statefulset/
// stateful_set_control.go, daemon/daemon_controller.go podsShouldBeOnNode).
func (f *forecast) tallyLater(t *podTally, o *PodOutcome, p *podCase) {
	if o.Then == nil {
		return
	}
	kind := f.workloads[p.workload].either().Kind
	waits := kind == "StatefulSet" || kind == "DaemonSet"
	if kind == "DaemonSet" && p.node >= 0 && f.Comparison.nodes[p.node].gone {
		return // which no other node makes up for
	}
	left := 0
	for _, v := range o.Then.API {
		if v == nil || v.Terminating && !waits || !v.Terminating && v.ended() {
			left++
		}
	}
	switch {
	case left == 0:
	case left < len(o.Then.API), kind == "Job": // which may fail of it, or be done
		t.perhaps++
	case o.Then.By != nil:
		t.stopping++
	default:
		t.evicted++
		t.by = max(t.by, o.Then.BySeconds)
	}
}

// identity is the identity that a pod of the current state shares with another.
func (f *forecast) identity(o *PodOutcome, p *podCase) Twice {
	t := Twice{Pod: p.Name, Nodes: []string{p.Node}, UIDs: []string{p.UID}, Claims: []string{}, Until: o.DoubleRun.Until}
	if p.twin >= 0 {
		other := f.cases[p.twin]
		t.UIDs = append(t.UIDs, other.UID)
		if other.Node != p.Node && other.Node != "" {
			t.Nodes = append(t.Nodes, other.Node)
		}
	}
	for _, claim := range f.workloads[p.workload].either().Claims {
		t.Claims = append(t.Claims, claim+"-"+p.Name)
	}
	return t
}

// workload says what becomes of one workload.
func (f *forecast) workload(o *WorkloadOutcome, at int32, t *podTally) {
	w := &f.workloads[at]
	e := w.either()
	var end *jobEnd
	o.Kind, o.Namespace, o.Name, o.UID = e.Kind, e.Namespace, e.Name, e.UID
	o.Twice, o.Hangs, o.RunsAgain = list(o.Twice), list(o.Hangs), list(o.RunsAgain)
	o.In = "both"
	switch {
	case w.current == nil:
		o.In = string(InBackup)
	case w.backup == nil:
		o.In = string(InCurrent)
	}
	if w.backup != nil {
		o.Wanted = w.backup.Wanted
	}
	if w.current != nil {
		o.WantedNow = w.current.Wanted
	}
	if f.general.column == stale { // controllers see the erased past
		o.Wanted = o.WantedNow
	}
	o.Believed, o.Running, o.MayRun = t.believed, t.running, t.mayRun
	o.Phantoms, o.Ghosts = t.phantoms, t.ghosts
	switch e.Kind {
	case "CronJob":
		f.cronJob(o, w)
		return
	case "Job":
		f.job(o, w, t)
		end = f.jobEnds[at]
		if end != nil && end.sure && end.by == controllersBy {
			o.Wanted, o.Recreates, o.Removes = 0, 0, o.Believed
		}
	default:
		if w.backup != nil && f.general.column != stale {
			there := o.Believed
			if e.Kind == "StatefulSet" || e.Kind == "DaemonSet" { // which wait until a pod is gone
				there += t.held
			}
			o.Recreates = max(o.Wanted-there, 0)
			o.Removes = max(o.Believed-o.Wanted, 0)
		}
		if e.Kind == "DaemonSet" {
			o.Recreates += t.moved
		}
	}
	o.Surplus, o.Shortfall = max(o.Running-o.Wanted, 0), max(o.Wanted-o.Running-o.MayRun, 0)
	var evicted, stopping int64
	if o.Removes == 0 { // it may remove the same ones
		room := max(o.Wanted-(o.Believed+o.Recreates-t.evicted-t.stopping), 0)
		evicted = min(t.evicted, room)
		stopping = min(t.stopping, room-evicted)
	}
	o.RecreatesLater = evicted + stopping
	o.Severity, o.Reason = f.judge(o, w, judgement{evicted: evicted, stopping: stopping, by: t.by, perhaps: t.perhaps > 0 || o.Removes > 0, end: end})
}

// job says how many pods a Job still wants (kubernetes v1.37 pkg/controller/job/
// job_controller.go manageJob): as many as it may run at a time, and no more than
// completions are missing. Controllers that see the erased past see the current state's Job.
func (f *forecast) job(o *WorkloadOutcome, w *workload, t *podTally) {
	of, succeeded, erased := w.backup, t.succeeded, f.general.column == stale
	if erased {
		of, succeeded = w.current, 0
	}
	switch {
	case of == nil:
		return
	case of.Finished || of.Suspended:
		o.Wanted = 0
		return
	}
	done := of.Succeeded + succeeded
	switch {
	case of.Completions > 0:
		o.Wanted = min(of.Wanted, max(of.Completions-done, 0))
	case done > 0: // a work queue: one success ends it
		o.Wanted = min(of.Wanted, o.Believed)
	}
	if !erased {
		o.Recreates, o.Removes = max(o.Wanted-o.Believed, 0), max(o.Believed-o.Wanted, 0)
	}
}

// list makes an empty list of none, so that it is [] in JSON.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
