package rollback

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"revenant/analyzer/watchers"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// findWatchers begins to look for what watches beside kubelets, beside other work. stop
// ends that, and waits until the snapshots are no longer read.
func (c *comparison) findWatchers() (stop func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	var work sync.WaitGroup
	for i, s := range []side{c.backup, c.current} {
		c.lists[i] = make(chan *watchers.List, 1)
		work.Go(func() {
			if list, err := watchers.Find(ctx, s.Snapshot, c.prefix, s.in); err == nil {
				c.lists[i] <- list
			}
			close(c.lists[i])
		})
	}
	return func() {
		cancel()
		work.Wait()
	}
}

// watchers looks at what watches beside kubelets, and says what known software does
// wrong while it hears nothing.
func (c *comparison) watchers() {
	backup, current := <-c.lists[0], <-c.lists[1]
	if backup == nil || current == nil {
		return // the context has ended
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
