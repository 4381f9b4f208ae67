package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"revenant/internal/corpus"
)

// TestReadme checks that the output in README.md and in the pages beside it is what
// the program prints.
func TestReadme(t *testing.T) {
	for _, tt := range []struct {
		page string
		args []string
		ends string // with which the pasted part ends, "" for all of it
	}{
		{page: "README.md", args: []string{"predict", "backup.db", "current.db", "--compare"}, ends: "\n\nplain: "},
		{page: "docs/predict.md"},
		{page: "docs/predict.md", args: []string{"--bump-revision", "1000000000", "--mark-compacted"}},
		{page: "docs/predict.md", args: []string{"predict", "backup.db", "current.db", "--compare"}},
		{page: "docs/get.md", args: []string{"get", "backup.db", "deploy,svc", "-n", "shop", "-o", "wide"}},
		{page: "docs/history.md", args: []string{"history", "backup.db", "current.db", "deploy/old-app"}},
		{page: "docs/search.md", args: []string{"search", "backup.db", "current.db", "lab/app:v2", "--kind", "deployments,replicasets"}},
		{page: "docs/diff.md", args: []string{"diff", "backup.db", "current.db", "secrets", "-n", "shop"}},
		{page: "docs/timeline.md", args: []string{"timeline", "current.db", "deploy/web", "-n", "shop", "--from", "455", "--to", "480"}},
		{page: "docs/describe.md", args: []string{"describe", "current.db", "deploy/old-app", "-n", "doomed", "--deleted"}, ends: "\nSpec:"},
		{page: "docs/train.md", args: []string{"train"}},
		{page: "docs/train.md", args: []string{"train", "--check", "answers.yaml"}},
		{page: "docs/storage.md", args: []string{"storage", "backup.db", "--top", "3"}},
		{page: "docs/who.md", args: []string{"who", "backup.db", "current.db", "deploy/web", "-n", "shop", "--audit-log", "audit.log"}},
		{page: "docs/extract.md", args: []string{"extract", "backup.db", "deploy/web", "-n", "shop"}},
		{page: "docs/inspect.md", args: []string{"inspect", "backup.db"}},
		{page: "docs/inspect.md", args: []string{"salvage", "data", "-o", "newest.db"}},
	} {
		t.Run(tt.page+" revenant "+strings.Join(tt.args, " "), func(t *testing.T) {
			page, err := os.ReadFile(filepath.Join(repository, tt.page))
			if err != nil {
				t.Fatal(err)
			}
			out := output(t, tt.args)
			if tt.ends != "" {
				before, _, found := strings.Cut(out, tt.ends)
				if !found {
					t.Errorf("the output does not have %q:\n%s", tt.ends, out)
				}
				out = before + "\n"
			}
			if !strings.Contains(string(page), "```\n"+out+"```\n") {
				t.Errorf("%s does not have this output:\n%s", tt.page, out)
			}
		})
	}
}

// output runs revenant without a terminal, beside some evidence.
func output(t *testing.T, args []string) string {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	evidenceFiles(t)
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK && code != exitFindings {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	return out.String()
}

// evidenceFiles goes to a directory with the demo's two snapshots, one that is
// damaged, one without members, the data directory of a member that was killed, and
// what a node without pods says.
func evidenceFiles(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, data := range corpus.Files(t, memberArchive("scenario-5/datadir-lagging")) {
		writeEvidence(t, filepath.Join("data", filepath.FromSlash(name)), data)
	}
	for name, path := range map[string]string{
		"backup.db": "clusters/scenario-1/plain/backup", "current.db": "clusters/scenario-1/plain/current", "no-members.db": "mvcc/compacted",
	} {
		data := corpus.Unpack(t, filepath.Join(repository, "testdata", path+".db.gz"))
		writeEvidence(t, name, data)
		if name == "current.db" {
			writeEvidence(t, "damaged.db", data[:len(data)-4128])
		}
	}
	writeEvidence(t, "policy.yaml", []byte("limits: {maxAge: 25h}\nchecks:\n  age: {unknown: fail}\n  etcd-version: {unknown: ignore}\n"))
	script, err := txtar.ParseFile(filepath.Join(repository, "cmd/revenant/testdata/script/who.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	writeEvidence(t, "audit.log", slices.Concat(script.Files[0].Data, script.Files[1].Data))
	writeEvidence(t, "answers.yaml", classAnswers(t))
	writeEvidence(t, "pods.json", []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`))
}

// classAnswers is the file of answers that docs/train.md shows.
func classAnswers(t *testing.T) []byte {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(repository, "docs/train.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\n")
	text, _, found := strings.Cut(text, "```\n")
	if !found {
		t.Fatal("docs/train.md shows no file of answers")
	}
	return []byte(text)
}

func writeEvidence(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, data, 0o400)); err != nil {
		t.Fatal(err)
	}
}

// TestLinks checks that every page and picture that a page names is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)="([^":]+)"`)
	found := 0
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "docs/*/*/*.md", "testdata/*.md"} {
		pages, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllSubmatch(text, -1) {
				found++
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), string(m[1])+string(m[2]))); err != nil {
					t.Errorf("%s: %v", page, err)
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("%d links were found", found)
	}
}

// TestReadmeIsShort keeps the README to what fits in a few screens.
func TestReadmeIsShort(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n > 120 {
		t.Errorf("README.md has %d lines, at most 120: move something to docs", n)
	}
}

// TestPinned wants every action of a workflow by its commit, with the version beside it, and
// no program of a release by a version that can move.
func TestPinned(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(repository, ".github/workflows/*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = append(files, filepath.Join(repository, "scripts/release/goreleaser.sh"))
	action := regexp.MustCompile(`uses: (.*)`)
	pinned := regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range action.FindAllSubmatch(text, -1) {
			if !pinned.Match(m[1]) {
				t.Errorf("%s: %s", file, m[1])
			}
		}
		if bytes.Contains(text, []byte("@latest")) {
			t.Errorf("%s: @latest", file)
		}
	}
}
