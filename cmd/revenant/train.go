package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/replay"
	"revenant/internal/words"
	"revenant/report"
	"revenant/train"
)

// trainOptions are the flags of `revenant train`.
type trainOptions struct {
	streams streams
	at      string
}

func newTrain(s streams, f runFunc) *cobra.Command {
	o := &trainOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "train [SCENARIO]",
		Short: "Learn what a restore does by doing it, and by doing it wrong",
		Long: `train lists its scenarios, or plays one: a small cluster, a restore that is yours to
carry out or to repair, and goals that are checked. Nothing is at stake: nothing but
the program itself is read, and nothing is written.

In a scenario a number takes one of the actions that are listed, and a word does
what "help" says: what happens by itself happens one step at a time (n) or at once
(settle), and every step can be taken back (b). Each says why, and by which rule of
etcd or Kubernetes. The id of a moment leads back to it, here or for a colleague.

Exit codes: 0 done; 1 the scenario was left unsolved; 2 there is none of that name,
or no moment of that id.`,
		Example: `  revenant train
  revenant train phantom
  revenant train phantom --at 01.a0`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			list, _ := train.Scenarios()
			var ids []string
			for _, s := range list {
				ids = append(ids, s.ID+"\t"+s.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: f.of(o),
	}
	cmd.Flags().StringVar(&o.at, "at", "", "begin at the moment of this `ID`")
	register(cmd, "at", cobra.NoFileCompletions)
	return cmd
}

func (o *trainOptions) run(ctx context.Context, args []string) error {
	list, err := train.Scenarios()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		if o.at != "" {
			return errors.New("--at: of which scenario?")
		}
		p := report.NewPrinter(o.streams.out)
		var rows [][]string
		for _, s := range list {
			rows = append(rows, []string{s.ID, strconv.Itoa(s.Level), s.Title})
		}
		p.Table([]string{"SCENARIO", "LEVEL", "TITLE"}, rows, nil)
		p.Line("")
		p.Line("revenant train SCENARIO plays one.")
		return p.Flush()
	}
	s := train.Find(list, args[0])
	if s == nil {
		return hinted(fmt.Errorf("no scenario is called %.40q", args[0]), "revenant train lists them")
	}
	x, err := train.New(*s)
	if err != nil {
		return err
	}
	if o.at != "" {
		if err := x.Play.Go(o.at); err != nil {
			return hinted(fmt.Errorf("--at: %w", err), "the id of a moment is of one scenario, and of this version of revenant")
		}
	}
	t := trainer{Session: x, p: report.NewPrinter(o.streams.out)}
	if o.streams.color {
		t.p.Paint = paint
	}
	return t.play(ctx, o.streams.in)
}

// trainer plays a scenario with who types.
type trainer struct {
	*train.Session
	p     *report.Printer
	last  *replay.Step // that was taken, nil for none
	found bool         // it was solved
}

const trainHelp = `  NUMBER         take that action
  n              let happen what happens by itself next, or the step that was taken back
  settle         let all of it happen
  b              take the last step back
  why            why the last step was so, and what each kubelet hears
  answer TEXT    answer the question that is open
  check          hold the goals against this moment
  hint           a hint; each says more than the one before
  goals          the story and the goals
  id             the id of this moment
  solution       the solution, once all goals are reached
  q              leave`

