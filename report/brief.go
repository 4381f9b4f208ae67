package report

import (
	"fmt"
	"strings"
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
		w.Line("# %d. %s", i+1, s.Title)
		if p := r.Summary.PointOfNoReturn; p != nil && p.Step == s.ID {
			w.comment("! ", "There is no way back from here on. "+p.Text)
		}
		for _, g := range s.Groups() {
			w.comment("", "on "+g.Heading()+":")
			for _, c := range g.Commands {
				for line := range strings.SplitSeq(c.Run, "\n") {
					w.whole("%s", line)
				}
			}
		}
	}
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
