package session

import (
	"context"
	"path/filepath"
	"sync"

	"revenant/analyzer/history"
	"revenant/analyzer/series"
	"revenant/decoder/snapshot"
)

// Series is more files than two, as one history. Its lists can be read by all; what
// opens a member is done by one at a time.
type Series struct {
	*series.Series
	// Pair opens two members, by their places, as the backup and the newest state. It is
	// told to stop by ctx, and tells how far it is as a shell's Load does.
	Pair func(ctx context.Context, backup, current int, progress func(snapshot.Progress, string)) (*Input, error)

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
