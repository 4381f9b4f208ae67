package snapshot_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"

	"revenant/decoder/boltpage"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/decoder/wal/waltest"
	"revenant/internal/corpus"
)

// TestScan wants from Scan what Value copies, of every record of every snapshot.
func TestScan(t *testing.T) {
	for _, path := range corpus.Snapshots(t, "../../testdata") {
		sameScanned(t, snapshottest.Open(t, path))
	}
}

// TestScanOverlay does so of what a log adds to a db, and of what is decrypted.
func TestScanOverlay(t *testing.T) {
	db := snapshottest.Bytes(t, snapshottest.Put("/k/1", "of the db"), snapshottest.Put("/k/2", "k8s:enc:aescbc:v1:key:hidden"), snapshottest.Put("/k/0", "1"), snapshottest.Delete("/k/0"))
	dir := member(t, db, func(l *waltest.Log) {
		l.Request(&etcdserverpb.InternalRaftRequest{Put: &etcdserverpb.PutRequest{Key: []byte("/k/3"), Value: []byte("of the log")}})
	})
	s, err := snapshot.Open(t.Context(), dir, snapshot.Options{AssumeCommitted: true, Decrypt: func(_ string, value []byte) ([]byte, error) {
		if value == nil {
			t.Error("a deletion is decrypted")
		}
		if plain, ok := bytes.CutPrefix(value, []byte("k8s:enc:aescbc:v1:key:")); ok {
			return append([]byte("plain "), plain...), nil
		}
		return nil, errors.New("not encrypted")
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := sameScanned(t, s); n != 5 {
		t.Errorf("%d records", n)
	}
	plain, err := snapshot.Open(t.Context(), dir, snapshot.Options{AssumeCommitted: true})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if n := sameScanned(t, plain); n != 5 {
		t.Errorf("%d records without keys", n)
	}
	for _, tt := range []struct {
		key, decrypted, stored string
		log                    bool // the log adds it
	}{
		{"/k/1", "", "of the db", false}, // cannot be decrypted
		{"/k/2", "plain hidden", "k8s:enc:aescbc:v1:key:hidden", false},
		{"/k/3", "", "of the log", true},
	} {
		r, err := s.Get(tt.key, 0)
		if err != nil {
			t.Fatal(err)
		}
		if value, err := s.Decrypted(r); string(value) != tt.decrypted || (err == nil) != (tt.decrypted != "") {
			t.Errorf("%s is decrypted to %q, %v", tt.key, value, err)
		}
		if r, err = plain.Get(tt.key, 0); err != nil {
			t.Fatal(err)
		}
		if value, err := plain.Decrypted(r); string(value) != tt.stored || err != nil {
			t.Errorf("%s without keys is %q, %v", tt.key, value, err)
		}
		if at, page := plain.Offset(r), plain.Page(r); (at == -1) != tt.log || (page == 0) != tt.log {
			t.Errorf("%s is stored at %d, on page %d", tt.key, at, page)
		}
		if doubted := plain.Doubtful(); doubted(r) || plain.Suspect(r) {
			t.Errorf("%s is in doubt", tt.key)
		}
	}
	r, err := s.Get("/k/2", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Scan(r, func(value []byte) error {
		if string(value) != "plain hidden" {
			t.Errorf("scanned %q", value)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func sameScanned(t *testing.T, s *snapshot.Snapshot) (n int) {
	t.Helper()
	for r := range s.Records() {
		n++
		want, err := s.Value(r)
		var got []byte
		scanErr := s.Scan(r, func(value []byte) error {
			got = bytes.Clone(value)
			return nil
		})
		if !bytes.Equal(want, got) || (err == nil) != (scanErr == nil) {
			t.Fatalf("%s %s: scanned %q (%v), want %q (%v)", r.Key, r.Revision, got, scanErr, want, err)
		}
	}
	return n
}

// TestScanVanished cuts a file off while it is open: Scan says so, and what of it is still
// there can be read.
func TestScanVanished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, snapshottest.Bytes(t, snapshottest.Put("/k/1", strings.Repeat("x", 1<<16))), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), path, snapshot.Options{SkipHashCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Get("/k/1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Skip("an open file cannot be cut off here: ", err)
	}
	sum := byte(0)
	err = s.Scan(r, func(value []byte) error {
		for _, b := range value {
			sum += b
		}
		return nil
	})
	if fault := (*boltpage.FaultError)(nil); !errors.As(err, &fault) {
		t.Errorf("error is %v", err)
	}
}

// TestScanError wants the error of who scans as it is.
func TestScanError(t *testing.T) {
	s := snapshottest.Store(t, snapshottest.Put("/k/1", "v"))
	r, err := s.Get("/k/1", 0)
	if err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	if err := s.Scan(r, func([]byte) error { return mine }); err != mine {
		t.Errorf("error is %v", err)
	}
}
