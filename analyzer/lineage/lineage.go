// Package lineage determines how the histories of two snapshots relate: whether the
// backup is an earlier state of the current one, where they diverge if they do, and
// which earlier restores the files show.
//
// It takes two open snapshots and the prefix of the API server's keys, and returns a
// Lineage. It relies on invariants of etcd (server/v3 v3.7 storage/mvcc): one history
// has one record at a revision; above the compact revision nothing is removed; a
// compaction keeps the newest record of every key that exists. A pair of records that
// breaks one of these shows that the histories diverge at or before it.
//
// Two damaged files can contradict each other, too. So what a damaged snapshot lacks
// proves nothing, and records that differ while most later ones are equal, including
// their values, count as damage: histories that have diverged never converge.
//
// It refuses nothing. Snapshots of two clusters are Unrelated, and if nothing could
// be compared the relation is Unknown.
package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// Relation says how the histories of two snapshots relate.
type Relation string

// The relations.
const (
	Same       Relation = "same"       // one history, at the same revision
	Ancestor   Relation = "ancestor"   // the backup is an earlier state of the current one
	Descendant Relation = "descendant" // the backup is a later state of the current one: the two are swapped
	Diverged   Relation = "diverged"   // an earlier restore lies between them
	Unrelated  Relation = "unrelated"  // two clusters
	Unknown    Relation = "unknown"    // nothing could be compared
)

// Match says whether two identities are the same.
type Match string

// The matches.
const (
	Equal       Match = "same"
	Different   Match = "different"
	NotCompared Match = "unknown" // one of the two does not show it
)

// Lineage is how two snapshots relate.
type Lineage struct {
	Relation Relation `json:"relation"`
	// Certain says that the relation is proven and not only contradicted by
	// nothing: that no compaction and no damage has removed what could.
	Certain bool `json:"certain"`
	// CommonRevision is the newest revision that both histories have; when they
	// part, the newest that they are seen to share. 0 when there is none.
	CommonRevision int64 `json:"commonRevision,omitempty"`
	// DivergedRevision is the first revision at which the histories are seen to
	// differ, 0 when none is, and DivergedKey a key that differs there. They part
	// above CommonRevision, and at or before DivergedRevision: between the two
	// lies what was compacted and cannot be compared.
	DivergedRevision int64  `json:"divergedRevision,omitempty"`
	DivergedKey      string `json:"divergedKey,omitempty"`
	Reason           string `json:"reason"`
	// Predictable says what can still be predicted when the snapshots are not of
	// one history, "" when they are.
	Predictable string `json:"predictable,omitempty"`
	// Unseen says what an earlier restore has erased that neither snapshot shows,
	// "" when no such restore is seen.
	Unseen string `json:"unseen,omitempty"`

	Compared Compared `json:"compared"`
	Cluster  Match    `json:"cluster"` // the uid of the namespace kube-system
	// Members compares the ids of etcd's members. A restore computes them again from
	// the peer URLs and the cluster's token (etcdutl/v3 v3.7 snapshot/v3_snapshot.go
	// Restore), so the same ids do not mean that there was none. The cluster's own id
	// is in the write-ahead log only.
	Members  Match     `json:"members"`
	Restores []Restore `json:"restores"`
}

// Compared counts what the relation rests on.
type Compared struct {
	Records int `json:"records"` // the same in both at the same revision: key, create revision, version and size
	Values  int `json:"values"`  // of them, those whose values were compared, byte for byte
	Keys    int `json:"keys"`    // whose state below a compaction is that of one history
	Damaged int `json:"damaged"` // records that differ although later ones are the same
}

const (
	predictableDiverged = "Pods are compared by uid, so what runs now and is not in the backup still becomes a phantom. " +
		"What the backup holds of pods is a timeline that the current kubelets may never have seen, and what the erased timelines had served above the current revision is not known: state the last revision where it is known from elsewhere."
	predictableUnrelated = "Only what the backup itself holds. Every pod of the current cluster is missing from it, and the revisions of one cluster say nothing about what the kubelets of the other have seen."
	predictableUnknown   = "Pods are compared by uid. Whether the backup is a state that the current cluster has been in is not known."
)

// Compare relates two snapshots whose API servers keep their keys below prefix.
// The only error is ctx's.
func Compare(ctx context.Context, backup, current *snapshot.Snapshot, prefix string) (*Lineage, error) {
	c := comparison{ctx: ctx, backup: backup, current: current}
	c.Cluster = matched(clusterUID(backup, prefix), clusterUID(current, prefix))
	c.Members = matched(members(backup), members(current))
	c.Restores = restores(backup, current, c.Cluster != Different)
	if c.Cluster != Different {
		if err := c.records(); err != nil {
			return nil, err
		}
		if err := c.states(); err != nil {
			return nil, err
		}
	}
	c.conclude()
	c.repeated()
	return &c.Lineage, nil
}

