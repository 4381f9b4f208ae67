package boltpage_test

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/boltpage"
)

// seen is what a file shows of a bucket, and of its pages.
type seen struct {
	Items     []entry
	Len       int
	Usage     boltpage.Usage
	Anomalies []boltpage.Anomaly
}

func look(t *testing.T, f *boltpage.File, name string) (s seen) {
	t.Helper()
	var err error
	if s.Usage, err = f.Usage(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := f.Bucket(name)
	s.Len = length(t, b)
	for i := range b.Pages() {
		err := b.Page(i).Each(func(items []boltpage.Item) error {
			for _, it := range items {
				s.Items = append(s.Items, entry{Key: string(it.Key), Value: string(it.Value), Bucket: it.Bucket})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Anomalies = f.Anomalies()
	return s
}

func resume(t *testing.T, path, name string, tally boltpage.Tally) (*boltpage.File, bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	file, resumed, err := boltpage.Resume(t.Context(), f, name, &tally)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, resumed
}

// TestResume opens files with the tally of each of their buckets, and with tallies that
// cannot be of them.
func TestResume(t *testing.T) {
	const beyond = 1 << 40
	wrong := map[string]func(*boltpage.Tally){
		"a count below zero":      func(t *boltpage.Tally) { t.Items = -1 },
		"a branch page beyond":    func(t *boltpage.Tally) { t.Runs[0].Branch = beyond },
		"a branch page of a meta": func(t *boltpage.Tally) { t.Runs[0].Branch = 1 },
		"a root that is not":      func(t *boltpage.Tally) { t.Runs = []boltpage.Run{{From: beyond, To: beyond + 1}} },
		"elements backwards":      func(t *boltpage.Tally) { t.Runs[0].From = t.Runs[0].To },
		"elements no page has":    func(t *boltpage.Tally) { t.Runs[0].To = beyond },
		"more leaves than pages":  func(t *boltpage.Tally) { t.Runs = slices.Repeat([]boltpage.Run{{Branch: 2, To: 1 << 16}}, 1<<10) },
		"no marks":                func(t *boltpage.Tally) { t.Heads, t.Used = nil, nil },
		"too many marks":          func(t *boltpage.Tally) { t.Heads, t.Used = append(t.Heads, 0), append(t.Used, 0) },
		"marks beyond the file": func(t *boltpage.Tally) {
			last := len(t.Used) - 1
			t.Used[last] |= 1 << 63
		},
		"a head that is not used": func(t *boltpage.Tally) { clear(t.Used) },
		"nothing used":            func(t *boltpage.Tally) { clear(t.Used); clear(t.Heads) },
		"all pages used":          func(t *boltpage.Tally) { fill(t.Used) },
	}
	tried := 0
	for seed := range uint64(6) {
		pageSize := 1024 << (seed % 3)
		path := makeFile(t, pageSize, seed%2 == 1, seed)
		first := openFile(t, path)
		for _, name := range first.Buckets() {
			f := openFile(t, path)
			b := f.Bucket(name)
			if _, ok := b.Tally(); ok {
				t.Error("there is a tally of a bucket that was not read")
			}
			if err := b.Each(func([]boltpage.Item) error { return nil }); err != nil {
				t.Fatal(err)
			}
			length(t, b)
			tally, ok := b.Tally()
			if !ok {
				if b.Root != 0 {
					t.Error("there is no tally of a bucket that was read")
				}
				continue
			}
			want := look(t, f, name)
			resumed, ok := resume(t, path, name, tally)
			if diff := cmp.Diff(want, look(t, resumed, name)); diff != "" || !ok {
				t.Errorf("seed %d, %s: resumed %v, -walked +resumed:\n%s", seed, name, ok, diff)
			}
			for what, change := range wrong {
				if first.Pages()%64 == 0 && (what == "all pages used" || what == "marks beyond the file") {
					continue // no mark is beyond the file
				}
				forged := boltpage.Tally{Items: tally.Items, Runs: slices.Clone(tally.Runs), Heads: slices.Clone(tally.Heads), Used: slices.Clone(tally.Used)}
				change(&forged)
				resumed, ok := resume(t, path, name, forged)
				if diff := cmp.Diff(want, look(t, resumed, name)); diff != "" || ok {
					t.Errorf("seed %d, %s, %s: resumed %v, -walked +refused:\n%s", seed, name, what, ok, diff)
				}
				tried++
			}
		}
	}
	if tried < 100 {
		t.Errorf("%d tallies were tried", tried)
	}
}

func fill(words []uint64) {
	for i := range words {
		words[i] = 1<<64 - 1
	}
}
