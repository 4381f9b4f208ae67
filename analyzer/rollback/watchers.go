package rollback

import (
	"fmt"
	"strings"

	"revenant/analyzer/watchers"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// watchers looks at what watches beside kubelets, and says what known software does
// wrong while it hears nothing.
func (c *comparison) watchers() {
	backup, err := watchers.Find(c.ctx, c.backup.Snapshot, c.prefix, c.backup.in)
	if err != nil {
		return // the context has ended
	}
	current, err := watchers.Find(c.ctx, c.current.Snapshot, c.prefix, c.current.in)
	if err != nil {
		return
	}
	c.watching = watchers.Join(backup, current)
	for i := range c.watching.Watchers {
		w := &c.watching.Watchers[i]
		if w.Known == nil || !w.Restartable() {
			continue
		}
		c.add(WatcherStale, watcherKey(w), Finding{
			Reason:   fmt.Sprintf("%s (%s)%s", w.What(), w.Image, onNodes(w)),
			Inferred: "Where it hears nothing: " + w.Known.Stale,
			Evidence: w.Evidence,
		})
	}
}

func onNodes(w *watchers.Watcher) string {
	if len(w.Nodes) == 0 {
		return ""
	}
	return ", with pods on " + words.Count(len(w.Nodes), "node")
}

// watcherKey is the object of a watcher; for a static pod, the object of its node is not named.
func watcherKey(w *watchers.Watcher) kube.Key {
	k := kube.Key{Resource: "pods", Namespace: w.Namespace, Name: w.Name}
	if w.Kind != watchers.StaticPod && w.Kind != watchers.Bare {
		k.Group, k.Resource = "apps", strings.ToLower(string(w.Kind))+"s"
	}
	return k
}
