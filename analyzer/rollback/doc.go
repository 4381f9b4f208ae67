// Package rollback says what, beside the pods, a restore takes back in time: the
// volumes, addresses, credentials, namespaces and custom resources of which the
// cluster has another state than the backup.
//
// In go two snapshots, the backup and the newest state known before the restore.
// Out comes a Rollback: for every resource how many objects are lost, resurrected,
// replaced and rolled back, and Findings, each of one kind that Infos describes:
// what the snapshots show, what follows from it that they cannot show, how sure
// that is, and what to do.
//
// Nothing is refused. Values that are needed and cannot be read, encrypted ones
// among them, are named by a Finding of their own. The backup is taken for an
// ancestor of the current state: a record with the same revisions and size in
// both is taken for the same.
//
// All of it holds under every plan of a restore: a bump changes the number of
// the revision, not one object, and what API servers and kubelets do afterwards
// does not bring back what the backup lacks.
//
// The two key spaces are walked side by side, in the order of the keys. Values
// are read of what differs, and decoded of what a rule looks at, so memory grows
// with what is found, not with the snapshots.
package rollback
