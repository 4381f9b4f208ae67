package container

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"revenant/internal/scratch"
)

// expander unpacks one container.
type expander struct {
	*Evidence
	ctx   context.Context
	opts  Options
	file  *os.File // the container, or the copy of standard input
	size  int64    // of the container in bytes, -1 when it is not known yet
	stdin bool
	sum   hash.Hash // of the container, nil to compute none

	consumed int64 // bytes of the container
	expanded int64 // bytes that came out
	passed   int64 // bytes of entries that were not unpacked
	written  int64 // bytes of the copies
	ended    int64 // where in the container what it holds ended, 0 before
	archive  archive
	buf      []byte
	head     []byte // the beginning of an entry
}

// expand reads the container from raw, which is read once. What is to be unpacked
// of an archive is known when it was read to its end, so it is read again, from
// the file.
func (x *expander) expand(raw io.Reader, format Format) error {
	x.Format = format
	raw = &counted{x: x, r: raw, sum: x.sum}
	if format == Zip {
		return x.zipped(raw)
	}
	body, err := x.open(raw, format)
	if err != nil {
		return err
	}
	defer body.Close()
	head, err := body.Peek(stdinHead)
	if len(head) == 0 && err != nil {
		if errors.Is(err, io.EOF) {
			err = ErrEmpty
		}
		return x.unpacked(err)
	}
	inner, container := sniff(head)
	switch {
	case inner == Tar:
		x.Format = cmp.Or(map[Format]Format{Tar: Tar, Gzip: TarGzip, Zstd: TarZstd}[format], format)
		err = x.surveyTar(body)
	case container:
		return fmt.Errorf("%w: it holds a %s file", ErrNested, inner)
	case x.opts.member != "":
		return errNoArchive
	case !hasPages(head) && Looks(head) != "":
		return fmt.Errorf("%w: its content looks like %s", ErrNone, Looks(head))
	default:
		err = x.single(body)
	}
	if err != nil {
		return err
	}
	// The hash is over the whole file, what follows the stream included.
	x.end()
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return err
	}
	if inner == Tar {
		return x.unpackTar(format)
	}
	return nil
}

// zipped reads a zip archive to its end, for its hash and where it is not kept yet,
// and expands it.
func (x *expander) zipped(raw io.Reader) error {
	if x.stdin {
		if err := x.followZip(bufio.NewReader(raw)); x.stops(err) {
			return err
		}
		x.end()
	}
	if x.stdin || x.sum != nil {
		if _, err := io.Copy(io.Discard, raw); err != nil {
			return err
		}
		x.size = x.consumed
	}
	x.consumed = x.size
	return x.zip()
}

// end notes that what the container holds has ended: what follows is not needed.
func (x *expander) end() {
	if x.ended == 0 {
		x.ended = x.consumed
	}
}

// body is what comes out of a container.
type body struct {
	*bufio.Reader
	x     *expander
	close func()
}

// open opens what is in a container that holds one stream.
func (x *expander) open(raw io.Reader, format Format) (*body, error) {
	out, closing, err := decompressor(raw, format)
	if err != nil {
		return nil, x.unpackedAs(format, err)
	}
	b := &body{x: x, close: closing}
	b.Reader = bufio.NewReaderSize(out, stdinHead)
	return b, nil
}

// Read counts what is read. Nothing more is returned beyond the limits.
func (b *body) Read(p []byte) (int, error) {
	if err := b.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.Reader.Read(p)
	b.x.expanded += int64(n)
	limit := b.x.withinLimits()
	if limit == nil && b.x.archive.inHeader {
		limit = b.x.describe(n)
	}
	if limit != nil {
		return 0, limit
	}
	return n, err
}

// WriteTo hides the one of bufio, which would count nothing.
func (b *body) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{b}) }

func (b *body) Close() { b.close() }

// unpacked tells an error of a decompressor as one of the container.
func (x *expander) unpacked(err error) error { return x.unpackedAs(x.Format, err) }

func (x *expander) unpackedAs(format Format, err error) error {
	if err == nil || errors.Is(err, ErrEmpty) || x.stops(err) {
		return err
	}
	return unpackError(format, err)
}

// stops says whether an error is of a limit, of the copy or of ctx, and so not of
// the container.
func (x *expander) stops(err error) bool {
	var write *writeError
	return x.ctx.Err() != nil || errors.Is(err, errChanged) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrEntries) || errors.Is(err, ErrEndless) || errors.As(err, &write)
}

