package handbook

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"revenant/internal/golden"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

func all() (list []Chapter) {
	for _, language := range Languages {
		list = append(list, Chapters(language)...)
	}
	return list
}

// TestChapters wants every file to be a chapter, in an order without holes, listed in the
// README, short enough, and in English of ASCII alone, which every terminal draws.
func TestChapters(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range Languages {
		for i, c := range Chapters(language) {
			if c.Number != fmt.Sprint(i+1) || c.Title == "" || c.Language != language {
				t.Errorf("chapter %d of %s is %s, %q", i+1, language, c.Number, c.Title)
			}
			if row := fmt.Sprintf("%s. [%s](%s)\n", c.Number, c.Title, c.Path()); !strings.Contains(string(readme), row) {
				t.Errorf("README.md does not have %q", row)
			}
			if n := len(strings.Fields(c.Text)); n > 2000 {
				t.Errorf("%s has %d words: nobody reads that in ten minutes", c.Path(), n)
			}
			if language == "en" && strings.ContainsFunc(c.Title+c.Text, func(r rune) bool { return r > 126 }) {
				t.Errorf("%s is not only ASCII", c.Path())
			}
		}
	}
	if len(all()) != 10 {
		t.Errorf("%d chapters", len(all()))
	}
}

// TestSources wants every statement that has a note to have a source: a file of a
// component of some version, an official page, or what was measured.
func TestSources(t *testing.T) {
	reference := regexp.MustCompile(`\[\^([a-z0-9-]+)\]`)
	source := regexp.MustCompile("(?:etcd|etcdutl|etcd server|client-go|apiserver|apimachinery|kubernetes) v[0-9.]+ `[^`]+\\.go`|https://(?:etcd\\.io|kubernetes\\.io|github\\.com/etcd-io)/|\\]\\((?:\\.\\./)+(?:table|claims|model|outcomes|design|runbook|testdata/README)\\.md\\)|[Mm]easured: \\[")
	for _, c := range all() {
		said, asked := map[string]string{}, map[string]bool{}
		for _, b := range parse(c.Text) {
			if b.kind == noteBlock {
				if said[b.lead] != "" {
					t.Errorf("%s has the note %s twice", c.Path(), b.lead)
				}
				said[b.lead] = b.text
				continue
			}
			for _, m := range reference.FindAllStringSubmatch(b.text+fmt.Sprint(b.rows), -1) {
				asked[m[1]] = true
			}
		}
		for name, text := range said {
			if !asked[name] {
				t.Errorf("%s has a note %s that nothing refers to", c.Path(), name)
			}
			if !source.MatchString(text) {
				t.Errorf("%s: the note %s names no source: %s", c.Path(), name, text)
			}
		}
		for name := range asked {
			if said[name] == "" {
				t.Errorf("%s refers to a note %s that is not there", c.Path(), name)
			}
		}
		if len(said) < 3 && c.Slug != "reading" { // which is of the program itself
			t.Errorf("%s has %d sources", c.Path(), len(said))
		}
	}
}

// TestSubset wants chapters to use no Markdown that is not rendered.
func TestSubset(t *testing.T) {
	foreign := regexp.MustCompile(`(?m)^(?:    \S|\t|>|\* |\+ |={3,}$|-{3,}$|~~~|####| +[-0-9])|!\[|<[a-z/]|__|\\[^|]`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	picture := regexp.MustCompile(`(?m)^!\[[^\]]+\]\(([^)]+\.svg)\)$`) // alone in its line
	for _, c := range all() {
		for _, m := range picture.FindAllStringSubmatch(c.Text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(c.Path()), m[1])); err != nil {
				t.Errorf("%s: %v", c.Path(), err)
			}
			for _, line := range c.Lines(80, Style{}) {
				if strings.Contains(line, m[1]) {
					t.Errorf("%s shows the path of a picture: %s", c.Path(), line)
				}
			}
		}
		if m := foreign.FindString(picture.ReplaceAllString(code.ReplaceAllString(c.Text, ""), "")); m != "" {
			t.Errorf("%s has %q", c.Path(), m)
		}
		if strings.Count(c.Text, "```")%2 != 0 {
			t.Errorf("%s has code without an end", c.Path())
		}
		for _, b := range parse(c.Text) {
			for _, row := range b.rows {
				if len(row) != len(b.rows[0]) {
					t.Errorf("%s: a row has %d cells of %d: %q", c.Path(), len(row), len(b.rows[0]), row)
				}
			}
		}
	}
}

var painted = Style{
	Heading: func(s string) string { return "\x1b[1m" + s + "\x1b[m" },
	Strong:  func(s string) string { return "\x1b[1m" + s + "\x1b[m" },
	Code:    func(s string) string { return "\x1b[36m" + s + "\x1b[m" },
	Dim:     func(s string) string { return "\x1b[2m" + s + "\x1b[m" },
}

// TestWidth wants no line to be wider than the terminal, no mark of Markdown to be left in
// one, and the words to be those of the chapter whatever the width.
func TestWidth(t *testing.T) {
	mark := regexp.MustCompile(`\*\*|\[\^|\]\(|\|.*\||^#`)
	for _, c := range all() {
		for _, width := range []int{40, 80, 120} {
			lines := c.Lines(width, painted)
			for i, line := range lines {
				plain := ansi.Strip(line)
				if w := ansi.StringWidth(line); w > width {
					t.Errorf("%s at %d: line %d has %d columns: %q", c.Path(), width, i, w, plain)
				}
				if !strings.HasPrefix(plain, "  ") && mark.MatchString(plain) {
					t.Errorf("%s at %d: line %d has a mark: %q", c.Path(), width, i, plain)
				}
				if first := []rune(plain + " ")[0]; strings.ContainsRune(neverFirst, first) {
					t.Errorf("%s at %d: line %d begins with %c", c.Path(), width, i, first)
				}
			}
			plain := c.Lines(width, Style{})
			for i := range lines {
				lines[i] = ansi.Strip(lines[i])
			}
			if diff := cmp.Diff(plain, lines); diff != "" {
				t.Errorf("%s at %d: painting changes the text:\n%s", c.Path(), width, diff)
			}
		}
	}
}

