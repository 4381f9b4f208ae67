package clock

import (
	"context"
	"iter"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// How many marks are read off a snapshot at most, so that a large one costs no
// more than a small one: renewals off the histories of leases, and objects spread evenly over the
// revisions.
const (
	maxRenewals = 2000
	maxObjects  = 1000
)

// Build reads the marks of a snapshot whose API server keeps its keys below
// prefix. Values that cannot be read, or tell no time, give none; the only error
// is ctx's.
func Build(ctx context.Context, s *snapshot.Snapshot, prefix string) (*Clock, error) {
	r := reader{ctx: ctx, s: s, prefix: prefix}
	if err := r.renewals(); err != nil {
		return nil, err
	}
	if r.leaseless = len(r.marks) == 0; r.leaseless {
		if err := r.reports(); err != nil {
			return nil, err
		}
	}
	if err := r.objects(); err != nil {
		return nil, err
	}
	return New(r.marks, s.NewestRecord(), s.BumpMarkers()), nil
}

type reader struct {
	ctx    context.Context
	s      *snapshot.Snapshot
	prefix string
	marks  []Mark

	leaseless bool // no Lease tells a time
}

// renewals reads the retained history of Leases: the newest version of each, then
// the ones before as far as they may.
func (r *reader) renewals() error {
	var leases []string
	for key := range r.s.AllKeys(kube.Key{Resource: "leases"}.Path(r.prefix)) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if len(leases) == maxRenewals {
			break
		}
		leases = append(leases, key)
	}
	for age, left := 0, maxRenewals; ; age++ {
		read := 0
		for _, key := range leases {
			record, ok := r.s.Before(key, age)
			if !ok || left == 0 {
				continue
			}
			if err := r.ctx.Err(); err != nil {
				return err
			}
			r.renewal(record)
			read, left = read+1, left-1
		}
		if read == 0 {
			return nil
		}
	}
}

func (r *reader) renewal(record snapshot.Record) {
	r.marks = append(r.marks, renewal(record, r.decode(record, kube.Decode))...)
}

// renewal is the mark of a Lease, none of anything else.
func renewal(record snapshot.Record, o *kube.Object) []Mark {
	lease, err := kube.As[*coordinationv1.Lease](o)
	if err != nil || lease.Spec.RenewTime == nil {
		return nil
	}
	return []Mark{{record.Main, lease.Spec.RenewTime.UTC(), Renewal, record.Key}}
}

// Of is the clock of some records of a store whose newest revision is head: of a few of
// them it knows less than Build.
func Of(ctx context.Context, records iter.Seq2[snapshot.Record, []byte], head int64, prefix string) (*Clock, error) {
	var marks []Mark
	for record, value := range records {
		key, ok := kube.ParseKey(prefix, record.Key)
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if key.GroupResource() == "leases.coordination.k8s.io" {
			marks = append(marks, renewal(record, kube.Decode(key, value))...)
			continue
		}
		marks = append(marks, dates(record, kube.DecodeMetadata(key, value))...)
	}
	return New(marks, head, nil), nil
}

// objects reads what objects say of themselves: when they were created, which is
// when their create revision was written, whichever version is retained; and when
// they were changed.
func (r *reader) objects() error {
	for record := range r.s.EveryNth(max(1, r.s.Len()/maxObjects)) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		o := r.decode(record, kube.DecodeMetadata)
		if t := eventTime(o); r.leaseless && record.Version > 1 && !t.IsZero() {
			r.marks = append(r.marks, Mark{record.Main, t, Report, ""})
		}
		r.marks = append(r.marks, dates(record, o)...)
	}
	return nil
}

// dates are the marks that any object has: when it was created, and when its fields were
// changed.
func dates(record snapshot.Record, o *kube.Object) (marks []Mark) {
	m := metadata(o)
	if t := m.GetCreationTimestamp(); !t.IsZero() {
		marks = append(marks, Mark{record.CreateRevision, t.UTC(), Creation, ""})
	}
	if t := changed(m); record.Version > 1 && !t.IsZero() {
		marks = append(marks, Mark{record.Main, t, Change, ""})
	}
	return marks
}

// metadata is the object's metadata, empty when it has none.
func metadata(o *kube.Object) metav1.Object {
	if m, err := meta.Accessor(o.Typed); err == nil {
		return m
	}
	return &unstructured.Unstructured{Object: o.Unstructured}
}

// changed is the newest time of the managed fields, UTC.
func changed(m metav1.Object) (newest time.Time) {
	for _, f := range m.GetManagedFields() {
		if f.Time != nil && f.Time.After(newest) {
			newest = f.Time.UTC()
		}
	}
	return newest
}

// decode reads an object, an empty one where there is none to read.
func (r *reader) decode(record snapshot.Record, decode func(kube.Key, []byte) *kube.Object) *kube.Object {
	key, ok := kube.ParseKey(r.prefix, record.Key)
	if !ok {
		return &kube.Object{}
	}
	value, err := r.s.Value(record)
	if err != nil {
		return &kube.Object{}
	}
	return decode(key, value)
}
