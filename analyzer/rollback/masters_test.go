package rollback_test

//lint:file-ignore SA1019 API servers store Endpoints to this day

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// masterLease is an API server's key, on a lease of 15 s, as it stores it.
func masterLease(t testing.TB, ip string) change {
	c := put(t, &corev1.Endpoints{Subsets: []corev1.EndpointSubset{{Addresses: []corev1.EndpointAddress{{IP: ip}}}}})
	return change{Key: prefix + "/masterleases/" + ip, Value: c.Value, Lease: 7, TTL: 15}
}

func unleased(c change) change  { c.Lease, c.TTL = 0, 0; return c }
func orphaned(c change) change  { c.TTL = 0; return c }
func encrypted(c change) change { c.Value = []byte("k8s:enc:aescbc:v1:key1:abc"); return c }

func kubernetesEndpoints(ips ...string) []runtime.Object {
	e := &corev1.Endpoints{ObjectMeta: named("default/kubernetes"), Subsets: []corev1.EndpointSubset{{}}}
	s := &discoveryv1.EndpointSlice{ObjectMeta: named("default/kubernetes")}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: "kubernetes"}
	for _, ip := range ips {
		e.Subsets[0].Addresses = append(e.Subsets[0].Addresses, corev1.EndpointAddress{IP: ip})
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{ip}})
	}
	return []runtime.Object{e, s}
}

func addressed(ip string) *corev1.Node {
	n := node("master-"+ip, "")
	n.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}}
	return n
}

// TestFormerMasters says which addresses of API servers are no longer in use.
func TestFormerMasters(t *testing.T) {
	objects := func(list ...runtime.Object) []change { return changes(t, list) }
	old, now := masterLease(t, "10.0.0.1"), masterLease(t, "10.0.0.9")
	gone := snapshottest.Delete(old.Key)
	const stays = `former-api-server critical certain masterleases 10.0.0.1: the backup's master lease says that an API server is at 10.0.0.1, an address that no API server and no node has in the current state; no lease of etcd's deletes it`
	const goes = `former-api-server warning certain masterleases 10.0.0.1: the backup's master lease says that an API server is at 10.0.0.1, an address that no API server and no node has in the current state; etcd deletes it 15s after it has started`
	tests := []struct {
		name          string
		before, after []change
		want          []string
	}{
		{"the same API server", []change{old}, []change{old}, nil},
		{"one moved", []change{old}, []change{gone, now}, []string{goes}},
		{"one moved, without a lease of etcd's", []change{unleased(old)}, []change{gone, now}, []string{stays}},
		{"one moved, and the lease of etcd's is lost", []change{orphaned(old)}, []change{gone, now}, []string{stays}},
		{"the machine is still a node", append(objects(addressed("10.0.0.1")), old), []change{gone, now}, nil},
		{"it is still behind the Service", append(objects(kubernetesEndpoints("10.0.0.1")...), old), []change{gone}, nil},
		{"another Service has it, whose name begins like that", []change{old}, append(objects(endpoints("default/kubernetes-web-abcde", "web 10.0.0.1")), gone, now), []string{goes}},
		{"its lease ran out, and nothing else shows", []change{old}, []change{gone}, []string{strings.Replace(goes, " certain", " possible", 1) + " (nothing in the current state names an API server)"}},
		{"an encrypted one is known by its key", []change{encrypted(old)}, []change{gone, now}, []string{goes}},
		{"a node that cannot be read", append([]change{old}, snapshottest.Put(prefix+"/minions/n", "k8s:enc:aescbc:v1:key1:abc")), []change{gone, now},
			[]string{strings.Replace(goes, " certain", " possible", 1) + " (1 Node of the current state could not be read)"}},
		{"one of two moved", []change{old, now}, []change{gone}, []string{goes}},
		{"endpoints without a lease are written again", append(objects(kubernetesEndpoints("10.0.0.1")...), now), objects(kubernetesEndpoints("10.0.0.9")...), nil},
		{"endpoints, and no lease in either", objects(kubernetesEndpoints("10.0.0.1")...), objects(kubernetesEndpoints("10.0.0.9")...),
			[]string{`former-api-server warning possible services default/kubernetes: the backup has API servers at 10.0.0.1, where the current state has none and no node, and neither snapshot has a master lease`}},
		{"the same endpoints", objects(kubernetesEndpoints("10.0.0.1")...), nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backwards(t, tt.before, tt.after)
			backup, current := pair(t, tt.before, tt.after)
			var got []string
			for _, f := range compare(t, backup, current).Findings {
				if f.ID != rollback.MasterFormer {
					continue
				}
				name := f.Name
				if f.Namespace != "" {
					name = f.Namespace + "/" + name
				}
				got = append(got, fmt.Sprintf("%s %s %s %s %s: %s", f.ID, f.Severity, f.Certainty, f.Kind, name, f.Reason))
				if len(f.Evidence) == 0 || f.Evidence[0].Key == "" {
					t.Errorf("no evidence: %+v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want):\n%s", diff)
			}
			former, err := rollback.FormerMasters(t.Context(), backup, current, prefix)
			if want := len(tt.want); err != nil || len(former) != want && !(len(former) == 0 && want == 1 && strings.Contains(tt.want[0], "services")) {
				t.Errorf("%d former masters, want %d: %v", len(former), want, err)
			}
			for _, m := range former {
				if m.Key != old.Key || m.Address != "10.0.0.1" || m.TTL != 0 && m.TTL != 15*time.Second {
					t.Errorf("%+v", m)
				}
			}
		})
	}
}

// TestMastersOfRuns: in every real run the API server is where it was.
func TestMastersOfRuns(t *testing.T) {
	eachRun(t, func(t *testing.T, backup, current *snapshot.Snapshot) {
		for _, f := range compare(t, backup, current).Findings {
			if f.ID == rollback.MasterFormer {
				t.Errorf("%+v", f)
			}
		}
	})
}
