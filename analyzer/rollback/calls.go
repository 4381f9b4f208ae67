package rollback

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	"revenant/analyzer/finding"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Caller is what makes API servers call another server.
type Caller string

// The callers.
const (
	Admission  Caller = "admission webhook"
	Conversion Caller = "conversion webhook"
	Aggregated Caller = "aggregated API"
)

// Answer says whether something answers a call.
type Answer string

// The answers.
const (
	Answered   Answer = "answered"   // as far as the current state shows
	Outside    Answer = "outside"    // it is outside of the cluster, and no restore changes it
	Unanswered Answer = "unanswered" // nothing does
	NotKnown   Answer = "not known"  // the snapshots do not say
)

// Call is a server that the API servers of the restored state call.
type Call struct {
	Caller  Caller
	Object  string // namespace/name of what says so, with its resource
	Name    string // of the webhook, "" of others
	Service string // namespace/name, "" for one that is called by URL
	// Blocks says that what asks for it fails while nothing answers: a webhook whose
	// failurePolicy is Fail, a conversion that stored objects need.
	Blocks bool
	Answer Answer
	Reason string // for the answer; "" for an answered one
	// Already says that it is known that nothing answers in the current state either.
	Already  bool
	CABundle []byte // that the server is trusted by, PEM
	Evidence []finding.Ref
}

// Calls lists what API servers call once backup is restored, and the objects that could
// not be read, by name. current may be nil: then nothing says whether a pod still runs.
// The only error is ctx's.
func Calls(ctx context.Context, backup, current *snapshot.Snapshot, opts Options) (calls []Call, unread []string, err error) {
	alone := current == nil
	if alone {
		current = backup
	}
	c := newComparison(ctx, backup, current, opts)
	for r := range backup.Keys("") { // how many objects there are is all that counts here
		if key, ok := kube.ParseKey(c.prefix, r.Key); ok {
			c.kind(key).Unchanged++
		}
	}
	k := &calling{comparison: c, alone: alone}
	k.admission()
	k.conversion()
	k.aggregation()
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("list calls: %w", err)
	}
	return k.calls, k.unreadNames(), nil
}

type calling struct {
	*comparison
	alone bool
	calls []Call
}

func (k *calling) admission() {
	const group = "admissionregistration.k8s.io"
	for _, resource := range []string{"validatingwebhookconfigurations", "mutatingwebhookconfigurations"} {
		for ch := range k.ofBackup(group, resource) {
			now := k.readWebhooks(k.current, ch.after)
			for _, w := range k.readWebhooks(k.backup, ch.before) {
				is := kube.Key{}
				if i := slices.IndexFunc(now, func(x webhook) bool { return x.name == w.name }); i >= 0 {
					is = now[i].service
				}
				k.call(&ch, Call{Caller: Admission, Name: w.name, Blocks: w.blocks, CABundle: w.ca}, w.service, is)
			}
		}
	}
}

func (k *calling) conversion() {
	for ch := range k.ofBackup("apiextensions.k8s.io", "customresourcedefinitions") {
		was, ok := k.definition(k.backup, ch.before)
		if !ok || !was.Webhook {
			continue
		}
		f, needed := k.converts(was)
		if !needed {
			continue
		}
		is, _ := k.definition(k.current, ch.after)
		k.call(&ch, Call{Caller: Conversion, Blocks: f.Severity != finding.Warning, CABundle: was.CABundle}, was.Service, is.Service)
	}
}

func (k *calling) aggregation() {
	for ch := range k.ofBackup("apiregistration.k8s.io", "apiservices") {
		was := k.apiService(k.backup, ch.before)
		if was == (kube.Key{}) {
			continue // its own API server serves it
		}
		var ca []byte
		if a, ok := inVersion[apiregistrationv1.APIService](k.comparison, k.backup, ch.before, "APIService"); ok {
			ca = a.Spec.CABundle
		}
		k.call(&ch, Call{Caller: Aggregated, CABundle: ca}, was, k.apiService(k.current, ch.after))
	}
}

// ofBackup yields the objects of a resource that the backup has.
func (k *calling) ofBackup(group, resource string) func(func(change) bool) {
	return func(yield func(change) bool) {
		for before, after := range k.join(kube.Key{Group: group, Resource: resource}.Path(k.prefix)) {
			key, ok := kube.ParseKey(k.prefix, keyOf(before, after))
			if ok && has(before) && !yield(change{key, before, after}) {
				return
			}
		}
	}
}

// call judges a call of the Service was, in whose place the current state has is.
func (k *calling) call(ch *change, call Call, was, is kube.Key) {
	call.Object = resourceName(ch.Key) + " " + objectName(ch.Key)
	call.Evidence = []finding.Ref{k.backup.ref(ch.before)}
	if was != (kube.Key{}) {
		call.Service = objectName(was)
	}
	switch b := k.backed(k.backup, was); {
	case call.Service == "":
		call.Answer, call.Reason = Outside, "it is called by URL"
	case b.outside:
		call.Answer, call.Reason = Outside, "Service "+call.Service+" is an external name"
	case b.unread:
		call.Answer, call.Reason = NotKnown, "Service "+call.Service+", "+b.why
	case b.why != "":
		call.Answer, call.Reason = Unanswered, "Service "+call.Service+", "+k.alive(b.why)
		call.Already = !k.alone && k.backed(k.current, is).dead()
	case k.alone:
		call.Answer, call.Reason = NotKnown, "whether the pods behind Service "+call.Service+" still run is not in the backup"
	default:
		call.Answer = Answered
	}
	k.calls = append(k.calls, call)
}

// alive says of a backup alone what is known: whether its pods run since is not.
func (k *calling) alive(why string) string {
	if k.alone {
		return strings.Replace(why, "have no running pod", "had no running pod when it was taken", 1)
	}
	return why
}

// unreadNames are the objects that a call may be in and that could not be read.
func (k *calling) unreadNames() (list []string) {
	for resource, u := range k.unread {
		if resource == "endpointslices.discovery.k8s.io" || resource == "endpoints" || resource == "pods" {
			continue // the answers say so
		}
		list = append(list, fmt.Sprintf("%s of %s (%v)", words.Count(len(u.values), "value"), resource, cmp.Or(u.err, kube.ErrWrongKind)))
	}
	slices.Sort(list)
	return list
}
