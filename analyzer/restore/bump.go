package restore

import (
	"fmt"
	"math"
)

// lastStart is the highest revision that a bump may start a store at. etcd counts in
// 64 bits with a sign, and writes nothing above the largest number: this leaves as many
// revisions as a thousand writes a second take 34 years for.
const lastStart = math.MaxInt64 - 1<<40

// LargestBump is the largest bump of a store whose newest record is base that leaves
// it room to be written to; 0 when none does.
func LargestBump(base int64) int64 { return max(lastStart-max(base, 0), 0) }

// NeededBump is the smallest bump that starts a store whose newest record is base above
// all that was seen: by one for a fresh API server to refuse a watch, and by two for one
// left running to lose its own. ok is false when no bump can be enough.
func NeededBump(base, seen int64, keepAPIServers bool) (bump int64, ok bool) {
	above := int64(1)
	if keepAPIServers {
		above = 2
	}
	bump = max(0, add(seen-base, above))
	largest := LargestBump(base)
	return bump, largest > 0 && bump <= largest
}

// NoBumpFits says why no bump puts a store above what was seen, and what helps instead.
func NoBumpFits(seen int64) string {
	return fmt.Sprintf("No bump can be enough: revision %d was served, and etcd counts to %d. "+
		"No cluster reaches that by normal writes: make sure that this is the right evidence. "+
		"If it is, restart all kubelets and API servers after the restore instead, and whatever else watches.", seen, int64(math.MaxInt64))
}
