package outfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Cache is a private directory of entries, each a file that can be made again. Nil
// keeps nothing.
type Cache struct {
	guard *Guard
	dir   string
}

// cacheMode is that of a directory that is made; one that others can write to is refused.
const cacheMode = 0o700

// unusedFor is after what time without use an entry is removed, and a part of one that
// was never finished.
const unusedFor = 30 * 24 * time.Hour

// cacheEntry are the names in the directory that are its own.
var cacheEntry = regexp.MustCompile(`^(?:[0-9a-f]{64}\.index|\.revenant-[0-9a-f]{16})$`)

// Cache opens the directory for entries, and makes it when it is not there. It must
// be the user's, writable by no other, and neither hold evidence nor lie in it. Call
// it when the guard knows the evidence.
func (g *Guard) Cache(path string) (*Cache, error) {
	if err := g.MkdirAll(path, cacheMode); err != nil {
		return nil, err
	}
	dir, err := filepath.EvalSymlinks(absolute(path))
	if err != nil {
		return nil, pathless(err)
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return nil, pathless(err)
	case !info.IsDir():
		return nil, errors.New("it is no directory")
	case !private(info):
		return nil, errors.New("it belongs to another user, or others may write to it")
	case g.beside(info):
		return nil, errors.New("evidence is in it")
	}
	return &Cache{guard: g, dir: dir}, nil
}

// beside says whether a file of evidence is in a directory, by whatever name.
func (g *Guard) beside(dir fs.FileInfo) bool {
	if g == nil {
		return false
	}
	for _, k := range g.files {
		for _, path := range []string{k.path, resolved(k.path)} {
			if parent, err := os.Stat(filepath.Dir(path)); err == nil && os.SameFile(parent, dir) {
				return true
			}
		}
	}
	return false
}

// resolved is the path without any link, or the path itself.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// Open opens an entry for reading, and notes that it was used.
func (c *Cache) Open(name string) (*os.File, error) {
	path := filepath.Join(c.dir, name)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fs.ErrInvalid)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !private(info) {
		return nil, errors.Join(cmp.Or(err, fs.ErrInvalid), f.Close())
	}
	if now := time.Now(); now.Sub(info.ModTime()) > unusedFor/30 {
		_ = os.Chtimes(path, now, now)
	}
	return f, nil
}

// Write writes an entry whole or not at all, and removes those that were not used for
// long.
func (c *Cache) Write(ctx context.Context, name string, write func(io.Writer) error) error {
	if !cacheEntry.MatchString(name) {
		return fmt.Errorf("%s is not the name of an entry", name)
	}
	p, err := c.guard.Place(filepath.Join(c.dir, name), Name)
	if err != nil {
		return err
	}
	c.evict()
	return p.Write(ctx, 0o600, write)
}

// evict removes old entries. One that cannot be removed is left.
func (c *Cache) evict() {
	dir, err := os.Open(c.dir)
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(maxEntries)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && cacheEntry.MatchString(e.Name()) && info.Mode().IsRegular() && time.Since(info.ModTime()) > unusedFor {
			_ = os.Remove(filepath.Join(c.dir, e.Name()))
		}
	}
}
