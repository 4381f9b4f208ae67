package diff

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// State is one moment.
type State struct {
	Snapshot *snapshot.Snapshot
	Revision int64 // 0 is the newest
}

// Options say what is known of two states.
type Options struct {
	Prefix string // of the API server's keys
	// Common is the newest revision up to which the two snapshots are known to be of
	// one history: records that are the same by their revision are not read then. 0 is
	// not known. Of one snapshot it is not asked.
	Common int64
	// Wanted says of a key whether it is compared; nil compares all.
	Wanted func(key string) bool
	// ShowSecrets tells what Secrets hold.
	ShowSecrets bool
	// Progress, when set, is called with how many objects were compared, of how many; less
	// than 0 when that is unknown. It is not called by two goroutines at once.
	Progress func(done, total int)
}

// Fate is what became of an object from one state to the other.
type Fate uint8

// The fates.
const (
	Added Fate = iota
	Removed
	Recreated // deleted, and recreated: another object of the same name
	Changed   // or it could not be read whether it is
	Quiet     // nothing but noise differs
	fates
)

var fateNames = [fates]string{"added", "removed", "recreated", "changed", "noise only"}

func (f Fate) String() string { return fateNames[f] }

// Object is one that differs. There may be a million of them.
type Object struct {
	Key           string // in etcd
	Before, After int64  // mod revisions, 0 where it does not exist
	Fate          Fate
	Noise         Noise  // that was found in it
	Problem       string // why it could not be read in full, "" when it could
}

// Counts counts objects by their fate.
type Counts [fates]int

// Total is how many there are, noise included.
func (c *Counts) Total() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// Group is a resource, or a namespace of one.
type Group struct {
	Name string // "" for objects in no namespace
	Counts
	Unread  int     // objects that could not be read in full
	Noise   Noise   // that was found
	Within  []Group // the namespaces of a resource, by name
	Objects []int32 // places in Comparison.Objects, of a namespace only
}

// Comparison is what differs between two states.
type Comparison struct {
	Before, After State    // with their revisions
	Objects       []Object // that differ, by key
	Same          int      // objects that do not
	// Sifted says that every object was read that could be noise only. Before, none is
	// counted as that.
	Sifted bool
	Group  // of everything: Within are the resources, by name
	// Warnings say what the comparison cannot know.
	Warnings []string

	prefix        string
	namer         *keyspace.Namer
	before, after *snapshot.View
	secrets       bool
}

// Differ says whether anything but noise differs, as far as it was sifted.
func (c *Comparison) Differ() bool { return c.Total() > c.Counts[Quiet] }

// Compare tells two states apart by keys and revisions. Values are read only where
// these do not decide it. The error is ctx's, or refuses a revision as Snapshot.At does.
func Compare(ctx context.Context, before, after State, opts Options) (*Comparison, error) {
	c := &Comparison{prefix: opts.Prefix, namer: keyspace.NewNamer(opts.Prefix), secrets: opts.ShowSecrets}
	var err error
	if c.before, err = before.view(); err != nil {
		return nil, err
	}
	if c.after, err = after.view(); err != nil {
		return nil, err
	}
	c.Before, c.After = State{before.Snapshot, c.before.Revision()}, State{after.Snapshot, c.after.Revision()}
	common := opts.Common
	if before.Snapshot == after.Snapshot {
		common = math.MaxInt64
	}
	n := 0
	for b, a := range pairs(c.before.Keys(""), c.after.Keys("")) {
		if n++; n%every == 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if opts.Progress != nil {
				opts.Progress(n, -1)
			}
		}
		if opts.Wanted == nil || opts.Wanted(cmp.Or(a.Key, b.Key)) {
			c.compare(b, a, common)
		}
	}
	if err := c.warn(ctx, opts); err != nil {
		return nil, err
	}
	c.group()
	return c, ctx.Err()
}

const every = 1 << 12

func (s State) view() (*snapshot.View, error) {
	v, err := s.Snapshot.At(s.Revision)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Snapshot.Path(), err)
	}
	return v, nil
}

