package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sync/errgroup"

	"revenant/analyzer/lineage"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/demo"
	"revenant/internal/words"
	"revenant/report"
)

// pair is the backup and the current state, open and read.
type pair struct {
	backup, current side
	lineage         *lineage.Lineage
	prefix          string // of the API servers' keys
	open            *openOptions
	force           bool // although they are of different clusters
}

// side is one snapshot with what the prediction needs of it.
type side struct {
	snapshot *snapshot.Snapshot
	choice   keyspace.Choice
	state    *restore.State
}

// opener opens one of the two snapshots.
type opener func(context.Context, func(snapshot.Progress)) (*snapshot.Snapshot, error)

// files opens two files, which must not be the same one.
func (o *openOptions) files(backup, current string) (opener, opener, error) {
	if same(backup, current) || backup == "-" && current == "-" {
		return nil, nil, errSame(backup, current)
	}
	if err := o.parse(); err != nil {
		return nil, nil, err
	}
	return o.opener(backup, false), o.opener(current, true), nil
}

// file opens a file beside which no other is read.
func (o *openOptions) file(path string) (opener, error) {
	return o.opener(path, true), o.parse()
}

func (o *openOptions) opener(path string, newest bool) opener {
	return func(ctx context.Context, tell func(snapshot.Progress)) (*snapshot.Snapshot, error) {
		return o.open(ctx, path, newest, os.Stdin, tell)
	}
}

// same says whether two paths lead to one file.
func same(a, b string) bool {
	statA, errA := os.Stat(a)
	statB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(statA, statB)
}

func errSame(backup, current string) error {
	return hinted(fmt.Errorf("%s and %s are the same file", backup, current), hintSame)
}

const hintSame = "give the backup first, then the newest state from before the restore"

// demo opens the built-in pair.
func (o *openOptions) demo() (opener, opener, error) {
	if err := o.parse(); err != nil {
		return nil, nil, err
	}
	backup, current, err := demo.Pair()
	if err != nil {
		return nil, nil, err
	}
	bytes := func(name string, data []byte) opener {
		return func(ctx context.Context, tell func(snapshot.Progress)) (*snapshot.Snapshot, error) {
			return snapshot.OpenBytes(ctx, name, data, snapshot.Options{SkipHashCheck: o.skipHashCheck, Progress: tell})
		}
	}
	return bytes(demo.BackupName, backup), bytes(demo.CurrentName, current), nil
}

// stateLoader reads what is needed of a snapshot, as restore.LoadBeside does for a
// prediction.
type stateLoader func(ctx context.Context, s *snapshot.Snapshot, prefix string, other func() *restore.State) (*restore.State, error)

