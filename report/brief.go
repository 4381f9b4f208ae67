package report

import (
	"fmt"
	"strings"

	"revenant/analyzer/runbook"
)

// brief writes the commands alone, as a shell takes them: all else is a comment.
func (r *Runbook) brief(w *Printer) {
	w.comment("", fmt.Sprintf("%s The steps' reasons and checks are left out.", r.Summary.Does))
	for _, text := range r.Warnings {
		w.comment("! ", text)
	}
	for i := range r.Steps {
		s := &r.Steps[i]
		w.Line("")
		if p := r.Summary.PointOfNoReturn; p != nil && p.Step == s.ID {
			w.comment("! ", "There is no way back from here on. "+p.Text)
		}
		title := fmt.Sprintf("%d. %s", i+1, s.Title)
		for j, g := range s.Groups() {
			heading := "on " + g.Heading() + ":"
			if j == 0 {
				heading = title + ", " + heading
			}
			w.comment("", heading)
			for _, c := range g.Commands {
				for line := range strings.SplitSeq(oneLine(&c), "\n") {
					w.whole("%s", line)
				}
			}
		}
		if len(s.Commands) == 0 {
			w.comment("", title+": the whole runbook says what to check.")
		}
	}
}

// oneLine is the command with its flags on one line where it calls one program.
func oneLine(c *runbook.Command) string {
	if len(c.Argv) == 0 {
		return c.Run
	}
	return strings.ReplaceAll(c.Run, " \\\n    ", " ")
}

// comment writes a paragraph as comments of a shell.
func (p *Printer) comment(mark, text string) {
	for i, line := range fill(text, p.Width-len(mark)-2) {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		p.Line("# %s%s", mark, line)
	}
}
