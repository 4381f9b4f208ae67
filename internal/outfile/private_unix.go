//go:build unix

package outfile

import (
	"io/fs"
	"os"
	"syscall"
)

// private says whether a file or a directory is the user's, and no other may write to it.
func private(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}
