package resources

import (
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	lifecyclev1alpha1 "k8s.io/api/lifecycle/v1alpha1"
	resourcev1 "k8s.io/api/resource/v1"
	resourcev1alpha3 "k8s.io/api/resource/v1alpha3"
	schedulingv1alpha3 "k8s.io/api/scheduling/v1alpha3"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/duration"

	"revenant/analyzer/clock"
)

// newer are resources of which no cluster that is older than 1.34 has any.
var newer = map[string]printer{
	"podcertificaterequests": printerOf("Name  PodName  ServiceAccountName  NodeName  SignerName  State  UnverifiedUserAnnotations", func(o *certificatesv1.PodCertificateRequest) []any {
		state := "Pending"
		for _, c := range o.Status.Conditions {
			switch c.Type {
			case certificatesv1.PodCertificateRequestConditionTypeIssued, certificatesv1.PodCertificateRequestConditionTypeDenied, certificatesv1.PodCertificateRequestConditionTypeFailed:
				state = c.Type
			}
		}
		s := &o.Spec
		return []any{o.Name, s.PodName, s.ServiceAccountName, string(s.NodeName), s.SignerName, state, labels.FormatLabels(s.UnverifiedUserAnnotations)}
	}),
	"devicetaintrules": printerOf("Name  Key  Value  Effect  TimeAdded  Age", func(o *resourcev1.DeviceTaintRule) []any {
		taint := &o.Spec.Taint
		var added any = ""
		if taint.TimeAdded != nil {
			added = *taint.TimeAdded
		}
		return []any{o.Name, taint.Key, taint.Value, string(taint.Effect), added, o.CreationTimestamp}
	}),
	"resourcepoolstatusrequests": timed("Name  Driver  Total  Available  Allocated  Unavailable  Errors  Pools  Status  Completed", poolStatusValues),
	"podgroups": printerOf("Name  Policy  Workload  Status  Age", func(o *schedulingv1beta1.PodGroup) []any {
		policy, workload, status := "Basic", none, "Pending"
		if o.Spec.SchedulingPolicy.Gang != nil {
			policy = "Gang"
		}
		if ref := o.Spec.WorkloadRef; ref != nil {
			workload = ref.WorkloadName
		}
		if c := meta.FindStatusCondition(o.Status.Conditions, schedulingv1beta1.PodGroupInitiallyScheduled); c != nil {
			status = "Unschedulable"
			if c.Status == metav1.ConditionTrue {
				status = "Scheduled"
			}
		}
		if c := meta.FindStatusCondition(o.Status.Conditions, schedulingv1beta1.DisruptionTarget); c != nil {
			status = c.Reason
		}
		return []any{o.Name, policy, workload, status, o.CreationTimestamp}
	}),
	"compositepodgroups": printerOf("Name  Policy  Workload  Age", func(o *schedulingv1alpha3.CompositePodGroup) []any {
		policy, workload := "Basic", none
		if o.Spec.SchedulingPolicy.Gang != nil {
			policy = "Gang"
		}
		if ref := o.Spec.WorkloadRef; ref != nil {
			workload = ref.WorkloadName
		}
		return []any{o.Name, policy, workload, o.CreationTimestamp}
	}),
	"evictionrequests": printerOf("Name  Target  Target Type  Status  Requester  Intent  Age", func(o *lifecyclev1alpha1.EvictionRequest) []any {
		target, kind := unset, unset
		if pod := o.Spec.Target.Pod; pod != nil {
			target, kind = pod.Name, "Pod"
		}
		status := evictionState(o.Status.ObservedGeneration, o.Status.Conditions)
		return []any{o.Name, target, kind, status, o.Spec.Requester, string(o.Spec.Intent), o.CreationTimestamp}
	}),
	"evictions": timed("Name  Target  Target Type  Status  Active Responder  Responder Status  Responder Expected Finish  Requesters  Age  +Responder Heartbeat  +Responder Status Message", evictionValues),
}

