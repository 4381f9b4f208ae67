package report

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/runbook"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// Runbook writes a runbook for people. In JSON it is the runbook alone.
type Runbook struct {
	*runbook.Runbook
	// Brief leaves all out of the text but the commands.
	Brief bool `json:"-"`
}

// Text writes the runbook for a terminal. Commands stand on lines of their own,
// never wrapped, so that they can be copied.
func (r *Runbook) Text(w *Printer) {
	if r.Brief {
		r.brief(w)
		return
	}
	for i := range r.Evidence {
		e := &r.Evidence[i]
		w.Field(e.Role, fmt.Sprintf("%s, revision %s", e.Path, words.Number(e.Revision)))
	}
	metricsText(w, r.Metrics)
	w.Field("platform", r.Platform.Title)
	w.wrappedField("plan", planText(r.Plan))
	w.item(fmt.Sprintf("  %-19s", "bump"), r.bumpText())
	if r.Predicted != "" {
		w.item(fmt.Sprintf("  %-19s", "predicted"), r.Predicted)
	}
	w.Line("")
	r.summary(func(name, text string) { w.item(fmt.Sprintf("  %-19s", name), text) })
	for _, text := range r.Warnings {
		w.Line("")
		w.item("! ", text)
	}
	for i := range r.Steps {
		r.step(w, i+1, &r.Steps[i])
	}
	w.Line("")
	w.Line("What the platform's own restore does")
	for _, text := range r.notes() {
		w.item("- ", text)
	}
	w.Line("")
	w.Line("What is not known")
	for _, text := range r.Unknowns {
		w.item("- ", text)
	}
}

// summary sums the runbook up, item by item. An item without a name goes on
// with the one before.
func (r *Runbook) summary(item func(name, text string)) {
	item("what is done", r.Summary.Does)
	for _, list := range []struct {
		name  string
		items []string
	}{{"what it costs", r.Summary.Costs}, {"what can go wrong", r.Summary.Risks}} {
		for i, text := range list.items {
			if i > 0 {
				list.name = ""
			}
			item(list.name, text)
		}
	}
	if p := r.Summary.PointOfNoReturn; p != nil {
		item("no way back", fmt.Sprintf("from step %d on (%s). %s", p.Number, r.Steps[p.Number-1].Title, p.Text))
	}
}

func (r *Runbook) bumpText() string {
	b := &r.Bump
	if b.Revision == 0 || r.Platform.Bumps == runbook.BumpsItself {
		return b.Reason
	}
	text := fmt.Sprintf("%d: the store starts at revision %d.", b.Revision, b.Restored)
	if b.Minimum > 0 {
		text += fmt.Sprintf(" At least %d is needed", b.Minimum)
		if b.IsLowerBound {
			text += ", more if anything was written after what is known"
		}
		text += "."
	}
	return text + " " + b.Reason
}

// notes are the platform's, with what is inferred marked.
func (r *Runbook) notes() []string {
	list := make([]string, len(r.Platform.Notes))
	for i, n := range r.Platform.Notes {
		list[i] = n.Text
		if n.Inferred {
			list[i] += " (Inferred, not verified: try it out.)"
		}
	}
	return list
}

func (r *Runbook) step(w *Printer, number int, s *runbook.Step) {
	w.Line("")
	w.Line("%d. %s", number, s.Title)
	w.item("   ", s.Why)
	for _, g := range s.Groups() {
		w.Line("")
		w.item("   ", "on "+g.Heading()+":")
		for _, c := range g.Commands {
			if c.Comment != "" {
				for _, line := range fill(c.Comment, w.Width-7) {
					w.Line("     # %s", line)
				}
			}
			for line := range strings.SplitSeq(c.Run, "\n") {
				w.whole("     %s", line)
			}
		}
	}
	if len(s.Checks)+len(s.Warnings) > 0 {
		w.Line("")
	}
	for _, text := range s.Checks {
		w.item("   [ ] ", text)
	}
	for _, text := range s.Warnings {
		w.item("   !   ", text)
	}
}

// fill breaks a text at spaces only, so that a name or a flag can be copied.
func fill(text string, width int) []string {
	var list []string
	line := ""
	for word := range strings.FieldsSeq(sanitize.Short(text, mostInText)) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) > width {
			list = append(list, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(list, line)
}

// item writes a paragraph after a mark, its further lines below its first.
func (p *Printer) item(mark, text string) {
	for i, line := range fill(text, p.Width-len(mark)) {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		p.Line("%s%s", mark, line)
	}
}
