package shell

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/analyzer/timeline"
	"revenant/decoder/snapshot"
	"revenant/internal/demo"
	"revenant/internal/words"
	"revenant/tui/draw"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// selectedRevision is that of the event that is selected.
func (x *terminal) selectedRevision() int64 {
	x.Helper()
	found := regexp.MustCompile(`▌ . (\d+)`).FindStringSubmatch(x.plain())
	if found == nil {
		x.Fatalf("no event is selected:\n%s", x.plain())
	}
	n, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		x.Fatal(err)
	}
	return n
}

// TestTimelineKeys chooses events, and goes from them to objects.
func TestTimelineKeys(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("9", "1,471 of 1,471 events", "backup 454", "undone by the restore", "▌ · 455 ", "nothing is known of later", "created             308")
	x.shows("+", "736 of 1,471 events", "of revisions 229 to 964", "▌ · 455 ")
	x.shows("<gt>", "of revisions 597 to 1,332", "▌ · 597 ")
	x.shows("{", "of revisions 2 to 737", "▌ · 597 ")
	x.shows("<lt>", "<: nothing earlier is retained")
	x.shows("_", "1,471 of 1,471 events")
	x.shows("_", "_: all events are shown")
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
	for n := 0; n < x.Timeline.Len(); n += 97 {
		at, _ := x.Timeline.Between(int64(n+2), 0)
		if got := x.typed(fmt.Sprintf("9@%d<enter>", n+2)).selectedRevision(); got != int64(n+2) {
			t.Fatalf("revision %d is selected, not %d", got, n+2)
		}
		want := session.Moment{Source: x.Input.Current, Revision: int64(n + 2)}
		if x.Timeline.Verb(at) == timeline.Deleted {
			want.Revision--
		}
		x.typed("<enter>")
		if diff := cmp.Diff(want, x.Objects.Moment, cmp.AllowUnexported(session.Moment{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if place := x.shown().(session.Located).Location(); !strings.HasSuffix(place, x.Timeline.Name(at)) {
			t.Errorf("revision %d: %s is opened, not %s", n+2, place, x.Timeline.Key(at))
		}
		if strings.Contains(x.plain(), "does not exist at this revision") {
			t.Errorf("revision %d:\n%s", n+2, x.plain())
		}
		x.shows("9H", fmt.Sprintf("Revision %d: ", n+2))
	}
}

// TestTimelineStays keeps the selection where it was in time, whatever is listed.
func TestTimelineStays(t *testing.T) {
	x := openOn(t, demoInput(t), 120, 40).typed("9@900<enter>")
	for _, tt := range []struct {
		keys string
		want int64
	}{{"/pods<enter>", 909}, {"<esc>", 909}, {"f", 912}, {"<esc>", 912}, {"OO", 912}, {"+", 912}, {"O+", 912}, {"<gt>", 912}, {"v", 912}, {"v", 912}} {
		x.typed(tt.keys)
		if got := x.selectedRevision(); got != tt.want {
			t.Errorf("after %q revision %d is selected, want %d", tt.keys, got, tt.want)
		}
	}
}

// TestTimelineOutage says when the outage was.
func TestTimelineOutage(t *testing.T) {
	in := demoInput(t)
	in.Plan = restore.Plan{OutageAt: time.Date(2026, 11, 23, 4, 10, 0, 0, time.UTC)}
	x := openOn(t, in, 160, 48)
	x.shows("9", "nothing is known of later; outage 2026-11-23 04:10:00Z ···╎")
	x.shows("+++", "▌ · 455 ")
	if strings.Contains(x.plain(), "outage") {
		t.Error("the outage is told where the end is not shown")
	}
}

// TestTimelineWithoutClock counts over revisions where nothing tells the time.
func TestTimelineWithoutClock(t *testing.T) {
	in := demoInput(t)
	in.Sources[in.Backup].State.Clock, in.Sources[in.Current].State.Clock = nil, nil
	x := openOn(t, in, 160, 48)
	x.shows("", "Too few revisions are dated to draw how fast they were written.")
	x.shows("9", "by revision: no time is known", "a column", "unknown", "backup 454", "undone by the restore")
	x.fits()
}

// TestTimelineBumped marks where an earlier restore has set the store to.
func TestTimelineBumped(t *testing.T) {
	in := sessiontest.InputOf(t, "../../testdata/etcd/bumped-and-written.db.gz")
	x := openOn(t, in, 160, 48)
	marker := words.Number(in.Sources[in.Current].Snapshot.BumpMarkers()[0])
	x.shows("9_____", "bumped to "+marker)
	x.fits()
	x.typed("G<enter>").fits()
}

// TestTimelineCarved adds what was carved, marked, and goes from it to the history.
func TestTimelineCarved(t *testing.T) {
	in := sessiontest.InputOf(t, "../../testdata/etcd/churned-0.db.gz")
	x := openOn(t, in, 160, 48)
	x.shows("9", "outlived a compaction: _ shows them")
	x.typed("v")
	carved := 0
	for n := range x.Timeline.Len() {
		if x.Timeline.Carved(n) {
			carved++
		}
	}
	if carved == 0 || carved != x.Timeline.Recovered {
		t.Errorf("%d events are carved, %d are told", carved, x.Timeline.Recovered)
	}
	x.shows("g", words.Number(carved)+" carved", "complete from revision ", "▌ ○ 1965 ", "carved: both")
	x.shows("<enter>", "History", "with carved", "▌ ○ 1965 ", "the objects of revision 1,965 are gone")
	x.shows("9v", "outlived a compaction: _ shows them")
	for n := range x.Timeline.Len() {
		if x.Timeline.Carved(n) {
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
		in.Sources[side].Snapshot = s
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
