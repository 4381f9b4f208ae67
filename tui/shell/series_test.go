package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
	"revenant/internal/golden"
	"revenant/tui/screens/files"
	"revenant/tui/session"
)

// seriesInput is three snapshots of one cluster, two of them at one revision, and a file
// that is none.
func seriesInput(t *testing.T) *session.Input {
	t.Helper()
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	in := seriesOf(t, []memberFile{{"0400.db", backup}, {"0401.db", backup}, {"0402.db", current}, {"notes", []byte("notes")}}, 1, 2)
	in.Series.Left[0].Err = errors.New("it is no snapshot") // without a path that changes
	in.Notice = "Of 3 files, 0401.db is taken as BACKUP and 0402.db as CURRENT."
	return in
}

// memberFile is a file of a series.
type memberFile struct {
	name string
	data []byte
}

// seriesOf is the files as a series, of which two are the pair.
func seriesOf(t *testing.T, list []memberFile, backup, current int) *session.Input {
	t.Helper()
	dir := t.TempDir()
	var sources []series.Source
	for _, f := range list {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, f.data, 0o400); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, series.Source{
			Name: f.name,
			Look: func(ctx context.Context) (*snapshot.Glance, error) {
				return snapshot.Look(ctx, path, snapshot.Options{})
			},
			Open: func(ctx context.Context) (*snapshot.Snapshot, error) {
				s, err := snapshot.Open(ctx, path, snapshot.Options{})
				if s != nil {
					t.Cleanup(func() { s.Close() })
				}
				return s, err
			},
		})
	}
	all, err := series.New(t.Context(), sources, series.Options{Prefix: func(context.Context, *snapshot.Snapshot) (string, error) { return "/registry", nil }})
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Series{Series: all}
	s.Member = func(ctx context.Context, i int) (*snapshot.Snapshot, *clock.Clock, error) {
		opened, err := sources[i].Open(ctx)
		if err != nil {
			return nil, nil, err
		}
		c, err := clock.Build(ctx, opened, "/registry")
		return opened, c, err
	}
	s.Pair = func(ctx context.Context, backup, current int, _ func(snapshot.Progress, string)) (*session.Input, error) {
		in := &session.Input{Tool: "revenant test", Prefix: "/registry", Series: s, Members: [2]int{backup, current}}
		var pair []session.Source
		for _, i := range in.Members {
			opened, err := sources[i].Open(ctx)
			if err != nil {
				return nil, err
			}
			state, err := restore.Load(ctx, opened, "/registry")
			if err != nil {
				return nil, err
			}
			pair = append(pair, session.Source{Snapshot: opened, State: state})
		}
		in.Pair(pair[0], pair[1])
		return in, restore.Check(pair[0].State, pair[1].State)
	}
	in, err := s.Pair(t.Context(), backup, current, nil)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestFilesScreen holds the screen with the files of a series, and of a pair, against the golden
// files.
func TestFilesScreen(t *testing.T) {
	many, pair := seriesInput(t), demoInput(t)
	for _, tt := range []struct {
		name string
		in   *session.Input
		keys string
	}{
		{"many", many, ":files<enter>"},
		{"many opened", many, ":files<enter>kk<enter>"},
		{"two", pair, ":files<enter>"},
	} {
		for _, size := range sizes {
			t.Run(tt.name+"/"+size.name, func(t *testing.T) {
				x := openOn(t, tt.in, size.width, size.height).typed(tt.keys)
				x.fits()
				head, body, _ := strings.Cut(x.plain(), "\n")
				if !strings.Contains(head, "Files") {
					t.Errorf("the header is %q", head) // it names the test's directory
				}
				golden.Named(t, body)
			})
		}
	}
}

// TestOtherPair chooses other files as the pair, which is opened in place of the one that
// was shown; where it cannot be, that one stays.
func TestOtherPair(t *testing.T) {
	x := openOn(t, seriesInput(t), 120, 40)
	var released []*session.Input
	x.release = func(in *session.Input) { released = append(released, in) }
	first, was := x.Input, x.Prediction
	x.shows("", "Of 3 files, 0401.db is taken as BACKUP")
	x.shows(":files<enter>c", "0402.db is that already")
	x.shows("b", "0402.db cannot be both")
	x.shows("kkb", "0400.db", "CURRENT")
	if x.Input.Members != [2]int{0, 2} || x.Prediction == nil || x.Prediction == was {
		t.Errorf("members %v, prediction %p", x.Input.Members, x.Prediction)
	}
	if !slices.Equal(released, []*session.Input{first}) {
		t.Errorf("released %d", len(released))
	}
	if name := x.Backup().Snapshot.Path(); filepath.Base(name) != "0400.db" {
		t.Errorf("the backup is %s", name)
	}
	if row := x.shown().(*files.Screen).Table.Selected; row != "0400.db" {
		t.Errorf("%s is selected", row)
	}

	// What the pair before still brings is nothing.
	other := session.IntegrityMsg{Source: 0, Integrity: snapshot.Integrity{Checks: []snapshot.Check{{Name: "trailer", Verdict: snapshot.Bad}}}}
	stale := &session.Session{}
	stale.Tasks.Marked = true
	x.send(stale.Tasks.Cmd(func() tea.Msg { return other })())
	if x.damaged() != "" {
		t.Error("a check of the pair before counts")
	}
	x.shows("6/deployments web<enter>H", "all files", "0402.db")

	x.shows(":files<enter>jc", "0401.db")
	was = x.Prediction
	x.shows("jb", "are the two swapped?")
	if x.Input.Members != [2]int{0, 1} || x.Prediction != was || len(released) != 2 {
		t.Errorf("the pair is another although it could not be opened: %v", x.Input.Members)
	}
}

