package drift

import (
	"context"
	"fmt"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
	"revenant/decoder/kubelet"
	"revenant/decoder/snapshot"
)

// Deletion is a deletion that the snapshot's history still has.
type Deletion struct {
	Revision int64
	Time     clock.Interval // zero where nothing shows it
}

func (d Deletion) text() string {
	text := fmt.Sprintf(" The snapshot has its deletion, at revision %d", d.Revision)
	if !d.Time.From.IsZero() {
		text += fmt.Sprintf(" (%s)", d.Time)
	}
	return text
}

// FindDeletions fills in Deleted, for what nodes and API servers name: what was deleted
// lately was stopped first as a rule, so that a node which has it running may have answered
// before. The error is ctx's.
func (in *Input) FindDeletions(ctx context.Context, s *snapshot.Snapshot, prefix string, c *clock.Clock) error {
	in.Deleted = map[string]Deletion{}
	seen := map[string]bool{}
	look := func(pods []kubelet.Pod) error {
		for i := range pods {
			if err := ctx.Err(); err != nil {
				return err
			}
			key := kube.Key{Resource: "pods", Namespace: pods[i].Namespace, Name: pods[i].Name}.Path(prefix)
			if seen[key] {
				continue
			}
			seen[key] = true
			records := s.History(key)
			for i, r := range records {
				if !r.Tombstone || i == 0 {
					continue
				}
				value, err := s.Value(records[i-1])
				if err != nil {
					continue
				}
				if was, err := kube.ScanPod(value); err == nil && was.UID != "" {
					in.Deleted[was.UID] = Deletion{Revision: r.Main, Time: c.TimeOf(r.Main)}
				}
			}
		}
		return nil
	}
	for _, n := range in.Nodes {
		for _, d := range n.Dumps {
			if err := look(d.Pods); err != nil {
				return err
			}
		}
	}
	for _, server := range in.Servers {
		if err := look(server.Pods); err != nil {
			return err
		}
	}
	return nil
}
