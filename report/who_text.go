package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	join "revenant/analyzer/audit"
	"revenant/internal/words"
)

// Text writes the document for people.
func (w *Who) Text(p *Printer) {
	p.Wrapped("", textWidth, strings.Join(w.Verdict, " "))
	if w.State.Written != "" {
		w.managersText(p)
		w.ownersText(p)
	}
	for i := range w.Histories {
		h := &w.Histories[i]
		if i > 0 && len(h.Writes) == 0 {
			continue
		}
		p.Line("")
		if i == 0 {
			p.Line("Writes:")
		} else {
			p.Line("%s:", w.branchTitle(h.Branch))
		}
		w.writesText(p, h)
	}
	w.holeText(p)
	w.logText(p)
}

func (w *Who) managersText(p *Printer) {
	p.Line("")
	if len(w.Managers) == 0 {
		p.Line("Managers at revision %s: managedFields is empty.", w.State.Written)
	} else {
		p.Line("Managers at revision %s:", w.State.Written)
		var rows [][]string
		for i := range w.Managers {
			m := &w.Managers[i]
			fields := words.Count(m.Fields, "field") + ": " + words.First(m.Top, 4)
			if m.Problem != "" {
				fields = m.Problem
			}
			when := "-"
			if !m.Time.IsZero() {
				when = words.Time(m.Time)
			}
			rows = append(rows, []string{words.OrDash(m.Manager), words.OrDash(m.Operation), words.OrDash(m.Subresource), when, fields})
		}
		p.Table([]string{"MANAGER", "OPERATION", "SUBRESOURCE", "TIME", "FIELDS"}, rows, nil)
	}
	const most = 5
	for i := range w.Shared[:min(len(w.Shared), most)] {
		s := &w.Shared[i]
		p.Wrapped("", textWidth, fmt.Sprintf("%s share %s: %s.", words.List(s.Managers), words.Count(s.Fields, "field"), words.First(s.Top, 4)))
	}
	if more := len(w.Shared) - most; more > 0 {
		p.Line("%s more share fields.", words.Count(more, "pair"))
	}
	if w.Problem != "" {
		p.Wrapped("", textWidth, words.Sentence(w.Problem))
	}
}

// presenceWords say of an owner whether it is there.
var presenceWords = map[string]string{
	"present": "exists", "absent": "does not exist", "replaced": "another object has its name now", "unreadable": "cannot be read", "unknown": "nothing tells where its kind is kept",
}

func (w *Who) ownersText(p *Printer) {
	p.Line("")
	switch {
	case w.OwnersProblem != "":
		p.Wrapped("", textWidth, "Owners: unknown, because "+w.OwnersProblem+".")
		return
	case len(w.Owners) == 0:
		p.Line("Owners: none.")
		return
	}
	p.Line("Owners, the topmost first:")
	var rows [][]string
	for i := range w.Owners {
		o := &w.Owners[i]
		role := "owner"
		if o.Controller {
			role = "controller"
		}
		rows = append(rows, []string{o.text, role, strconv.Itoa(o.Level), presenceWords[o.Presence]})
	}
	p.Table([]string{"OWNER", "ROLE", "LEVEL", "STATE"}, rows, nil)
}

func (w *Who) writesText(p *Printer, h *WhoHistory) {
	names := w.fileNames()
	header := []string{"REVISION", "WRITTEN", "WHAT", "BY"}
	if w.AuditLog != nil {
		header = []string{"REVISION", "WRITTEN", "WHAT", "USER", "SURE", "BY"}
	}
	var rows [][]string
	note := func(text string) {
		row := make([]string, len(header))
		row[len(row)-1] = text
		rows = append(rows, row)
	}
	for i := range h.Writes {
		r := &h.Writes[i]
		if r.Gone != nil {
			note(goneText(r.Gone, names))
		}
		if r.Unseen > 0 {
			note(words.CountOf(r.Unseen, "write is in no file", "writes are in no file"))
		}
		by := words.OrDash(r.by())
		if r.Problem != "" {
			by = r.Problem
		}
		row := []string{r.Revision, span(r.Time), string(r.Verb)}
		if m := r.Audit; m != nil {
			user := "-"
			if len(m.Requests) > 0 {
				user = m.Requests[0].who()
				if more := len(m.Requests) + m.More - 1; more > 0 {
					user += " and " + words.Number(more) + " more"
				}
			}
			row = append(row, user, string(m.Certainty))
		}
		rows = append(rows, append(row, by))
	}
	if h.Gone != nil {
		note(goneText(h.Gone, names))
	}
	p.Table(header, rows, nil)
	for i := range h.Writes {
		h.Writes[i].requestsText(p)
	}
}

// requestsText writes the requests that may have written a revision.
func (r *WhoWrite) requestsText(p *Printer) {
	if r.Audit == nil || r.Audit.Certainty == join.None {
		return
	}
	p.Line("")
	p.Wrapped("", textWidth, fmt.Sprintf("Revision %s, %s: %s.", r.Revision, r.Audit.Certainty, r.Audit.Reason))
	for i := range r.Audit.Requests {
		p.Wrapped("  ", textWidth, r.Audit.Requests[i].String())
	}
	if r.Audit.More > 0 {
		p.Line("  and %s more", words.Number(r.Audit.More))
	}
}

// String tells all of a request.
func (r *WhoRequest) String() string {
	what := r.Verb
	if r.Subresource != "" {
		what += " of " + r.Subresource
	}
	text := fmt.Sprintf("%s by %s (groups %s)", what, words.OrDash(r.User.Name), words.OrDash(words.First(r.User.Groups, 8)))
	if r.ImpersonatedUser != nil {
		text += fmt.Sprintf(" as %s (groups %s)", r.ImpersonatedUser.Name, words.OrDash(words.First(r.ImpersonatedUser.Groups, 8)))
	}
	return text + fmt.Sprintf(" from %s with %s, %s, code %d, audit ID %s, %s",
		words.OrDash(words.First(r.SourceIPs, 4)), words.OrDash(r.UserAgent),
		r.Received.Format(time.RFC3339Nano), r.Code, words.OrDash(r.AuditID), r.At)
}

// logText says what the logs cover.
func (w *Who) logText(p *Printer) {
	l := w.AuditLog
	if l == nil {
		return
	}
	p.Line("")
	text := "The audit logs hold no event."
	if !l.From.IsZero() {
		text = fmt.Sprintf("The audit logs cover %s to %s (%s). A request that is not in them may have been made: a policy leaves requests out, and each API server has a log of its own.",
			words.Time(l.From), words.Time(l.To), words.Count(l.Lines, "line"))
	}
	p.Wrapped("", textWidth, text)
	if n := l.Malformed + l.TooLong; n > 0 {
		p.Wrapped("", textWidth, words.CountOf(n, "line was", "lines were")+" skipped.")
	}
	for _, fault := range l.Faults {
		p.Wrapped("  ", textWidth, fault)
	}
}