// poolStatusValues mirrors printResourcePoolStatusRequest.
func poolStatusValues(o *resourcev1alpha3.ResourcePoolStatusRequest, now clock.Interval) []any {
	status, completed, pools := "Pending", none, int32(0)
	sums := [5]any{"-", "-", "-", "-", "-"}
	if s := o.Status; s != nil {
		failed := false
		for _, c := range s.Conditions {
			if c.Status != metav1.ConditionTrue {
				continue
			}
			if c.Type == resourcev1alpha3.ResourcePoolStatusRequestConditionComplete {
				status, completed = "Complete", Age(c.LastTransitionTime.Time, now).Text
				break
			}
			if c.Type == resourcev1alpha3.ResourcePoolStatusRequestConditionFailed {
				status, failed = "Failed", true
				break
			}
		}
		pools = given(s.PoolCount, 0)
		if status == "Complete" && int(pools) > len(s.Pools) {
			status = fmt.Sprintf("Complete (%d/%d pools)", len(s.Pools), pools)
		}
		if !failed {
			var all, free, allocated, unavailable, errors int32
			for i := range s.Pools {
				p := &s.Pools[i]
				all, free = all+given(p.TotalDevices, 0), free+given(p.AvailableDevices, 0)
				allocated, unavailable = allocated+given(p.AllocatedDevices, 0), unavailable+given(p.UnavailableDevices, 0)
				if p.ValidationError != nil {
					errors++
				}
			}
			sums = [5]any{all, free, allocated, unavailable, errors}
		}
	}
	return []any{o.Name, o.Spec.Driver, sums[0], sums[1], sums[2], sums[3], sums[4], pools, status, completed}
}

// evictionState mirrors resolveEvictionStatusConditions.
func evictionState(observed *int64, conditions []metav1.Condition) string {
	status := "Pending"
	if given(observed, 0) > 0 {
		status = "Progressing"
	}
	for _, kind := range []lifecyclev1alpha1.EvictionConditionType{lifecyclev1alpha1.EvictionConditionFailed, lifecyclev1alpha1.EvictionConditionTargetEvicted} {
		if c := meta.FindStatusCondition(conditions, string(kind)); c != nil && c.Status == metav1.ConditionTrue {
			status = fmt.Sprintf("%s (%s)", c.Type, c.Reason)
		}
	}
	return status
}

// evictionValues mirrors printEviction.
func evictionValues(o *lifecyclev1alpha1.Eviction, now clock.Interval) []any {
	target, kind := unset, unset
	if pod := o.Spec.Target.Pod; pod != nil {
		target, kind = pod.Name, "Pod"
	}
	var active, ended *lifecyclev1alpha1.TargetResponder
	started := 0
	for i := range o.Status.TargetResponders {
		switch r := &o.Status.TargetResponders[i]; r.State {
		case lifecyclev1alpha1.ResponderStateActive:
			started, active = started+1, r
		case lifecyclev1alpha1.ResponderStateCanceled, lifecyclev1alpha1.ResponderStateInterrupted, lifecyclev1alpha1.ResponderStateCompleted:
			started, ended = started+1, r
		}
	}
	if active == nil {
		active = ended
	}
	responder, does := unset, responderTexts{unset, unknown, unset, unset}
	if active != nil {
		responder = active.Name
		i := slices.IndexFunc(o.Status.Responders, func(r lifecyclev1alpha1.ResponderStatus) bool { return r.Name == active.Name })
		if i >= 0 {
			does.read(string(active.State), &o.Status.Responders[i], now)
		}
	}
	var names []string
	for _, r := range o.Status.Requesters {
		if r.Intent != lifecyclev1alpha1.RequesterIntentWithdrawn {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	requesters := none
	if len(o.Status.Requesters) > 0 {
		requesters = firstOf(1, names, ",", "<withdrawn>")
	}
	return []any{
		o.Name, target, kind, evictionState(o.Status.ObservedGeneration, o.Status.Conditions), fmt.Sprintf("%s (%d/%d)", responder, started, len(o.Status.TargetResponders)),
		does.state, does.finish, requesters, o.CreationTimestamp, does.heartbeat, does.message,
	}
}

// responderTexts is what is printed of what evicts a pod.
type responderTexts struct{ state, finish, heartbeat, message string }

func (t *responderTexts) read(state string, r *lifecyclev1alpha1.ResponderStatus, now clock.Interval) {
	t.state = state
	since := func(at *metav1.Time) string { return Age(at.Time, now).Text + " ago" }
	switch lifecyclev1alpha1.ResponderStateType(state) {
	case lifecyclev1alpha1.ResponderStateActive:
		if r.StartTime == nil {
			break
		}
		t.state = fmt.Sprintf("Started (%s)", since(r.StartTime))
		if end := r.ExpectedCompletionTime; end != nil {
			if t.finish = since(end); !now.To.IsZero() && end.After(now.To) {
				t.finish = "in " + duration.HumanDuration(end.Sub(now.To))
			}
		}
	case lifecyclev1alpha1.ResponderStateCanceled, lifecyclev1alpha1.ResponderStateInterrupted:
		t.finish = "-"
	case lifecyclev1alpha1.ResponderStateCompleted:
		if t.finish = "-"; r.CompletionTime != nil {
			t.state = fmt.Sprintf("%s (%s)", state, since(r.CompletionTime))
		}
	}
	if r.HeartbeatTime != nil {
		t.heartbeat = since(r.HeartbeatTime)
	}
	if text := strings.TrimSpace(given(r.Message, "")); text != "" {
		t.message = text
	}
}
