// Package boltpage reads bbolt files page by page, without trusting them.
//
// It takes a bbolt file, mapped read-only or held in memory, and returns its meta
// pages, its buckets and their items in key order, and the list of everything that is
// wrong with it. The package never writes, never locks, and never follows a number
// from the file before checking it against the file's size.
//
// bbolt itself trusts its file: a damaged one can crash the process, hang it in a
// cycle of pages, or be read wrongly without an error. Here every page must name
// itself, lie inside the file, be reached once, hold its elements packed the way
// bbolt packs them, and its keys in order. Whatever breaks one of these rules is
// recorded as an Anomaly and skipped; what remains readable is read.
//
// If the meta pages are lost or lead to no root, the root of an etcd db is searched
// for among all pages.
//
// Item keys and values are slices of the map, or of copies of its pages. They are
// valid only inside the callback that receives them: a page can vanish under the map
// (the file is truncated, the disk fails), and only a guarded call turns that fault
// into an error. Copy what must live longer.
//
// The layout mirrors go.etcd.io/bbolt v1.5.0, internal/common (page.go, meta.go,
// inode.go, bucket.go). Only little-endian files are read.
package boltpage
