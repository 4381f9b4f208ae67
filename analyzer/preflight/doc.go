// Package preflight says, before anything is touched, whether a backup can be restored:
// whether it is whole, whether the etcd and the API servers that will have it can read
// it, whether it is of the same cluster and new enough, with which bump, and whether the
// control plane will then start and accept writes.
//
// In go the backup, the newest state before the restore where there is one, what is
// known of the programs that will run, and a Policy. Out comes a Report: every check of
// Infos with a verdict, a reason and a source, and a grade over all.
//
// No check passes because it could not look. What needs the current state is unknown
// without one, and what rests on evidence that is damaged or known to be incomplete is
// unknown unless it fails all the same. Nothing is refused: snapshots of two clusters,
// or two that are swapped, fail a check, and what depends on it is unknown.
package preflight
