package sanitize

import "strings"

// maxWord is how many bytes a word may have: a terminal takes no longer line (N_TTY's
// buffer in Linux drivers/tty/n_tty.c), and no name or path is longer.
const maxWord = 4096

// ShellWord writes s as one word of a POSIX shell, quoted only where that is needed.
// ok is false for what cannot be shown and copied as it is: control characters, bytes
// that are not UTF-8, characters that hide or reorder text, more marks on a letter
// than are drawn, and more than a terminal takes.
func ShellWord(s string) (quoted string, ok bool) {
	if len(s) > maxWord {
		return "", false
	}
	if s != "" && s[0] != '=' && strings.IndexFunc(s, special) < 0 {
		return s, true
	}
	quoted = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" // what s begins with may join the quote
	if Line(s) != s || Line(quoted) != quoted {
		return "", false
	}
	return quoted, true
}

// special says whether a shell may take r for more than itself.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_@%+=:,./-", r)
}
