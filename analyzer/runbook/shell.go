package runbook

import (
	"strings"

	"revenant/decoder/sanitize"
)

// wordOr is s as a word of a shell, or the placeholder for what cannot be written.
func wordOr(s, placeholder string) string {
	if w, ok := sanitize.ShellWord(s); ok && s != "" {
		return w
	}
	return placeholder
}

// file is the path of a file as an argument: never taken for a flag.
func file(path, placeholder string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	return wordOr(path, placeholder)
}

// operands writes names as the last arguments of a command, and counts those that
// cannot be written.
func operands(names []string) (args string, left int) {
	var b strings.Builder
	for _, name := range names {
		w, ok := sanitize.ShellWord(name)
		if !ok || name == "" {
			left++
			continue
		}
		if strings.HasPrefix(name, "-") && !strings.HasPrefix(b.String(), " --") {
			rest := b.String()
			b.Reset()
			b.WriteString(" --" + rest)
		}
		b.WriteString(" " + w)
	}
	return b.String(), left
}

// lines joins the parts of a long command, one a line.
func lines(parts ...string) string { return strings.Join(parts, " \\\n    ") }
