package handbook

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"revenant/internal/words"
)

// Style paints parts of the text. What is nil is left as it is.
type Style struct{ Heading, Strong, Code, Dim func(string) string }

// The widths that a text is broken to. What is wider is hard to read.
const (
	Narrowest = 20
	Widest    = 100
)

type blockKind int

const (
	paragraphBlock blockKind = iota
	headingBlock
	itemBlock
	codeBlock
	tableBlock
	noteBlock
)

// block is a part of a text that stands on lines of its own.
type block struct {
	kind  blockKind
	level int    // of a heading
	lead  string // of an item: its sign or number; of a note: its name
	text  string
	lines []string   // of code
	rows  [][]string // of a table, its head first
}

var (
	itemLine = regexp.MustCompile(`^(-|[0-9]+\.) +(.*)$`)
	noteLine = regexp.MustCompile(`^\[\^([a-z0-9-]+)\]: +(.*)$`)
)

// parse reads the Markdown that chapters are written in: headings, paragraphs, items,
// tables, code between fences, and footnotes. Pictures are left out.
func parse(text string) []block {
	var list []block
	open := false // a paragraph, an item or a note goes on
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " \r")
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(line, "!["): // a picture, which no terminal has
			open = false
		case strings.HasPrefix(line, "```"):
			b := block{kind: codeBlock}
			for i++; i < len(lines) && !strings.HasPrefix(lines[i], "```"); i++ {
				b.lines = append(b.lines, strings.TrimRight(lines[i], "\r"))
			}
			list, open = append(list, b), false
		case strings.HasPrefix(line, "#"):
			level := len(line) - len(strings.TrimLeft(line, "#"))
			list, open = append(list, block{kind: headingBlock, level: level, text: strings.TrimSpace(line[level:])}), false
		case strings.HasPrefix(line, "|"):
			if n := len(list); !open || n == 0 || list[n-1].kind != tableBlock {
				list = append(list, block{kind: tableBlock})
			}
			b := &list[len(list)-1]
			if row := cells(line); len(b.rows) != 1 || strings.Trim(strings.Join(row, ""), "-: ") != "" {
				b.rows = append(b.rows, row)
			}
			open = true
		case itemLine.MatchString(line):
			m := itemLine.FindStringSubmatch(line)
			list, open = append(list, block{kind: itemBlock, lead: m[1], text: m[2]}), true
		case noteLine.MatchString(line):
			m := noteLine.FindStringSubmatch(line)
			list, open = append(list, block{kind: noteBlock, lead: m[1], text: m[2]}), true
		case open && len(list) > 0 && list[len(list)-1].kind != tableBlock:
			b := &list[len(list)-1]
			b.text = joined(b.text, trimmed)
		default:
			list, open = append(list, block{kind: paragraphBlock, text: trimmed}), true
		}
	}
	return list
}

// joined puts the next line of a paragraph after what there is of it, with a blank between
// them where the script has blanks.
func joined(text, line string) string {
	if wide(lastRune(text)) && wide([]rune(line)[0]) {
		return text + line
	}
	return text + " " + line
}

func lastRune(s string) (last rune) {
	for _, r := range s {
		last = r
	}
	return last
}

