package container

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
)

// errAstray says that a zip archive cannot be followed from entry to entry.
var errAstray = errors.New("the next entry of the zip archive cannot be found")

// followZip reads a zip archive from one entry to the next until it ends. Its
// directory is at its end, so this alone tells whether there is one. What is in it
// is read from the copy, as of any other (APPNOTE.TXT 4.3).
func (x *expander) followZip(r *bufio.Reader) error {
	for records := 0; ; records++ {
		if records > 2*x.opts.Entries+directorySlack { // each entry has one, and one in the directory
			return fmt.Errorf("%w of %d", ErrEntries, x.opts.Entries)
		}
		signature, err := r.Peek(4)
		if err != nil {
			return err
		}
		switch string(signature) {
		case "PK\x03\x04":
			err = x.followEntry(r)
		case "PK\x01\x02":
			err = skipRecord(r, 46, 28, 30, 32)
		case "PK\x06\x06":
			var head []byte
			if head, err = r.Peek(12); err == nil {
				err = skip(r, 12+binary.LittleEndian.Uint64(head[4:]))
			}
		case "PK\x06\x07":
			err = skip(r, 20)
		case "PK\x05\x06":
			return skipRecord(r, 22, 20)
		default:
			return errAstray
		}
		if err != nil {
			return err
		}
	}
}

// skipRecord passes over a record and what follows it, whose lengths it has at
// these offsets.
func skipRecord(r *bufio.Reader, length int, lengths ...int) error {
	head, err := r.Peek(length)
	if err != nil {
		return err
	}
	n := uint64(length)
	for _, at := range lengths {
		n += uint64(binary.LittleEndian.Uint16(head[at:]))
	}
	return skip(r, n)
}

func skip(r io.Reader, n uint64) error {
	if n >= 1<<63 {
		return errAstray
	}
	_, err := io.CopyN(io.Discard, r, int64(n))
	return err
}

// followEntry passes over an entry. One that was written as a stream does not say
// how long it is, so it is decompressed.
func (x *expander) followEntry(r *bufio.Reader) error {
	const streamed, deflated, unknown = 1 << 3, 8, 1<<32 - 1
	head, err := r.Peek(30)
	if err != nil {
		return err
	}
	size, flags, method := uint64(binary.LittleEndian.Uint32(head[18:])), head[6], binary.LittleEndian.Uint16(head[8:])
	name, extra := binary.LittleEndian.Uint16(head[26:]), binary.LittleEndian.Uint16(head[28:])
	if err := skip(r, 30+uint64(name)); err != nil {
		return err
	}
	more := make([]byte, extra)
	if _, err := io.ReadFull(r, more); err != nil {
		return err
	}
	if size == unknown {
		size = size64(more)
	}
	if flags&streamed == 0 {
		return skip(r, size)
	}
	if method != deflated {
		return errAstray
	}
	content := flate.NewReader(r) // reads no further than it needs
	defer content.Close()
	if _, err := io.CopyBuffer(passedOver{x}, content, x.buffer()); err != nil {
		return err
	}
	return skipDescriptor(r)
}

// size64 is the compressed size in the extra field for large entries.
func size64(extra []byte) uint64 {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			break
		}
		if id == 1 && n >= 16 {
			return binary.LittleEndian.Uint64(extra[8:])
		}
		extra = extra[n:]
	}
	return 1 << 63
}

// skipDescriptor passes over what follows a streamed entry: a signature, or none, a
// checksum, and two sizes of four bytes, or of eight.
func skipDescriptor(r *bufio.Reader) error {
	if signature, err := r.Peek(4); err == nil && string(signature) == "PK\x07\x08" {
		if err := skip(r, 4); err != nil {
			return err
		}
	}
	if next, err := r.Peek(16); err == nil && string(next[12:14]) == "PK" {
		return skip(r, 12)
	}
	return skip(r, 20)
}
