package documents

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"revenant/report/page"
)

// outline are the kinds of what a reader of GitHub's Markdown finds in a document, and the
// lines of code in it.
func outline(t *testing.T, source []byte) (kinds, code []string) {
	t.Helper()
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() == ast.KindText || n.Kind() == ast.KindString { // one or several, as there are escapes
			return ast.WalkContinue, nil
		}
		kinds = append(kinds, n.Kind().String())
		if n.Kind() == ast.KindFencedCodeBlock && entering {
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				code = append(code, string(line.Value(source)))
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kinds, code
}

// markdown has every element, in which every string is the same.
func markdown(t *testing.T, s string) []byte {
	t.Helper()
	var out bytes.Buffer
	m := page.NewMarkdown(&out)
	m.Write(page.Head{Kind: s, About: []string{s}, Mark: page.Bad, Verdict: s, Verdicts: []string{s}}, s, []page.Section{{ID: "a", Title: s, Write: func() {
		m.El("p", "", s)
		m.El("h3", "", s)
		m.El("p", "alert", s)
		m.Bullets([]string{s, s})
		m.Checks([]string{s})
		m.Command(s)
		m.Example(s)
		m.Lines("+" + s + "\n-" + s + "\n")
		m.List([]page.Item{{Name: s, Text: s}, {Text: s}})
		m.Table("", s, []page.Column{{Title: s}, {Title: s, Number: true}}, []page.Row{{Cells: []string{s, s}}, {Cells: []string{s, s}}})
		m.Bars(nil, s, s, s, s)
	}}})
	if err := m.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestMarkdownEscapes wants a reader to find the same whatever the strings are.
func TestMarkdownEscapes(t *testing.T) {
	want, _ := outline(t, markdown(t, "name"))
	if len(want) < 80 {
		t.Fatalf("the document is short: %q", want)
	}
	for _, s := range []string{
		"<script>alert(1)</script>", "<!-- ", "*a* **b** _c_ ~~d~~", "[a](http://example.com)", "![a](b.png)", "http://example.com", "https://example.com/a_b", "www.example.com", "WWW.example.com",
		"a@example.com", "mailto:a@example.com", "xmpp:a@example.com", "ftp://example.com", "a | b | c", "| --- |", "`a`", "```", "````sh", "~~~", "# a", "- a", "+ a", "* a", "1. a", "1) a", "999999999. a", "> a", "---", "===", "- [x] a",
		"    a", "\ta", "a\\", "\\", "\\|", "a  \nb", "a\n\n# b", "&lt;b&gt;", "&#60;", "[^1]", "[a]: b", "$a$", ":tada:", "a\r# b", "a\u2028# b", "\x1b[2J", "a\x00b", "\u202eb", strings.Repeat("`", 200),
	} {
		got, code := outline(t, markdown(t, s))
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q changes what a reader finds:\n%s", s, markdown(t, s))
		}
		if len(code) != 4 && !strings.Contains(s, "\n") {
			t.Errorf("%q: %d lines of code, want 4", s, len(code))
		}
	}
}

// TestMarkdown reads the documents of every verb that writes Markdown.
func TestMarkdown(t *testing.T) {
	evidence(t)
	lines := map[string]string{
		"compare": "predict backup.db current.db --compare", "plan": "plan backup.db current.db --platform kubeadm", "report": "report backup.db current.db",
		"diff": "diff backup.db current.db", "timeline": "timeline backup.db", "onto": "predict backup.db --onto new-machines",
	}
	for name, args := range verbs {
		lines[name] = strings.Join(args, " ")
	}
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			kinds, _ := outline(t, write(t, "markdown", strings.Fields(line)...))
			found := map[string]int{}
			for _, k := range kinds {
				found[k]++
			}
			if found["Heading"] < 4 || found["Blockquote"]+found["List"] == 0 {
				t.Errorf("found %v", found)
			}
			for _, k := range []string{"RawHTML", "HTMLBlock", "Link", "AutoLink", "Image", "CodeBlock"} {
				if found[k] > 0 {
					t.Errorf("%d times %s", found[k], k)
				}
			}
		})
	}
}
