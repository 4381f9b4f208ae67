package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/etcd/server/v3/lease"
	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"revenant/analyzer/diff"
	"revenant/decoder/kube"
	"revenant/oracle/fixture"
)

// oldObject is an object as kube110/dump writes it.
type oldObject struct {
	APIVersion, Kind string
	Protobuf         []byte
	JSON             json.RawMessage
}

// oldRelease runs a program of a nested module, which has the types of an old release of
// Kubernetes, and reads the values of JSON that it prints.
func oldRelease[T any](t *testing.T, module string, args ...string) (list []T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "."}, args...)...)
	cmd.Dir = module
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var v T
		switch err := dec.Decode(&v); err {
		case nil:
			list = append(list, v)
		case io.EOF:
			return list
		default:
			t.Fatal(err)
		}
	}
}

// TestOldReleases: what old releases encoded is decoded without a loss, and printed as they printed it:
// fields that were removed since, and objects of types that were.
func TestOldReleases(t *testing.T) {
	t.Parallel()
	for module, args := range map[string][]string{"kube110": {"types"}, "kube119": nil} {
		list := oldRelease[oldObject](t, module, args...)
		if len(list) < 100 {
			t.Errorf("%s has only %d objects", module, len(list))
		}
		for _, o := range list {
			t.Run(module+" "+o.APIVersion+" "+o.Kind, func(t *testing.T) {
				for encoding, value := range map[string][]byte{"protobuf": o.Protobuf, "JSON": o.JSON} {
					got := kube.Decode(kube.Key{}, value)
					if got.Problem != nil {
						t.Errorf("%s: %v", encoding, got.Problem)
					}
					var want, printed map[string]any
					if err := json.Unmarshal(o.JSON, &want); err != nil {
						t.Fatal(err)
					}
					if err := json.Unmarshal(got.JSON(kube.PrintOptions{ShowSecrets: true}), &printed); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(prune(want), prune(printed)); diff != "" {
						t.Errorf("%s is printed otherwise (-old +now):\n%s", encoding, diff)
					}
				}
			})
		}
	}
}

// prune leaves out what says nothing: null, empty objects and lists, and texts and
// numbers that are zero, which one release omits and another one prints.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			if v[name] = prune(item); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		if len(v) == 0 {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// saveOldCluster writes the backup and the current state of the cluster of kube110.
func saveOldCluster(t *testing.T, stored func(oldObject) []byte) (backup, current string) {
	t.Helper()
	dir := t.TempDir()
	backup, current = filepath.Join(dir, "backup.db"), filepath.Join(dir, "current.db")
	s := fixture.OpenStore(filepath.Join(dir, "db"))
	defer s.Close()
	type change struct {
		Key    string
		Object oldObject
	}
	for _, c := range oldRelease[change](t, "kube110", "cluster") {
		if c.Key == "" {
			if err := s.Save(backup, true); err != nil {
				t.Fatal(err)
			}
			continue
		}
		s.Update(func(txn mvcc.TxnWrite) {
			if c.Object.Kind == "" {
				txn.DeleteRange([]byte(c.Key), nil)
			} else {
				txn.Put([]byte(c.Key), stored(c.Object), lease.NoLease)
			}
		})
	}
	if err := s.Save(current, true); err != nil {
		t.Fatal(err)
	}
	return backup, current
}

