package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/finding"
	"revenant/analyzer/rollback"
)

func rolledBack(r *rollback.Rollback, all bool) string {
	var b strings.Builder
	w := NewPrinter(&b)
	rollbackText(w, r, false, all)
	_ = w.Flush() // a strings.Builder takes everything
	return b.String()
}

func TestRollbackText(t *testing.T) {
	r := &rollback.Rollback{
		Kinds: []rollback.Kind{
			{Resource: "events", Lost: 9},
			{Resource: "nodes", Heartbeats: 3},
			{Resource: "secrets", Lost: 1, Resurrected: 2, Replaced: 3, RolledBack: 1234, StatusOnly: 4, Unchanged: 5, Heartbeats: 1},
		},
		Findings: []rollback.Finding{
			{ID: rollback.AccessRegranted, Severity: finding.Critical, Certainty: finding.Certain, Kind: "clusterroles.rbac.authorization.k8s.io", Name: "admin", Reason: "only in the backup: 1 rule", Action: "Delete it."},
			{ID: rollback.VolumeLeaked, Severity: finding.Warning, Certainty: finding.Certain, Kind: "persistentvolumes", Name: "pv-1\x1b[2J", Reason: "only in the current state", Inferred: "Its disk stays.", Action: "Create it again."},
			{ID: rollback.TokenOfPhantoms, Severity: finding.OK, Certainty: finding.Certain, Kind: "serviceaccounts", Namespace: "ns", Name: "default", Reason: "1 pod", Action: "Nothing."},
		},
		Summary: map[rollback.ID]int{rollback.AccessRegranted: 1, rollback.VolumeLeaked: 1, rollback.TokenOfPhantoms: 1},
	}
	want := `What else goes back in time
RESOURCE  LOST  BACK  REPLACED  ROLLED BACK  STATUS ONLY  UNCHANGED
secrets   1     2     3         1,234        4            6
2 more resources do not differ in anything that lasts.

access-regranted: Permission granted again (critical, certain)
  A role or binding that was removed or narrowed after the backup is in force again.
  To do: Delete it.
    - clusterroles.rbac.authorization.k8s.io/admin: only in the backup: 1 rule

volume-leaked: Volume orphaned (warning, certain)
  The PersistentVolume was created after the backup.
  Inferred: Its disk stays.
  To do: Create it again.
    - persistentvolumes/pv-1�[2J: only in the current state

1 finding needs no attention; --all lists it.
`
	if diff := cmp.Diff(want, rolledBack(r, false)); diff != "" {
		t.Errorf("text (-want):\n%s", diff)
	}
	for _, line := range []string{"events ", "nodes ", "    - serviceaccounts/default in ns: 1 pod\n"} {
		if !strings.Contains(rolledBack(r, true), line) {
			t.Errorf("%q is not in the whole text", line)
		}
	}
}

// TestRollbackTextCuts: long lists are cut, and what was left out of the findings is counted, too.
func TestRollbackTextCuts(t *testing.T) {
	r := &rollback.Rollback{Summary: map[rollback.ID]int{rollback.VolumeLeaked: 70}}
	for i := range rollback.MaxFindings {
		r.Findings = append(r.Findings, rollback.Finding{ID: rollback.VolumeLeaked, Severity: finding.Warning, Kind: "persistentvolumes", Name: fmt.Sprint("pv-", i)})
	}
	tests := []struct {
		all    bool
		listed int
		more   string
	}{
		{false, listedFindings, "    - and 45 more; --all lists them\n\nvolume-leaked: 20 more were only counted.\n"},
		{true, rollback.MaxFindings, "pv-49:\n\nvolume-leaked: 20 more were only counted.\n"},
	}
	for _, tt := range tests {
		text := rolledBack(r, tt.all)
		if n := strings.Count(text, "- persistentvolumes/"); n != tt.listed || !strings.Contains(text, tt.more) {
			t.Errorf("all %v: %d listed, and in the text: %s", tt.all, n, text)
		}
	}
}

func TestRollbackTextOfNothing(t *testing.T) {
	want := "What else goes back in time\n  Nothing: the two snapshots hold the same.\n"
	if diff := cmp.Diff(want, rolledBack(&rollback.Rollback{}, false)); diff != "" {
		t.Errorf("text (-want):\n%s", diff)
	}
}
