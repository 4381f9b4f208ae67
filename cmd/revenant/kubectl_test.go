package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
)

// TestKubectl asks of a snapshot what a real kubectl was asked of the cluster it was saved
// of: every table, and queries made from a seed (oracle/cmd/kubectl).
func TestKubectl(t *testing.T) {
	k := corpus.ReadKubectl(t, "../../testdata")
	s := snapshottest.OpenBytes(t, "snapshot", k.Snapshot)
	where, now, err := (&queryOptions{}).state(t.Context(), &openOptions{}, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range k.Queries {
		t.Run(strings.Join(q.Args, " "), func(t *testing.T) {
			var out, errs bytes.Buffer
			root := newRoot(streams{in: strings.NewReader(""), out: &out, err: &errs}, func(ctx context.Context, v verb, args []string) error {
				get := v.(*getOptions)
				if _, err := get.parse(args); err != nil {
					return err
				}
				return get.write(ctx, where, now)
			})
			root.SetArgs(append([]string{"get", "snapshot.db", "--show-secrets"}, q.Args...))
			code := exitCode(&errs, root.ExecuteContext(t.Context()))
			if deliberate(q.Args, q.Stderr, errs.String()) {
				t.Skip("differs deliberately (docs/get.md)")
			}
			if failed := code != exitOK; failed != q.Failed {
				t.Fatalf("exit code %d, %s; kubectl failed: %v, %s", code, &errs, q.Failed, q.Stderr)
			}
			if q.Failed {
				return
			}
			want, got := q.Stdout, out.String()
			if len(q.Args) < 3 || !strings.Contains(strings.Join(q.Args, " "), "-o jsonpath") {
				want, got = comparable(want), comparable(got)
			}
			if strings.HasPrefix(q.Args[0], "flowschemas") { // kubectl lists them by their precedence
				want, got = inOrder(want), inOrder(got)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-kubectl +revenant:\n%s", diff)
			}
		})
	}
}

// deliberate says whether revenant is not to do as kubectl does: an object that is named
// twice is listed once, Events are those of the core group, and a field to sort by that
// no object has is an error even where kubectl forgets to say so.
func deliberate(args []string, theirs, ours string) bool {
	named := slices.IndexFunc(args[1:], func(arg string) bool { return strings.HasPrefix(arg, "-") })
	return named > 1 && args[1] == args[2] || args[0] == "events.events.k8s.io" && args[len(args)-1] == "name" ||
		strings.Contains(ours, "none of the objects has the field") && strings.HasPrefix(theirs, "No resources found") ||
		ours == "No resources found.\n" && strings.Contains(theirs, "couldn't find any field")
}

// An age of less than a day, and what aligns it: objects were created minutes before
// kubectl was asked, and all that is older was put into them.
var (
	young = regexp.MustCompile(`( |^)(?:(?:>|<|\d+[smh]-)?(?:\d+[smh])+)\b`)
	room  = regexp.MustCompile(`(YOUNG|AGE|DURATION|LAST SCHEDULE|LAST SEEN|FIRST SEEN|TIMEADDED|COMPLETED|RESTARTS) +`)
)

// comparable is a table without what differs: the ages of what is young, and spaces at
// the ends of lines.
func comparable(table string) string {
	lines := strings.Split(table, "\n")
	for i, line := range lines {
		line = room.ReplaceAllString(young.ReplaceAllString(line, "${1}YOUNG"), "$1 ")
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}

func inOrder(text string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(text, "\n")), "\n")
}

// TestApplied extracts everything from the snapshot, and compares the manifests with those
// that were applied to a real API server.
func TestApplied(t *testing.T) {
	k := corpus.ReadKubectl(t, "../../testdata")
	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, k.Snapshot, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "manifests")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"extract", path, "--show-secrets", "--dir", dir}, streams{in: strings.NewReader(""), out: &out, err: &errs})
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	var got, want []string
	for _, file := range paths {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	for _, m := range k.Applied {
		want = append(want, m.Manifest)
		if m.Refused != "" {
			t.Errorf("refused: %s\n%s", m.Refused, m.Manifest)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-applied +extracted (go run ./cmd/kubectl in oracle applies again):\n%s", diff)
	}
}
