package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// TestTogether: of all mutants in one program, the one whose number is in PATH is on, and it
// alone; and what is reached is noted.
func TestTogether(t *testing.T) {
	const source = `package main

import "fmt"

func main() {
	a, b, yes := 2, 2, true
	if a < b ||
		!yes {
		fmt.Print("less ")
	}
	fmt.Println(a+1, b-1, min(a, 5), max(a, 5), yes && a == 3)
	if a > 3 {
		fmt.Println(a - 1)
	}
}
`
	const unchanged = "3 1 2 5 false\n"
	prints := map[string]string{ // what is not listed prints what the program does unchanged
		"a < b → a <= b":      "less " + unchanged,
		"a < b → a >= b":      "less " + unchanged,
		"!yes → yes":          "less " + unchanged,
		"true → false":        "less " + unchanged,
		"a+1 → a":             "2 1 2 5 false\n",
		"b-1 → b":             "3 2 2 5 false\n",
		"min → max":           "3 1 5 5 false\n",
		"max → min":           "3 1 2 2 false\n",
		"yes && a == 3 → yes": "3 1 2 5 true\n",
		"a == 3 → a != 3":     "3 1 2 5 true\n",
		"a > 3 → a <= 3":      unchanged + "1\n",
	}
	b := &build{scratch: t.TempDir()}
	b.overlay = filepath.Join(b.scratch, "overlay.json")
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := mutants(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i].number = i + 1
	}
	b.mutants = list
	if _, err := b.write(); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(b.scratch, "program")
	if out, err := exec.Command("go", "build", "-overlay", b.overlay, "-o", program, path, filepath.Join(filepath.Dir(path), switchesFile)).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(dir string) string {
		cmd := exec.Command(program)
		cmd.Env = []string{"PATH=/bin:" + dir}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	seen := map[string]bool{}
	for _, m := range list {
		change := short(m.from) + " → " + short(m.to)
		want, ok := prints[change]
		if seen[change] = true; !ok {
			want = unchanged
		}
		if got := run(fmt.Sprintf("/mutant/on/%d", m.number)); got != want {
			t.Errorf("%s prints %q, not %q", m, got, want)
		}
	}
	for change := range prints {
		if !seen[change] {
			t.Errorf("no mutant is %s", change)
		}
	}
	notes := filepath.Join(b.scratch, "notes")
	if err := os.WriteFile(notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run("/mutant/reached" + notes)
	reached, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if got, want := slices.Contains(strings.Fields(string(reached)), strconv.Itoa(m.number)), m.line != 13; got != want {
			t.Errorf("%s: reached is %v", m, got)
		}
	}
}
