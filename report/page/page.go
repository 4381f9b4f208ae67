// Package page writes one HTML file that can be read by itself: tables, lists, commands
// and pictures, with its style and its script in it; or the same as Markdown, without.
//
// It takes strings of any origin, evidence included, and constants that are markup. It
// returns a file that loads nothing: no other file, no address. Markup is of a type
// that only a constant of this program's source can be; every other string passes
// through sanitize and is escaped, and stands as text or in a quoted attribute that no
// browser takes for an address, a style or a script. A page without its script or its
// style is still all there, in order.
package page

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io"
	"slices"
	"strconv"
	"strings"

	"revenant/decoder/sanitize"
)

// markup is what is written as it is. No other package can make one of a string that is
// not a constant.
type markup string

//go:embed page.css
var style markup

//go:embed page.js
var script markup

// Policy is what the page lets a browser do: apply its own style and run its own script.
var Policy = "default-src 'none'; style-src 'sha256-" + sum(style) + "'; script-src 'sha256-" + sum(script) + "'; base-uri 'none'; form-action 'none'"

func sum(m markup) string {
	s := sha256.Sum256([]byte(m))
	return base64.StdEncoding.EncodeToString(s[:])
}

// How much is shown of a string, in bytes.
const (
	mostInCell = 1 << 10
	mostInText = 32 << 10
)

// Page is a page that is being written. The first error stops all output and is returned
// by End.
type Page struct {
	w      *bufio.Writer
	tables int // that were begun, by which those without a name differ
}

// Section is a part of a page with a heading.
type Section struct {
	ID    markup // unique in its page
	Title string
	Write func()
}

// Head is what stands above all sections.
type Head struct {
	Kind     string   // what the page is, such as Prediction
	About    []string // what it is about: the evidence
	Mark     Mark
	Verdict  string
	Verdicts []string // more of it, a paragraph each
}

// Mark is how severe something is.
type Mark int

// The marks, the worst last.
const (
	None Mark = iota
	Good
	Warn
	Bad
)

var marks = [...]markup{"", "good", "warn", "bad"}

// New returns a page on w.
func New(w io.Writer) *Page { return &Page{w: bufio.NewWriterSize(w, 64<<10)} }

// Write writes the page: its head, a list of its sections where there are several, and
// each of them.
func (p *Page) Write(h Head, tool string, sections []Section) {
	title := "revenant: " + h.Kind
	if len(h.About) > 0 {
		title += " of " + h.About[0]
	}
	p.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"")
	p.escaped(Policy)
	p.raw("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
	p.Text(title)
	p.raw("</title>\n<style>")
	p.raw(style)
	p.raw("</style>\n</head>\n<body>\n<header>\n<p class=\"kind\">revenant</p>\n")
	p.El("h1", "", h.Kind)
	p.items("about", "", h.About)
	if h.Verdict != "" {
		p.raw("<div class=\"verdict ")
		p.raw(marks[h.Mark])
		p.raw("\">\n")
		p.El("p", "", h.Verdict)
		for _, text := range h.Verdicts {
			p.El("p", "more", text)
		}
		p.raw("</div>\n")
	}
	p.raw("</header>\n")
	if len(sections) > 1 {
		p.raw("<nav aria-label=\"Sections\">\n<ul>\n")
		for _, s := range sections {
			p.raw("<li><a href=\"#")
			p.raw(s.ID)
			p.raw("\">")
			p.Text(s.Title)
			p.raw("</a>\n")
		}
		p.raw("</ul>\n</nav>\n")
	}
	p.raw("<main>\n")
	for _, s := range sections {
		p.raw("<section aria-labelledby=\"")
		p.raw(s.ID)
		p.raw("\">\n<h2 id=\"")
		p.raw(s.ID)
		p.raw("\">")
		p.Text(s.Title)
		p.raw("</h2>\n")
		s.Write()
		p.raw("</section>\n")
	}
	p.raw("</main>\n<footer>\n")
	p.El("p", "", tool)
	p.raw("</footer>\n<script>")
	p.raw(script)
	p.raw("</script>\n</body>\n</html>\n")
}

// End writes what is buffered.
func (p *Page) End() error { return p.w.Flush() }

func (p *Page) raw(m markup) { p.w.WriteString(string(m)) }

// Text writes a paragraph's worth of text.
func (p *Page) Text(s string) { p.escaped(sanitize.Short(s, mostInText)) }

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

func (p *Page) escaped(s string) {
	if strings.ContainsAny(s, `&<>"'`) {
		escapes.WriteString(p.w, s)
		return
	}
	p.w.WriteString(s)
}

// El writes an element with text in it.
func (p *Page) El(tag, class markup, text string) {
	p.begin(tag, class)
	p.Text(text)
	p.end(tag)
}

func (p *Page) begin(tag, class markup) {
	p.raw("<")
	p.raw(tag)
	if class != "" {
		p.raw(` class="`)
		p.raw(class)
		p.raw(`"`)
	}
	p.raw(">")
}

