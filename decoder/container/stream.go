package container

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/lzw"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// orDefaults are the limits with the defaults for what is zero.
func (l Limits) orDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = DefaultRatio
	}
	if l.Entries <= 0 {
		l.Entries = DefaultEntries
	}
	return l
}

// allow says whether out bytes may come out of in bytes. The error wraps ErrTooLarge.
func (l Limits) allow(out, in int64) error {
	switch {
	case out > l.Bytes:
		return fmt.Errorf("%w of %d bytes", ErrTooLarge, l.Bytes)
	case out > ratioFrom && out/l.Ratio > max(in, 1):
		return fmt.Errorf("%w: %d bytes out of %d are more than %d times as many", ErrTooLarge, out, in, l.Ratio)
	}
	return nil
}

// decompressor expands what is compressed in that format, and is closed by close. What
// is in no such format is passed on.
func decompressor(r io.Reader, format Format) (out io.Reader, close func(), err error) {
	close = func() {}
	switch format {
	case Gzip:
		out, err = gzip.NewReader(r)
	case Zstd:
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(1<<27)); err == nil {
			out, close = z, z.Close
		}
	case Zlib:
		out, err = zlib.NewReader(r)
	case LZW:
		out = lzw.NewReader(r, lzw.LSB, 8)
	default:
		out = r
	}
	return out, close, err
}

// unpackError says that what is in a format cannot be expanded to its end.
func unpackError(format Format, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("unpack %s: it ends too early (%w)", format, err)
	}
	return fmt.Errorf("unpack %s: %w", format, err)
}

// Stream reads a file of text, compressed or not, as far as limits allow.
type Stream struct {
	out    io.Reader
	close  func()
	limits Limits // for what is compressed
	format Format
	n      int64 // of bytes that came out
	read   int64 // of the file's
}

// NewStream begins to read r, which may be compressed with gzip or zstd. Every time that
// something was read of it, tell gets how many bytes that were so far; it may be nil. With
// an error, ReadBytes alone is of use.
func NewStream(r io.Reader, limits Limits, tell func(int64)) (*Stream, error) {
	s := &Stream{limits: limits.orDefaults()}
	in := bufio.NewReaderSize(readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if s.read += int64(n); tell != nil {
			tell(s.read)
		}
		return n, err
	}), 64<<10)
	head, _ := in.Peek(4)
	if s.format, _ = sniff(head); s.format != Gzip && s.format != Zstd {
		s.format = Plain
	}
	var err error
	if s.out, s.close, err = decompressor(in, s.format); err != nil {
		err = unpackError(s.format, err)
	}
	return s, err
}

// ReadBytes is how many bytes of the file were read.
func (s *Stream) ReadBytes() int64 { return s.read }

// Read returns an error that wraps ErrTooLarge where more came out than the limits allow.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.out.Read(p)
	s.n += int64(n)
	if s.format == Plain {
		return n, err
	}
	if limit := s.limits.allow(s.n, s.read); limit != nil {
		return 0, limit
	}
	if err != nil && err != io.EOF {
		err = unpackError(s.format, err)
	}
	return n, err
}

// Close ends reading. It does not close what is read.
func (s *Stream) Close() { s.close() }

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
