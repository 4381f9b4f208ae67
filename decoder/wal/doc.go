// Package wal reads the write-ahead log of an etcd member: the entries that
// raft has agreed on, or may have, and that the member's db lags behind.
//
// It takes the path of a directory of segments (member/wal) and the index of the
// last entry that the db has already applied. It returns the entries after it, the last
// commit that was recorded, the member's identity, and what is wrong with the segments.
// Segments are opened for reading and nothing else: no lock is taken, nothing
// is created, renamed or repaired.
//
// The format is etcd's (server/v3 v3.7 storage/wal: decoder.go, encoder.go,
// wal.go): segments of frames, each a record with a checksum that runs over all
// records from the first on.
package wal
