// Package terminal drives the real program in a real terminal.
package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// terminal is a tmux session with a server of its own that runs revenant.
type terminal struct {
	t      *testing.T
	socket string
}

// open builds the program and starts it on the built-in pair.
func open(t *testing.T, width, height int, environ string) *terminal {
	t.Helper()
	program := filepath.Join(t.TempDir(), "revenant")
	build := exec.Command("go", "build", "-o", program, "./cmd/revenant")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	term := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	term.tmux("-f", os.DevNull, "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "env "+environ+" "+program)
	return term
}

func (term *terminal) tmux(args ...string) string {
	term.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// await waits until the screen has the text, and returns the screen.
func (term *terminal) await(text string) string {
	term.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		screen := term.tmux("capture-pane", "-p")
		if strings.Contains(screen, text) {
			return screen
		}
		select {
		case <-deadline:
			term.t.Fatalf("no %q on the screen:\n%s", text, screen)
		case <-tick.C:
		}
	}
}

// TestReview looks at the demo as a person would: the verdict, the pods, one of
// them in detail, a plan that heals, one that is refused, the help, and out.
func TestReview(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			term := open(t, size[0], size[1], "LANG=C.UTF-8")
			for _, step := range []struct{ keys, want string }{
				{"", "18 run on unseen by the API"},
				{"2", "30 of 43 pods"},
				{"/", ""},
				{"nothing-like-it", ""},
				{"Enter", "No affected pod matches"},
				{"Escape", "30 of 43 pods"},
				{"Enter", "API shows"},
				{"b", "refused: --mark-compacted required"},
				{"m", "18 terminated"},
				{"?", "half a page up"},
				{"?", "API shows"},
				{"1", "Verdict"},
			} {
				if step.keys != "" {
					term.tmux("send-keys", step.keys)
				}
				screen := term.await(step.want)
				if lines := strings.Split(strings.TrimRight(screen, "\n"), "\n"); len(lines) > size[1] {
					t.Fatalf("%d lines after %q", len(lines), step.keys)
				}
			}
			term.tmux("resize-window", "-x", "100", "-y", "30")
			term.await("Verdict")
			term.tmux("send-keys", "q")
			term.ends()
		})
	}
}

// ends waits until the program, and with it the server, is gone.
func (term *terminal) ends() {
	term.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for exec.Command("tmux", "-S", term.socket, "has-session").Run() == nil {
		select {
		case <-deadline:
			term.t.Fatal("the program goes on after q")
		case <-tick.C:
		}
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
			term.await("18 run on unseen by the API")
			if got := colour.MatchString(term.tmux("capture-pane", "-p", "-e")); got != tt.want {
				t.Errorf("colours: %v, want %v", got, tt.want)
			}
		})
	}
}
