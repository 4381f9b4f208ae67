package snapshot_test

import (
	"testing"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestKeySet counts the keys that are there after each record, of keys that the snapshot has
// and of others.
func TestKeySet(t *testing.T) {
	keys := snapshottest.Store(t, snapshottest.Put("/a", "1"), snapshottest.Put("/b", "1")).NewKeySet()
	for i, step := range []struct {
		key     string
		deleted bool
		want    int
	}{
		{"/a", true, 0}, {"/a", false, 1}, {"/a", false, 1}, {"/b", false, 2}, {"", false, 2}, {"/a", true, 1}, {"/a", true, 1},
		{"/new", true, 1}, {"/new", false, 2}, {"/new", false, 2}, {"/a", false, 3}, {"/0", false, 4}, {"/1", false, 5}, {"/1", true, 4}, {"/a", true, 3}, {"/new", true, 2}, {"/new", true, 2}, {"/b", true, 1}, {"/0", true, 0},
	} {
		keys.Apply(&snapshot.Record{Key: step.key, Tombstone: step.deleted})
		if keys.Len() != step.want {
			t.Errorf("after record %d, of %q, %d keys are there, not %d", i, step.key, keys.Len(), step.want)
		}
	}
}
