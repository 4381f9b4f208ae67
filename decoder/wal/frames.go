package wal

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"revenant/decoder/wire"
)

const (
	frameHeader = 8        // bytes: the length, and in its highest byte the padding
	sectorSize  = 512      // what a disk writes at once
	maxRecord   = 64 << 20 // a segment of the size that etcd prepares has room for none larger
	readAtOnce  = 1 << 20
)

var errCutOff = errors.New("the record is cut off")

// frames reads the frames of one segment (decoder.go decodeRecord).
type frames struct {
	f       *os.File
	r       *bufio.Reader
	size    int64 // of the segment in bytes
	start   int64 // of the frame read last
	offset  int64 // after it
	body    []byte
	claimed int64 // bytes the record should have
	rec     record
}

func newFrames(f *os.File, size int64) *frames {
	return &frames{f: f, r: bufio.NewReaderSize(f, 1<<16), size: size}
}

// next returns the next record, valid until the call after. io.EOF is the end
// of the log: that of the file, or the zeros that etcd prepares it with.
func (f *frames) next() (*record, error) {
	f.start, f.body = f.offset, f.body[:0]
	var head [frameHeader]byte
	switch _, err := io.ReadFull(f.r, head[:]); {
	case err == io.EOF:
		return nil, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCutOff
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %s", plain(err))
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length == 0 {
		f.offset += frameHeader
		return nil, io.EOF
	}
	bytes, pad := int64(length&^(0xff<<56)), int64(0)
	if length>>63 != 0 {
		pad = int64(length >> 56 & 7)
	}
	f.claimed = bytes
	if bytes > f.size-f.start-frameHeader-pad {
		return nil, errCutOff
	}
	if bytes > maxRecord {
		return nil, fmt.Errorf("a record of %d bytes is more than any etcd writes", bytes)
	}
	if err := f.read(int(bytes + pad)); err != nil {
		return nil, err
	}
	f.offset += frameHeader + bytes + pad
	if err := f.rec.parse(f.body[:bytes]); err != nil {
		return nil, err
	}
	return &f.rec, nil
}

// read fills body with n bytes. What it allocates grows with what is there, not
// with what the file says is there.
func (f *frames) read(n int) error {
	for len(f.body) < n {
		at, step := len(f.body), min(n-len(f.body), readAtOnce)
		f.body = append(f.body, make([]byte, step)...)
		if _, err := io.ReadFull(f.r, f.body[at:]); err != nil {
			f.body = f.body[:at]
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return errCutOff
			}
			return fmt.Errorf("cannot be read: %s", plain(err))
		}
	}
	return nil
}

// torn says whether the record that could not be read was never written to its
// end: the file ends within it, or one of its sectors is all zeros still
// (decoder.go isTornEntry), and nothing was written after it. The error is ctx's.
func (f *frames) torn(ctx context.Context, err error) (bool, error) {
	if errors.Is(err, errCutOff) {
		return f.beginsRecord(), nil
	}
	at := f.start + frameHeader
	for rest := f.body; len(rest) > 0; {
		n := min(int64(len(rest)), sectorSize-at%sectorSize)
		if allZero(rest[:n]) {
			_, followed, err := f.nonZero(ctx)
			return !followed, err
		}
		rest, at = rest[n:], at+n
	}
	return false, nil
}

// beginsRecord says whether what follows the length, up to the end of the
// file, is the beginning of a record of that length. Where it is not, the length
// is what is damaged.
func (f *frames) beginsRecord() bool {
	head := f.body
	if len(head) == 0 {
		head = make([]byte, 32)
		n, _ := io.ReadFull(f.r, head)
		head = head[:n]
	}
	for at, num := 0, int32(1); num <= 3; num++ {
		field, err := wire.Head(head, at)
		switch {
		case err == wire.ErrTruncated:
			return true // cut off that early
		case err != nil:
			return false
		case field.Num() == 3 && field.Type() == wire.Bytes:
			return int64(field.Val) == f.claimed-int64(field.Start)
		case field.Type() != wire.Varint:
			return false
		}
		at = field.End
	}
	return false
}

// nonZero looks for a byte that is not zero in the rest of the segment. What the
// file system knows to be a hole is not read. The error is ctx's.
func (f *frames) nonZero(ctx context.Context) (at int64, found bool, err error) {
	buf := make([]byte, min(readAtOnce, max(f.size-f.offset, 0)))
	for at = nextData(f.f, f.offset, f.size); at < f.size; at = nextData(f.f, at, f.size) {
		if ctx.Err() != nil {
			return 0, false, ctx.Err()
		}
		n, err := f.f.ReadAt(buf, at)
		for i, c := range buf[:n] {
			if c != 0 {
				return at + int64(i), true, nil
			}
		}
		at += int64(n)
		if err != nil {
			break
		}
	}
	return at, false, nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
