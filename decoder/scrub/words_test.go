package scrub

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/internal/golden"
)

// TestWords holds words.txt against the string constants that the source of Kubernetes'
// types exports.
func TestWords(t *testing.T) {
	found := map[string]bool{}
	for _, pattern := range []struct{ module, files string }{
		{"k8s.io/api", "*/*/*.go"}, {"k8s.io/apimachinery", "pkg/apis/meta/v1/types.go"},
	} {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", pattern.module).Output()
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), pattern.files))
		if err != nil || len(files) == 0 {
			t.Fatalf("no source of %s: %v", pattern.module, err)
		}
		for _, path := range files {
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				for _, word := range constantsOf(d) {
					found[word] = true
				}
			}
		}
	}
	var list []string
	for word := range found {
		if word != "" && !strings.ContainsAny(word, " \n") {
			list = append(list, word)
		}
	}
	slices.Sort(list)
	text := strings.Join(list, "\n") + "\n"
	golden.Equal(t, "words.txt", text)
}

// constantsOf are the values of the exported string constants that d declares.
func constantsOf(d ast.Decl) (list []string) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return nil
	}
	for _, spec := range g.Specs {
		v := spec.(*ast.ValueSpec)
		for i, value := range v.Values {
			lit, ok := value.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING || !v.Names[i].IsExported() {
				continue
			}
			if word, err := strconv.Unquote(lit.Value); err == nil {
				list = append(list, word)
			}
		}
	}
	return list
}
