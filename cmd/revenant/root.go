package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"revenant/analyzer/restore"
)

// streams is where a command reads and writes, and what is known of it.
type streams struct {
	in     io.Reader
	out    io.Writer
	err    io.Writer
	inTTY  bool
	outTTY bool
	errTTY bool // and a line on it can be redrawn
	color  bool // colour is wanted on out

	errClear *atomic.Bool // set once it is known that err is no evidence

	errWidth func() int // columns of err, when that is a terminal
	outWidth func() int // columns of out, when that is one
}

func standardStreams() streams {
	tty := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	s := streams{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		errClear: new(atomic.Bool),
		inTTY:    tty(os.Stdin), outTTY: tty(os.Stdout), errTTY: tty(os.Stderr) && os.Getenv("TERM") != "dumb",
	}
	width := func(f *os.File) func() int {
		return func() int {
			if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
				return width
			}
			return 80
		}
	}
	s.errWidth, s.outWidth = width(os.Stderr), width(os.Stdout)
	// https://no-color.org: any value but the empty one counts.
	s.color = s.outTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s, work)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if errors.Is(err, context.Canceled) {
		err = whyEnded(ctx)
	}
	if errors.Is(err, syscall.ENOMEM) {
		err = fmt.Errorf("not enough memory: %w", err)
	}
	return exitCode(s.err, err)
}

// verb is a command: the options that its flags set, and what it does with them.
type verb interface {
	run(ctx context.Context, args []string) error
}

// runFunc runs a verb. Tests that are about flags have one that does no work.
type runFunc func(ctx context.Context, v verb, args []string) error

func work(ctx context.Context, v verb, args []string) error { return v.run(ctx, args) }

// of is v as cobra runs it.
func (f runFunc) of(v verb) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error { return f(cmd.Context(), v, args) }
}

func newRoot(s streams, f runFunc) *cobra.Command {
	o := &uiOptions{streams: s}
	root := &cobra.Command{
		Use:   "revenant [FILE]...",
		Short: "Predict what restoring an etcd snapshot does to running pods",
		Long: `revenant opens etcd snapshots of Kubernetes clusters offline, and predicts what
restoring one would do to what is running: which pods would go on unseen by the
API (phantoms), which would be shown as running although nothing runs (ghosts),
and what makes the restore safe.

BACKUP is the snapshot that would be restored, CURRENT the newest state there
is. With a terminal, the two open in the terminal UI; without one, the overview
is printed as text. FILE alone opens the terminal UI on one snapshot, without a
prediction; without a terminal, what inspect prints is printed. Without arguments
a built-in pair of real snapshots is shown. More than two files, or a directory of
them, such as hourly backups, are read as one history: its newest file is CURRENT,
the one before it BACKUP, and in the terminal UI any two of them can be chosen. Of
several snapshots in an archive one is named as ARCHIVE//NAME.

No file is ever changed, and no cluster is needed.`,
		Example: `  revenant                                  # the built-in demo
  revenant backup.db                        # look into a snapshot in the terminal UI
  revenant backup.db current.db             # what would restoring it do: both in the terminal UI
  revenant backups/                         # many files as one history, the newest two compared
  revenant preflight backup.db current.db   # can it be restored: one verdict, for schedules
  revenant predict backup.db current.db     # outcome of every pod
  revenant report backup.db current.db -o html=report.html  # all of it, in one page
  revenant plan backup.db current.db        # how to restore: what to type, in order
  revenant verify restored.db --dumps DIR   # after it: what really runs
  revenant inspect backup.db                # what is it, is it whole
  revenant get backup.db pods -n shop       # what was there, as kubectl lists it
  revenant describe backup.db pod/web-0     # one object in full, as kubectl describes it
  revenant diff backup.db current.db        # what differs, object by object
  revenant timeline current.db -n shop      # every revision in order: when, what, by whom
  revenant extract backup.db deploy/web     # an object, as a manifest to be applied again
  revenant handbook                         # what a restore does, and how to do it safely`,
		Args:              rootArgs,
		ValidArgsFunction: completeArgs(math.MaxInt),
		SilenceUsage:      true,
		SilenceErrors:     true,
		RunE:              f.of(o),
	}
	root.SuggestionsMinimumDistance = 2
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return hinted(err, fmt.Sprintf("%s --help lists the flags", cmd.CommandPath()))
	})
	o.addFlags(root.Flags())
	root.AddCommand(newInspect(s, f), newPreflight(s, f), newReport(s, f), newPredict(s, f), newPlan(s, f), newVerify(s, f), newSalvage(s, f), newCarve(s, f),
		newGet(s, f), newDescribe(s, f), newExtract(s, f), newHistory(s, f), newWho(s, f), newDiff(s, f), newTimeline(s, f), newSearch(s, f), newStorage(s, f), newExport(s, f), newTrain(s, f),
		newHandbook(s, f), newConfig(s, f), newMan(f))
	for _, cmd := range append(root.Commands(), root) {
		hintArgs(cmd)
		completeFlags(cmd)
	}
	return root
}

// rootArgs refuses a file that is not there among many: of a mistyped command with its
// files, all words would be files.
func rootArgs(_ *cobra.Command, args []string) error {
	for _, path := range args {
		if len(args) > 2 && !exists(path) {
			return fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		}
	}
	return nil
}

// hintArgs makes the error of a wrong number of arguments say which are wanted.
func hintArgs(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err != nil {
			hint := fmt.Sprintf("usage: %s; %s --help says more", cmd.UseLine(), cmd.CommandPath())
			if len(args) > 0 {
				for _, near := range cmd.SuggestionsFor(args[0]) {
					hint = fmt.Sprintf("is %s %s meant?", cmd.CommandPath(), near)
				}
			}
			return hinted(err, hint)
		}
		return nil
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func tool() restore.Tool { return restore.Tool{Name: "revenant", Version: version()} }
