package series

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

const clusters = "../../testdata/clusters/"

// files writes snapshots of clusters, and files of other content, to a directory.
func files(t *testing.T, snapshots map[string]string, others map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o400); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range snapshots {
		write(name, corpus.Unpack(t, clusters+path+".db.gz"))
	}
	for name, data := range others {
		write(name, data)
	}
	return dir
}

// read reads files of a directory as a series, and counts which were opened.
func read(t *testing.T, dir string, names ...string) (s *Series, opened map[string]int, err error) {
	t.Helper()
	opened = map[string]int{}
	var sources []Source
	for _, name := range names {
		path := filepath.Join(dir, name)
		sources = append(sources, Source{
			Name: name,
			Look: func(ctx context.Context) (*snapshot.Glance, error) {
				return snapshot.Look(ctx, path, snapshot.Options{})
			},
			Open: func(ctx context.Context) (*snapshot.Snapshot, error) {
				opened[name]++
				return snapshot.Open(ctx, path, snapshot.Options{SkipHashCheck: true})
			},
		})
	}
	s, err = New(t.Context(), sources, Options{Prefix: func(context.Context, *snapshot.Snapshot) (string, error) { return "/registry", nil }})
	if s != nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, opened, err
}

// member is what a test says of one.
type member struct {
	Name    string
	Branch  int
	Damaged bool
}

func members(s *Series) (list []member) {
	for i := range s.Members {
		list = append(list, member{s.Members[i].Name, s.Members[i].Branch, s.Members[i].Damaged})
	}
	return list
}

func TestNew(t *testing.T) {
	current := corpus.Unpack(t, clusters+"scenario-1/plain/current.db.gz")
	dir := files(t, map[string]string{"b.db": "scenario-1/plain/backup", "a.db": "scenario-1/plain/backup", "c.db": "scenario-1/plain/current", "other.db": "scenario-2/plain/backup"},
		map[string][]byte{"empty": nil, "notes.txt": []byte("notes"), "cut.db": current[:len(current)-4128]})
	for _, test := range []struct {
		name  string
		files string
		want  []member
		left  string
		open  string // those that had to be opened whole
	}{
		{"one", "c.db", []member{{"c.db", 0, false}}, "", "c.db"},
		{"in any order", "c.db b.db", []member{{"b.db", 0, false}, {"c.db", 0, false}}, "", "c.db"},
		{"the same twice", "a.db c.db b.db", []member{{"a.db", 0, false}, {"b.db", 0, false}, {"c.db", 0, false}}, "", "c.db"},
		{"what is no snapshot is left out", "empty c.db notes.txt", []member{{"c.db", 0, false}}, "empty notes.txt", "c.db"},
		{"a damaged one is compared whole", "cut.db b.db", []member{{"b.db", 0, false}, {"cut.db", 0, true}}, "", "b.db cut.db"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, opened, err := read(t, dir, strings.Fields(test.files)...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, members(s)); diff != "" {
				t.Error(diff)
			}
			var left []string
			for _, l := range s.Left {
				left = append(left, l.Name)
			}
			if strings.Join(left, " ") != test.left {
				t.Errorf("left out are %v", s.Left)
			}
			for _, name := range strings.Fields(test.files) {
				if want := strings.Contains(" "+test.open+" ", " "+name+" "); (opened[name] > 0) != want {
					t.Errorf("%s was opened %d times", name, opened[name])
				}
			}
			if s.Members[0].Taken.From.Year() != 2026 {
				t.Errorf("taken %v", s.Members[0].Taken)
			}
		})
	}
	var unrelated *UnrelatedError
	if _, _, err := read(t, dir, "b.db", "other.db"); !errors.As(err, &unrelated) {
		t.Errorf("two clusters: %v", err)
	}
	if _, _, err := read(t, dir, "empty", "notes.txt"); !errors.Is(err, ErrNone) {
		t.Errorf("no snapshot: %v", err)
	}
}

// hours is a series as New would make it: a branch that a restore gave up after its third
// member, and one that goes on from its second.
func hours() *Series {
	at := func(hour int) clock.Interval {
		t := time.Date(2026, 11, 20, hour, 0, 0, 0, time.UTC)
		return clock.Interval{From: t, To: t.Add(20 * time.Second)}
	}
	return &Series{
		Members: []Member{
			{Name: "1", Revision: 100, CompactRevision: 90, Taken: at(1)},
			{Name: "2", Revision: 200, CompactRevision: 101, Taken: at(2)},
			{Name: "3", Revision: 300, CompactRevision: 290, Taken: at(3)},
			{Name: "4", Revision: 260, CompactRevision: 250, Taken: at(5), Branch: 1},
			{Name: "5", Revision: 360, CompactRevision: 240, Taken: at(6), Branch: 1},
		},
		Branches: []Branch{{Parent: -1}, {Parent: 0, Common: 200, Parted: 255, How: Restore}},
	}
}

func TestPath(t *testing.T) {
	s := hours()
	if got := s.Members[s.Newest()].Name; got != "5" {
		t.Errorf("the newest is %s", got)
	}
	if diff := cmp.Diff([]Part{{0, 100}, {1, 200}, {2, 300}}, s.Path(0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Part{{0, 100}, {1, 200}, {3, 260}, {4, 360}}, s.Path(1)); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct{ i, j, want int64 }{{0, 1, 100}, {2, 3, 200}, {1, 4, 200}, {0, 4, 100}, {3, 4, 260}, {2, 2, 300}} {
		if got := s.Shared(int(test.i), int(test.j)); got != test.want {
			t.Errorf("%d and %d share %d, want %d", test.i, test.j, got, test.want)
		}
	}
	if got := s.Beside(1); !cmp.Equal(got, []int{0}) {
		t.Errorf("beside 1 are %v", got)
	}
	if common, how := s.Apart(0, 1); common != 200 || how != Restore {
		t.Errorf("apart after %d by %q", common, how)
	}
}

func TestHoles(t *testing.T) {
	s := hours()
	type stretch struct{ After, Before int64 }
	var got []stretch
	for _, h := range s.Holes(1) {
		got = append(got, stretch{h.After, h.Before})
	}
	// From 240 on the fifth holds all.
	if diff := cmp.Diff([]stretch{{200, 240}}, got); diff != "" {
		t.Error(diff)
	}
	for _, test := range []struct {
		branch   int
		revision int64
		want     string
		err      string
	}{
		{0, 0, "3", ""},
		{1, 0, "5", ""},
		{1, 95, "1", ""},
		{1, 101, "2", ""},
		{1, 260, "4", ""},
		{1, 245, "5", ""},
		{1, 50, "", "no file holds revision 50: the oldest that one holds is revision 90 in 1"},
		{1, 230, "", "no file holds revision 230: the nearest are revision 200 in 2, and revision 240 in 5"},
		{0, 301, "", "no file holds revision 301: the newest that one holds is revision 300 in 3"},
	} {
		i, err := s.At(test.branch, test.revision)
		switch {
		case test.err == "" && (err != nil || s.Members[i].Name != test.want):
			t.Errorf("revision %d is held by %d, %v", test.revision, i, err)
		case test.err != "" && (err == nil || err.Error() != test.err):
			t.Errorf("revision %d: %v, want %s", test.revision, err, test.err)
		}
	}
	if !s.Repeats(Part{1, 200}, &Part{0, 100}, 95) || s.Repeats(Part{1, 200}, &Part{0, 100}, 101) || s.Repeats(Part{4, 360}, &Part{3, 260}, 245) || !s.Repeats(Part{4, 360}, &Part{3, 260}, 255) {
		t.Error("what a member repeats of the one before it")
	}
}
