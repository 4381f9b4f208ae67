package handbook

import (
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"revenant/internal/words"
)

// atom is a piece of text that no line break divides.
type atom struct {
	text  string // painted
	width int
	blank bool // a blank may stand before it
	glued bool // it stays on the line of the atom before it
}

// wrap breaks a paragraph into lines of at most width columns, between words, or between
// characters where the script has no blanks.
func (r *renderer) wrap(text string, width int) []string {
	width = max(width, 2) // a character may take two columns
	var lines []string
	var line strings.Builder
	used := 0
	end := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	atoms := r.atoms(text)
	for i := 0; i < len(atoms); {
		// An atom, and those that may not be parted from it.
		n, whole := i+1, atoms[i].width
		for n < len(atoms) && atoms[n].glued {
			whole += atoms[n].width
			n++
		}
		gap := 0
		if atoms[i].blank && used > 0 {
			gap = 1
		}
		if used > 0 && used+gap+whole > width {
			end()
			gap = 0
		}
		if gap > 0 {
			line.WriteByte(' ')
			used++
		}
		for _, a := range atoms[i:n] {
			if used+a.width <= width {
				line.WriteString(a.text)
				used += a.width
				continue
			}
			if used > 0 && a.width <= width {
				end()
				line.WriteString(a.text)
				used = a.width
				continue
			}
			if used > 0 {
				end()
			}
			pieces := words.Chop(a.text, width)
			for _, piece := range pieces[:len(pieces)-1] {
				line.WriteString(piece)
				end()
			}
			line.WriteString(pieces[len(pieces)-1])
			used = ansi.StringWidth(pieces[len(pieces)-1])
		}
		i = n
	}
	if used > 0 || len(lines) == 0 {
		end()
	}
	return lines
}

// atoms takes a paragraph apart.
func (r *renderer) atoms(text string) []atom {
	w := &weaver{}
	for text != "" {
		m := inline.FindStringSubmatchIndex(text)
		if m == nil {
			w.add(text, nil)
			break
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[m[2*i]:m[2*i+1]]
		}
		w.add(text[:m[0]], nil)
		switch {
		case group(1) != "":
			w.add(group(1), r.style.Code)
		case group(2) != "":
			for inner := group(2); inner != ""; {
				before, rest, _ := strings.Cut(inner, "`")
				w.add(before, r.style.Strong)
				inner = rest
			}
		case group(3) != "":
			w.add(group(3), r.style.Strong)
		case group(4) != "":
			w.note(paintedNote(r, group(4)))
		case group(7) != "":
			w.add(group(7), nil)
		default:
			for inner := group(5); inner != ""; {
				before, rest, _ := strings.Cut(inner, "`")
				w.add(before, nil)
				inner = rest
			}
			w.add(" ("+r.target(group(6))+")", r.style.Dim)
		}
		text = text[m[1]:]
	}
	return w.list
}

// paintedNote is the number of a note, which is the next one when it has none yet.
func paintedNote(r *renderer, name string) (text string, width int) {
	if r.numbers[name] == 0 {
		r.numbers[name] = len(r.numbers) + 1
	}
	text = fmt.Sprintf("[%d]", r.numbers[name])
	return paint(r.style.Dim, text), len(text)
}

// target says where a link leads: to a chapter, to another page of the project, or out.
func (r *renderer) target(to string) string {
	if strings.Contains(to, "://") {
		return to
	}
	to, _, _ = strings.Cut(to, "#")
	dir := "docs/handbook"
	if r.chapter.Language != Languages[0] {
		dir += "/" + r.chapter.Language
	}
	full := path.Join(dir, to)
	if below, ok := strings.CutPrefix(full, "docs/handbook/"); ok {
		if m := numbered.FindStringSubmatch(path.Base(below)); m != nil {
			if r.chapter.Language == "zh" {
				return "第 " + m[1] + " 章"
			}
			return "chapter " + m[1]
		}
	}
	return full
}

// weaver makes atoms of pieces of text, each with its own look.
type weaver struct {
	list  []atom
	blank bool // one came, and nothing after it
}

func (w *weaver) add(text string, look func(string) string) {
	word := ""
	flush := func() {
		if word == "" {
			return
		}
		// A word goes on across pieces: `etcd`'s is one.
		glued := !w.blank && len(w.list) > 0 && !wide(lastRune(ansi.Strip(w.list[len(w.list)-1].text)))
		w.list = append(w.list, atom{paint(look, word), ansi.StringWidth(word), w.blank, glued})
		word, w.blank = "", false
	}
	for _, r := range text {
		switch {
		case r == ' ' || r == '\t' || r == '\n':
			flush()
			w.blank = len(w.list) > 0
		case wide(r):
			flush()
			before := rune(0)
			if n := len(w.list); n > 0 {
				before = lastRune(ansi.Strip(w.list[n-1].text))
			}
			glued := len(w.list) > 0 && !w.blank && (strings.ContainsRune(neverFirst, r) || strings.ContainsRune(neverLast, before))
			w.list = append(w.list, atom{paint(look, string(r)), ansi.StringWidth(string(r)), w.blank, glued})
			w.blank = false
		default:
			word += string(r)
		}
	}
	flush()
}

// note is put to the word before it.
func (w *weaver) note(text string, width int) {
	w.list = append(w.list, atom{text, width, false, len(w.list) > 0})
	w.blank = false
}

// wide says whether a character is of a script that is written without blanks, or its
// punctuation.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || strings.ContainsRune(neverFirst+neverLast, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60
}
