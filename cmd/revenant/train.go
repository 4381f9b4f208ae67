package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

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
