//go:build unix

package boltpage

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps the first size bytes of f read-only. The default advice is kept
// on purpose: bbolt's MADV_RANDOM turns read-ahead off, and the walk over a
// cold 1.3 GB file then takes 24 times as long.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
