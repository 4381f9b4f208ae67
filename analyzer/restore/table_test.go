package restore

import (
	"fmt"
	"testing"
)

// TestDecisionsInWords: what documentation prints of rows of the table, and nothing of a case
// that a row does not have.
func TestDecisionsInWords(t *testing.T) {
	list := Decisions()
	for _, tt := range []struct {
		row  rowID
		c    column
		want string
	}{
		{rowCreated, deaf, "phantom critical relist: runs on its node, the API shows nothing []"},
		{rowCreated, unplaced, "  : runs , the API shows  []"},
		{rowCreated, onto, "  : runs , the API shows  []"},
		{rowCreatedDying, deaf, "phantom warning self: runs on its node, until it has stopped, the API shows nothing []"},
		{rowCreatedDead, stale, "terminated warning self: runs perhaps on its node, until it has stopped, the API shows the current state's []"},
		{rowDeletedAlways, deaf, "ghost critical relist: runs nowhere, the API shows the backup's []"},
		{rowEndedNever, relist, "finished ok self: runs nowhere, the API shows the backup's, phase as now []"},
		{rowBound, relist, "terminated warning self: runs where the scheduler binds it, the API shows the backup's, Running [double-bind]"},
		{rowBound, unplaced, "terminated warning self: runs where the scheduler binds it, the API shows the backup's, bound to no node, Pending [double-bind]"},
	} {
		d := &list[tt.row].Cases[tt.c]
		if got := fmt.Sprintf("%s %s %s: runs %s, the API shows %s %v", d.Outcome, d.Severity, d.Heals, d.Runs, d.API, d.Flags); got != tt.want {
			t.Errorf("%s, %s:\ngot  %s\nwant %s", list[tt.row].Pods, DecisionCases[tt.c], got, tt.want)
		}
	}
}
