package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// nullable are the fields of documents that docs/json.md says can be null. No list is
// among them.
var nullable = []string{"sha256", "agree", "revisionsPerSecond", "api", "deaf", "capacity", "suggested", "revisionsAtMost", "status", "gone", "before", "after", "value"}

// counts are the paths of numbers by what they count.
var counts = regexp.MustCompile(`\.(summary|certain|marks|policy\.checks)\.[^.]*$`)

// TestJSON holds the JSON of every verb against what docs/json.md promises of all
// documents: a version and a kind, and no null but where it says so. Every field of it
// has to be in there.
func TestJSON(t *testing.T) {
	docs, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, code := range regexp.MustCompile("`[^`]+`").FindAll(docs, -1) {
		for _, word := range regexp.MustCompile(`\w+`).FindAll(code, -1) {
			known[string(word)] = true
		}
	}
	evidenceFiles(t)
	for _, line := range []string{
		"inspect -o json backup.db",
		"inspect -o json --skip-hash-check --hashkv --at 100 --case 7 backup.db current.db no-members.db damaged.db",
		"inspect -o json data",
		"predict -o json backup.db current.db",
		"predict -o json --bump-revision 1000000000 --mark-compacted backup.db data --force",
		"predict -o json --compare backup.db current.db",
		"report -o json backup.db current.db",
		"plan -o json backup.db current.db",
		"plan -o json backup.db",
		"preflight -o json backup.db current.db",
		"preflight -o json --policy policy.yaml backup.db",
		"preflight -o json backup.db data --force",
		"carve -o json backup.db",
		"history -o json backup.db current.db deploy/old-app",
		"who -o json --audit-log audit.log backup.db current.db deploy/web -n shop",
		"salvage --report json -o whole.db backup.db",
		"salvage --report json -o saved.db damaged.db",
		"diff -o json backup.db current.db sts",
		"storage -o json backup.db",
		"verify -o json backup.db --kubelet node-1=pods.json",
		"train -o json --check answers.yaml",
	} {
		t.Run(line, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(line), streams{in: strings.NewReader(""), out: &out, err: &errs}); code == exitFailed {
				t.Fatal(&errs)
			}
			var doc map[string]any
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			if doc["schemaVersion"] != 1.0 || doc["kind"] == "" {
				t.Errorf("schemaVersion %v, kind %v", doc["schemaVersion"], doc["kind"])
			}
			missing := map[string]bool{}
			walkJSON(doc, "", func(path, field string, value any) {
				if value == nil && !slices.Contains(nullable, field) {
					t.Errorf("%s is null", path)
				}
				if !known[field] && !counts.MatchString(path) {
					missing[path] = true
				}
			})
			for _, path := range slices.Sorted(maps.Keys(missing)) {
				t.Errorf("docs/json.md does not have %s", path)
			}
		})
	}
}

// walkJSON visits every field below v, with a path in which elements of lists have
// no number.
func walkJSON(v any, path string, visit func(path, field string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for field, value := range v {
			visit(path+"."+field, field, value)
			walkJSON(value, path+"."+field, visit)
		}
	case []any:
		for _, e := range v {
			walkJSON(e, path+"[]", visit)
		}
	}
}
