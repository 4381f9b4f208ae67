package salvage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// The names of states. Those of other roots are rootState or keyState and the page.
const (
	TreeState = "tree"      // what the tree leads to
	ScanState = "tree+scan" // that, and what is found on pages in no bucket where the tree has lost something
	rootState = "root-"
	keyState  = "key-" // of a root of the revisions alone
)

// State is one of the states that the evidence supports.
type State struct {
	Name            string `json:"name"`
	What            string `json:"what"`
	Revisions       int    `json:"revisions"` // records that are written of it
	Keys            int    `json:"keys"`      // that are there at its newest revision
	NewestRevision  int64  `json:"newestRevision"`
	CompactRevision int64  `json:"compactRevision"`
	Problems        int    `json:"problems"` // in what it leads to
	// LeftOut is why another one is written, "" for that one.
	LeftOut string `json:"leftOut,omitempty"`

	from   func(context.Context) (*snapshot.Snapshot, error) // another root's; nil for the tree's
	remain int                                               // records that a compaction at the newest compact revision seen would leave
}

// UnknownStateError says that the evidence supports no state of that name.
type UnknownStateError struct {
	Name  string
	Names []string // of those that it supports
}

func (e *UnknownStateError) Error() string {
	return fmt.Sprintf("state %q is none of those that the evidence supports: %s", e.Name, strings.Join(e.Names, ", "))
}

// choose finds the states and chooses the one that is written. Other roots are looked
// for only where something is damaged, or one of them is asked for.
func choose(ctx context.Context, s *snapshot.Snapshot, opts Options) (*choice, map[string]map[string][]byte, error) {
	r := newResult(opts)
	small, err := r.smallBuckets(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.newChoice(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	tree := State{Name: TreeState, What: "what the tree leads to", CompactRevision: r.CompactRevision, Problems: problems(s)}
	if !c.damaged() && (opts.State == "" || opts.State == TreeState) {
		if err := c.nameNewer(ctx); err != nil {
			return nil, nil, err
		}
		if err := c.findMissing(ctx); err != nil {
			return nil, nil, err
		}
		tree.Revisions, tree.NewestRevision = c.total, s.NewestRecord()
		for range s.Keys("") {
			tree.Keys++
		}
		r.State, r.States = TreeState, []State{tree}
		return c, small, nil
	}
	states, err := c.states(ctx, tree)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := c.pick(states, opts.State)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case chosen.from != nil:
		if c, small, err = otherChoice(ctx, chosen.from, opts, r.CompactSeen); err != nil {
			return nil, nil, err
		}
	case chosen.Name == TreeState:
		c.left = nil
		r.Recovered, r.Conflicts = []Found{}, []Found{}
		r.Uncertain = slices.DeleteFunc(r.Uncertain, func(f Found) bool { return f.scanned })
	}
	c.r.State, c.r.States = chosen.Name, states
	return c, small, c.findMissing(ctx)
}

// states measures all that the evidence supports: the tree's first, and those of other
// roots last, one after the other.
func (c *choice) states(ctx context.Context, tree State) ([]State, error) {
	if err := c.seeCompactions(ctx); err != nil {
		return nil, err
	}
	if err := c.measure(ctx, &tree); err != nil {
		return nil, err
	}
	roots, err := c.otherRoots(ctx)
	if err != nil {
		return nil, err
	}
	if !c.damaged() {
		return append([]State{tree}, roots...), nil
	}
	if err := c.scan(ctx); err != nil {
		return nil, err
	}
	scanned := State{Name: ScanState, What: "that, and what pages in no bucket add to it", CompactRevision: tree.CompactRevision, Problems: tree.Problems}
	if err := c.measure(ctx, &scanned); err != nil {
		return nil, err
	}
	return append([]State{tree, scanned}, roots...), nil
}

// otherChoice is all that another root leads to.
func otherChoice(ctx context.Context, from func(context.Context) (*snapshot.Snapshot, error), opts Options, compactSeen int64) (*choice, map[string]map[string][]byte, error) {
	t, err := from(ctx)
	if err != nil {
		return nil, nil, err
	}
	r := newResult(opts)
	small, err := r.smallBuckets(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	r.CompactSeen = compactSeen
	c, err := r.newChoice(ctx, t)
	return c, small, err
}

// otherRoots measures the states of other roots, one after the other: of all, and of the
// revisions alone where something of them is lost.
func (c *choice) otherRoots(ctx context.Context) (states []State, err error) {
	roots, err := c.s.Roots(ctx)
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		if root.Page == c.s.Root() {
			continue
		}
		states = append(states, State{
			Name: fmt.Sprint(rootState, root.Page), What: fmt.Sprintf("what page %d leads to, another root", root.Page),
			from: func(ctx context.Context) (*snapshot.Snapshot, error) { return c.s.From(ctx, root.Page) },
		})
	}
	if c.lost.Any() {
		pages, err := c.s.KeyRoots(ctx)
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			states = append(states, State{
				Name: fmt.Sprint(keyState, page), What: fmt.Sprintf("the tree with the revisions that page %d leads to, which is in no bucket", page),
				from: func(ctx context.Context) (*snapshot.Snapshot, error) { return c.s.FromKeys(ctx, page) },
			})
		}
	}
	return c.measureOthers(ctx, states)
}

