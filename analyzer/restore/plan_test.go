package restore

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlanRefused(t *testing.T) {
	tests := []struct {
		name string
		plan Plan
		want string // "" when it is accepted
	}{
		{"plain", Plan{}, ""},
		{"both flags", Plan{BumpRevision: 1, MarkCompacted: true}, ""},
		{"bump alone", Plan{BumpRevision: 1}, "--bump-revision needs --mark-compacted"},
		{"mark alone", Plan{MarkCompacted: true}, "--mark-compacted needs --bump-revision"},
		{"negative bump", Plan{BumpRevision: -1, MarkCompacted: true}, "invalid bump revision -1: it is negative"},
		{"bump past the end", Plan{BumpRevision: math.MaxInt64, MarkCompacted: true}, "invalid bump revision 9223372036854775807: the backup is at 1000, and revisions end at 9223372036854775807"},
		{"known nodes", Plan{RestartKubelets: Restart{Nodes: []string{"n1", "n4", "n5"}}}, ""},
		{"a last revision", Plan{LastRevision: seenAt}, ""},
		{"negative last revision", Plan{LastRevision: -1}, "invalid last revision -1: it is negative"},
		{"a last revision that kubelets have passed", Plan{LastRevision: seenAt - 1}, "invalid last revision 1899: the kubelet of n1 has seen revision 1900 (/registry/pods/ns/seen-on-n1)"},
		{"an outage of no time", Plan{Outage: Seconds{From: 5, To: 5}}, ""},
		{"a negative outage", Plan{Outage: Seconds{From: -1, To: 5}}, "invalid length of the outage: -1..5 seconds"},
		{"an outage that ends before it begins", Plan{Outage: Seconds{From: 6, To: 5}}, "invalid length of the outage: 6..5 seconds"},
		{"an outage in no year", Plan{OutageAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}, "invalid time of the outage: its year is not one of 0 to 9999"},
		{"an outage at once", Plan{Outage: Seconds{From: 0, To: 1}}, ""},
		{"API servers to restart, and all are", Plan{RestartAPIServers: []string{"a"}}, "API servers to restart are named, and none is left running"},
		{"no version", Plan{KubernetesVersion: "x"}, `invalid version of Kubernetes: "x"`},
		{"unknown nodes", Plan{RestartKubelets: Restart{Nodes: []string{"n1", "m2", "m1"}}}, "no such node to restart the kubelet of: m1, m2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			backup, current := states(nil, nil)
			_, err := Predict(backup, current, tt.plan)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var refused *PlanError
			if !errors.As(err, &refused) || refused.Error() != tt.want || refused.Hint() == "" {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestPlanEqual: two plans are the same when nothing in them differs.
func TestPlanEqual(t *testing.T) {
	given := Plan{BumpRevision: 5, MarkCompacted: true, KeepAPIServers: true}
	for name, change := range map[string]func(*Plan){
		"bump":                   func(p *Plan) { p.BumpRevision = 6 },
		"mark compacted":         func(p *Plan) { p.MarkCompacted = false },
		"API servers":            func(p *Plan) { p.KeepAPIServers = false },
		"API servers, some":      func(p *Plan) { p.RestartAPIServers = []string{"a"} },
		"kubelets":               func(p *Plan) { p.RestartKubelets.All = true },
		"kubelets, some":         func(p *Plan) { p.RestartKubelets.Nodes = []string{"n1"} },
		"last revision":          func(p *Plan) { p.LastRevision = 1 },
		"outage":                 func(p *Plan) { p.OutageAt = takenAt },
		"length of the outage":   func(p *Plan) { p.Outage = Seconds{From: 1, To: 2} },
		"version":                func(p *Plan) { p.KubernetesVersion = "1.33" },
		"API server of kubelets": func(p *Plan) { p.KubeletAPIServers = map[string]string{"n1": "a"} },
		"machines":               func(p *Plan) { p.Onto = NewMachines },
	} {
		other := given
		change(&other)
		if given.Equal(other) || other.Equal(given) || !other.Equal(other) {
			t.Errorf("%s: %+v is the same as %+v, or not as itself", name, given, other)
		}
	}
	at, there := given, given
	at.OutageAt, there.OutageAt = takenAt, takenAt.In(time.FixedZone("there", 3600))
	if !at.Equal(there) {
		t.Error("the same time in another zone is another plan")
	}
}

func TestRestart(t *testing.T) {
	tests := []struct {
		text string
		want Restart
		json string
	}{
		{"", Restart{}, `"none"`},
		{"none", Restart{}, `"none"`},
		{"all", Restart{All: true}, `"all"`},
		{"n1", Restart{Nodes: []string{"n1"}}, `["n1"]`},
		{"n2, n1,,n2", Restart{Nodes: []string{"n1", "n2"}}, `["n1","n2"]`},
		{",", Restart{}, `"none"`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			r := ParseRestart(tt.text)
			if diff := cmp.Diff(tt.want, r); diff != "" {
				t.Error(diff)
			}
			data, err := json.Marshal(r)
			if err != nil || string(data) != tt.json {
				t.Errorf("marshalled to %s, %v", data, err)
			}
			var back Restart
			if err := json.Unmarshal(data, &back); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(r, back); diff != "" {
				t.Error(diff)
			}
			if again := ParseRestart(r.String()); !cmp.Equal(again, r) {
				t.Errorf("%s reads as %+v", r, again)
			}
		})
	}
	both := Restart{All: true, Nodes: []string{"n1"}}
	if data, err := json.Marshal(both); err != nil || string(data) != `"all"` || !cmp.Equal(both.normal(), Restart{All: true}) {
		t.Errorf("all, and n1 by name, is %s, %v, and normally %+v", data, err, both.normal())
	}
	var none Restart
	if err := json.Unmarshal([]byte(`[]`), &none); err != nil || none.Nodes != nil || (Restart{Nodes: []string{}}).normal().Nodes != nil {
		t.Errorf("no node is %+v, %v", none, err)
	}
	for _, bad := range []string{`"n1"`, `1`, `{}`, `[1]`} {
		if err := json.Unmarshal([]byte(bad), new(Restart)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// TestParseSeconds: what is read of a length of time, and that it is written the same way.
func TestParseSeconds(t *testing.T) {
	for given, want := range map[string]string{
		"90": "90", "5..20": "5..20", "2m30s": "150", "90..2m30s": "90..150", "1.2s": "2", "0": "0..1", "0..0": "0..1",
		"-5..5": "", "0..1": "0..1", "5..5": "5", "0s..0": "0..1",
		"20..5": "", "-1": "", "": "", "x": "", "5..": "", "1..2..3": "",
	} {
		got, err := ParseSeconds(given)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %s, %v", given, got, err)
		}
		if again, err2 := ParseSeconds(got.String()); err == nil && (err2 != nil || again != got) {
			t.Errorf("%q: %s is read as %s: %v", given, got, again, err2)
		}
	}
}

// TestParseKubelets: which API server each kubelet reaches.
func TestParseKubelets(t *testing.T) {
	for given, want := range map[string]string{
		"n1=a": "n1=a", "n2=b, n1=a": "n1=a,n2=b", "n1=a,n1=a": "n1=a", "n1=fd00::1": "n1=fd00::1",
		"": "", "n1": "", "=a": "", "n1=": "", "n1=a,n1=b": "",
	} {
		got, err := ParseKubelets(given)
		if (err == nil) != (want != "") || err == nil && (Plan{KubeletAPIServers: got}).Kubelets() != want {
			t.Errorf("%q: %v, %v", given, got, err)
		}
	}
}
