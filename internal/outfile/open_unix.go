//go:build unix

package outfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// open opens a descriptor of this process once more.
func open(descriptor int, name string) (*os.File, error) {
	n, err := unix.FcntlInt(uintptr(descriptor), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), name), nil
}
