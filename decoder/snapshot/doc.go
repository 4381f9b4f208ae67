// Package snapshot opens etcd snapshot files and answers what etcd would
// answer from them: the state of every key at every retained revision.
//
// It takes the path of a file as `etcdctl snapshot save` writes it, with or
// without the SHA-256 trailer, of a member's bare db, of either in a container
// (package container), or of a member's data directory, whose write-ahead log
// is applied to its db in memory. It returns a Snapshot: metadata, an index of
// all revisions, key histories, states at a revision, hashes, custody, and the
// list of problems found. Evidence is mapped read-only, never locked and never
// written; values are read on demand, as copies.
//
// It refuses revisions that were compacted or lie in the future, with an error
// that says so, and files from which nothing can be read. Everything less
// is a Problem: what can be read is served, and the problems say what cannot.
//
// Vocabulary and behaviour follow etcd: server/v3 v3.7 storage/mvcc
// (revision.go, key_index.go, kvstore.go) and etcdutl/v3 v3.7
// snapshot/v3_snapshot.go.
package snapshot
