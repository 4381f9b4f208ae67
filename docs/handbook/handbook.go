// Package handbook is the handbook of the program: what a restore does to what is running,
// and how to do it safely, in chapters of Markdown.
//
// It takes the name of a chapter, of a section or of a word of the glossary, and returns its
// text, as lines that fit a terminal. It refuses names that nothing has, or several things.
package handbook

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"revenant/internal/words"
)

//go:embed [0-9]*.md zh/[0-9]*.md
var files embed.FS

// Languages are those that there are chapters in, the first one with all of them.
var Languages = []string{"en", "zh"}

// Chapter is one of the handbook, or a part of one.
type Chapter struct {
	Language string
	Number   string // "1"; of several languages each counts its own
	Slug     string // of the file, without its number
	Title    string
	Text     string // Markdown, without the title
}

var numbered = regexp.MustCompile(`^0*([0-9]+)-(.+)\.md$`)

// Chapters are those of a language, in their order.
func Chapters(language string) []Chapter {
	dir := "."
	if language != Languages[0] {
		dir = language
	}
	entries, err := files.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []Chapter
	for _, e := range entries {
		m := numbered.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		text, err := files.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		list = append(list, Chapter{language, m[1], m[2], strings.TrimPrefix(first, "# "), strings.TrimLeft(rest, "\n")})
	}
	return list
}

// Path is the file of a chapter, below docs/handbook.
func (c *Chapter) Path() string {
	name := fmt.Sprintf("%02s-%s.md", c.Number, c.Slug)
	if c.Language != Languages[0] {
		return c.Language + "/" + name
	}
	return name
}

// sections are what stands below each heading of the second level, with the footnotes that it
// has.
func (c *Chapter) sections() []Chapter {
	body, notes := c.Text, ""
	if i := strings.Index(body, "\n[^"); i >= 0 { // definitions end a chapter
		body, notes = body[:i+1], body[i+1:]
	}
	var list []Chapter
	for i, part := range strings.Split("\n"+body, "\n## ") {
		if i == 0 {
			continue
		}
		title, text, _ := strings.Cut(part, "\n")
		text = strings.TrimSpace(text) + "\n"
		var own []string
		for line := range strings.Lines(notes) {
			if name, _, _ := strings.Cut(line, ":"); strings.Contains(text, name) {
				own = append(own, line)
			}
		}
		if len(own) > 0 {
			text += "\n" + strings.Join(own, "")
		}
		list = append(list, Chapter{c.Language, c.Number, slug(title), title, text})
	}
	return list
}

func slug(title string) string {
	return strings.Trim(regexp.MustCompile(`[^\p{L}\p{N}]+`).ReplaceAllString(strings.ToLower(title), "-"), "-")
}

// Term is a word of the glossary.
type Term struct{ Name, Meaning string }

// Glossary are the words of the glossary.
func Glossary() []Term {
	chapters := Chapters(Languages[0])
	var list []Term
	for _, b := range parse(chapters[len(chapters)-1].Text) {
		if b.kind != tableBlock {
			continue
		}
		for _, row := range b.rows[1:] {
			list = append(list, Term{row[0], row[1]})
		}
	}
	return list
}

// Words are the words of the glossary, each as a text of its own.
func Words() []Chapter {
	var list []Chapter
	for _, t := range Glossary() {
		list = append(list, entry([]Term{t}))
	}
	return list
}

// is says whether a term, which may be several words with commas between them, is called
// so; or begins so.
func (t *Term) is(name string, match func(word, name string) bool) bool {
	return slices.ContainsFunc(strings.Split(t.Name, ", "), func(word string) bool { return match(strings.ToLower(word), name) })
}

// Find finds a chapter by its number, its name or how that begins; else an entry of the
// glossary, else a section of a chapter. The error says what comes near.
func Find(language, name string) (Chapter, error) {
	if !slices.Contains(Languages, language) {
		return Chapter{}, fmt.Errorf("no language %q: there are %s", language, words.List(Languages))
	}
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		return Chapter{}, fmt.Errorf("a chapter without a name")
	}
	chapters := Chapters(language)
	for _, c := range chapters {
		if strings.TrimLeft(name, "0") == c.Number || name == c.Slug {
			return c, nil
		}
	}
	if found, err := one(name, chapters); found != nil || err != nil {
		return *cmpOr(found), err
	}
	terms := Glossary()
	for _, match := range []func(word, name string) bool{func(w, n string) bool { return w == n }, strings.HasPrefix} {
		var found []Term
		for _, t := range terms {
			if t.is(name, match) {
				found = append(found, t)
			}
		}
		if len(found) > 0 {
			return entry(found), nil
		}
		var sections []Chapter
		for _, c := range slices.Concat(chapters, Chapters(Languages[0])) {
			for _, s := range c.sections() {
				if match(s.Slug, slug(name)) && !slices.ContainsFunc(sections, func(o Chapter) bool { return o.Path() == s.Path() }) {
					sections = append(sections, s)
				}
			}
		}
		if len(sections) == 1 {
			return sections[0], nil
		}
		if found, err := one(slug(name), sections); found != nil || err != nil {
			return *cmpOr(found), err
		}
	}
	return Chapter{}, fmt.Errorf("the handbook has nothing that is called %q", name)
}

// entry is what the glossary has of some terms.
func entry(terms []Term) Chapter {
	c := Chapter{Language: Languages[0], Slug: slug(terms[0].Name), Title: terms[0].Name}
	var b strings.Builder
	for i, t := range terms {
		if i > 0 {
			fmt.Fprintf(&b, "\n## %s\n\n", t.Name)
		}
		b.WriteString(words.Sentence(t.Meaning) + "\n")
	}
	c.Text = b.String()
	return c
}

// one is the only one of a list whose name begins so.
func one(name string, list []Chapter) (*Chapter, error) {
	var found []Chapter
	var names []string
	for _, c := range list {
		if strings.HasPrefix(c.Slug, name) {
			found, names = append(found, c), append(names, c.Slug)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &found[0], nil
	}
	return nil, fmt.Errorf("%q may be %s", name, words.List(names))
}

func cmpOr(c *Chapter) *Chapter {
	if c == nil {
		return &Chapter{}
	}
	return c
}

// Names are what Find takes in a language: the names of chapters, and the words of the
// glossary that are one word.
func Names(language string) []string {
	var list []string
	for _, c := range Chapters(language) {
		list = append(list, c.Slug)
	}
	for _, t := range Glossary() {
		for _, w := range strings.Split(t.Name, ", ") {
			if !strings.Contains(w, " ") {
				list = append(list, strings.ToLower(w))
			}
		}
	}
	return list
}
