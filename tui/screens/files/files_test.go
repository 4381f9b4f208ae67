package files

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/clock"
	"revenant/analyzer/series"
	"revenant/tui/session"
	"revenant/tui/session/sessiontest"
)

// TestBelow tells what ten hourly files hold, of which a restore has given one up and
// another cluster has written one.
func TestBelow(t *testing.T) {
	s := &series.Series{Branches: []series.Branch{{Parent: -1}, {Parent: 0, Common: 500, Parted: 501, How: series.Restore}, {Parent: 1, Common: 800, Parted: 801, How: series.Fork}}}
	for hour := range 10 {
		taken := time.Date(2026, 11, 20, hour, 0, 0, 0, time.UTC)
		m := series.Member{Name: fmt.Sprintf("/backups/%02d.db", hour), Revision: int64(hour+1) * 100, CompactRevision: int64(hour)*100 + 61, Taken: clock.Interval{From: taken, To: taken.Add(time.Second)}}
		switch hour {
		case 5:
		case 6, 7, 9:
			m.Branch = 1
		case 8:
			m.Branch = 2
		}
		s.Members = append(s.Members, m)
	}
	in := &session.Input{Series: &session.Series{Series: s}, Members: [2]int{7, 9}}
	bare := sessiontest.Bare(t, in)
	bare.Files = make([]session.File, 1)
	f := New(bare).(*Screen)
	got := map[string]string{}
	for _, file := range list(f.Session) {
		got[file.name] = file.branch + file.role
	}
	for name, want := range map[string]string{"04.db": "", "05.db": "given up by a restore", "07.db": "BACKUP", "08.db": "fork", "09.db": "CURRENT"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	f.SetSize(110, 24)
	text := ansi.Strip(strings.Join(f.below(), "\n"))
	for _, want := range []string{
		" all files ", " given up ", " fork ", "██  ",
		"620 revisions of the history that leads to CURRENT, in 7 stretches between the files, are in no file.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q:\n%s", want, text)
		}
	}
}
