package preflight

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/atrest"
	"revenant/analyzer/restore"
)

// TestCountPods: what checks of numbers of pods go by.
func TestCountPods(t *testing.T) {
	pod := func(o restore.Outcome, c restore.Certainty, double ...int64) restore.PodOutcome {
		p := restore.PodOutcome{Finding: &restore.Finding{Outcome: o}, Certainty: c}
		for _, seconds := range double {
			p.DoubleRun = &restore.DoubleRun{AtMostSeconds: seconds}
		}
		return p
	}
	tests := []struct {
		name string
		pods []restore.PodOutcome
		want counted
	}{
		{"none", nil, counted{}},
		{"phantoms", []restore.PodOutcome{pod(restore.Phantom, restore.Certain), pod(restore.Phantom, restore.Possible), pod(restore.Phantom, restore.Unlikely)}, counted{phantoms: 2, unlikelyPhantoms: 1}},
		{"ghosts", []restore.PodOutcome{pod(restore.Ghost, restore.Certain), pod(restore.Ghost, restore.Possible), pod(restore.Ghost, restore.Unlikely)}, counted{ghosts: 2, unlikelyGhosts: 1}},
		{"others", []restore.PodOutcome{pod(restore.Unknown, restore.Possible), pod(restore.Unaffected, restore.Certain)}, counted{unknown: 1}},
		{"run twice for a time", []restore.PodOutcome{pod(restore.Restarted, restore.Certain, 30), pod(restore.Restarted, restore.Certain, 5)}, counted{doubles: 2, doublesBound: 30}},
		{"and one without end", []restore.PodOutcome{pod(restore.Restarted, restore.Certain, 30), pod(restore.Restarted, restore.Certain, 0)}, counted{doubles: 2}},
	}
	for _, tt := range tests {
		got := countPods(&restore.Prediction{Pods: tt.pods})
		if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(counted{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestObjects: what is stored is counted, what is encrypted apart, and nothing passes unseen.
func TestObjects(t *testing.T) {
	stored := func(count int, change ...func(*atrest.Stored)) atrest.Stored {
		v := atrest.Stored{Resource: "secrets", Count: count, Example: "/registry/secrets/ns/a"}
		for _, f := range change {
			f(&v)
		}
		return v
	}
	encrypted := func(v *atrest.Stored) { v.Encrypted = true }
	broken := func(v *atrest.Stored) { v.Problem = "no object" }
	tests := []struct {
		name   string
		stored []atrest.Stored
		want   Verdict
		reason string
	}{
		{"nothing", nil, Unknown, "there is no object to look at"},
		{"one", []atrest.Stored{stored(1)}, Pass, "1 object's type and metadata decode"},
		{"two", []atrest.Stored{stored(1), stored(1)}, Pass, "2 objects' types and metadata decode"},
		{"one of them encrypted", []atrest.Stored{stored(1), stored(1, encrypted)}, Pass, "1 object's type and metadata decode; 1 value is encrypted, which another check is for"},
		{"two encrypted", []atrest.Stored{stored(1), stored(2, encrypted)}, Pass, "1 object's type and metadata decode; 2 values are encrypted, which another check is for"},
		{"one broken", []atrest.Stored{stored(5), stored(1, broken)}, Fail, "1 value of secrets, such as /registry/secrets/ns/a: no object"},
	}
	for _, tt := range tests {
		r := &run{stored: tt.stored}
		if got := r.objects(); got.Verdict != tt.want || got.reason != tt.reason {
			t.Errorf("%s: %s, %s; want %s, %s", tt.name, got.Verdict, got.reason, tt.want, tt.reason)
		}
	}
}
