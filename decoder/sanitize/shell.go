package sanitize

import "strings"

// ShellWord writes s as one word of a POSIX shell, quoted only where that is needed.
// ok is false for what cannot be shown and copied as it is: control characters, bytes
// that are not UTF-8, and characters that hide or reorder text.
func ShellWord(s string) (quoted string, ok bool) {
	if Line(s) != s {
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
