package tui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/clock"
	"revenant/analyzer/restore"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
	"revenant/tui/draw"
	"revenant/tui/keys"
	"revenant/tui/widget"
)

// timelineOf is the screen as it is.
func (x *terminal) timelineOf() *happenings {
	return x.screens[screenNamed("timeline")].(*happenings)
}

// TestTimelineKeys chooses events, and goes from them to objects.
func TestTimelineKeys(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("9", "1,471 of 1,471 events", "backup 454", "undone by the restore", "▌ · 455 ", "nothing tells of later", "created             308")
	x.shows("+", "736 of 1,471 events", "of revisions 229 to 964", "▌ · 455 ")
	x.shows("]", "of revisions 597 to 1,332", "▌ · 597 ")
	x.shows("{", "of revisions 2 to 737", "▌ · 597 ")
	x.shows("[", "[: nothing earlier is retained")
	x.shows("-", "1,471 of 1,471 events")
	x.shows("-", "-: all events are shown")
	x.shows("<esc>f", "308 of 1,471 events", "created only")
	x.shows("ff", "28 of 1,471 events", "deleted only", "updated               0")
	x.shows("<esc>", "1,471 of 1,471 events")
	x.shows("/deleted pods shop<enter>", `filter "deleted pods shop"`)
	x.shows("<esc>z", "configmaps          520")
	x.shows("z", "no namespace")
	x.shows("z@900<enter>", "▌ · 900 ")
	x.shows("@1000000<enter>", "nothing was written at or after revision 1,000,000")
	x.shows("@nonsense<enter>", "revision or time: nonsense", "is no moment: give a revision", "▌ · 900 ")
	x.shows("<esc>", "▌ · 900 ")
	x.shows("++++++++++", "8 of 1,471 events", "+: these are few enough to see each", "▌ · 900 ")
	x.shows("<esc>@457<enter><enter>", "Objects", "current, revision 457", "kind: Pod")
	x.shows("<esc><esc>H", "Revision 457: created")
	x.shows("9y", "Objects", "kind: Pod")
}

