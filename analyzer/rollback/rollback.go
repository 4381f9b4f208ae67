package rollback

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"revenant/analyzer/clock"
	"revenant/analyzer/finding"
	"revenant/analyzer/watchers"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Options says how to compare. The zero value takes keys at the root.
type Options struct {
	// Prefix is the API servers' --etcd-prefix, as package kube takes it.
	Prefix string
	// Taken is when the current snapshot was taken: the clock by which things of the
	// backup have expired. Without it nothing is said of certificates.
	Taken clock.Interval
}

// Rollback is what a restore takes back in time.
type Rollback struct {
	Kinds    []Kind     `json:"kinds"`    // of all resources that either snapshot holds, and of all other keys, by name
	Findings []Finding  `json:"findings"` // worst first, at most MaxFindings of one id
	Summary  map[ID]int `json:"summary"`  // how many there are of each id, those not listed included
	// Watchers is what watches beside kubelets.
	Watchers *watchers.List `json:"watchers"`
}

// MaxFindings is how many findings of one id are listed.
const MaxFindings = 50

// maxExamples is how many names stand for objects that are only counted.
const maxExamples = 5

// Kind counts the objects of one resource by what a restore does to them.
type Kind struct {
	// Resource is as kubectl takes it, services or deployments.apps; of keys that hold
	// no API object it says in words whose they are and what they hold.
	Resource string `json:"resource"`
	// Owner is whose those are, "" of API objects. Their Examples are keys.
	Owner keyspace.Owner `json:"owner,omitempty"`

	Lost        int `json:"lost"`        // only in the current state
	Resurrected int `json:"resurrected"` // only in the backup
	Replaced    int `json:"replaced"`    // deleted and recreated in between: another uid
	RolledBack  int `json:"rolledBack"`  // changed in between
	Unchanged   int `json:"unchanged"`

	// StatusOnly is how many of RolledBack differ in nothing but status. It is not
	// told of pods.
	StatusOnly int `json:"statusOnly"`
	// Heartbeats changed in nothing that lasts: leases renewed by the same holder,
	// nodes that reported their status, events that happened again. They are not
	// in RolledBack.
	Heartbeats int `json:"heartbeats"`

	Examples Examples `json:"examples"`
}

// Changed says whether a restore changes any object of the resource.
func (k *Kind) Changed() bool { return k.Lost+k.Resurrected+k.Replaced+k.RolledBack > 0 }

// Examples are the first few objects of each sort, as namespace/name.
type Examples struct {
	Lost        []string `json:"lost"`
	Resurrected []string `json:"resurrected"`
	Replaced    []string `json:"replaced"`
	RolledBack  []string `json:"rolledBack"`
}

// Finding is one thing that a restore does to an object or, where Name is empty,
// to a whole resource or group.
type Finding struct {
	ID        ID                `json:"id"`
	Severity  finding.Severity  `json:"severity"`
	Certainty finding.Certainty `json:"certainty"` // of Inferred, where there is one
	Kind      string            `json:"kind"`      // resource, as kubectl takes it
	Namespace string            `json:"namespace"`
	Name      string            `json:"name"`
	Reason    string            `json:"reason"`             // what the snapshots show
	Inferred  string            `json:"inferred,omitempty"` // what follows from it, and they cannot show
	Action    string            `json:"action"`
	Evidence  []finding.Ref     `json:"evidence"`
}

// Compare says what restoring backup takes back of what current holds. The only
// error is ctx's.
func Compare(ctx context.Context, backup, current *snapshot.Snapshot, opts Options) (*Rollback, error) {
	c := newComparison(ctx, backup, current, opts)
	defer c.findWatchers()()
	for _, step := range []func(){
		c.count, c.changedPods,
		c.namespaceFindings, c.volumes, c.attachments, c.services, c.endpoints,
		c.secrets, c.serviceAccounts, c.permissions, c.webhooks, c.nodes, c.masters, c.devices, c.podCertificates,
		c.definitions, c.conversions, c.apiServices, c.customResources, c.otherKeys, c.encodings, c.watchers, c.unreadable,
	} {
		step()
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("compare snapshots: %w", err)
		}
	}
	return &Rollback{Kinds: c.counted(), Findings: c.findings(), Summary: c.summary, Watchers: c.watching}, nil
}

