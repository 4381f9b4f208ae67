package diff

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Noise is a set of reasons why a difference does not show that anything happened to
// the object.
type Noise uint16

// The reasons. Generations are none of them: they tell that somebody wrote what is
// wanted, even where it was changed back.
const (
	ManagedFields Noise = 1 << iota // who set which field, when
	Rewritten                       // written again with the same content: another resource version
	Reencoded                       // the same content in another encoding
	Heartbeat                       // a node's conditions, reported again
	Renewal                         // a lease, renewed or taken by the same holder
	Leader                          // the same, in the annotation that was used before leases
	Repetition                      // an event that occurred again
	Identity                        // an API server's own lease, which it renews by raising its generation
	Outdated                        // metadata that later versions of Kubernetes no longer have, and drop
)

var noiseNames = []string{
	"managed fields", "resource version", "encoding", "node heartbeats", "lease renewals", "leader annotations", "repeated events", "API server leases", "outdated metadata",
}

// Names lists the reasons.
func (n Noise) Names() []string {
	var list []string
	for i, name := range noiseNames {
		if n&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return list
}

func (n Noise) String() string { return strings.Join(n.Names(), ", ") }

// The kinds that have noise of their own.
const (
	kindNode   = "v1/Node"
	kindLease  = "coordination.k8s.io/Lease"
	kindEvent  = "v1/Event"
	kindEvents = "events.k8s.io/Event"
	kindServer = "serverlease" // an Endpoints object where an API server keeps that it is there
)

// kindOf names a kind by its API group, or version in the core group.
func kindOf(apiVersion, kind string) string {
	group, _, _ := strings.Cut(apiVersion, "/")
	return group + "/" + kind
}

// leaderKey is the annotation by which leaders were elected before there were leases
// (client-go tools/leaderelection/resourcelock LeaderElectionRecordAnnotationKey).
const (
	leaderKey        = "control-plane.alpha.kubernetes.io/leader"
	leaderAnnotation = `metadata.annotations["` + leaderKey + `"]`
)

// noiseOf says what makes the change of a field noise, 0 when it is none.
func noiseOf(kind, path, before, after string) Noise {
	switch {
	case path == "metadata.managedFields" || strings.HasPrefix(path, "metadata.managedFields["):
		return ManagedFields
	case path == "metadata.resourceVersion":
		return Rewritten
	case (path == "metadata.clusterName" || path == "metadata.initializers") && (before == "" || after == ""):
		return Outdated
	case path == leaderAnnotation && sameLeader(before, after):
		return Leader
	}
	switch kind {
	case kindNode:
		if strings.HasPrefix(path, "status.conditions[") && strings.HasSuffix(path, "].lastHeartbeatTime") {
			return Heartbeat
		}
	case kindLease: // another holder has another holderIdentity, which is none
		if path == "spec.renewTime" || path == "spec.acquireTime" {
			return Renewal
		}
	case kindEvent, kindEvents:
		switch path {
		case "count", "lastTimestamp", "series.count", "series.lastObservedTime", "deprecatedCount", "deprecatedLastTimestamp":
			return Repetition
		}
	case kindServer: // kubernetes v1.37 pkg/controlplane/reconcilers lease.go UpdateLease, peer_endpoint_lease.go UpdateLease
		if path == "metadata.generation" {
			return Identity
		}
	}
	return 0
}

// sameLeader says that two records of an election, as JSON in JSON, differ in times
// alone.
func sameLeader(before, after string) bool {
	b, okB := leader(before)
	a, okA := leader(after)
	return okB && okA && maps.Equal(b, a)
}

func leader(quoted string) (map[string]string, bool) {
	var record string
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(quoted), &record) != nil || json.Unmarshal([]byte(record), &fields) != nil {
		return nil, false
	}
	m := map[string]string{}
	for name, v := range fields {
		if !slices.Contains([]string{"renewTime", "acquireTime"}, name) {
			m[name] = string(v)
		}
	}
	return m, true
}
