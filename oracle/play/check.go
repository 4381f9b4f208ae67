package play

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Check is how everything must be at the end, each fault a line.
func (p *Play) Check() (faults []string) {
	w := p.W
	w.mu.Lock()
	defer w.mu.Unlock()
	bad := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for range 80 { // what was started has time to do what it does
		w.settle()
		w.Tick(2)
	}
	faults = append(faults, w.Wrong...)
	for pod, where := range w.twice {
		if !p.warned(pod) {
			bad("%s runs on %s, and nothing warns of that", pod, where)
		}
	}
	p.checkEvidence(bad)
	p.checkEtcd(bad)
	p.checkControlPlane(bad)
	p.checkNodes(bad)
	return faults
}

// warned says whether the book says of a pod that it runs twice for a time.
func (p *Play) warned(pod string) bool {
	for _, s := range p.Book.Steps {
		for _, text := range s.Warnings {
			if strings.Contains(text, pod+" ") && strings.Contains(text, "runs twice") {
				return true
			}
		}
	}
	return false
}

func (p *Play) checkEvidence(bad func(string, ...any)) {
	now := tree(p.W.host(Workstation).Home)
	for path, sum := range p.evidence {
		if path != "" && now[path] != sum {
			bad("evidence has changed: %s", path)
		}
	}
	for i, h := range p.W.controlPlane() {
		if i > 0 && p.W.Platform.FirstOnly {
			break
		}
		var former []string
		for _, pattern := range p.W.Platform.Former {
			matches, _ := filepath.Glob(h.Root + pattern)
			former = append(former, matches...)
		}
		if p.W.Platform.Former == nil {
			continue
		}
		if !slices.ContainsFunc(former, func(dir string) bool { return tree(dir)["/snap/db"] == h.formerSum && h.formerSum != "" }) {
			bad("the former data of %s is not at %q", h.Name, former)
		}
	}
}

func (p *Play) checkEtcd(bad func(string, ...any)) {
	w := p.W
	revisions, err := w.Revisions()
	if err != nil {
		bad("etcd: %v\n%s", err, w.etcdLogs())
		return
	}
	for i, rev := range revisions {
		name := w.controlPlane()[i].Name
		if want := p.Book.Bump.Restored; !w.Platform.Recounts && !w.Platform.OwnBump && (rev < want || rev > want+2000) {
			bad("%s is at revision %d, planned was %d", name, rev, want)
		}
		if p.Book.Plan.BumpRevision > 0 && !w.Platform.OwnBump && rev <= w.served {
			bad("%s is at revision %d, and %d was served", name, rev, w.served)
		}
	}
	ctx, cancel := ask()
	defer cancel()
	if _, err := w.etcd().Put(ctx, "/after", "x"); err != nil {
		bad("etcd takes no writes: %v", err)
	}
	if p.Book.Plan.BumpRevision > 0 && !w.Platform.OwnBump { // a watcher from before is refused
		r := <-w.etcd().Watch(ctx, w.prefix(), clientv3.WithPrefix(), clientv3.WithRev(w.served))
		if r.CompactRevision == 0 {
			bad("a watch from revision %d goes on: %v", w.served, r.Err())
		}
	}
}

func (p *Play) checkControlPlane(bad func(string, ...any)) {
	w := p.W
	for _, h := range w.controlPlane() {
		for _, name := range controlPlanePods {
			proc := h.procs[name]
			if proc == nil {
				bad("%s: %s does not run", h.Name, name)
				continue
			}
			if name == "kube-apiserver" && !w.Platform.KeepsAPI {
				if !proc.serving {
					bad("the API server of %s does not serve", h.Name)
				}
				if etcd := h.procs["etcd"]; etcd != nil && proc.started < etcd.started {
					bad("the API server of %s was not restarted after the restore", h.Name)
				}
			}
		}
		for path, sum := range tree(h.Root + manifestDir) {
			if want := p.manifest[h.Name+path]; want != sum {
				bad("%s: the manifest %s has changed", h.Name, path)
			}
			delete(p.manifest, h.Name+path)
		}
	}
	for path := range p.manifest {
		bad("a manifest is gone: %s", path)
	}
	if len(w.tunnels) > 0 {
		bad("a tunnel is left")
	}
	for _, h := range w.hosts {
		for _, rule := range h.rules {
			bad("%s: a fence is left: %s", h.Name, rule)
		}
		for unit, active := range h.units {
			if !active {
				bad("%s: %s is stopped", h.Name, unit)
			}
		}
	}
}

func (p *Play) checkNodes(bad func(string, ...any)) {
	w := p.W
	nodes := w.nodeNames()
	for _, h := range w.nodes() {
		k := h.Node
		if !slices.Contains(nodes, h.Name) {
			bad("%s has no Node object", h.Name)
		}
		if k.deaf || !k.Heard {
			bad("the kubelet of %s is deaf", h.Name)
		}
		if want := slices.Contains(p.Restarted, h.Name); want != (k.Restarts > 0) {
			bad("the kubelet of %s was restarted %d times, want %v", h.Name, k.Restarts, want)
		}
	}
	pods, _, err := w.listPods()
	if err != nil {
		bad("pods: %v", err)
	}
	api := map[string]string{}
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil && !pod.terminal() && pod.Spec.NodeName != "" {
			api[string(pod.UID)] = pod.Spec.NodeName
		}
	}
	var odd []string
	for _, h := range w.nodes() {
		for uid, r := range h.Node.running {
			if api[uid] != h.Name {
				odd = append(odd, "phantom "+r.id+" on "+h.Name)
			}
			delete(api, uid)
		}
	}
	for uid, node := range api {
		odd = append(odd, "ghost "+uid+" on "+node)
	}
	slices.Sort(odd)
	if len(odd) > 0 {
		bad("%s", strings.Join(odd, "\n"))
	}
}