// comparison is two snapshots and what was found of them so far.
type comparison struct {
	Lineage
	ctx             context.Context
	backup, current *snapshot.Snapshot

	window  []pair      // the same by their headers, values not yet compared
	suspect *difference // the first of those not yet judged
	same    int         // records after the suspect that are the same
	differ  int         // and that are not, itself included
	sameAt  int64       // the revision of the newest one that is
	parted  *difference // where the histories part
	against int         // contradictions that say so
}

// difference is a contradiction between the two histories.
type difference struct {
	revision int64
	key      string
	how      string
}

// compacted is the newer of the two compact revisions: below it records are
// missing for no fault.
func (c *comparison) compacted() int64 {
	return max(c.backup.CompactRevision(), c.current.CompactRevision())
}

func (c *comparison) damaged() bool { return c.backup.Damaged() || c.current.Damaged() }

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
func clusterUID(s *snapshot.Snapshot, prefix string) string {
	key := kube.Key{Resource: "namespaces", Name: "kube-system"}
	r, err := s.Get(key.Path(prefix), 0)
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

// conclude draws the relation from what was found.
func (c *comparison) conclude() {
	was, now := c.backup.Revision(), c.current.Revision()
	compared := c.Compared.Records + c.Compared.Keys
	switch {
	case c.Cluster == Different:
		c.Relation, c.Reason = Unrelated, "the namespace kube-system has another uid in each"
		c.Certain, c.Predictable = true, predictableUnrelated
	case c.parted != nil && compared == 0 && c.Cluster != Equal:
		c.Relation, c.Reason = Unrelated, "no record is the same in both: "+c.contradiction()
		c.Predictable = predictableUnrelated
	case c.parted != nil:
		c.Relation, c.Reason = Diverged, "one history does not explain both: "+c.contradiction()
		c.DivergedRevision, c.DivergedKey = c.parted.revision, c.parted.key
		c.Certain, c.Predictable, c.Unseen = !c.damaged() && c.against > 1, predictableDiverged, unseenDiverged
	case compared == 0:
		c.Relation, c.Reason = Unknown, "nothing that one snapshot holds can be compared with the other"+c.loss()
		c.Predictable = predictableUnknown
	default:
		c.Relation, c.Reason = order(was, now), c.agreement()
		c.Certain = !c.damaged() && c.Compared.Damaged == 0 && c.compacted() <= min(was, now)
		c.CommonRevision = min(was, now)
		c.Unseen = c.unseen()
	}
}

func order(was, now int64) Relation {
	switch {
	case was < now:
		return Ancestor
	case was > now:
		return Descendant
	}
	return Same
}

// contradiction says why the histories part.
func (c *comparison) contradiction() string {
	if c.against == 1 {
		return c.parted.how + "; nothing else differs, so that damage to one file could be the reason as well"
	}
	return c.parted.how + c.loss()
}

// loss says that damage has left less to compare.
func (c *comparison) loss() string {
	if c.damaged() {
		return ", and what damage has cost could not be compared"
	}
	return ""
}

// agreement says what one history rests on.
func (c *comparison) agreement() string {
	var parts []string
	say := func(when bool, format string, args ...any) {
		if when {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	n, head := c.Compared, min(c.backup.Revision(), c.current.Revision())
	values := "values and all"
	if n.Values < n.Records {
		values = "values compared in " + words.Number(n.Values)
	}
	say(n.Records > 0, "%s the same in both, %s", words.CountOf(n.Records, "record is", "records are"), values)
	say(n.Keys > 0, "%s the state of one history at a compaction", words.CountOf(n.Keys, "key has", "keys have"))
	say(c.Cluster == Equal, "the namespace kube-system has the same uid")
	say(n.Damaged > 0, "%s although later ones are the same, so that one of the two files is damaged there", words.CountOf(n.Damaged, "record differs", "records differ"))
	say(c.compacted() > head, "what was overwritten before the compaction at revision %d could not be compared", c.compacted())
	return strings.Join(parts, ", ") + c.loss()
}

// CommonUpTo is the newest revision up to which the two are known to be of one history,
// 0 where that is not known for certain. A nil Lineage knows nothing.
func (l *Lineage) CommonUpTo() int64 {
	if l == nil || !l.Certain {
		return 0
	}
	switch l.Relation {
	case Same, Ancestor, Descendant:
		return l.CommonRevision
	}
	return 0
}

// OneHistory says whether nothing contradicts that the backup is an earlier state of the
// current snapshot, as for a nil Lineage, which was not compared.
func (l *Lineage) OneHistory() bool {
	return l == nil || l.Relation == Same || l.Relation == Ancestor
}
