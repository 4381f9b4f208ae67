package restore

import (
	"strings"
	"testing"

	"revenant/decoder/kube"
)

func TestServiceOf(t *testing.T) {
	const role = "node-role.kubernetes.io/"
	tests := []struct {
		name, version string
		labels        map[string]string
		want          string
	}{
		{"a server of k3s", "v1.33.1+k3s1", map[string]string{role + "control-plane": "true"}, "k3s"},
		{"a server of k3s with etcd alone", "v1.33.1+k3s1", map[string]string{role + "etcd": "true"}, "k3s"},
		{"an agent of k3s", "v1.33.1+k3s1", nil, ""},
		{"an agent that a person has labelled", "v1.33.1+k3s1", map[string]string{role + "master": ""}, ""},
		{"a server of RKE2", "v1.33.1+rke2r1", map[string]string{role + "master": "true"}, "rke2-server"},
		{"a controller of k0s with a kubelet", "v1.33.1+k0s", map[string]string{"node.k0sproject.io/role": "control-plane"}, "k0scontroller"},
		{"a worker of k0s", "v1.33.1+k0s", map[string]string{role + "control-plane": "true"}, ""},
		{"a server of k3s, by the older label", "v1.33.1+k3s1", map[string]string{role + "master": "true"}, "k3s"},
		{"an agent of RKE2", "v1.33.1+rke2r1", nil, ""},
		{"a worker of k0s by its own label", "v1.33.1+k0s", map[string]string{"node.k0sproject.io/role": "worker"}, ""},
		{"another control plane with the label of k0s", "v1.33.1", map[string]string{"node.k0sproject.io/role": "control-plane"}, ""},
		{"another control plane", "v1.33.1", map[string]string{role + "control-plane": "true"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := serviceOf(&kube.Node{KubeletVersion: tt.version, Labels: tt.labels}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestServiceRestartsWith: a service restarts with the API server of its node, whatever
// that is called, and none does on a machine that is gone.
func TestServiceRestartsWith(t *testing.T) {
	backup, current := states(nil, nil)
	backup.Nodes[3].Service, current.Nodes[0].Service = "k3s", "k3s"
	current.APIServers = []APIServer{{Name: "apiserver-1", Aliases: []string{"n1", "10.0.0.1"}}, {Name: "apiserver-2", Aliases: []string{"n2"}}, {Name: "apiserver-3"}}
	for restarted, want := range map[string]string{"all": "n1", "n1": "n1", "10.0.0.1": "n1", "apiserver-2": "", "none": "", "apiserver-2,apiserver-1": "n1", "apiserver-2,n1": "n1"} {
		var plan Plan
		plan.SetAPIServers(restarted)
		var got []string
		for _, n := range mustPredict(t, backup, current, plan).Nodes {
			if n.Service != "" {
				got = append(got, n.Name)
			}
		}
		if got := strings.Join(got, ","); got != want {
			t.Errorf("%s: the kubelets of %q restart, want %q", restarted, got, want)
		}
	}
	current.APIServers = nil // the plan alone names them
	var plan Plan
	plan.SetAPIServers("n2,n1")
	for _, n := range mustPredict(t, backup, current, plan).Nodes {
		if (n.Kubelet == KubeletRestarted) != (n.Name == "n1") {
			t.Errorf("%s is %s", n.Name, n.Kubelet)
		}
	}
}

// TestServiceRestarts holds that a kubelet of a server is restarted with its API server, and
// with no other's.
func TestServiceRestarts(t *testing.T) {
	state := func() *State {
		s := &State{Revision: 200, NewestRecord: 200, Nodes: []Node{{Name: "server", Service: "k3s"}, {Name: "agent"}}, LastSeen: map[string]Sighting{"server": {Revision: 190}, "agent": {Revision: 190}}}
		s.APIServers = []APIServer{{Name: "server"}, {Name: "other"}}
		return s
	}
	backup := state()
	backup.Revision, backup.NewestRecord = 100, 100
	c := Compare(backup, state())
	tests := []struct {
		name    string
		plan    Plan
		service string // that restarts it
	}{
		{"plain", Plan{}, "k3s"},
		{"with a bump", Plan{BumpRevision: 1_000_000, MarkCompacted: true}, "k3s"},
		{"with all kubelets", Plan{RestartKubelets: Restart{All: true}}, "k3s"},
		{"its API server alone", Plan{KeepAPIServers: true, RestartAPIServers: []string{"server"}}, "k3s"},
		{"another API server", Plan{KeepAPIServers: true, RestartAPIServers: []string{"other"}}, ""},
		{"no API server", Plan{KeepAPIServers: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := c.Predict(tt.plan)
			if err != nil {
				t.Fatal(err)
			}
			for i := range p.Nodes {
				n := &p.Nodes[i]
				want := ""
				if n.Name == "server" {
					want = tt.service
				}
				restarted := want != "" || tt.plan.RestartKubelets.All
				if n.Service != want || (n.Kubelet == KubeletRestarted) != restarted {
					t.Errorf("%s: service %q, kubelet %s (%s)", n.Name, n.Service, n.Kubelet, n.Reason)
				}
			}
		})
	}
}
