package relations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"revenant/analyzer/resources"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Deletion is what the states before a tombstone show about it. Who asked for a
// deletion is not stored anywhere in etcd; what made it likely may be.
type Deletion struct {
	// Asked is the revision at which the object's deletionTimestamp was first set, and
	// For that timestamp, UTC; 0 and zero where it was deleted at once, or where that
	// revision is not retained.
	Asked int64
	For   time.Time
	// Causes are what would have deleted it: inferred, the most telling first.
	Causes []Cause
	// Owned says that it had an owner that was there, which may have deleted it, as a
	// ReplicaSet does when it is scaled down.
	Owned string
}

// Cause is what would have had an object deleted.
type Cause struct {
	Key      string // of what shows it
	Revision int64  // since which it does, as far as is retained
	Text     string
}

// DeletionOf looks for what an object's deletion came of: its namespace was being
// deleted, an owner was gone or was being deleted, its node was gone
// (kubernetes v1.37: namespace/deletion/namespaced_resources_deleter.go,
// garbagecollector/garbagecollector.go attemptToDeleteItem, podgc/gc_controller.go).
// The error is ctx's, or says that the version before the tombstone cannot be read
// or is not retained.
func DeletionOf(ctx context.Context, s *snapshot.Snapshot, prefix string, tombstone snapshot.Record) (*Deletion, error) {
	key, ok := kube.ParseKey(prefix, tombstone.Key)
	if !ok {
		return nil, errors.New("it is no object of the API")
	}
	d := &Deletion{}
	var last *snapshot.Record
	for _, r := range s.History(tombstone.Key) {
		if r.Main >= tombstone.Main || r.Tombstone {
			if r.Main >= tombstone.Main {
				break
			}
			last, d.Asked = nil, 0
			continue
		}
		last = &r
		if at := deletedAt(s, r); !at.IsZero() && d.Asked == 0 {
			d.Asked, d.For = r.Main, at
		}
	}
	if last == nil {
		return nil, errors.New("the version before it is not retained")
	}
	view, err := s.At(tombstone.Main - 1)
	if err != nil {
		return nil, err
	}
	value, err := s.Value(*last)
	if err != nil {
		return nil, err
	}
	if key.Namespace != "" {
		d.being(s, view, kube.Key{Resource: "namespaces", Name: key.Namespace}.Path(prefix), "Its namespace was being deleted, and all that is in it with it.")
	}
	links, err := kube.ScanLinks(value)
	if err != nil {
		return nil, err
	}
	if len(links.Owners) > 0 {
		catalog, err := resources.NewCatalog(ctx, s, view, prefix, nil)
		if err != nil {
			return nil, err
		}
		tree, err := TreeOf(ctx, State{s, view, prefix, catalog}, key)
		if err != nil {
			return nil, err
		}
		self := &tree.Relatives[tree.Self]
		for i := range tree.Relatives[:tree.Self] {
			if r := &tree.Relatives[i]; r.Depth == self.Depth-1 {
				d.owner(s, view, prefix, r)
			}
		}
	}
	if pod, err := kube.ScanPod(value); err == nil && key.GroupResource() == "pods" && pod.NodeName != "" {
		node := kube.Key{Resource: "nodes", Name: pod.NodeName}.Path(prefix)
		if _, err := view.Get(node); errors.Is(err, snapshot.ErrNotFound) {
			d.Causes = append(d.Causes, Cause{node, view.Revision(), "Its node " + pod.NodeName + " had no Node object: pods of such a node are deleted."})
		}
	}
	return d, nil
}

// owner tells what one of the owners says.
func (d *Deletion) owner(s *snapshot.Snapshot, view *snapshot.View, prefix string, r *Relative) {
	name := r.String()
	switch r.Presence {
	case Absent:
		d.Causes = append(d.Causes, Cause{r.Key.Path(prefix), view.Revision(), fmt.Sprintf("Its owner %s was gone: the garbage collector deletes dependents without any other owner.", name)})
	case Replaced:
		d.Causes = append(d.Causes, Cause{r.Key.Path(prefix), r.Record.Main, fmt.Sprintf("Its owner %s was another one of the same name: the garbage collector deletes what belongs to nothing else.", name)})
	case Present:
		if !d.being(s, view, r.Record.Key, fmt.Sprintf("Its owner %s was being deleted.", name)) {
			d.Owned = name
		}
	}
}

// being adds a cause when an object was being deleted, with the revision since which
// it was.
func (d *Deletion) being(s *snapshot.Snapshot, view *snapshot.View, key, text string) bool {
	r, err := view.Get(key)
	if err != nil || deletedAt(s, r).IsZero() {
		return false
	}
	since := r.Main
	for _, before := range s.History(key) {
		if before.CreateRevision == r.CreateRevision && !before.Tombstone && !deletedAt(s, before).IsZero() {
			since = before.Main
			break
		}
	}
	d.Causes = append(d.Causes, Cause{key, since, text})
	return true
}

// deletedAt is a record's deletionTimestamp, zero for none.
func deletedAt(s *snapshot.Snapshot, r snapshot.Record) time.Time {
	value, err := s.Value(r)
	if err != nil {
		return time.Time{}
	}
	m, err := kube.ScanMeta(value)
	if err != nil {
		return time.Time{}
	}
	return m.Deleted
}
