// Package salvage writes a clean snapshot out of all that is readable of a
// damaged one, in such a way that the real etcdutl accepts it.
//
// What the buckets still lead to is always written. Where something of the key bucket
// could not be read, and there only, records are taken from pages in no bucket:
// revisions are written once and never change, so one above the compact revision
// is the one that is missing. At or below the compact revision it may as well be
// one that a compaction had removed, and writing it could bring back to life what
// was deleted: such a record is withheld unless it is asked for. So is one that
// contradicts itself or its page: where a length is damaged, what is left of a record
// can be a well-formed one with another value, or with none. Two copies of one
// revision that differ are both withheld.
//
// A damaged db can hold several states: that of its tree, the same with what the scan
// adds, and those of other roots, of commits before or after. The most complete that
// contradicts nothing is written, unless another one is asked for.
//
// A data directory gives a snapshot with its log applied.
package salvage