// TestOldCluster: a cluster of 1.10, as protobuf and as JSON, is read like one of today: workloads,
// nodes, what is undone, and the time, although nothing renews a Lease.
func TestOldCluster(t *testing.T) {
	t.Parallel()
	watch(t)
	revenant := filepath.Join(t.TempDir(), "revenant")
	goBuild(t, []string{"-C", "..", "-o", revenant, "./cmd/revenant"})
	for encoding, stored := range map[string]func(oldObject) []byte{
		"protobuf": func(o oldObject) []byte { return o.Protobuf },
		"JSON":     func(o oldObject) []byte { return o.JSON },
	} {
		t.Run(encoding, func(t *testing.T) {
			backup, current := saveOldCluster(t, stored)
			run := func(args ...string) []byte {
				out, err := exec.CommandContext(t.Context(), revenant, args...).CombinedOutput()
				if err != nil {
					t.Fatalf("%q: %v\n%s", args, err, out)
				}
				for _, wrong := range []string{"could not be read", "cannot be read", "unknown to Kubernetes", "no Go type"} {
					if bytes.Contains(out, []byte(wrong)) {
						t.Errorf("%q says %q:\n%s", args, wrong, out)
					}
				}
				return out
			}
			for _, want := range []string{
				"grade              whole", "taken              between 2018-05-22 03:01:", "of leader annotation", "of node heartbeat", "kubelets           v1.10.13 on 3 nodes",
			} {
				if out := run("inspect", backup); !bytes.Contains(out, []byte(want)) {
					t.Errorf("inspect does not say %q:\n%s", want, out)
				}
			}
			var p struct {
				Pods  []struct{ Name, Outcome string }
				Nodes []struct{ Name string }

				Workloads []struct {
					Kind, Name        string
					Wanted, WantedNow int
				}
				Rollback struct {
					Kinds []struct {
						Resource               string
						RolledBack, Heartbeats int
					}
					Findings []struct{ ID, Reason string }
				}
			}
			if err := json.Unmarshal(run("predict", backup, current, "-o", "json"), &p); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, pod := range p.Pods {
				got = append(got, pod.Name+" "+pod.Outcome)
			}
			for _, w := range p.Workloads {
				got = append(got, fmt.Sprintf("%s/%s %d of %d", w.Kind, w.Name, w.Wanted, w.WantedNow))
			}
			for _, k := range p.Rollback.Kinds {
				if k.RolledBack+k.Heartbeats > 0 {
					got = append(got, fmt.Sprintf("%s %d, heartbeats %d", k.Resource, k.RolledBack, k.Heartbeats))
				}
			}
			for _, f := range p.Rollback.Findings {
				got = append(got, f.ID+": "+f.Reason)
			}
			slices.Sort(got)
			want := []string{
				"CronJob/nightly 0 of 0", "DaemonSet/proxy 3 of 3", "Deployment/web 2 of 3", "StatefulSet/db 1 of 1",
				"configmaps 0, heartbeats 1", "deployments.apps 1, heartbeats 0",
				"endpoint-dead: 1 of 3 ready addresses: 10.244.0.0 of web-0", "endpoint-missing: 1 address: 10.244.0.3 of web-3",
				"endpoints 1, heartbeats 1", "nodes 0, heartbeats 3", "replicasets.apps 1, heartbeats 0",
				"web-0 ghost", "web-1 unaffected", "web-2 unaffected", "web-3 phantom",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("prediction (-want +got):\n%s", diff)
			}
			if len(p.Nodes) != 3 {
				t.Errorf("nodes: %v", p.Nodes)
			}
			run("plan", backup, current)

			d, err := diff.Compare(t.Context(), diff.State{Snapshot: open(t, backup)}, diff.State{Snapshot: open(t, current)}, diff.Options{Prefix: kube.DefaultPrefix})
			if err != nil {
				t.Fatal(err)
			}
			if d, err = d.Sift(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got = nil
			for _, o := range d.Objects {
				if o.Problem != "" {
					t.Errorf("%s: %s", o.Key, o.Problem)
				}
				if o.Fate != diff.Quiet {
					got = append(got, strings.TrimPrefix(o.Key, "/registry/")+" "+o.Fate.String())
				}
			}
			want = []string{"deployments/default/web changed", "events/default/web-3.1 added", "pods/default/web-0 removed", "pods/default/web-3 added", "replicasets/default/web-5d4 changed", "services/endpoints/default/web changed"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}
