package rollback_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/rollback"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/golden"
)

// backwardsPath has, for each case of the tables of this package, what is counted and shown,
// and all that is found where the same change was made the other way; and what API servers
// call.
const backwardsPath = "testdata/backwards.txt"

var (
	written = map[string]string{} // by case, where the file is rewritten
	held    map[string]string     // what the file has
)

func TestMain(m *testing.M) {
	flag.Parse()
	held = map[string]string{}
	text, _ := os.ReadFile(backwardsPath)
	for _, section := range strings.Split(string(text), "\n# ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		held[name] = body
	}
	code := m.Run()
	if golden.Updating() && code == 0 {
		maps.Copy(held, written)
		var b strings.Builder
		b.WriteString("Written by go test ./analyzer/rollback -update: what is counted, and how it is shown; and after < what is\nfound where the same change was made the other way.\n")
		for _, name := range slices.Sorted(maps.Keys(held)) {
			b.WriteString("\n# " + name + "\n" + strings.TrimSuffix(held[name], "\n"))
		}
		if err := os.WriteFile(backwardsPath, []byte(b.String()+"\n"), 0o644); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.Exit(code)
}

// backwards holds what is found of a case, and of the case the other way.
func backwards(t *testing.T, before, after []change) {
	t.Helper()
	var b strings.Builder
	backup, current := pair(t, before, after)
	r := compare(t, backup, current)
	b.WriteString(counts(r))
	var shown []string
	for _, f := range r.Findings {
		var refs []string
		for _, ref := range f.Evidence {
			refs = append(refs, fmt.Sprintf("%.1s%d %s", ref.Snapshot, ref.Revision, strings.TrimPrefix(ref.Key, prefix+"/")))
		}
		shown = append(shown, fmt.Sprintf("%s by %s%s", f.ID, strings.Join(refs, ", "), inferred(&f)))
	}
	if len(shown) > 0 {
		fmt.Fprintf(&b, "  %s\n", strings.Join(shown, "; "))
	}
	before, after = turned(before, after)
	backup, current = pair(t, before, after)
	r = compare(t, backup, current)
	b.WriteString("< " + counts(r))
	for _, f := range r.Findings {
		name := f.Name
		if f.Namespace != "" {
			name = f.Namespace + "/" + name
		}
		fmt.Fprintf(&b, "  %s %s %s %s %s: %s%s\n", f.ID, f.Severity, f.Certainty, f.Kind, name, f.Reason, inferred(&f))
	}
	hold(t, b.String())
}

// hold compares what is said of a case with what the file has of it.
func hold(t *testing.T, said string) {
	t.Helper()
	if golden.Updating() {
		written[t.Name()] = said
		return
	}
	if diff := cmp.Diff(strings.TrimRight(held[t.Name()], "\n"), strings.TrimRight(said, "\n")); diff != "" {
		t.Errorf("%s has something else; -update rewrites it (-file +said):\n%s", backwardsPath, diff)
	}
}

// inferred is what is said to follow, where that is not what always does.
func inferred(f *rollback.Finding) string {
	for _, info := range rollback.Infos {
		if info.ID == f.ID && info.Inferred != f.Inferred {
			return " => " + f.Inferred
		}
	}
	return ""
}

func counts(r *rollback.Rollback) string {
	var list []string
	for _, k := range r.Kinds {
		text := k.Resource
		for _, n := range []struct {
			what     string
			count    int
			examples []string
		}{
			{"lost", k.Lost, k.Examples.Lost}, {"back", k.Resurrected, k.Examples.Resurrected}, {"replaced", k.Replaced, k.Examples.Replaced},
			{"changed", k.RolledBack, k.Examples.RolledBack}, {"of status", k.StatusOnly, nil}, {"beats", k.Heartbeats, nil}, {"same", k.Unchanged, nil},
		} {
			if n.count > 0 {
				text += fmt.Sprintf(" %d %s", n.count, n.what)
			}
			if len(n.examples) > 0 {
				text += fmt.Sprintf(" %s", n.examples)
			}
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ") + "\n"
}

// turned has what was there after the changes as the backup, and takes the changes back.
func turned(before, after []change) (is, back []change) {
	was, at, recreated := map[string]change{}, map[string]int{}, map[string]bool{}
	for n, c := range slices.Concat(before, after) {
		if c.Value == nil {
			recreated[c.Key] = n >= len(before)
		}
		at[c.Key] = n
		if n < len(before) {
			was[c.Key] = c
		}
	}
	for n, c := range slices.Concat(before, after) {
		if at[c.Key] == n && c.Value != nil {
			is = append(is, c)
		}
	}
	for _, c := range after {
		if _, ok := at[c.Key]; !ok {
			continue // it was taken back already
		}
		delete(at, c.Key)
		old := was[c.Key]
		if there := slices.ContainsFunc(is, func(i change) bool { return i.Key == c.Key }); there && (recreated[c.Key] || old.Value == nil) {
			back = append(back, snapshottest.Delete(c.Key))
		}
		if old.Value != nil {
			back = append(back, old)
		}
	}
	return is, back
}