// TestTimelineFollows goes from events to the very object at their revision.
func TestTimelineFollows(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("9")
	for n := 0; n < x.timelineOf().of.Len(); n += 97 {
		h := x.typed(fmt.Sprintf("9@%d<enter>", n+2)).timelineOf()
		at, ok := h.event()
		if !ok || h.of.Revision(at).Main != int64(n+2) {
			t.Fatalf("event %d is selected, not that of revision %d", at, n+2)
		}
		want := lookAtMsg{moment{side: current, revision: int64(n + 2)}, h.of.Key(at), wholeRead, false}
		if h.of.Verb(at) == timeline.Deleted {
			want.revision--
		}
		x.typed("<enter>")
		got := lookAtMsg{x.objects.moment, x.screens[screenNamed("objects")].(*objects).kept, wholeRead, false}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(lookAtMsg{}, moment{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if why := x.screens[screenNamed("objects")].(*objects).absent(); why != "" {
			t.Errorf("revision %d: %s", n+2, why)
		}
		x.shows("9H", fmt.Sprintf("Revision %d: ", n+2))
	}
}

// TestTimelineStays keeps the selection where it was in time, whatever is listed.
func TestTimelineStays(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40).typed("9@900<enter>")
	for _, tt := range []struct {
		Set  string
		want int64
	}{{"/pods<enter>", 909}, {"<esc>", 909}, {"f", 912}, {"<esc>", 912}, {"OO", 912}, {"+", 912}, {"O+", 912}, {"]", 912}, {"v", 912}, {"v", 912}} {
		x.typed(tt.Set)
		n, ok := x.timelineOf().event()
		if got := x.timelineOf().of.Revision(n).Main; !ok || got != tt.want {
			t.Errorf("after %q revision %d is selected, want %d", tt.Set, got, tt.want)
		}
	}
}

// TestTimelineOutage says when the outage was.
func TestTimelineOutage(t *testing.T) {
	in := demoInput(t)
	in.Plan = restore.Plan{OutageAt: time.Date(2026, 11, 23, 4, 10, 0, 0, time.UTC)}
	x := openOn(t, in, 160, 48)
	x.shows("9", "nothing tells of later; outage 2026-11-23 04:10:00Z ···╎")
	x.shows("+++", "▌ · 455 ")
	if strings.Contains(x.plain(), "outage") {
		t.Error("the outage is told where the end is not shown")
	}
}

// TestTimelineWithoutClock counts over revisions where nothing tells the time.
func TestTimelineWithoutClock(t *testing.T) {
	in := demoInput(t)
	in.Backup.State.Clock, in.Current.State.Clock = nil, nil
	x := openOn(t, in, 160, 48)
	x.shows("", "Too few revisions are dated to draw how fast they were written.")
	x.shows("9", "by revision: no time is known", "a column", "unknown", "backup 454", "undone by the restore")
	x.fits()
}

// inputOf has the same snapshot, of which no time is known, on both sides.
func inputOf(t *testing.T, path string) *Input {
	t.Helper()
	in := demoInput(t)
	for i := range roles {
		in.side(i).Snapshot = snapshottest.Open(t, path)
		in.side(i).State.Clock = nil
	}
	return in
}

// TestTimelineBumped marks where an earlier restore has set the store to.
func TestTimelineBumped(t *testing.T) {
	in := inputOf(t, "../testdata/etcd/bumped-and-written.db.gz")
	x := openOn(t, in, 160, 48)
	marker := draw.Count(in.Current.Snapshot.BumpMarkers()[0])
	x.shows("9-----", "bumped to "+marker)
	x.fits()
	x.typed("G<enter>").fits()
}

// TestTimelineCarved adds what was carved, marked, and goes from it to the history.
func TestTimelineCarved(t *testing.T) {
	in := inputOf(t, "../testdata/etcd/churned-0.db.gz")
	x := openOn(t, in, 160, 48)
	x.shows("9", "outlived a compaction: - shows them")
	x.typed("v")
	carved := 0
	for n := range x.timelineOf().of.Len() {
		if x.timelineOf().of.Carved(n) {
			carved++
		}
	}
	if carved == 0 || carved != x.timelineOf().of.Recovered {
		t.Errorf("%d events are carved, %d are told", carved, x.timelineOf().of.Recovered)
	}
	x.shows("g", draw.Count(carved)+" carved", "complete from revision ", "▌ ○ 1965 ", "carved: both")
	x.shows("<enter>", "History", "with carved", "▌ ○ 1965 ", "the objects of revision 1,965 are not there any more")
	x.shows("9v", "outlived a compaction: - shows them")
	for n := range x.timelineOf().of.Len() {
		if x.timelineOf().of.Carved(n) {
			t.Fatal("carved events are still among them")
		}
	}
}

// TestTimelinePlain says in words what is drawn.
func TestTimelinePlain(t *testing.T) {
	in := demoInput(t)
	in.Plan = restore.Plan{OutageAt: time.Date(2026, 11, 23, 4, 10, 0, 0, time.UTC)}
	x := openOn(t, in, 80, 100)
	x.Theme.Glyphs, x.Theme.Plain = draw.PlainGlyphs, true
	x.send(tea.WindowSizeMsg{Width: 80, Height: 100})
	x.shows("9", "2026-11-23 04:02:37Z to 2026-11-23 04:02:46Z: about", " created, ", "The backup was saved at revision 454", "The outage was at 2026-11-23 04:10:00Z")
	x.shows("1", "Revisions a second, ", "about ", "The backup's newest revision 454 was written")
	if strings.ContainsAny(x.typed("9").plain(), "▁█├┤↑░") {
		t.Errorf("something is drawn:\n%s", x.plain())
	}
}

// TestTimelineHostile looks at events of objects whose names try to steer the terminal.
func TestTimelineHostile(t *testing.T) {
	in := demoInput(t)
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	evil := strings.NewReplacer("/registry/events/shop/", "/registry/\x1b[2J\a/\u202eop/", "/registry/pods/shop", "/registry/pods/s\x1b]\r")
	for side, data := range [][]byte{b, c} {
		s, err := snapshot.OpenBytes(t.Context(), "evil", []byte(evil.Replace(string(data))), snapshot.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		in.side(side).Snapshot = s
	}
	seen := false
	for _, size := range sizes {
		for _, keys := range []string{"9", "9z", "9zz", "9zz+++", "9v", "9fff", "9/\ufffd"} {
			x := openOn(t, in, size.width, size.height).typed(keys)
			for range 30 {
				x.typed("<pgdown>")
				x.fits()
				x.harmless()
				seen = seen || strings.Contains(x.plain(), "\ufffd")
			}
			x.typed("<enter>")
			x.harmless()
		}
	}
	if !seen {
		t.Error("nothing hostile came into sight")
	}
}

// manyEvents is the screen with as many events more than the demo has.
func manyEvents(t testing.TB, n int) *happenings {
	in := demoInput(t)
	s := in.Current.Snapshot
	records := make([]snapshot.Carved, n)
	var marks []clock.Mark
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range records {
		r := &records[i].Record
		r.Key = fmt.Sprintf("/registry/%s/team-%d/web-%05d", []string{"pods", "events", "leases", "endpoints"}[i%4], i%500, i)
		r.Main, r.Version, r.Tombstone = s.Revision()+int64(i)+1, int64(i%3), i%7 == 0
		if i%10 == 0 {
			marks = append(marks, clock.Mark{Revision: r.Main, Time: start.Add(time.Duration(i) * time.Second)})
		}
	}
	c := &snapshot.Carving{Records: slices.Values(records), Count: n}
	made := clock.New(marks, s.Revision()+int64(n), nil)
	tl, err := timeline.New(t.Context(), "/registry", timeline.Source{Name: "current", Snapshot: s, Clock: made, Carving: c})
	if err != nil {
		t.Fatal(err)
	}
	x := newTimeline(&session{ctx: t.Context(), UI: widget.UI{Keymap: keys.Default, Theme: draw.NewTheme(true, colorprofile.TrueColor, draw.UnicodeGlyphs, draw.DefaultLook)}, input: in}).(*happenings)
	x.session.timeline = &timeline.Pair{Timeline: tl, Clock: made}
	x.SetSize(160, 43)
	x.done(x.Update(changedMsg{}))
	return x
}

// done does what a command brings, to the end.
func (x *happenings) done(cmd tea.Cmd) {
	for cmd != nil {
		msg := cmd()
		if msg == nil {
			return
		}
		cmd = x.Update(msg)
	}
}

// BenchmarkTimelineFrame draws events while the selection moves.
func BenchmarkTimelineFrame(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := manyEvents(b, n)
			if x.counted == nil || len(x.table.Shown) < n {
				b.Fatal("not counted")
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Update(keys.Press{Action: []keys.Action{keys.Down, keys.PageDown, keys.Bottom, keys.Up, keys.Top}[i%5]})
				x.Keys()
				x.View()
			}
		})
	}
}

// BenchmarkTimelineZoom lists and counts other events. It runs beside the screen.
func BenchmarkTimelineZoom(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x := manyEvents(b, n)
			for b.Loop() {
				for _, a := range []keys.Action{keys.ZoomIn, keys.ZoomOut, keys.ByVerb, keys.ByVerb, keys.ByVerb, keys.ByVerb, keys.GroupBy} {
					x.done(x.Update(keys.Press{Action: a}))
				}
			}
		})
	}
}
