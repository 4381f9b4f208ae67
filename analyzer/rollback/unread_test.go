package rollback_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// TestUnreadValues holds what changes in what is found where one value of a case cannot be read: what is
// found no longer, and what is found instead.
func TestUnreadValues(t *testing.T) {
	found := func(backup, current *snapshot.Snapshot) map[string]bool {
		list := map[string]bool{}
		for _, f := range compare(t, backup, current).Findings {
			name := f.Name
			if f.Namespace != "" {
				name = f.Namespace + "/" + name
			}
			list[fmt.Sprintf("%s %s %s %s: %s", f.ID, f.Severity, f.Certainty, name, f.Reason)] = true
		}
		return list
	}
	lines := map[string]map[string]bool{}
	for _, tt := range findingCases(t) {
		before, after := changes(t, tt.before), changes(t, tt.after)
		backup, current := pair(t, before, after)
		was := found(backup, current)
		for side, list := range map[string][]change{"backup": before, "current state": after} {
			for i, c := range list {
				k, ok := kube.ParseKey(prefix, c.Key)
				if c.Value == nil || !ok {
					continue
				}
				kept := list[i]
				list[i] = snapshottest.Put(c.Key, "?")
				changed, now := backup, snapshottest.Store(t, slices.Concat(before, after)...)
				if side == "backup" {
					changed = snapshottest.Store(t, before...)
				}
				is := found(changed, now)
				list[i] = kept
				head := k.Resource + " of the " + side
				if lines[head] == nil {
					lines[head] = map[string]bool{}
				}
				for text := range was {
					if id, _, _ := strings.Cut(text, " "); !is[text] {
						lines[head]["no "+id] = true
					}
				}
				for text := range is {
					if !was[text] && !strings.HasPrefix(text, "unreadable") {
						lines[head][text] = true
					}
				}
			}
		}
	}
	var b strings.Builder
	for _, head := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "%s\n", head)
		for _, text := range slices.Sorted(maps.Keys(lines[head])) {
			fmt.Fprintf(&b, "  %s\n", text)
		}
	}
	hold(t, b.String())
}
