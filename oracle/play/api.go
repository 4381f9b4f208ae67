package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// serializer is what API servers store objects with.
var serializer = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)

// apiPod is a pod as the API has it.
type apiPod struct {
	key string
	*corev1.Pod
}

func (p *apiPod) id() string { return p.Namespace + "/" + p.Name }

// terminal says whether nothing of it runs any more.
func (p *apiPod) terminal() bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

func (p *apiPod) grace() int64 {
	if g := p.Spec.TerminationGracePeriodSeconds; g != nil {
		return *g
	}
	return 30
}

func ask() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Second)
}

// prefix is where API servers keep objects.
func (w *World) prefix() string {
	if w.Platform.Prefix != "" {
		return w.Platform.Prefix
	}
	return "/registry"
}

// list decodes what is stored below a resource.
func list[T runtime.Object](w *World, resource string, each func(key string, obj T)) (int64, error) {
	if !w.quorum() {
		return 0, errors.New("etcdserver: request timed out")
	}
	ctx, cancel := ask()
	defer cancel()
	r, err := w.etcd().Get(ctx, w.prefix()+"/"+resource+"/", clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	for _, kv := range r.Kvs {
		obj, _, err := serializer.Decode(kv.Value, nil, nil)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", kv.Key, err)
		}
		if o, ok := obj.(T); ok {
			each(string(kv.Key), o)
		}
	}
	return r.Header.Revision, nil
}

// put stores an object.
func (w *World) put(key string, obj runtime.Object) error {
	var b strings.Builder
	if err := serializer.Encode(obj, &b); err != nil {
		return err
	}
	ctx, cancel := ask()
	defer cancel()
	_, err := w.etcd().Put(ctx, key, b.String())
	w.podsAt = 0
	return err
}

func (w *World) remove(key string) error {
	ctx, cancel := ask()
	defer cancel()
	_, err := w.etcd().Delete(ctx, key)
	w.podsAt = 0
	return err
}

// listPods are the pods of the API, mirrors left out.
func (w *World) listPods() ([]*apiPod, int64, error) {
	if w.podsAt != 0 {
		return w.pods, w.podsAt, nil
	}
	var pods []*apiPod
	rev, err := list(w, "pods", func(key string, p *corev1.Pod) {
		if p.Annotations[corev1.MirrorPodAnnotationKey] == "" {
			pods = append(pods, &apiPod{key, p})
		}
	})
	if err != nil {
		return nil, 0, err
	}
	w.pods, w.podsAt = pods, rev
	return pods, rev, nil
}

// tickAPI lets API servers serve whose etcd answers, and controllers do what matters.
func (w *World) tickAPI() {
	waiting, serving, controls := false, false, false
	for _, h := range w.controlPlane() {
		if p := h.procs["kube-apiserver"]; p != nil {
			waiting = waiting || !p.serving && p.ends == 0
			serving = serving || p.serving
		}
		controls = controls || h.procs["kube-controller-manager"] != nil
	}
	if waiting {
		if rev := w.revision(); rev > 0 {
			for _, h := range w.controlPlane() {
				if p := h.procs["kube-apiserver"]; p != nil && !p.serving && p.ends == 0 && w.now > p.started {
					p.serving, p.rev, p.caches, serving = true, rev, p.caches+1, true
					w.event(h, "its API server serves at revision %d", rev)
				}
			}
			w.podsAt = 0
		}
	}
	if serving && controls {
		w.collectGarbage()
	}
}

// collectGarbage removes pods whose node is gone (kubernetes pkg/controller/podgc).
func (w *World) collectGarbage() {
	pods, _, err := w.listPods()
	if err != nil {
		return
	}
	nodes := w.nodeNames()
	if nodes == nil {
		return
	}
	for _, p := range slices.Clone(pods) {
		if p.Spec.NodeName != "" && !slices.Contains(nodes, p.Spec.NodeName) {
			w.remove(p.key)
		}
	}
}

// nodeNames are those of the API's Node objects, nil when it does not answer.
func (w *World) nodeNames() []string {
	names := []string{}
	if _, err := list(w, "minions", func(_ string, n *corev1.Node) { names = append(names, n.Name) }); err != nil {
		return nil
	}
	return names
}

// port is that of the API servers.
func (w *World) port() string { return w.Platform.Port }

