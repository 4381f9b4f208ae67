package snapshot

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/container"
	"revenant/decoder/delta"
	"revenant/internal/corpus"
)

// TestOpenError: what a file looks like is said where that is known.
func TestOpenError(t *testing.T) {
	for _, tt := range []struct {
		err  *OpenError
		want string
	}{
		{&OpenError{Path: "a", Err: ErrNoKeyBucket}, "open a: no key bucket: a bbolt database, but not etcd's"},
		{&OpenError{Path: "a", Looks: "a gzip file", Err: errors.New("why")}, "open a: looks like a gzip file, not an etcd snapshot: why"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestSure: what may be missing, and what is missing for sure.
func TestSure(t *testing.T) {
	want := map[MissingKind]bool{
		MissingEntries: true, MissingEnd: true, MissingRevisions: true, MissingContent: true, MissingBytes: true, MissingState: true, MissingReceived: true,
		MissingRest: false, MissingAgreement: false, MissingLog: false, MissingOthers: false, MissingRemoved: false,
	}
	got := map[MissingKind]bool{}
	for kind := range want {
		got[kind] = (&Missing{Kind: kind}).Sure()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sure (-want +got):\n%s", diff)
	}
}

// TestDamagedContent: of damage that which costs something of the db counts.
func TestDamagedContent(t *testing.T) {
	s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: 2}, "/a", "1", 2, 1}), Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for where, want := range map[string]int{"log": 0, "directory": 0, "deltas": 0, "file": 1, "revision 7": 1} {
		for _, severity := range []Severity{Damage, Note} {
			s.problems = problemList{}
			s.problems.add(severity, where, "something", "")
			if n := s.damagedContent(); severity == Damage && n != want || severity == Note && n != 0 {
				t.Errorf("%s of the %s: %d", severity, where, n)
			}
			if s.Damaged() != (severity == Damage) {
				t.Errorf("%s of the %s: damaged %t", severity, where, s.Damaged())
			}
		}
	}
	for dropped, what := range map[int]string{1: "1 more problem is not listed", 3: "3 more problems are not listed"} {
		s.problems.dropped = dropped
		list := s.Problems()
		if want := (Problem{Severity: Damage, Where: "file", What: what}); len(list) != 2 || list[1] != want {
			t.Errorf("problems %v", list)
		}
	}
}

// TestContinues: which event can be the next one of its key.
func TestContinues(t *testing.T) {
	s, err := OpenBytes(t.Context(), "base", storeOf(t, 0, written{Revision{Main: 2}, "/a", "1", 2, 1}, written{Revision{Main: 3}, "/many", "1", 3, math.MaxUint32}), Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := &deltaReplay{replay: newReplay(t.Context(), s), at: 3, trusted: true}
	a.changes = append(a.changes, change{create: 2, version: 7}, change{create: 2, version: math.MaxUint32})
	for _, tt := range []struct {
		name string
		key  string
		of   uint32 // the change that is its newest record, 0 for none
		e    delta.Event
		want bool
	}{
		{"the next version", "/a", 0, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 2}, true},
		{"the same version", "/a", 0, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 1}, false},
		{"one version too far", "/a", 0, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 3}, false},
		{"created at another revision", "/a", 0, delta.Event{ModRevision: 4, CreateRevision: 3, Version: 2}, false},
		{"created again", "/a", 0, delta.Event{ModRevision: 4, CreateRevision: 4, Version: 1}, false},
		{"deleted", "/a", 0, delta.Event{ModRevision: 4, Delete: true}, true},
		{"after more versions than are counted", "/many", 0, delta.Event{ModRevision: 4, CreateRevision: 3, Version: 1 << 40}, true},
		{"the next version of a change", "/a", 1, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 8}, true},
		{"the db's next version", "/a", 1, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 2}, false},
		{"after a change of more versions than are counted", "/a", 2, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 3}, true},
		{"a new key", "/n", 0, delta.Event{ModRevision: 4, CreateRevision: 4, Version: 1}, true},
		{"a new key of a later version", "/n", 0, delta.Event{ModRevision: 4, CreateRevision: 4, Version: 2}, false},
		{"a new key that was created before", "/n", 0, delta.Event{ModRevision: 4, CreateRevision: 2, Version: 1}, false},
		{"deleted, and was not there", "/n", 0, delta.Event{ModRevision: 4, Delete: true}, false},
	} {
		k, exists := a.live.get(tt.key)
		k.change = tt.of
		if got := a.continues(k, exists, &tt.e); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestUnread: of the files beside the evidence that were not read four are named.
func TestUnread(t *testing.T) {
	for _, tt := range []struct {
		files int
		newer int64
		what  string
		cost  string
	}{
		{0, 0, "", ""},
		{1, 0, `beside it, and not read: "f0"`, ""},
		{4, 0, `beside it, and not read: "f0", "f1", "f2", "f3"`, ""},
		{5, 1, `beside it, and not read: "f0", "f1", "f2", "f3", 1 more`, "what was written after the full snapshot, up to revision 1 by their names; name their directory, or the last file that counts, and they are applied"},
	} {
		s := &Snapshot{evidence: &container.Evidence{Newer: tt.newer}}
		for i := range tt.files {
			s.evidence.Unread = append(s.evidence.Unread, fmt.Sprintf("f%d", i))
		}
		s.noteUnread()
		var want []Problem
		if tt.what != "" {
			want = []Problem{{Severity: Note, Where: "directory", What: tt.what, Cost: tt.cost}}
		}
		if diff := cmp.Diff(want, s.problems.list); diff != "" {
			t.Errorf("%d files (-want +got):\n%s", tt.files, diff)
		}
		if err := s.noKeys(); !errors.Is(err, ErrNoKeyBucket) || (err == ErrNoKeyBucket) != (tt.files == 0) {
			t.Errorf("%d files: %v", tt.files, err)
		}
	}
	if err := (&Snapshot{}).noKeys(); err != ErrNoKeyBucket {
		t.Error(err)
	}
}

// TestClose: a snapshot gives back its file.
func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, storeOf(t, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	db := s.evidence.DB
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := db.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("its file is open: %v", err)
	}
	if got := (&Snapshot{}).Container(); got != "" {
		t.Errorf("what is in memory was found in %q", got)
	}
}

// TestCustodyOfBytes: what is in memory is its own evidence.
func TestCustodyOfBytes(t *testing.T) {
	data := storeOf(t, 0)
	s, err := OpenBytes(t.Context(), "name", data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	want := Custody{Format: container.Plain, SizeBytes: int64(len(data)), SHA256: sum, Files: []container.File{{Path: "name", SizeBytes: int64(len(data)), SHA256: sum}}}
	got, err := s.Custody(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestInterruptedIndex: a context that is done while revisions are indexed is the error.
func TestInterruptedIndex(t *testing.T) {
	data := corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/current.db.gz")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := OpenBytes(ctx, "name", data, Options{SkipHashCheck: true, Workers: 1, Progress: func(p Progress) {
		if p.Phase == PhaseIndex {
			cancel()
		}
	}})
	var wrapped *OpenError
	if !errors.Is(err, context.Canceled) || errors.As(err, &wrapped) {
		t.Errorf("error %v", err)
	}
}
