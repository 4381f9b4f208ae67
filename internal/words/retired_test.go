package words

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.." // of the module

// retired are words that read as if translated, or that have a better one in the glossary
// of CONTRIBUTING.md. No Go file, document or expected output has them. Ids in JSON, such
// as listAnew, are whole words of their own and stay.
var retired = []struct {
	word    string // a regular expression, for whole words in any case
	instead string
	pending []string // paths that may still have it; this must shrink to nothing
}{
	{"anew", "again, or relist, recreate, rewrite", nil},
	{"afresh", "again", nil},
	{"any more", "no longer", nil},
	{"tells? of", "reports, says, shows", nil},
	{"happenings?", "event", nil},
	{"toldTimeline", "timeline", nil},
	{"spoken", "explanation", nil},
	{"phrases", "reason", nil},
	{"mend(?:s|ed|ing)?", "fix, correct", nil},
	{"go(?:es)? by what", "use", nil},
	{"all the same(?: bytes)?", "still, anyway", nil},
	{"needed no more", "no longer needed", nil},
	{"so that it does not", "so it does not", nil},
	{"comes? right by", "recover", nil},
	{"exercises?", "scenario", nil},
	{"out comes?", "returns", nil},
	{"(?:is|are) told (?:by|of|when|as)", "is read from, is reported", nil},
}

// pending are paths that nobody has gone through yet. This must shrink to nothing.
var pending = []string{}

func TestRetired(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), root+"/")
		switch {
		case d.IsDir() && (name == "testdata/clusters" || path != root && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || name == "internal/words/retired_test.go" || !written(name):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, f := range find(text) {
			r := retired[f.word]
			if p := within(name, r.pending); p != "" {
				used[r.word+" "+p] = true
			} else if p := within(name, pending); p != "" {
				used[p] = true
			} else {
				t.Errorf("%s:%d: %q is retired; write: %s", name, f.line, f.text, r.instead)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pending {
		if !used[p] {
			t.Errorf("%s has no retired word: take it out of pending", p)
		}
	}
	for _, r := range retired {
		for _, p := range r.pending {
			if !used[r.word+" "+p] {
				t.Errorf("%s no longer has %q: take it out of its pending", p, r.word)
			}
		}
	}
}

// written says whether people write or read the file: code, documents, scripts of tests
// and expected output.
func written(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".md", ".txtar", ".golden":
		return true
	}
	return false
}

func within(name string, list []string) string {
	for _, p := range list {
		if name == p || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p) {
			return p
		}
	}
	return ""
}

type found struct {
	word, line int
	text       string
}

// anyRetired finds any of the words, and retiredWords each one. A word may be broken
// across the lines of a comment.
var anyRetired, retiredWords = func() (*regexp.Regexp, []*regexp.Regexp) {
	var all []string
	var list []*regexp.Regexp
	for _, r := range retired {
		word := strings.ReplaceAll(r.word, " ", `\s+(?://\s*)?`)
		all = append(all, word)
		list = append(list, regexp.MustCompile(`(?i)\b(?:`+word+`)\b`))
	}
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(all, "|") + `)\b`), list
}()

func find(text []byte) (list []found) {
	if !anyRetired.Match(text) {
		return nil
	}
	for i, r := range retiredWords {
		for _, at := range r.FindAllIndex(text, -1) {
			hit := string(text[at[0]:at[1]])
			if strings.HasSuffix(hit, " bytes") { // all the same bytes: equal ones
				continue
			}
			list = append(list, found{i, 1 + bytes.Count(text[:at[0]], []byte("\n")), hit})
		}
	}
	return list
}

func TestFind(t *testing.T) {
	for text, want := range map[string][]string{
		"the kubelet lists\nAnew, listAnew":   {"Anew"},
		"it tells of a page; it tells of two": {"tells of", "tells of"},
		"all the same bytes, all the same":    {"all the same"},
		"not any more than mended":            {"any more", "mended"},
		"// not any\n\t// more":               {"any\n\t// more"},
		"amend, a new one, many more":         nil,
	} {
		var got []string
		for _, f := range find([]byte(text)) {
			got = append(got, f.text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got\n%s", text, diff)
		}
	}
}

// TestComments checks that the comment of each function begins with the function's name.
func TestComments(t *testing.T) {
	checked := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		source, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range source.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Doc == nil || f.Doc.Text() == "" { // no more than a directive
				continue
			}
			checked++
			if rest, ok := strings.CutPrefix(f.Doc.Text(), f.Name.Name); !ok || strings.IndexAny(rest, " \n:,'") != 0 {
				t.Errorf("%s: the comment of %s begins with something else: %.60q", name, f.Name.Name, f.Doc.Text())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 1000 {
		t.Errorf("%d comments were checked", checked)
	}
}
