package snapshot

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// locked says whether a process holds a lock on the file, as the system lists
// them (proc(5) /proc/locks). No lock is tried.
func locked(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return false
	}
	defer f.Close()
	// Device and inode are written as major:minor:inode.
	major, minor := stat.Dev>>8&0xfff|stat.Dev>>32&^0xfff, stat.Dev&0xff|stat.Dev>>12&^0xff
	want := fmt.Sprintf("%02x:%02x:%d", major, minor, stat.Ino)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		for _, field := range strings.Fields(lines.Text()) {
			if field == want {
				return true
			}
		}
	}
	return false
}
