package restore

import "testing"

// TestPlayedOfGoneNodes: of a node that is gone it is as of the last kubelet that lives:
// nothing is deaf once each of those has listed, whether it was restarted or not.
func TestPlayedOfGoneNodes(t *testing.T) {
	const ghost, stuck = "5b ghost never api Running@n4 +node-gone", "5b stuck-terminating never api Running@n4 +node-gone"
	for _, tt := range []struct {
		name       string
		n1, n2, n3 Kubelet
		want       string
	}{
		{"none has listed", KubeletDeaf, KubeletDeaf, KubeletDeaf, ghost},
		{"all have relisted", KubeletRelists, KubeletRelists, KubeletRelists, stuck},
		{"all are restarted", KubeletRestarted, KubeletRestarted, KubeletRestarted, stuck},
		{"each in its own way", KubeletRelists, KubeletRestarted, KubeletRelists, stuck},
		{"one has not listed", KubeletRelists, KubeletRestarted, KubeletDeaf, ghost},
	} {
		backup, current := states([]*Pod{was(on("n4"))}, nil)
		p, err := Compare(backup, current).Played(Played{Kubelets: map[string]Kubelet{
			"n1": tt.n1, "n2": tt.n2, "n3": tt.n3, "n5": KubeletRelists,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := describe(p.Pods[0]); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
