package snapshot

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
)

// Revision is one change of the key space: Main counts transactions, Sub the
// changes within one.
type Revision struct {
	Main int64
	Sub  int64
}

// lastSub is the highest sub that a record can have here. No etcd takes so many changes in
// one transaction.
const lastSub = math.MaxUint32

func (r Revision) String() string {
	if r.Sub == 0 {
		return fmt.Sprintf("%d", r.Main)
	}
	return fmt.Sprintf("%d.%d", r.Main, r.Sub)
}

// compare orders revisions.
func (r Revision) compare(other Revision) int {
	return cmp.Or(cmp.Compare(r.Main, other.Main), cmp.Compare(r.Sub, other.Sub))
}

func (r Revision) less(other Revision) bool {
	return r.Main < other.Main || r.Main == other.Main && r.Sub < other.Sub
}

// follows says whether nothing can stand between another revision and this one.
func (r Revision) follows(other Revision) bool {
	if r.Main == other.Main {
		return r.Sub == other.Sub+1
	}
	return r.Main-1 == other.Main && r.Sub == 0
}

// after is the main revision after another one; the last there is has none, and is
// its own.
func after(main int64) int64 { return main + min(1, math.MaxInt64-main) }

const (
	revisionSize  = 17 // 8 bytes main, '_', 8 bytes sub, big-endian
	tombstoneSize = 18 // and a 't'
)

// parseRevision reads a key of the key bucket, as etcd's mvcc/revision.go
// BytesToBucketKey does, but refuses what that would panic at or let pass.
func parseRevision(b []byte) (rev Revision, tombstone, ok bool) {
	switch {
	case len(b) == revisionSize:
	case len(b) == tombstoneSize && b[17] == 't':
		tombstone = true
	default:
		return rev, false, false
	}
	if b[8] != '_' {
		return rev, false, false
	}
	rev.Main = int64(binary.BigEndian.Uint64(b))
	rev.Sub = int64(binary.BigEndian.Uint64(b[9:]))
	return rev, tombstone, rev.Main >= 0 && rev.Sub >= 0
}
