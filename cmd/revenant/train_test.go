package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"sigs.k8s.io/yaml"

	"revenant/internal/demo"
	"revenant/train"
)

// TestTraining does every scenario at the prompt, and some that seeds make: with all that can
// be asked on the way, and then as its solution does it. None of its lines is wider than 80
// columns. The commands that show what is asked for run beside the files.
func TestTraining(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	list, err := train.Scenarios("en")
	if err != nil {
		t.Fatal(err)
	}
	built := len(list)
	for seed := range uint64(8) {
		for level := 1; level <= train.Levels; level++ {
			s, err := train.Make(seed+1, level)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, s)
		}
	}
	for i, s := range list {
		t.Run(s.ID, func(t *testing.T) {
			t.Chdir(t.TempDir())
			x, err := train.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			right, err := x.Right(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			typed := []string{"help", "hint", "hint", "hint", "hint", "goals", "check", "why", "files", "id", "n", "b", "answer nothing", "solution", "nonsense " + strings.Repeat("long ", 30)}
			for _, g := range s.Goals {
				if g.Answer == "" {
					continue
				}
				answer := right[0]
				right = right[1:]
				if g.Manifest() {
					if err := os.WriteFile("answer.yaml", []byte(answer), 0o600); err != nil {
						t.Fatal(err)
					}
					answer = "answer.yaml"
				}
				typed = append(typed, "answer", "answer "+answer)
			}
			if s.Played() {
				if err := x.Go(s.Solution); err != nil {
					t.Fatal(err)
				}
				typed = append(typed, x.Taken()...)
			}
			typed = append(typed, "why", "solution", "id", "check", "q")
			args := []string{"train", s.ID}
			if !s.Played() {
				args = append(args, "--dir", "files")
			}
			var out, errs bytes.Buffer
			if code := run(t.Context(), args, streams{in: strings.NewReader(strings.Join(typed, "\n") + "\n"), out: &out, err: &errs}); code != exitOK || errs.Len() > 0 {
				t.Fatalf("exit code %d, %s\n%s", code, &errs, &out)
			}
			if !strings.Contains(out.String(), "Solved.") {
				t.Errorf("it is not solved:\n%s", &out)
			}
			if last := i == built-1; last != strings.Contains(out.String(), fmt.Sprintf("All %d scenarios are solved", built)) && i < built {
				t.Errorf("the end is told in %s:\n%s", s.ID, &out)
			}
			for line := range strings.Lines(out.String()) {
				if n := ansi.StringWidth(strings.TrimSuffix(line, "\n")); n > trainWidth {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			if s.Played() {
				return
			}
			t.Chdir("files")
			for _, command := range s.Commands {
				out.Reset()
				errs.Reset()
				if code := run(t.Context(), strings.Fields(command)[1:], streams{in: strings.NewReader(""), out: &out, err: &errs}); code == exitFailed || out.Len() == 0 {
					t.Errorf("%s: exit code %d, %s", command, code, &errs)
				}
			}
		})
	}
	// What was kept is what a class hands in.
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"train", "--check", filepath.Join(state, "revenant", "train.yaml")}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Errorf("exit code %d, %s\n%s", code, &errs, &out)
	}
	if want := fmt.Sprintf("%d of %d scenarios that were handed in are solved.", len(list), len(list)); !strings.Contains(out.String(), want) {
		t.Errorf("%s\n%s", want, &out)
	}
}

// TestTrainingTranslated: what is translated is shown, no wider than the rest.
func TestTrainingTranslated(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	english, err := train.Scenarios("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range train.Languages[1:] {
		list, err := train.Scenarios(language)
		if err != nil {
			t.Fatal(err)
		}
		translated := 0
		for i, s := range list {
			if s.Title == english[i].Title {
				continue
			}
			translated++
			var out, errs bytes.Buffer
			if code := run(t.Context(), []string{"train", s.ID, "--lang", language}, streams{in: strings.NewReader("hint\nhint\nhint\n"), out: &out, err: &errs}); code != exitFindings {
				t.Fatalf("exit code %d, %s", code, &errs)
			}
			if !strings.HasPrefix(out.String(), s.Title) {
				t.Errorf("%s in %s begins with %.60s", s.ID, language, &out)
			}
			for line := range strings.Lines(out.String()) {
				if n := ansi.StringWidth(strings.TrimSuffix(line, "\n")); n > trainWidth {
					t.Errorf("%d columns: %s", n, line)
				}
			}
		}
		if translated == 0 {
			t.Errorf("nothing is in %s", language)
		}
	}
}

