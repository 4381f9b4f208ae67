package fleet

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

//go:embed dialects.mjs
var dialects []byte

// TestDialects parses the questions with the grammars of Spark and Trino.
func TestDialects(t *testing.T) {
	statements, err := os.ReadFile(filepath.Join(repository, "docs/fleet-trino.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(scripts, "dialects.mjs"), dialects, 0o600); err != nil {
		t.Fatal(err)
	}
	// Node takes no directory for a module, as that package names them.
	bundle := exec.Command("node_modules/.bin/esbuild", "dialects.mjs", "--bundle", "--platform=node", "--log-level=error", "--outfile=dialects.cjs")
	bundle.Dir = scripts
	if out, err := bundle.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	texts := slices.Concat(slices.Collect(maps.Values(questions(t))), fenced(t, "sql", "CREATE VIEW"))
	spark := fenced(t, "sql spark", "CREATE TEMPORARY VIEW")
	if len(texts) != 11 || len(spark) != 1 {
		t.Fatalf("%d texts, and %d for Spark", len(texts), len(spark))
	}
	check := func(texts map[string][]string) string {
		in, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "dialects.cjs")
		cmd.Dir, cmd.Stdin = scripts, bytes.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if faults := check(map[string][]string{"spark": append(spark, texts...), "trino": append(texts, string(statements))}); faults != "" {
		t.Error(faults)
	}
	if check(map[string][]string{"spark": {"SELECT FROM WHERE"}}) == "" || check(map[string][]string{"trino": {"SELECT FROM WHERE"}}) == "" {
		t.Error("what is no SQL is taken for some")
	}
}
