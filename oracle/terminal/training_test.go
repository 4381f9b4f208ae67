package terminal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/internal/corpus"
	"revenant/train"
)

// TestTraining does every scenario in the terminal: its hints are shown, its questions
// answered, and what the best known way takes is done key by key.
func TestTraining(t *testing.T) {
	list, err := train.Scenarios(train.Languages[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		s := &list[i]
		t.Run(s.ID, func(t *testing.T) {
			best, err := train.New(t.Context(), *s)
			if err != nil {
				t.Fatal(err)
			}
			defer best.Close()
			right, err := best.Right(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			term := open(t, 80, 24, "LANG=C.UTF-8", "train", s.ID)
			term.await("Goal 1")
			if s.Played() {
				term.play("", []step{{"<Escape>", "What can be done", ""}})
			}
			for n := range len(s.Hints) {
				term.play("", []step{{"i", fmt.Sprintf("Hint %d of %d", n+1, len(s.Hints)), ""}})
				if screen := term.screen(); strings.Contains(screen, "\ufffd") {
					t.Errorf("a hint is not drawn as it is written:\n%s", screen)
				}
				term.leave("Hint ")
			}
			for _, g := range s.Goals {
				if g.Answer == "" {
					continue
				}
				answer, prompt := right[0], "answer: "
				right = right[1:]
				if g.Manifest() {
					file := filepath.Join(term.dir, "answer.yaml")
					if err := os.WriteFile(file, []byte(answer), 0o600); err != nil {
						t.Fatal(err)
					}
					answer, prompt = file, "file with the manifest: "
				}
				term.play("", []step{{"a", prompt, ""}})
				term.tmux("send-keys", "-l", "--", answer)
				term.tmux("send-keys", "Enter")
				if !term.until(func() bool { return accepted(term.screen()) }) {
					t.Fatalf("the answer %q to %q is not taken:\n%s", answer, g.Ask, term.screen())
				}
			}
			for _, keys := range way(t, s) {
				term.play("", []step{keys})
			}
			term.await("Solved. It ")
			term.play("", []step{{"G", "The next one: ", ""}})
			term.leave("The next one: ")
			if s.Played() {
				term.await("What can be done")
			}
			term.play("", []step{{"<Escape>", " solved ", ""}, {"q", "", ""}})
			term.ends()
		})
	}
}

// accepted says whether the screen says so of an answer.
func accepted(screen string) bool {
	return strings.Contains(screen, "Right.") || strings.Contains(screen, "Solved. It ")
}

// leave closes the page that has the text.
func (term *terminal) leave(text string) {
	term.t.Helper()
	term.tmux("send-keys", "Escape")
	if !term.until(func() bool { return !strings.Contains(term.screen(), text) }) {
		term.t.Fatalf("the page stays:\n%s", term.screen())
	}
}

// way is what is typed for the best known way through a scenario that is played.
func way(t *testing.T, s *train.Scenario) (list []step) {
	t.Helper()
	if !s.Played() {
		return nil
	}
	var pair [2]*train.Session // the solution, and what is typed up to a step of it
	for i := range pair {
		x, err := train.New(t.Context(), *s)
		if err != nil {
			t.Fatal(err)
		}
		pair[i] = x
	}
	best, x := pair[0], pair[1]
	if err := best.Solve(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := len(x.Play.Steps())
	for i, taken := range best.Steps() {
		keys := "n"
		if taken.Action.Operator() {
			at := slices.Index(x.Actions(), taken.Action)
			if at < 0 {
				t.Fatalf("%s cannot be done", taken.Text)
			}
			keys = "g" + strings.Repeat("j", at) + "<Enter>"
			if err := x.Do(taken.Action); err != nil {
				t.Fatal(err)
			}
		} else if !x.Next() {
			t.Fatalf("%s does not happen", taken.Text)
		}
		want := fmt.Sprintf("Step %d ", begun+i+1)
		if i == len(best.Steps())-1 {
			want = "" // what is reached is said in its place
		}
		list = append(list, step{keys, want, ""})
	}
	return list
}

// TestMadeTraining plays a scenario that is made of a pair: its files are shown, also after
// those of another one and at a moment, and what was done is kept.
func TestMadeTraining(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"backup.db", "current.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), corpus.Unpack(t, "../../testdata/clusters/scenario-1/plain/"+name+".gz"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(dir, "mine")
	if out, err := exec.Command(program, "train", "--make", filepath.Join(dir, "backup.db"), filepath.Join(dir, "current.db"), "--out", made).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(made, train.PairScenario))
	if err != nil {
		t.Fatal(err)
	}
	s, err := train.ReadPair(text)
	if err != nil {
		t.Fatal(err)
	}
	environ := "LANG=C.UTF-8 XDG_STATE_HOME=" + dir
	term := open(t, 100, 30, environ, "train", made)
	term.play("", []step{
		{"", "A restore of a real cluster", ""},
		{":train node<Enter>", "The node that only the newer state knows", ""},
		{":train " + made + " " + s.Solution + "<Enter>", "Goal 2  ✓ reached", ""},
		{"a", "answer: ", ""}, {"1528<Enter>", "Solved. It cost", ""},
		{"<Escape>", "What can be done", ""},
		{"<Escape>", " solved ", ""},
		{"q", "", ""},
	})
	term.ends()
	term = open(t, 100, 30, environ, "train", made)
	term.play("", []step{{"", "A restore of a real cluster", ""}, {"<Escape>", "What can be done", ""}, {"<Escape>", " solved ", ""}, {"q", "", ""}})
	term.ends()
}
