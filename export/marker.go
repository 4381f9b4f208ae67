package export

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Marker is a file below _SUCCESS, which says that all tables of a snapshot are there.
type Marker struct {
	SchemaVersion int      `json:"schemaVersion"`
	Kind          string   `json:"kind"` // Export
	Tool          string   `json:"tool"` // its version
	SHA256        string   `json:"sha256"`
	Cluster       string   `json:"cluster"` // of the partition
	Current       string   `json:"current,omitempty"`
	Format        Format   `json:"format"`
	Flags         []string `json:"flags"` // that change what is read
	Damaged       bool     `json:"damaged"`
	Files         []File   `json:"files"`

	Kept bool `json:"-"` // it was there already
}

// File is a file that was written.
type File struct {
	Path      string `json:"path"` // below the directory of all tables
	Rows      int64  `json:"rows"`
	SizeBytes int64  `json:"sizeBytes"`
	SHA256    string `json:"sha256"`
}

// Same says whether the two are of one export: of the same evidence, read the same way
// by the same version.
func (m *Marker) Same(n *Marker) bool {
	return m.SchemaVersion == SchemaVersion && m.Tool == n.Tool && m.SHA256 == n.SHA256 && m.Current == n.Current && m.Format == n.Format && slices.Equal(m.Flags, n.Flags)
}

// Digits is how many of a snapshot's SHA-256 name its partition.
const Digits = 12

// Cluster is the name of a cluster's partition: its uid, or unknown where there is none
// that can be one name of a directory.
func Cluster(uid string) string {
	if !plain.MatchString(uid) {
		return "unknown"
	}
	return uid
}

var plain = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// ParseShard reads I/N, 0 ≤ I < N.
func ParseShard(s string) (i, n int, err error) {
	first, second, ok := strings.Cut(s, "/")
	i, errI := strconv.Atoi(first)
	n, errN := strconv.Atoi(second)
	if err := errors.Join(errI, errN); !ok || err != nil || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("%q is no shard", s)
	}
	return i, n, nil
}

// ShardOf is the shard of n that a file falls to. It depends on its path alone, so that a
// longer list moves no file to another shard.
func ShardOf(path string, n int) int {
	sum := sha256.Sum256([]byte(path))
	return int(binary.BigEndian.Uint64(sum[:]) % uint64(n))
}
