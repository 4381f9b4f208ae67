// Package snapshotfile writes etcd snapshots: the records of revisions and the items of
// the small buckets go in, a file as `etcdctl snapshot save` writes it comes out, with
// the SHA-256 of its pages as its trailer.
//
// It writes with bbolt, from nothing, so that no page of the file holds what was not put
// into it. It checks neither keys nor values: what is given is written.
package snapshotfile

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"go.etcd.io/bbolt"

	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
)

const (
	// A transaction, which bbolt keeps in memory and which cannot be interrupted when
	// it is committed, has so many records and bytes.
	together      = 10_000
	togetherBytes = 4 << 20
	pageFill      = 0.9   // how full pages are made: they are written in order (etcd server/v3 v3.7 storage/backend/batch_tx.go)
	fileMode      = 0o600 // what is in it is as secret as the evidence
)

// Buckets are the small buckets of every etcd since 3.4 (server/v3 v3.7
// storage/schema/bucket.go). etcd makes those that are missing.
var Buckets = []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "lease", "members", "members_removed", "meta"}

// Content is what is written.
type Content struct {
	PageSize int                          // in bytes
	Small    map[string]map[string][]byte // items of the buckets other than the revisions'
	// Next gives the next record, in the order of revisions, with its mvccpb.KeyValue as
	// etcd stores it: in room, where that is large enough. io.EOF ends it. The value must
	// not change before the next call that is given a room of its own length.
	Next func(room []byte) (snapshot.Record, []byte, error)
	// Freed is a record that is put after all others, and removed again: it stands on a page
	// that nothing refers to, as the newest one does where etcd went on while a snapshot was
	// saved. The zero Freed is none.
	Freed Freed
	// Progress, when set, is called before each transaction.
	Progress func()
}

// Freed is a record with its mvccpb.KeyValue.
type Freed struct {
	snapshot.Record
	Value []byte
}

// Written is what came of it.
type Written struct {
	SizeBytes int64  // with the trailer
	SHA256    string // of the file, trailer included
}

// Write writes a snapshot to a new file in dir, and leaves a working file called db
// beside it. The error is ctx's, Next's, or that of the file.
func Write(ctx context.Context, dir *os.Root, name string, c Content) (written Written, err error) {
	inDir := func(path string, flag int, mode os.FileMode) (*os.File, error) { return dir.OpenFile(path, flag, mode) }
	db, err := bbolt.Open("db", fileMode, &bbolt.Options{
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: true, PageSize: c.PageSize, OpenFile: inDir,
	})
	if err != nil {
		return Written{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Update(c.buckets); err != nil {
		return Written{}, err
	}
	room := make([]byte, togetherBytes)
	for more := true; more; {
		if c.Progress != nil {
			c.Progress()
		}
		err := db.Update(func(tx *bbolt.Tx) (err error) {
			more, err = c.records(ctx, tx, room)
			return err
		})
		if err != nil {
			return Written{}, err
		}
	}
	if f := &c.Freed; f.Main > 0 {
		key := key(f.Revision, f.Tombstone)
		for _, change := range []func(*bbolt.Bucket) error{
			func(b *bbolt.Bucket) error { return b.Put(key, f.Value) },
			func(b *bbolt.Bucket) error { return b.Delete(key) },
		} {
			if err := db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte("key"))) }); err != nil {
				return Written{}, err
			}
		}
	}
	return save(ctx, db, dir, name)
}

// buckets makes all buckets, and fills the small ones.
func (c *Content) buckets(tx *bbolt.Tx) error {
	if _, err := tx.CreateBucket([]byte("key")); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Small)) {
		b, err := tx.CreateBucket([]byte(name))
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(c.Small[name])) {
			if err := b.Put([]byte(key), c.Small[name][key]); err != nil {
				return fmt.Errorf("bucket %s: %w", name, err)
			}
		}
	}
	return nil
}

// records writes the next ones, as many as one transaction takes, and says whether
// there are more. bbolt has the values in room until the transaction is committed.
func (c *Content) records(ctx context.Context, tx *bbolt.Tx, room []byte) (more bool, err error) {
	b := tx.Bucket([]byte("key"))
	b.FillPercent = pageFill
	for n, size := 0, 0; n < together && size < togetherBytes; n++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		r, value, err := c.Next(room)
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := b.Put(key(r.Revision, r.Tombstone), value); err != nil {
			return false, err
		}
		size += len(value)
		room = room[min(len(value), len(room)):]
	}
	return true, nil
}

// key is a revision as etcd stores it (server/v3 v3.7 storage/mvcc/revision.go).
func key(rev snapshot.Revision, tombstone bool) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(rev.Main))
	b = binary.BigEndian.AppendUint64(append(b, '_'), uint64(rev.Sub))
	if tombstone {
		b = append(b, 't')
	}
	return b
}

// save writes the snapshot of a db as etcd does: the pages in use, and after them
// the SHA-256 of it all (client/v3 v3.7 snapshot/v3_snapshot.go).
func save(ctx context.Context, db *bbolt.DB, dir *os.Root, name string) (written Written, err error) {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return Written{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, whole := sha256.New(), sha256.New()
	err = db.View(func(tx *bbolt.Tx) error {
		n, err := tx.WriteTo(outfile.Until(ctx, io.MultiWriter(f, content, whole)))
		written.SizeBytes = n + sha256.Size
		return err
	})
	if err != nil {
		return Written{}, err
	}
	trailer := content.Sum(nil)
	if _, err := f.Write(trailer); err != nil {
		return Written{}, err
	}
	whole.Write(trailer)
	written.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return written, f.Sync()
}
