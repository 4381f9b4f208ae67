package runbook

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
	"revenant/analyzer/watchers"
	"revenant/internal/words"
)

// Watching says what watches the API servers beside kubelets, and what becomes of its
// watches.
type Watching struct {
	// ListAnew says that all of them list again by themselves.
	ListAnew bool   `json:"listAnew"`
	Why      string `json:"why"`
	*watchers.List
}

const (
	whyWatchersList   = "API servers refuse their watches as compacted (410 Gone), and they list again: client-go does so, on which almost all of them are built, and the API asks it of every other client."
	whyWatchersStay   = "A watcher that has seen a later revision than etcd starts at resumes its watch, and hears nothing. Like a deaf kubelet it acts on what was erased, and nothing shows that."
	whyWatchersErased = "API servers that run on under a bump that is too small serve their old cache. Whoever watches or lists through them gets what was erased, and nothing shows the difference."
	whyWatchersEnded  = "etcd refuses the watches of API servers that run on as compacted. They drop their cache and end every watch through them (410 Gone), and whoever watches lists again."
)

// watching is what is known of them, nil for nothing.
func (b *builder) watching() *Watching {
	if b.Watchers == nil {
		return nil
	}
	w := &Watching{ListAnew: b.bump.Verdict == restore.BumpEnough, Why: b.whyStay(), List: b.Watchers}
	if w.ListAnew {
		w.Why = b.whyList()
	}
	return w
}

func (b *builder) whyStay() string {
	if b.plan.KeepAPIServers {
		return whyWatchersErased
	}
	return whyWatchersStay
}

func (b *builder) whyList() string {
	if b.plan.KeepAPIServers {
		return whyWatchersEnded
	}
	return whyWatchersList
}

// restartable are the watchers that run now and are there after the restore.
func (b *builder) restartable() (list []watchers.Watcher) {
	if b.Watchers == nil {
		return nil
	}
	for _, w := range b.Watchers.Watchers {
		if w.Restartable() {
			list = append(list, w)
		}
	}
	return list
}

// restartWatchers restarts what watches, where it may not list again by itself.
func (b *builder) restartWatchers() Step {
	if b.Watchers == nil || b.bump.Verdict == restore.BumpEnough && b.bumps != BumpsItself {
		return Step{}
	}
	s := Step{ID: "restart-watchers", Title: "Restart what else watches", Why: b.whyStay()}
	switch {
	case b.bumps == BumpsItself:
		s.Title = "Restart what else watches, if the bump was too small"
		s.Why = "Do this only if the revision after the restore was not above everything that was served. " + s.Why
	case b.bump.Verdict == restore.BumpUnsure:
		s.Why = "Whether the bump passes everything that was served is not known. " + s.Why + " A restart does little harm where it was not needed."
	}
	s.Why += " Restart them after the kubelets, because a deaf kubelet does not hear that a pod is replaced, and after the controllers, which make the new pods. Those through which others reach the API come first."
	if b.stale {
		s.Warnings = append(s.Warnings, "Restart every API server first. Those that were left running give these their old cache again.")
	}
	list := b.restartable()
	for _, w := range list[:min(len(list), listed)] {
		b.restartWatcher(&s, &w)
	}
	if n := len(list) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And %d more, in this order: %s. watchers in the JSON of this runbook has them all.", n, words.First(watcherNames(list[listed:]), listed)))
	}
	for _, text := range b.Watchers.NotSeen {
		s.Checks = append(s.Checks, "Not among these: "+strings.ToLower(text[:1])+text[1:])
	}
	return s
}

func watcherNames(list []watchers.Watcher) (names []string) {
	for i := range list {
		names = append(names, list[i].String())
	}
	return names
}

// rolloutSeconds is how long a rollout may take, which goes from node to node.
const rolloutSeconds = 3600

func (b *builder) restartWatcher(s *Step, w *watchers.Watcher) {
	restart := w.Restart()
	for _, word := range restart {
		if quote(word) == "UNWRITABLE" {
			s.Warnings = append(s.Warnings, unwritten(1, "workload"))
			return
		}
	}
	what := words.Capital(w.What()) + "."
	if w.Known != nil {
		what = w.What() + ". " + w.Known.Stale
	}
	switch {
	case w.Kind == watchers.StaticPod:
		b.restartStatic(s, w, what)
	case len(restart) == 0:
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) has to be restarted, too. No rollout restarts it, and no label selects its pods: delete them one by one.", w, what))
	case w.Kind == watchers.Bare:
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) has to be restarted, too. Nothing creates it again: delete it, and create it from its manifest.", w, what))
	case w.ByDeletion:
		get := slices.Concat([]string{"kubectl", "get", "pods"}, restart[3:], []string{"--output=name"})
		s.Commands = append(s.Commands, script(Workstation, fmt.Sprintf("( pods=$(%s) || exit\n  for pod in $pods; do kubectl delete --namespace=%s \"$pod\" || exit; done )", joined(get), quote(w.Namespace)), "kubectl").
			says("%s%s One after the other; a rollout does not restart it.", what, onNodes(w)))
	default:
		s.Commands = append(s.Commands, b.kubectl(restart[1:]...).says("%s%s", what, onNodes(w)))
		if w.Class != watchers.Other && w.Class != watchers.Ingress {
			c := b.kubectl("rollout", "status", "--namespace="+w.Namespace, restart[len(restart)-1], fmt.Sprintf("--timeout=%ds", rolloutSeconds))
			c.WaitsFor, c.LimitSeconds = "the rollout of "+w.String(), rolloutSeconds
			s.Commands = append(s.Commands, c)
		}
	}
}

// restartStatic restarts a static pod on its nodes: the API cannot.
func (b *builder) restartStatic(s *Step, w *watchers.Watcher, what string) {
	if w.Known == nil || w.Known.ID != "kube-proxy" || b.kubelet == "" {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s (%s) is a static pod: on %s, remove its manifest and, once it has stopped, put it back.", w, what, words.First(w.Nodes, listed)))
		return
	}
	for _, node := range w.Nodes[:min(len(w.Nodes), listed)] {
		s.Commands = append(s.Commands, kills(nodeHost(node), "kube-proxy").says("%s A static pod: its kubelet starts it again.", what))
		what = w.What() + "."
	}
	if n := len(w.Nodes) - listed; n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("And on %d more nodes: %s.", n, words.First(w.Nodes[listed:], listed)))
	}
}

func onNodes(w *watchers.Watcher) string {
	if len(w.Nodes) == 0 || len(w.Nodes) > 2*listed {
		return ""
	}
	text := " On " + words.First(w.Nodes, listed) + "."
	if w.Election == watchers.HoldsLease {
		text += " One of its pods leads (Lease " + w.Lease + "): it ends by itself where it cannot renew that, and those that wait for it do not."
	}
	return text
}

// joined are words as a shell takes them.
func joined(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// listAnew says what of what watches recovers by itself.
func (b *builder) listAnew() string {
	w := b.watching()
	if w == nil || !w.ListAnew {
		return ""
	}
	list := b.restartable()
	if len(list) == 0 {
		return ""
	}
	const named = 3
	text := words.First(watcherNames(list), named)
	if b.bumps == BumpsItself {
		return fmt.Sprintf("What else watches needs no restart if the bump was large enough: %s. %s", text, b.whyList())
	}
	return fmt.Sprintf("What else watches needs no restart: %s. %s", text, b.whyList())
}
