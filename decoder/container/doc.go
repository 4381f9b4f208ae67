// Package container finds the etcd database in whatever a person was handed: a file,
// compressed or not, an archive, a member's data directory, or a directory that a
// platform makes for backups.
//
// It takes a path. Content determines what it is, not the name, except in a store of
// full and delta snapshots, whose names give their order. It returns the db, open for
// reading, with the directory of the write-ahead log if there is one, the format, the
// chosen entry, and every file of evidence with its size and its SHA-256.
//
// It refuses files that are neither a container nor a database, archives in archives,
// archives and directories with no database or with several of which none is named,
// and anything that expands beyond the limits. Compressed evidence is expanded into a
// private directory for temporary files, never next to the evidence: of an archive
// only the database and its log, after the whole archive was scanned. Standard input
// that is neither a database nor a container is refused by its beginning.
package container
