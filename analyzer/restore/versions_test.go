package restore

import (
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

// TestStatedVersion: what is no version is refused.
func TestStatedVersion(t *testing.T) {
	for _, v := range []string{"newest", "1", "v1.x", "0.9", "1.99999999999999999999"} {
		if err := (Plan{KubernetesVersion: v}).Validate(); err == nil {
			t.Errorf("%q is taken for a version", v)
		}
	}
}