// TestOtherPairCancelled goes back to the pair that is shown while another one is opened.
func TestOtherPairCancelled(t *testing.T) {
	in := seriesInput(t)
	x := openOn(t, in, 80, 24).typed(":files<enter>kk")
	pair := in.Series.Pair
	in.Series.Pair = func(_ context.Context, backup, current int, tell func(snapshot.Progress, string)) (*session.Input, error) {
		return pair(t.Context(), backup, current, tell) // it is open before it is told to stop
	}
	var released *session.Input
	x.release = func(in *session.Input) { released = in }
	_, cmd := x.Update(session.PairMsg{Backup: 0, Current: 2})
	if screen := x.plain(); !strings.Contains(screen, "esc cancel") || strings.Contains(screen, "0401.db") {
		t.Errorf("nothing says that the pair is opened:\n%s", screen)
	}
	x.typed("3<enter>") // is not for the screens
	x.shows("<esc>", "Files", "0401.db")
	x.run(cmd)
	if x.Input.Members != in.Members || released == nil || released.Members != [2]int{0, 2} {
		t.Errorf("members %v, released %v", x.Input.Members, released)
	}
}

// hourly is three files with 100 revisions each, of which the last 50 are retained: a
// Lease goes on all the time, and tells it.
func hourly(t *testing.T) *session.Input {
	t.Helper()
	changes := []snapshottest.Change{snapshottest.Put("/registry/namespaces/kube-system", `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"c"}}`)}
	var list []memberFile
	for hour := range 3 {
		for i := range 100 {
			at := fmt.Sprintf("2026-11-20T%02d:%02d:%02d.000000Z", hour, i/2, i%2*30)
			changes = append(changes, snapshottest.Put("/registry/leases/kube-node-lease/n", fmt.Sprintf(`{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"n","namespace":"kube-node-lease","uid":"l"},"spec":{"holderIdentity":"n","leaseDurationSeconds":40,"renewTime":%q}}`, at)))
			if i == 60 {
				name := fmt.Sprintf("hour-%d", hour)
				changes = append(changes, snapshottest.Put("/registry/configmaps/a/"+name, fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":"a"},"data":{"hour":"%d"}}`, name, hour)))
			}
		}
		list = append(list, memberFile{fmt.Sprintf("%02d00.db", hour), snapshottest.Compact(t, snapshottest.Bytes(t, changes...), int64(len(changes)-50))})
	}
	return seriesOf(t, list, 1, 2)
}

// TestMomentsOfSeries goes to moments that only a file beside the pair holds.
func TestMomentsOfSeries(t *testing.T) {
	for _, tt := range []struct {
		name, keys    string
		want, without []string
	}{
		{"a revision of the first file", "6@80<enter>", []string{"IN THE PAST: 0000.db, revision 80", "configmaps", "hour-0"}, []string{"hour-1"}},
		{"a time of the first file", "6@2026-11-20T00:45:00Z<enter>", []string{"IN THE PAST: 0000.db, revision 94"}, []string{"hour-1"}},
		{"a revision that no file holds", "6@120<enter>", []string{"o file holds revision 120: the nearest are revision 103 in 0000.db, and revision 153 in 0100.db"}, nil},
		{"back over what no file holds", "6@153<enter><lt>", []string{"IN THE PAST: 0000.db, newest revision 103"}, nil},
		{"and forth again", "6@103<enter><gt>", []string{"revision 153"}, nil},
		{"not before the first", "6@52<enter><lt>", []string{"0000.db, revision 52"}, nil},
		{"what kubectl takes", ":cm --at 80<enter>", []string{"1 of 1 object", "0000.db, revision 80"}, nil},
		{"a file by its name", ":cm --at 0000.db@90<enter>", []string{"0000.db, revision 90"}, nil},
		{"a time in a file by its name", ":cm --at 0000.db@2026-11-20T00:45:00Z<enter>", []string{"0000.db, revision 94"}, nil},
		{"what happened in all files", "9", []string{"98 revisions are in no file", "155 of 157 events", "00:25:00Z"}, nil},
		{"an event of the first file", "9{{{{{{{{{{/hour-0<enter><enter>", []string{"IN THE PAST: 0000.db, revision 64", `hour: "0"`}, nil},
		{"what was carved from all files", "9v", []string{"147 carved"}, nil},
		{"the time of an event", "9@2026-11-20T00:45:00Z<enter>", []string{"▌ · 94 "}, nil},
		{"its object", ":cm --at 80<enter><enter>", []string{`hour: "0"`}, nil},
		{"the newest again", "6@80<enter>.", []string{"hour-2"}, []string{"IN THE PAST"}},
		{"two files compared", ":diff 80 290<enter>", []string{"0000.db, revision 80", "current, revision 290", "2 added"}, nil},
		{"two files compared by their names", ":diff 0000.db@newest backup<enter>", []string{"0000.db, newest revision 103", "backup, newest revision 204", "1 added"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := openOn(t, hourly(t), 160, 48).typed(tt.keys)
			for _, want := range tt.want {
				if !strings.Contains(x.plain(), want) {
					t.Errorf("no %q\n%s", want, x.plain())
				}
			}
			for _, not := range tt.without {
				if strings.Contains(x.plain(), not) {
					t.Errorf("%q is there\n%s", not, x.plain())
				}
			}
		})
	}
}

// TestFirstMomentOfSeries: nothing is before the first revision, which is not the newest again.
func TestFirstMomentOfSeries(t *testing.T) {
	x := openOn(t, seriesInput(t), 160, 48)
	x.shows("8o", "backup, revision 1,")
	x.shows("{", "{: no earlier state is kept", "backup, revision 1,")
	x.shows("6@1<enter><lt>", "<: no earlier state is kept", "revision 1,")
}
