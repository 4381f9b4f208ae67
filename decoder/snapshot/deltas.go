package snapshot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"revenant/decoder/container"
	"revenant/decoder/delta"
	"revenant/internal/words"
)

// Deltas says what the delta files of a full snapshot add to it.
type Deltas struct {
	Files   []string `json:"files"`   // names of those that were applied, in order
	Applied int      `json:"applied"` // events
	// Unapplied are the names of those that were not, in order.
	Unapplied []string `json:"unapplied"`
	// LastSeen is the newest revision that they have by their names, or their events.
	LastSeen int64 `json:"lastSeenRevision"`

	DBRevision int64 `json:"dbRevision"` // of the full snapshot alone
}

// Deltas says what delta files added to the db; nil when there are none.
func (s *Snapshot) Deltas() *Deltas { return s.deltas }

// FromDelta is the source of records that delta files add.
const FromDelta Source = "delta"

// unapplied is how many revisions the files show that were not read.
func (d *Deltas) unapplied(revision int64) int64 { return max(d.LastSeen-revision, 0) }

// applyDeltas applies the files of changes after a full snapshot, as far as each is
// whole and continues what is before it. The error is ctx's, or one of writing the
// values beside them.
func (s *Snapshot) applyDeltas(ctx context.Context, files []container.Delta) error {
	s.deltas = &Deltas{Files: []string{}, Unapplied: []string{}, DBRevision: s.Revision()}
	total := int64(0)
	for _, f := range files {
		s.deltas.LastSeen = max(s.deltas.LastSeen, f.Last)
		if info, err := os.Stat(f.Path); err == nil {
			total += info.Size()
		}
	}
	var err error
	if s.spill, err = s.evidence.Spill(); err != nil {
		return err
	}
	r := newReplay(ctx, s)
	r.limit = total + overlayLeast
	r.progress = newProgress(s.tell, PhaseReplay, total)
	a := &deltaReplay{replay: r, at: s.Revision(), trusted: !s.Damaged(), spill: bufio.NewWriterSize(s.spill, 1<<20)}
	for i, f := range files {
		if f.Last <= s.deltas.DBRevision {
			// All of it is in the full snapshot, which is named after a revision that was
			// asked for before it was saved.
			continue
		}
		err := a.file(ctx, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var fatal *spillError
		if errors.As(err, &fatal) {
			return err
		}
		if err != nil {
			for _, rest := range files[i:] {
				s.deltas.Unapplied = append(s.deltas.Unapplied, rest.Name)
			}
			cost := "what it changes"
			if rest := len(files) - i - 1; rest > 0 {
				cost += ", and what is in the " + words.PlainOf(rest, "file", "files") + " after it"
			}
			s.problems.add(Damage, "deltas", fmt.Sprintf("%s was not applied: %v", f.Name, err), cost)
			break
		}
		s.deltas.Files = append(s.deltas.Files, f.Name)
		s.deltas.Applied = len(r.changes)
		r.head = a.at
	}
	r.progress.set(total, total)
	if err := a.spill.Flush(); err != nil {
		return err
	}
	s.deltas.LastSeen = max(s.deltas.LastSeen, r.head)
	return interruptible(ctx, func() { s.layOver(r) })
}

// deltaReplay applies events.
type deltaReplay struct {
	*replay
	at      int64 // the revision that was reached
	floor   int64 // what the file at hand has up to here is known already
	trusted bool  // the db has all its records, so that events must continue them
	spill   *bufio.Writer
	spilled int64
}

// spillError says that values could not be kept.
type spillError struct{ error }

func (e *spillError) Unwrap() error { return e.error }

// file applies one file, or nothing of it. The error says why it was not.
func (a *deltaReplay) file(ctx context.Context, d container.Delta) (err error) {
	if d.Fault != "" {
		return errors.New(d.Fault)
	}
	f, err := os.Open(d.Path)
	if err != nil {
		return pathless(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return pathless(err)
	}
	before := a.mark()
	a.floor = a.at
	if err = delta.Read(ctx, f, info.Size(), a.event); err == nil && a.at < d.Last {
		err = fmt.Errorf("it ends at revision %d, and by its name at %d", a.at, d.Last)
	}
	if err != nil {
		a.undo(before)
		return err
	}
	a.progress.add(info.Size())
	return nil
}

// mark is how far the changes were.
type mark struct {
	changes, names int
	size, at       int64
}

func (a *deltaReplay) mark() mark { return mark{len(a.changes), len(a.names), a.size, a.at} }

// undo takes back what a file changed. The keys that are live are no longer
// looked at: no file after it is applied.
func (a *deltaReplay) undo(m mark) {
	for _, name := range a.names[m.names:] {
		delete(a.numbers, name)
	}
	a.changes, a.names, a.size, a.at = a.changes[:m.changes], a.names[:m.names], m.size, m.at
}

// event applies one event.
func (a *deltaReplay) event(e *delta.Event) error {
	switch {
	case e.ModRevision <= a.floor:
		return nil // in the full snapshot, or in the file before
	case e.ModRevision < a.at:
		return fmt.Errorf("revision %d comes after %d", e.ModRevision, a.at)
	case e.ModRevision > a.at+1:
		return fmt.Errorf("revision %d comes after %d: those between them are not there", e.ModRevision, a.at)
	}
	c := change{rev: Revision{Main: e.ModRevision}, tombstone: e.Delete, create: e.CreateRevision, version: e.Version, lease: e.Lease}
	if n := len(a.changes); n > 0 && a.changes[n-1].rev.Main == e.ModRevision {
		c.rev.Sub = a.changes[n-1].rev.Sub + 1
	}
	name := string(e.Key)
	k, exists := a.live.get(name)
	if a.trusted && !a.continues(k, exists, e) {
		return fmt.Errorf("revision %d does not continue what is before it: it is of another history", e.ModRevision)
	}
	c.key = a.number(name)
	if err := a.keep(&c, e.Value); err != nil {
		return err
	}
	if !a.write(c, name) {
		return a.stopped
	}
	a.at = e.ModRevision
	if e.Delete {
		a.live.remove(name)
	} else {
		a.live.set(name, liveKey{c.key, uint32(len(a.changes))})
	}
	return nil
}

// continues says whether an event is what comes after the key's newest record.
func (a *deltaReplay) continues(k liveKey, exists bool, e *delta.Event) bool {
	switch {
	case e.Delete:
		return exists
	case !exists:
		return e.Version == 1 && e.CreateRevision == e.ModRevision
	}
	create, version := int64(0), int64(0)
	if k.change != 0 {
		old := &a.changes[k.change-1]
		create, version = old.create, old.version
	} else {
		rec := a.stored(k)
		create, version = rec.CreateRevision, rec.Version
	}
	return e.CreateRevision == create && (e.Version == version+1 || version >= math.MaxUint32)
}

// keep writes a value to the spill.
func (a *deltaReplay) keep(c *change, value []byte) error {
	if len(value) == 0 || c.tombstone {
		return nil
	}
	if _, err := a.spill.Write(value); err != nil {
		return &spillError{fmt.Errorf("keep the values of delta files: %w (TMPDIR names another place)", err)}
	}
	c.value = valueRef{offset: -a.spilled - 1, size: len(value)}
	a.spilled += int64(len(value))
	return nil
}

// noteUnread says what is beside the evidence and was not read.
func (s *Snapshot) noteUnread() {
	if len(s.evidence.Unread) == 0 {
		return
	}
	cost := ""
	if s.evidence.Newer > 0 {
		cost = fmt.Sprintf("what was written after the full snapshot, up to revision %d by their names; name their directory, or the last file that counts, and they are applied", s.evidence.Newer)
	}
	s.problems.add(Note, "directory", "beside it, and not read: "+s.unread(), cost)
}

// noKeys says that a db is not etcd's, and what is beside it.
func (s *Snapshot) noKeys() error {
	if s.evidence == nil || len(s.evidence.Unread) == 0 {
		return ErrNoKeyBucket
	}
	return fmt.Errorf("%w; beside it is %s, which can be named instead", ErrNoKeyBucket, s.unread())
}

// unread names what is beside the evidence and was not read.
func (s *Snapshot) unread() string {
	const listed = 4
	names := s.evidence.Unread
	var list []string
	for _, name := range names[:min(len(names), listed)] {
		list = append(list, fmt.Sprintf("%.200q", name))
	}
	if more := len(names) - listed; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, ", ")
}