// measureOthers measures the states of other roots, and leaves out those without a record.
func (c *choice) measureOthers(ctx context.Context, all []State) (states []State, err error) {
	for _, state := range all {
		other, _, err := otherChoice(ctx, state.from, Options{IncludeUncertain: c.all}, c.r.CompactSeen)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue // it leads to no revisions
		}
		state.CompactRevision, state.Problems = other.r.CompactRevision, problems(other.s)
		if err := other.measure(ctx, &state); err != nil {
			return nil, err
		}
		if state.Revisions > 0 {
			states = append(states, state)
		}
	}
	return states, nil
}

// pick marks the state that is written and says of the others why they are not. The most
// complete is the one with the most records that the newest compaction would leave:
// nothing that remains in an older state may be missing in a newer one.
func (c *choice) pick(states []State, name string) (chosen *State, err error) {
	names := []string{}
	compact := c.r.CompactSeen
	for i := range states {
		s := &states[i]
		names = append(names, s.Name)
		switch {
		case name != "":
			if s.Name == name {
				chosen = s
			}
		case s.from == nil: // the scan only adds to the tree
			chosen = s
		case chosen.Revisions == 0 || s.whole(compact) && s.remain > chosen.remain:
			chosen = s
		case !s.whole(compact) || s.remain < chosen.remain:
		case chosen.from == nil && c.s.Unsettled(), chosen.from != nil && s.Revisions < chosen.Revisions: // its compaction is further
			chosen = s
		}
	}
	if chosen == nil {
		return nil, &UnknownStateError{Name: name, Names: names}
	}
	for i := range states {
		if s := &states[i]; s != chosen {
			s.LeftOut = s.why(chosen, name != "", compact)
		}
	}
	return chosen, nil
}

// whole says whether another root's state contradicts nothing: all that it leads to is
// there, and it is not older than the newest compaction.
func (s *State) whole(compact int64) bool { return s.Problems == 0 && s.NewestRevision >= compact }

// why says why another state was chosen.
func (s *State) why(chosen *State, asked bool, compact int64) string {
	switch {
	case asked:
		return "another one was asked for"
	case s.from != nil && s.Problems > 0:
		return fmt.Sprintf("what it leads to is not whole (%s)", words.Count(s.Problems, "problem"))
	case s.from != nil && s.NewestRevision < compact:
		return fmt.Sprintf("it is older than the compaction at %d", compact)
	case s.remain < chosen.remain:
		return "it holds less"
	}
	return "it holds nothing else"
}

// problems counts what is wrong with what a root leads to.
func problems(s *snapshot.Snapshot) (n int) {
	for _, p := range s.Problems() {
		if p.Severity == snapshot.Damage && p.Where != "file" && p.Where != "log" && p.Where != "directory" {
			n++
		}
	}
	return n
}

// measure counts what is written as things stand.
func (c *choice) measure(ctx context.Context, s *State) error {
	keys, above := c.s.NewKeySet(), 0
	below := -1
	for rec := range interruptible(ctx, c.records()) {
		if rec.Main > c.r.CompactSeen {
			if above++; below < 0 {
				below = keys.Len()
			}
		}
		keys.Apply(&rec)
		s.Revisions++
		s.NewestRevision = max(s.NewestRevision, rec.Main)
	}
	s.Keys = keys.Len()
	if below < 0 {
		below = s.Keys
	}
	s.remain = below + above
	return ctx.Err()
}
