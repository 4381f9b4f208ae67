package clock_test

import (
	"testing"
	"time"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestOfNamesake: a custom resource that is named as Leases are is dated as any object.
func TestOfNamesake(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/registry/lab.example.com/leases/shop/office",
		`{"apiVersion":"lab.example.com/v1","kind":"Lease","metadata":{"name":"office","namespace":"shop","uid":"1","creationTimestamp":"2026-11-23T05:00:00Z"}}`))
	records := func(yield func(snapshot.Record, []byte) bool) {
		for r := range s.Keys("") {
			value, err := s.Value(r)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(r, value) {
				return
			}
		}
	}
	c, err := clock.Of(t.Context(), records, s.Revision(), "/registry")
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC); !c.TimeOf(2).From.Equal(want) {
		t.Errorf("it was written at %v, not at %v", c.TimeOf(2), want)
	}
}
