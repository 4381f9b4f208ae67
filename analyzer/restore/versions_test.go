package restore

import (
	"fmt"
	"strings"
	"testing"

	"revenant/decoder/kube"
)

// server is an API server's static pod with an image.
func server(image string) *Pod {
	p := pod("server", 400, seenAt, mirror)
	p.Key, p.Containers = "/registry/pods/kube-system/kube-apiserver-n1", []kube.Container{{Name: "kube-apiserver", Image: image}}
	return p
}

// TestVersions: a prediction is as sure as its rules are for the versions of the API
// servers and of each kubelet.
func TestVersions(t *testing.T) {
	sure, unsure := Certain, Possible
	for _, c := range []struct {
		what              string
		kubelet, n1       string // versions of all nodes, and of n1
		image, stated     string
		servers           string
		rules             RuleBasis
		deaf, bumped, old Certainty // of a phantom on n1, of the same under a bump, and of one under API servers left running
	}{
		{"seen", "v1.37.2", "v1.37.2", "", "", "1.37.2", RulesSeen, sure, sure, sure},
		{"seen, with a suffix", "v1.33.4+k3s1", "v1.33.4+k3s1", "", "", "1.33.4", RulesSeen, sure, sure, sure},
		{"read", "v1.36.0", "v1.36.0", "", "", "1.36.0", RulesRead, sure, sure, sure},
		{"read, and the API server refuses until it is ready", "v1.30.2", "v1.30.2", "", "", "1.30.2", RulesRead, unsure, sure, unsure},
		{"older kubelets", "v1.30.2", "v1.29.1", "registry.k8s.io/kube-apiserver:v1.31.9", "", "1.31.9", RulesRead, sure, sure, sure},
		{"an image by its sum, with a tag", "v1.33.1", "v1.33.1", "r:5000/rancher/hardened-kubernetes:v1.30.4-rke2r1@sha256:00", "", "1.30.4", RulesRead, unsure, sure, unsure},
		{"an image by its sum alone", "v1.33.1", "v1.33.1", "quay.io:443/release@sha256:1234", "", "1.33.1", RulesSeen, sure, sure, sure},
		{"older than what was read", "v1.28.9", "v1.28.9", "", "", "1.28.9", RulesUntried, unsure, unsure, unsure},
		{"newer than what was read", "v1.39.0", "v1.39.0", "", "", "1.39.0", RulesUntried, unsure, unsure, unsure},
		{"API servers that are too new", "v1.37.0", "v1.37.0", "registry.k8s.io/kube-apiserver:v1.39.0", "", "1.39.0", RulesUntried, unsure, unsure, unsure},
		{"one kubelet that is too old", "v1.31.0", "v1.28.3", "", "", "1.31.0", RulesUntried, unsure, unsure, sure},
		{"one kubelet without a version", "v1.37.0", "", "", "", "1.37.0", RulesUntried, unsure, unsure, sure},
		{"that one stated", "v1.37.0", "", "", "1.37", "1.37", RulesSeen, sure, sure, sure},
		{"nothing shows it", "", "", "", "", "", RulesUntried, unsure, unsure, unsure},
		{"not a version", "evil\x1b[2J", "1", "", "", "", RulesUntried, unsure, unsure, unsure},
		{"all stated", "", "", "", "v1.35.4", "1.35.4", RulesSeen, sure, sure, sure},
		{"stated before what is seen", "v1.37.2", "v1.37.2", "", "1.30", "1.30", RulesRead, unsure, sure, unsure},
		{"Kubernetes 2", "v2.0.0", "v2.0.0", "", "", "2.0.0", RulesUntried, unsure, unsure, unsure},
	} {
		t.Run(c.what, func(t *testing.T) {
			backup, current := states(nil, []*Pod{made()})
			for i := range current.Nodes {
				current.Nodes[i].KubeletVersion = c.kubelet
				if current.Nodes[i].Name == "n1" {
					current.Nodes[i].KubeletVersion = c.n1
				}
			}
			if c.image != "" {
				current.Pods = append(current.Pods, server(c.image))
			}
			for _, under := range []struct {
				plan Plan
				want Certainty
			}{{Plan{}, c.deaf}, {bump(1_000_000), c.bumped}, {Plan{KeepAPIServers: true}, c.old}} {
				plan := under.plan
				plan.KubernetesVersion = c.stated
				p := mustPredict(t, backup, current, plan)
				if k := p.Kubernetes; k.APIServers != c.servers || k.Rules != c.rules {
					t.Fatalf("got API servers %q, rules %s (%s)", k.APIServers, k.Rules, k.Reason)
				}
				for _, o := range p.Pods {
					if o.UID == "new" && o.Certainty != under.want {
						t.Errorf("%+v: %s is %s, not %s: %s", plan, o.Outcome, o.Certainty, under.want, o.CertaintyReason)
					}
				}
				severity, headline := p.Headline()
				if said := strings.Contains(headline, "they were neither"); said != (c.rules == RulesUntried) || said && severity == OK {
					t.Errorf("%+v: %s: %s", plan, severity, headline)
				}
			}
		})
	}
}

