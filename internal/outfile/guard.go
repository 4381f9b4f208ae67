package outfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Guard knows evidence. Nil and the zero value know none.
type Guard struct {
	files  []known
	dirs   []known
	absent []name
	walked map[string]bool // directories, by their paths without any link
	looked int             // at entries of directories
}

// known is a file or a directory of evidence.
type known struct {
	path string
	info fs.FileInfo
}

// name is that of evidence which is not there.
type name struct {
	dir  fs.FileInfo
	base string
}

// What is looked at of directories is bounded: entries in all, and levels below one
// that was named, or that a link in it leads to. No output can be made in what lies
// beyond, for that is inside a directory that is known.
const (
	maxEntries  = 100_000
	namedDepth  = 16
	linkedDepth = 2 // of member: snap and wal
)

// Evidence adds what a path names: a file, with the member's directory that it
// belongs to, or a directory with all that is in it. An empty path is none.
func (g *Guard) Evidence(path string) {
	if path == "" {
		return
	}
	if t, err := resolve(path, true); err == nil && t.isDescriptor {
		if f, err := open(t.descriptor, path); err == nil {
			g.Descriptor(f)
			f.Close()
		}
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		g.addAbsent(path)
	case info.IsDir():
		g.addTree(path, namedDepth)
	default:
		g.addFile(path, info)
	}
}

// Descriptor adds what is read through an open file.
func (g *Guard) Descriptor(f *os.File) {
	info, err := f.Stat()
	if err != nil {
		return
	}
	// Where the file is, its name tells on some systems.
	real, err := filepath.EvalSymlinks(f.Name())
	there, statErr := os.Stat(real)
	switch {
	case err != nil || statErr != nil || !os.SameFile(info, there):
		if info.Mode().IsRegular() {
			g.files = append(g.files, known{f.Name(), info})
		}
	case info.IsDir():
		g.addTree(real, namedDepth)
	default:
		g.addFile(real, info)
	}
}

// Holds says whether an open file is evidence, and so nothing may be written to it.
func (g *Guard) Holds(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && g.file(info) != ""
}

func (g *Guard) addFile(path string, info fs.FileInfo) {
	if !info.Mode().IsRegular() {
		return // a pipe keeps nothing
	}
	g.files = append(g.files, known{path, info})
	if stored.MatchString(filepath.Base(path)) {
		g.addStore(filepath.Dir(path))
	}
	// The log that belongs to a db stands beside it, both where it was named and
	// where it is.
	for _, follow := range []bool{false, true} {
		if t, err := resolve(path, follow); err == nil && !t.isDescriptor {
			g.addMember(t.dir)
		}
	}
}

// stored are the names of full snapshots and of the changes after them, which are read
// together, as Gardener's etcd-backup-restore gives them.
var stored = regexp.MustCompile(`^(Full|Incr)-[0-9]+-[0-9]+-[0-9]+`)

// addStore adds the files of such names in a directory.
func (g *Guard) addStore(dir string) {
	g.eachEntry(dir, func(e fs.DirEntry) {
		if !stored.MatchString(e.Name()) {
			return
		}
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			g.files = append(g.files, known{path, info})
		}
	})
}

// addMember adds the directory of the member that dir belongs to, or dir alone
// when it has the name of a part of one.
func (g *Guard) addMember(dir string) {
	if part := filepath.Base(dir); part != "snap" && part != "wal" {
		return
	}
	if parent := filepath.Dir(dir); filepath.Base(parent) == "member" || isMember(parent) {
		dir = parent
	}
	g.addTree(dir, linkedDepth)
}

// addTree adds a directory and what is in it, some levels deep. A link in it is followed to a file,
// and to a directory where etcd has one.
func (g *Guard) addTree(path string, depth int) {
	dir, err := filepath.EvalSymlinks(absolute(path))
	if err != nil || g.walked[dir] {
		return
	}
	info, err := os.Stat(dir)
	if err != nil {
		return
	}
	if g.walked == nil {
		g.walked = map[string]bool{}
	}
	g.walked[dir] = true
	g.dirs = append(g.dirs, known{dir, info})
	g.addMember(dir)
	if depth == 0 {
		return
	}
	g.eachEntry(dir, func(e fs.DirEntry) { g.addEntry(filepath.Join(dir, e.Name()), e, depth-1) })
}

// eachEntry looks at the entries of a directory, as far as it can be read and the guard
// may look at more.
func (g *Guard) eachEntry(dir string, look func(fs.DirEntry)) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	for g.looked < maxEntries {
		entries, err := f.ReadDir(1000)
		for _, e := range entries {
			g.looked++
			look(e)
		}
		if err != nil || len(entries) == 0 {
			return
		}
	}
}

func (g *Guard) addEntry(path string, e fs.DirEntry, depth int) {
	switch {
	case e.IsDir():
		g.addTree(path, depth)
	case e.Type()&fs.ModeSymlink != 0:
		info, err := os.Stat(path)
		if err != nil {
			return
		}
		if !info.IsDir() {
			g.addFile(path, info)
		} else if name := e.Name(); name == "member" || name == "snap" || name == "wal" {
			g.addTree(path, min(depth, linkedDepth))
		}
	case e.Type().IsRegular():
		if info, err := e.Info(); err == nil {
			g.files = append(g.files, known{path, info})
		}
	}
}

func (g *Guard) addAbsent(path string) {
	t, err := resolve(path, true)
	if err != nil || t.isDescriptor {
		return
	}
	if info, err := os.Stat(t.dir); err == nil {
		g.absent = append(g.absent, name{info, t.base})
	}
}

// file is the path by which a file is known as evidence, "" when it is none.
func (g *Guard) file(info fs.FileInfo) string {
	if g == nil || !info.Mode().IsRegular() {
		return ""
	}
	for _, k := range g.files {
		if os.SameFile(k.info, info) {
			return k.path
		}
	}
	return ""
}

// missing says whether evidence that is not there would be at a place.
func (g *Guard) missing(dir, base string) bool {
	if g == nil || len(g.absent) == 0 {
		return false
	}
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for _, n := range g.absent {
		if n.base == base && os.SameFile(n.dir, info) {
			return true
		}
	}
	return false
}

// inside is the directory of evidence, or of an etcd member, that a directory is or
// lies in, "" for none. dir is without any link.
func (g *Guard) inside(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return "", err
		}
		if g != nil {
			for _, k := range g.dirs {
				if os.SameFile(k.info, info) {
					return k.path, nil
				}
			}
		}
		if isMember(dir) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}

// HoldsEtcd says whether a directory is a data directory of etcd, or a part of one
// that can be read in its place.
func HoldsEtcd(dir string) bool {
	dir, err := filepath.EvalSymlinks(absolute(dir))
	if err != nil {
		return false
	}
	for _, db := range []string{"member/snap/db", "snap/db"} {
		if exists(filepath.Join(dir, filepath.FromSlash(db))) {
			return true
		}
	}
	return filepath.Base(dir) == "snap" && exists(filepath.Join(dir, "db"))
}

// isMember says whether a directory is the one that an etcd member keeps its db and
// its log in.
func isMember(dir string) bool {
	if !exists(filepath.Join(dir, "snap", "db")) {
		return false
	}
	wal, err := os.Stat(filepath.Join(dir, "wal"))
	return filepath.Base(dir) == "member" || err == nil && wal.IsDir()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
