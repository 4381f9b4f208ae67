package runbook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/sanitize"
)

// split splits a command line as a POSIX shell does, as far as the commands here
// go. Operators are words where blanks stand around them.
func split(line string) ([]string, error) {
	var list []string
	var w strings.Builder
	open, quote := false, rune(0)
	runes := []rune(line)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case quote == '\'' && r == '\'', quote == '"' && r == '"':
			quote = 0
		case quote == '\'':
			w.WriteRune(r)
		case r == '\\' && i+1 == len(runes):
			return nil, fmt.Errorf("backslash at the end of %q", line)
		case r == '\\' && (quote == 0 || strings.ContainsRune("$`\"\\\n", runes[i+1])):
			i++
			if runes[i] != '\n' {
				w.WriteRune(runes[i])
				open = true
			}
		case quote == '"':
			w.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\n' || r == '\t':
			if open {
				list = append(list, w.String())
				w.Reset()
				open = false
			}
		default:
			w.WriteRune(r)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("unbalanced %c in %q", quote, line)
	}
	if open {
		list = append(list, w.String())
	}
	return list, nil
}

func TestWord(t *testing.T) {
	tests := []struct {
		name, in, want string
		refused        bool
	}{
		{name: "a plain name", in: "web-0.prod_1", want: "web-0.prod_1"},
		{name: "a path", in: "/var/lib/etcd", want: "/var/lib/etcd"},
		{name: "nothing", in: "", want: "''"},
		{name: "a blank", in: "my backup.db", want: "'my backup.db'"},
		{name: "a quote", in: "it's", want: `'it'\''s'`},
		{name: "a substitution", in: "$(reboot)", want: "'$(reboot)'"},
		{name: "backticks", in: "`reboot`", want: "'`reboot`'"},
		{name: "a home directory", in: "~root", want: "'~root'"},
		{name: "a leading equals sign", in: "=ls", want: "'=ls'"},
		{name: "letters beyond ASCII", in: "knoten-ä", want: "'knoten-ä'"},
		{name: "a line break", in: "a\nb", refused: true},
		{name: "an escape sequence", in: "a\x1b[2Jb", refused: true},
		{name: "not UTF-8", in: "a\xffb", refused: true},
		{name: "text that runs backwards", in: "a\u202eb", refused: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := sanitize.ShellWord(tt.in)
			if ok == tt.refused || got != tt.want {
				t.Errorf("sanitize.ShellWord(%q) = %q, %v; want %q", tt.in, got, ok, tt.want)
			}
		})
	}
}

func TestOperands(t *testing.T) {
	got, left := operands([]string{"a", "-rf", "b c", "x\ny", ""})
	if diff := cmp.Diff([]string{"--", "a", "-rf", "b c"}, got); diff != "" || left != 2 {
		t.Errorf("%d left, want 2; (-want +got)\n%s", left, diff)
	}
}

// FuzzWord wants every word to come out of a shell as it went in.
func FuzzWord(f *testing.F) {
	for _, s := range []string{"", "web-0", "it's", "$(x)", "a b", `\`, `"`, "-rf", "a\nb", "ä", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, ok := sanitize.ShellWord(s)
		if !ok {
			return
		}
		got, err := split("x " + quoted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"x", s}, got); diff != "" {
			t.Errorf("%q: (-in +out)\n%s", s, diff)
		}
	})
}
