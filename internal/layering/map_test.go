package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestMap checks that every file that docs/design.md sends a newcomer to is there,
// and declares what is named beside it.
func TestMap(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/design.md"))
	if err != nil {
		t.Fatal(err)
	}
	stops := regexp.MustCompile("`([a-z][a-zA-Z0-9_/]*\\.go)`(?: `([A-Za-z.]+)`)?").FindAllStringSubmatch(string(text), -1)
	if len(stops) < 25 {
		t.Errorf("%d files are named", len(stops))
	}
	for _, stop := range stops {
		file, name := stop[1], stop[2]
		source, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		if name != "" && !slices.Contains(declared(source), name) {
			t.Errorf("%s does not declare %s", file, name)
		}
	}
}

// declared lists the names of a file's declarations, methods as Type.Method.
func declared(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			name := decl.Name.Name
			if decl.Recv != nil {
				name = receiver(decl.Recv.List[0].Type) + "." + name
			}
			names = append(names, name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func receiver(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiver(expr.X)
	case *ast.IndexExpr:
		return receiver(expr.X)
	case *ast.Ident:
		return expr.Name
	}
	return ""
}
