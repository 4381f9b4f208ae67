package wal

import (
	"fmt"
	"strings"
)

// describe is all that was read of a log.
func describe(log *Log) string {
	var b strings.Builder
	short := func(names []string) (list []string) {
		for _, name := range names {
			list = append(list, strings.ReplaceAll(name, "00000000000000", "…"))
		}
		return list
	}
	fmt.Fprintf(&b, "  segments %v after %d older ones, beyond %v; %d bytes\n", short(log.Segments), log.Older, short(log.Beyond), log.Bytes)
	fmt.Fprintf(&b, "  member %x of %x, term %d, %d agreed on, %d seen", log.NodeID, log.ClusterID, log.Term, log.Commit, log.Seen)
	if log.MayGoOn {
		b.WriteString(", may go on")
	}
	b.WriteString("\n")
	for i, e := range log.Entries {
		if i == 0 || i == len(log.Entries)-1 || e.Term != log.Entries[i-1].Term {
			fmt.Fprintf(&b, "  entry %d of term %d: %q, at byte %d of segment %d\n", e.Index, e.Term, e.Data, e.Offset, e.Segment)
		}
	}
	for _, gap := range log.Missing {
		fmt.Fprintf(&b, "  missing %d to %d: %s\n", gap.From, gap.To, gap.Why)
	}
	for _, f := range log.Faults {
		fmt.Fprintf(&b, "  %s (damage %t)\n", strings.ReplaceAll(f.String(), "00000000000000", "…"), f.Damage)
	}
	return b.String()
}
