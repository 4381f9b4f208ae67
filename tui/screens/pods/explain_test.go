package pods

import (
	"strings"
	"testing"
	"time"

	"revenant/analyzer/restore"
	"revenant/decoder/document"
)

// TestClaims: what is said of a pod that the scheduler binds again and of one that
// does not stay as it is.
func TestClaims(t *testing.T) {
	running := &restore.APIView{Phase: "Running"}
	for want, pod := range map[string]restore.PodOutcome{
		"nothing: no such pod":         {},
		"Running, on no known node":    {API: running},
		"Running on n1":                {API: &restore.APIView{Phase: "Running", Node: "n1"}},
		"Running on n1, terminating":   {API: &restore.APIView{Phase: "Running", Node: "n1", Terminating: true}},
		"chooses: n1, n2":              {API: running, MayBeBoundTo: []string{"n1", "n2"}, MayRunOn: []string{"n1", "n2"}},
		"Pending on the one of these":  {API: &restore.APIView{Phase: "Pending"}, MayBeBoundTo: []string{"n1", "n2"}},
		"where nothing starts it: n2":  {API: running, MayBeBoundTo: []string{"n1", "n2"}, MayRunOn: []string{"n1"}},
		"Running on the one of these ": {API: running, MayBeBoundTo: []string{"n1", "n2"}, MayRunOn: []string{"n1"}},
	} {
		if got := apiShows(&pod); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	end := time.Date(2026, 11, 23, 5, 11, 8, 0, time.UTC)
	for want, later := range map[string]restore.Later{
		"by 2026-11-23 05:11:08Z at the latest": {By: document.NewTime(&end)},
		"340 to 390 s after the API is back":    {AfterSeconds: 340, BySeconds: 390},
	} {
		if got := later.When(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
