package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/drift"
	"revenant/analyzer/restore"
	"revenant/internal/corpus"
	"revenant/report"
)

// spotted is what was seen of a cluster when its dumps were taken, or is found in them.
type spotted struct{ Kind, Node, Pod, Container string }

// moment is what was seen of a cluster when its dumps were taken.
type moment struct {
	Label             string
	SecondsSinceReady float64
	Phantoms, Ghosts  []struct {
		Node, Namespace, Name string
		Running               bool
	}
	Ephemeral []struct{ Node, Pod, Name, State string }
	Kubelets  map[string]struct {
		KubeletDown bool
		Running     []struct{ Namespace, Name, UID string }
	}
	API        []struct{ Namespace, Name, UID string }
	Containers map[string][]struct{ UID, Name, State string }
}

// created says of the uids of pods that are listed whether they were created after a
// moment: while a cluster is asked, pods start, and are deleted before a snapshot is
// saved.
func created(t *testing.T, list []byte, after time.Time) map[string]bool {
	var pods struct {
		Items []struct {
			Metadata struct {
				UID               string
				CreationTimestamp time.Time
			}
		}
	}
	if err := json.Unmarshal(list, &pods); err != nil {
		t.Fatal(err)
	}
	uids := map[string]bool{}
	for _, p := range pods.Items {
		uids[p.Metadata.UID] = p.Metadata.CreationTimestamp.After(after)
	}
	return uids
}

func dump(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDumps runs verify over the dumps that were taken of real clusters, as they are and
// with less than they have, and wants what was seen then and nothing else.
func TestDumps(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/clusters/*/*/dumps-*.tar.gz")
	if err != nil || len(paths) < 9 {
		t.Fatalf("found %d, %v", len(paths), err)
	}
	deletions := 0
	for _, path := range paths {
		var truth struct {
			Times   map[string]time.Time
			Samples []moment
			Spec    map[string]map[string]struct{ API struct{ Ephemeral []string } }
		}
		if err := json.Unmarshal(corpus.Unpack(t, filepath.Join(filepath.Dir(path), "truth.json.gz")), &truth); err != nil {
			t.Fatal(err)
		}
		label := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "dumps-"), ".tar.gz")
		m := truth.Samples[slices.IndexFunc(truth.Samples, func(m moment) bool { return m.Label == label })]
		taken := truth.Times["apiserver_ready"].Add(time.Duration(m.SecondsSinceReady * float64(time.Second)))
		known := map[string]bool{}
		for pod, is := range truth.Spec[label] {
			for _, e := range is.API.Ephemeral {
				known[pod+"/"+e] = true
			}
		}
		for _, tt := range []struct {
			name  string
			alter func(t *testing.T, dir string)
			told  bool // by runtimes of nodes whose kubelet is down
		}{
			{"as it is", func(*testing.T, string) {}, false},
			{"without the API's list", func(_ *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "kubectl-pods.json")) }, false},
			{"with the runtimes where kubelets are down", m.crictl, true},
			{"with nothing but the runtimes there", func(t *testing.T, dir string) {
				m.crictl(t, dir)
				for node, k := range m.Kubelets {
					if k.KubeletDown {
						dump(t, dir, node+".pods.json", nil) // what kubectl get --raw > FILE leaves
					}
				}
			}, true},
		} {
			t.Run(filepath.Base(filepath.Dir(filepath.Dir(path)))+"/"+filepath.Base(filepath.Dir(path))+"/"+label+"/"+tt.name, func(t *testing.T) {
				dir, files := t.TempDir(), corpus.Files(t, path)
				for name, data := range files {
					dump(t, dir, name, data)
				}
				tt.alter(t, dir)
				young := created(t, files["kubectl-pods.json"], taken.Add(-5*time.Second))
				var out, errs bytes.Buffer
				code := run(t.Context(), []string{"verify", filepath.Join(dir, "after.db"), "--dumps", dir, "-o", "json"}, streams{in: strings.NewReader(""), out: &out, err: &errs})
				var v report.Verification
				if err := json.Unmarshal(out.Bytes(), &v); err != nil {
					t.Fatalf("exit code %d: %v, %s", code, err, &errs)
				}
				want, got := m.seen(known, tt.told), map[spotted]restore.Certainty{}
				for _, f := range v.Findings {
					s := spotted{string(f.Kind), f.Node, f.Name, f.Container}
					_, listed := young[f.UID]
					deleted := listed && len(v.Servers) == 0 && !want[s]
					if deleted && f.Kind == drift.Phantom {
						deletions++
						if f.Certainty == restore.Certain {
							t.Errorf("deleted before the snapshot was saved, and certainly a phantom: %+v", f)
						}
					}
					if f.Kind != drift.Double && !young[f.UID] && !deleted {
						got[s] = f.Certainty
					}
				}
				for s := range want {
					if _, ok := got[s]; !ok {
						t.Errorf("missed: %v", s)
					}
				}
				for s, c := range got {
					if !want[s] {
						t.Errorf("was not so: %v, %s", s, c)
					}
				}
				expected := exitOK
				if len(want) > 0 {
					expected = exitFindings
				}
				if code != expected {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
	if deletions == 0 {
		t.Error("no pod was deleted between an answer and the snapshot")
	}
}

// seen is what is to be found. Of a node whose kubelet is down nothing is known, unless
// its runtime tells.
func (m *moment) seen(known map[string]bool, told bool) map[spotted]bool {
	want := map[spotted]bool{}
	down := func(node string) bool { return m.Kubelets[node].KubeletDown && !told }
	for _, p := range m.Phantoms {
		if p.Running && !down(p.Node) {
			want[spotted{"phantom", p.Node, p.Name, ""}] = true
		}
	}
	for _, g := range m.Ghosts {
		if !down(g.Node) {
			want[spotted{"ghost", g.Node, g.Name, ""}] = true
		}
	}
	for _, e := range m.Ephemeral {
		if e.State == "RUNNING" && e.Pod != e.Name && !known[e.Pod+"/"+e.Name] {
			want[spotted{"stray-container", e.Node, e.Pod, e.Name}] = true
		}
	}
	for node, k := range m.Kubelets {
		switch {
		case k.KubeletDown && told:
			want[spotted{"silent-kubelet", node, "", ""}] = true
		case k.KubeletDown:
			want[spotted{"unseen-node", node, "", ""}] = true
		}
	}
	return want
}

// crictl writes what crictl ps -a lists on the nodes whose kubelet is down.
func (m *moment) crictl(t *testing.T, dir string) {
	for node, k := range m.Kubelets {
		if !k.KubeletDown {
			continue
		}
		names := map[string][2]string{}
		for _, p := range slices.Concat(m.API, k.Running) {
			names[p.UID] = [2]string{p.Namespace, p.Name}
		}
		var items []string
		for i, c := range m.Containers[node] {
			n := names[c.UID]
			items = append(items, fmt.Sprintf(`{"id":"c%d","podSandboxId":"s%d","metadata":{"name":%q},"state":"CONTAINER_%s","labels":{"io.kubernetes.pod.namespace":%q,"io.kubernetes.pod.name":%q,"io.kubernetes.pod.uid":%q}}`, i, i, c.Name, c.State, n[0], n[1], c.UID))
		}
		dump(t, dir, node+".crictl-ps.json", []byte(`{"containers":[`+strings.Join(items, ",")+`]}`))
	}
}
