package container

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"
)

// expander unpacks one container.
type expander struct {
	*Evidence
	ctx  context.Context
	opts Options
	size int64 // of the container in bytes, -1 when it is not known yet
	sum  hash.Hash

	consumed int64 // bytes of the container
	expanded int64 // bytes that came out
	found    []candidate
	nested   []string // entries that are archives
	others   int      // entries that are neither
}

// candidate is a database in an archive.
type candidate struct {
	entry string // its name there
	path  string // where it was expanded to
	wal   string // directory of its log, "" for none
}

func (x *expander) expand(f *os.File, format Format) error {
	x.Format = format
	if format == Zip {
		return x.zip(f)
	}
	raw := io.Reader(&counted{x: x, r: f})
	body, err := x.decompress(raw, format)
	if err != nil {
		return err
	}
	buffered := bufio.NewReaderSize(body, 1<<16)
	head, err := buffered.Peek(headSize)
	if len(head) == 0 && err != nil {
		if errors.Is(err, io.EOF) {
			err = ErrEmpty
		}
		return x.unpacked(err)
	}
	inner, container := sniff(head)
	switch {
	case inner == Tar && format == Tar:
		err = x.tar(buffered)
	case inner == Tar:
		x.Format = map[Format]Format{Gzip: TarGzip, Zstd: TarZstd}[format]
		err = x.tar(buffered)
	case container:
		return fmt.Errorf("%w: it holds a %s file", ErrNested, inner)
	case !isDatabase(head) && Looks(head) != "":
		return fmt.Errorf("%w: its content looks like %s", ErrNone, Looks(head))
	default:
		err = x.single(buffered)
	}
	if err != nil {
		return err
	}
	// The hash is over the whole file, what follows the stream included.
	_, err = io.Copy(io.Discard, raw)
	return err
}

func (x *expander) decompress(raw io.Reader, format Format) (io.Reader, error) {
	switch format {
	case Gzip:
		r, err := gzip.NewReader(raw)
		return r, x.unpacked(err)
	case Zstd:
		r, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(1<<27))
		if err != nil {
			return nil, x.unpacked(err)
		}
		return r, nil
	}
	return raw, nil
}

// unpacked tells an error of a decompressor as one of the container.
func (x *expander) unpacked(err error) error {
	if err == nil || errors.Is(err, ErrEmpty) || x.ctx.Err() != nil {
		return errors.Join(err, x.ctx.Err())
	}
	return fmt.Errorf("unpack %s: %w", x.Format, err)
}

// single expands a compressed file that holds nothing else.
func (x *expander) single(r io.Reader) error {
	p, err := x.create("db")
	if err != nil {
		return err
	}
	if n, err := x.copy(p, r); err != nil && (n == 0 || !x.tolerate("the stream", err)) {
		return err
	}
	return x.use(candidate{path: p})
}

// tolerate turns an error in the middle of a stream into a fault: what came
// before it can be read.
func (x *expander) tolerate(where string, err error) bool {
	var write *writeError
	if x.ctx.Err() != nil || errors.Is(err, ErrTooLarge) || errors.As(err, &write) {
		return false
	}
	x.Faults = append(x.Faults, fmt.Sprintf("%s breaks off after %d expanded bytes: %v", where, x.expanded, err))
	return true
}

func (x *expander) tar(r io.Reader) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if len(x.found) == 0 || !x.tolerate("the archive", err) {
				return x.unpacked(err)
			}
			break
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			continue
		}
		if err := x.entry(h.Name, tr); err != nil {
			if !x.tolerate("entry "+fmt.Sprintf("%q", h.Name), err) {
				return err
			}
			break
		}
	}
	if err := x.drain(r); err != nil {
		return err
	}
	return x.choose()
}

// drain reads what follows the end of a tar archive: zeros, and the checksum of
// the stream that it is in. A damaged archive can seem to end early.
func (x *expander) drain(r io.Reader) error {
	buf := make([]byte, 1<<16)
	for more := false; ; {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		x.expanded += int64(n)
		if err := x.withinLimits(); err != nil {
			return err
		}
		if !more && len(bytes.Trim(buf[:n], "\x00")) > 0 {
			more = true
			x.Faults = append(x.Faults, "bytes that are not zero follow the end of the archive: a part of it may be damaged")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			if len(x.Faults) == 0 && !x.tolerate("the archive", err) {
				return err
			}
			return nil
		}
	}
}

func (x *expander) zip(f *os.File) error {
	if x.sum != nil {
		if _, err := io.Copy(x.sum, &cancelled{x.ctx, f}); err != nil {
			return err
		}
	}
	x.consumed = x.size
	zr, err := zip.NewReader(f, x.size)
	if err != nil {
		return x.unpacked(err)
	}
	for _, entry := range zr.File {
		if !entry.Mode().IsRegular() {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			x.tolerate("entry "+fmt.Sprintf("%q", entry.Name), err)
			continue
		}
		err = x.entry(entry.Name, r)
		r.Close()
		if err != nil && !x.tolerate("entry "+fmt.Sprintf("%q", entry.Name), err) {
			return err
		}
	}
	return x.choose()
}

