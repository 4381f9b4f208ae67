package lineage_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"revenant/analyzer/lineage"
)

var update = flag.Bool("update", false, "rewrite what testdata expects")

// golden is what the cases of a test say in full, one file of an archive a case.
type golden struct {
	path string
	want map[string]string
	got  txtar.Archive
}

func openGolden(t *testing.T, path string) *golden {
	t.Helper()
	g := &golden{path: path, want: map[string]string{}}
	data, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(data).Files {
		g.want[f.Name] = string(f.Data)
	}
	return g
}

// hold compares what a case says with what is expected of it.
func (g *golden) hold(t *testing.T, name, got string) {
	t.Helper()
	g.got.Files = append(g.got.Files, txtar.File{Name: name, Data: []byte(got)})
	if diff := cmp.Diff(g.want[name], got); diff != "" && !*update {
		t.Errorf("%s (-want +got):\n%s", g.path, diff)
	}
}

// close writes the file where that is asked for.
func (g *golden) close(t *testing.T) {
	t.Helper()
	if data := txtar.Format(&g.got); *update {
		if err := os.WriteFile(g.path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// reasons is what a Lineage says and counts.
func reasons(l *lineage.Lineage) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%+v\n", l.Reason, l.Compared)
	for _, r := range l.Restores {
		fmt.Fprintf(&b, "%s: %s\n", r.Snapshot, r.Detail)
	}
	return b.String()
}

// agreed is what an Agreement says.
func agreed(g *lineage.Agreement) string {
	var b strings.Builder
	agree := "not compared"
	if g.Agree != nil {
		agree = map[bool]string{true: "agree", false: "differ"}[*g.Agree]
	}
	fmt.Fprintf(&b, "%s up to %d, cluster %s, identical %t, behind %d, partial %t\n%d the same, %d not\n", agree, g.ComparedTo, g.Cluster, g.Identical, g.Behind, g.Partial, g.Same, g.Differences)
	if f := g.FirstDifference; f != nil {
		fmt.Fprintf(&b, "first %s at %d in %s\n", f.Key, f.Revision, f.In)
	}
	return b.String()
}
