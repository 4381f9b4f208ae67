package container

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tree writes files below a new directory.
func tree(t *testing.T, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, data := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
			t.Fatal(err)
		}
		at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestPlatforms opens what platforms leave behind, by the names that they give.
func TestPlatforms(t *testing.T) {
	db := database(t)
	pki := packGzip(packTar(entry{"kube-apiserver-pod.yaml", []byte("kind: Pod")}))
	damaged := bytes.Clone(db)
	copy(damaged, bytes.Repeat([]byte("x"), 4096))
	for _, test := range []struct {
		name  string
		files map[string][]byte
		path  string // below the root
		read  string // what was read, below the root
		entry string
	}{
		{"OpenShift's backup", map[string][]byte{
			"snapshot_2026-11-29_120000.db": db, "static_kuberesources_2026-11-29_120000.tar.gz": pki,
		}, "", "snapshot_2026-11-29_120000.db", ""},
		{"the directory of OpenShift's backups", map[string][]byte{
			"backup-2026/snapshot_2026-11-29_120000.db": db, "backup-2026/static_kuberesources_2026-11-29_120000.tar.gz": pki,
		}, "", "backup-2026/snapshot_2026-11-29_120000.db", ""},
		{"k0s' backup", map[string][]byte{
			"k0s_backup_2026-11-29T12_00_00_000Z.tar.gz": packGzip(packTar(
				entry{"pki/ca.crt", []byte("-----BEGIN CERTIFICATE-----")}, entry{"etcd-snapshot.db", db}, entry{"k0s.yaml", []byte("spec: {}")},
				entry{"manifests/x.tar.gz", pki})),
		}, "", "k0s_backup_2026-11-29T12_00_00_000Z.tar.gz", "etcd-snapshot.db"},
		{"Talos' snapshot", map[string][]byte{"db.snapshot": db}, "db.snapshot", "db.snapshot", ""},
		{"the directory of Talos' snapshot", map[string][]byte{"db.snapshot": db}, "", "db.snapshot", ""},
		{"kubespray's snapshot", map[string][]byte{"etcd-2026-11-29_12:00:00/snapshot.db": db}, "", "etcd-2026-11-29_12:00:00/snapshot.db", ""},
		{"RKE1's zip", map[string][]byte{"2026-11-29T12:00:00Z_etcd.zip": packZip(entry{"backup/2026-11-29T12:00:00Z_etcd", db})}, "", "2026-11-29T12:00:00Z_etcd.zip", "backup/2026-11-29T12:00:00Z_etcd"},
		{"RKE1's zip with the state", map[string][]byte{"etcd": packZip(entry{"backup/etcd", db}, entry{"backup/etcd.rkestate", []byte("{}")})}, "etcd", "etcd", "backup/etcd"},
		{"RKE2's snapshot with metadata", map[string][]byte{
			"etcd-snapshot-cp-1-1764417600.zip": packZip(entry{"etcd-snapshot-cp-1-1764417600", db}), ".metadata/etcd-snapshot-cp-1-1764417600.zip": []byte(`{"name":"x"}`),
		}, "", "etcd-snapshot-cp-1-1764417600.zip", "etcd-snapshot-cp-1-1764417600"},
		{"k3s' db directory", map[string][]byte{"etcd/member/snap/db": db, "etcd/name": []byte("x")}, "", "etcd", "member/snap/db"},
		{"kubeadm's tarball", map[string][]byte{"cp-1.tgz": packGzip(packTar(
			entry{"etc/kubernetes/manifests/etcd.yaml", []byte("kind: Pod")}, entry{"etc/kubernetes/pki/etcd/ca.crt", []byte("x")}, entry{"snapshot.db", db}))},
			"", "cp-1.tgz", "snapshot.db"},
		{"Gardener's snapshot, which only its name says is LZW", map[string][]byte{"v2/Full-00000000-00000012-1764417600.Z": packLZW(db)},
			"v2/Full-00000000-00000012-1764417600.Z", "v2/Full-00000000-00000012-1764417600.Z", ""},
		{"Gardener's store", map[string][]byte{"v2/Full-00000000-00000012-1764417600.Z": packLZW(db)}, "", "v2/Full-00000000-00000012-1764417600.Z", ""},
		{"a compressed one", map[string][]byte{"a.db.zst": packZstd(db), "README": []byte("text")}, "", "a.db.zst", ""},
		{"a damaged one", map[string][]byte{"a.db": damaged, "README": []byte("text")}, "", "a.db", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, test.files)
			e, err := Open(t.Context(), filepath.Join(root, test.path), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if read, _ := filepath.Rel(root, e.Path); filepath.ToSlash(read) != test.read || e.Entry != test.entry || len(e.Unread) > 0 {
				t.Errorf("read %s, entry %q, unread %q", read, e.Entry, e.Unread)
			}
			if got, err := io.ReadAll(e.DB); err != nil || len(got) != len(db) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}

// TestNamedOfStore opens a file of Gardener's store that is named: a full snapshot alone, or a
// delta with what it follows.
func TestNamedOfStore(t *testing.T) {
	full, later := "Full-00000000-00000012-1764417600", "Full-00000000-00000030-1764417900"
	first, second, third := "Incr-00000013-00000020-1764417700", "Incr-00000021-00000030-1764417800", "Incr-00000031-00000040-1764418000"
	files := map[string][]byte{full: database(t), later: database(t)}
	for _, name := range []string{first, second, third} {
		files[name] = []byte("changes")
	}
	root := tree(t, files)
	for _, test := range []struct {
		named, deltas, unread string
		newer                 int64
	}{
		{full, "", first + " " + second, 30},
		{first, first, "", 0},
		{second, first + " " + second, "", 0},
		{later, "", third, 40},
		{third, third, full, 0},
	} {
		e, err := Open(t.Context(), filepath.Join(root, test.named), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var deltas []string
		for _, d := range e.Deltas {
			deltas = append(deltas, d.Name)
		}
		if got := strings.Join(deltas, " "); got != test.deltas || strings.Join(e.Unread, " ") != test.unread || e.Newer != test.newer {
			t.Errorf("%s: deltas %s, unread %s, newer %d", test.named, got, e.Unread, e.Newer)
		}
	}
}

// TestSeveralSnapshots says which there are, and reads none.
func TestSeveralSnapshots(t *testing.T) {
	db := database(t)
	for _, test := range []struct {
		name  string
		files map[string][]byte
		want  string
	}{
		{"two files", map[string][]byte{"b.db": db, "a.db.gz": packGzip(db), "notes.txt": []byte("text"), "empty": {}},
			`holds several snapshots: "a.db.gz" (SIZE bytes, 2026-11-29T12:00:00Z), "b.db" (SIZE bytes, 2026-11-29T12:00:00Z)`},
		{"below", map[string][]byte{"etcd-1/snapshot.db": db, "etcd-2/snapshot.db": db, "etcd-3/member/snap/db": db},
			`"etcd-1/snapshot.db" (SIZE bytes, 2026-11-29T12:00:00Z), "etcd-2/snapshot.db" (SIZE bytes, 2026-11-29T12:00:00Z), "etcd-3" (a data directory, 2026-11-29T12:00:00Z)`},
		{"a file and an archive", map[string][]byte{"a.db": db, "b.tar": packTar(entry{"x", []byte("y")})}, `"b.tar" (`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := tree(t, test.files)
			_, err := Open(t.Context(), root, Options{})
			if !errors.Is(err, ErrChoose) {
				t.Fatal(err)
			}
			got := err.Error()
			for _, size := range []string{"974880", "174592"} {
				got = strings.ReplaceAll(got, size, "SIZE")
			}
			if i := strings.Index(got, "gz\" ("); i > 0 { // a compressed size is no promise
				rest := got[i+5:]
				got = got[:i+5] + "SIZE" + rest[strings.Index(rest, " "):]
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	many := map[string][]byte{}
	for i := range 30 {
		many[strings.Repeat("x", i+1)] = db[:8192]
	}
	if _, err := Open(t.Context(), tree(t, many), Options{}); !errors.Is(err, ErrChoose) || !strings.Contains(err.Error(), "and 20 more") {
		t.Error(err)
	}
	below := map[string][]byte{}
	for name, data := range many {
		below["backups/"+name] = data
	}
	for name, files := range map[string]map[string][]byte{"in it": many, "in a directory in it": below} {
		if _, err := Open(t.Context(), tree(t, files), Options{Limits: Limits{Entries: 20}}); !errors.Is(err, ErrEntries) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestListed holds what is said of a snapshot in a list: no time where an archive, which
// has some day up to the first ones of 1980 then, does not know it.
func TestListed(t *testing.T) {
	for _, test := range []struct {
		modified time.Time
		want     string
	}{
		{time.Time{}, `"a.db" (7 bytes)`},
		{time.Unix(0, 0), `"a.db" (7 bytes)`},
		{time.Date(1979, 11, 30, 0, 0, 0, 0, time.UTC), `"a.db" (7 bytes)`},
		{time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), `"a.db" (7 bytes)`},
		{time.Date(1981, 1, 1, 0, 0, 0, 0, time.UTC), `"a.db" (7 bytes, 1981-01-01T00:00:00Z)`},
	} {
		if got := (surveyed{found: []candidate{{name: "a.db", size: 7, modified: test.modified}}}).String(); got != test.want {
			t.Errorf("%s: %s", test.modified, got)
		}
	}
}

// TestBesideMember names what stands beside a member's directory.
func TestBesideMember(t *testing.T) {
	db := database(t)
	root := tree(t, map[string][]byte{"member/snap/db": db, "snapshot.db": db, "name": []byte("x")})
	for _, test := range []struct{ path, entry, unread string }{
		{"", "member/snap/db", "snapshot.db"},
		{"member", "snap/db", ""},
		{"member/snap", "db", ""},
	} {
		e, err := Open(t.Context(), filepath.Join(root, filepath.FromSlash(test.path)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if unread := strings.Join(e.Unread, " "); e.Entry != test.entry || unread != test.unread {
			t.Errorf("%q: entry %q, unread %q", test.path, e.Entry, unread)
		}
		if e.Expanded() {
			t.Errorf("%q: the db of a directory is said to be a copy", test.path)
		}
	}
}

// TestIsPGP: where a packet that a message begins with ends to be one.
func TestIsPGP(t *testing.T) {
	id := "\x01\x02\x03\x04\x05\x06\x07\x08"
	for _, test := range []struct {
		name, head string
		want       bool
	}{
		{"a key", "\x84\x5e\x03" + id + "\x12\x01\x07\x40\x00\x00", true},
		{"too short to tell", "\x84\x5e\x03" + id + "\x12\x01\x07\x40", false},
		{"just long enough", "\x84\x5e\x03" + id + "\x12\x01\x07\x40\x00", true},
		{"no packet", "\x04\x5e\x03" + id + "\x12\x01\x07\x40\x00\x00", false},
		{"the last algorithm", "\x84\x5e\x03" + id + "\x1f\x01\x07\x40\x00\x00", true},
		{"one too many", "\x84\x5e\x03" + id + "\x20\x01\x07\x40\x00\x00", false},
		{"no algorithm", "\x84\x5e\x03" + id + "\x00\x01\x07\x40\x00\x00", false},
		{"the newest version", "\x84\x5e\x06" + id + "\x00\x01\x07\x40\x00\x00", true},
		{"an old version", "\x84\x5e\x02" + id + "\x12\x01\x07\x40\x00\x00", false},
		{"a length of four", "\x84\x04\x03" + id + "\x12\x01\x07\x40\x00\x00", true},
		{"a length of three", "\x84\x03\x03" + id + "\x12\x01\x07\x40\x00\x00", false},
		{"a length of 4096", "\x85\x10\x00\x03" + id + "\x12\x01\x07\x40\x00", true},
		{"a length of 4097", "\x85\x10\x01\x03" + id + "\x12\x01\x07\x40\x00", false},
		{"a length of four bytes", "\x86\x00\x00\x01\x00\x03" + id + "\x12\x01\x07", false},
		{"newer, a length of 191", "\xc1\xbf\x03" + id + "\x12\x01\x07\x40\x00\x00", true},
		{"newer, a length of 192", "\xc1\xc0\x00\x03" + id + "\x12\x01\x07\x40\x00", true},
		{"newer, a length of 4288", "\xc1\xd0\x00\x03" + id + "\x12\x01\x07\x40\x00", false},
		{"newer, in parts", "\xc1\xe0\x00\x03" + id + "\x12\x01\x07\x40\x00", false},
		{"a passphrase", "\x8c\x0d\x04\x0f\x04" + id + "\x00\x00\x00\x00\x00", true},
		{"an old passphrase", "\x8c\x0d\x03\x09\x03" + id + "\x00\x00\x00\x00\x00", false},
		{"another cipher", "\x8c\x0d\x04\x10\x04" + id + "\x00\x00\x00\x00\x00", false},
		{"another way to a key", "\x8c\x0d\x04\x0f\x05" + id + "\x00\x00\x00\x00\x00", false},
		{"a newer passphrase", "\x8c\x0d\x05\xff\xff" + id + "\x00\x00\x00\x00\x00", true},
		{"the newest passphrase", "\x8c\x0d\x06\xff\xff" + id + "\x00\x00\x00\x00\x00", true},
		{"a signature", "\x88\x5e\x04" + id + "\x12\x01\x07\x40\x00\x00", false},
	} {
		if got := isPGP([]byte(test.head)); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}

// TestLooksEncrypted tells what a file is encrypted with. Two beginnings are those of
// files that GnuPG wrote, the others are made by the formats' documents.
func TestLooksEncrypted(t *testing.T) {
	for _, test := range []struct{ name, head, want string }{
		{"age", "age-encryption.org/v1\n-> X25519 ", withAge},
		{"age, armored", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl", withAge},
		{"gpg -e, RSA", "\x85\x01\x8c\x03\x01\x02\x03\x04\x05\x06\x07\x08\x01\x0b\xff0123", withPGP},
		{"gpg -e, Curve25519", "\x84\x5e\x03\x01\x02\x03\x04\x05\x06\x07\x08\x12\x01\x07\x40012345", withPGP},
		{"gpg -c", "\x8c\x0d\x04\x09\x03\x08\x01\x02\x03\x04\x05\x06\x07\x08\xff\xd2\x01", withPGP},
		{"sq, a newer packet", "\xc1\xc0\x4c\x03\x01\x02\x03\x04\x05\x06\x07\x08\x01\x08\x00\x00\x00", withPGP},
		{"gpg -e -a", "-----BEGIN PGP MESSAGE-----\n\nhQEM", withPGP},
		{"openssl", "Salted__12345678abcdefgh", withOpenSSL},
		{"ansible-vault", "$ANSIBLE_VAULT;1.1;AES256\n6133", withVault},
		{"a public key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "text"},
		{"noise", "\x85\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""},
		{"nothing", "", ""},
		{"UTF-8", "ÄÖÜ und mehr Text in einer Datei", "text"},
	} {
		if got := Looks([]byte(test.head)); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
	root := tree(t, map[string][]byte{"snapshot.db.age": []byte("age-encryption.org/v1\n-> X25519 abcdef\n")})
	if _, err := Open(t.Context(), root, Options{}); !errors.Is(err, ErrDirectory) || !strings.Contains(err.Error(), "encrypted with age") {
		t.Error(err)
	}
}
