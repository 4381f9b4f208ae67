// Package preflight checks, before anything is touched, whether a backup can be
// restored: whether it is intact, whether the etcd and the API servers that will run
// can read it, whether it is of the same cluster and new enough, which bump it needs,
// and whether the control plane will then start and accept writes.
//
// It takes the backup, the newest state before the restore if there is one, the known
// versions of the programs that will run, and a Policy. It returns a Report: every
// check of Infos with a verdict, a reason and a source, and an overall grade.
//
// No check passes because it could not look. Checks that need the current state are
// unknown without one, and checks on evidence that is damaged or known to be
// incomplete are unknown unless they fail anyway. It refuses nothing: snapshots of
// two clusters, or two that are swapped, fail a check, and what depends on it is
// unknown.
package preflight