// compare holds two records of a key against each other; one without a key is none.
func (c *Comparison) compare(b, a snapshot.Record, common int64) {
	o := Object{Key: cmp.Or(a.Key, b.Key), Before: b.Main, After: a.Main, Fate: Changed}
	switch {
	case b.Key == "":
		o.Fate = Added
	case a.Key == "":
		o.Fate = Removed
	case a.Revision == b.Revision && a.Main <= common, a.Revision == b.Revision && c.sameBytes(b, a):
		c.Same++
		return
	case min(a.Main, b.Main) <= common && a.CreateRevision != b.CreateRevision:
		o.Fate = Recreated // the newer one follows the older one in one history
	}
	c.Objects = append(c.Objects, o)
}

func (c *Comparison) sameBytes(b, a snapshot.Record) bool {
	if b.Size != a.Size || b.CreateRevision != a.CreateRevision || b.Version != a.Version {
		return false
	}
	x, errX := c.Before.Snapshot.Raw(b, nil)
	y, errY := c.After.Snapshot.Raw(a, nil)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// pairs yields the records of two sequences that are sorted by key, those of one key
// together, the zero Record for none.
func pairs(before, after iter.Seq[snapshot.Record]) iter.Seq2[snapshot.Record, snapshot.Record] {
	return func(yield func(b, a snapshot.Record) bool) {
		nextB, stopB := iter.Pull(before)
		defer stopB()
		nextA, stopA := iter.Pull(after)
		defer stopA()
		b, okB := nextB()
		a, okA := nextA()
		for okB || okA {
			var x, y snapshot.Record
			order := strings.Compare(b.Key, a.Key)
			switch {
			case !okA:
				order = -1
			case !okB:
				order = 1
			}
			if order <= 0 {
				x = b
				b, okB = nextB()
			}
			if order >= 0 {
				y = a
				a, okA = nextA()
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

// warn says what the comparison cannot know. The error is ctx's.
func (c *Comparison) warn(ctx context.Context, opts Options) error {
	for _, s := range []State{c.Before, c.After} {
		missing, err := s.Snapshot.Missing(ctx)
		if err != nil {
			return err
		}
		for _, m := range missing {
			c.Warnings = append(c.Warnings, s.Snapshot.Path()+" lacks "+m.What+": an older state may stand in for the newest, and what it lacks may be lost there")
		}
		if c.Before.Snapshot == c.After.Snapshot {
			return nil
		}
	}
	if opts.Common == 0 {
		c.Warnings = append(c.Warnings, "the two are not known to be of one history: objects are matched by name, and told apart by uid and content")
	}
	return nil
}

// Sift reads the objects that were changed and sets those apart of which nothing but
// noise differs, and those that were recreated. It returns another comparison and
// leaves this one as it is. The error is ctx's.
func (c *Comparison) Sift(ctx context.Context, progress func(done, total int)) (*Comparison, error) {
	s := c.Sifting()
	for {
		sifted, err := s.Next(ctx, 1<<12)
		if sifted != nil || err != nil {
			return sifted, err
		}
		if progress != nil {
			progress(s.Done, s.Total)
		}
	}
}

// Sifting is Sift in steps, for those who have something to do between them.
type Sifting struct {
	Done, Total int // objects read, of those that were changed
	todo        []int32
	c           Comparison
}

// Sifting begins to sift.
func (c *Comparison) Sifting() *Sifting {
	s := &Sifting{c: *c}
	s.c.Objects, s.c.Sifted = slices.Clone(c.Objects), true
	for i := range s.c.Objects {
		if s.c.Objects[i].Fate == Changed {
			s.todo = append(s.todo, int32(i))
		}
	}
	s.Total = len(s.todo)
	return s
}

// Next reads some more objects. It returns the comparison when it has read all, and
// nil before. The error is ctx's.
func (s *Sifting) Next(ctx context.Context, some int) (*Comparison, error) {
	now := s.todo[:min(some, len(s.todo))]
	if err := s.c.siftList(ctx, now); err != nil {
		return nil, err
	}
	s.todo, s.Done = s.todo[len(now):], s.Done+len(now)
	if len(s.todo) > 0 {
		return nil, nil
	}
	s.c.group()
	return &s.c, nil
}

// SiftPart sifts those of the objects from one place up to another, in this comparison.
// Its counts are not changed. The error is ctx's.
func (c *Comparison) SiftPart(ctx context.Context, from, to int) error {
	var changed []int32
	for i := from; i < to; i++ {
		if c.Objects[i].Fate == Changed {
			changed = append(changed, int32(i))
		}
	}
	return c.siftList(ctx, changed)
}

// siftList sifts some objects by their places. The error is ctx's.
func (c *Comparison) siftList(ctx context.Context, now []int32) error {
	const batch = 16
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 1+len(now)/batch) {
		wg.Go(func() {
			for ctx.Err() == nil {
				to := int(taken.Add(batch))
				if to-batch >= len(now) {
					return
				}
				for _, i := range now[to-batch : min(to, len(now))] {
					c.sift(&c.Objects[i])
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// sift reads one object that was changed.
func (c *Comparison) sift(o *Object) {
	b, a, err := c.values(o)
	if err != nil {
		o.Problem = err.Error()
		return
	}
	o.Fate, o.Noise, o.Problem = verdict(c.prefix, o.Key, b, a)
}

// Difference reads an object and tells it field by field.
func (c *Comparison) Difference(i int) Difference {
	o := &c.Objects[i]
	b, a, err := c.values(o)
	if err != nil {
		return Difference{Problem: err.Error()}
	}
	d := stored(c.prefix, o.Key, b, a, true, c.secrets)
	if len(d.Changes) == 0 {
		quoted := func(rev int64) string { return fmt.Sprintf("%q", fmt.Sprint(rev)) }
		d.Changes = []Change{{"metadata.resourceVersion", quoted(o.Before), quoted(o.After), Rewritten}}
	}
	d.Recreated = d.Recreated || o.Fate == Recreated
	return d
}

// values reads an object, nil where it does not exist.
func (c *Comparison) values(o *Object) (before, after []byte, err error) {
	if before, err = valueAt(c.Before.Snapshot, c.before, o.Key, o.Before); err != nil {
		return nil, nil, err
	}
	after, err = valueAt(c.After.Snapshot, c.after, o.Key, o.After)
	return before, after, err
}

// valueAt reads a key's value, nil where it does not exist.
func valueAt(s *snapshot.Snapshot, v *snapshot.View, key string, revision int64) ([]byte, error) {
	if revision == 0 {
		return nil, nil
	}
	r, err := v.Get(key)
	if err != nil {
		return nil, err
	}
	value, err := s.Value(r)
	if value == nil && err == nil {
		value = []byte{}
	}
	return value, err
}

// Records finds the records of an object; one without a key is none.
func (c *Comparison) Records(i int) (before, after snapshot.Record) {
	before, _ = c.before.Get(c.Objects[i].Key)
	after, _ = c.after.Get(c.Objects[i].Key)
	return before, after
}

// Name is what an object is, as far as its key shows. Of a key that holds no API object
// the name is the key, and the resource says in words whose it is.
func (c *Comparison) Name(i int) kube.Key {
	k, _ := c.namer.Key(c.Objects[i].Key)
	return k
}

// group counts the objects by resource and namespace.
func (c *Comparison) group() {
	type place struct{ resource, namespace string }
	c.Group = Group{}
	resources := map[string]*Group{}
	namespaces := map[place]*Group{}
	var last place
	var in, space *Group
	for i := range c.Objects {
		k := c.Name(i)
		if p := (place{resourceOf(k), k.Namespace}); space == nil || p != last {
			last = p
			if in = resources[p.resource]; in == nil {
				in = &Group{Name: p.resource}
				resources[p.resource] = in
			}
			if space = namespaces[p]; space == nil {
				space = &Group{Name: p.namespace}
				namespaces[p] = space
			}
		}
		for _, g := range []*Group{&c.Group, in, space} {
			g.count(&c.Objects[i])
		}
		space.Objects = append(space.Objects, int32(i))
	}
	for p, g := range namespaces {
		resources[p.resource].Within = append(resources[p.resource].Within, *g)
	}
	for _, g := range resources {
		slices.SortFunc(g.Within, byName)
		c.Within = append(c.Within, *g)
	}
	slices.SortFunc(c.Within, byName)
}

func byName(a, b Group) int { return strings.Compare(a.Name, b.Name) }

func (g *Group) count(o *Object) {
	g.Counts[o.Fate]++
	if o.Fate == Quiet {
		g.Noise |= o.Noise
	}
	if o.Problem != "" {
		g.Unread++
	}
}

// resourceOf is the resource with its group, where the key has one.
func resourceOf(k kube.Key) string {
	if strings.Contains(k.Group, ".") {
		return k.Resource + "." + k.Group
	}
	return k.Resource
}
