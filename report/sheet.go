package report

import (
	"fmt"
	"io"
	"strings"

	"revenant/analyzer/restore"
	"revenant/report/page"
)

// Paged is a document that can be written as a page.
type Paged interface {
	Page(*Printer)
}

// NewPage returns a Printer that writes a page on w: what writes text writes the same
// there, as headings, lists, tables and commands.
func NewPage(w io.Writer) *Printer {
	return &Printer{Width: textWidth, sheet: &sheet{page: page.New(w)}}
}

// NewMarkdown is NewPage for Markdown.
func NewMarkdown(w io.Writer) *Printer {
	return &Printer{Width: textWidth, sheet: &sheet{page: page.NewMarkdown(w)}}
}

// sheet makes elements of a page of what is written as text.
type sheet struct {
	page page.Writer

	// What is written once it is known what follows.
	pending  string // a line, which is a heading where indented text follows it
	severity restore.Severity
	fields   []page.Item
	list     []string
	commands []string
}

var marks = map[restore.Severity]page.Mark{restore.Critical: page.Bad, restore.Warning: page.Warn}

func (s *sheet) line(severity restore.Severity, text string) {
	indented, example := strings.HasPrefix(text, "  "), strings.HasPrefix(text, "    ")
	if indented && s.pending != "" {
		s.heading()
	}
	s.flush()
	text = strings.TrimSpace(text)
	switch {
	case example && !strings.HasPrefix(text, "- ") && !strings.HasPrefix(text, "and "):
		s.page.Example(text)
		return
	case indented:
		s.page.El("p", "", strings.TrimPrefix(text, "- "))
		return
	}
	s.pending, s.severity = text, severity
}

// heading writes the line before as one.
func (s *sheet) heading() {
	text, class := s.pending, [...]string{"", "", "warn", "bad"}[marks[s.severity]]
	s.pending = ""
	s.flush()
	switch class {
	case "bad":
		s.page.El("h3", "bad", text)
	case "warn":
		s.page.El("h3", "warn", text)
	default:
		s.page.El("h3", "", text)
	}
}

func (s *sheet) paragraph(indent, text string) {
	if indent != "" && s.pending != "" {
		s.heading()
	}
	if item, ok := strings.CutPrefix(text, "- "); ok {
		if s.pending != "" || len(s.fields)+len(s.commands) > 0 {
			s.flush()
		}
		s.list = append(s.list, item)
		return
	}
	s.flush()
	s.page.El("p", "", text)
}

func (s *sheet) field(name, value string) {
	if len(s.fields) == 0 {
		s.flush()
	}
	s.fields = append(s.fields, page.Item{Name: name, Text: value})
}

func (s *sheet) command(line string) {
	if len(s.commands) == 0 {
		s.flush()
	}
	s.commands = append(s.commands, line)
}

func (s *sheet) table(header []string, rows [][]string, severities []restore.Severity) {
	caption := s.pending
	s.pending = ""
	s.flush()
	list := make([]page.Row, len(rows))
	for i, row := range rows {
		list[i].Cells = row
		if i < len(severities) {
			list[i].Mark = marks[severities[i]]
		}
	}
	columns := make([]page.Column, len(header))
	for i, title := range header {
		columns[i] = page.Column{Title: strings.ToLower(title), Number: numbers(rows, i)}
	}
	s.page.Table("", caption, columns, list)
}

// numbers says whether a column has nothing but counts.
func numbers(rows [][]string, column int) bool {
	seen := false
	for _, row := range rows {
		cell := row[column]
		if cell != "-" && strings.Trim(cell, "0123456789, ?") != "" {
			return false
		}
		seen = seen || cell != "-"
	}
	return seen
}

func (s *sheet) flush() {
	if s.pending != "" {
		text := s.pending
		s.pending = ""
		s.page.El("p", "", text)
	}
	if len(s.fields) > 0 {
		s.page.List(s.fields)
		s.fields = nil
	}
	if len(s.list) > 0 {
		s.page.Bullets(s.list)
		s.list = nil
	}
	if len(s.commands) > 0 {
		s.page.Command(strings.Join(s.commands, "\n"))
		s.commands = nil
	}
}

// sections are those of a page that have anything to write.
func (p *Printer) sections(list ...page.Section) (there []page.Section) {
	for _, s := range list {
		if write := s.Write; write != nil {
			s.Write = func() { write(); p.sheet.flush() }
			there = append(there, s)
		}
	}
	return there
}

// when is write, or nothing.
func when(there bool, write func()) func() {
	if there {
		return write
	}
	return nil
}

// about are the evidence's names for the head of a page.
func about(list []restore.Evidence) (names []string) {
	for i := range list {
		e := &list[i]
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%s: %s", e.Role, e.Path), ": "))
	}
	return names
}

// custody lists every file that was read, to the last byte, and with what.
func (p *Printer) custody(list []restore.Evidence) {
	var rows []page.Row
	for i := range list {
		c := &list[i].Custody
		for _, f := range c.Files {
			modified := ""
			if !f.Modified.IsZero() {
				modified = f.Modified.String()
			}
			rows = append(rows, page.Row{Cells: []string{list[i].Role, f.Path, fmt.Sprint(f.SizeBytes), modified, known(f.SHA256)}})
		}
		if c.SHA256 != "" && len(c.Files) > 0 && c.SHA256 != c.Files[0].SHA256 {
			rows = append(rows, page.Row{Cells: []string{list[i].Role, "the db inside", fmt.Sprint(c.SizeBytes), "", c.SHA256}})
		}
	}
	p.sheet.page.Table("", "Files that were read", []page.Column{{Title: "role"}, {Title: "file"}, {Title: "bytes", Number: true}, {Title: "modified"}, {Title: "sha256"}}, rows)
	if len(list) == 0 {
		return
	}
	for i := range list {
		e := &list[i]
		for _, c := range e.Integrity {
			p.Field(strings.TrimSpace(e.Role+" "+c.Name), checkText(c))
		}
		p.Field(strings.TrimSpace(e.Role+" afterwards"), e.Custody.Verified)
	}
	c := &list[0].Custody
	p.Field("tool", c.Tool)
	p.Field("arguments", strings.Join(c.Arguments, " "))
	if c.Case != "" || c.Examiner != "" {
		caseText(p, c)
	}
	p.sheet.flush()
}
