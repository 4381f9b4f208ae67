package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"revenant/export"
	"revenant/export/parquet"
)

// shared are the columns that every table has, first.
var shared = []string{"cluster_uid", "snapshot_sha256"}

// tablesDocument lists the tables and their columns.
func tablesDocument() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Tables\n\nPrinted from `export`: what `revenant export` writes ([fleet.md](fleet.md)), schema version %d. Within a schema version, tables and columns\nare only added.\n\n", export.SchemaVersion)
	b.WriteString("Timestamps are in UTC, to the microsecond. Lists and maps are never null; a column that may be null is marked so, and null means that the\nevidence does not show it, or that there is none. Every table begins with `cluster_uid` and `snapshot_sha256`. In every file, the key\n`revenant.schemaVersion` of the metadata is the schema version.\n")
	for _, t := range export.List {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| column | type | null | what |\n| --- | --- | --- | --- |\n", t.Name, t.Doc)
		for _, c := range t.Columns {
			if slices.Contains(shared, c.Name) && t.Name != "snapshots" {
				if c.Doc == "" || strings.HasPrefix(c.Doc, "as in") {
					continue
				}
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Name, c.Type, null(c), c.Doc)
			for _, f := range c.Fields {
				fmt.Fprintf(&b, "| `%s[].%s` | %s | %s | %s |\n", c.Name, f.Name, f.Type, null(f), f.Doc)
			}
		}
	}
	return b.String()
}

func null(c parquet.Column) string {
	if c.Nullable {
		return "null"
	}
	return ""
}

// trinoDocument has the statements that make the tables known to Trino's Hive connector.
func trinoDocument() string {
	var b strings.Builder
	b.WriteString("-- Printed from export. Put in the catalog and schema, and where the tables are.\n")
	for _, t := range export.List {
		fmt.Fprintf(&b, "\nCREATE TABLE %s (\n", t.Name)
		for _, c := range t.Columns {
			fmt.Fprintf(&b, "  %s %s,\n", c.Name, trinoType(c))
		}
		fmt.Fprintf(&b, "  cluster varchar,\n  snapshot varchar\n) WITH (format = 'PARQUET', external_location = 's3://BUCKET/tables/table=%s', partitioned_by = ARRAY['cluster', 'snapshot']);\n", t.Name)
		fmt.Fprintf(&b, "CALL system.sync_partition_metadata('SCHEMA', '%s', 'ADD');\n", t.Name)
	}
	return b.String()
}

func trinoType(c parquet.Column) string {
	names := map[string]string{"string": "varchar", "int64": "bigint", "double": "double", "boolean": "boolean", "timestamp": "timestamp(6)"}
	of, list := strings.CutPrefix(c.Type, "list of ")
	switch {
	case c.Type == "map of string":
		return "map(varchar, varchar)"
	case c.Fields != nil:
		var fields []string
		for _, f := range c.Fields {
			fields = append(fields, f.Name+" "+trinoType(f))
		}
		return "array(row(" + strings.Join(fields, ", ") + "))"
	case list:
		return "array(" + names[of] + ")"
	}
	return names[of]
}

// reserved are words that one of the engines takes for none of its names.
var reserved = strings.Fields(`all and any as asc between by case check column constraint create cross current default delete desc distinct
else end except exists false for foreign from full group having in inner insert intersect interval into is join left like limit natural not
null offset on or order outer primary references right select set table then time timestamp to true union unique update user using values when where with`)

// TestTables wants every column documented, and named so that SQL takes the name as it is.
func TestTables(t *testing.T) {
	for _, table := range export.List {
		if got := []string{table.Columns[0].Name, table.Columns[1].Name}; !slices.Equal(got, shared) {
			t.Errorf("%s begins with %v", table.Name, got)
		}
		seen := map[string]bool{}
		for _, c := range table.Columns {
			for _, f := range append([]parquet.Column{c}, c.Fields...) {
				if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(f.Name) || slices.Contains(reserved, f.Name) {
					t.Errorf("%s.%s: no name for a column", table.Name, f.Name)
				}
				if f.Doc == "" && !slices.Contains(shared, f.Name) {
					t.Errorf("%s.%s is not documented", table.Name, f.Name)
				}
			}
			if seen[c.Name] || slices.Contains([]string{"cluster", "snapshot", "table"}, c.Name) {
				t.Errorf("%s.%s is there twice, or is a partition", table.Name, c.Name)
			}
			seen[c.Name] = true
		}
	}
}
