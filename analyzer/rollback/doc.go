// Package rollback reports what a restore rolls back besides the pods: volumes,
// addresses, credentials, namespaces and custom resources whose state in the cluster
// differs from the backup.
//
// It takes two snapshots, the backup and the newest state known before the restore,
// and returns a Rollback: for every resource the number of objects that are lost,
// resurrected, replaced and rolled back, and Findings, each of one kind that Infos
// describes: what the snapshots show, what follows that they cannot show, how certain
// that is, and what to do.
//
// It refuses nothing. Values that it needs and cannot read, including encrypted ones,
// get a Finding of their own. The backup is assumed to be an ancestor of the current
// state: records with the same revisions and size in both are assumed to be equal.
//
// The result holds under every plan of a restore. A bump changes the revision, not
// one object, and nothing that API servers and kubelets do afterwards brings back
// what the backup lacks.
//
// The two key spaces are walked in parallel, in key order. Values are read only where
// they differ, and decoded only where a rule needs them, so memory grows with the
// findings, not with the snapshots.
package rollback
