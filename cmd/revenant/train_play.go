package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"revenant/analyzer/replay"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/report"
	"revenant/train"
)

// trainer does a scenario with who types.
type trainer struct {
	*train.Session
	streams  streams
	p        *report.Printer
	all      []train.Scenario
	record   *record
	dir      string // of the files, "" for none
	fleeting bool   // it is removed in the end
	last     *replay.Step
	found    bool // it was solved
}

const helpPlayed = `  NUMBER         take that action; its words do, too: stop cp-1, restore 8, wait
  n              let happen what happens by itself next, or take again the step
                 that was taken back
  settle         let all of it happen
  b              take the last step back
  why            why the last step was so, and what each kubelet hears
  id             the id of this moment
  revenant ...   run another command: revenant handbook bump says what that is
`

const helpFiles = `  revenant ...   run a command beside the files: revenant inspect FILE
  files          where the files are
`

const helpAll = `  answer TEXT    answer the question that is open
  check          hold the goals against what you have done
  hint           a hint; each says more than the one before
  goals          the story and the goals
  solution       the solution, once all goals are reached
  q              leave
`

// play reads what is typed until the end.
func (t *trainer) play(ctx context.Context, in io.Reader) error {
	t.story()
	before, err := train.Check(ctx, []train.Scenario{t.Scenario}, t.record.answers.Of(t.ID))
	if err != nil {
		return err
	}
	if len(before) > 0 && before[0].Solved {
		t.p.Line("You have solved it: what you did was checked again just now.")
	}
	if t.Play != nil {
		if err := t.moment(); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(in)
	for {
		t.p.Line("")
		t.p.Verbatim([]byte("> "))
		if err := t.p.Flush(); err != nil {
			return err
		}
		if !lines.Scan() {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line := strings.TrimSpace(lines.Text())
		if !t.streams.inTTY { // nothing else shows what was typed
			t.p.Line("%s", sanitize.Short(line, t.p.Width-len("> ")))
		}
		if quit, err := t.do(ctx, line); quit || err != nil {
			return errors.Join(err, t.p.Flush(), t.verdict())
		}
	}
	t.p.Line("")
	return errors.Join(lines.Err(), t.p.Flush(), t.verdict())
}

// verdict is the error of a scenario that was left unsolved.
func (t *trainer) verdict() error {
	if t.found {
		return nil
	}
	return errFindings
}

func (t *trainer) do(ctx context.Context, line string) (quit bool, err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
	case "q", "quit", "exit":
		return true, nil
	case "help", "h", "?":
		if t.Play != nil {
			t.p.Verbatim([]byte(helpPlayed))
		} else {
			t.p.Verbatim([]byte(helpFiles))
		}
		t.p.Verbatim([]byte(helpAll))
	case "goals", "story":
		t.story()
	case "hint":
		text, left := t.Hint()
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, "revenant ") { // to be typed
				t.p.Line("  %s", line)
			} else {
				t.p.Wrapped("  ", t.p.Width, line)
			}
		}
		t.p.Line("  (%s)", words.Count(left, "hint")+" more")
	case "answer", "a":
		return false, t.answer(ctx, strings.TrimSpace(rest))
	case "check":
		return false, t.check(ctx, false)
	case "solution":
		return false, t.solution(ctx)
	default:
		if t.Play == nil {
			return false, t.beside(ctx, word, line)
		}
		return false, t.act(ctx, word, line)
	}
	return false, nil
}

// act does what is typed where a cluster is played.
func (t *trainer) act(ctx context.Context, word, line string) error {
	switch word {
	case "n", "next":
		if !t.Next() {
			t.p.Line("Nothing is left to happen by itself.")
			return nil
		}
		return t.stepped(ctx)
	case "settle", "s":
		n := t.Settle()
		if n == 0 {
			t.p.Line("Nothing is left to happen by itself.")
			return nil
		}
		steps := t.Play.Steps()
		for i := len(steps) - n; i < len(steps)-1; i++ {
			t.p.Wrapped("  ", t.p.Width, steps[i].Text)
		}
		return t.stepped(ctx)
	case "b", "back":
		if !t.Back() {
			t.p.Line("This is where the scenario begins.")
			return nil
		}
		t.last = nil
		return t.moment()
	case "why":
		return t.why()
	case "revenant":
		return t.other(ctx, line)
	case "id":
		t.p.Line("revenant train %s --at %s", t.Argument(), t.Play.ID())
		return nil
	}
	actions := t.Actions()
	n, err := strconv.Atoi(word)
	switch {
	case err == nil && n >= 1 && n <= len(actions):
		err = t.Do(actions[n-1])
	case err != nil && t.Perform(line) == nil:
		err = nil
	default:
		t.p.Wrapped("", t.p.Width, fmt.Sprintf("No action is called %.40q now: type a number from 1 to %d, or help.", line, len(actions)))
		return nil
	}
	if err != nil {
		return err
	}
	return t.stepped(ctx)
}

