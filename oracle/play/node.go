package play

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
)

// Kubelet is that of a node.
type Kubelet struct {
	running  map[string]*runPod // by uid
	done     map[string]*ended  // by uid, until the kubelet is restarted
	seen     int64              // the revision that its watch has come to, 0 when it lists
	server   *Proc              // the API server that it watches, nil when it has lost it
	resumes  int64              // when it asks again
	cache    int                // of that API server
	deaf     bool
	Restarts int
	Heard    bool // it has listed after the restore
}

// ended is a pod that its kubelet knows to have ended.
type ended struct {
	phase    corev1.PodPhase
	deleting bool // it was being deleted: the kubelet has said all that it will
}

// runPod is a pod that runs.
type runPod struct {
	id, uid    string
	containers []string
	stops      int64 // when it has stopped, 0 when nothing stops it
}

// load lets every node run what the API has there, and the cluster write on. A dead one
// is then killed.
func (w *World) load(c *clientv3.Client, dead bool) {
	w.tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	pods, _, err := w.listPods()
	w.must(err)
	for _, p := range pods {
		h := w.host(p.Spec.NodeName)
		if h == nil || h.Node == nil {
			continue
		}
		if p.terminal() {
			h.Node.done[string(p.UID)] = &ended{p.Status.Phase, p.DeletionTimestamp != nil}
		}
		if p.Status.Phase != corev1.PodRunning {
			continue
		}
		h.Node.running[string(p.UID)] = runs(p)
	}
	for i := range 40 {
		ctx, cancel := ask()
		_, err := c.Put(ctx, w.prefix()+"/events/default/late", fmt.Sprint(i))
		cancel()
		w.must(err)
	}
	w.served = w.revision()
	for _, h := range w.nodes() {
		h.Node.seen = w.served
		h.Node.server = w.controlPlane()[0].procs["kube-apiserver"]
		h.Node.cache = h.Node.server.caches
		data, err := w.etcd().Get(w.tb.Context(), w.prefix()+"/minions/"+h.Name)
		w.must(err)
		if len(data.Kvs) > 0 { // what its kubelet registers it with
			w.must(os.WriteFile(filepath.Join(w.Dir, h.Name+".node"), data.Kvs[0].Value, 0o600))
		}
	}
	if dead {
		w.crash()
	}
	w.playing = true
	w.event(w.hosts[0], "the play begins, revision %d was served", w.served)
}

// crash kills every etcd, with kill -9. Nothing starts it again.
func (w *World) crash() {
	for _, h := range w.controlPlane() {
		if p := h.procs["etcd"]; p != nil {
			p.cmd.Process.Kill()
			<-p.done
			delete(h.procs, "etcd")
		}
		h.dead, _ = os.Stat(h.Root + h.Etcd.DataDir + "/member")
		h.formerSum = tree(h.Root + h.Etcd.DataDir + "/member")["/snap/db"]
	}
}

func runs(p *apiPod) *runPod {
	r := &runPod{id: p.id(), uid: string(p.UID)}
	for _, c := range p.Spec.Containers {
		r.containers = append(r.containers, c.Name)
	}
	return r
}

// broken says whether etcd has nothing there that it starts on.
func (h *Host) broken() bool {
	if h.dead == nil {
		return false
	}
	now, err := os.Stat(h.Root + h.Etcd.DataDir + "/member")
	return err == nil && os.SameFile(h.dead, now)
}

// controllersStart wants every node to run what the API has by then, and nothing else.
func (w *World) controllersStart(h *Host) {
	pods, _, err := w.listPods()
	if err != nil {
		w.wrong("controllers start on %s while etcd does not answer: %v", h.Name, err)
	}
	known := map[string]bool{}
	for _, p := range pods {
		known[string(p.UID)] = true
	}
	nodes := w.nodeNames()
	for _, n := range w.nodes() {
		if !slices.Contains(nodes, n.Name) {
			continue // a kubelet that has no node
		}
		if !n.Node.Heard {
			w.wrong("controllers start before the kubelet of %s has listed", n.Name)
		}
		for uid, r := range n.Node.running {
			if !known[uid] {
				w.wrong("controllers start while %s runs on %s, which the API does not know", r.id, n.Name)
			}
		}
	}
}

// tickNodes lets every kubelet do what it would.
func (w *World) tickNodes() {
	if !w.playing {
		return
	}
	for _, h := range w.nodes() {
		w.tickNode(h)
	}
	on := map[string]string{}
	for _, h := range w.nodes() {
		for _, r := range h.Node.running {
			if other := on[r.id]; other != "" && other != h.Name {
				w.twice[r.id] = min(other, h.Name) + " and " + max(other, h.Name)
			}
			on[r.id] = h.Name
		}
	}
}

