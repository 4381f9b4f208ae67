package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMutants(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string
	}{
		{"a boundary", "return a < b", []string{"return a <= b", "return a >= b"}},
		{"a comparison with a number", "return a == 60", []string{"return a != 60", "return a == 61"}},
		{"both conditions", "return p && q", []string{"return p", "return q"}},
		{"a guard against nil stays", "return m != nil && m[a]", []string{"return m != nil", "return m == nil && m[a]"}},
		{"one more", "return a == b+1", []string{"return a != b+1", "return a == b"}},
		{"a larger step stays", "return f(b+2)", nil},
		{"negation", "return !p", []string{"return p"}},
		{"a boolean", "return true", []string{"return false"}},
		{"least and most", "return f(min(a, b))", []string{"return f(max(a, b))"}},
		{"a branch", "if p { return q }; return p", []string{"if false && (p) { return q }; return p"}},
		{"a case", "switch { case p: return q; default: return p }", []string{"switch { case false && (p): return q; default: return p }"}},
		{"a case of a value stays", "switch a { case b: return q }; return p", nil},
		{"a check of an error stays", "if err != nil { return p }; return q", nil},
		{"what is asked beside an error", "return err == nil && q", []string{"return err == nil"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const before, after = "package x\n\nfunc g(a, b int, p, q bool, m map[int]bool, err error) bool { ", " }\n"
			source := []byte(before + tt.body + after)
			path := filepath.Join(t.TempDir(), "x.go")
			if err := os.WriteFile(path, source, 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := mutants(path)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range list {
				changed := m.apply(source)
				if _, err := parser.ParseFile(token.NewFileSet(), path, changed, 0); err != nil {
					t.Errorf("%s: %v", m, err)
				}
				got = append(got, string(changed[len(before):len(changed)-len(after)]))
				if m.line != 3 || m.function != "g" {
					t.Errorf("%s is not in line 3, in g", m)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
