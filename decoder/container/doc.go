// Package container finds the etcd database in whatever a person was handed: a
// file, compressed or not, an archive, a member's data directory, or a directory
// that a platform makes for backups.
//
// In goes a path; what it is, is told by content and not by name, but for a store of
// full snapshots and deltas, whose names put them in order. Out comes the
// db, open for reading, with the directory of the write-ahead log where there is
// one, the format, the entry chosen, and every file of evidence with its size
// and its SHA-256.
//
// Refused are files that are no container and no database, archives in
// archives, archives and directories with no database or with several of which none is
// named, and what expands to more than the limits allow. What is compressed is expanded into a private
// directory for temporary files, never beside the evidence: of an archive only
// the database and its log, once all of it was looked at. Standard input that is
// no database and no container is refused by its beginning.
package container
