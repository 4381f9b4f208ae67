package storage

import (
	"context"
	"slices"

	"revenant/decoder/snapshot"
)

// Use says what a part of the file is for.
type Use string

// The parts of a file.
const (
	LiveRecords    Use = "live records"
	HistoryRecords Use = "history"
	RecordHeaders  Use = "revisions of records"
	OtherBuckets   Use = "other buckets"
	Unfilled       Use = "rest of pages in use"
	FreePages      Use = "free pages"
	Unreachable    Use = "unreachable pages"
	FreeList       Use = "list of free pages"
	MetaPages      Use = "meta pages"
	Beyond         Use = "beyond the last page"
	Trailer        Use = "trailer"
)

// Uses say of each part what it is made of.
var Uses = map[Use]string{
	LiveRecords:    "the newest record of each key that exists",
	HistoryRecords: "records superseded since, and deletions; a compaction frees them",
	RecordHeaders:  "each record's revision and its place in its page",
	OtherBuckets:   "leases, members, users and what etcd keeps of itself",
	Unfilled:       "headers of pages, the pages that lead to others, and room in pages that are not full",
	FreePages:      "in no bucket; etcd uses them again, a defragmentation gives them back",
	Unreachable:    "neither in use nor free, which bbolt never leaves behind",
	FreeList:       "which pages are free",
	MetaPages:      "two copies of where the tree begins",
	Beyond:         "pages that the file was grown by ahead of their use",
	Trailer:        "the SHA-256 that a snapshot ends with, or what else follows the last whole page",
}

// Part is a part of the file.
type Part struct {
	Use   Use
	Bytes int64
	Pages uint64 // 0 for what is not counted in whole pages
}

// File accounts for the bytes of the file that the revisions were read from.
type File struct {
	Size     int64
	PageSize int
	Parts    []Part // those that have bytes, in the order of the uses; they sum up to Size
	Buckets  []Bucket
	// InLog are the bytes of records that only the log has: they are in no part.
	InLog int64
	// Defrag is about what a defragmentation gives back: free pages, unreachable ones
	// and those beyond the last. How full the pages are then is not known before.
	Defrag int64
	// Compaction are the bytes of history: what a compaction at the newest revision
	// frees, for etcd to use again.
	Compaction int64
}

// Bucket is a bucket of the file.
type Bucket struct {
	Name  string
	Items int
	Bytes int64 // of its keys and values
}

// stored are the bytes of records in the file.
type stored struct {
	live, history, headers, log int64
	records                     int
}

// recordHeader is what a record takes in its page beside itself: its revision as key,
// one byte longer for a deletion (etcd server/v3 v3.7 storage/mvcc/revision.go), and
// the element that leads to it (bbolt v1.5.0 internal/common/page.go).
const (
	elementBytes  = 16
	revisionBytes = 17
)

// add counts a key's records, oldest first.
func (f *stored) add(s *snapshot.Snapshot, records []snapshot.Record) {
	for i := range records {
		r := &records[i]
		size := int64(r.Size)
		switch {
		case s.Offset(*r) < 0:
			f.log += size
			continue
		case i == len(records)-1 && !r.Tombstone:
			f.live += size
		default:
			f.history += size
		}
		f.records++
		if f.headers += elementBytes + revisionBytes; r.Tombstone {
			f.headers++
		}
	}
}

// fileOf accounts for every byte of the file. The error is ctx's.
func fileOf(ctx context.Context, s *snapshot.Snapshot, records *stored) (File, error) {
	u, err := s.Usage(ctx)
	if err != nil {
		return File{}, err
	}
	buckets, err := s.Buckets(ctx)
	if err != nil {
		return File{}, err
	}
	page := int64(s.PageSize())
	f := File{Size: s.Size(), PageSize: s.PageSize(), InLog: records.log, Compaction: records.history}
	f.Defrag = int64(u.Free+u.Unreachable+u.Beyond) * page
	var others, items int64
	for _, b := range buckets {
		bucket := Bucket{Name: b.Name, Items: b.Keys}
		if b.Name == "key" {
			bucket.Bytes = records.live + records.history + records.headers - int64(records.records)*elementBytes
		} else {
			// What cannot be read is not counted: it is in the rest of its page.
			_, _ = s.EachBucket(b.Name, func(key, value []byte) error {
				bucket.Bytes += int64(len(key) + len(value))
				items++
				return ctx.Err()
			})
			others += bucket.Bytes
		}
		f.Buckets = append(f.Buckets, bucket)
	}
	others += items * elementBytes
	inPages := int64(u.Meta+u.Tree+u.Freelist+u.Free+u.Unreachable+u.Beyond) * page
	tree := int64(u.Tree) * page
	f.Parts = []Part{
		{LiveRecords, records.live, 0},
		{HistoryRecords, records.history, 0},
		{RecordHeaders, records.headers, 0},
		{OtherBuckets, others, 0},
		{Unfilled, tree - records.live - records.history - records.headers - others, 0},
		{FreePages, int64(u.Free) * page, u.Free},
		{Unreachable, int64(u.Unreachable) * page, u.Unreachable},
		{FreeList, int64(u.Freelist) * page, u.Freelist},
		{MetaPages, int64(u.Meta) * page, u.Meta},
		{Beyond, int64(u.Beyond) * page, u.Beyond},
		{Trailer, f.Size - inPages, 0},
	}
	f.Parts = slices.DeleteFunc(f.Parts, func(p Part) bool { return p.Bytes == 0 })
	return f, ctx.Err()
}
