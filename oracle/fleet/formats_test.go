package fleet

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/export"
	"revenant/internal/corpus"
)

// TestFormats wants Parquet and NDJSON to have the same rows, as DuckDB reads them: of
// real clusters, and of those that were made.
func TestFormats(t *testing.T) {
	dir := t.TempDir()
	var args []string
	for i, pair := range []string{"scenario-1/plain", "random-101/plain"} {
		for _, name := range []string{"backup", "current"} {
			path := filepath.Join(dir, fmt.Sprintf("%d-%s.db", i, name))
			if err := os.WriteFile(path, corpus.Unpack(t, filepath.Join(repository, "testdata/clusters", pair, name+".db.gz")), 0o400); err != nil {
				t.Fatal(err)
			}
			args = append(args, path)
		}
	}
	for c := range min(*clusters, 4) {
		for day := range days {
			args = append(args, file(c, day))
		}
	}
	for _, format := range export.Formats {
		for _, current := range []string{args[1], args[3]} {
			cmd := exec.Command(program, slices.Concat([]string{"export", "--format", string(format), "--current", current, "--out", filepath.Join(dir, string(format))}, args)...)
			cmd.Dir = made
			if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	db := startDuckDB(t)
	db.ask(t, "SET TimeZone = 'UTC'")
	for _, table := range export.List {
		parquet := fmt.Sprintf("read_parquet('%s/parquet/table=%s/*/*/*.parquet', hive_partitioning = false)", dir, table.Name)
		var names, columns []string
		for _, c := range db.ask(t, "DESCRIBE SELECT * FROM "+parquet) {
			names = append(names, fmt.Sprint(c["column_name"]))
			columns = append(columns, fmt.Sprintf("%s: '%s'", c["column_name"], c["column_type"]))
		}
		if len(names) != len(table.Columns) {
			t.Errorf("%s: columns %v", table.Name, names)
		}
		lines := fmt.Sprintf("(SELECT %s FROM read_json('%s/ndjson/table=%s/*/*/*.ndjson', format = 'newline_delimited', hive_partitioning = false, maximum_object_size = 67108864, columns = {%s}))",
			strings.Join(names, ", "), dir, table.Name, strings.Join(columns, ", "))
		rows := db.ask(t, fmt.Sprintf(`SELECT (SELECT count(*) FROM %[1]s) AS rows, (SELECT count(*) FROM (FROM %[1]s EXCEPT ALL FROM %[2]s)) AS parquet,
			(SELECT count(*) FROM (FROM %[2]s EXCEPT ALL FROM %[1]s)) AS lines`, parquet, lines))[0]
		if rows["parquet"] != "0" || rows["lines"] != "0" || rows["rows"] == "0" {
			t.Errorf("%s: %v", table.Name, rows)
		}
	}
}
