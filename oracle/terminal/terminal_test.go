// Package terminal drives the real program in a real terminal.
package terminal

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"revenant/internal/golden"
	"revenant/oracle/cli"
)

// terminal is a tmux session with a server of its own that runs revenant.
type terminal struct {
	t      *testing.T
	socket string
	dir    string // the program's working directory
}

var program string // revenant, built by TestMain

func TestMain(m *testing.M) {
	flag.Parse()
	cli.Main(func(dir string) (code int, err error) {
		if program, err = cli.Build(dir); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// open starts the program, without arguments on the built-in pair.
func open(t *testing.T, width, height int, environ string, args ...string) *terminal {
	t.Helper()
	home := t.TempDir()
	term := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux"), dir: t.TempDir()}
	t.Cleanup(term.end)
	term.tmux("-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", term.dir,
		"env HOME="+home+" XDG_CONFIG_HOME= XDG_STATE_HOME= "+environ+" "+program+" "+strings.Join(args, " "))
	term.tmux("set-option", "-s", "set-clipboard", "on") // takes OSC 52 into a buffer
	return term
}

// end stops the program and waits until it has gone, so that its home can be removed.
func (term *terminal) end() {
	tmux := func(args ...string) string {
		out, _ := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).Output()
		return strings.TrimSpace(string(out)) // nothing once the program has ended by itself
	}
	tmux("set-option", "-g", "remain-on-exit", "on")
	if pid := tmux("display-message", "-p", "#{pane_pid}"); pid != "" {
		_ = exec.Command("kill", pid).Run()
	}
	if !term.until(func() bool { return tmux("display-message", "-p", "#{pane_dead}") != "0" }) {
		term.t.Error("the program has not ended")
	}
	tmux("kill-server")
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// step types keys, waits for a text, and holds the screen against the expected one
// where it has a name. A key with a name is written in <>, as tmux calls it.
type step struct{ keys, want, screen string }

// play goes through steps. The expected screens are in testdata.
func (term *terminal) play(script string, steps []step) {
	term.t.Helper()
	for _, s := range steps {
		for rest := s.keys; rest != ""; {
			if name, after, ok := strings.Cut(rest, ">"); ok && rest[0] == '<' {
				term.tmux("send-keys", name[1:])
				rest = after
				continue
			}
			literal := rest
			if i := strings.IndexByte(rest[1:], '<'); i >= 0 {
				literal = rest[:i+1]
			}
			term.tmux("send-keys", "-l", "--", literal)
			rest = rest[len(literal):]
		}
		if s.want != "" {
			term.await(s.want)
		}
		if s.screen != "" {
			term.expect(filepath.Join("testdata", script, s.screen+".golden"))
		}
	}
}

// expect waits until the screen is the expected one.
func (term *terminal) expect(path string) {
	term.t.Helper()
	screen := ""
	if golden.Updating() {
		screen = term.still()
	} else {
		want, err := os.ReadFile(path)
		if err != nil {
			term.t.Fatal(err)
		}
		term.until(func() bool { screen = term.screen(); return screen == string(want) })
	}
	if golden.Equal(term.t, path, screen); term.t.Failed() {
		term.t.FailNow()
	}
}

// still is the screen once it has not changed for a while.
func (term *terminal) still() string {
	term.t.Helper()
	const times = 25
	last, same := "", 0
	term.until(func() bool {
		screen := term.screen()
		if screen != last {
			last, same = screen, 0
		}
		same++
		return same > times
	})
	return last
}

func (term *terminal) screen() string {
	term.t.Helper()
	return term.tmux("capture-pane", "-p")
}

// until asks again and again, for as long as a slow machine may need.
func (term *terminal) until(done func() bool) bool {
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// await waits until the screen has the text, and returns the screen.
func (term *terminal) await(text string) string {
	term.t.Helper()
	screen := ""
	if !term.until(func() bool { screen = term.screen(); return strings.Contains(screen, text) }) {
		term.t.Fatalf("no %q on the screen:\n%s", text, screen)
	}
	return screen
}

// ends waits until the program, and with it the server, is gone.
func (term *terminal) ends() {
	term.t.Helper()
	if !term.until(func() bool { return exec.Command("tmux", "-S", term.socket, "has-session").Run() != nil }) {
		term.t.Fatal("the program goes on after q")
	}
}

// TestReview goes through a restore as a person about to do it would: the verdict,
// the worst phantom, why it is one, a plan under which it is none, its runbook taken
// along.
func TestReview(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {160, 48}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			term := open(t, size[0], size[1], "LANG=C.UTF-8")
			term.play("review-"+name, []step{
				{"", "18 pods keep running unseen", "verdict"},
				{"3", "30 of 43 pods", "pods"},
				{"/", "enter keep", ""},
				{"nothing-like-it", `filter "nothing-like-it"`, ""},
				{"<Escape>", "30 of 43 pods", ""}, // a key sent before esc was read would be taken for alt and that key
				{"<Enter>", "API shows", "worst"},
				{"<Escape>", "enter open", ""},
				{"b", "refused: --bump-revision needs --mark-compacted", "refused"},
				{"m", "18 terminated", "healed"},
				{"?", "half a page up", ""},
				{"?", "18 terminated", ""},
				{"2", "least harm", "plan"},
				{"c", "copied the runbook", "copied"},
			})
			for i := 0; term.tmux("list-buffers") == "" && i < 100; i++ { // it comes beside what is drawn
				time.Sleep(50 * time.Millisecond)
			}
			if runbook := term.tmux("show-buffer"); !strings.Contains(runbook, "--bump-revision 1001527 --mark-compacted") || !strings.Contains(runbook, "1. Bring programs and the backup") {
				t.Errorf("the clipboard has:\n%s", runbook)
			}
			term.play("", []step{{"1", "No phantoms and no ghosts are predicted", ""}})
			term.tmux("resize-window", "-x", "100", "-y", "30")
			term.await("Verdict")
			term.tmux("send-keys", "q")
			term.ends()
		})
	}
}

// TestInvestigation finds out who deleted an object, looks at it at the revision
// before, and saves it.
func TestInvestigation(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {160, 48}} {
		name := fmt.Sprintf("%dx%d", size[0], size[1])
		t.Run(name, func(t *testing.T) {
			term := open(t, size[0], size[1], "LANG=C.UTF-8")
			term.play("investigation-"+name, []step{
				{"", "18 pods keep running unseen", ""},
				{":diff<Enter>", "23 removed", "diff"},
				{"z", "138 rows", ""},
				{"/deployments old-app", "1 of 138", ""},
				{"<Enter>", "u noise", "removed"},
				{"H", "11 of 11 revisions", "history"},
				{"<Enter>", "Its namespace was being deleted", "deleted"},
				{"<Escape>", "enter open", ""},
				{"j", "759", ""},
				{"y", "kind: Deployment", "before"},
				{"<C-s>", "save ", ""},
				{"<C-u>", "save ", ""},
				{"old-app.yaml<Enter>", "saved ", "saved"},
				{"q", "", ""},
			})
			term.ends()
			saved, err := os.ReadFile(filepath.Join(term.dir, "old-app.yaml"))
			if err != nil || !strings.HasPrefix(string(saved), "# deployments doomed/old-app at revision 759\n") || !strings.Contains(string(saved), "\napiVersion: apps/v1\nkind: Deployment\n") || !strings.Contains(string(saved), "\n  name: old-app\n") {
				t.Errorf("%v:\n%s", err, saved)
			}
		})
	}
}

// colour matches an escape sequence that sets a colour.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*(3[0-8]|4[0-8]|9[0-7])(;|m)")

func TestColours(t *testing.T) {
	for _, tt := range []struct {
		name, environ string
		want          bool
	}{
		{"empty", "NO_COLOR= TERM=screen-256color", true},
		{"one", "NO_COLOR=1", false},
		{"false", "NO_COLOR=false", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			term := open(t, 100, 30, tt.environ)
			term.await("18 pods keep running unseen")
			if got := colour.MatchString(term.tmux("capture-pane", "-p", "-e")); got != tt.want {
				t.Errorf("colours: %v, want %v", got, tt.want)
			}
		})
	}
}
