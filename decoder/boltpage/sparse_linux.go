package boltpage

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// stored is how many bytes of a file the disk holds.
func stored(info os.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Blocks * 512
	}
	return info.Size()
}

// seekData finds the first data at off or after it (lseek(2) SEEK_DATA, SEEK_HOLE);
// ok is false when there is none.
func seekData(f *os.File, off int64) (from, to int64, ok bool) {
	const everything = 1<<63 - 1
	from, err := unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return 0, 0, false
	case err != nil: // nothing shows it
		return off, everything, true
	}
	if to, err = unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE); err != nil || to <= from {
		to = everything
	}
	return from, to, true
}
