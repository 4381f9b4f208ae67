// Package corpus reads the packed evidence in testdata. It takes the path of a file
// and returns its unpacked content; if it cannot be unpacked, the test fails. It is
// made for tests.
package corpus

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
)

// Test is what ends a test: a testing.TB, or a script of testscript.
type Test interface {
	Fatalf(format string, args ...any)
}

// Unpack is the content of a gzipped file.
func Unpack(t Test, path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("unpack %s: %v", path, err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatalf("unpack %s: %v", path, err)
	}
	return data
}

// Files are the files in a gzipped tar archive, such as member.tar.gz, by name.
func Files(t Test, path string) map[string][]byte {
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(Unpack(t, path))); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatalf("unpack %s: %v", path, err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("unpack %s: %v", path, err)
		}
	}
}

// Snapshots are the paths of all snapshots in the directory testdata: of real
// clusters, of several versions of etcd, and of its MVCC store.
func Snapshots(t Test, testdata string) []string {
	var all []string
	for _, pattern := range []string{"clusters/*/*/*.db.gz", "etcd/*.db.gz", "etcd/versions/*/*.db.gz", "mvcc/*.db.gz"} {
		paths, err := filepath.Glob(filepath.Join(testdata, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no files %s in %s: %v", pattern, testdata, err)
		}
		all = append(all, paths...)
	}
	return all
}
