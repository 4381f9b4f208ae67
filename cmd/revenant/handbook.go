package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"revenant/docs/handbook"
)

// handbookOptions are the flags of `revenant handbook`.
type handbookOptions struct {
	streams  streams
	language string
}

func newHandbook(s streams, f runFunc) *cobra.Command {
	o := &handbookOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "handbook [CHAPTER | WORD]",
		Short: "Read what a restore does, how to do it safely, and what the words mean",
		Long: `handbook lists the chapters of the handbook that the program carries, or shows
one as text for the terminal: by its number, by its name, or by how that begins.
What no chapter is called is looked up among the words of the glossary, and then
among the sections: "handbook phantom" says what a phantom is, "handbook pods" how
to read the screen of that name.

Each statement about etcd or Kubernetes has its source, listed at the end of the
text. No file is read, and no network is used.`,
		Example: `  revenant handbook                 # the chapters
  revenant handbook 1               # what a restore does to what is running
  revenant handbook safe-restore
  revenant handbook phantom         # what a word means
  revenant handbook 1 --lang zh     # in Chinese`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return handbook.Names(o.language), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: f.of(o),
	}
	cmd.Flags().StringVar(&o.language, "lang", handbook.Languages[0], "show chapters in this `LANGUAGE`: "+strings.Join(handbook.Languages, ", "))
	register(cmd, "lang", completeOne(handbook.Languages...))
	return cmd
}

func (o *handbookOptions) run(_ context.Context, args []string) error {
	chapters := handbook.Chapters(o.language)
	if len(chapters) == 0 {
		_, err := handbook.Find(o.language, "1")
		return err
	}
	if len(args) == 0 {
		return o.contents(chapters)
	}
	c, err := handbook.Find(o.language, args[0])
	if err != nil {
		return hinted(err, "revenant handbook lists the chapters, and handbook glossary the words")
	}
	width, style := handbook.Widest, handbook.Style{}
	if o.streams.outTTY && o.streams.outWidth != nil {
		width = min(width, o.streams.outWidth())
	}
	if o.streams.color {
		bold, dim := lipgloss.NewStyle().Bold(true), lipgloss.NewStyle().Faint(true)
		look := func(s lipgloss.Style) func(string) string { return func(text string) string { return s.Render(text) } }
		style = handbook.Style{Heading: look(bold), Strong: look(bold), Code: look(lipgloss.NewStyle().Foreground(lipgloss.Cyan)), Dim: look(dim)}
	}
	out := bufio.NewWriter(o.streams.out)
	for _, line := range c.Lines(width, style) {
		fmt.Fprintln(out, line)
	}
	return out.Flush()
}

// contents lists the chapters.
func (o *handbookOptions) contents(chapters []handbook.Chapter) error {
	widest := 0
	for _, c := range chapters {
		widest = max(widest, ansi.StringWidth(c.Slug))
	}
	out := bufio.NewWriter(o.streams.out)
	for _, c := range chapters {
		fmt.Fprintf(out, "%2s  %-*s  %s\n", c.Number, widest, c.Slug, c.Title)
	}
	return out.Flush()
}
