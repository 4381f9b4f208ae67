package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"revenant/analyzer/clock"
	"revenant/decoder/snapshot"
)

// addChoice adds the flags that choose objects in whatever state.
func (o *queryOptions) addChoice(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.query.Namespace, "namespace", "n", "", "only objects of this `NAMESPACE` (default: of all)")
	flags.BoolVarP(&o.all, "all-namespaces", "A", false, "objects of all namespaces, as without -n")
	flags.StringVarP(&o.selector, "selector", "l", "", "only objects with these `LABELS`: app=web,tier!=db")
	cmd.MarkFlagsMutuallyExclusive("namespace", "all-namespaces")
}

// chooses says whether anything but all objects is asked for.
func (o *queryOptions) chooses() bool {
	q := o.query
	return len(q.Words) > 0 || q.Namespace != "" || q.Labels != nil || q.Fields != nil
}

// revisionAt is the revision that a flag names, by itself or by a time; 0 is the newest.
func revisionAt(s *snapshot.Snapshot, c *clock.Clock, flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	m, err := clock.ParseMoment(text, c.Taken().From)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", flag, err)
	}
	revision, err := c.Revision(m, s.Revision())
	if err != nil {
		return 0, hinted(fmt.Errorf("%s: %w", flag, err), "give a revision")
	}
	return revision, nil
}
