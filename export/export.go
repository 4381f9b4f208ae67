// Package export makes the rows of tables of what snapshots hold, for engines that
// query many of them: DuckDB, Trino, Spark.
//
// It takes a snapshot, with what inspect, preflight and predict found out about it,
// and returns rows of the tables in List, as Parquet or NDJSON. Of a Secret only the
// metadata is read, and no row has its content. What cannot be read has a row that
// says so.
//
// The same evidence, read with the same flags, gives the same bytes: no row says
// when it was made. Memory is bounded: rows are written as they are made.
package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"revenant/analyzer/clock"
	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/report"
)

// Source is a snapshot, and what was found of it.
type Source struct {
	ID         string // its SHA-256, as the tables have it
	Snapshot   *snapshot.Snapshot
	Clock      *clock.Clock // nil knows nothing
	Prefix     string       // of the API servers' keys
	Inspection *report.InspectedEvidence
	Problems   []snapshot.Problem // beyond those of the inspection

	Checks     *preflight.Report   // nil where nothing could be checked
	Prediction *restore.Prediction // nil without a current state
	Current    string              // the ID of that
	Refused    error               // why there is no prediction although there is one

	Tool string // version
}

// Write writes the rows of a snapshot. The error is ctx's, or that of a sink.
func (s *Source) Write(ctx context.Context, to *Sinks) error {
	w := &rows{Source: s, ctx: ctx, to: to, cluster: s.Inspection.Kubernetes.ClusterUID, images: map[image]int64{}}
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() { errs[0] = w.revisions() }) // from the index alone: it finds nothing that the others tell
	both.Go(func() {
		for _, step := range []func() error{w.objects, w.flushImages, w.predictions, w.checks, w.snapshot} {
			if errs[1] = step(); errs[1] != nil {
				return
			}
		}
	})
	both.Wait()
	return errors.Join(errs[:]...)
}

// Unread is the row of a file that cannot be opened as a snapshot.
type Unread struct {
	ID, Path  string
	SizeBytes int64
	Err       error
	Tool      string
}

// Write writes the row.
func (u *Unread) Write(to *Sinks) error {
	return to.Snapshots.Write(&Snapshot{
		SnapshotSHA256: u.ID, Path: u.Path, SizeBytes: u.SizeBytes, Integrity: "unread",
		Members: []string{}, Alarms: []string{}, BumpMarkers: []int64{}, Prefixes: []string{}, OtherPrefixes: []string{}, Encryption: []Encryption{},
		Missing:  []Missing{{Kind: string(snapshot.MissingContent), What: "all of it"}},
		Problems: []Problem{{Severity: string(snapshot.Damage), Location: "file", What: u.Err.Error(), Cost: "all of it"}},

		SchemaVersion: SchemaVersion, ToolVersion: u.Tool,
	})
}

// rows makes the rows of one snapshot.
type rows struct {
	*Source
	ctx     context.Context
	to      *Sinks
	cluster string
	unread  int64
	images  map[image]int64 // containers
}

type image struct{ name, id, namespace string }

// maxImages is how many different ones are counted before they are written.
const maxImages = 1 << 15

// stamp is a time as tables have it, in UTC and whole microseconds; zero where it is
// none that a calendar has.
func stamp(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.Truncate(time.Microsecond)
}

