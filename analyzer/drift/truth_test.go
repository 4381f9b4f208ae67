package drift_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"revenant/analyzer/drift"
	"revenant/analyzer/restore"
	"revenant/decoder/kubelet"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

const clusters = "../../testdata/clusters"

// truth is what real kubelets said after a restore, and what was made of it.
type truth struct {
	Plan    restore.Plan
	Times   map[string]time.Time
	Samples []sample
}

type sample struct {
	Label             string
	SecondsSinceReady float64
	seen
	Kubelets map[string]struct {
		Pods, Running []object
		KubeletDown   bool // what runs is the runtime's word
	}
	PerAPI     map[string]seen
	Containers map[string][]struct{ UID, Name, State string } // what runtimes have
	Rows       map[string]struct {
		Kubelet []struct{ Node, UID, Which string }
		CRI     []struct{ Node, Which, State string }
	}
}

// seen is what was seen through an API server, and what that made of the nodes.
type seen struct {
	API      []object
	Phantoms []struct {
		Node, UID string
		Running   bool
	}
	Ghosts []struct {
		Node, UID string
		NodeGone  bool
	}
}

// at is when the sample was taken.
func (s *sample) at(run *truth) time.Time {
	return run.Times["apiserver_ready"].Add(time.Duration(s.SecondsSinceReady * float64(time.Second)))
}

// changing says whether a pod started or ended while its node was asked for one answer
// after the other: it was created within seconds of it, or its container had ended when
// the runtime was asked, and ran when the kubelet was.
func (s *sample) changing(run *truth, node, uid string) bool {
	for _, p := range s.Phantoms {
		if p.Node == node && p.UID == uid && !p.Running {
			return true
		}
	}
	return slices.ContainsFunc(s.API, func(o object) bool { return o.UID == uid && o.Created.After(s.at(run).Add(-5*time.Second)) })
}

// empty says whether the runtime had a sandbox of the pod and nothing in it. Only
// the runs with rows tell.
func (s *sample) empty(node, uid string) bool {
	for _, r := range s.Rows {
		for _, k := range r.Kubelet {
			if k.Node != node || k.UID != uid {
				continue
			}
			for _, c := range r.CRI {
				if c.Node == node && c.Which == k.Which && c.State == "RUNNING" {
					return false
				}
			}
			return true
		}
	}
	return false
}

type object struct {
	Namespace, Name, UID, Node, Phase, Source, MirrorOf string
	Deleting                                            bool
	Created                                             time.Time
}

type place struct{ Node, UID string }

// TestTruth gives verify what real kubelets said after every restore, as they say
// it, and wants exactly the phantoms and ghosts that were recorded then.
func TestTruth(t *testing.T) {
	paths, err := filepath.Glob(clusters + "/*/*/truth.json.gz")
	if err != nil || len(paths) < 15 {
		t.Fatalf("found %d, %v", len(paths), err)
	}
	samples, snapshots := 0, 0
	for _, path := range paths {
		var run truth
		if err := json.Unmarshal(corpus.Unpack(t, path), &run); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(path)
		for _, s := range run.Samples {
			if s.Label == "after-post-probe" {
				continue // probe pods come and go while it is taken
			}
			samples++
			t.Run(dir[len(clusters)+1:]+"/"+s.Label, func(t *testing.T) {
				in := drift.Input{Servers: []drift.Server{{Pods: parse(t, s.list(t)).Pods}}, Nodes: s.nodes(t)}
				s.check(t, &run, drift.Compare(in))
			})
		}
		if s, ok := first(run); ok {
			api, _ := drift.APIPods(backup(t, dir))
			if !s.lists(api) {
				continue // the scheduler and controllers have made changes
			}
			snapshots++
			t.Run(dir[len(clusters)+1:]+"/snapshot", func(t *testing.T) {
				s.check(t, &run, drift.Compare(drift.Input{API: api, Nodes: s.nodes(t)}))
			})
		}
	}
	if samples < 60 || snapshots < 5 {
		t.Errorf("only %d samples, %d of them with the snapshot", samples, snapshots)
	}
}

// lists says whether the API listed these pods where they are.
func (s *sample) lists(pods []kubelet.Pod) bool {
	at := map[string]string{}
	for _, o := range s.API {
		at[o.UID] = o.Node
	}
	for i := range pods {
		if node, ok := at[pods[i].UID]; !ok || node != pods[i].Node {
			return false
		}
	}
	return len(at) == len(pods)
}

// first is the first regular sample of a run in which nothing but deaf kubelets
// went on, so that the API still had the backup's pods.
func first(run truth) (sample, bool) {
	if run.Plan.KeepAPIServers || run.Plan.BumpRevision > 0 || run.Plan.RestartKubelets.String() != "none" {
		return sample{}, false
	}
	for _, s := range run.Samples {
		if s.SecondsSinceReady >= 20 {
			return s, true
		}
	}
	return sample{}, false
}

// listsAlive says whether the kubelet's /pods had the pod as not ended.
func (s *sample) listsAlive(node, uid string) bool {
	for _, o := range s.Kubelets[node].Pods {
		if o.UID == uid {
			return o.Phase != "Succeeded" && o.Phase != "Failed"
		}
	}
	return false
}

