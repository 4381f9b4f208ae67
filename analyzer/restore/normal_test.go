package restore

import (
	"errors"
	"strings"
	"testing"
)

// TestNormal: a plan names API servers as the current snapshot does, and one that restarts
// all of those is one that leaves none running.
func TestNormal(t *testing.T) {
	known := []APIServer{{Name: "a", Aliases: []string{"10.0.0.1"}}, {Name: "b"}}
	tests := []struct {
		name  string
		known []APIServer
		keep  bool
		plan  string
		want  string
	}{
		{"all", known, false, "", "all"},
		{"none", known, true, "", "none"},
		{"one, by another name", known, true, "10.0.0.1", "a"},
		{"one that is not known", known, true, "c", "c"},
		{"each", known, true, "b,10.0.0.1", "all"},
		{"each, twice", known, true, "b,10.0.0.1,a", "all"},
		{"one, where none is known", nil, true, "a", "a"},
		{"none, where none is known", nil, true, "", "none"},
	}
	for _, tt := range tests {
		c := &Comparison{current: &State{APIServers: tt.known}}
		plan := Plan{KeepAPIServers: tt.keep}
		if tt.plan != "" {
			plan.RestartAPIServers = strings.Split(tt.plan, ",")
		}
		if got := c.normal(plan).APIServers(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	c := &Comparison{current: &State{APIServers: known}}
	if got := c.normal(Plan{KubeletAPIServers: map[string]string{"n1": "10.0.0.1", "n2": "c"}}).Kubelets(); got != "n1=a,n2=c" {
		t.Errorf("kubelets reach %s", got)
	}
}

// TestRestartedAndNoneKept: a plan that names API servers to restart and leaves none running
// is refused, also when it names all that there are.
func TestRestartedAndNoneKept(t *testing.T) {
	backup, current := states(nil, nil)
	current.APIServers = []APIServer{{Name: "a"}, {Name: "b"}}
	for _, names := range [][]string{{"a"}, {"a", "b"}} {
		var refused *PlanError
		if _, err := Compare(backup, current).Predict(Plan{RestartAPIServers: names}); !errors.As(err, &refused) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

// TestAPIServerNames: the API servers that the current snapshot names are all there are;
// where it names none, those of the plan and the others.
func TestAPIServerNames(t *testing.T) {
	known := []APIServer{{Name: "a"}, {Name: "b"}}
	for _, tt := range []struct {
		name     string
		known    []APIServer
		restarts string
		want     string
	}{
		{"known", known, "a", "a restored, b erased"},
		{"known, and all run on", known, "none", "a erased, b erased"},
		{"not known", nil, "a", "a restored, (the others) erased"},
		{"not known, and all run on", nil, "none", ""},
	} {
		backup, current := states(nil, nil)
		current.APIServers = tt.known
		var plan Plan
		plan.SetAPIServers(tt.restarts)
		var got []string
		for _, s := range mustPredict(t, backup, current, plan).APIServers {
			got = append(got, s.Name+" "+string(s.Serves))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestListsLate: what holds until a kubelet has relisted, and what that rests on.
func TestListsLate(t *testing.T) {
	const within, assumes = "Its kubelet relists its pods within ", "Assumes that it was not refused in the two minutes before the outage."
	short := Seconds{From: 5, To: 10}
	kept := bump(1_000_000)
	kept.KeepAPIServers = true
	for _, tt := range []struct {
		name    string
		plan    Plan
		outage  Seconds
		assumed bool
	}{
		{"an outage of any length", bump(1_000_000), Seconds{}, false},
		{"a short one", bump(1_000_000), short, true},
		{"under API servers left running", kept, short, false},
	} {
		tt.plan.Outage = tt.outage
		p, err := Compare(states([]*Pod{was()}, nil)).Predict(tt.plan)
		if err != nil {
			t.Fatal(err)
		}
		o := p.Pods[0]
		if o.Then == nil || !strings.HasPrefix(o.Then.Reason, within) || strings.Contains(o.Then.Reason, assumes) != tt.assumed {
			t.Errorf("%s: %+v", tt.name, o.Then)
		}
	}
}
