//go:build unix

package snapshot

import (
	"os"

	"golang.org/x/sys/unix"
)

// identity is the device, the number and the time of the last change of a file, which
// nobody can set.
func identity(f *os.File) (id [4]int64) {
	var stat unix.Stat_t
	if unix.Fstat(int(f.Fd()), &stat) == nil {
		sec, nsec := stat.Ctim.Unix()
		id = [4]int64{int64(stat.Dev), int64(stat.Ino), sec, nsec}
	}
	return id
}
