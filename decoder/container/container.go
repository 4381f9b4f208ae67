package container

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"revenant/decoder/boltpage"
	"revenant/decoder/document"
	"revenant/decoder/input"
	"revenant/internal/scratch"
)

// Errors that say why no database could be found. They come wrapped.
var (
	ErrEmpty     = boltpage.ErrEmpty
	ErrNested    = errors.New("an archive in an archive is not opened")
	ErrNone      = errors.New("holds no etcd database")
	ErrSeveral   = errors.New("holds several databases")
	ErrTooLarge  = errors.New("expands to more than the limit")
	ErrEntries   = errors.New("has more entries than the limit")
	ErrEndless   = errors.New("goes on where a database or an archive ends")
	ErrDirectory = errors.New("is a directory without an etcd database")
	ErrSpecial   = errors.New("is neither a file nor a directory")

	errNoArchive = errors.New("is no archive, in which a file could be named")
)

// Limits bound what a compressed file may expand to. A zero takes the default.
type Limits struct {
	Bytes   int64 // in all, what is passed over included
	Ratio   int64 // to the compressed size, once more than ratioFrom bytes came out
	Entries int   // of an archive
}

// The defaults. The largest database etcd recommends has 8 GiB; a member's
// directory has segments of 64 MB that are mostly zeros.
const (
	DefaultBytes   = 64 << 30
	DefaultRatio   = 200
	DefaultEntries = 100_000
	ratioFrom      = 512 << 20
)

// Options say how to open.
type Options struct {
	Limits
	// WALDir is where the log is when it is not beside the db (etcd's --wal-dir).
	WALDir string
	// SkipHash computes no SHA-256 of a container.
	SkipHash bool
	// Stdin is read for the path "-".
	Stdin io.Reader
	// MkdirTemp makes the directory for what is expanded, with scratch.Dir; nil is one
	// in os.TempDir.
	MkdirTemp func() (string, error)
	// Progress, when set, is called with how many of the container's bytes were read;
	// total is -1 when that is unknown.
	Progress func(done, total int64)

	member string // the database of an archive that is meant, "" for the only one
}

// Format names a kind of container.
type Format string

// The formats.
const (
	Plain     Format = "file"
	Gzip      Format = "gzip"
	Zstd      Format = "zstd"
	Zlib      Format = "zlib"
	LZW       Format = "lzw" // as Gardener writes it; nothing but the name tells
	Zip       Format = "zip"
	Tar       Format = "tar"
	TarGzip   Format = "tar.gz"
	TarZstd   Format = "tar.zst"
	Directory Format = "directory"
)

// File is a file of evidence that was read.
type File struct {
	Path      string        `json:"path"`
	SizeBytes int64         `json:"sizeBytes"`
	Modified  document.Time `json:"modified"`
	SHA256    string        `json:"sha256,omitempty"` // hexadecimal; "" when it was not computed

	Info fs.FileInfo `json:"-"` // before it was read; nil of what cannot be watched
}

// Evidence is what was found at a path. Close it.
type Evidence struct {
	Path   string // what was read: the path that was given, or the snapshot found in that directory
	Format Format
	Entry  string // the entry of an archive, or the db within a directory; "" for a file
	DB     *os.File
	DBPath string   // where DB is on the disk: the evidence itself, or an expanded copy
	WALDir string   // "" when there is no log
	Beside string   // a log beside a db that was named alone, and that is not read; "" for none
	Files  []File   // the evidence as it was handed over; hashes of plain files are left to others
	Faults []string // what of the container could not be read
	Deltas []Delta  // files of changes after the db, in order
	Unread []string // names of snapshots and deltas beside what was read that were not
	Newer  int64    // the newest revision that deltas among them have by their names, 0 for none

	mkdir func() (string, error)
	temp  string // directory for what was expanded, "" for none
}

// Expanded says whether DB is a copy and not the evidence itself.
func (e *Evidence) Expanded() bool {
	return e.Format != Plain && e.Format != Directory || e.Files[0].Path == "-"
}

// Forget removes what was expanded as soon as the system allows it, which is
// while the db is still open: nothing is left then, whatever becomes of the
// process. The log must have been read.
func (e *Evidence) Forget() {
	if e.temp != "" && runtime.GOOS != "windows" && scratch.Remove(e.temp) == nil {
		e.temp = ""
	}
}

