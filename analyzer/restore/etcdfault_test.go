package restore

import (
	"strings"
	"testing"

	"revenant/decoder/kube"
)

func TestFutureWatchers(t *testing.T) {
	etcd := func(images ...string) *State {
		s := &State{EtcdVersion: "3.5.0", EtcdMembers: 2}
		for i, image := range images {
			s.Pods = append(s.Pods, &Pod{Pod: kube.Pod{
				Namespace: "kube-system", Name: "etcd-" + string(rune('a'+i)), Mirror: "x",
				Containers: []kube.Container{{Name: "etcd", Image: image}},
			}})
		}
		return s
	}
	other := etcd("x/etcd:3.5.1")
	other.Pods[0].Mirror = ""
	for _, test := range []struct {
		name   string
		states []*State
		want   string // "" is that nothing is said
	}{
		{"nothing is known", []*State{{}}, "Which etcd the members run is not known."},
		{"by the cluster", []*State{{EtcdVersion: "3.5.0"}}, "The cluster is at etcd 3.5; whether"},
		{"by the backup", []*State{{}, {EtcdVersion: "3.6.0"}}, "The cluster is at etcd 3.6; whether"},
		{"3.7", []*State{{EtcdVersion: "3.7.0"}}, ""},
		{"a version that is none", []*State{{EtcdVersion: "x"}}, "not known"},
		{"faulty", []*State{etcd("registry.k8s.io/etcd:3.5.21-0", "registry.k8s.io/etcd:3.5.22-0")}, "These members have it: etcd-a (3.5.21)."},
		{"faulty, of RKE2", []*State{etcd("rancher/hardened-etcd:v3.6.1-k3s1-build20250101")}, "etcd-a (3.6.1)"},
		{"older than any fix", []*State{etcd("quay.io/coreos/etcd:v3.3.10")}, "etcd-a (3.3.10)"},
		{"mended", []*State{etcd("registry.k8s.io/etcd:3.5.22-0", "localhost:5000/etcd:3.6.2")}, ""},
		{"newer than the fault", []*State{etcd("x/etcd:3.7.0", "x/etcd:4.0.0")}, ""},
		{"just before each fix", []*State{etcd("x/etcd:3.4.37", "x/etcd:3.6.1")}, "These members have it: etcd-a (3.4.37), etcd-b (3.6.1)."},
		{"each fix", []*State{etcd("x/etcd:3.4.38", "x/etcd:3.6.2")}, ""},
		{"one of two is mended", []*State{etcd("registry.k8s.io/etcd:3.5.22-0")}, "whether all its members are mended is not known"},
		{"by a digest", []*State{etcd("quay.io/x/etcd@sha256:3.5.1", "quay.io/x@sha256:00")}, "The cluster is at etcd 3.5"},
		{"somebody's pod", []*State{other}, "The cluster is at etcd 3.5"},
	} {
		if got := FutureWatchers(test.states...); got == "" && test.want != "" || !strings.Contains(got, test.want) || got != "" && test.want == "" {
			t.Errorf("%s: %s", test.name, got)
		}
	}
}