// TestOldServersRelist: what old API servers answer makes a kubelet relist, and casts no doubt
// on one that does anyway.
func TestOldServersRelist(t *testing.T) {
	for _, plan := range []Plan{bump(1_000_000), {RestartKubelets: Restart{All: true}}, kept(bump(1_000_000))} {
		backup, current := states(nil, nil)
		current.Nodes = nodesOf("v1.30.2", "n1", "n2", "n3", "n5")
		for _, n := range mustPredict(t, backup, current, plan).Nodes {
			if n.Certainty != Certain || strings.Contains(n.Reason, "Up to 1.30") {
				t.Errorf("%+v: %s is %s (%s): %s", plan, n.Name, n.Kubelet, n.Certainty, n.Reason)
			}
		}
	}
}

// TestStatedVersion: what is no version is refused.
func TestStatedVersion(t *testing.T) {
	for _, v := range []string{"newest", "1", "v1.x", "0.9", "1.99999999999999999999"} {
		if err := (Plan{KubernetesVersion: v}).Validate(); err == nil {
			t.Errorf("%q is taken for a version", v)
		}
	}
}

// TestBasis: what the rules rest on, by version.
func TestBasis(t *testing.T) {
	for v, want := range map[string]RuleBasis{
		"v1.28.15": RulesUntried, "v1.29.0": RulesRead, "v1.32.9": RulesRead, "v1.33.0": RulesSeen, "v1.34.2": RulesRead,
		"v1.38.1": RulesRead, "v1.39.0": RulesUntried, "v2.33.0": RulesUntried, "v0.33.0": RulesUntried, "": RulesUntried, "x": RulesUntried,
	} {
		if got := basis(parseVersion(v)); got != want {
			t.Errorf("%s: %s, want %s", v, got, want)
		}
	}
}

// TestCountVersions: the most frequent first, and then by name.
func TestCountVersions(t *testing.T) {
	if got, want := fmt.Sprint(CountVersions([]string{"b", "c", "a", "c", "", "b", "c"})), "[{c 3} {b 2} { 1} {a 1}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := CountVersions(nil); got == nil || len(got) > 0 {
		t.Errorf("of none: %v", got)
	}
}

