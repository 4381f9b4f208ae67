package drift

import (
	"fmt"
	"strings"
)

// told is all that a report says, of actions and notes six words.
func told(r *Report) string {
	var b strings.Builder
	begin := func(s string) string {
		return strings.Join(strings.Fields(s)[:min(6, len(strings.Fields(s)))], " ") + " …"
	}
	for _, s := range r.Servers {
		fmt.Fprintf(&b, "API server %q: %d pods, %d listed differently, %d as the snapshot\n", s.Name, s.Pods, s.Differs, s.AsSnapshot)
	}
	for _, n := range r.Nodes {
		fmt.Fprintf(&b, "%s: seen %v, unread %q, %d running, %d phantoms, %d ghosts, %d doubles, %d strays, silent %t\n", n.Name, n.Seen, n.Unread, n.Running, n.Phantoms, n.Ghosts, n.Doubles, n.Strays, n.Silent)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s on %s, %s, by %v; %s\n  %s\n", f.Kind, strings.Trim(f.Namespace+"/"+f.Name+" "+f.UID+" "+f.Container, "/ "), f.Node, f.Certainty, f.Evidence, begin(f.Action), f.Reason)
		if f.Command != "" {
			fmt.Fprintf(&b, "  $ %s\n", f.Command)
		}
	}
	for i, n := range r.Notes {
		fmt.Fprintf(&b, "%s%s", []string{"notes: ", " "}[min(i, 1)], begin(n))
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}
