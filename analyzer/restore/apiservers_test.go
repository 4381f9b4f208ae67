package restore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/restore"
)

// TestThroughEachAPIServer holds what each API server is said to show of every pod
// against what it listed, in runs with two of them.
func TestThroughEachAPIServer(t *testing.T) {
	differ := 0
	for _, r := range loadRuns(t) {
		if r.truth.HA == nil {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			comparison := restore.Compare(r.backup, r.current)
			if got := comparison.APIServerNames(); !slices.Equal(got, []string{"cp-1", "cp-2"}) {
				t.Fatalf("API servers %v", got)
			}
			p, err := comparison.Predict(r.truth.Plan)
			if err != nil {
				t.Fatal(err)
			}
			checked := 0
			for _, s := range r.regular() {
				for number, listed := range s.PerAPI {
					if len(listed.API) == 0 {
						continue // it is not started yet
					}
					seen := s
					seen.API = listed.API
					for _, o := range p.Pods {
						if o.Rule == "6" || r.churned(o.UID) || r.byHand(o) || o.Certainty != restore.Certain {
							continue
						}
						for _, through := range o.Through {
							if slices.Contains(through.APIServers, "cp-"+number) {
								differ++
								o.API, o.MayBeBoundTo = through.API, nil
							}
						}
						runs, shown := seen.seen(o.UID)
						checked++
						if wrong := contradicted(o, runs, shown, r.truth.Times["apiserver_ready"], s.SecondsSinceReady); wrong != "" {
							t.Errorf("%s, through cp-%s: %s is %s: %s", s.Label, number, at(o), o.Outcome, wrong)
						}
					}
				}
			}
			t.Logf("%d claims checked", checked)
		})
	}
	if differ == 0 {
		t.Error("no API servers that differ")
	}
}

// TestAPIServersOfAPlan: which API servers a plan restarts, by any of their names.
func TestAPIServersOfAPlan(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.name != "ha/plain.one-api" {
			continue
		}
		c := restore.Compare(r.backup, r.current)
		for given, want := range map[string]string{
			"all": "all", "none": "none", "cp-1": "cp-1", "cp-2,cp-1": "all", "127.0.0.1:21302": "cp-1", "cp-1,cp-1": "cp-1",
			"cp-3": "no such API server: cp-3",
		} {
			var plan restore.Plan
			plan.SetAPIServers(given)
			p, err := c.Predict(plan)
			got := fmt.Sprint(err)
			if err == nil {
				got = p.Plan.APIServers()
			}
			if got != want {
				t.Errorf("%s: %s, not %s", given, got, want)
			}
		}
		plan := r.truth.Plan
		plan.BumpRevision, plan.MarkCompacted = 1_000_000, true
		p, err := c.Predict(plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.APIServers {
			if s.Serves != restore.ServesRestored {
				t.Errorf("bumped: %s serves the %s state: %s", s.Name, s.Serves, s.Reason)
			}
		}
		if n := p.Summary[restore.Phantom] + p.Summary[restore.Ghost] + p.Summary[restore.Hidden]; n > 0 {
			t.Errorf("bumped: %d are phantoms, ghosts or hidden", n)
		}
	}
}

// TestRestartedThroughStale: a kubelet that is restarted may list through an API server
// that is left running, and goes on as it was then: nothing that rests on its list is
// certain.
func TestRestartedThroughStale(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.name != "ha/plain.one-api" {
			continue
		}
		plan := r.truth.Plan
		plan.RestartKubelets.All = true
		p, err := restore.Predict(r.backup, r.current, plan)
		if err != nil {
			t.Fatal(err)
		}
		if p.Summary[restore.Phantom] == 0 {
			t.Error("no phantom is possible")
		}
		for _, o := range p.Pods {
			if (o.Outcome == restore.Phantom || o.Outcome == restore.Ghost || o.Outcome == restore.Terminated) && o.Certainty == restore.Certain {
				t.Errorf("%s is certainly a %s", at(o), o.Outcome)
			}
		}
	}
}

