package snapshot_test

import (
	"os"
	"slices"
	"testing"

	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

// TestHeadless damages the page of the newest record, and one before it: only the
// former leaves open how far the store had come.
func TestHeadless(t *testing.T) {
	whole := corpus.Unpack(t, clusters+"/scenario-1/plain/current.db.gz")
	s := open(t, writeFile(t, whole))
	if n, err := s.Headless(t.Context()); err != nil || n != 0 {
		t.Errorf("a whole file may lack %d revisions: %v", n, err)
	}
	const pageSize = 4096
	records := slices.Collect(s.Records())
	middle, last := s.Page(records[len(records)/2]), s.Page(records[len(records)-1])
	for _, tt := range []struct {
		name string
		data []byte
		lost bool
	}{
		{"a page of the middle", zeroed(whole, middle, pageSize), false},
		{"the last page", zeroed(whole, last, pageSize), true},
		{"cut short before the last page", whole[:min(middle, last)*pageSize], true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, tt.data)
			damaged, err := snapshot.Open(t.Context(), path, snapshot.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer damaged.Close()
			if !damaged.Damaged() {
				t.Fatal("not damaged")
			}
			n, err := damaged.Headless(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !tt.lost && n != 0 {
				t.Errorf("may lack %d revisions, although the newest record can be read", n)
			}
			if lacks := s.Revision() - damaged.NewestRecord(); tt.lost && (lacks == 0 || n < lacks) {
				t.Errorf("may lack %d revisions, lacks %d", n, lacks)
			}
			if info, err := os.Stat(path); err != nil || n > info.Size() {
				t.Errorf("may lack %d revisions of a file of %v bytes: %v", n, info.Size(), err)
			}
		})
	}
}

func zeroed(data []byte, page, size uint64) []byte {
	data = slices.Clone(data)
	clear(data[page*size : (page+1)*size])
	return data
}
