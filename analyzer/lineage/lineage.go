// Package lineage says how the histories of two snapshots relate: whether the
// backup is an earlier state of the current one, where the two part when they do,
// and which earlier restores the files show.
//
// In go two open snapshots and the prefix of the API server's keys. Out comes a
// Lineage. It rests on what etcd's writing obeys: one history has one record at a
// revision; above the compact revision every record is kept; and a key that has
// lived on since some revision has the same create revision before and after it.
// A record that breaks one of these proves that the histories part. What a damaged
// snapshot lacks proves nothing.
//
// Nothing is refused: two snapshots that have nothing in common are Unrelated, and
// where nothing could be compared the relation is Unknown.
package lineage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Relation says how the histories of two snapshots relate.
type Relation string

// The relations.
const (
	Same      Relation = "same"      // at the same revision
	Ancestor  Relation = "ancestor"  // the backup is an earlier state of the current one
	Diverged  Relation = "diverged"  // an earlier restore lies between them
	Unrelated Relation = "unrelated" // two clusters
	Unknown   Relation = "unknown"   // nothing could be compared
)

// Match says whether two identities are the same.
type Match string

// The matches.
const (
	Equal       Match = "same"
	Different   Match = "different"
	NotCompared Match = "unknown" // one of the two does not tell
)

// Lineage is how two snapshots relate.
type Lineage struct {
	Relation Relation `json:"relation"`
	// CommonRevision is the newest revision that both histories have, as far as
	// records tell; 0 when there is none.
	CommonRevision int64 `json:"commonRevision,omitempty"`
	// DivergedRevision is the first at which they are seen to differ, and
	// DivergedKey the key there; they may part before it, for what was compacted
	// cannot be compared.
	DivergedRevision int64  `json:"divergedRevision,omitempty"`
	DivergedKey      string `json:"divergedKey,omitempty"`
	Reason           string `json:"reason"`
	// Predictable says what can still be predicted when the histories part; "" for
	// one history.
	Predictable string `json:"predictable,omitempty"`

	Compared Compared  `json:"compared"`
	Cluster  Match     `json:"cluster"` // the uid of the namespace kube-system
	Members  Match     `json:"members"` // the ids of etcd's members, which a restore changes
	Restores []Restore `json:"restores"`
}

// Compared counts what the relation rests on.
type Compared struct {
	Records int `json:"records"` // at revisions that both hold: key, create revision, version and size
	Values  int `json:"values"`  // of them, a sample: byte for byte
	Keys    int `json:"keys"`    // that live on from before the backup: their create revisions
}

// Restore is an earlier restore that a snapshot shows.
type Restore struct {
	Snapshot string `json:"snapshot"`           // backup or current
	Revision int64  `json:"revision,omitempty"` // at which the store started after it; 0 when nothing tells
	Sign     string `json:"sign"`
	Certain  bool   `json:"certain"`
	// Bump is how far above the newest record of this very backup the store was
	// started: the bump of an earlier restore of it, or of one that holds the same.
	// 0 when that cannot be told.
	Bump int64 `json:"bump,omitempty"`
}

const stillPredictable = "Pods are compared by uid all the same: what runs now and is not in the backup becomes a phantom whichever history it comes from. " +
	"The gap and the bumps go by the current snapshot's revision; what the erased timelines had served beyond it is not known, so a stated last revision counts for more here."

// values is how many values are compared byte for byte.
const values = 200

// Compare relates two snapshots. The only error is ctx's.
func Compare(ctx context.Context, backup, current *snapshot.Snapshot, prefix string) (*Lineage, error) {
	c := comparison{ctx: ctx, backup: backup, current: current, prefix: prefix}
	c.Cluster = matched(c.clusterUID(backup), c.clusterUID(current))
	c.Members = matched(members(backup), members(current))
	if err := c.records(); err != nil {
		return nil, err
	}
	if err := c.generations(); err != nil {
		return nil, err
	}
	c.Restores = append(restores("backup", backup), restores("current", current)...)
	c.repeated()
	c.conclude()
	return &c.Lineage, nil
}

type comparison struct {
	Lineage
	ctx             context.Context
	backup, current *snapshot.Snapshot
	prefix          string
	contradiction   string // how the histories part
}

func matched(a, b string) Match {
	switch {
	case a == "" || b == "":
		return NotCompared
	case a == b:
		return Equal
	}
	return Different
}

// clusterUID is the uid of the namespace kube-system, "" when it cannot be read.
func (c *comparison) clusterUID(s *snapshot.Snapshot) string {
	key := kube.Key{Resource: "namespaces", Name: "kube-system"}
	r, err := s.Get(key.Path(c.prefix), 0)
	if err != nil {
		return ""
	}
	value, err := s.Value(r)
	if err != nil {
		return ""
	}
	return kube.Decode(key, value).UID
}

