package train

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	join "revenant/analyzer/audit"
	"revenant/analyzer/history"
	"revenant/analyzer/restore"
	"revenant/analyzer/ties"
	"revenant/analyzer/values"
	"revenant/decoder/audit"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Roles that files of evidence have by their names.
const (
	backupFile  = "backup.db"
	currentFile = "current.db"
	auditFile   = "audit.log"
)

// facts are what is found out about evidence, once each.
type facts struct {
	files      map[string][]byte
	snapshots  map[string]*snapshot.Snapshot
	prediction *restore.Prediction // of a plain restore of backup.db
}

func openFacts(ctx context.Context, files map[string][]byte) (*facts, error) {
	f := &facts{files: files, snapshots: map[string]*snapshot.Snapshot{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".db") {
			continue
		}
		s, err := snapshot.OpenBytes(ctx, name, files[name], snapshot.Options{})
		if err != nil {
			f.close()
			return nil, err
		}
		f.snapshots[name] = s
	}
	return f, nil
}

func (f *facts) close() {
	for _, s := range f.snapshots {
		s.Close()
	}
}

// names are those of the snapshots.
func (f *facts) names() []string { return slices.Sorted(maps.Keys(f.snapshots)) }

// snapshot is the one of that name, and one that is the only one has any.
func (f *facts) snapshot(name string) (*snapshot.Snapshot, error) {
	if s := f.snapshots[name]; s != nil {
		return s, nil
	}
	if len(f.snapshots) == 1 {
		return f.snapshots[f.names()[0]], nil
	}
	return nil, fmt.Errorf("the evidence has no %s", name)
}

