package snapshot_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
)

// openEtcd opens a file that etcd's own store wrote:
//
//	2  put /registry/a a1          6.1 put /registry/again old1
//	3  put /registry/a a2          7   put /registry/again old2
//	4  put /registry/gone g1       8   delete /registry/again
//	5  delete /registry/gone       9   put /registry/again new1
//	6.0 put /registry/b b1         10  put /registry/a a3
func openEtcd(t *testing.T, name string) *snapshot.Snapshot {
	t.Helper()
	return openGzip(t, filepath.Join("../../testdata/mvcc", name+".db.gz"))
}

func TestNewestValueIsCurrent(t *testing.T) {
	s := openEtcd(t, "history")
	r, err := s.Get("/registry/a", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := tell(t, s, r); got != "10 a3 created 2 version 3" {
		t.Errorf("current value: %s", got)
	}
}

func TestDeletedKeyIsNotListed(t *testing.T) {
	s := openEtcd(t, "history")
	want := []string{"/registry/a", "/registry/again", "/registry/b"}
	if diff := cmp.Diff(want, names(s.Keys("/registry/"))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if _, err := s.Get("/registry/gone", 0); !errors.Is(err, snapshot.ErrNotFound) {
		t.Errorf("get of a deleted key: %v", err)
	}
	if got := slices.Collect(s.AllKeys("/registry/g")); !slices.Equal(got, []string{"/registry/gone"}) {
		t.Errorf("keys with a history: %v", got)
	}
}

func TestRecreatedKeyIsNewGeneration(t *testing.T) {
	s := openEtcd(t, "history")
	r, err := s.Get("/registry/again", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := tell(t, s, r); got != "9 new1 created 9 version 1" {
		t.Errorf("recreated key: %s", got)
	}
}

func TestHistory(t *testing.T) {
	for _, tt := range []struct {
		file, key string
		want      []string
	}{
		{"history", "/registry/a", []string{"generation 1: 2 a1 created 2 version 1", "generation 1: 3 a2 created 2 version 2", "generation 1: 10 a3 created 2 version 3"}},
		{"history", "/registry/gone", []string{"generation 1: 4 g1 created 4 version 1", "generation 1: 5 deleted"}},
		{"history", "/registry/again", []string{"generation 1: 6.1 old1 created 6 version 1", "generation 1: 7 old2 created 6 version 2", "generation 1: 8 deleted", "generation 2: 9 new1 created 9 version 1"}},
		{"compacted", "/registry/a", []string{"generation 1: 3 a2 created 2 version 2", "generation 1: 10 a3 created 2 version 3"}},
		{"compacted", "/registry/gone", nil},
		{"compacted", "/registry/again", []string{"generation 1: 7 old2 created 6 version 2", "generation 1: 8 deleted", "generation 2: 9 new1 created 9 version 1"}},
		{"history", "/registry/never", nil},
	} {
		t.Run(tt.file+tt.key, func(t *testing.T) {
			s := openEtcd(t, tt.file)
			var got []string
			for _, r := range s.History(tt.key) {
				got = append(got, fmt.Sprintf("generation %d: %s", r.Generation, tell(t, s, r)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHistories yields every key's history, once.
func TestHistories(t *testing.T) {
	for _, name := range []string{"history", "compacted", "bumped"} {
		s := openEtcd(t, name)
		want, got := map[string][]snapshot.Record{}, map[string][]snapshot.Record{}
		for r := range s.Records() {
			want[r.Key] = append(want[r.Key], r)
		}
		for list := range s.Histories() {
			if got[list[0].Key] != nil {
				t.Errorf("%s: %q comes twice", name, list[0].Key)
			}
			got[list[0].Key] = slices.Clone(list)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(snapshot.Record{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestEveryNth yields the n-th record, the one n after it, and so on.
func TestEveryNth(t *testing.T) {
	s := openEtcd(t, "history")
	for n, want := range map[int][]string{
		1:  {"2", "3", "4", "5", "6", "6.1", "7", "8", "9", "10"},
		3:  {"4", "6.1", "9"},
		10: {"10"},
		11: nil,
	} {
		var got []string
		for r := range s.EveryNth(n) {
			got = append(got, r.Revision.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("every %d. (-want +got):\n%s", n, diff)
		}
	}
}

func TestStateAtEveryRevision(t *testing.T) {
	states := map[int64][]string{
		1:  nil,
		2:  {"/registry/a"},
		3:  {"/registry/a"},
		4:  {"/registry/a", "/registry/gone"},
		5:  {"/registry/a"},
		6:  {"/registry/a", "/registry/again", "/registry/b"},
		7:  {"/registry/a", "/registry/again", "/registry/b"},
		8:  {"/registry/a", "/registry/b"},
		9:  {"/registry/a", "/registry/again", "/registry/b"},
		10: {"/registry/a", "/registry/again", "/registry/b"},
	}
	for file, compact := range map[string]int64{"history": 0, "compacted": 7} {
		s := openEtcd(t, file)
		if s.Revision() != 10 || s.CompactRevision() != compact {
			t.Errorf("%s: revision %d, compact revision %d, want 10 and %d", file, s.Revision(), s.CompactRevision(), compact)
		}
		for rev, want := range states {
			v, err := s.At(rev)
			if rev < compact {
				if !errors.Is(err, snapshot.ErrCompacted) {
					t.Errorf("%s at %d: err = %v, want compacted", file, rev, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, names(v.Keys(""))); diff != "" {
				t.Errorf("%s at %d (-want +got):\n%s", file, rev, diff)
			}
		}
		for _, rev := range []int64{11, 1 << 62} {
			if _, err := s.At(rev); !errors.Is(err, snapshot.ErrFuture) {
				t.Errorf("%s at %d: err = %v, want future", file, rev, err)
			}
		}
		if _, err := s.At(-1); !errors.Is(err, snapshot.ErrCompacted) {
			t.Errorf("%s at -1: err = %v, want compacted", file, err)
		}
	}
	s := openEtcd(t, "history")
	r, err := s.Get("/registry/a", 9)
	if err != nil {
		t.Fatal(err)
	}
	if got := tell(t, s, r); got != "3 a2 created 2 version 2" {
		t.Errorf("value as of revision 9: %s", got)
	}
}

// TestBumpMarker reads what `etcdutl snapshot restore --bump-revision 1000`
// makes of the first file, before any etcd was started on it.
func TestBumpMarker(t *testing.T) {
	s := openEtcd(t, "bumped")
	if diff := cmp.Diff([]int64{1010}, s.BumpMarkers()); diff != "" {
		t.Errorf("markers (-want +got):\n%s", diff)
	}
	if s.Revision() != 1010 || s.CompactRevision() != 1010 || s.NewestRecord() != 1010 {
		t.Errorf("revision %d, compact revision %d, newest record %d", s.Revision(), s.CompactRevision(), s.NewestRecord())
	}
	if diff := cmp.Diff([]string{"/registry/a", "/registry/again", "/registry/b"}, names(s.Keys(""))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if s.Damaged() {
		t.Errorf("damage in a healthy file: %v", s.Problems())
	}
}

// tell writes a record and its value.
func tell(t *testing.T, s *snapshot.Snapshot, r snapshot.Record) string {
	t.Helper()
	if r.Tombstone {
		return r.Revision.String() + " deleted"
	}
	value, err := s.Value(r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s created %d version %d", r.Revision, value, r.CreateRevision, r.Version)
}

func names(records func(func(snapshot.Record) bool)) []string {
	var list []string
	for r := range records {
		list = append(list, r.Key)
	}
	return list
}