// check wants the phantoms and ghosts that were recorded, and the nodes whose kubelet
// was down, and nothing else.
func (s *sample) check(t *testing.T, run *truth, r *drift.Report) {
	t.Helper()
	for _, n := range r.Nodes {
		if n.Silent != s.Kubelets[n.Name].KubeletDown {
			t.Errorf("%s: silent %v", n.Name, n.Silent)
		}
	}
	want := map[drift.Kind][]place{drift.Phantom: {}, drift.Ghost: {}}
	for _, p := range s.Phantoms {
		if p.Running {
			want[drift.Phantom] = append(want[drift.Phantom], place{p.Node, p.UID})
		}
	}
	for _, g := range s.Ghosts {
		if !g.NodeGone {
			want[drift.Ghost] = append(want[drift.Ghost], place{g.Node, g.UID})
		}
	}
	got := map[drift.Kind][]place{drift.Phantom: {}, drift.Ghost: {}}
	for _, f := range r.Findings {
		if (f.Kind == drift.Phantom || f.Kind == drift.Ghost) && !s.changing(run, f.Node, f.UID) {
			got[f.Kind] = append(got[f.Kind], place{f.Node, f.UID})
			sure := f.Certainty == restore.Certain
			if f.Kind == drift.Ghost && (s.listsAlive(f.Node, f.UID) || s.Kubelets[f.Node].KubeletDown) { // it may be about to start, for what one answer tells
				sure = f.Certainty == restore.Possible
			}
			if f.Reason == "" || f.Action == "" || f.Command == "" || !sure {
				t.Errorf("%+v", f)
			}
		}
	}
	for _, m := range []map[drift.Kind][]place{want, got} {
		for _, list := range m {
			slices.SortFunc(list, func(a, b place) int { return compare(a.Node+a.UID, b.Node+b.UID) })
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-recorded +found:\n%s", diff)
	}
}

// TestTruthByListAlone gives verify nothing but the kubelets' lists of pods, as by
// the API: no phantom that was recorded as running is missed.
func TestTruthByListAlone(t *testing.T) {
	paths, err := filepath.Glob(clusters + "/*/*/truth.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, path := range paths {
		var run truth
		if err := json.Unmarshal(corpus.Unpack(t, path), &run); err != nil {
			t.Fatal(err)
		}
		for _, s := range run.Samples {
			listed := map[place]bool{}
			for node, k := range s.Kubelets {
				for _, o := range k.Pods {
					listed[place{node, o.UID}] = true
				}
			}
			nodes := s.nodes(t)
			for i := range nodes {
				nodes[i].Dumps = nodes[i].Dumps[:1]
			}
			found := map[place]bool{}
			for _, f := range drift.Compare(drift.Input{Servers: []drift.Server{{Pods: parse(t, s.list(t)).Pods}}, Nodes: nodes}).Findings {
				found[place{f.Node, f.UID}] = f.Kind == drift.Phantom || found[place{f.Node, f.UID}]
			}
			for _, p := range s.Phantoms {
				at := place{p.Node, p.UID}
				if !p.Running || !listed[at] || s.Kubelets[p.Node].KubeletDown {
					continue // a kubelet that has relisted lists no pod that is ending
				}
				if checked++; !found[at] {
					t.Errorf("%s %s: %s runs on %s and was not found", path, s.Label, p.UID, p.Node)
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d phantoms", checked)
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// nodes are the answers of every kubelet: /pods and /runningpods.
func (s *sample) nodes(t *testing.T) (nodes []drift.Node) {
	for name, k := range s.Kubelets {
		var listed, running corev1.PodList
		for _, o := range k.Pods {
			listed.Items = append(listed.Items, o.pod())
		}
		if len(k.Pods)+len(k.Running) == 0 {
			continue // its machine is gone
		}
		if k.KubeletDown {
			nodes = append(nodes, drift.Node{Name: name, Dumps: []kubelet.Dump{parse(t, s.crictl(name))}})
			continue
		}
		for _, o := range k.Running {
			p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name, UID: types.UID(o.UID)}}
			if !s.empty(name, o.UID) {
				p.Spec.Containers = []corev1.Container{{Name: "c", Image: "i"}}
			}
			running.Items = append(running.Items, p)
		}
		nodes = append(nodes, drift.Node{Name: name, Dumps: []kubelet.Dump{parse(t, asJSON(t, &listed)), parse(t, asJSON(t, &running))}})
	}
	return nodes
}

// crictl is what crictl ps -a lists on a node.
func (s *sample) crictl(node string) []byte {
	var items []string
	for _, c := range s.Containers[node] {
		items = append(items, fmt.Sprintf(`{"id":"a","podSandboxId":"b","metadata":{"name":"c"},"state":"CONTAINER_%s","labels":{"io.kubernetes.pod.uid":%q}}`, c.State, c.UID))
	}
	return []byte(`{"containers":[` + strings.Join(items, ",") + `]}`)
}

// list is what kubectl gets of the API.
func (s *seen) list(t *testing.T) []byte {
	var list corev1.PodList
	for _, o := range s.API {
		p := o.pod()
		if o.MirrorOf != "" {
			p.Annotations = map[string]string{"kubernetes.io/config.mirror": o.MirrorOf}
		}
		list.Items = append(list.Items, p)
	}
	return asJSON(t, &list)
}

// pod is the object as kubelet and API write it.
func (o *object) pod() corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name, UID: types.UID(o.UID), CreationTimestamp: metav1.NewTime(o.Created)},
		Spec:       corev1.PodSpec{NodeName: o.Node, Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPhase(o.Phase)},
	}
	if o.Source != "" {
		p.Annotations = map[string]string{"kubernetes.io/config.source": o.Source}
	}
	if o.Deleting {
		now := metav1.Now()
		p.DeletionTimestamp = &now
	}
	return p
}

func asJSON(t *testing.T, list *corev1.PodList) []byte {
	t.Helper()
	list.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t *testing.T, data []byte) kubelet.Dump {
	t.Helper()
	d, err := kubelet.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func backup(t *testing.T, dir string) *restore.State {
	t.Helper()
	state, err := restore.Load(t.Context(), snapshottest.Open(t, filepath.Join(dir, "backup.db.gz")), "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return state
}
