package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
)

// mutant is one change of one file.
type mutant struct {
	file     string // as parse was given it
	line     int
	function string
	from, to string // what is replaced, and by what

	number  int    // which switches it on, from 1
	whole   [2]int // bytes of the expression that it changes
	instead string // of that expression
	form    form
}

// form is what kind of expression a switch stands for.
type form int

const (
	condition form = iota
	less           // a sum without its 1
	more           // a difference without its 1
	bound          // a call of min or max
)

// change names the mutant without its line, which moves with every edit above it.
func (m mutant) change() string {
	return m.file + ": " + m.what()
}

func (m mutant) what() string {
	return fmt.Sprintf("%s: %s → %s", m.function, short(m.from), short(m.to))
}

func (m mutant) String() string { return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.what()) }

// short is code on one line.
func short(code string) string { return strings.Join(strings.Fields(code), " ") }

// apply is source with the change made.
func (m mutant) apply(source []byte) []byte {
	return []byte(string(source[:m.whole[0]]) + m.instead + string(source[m.whole[1]:]))
}

var (
	boundary = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}
	turned   = map[token.Token]string{token.EQL: "!=", token.NEQ: "==", token.LSS: ">=", token.LEQ: ">", token.GTR: "<=", token.GEQ: "<"}
)

// mutants are all changes that can be made to a file: a comparison turned or moved by its
// boundary, a number compared with or a ± 1 off by one, a condition dropped, a boolean
// turned, min for max. Checks of err are left as they are: they decide no answer.
func mutants(path string) ([]mutant, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var list []mutant
	function := ""
	at := func(p token.Pos) int { return files.Position(p).Offset }
	text := func(n ast.Node) string { return string(source[at(n.Pos()):at(n.End())]) }
	replaceIn := func(whole, n ast.Node, to string, form form) {
		from, end := at(whole.Pos()), at(whole.End())
		list = append(list, mutant{
			file: path, line: files.Position(n.Pos()).Line, function: function, from: text(n), to: to,
			whole: [2]int{from, end}, instead: string(source[from:at(n.Pos())]) + to + string(source[at(n.End()):end]), form: form,
		})
	}
	replace := func(n ast.Node, to string) { replaceIn(n, n, to, condition) }
	binary := func(n *ast.BinaryExpr, operator string) string { return text(n.X) + " " + operator + " " + text(n.Y) }
	drop := func(cond ast.Expr) {
		// The operands are still used, or the mutant may not build.
		replace(cond, "false && ("+text(cond)+")")
	}
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if aboutError(n) {
				return false
			}
			if to, ok := boundary[n.Op]; ok {
				replace(n, binary(n, to))
			}
			if to, ok := turned[n.Op]; ok {
				replace(n, binary(n, to))
				for _, operand := range []ast.Expr{n.X, n.Y} {
					if v, ok := number(operand); ok {
						replaceIn(n, operand, strconv.FormatInt(v+1, 10), condition)
					}
				}
			}
			switch n.Op {
			case token.LAND, token.LOR:
				if !aboutError(n.Y) {
					replace(n, text(n.X))
				}
				if !aboutError(n.X) && !guards(n) {
					replace(n, text(n.Y))
				}
			case token.ADD, token.SUB:
				if v, ok := number(n.Y); ok && v == 1 {
					replaceIn(n, n, text(n.X), map[token.Token]form{token.ADD: less, token.SUB: more}[n.Op])
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				replace(n, text(n.X))
			}
		case *ast.Ident:
			switch n.Name {
			case "true":
				replace(n, "false")
			case "false":
				replace(n, "true")
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 1 {
				switch f.Name {
				case "min":
					replaceIn(n, f, "max", bound)
				case "max":
					replaceIn(n, f, "min", bound)
				}
			}
		case *ast.IfStmt:
			if !aboutError(n.Cond) {
				drop(n.Cond)
			}
		case *ast.SwitchStmt:
			if n.Tag != nil {
				break
			}
			for _, clause := range n.Body.List {
				if list := clause.(*ast.CaseClause).List; len(list) == 1 && !aboutError(list[0]) {
					drop(list[0])
				}
			}
		}
		return true
	}
	for _, d := range file.Decls {
		function = "of the package"
		if f, ok := d.(*ast.FuncDecl); ok {
			function = f.Name.Name
		}
		ast.Inspect(d, visit)
	}
	return list, nil
}

// aboutError says whether a condition asks for an error.
func aboutError(e ast.Expr) bool {
	n, ok := e.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	x, ok := n.X.(*ast.Ident)
	return ok && (x.Name == "err" || strings.HasSuffix(x.Name, "Err")) && (n.Op == token.EQL || n.Op == token.NEQ)
}

// guards says whether the left side asks for nil: without it the right side panics, which
// any test would notice.
func guards(n *ast.BinaryExpr) bool {
	x, ok := n.X.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	y, ok := x.Y.(*ast.Ident)
	return ok && y.Name == "nil"
}

func number(e ast.Expr) (int64, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.INT {
		return 0, false
	}
	v, err := strconv.ParseInt(l.Value, 0, 64)
	return v, err == nil
}
