package snapshot

import (
	"testing"

	"revenant/decoder/boltpage"
	"revenant/internal/corpus"
)

// TestProgressOfIndex wants what is done to be in the unit of what there is to do.
func TestProgressOfIndex(t *testing.T) {
	data := corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	pages, err := boltpage.OpenBytes(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	bucket := pages.Bucket("key")
	for _, workers := range []int{1, 3} {
		p := newProgress(nil, PhaseIndex, int64(bucket.Pages()))
		if _, _, _, err := buildIndex(t.Context(), bucket, workers, workers > 1, p); err != nil {
			t.Fatal(err)
		}
		if done := p.done.Load(); done != p.total {
			t.Errorf("%d workers: %d pages done of %d", workers, done, p.total)
		}
	}
}