// beside does what is typed where files are looked into.
func (t *trainer) beside(ctx context.Context, word, line string) error {
	switch word {
	case "files":
		t.files()
	case "revenant":
		return t.other(ctx, line)
	case "n", "next", "s", "settle", "b", "back", "why", "id":
		t.p.Line("Nothing is played here: look into the files, and answer.")
	default:
		t.p.Wrapped("", t.p.Width, fmt.Sprintf("%.40q is none of the words here: type help. What answers the question begins with answer.", word))
	}
	return nil
}

// other runs another command of the program, beside the files where there are any.
func (t *trainer) other(ctx context.Context, line string) error {
	args, err := split(line)
	if err != nil {
		t.p.Line("%s", err.Error())
		return nil
	}
	if len(args) > 1 && args[1] == "train" {
		t.p.Line("This is training already.")
		return nil
	}
	if err := t.p.Flush(); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, args[1:]...)
	cmd.Dir = t.dir
	both := struct{ io.Writer }{t.streams.out} // no terminal: nothing is paged, and nothing drawn
	cmd.Stdout, cmd.Stderr = both, both
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

// split splits a line as a shell does, with quotes and without anything else.
func split(line string) (args []string, err error) {
	var word strings.Builder
	inside, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			inside, quote = true, r
		case r == ' ' || r == '\t':
			if inside {
				args = append(args, word.String())
				word.Reset()
			}
			inside = false
		case strings.ContainsRune("|<>;&$`", r):
			return nil, fmt.Errorf("no shell reads this line: %c is only for another terminal", r)
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inside {
		args = append(args, word.String())
	}
	return args, nil
}

// stepped shows what a step led to.
func (t *trainer) stepped(ctx context.Context) error {
	steps := t.Play.Steps()
	t.last = &steps[len(steps)-1]
	if err := t.moment(); err != nil {
		return err
	}
	return t.check(ctx, true)
}

func (t *trainer) story() {
	t.p.Wrapped("", t.p.Width, fmt.Sprintf("%s (level %d)", t.Title, t.Level))
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, t.Story)
	for i, g := range t.Goals {
		t.p.Line("")
		t.p.Wrapped("  ", t.p.Width, fmt.Sprintf("Goal %d. %s", i+1, g.Ask))
	}
	t.p.Line("")
	if t.dir != "" {
		t.files()
	}
	t.p.Line("Type help for what can be typed.")
	if t.Play != nil {
		t.p.Line("revenant handbook WORD says what a word means: bump, deaf, phantom.")
	}
}

// files says where the files are.
func (t *trainer) files() {
	t.p.Wrapped("", t.p.Width, fmt.Sprintf("Files: %s, in the directory", words.List(slices.Sorted(maps.Keys(t.Evidence)))))
	t.p.Line("  %s", t.dir)
	text := "A line that begins with revenant runs there, such as: revenant inspect " + t.snapshot()
	if t.fleeting {
		text += ". The directory is removed when you leave; --dir DIR keeps one"
	}
	t.p.Wrapped("", t.p.Width, text+".")
}

// snapshot is the first snapshot among the files.
func (t *trainer) snapshot() string {
	for _, name := range slices.Sorted(maps.Keys(t.Evidence)) {
		if strings.HasSuffix(name, ".db") {
			return name
		}
	}
	return ""
}

// moment shows the moment and what can be done.
func (t *trainer) moment() error {
	v, err := t.View()
	if err != nil {
		return err
	}
	t.p.Line("")
	if t.last != nil {
		t.p.Wrapped("", t.p.Width, t.last.Text)
		t.p.Line("")
	}
	t.p.Moment(v)
	t.p.Line("")
	itself := false
	for i, a := range t.Actions() {
		own := ""
		if !a.Operator() {
			own, itself = " *", true
		}
		t.p.Line("%3d  %s", i+1, t.Play.Say(a)+own)
	}
	if itself {
		t.p.Line("     * happens by itself: n for the next, settle for all of it")
	}
	return nil
}

// why says by which rules the last step was so, and what each kubelet hears.
func (t *trainer) why() error {
	if t.last != nil {
		for _, r := range t.last.Rules {
			t.p.Wrapped("  ", t.p.Width, r.Text)
			t.p.Wrapped("    ", t.p.Width, "("+r.Source+")")
		}
	}
	v, err := t.View()
	if err != nil {
		return err
	}
	if k := v.Controllers; k != nil {
		t.p.Wrapped("  ", t.p.Width, "The controllers and the scheduler: "+k.Why)
	}
	for _, k := range v.Kubelets {
		t.p.Wrapped("  ", t.p.Width, "The kubelet of "+k.Node+": "+k.Why)
	}
	return nil
}
