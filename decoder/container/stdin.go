package container

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"time"

	"revenant/decoder/document"
	"revenant/decoder/input"
)

// Standard input need not end, so it is followed: what it holds must go on to
// look like what it began as.
const (
	stdinHead = 128 << 10 // two of the largest pages, of which one must be a database's
	pageGap   = 256 << 20 // more than any value, and than the free list of any database
	stdinRest = 64 << 20  // what may follow the end
)

// fromStdin keeps a copy of standard input, for a database is read in no order.
func (e *Evidence) fromStdin(ctx context.Context, opts Options) error {
	if opts.Stdin == nil {
		return errors.New("there is no standard input")
	}
	x := &expander{Evidence: e, ctx: ctx, opts: opts, size: -1, stdin: true, sum: sha256.New()}
	in := bufio.NewReaderSize(input.Reader(ctx, opts.Stdin), stdinHead)
	head, err := in.Peek(stdinHead)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(head) == 0:
		return ErrEmpty
	}
	e.Files = []File{{Path: "-", Modified: document.Time{Time: time.Now()}}}
	if format, ok := sniff(head); ok {
		err = x.keepAndExpand(in, format)
	} else {
		e.Format, e.WALDir = Plain, opts.WALDir
		err = x.plain(in, head)
	}
	e.Files[0].SizeBytes, e.Files[0].SHA256 = max(x.size, x.consumed), hex.EncodeToString(x.sum.Sum(nil))
	return err
}

// plain copies a database.
func (x *expander) plain(r io.Reader, head []byte) error {
	pages, err := newPageReader(&counted{x: x, r: r, sum: x.sum}, head)
	if err != nil {
		return err
	}
	path, err := x.Temp("stdin")
	if err != nil {
		return err
	}
	if _, err := x.copy(path, pages); err != nil {
		return err
	}
	x.DBPath = path
	x.DB, err = os.Open(path)
	return err
}

// keepAndExpand expands a container while it is kept, to be read a second time.
func (x *expander) keepAndExpand(r io.Reader, format Format) (err error) {
	path, err := x.Temp("stdin")
	if err != nil {
		return err
	}
	if x.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return &writeError{err}
	}
	defer func() { err = errors.Join(err, x.file.Close()) }()
	return x.expand(io.TeeReader(r, &keeper{x.file}), format)
}

// keeper tells an error of writing from one of reading.
type keeper struct{ w io.Writer }

func (k *keeper) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	if err != nil {
		err = &writeError{err}
	}
	return n, err
}

// pageReader passes a database on for as long as its pages name themselves.
type pageReader struct {
	r    io.Reader
	size int64 // of a page
	most int64 // bytes that its meta pages can account for, 0 when they do not say

	at   int64   // bytes passed on
	last int64   // where the last page begins that named itself
	id   [8]byte // first bytes of the page that at is in
}

// newPageReader refuses what has no page of a database in its head.
func newPageReader(r io.Reader, head []byte) (*pageReader, error) {
	p := &pageReader{r: r}
	best := 0
	for size := 512; size <= 64<<10; size *= 2 {
		if pages := readMeta(head, 0, size) + readMeta(head, size, size); pages > 0 {
			p.size, p.most = int64(size), 2*pages*int64(size)+stdinRest
			return p, nil
		}
		if n := countPages(head, size); n > best {
			p.size, best = int64(size), n
		}
	}
	switch {
	case best > 0:
		return p, nil
	case isDatabase(head):
		p.size = 4096
		return p, nil
	case Looks(head) != "":
		return nil, fmt.Errorf("%w: its content looks like %s", ErrNone, Looks(head))
	}
	return nil, fmt.Errorf("%w: its first %d bytes have no page of one", ErrNone, len(head))
}

// hasPages says whether the beginning of a file, as much of it as stdinHead, has a page of
// a database, whatever its meta pages say.
func hasPages(head []byte) bool {
	_, err := newPageReader(nil, head)
	return err == nil
}

// readMeta reads from an intact meta page how many pages the database has, 0
// when there is none (bbolt v1.5 internal/common/meta.go).
func readMeta(head []byte, at, pageSize int) int64 {
	const header, length, most = 16, 64, 1 << 40
	if len(head) < at+header+length {
		return 0
	}
	meta := head[at+header:][:length]
	sum := fnv.New64a()
	sum.Write(meta[:length-8])
	pages := binary.LittleEndian.Uint64(meta[40:])
	if binary.LittleEndian.Uint32(meta) != boltMagic || binary.LittleEndian.Uint32(meta[8:]) != uint32(pageSize) ||
		binary.LittleEndian.Uint64(meta[length-8:]) != sum.Sum64() || pages > most {
		return 0
	}
	return int64(pages)
}

// countPages counts the pages that name themselves and their kind (bbolt v1.5
// internal/common/page.go). The number of the first one is zero, as much else is.
func countPages(head []byte, size int) (n int) {
	for k := 1; (k+1)*size <= len(head); k++ {
		switch binary.LittleEndian.Uint16(head[k*size+8:]) {
		case 1, 2, 4, 16: // branch, leaf, meta, free list
			if binary.LittleEndian.Uint64(head[k*size:]) == uint64(k) {
				n++
			}
		}
	}
	return n
}

func (p *pageReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.follow(b[:n])
	switch {
	case p.most > 0 && p.at > p.most:
		return n, fmt.Errorf("%w: its meta pages account for half of %d bytes", ErrEndless, p.most)
	case p.at-p.last > pageGap:
		return n, fmt.Errorf("%w: no page of a database is in the %d bytes from byte %d on", ErrEndless, p.at-p.last, p.last)
	}
	return n, err
}

// follow looks at the first bytes of each page, its number.
func (p *pageReader) follow(b []byte) {
	for len(b) > 0 {
		in := p.at % p.size
		if in >= int64(len(p.id)) {
			skip := min(p.size-in, int64(len(b)))
			p.at, b = p.at+skip, b[skip:]
			continue
		}
		n := copy(p.id[in:], b)
		p.at, b = p.at+int64(n), b[n:]
		if in+int64(n) == int64(len(p.id)) && binary.LittleEndian.Uint64(p.id[:]) == uint64(p.at/p.size) {
			p.last = p.at - int64(len(p.id))
		}
	}
}
