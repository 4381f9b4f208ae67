package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// TestHistoryOfDamaged overwrites pages of the newer file, one after another: what a damaged
// file lacks is never told as a deletion, nor as an object that never was.
func TestHistoryOfDamaged(t *testing.T) {
	const page = 4096
	dir := t.TempDir()
	older, newer := filepath.Join(dir, "older.db"), filepath.Join(dir, "newer.db")
	if err := os.WriteFile(older, corpus.Unpack(t, cluster("scenario-1/plain/backup")), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := corpus.Unpack(t, cluster("scenario-1/plain/current"))
	told := regexp.MustCompile(`"verb": "deleted"|"gone": \{`)
	never := []byte("no file holds a revision of it")
	wrecks := 0
	for at := 2 * page; at < len(whole)-page; at += 29 * page {
		damaged := bytes.Clone(whole)
		clear(damaged[at : at+page])
		if err := os.WriteFile(newer, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		s := snapshottest.OpenBytes(t, "newer", damaged)
		if s.Damaged() {
			wrecks++
		}
		for _, object := range [][]string{{"deploy/web", "-n", "shop"}, {"configmaps/not-there", "-n", "shop"}} {
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"history", "-f", older, "-f", newer, "-o", "json"}, object...), streams{in: bytes.NewReader(nil), out: &out, err: &errs})
			if told.Match(out.Bytes()) {
				t.Errorf("page %d overwritten: %v is told to be deleted, exit code %d\n%s%s", at/page, object, code, out.Bytes(), errs.Bytes())
			}
			if s.Damaged() && bytes.Contains(errs.Bytes(), never) {
				t.Errorf("page %d overwritten: %v is told to be in no file: %s", at/page, object, errs.Bytes())
			}
		}
	}
	if wrecks < 3 {
		t.Errorf("%d files are damaged by it", wrecks)
	}
}