// single expands a compressed file that holds nothing else.
func (x *expander) single(r *body) error {
	from := io.Reader(r)
	if x.stdin {
		head, _ := r.Peek(stdinHead)
		pages, err := newPageReader(r, head)
		if err != nil {
			return err
		}
		from = pages
	}
	p, err := x.Temp("db")
	if err != nil {
		return err
	}
	if n, err := x.copy(p, from); err != nil && (n == 0 || !x.tolerate("the stream", err)) {
		return err
	}
	return x.use(p, "", "")
}

// tolerate turns an error in the middle of a stream into a fault: what came
// before it can be read.
func (x *expander) tolerate(where string, err error) bool {
	if x.stops(err) {
		return false
	}
	if errors.Is(err, errTwice) {
		x.fault(where + ": " + err.Error())
		return true
	}
	x.fault(fmt.Sprintf("%s breaks off after %d expanded bytes: %v", where, x.expanded, err))
	return true
}

// maxFaults bounds how many faults are listed.
const maxFaults = 20

func (x *expander) fault(text string) {
	switch {
	case len(x.Faults) < maxFaults:
		x.Faults = append(x.Faults, text)
	case len(x.Faults) == maxFaults:
		x.Faults = append(x.Faults, "more of it could not be read, which is not listed")
	}
}

// use opens the copy that was made of a database.
func (x *expander) use(path, entry, wal string) (err error) {
	x.DB, err = os.Open(path)
	x.Entry, x.DBPath, x.WALDir = entry, path, wal
	if x.opts.WALDir != "" {
		x.WALDir = x.opts.WALDir
	}
	return err
}

// Temp makes the path of a file below the private directory, which is made when it
// is first needed.
func (e *Evidence) Temp(elements ...string) (string, error) {
	if e.temp == "" {
		mkdir := e.mkdir
		if mkdir == nil {
			mkdir = func() (string, error) { return scratch.Dir("", "revenant-") }
		}
		dir, err := mkdir()
		if err != nil {
			return "", &writeError{err}
		}
		e.temp = dir
	}
	p := filepath.Join(append([]string{e.temp}, elements...)...)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		return "", &writeError{err}
	}
	return p, nil
}

// Spill makes a file in the private directory, which is gone with it.
func (e *Evidence) Spill() (*os.File, error) {
	path, err := e.Temp("spill")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, &writeError{err}
	}
	return f, nil
}

// writeError says that the copy could not be written, which is no fault of the
// evidence.
type writeError struct{ error }

func (e *writeError) Error() string {
	return fmt.Sprintf("keep an expanded copy: %v (TMPDIR names another place)", e.error)
}

func (e *writeError) Unwrap() error { return e.error }

var (
	errTwice   = errors.New("the archive has it twice")
	errChanged = errors.New("the archive changed while it was read")
)

// copy writes r to a new file, within the limits.
func (x *expander) copy(p string, r io.Reader) (n int64, err error) {
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return 0, errTwice
	}
	if err != nil {
		return 0, &writeError{err}
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = &writeError{closeErr}
		}
	}()
	for buf := x.buffer(); ; {
		if err := x.ctx.Err(); err != nil {
			return n, err
		}
		got, readErr := r.Read(buf)
		x.written += int64(got)
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

// buffer is for copying.
func (x *expander) buffer() []byte {
	if x.buf == nil {
		x.buf = make([]byte, 256<<10)
	}
	return x.buf
}

func (x *expander) withinLimits() error { return x.fits(max(x.expanded, x.passed, x.written)) }

// fits says whether so many bytes may come out of what was read so far.
func (x *expander) fits(n int64) error { return x.opts.allow(n, x.consumed) }

// counted counts and hashes what is read of the container.
type counted struct {
	x   *expander
	r   io.Reader
	sum hash.Hash // nil to compute none
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.x.consumed += int64(n)
	if c.sum != nil {
		c.sum.Write(p[:n])
	}
	if c.x.opts.Progress != nil {
		c.x.opts.Progress(c.x.consumed, c.x.size)
	}
	if err == nil && c.x.stdin {
		err = c.x.bounded()
	}
	return n, err
}

// bounded keeps standard input from going on for ever.
func (x *expander) bounded() error {
	switch {
	case x.consumed > x.opts.Bytes:
		return fmt.Errorf("%w of %d bytes", ErrTooLarge, x.opts.Bytes)
	case x.ended > 0 && x.consumed-x.ended > stdinRest:
		return fmt.Errorf("%w: more than %d bytes follow", ErrEndless, stdinRest)
	}
	return nil
}
