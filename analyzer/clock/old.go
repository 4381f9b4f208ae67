package clock

import (
	"bytes"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Before Kubernetes 1.14 nothing renewed Leases. Kubelets reported the status of their
// Node every ten seconds, and leaders renewed an annotation of an Endpoints object or a
// ConfigMap every two.

// leaderKey is that annotation (client-go v7 tools/leaderelection/resourcelock
// interface.go LeaderElectionRecordAnnotationKey).
const leaderKey = "control-plane.alpha.kubernetes.io/leader"

// reports reads the marks of a cluster without Leases.
func (r *reader) reports() error {
	for _, resource := range []string{"endpoints", "configmaps"} {
		if err := r.reported(kube.Key{Resource: resource, Namespace: "kube-system"}, Leader, leaderKey, leaderTime); err != nil {
			return err
		}
	}
	return r.reported(kube.Key{Resource: "nodes"}, Heartbeat, "", heartbeatTime)
}

// reported reads a time off the retained versions of objects that report it over and
// over. Where it is later than in the version before, the version was written because
// of it. An old version that is the only one left may have been written for another
// reason, at any time after it. A value without the text has no such time.
func (r *reader) reported(key kube.Key, source Source, text string, timeOf func(*kube.Object) time.Time) error {
	var histories [][]snapshot.Record
	for key := range r.s.AllKeys(key.Path(r.prefix)) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if len(histories) == maxRenewals {
			break
		}
		histories = append(histories, r.s.History(key))
	}
	for _, h := range histories {
		var before time.Time
		for _, record := range h[max(0, len(h)-max(2, maxRenewals/len(histories))):] {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			value, err := r.s.Value(record)
			if err != nil || !bytes.Contains(value, []byte(text)) {
				continue
			}
			t := timeOf(kube.Decode(key, value))
			if t.IsZero() {
				continue
			}
			m := Mark{record.Main, t.UTC(), Report, record.Key}
			if t.After(before) && t.Sub(before) <= 2*renewedEvery {
				m.Source = source
			}
			r.marks, before = append(r.marks, m), t
		}
	}
	return nil
}

// leaderTime is when a leader last renewed that it leads, by the annotation.
func leaderTime(o *kube.Object) time.Time {
	var record struct {
		RenewTime time.Time `json:"renewTime"`
	}
	_ = json.Unmarshal([]byte(metadata(o).GetAnnotations()[leaderKey]), &record)
	return record.RenewTime
}

// heartbeatTime is when a kubelet last reported a condition of its Node.
func heartbeatTime(o *kube.Object) (newest time.Time) {
	node, ok := o.Typed.(*corev1.Node)
	if !ok {
		return newest
	}
	for _, c := range node.Status.Conditions {
		if c.LastHeartbeatTime.After(newest) {
			newest = c.LastHeartbeatTime.Time
		}
	}
	return newest
}

// eventTime is when an event last occurred.
func eventTime(o *kube.Object) time.Time {
	event, ok := o.Typed.(*corev1.Event)
	if !ok {
		return time.Time{}
	}
	return event.LastTimestamp.UTC()
}
