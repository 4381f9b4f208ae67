package session

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/history"
	"revenant/analyzer/restore"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
)

// Series is more files than two, as one history. Its lists can be read by all; what
// opens a member is done by one at a time.
type Series struct {
	*series.Series
	// Pair opens two members, by their places, as the backup and the newest state. It is
	// stopped by ctx, and reports how far it is as a shell's Load does.
	Pair func(ctx context.Context, backup, current int, progress func(snapshot.Progress, string)) (*Input, error)
	// Member opens a member, by its place, with its clock. It stays open as long as the
	// screens are shown, and is opened once.
	Member func(ctx context.Context, member int) (*snapshot.Snapshot, *clock.Clock, error)

	mu sync.Mutex
}

// NoMember is the place of a member that is not there.
const NoMember = -1

// PairMsg asks for two members, by their places, as the backup and the newest state.
// Screens hear it when they are.
type PairMsg struct {
	Backup, Current int
	Chosen          int // the one of the two that is another
}

// Names are what the members are called: their files' names, without their directories
// where that tells them apart.
func (s *Series) Names() []string {
	count := map[string]int{}
	for i := range s.Members {
		count[filepath.Base(s.Members[i].Name)]++
	}
	names := make([]string, len(s.Members))
	for i := range s.Members {
		names[i] = s.Members[i].Name
		if base := filepath.Base(names[i]); count[base] == 1 {
			names[i] = base
		}
	}
	return names
}

// withMembers is the input with a source for each member beside the two that are chosen.
func (in *Input) withMembers() *Input {
	if in.Series == nil {
		return in
	}
	all := *in
	all.Sources = slices.Clone(in.Sources[:len(in.Chosen())])
	names := in.Series.Names()
	for i := range in.Series.Members {
		if m := &in.Series.Members[i]; i != in.Members[0] && i != in.Members[1] {
			all.Sources = append(all.Sources, Source{State: &restore.State{}, name: names[i], member: i, oldest: m.CompactRevision, newest: m.Revision})
		}
	}
	return &all
}

// sourceOf is the place of the source that a member is.
func (in *Input) sourceOf(member int) int {
	switch member {
	case in.Members[1]:
		return in.Current
	case in.Members[0]:
		return in.Backup
	}
	return slices.IndexFunc(in.Sources, func(s Source) bool { return s.name != "" && s.member == member })
}

// memberOf is the place of the member that a source is.
func (in *Input) memberOf(source int) int {
	switch source {
	case in.Current:
		return in.Members[1]
	case in.Backup:
		return in.Members[0]
	}
	return in.Sources[source].member
}

// CommonUpTo is the newest revision up to which two sources are known to be of one history;
// 0 for none.
func (in *Input) CommonUpTo(a, b int) int64 {
	if in.Series == nil || a == b || min(a, b) < len(in.Chosen()) && max(a, b) < len(in.Chosen()) {
		return in.Lineage.CommonUpTo()
	}
	return in.Series.Shared(in.memberOf(a), in.memberOf(b))
}

// atTime is the member that holds the state at a time.
func (s *Series) atTime(ctx context.Context, branch int, t time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.AtTime(ctx, branch, t)
}

// opener opens a member to be read, which none other is meanwhile.
func (s *Series) opener(member int) func(context.Context) (*snapshot.Snapshot, *clock.Clock, func(), error) {
	return func(ctx context.Context) (*snapshot.Snapshot, *clock.Clock, func(), error) {
		s.mu.Lock()
		c, err := s.Clock(ctx, member)
		if err != nil {
			s.mu.Unlock()
			return nil, nil, nil, err
		}
		opened, err := s.Open(ctx, member)
		if err != nil {
			s.mu.Unlock()
			return nil, nil, nil, err
		}
		return opened, c, s.mu.Unlock, nil
	}
}

// Branch is that of the newest state, whose history is read.
func (in *Input) Branch() int { return in.Series.Members[in.Members[1]].Branch }

// Readings reads what sources hold of one object at a time.
type Readings struct {
	*history.Reader
	title func(source int) string
	mu    *sync.Mutex // of the series; nil for sources that stay open
}

// Histories reads what the snapshots that are open hold.
func (in *Input) Histories() *Readings {
	r := &history.Reader{Prefix: in.Prefix, One: in.Lineage != nil && in.Lineage.OneHistory()}
	for i, s := range in.Sources {
		r.Sources = append(r.Sources, history.Source{Name: in.Role(i), Snapshot: s.Snapshot, Clock: s.State.Clock})
	}
	return &Readings{Reader: r, title: in.Title}
}

// AllHistories reads what all files hold of the history that leads to the newest state.
// Members are opened until ctx ends.
func (in *Input) AllHistories(ctx context.Context) *Readings {
	if in.Series == nil {
		return in.Histories()
	}
	r := in.Series.Reader(ctx, in.Branch())
	names := in.Series.Names()
	for i, p := range in.Series.Path(in.Branch()) {
		r.Sources[i].Name = names[p.Member]
	}
	return &Readings{Reader: r, title: func(i int) string { return "file " + r.Sources[i].Name }, mu: &in.Series.mu}
}

// Read reads the revisions of a key.
func (v *Readings) Read(ctx context.Context, key string, carved bool) (*history.History, error) {
	defer v.lock()()
	return v.Reader.Read(ctx, key, carved)
}

// Value reads a revision's value, nil for a deletion.
func (v *Readings) Value(e *history.Entry) ([]byte, error) {
	defer v.lock()()
	return v.Reader.Value(e)
}

// Name tells a revision from all others that are listed.
func (v *Readings) Name(e *history.Entry) string {
	if e.Apart {
		return e.Revision.String() + " in the " + v.title(e.In[0])
	}
	return e.Revision.String()
}

func (v *Readings) lock() (unlock func()) {
	if v.mu == nil {
		return func() {}
	}
	v.mu.Lock()
	return v.mu.Unlock
}
