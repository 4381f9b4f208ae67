// Package input opens the files that a person names, and never blocks on one.
//
// It takes a path and returns a regular file, open for reading, or the content of a
// configuration. It refuses named pipes, devices, sockets and directories, naming
// what they are: opening one can block forever, read without end, or act on the
// device. The pipe of a process substitution, which has a name such as /dev/fd/63,
// can be read as a stream, but is not evidence.
package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrSpecial says that a path leads to something that is no regular file. It
// comes wrapped, with what it is.
var ErrSpecial = errors.New("not a file")

// Open opens a regular file. The error is an *fs.PathError.
func Open(path string) (*os.File, error) { return open(path, false) }

// OpenStream opens what is read once from its beginning to its end: a regular
// file, or the pipe of a process substitution. The error is an *fs.PathError.
func OpenStream(path string) (*os.File, error) { return open(path, isDescriptor(path)) }

// open looks before it opens, because opening a device can act on it, and after,
// because another file can have taken the name meanwhile.
func open(path string, pipe bool) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := check(info, pipe); err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(info, pipe)
	}
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

func check(info fs.FileInfo, pipe bool) error {
	mode := info.Mode()
	if mode.IsRegular() || pipe && mode&fs.ModeNamedPipe != 0 {
		return nil
	}
	return fmt.Errorf("it is %s, %w", Kind(mode), ErrSpecial)
}

// Kind names what a file is that is not regular.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular one"
}

// isDescriptor says whether the path is the name of a file that the process
// already has open, as the shell gives one to a process substitution.
func isDescriptor(path string) bool {
	path = filepath.ToSlash(filepath.Clean(path))
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// maxSmall bounds a configuration; real ones have a few hundred bytes.
const maxSmall = 1 << 20

// ReadConfig reads a configuration whole, YAML or JSON. One with YAML anchors is
// refused: a few hundred bytes of them can stand for gigabytes.
func ReadConfig(path string) ([]byte, error) {
	data, err := ReadSmall(path)
	if err == nil && hasAnchor(data) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it has YAML anchors, which are not followed")}
	}
	return data, err
}

// ReadSmall reads a file whole that has no reason to be large.
func ReadSmall(path string) ([]byte, error) { return ReadBounded(path, maxSmall) }

// ReadBounded reads a file whole that has at most so many bytes.
func ReadBounded(path string, most int64) ([]byte, error) {
	f, err := OpenStream(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return data, nil
}

// hasAnchor says whether an anchor may be in a YAML text: an ampersand with a
// name after it, where a value can begin. Zeros count, for UTF-16 has them.
func hasAnchor(text []byte) bool {
	for i, c := range text {
		if c != '&' || i+1 == len(text) {
			continue
		}
		begins := i == 0 || text[i-1] <= ' ' || text[i-1] >= 0x7F || strings.IndexByte("[{,:?-", text[i-1]) >= 0
		next := text[i+1]
		named := next == 0 || next == '_' || next == '-' || next >= '0' && next <= '9' || next|0x20 >= 'a' && next|0x20 <= 'z'
		if begins && named {
			return true
		}
	}
	return false
}

// Reader returns a reader of r that fails as soon as ctx ends. A read that is
// waiting then, for a terminal or a pipe, is abandoned.
func Reader(ctx context.Context, r io.Reader) io.Reader {
	return &reader{ctx: ctx, r: r, buf: make([]byte, readSize), done: make(chan result, 1)}
}

const readSize = 256 << 10

type reader struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte // an abandoned read still writes to it, so it is never the caller's
	rest []byte // of buf, read and not returned yet
	err  error
	done chan result
}

type result struct {
	n   int
	err error
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		r.fill()
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *reader) fill() {
	if r.err = r.ctx.Err(); r.err != nil {
		return
	}
	go func() {
		n, err := r.r.Read(r.buf)
		r.done <- result{n, err}
	}()
	select {
	case got := <-r.done:
		r.rest, r.err = r.buf[:got.n], got.err
	case <-r.ctx.Done():
		r.err = r.ctx.Err()
	}
}
