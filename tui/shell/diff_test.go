package shell

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"

	tea "charm.land/bubbletea/v2"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/demo"
)

func (x *terminal) shows(keys string, texts ...string) {
	x.Helper()
	screen := x.typed(keys).plain()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			x.Errorf("after %q there is no %q:\n%s", keys, text, screen)
		}
	}
}

// TestDiffTree goes down the tree and back up to where it was left.
func TestDiffTree(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("8/pods<enter>", "Diff", "1 of 19 rows")
	x.shows("<enter>", "Diff › pods", "6 of 6 rows", "NAMESPACE")
	x.shows("jj<enter>", "Diff › pods › doomed", "old-app-6f798c84cf-df528: removed")
	x.shows("<enter>", "Diff › pods › doomed › old-app-6f798c84cf-df528")
	x.shows("<esc><esc>", "▌   doomed ")
	x.shows("<esc>", "▌   pods ", "RESOURCE")
	x.shows("/secrets<enter><enter>j<enter>/creds2<enter>", "Diff › secrets › shop", "1 of 2 rows")
	x.shows("H", "History", "/registry/secrets/shop/creds2")
	x.shows("<esc>", "1 of 2 rows") // as it was left
}

// TestDiffStaleRows opens a row of a level that was left, before the rows of the next
// one are there.
func TestDiffStaleRows(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed("8jj")
	_, late := x.Update(keysOf("<enter>")[0])
	for range 3 { // nothing that is on the screen is of this level
		x.Update(keysOf("<enter>")[0])
		x.Update(keysOf("s")[0])
		x.Update(keysOf("H")[0])
		x.fits()
	}
	x.run(late)
	x.shows("", "Diff › endpoints")
}

// TestDiffMoments chooses what is compared.
func TestDiffMoments(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("8", "backup, newest revision 454", "current, newest revision 1,472")
	x.shows(":diff 500 900<enter>", "current, revision 500", "current, revision 900")
	x.shows("@600<enter>", "current, revision 600", "current, revision 900")
	x.shows("@04:03:10Z<enter>", "→  current, revision 900")
	x.shows("@newest<enter>", "current, newest revision 1,472", "→  current, revision 900")
	x.shows(":diff backup@300 current@700<enter>", "backup, revision 300", "→  current, revision 700")
	x.shows("@350<enter>", "backup, revision 350", "→  current, revision 700")
	for _, wrong := range []string{"12abc", "7xyz", "@5", "+5m", "1 2 3"} {
		x.shows("@"+wrong+"<enter>", "is no moment", "backup, revision 350", "→  current, revision 700")
		x.shows("<esc>", "backup, revision 350")
	}
	x.shows(":diff backup@300<enter>", "backup, revision 300", "current, newest revision 1,472")
	x.shows("<lt>", "backup, revision 299")
	x.shows("}", "backup, revision 399")
	x.shows("}", "backup, newest revision 454") // and no further
	x.shows("@current@600 2026-11-23T04:03:10Z<enter>", "current, revision 600", "→  current, revision")
	x.shows("o", "backup, newest revision 454", "current, newest revision 1,472")
	x.shows("o", "backup, revision 1,", "→  backup, newest revision 454")
	x.shows("o", "current, revision 1,", "→  current, newest revision 1,472")
	x.shows(":diff 1000000<enter>", "revision 1000000: revision is in the future of this snapshot", "current, revision 1,", "→  current, newest revision 1,472")
	x.shows(":diff nonsense<enter>", "current, revision 1,")
	x.shows("<esc>:diff 1 2 3<enter>", "One or two moments are needed")
	x.typed("<esc>")
	x.shows(":diff 900 900<enter>", "are the same.")
}

// TestDiffNoise folds noise, says so, and unfolds it.
func TestDiffNoise(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("8", "12 objects differ in noise only, folded: managed fields, lease renewals, repeated events, API server leases", "17 of 19 rows", "2 with noise only hidden, u shows them")
	x.shows("/removed<enter>", `None of what is shown matches "removed"`, "These rows are counts")
	x.shows("<esc>u", "19 of 19 rows", "leases.coordination.k8s.io")
	x.shows("z/node-1 leases<enter>", "noise only", "Nothing but noise differs", "spec.renewTime")
	x.shows("u", `None of what is shown matches "node-1 leases". u looks among those, too`)
}

// TestDiffSecret shows that a secret differs, and never how.
func TestDiffSecret(t *testing.T) {
	for _, keys := range []string{"", "s", "u"} {
		x := openOn(t, demoInput(t), 240, 48)
		x.shows("8z/creds changed<enter><enter>"+keys, "<redacted, 7 bytes>", "not the same")
		if secret := regexp.MustCompile("aHVudGVy|hunter"); secret.MatchString(x.plain()) {
			t.Errorf("the secret is shown:\n%s", x.plain())
		}
	}
}