func newComparison(ctx context.Context, backup, current *snapshot.Snapshot, opts Options) *comparison {
	return &comparison{
		ctx:        ctx,
		prefix:     opts.Prefix,
		taken:      opts.Taken,
		backup:     side{finding.InBackup, backup},
		current:    side{finding.InCurrent, current},
		kinds:      map[kube.Key]*kindCount{},
		namer:      keyspace.NewNamer(opts.Prefix),
		others:     map[keyspace.Sort]*otherCount{},
		namespaces: map[string]*content{},
		found:      map[ID][]Finding{},
		summary:    map[ID]int{},
		unread:     map[string]*unread{},
		pods:       map[string][]pod{},
		addresses:  map[string]string{},
		tokens:     map[string]*holders{},
	}
}

// comparison is the work of one Compare.
type comparison struct {
	ctx             context.Context
	prefix          string
	taken           clock.Interval
	backup, current side

	kinds      map[kube.Key]*kindCount // by group and resource
	namespaces map[string]*content     // what each holds

	namer  *keyspace.Namer
	others map[keyspace.Sort]*otherCount // keys that hold no API object

	lists    [2]chan *watchers.List // of backup and current state
	watching *watchers.List

	found   map[ID][]Finding
	summary map[ID]int
	unread  map[string]*unread // by resource

	pods         map[string][]pod    // of the current state, of the namespaces asked for
	addresses    map[string]string   // pod IP → key of the pod that got it since the backup
	certificates holders             // pods only in the current state that have certificates of their own
	tokens       map[string]*holders // namespace/serviceaccount → pods only in the current state with a token of it
}

// side is one of the two snapshots.
type side struct {
	in finding.In
	*snapshot.Snapshot
}

func (s side) ref(r snapshot.Record) finding.Ref {
	return finding.Ref{Snapshot: s.in, Key: r.Key, Revision: r.Main}
}

// has says whether there is a record, which the zero Record is not.
func has(r snapshot.Record) bool { return r.Key != "" }

// add lists a finding about the object or resource k. What the finding does not
// say is taken from the description of its id.
func (c *comparison) add(id ID, k kube.Key, f Finding) {
	info := infos[id]
	f.ID, f.Kind, f.Namespace, f.Name = id, resourceName(k), k.Namespace, k.Name
	f.Severity = cmp.Or(f.Severity, info.Severity)
	f.Certainty = cmp.Or(f.Certainty, info.Certainty)
	f.Inferred = cmp.Or(f.Inferred, info.Inferred)
	f.Action = cmp.Or(f.Action, info.Remedy)
	c.summary[id]++
	if list := c.found[id]; len(list) < MaxFindings {
		c.found[id] = append(list, f)
		return
	}
	// A worse one takes the place of the last that is less bad.
	list := c.found[id]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Severity.Rank() > f.Severity.Rank() {
			c.found[id] = append(slices.Delete(list, i, i+1), f)
			return
		}
	}
}

// evidence lists the records that there are, of the backup and of the current
// state.
func (c *comparison) evidence(before, after snapshot.Record) []finding.Ref {
	refs := []finding.Ref{}
	if has(before) {
		refs = append(refs, c.backup.ref(before))
	}
	if has(after) {
		refs = append(refs, c.current.ref(after))
	}
	return refs
}

// findings are all, worst first, and of one sort the surest first.
func (c *comparison) findings() []Finding {
	list := []Finding{}
	for _, info := range Infos {
		of := c.found[info.ID]
		slices.SortStableFunc(of, func(a, b Finding) int { return cmp.Compare(a.Certainty.Rank(), b.Certainty.Rank()) })
		list = append(list, of...)
	}
	slices.SortStableFunc(list, func(a, b Finding) int { return cmp.Compare(a.Severity.Rank(), b.Severity.Rank()) })
	return list
}

// resourceName is what kubectl takes for the resource of k.
func resourceName(k kube.Key) string {
	if k.Group == "" {
		return k.Resource
	}
	return k.Resource + "." + k.Group
}

// objectName is namespace/name, or the name of a cluster-scoped object.
func objectName(k kube.Key) string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}
