package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/internal/outfile"
)

// newMan makes `revenant man`, for those who package revenant.
// manOptions are those of `revenant man`, which has no flags.
type manOptions struct{ cmd *cobra.Command }

func newMan(f runFunc) *cobra.Command {
	o := &manOptions{}
	o.cmd = &cobra.Command{
		Use:               "man DIR",
		Short:             "Write the manual pages into a directory",
		Long:              "Write a manual page for every command into DIR, which is made if it is not\nthere. They are dated with SOURCE_DATE_EPOCH, or else with the day of the commit.",
		Hidden:            true,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeDirs,
		RunE:              f.of(o),
	}
	return o.cmd
}

func (o *manOptions) run(ctx context.Context, args []string) error {
	guard := &outfile.Guard{}
	if outfile.HoldsEtcd(args[0]) {
		guard.Evidence(args[0]) // of somebody's
	}
	if err := guard.MkdirAll(args[0], 0o777); err != nil {
		return err
	}
	return writePages(ctx, guard, args[0], o.cmd.Root())
}

// writePages writes the page of a command and of all below it.
func writePages(ctx context.Context, guard *outfile.Guard, dir string, cmd *cobra.Command) error {
	place, err := guard.Place(dir+string(filepath.Separator)+pageName(cmd)+".1", outfile.Name)
	if err != nil {
		return err
	}
	err = place.Write(ctx, 0o666, func(w io.Writer) error {
		_, err := io.WriteString(w, page(cmd))
		return err
	})
	if err != nil {
		return err
	}
	for _, below := range subcommands(cmd) {
		if err := writePages(ctx, guard, dir, below); err != nil {
			return err
		}
	}
	return nil
}

// subcommands are those that have a page.
func subcommands(cmd *cobra.Command) (list []*cobra.Command) {
	for _, below := range cmd.Commands() {
		if below.IsAvailableCommand() {
			list = append(list, below)
		}
	}
	return list
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page is a command's manual page, in the macros of man(7).
func page(cmd *cobra.Command) string {
	var r roff
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	fmt.Fprintf(&r, ".TH %s 1 %q %q revenant\n", strings.ToUpper(pageName(cmd)), pageDate(), "revenant "+version()) // a date is not escaped
	r.macro("SH", "NAME")
	r.line(pageName(cmd) + " - " + cmd.Short)
	r.macro("SH", "SYNOPSIS")
	r.line(cmd.UseLine())
	r.macro("SH", "DESCRIPTION")
	r.text(cmd.Long)
	if below := subcommands(cmd); len(below) > 0 {
		r.macro("SH", "COMMANDS")
		for _, c := range below {
			r.item(pageName(c)+"(1)", c.Short)
		}
	}
	r.macro("SH", "OPTIONS")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			r.item(flagHeading(f))
		}
	})
	if cmd.Example != "" {
		r.macro("SH", "EXAMPLES")
		r.verbatim(cmd.Example)
	}
	if cmd.HasParent() {
		r.macro("SH", "SEE ALSO")
		r.line(pageName(cmd.Parent()) + "(1)")
	}
	return r.String()
}

// pageDate is the day a page is of, the same for every build of one source:
// https://reproducible-builds.org/specs/source-date-epoch, or that of the commit.
func pageDate() string {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if day, _, ok := strings.Cut(s.Value, "T"); ok && s.Key == "vcs.time" {
				return day
			}
		}
	}
	return ""
}

// flagHeading is how a flag is given, and what it is for with its default.
func flagHeading(f *pflag.Flag) (heading, usage string) {
	heading = "--" + f.Name
	if f.Shorthand != "" {
		heading = "-" + f.Shorthand + ", " + heading
	}
	value, usage := pflag.UnquoteUsage(f)
	if value != "" {
		heading += " " + value
	}
	switch f.DefValue {
	case "", "0", "false", "[]":
	default:
		usage += fmt.Sprintf(" (default %s)", strings.Trim(f.DefValue, "[]"))
	}
	return heading, usage
}

// roff is a page in the making.
type roff struct{ strings.Builder }

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`)

// line is a line of text, which the reader's terminal wraps.
func (r *roff) line(text string) {
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	r.WriteString(roffEscapes.Replace(text) + "\n")
}

func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		r.WriteString(` "` + strings.ReplaceAll(roffEscapes.Replace(arg), `"`, `\(dq`) + `"`)
	}
	r.WriteString("\n")
}

func (r *roff) item(heading, text string) {
	r.macro("TP")
	r.macro("B", heading)
	r.line(text)
}

// text is what --help prints: paragraphs, of which one with an indented line is
// left as it is.
func (r *roff) text(long string) {
	long = strings.ReplaceAll(long, "\t", "    ")
	for i, paragraph := range strings.Split(strings.Trim(long, "\n"), "\n\n") {
		if codes, ok := strings.CutPrefix(paragraph, "Exit codes: "); ok {
			r.macro("SH", "EXIT STATUS")
			paragraph = codes
		} else if i > 0 {
			r.macro("PP")
		}
		if strings.HasPrefix(paragraph, " ") || strings.Contains(paragraph, "\n ") {
			r.verbatim(paragraph)
			continue
		}
		for line := range strings.Lines(paragraph) {
			r.line(strings.TrimSuffix(line, "\n"))
		}
	}
}

func (r *roff) verbatim(text string) {
	r.macro("nf")
	for line := range strings.Lines(text) {
		r.line(strings.TrimSuffix(line, "\n"))
	}
	r.macro("fi")
}
