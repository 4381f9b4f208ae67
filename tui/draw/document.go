package draw

import (
	"regexp"
	"strings"

	"revenant/decoder/sanitize"
)

// named is a line of YAML or JSON that begins with the name of a field.
var named = regexp.MustCompile(`^([ ]*(?:- )*)([^\s"'#:{}\[\]-][^\s"':]*|"(?:[^"\\]|\\.)*"):( |$)`)

// Document breaks the text of a YAML or JSON document into lines, made safe to show, with
// the names of fields painted.
func (t *Theme) Document(text string, width int) []string {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(sanitize.Text(text), "\t", "    ")) {
		pieces := HangLine(strings.TrimRight(line, "\r\n"), width)
		pieces[0] = t.field(pieces[0])
		lines = append(lines, pieces...)
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
