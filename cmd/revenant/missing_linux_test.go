package main

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"revenant/decoder/wal/waltest"
)

func init() {
	lacks = append(lacks, lack{"a directory that a running etcd uses", func(t *testing.T, path string, db []byte) {
		directory(t, path, raw(db), 0, func(l *waltest.Log) { puts(l, 5) })
		f := opened(t, filepath.Join(path, "member", "snap", "db"))
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}, false})
}