// TestSplit splits lines as a shell does.
func TestSplit(t *testing.T) {
	for line, want := range map[string]string{
		"revenant get  a.db":             "[revenant get a.db]",
		`revenant search a.db 'a b' "c"`: "[revenant search a.db a b c]",
		"revenant get '' x":              "[revenant get  x]",
		"revenant get 'x":                "a quote is not closed",
		"revenant get a | head":          "no shell reads this line: | is only for another terminal",
	} {
		args, err := split(line)
		got := fmt.Sprint(args)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}

// TestHostileAnswers: nothing that is handed in steers the terminal, or takes more of it than
// it can show.
func TestHostileAnswers(t *testing.T) {
	t.Chdir(t.TempDir())
	evil := "\\e[31m\\u202e\\x07" + strings.Repeat("x", 10_000)
	text := fmt.Sprintf("name: \"%[1]s\"\nscenarios:\n- scenario: \"%[1]s\"\n  actions: [\"%[1]s\"]\n- scenario: phantom\n  actions: [\"%[1]s\"]\n- scenario: unseen\n  answers: [\"%[1]s\"]\n- scenario: carve\n  answers: [\"kind: \\\"%[1]s\\\"\"]\n", evil)
	if err := os.WriteFile("evil.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"table", "json", "yaml"} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"train", "--check", "evil.yaml", "-o", format}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitFindings {
			t.Fatalf("exit code %d, %s", code, &errs)
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && (r < ' ' || r == '\u202e' || r == 0x7f) }); i >= 0 {
			t.Errorf("%s: a control character at %d: %q", format, i, out.String()[max(0, i-40):i+10])
		}
		if format == "table" && out.Len() > 40<<10 {
			t.Errorf("the table has %d bytes", out.Len())
		}
	}
}

// TestHostileScenario: the file of a scenario that was handed out does not steer the
// terminal either.
func TestHostileScenario(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	backup, current, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"backup.db": backup, "current.db": current} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"train", "--make", "backup.db", "current.db", "--out", "evil"}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
		t.Fatalf("exit code %d, %s", code, &errs)
	}
	path := filepath.Join("evil", train.PairScenario)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s train.Scenario
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	evil := "\x1b[31m\u202e\x07" + strings.Repeat("x", 10_000)
	s.Title, s.Story, s.Explanation = evil, evil, evil
	for i := range s.Goals {
		s.Goals[i] = train.Goal{Ask: evil, Reach: []string{"restored"}}
	}
	for i := range s.Hints {
		s.Hints[i] = "revenant " + evil + "\n" + evil
	}
	for i := range s.Sources {
		s.Sources[i] = evil
	}
	for want, solution := range map[int]string{exitOK: s.Solution, exitFailed: evil} {
		s.Solution = solution
		if text, err = yaml.Marshal(s); err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Reset()
		errs.Reset()
		if code := run(t.Context(), []string{"train", "evil"}, streams{in: strings.NewReader("hint\nhint\ncheck\nsolution\nid\nq\n"), out: &out, err: &errs}); code != want {
			t.Errorf("exit code %d and not %d, %q", code, want, &errs)
		}
		for _, text := range []string{out.String(), errs.String()} {
			if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (r < ' ' || r == '\u202e' || r == 0x7f) }); i >= 0 {
				t.Errorf("a control character at %d: %q", i, text[max(0, i-40):i+10])
			}
		}
		if want == exitOK && !strings.Contains(out.String(), "\nSolved.") {
			t.Errorf("it is not solved: %q", &out)
		}
	}
}
