package wal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// nextData is where, at or after an offset, the file system has data of the file:
// before it there are zeros. It is the file's size when only zeros are left, and
// the offset itself where the file system does not say.
func nextData(f *os.File, offset, size int64) int64 {
	at, err := unix.Seek(int(f.Fd()), offset, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size
	case err != nil || at < offset:
		return offset
	}
	return at
}