func (p *Page) end(tag markup) {
	p.raw("</")
	p.raw(tag)
	p.raw(">\n")
}

// Bullets writes a list.
func (p *Page) Bullets(items []string) { p.items("plain", "", items) }

// Checks writes a list of what has to be made sure of.
func (p *Page) Checks(items []string) { p.items("checks", "\u2610 ", items) }

func (p *Page) items(class markup, before string, items []string) {
	if len(items) == 0 {
		return
	}
	p.raw("<ul class=\"")
	p.raw(class)
	p.raw("\">\n")
	for _, text := range items {
		p.El("li", "", before+text)
	}
	p.raw("</ul>\n")
}

// Number is a name for one of several sections of a kind.
func Number(n int) markup { return markup("n" + strconv.Itoa(n)) }

// Command writes what is to be typed: nothing of it is left out.
func (p *Page) Command(lines string) {
	p.raw("<pre class=\"run\" tabindex=\"0\"><code>")
	for i, line := range strings.Split(lines, "\n") {
		if i > 0 {
			p.raw("\n")
		}
		p.escaped(sanitize.WholeLine(line))
	}
	p.raw("</code></pre>\n")
}

// Example writes a command that is not to be typed as it is.
func (p *Page) Example(line string) {
	p.raw("<pre tabindex=\"0\"><code>")
	p.Text(line)
	p.raw("</code></pre>\n")
}

// Lines writes lines that are more or less than those before them by their first
// character.
func (p *Page) Lines(text string) {
	p.raw("<pre class=\"lines\" tabindex=\"0\">")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		mark := markup("")
		switch {
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		case strings.HasPrefix(line, "-"):
			mark = "del"
		case strings.HasPrefix(line, "+"):
			mark = "ins"
		}
		if mark != "" {
			p.begin(mark, "")
		}
		p.Text(line)
		if mark != "" {
			p.raw("</")
			p.raw(mark)
			p.raw(">")
		}
		p.raw("\n")
	}
	p.raw("</pre>\n")
}

// Item is a name and what is said of it.
type Item struct{ Name, Text string }

// List writes names and what is said of them. An item without a name goes on with the
// one before.
func (p *Page) List(items []Item) {
	if len(items) == 0 {
		return
	}
	p.raw("<dl>\n")
	for i, item := range items {
		name := item.Name
		if i == 0 && name == "" {
			name = "-"
		}
		if name != "" {
			p.El("dt", "", name)
		}
		p.El("dd", "", item.Text)
	}
	p.raw("</dl>\n")
}

// Column is a column of a table.
type Column struct {
	Title  string
	Number bool // its cells are numbers
	Wide   bool // its cells are sentences: in a long table they take a line of their own
}

// Row is a row of a table.
type Row struct {
	Mark  Mark
	Cells []string
}

// longFrom is from how many rows on a table is laid out in parts, and has a place of its
// own to scroll in.
const longFrom = 60

// partRows is how many rows a part has.
const partRows = 50

// Table writes rows below a header. The class says how the columns of a long one share
// its width.
func (p *Page) Table(class markup, caption string, columns []Column, rows []Row) {
	long := len(rows) >= longFrom && class != ""
	p.tables++
	p.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
	p.escaped(sanitize.Short(cmp.Or(caption, "Table "+strconv.Itoa(p.tables)), mostInCell))
	p.raw("\">\n<table class=\"")
	p.raw(class)
	if slices.ContainsFunc(columns, func(c Column) bool { return c.Wide }) {
		p.raw(" told")
	}
	if long {
		p.raw(" long")
	}
	p.raw("\">\n")
	if caption != "" {
		p.El("caption", "", caption)
	}
	p.raw("<thead><tr>")
	for _, c := range columns {
		p.raw("<th scope=\"col\"")
		p.raw(c.class())
		p.raw(">")
		p.Text(c.Title)
		p.raw("</th>")
	}
	p.raw("</tr></thead>\n")
	for part := range slices.Chunk(rows, partRows) {
		p.raw("<tbody>\n")
		for i := range part {
			p.row(columns, &part[i])
		}
		p.raw("</tbody>\n")
	}
	p.raw("</table>\n</div>\n")
}

func (c *Column) class() markup {
	switch {
	case c.Number:
		return ` class="n"`
	case c.Wide:
		return ` class="w"`
	}
	return ""
}

func (p *Page) row(columns []Column, r *Row) {
	p.raw("<tr")
	if r.Mark != None {
		p.raw(` class="`)
		p.raw(marks[r.Mark])
		p.raw(`"`)
	}
	p.raw(">")
	for i, cell := range r.Cells {
		p.raw("<td")
		p.raw(columns[i].class())
		p.raw(">")
		p.escaped(sanitize.Short(cell, mostInCell))
	}
	p.raw("\n")
}
