// Package demo holds the pair of snapshots that revenant opens when it is given none:
// two real ones, saved from a four-node cluster less than a minute apart. Between
// them Deployments were scaled and rolled out, a node was drained, StatefulSet pods
// moved, and namespaces came and went. When the backup was restored and the kubelets
// were left running, 18 pods kept running unseen by the API, and 12 that the API
// showed as running did not exist.
package demo

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
)

//go:embed backup.db.gz
var backup []byte

//go:embed current.db.gz
var current []byte

// The names by which messages call the two.
const (
	BackupName  = "demo:backup.db"
	CurrentName = "demo:current.db"
)

// Pair unpacks both snapshots.
func Pair() (backupDB, currentDB []byte, err error) {
	if backupDB, err = unpack(BackupName, backup); err != nil {
		return nil, nil, err
	}
	currentDB, err = unpack(CurrentName, current)
	return backupDB, currentDB, err
}

func unpack(name string, packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return data, nil
}