// reach is an API server that serves a client on a host, nil for none. through is the
// host of one that is asked for.
func (w *World) reach(from *Host, through string) *Host {
	if from.blocks("OUTPUT -p tcp --dport "+w.port()+" -j REJECT --reject-with tcp-reset", "") {
		return nil
	}
	for _, h := range w.controlPlane() {
		p := h.procs["kube-apiserver"]
		if p == nil || !p.serving || through != "" && through != h.Address && through != h.Name {
			continue
		}
		if h != from && h.blocks("INPUT -p tcp --dport "+w.port()+" ! -i lo -j REJECT --reject-with tcp-reset", "") {
			continue
		}
		return h
	}
	return nil
}

func (h *Host) blocks(rule, _ string) bool { return slices.Contains(h.rules, "iptables "+rule) }

// apiServer is what kubectl reaches from a host; flags are those that it is given.
func (w *World) apiServer(from *Host, server string) (*Host, string) {
	refused := "The connection to the server was refused - did you specify the right host or port?\n"
	if server == "" {
		if h := w.reach(from, ""); h != nil {
			return h, ""
		}
		return nil, refused
	}
	host, port, _ := strings.Cut(strings.TrimPrefix(server, "https://"), ":")
	if host == "127.0.0.1" {
		through := w.tunnels[port]
		if through == nil || through.procs["kube-apiserver"] == nil || !through.procs["kube-apiserver"].serving {
			return nil, refused
		}
		return through, ""
	}
	if port != w.port() {
		return nil, refused
	}
	if h := w.reach(from, host); h != nil {
		return h, ""
	}
	return nil, refused
}

// kubectl is the program. What it does not know it refuses.
func kubectl(c *Call) *answer {
	f, err := parse(c.Args, map[string]bool{
		"server": true, "tls-server-name": true, "namespace": true, "output": true, "raw": true, "patch": true, "type": true, "grace-period": true, "wait": true,
		"all-namespaces": false, "no-headers": false, "force": false, "ignore-not-found": false,
		"kubeconfig": true, "context": true, "selector": true, "container": true, "for": true, "timeout": true, "replicas": true, "overwrite": false,
	})
	if err != nil {
		return fail("error: %v", err)
	}
	if own := c.w.Platform.Kubectl; own != nil {
		if a := own(c, f); a != nil {
			return a
		}
	}
	h, refused := c.w.apiServer(c.h, f.get("server"))
	if h == nil {
		return &answer{Code: 1, Err: refused}
	}
	if strings.HasPrefix(f.get("server"), "https://127.0.0.1:") && f.get("tls-server-name") == "" {
		return fail("Unable to connect to the server: tls: failed to verify certificate")
	}
	if len(f.words) == 0 {
		return fail("error: no command")
	}
	do := kubectlVerbs[f.words[0]]
	if do == nil {
		return fail("error: unknown command %q for \"kubectl\"", f.words[0])
	}
	return do(c, f, h)
}

var kubectlVerbs = map[string]func(*Call, *flags, *Host) *answer{
	"get": kubectlGet,
	"delete": func(c *Call, f *flags, _ *Host) *answer {
		if len(f.words) < 3 {
			return fail("error: resource(s) were provided, but no name was specified")
		}
		return c.each(f, f.words[2:], f.words[1])
	},
	"cordon":   func(c *Call, f *flags, _ *Host) *answer { return c.cordon(f.words[1:], true) },
	"uncordon": func(c *Call, f *flags, _ *Host) *answer { return c.cordon(f.words[1:], false) },
	"patch": func(c *Call, f *flags, _ *Host) *answer {
		var patch struct {
			Spec struct{ Suspend *bool }
		}
		if f.words[1] != "cronjob" || len(f.words) != 3 || json.Unmarshal([]byte(f.get("patch")), &patch) != nil || patch.Spec.Suspend == nil {
			return fail("error: unable to parse %q", c.Args)
		}
		found := false
		_, err := list(c.w, "cronjobs", func(key string, j *batchv1.CronJob) {
			if j.Namespace == f.get("namespace") && j.Name == f.words[2] {
				j.Spec.Suspend, found = patch.Spec.Suspend, true
				c.w.put(key, j)
			}
		})
		if err != nil || !found {
			return fail("Error from server (NotFound): cronjobs.batch %q not found (%v)", f.words[2], err)
		}
		return &answer{Out: "cronjob.batch/" + f.words[2] + " patched\n"}
	},
}

