package lineage

import (
	"fmt"

	"revenant/decoder/snapshot"
)

const signMarker = "bump marker"

// restores are the earlier restores that a snapshot shows: the records that
// etcdutl leaves for a bump (etcdutl/v3 v3.6 snapshot/v3_snapshot.go
// modifyLatestRevision), and a raft index that has started anew while revisions
// went on. Every write takes an entry of raft's log, so that without a restore
// revisions are never ahead of it.
func restores(name string, s *snapshot.Snapshot) []Restore {
	list := []Restore{}
	skipped := int64(0) // revisions that no entry was written for
	markers := s.BumpMarkers()
	for _, at := range markers {
		list = append(list, Restore{Snapshot: name, Revision: at, Sign: signMarker, Certain: true})
	}
	if len(markers) > 0 {
		skipped = markers[len(markers)-1]
	}
	index := int64(min(s.Meta().ConsistentIndex, 1<<62))
	if written := s.Revision() - skipped; index > 0 && written > index+1 {
		list = append(list, Restore{
			Snapshot: name, Certain: true,
			Sign: fmt.Sprintf("raft index %d, behind the %d revisions written", index, written),
		})
	}
	return list
}