// cells are those of a row of a table. A bar after a backslash, or in code, is none.
func cells(line string) []string {
	var list []string
	var cell strings.Builder
	code, escaped := false, false
	for _, r := range strings.TrimSpace(line)[1:] {
		switch {
		case escaped:
			escaped = false
			if r != '|' {
				cell.WriteRune('\\')
			}
			cell.WriteRune(r)
		case r == '\\':
			escaped = true
		case r == '|' && !code:
			list = append(list, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			if r == '`' {
				code = !code
			}
			cell.WriteRune(r)
		}
	}
	if rest := strings.TrimSpace(cell.String()); rest != "" {
		list = append(list, rest)
	}
	return list
}

// Lines is a chapter as lines of at most width columns, its title first, the sources of
// what it says last.
func (c *Chapter) Lines(width int, s Style) []string {
	width = max(width, Narrowest)
	r := &renderer{style: s, width: width, chapter: c, numbers: map[string]int{}}
	title := c.Title
	if c.Number != "" {
		title = c.Number + ". " + title
	}
	r.heading(title, "=")
	blocks := parse(c.Text)
	for i, b := range blocks {
		if b.kind != noteBlock {
			r.block(b, i > 0 && b.kind == itemBlock && blocks[i-1].kind == itemBlock)
		}
	}
	r.notes(blocks)
	return r.lines
}

// renderer writes the lines of a chapter.
type renderer struct {
	style   Style
	width   int
	chapter *Chapter
	lines   []string
	numbers map[string]int // of notes, in the order in which the text has them
}

func paint(with func(string) string, text string) string {
	if with == nil || text == "" {
		return text
	}
	return with(text)
}

func (r *renderer) heading(title, underline string) {
	if len(r.lines) > 0 {
		r.lines = append(r.lines, "")
	}
	longest := 0
	for _, line := range r.wrap(title, r.width) {
		r.lines = append(r.lines, paint(r.style.Heading, ansi.Strip(line)))
		longest = max(longest, ansi.StringWidth(line))
	}
	if underline != "" {
		r.lines = append(r.lines, paint(r.style.Dim, strings.Repeat(underline, longest)))
	}
}

func (r *renderer) block(b block, close bool) {
	if b.kind == headingBlock {
		underline := "-"
		if b.level > 2 {
			underline = ""
		}
		r.heading(b.text, underline)
		return
	}
	if !close {
		r.lines = append(r.lines, "")
	}
	switch b.kind {
	case itemBlock:
		r.hang(b.lead+" ", b.text)
	case codeBlock:
		for _, line := range b.lines {
			for _, piece := range words.Chop(line, r.width-2) {
				r.lines = append(r.lines, strings.TrimRight("  "+paint(r.style.Code, strings.TrimRight(piece, " ")), " "))
			}
		}
	case tableBlock:
		r.table(b.rows)
	default:
		r.lines = append(r.lines, r.wrap(b.text, r.width)...)
	}
}

// hang writes a paragraph that hangs on what stands before it.
func (r *renderer) hang(lead, text string) {
	indent := ansi.StringWidth(lead)
	for i, line := range r.wrap(text, r.width-indent) {
		if i > 0 {
			lead = strings.Repeat(" ", indent)
		}
		r.lines = append(r.lines, lead+line)
	}
}

// notes lists what the notes in the text say.
func (r *renderer) notes(blocks []block) {
	said := make([]string, len(r.numbers))
	for _, b := range blocks {
		if n := r.numbers[b.lead]; b.kind == noteBlock && n > 0 {
			said[n-1] = b.text
		}
	}
	if len(said) == 0 {
		return
	}
	title := "Sources"
	if r.chapter.Language == "zh" {
		title = "来源"
	}
	r.heading(title, "-")
	r.lines = append(r.lines, "")
	for i, text := range said {
		r.hang(fmt.Sprintf("[%d] ", i+1), text)
	}
}

const (
	between       = "  "
	narrowestCell = 8
)

// table writes the rows of a table side by side, or where there is no room for that, one
// below the other.
func (r *renderer) table(rows [][]string) {
	columns := len(rows[0])
	if columns == 0 {
		return
	}
	widths := make([]int, columns)
	for _, row := range rows {
		for i, cell := range row[:min(len(row), columns)] {
			widths[i] = max(widths[i], ansi.StringWidth(strings.Join(r.wrap(cell, 1<<16), "")))
		}
	}
	room := r.width - len(between)*(columns-1)
	if !fit(widths, room) {
		for i, row := range rows[min(1, len(rows)):] {
			if i > 0 {
				r.lines = append(r.lines, "")
			}
			for j, cell := range row[:min(len(row), columns)] {
				if cell == "" {
					continue
				}
				if j == 0 {
					r.lines = append(r.lines, r.wrap("**"+strings.ReplaceAll(cell, "**", "")+"**", r.width)...)
					continue
				}
				r.hang("  ", strings.TrimLeft(rows[0][j]+": ", ": ")+cell)
			}
		}
		return
	}
	for i, row := range rows {
		wrapped := make([][]string, columns)
		height := 0
		for j := range columns {
			if j < len(row) {
				wrapped[j] = r.wrap(row[j], widths[j])
			}
			height = max(height, len(wrapped[j]))
		}
		for k := range height {
			var b strings.Builder
			for j := range columns {
				cell := ""
				if k < len(wrapped[j]) {
					cell = wrapped[j][k]
				}
				if i == 0 {
					cell = paint(r.style.Strong, ansi.Strip(cell))
				}
				b.WriteString(cell)
				if j < columns-1 {
					b.WriteString(strings.Repeat(" ", widths[j]-ansi.StringWidth(cell)) + between)
				}
			}
			r.lines = append(r.lines, strings.TrimRight(b.String(), " "))
		}
		if i == 0 {
			total := len(between) * (columns - 1)
			for _, w := range widths {
				total += w
			}
			r.lines = append(r.lines, paint(r.style.Dim, strings.Repeat("-", min(total, r.width))))
		}
	}
}

// fit makes the widest columns narrower until all have room, and says whether that can be.
func fit(widths []int, room int) bool {
	total := 0
	for _, w := range widths {
		total += w
	}
	for ; total > room; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowestCell {
			return false
		}
		widths[widest]--
	}
	return true
}

var inline = regexp.MustCompile("`([^`]+)`|\\*\\*([^*]+)\\*\\*|\\*([^* ][^*]*)\\*|\\[\\^([a-z0-9-]+)\\]|\\[([^\\]]+)\\]\\(([^)\\s]+)\\)|<(https://[^>]+)>")

// What may not begin, and what may not end, a line of a script without blanks.
const (
	neverFirst = "，。、；：？！）」》”’…"
	neverLast  = "（「《“‘"
)
