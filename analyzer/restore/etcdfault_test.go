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
	changed := func(change func(*Pod)) *State {
		s := etcd("x/etcd:3.5.1")
		change(s.Pods[0])
		return s
	}
	alone := func(s *State) *State {
		s.EtcdMembers = 0
		return s
	}
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
		{"fixed", []*State{etcd("registry.k8s.io/etcd:3.5.22-0", "localhost:5000/etcd:3.6.2")}, ""},
		{"newer than the fault", []*State{etcd("x/etcd:3.7.0", "x/etcd:4.0.0")}, ""},
		{"just before each fix", []*State{etcd("x/etcd:3.4.37", "x/etcd:3.6.1")}, "These members have it: etcd-a (3.4.37), etcd-b (3.6.1)."},
		{"each fix", []*State{etcd("x/etcd:3.4.38", "x/etcd:3.6.2")}, ""},
		{"one of two is fixed", []*State{etcd("registry.k8s.io/etcd:3.5.22-0")}, "whether all its members have the fix is not known"},
		{"by a digest", []*State{etcd("quay.io/x/etcd@sha256:3.5.1", "quay.io/x@sha256:00")}, "The cluster is at etcd 3.5"},
		{"no static pod", []*State{changed(func(p *Pod) { p.Mirror = "" })}, "The cluster is at etcd 3.5"},
		{"a static pod of somebody's", []*State{changed(func(p *Pod) { p.Namespace = "ns" })}, "The cluster is at etcd 3.5"},
		{"another container", []*State{changed(func(p *Pod) { p.Containers[0].Name = "metrics" })}, "The cluster is at etcd 3.5"},
		{"newer than the fix of 3.4", []*State{etcd("x/etcd:3.4.39", "x/etcd:3.5.23")}, ""},
		{"a first version", []*State{etcd("x/etcd:3.3.0", "x/etcd:2.5.38")}, "These members have it: etcd-a (3.3.0), etcd-b (2.5.38)."},
		{"more than two fixed", []*State{etcd("x/etcd:3.5.22", "x/etcd:3.5.22", "x/etcd:3.5.22")}, ""},
		{"the only member is fixed", []*State{func() *State { s := etcd("x/etcd:3.5.22"); s.EtcdMembers = 1; return s }()}, ""},
		{"fixed, and nothing counts the members", []*State{alone(etcd("x/etcd:3.5.22"))}, "The cluster is at etcd 3.5"},
		{"nothing counts the members", []*State{alone(etcd())}, "The cluster is at etcd 3.5"},
		{"etcd 4", []*State{{EtcdVersion: "4.0.0"}}, ""},
		{"etcd 2", []*State{{EtcdVersion: "2.9.0"}}, "The cluster is at etcd 2.9"},
		{"the backup is fixed, and nothing shows the current state", []*State{{}, etcd("x/etcd:3.5.22", "x/etcd:3.5.22")}, ""},
		{"a version of one number", []*State{{EtcdVersion: "3"}}, "Which etcd the members run is not known."},
	} {
		if got := FutureWatchers(test.states...); got == "" && test.want != "" || !strings.Contains(got, test.want) || got != "" && test.want == "" {
			t.Errorf("%s: %s", test.name, got)
		}
	}
}