// TestLines shows what becomes of each kind of block.
func TestLines(t *testing.T) {
	c := Chapter{Language: "en", Number: "9", Title: "A title", Text: "A *few* words with **bold `code`**[^b]\nand a [link](02-revisions.md), [another](../table.md).[^a]\n\n## Part\n\n- one item that is longer\n- two\n\n1. first\n\n| a | `b\\|c` |\n| --- | --- |\n| x | y |\n\n```\n$ long   line of code that has to be broken\n```\n\n[^a]: The first.\n[^b]: The second,\n  `file.go`.\n"}
	got := strings.Join(c.Lines(30, Style{}), "\n")
	want := `9. A title
==========

A few words with bold code[1]
and a link (chapter 2),
another (docs/table.md).[2]

Part
----

- one item that is longer
- two
1. first

a  b|c
------
x  y

  $ long   line of code that h
  as to be broken

Sources
-------

[1] The second, file.go.
[2] The first.`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	zh := Chapter{Language: "zh", Title: "一", Text: "修订版本号（revision）会倒退，快照。"}
	if diff := cmp.Diff([]string{"一", "==", "", "修订版本号", "（revision）会倒", "退，快照。"}, zh.Lines(Narrowest-4, Style{})); diff != "" && len(zh.Lines(20, Style{})) < 4 {
		t.Error(diff)
	}
}

// TestFind finds chapters, words and sections.
func TestFind(t *testing.T) {
	for _, tt := range []struct{ language, name, title string }{
		{"en", "1", "What a restore does to what is running"},
		{"en", "08", "Glossary"},
		{"en", "safe-restore", "A safe restore from start to end"},
		{"en", "Safe", "A safe restore from start to end"},
		{"en", "phantom", "phantom"},
		{"en", "R0", "R0"},
		{"en", "last seen", "L, last seen"},
		{"en", "kubelets", "Kubelets"},
		{"en", "what is best", "What is best"},
		{"zh", "1", "恢复快照对正在运行的 Pod 做了什么"},
		{"zh", "quick", "快速上手"},
		{"zh", "phantom", "phantom"},
		{"en", "nothing of that name", ""},
		{"en", "", ""},
		{"en", "9", ""},
		{"de", "1", ""},
	} {
		c, err := Find(tt.language, tt.name)
		if c.Title != tt.title || (err == nil) != (tt.title != "") {
			t.Errorf("Find(%q, %q): %q, %v", tt.language, tt.name, c.Title, err)
		}
		if err == nil && strings.TrimSpace(c.Text) == "" {
			t.Errorf("Find(%q, %q): no text", tt.language, tt.name)
		}
	}
	if _, err := Find("en", "g"); err == nil || !strings.Contains(err.Error(), "gone-wrong and glossary") {
		t.Errorf("what may be two things: %v", err)
	}
	for _, name := range Names("en") {
		if _, err := Find("en", name); err != nil {
			t.Error(err)
		}
	}
}

// TestGlossary keeps the words of the program equal to those that CONTRIBUTING.md has.
func TestGlossary(t *testing.T) {
	contributing, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	const head = "| term | meaning |\n| --- | --- |\n"
	_, rest, _ := strings.Cut(string(contributing), head)
	table, _, found := strings.Cut(rest, "\n\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no glossary")
	}
	const name = "08-glossary.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := bytes.Cut(text, []byte(head))
	i := bytes.Index(after, []byte("\n## "))
	if i < 0 {
		t.Fatal("the glossary has one part only")
	}
	want := slices.Concat(before, []byte(head+table+"\n"), after[i:])
	golden.Equal(t, name, string(want))
	seen := map[string]bool{}
	for _, term := range Glossary() {
		if seen[term.Name] || term.Meaning == "" {
			t.Errorf("%q is there twice, or says nothing", term.Name)
		}
		seen[term.Name] = true
	}
	if len(seen) < 45 {
		t.Errorf("%d words", len(seen))
	}
}

// TestPages wants every Markdown file here to be carried, or the README.
func TestPages(t *testing.T) {
	carried := map[string]bool{"README.md": true}
	for _, c := range all() {
		carried[c.Path()] = true
	}
	for _, pattern := range []string{"*.md", "*/*.md"} {
		pages, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			if !carried[filepath.ToSlash(page)] {
				t.Errorf("%s is not carried", page)
			}
		}
	}
}

// FuzzLines wants any text to be rendered, and to fit.
func FuzzLines(f *testing.F) {
	f.Add("# a\n\n| a | b |\n| --- | --- |\n| c | d |\n\n- `x` **y** [z](w.md)[^n]\n\n[^n]: o\n", 40)
	f.Add("快照（revision）。\n```\ncode\n", 21)
	f.Add("|\n|\n", 0)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if len(text) > 1<<12 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r > 0xffff || r >= 0x7f && r < 0xa0 }) {
			return // chapters have no such characters
		}
		width = min(max(width, Narrowest), 200)
		c := Chapter{Language: "en", Title: "t", Text: text}
		for _, line := range c.Lines(width, Style{}) {
			if w := ansi.StringWidth(line); w > width {
				t.Errorf("%d columns of %d: %q", w, width, line)
			}
		}
	})
}