// members are the ids of the members, "" when there are none.
func members(s *snapshot.Snapshot) string {
	var ids []string
	for _, m := range s.Meta().Members {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// every is after how many records ctx is looked at.
const every = 1 << 14

// records walks both snapshots in the order of revisions, up to the older head,
// and stops at the first record that one history cannot explain.
func (c *comparison) records() error {
	last := min(c.backup.NewestRecord(), c.current.NewestRecord())
	next, stop := iter.Pull(c.backup.Records())
	defer stop()
	was, more := next()
	step := max(1, min(c.backup.Len(), c.current.Len())/values)
	n := 0
	for now := range c.current.Records() {
		if n++; n%every == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if now.Main > last {
			break
		}
		for more && before(was, now) {
			if c.missing(was, c.current, "current snapshot") {
				return nil
			}
			was, more = next()
		}
		if !more || was.Revision != now.Revision {
			if c.missing(now, c.backup, "backup") {
				return nil
			}
			continue
		}
		if c.differ(was, now, n%step == 0) {
			return nil
		}
		c.CommonRevision = now.Main
		was, more = next()
	}
	for ; more && was.Main <= last; was, more = next() {
		if c.missing(was, c.current, "current snapshot") {
			return nil
		}
	}
	return nil
}

func before(a, b snapshot.Record) bool {
	return a.Main < b.Main || a.Main == b.Main && a.Sub < b.Sub
}

// missing says whether it is a contradiction that s lacks a record: it would have
// to be there if nothing has removed it.
func (c *comparison) missing(r snapshot.Record, s *snapshot.Snapshot, name string) bool {
	if r.Main <= s.CompactRevision() || s.Damaged() || r.Key == "" {
		return false
	}
	c.diverge(r.Main, r.Key, fmt.Sprintf("the %s does not have the record of revision %d, which it would have kept", name, r.Main))
	return true
}

// differ says whether the two records of a revision are not the same one.
func (c *comparison) differ(was, now snapshot.Record, whole bool) bool {
	c.Compared.Records++
	same := was.Key == now.Key && was.Tombstone == now.Tombstone && was.CreateRevision == now.CreateRevision &&
		was.Version == now.Version && was.Size == now.Size
	if same && whole {
		a, errA := c.backup.Value(was)
		b, errB := c.current.Value(now)
		if errA == nil && errB == nil {
			c.Compared.Values++
			same = bytes.Equal(a, b)
		}
	}
	if !same {
		c.diverge(now.Main, now.Key, fmt.Sprintf("revision %d is another write in each", now.Main))
	}
	return !same
}

func (c *comparison) diverge(revision int64, key, how string) {
	c.DivergedRevision, c.DivergedKey, c.contradiction = revision, key, how
}

// generations holds the keys that live on in the current snapshot from before the
// backup's head against the backup, which must have them in the same generation.
// That tells even where the current snapshot has compacted all else.
func (c *comparison) generations() error {
	head, n := c.backup.NewestRecord(), 0
	if c.backup.Damaged() {
		return nil
	}
	first := int64(0)
	for now := range c.current.Keys("") {
		if n++; n%every == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if now.Key == "" || now.CreateRevision > head || now.Main <= head {
			continue
		}
		c.Compared.Keys++
		was, err := c.backup.Get(now.Key, 0)
		if err == nil && was.CreateRevision == now.CreateRevision && was.Version < now.Version {
			continue
		}
		if err != nil && !errors.Is(err, snapshot.ErrNotFound) {
			continue // what cannot be read proves nothing
		}
		if first == 0 || now.CreateRevision < first {
			first = now.CreateRevision
			if c.DivergedRevision == 0 || first < c.DivergedRevision {
				c.diverge(first, now.Key, fmt.Sprintf("a key of the current snapshot has lived on since revision %d, and the backup (revision %d) does not have it so", first, head))
			}
		}
	}
	return nil
}

// repeated finds restores of this very backup: a marker in the current snapshot
// with nothing between it and the backup's newest record.
func (c *comparison) repeated() {
	base := c.backup.NewestRecord()
	for i := range c.Restores {
		r := &c.Restores[i]
		if r.Snapshot == "current" && r.Bumped() && r.Revision > base && c.DivergedRevision == 0 && !c.holdsBetween(base, r.Revision) {
			r.Bump = r.Revision - base
		}
	}
}

// Bumped says whether the restore left a marker of its bump.
func (r *Restore) Bumped() bool { return r.Sign == signMarker }

// holdsBetween says whether the current snapshot has a record between two
// revisions, neither included.
func (c *comparison) holdsBetween(from, to int64) bool {
	for r := range c.current.Records() {
		if r.Main > from {
			return r.Main < to
		}
	}
	return false
}

func (c *comparison) conclude() {
	was, now := c.backup.Revision(), c.current.Revision()
	compared := c.Compared.Records + c.Compared.Keys
	switch {
	case c.Cluster == Different:
		c.Relation, c.Reason, c.Predictable = Unrelated, "the namespace kube-system has another uid in each", stillPredictable
	case c.DivergedRevision != 0:
		c.Relation, c.Predictable = Diverged, stillPredictable
		c.CommonRevision = min(c.CommonRevision, c.DivergedRevision-1)
		c.Reason = "one history does not explain both: " + c.contradiction
	case compared == 0 && c.Cluster != Equal:
		c.Relation, c.Reason = Unknown, "no record of the backup is in the current snapshot any more, and no uid of the namespace kube-system could be compared"
	default:
		c.Relation, c.CommonRevision = Ancestor, was
		if was == now {
			c.Relation = Same
		}
		c.Reason = c.agreement()
	}
}

// agreement says what one history rests on.
func (c *comparison) agreement() string {
	var parts []string
	if n := c.Compared.Records; n > 0 {
		parts = append(parts, fmt.Sprintf("all %d records at revisions that both hold are the same", n))
	}
	if n := c.Compared.Keys; n > 0 {
		parts = append(parts, fmt.Sprintf("%d keys live on from before the backup", n))
	}
	if c.Cluster == Equal {
		parts = append(parts, "the namespace kube-system has the same uid")
	}
	if n := len(parts); n > 1 {
		parts = append(parts[:n-2], parts[n-2]+" and "+parts[n-1])
	}
	return strings.Join(parts, ", ")
}
