package snapshot

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// TestProgressTold: how far a phase is is passed on at most once an interval, and its end
// always; more than all is not done.
func TestProgressTold(t *testing.T) {
	var got []Progress
	tell := func(p Progress) { got = append(got, p) }
	p := newProgress(tell, PhaseHash, 10)
	p.next = time.Now().Add(time.Hour)
	p.add(4) // too early
	p.next = time.Time{}
	p.add(3)
	p.add(2) // too early again
	p.add(1)
	p.add(1) // more than there is
	none := newProgress(tell, PhaseVerify, 0)
	none.next = time.Now().Add(time.Hour)
	none.add(1)
	open := newProgress(tell, PhaseExpand, -1)
	open.set(7, -1)
	open.next = time.Now().Add(time.Hour)
	open.set(8, -1)
	open.set(9, 9)
	newProgress(nil, PhaseHash, 0).add(1)
	want := []Progress{{PhaseHash, 7, 10}, {PhaseHash, 10, 10}, {PhaseHash, 10, 10}, {PhaseVerify, 0, 0}, {PhaseExpand, 7, -1}, {PhaseExpand, 9, 9}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
