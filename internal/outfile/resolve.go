package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
)

// target is where a path leads.
type target struct {
	dir, base string // a name in a directory whose path has no link

	isDescriptor bool // or an open file of this process
	descriptor   int
}

// maxLinks is how many links are followed, as Linux does (path_resolution(7)).
const maxLinks = 40

// resolve goes where the kernel would: through links, one at the end too where
// follow asks for that, even to a name that is not there; and .. leads up from where
// a link has led.
func resolve(path string, follow bool) (target, error) {
	path = absolute(path)
	for range maxLinks {
		if n, ok := descriptor(path); ok {
			return target{isDescriptor: true, descriptor: n}, nil
		}
		parent, base := split(path)
		if base == "" || base == "." || base == ".." {
			return target{}, errors.New("is a directory")
		}
		dir, err := filepath.EvalSymlinks(parent)
		if err != nil {
			return target{}, err
		}
		path = filepath.Join(dir, base)
		if n, ok := descriptor(path); ok {
			return target{isDescriptor: true, descriptor: n}, nil
		}
		to, err := os.Readlink(path)
		if err != nil || !follow {
			return target{dir: dir, base: base}, nil
		}
		if path = to; !filepath.IsAbs(to) {
			path = dir + string(filepath.Separator) + to
		}
	}
	return target{}, errors.New("too many links")
}

// absolute puts the working directory before a path, and keeps every .. in it: what
// it leads out of may be a link. Windows resolves .. by the name alone.
func absolute(path string) string {
	if runtime.GOOS == "windows" {
		if abs, err := filepath.Abs(path); err == nil {
			return abs
		}
		return path
	}
	if wd, err := os.Getwd(); err == nil && !filepath.IsAbs(path) {
		return wd + string(filepath.Separator) + path
	}
	return path
}

// split cuts the last name off an absolute path, and resolves nothing.
func split(path string) (parent, base string) {
	at := len(path)
	for at > 0 && !os.IsPathSeparator(path[at-1]) {
		at--
	}
	parent, base = path[:at], path[at:]
	for len(parent) > len(filepath.VolumeName(parent))+1 && os.IsPathSeparator(parent[len(parent)-1]) {
		parent = parent[:len(parent)-1]
	}
	return parent, base
}

var descriptorPath = regexp.MustCompile(`^(?:/dev|/proc/(?:self|thread-self|([0-9]+)|(?:self|([0-9]+))/task/[0-9]+))/fd/([0-9]+)$`)

// descriptor is the number of the open file of this process that a path names.
func descriptor(path string) (int, bool) {
	for n, standard := range []string{"/dev/stdin", "/dev/stdout", "/dev/stderr"} {
		if path == standard {
			return n, runtime.GOOS != "windows"
		}
	}
	m := descriptorPath.FindStringSubmatch(path)
	if m == nil || runtime.GOOS == "windows" {
		return 0, false
	}
	for _, process := range m[1:3] {
		if process != "" && process != strconv.Itoa(os.Getpid()) {
			return 0, false
		}
	}
	n, err := strconv.Atoi(m[3])
	return n, err == nil
}
