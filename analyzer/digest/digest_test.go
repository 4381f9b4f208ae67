package digest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
)

// TestNew sums up the built-in pair, and adds up again what it counts.
func TestNew(t *testing.T) {
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	load := func(data []byte) *restore.State {
		s, err := restore.Load(t.Context(), snapshottest.OpenBytes(t, "demo", data), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	backup, current := load(b), load(c)
	p, err := restore.Compare(backup, current).Predict(restore.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	d := New(p, Pods(backup, current))
	if severity, headline := p.Headline(); d.Severity != severity || d.Headline != headline {
		t.Errorf("%s: %s", d.Severity, d.Headline)
	}
	pods, certain, unlikely := 0, 0, 0
	for i, tally := range d.Tallies {
		if tally.Pods != p.Summary[tally.ID] || i > 0 && tally.Severity.Rank() < d.Tallies[i-1].Severity.Rank() {
			t.Errorf("%+v", tally)
		}
		pods, certain, unlikely = pods+tally.Pods, certain+tally.Certain, unlikely+tally.Unlikely
	}
	after := map[string]int{}
	for i := range p.Pods {
		pod := &p.Pods[i]
		switch pod.Certainty {
		case restore.Certain:
			certain--
		case restore.Unlikely:
			unlikely--
		}
		runs, _, _ := pod.Settled()
		for _, node := range runs {
			after[node]++
		}
	}
	if pods != len(p.Pods) || certain != 0 || unlikely != 0 {
		t.Errorf("%d pods of %d; certain ones are off by %d, unlikely ones by %d", pods, len(p.Pods), certain, unlikely)
	}
	got := map[string]int{}
	for name, n := range d.Nodes {
		if len(n.After) > 0 {
			got[name] = len(n.After)
		}
		involved := map[int32]bool{}
		for _, place := range n.Involved {
			involved[place] = true
		}
		for _, list := range [][]int32{n.Before, n.After, n.Shown} {
			for _, place := range list {
				if !involved[place] {
					t.Errorf("%s: the pod at %d is not involved", name, place)
				}
			}
		}
	}
	if diff := cmp.Diff(after, got); diff != "" {
		t.Errorf("pods after the restore, -want +got:\n%s", diff)
	}
}

func TestPods(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pod := func(uid, owner string, age time.Duration) *restore.Pod {
		return &restore.Pod{Pod: kube.Pod{UID: uid, Created: at.Add(-age), Owner: kube.Owner{Kind: "Job", Name: owner}}}
	}
	pods := Pods(
		&restore.State{Time: at.Add(-time.Hour), Pods: []*restore.Pod{pod("old", "", 2*time.Hour), pod("both", "a", 2*time.Hour), pod("", "", 0)}},
		&restore.State{Time: at, Pods: []*restore.Pod{pod("both", "b", 2*time.Hour), pod("ahead", "", -time.Minute)}},
	)
	if len(pods) != 3 {
		t.Errorf("%d pods", len(pods))
	}
	for uid, want := range map[string]struct {
		controller string
		age        time.Duration
	}{"old": {"", time.Hour}, "both": {"Job/b", 2 * time.Hour}, "ahead": {"", 0}, "neither": {"", -1}} {
		if p := pods[uid]; p.Controller() != want.controller || p.Age() != want.age {
			t.Errorf("%s: controller %q, age %s", uid, p.Controller(), p.Age())
		}
	}
}
