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
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
	"maps"

	"revenant/decoder/snapshot"
)

const (
	together = 10_000 // records a transaction
	pageFill = 0.9    // how full pages are made: they are written in order (etcd server/v3 v3.7 storage/backend/batch_tx.go)
	fileMode = 0o600  // what is in it is as secret as the evidence
)

type writer struct {
	ctx      context.Context
	s        *snapshot.Snapshot
	result   *Result
	progress func(done, total int)
}

// write makes the file whole or not at all: it is written beside its place and
// takes it at the end.
func (w *writer) write(path string, small map[string]map[string][]byte, entries []entry) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".revenant-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	temp := filepath.Join(dir, "snapshot")
	if err := w.database(filepath.Join(dir, "db"), temp, small, entries); err != nil {
		return err
	}
	// A link refuses a file that came meanwhile.
	if err := os.Link(temp, path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
		return os.Rename(temp, path)
	}
	return nil
}

func (w *writer) database(path, snapshot string, small map[string]map[string][]byte, entries []entry) (err error) {
	db, err := bbolt.Open(path, fileMode, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoSync: true, PageSize: w.s.PageSize()})
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
	for from := 0; from < len(entries) && err == nil; from += together {
		if err = w.ctx.Err(); err != nil {
			break
		}
		if w.progress != nil {
			w.progress(from, len(entries))
		}
		err = db.Update(func(tx *bbolt.Tx) error { return w.records(tx, entries[from:min(from+together, len(entries))]) })
	}
	if err != nil {
		return err
	}
	return w.save(db, snapshot)
}

func (w *writer) records(tx *bbolt.Tx, entries []entry) error {
	b := tx.Bucket([]byte("key"))
	b.FillPercent = pageFill
	for i := range entries {
		e := &entries[i]
		value, err := w.s.Raw(e.record, nil)
		if err != nil {
			w.result.Unread = append(w.result.Unread, e.rev.String())
			continue
		}
		if err := b.Put(key(e.rev, e.tombstone), value); err != nil {
			return err
		}
		w.result.Records++
		w.result.Revision = max(w.result.Revision, e.rev.Main)
	}
	return nil
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
func (w *writer) save(db *bbolt.DB, path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, whole := sha256.New(), sha256.New()
	err = db.View(func(tx *bbolt.Tx) error {
		n, err := tx.WriteTo(io.MultiWriter(f, content, whole))
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