func (w *World) tickNode(h *Host) {
	k := h.Node
	for uid, r := range k.running {
		if r.stops != 0 && w.now >= r.stops {
			delete(k.running, uid)
		}
	}
	if !h.units[w.Platform.kubelet(h)] {
		k.server, k.resumes = nil, 0
		return
	}
	if h.held {
		return
	}
	api := w.reach(h, "")
	if k.server != nil && (api == nil || !k.server.serving || k.cache != k.server.caches) {
		k.server, k.resumes = nil, 0
	}
	if api == nil {
		k.resumes = 0
		return
	}
	if k.server == nil {
		if k.resumes == 0 {
			k.resumes = w.now + w.rng.Int64N(30)
		}
		if w.now < k.resumes {
			return
		}
		k.server = api.procs["kube-apiserver"]
		k.cache = k.server.caches
		// A watch at a revision that the cache has not, or that is compacted, is refused, and
		// the kubelet lists; one from beyond it waits until that is written.
		k.deaf = k.seen >= k.server.rev
		if !k.deaf {
			k.Heard = true
			w.event(h, "its kubelet lists")
		}
	}
	if !k.deaf {
		w.sync(h)
	}
}

// sync makes a node run what the API has there.
func (w *World) sync(h *Host) {
	k := h.Node
	pods, rev, err := w.listPods()
	if err != nil {
		return
	}
	k.seen = rev
	want := map[string]*apiPod{}
	for _, p := range slices.Clone(pods) {
		if p.Spec.NodeName != h.Name {
			continue
		}
		uid := string(p.UID)
		if p.DeletionTimestamp != nil {
			switch {
			case k.running[uid] != nil:
			case len(p.Finalizers) == 0:
				w.remove(p.key)
			case !p.terminal():
				p.Status.Phase = corev1.PodFailed
				w.put(p.key, p.Pod)
			}
			continue
		}
		if p.terminal() {
			continue
		}
		if e := k.done[uid]; e != nil {
			if !e.deleting {
				p.Status.Phase = e.phase
				w.put(p.key, p.Pod)
			}
			continue
		}
		if k.running[uid] == nil && p.Spec.RestartPolicy == corev1.RestartPolicyNever && p.Status.Phase == corev1.PodRunning {
			p.Status.Phase = corev1.PodFailed
			w.put(p.key, p.Pod)
			continue
		}
		want[uid] = p
	}
	for uid, r := range k.running {
		if want[uid] == nil && r.stops == 0 {
			r.stops = w.now + 2
			for _, p := range pods {
				if string(p.UID) == uid {
					r.stops = w.now + min(p.grace(), 8)
				}
			}
			if r.stops == w.now+2 {
				r.stops = w.now + 6 // its own grace period is what it was started with
			}
		}
	}
	for uid, p := range want {
		if k.running[uid] == nil {
			k.running[uid] = runs(p)
			if p.Status.Phase != corev1.PodRunning {
				p.Status.Phase = corev1.PodRunning
				w.put(p.key, p.Pod)
			}
		}
	}
}

// restartKubelet restarts that of a node: it lists, and registers a node that is not there.
func (w *World) restartKubelet(h *Host) {
	h.restarts["kubelet"]++
	k := h.Node
	if k == nil {
		return
	}
	k.Restarts++
	k.server, k.resumes, k.seen, k.deaf = nil, w.now, 0, false
	clear(k.done)
	w.event(h, "its kubelet is restarted")
	if w.reach(h, "") == nil {
		return
	}
	if !slices.Contains(w.nodeNames(), h.Name) {
		data, err := os.ReadFile(filepath.Join(w.Dir, h.Name+".node"))
		if err == nil {
			ctx, cancel := ask()
			defer cancel()
			w.etcd().Put(ctx, w.prefix()+"/minions/"+h.Name, string(data))
		}
	}
}

// runningPods is what a kubelet answers that is asked for the pods that run.
func (w *World) runningPods(node string) *answer {
	h := w.host(node)
	if h == nil || h.Node == nil || !h.units[w.Platform.kubelet(h)] {
		return fail("Error from server (ServiceUnavailable): error trying to reach service: dial tcp: no route to host")
	}
	type container struct {
		Name string `json:"name"`
	}
	items := []any{}
	for uid, r := range h.Node.running {
		namespace, name, _ := strings.Cut(r.id, "/")
		var containers []container
		for _, c := range r.containers {
			containers = append(containers, container{c})
		}
		items = append(items, map[string]any{"metadata": map[string]any{"name": name, "namespace": namespace, "uid": uid}, "spec": map[string]any{"containers": containers}, "status": map[string]any{}})
	}
	data, _ := json.Marshal(map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{}, "items": items})
	return &answer{Out: string(data)}
}
