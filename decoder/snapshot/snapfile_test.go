package snapshot

import (
	"os"
	"path/filepath"
	"testing"

	"revenant/internal/corpus"
)

// FuzzSnapFile gives any bytes as raft's snapshot file.
func FuzzSnapFile(f *testing.F) {
	for name, data := range corpus.Files(f, "../../testdata/etcd/members/3.4/m0.tar.gz") {
		if filepath.Ext(name) == ".snap" {
			if s := parseSnapFile(data); s == nil || s.conf == nil || len(s.members) == 0 {
				f.Fatalf("%s: %+v", name, s)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("\x08\x01\x12\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s := parseSnapFile(data); s != nil {
			s.of(s.conf, s.members)
		}
		for id, m := range v2Members(data) {
			if m.number() != id {
				t.Fatalf("member %x is %+v", id, m)
			}
		}
	})
}

// TestSnapFileOf refuses what is too large, damaged, or no file.
func TestSnapFileOf(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"large": make([]byte, maxSnapFile+1), "empty": nil, "damaged": []byte("\x08\x01\x12\x01a")} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := readSnapFile(path); s != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := readSnapFile(dir); s != nil {
		t.Errorf("a directory: %+v", s)
	}
}
