package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"revenant/decoder/document"
)

// ErrChoose says that a directory holds several snapshots. It comes wrapped, with
// what they are.
var ErrChoose = errors.New("holds several snapshots")

// fromDirectory opens the db of a data directory, of its member directory, or
// of its snap directory; what a store of Gardener's holds; or the only snapshot in a
// directory.
func (e *Evidence) fromDirectory(ctx context.Context, dir string, opts Options) error {
	if found, err := e.fromMember(ctx, dir, opts); found || err != nil {
		return err
	}
	all, err := store(ctx, dir, opts.Entries)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		return e.fromStore(ctx, all, opts)
	}
	return e.fromBackups(ctx, dir, opts)
}

// fromMember opens a member's db, if the directory is a member's.
func (e *Evidence) fromMember(ctx context.Context, dir string, opts Options) (found bool, err error) {
	for _, way := range []memberWay{
		{"member/snap/db", "member/wal"},
		{"snap/db", "wal"},
		{"db", ""},
	} {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(way.db)))
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		return true, e.openMember(ctx, dir, way, opts) // which says what is wrong with it
	}
	return false, nil
}

// memberWay is where a member has its db and its log, below a directory and with
// slashes. The log is "" where it is not below it.
type memberWay struct{ db, wal string }

// openMember opens the db, and names the log.
func (e *Evidence) openMember(ctx context.Context, dir string, way memberWay, opts Options) (err error) {
	db := filepath.Join(dir, filepath.FromSlash(way.db))
	if e.DB, err = openFile(db); err != nil {
		return fmt.Errorf("%s: %w", way.db, err)
	}
	if opts.WALDir != "" {
		e.WALDir = opts.WALDir
	} else if wal := filepath.Join(dir, filepath.FromSlash(way.wal)); way.wal != "" && isThere(wal) {
		e.WALDir = wal // who reads it says when it is no directory
	}
	info, err := e.DB.Stat()
	if err != nil {
		return err
	}
	e.Format, e.Entry, e.DBPath = Directory, way.db, db
	e.lookBeside()
	e.Files = append(e.Files, File{Path: db, SizeBytes: info.Size(), Modified: document.Time{Time: info.ModTime()}, Info: info})
	if way.wal == "" {
		return nil
	}
	beside, err := survey(ctx, dir, &opts)
	for _, b := range beside.found {
		e.Unread = append(e.Unread, b.name)
	}
	return err
}

// fromBackups opens the only snapshot of a directory, or else of the directories in it.
func (e *Evidence) fromBackups(ctx context.Context, dir string, opts Options) error {
	all, err := survey(ctx, dir, &opts)
	if err != nil {
		return err
	}
	if len(all.found) == 0 {
		if err := all.below(ctx, dir); err != nil {
			return err
		}
	}
	switch {
	case len(all.found) == 1:
		path := filepath.Join(dir, filepath.FromSlash(all.found[0].name))
		e.Path = path
		if all.found[0].member {
			_, err = e.fromMember(ctx, path, opts)
		} else {
			err = e.fromPath(ctx, path, opts)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quote(all.found[0].name), err)
		}
		return nil
	case len(all.found) > 1:
		return fmt.Errorf("%w: %s", ErrChoose, all)
	case all.sealed != "":
		return fmt.Errorf("%w: %s", ErrDirectory, all.sealed)
	}
	return fmt.Errorf("%w: it has neither member/snap/db nor snap/db, nor a snapshot", ErrDirectory)
}

// surveyed is what was seen of a directory. Nothing was read of it but the first bytes
// of files.
type surveyed struct {
	found  []candidate
	sealed string // what keeps a file from being read, such as its encryption
	most   int    // entries that may still be looked at
	dirs   []string
}

// candidate may be a snapshot.
type candidate struct {
	name     string // below the directory, with slashes
	size     int64
	modified time.Time
	member   bool // it is a data directory
}

// listed is how many of several snapshots are named.
const listed = 10

func (s surveyed) String() string {
	slices.SortStableFunc(s.found, func(a, b candidate) int { return b.modified.Compare(a.modified) })
	var list []string
	for _, c := range s.found[:min(len(s.found), listed)] {
		what := fmt.Sprintf("%d bytes", c.size)
		if c.member {
			what = "a data directory"
		}
		if c.modified.Year() > 1980 { // an archive need not say when, and a zip says 1980 then
			what += ", " + c.modified.UTC().Format(time.RFC3339)
		}
		list = append(list, fmt.Sprintf("%s (%s)", quote(c.name), what))
	}
	if more := len(s.found) - listed; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ", ")
}

// notSnapshot is what OpenShift saves beside a snapshot.
var notSnapshot = regexp.MustCompile(`^static_kuberesources_.*\.tar\.gz$`)

// survey looks for files in a directory that may be snapshots.
func survey(ctx context.Context, dir string, opts *Options) (s surveyed, err error) {
	s.most = opts.Entries
	err = s.look(ctx, dir, "")
	return s, err
}

func (s *surveyed) look(ctx context.Context, dir, prefix string) error {
	entries, err := readDir(ctx, dir, &s.most)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, path := entry.Name(), filepath.Join(dir, entry.Name())
		if strings.HasPrefix(name, ".") || notSnapshot.MatchString(name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err != nil {
			continue // a link to nowhere, or it is gone
		}
		if info.IsDir() {
			s.dirs = append(s.dirs, name)
			continue
		}
		snapshot, sealed := peek(path)
		if snapshot {
			s.found = append(s.found, candidate{name: prefix + name, size: info.Size(), modified: info.ModTime()})
		} else if sealed != "" && s.sealed == "" {
			s.sealed = fmt.Sprintf("%s in it looks like %s", quote(prefix+name), sealed)
		}
	}
	return nil
}

// below looks into the directories of the one that was surveyed.
func (s *surveyed) below(ctx context.Context, dir string) error {
	dirs := s.dirs
	for _, name := range dirs {
		path := filepath.Join(dir, name)
		for _, db := range []string{"member/snap/db", "snap/db"} {
			if info, err := os.Stat(filepath.Join(path, filepath.FromSlash(db))); err == nil && !info.IsDir() {
				s.found = append(s.found, candidate{name: name, modified: info.ModTime(), member: true})
				break
			}
		}
		if err := s.look(ctx, path, name+"/"); ctx.Err() != nil || errors.Is(err, ErrEntries) {
			return err
		}
	}
	return nil
}

// peek looks at the first bytes of a file: whether it may be a snapshot, or else what
// it looks like that could hold one.
func peek(path string) (snapshot bool, sealed string) {
	f, err := openFile(path)
	if err != nil {
		return false, ""
	}
	defer f.Close()
	head := make([]byte, stdinHead)
	n, _ := io.ReadFull(f, head)
	head = head[:n]
	format, container := sniff(head)
	switch {
	case !container:
		if hasPages(head) {
			return true, "" // a damaged one, too
		}
		if looks := Looks(head); Opener(looks, "") != "" {
			return false, looks
		}
		return false, ""
	case format == Zip || format == Tar:
		return true, ""
	}
	x := &expander{Evidence: &Evidence{}, ctx: context.Background(), opts: Options{Limits: Limits{Bytes: 1 << 20, Ratio: DefaultRatio}}}
	body, err := x.open(io.MultiReader(bytes.NewReader(head), io.LimitReader(f, 1<<20)), format)
	if err != nil {
		return false, ""
	}
	defer body.Close()
	inside, _ := body.Peek(stdinHead)
	inner, container := sniff(inside)
	return inner == Tar || !container && hasPages(inside), ""
}
