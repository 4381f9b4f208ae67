package page

import (
	"bufio"
	"io"
	"strings"

	"revenant/decoder/sanitize"
)

// Writer writes a document: a Page, or Markdown.
type Writer interface {
	Write(h Head, tool string, sections []Section)
	End() error
	El(tag, class markup, text string)
	Bullets(items []string)
	Checks(items []string)
	Command(lines string)
	Example(line string)
	Lines(text string)
	List(items []Item)
	Table(class markup, caption string, columns []Column, rows []Row)
	Ruler(spans []Span, says string)
	Map(cells []Cell, says string)
	Bars(bars []Bar, top, from, to, says string)
}

// Markdown writes what a Page has as GitHub's Markdown, without its pictures. No string is
// taken for markup, nor for an address.
type Markdown struct {
	w *bufio.Writer
}

// NewMarkdown returns Markdown on w.
func NewMarkdown(w io.Writer) *Markdown { return &Markdown{w: bufio.NewWriterSize(w, 64<<10)} }

// End writes what is buffered.
func (m *Markdown) End() error { return m.w.Flush() }

var verdicts = [...]markup{"", "", "**Warning:** ", "**Critical:** "}

// Write writes a heading, the verdict and each section.
func (m *Markdown) Write(h Head, tool string, sections []Section) {
	m.block("# ", h.Kind)
	m.Bullets(h.About)
	if h.Verdict != "" {
		m.block("> "+verdicts[h.Mark], h.Verdict)
	}
	for _, text := range h.Verdicts {
		m.block("", text)
	}
	for _, s := range sections {
		m.block("## ", s.Title)
		s.Write()
	}
	m.block("", "Written by "+tool+".")
}

// block writes a block of one line, and an empty one after it.
func (m *Markdown) block(mark markup, text string) { m.line(mark, text, "\n\n") }

func (m *Markdown) line(mark markup, text string, end markup) {
	text = literal(sanitize.Short(text, mostInText))
	if !strings.ContainsAny(string(mark), "#*") {
		text = opening(text)
	}
	m.raw(mark)
	m.w.WriteString(text)
	m.raw(end)
}

func (m *Markdown) raw(s markup) { m.w.WriteString(string(s)) }

// El writes a heading or a paragraph.
func (m *Markdown) El(tag, class markup, text string) {
	switch {
	case tag == "h3":
		m.block("### ", text)
	case class == "alert":
		m.block("> **Warning:** ", text)
	default:
		m.block("", text)
	}
}

// Bullets writes a list.
func (m *Markdown) Bullets(items []string) { m.items("- ", items) }

// Checks writes a list of tasks.
func (m *Markdown) Checks(items []string) { m.items("- [ ] ", items) }

func (m *Markdown) items(mark markup, items []string) {
	for _, text := range items {
		m.line(mark, text, "\n")
	}
	if len(items) > 0 {
		m.raw("\n")
	}
}

// Command writes what is to be typed: nothing of it is left out.
func (m *Markdown) Command(lines string) { m.code("sh", lines, sanitize.WholeLine) }

// Example writes a command that is not to be typed as it is.
func (m *Markdown) Example(line string) { m.code("", line, shortLine) }

// Lines writes lines that are more or less than those before them by their first character.
func (m *Markdown) Lines(text string) { m.code("diff", strings.TrimSuffix(text, "\n"), shortLine) }

func shortLine(s string) string { return sanitize.Short(s, mostInText) }

// code writes lines between fences that none of them can close.
func (m *Markdown) code(language markup, text string, safe func(string) string) {
	lines := strings.Split(text, "\n")
	fence := 3
	for i, line := range lines {
		lines[i] = safe(line)
		fence = max(fence, ticks(lines[i])+1)
	}
	fences := markup(strings.Repeat("`", fence))
	m.raw(fences + language + "\n")
	for _, line := range lines {
		m.w.WriteString(line)
		m.raw("\n")
	}
	m.raw(fences + "\n\n")
}

// ticks is how many backticks are in a row at most.
func ticks(line string) (most int) {
	run := 0
	for i := range len(line) {
		if run++; line[i] != '`' {
			run = 0
		}
		most = max(most, run)
	}
	return most
}

// List writes names and what is said of them.
func (m *Markdown) List(items []Item) {
	for i, item := range items {
		if item.Name != "" || i == 0 {
			m.line("- **", item.Name, ":** ")
		} else {
			m.raw("  - ")
		}
		m.line("", item.Text, "\n")
	}
	if len(items) > 0 {
		m.raw("\n")
	}
}

// Table writes rows below a header.
func (m *Markdown) Table(_ markup, caption string, columns []Column, rows []Row) {
	if caption != "" {
		m.block("", caption+":")
	}
	for _, c := range columns {
		m.cell(c.Title)
	}
	m.raw("|\n")
	for _, c := range columns {
		m.raw(map[bool]markup{false: "| --- ", true: "| ---: "}[c.Number])
	}
	m.raw("|\n")
	for i := range rows {
		for _, cell := range rows[i].Cells {
			m.cell(cell)
		}
		m.raw("|\n")
	}
	m.raw("\n")
}

func (m *Markdown) cell(text string) {
	m.raw("| ")
	m.w.WriteString(literal(sanitize.Short(text, mostInCell)))
	m.raw(" ")
}

// Ruler writes nothing: those who draw one say the same in words.
func (m *Markdown) Ruler([]Span, string) {}

// Map writes nothing: a table says the same.
func (m *Markdown) Map([]Cell, string) {}

// Bars writes what a plot shows.
func (m *Markdown) Bars(_ []Bar, _, _, _, says string) { m.block("", says) }

// literal escapes what Markdown would take for markup, or for an address.
func literal(text string) string {
	text = strings.TrimSpace(text)
	var b strings.Builder
	for i, r := range text {
		rest := text[i:]
		switch {
		case strings.ContainsRune("\\`*_[]<>&~|#!@$", r), // emphasis, links, tags, entities, formulas
			strings.HasPrefix(rest, "://"),
			r == '.' && strings.HasSuffix(strings.ToLower(text[:i]), "www"):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// opening escapes what at the beginning of a block would make it another: a list, a rule.
func opening(text string) string {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if digits < len(text) && (digits > 0 && strings.ContainsRune(".)", rune(text[digits])) || digits == 0 && strings.ContainsRune("-+=", rune(text[0]))) {
		return text[:digits] + "\\" + text[digits:]
	}
	return text
}
