package drift

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite what testdata expects")

// golden is what the cases of a test say in full, in a file.
type golden struct {
	path string
	got  strings.Builder
	want map[string]string
}

func openGolden(t *testing.T, path string) *golden {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	g := &golden{path: path, want: map[string]string{}}
	for _, part := range strings.Split(string(data), "== ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		g.want[name] = text
	}
	return g
}

// hold compares what a case says with what is expected of it.
func (g *golden) hold(t *testing.T, name, got string) {
	t.Helper()
	g.got.WriteString("== " + name + "\n" + got)
	if diff := cmp.Diff(g.want[name], got); diff != "" && !*update {
		t.Errorf("%s (-want +got):\n%s", g.path, diff)
	}
}

// close writes the file where that is asked for.
func (g *golden) close(t *testing.T) {
	t.Helper()
	if *update {
		if err := os.WriteFile(g.path, []byte(g.got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// told is all that a report says, of actions and notes six words.
func told(r *Report) string {
	var b strings.Builder
	begin := func(s string) string {
		return strings.Join(strings.Fields(s)[:min(6, len(strings.Fields(s)))], " ") + " …"
	}
	for _, s := range r.Servers {
		fmt.Fprintf(&b, "API server %q: %d pods, %d listed differently, %d as the snapshot\n", s.Name, s.Pods, s.Differs, s.AsSnapshot)
	}
	for _, n := range r.Nodes {
		fmt.Fprintf(&b, "%s: seen %v, unread %q, %d running, %d phantoms, %d ghosts, %d doubles, %d strays, silent %t\n", n.Name, n.Seen, n.Unread, n.Running, n.Phantoms, n.Ghosts, n.Doubles, n.Strays, n.Silent)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s on %s, %s, by %v; %s\n  %s\n", f.Kind, strings.Trim(f.Namespace+"/"+f.Name+" "+f.UID+" "+f.Container, "/ "), f.Node, f.Certainty, f.Evidence, begin(f.Action), f.Reason)
		if f.Command != "" {
			fmt.Fprintf(&b, "  $ %s\n", f.Command)
		}
	}
	for i, n := range r.Notes {
		fmt.Fprintf(&b, "%s%s", []string{"notes: ", " "}[min(i, 1)], begin(n))
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}