// each deletes objects by name.
func (c *Call) each(f *flags, names []string, kind string) *answer {
	a := &answer{}
	for _, name := range names {
		found := false
		switch kind {
		case "pod", "pods":
			pods, _, err := c.w.listPods()
			if err != nil {
				return fail("Error from server: %v", err)
			}
			for _, p := range slices.Clone(pods) {
				if p.Namespace == f.get("namespace") && p.Name == name {
					found = true
					c.w.deletePod(p, f.has("force") && f.get("grace-period") == "0")
				}
			}
		case "node", "nodes":
			if slices.Contains(c.w.nodeNames(), name) {
				found = true
				c.w.remove(c.w.prefix() + "/minions/" + name)
				if h := c.w.host(name); h != nil && h.Node != nil {
					c.w.wrong("the Node of a machine that exists is deleted: %s", name)
				}
			}
		default:
			return fail("error: the server doesn't have a resource type %q", kind)
		}
		if found {
			a.Out += fmt.Sprintf("%s %q deleted\n", kind, name)
		} else if !f.has("ignore-not-found") {
			a.Err += fmt.Sprintf("Error from server (NotFound): %ss %q not found\n", kind, name)
			a.Code = 1
		}
	}
	return a
}

// deletePod deletes one as the API server does: its kubelet has to end it, unless nobody
// waits for that.
func (w *World) deletePod(p *apiPod, force bool) {
	h := w.host(p.Spec.NodeName)
	if force && h != nil && h.Node != nil && h.Node.running[string(p.UID)] != nil {
		w.wrong("%s is deleted by force while it runs on %s", p.id(), h.Name)
	}
	if (force || p.Spec.NodeName == "" || p.terminal()) && len(p.Finalizers) == 0 {
		w.remove(p.key)
		return
	}
	if p.DeletionTimestamp == nil {
		at := metav1.NewTime(time.Unix(w.now, 0))
		grace := p.grace()
		p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &at, &grace
	}
	w.put(p.key, p.Pod)
}

func (c *Call) cordon(names []string, how bool) *answer {
	a := &answer{}
	for _, name := range names {
		found := false
		list(c.w, "minions", func(key string, n *corev1.Node) {
			if n.Name == name {
				found, n.Spec.Unschedulable = true, how
				c.w.put(key, n)
			}
		})
		if !found {
			a.Err += fmt.Sprintf("Error from server (NotFound): nodes %q not found\n", name)
			a.Code = 1
		}
	}
	return a
}

func kubectlGet(c *Call, f *flags, h *Host) *answer {
	w := c.w
	if raw := f.get("raw"); raw != "" {
		switch {
		case raw == "/readyz":
			return &answer{Out: "ok"}
		case strings.HasPrefix(raw, "/api/v1/namespaces?limit=1"):
			return &answer{Out: fmt.Sprintf(`{"kind":"NamespaceList","metadata":{"resourceVersion":"%d"},"items":[]}`, w.revision())}
		case strings.HasSuffix(raw, "/proxy/runningpods/"):
			return w.runningPods(strings.TrimSuffix(strings.TrimPrefix(raw, "/api/v1/nodes/"), "/proxy/runningpods/"))
		}
		return fail("Error from server (NotFound): %s", raw)
	}
	a := &answer{}
	var err error
	switch what := strings.Join(f.words[1:], " "); {
	case len(f.words) == 3 && f.words[1] == "pod" && f.get("output") == "jsonpath={.metadata.uid}" && f.has("ignore-not-found"):
		pods, _, listErr := w.listPods()
		err = listErr
		for _, p := range pods {
			if p.Namespace == f.get("namespace") && p.Name == f.words[2] {
				a.Out = string(p.UID)
			}
		}
	case what == "nodes" && f.get("output") == "name":
		for _, name := range w.nodeNames() {
			a.Out += "node/" + name + "\n"
		}
	case what == "pods" && f.get("output") == "json" && f.has("all-namespaces"):
		var items []json.RawMessage
		_, err = list(w, "pods", func(_ string, p *corev1.Pod) {
			p.Kind, p.APIVersion = "Pod", "v1"
			data, _ := json.Marshal(p)
			items = append(items, data)
		})
		data, _ := json.Marshal(map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]string{"resourceVersion": ""}, "items": items})
		a.Out = string(data)
	case what == "cronjobs" && strings.HasPrefix(f.get("output"), "custom-columns=") && f.has("no-headers"):
		_, err = list(w, "cronjobs", func(_ string, j *batchv1.CronJob) {
			a.Out += fmt.Sprintf("%s   %s   %v\n", j.Namespace, j.Name, j.Spec.Suspend != nil && *j.Spec.Suspend)
		})
	case what == "deployments,statefulsets,daemonsets,jobs,cronjobs" && f.has("all-namespaces"): // for a person to read
	case what == "endpointslice kubernetes":
		for _, h := range w.controlPlane() {
			a.Out += h.Address + " "
		}
	default:
		return fail("error: the server doesn't have a resource type %q", what)
	}
	if err != nil {
		return fail("Error from server: %v", err)
	}
	return a
}