// TestHistoryMarked compares any two revisions.
func TestHistoryMarked(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("6/deployments web<enter>H", "14 of 14 revisions", "Revision 849: changed")
	x.shows("<enter>d", "Revision 849: changed")
	x.shows("<esc> ", "1 marked")
	x.shows("jjjjjjjjd", "From revision 202 to 849", "spec.replicas: 4 → 7") // the marked one and the selected one
	x.shows("<esc>  d", "3 marked", "two revisions are compared: 3 marked")
	x.shows("<esc>G y", "At revision 171", "kind: Deployment")
	x.shows("y", "Created. y shows the object.")
	x.typed("y<esc>") // another object is not read as this one was
	x.shows("6/deployments late-app<enter>H", "Revision 856: changed", "Compared with revision 842")
}

// TestHistoryParted keeps apart what two histories have at one revision.
func TestHistoryParted(t *testing.T) {
	in := demoInput(t)
	b, _, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	// The same file but for one letter in a value that the newest revision has.
	s, err := snapshot.OpenBytes(t.Context(), "other", bytes.ReplaceAll(b, []byte("lab/app:v1"), []byte("lab/app:v9")), snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	in.Sources[in.Current].Snapshot = s
	x := openOn(t, in, 160, 48)
	x.shows("6/deployments web<enter>HO", "12 of 12 revisions", "171 in the backup")
	h := x.History.Entries
	for i := range h {
		if len(h[i].In) > 1 || !h[i].Apart || h[i].Before >= 0 && h[h[i].Before].In[0] != h[i].In[0] {
			t.Errorf("revision %s of %s is compared with another history's", h[i].Revision, in.Role(h[i].In[0]))
		}
	}
}

// TestDiffHostile looks at objects whose names and fields try to steer the terminal.
func TestDiffHostile(t *testing.T) {
	in := demoInput(t)
	b, c, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	// As long as what they replace: all that leads to them in the file stays true.
	evil := []struct{ good, bad, shown string }{
		{"creds2", "\x1b]52;c", "\ufffd]52;c"},
		{"widgets/shop", "widgets/\x1b[3J", "\ufffd[3J"},
		{"lab/app:v1", "\x1b[2J\x1b[31m\a", `\u001b[2J\u001b[31m\u0007`}, // a value, as JSON has it
		{"traffic-2", "t\x9b31m\u202ef", "t\ufffd31m\ufffdf"},
		{"old-app", "\r\n\x1b[2J\t", "\ufffd\ufffd\ufffd[2J\ufffd"},
	}
	for side, data := range [][]byte{b, c} {
		for _, e := range evil {
			if len(e.good) != len(e.bad) {
				t.Fatalf("%q is not as long as %q", e.bad, e.good)
			}
			data = bytes.ReplaceAll(data, []byte(e.good), []byte(e.bad))
		}
		s := snapshottest.OpenBytes(t, "evil", data)
		if s.Damaged() {
			t.Fatalf("damaged: %v", s.Problems())
		}
		in.Sources[side].Snapshot = s
	}
	var shown strings.Builder
	for _, size := range sizes {
		for _, keys := range []string{"8", "8u", "8z", "8zs", "8z/\ufffd<enter>H", "8z/\ufffd<enter>Hy", "8z/31m<enter>", "8z/widgets<enter>", "8z/deploy<enter>"} {
			x := openOn(t, in, size.width, size.height).typed(keys)
			for range 12 {
				for _, key := range []string{"<enter>", "<pgdown>", "<esc>", "<pgdown>", "j"} {
					x.typed(key)
					x.fits()
					x.harmless()
					shown.WriteString(x.plain())
				}
			}
		}
	}
	for _, e := range evil {
		if !strings.Contains(shown.String(), e.shown) {
			t.Errorf("%q never came into sight", e.bad)
		}
	}
}

// TestDiffConcurrently presses keys while what they ask for is still being done, in
// goroutines as the program does it.
func TestDiffConcurrently(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.atOnce("8", "<enter><enter><esc><esc>", "zjjj<enter>su", "<lt><lt>{{", "o", "G<enter>", "o", "z", "jj<enter><enter><enter>", "/shop<enter>", "s", "H", "jjd  d", "y", "v", "<esc>", "<esc>", "8", ":diff 500 900<enter>", "zG", "u", "o")
	if screen := x.plain(); strings.Contains(screen, "comparing") || strings.Contains(screen, "reading what changed") {
		t.Errorf("what was asked for last is not shown:\n%s", screen)
	}
}

// atOnce types while what was asked for before is still being done, in goroutines, and
// then waits for all of it.
func (x *terminal) atOnce(typed ...string) {
	x.Helper()
	msgs := make(chan tea.Msg, 1<<12)
	var running sync.WaitGroup
	var start func(cmd tea.Cmd)
	start = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		running.Go(func() {
			switch msg := cmd().(type) {
			case nil:
			case tea.BatchMsg:
				for _, cmd := range msg {
					start(cmd)
				}
			default:
				msgs <- msg
			}
		})
	}
	update := func(msg tea.Msg) {
		_, cmd := x.Update(msg)
		x.fits()
		start(cmd)
	}
	take := func() {
		for {
			select {
			case msg := <-msgs:
				update(msg)
			default:
				return
			}
		}
	}
	for _, keys := range typed {
		for _, key := range keysOf(keys) {
			update(key)
			take()
		}
	}
	for range 100 { // until nothing changes
		running.Wait()
		take()
	}
}