// TestKubeletReaches: a kubelet that is stated to reach one API server alone is judged by
// that one. In the run all kubelets were on the one that was left running.
func TestKubeletReaches(t *testing.T) {
	for _, r := range loadRuns(t) {
		if r.name != "ha/plain.one-api" {
			continue
		}
		c := restore.Compare(r.backup, r.current)
		reach := func(server string, restarted bool) *restore.Prediction {
			t.Helper()
			plan := r.truth.Plan
			plan.RestartKubelets.All = restarted
			plan.KubeletAPIServers = map[string]string{}
			for _, n := range r.current.Nodes {
				plan.KubeletAPIServers[n.Name] = server
			}
			p, err := c.Predict(plan)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := reach("cp-2", false)
		for _, n := range p.Nodes {
			if n.Kubelet != restore.KubeletStale || n.Certainty != restore.Certain {
				t.Errorf("%s: %s (%s)", n.Name, n.Kubelet, n.Certainty)
			}
		}
		for _, s := range r.regular() {
			for _, o := range p.Pods {
				if o.Rule == "6" || r.churned(o.UID) || r.byHand(o) || o.Certainty != restore.Certain {
					continue
				}
				runs, shown := s.seen(o.UID)
				if wrong := contradicted(o, runs, shown, r.truth.Times["apiserver_ready"], s.SecondsSinceReady); wrong != "" {
					t.Errorf("%s: %s is %s: %s", s.Label, at(o), o.Outcome, wrong)
				}
			}
		}
		if p := reach("cp-2", true); p.Summary[restore.Phantom] == 0 || p.Summary[restore.Terminated] > 0 {
			t.Errorf("restarted, through the one that is left running: %v", p.Summary)
		}
		p = reach("127.0.0.1:21302", true) // an address of cp-1
		if p.Summary[restore.Phantom] > 0 || p.Summary[restore.Terminated] == 0 {
			t.Errorf("restarted, through the one that is restarted: %v", p.Summary)
		}
		for _, n := range p.Nodes {
			if n.Kubelet != restore.KubeletRestarted || n.Certainty != restore.Certain {
				t.Errorf("%s: %s (%s)", n.Name, n.Kubelet, n.Certainty)
			}
		}
		for node, server := range map[string]string{"node-1": "cp-9", "node-9": "cp-1"} {
			plan := r.truth.Plan
			plan.KubeletAPIServers = map[string]string{node: server}
			if p, err := c.Predict(plan); err == nil {
				t.Errorf("%s on %s: %v", node, server, p.Summary)
			}
		}
	}
}

// TestListedWithin holds when kubelets are said to have relisted their pods against
// when they did.
func TestListedWithin(t *testing.T) {
	checked := 0
	for _, r := range loadRuns(t) {
		if !r.relists() || r.truth.Plan.RestartKubelets.All || r.truth.Plan.APIServers() == "none" || len(r.truth.RunbookSteps) > 0 {
			continue
		}
		ready := r.truth.Times["apiserver_ready"]
		plan := r.truth.Plan
		plan.Outage.To = int64(ready.Sub(r.truth.Times["stop_begin"]).Seconds() + 1)
		p, err := restore.Predict(r.backup, r.current, plan)
		if err != nil {
			t.Fatal(err)
		}
		for node, list := range r.truth.KubeletRequestsAfterStop {
			i := slices.IndexFunc(p.Nodes, func(n restore.NodeOutcome) bool { return n.Name == node })
			for _, request := range list {
				at, ok := listed(request)
				if !ok || p.Nodes[i].Kubelet != restore.KubeletRelists {
					continue
				}
				checked++
				after := at.Sub(ready).Seconds()
				if by := float64(p.Nodes[i].ListedBySeconds); after > by || by > 120 {
					t.Errorf("%s: %s listed its pods %.0f s after the API was back, not within %.0f s", r.name, node, after, by)
				}
				break
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d lists checked", checked)
	}
}

// TestAPIServersOfSnapshots: API servers are known by the identities that are still
// renewed, and by their master leases where there are none.
func TestAPIServersOfSnapshots(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	identity := func(name, host string, before time.Duration) change {
		renewed := metav1.NewMicroTime(now.Add(-before))
		return change{key: "/registry/leases/kube-system/" + name, object: &coordinationv1.Lease{
			TypeMeta: metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name, Labels: map[string]string{
				"apiserver.kubernetes.io/identity": "kube-apiserver", corev1.LabelHostname: host,
			}},
			Spec: coordinationv1.LeaseSpec{RenewTime: &renewed},
		}}
	}
	master := func(ip string) change { return change{key: "/registry/masterleases/" + ip, raw: "k8s\x00"} }
	for name, tt := range map[string]struct {
		changes []change
		want    []string
	}{
		"identities":              {[]change{identity("apiserver-b", "cp-2", 0), identity("apiserver-a", "cp-1", time.Second), master("10.0.0.1")}, []string{"cp-1", "cp-2"}},
		"one that is gone":        {[]change{identity("apiserver-a", "cp-1", 0), identity("apiserver-b", "cp-2", 10*time.Minute)}, []string{"cp-1"}},
		"one machine, two of it":  {[]change{identity("apiserver-a", "cp", 0), identity("apiserver-b", "cp", 0)}, []string{"apiserver-a", "apiserver-b"}},
		"no name of the machine":  {[]change{identity("apiserver-a", "", 0)}, []string{"apiserver-a"}},
		"master leases":           {[]change{master("10.0.0.2"), master("10.0.0.1"), {key: "/registry/masterleases/10.0.0.3", raw: "x"}, {key: "/registry/masterleases/10.0.0.3"}}, []string{"10.0.0.1", "10.0.0.2"}},
		"another Lease":           {[]change{{key: "/registry/leases/kube-system/kube-scheduler", object: &coordinationv1.Lease{TypeMeta: metav1.TypeMeta{APIVersion: "coordination.k8s.io/v1", Kind: "Lease"}}}}, nil},
		"one that cannot be read": {[]change{{key: "/registry/leases/kube-system/apiserver-a", raw: "k8s\x00\xff"}}, nil},
	} {
		state, err := restore.Load(t.Context(), store(t, tt.changes), "/registry")
		if err != nil {
			t.Fatal(err)
		}
		if got := restore.Compare(state, state).APIServerNames(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}
