// Package salvage writes a clean snapshot from everything readable in a damaged one,
// in a form that etcdutl accepts.
//
// Everything that the buckets still lead to is written. Only if a part of the key
// bucket could not be read, records are taken from pages in no bucket: revisions are
// written once and never change, so one above the compact revision is the missing
// one. One at or below the compact revision may have been removed by a compaction,
// and writing it could restore a deleted object: such a record is withheld unless it
// is requested. So is a record that contradicts itself or its page: if a length is
// damaged, the rest of a record can look like a whole one with another value, or with
// none. Two differing copies of one revision are both withheld.
//
// A damaged db can hold several states: that of its tree, the same with what the scan
// adds, and those of other roots, of commits before or after. The most complete state
// that contradicts nothing is written, unless another one is requested.
//
// A data directory gives a snapshot with its log applied.
package salvage
