package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// How much is shown of what evidence calls something, in bytes: what is longer loses
// its middle. Documents have it whole.
const (
	mostInCell = 1 << 10  // of a table
	mostInLine = 4 << 10  // no path is longer
	mostInText = 32 << 10 // of a paragraph
)

// cellWidth is how wide a column of a table is at most, but for the last one: names
// in Kubernetes have 253 characters.
const cellWidth = 256

// Printer writes text for people. The first error stops all output and is
// returned by Flush.
type Printer struct {
	w *bufio.Writer
	// Paint colours text by severity with escape sequences; nil leaves it plain.
	Paint func(restore.Severity, string) string
	// Width is how wide the paragraphs of runbooks are, in columns.
	Width int

	sheet *sheet // where it writes a page; nil for text
}

// NewPrinter returns a Printer on w.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: bufio.NewWriter(w), Width: textWidth} }

// Flush writes what is buffered.
func (p *Printer) Flush() error {
	if p.sheet != nil {
		p.sheet.flush()
		return p.sheet.page.End()
	}
	return p.w.Flush()
}

// Line writes one line. Strings among the arguments are made safe to show.
func (p *Printer) Line(format string, args ...any) {
	if p.sheet != nil {
		p.sheet.line(restore.OK, fmt.Sprintf(format, args...))
		return
	}
	p.line(func(s string) string { return sanitize.Short(s, mostInLine) }, format, args...)
}

// whole is Line for what is to be typed: nothing of it is left out.
func (p *Printer) whole(format string, args ...any) {
	if p.sheet != nil {
		p.sheet.command(strings.TrimSpace(fmt.Sprintf(format, args...)))
		return
	}
	p.line(sanitize.Line, format, args...)
}

// title writes a heading: what its severity paints, and the rest of it.
func (p *Printer) title(s restore.Severity, painted, rest string) {
	if p.sheet != nil {
		p.sheet.line(s, painted+rest)
		return
	}
	fmt.Fprintf(p.w, "%s%s\n", p.paint(s, sanitize.Short(painted, mostInLine)), sanitize.Short(rest, mostInLine))
}

// verdict writes the paragraph that is painted by its severity. A page has it at its
// head.
func (p *Printer) verdict(s restore.Severity, text string) {
	for _, line := range wrap(text, textWidth) {
		fmt.Fprintln(p.w, p.paint(s, line))
	}
}

func (p *Printer) line(safe func(string) string, format string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = safe(s)
		}
	}
	fmt.Fprintf(p.w, format+"\n", args...)
}

// Verbatim writes text that is safe to show as it is.
func (p *Printer) Verbatim(text []byte) { p.w.Write(text) }

// Field writes a name and its value, aligned below one another.
func (p *Printer) Field(name, value string) {
	if p.sheet != nil {
		p.sheet.field(name, value)
		return
	}
	fmt.Fprintf(p.w, "  %-18s %s\n", name, sanitize.Short(value, mostInLine))
}

// wrappedField is Field for a value that may need several lines.
func (p *Printer) wrappedField(name, value string) {
	if p.sheet != nil {
		p.sheet.field(name, value)
		return
	}
	indent := strings.Repeat(" ", 21)
	for i, line := range wrap(value, p.Width-len(indent)) {
		if i == 0 {
			p.Field(name, line)
			continue
		}
		fmt.Fprintf(p.w, "%s%s\n", indent, line)
	}
}

// Wrapped writes a paragraph, broken at width columns and indented.
func (p *Printer) Wrapped(indent string, width int, text string) {
	if p.sheet != nil {
		p.sheet.paragraph(indent, text)
		return
	}
	for _, line := range wrap(text, width-ansi.StringWidth(indent)) {
		fmt.Fprintf(p.w, "%s%s\n", indent, line)
	}
}

// wrap breaks a text, made safe to show, into lines.
func wrap(text string, width int) []string {
	lines := words.Wrap(sanitize.Short(text, mostInText), max(20, width))
	for i, line := range lines { // of words that nothing breaks
		lines[i] = sanitize.Short(line, mostInLine)
	}
	return lines
}

// Table writes rows below a header, each column as wide as its widest cell, the
// last one not padded. Cells are made safe to show. severities, when given, are
// those of the rows: the first cell is painted by it.
func (p *Printer) Table(header []string, rows [][]string, severities []restore.Severity) {
	if p.sheet != nil {
		p.sheet.table(header, rows, severities)
		return
	}
	widths := make([]int, len(header))
	measure := func(row []string) {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	for _, row := range rows {
		for i := range row {
			row[i] = sanitize.Short(row[i], mostInCell)
			if i < len(row)-1 && len(row[i]) > cellWidth {
				row[i] = ansi.Truncate(row[i], cellWidth, "…")
			}
		}
		measure(row)
	}
	measure(header)
	write := func(r int, row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+2)
			if i == 0 && r >= 0 && r < len(severities) {
				cell = p.paint(severities[r], cell)
			}
			p.w.WriteString(cell)
			if i < len(row)-1 {
				p.w.WriteString(pad)
			}
		}
		p.w.WriteByte('\n')
	}
	write(-1, header)
	for r, row := range rows {
		write(r, row)
	}
}

func (p *Printer) paint(s restore.Severity, text string) string {
	if p.Paint == nil {
		return text
	}
	return p.Paint(s, text)
}
