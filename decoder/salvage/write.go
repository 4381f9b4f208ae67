package salvage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"go.etcd.io/bbolt"
	"maps"

	"revenant/decoder/snapshot"
	"revenant/internal/outfile"
)

const (
	together = 10_000 // records a transaction at most
	// togetherBytes is how large a transaction grows: it is in memory, and cannot be
	// interrupted when it is committed.
	togetherBytes = 64 << 20
	pageFill      = 0.9   // how full pages are made: they are written in order (etcd server/v3 v3.7 storage/backend/batch_tx.go)
	fileMode      = 0o600 // what is in it is as secret as the evidence
)

type writer struct {
	ctx      context.Context
	s        *snapshot.Snapshot
	result   *Result
	progress func(done, total int)
}

// database makes a database of what is written, and name a snapshot of it.
func (w *writer) database(dir *os.Root, name string, small map[string]map[string][]byte, entries []entry) (err error) {
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
	for from := 0; from < len(entries) && err == nil; {
		if w.progress != nil {
			w.progress(from, len(entries))
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			n, err := w.records(tx, entries[from:min(from+together, len(entries))])
			from += n
			return err
		})
	}
	if err != nil {
		return err
	}
	return w.save(db, dir, name)
}

// records writes as many of the entries as a transaction takes, and says how many.
func (w *writer) records(tx *bbolt.Tx, entries []entry) (int, error) {
	b := tx.Bucket([]byte("key"))
	b.FillPercent = pageFill
	size := 0
	for i := range entries {
		if err := w.ctx.Err(); err != nil || size > togetherBytes {
			return i, err
		}
		e := &entries[i]
		value, err := w.s.Raw(e.record, nil)
		if err != nil {
			w.result.Unread = append(w.result.Unread, e.rev.String())
			continue
		}
		if err := b.Put(key(e.rev, e.tombstone), value); err != nil {
			return i, err
		}
		size += len(value)
		w.result.Records++
		w.result.Revision = max(w.result.Revision, e.rev.Main)
	}
	return len(entries), nil
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

// save writes the snapshot of a db as etcd does: the pages in use, and behind them
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