// TestServerVersion: the oldest API server counts, by its image, and without one the newest
// kubelet.
func TestServerVersion(t *testing.T) {
	of := func(image string, change func(*Pod)) *Pod {
		p := server(image)
		if change != nil {
			change(p)
		}
		return p
	}
	kubelets := []string{"v1.36.0", "v1.37.1", "v1.35.0", "x"}
	for _, tt := range []struct {
		name     string
		pods     []*Pod
		kubelets []string
		want     string
	}{
		{"the oldest of three images", []*Pod{of("r/kube-apiserver:v1.36.3", nil), of("r/kube-apiserver:v1.35.1", nil), of("r/kube-apiserver:v1.36.2", nil)}, kubelets, "1.35.1 by the images of their static pods false"},
		{"the newest of four kubelets", nil, kubelets, "1.37.1 by the newest kubelet: no API server may be older true"},
		{"no version at all", nil, []string{"x", ""}, " no node and no static pod shows it false"},
		{"no static pod", []*Pod{of("r/kube-apiserver:v1.33.0", func(p *Pod) { p.Mirror = "" })}, kubelets, "1.37.1 by the newest kubelet: no API server may be older true"},
		{"another container", []*Pod{of("r/kube-apiserver:v1.33.0", func(p *Pod) { p.Containers[0].Name = "proxy" })}, kubelets, "1.37.1 by the newest kubelet: no API server may be older true"},
		{"the second container", []*Pod{of("r/kube-apiserver:v1.33.0", func(p *Pod) {
			p.Containers = append([]kube.Container{{Name: "proxy", Image: "r/proxy:v1.20.0"}}, p.Containers...)
		})}, kubelets, "1.33.0 by the images of their static pods false"},
		{"an image without a tag", []*Pod{of("r:5000/kube-apiserver", nil)}, kubelets, "1.37.1 by the newest kubelet: no API server may be older true"},
		{"an image that is named as a version is", []*Pod{of("v1.33.0", nil)}, kubelets, "1.37.1 by the newest kubelet: no API server may be older true"},
		{"an image of no registry", []*Pod{of("kube-apiserver:v1.33.0", nil)}, kubelets, "1.33.0 by the images of their static pods false"},
		{"an image without a patch", []*Pod{of("kube-apiserver:v1.33", nil)}, kubelets, "1.33 by the images of their static pods false"},
	} {
		c := &Comparison{current: &State{Pods: tt.pods}}
		for i, v := range tt.kubelets {
			c.current.Nodes = append(c.current.Nodes, Node{Name: fmt.Sprint(i), KubeletVersion: v})
		}
		k := c.versionsUnder(Plan{}).Kubernetes
		if got := fmt.Sprint(k.APIServers, " ", k.APIServersFrom, " ", k.AtLeast); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestWeakest: what the rules rest on least is named, API servers first, and a few of many.
func TestWeakest(t *testing.T) {
	const seen = "The rules were seen to hold on real clusters of 1.33, 1.35 and 1.37"
	for _, tt := range []struct {
		name     string
		stated   string
		kubelets []string
		want     string
	}{
		{"all seen", "1.37", []string{"v1.37.0", "v1.35.0"}, seen + "."},
		{"a kubelet read", "1.37", []string{"v1.37.0", "v1.36.0", "v1.36.2"}, seen + "; for kubelets of 1.36 they were read in the source."},
		{"API servers and kubelets read", "1.36", []string{"v1.36.0", "v1.34.0"}, seen + "; for API servers of 1.36, kubelets of 1.34 and kubelets of 1.36 they were read in the source."},
		{"API servers that refuse until they are ready", "1.30", []string{"v1.30.0"}, seen + "; for API servers of 1.30 and kubelets of 1.30 they were read in the source. " + unreadyText},
		{"kubelets that old under others", "1.31", []string{"v1.30.0"}, seen + "; for API servers of 1.31 and kubelets of 1.30 they were read in the source."},
		{"a kubelet not tried", "1.36", []string{"v1.36.0", "v1.28.0"}, seen + ", and read in the source of 1.29 to 1.38; for kubelets of 1.28 they were neither, and nothing that rests on them is certain."},
		{"many not tried", "1.20", []string{"v1.11.0", "v1.12.0", "v1.13.0", "v1.14.0", "v1.15.0"}, seen + ", and read in the source of 1.29 to 1.38; for API servers of 1.20, kubelets of 1.11, kubelets of 1.12 and kubelets of 1.13 they were neither, and nothing that rests on them is certain."},
	} {
		c := &Comparison{current: &State{}}
		for i, v := range tt.kubelets {
			c.current.Nodes = append(c.current.Nodes, Node{Name: fmt.Sprint(i), KubeletVersion: v})
		}
		if got := c.versionsUnder(Plan{KubernetesVersion: tt.stated}).Reason; got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