// objects writes what the newest state has.
func (w *rows) objects() error {
	n := 0
	for r := range w.Snapshot.Keys("") {
		if n++; n&0xff == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		key, ok := kube.ParseKey(w.Prefix, r.Key)
		if !ok {
			continue
		}
		if err := w.object(key, r); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w *rows) object(key kube.Key, r snapshot.Record) error {
	written := w.Clock.TimeOf(r.Main)
	row := Object{
		ClusterUID: w.cluster, SnapshotSHA256: w.ID,
		Key: r.Key, Resource: key.GroupResource(), Namespace: key.Namespace, Name: key.Name,
		CreateRevision: r.CreateRevision, ModRevision: r.Main, Version: r.Version, SizeBytes: int64(r.Size),
		WrittenFrom: stamp(written.From), WrittenTo: stamp(written.To), Encoding: kube.UnknownEncoding.String(), Labels: map[string]string{},
	}
	value, err := w.Snapshot.Decrypted(r)
	if err == nil {
		err = row.read(value)
	} else if stored, headErr := w.Snapshot.Head(r, 1<<8); headErr == nil {
		if e, _ := kube.ParseEnvelope(stored); e.Encoding == kube.Encrypted {
			row.Encoding = e.Encoding.String()
		}
	}
	if err != nil {
		row.Problem = err.Error()
		w.unread++
	}
	if err := w.to.Objects.Write(&row); err != nil {
		return err
	}
	switch key.Plural() {
	case "pods":
		return w.pod(key, value, row.Problem)
	case "nodes":
		return w.node(key, value, row.Problem)
	}
	return nil
}

// read takes what the metadata of a stored value says.
func (o *Object) read(value []byte) error {
	envelope, err := kube.ParseEnvelope(value)
	if err != nil {
		return err
	}
	o.Encoding = envelope.Encoding.String()
	meta, err := kube.ScanMeta(value)
	if err != nil {
		return err
	}
	o.APIVersion, o.Kind, o.UID = meta.APIVersion, meta.Kind, meta.UID
	o.CreatedAt, o.DeletedAt = stamp(meta.Created), stamp(meta.Deleted)
	links, err := kube.ScanLinks(value)
	if err != nil {
		return err
	}
	if links.Labels != nil {
		o.Labels = links.Labels
	}
	for _, owner := range links.Owners {
		if owner.Controller != nil && *owner.Controller {
			o.OwnerKind, o.OwnerName, o.OwnerUID = owner.Kind, owner.Name, string(owner.UID)
		}
	}
	return nil
}

func (w *rows) node(key kube.Key, value []byte, problem string) error {
	row := Node{ClusterUID: w.cluster, SnapshotSHA256: w.ID, Name: key.Name, Problem: problem}
	if problem == "" {
		scanned, err := kube.ScanNode(value)
		typed, typedErr := kube.As[*corev1.Node](kube.Decode(key, value))
		if err = errors.Join(err, typedErr); err != nil {
			row.Problem = err.Error()
		} else {
			info, allocatable := &typed.Status.NodeInfo, scanned.Allocatable
			row.UID, row.CreatedAt, row.ProviderID = scanned.UID, stamp(scanned.Created), scanned.ProviderID
			row.KubeletVersion, row.RuntimeVersion, row.OSImage = info.KubeletVersion, info.ContainerRuntimeVersion, info.OSImage
			row.KernelVersion, row.Architecture = info.KernelVersion, info.Architecture
			row.Unschedulable, row.Ready = &scanned.Unschedulable, string(scanned.Ready)
			row.AllocatableCPU, row.AllocatableMemory, row.AllocatablePods = &allocatable.MilliCPU, &allocatable.Memory, &allocatable.Pods
		}
	}
	return w.to.Nodes.Write(&row)
}

// revisions writes what is retained, from the index alone.
func (w *rows) revisions() error {
	n := 0
	for r := range w.Snapshot.Records() {
		if n++; n&0xfff == 0 && w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		written := w.Clock.TimeOf(r.Main)
		row := Revision{
			ClusterUID: w.cluster, SnapshotSHA256: w.ID,
			Revision: r.Main, Sub: r.Sub, Operation: "put", Key: r.Key,
			CreateRevision: r.CreateRevision, Version: r.Version, SizeBytes: int64(r.Size), WrittenFrom: stamp(written.From), WrittenTo: stamp(written.To),
		}
		if r.Tombstone {
			row.Operation = "delete"
		}
		if key, ok := kube.ParseKey(w.Prefix, r.Key); ok {
			row.Resource, row.Namespace, row.Name = key.GroupResource(), key.Namespace, key.Name
		}
		if err := w.to.Revisions.Write(&row); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w *rows) predictions() error {
	if w.Prediction == nil {
		return nil
	}
	for i := range w.Prediction.Pods {
		p := &w.Prediction.Pods[i]
		row := Prediction{
			ClusterUID: w.cluster, SnapshotSHA256: w.ID, CurrentSHA256: w.Current,
			Namespace: p.Namespace, Name: p.Name, UID: p.UID, NodeName: p.Node,
			Outcome: string(p.Outcome), Severity: string(p.Severity), Certainty: string(p.Certainty), Rule: string(p.Rule), Heals: string(p.Heals),
			Flags: []string{}, Reason: p.Reason,
		}
		for _, flag := range p.Flags {
			row.Flags = append(row.Flags, string(flag))
		}
		if err := w.to.Predictions.Write(&row); err != nil {
			return err
		}
	}
	return nil
}

// Unaged leaves the age out of a policy: it is a question of when it is asked.
func Unaged() preflight.Policy {
	ignored := preflight.Rule{Warn: preflight.Ignored, Unknown: preflight.Ignored, Fail: preflight.Ignored}
	return preflight.Policy{Checks: map[preflight.ID]preflight.Rule{"age": ignored}}
}

// dated are the checks that depend on the moment for which they are made.
var dated = []preflight.ID{"certificates", "tokens", "ca-bundles"}

func (w *rows) checks() error {
	if w.Checks == nil {
		return nil
	}
	undated := w.Clock.Taken().From.IsZero()
	for _, c := range w.Checks.Checks {
		if c.ID == "age" {
			continue
		}
		row := Check{ClusterUID: w.cluster, SnapshotSHA256: w.ID, Check: string(c.ID), Group: string(c.Group), Verdict: string(c.Verdict), Reason: c.Reason, Action: c.Action}
		if undated && slices.Contains(dated, c.ID) {
			row.Verdict, row.Reason = string(preflight.Unknown), "nothing in the snapshot shows when it was taken"
		}
		if err := w.to.Checks.Write(&row); err != nil {
			return err
		}
	}
	return nil
}

// grade is the worst verdict of the checks, "" of none.
func (w *rows) grade() string {
	switch {
	case w.Checks == nil:
		return ""
	case w.Checks.Grade != preflight.Fail && w.Clock.Taken().From.IsZero():
		return string(preflight.Unknown)
	}
	return string(w.Checks.Grade)
}

// snapshot writes the row of the snapshot itself, when all else was read.
func (w *rows) snapshot() error {
	in := w.Inspection
	taken := w.Clock.Taken()
	count := func(n int) *int64 { v := int64(n); return &v }
	size := w.Snapshot.BackendSize()
	row := Snapshot{
		ClusterUID: w.cluster, SnapshotSHA256: w.ID, Path: in.Path, Container: string(in.Custody.Format), SizeBytes: in.SizeBytes, DBSizeBytes: &size,
		Integrity: string(in.Grade), Checks: w.grade(),
		Revision: &in.Revision, CompactRevision: &in.CompactRevision, Records: count(in.Records), LiveKeys: count(in.LiveKeys), OtherKeys: count(in.Kubernetes.OtherKeys),
		TakenFrom: stamp(taken.From), TakenTo: stamp(taken.To),
		Members: []string{}, Alarms: []string{}, BumpMarkers: empty(in.BumpMarkers), Prefixes: empty(in.EtcdPrefixes), OtherPrefixes: empty(in.OtherPrefix),
		Encryption: []Encryption{}, UnreadObjects: &w.unread, Missing: []Missing{}, Problems: []Problem{},
		CurrentSHA256: w.Current, SchemaVersion: SchemaVersion, ToolVersion: w.Tool,
	}
	if in.CompactUnknown {
		row.CompactRevision = nil
	}
	if in.Clock.Rate != nil {
		row.Rate = &in.Clock.Rate.Mean
	}
	if row.EtcdVersion = in.Etcd.ClusterVersion; row.EtcdVersion == "" {
		row.EtcdVersion = in.Etcd.StorageVersion
	}
	if w.Checks != nil {
		row.KubernetesVersion = w.Checks.Targets.Kubernetes
	}
	for _, m := range in.Etcd.Members {
		row.Members = append(row.Members, m.Name)
	}
	for _, a := range in.Alarms {
		row.Alarms = append(row.Alarms, a.Kind)
	}
	for _, e := range in.Encryption {
		row.Encryption = append(row.Encryption, Encryption{Resource: e.Resource, Provider: e.Provider, Key: e.Name, Values: int64(e.Count), Decrypted: int64(e.Decrypted)})
	}
	for _, m := range in.Missing {
		row.Missing = append(row.Missing, Missing{Kind: string(m.Kind), What: m.What})
	}
	problems := slices.Concat(in.Problems, w.Problems)
	if w.unread > 0 {
		problems = append(problems, snapshot.Problem{Severity: snapshot.Damage, Where: "objects", What: fmt.Sprintf("the values of %d cannot be read", w.unread), Cost: "what stands in them"})
	}
	for _, p := range problems {
		row.Problems = append(row.Problems, Problem{Severity: string(p.Severity), Location: p.Where, What: p.What, Cost: p.Cost})
	}
	if w.Refused != nil {
		row.PredictionRefused = w.Refused.Error()
	}
	return w.to.Snapshots.Write(&row)
}
