package container

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"revenant/decoder/document"
)

// stored is a file as Gardener's etcd-backup-restore names it: a full snapshot, or a
// delta, the changes after another file (pkg/snapstore/snapshot.go ParseSnapshot,
// pkg/types/snapstore.go GenerateSnapshotName).
type stored struct {
	path       string
	delta      bool
	first      int64 // the revisions that are in it
	last       int64
	created    int64 // seconds since 1970
	compressed string
}

var storedName = regexp.MustCompile(`^(Full|Incr)-([0-9]{1,19})-([0-9]{1,19})-([0-9]{1,19})(\.gz|\.zlib|\.Z)?(\.final)?$`)

// parseStored reads what the name of a file says.
func parseStored(name string) (stored, bool) {
	m := storedName.FindStringSubmatch(name)
	if m == nil {
		return stored{}, false
	}
	first, err := strconv.ParseInt(m[2], 10, 64)
	last, err2 := strconv.ParseInt(m[3], 10, 64)
	created, err3 := strconv.ParseInt(m[4], 10, 64)
	ok := errors.Join(err, err2, err3) == nil && first <= last
	return stored{delta: m[1] == "Incr", first: first, last: last, created: created, compressed: m[5]}, ok
}

func (s stored) compare(t stored) int {
	return cmp.Or(cmp.Compare(s.last, t.last), cmp.Compare(s.created, t.created))
}

// Delta is a file of the changes after a full snapshot, or after the delta before it.
type Delta struct {
	Name        string
	Path        string // of what it holds, expanded
	First, Last int64  // the revisions that it has by its name
	Fault       string // why it could not be expanded to its end, "" where it was
}

// store lists the snapshots and deltas that a directory holds, or the directories in
// it that Gardener makes: v2, and v1 with one for each full snapshot. They come in
// the order in which they were made.
func store(ctx context.Context, dir string, most int) (files []stored, err error) {
	dirs := []string{dir}
	for i := 0; i < len(dirs); i++ {
		entries, err := readDir(ctx, dirs[i], &most)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			path := filepath.Join(dirs[i], entry.Name())
			if f, ok := parseStored(entry.Name()); ok && !entry.IsDir() {
				f.path = path
				files = append(files, f)
			} else if entry.IsDir() && nested(entry.Name(), i == 0) {
				dirs = append(dirs, path)
			}
		}
	}
	slices.SortStableFunc(files, stored.compare)
	return files, nil
}

var backupName = regexp.MustCompile(`^Backup-[0-9]+$`)

// nested says whether a directory may be a part of a store.
func nested(name string, top bool) bool {
	return top && (name == "v1" || name == "v2") || backupName.MatchString(name)
}

// fromStore reads the newest full snapshot and the deltas after it, as
// etcd-backup-restore does (pkg/miscellaneous/miscellaneous.go
// GetLatestFullSnapshotAndDeltaSnapList). all are in order.
func (e *Evidence) fromStore(ctx context.Context, all []stored, opts Options) error {
	full := len(all) - 1
	for full >= 0 && all[full].delta {
		full--
	}
	if full < 0 {
		return fmt.Errorf("%w: delta files are there, and no full snapshot to apply them to", ErrNone)
	}
	for _, f := range all[:full] {
		if !f.delta {
			e.unread(f.path)
		}
	}
	if full == len(all)-1 {
		e.Path = all[full].path
	}
	if err := e.fromPath(ctx, all[full].path, opts); err != nil {
		return fmt.Errorf("%s: %w", quote(filepath.Base(all[full].path)), err)
	}
	return e.expandDeltas(ctx, all[full+1:], opts)
}

// fromStored reads a full snapshot that was named alone, or the state after a delta.
func (e *Evidence) fromStored(ctx context.Context, path string, named stored, opts Options) error {
	all, err := store(ctx, filepath.Dir(path), opts.Entries)
	if err != nil && !named.delta {
		return e.fromPath(ctx, path, opts) // it is there, whatever is beside it
	}
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(f stored) bool { return filepath.Base(f.path) == filepath.Base(path) })
	switch {
	case at >= 0 && named.delta:
		return e.fromStore(ctx, all[:at+1], opts)
	case at >= 0:
		for _, f := range all[at+1:] {
			if !f.delta {
				break
			}
			e.unread(f.path)
			e.Newer = max(e.Newer, f.last)
		}
	}
	return e.fromPath(ctx, path, opts)
}

// unread notes a file beside what is read.
func (e *Evidence) unread(path string) { e.Unread = append(e.Unread, filepath.Base(path)) }

// expandDeltas makes deltas ready to be read. One that cannot be expanded says so.
func (e *Evidence) expandDeltas(ctx context.Context, list []stored, opts Options) error {
	x := &expander{Evidence: e, ctx: ctx, opts: opts}
	for _, d := range list {
		if err := x.delta(d); err != nil {
			return fmt.Errorf("%s: %w", quote(filepath.Base(d.path)), err)
		}
	}
	return nil
}

func (x *expander) delta(d stored) error {
	f, err := openFile(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	x.size += info.Size()
	file := File{Path: d.path, SizeBytes: info.Size(), Modified: document.Time{Time: info.ModTime()}, Info: info}
	out := Delta{Name: filepath.Base(d.path), Path: d.path, First: d.first, Last: d.last}
	if x.sum = sha256.New(); x.opts.SkipHash {
		x.sum = nil
	}
	raw := &counted{x: x, r: f, sum: x.sum}
	if format := map[string]Format{".gz": Gzip, ".zlib": Zlib, ".Z": LZW}[d.compressed]; format != "" {
		if out.Path, err = x.Temp("deltas", strconv.Itoa(len(x.Deltas))); err != nil {
			return err
		}
		if err := x.expandTo(out.Path, raw, format); x.stops(err) {
			return err
		} else if err != nil {
			out.Fault = err.Error()
		}
	}
	if _, err := io.Copy(io.Discard, raw); err != nil { // the hash is over all of it
		return err
	}
	if x.sum != nil {
		file.SHA256 = hex.EncodeToString(x.sum.Sum(nil))
	}
	x.Files, x.Deltas = append(x.Files, file), append(x.Deltas, out)
	return nil
}

// expandTo expands what holds one stream.
func (x *expander) expandTo(path string, raw io.Reader, format Format) error {
	body, err := x.open(raw, format)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = x.copy(path, body)
	return x.unpackedAs(format, err)
}

// readDir lists a directory, and takes what it lists from most.
func readDir(ctx context.Context, dir string, most *int) ([]os.DirEntry, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []os.DirEntry
	for {
		entries, err := f.ReadDir(1000)
		list = append(list, entries...)
		if *most -= len(entries); *most < 0 {
			return nil, fmt.Errorf("%s: %w", quote(filepath.Base(dir)), ErrEntries)
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, io.EOF):
			slices.SortFunc(list, func(a, b os.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
			return list, nil
		case err != nil:
			return nil, err
		}
	}
}