// Close closes the db and removes what was expanded.
func (e *Evidence) Close() error {
	var errs []error
	if e.DB != nil {
		errs = append(errs, e.DB.Close())
	}
	if e.temp != "" {
		errs = append(errs, scratch.Remove(e.temp))
	}
	return errors.Join(errs...)
}

// Split splits ARCHIVE//NAME, which names a database in an archive. name is "" for any
// other path.
func Split(path string) (archive, name string) {
	if _, err := os.Lstat(path); err == nil {
		return path, ""
	}
	for at := 0; ; at += 2 {
		i := strings.Index(path[at:], "//")
		if i < 0 {
			return path, ""
		}
		at += i
		if info, err := os.Stat(path[:at]); err == nil && info.Mode().IsRegular() {
			return path[:at], clean(path[at:])
		}
	}
}

// Open finds the database at path, or in standard input for "-". ARCHIVE//NAME is the
// one of that name in an archive, or the member's in that directory of it.
func Open(ctx context.Context, path string, opts Options) (_ *Evidence, err error) {
	opts.Limits = opts.orDefaults()
	e := &Evidence{Path: path, mkdir: opts.MkdirTemp}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if path == "-" {
		return e, e.fromStdin(ctx, opts)
	}
	if archive, name := Split(path); name != "" {
		opts.member = name
		return e, e.fromPath(ctx, archive, opts)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return e, e.fromDirectory(ctx, path, opts)
	}
	if stored, ok := parseStored(filepath.Base(path)); ok {
		return e, e.fromStored(ctx, path, stored, opts)
	}
	return e, e.fromPath(ctx, path, opts)
}

func (e *Evidence) fromPath(ctx context.Context, path string, opts Options) error {
	f, err := openFile(path)
	if err != nil {
		return err
	}
	return e.fromFile(ctx, path, f, opts)
}

// openFile opens a regular file, and says of anything else what it is.
func openFile(path string) (*os.File, error) {
	f, err := input.Open(path)
	if errors.Is(err, input.ErrSpecial) {
		if info, err := os.Stat(path); err == nil {
			return nil, fmt.Errorf("%w: it is %s", ErrSpecial, input.Kind(info.Mode()))
		}
	}
	return f, err
}

// fromFile takes f over.
func (e *Evidence) fromFile(ctx context.Context, path string, f *os.File, opts Options) error {
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	e.Files = append(e.Files, File{Path: path, SizeBytes: info.Size(), Modified: document.Time{Time: info.ModTime()}, Info: info})
	head := make([]byte, headSize)
	n, err := f.ReadAt(head, 0)
	switch head = head[:n]; {
	case err != nil && !errors.Is(err, io.EOF):
		return errors.Join(err, f.Close())
	case n == 0:
		return errors.Join(ErrEmpty, f.Close())
	}
	format, ok := sniff(head)
	if stored, named := parseStored(filepath.Base(path)); named && stored.compressed == ".Z" {
		format, ok = LZW, true
	}
	if !ok && opts.member != "" {
		return errors.Join(errNoArchive, f.Close())
	}
	if !ok {
		// What it is, the reader of pages will say: a damaged database is one, too.
		e.Format, e.DB, e.DBPath, e.WALDir = Plain, f, path, opts.WALDir
		e.lookBeside()
		return nil
	}
	defer f.Close()
	x := &expander{Evidence: e, ctx: ctx, opts: opts, file: f, size: info.Size()}
	if !opts.SkipHash {
		x.sum = sha256.New()
	}
	if err := x.expand(f, format); err != nil {
		return err
	}
	if x.sum != nil {
		e.Files[0].SHA256 = hex.EncodeToString(x.sum.Sum(nil))
	}
	return nil
}

// lookBeside looks for the log of a member's db that was named without it.
func (e *Evidence) lookBeside() {
	path, err := filepath.Abs(e.DBPath)
	if err != nil {
		return
	}
	snap := filepath.Dir(path)
	if wal := filepath.Join(filepath.Dir(snap), "wal"); e.WALDir == "" && filepath.Base(snap) == "snap" && isDir(wal) {
		e.Beside = wal
	}
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