// play reads what is typed until the end.
func (t *trainer) play(ctx context.Context, in io.Reader) error {
	t.story()
	if err := t.moment(); err != nil {
		return err
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
		if quit, err := t.do(strings.TrimSpace(lines.Text())); quit || err != nil {
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

func (t *trainer) do(line string) (quit bool, err error) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "":
	case "q", "quit", "exit":
		return true, nil
	case "help", "h", "?":
		t.p.Verbatim([]byte(trainHelp + "\n"))
	case "n", "next":
		if !t.Play.Next() {
			t.p.Line("Nothing is left to happen by itself.")
			return false, nil
		}
		return false, t.stepped()
	case "settle", "s":
		if n := t.Play.Settle(); n == 0 {
			t.p.Line("Nothing is left to happen by itself.")
			return false, nil
		} else {
			steps := t.Play.Steps()
			for i := len(steps) - n; i < len(steps)-1; i++ {
				t.p.Line("  %s", steps[i].Text)
			}
		}
		return false, t.stepped()
	case "b", "back":
		if !t.Back() {
			t.p.Line("This is where the scenario begins.")
			return false, nil
		}
		t.last = nil
		return false, t.moment()
	case "why":
		t.why()
	case "goals", "story":
		t.story()
	case "id":
		t.p.Line("revenant train %s --at %s", t.ID, t.Play.ID())
	case "hint":
		text, left := t.Hint()
		t.p.Wrapped("  ", t.p.Width, text)
		t.p.Line("  (%s)", words.Count(left, "hint")+" more")
	case "answer":
		r, err := t.Answer(rest)
		if err != nil {
			t.p.Line("No question is open.")
			return false, nil
		}
		if !r.Reached {
			t.p.Wrapped("", t.p.Width, "No. "+r.Overlook[0])
			return false, nil
		}
		t.p.Line("Right.")
		return false, t.check(true)
	case "check":
		return false, t.check(false)
	case "solution":
		return false, t.solution()
	default:
		actions := t.Play.Actions(t.Play.State())
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(actions) {
			t.p.Line("No action is called %.40q: type a number from 1 to %d, or help.", word, len(actions))
			return false, nil
		}
		if err := t.Play.Do(actions[n-1]); err != nil {
			return false, err
		}
		return false, t.stepped()
	}
	return false, nil
}

// stepped shows what a step led to.
func (t *trainer) stepped() error {
	steps := t.Play.Steps()
	t.last = &steps[len(steps)-1]
	if err := t.moment(); err != nil {
		return err
	}
	return t.check(true)
}

func (t *trainer) story() {
	t.p.Line("%s (level %d)", t.Title, t.Level)
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, t.Story)
	for i, g := range t.Goals {
		t.p.Line("")
		t.p.Wrapped("  ", t.p.Width, fmt.Sprintf("Goal %d. %s", i+1, g.Ask))
	}
	t.p.Line("")
	t.p.Line("Type help for what can be typed.")
}

// moment shows the moment and what can be done.
func (t *trainer) moment() error {
	v, err := t.Play.View(t.Play.State())
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
	for i, a := range t.Play.Actions(t.Play.State()) {
		own := ""
		if !a.Operator() {
			own = " (happens by itself)"
		}
		t.p.Line("%3d  %s", i+1, t.Play.Say(a)+own)
	}
	return nil
}

// why says by which rules the last step was so, and what each kubelet hears.
func (t *trainer) why() {
	if t.last != nil {
		for _, r := range t.last.Rules {
			t.p.Wrapped("  ", t.p.Width, r.Text)
			t.p.Line("    (%s)", r.Source)
		}
	}
	v, err := t.Play.View(t.Play.State())
	if err != nil {
		return
	}
	for _, k := range v.Kubelets {
		t.p.Wrapped("  ", t.p.Width, "The kubelet of "+k.Node+": "+k.Why)
	}
}

// check holds the goals against the moment. Quietly, it says so only when all are reached.
func (t *trainer) check(quietly bool) error {
	solved, err := t.Solved()
	if err != nil || quietly && (!solved || t.found) {
		return err
	}
	results, err := t.Check()
	if err != nil {
		return err
	}
	t.p.Line("")
	for i, r := range results {
		state := "reached"
		if !r.Reached {
			state = "not yet"
		}
		t.p.Line("  Goal %d  %s", i+1, state)
		for _, text := range r.Overlook {
			t.p.Wrapped("          ", t.p.Width, text)
		}
	}
	if !solved {
		return nil
	}
	t.found = true
	cost, err := t.Cost()
	if err != nil {
		return err
	}
	best, err := t.best()
	if err != nil {
		return err
	}
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, fmt.Sprintf("Solved. It cost %s; the best known way costs %s.", cost, best))
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, t.Explanation)
	for _, source := range t.Sources {
		t.p.Line("  (%s)", source)
	}
	return nil
}

// best is the cost of the solution.
func (t *trainer) best() (train.Cost, error) {
	x, err := train.New(t.Scenario)
	if err == nil {
		err = x.Solve()
	}
	if err != nil {
		return train.Cost{}, err
	}
	return x.Cost()
}

// solution shows the steps of the solution.
func (t *trainer) solution() error {
	if !t.found {
		t.p.Line("Reach the goals first: hint helps.")
		return nil
	}
	x, err := train.New(t.Scenario)
	if err != nil {
		return err
	}
	if err := x.Solve(); err != nil {
		return err
	}
	for i, step := range x.Steps() {
		t.p.Wrapped("  ", t.p.Width, fmt.Sprintf("%d. %s", i+1, step.Text))
	}
	t.p.Line("  revenant train %s --at %s", t.ID, t.Scenario.Solution)
	return nil
}