// read opens a snapshot and reads what is needed of it. other is the state that it is
// compared with, nil for none.
func (o *openOptions) read(ctx context.Context, open opener, load stateLoader, other func() *restore.State, tell func(snapshot.Progress)) (_ *side, err error) {
	opened, err := open(ctx, tell)
	if err != nil {
		return nil, err
	}
	s := &side{snapshot: opened}
	if s.choice, err = o.needPrefix(ctx, opened); err == nil {
		s.state, err = load(ctx, opened, s.choice.Prefix, other)
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return s, nil
}

// openPair opens and reads both at the same time. tell, which may be nil, is
// told how far each is.
func (o *openOptions) openPair(ctx context.Context, backup, current opener, load stateLoader, tell func(name string, p snapshot.Progress)) (*pair, error) {
	if err := o.readMetrics(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &pair{open: o}
	read := func(open opener, name string, to *side, other func() *restore.State) error {
		s, err := o.read(ctx, open, load, other, func(p snapshot.Progress) {
			if tell != nil {
				tell(name, p)
			}
		})
		if err == nil {
			*to = *s
		}
		return err
	}
	var wg sync.WaitGroup
	var errs [2]error
	isRead := make(chan struct{})
	backupState := func() *restore.State { <-isRead; return p.backup.state }
	wg.Go(func() {
		defer close(isRead)
		errs[0] = read(backup, "backup", &p.backup, nil)
		cancelOn(errs[0], cancel)
	})
	wg.Go(func() { errs[1] = read(current, "current", &p.current, backupState); cancelOn(errs[1], cancel) })
	wg.Wait()
	// The first failure cancels the other one, whose error then says nothing.
	err := errs[0]
	if err == nil || errors.Is(err, context.Canceled) && errs[1] != nil {
		err = errs[1]
	}
	if err == nil {
		p.prefix, err = onePrefix(&p.backup, &p.current)
	}
	if err == nil {
		p.lineage, err = lineage.Compare(ctx, p.backup.snapshot, p.current.snapshot, p.prefix)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// withPair opens the pair, lets use have it, and makes sure that the evidence is
// as it was. A pair that no restore has is refused.
func (o *openOptions) withPair(ctx context.Context, s streams, backup, current opener, force bool, use func(*pair) error) (err error) {
	bar := newProgressLine(s)
	defer bar.clear()
	p, err := o.openPair(ctx, backup, current, restore.LoadBeside, bar.show)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.force = force
	if err := p.check(force); err != nil {
		return err
	}
	if err := use(p); err != nil {
		return err
	}
	return p.unchanged(ctx)
}

// predict opens the pair and predicts.
func (o *openOptions) predict(ctx context.Context, s streams, backup, current opener, plan restore.Plan, force bool) (prediction *restore.Prediction, err error) {
	err = o.withPair(ctx, s, backup, current, force, func(p *pair) (err error) {
		prediction, err = p.predict(ctx, plan)
		return err
	})
	return prediction, err
}

func cancelOn(err error, cancel func()) {
	if err != nil {
		cancel()
	}
}

// check refuses a pair that no restore has. force lets two clusters pass.
func (p *pair) check(force bool) error {
	err := restore.Check(p.backup.state, p.current.state)
	if errors.Is(err, restore.ErrOtherCluster) && force {
		err = restore.CheckOrder(p.backup.state, p.current.state)
	}
	switch {
	case errors.Is(err, restore.ErrOtherCluster):
		return hinted(err, "a backup must be restored into the cluster that it is from; --force continues anyway; "+ontoHint)
	case errors.Is(err, restore.ErrCutShort), errors.Is(err, restore.ErrSwapped):
		hint := "the order is BACKUP CURRENT: first the snapshot to restore, then the newest state"
		switch swapped := errors.Is(err, restore.ErrSwapped); {
		case p.lineage.Relation == lineage.Unrelated && !force:
			return hinted(fmt.Errorf("%w: %s", restore.ErrOtherCluster, p.lineage.Reason), "their revisions cannot be compared, in either order; "+ontoHint)
		case p.lineage.Relation == lineage.Diverged && swapped:
			return hinted(fmt.Errorf("the backup is at revision %d, the current state at %d, and an earlier restore lies between the two: %s", p.backup.state.Revision, p.current.state.Revision, p.lineage.Reason), hint)
		}
		if why := whyBehind(p.current.snapshot); why != "" {
			hint = fmt.Sprintf("what was written last may be missing from %s: %s; if it is not that, %s", p.current.snapshot.Path(), why, hint)
		}
		return hinted(err, hint)
	}
	return err
}

// whyBehind names what may keep a snapshot from its newest revisions, "" for
// nothing: its log before all else, for what was written last is there.
func whyBehind(s *snapshot.Snapshot) string {
	damage := ""
	for _, problem := range s.Problems() {
		switch {
		case (problem.Where == "log" || problem.Where == "deltas") && problem.Cost != "":
			return problem.String()
		case damage == "" && problem.Severity == snapshot.Damage:
			damage = problem.String()
		}
	}
	if w := s.WAL(); damage == "" && w != nil && w.Uncommitted > 0 {
		return words.CountOf(w.Uncommitted, "entry of its log was", "entries of its log were") + " not applied (--assume-committed applies them)"
	}
	return damage
}

// warnings says what of the two files could not be compared.
func (p *pair) warnings() []string {
	list := p.open.prefixNotes(&p.backup, &p.current)
	if p.lineage.Members == lineage.NotCompared {
		list = append(list, "Not both files have a record of etcd's members: whether they are of one etcd cluster was not compared by it.")
	}
	return list
}

// predict is the prediction with the evidence that it rests on.
func (p *pair) predict(ctx context.Context, plan restore.Plan) (*restore.Prediction, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var undone *rollback.Rollback
	var beside errgroup.Group // of what waits for the hashes
	beside.Go(func() (err error) {
		undone, err = p.rollback(ctx)
		return err
	})
	prediction, err := p.pods(ctx, plan)
	cancelOn(err, cancel)
	if besides := beside.Wait(); err == nil {
		err = besides
	}
	if err != nil {
		return nil, err
	}
	prediction.Rollback = undone
	return prediction, nil
}

// pods predicts without what else goes back in time.
func (p *pair) pods(ctx context.Context, plan restore.Plan) (*restore.Prediction, error) {
	evidence, err := p.evidence(ctx)
	if err != nil {
		return nil, err
	}
	prediction, err := p.compare().Predict(plan)
	if err != nil {
		return nil, err
	}
	prediction.Tool = tool()
	prediction.Evidence = evidence
	prediction.Warnings = append(prediction.Warnings, p.warnings()...)
	return prediction, nil
}

// rollback is what else goes back in time.
func (p *pair) rollback(ctx context.Context) (*rollback.Rollback, error) {
	return rollback.Compare(ctx, p.backup.snapshot, p.current.snapshot, rollback.Options{Prefix: p.prefix, Taken: p.current.state.Clock.Taken()})
}

// comparePlans compares the ways to restore.
func (p *pair) comparePlans(ctx context.Context, plan restore.Plan) (*restore.PlanComparison, error) {
	evidence, err := p.evidence(ctx)
	if err != nil {
		return nil, err
	}
	all, err := p.compare().ComparePlans(plan)
	if err != nil {
		return nil, err
	}
	all.Tool, all.Evidence = tool(), evidence
	return all, nil
}

func (p *pair) compare() *restore.Comparison {
	c := restore.Compare(p.backup.state, p.current.state)
	c.Lineage, c.Metrics = p.lineage, p.open.scraped()
	return c
}

// evidence describes the two files, once their hashes are there. What they show to be
// missing counts in the predictions after it.
func (p *pair) evidence(ctx context.Context) ([]restore.Evidence, error) {
	var list []restore.Evidence
	for _, side := range []struct {
		role restore.In
		*side
	}{{restore.InBackup, &p.backup}, {restore.InCurrent, &p.current}} {
		e, err := report.NewEvidence(ctx, string(side.role), side.snapshot)
		if err != nil {
			return nil, err
		}
		side.state.Missing = e.Missing
		e.EtcdPrefixes = kube.SplitPrefixes(p.prefix)
		p.open.sign(&e, side.snapshot)
		list = append(list, e)
	}
	if b, c := list[0], list[1]; b.WAL == nil && c.WAL == nil && b.Deltas == nil && c.Deltas == nil && b.Custody.SHA256 != "" && b.Custody.SHA256 == c.Custody.SHA256 {
		return nil, hinted(fmt.Errorf("%s and %s are identical, byte for byte", b.Path, c.Path), hintSame)
	}
	return list, nil
}

// snapshots are the two by what they are.
func (p *pair) snapshots() map[restore.In]*snapshot.Snapshot {
	return map[restore.In]*snapshot.Snapshot{restore.InBackup: p.backup.snapshot, restore.InCurrent: p.current.snapshot}
}

// unchanged makes sure that neither file was changed while it was read.
func (p *pair) unchanged(ctx context.Context) error {
	return errors.Join(p.open.unchanged(ctx, p.backup.snapshot), p.open.unchanged(ctx, p.current.snapshot), p.open.metricsUnchanged(ctx))
}

func (p *pair) close() error {
	var errs []error
	for _, s := range []*snapshot.Snapshot{p.backup.snapshot, p.current.snapshot} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}