// predict says what a restore of backup.db without a bump does.
func (f *facts) predict(ctx context.Context) (*restore.Prediction, error) {
	if f.prediction != nil {
		return f.prediction, nil
	}
	var states []*restore.State
	for _, name := range []string{backupFile, currentFile} {
		s, err := f.snapshot(name)
		if err != nil {
			return nil, err
		}
		state, err := restore.Load(ctx, s, kube.DefaultPrefix)
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	p, err := restore.Compare(states[0], states[1]).Predict(restore.Plan{})
	f.prediction = p
	return p, err
}

// history is that of an object in the newest snapshot there is, with what can be carved of
// it or without.
func (f *facts) history(ctx context.Context, key string, carved bool) (*history.Reader, *history.History, error) {
	s, err := f.snapshot(currentFile)
	if err != nil {
		return nil, nil, err
	}
	r := &history.Reader{Prefix: kube.DefaultPrefix, Sources: []history.Source{{Name: currentFile, Snapshot: s}}}
	h, err := r.Read(ctx, key, carved)
	return r, h, err
}

// deletion is the newest deletion of an object, and the place of its last value.
func (f *facts) deletion(ctx context.Context, key string, carved bool) (r *history.Reader, h *history.History, last, deleted int, err error) {
	if r, h, err = f.history(ctx, key, carved); err != nil {
		return nil, nil, 0, 0, err
	}
	last, deleted = -1, -1
	for i := range h.Entries {
		if h.Entries[i].Tombstone {
			deleted = i
		} else {
			last = i
		}
	}
	if last < 0 || deleted < last && !carved {
		return nil, nil, 0, 0, fmt.Errorf("%s was not deleted", key)
	}
	return r, h, last, deleted, nil
}

// deleter is who asked for the deletion of the object, as an audit log shows.
func (f *facts) deleter(ctx context.Context, key string) (string, error) {
	_, h, _, deleted, err := f.deletion(ctx, key, false)
	if err != nil {
		return "", err
	}
	k, ok := kube.ParseKey(kube.DefaultPrefix, key)
	if !ok {
		return "", fmt.Errorf("%s is no object", key)
	}
	j := join.New(h.Entries)
	_, err = audit.Read(ctx, []string{"-"}, join.QueryOf(k), audit.Options{Stdin: bytes.NewReader(f.files[auditFile])}, j.Add)
	if err != nil {
		return "", err
	}
	m := j.Match(deleted)
	if m.Sure == join.None || len(m.Events) != 1 {
		return "", errors.New("the audit log does not show who it was")
	}
	return m.Events[0].User.Name, nil
}

// requesters are the users of all requests to the object in the audit log, with what became
// of their last one.
func (f *facts) requesters(ctx context.Context, key string) (map[string]string, error) {
	k, ok := kube.ParseKey(kube.DefaultPrefix, key)
	if !ok {
		return nil, fmt.Errorf("%s is no object", key)
	}
	users := map[string]string{}
	_, err := audit.Read(ctx, []string{"-"}, join.QueryOf(k), audit.Options{Stdin: bytes.NewReader(f.files[auditFile])}, func(e *audit.Event) {
		users[e.User.Name] = fmt.Sprintf("%s, answered with %d", e.Verb, e.Code)
	})
	return users, err
}

// newNodes are the nodes that only the current state has.
func (f *facts) newNodes(ctx context.Context) (fresh, old []string, err error) {
	var was, now []string
	for _, side := range []struct {
		name string
		list *[]string
	}{{backupFile, &was}, {currentFile, &now}} {
		s, err := f.snapshot(side.name)
		if err != nil {
			return nil, nil, err
		}
		for r := range s.Keys(kube.Key{Resource: "nodes"}.Path(kube.DefaultPrefix)) {
			if k, ok := kube.ParseKey(kube.DefaultPrefix, r.Key); ok {
				*side.list = append(*side.list, k.Name)
			}
		}
	}
	for _, n := range now {
		if !slices.Contains(was, n) {
			fresh = append(fresh, n)
		}
	}
	return fresh, was, ctx.Err()
}

// each calls fn with every live object of a resource.
func each[T any](s *snapshot.Snapshot, resource, namespace string, fn func(kube.Key, T)) error {
	for r := range s.Keys((kube.Key{Resource: resource, Namespace: namespace}).Path(kube.DefaultPrefix)) {
		k, ok := kube.ParseKey(kube.DefaultPrefix, r.Key)
		if !ok {
			continue
		}
		value, err := s.Value(r)
		if err != nil {
			return err
		}
		if o, ok := any(kube.Decode(k, value).Typed).(T); ok {
			fn(k, o)
		}
	}
	return nil
}

// deadEnds are the pods that are endpoints of Services in the backup, and of which nothing
// runs after a plain restore, with their addresses.
func (f *facts) deadEnds(ctx context.Context) (map[string]string, error) {
	p, err := f.predict(ctx)
	if err != nil {
		return nil, err
	}
	ghosts := map[string]bool{}
	for i := range p.Pods {
		if o := &p.Pods[i]; o.Outcome == restore.Ghost {
			ghosts[o.UID] = true
		}
	}
	s, err := f.snapshot(backupFile)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	err = each(s, "endpointslices", "", func(_ kube.Key, o *discoveryv1.EndpointSlice) {
		for _, e := range o.Endpoints {
			if e.TargetRef != nil && ghosts[string(e.TargetRef.UID)] && len(e.Addresses) > 0 {
				found[e.TargetRef.Namespace+"/"+e.TargetRef.Name] = e.Addresses[0]
			}
		}
	})
	return found, err
}

// endlessJobs are the Jobs that wait after a plain restore for pods of which nothing runs.
func (f *facts) endlessJobs(ctx context.Context) (endless, others []string, err error) {
	p, err := f.predict(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range p.Workloads {
		w := &p.Workloads[i]
		switch name := w.Namespace + "/" + w.Name; {
		case w.Kind != "Job":
		case w.Believed > 0 && (w.Ghosts == w.Believed && w.Running+w.MayRun == 0 || len(w.Hangs) > 0):
			endless = append(endless, name)
		default:
			others = append(others, name)
		}
	}
	return endless, others, nil
}

// whole says what is wrong with a snapshot's file, "" for nothing: its hash or its pages.
func (f *facts) whole(ctx context.Context, name string) (string, error) {
	i, err := f.snapshots[name].Integrity(ctx)
	if err != nil || !i.Bad() {
		return "", err
	}
	for _, c := range i.Checks {
		if c.Verdict == snapshot.Bad {
			return c.Detail, nil
		}
	}
	return "it is damaged", nil
}

// damaged are the snapshots that are not whole.
func (f *facts) damaged(ctx context.Context) (list []string, err error) {
	for _, name := range f.names() {
		why, err := f.whole(ctx, name)
		if err != nil {
			return nil, err
		}
		if why != "" {
			list = append(list, name)
		}
	}
	return list, nil
}

// newestWhole is the snapshot with the highest revision that is whole.
func (f *facts) newestWhole(ctx context.Context) (string, error) {
	bad, err := f.damaged(ctx)
	if err != nil {
		return "", err
	}
	good := slices.DeleteFunc(f.names(), func(name string) bool { return slices.Contains(bad, name) })
	if len(good) == 0 {
		return "", errors.New("no snapshot is whole")
	}
	return slices.MaxFunc(good, func(a, b string) int { return cmp.Compare(f.snapshots[a].Revision(), f.snapshots[b].Revision()) }), nil
}

// unreadable are the live objects of damaged snapshots whose values cannot be read, as
// resource, namespace and name.
func (f *facts) unreadable(ctx context.Context) (list []string, err error) {
	bad, err := f.damaged(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range bad {
		problems, err := values.Problems(ctx, f.snapshots[name], kube.DefaultPrefix)
		if err != nil {
			return nil, err
		}
		if len(problems) == 0 {
			continue
		}
		for r := range f.snapshots[name].Keys(kube.DefaultPrefix + "/") {
			k, ok := kube.ParseKey(kube.DefaultPrefix, r.Key)
			if !ok {
				continue
			}
			value, err := f.snapshots[name].Value(r)
			if err != nil || kube.Decode(k, value).Problem != nil {
				list = append(list, k.Resource+"/"+k.Namespace+"/"+k.Name)
			}
		}
	}
	return list, nil
}

// ties are what binds the backup to its machines.
func (f *facts) ties(ctx context.Context) (*ties.Ties, error) {
	s, err := f.snapshot(backupFile)
	if err != nil {
		return nil, err
	}
	return ties.Find(ctx, s, kube.DefaultPrefix)
}

// volumes are all PersistentVolumes of the backup.
func (f *facts) volumes() (list []string, err error) {
	s, err := f.snapshot(backupFile)
	if err == nil {
		err = each(s, "persistentvolumes", "", func(k kube.Key, _ *corev1.PersistentVolume) { list = append(list, k.Name) })
	}
	return list, err
}
