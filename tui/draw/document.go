package draw

import (
	"regexp"
	"strings"

	"revenant/decoder/sanitize"
	"revenant/internal/words"
)

// named is a line of YAML or JSON that begins with the name of a field.
var named = regexp.MustCompile(`^([ ]*(?:- )*)([^\s"'#:{}\[\]-][^\s"':]*|"(?:[^"\\]|\\.)*"):( |$)`)

// longLine is how many bytes of a line of a document are drawn: more than anybody scrolls
// through, and what drawing it takes grows with it.
const longLine = 16 << 10

// Document breaks the text of a YAML or JSON document into lines, made safe to show, with
// the names of fields painted. A line of more than 16 KiB is cut, and says so.
func (t *Theme) Document(text string, width int) []string {
	var lines []string
	for line := range strings.Lines(text) {
		cut := 0
		if len(line) > longLine {
			shown := strings.ToValidUTF8(line[:longLine], "")
			line, cut = shown, len(line)-len(shown)
		}
		for part := range strings.Lines(strings.ReplaceAll(sanitize.Text(line), "\t", "    ")) {
			pieces := HangLine(strings.TrimRight(part, "\r\n"), width)
			pieces[0] = t.field(pieces[0])
			lines = append(lines, pieces...)
		}
		if cut > 0 {
			lines = append(lines, PaintAll(t.Dim, Wrap(words.Count(cut, "byte")+" more of this line are not shown.", width))...)
		}
	}
	return lines
}

// field paints the name of the field with which a line of YAML or JSON begins.
func (t *Theme) field(line string) string {
	m := named.FindStringSubmatchIndex(line)
	if m == nil || t.Name == "" {
		return line
	}
	return line[:m[4]] + t.Name.Paint(line[m[4]:m[5]]) + line[m[5]:]
}