var (
	segmentEntry = regexp.MustCompile(`^(?:(.*)/)?wal/([0-9a-f]{16}-[0-9a-f]{16}\.wal|[0-9]+\.tmp)$`)
	dbEntry      = regexp.MustCompile(`^(?:(.*)/)?snap/db$`)
)

// entry expands an entry that is a database or a segment of a log, and looks at
// what the others are.
func (x *expander) entry(name string, r io.Reader) error {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	if m := segmentEntry.FindStringSubmatch(clean); m != nil {
		if strings.HasSuffix(m[2], ".tmp") {
			return nil
		}
		p, err := x.create("members", x.number(m[1]), "wal", m[2])
		if err != nil {
			return err
		}
		_, err = x.copy(p, r)
		return err
	}
	buffered := bufio.NewReaderSize(r, 1<<16)
	head, err := buffered.Peek(headSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	c := candidate{entry: clean}
	if m := dbEntry.FindStringSubmatch(clean); m != nil {
		c.path, err = x.create("members", x.number(m[1]), "snap", "db")
		c.wal = filepath.Join(x.temp, "members", x.number(m[1]), "wal")
	} else {
		if !isDatabase(head) {
			if _, container := sniff(head); container {
				x.nested = append(x.nested, clean)
			} else {
				x.others++
			}
			return nil
		}
		c.path, err = x.create("databases", fmt.Sprint(len(x.found)))
	}
	if err != nil {
		return err
	}
	x.found = append(x.found, c)
	_, err = x.copy(c.path, buffered)
	return err
}

// number gives a directory of the archive a name of its own, so that no name
// from the archive is used on the disk.
func (x *expander) number(dir string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for _, c := range []byte(dir) {
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	if b.Len() == 0 {
		return "root"
	}
	if b.Len() > 200 {
		return fmt.Sprintf("long-%d-%s", b.Len(), b.String()[b.Len()-150:])
	}
	return b.String()
}

// choose takes the only database of an archive.
func (x *expander) choose() error {
	switch {
	case len(x.found) == 1:
		c := x.found[0]
		if !isDir(c.wal) {
			c.wal = ""
		}
		return x.use(c)
	case len(x.found) > 1:
		var names []string
		for _, c := range x.found {
			names = append(names, fmt.Sprintf("%q", c.entry))
		}
		slices.Sort(names)
		return fmt.Errorf("%w: %s", ErrSeveral, strings.Join(names[:min(len(names), 5)], ", "))
	case len(x.nested) > 0:
		return fmt.Errorf("%w: %q", ErrNested, x.nested[0])
	default:
		return fmt.Errorf("%w: %d other files are in it", ErrNone, x.others)
	}
}

func (x *expander) use(c candidate) (err error) {
	x.DB, err = os.Open(c.path)
	x.Entry, x.DBPath, x.WALDir = c.entry, c.path, c.wal
	if x.opts.WALDir != "" {
		x.WALDir = x.opts.WALDir
	}
	return err
}

// create makes the path of a file below the private directory.
func (x *expander) create(elements ...string) (string, error) {
	if x.temp == "" {
		mkdir := x.opts.MkdirTemp
		if mkdir == nil {
			mkdir = func() (string, error) { return os.MkdirTemp("", "revenant-") }
		}
		dir, err := mkdir()
		if err != nil {
			return "", &writeError{err}
		}
		x.temp = dir
	}
	p := filepath.Join(append([]string{x.temp}, elements...)...)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		return "", &writeError{err}
	}
	return p, nil
}

// writeError says that the copy could not be written, which is no fault of the
// evidence.
type writeError struct{ error }

func (e *writeError) Error() string {
	return fmt.Sprintf("keep an expanded copy: %v (TMPDIR names another place)", e.error)
}

func (e *writeError) Unwrap() error { return e.error }

// copy writes r to a new file, within the limits.
func (x *expander) copy(p string, r io.Reader) (n int64, err error) {
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, errors.New("the archive has it twice")
	}
	if err != nil {
		return 0, &writeError{err}
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = &writeError{closeErr}
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		if err := x.ctx.Err(); err != nil {
			return n, err
		}
		got, readErr := r.Read(buf)
		x.expanded += int64(got)
		if err := x.withinLimits(); err != nil {
			return n, err
		}
		if _, err := f.Write(buf[:got]); err != nil {
			return n, &writeError{err}
		}
		n += int64(got)
		switch {
		case readErr == io.EOF:
			return n, nil
		case readErr != nil:
			return n, readErr
		}
	}
}

func (x *expander) withinLimits() error {
	switch {
	case x.expanded > x.opts.Bytes:
		return fmt.Errorf("%w of %d bytes", ErrTooLarge, x.opts.Bytes)
	case x.size >= 0 && x.expanded > ratioFrom && x.expanded/x.opts.Ratio > max(x.consumed, 1):
		return fmt.Errorf("%w: %d bytes out of %d are more than %d times as many", ErrTooLarge, x.expanded, x.consumed, x.opts.Ratio)
	}
	return nil
}

// counted counts and hashes what is read of the container.
type counted struct {
	x *expander
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.x.consumed += int64(n)
	if c.x.sum != nil {
		c.x.sum.Write(p[:n])
	}
	if c.x.opts.Progress != nil {
		c.x.opts.Progress(c.x.consumed, c.x.size)
	}
	return n, err
}

type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
