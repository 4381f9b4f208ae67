package salvage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"go.etcd.io/bbolt"
	"maps"

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

type writer struct {
	ctx      context.Context
	s        *snapshot.Snapshot
	result   *Result
	progress func(done, total int)
	total    int    // records that are written
	values   []byte // of the transaction at hand, which bbolt has until it is committed
}

// database makes a database of what is written, and name a snapshot of it.
func (w *writer) database(dir *os.Root, name string, small map[string]map[string][]byte, records iter.Seq[snapshot.Record]) (err error) {
	inDir := func(path string, flag int, mode os.FileMode) (*os.File, error) { return dir.OpenFile(path, flag, mode) }
	db, err := bbolt.Open("db", fileMode, &bbolt.Options{
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: true, PageSize: w.s.PageSize(), OpenFile: inDir,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("key")); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(small)) {
			b, err := tx.CreateBucket([]byte(name))
			if err != nil {
				return err
			}
			for _, key := range slices.Sorted(maps.Keys(small[name])) {
				if err := b.Put([]byte(key), small[name][key]); err != nil {
					return fmt.Errorf("bucket %s: %w", name, err)
				}
			}
		}
		return nil
	})
	next, stop := iter.Pull(records)
	defer stop()
	for more := true; more && err == nil; {
		if w.progress != nil {
			w.progress(w.result.Records+len(w.result.Unread), w.total)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			more, err = w.records(tx, next)
			return err
		})
	}
	if err != nil {
		return err
	}
	return w.save(db, dir, name)
}

// records writes the next ones, as many as one transaction takes, and says whether
// there are more.
func (w *writer) records(tx *bbolt.Tx, next func() (snapshot.Record, bool)) (more bool, err error) {
	b := tx.Bucket([]byte("key"))
	b.FillPercent = pageFill
	if w.values == nil {
		w.values = make([]byte, togetherBytes)
	}
	room := w.values
	for n, size := 0, 0; n < together && size < togetherBytes; n++ {
		r, ok := next()
		if !ok {
			return false, nil
		}
		if err := w.ctx.Err(); err != nil {
			return false, err
		}
		value, err := w.s.Raw(r, room)
		if err != nil {
			w.result.Unread = append(w.result.Unread, r.Revision.String())
			continue
		}
		if err := b.Put(key(r.Revision, r.Tombstone), value); err != nil {
			return false, err
		}
		size += len(value)
		room = room[min(len(value), len(room)):]
		w.result.Records++
		w.result.Revision = max(w.result.Revision, r.Main)
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
func (w *writer) save(db *bbolt.DB, dir *os.Root, name string) (err error) {
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, whole := sha256.New(), sha256.New()
	err = db.View(func(tx *bbolt.Tx) error {
		n, err := tx.WriteTo(outfile.Until(w.ctx, io.MultiWriter(f, content, whole)))
		w.result.SizeBytes = n + sha256.Size
		return err
	})
	if err != nil {
		return err
	}
	trailer := content.Sum(nil)
	if _, err := f.Write(trailer); err != nil {
		return err
	}
	whole.Write(trailer)
	w.result.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return f.Sync()
}
