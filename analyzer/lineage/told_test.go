package lineage_test

import (
	"bytes"
	"fmt"
	"strings"

	"revenant/analyzer/lineage"
)

// reasons is what a Lineage says and counts.
func reasons(l *lineage.Lineage) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%+v\n", l.Reason, l.Compared)
	for _, r := range l.Restores {
		fmt.Fprintf(&b, "%s: %s\n", r.Snapshot, r.Detail)
	}
	return b.String()
}

// agreed is what an Agreement says.
func agreed(g *lineage.Agreement) string {
	var b strings.Builder
	agree := "not compared"
	if g.Agree != nil {
		agree = map[bool]string{true: "agree", false: "differ"}[*g.Agree]
	}
	fmt.Fprintf(&b, "%s up to %d, cluster %s, identical %t, behind %d, partial %t\n%d the same, %d not\n", agree, g.ComparedTo, g.Cluster, g.Identical, g.Behind, g.Partial, g.Same, g.Differences)
	if f := g.FirstDifference; f != nil {
		fmt.Fprintf(&b, "first %s at %d in %s\n", f.Key, f.Revision, f.In)
	}
	return b.String()
}
