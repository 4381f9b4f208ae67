package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"revenant/analyzer/replay"
	"revenant/decoder/input"
	"revenant/decoder/sanitize"
	"revenant/internal/outfile"
	"revenant/internal/scratch"
	"revenant/internal/words"
	"revenant/report"
	"revenant/train"
)

// trainWidth is how wide training is, in columns.
const trainWidth = 80

// trainOptions are the flags of `revenant train`.
type trainOptions struct {
	streams  streams
	output   outputOptions
	at       string
	dir      string
	language string
	progress string
	seed     int64
	level    int
	plain    bool
	answers  []string // files to check

	make bool // a scenario of a pair of snapshots
	out  string
	key  string
	from string      // the directory of a scenario that was made of a pair
	open openOptions // of that pair
}

func newTrain(s streams, f runFunc) *cobra.Command {
	o := &trainOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "train [SCENARIO] | train --make BACKUP CURRENT --out DIR",
		Short: "Learn what a restore does by doing it, and by doing it wrong",
		Long: `train lists its scenarios, or begins one. In some a small cluster is played: a restore
is yours to carry out or to repair, and nothing but the program itself is read. In
others you are handed snapshots, which train writes into --dir, or into a directory
that is gone when you leave; what is in them you find out with revenant's other
commands, in another terminal or at the prompt of train: a line that begins with
"revenant" is run beside the files. Goals are checked against the state that you
reach, or against what the files hold.

In a scenario that is played a number takes one of the actions that are listed, and
a word does what "help" says: what happens by itself happens one step at a time (n)
or at once (settle), and every step can be taken back (b). Each says why, and by
which rule of etcd or Kubernetes. The id of a moment leads back to it, here or for a
colleague.

--make makes a scenario of a real pair of snapshots, in a directory that can be
given away: SCENARIO is then that directory. In its snapshots names, labels,
addresses, images and uids are pseudonyms, and content is overwritten; sizes,
revisions, times and structure stay. It is written only if nothing else is found
in it, and if it predicts, under every plan, what the pair does.

--seed N makes a scenario of a number, as many as there are numbers: the same number
and --level make the same one. What is solved is kept in the file --progress, in
the form that --check reads. --check does again what files of answers say was done,
and reports it to a teacher; docs/train.md has their form. A directory among them is a
scenario of --make that the answers are about.

Exit codes: 0 done; 1 the scenario was left unsolved, or with --check something in
the files is not solved; 2 there is none of that name, no moment of that id, none
could be made, or a file could not be read or written.`,
		Example: `  revenant train
  revenant train phantom
  revenant train namespace --dir files
  revenant train --seed 7 --level 3
  revenant train phantom --at 01.a0
  revenant train --make backup.db current.db --out mine
  revenant train mine
  revenant train --check class/*.yaml
  revenant train --check class/*.yaml mine`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(o.answers) > 0 || o.make { // which says itself what it lacks
				return nil
			}
			return cobra.MaximumNArgs(1)(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if o.make {
				return completeArgs(2)(cmd, args, word)
			}
			list, _ := train.Scenarios(train.Languages[0])
			var ids []string
			for _, s := range list {
				ids = append(ids, s.ID+"\t"+s.Title)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: f.of(o),
	}
	flags := cmd.Flags()
	flags.StringVar(&o.at, "at", "", "begin at the moment of this `ID`")
	flags.BoolVar(&o.plain, "plain", false, "no screens: lines to read, and words to type")
	flags.StringVar(&o.dir, "dir", "", "write the files of a scenario into `DIR`; none that is there is overwritten")
	flags.StringVar(&o.language, "lang", train.Languages[0], "show texts in this `LANGUAGE` where there are any: "+strings.Join(train.Languages, ", "))
	flags.StringVar(&o.progress, "progress", "", "keep what is solved in `FILE` (default: train.yaml in the state directory)")
	flags.Int64Var(&o.seed, "seed", 0, "make a scenario of the number `N`, from 1")
	flags.IntVar(&o.level, "level", 0, "with --seed, make one of this `LEVEL`, 1 to 3 (default 1); otherwise list those of it")
	flags.StringArrayVar(&o.answers, "check", nil, "check the answers in `FILE`, and in the files named as arguments")
	flags.BoolVar(&o.make, "make", false, "make a scenario of the snapshots BACKUP and CURRENT, scrubbed")
	flags.StringVar(&o.out, "out", "", "with --make, write the scenario to `DIR`, which must not exist")
	flags.StringVar(&o.key, "key", "", "with --make, `FILE` whose content decides the pseudonyms: the same for the same file (default other ones each time)")
	o.output.addFlags(flags)
	o.open.addFlags(flags)
	register(cmd, "at", cobra.NoFileCompletions)
	register(cmd, "lang", completeOne(train.Languages...))
	register(cmd, "progress", completeFiles)
	register(cmd, "seed", cobra.NoFileCompletions)
	register(cmd, "level", completeOne("1", "2", "3"))
	register(cmd, "check", completeFiles)
	register(cmd, "output", o.output.complete())
	register(cmd, "out", completeFiles)
	register(cmd, "key", completeFiles)
	cmd.MarkFlagsMutuallyExclusive("check", "seed")
	cmd.MarkFlagsMutuallyExclusive("check", "at")
	cmd.MarkFlagsMutuallyExclusive("check", "dir")
	for _, other := range []string{"check", "seed", "at", "dir", "level", "progress"} {
		cmd.MarkFlagsMutuallyExclusive("make", other)
	}
	return cmd
}

func (o *trainOptions) run(ctx context.Context, args []string) error {
	if o.seed < 0 {
		return errors.New("--seed: want a number from 1")
	}
	if o.level < 0 || o.level > train.Levels {
		return fmt.Errorf("--level: there are 1 to %d", train.Levels)
	}
	list, err := train.Scenarios(o.language)
	if err != nil {
		return fmt.Errorf("--lang: %w", err)
	}
	if len(o.answers) > 0 {
		return o.check(ctx, list, slices.Concat(o.answers, args))
	}
	if len(o.output.outputs) > 0 {
		return errors.New("--output is for --check")
	}
	if o.make {
		return o.runMake(ctx, args)
	}
	if o.out != "" || o.key != "" {
		return errors.New("--out and --key are for --make")
	}
	if len(args) == 0 && o.seed == 0 {
		if o.at != "" || o.dir != "" {
			return errors.New("--at and --dir: of which scenario?")
		}
		if o.onScreen() {
			return o.screens(ctx, list, nil)
		}
		return o.list(ctx, list)
	}
	s, err := o.scenario(list, args)
	if err != nil {
		return err
	}
	if s.OfPair() {
		if o.onScreen() { // which opens its snapshots
			return o.screens(ctx, list, s)
		}
		if err := o.bind(ctx, s, o.from); err != nil {
			return err
		}
	}
	x, err := train.New(ctx, *s)
	if err != nil {
		return err
	}
	defer x.Close()
	if o.at != "" {
		if err := x.Go(o.at); err != nil {
			return hinted(fmt.Errorf("--at: %w", err), "the id of a moment is of one scenario, and of this version of revenant")
		}
	}
	if o.onScreen() {
		return o.screens(ctx, list, s)
	}
	t := trainer{Session: x, p: report.NewPrinter(o.streams.out), all: list, streams: o.streams}
	t.p.Width = trainWidth
	if o.streams.outTTY && o.streams.outWidth != nil {
		t.p.Width = min(t.p.Width, max(o.streams.outWidth(), 40))
	}
	if o.streams.color {
		t.p.Paint = paint
	}
	guard := &outfile.Guard{}
	if s.OfPair() {
		guard.Evidence(o.from)
	}
	if !s.Played() {
		if t.dir, err = o.hand(ctx, guard, s); err != nil {
			return err
		}
		if o.dir == "" {
			t.fleeting = true
			defer scratch.Remove(t.dir)
		}
		guard.Evidence(t.dir)
	}
	if t.record, err = o.recorded(guard); err != nil {
		return err
	}
	return t.play(ctx, o.streams.in)
}

// onScreen says whether the terminal UI shows the scenarios.
func (o *trainOptions) onScreen() bool { return !o.plain && o.streams.inTTY && o.streams.outTTY }

// scenario is the one that is asked for.
func (o *trainOptions) scenario(list []train.Scenario, args []string) (*train.Scenario, error) {
	if o.seed != 0 {
		if len(args) > 0 {
			return nil, fmt.Errorf("--seed makes a scenario, and %.40q is another", args[0])
		}
		s, err := train.Make(uint64(o.seed), max(o.level, 1))
		return &s, err
	}
	s := train.Find(list, args[0])
	if isDir(args[0]) && (s == nil || s.ID != args[0]) {
		o.from = args[0]
		return readMade(o.from)
	}
	if s == nil {
		return nil, hinted(fmt.Errorf("no scenario is called %.40q", args[0]), "revenant train lists them")
	}
	return s, nil
}

// hand writes the files of a scenario for the learner, and says where. What is there is not
// overwritten: a file that is what it would be stays, any other is refused.
func (o *trainOptions) hand(ctx context.Context, guard *outfile.Guard, s *train.Scenario) (string, error) {
	files, err := s.Files()
	if err != nil {
		return "", err
	}
	dir := o.dir
	if dir == "" {
		if dir, err = guard.MkdirTemp("revenant-train-"); err != nil {
			return "", err
		}
	} else if err := guard.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("--dir: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		place, err := guard.Place(path, outfile.New)
		if errors.Is(err, outfile.ErrExists) {
			there, read := input.ReadSmall(path)
			if read == nil && bytes.Equal(there, files[name]) {
				continue
			}
			return "", hinted(fmt.Errorf("--dir: %s is there, and is another file", path), "give a directory that is new or empty")
		}
		if err == nil {
			err = place.Write(ctx, 0o400, func(w io.Writer) error {
				_, err := w.Write(files[name])
				return err
			})
		}
		if err != nil {
			return "", fmt.Errorf("--dir: %w", err)
		}
	}
	return dir, nil
}

// record is a learner's progress and the file that it is kept in.
type record struct {
	guard   *outfile.Guard
	path    string // "" for none
	answers train.Answers
}

// recorded reads the progress. A file of the learner's own choice must be of use; without
// one, what is wrong is a warning.
func (o *trainOptions) recorded(guard *outfile.Guard) (*record, error) {
	r := &record{guard: guard, path: o.progress}
	var err error
	if r.path == "" {
		var home string
		if home, err = stateHome(); err == nil {
			r.path = filepath.Join(home, "train.yaml")
		}
	}
	if err == nil {
		err = r.read()
	}
	switch {
	case err == nil:
		return r, nil
	case o.progress != "":
		return nil, fmt.Errorf("--progress: %w", err)
	}
	r.path = ""
	fmt.Fprintf(o.streams.err, "warning: progress is not kept: %s\n", sanitize.Short(err.Error(), mostInError))
	return r, nil
}

func (r *record) read() error {
	text, err := input.ReadConfig(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && len(bytes.TrimSpace(text)) > 0 {
		a, err := train.ParseAnswers(text)
		if err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
		r.answers = *a
	}
	if _, err := os.Stat(filepath.Dir(r.path)); err != nil {
		return nil // made when there is something to keep
	}
	place, err := r.guard.Place(r.path, outfile.Follow)
	if err == nil {
		place.Close()
	}
	return err
}

// keep writes what was done in a scenario.
func (r *record) keep(ctx context.Context, g train.Given) error {
	r.answers.Put(g)
	if r.path == "" {
		return nil
	}
	text, err := r.answers.Text()
	if err != nil {
		return err
	}
	if err := r.guard.MkdirAll(filepath.Dir(r.path), 0o700); err != nil {
		return err
	}
	place, err := r.guard.Place(r.path, outfile.Follow)
	if err != nil {
		return err
	}
	return place.Write(ctx, 0o600, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// list lists the scenarios, and which of them the learner's progress solves: all of it is
// checked again.
func (o *trainOptions) list(ctx context.Context, list []train.Scenario) error {
	r, err := o.recorded(&outfile.Guard{})
	if err != nil {
		return err
	}
	marks, err := train.Check(ctx, list, &r.answers)
	if err != nil {
		return err
	}
	solved := map[string]bool{}
	for _, m := range marks {
		solved[m.Given.Scenario] = m.Solved
	}
	p := report.NewPrinter(o.streams.out)
	p.Width = trainWidth
	header := []string{"SCENARIO", "LEVEL", "ON", "TITLE"}
	if len(marks) > 0 {
		header = []string{"SCENARIO", "LEVEL", "ON", "SOLVED", "TITLE"}
	}
	var rows [][]string
	done, of := 0, 0
	for _, s := range list {
		if o.level > 0 && s.Level != o.level {
			continue
		}
		of++
		row := []string{s.ID, strconv.Itoa(s.Level), on(&s)}
		if len(marks) > 0 {
			mark := "-"
			if solved[s.ID] {
				mark, done = "yes", done+1
			}
			row = append(row, mark)
		}
		rows = append(rows, append(row, s.Title))
	}
	p.Table(header, rows, nil)
	p.Line("")
	if len(marks) > 0 {
		p.Wrapped("", p.Width, fmt.Sprintf("%d of %s solved, as what was done was checked again just now. It is kept in %s.", done, words.CountOf(of, "scenario is", "scenarios are"), r.path))
		if n := r.answers.Pairs(); n > 0 {
			p.Wrapped("", p.Width, fmt.Sprintf("It also has what was done in %s of snapshots: revenant train DIR checks that again.", words.CountOf(n, "scenario", "scenarios")))
		}
		p.Line("")
	}
	p.Line("revenant train SCENARIO begins one, and revenant train --seed N makes more.")
	return p.Flush()
}

// on is what a scenario is on.
func on(s *train.Scenario) string {
	if s.Played() {
		return "play"
	}
	return "files"
}

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

// answer answers the question that is open.
func (t *trainer) answer(ctx context.Context, text string) error {
	i := t.Open()
	if i < 0 {
		t.p.Line("No question is open.")
		return nil
	}
	if text == "" {
		t.p.Wrapped("", t.p.Width, "answer, and what you think. The question is: "+t.Goals[i].Ask)
		return nil
	}
	if t.Goals[i].Manifest() {
		manifest, err := t.readAnswer(text)
		if err != nil {
			t.p.Wrapped("", t.p.Width, fmt.Sprintf("The answer is the name of a file with the manifest, and that one cannot be read: %v.", err))
			return nil
		}
		text = string(manifest)
	}
	r, err := t.Answer(ctx, text)
	if err != nil {
		return err
	}
	if !r.Reached {
		t.p.Wrapped("", t.p.Width, "No. "+r.Overlook[0])
		return nil
	}
	t.p.Line("Right.")
	results, err := t.Check()
	if err != nil {
		return err
	}
	if next := slices.IndexFunc(results, func(r train.Result) bool { return !r.Reached }); next >= 0 {
		t.p.Wrapped("", t.p.Width, fmt.Sprintf("Goal %d. %s", next+1, t.Goals[next].Ask))
	}
	return t.check(ctx, true)
}

// readAnswer reads a file that was named: one beside those of the scenario, or any other.
func (t *trainer) readAnswer(name string) ([]byte, error) { return readManifest(t.dir, name) }

// readManifest reads a file that is named as from dir, or else as from here.
func readManifest(dir, name string) ([]byte, error) {
	if !filepath.IsAbs(name) && dir != "" {
		text, err := input.ReadConfig(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
	}
	return input.ReadConfig(name)
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

// check holds the goals against what was done. Quietly, it says so only when all are reached.
func (t *trainer) check(ctx context.Context, quietly bool) error {
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
	return t.solved(ctx)
}

// solved says what it cost and what is to be learnt, and keeps it.
func (t *trainer) solved(ctx context.Context) error {
	t.found = true
	cost, err := t.Cost()
	if err != nil {
		return err
	}
	best, err := train.Best(ctx, t.Scenario)
	if err != nil {
		return err
	}
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, "Solved. "+t.Score(cost, best))
	t.p.Line("")
	t.p.Wrapped("", t.p.Width, t.Explanation)
	for _, source := range t.Sources {
		t.p.Wrapped("  ", t.p.Width, "("+source+")")
	}
	if err := t.record.keep(ctx, t.Given()); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(t.streams.err, "warning: progress is not kept: %s\n", sanitize.Short(err.Error(), mostInError))
	}
	return t.next(ctx)
}

// next says what to do next: the first scenario that is not solved. When all are, all are
// checked again.
func (t *trainer) next(ctx context.Context) error {
	marks, err := train.Check(ctx, t.all, &t.record.answers)
	if err != nil {
		return err
	}
	solved := map[string]bool{}
	points, best := 0, 0
	for _, m := range marks {
		if m.Solved && !train.IsMade(m.Given.Scenario) {
			solved[m.Given.Scenario] = true
			points, best = points+m.Cost.Points(), best+m.Best.Points()
		}
	}
	t.p.Line("")
	for _, s := range t.all {
		if !solved[s.ID] {
			t.p.Line("The next one: revenant train %s", s.ID)
			return nil
		}
	}
	t.p.Wrapped("", t.p.Width, fmt.Sprintf("All %d scenarios are solved: what was done in each was checked again just now. Together it cost %s, and the best known ways %d. revenant train --seed N makes more.", len(t.all), words.Count(points, "point"), best))
	return nil
}

// solution shows the solution.
func (t *trainer) solution(ctx context.Context) error {
	if !t.found {
		t.p.Line("Reach the goals first: hint helps.")
		return nil
	}
	x, err := train.New(ctx, t.Scenario)
	if err != nil {
		return err
	}
	defer x.Close()
	right, err := x.Right(ctx)
	if err != nil {
		return err
	}
	for _, command := range t.Commands {
		t.p.Line("  %s", command)
	}
	if err := x.Solve(ctx); err != nil {
		return err
	}
	for i, step := range x.Steps() {
		t.p.Wrapped("  ", t.p.Width, fmt.Sprintf("%d. %s", i+1, step.Text))
	}
	for _, g := range t.Goals {
		if g.Answer == "" {
			continue
		}
		answer := strings.TrimSpace(right[0])
		right = right[1:]
		if !g.Manifest() {
			t.p.Wrapped("  ", t.p.Width, g.Ask+" "+answer)
			continue
		}
		t.p.Wrapped("  ", t.p.Width, g.Ask)
		for line := range strings.Lines(answer) {
			t.p.Line("    %s", strings.TrimRight(line, "\n"))
		}
	}
	if t.Play != nil {
		t.p.Line("  revenant train %s --at %s", t.Argument(), t.Scenario.Solution)
	}
	return nil
}
