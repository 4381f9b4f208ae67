package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"revenant/decoder/boltpage"
	"revenant/decoder/container"
	"revenant/internal/outfile"
)

// memory is what a cache has of a file, or is to have. Nil is none.
type memory struct {
	cache *outfile.Cache
	file  *os.File
	entry string // its name
	key   [sha256.Size]byte

	found *known // nil when there is nothing that can be used
}

// remember reads what the cache has of the evidence. Only a file that is read
// where it is, and alone, has an entry.
func (s *Snapshot) remember(ctx context.Context, cache *outfile.Cache) *memory {
	e := s.evidence
	if cache == nil || e.Format != container.Plain || e.Expanded() || e.WALDir != "" || e.Beside != "" || len(e.Deltas) > 0 {
		return nil
	}
	path, err := filepath.Abs(e.DBPath)
	if err != nil {
		return nil
	}
	m := &memory{cache: cache, file: e.DB}
	name := sha256.Sum256([]byte(path))
	m.entry = hex.EncodeToString(name[:]) + ".index"
	if m.key, err = cacheKey(e.DB); err != nil {
		return nil
	}
	m.read(ctx, s.size)
	return m
}

// read reads the entry for a file of that size. What is wrong with one does not matter:
// it is written again.
func (m *memory) read(ctx context.Context, db int64) {
	f, err := m.cache.Open(m.entry)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		m.found, _ = readCache(ctx, f, info.Size(), m.key, db, runtime.GOMAXPROCS(0))
	}
}

// openPages opens the pages of the file, with what is known of the tree.
func (m *memory) openPages(ctx context.Context, db *os.File) (*boltpage.File, error) {
	if m == nil || m.found == nil {
		return boltpage.Open(ctx, db)
	}
	pages, resumed, err := boltpage.Resume(ctx, db, "key", &m.found.tally)
	if !resumed {
		m.found = nil
	}
	return pages, err
}

// keyHead is how much of the beginning of a file is part of its key: the meta pages are
// in it, of which every commit writes one.
const keyHead = 128 << 10

// cacheKey is what an entry must have been written for: this state of this file, as far
// as that shows without reading all of it, and this version of the program.
func cacheKey(f *os.File) (key [sha256.Size]byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return key, err
	}
	version := ""
	if build, ok := debug.ReadBuildInfo(); ok {
		version = build.Main.Version
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %d %d %v\n", version, info.Size(), info.ModTime().UnixNano(), identity(f))
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, min(info.Size(), keyHead))); err != nil {
		return key, err
	}
	const trailer = sha256.Size
	if _, err := io.Copy(h, io.NewSectionReader(f, max(info.Size()-trailer, 0), trailer)); err != nil {
		return key, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// recall is what the cache has of the file, nil when there is nothing that fits.
func (m *memory) recall() *known {
	if m == nil {
		return nil
	}
	return m.found
}

// keep writes the entry of a file in which nothing was found wrong: no problem is ever
// kept back by a cache. An entry that cannot be written is not. The error is ctx's.
func (s *Snapshot) keep(ctx context.Context, k *known) error {
	m := s.memory
	if m == nil || s.Damaged() {
		return nil
	}
	var ok bool
	if k.tally, ok = s.pages.Bucket("key").Tally(); !ok {
		return nil
	}
	_ = m.cache.Write(ctx, m.entry, func(w io.Writer) error {
		if err := k.write(w, m.key); err != nil {
			return err
		}
		if key, err := cacheKey(m.file); err != nil || key != m.key {
			return errors.Join(errCache, err) // the file changed meanwhile
		}
		return nil
	})
	return ctx.Err()
}
