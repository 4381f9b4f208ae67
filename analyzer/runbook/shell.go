package runbook

import (
	"strings"

	"revenant/decoder/sanitize"
)

// word writes s as one word of a POSIX shell, quoted only where that is needed. ok
// is false for what cannot be shown and copied as it is: control characters, bytes
// that are not UTF-8, and characters that hide or reorder text.
func word(s string) (quoted string, ok bool) {
	if sanitize.Line(s) != s {
		return "", false
	}
	if s != "" && s[0] != '=' && strings.IndexFunc(s, special) < 0 {
		return s, true
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", true
}

// special says whether a shell may take r for more than itself.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_@%+=:,./-", r)
}

// wordOr is word, or the placeholder for what cannot be written.
func wordOr(s, placeholder string) string {
	if w, ok := word(s); ok && s != "" {
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
		w, ok := word(name)
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
