package container

import (
	"archive/tar"
	"bytes"
	"compress/lzw"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"

	"revenant/internal/demo"
)

// database is a real snapshot.
func database(t testing.TB) []byte {
	t.Helper()
	backup, _, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	return backup
}

type entry struct {
	name string
	data []byte
}

func packGzip(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func packLZW(data []byte) []byte {
	var b bytes.Buffer
	w := lzw.NewWriter(&b, lzw.LSB, 8)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func packZstd(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

func packTar(entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: 0o600, Typeflag: tar.TypeReg})
		w.Write(e.data)
	}
	w.Close()
	return b.Bytes()
}

func packZip(entries ...entry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, _ := w.Create(e.name)
		f.Write(e.data)
	}
	w.Close()
	return b.Bytes()
}

// open opens data as a file without a telling name. Nothing of it may be left
// behind when the test ends.
func open(t *testing.T, data []byte, opts Options) (*Evidence, error) {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	path := filepath.Join(t.TempDir(), "evidence")
	if err := os.WriteFile(path, data, 0o400); err != nil {
		t.Fatal(err)
	}
	e, err := Open(t.Context(), path, opts)
	t.Cleanup(func() {
		if err == nil {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			if e.DB != nil {
				if _, err := e.DB.Stat(); !errors.Is(err, os.ErrClosed) {
					t.Errorf("the db is not closed: %v", err)
				}
			}
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%s was left behind", left[0].Name())
		}
	})
	return e, err
}

func TestFormats(t *testing.T) {
	db := database(t)
	segment := entry{"0000000000000000-0000000000000000.wal", []byte("the log")}
	member := func(root string) []entry {
		return []entry{
			{root + "wal/" + segment.name, segment.data},
			{root + "wal/0.tmp", []byte("zeros")},
			{root + "snap/0000000000000002-00000000000003e9.snap", []byte("v2")},
			{root + "snap/db", db},
		}
	}
	for _, test := range []struct {
		name   string
		data   []byte
		format Format
		entry  string
		wal    bool
	}{
		{"plain", db, Plain, "", false},
		{"gzip", packGzip(db), Gzip, "", false},
		{"zstd", packZstd(db), Zstd, "", false},
		{"zip of k3s", packZip(entry{"etcd-snapshot-node-1.db", db}), Zip, "etcd-snapshot-node-1.db", false},
		{"zip with more", packZip(entry{"README", []byte("read me")}, entry{"a/backup.db", db}), Zip, "a/backup.db", false},
		{"tar", packTar(entry{"backup/static_kuberesources", []byte("text")}, entry{"backup/snapshot.db", db}), Tar, "backup/snapshot.db", false},
		{"tar.gz", packGzip(packTar(entry{"snapshot.db", db})), TarGzip, "snapshot.db", false},
		{"tar.zst", packZstd(packTar(entry{"snapshot.db", db})), TarZstd, "snapshot.db", false},
		{"member", packGzip(packTar(member("member/")...)), TarGzip, "member/snap/db", true},
		{"data directory", packTar(member("./var/lib/etcd/member/")...), Tar, "var/lib/etcd/member/snap/db", true},
		{"zipped member", packZip(member("member/")...), Zip, "member/snap/db", true},
		{"bare", packTar(member("")...), Tar, "snap/db", true},
		{"db without log", packTar(entry{"member/snap/db", db}), Tar, "member/snap/db", false},
		{"hostile name", packTar(entry{"../../../etc/x.db", db}), Tar, "etc/x.db", false},
		{"hostile directory", packTar(entry{"../../wal/" + segment.name, segment.data}, entry{"../../snap/db", db}), Tar, "snap/db", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := open(t, test.data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if e.Format != test.format || e.Entry != test.entry || (e.WALDir != "") != test.wal {
				t.Errorf("format %s, entry %q, log %q", e.Format, e.Entry, e.WALDir)
			}
			if got, err := io.ReadAll(e.DB); err != nil || !bytes.Equal(got, db) {
				t.Errorf("the db differs, %v", err)
			}
			sum := sha256.Sum256(test.data)
			if f := e.Files[0]; f.SizeBytes != int64(len(test.data)) || test.format != Plain && f.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("evidence %+v", f)
			}
			if test.wal {
				got, err := os.ReadFile(filepath.Join(e.WALDir, segment.name))
				if err != nil || !bytes.Equal(got, segment.data) {
					t.Errorf("segment %q, %v", got, err)
				}
			}
			e.Forget()
			if _, err := e.DB.ReadAt(make([]byte, 1), 0); err != nil {
				t.Errorf("after Forget: %v", err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	db := database(t)
	for _, test := range []struct {
		name string
		data []byte
		opts Options
		want error
		says string
	}{
		{"empty", nil, Options{}, ErrEmpty, ""},
		{"empty stream", packGzip(nil), Options{}, ErrEmpty, ""},
		{"gzip in gzip", packGzip(packGzip(db)), Options{}, ErrNested, "gzip"},
		{"zip in gzip", packGzip(packZip(entry{"db", db})), Options{}, ErrNested, "zip"},
		{"gzip in tar", packTar(entry{"backup.db.gz", packGzip(db)}), Options{}, ErrNested, "backup.db.gz"},
		{"nothing in it", packTar(entry{"a", []byte("a")}, entry{"b", []byte("b")}), Options{}, ErrNone, "2 other files"},
		{"text in gzip", packGzip([]byte("hello, this is text")), Options{}, ErrNone, "text"},
		{"two", packZip(entry{"b.db", db}, entry{"a.db", db}), Options{}, ErrSeveral, `"b.db" (974880 bytes), "a.db" (974880 bytes)`},
		{"two members", packTar(entry{"1/snap/db", db}, entry{"2/snap/db", db}), Options{}, ErrSeveral, ""},
		{"too large", packGzip(db), Options{Limits: Limits{Bytes: int64(len(db)) - 1}}, ErrTooLarge, ""},
		{"too large in tar", packTar(entry{"a.db", db}), Options{Limits: Limits{Bytes: 1000}}, ErrTooLarge, ""},
		{"twice the same", packTar(entry{"snap/db", db}, entry{"snap/db", db}), Options{}, ErrSeveral, ""},
		{"segment twice", packTar(entry{"wal/0000000000000000-0000000000000000.wal", nil}, entry{"wal/0000000000000000-0000000000000000.wal", nil}), Options{}, nil, "holds no"},
		{"broken archive", packZip(entry{"db", db})[:200], Options{}, nil, "unpack zip"},
		{"broken header", []byte("\x1f\x8b\x08\xff\xff"), Options{}, nil, "unpack gzip"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := open(t, test.data, test.opts)
			switch {
			case err == nil:
				t.Fatalf("opened: %+v", e)
			case test.want != nil && !errors.Is(err, test.want), !strings.Contains(err.Error(), test.says):
				t.Errorf("error %q", err)
			}
		})
	}
}

// TestNamed opens one of several databases in an archive by its name, or by the member's
// directory that it is in, with that member's log alone.
func TestNamed(t *testing.T) {
	db := database(t)
	older := append([]byte(nil), db[:len(db)-32]...)
	segment := "/wal/0000000000000000-0000000000000000.wal"
	several := []entry{
		{"a/one.db", older}, {"a/two.db", db},
		{"m1/member/snap/db", older}, {"m1/member" + segment, []byte("log 1")},
		{"m2/member/snap/db", db}, {"m2/member" + segment, []byte("log 2")},
		{"lost.db", withoutMetas(db)},
	}
	for i := range 2 * listed { // more than are named
		several = append(several, entry{strings.Repeat("x", i+1), db[:8192]})
	}
	several = append(several, entry{"last.db", db}, entry{"twice", db}, entry{"twice", db})
	for _, test := range []struct {
		member, entry, log string
		size               int
		says               string
	}{
		{"a/two.db", "a/two.db", "", len(db), ""},
		{"/a/../a/one.db", "a/one.db", "", len(older), ""},
		{"m1", "m1/member/snap/db", "log 1", len(older), ""},
		{"m2/member/", "m2/member/snap/db", "log 2", len(db), ""},
		{"m2/member/snap/db", "m2/member/snap/db", "log 2", len(db), ""},
		{"lost.db", "lost.db", "", len(db), ""},
		{"last.db", "last.db", "", len(db), ""},
		{"a", "", "", 0, `holds no etcd database of the name "a": "a/one.db" (974848 bytes), "a/two.db" (974880 bytes), `},
		{"m3", "", "", 0, `of the name "m3"`},
		{"twice", "", "", 0, `holds several databases: "twice" (974880 bytes), "twice" (974880 bytes)`},
	} {
		for pack, data := range map[string][]byte{"tar": packTar(several...), "tar.gz": packGzip(packTar(several...)), "zip": packZip(several...)} {
			path := filepath.Join(t.TempDir(), "a "+pack)
			if err := os.WriteFile(path, data, 0o400); err != nil {
				t.Fatal(err)
			}
			e, err := Open(t.Context(), path+"//"+test.member, Options{})
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s of %s: %v", test.member, pack, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s of %s: %v", test.member, pack, err)
				continue
			}
			got, err := io.ReadAll(e.DB)
			log := []byte(nil)
			if e.WALDir != "" {
				log, _ = os.ReadFile(e.WALDir + strings.TrimPrefix(segment, "/wal"))
			}
			if err != nil || e.Entry != test.entry || len(got) != test.size || string(log) != test.log || e.Path != path+"//"+test.member || e.Files[0].Path != path {
				t.Errorf("%s of %s: entry %s, %d bytes, log %q, path %s of %s: %v", test.member, pack, e.Entry, len(got), log, e.Path, e.Files[0].Path, err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for name, test := range map[string]struct {
		data []byte
		want error
		says string
	}{
		"plain":    {db, errNoArchive, ""},
		"gzip":     {packGzip(db), errNoArchive, ""},
		"another":  {packTar(entry{"a.db", db}), ErrNone, `of the name "db": "a.db"`},
		"no db":    {packTar(entry{"a", []byte("a")}, entry{"b", []byte("b")}), ErrNone, "2 other files"},
		"a packed": {packZip(entry{"backup.db.gz", packGzip(db)}), ErrNested, "backup.db.gz"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, test.data, 0o400); err != nil {
			t.Fatal(err)
		}
		if e, err := Open(t.Context(), path+"//db", Options{}); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if e, err := Open(t.Context(), path+"-not-there//db", Options{}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// withoutMetas is a database whose meta pages are lost.
func withoutMetas(db []byte) []byte { return append(make([]byte, 2*4096), db[2*4096:]...) }

// TestWithoutMetas finds a database whose meta pages are lost in whatever it is packed in,
// where nothing else is one.
func TestWithoutMetas(t *testing.T) {
	db := database(t)
	lost := withoutMetas(db)
	one := make([]byte, 1<<20)
	copy(one[5*4096:], "\x05\x00\x00\x00\x00\x00\x00\x00\x02") // the number of a page, and that it is a leaf
	program := append([]byte("\x7fELF"), lost[4:]...)
	copy(program[512:], "\x01\x00\x00\x00\x00\x00\x00\x00\x02") // as a page of 512 bytes begins
	for _, test := range []struct {
		name string
		data []byte
		want []byte // nil for none
	}{
		{"plain", lost, lost},
		{"gzip", packGzip(lost), lost},
		{"zstd", packZstd(lost), lost},
		{"tar", packTar(entry{"README", bytes.Repeat([]byte("text "), 4000)}, entry{"backup.db", lost}), lost},
		{"tar.gz", packGzip(packTar(entry{"backup.db", lost}, entry{"zeros", make([]byte, 1<<20)})), lost},
		{"one page of it", packTar(entry{"backup.db", one}), one},
		{"zip", packZip(entry{"README", []byte("text")}, entry{"backup.db", lost}), lost},
		{"beside another", packTar(entry{"lost.db", lost}, entry{"backup.db", db}), db},
		{"two", packZip(entry{"a.db", lost}, entry{"b.db", lost}), nil},
		{"a program", packTar(entry{"program", program}), nil},
		{"cut off", packTar(entry{"a.db", lost[:4096]}), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := open(t, test.data, Options{})
			if test.want == nil {
				if err == nil {
					t.Errorf("entry %s is opened", e.Entry)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(e.DB); err != nil || !bytes.Equal(got, test.want) {
				t.Errorf("entry %s, %d bytes, %v", e.Entry, len(got), err)
			}
		})
	}
}

// TestRatio unpacks what expands to very much more than it is.
func TestRatio(t *testing.T) {
	if testing.Short() {
		t.Skip("writes half a gigabyte")
	}
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b)
	w.Write(database(t))
	zeros := make([]byte, 1<<20)
	for range 600 {
		w.Write(zeros)
	}
	w.Close()
	if _, err := open(t, b.Bytes(), Options{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	e, err := open(t, b.Bytes(), Options{Limits: Limits{Ratio: 1 << 40}})
	if err != nil || len(e.Faults) > 0 {
		t.Errorf("with a higher limit: %v, %+v", err, e)
	}
}

// TestCutOff reads what there is of a stream that breaks off.
func TestCutOff(t *testing.T) {
	db := database(t)
	for name, data := range map[string][]byte{
		"gzip":   packGzip(db),
		"zstd":   packZstd(db),
		"tar.gz": packGzip(packTar(entry{"a.db", db})),
	} {
		t.Run(name, func(t *testing.T) {
			e, err := open(t, data[:len(data)*2/3], Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(e.DB)
			if err != nil || len(e.Faults) != 1 || len(got) == 0 || !bytes.HasPrefix(db, got) {
				t.Errorf("%d bytes of %d, faults %q, %v", len(got), len(db), e.Faults, err)
			}
		})
	}
}

// TestBrokenEntry reads what there is of a zip of which a byte is another: of the database,
// and of an entry beside it.
func TestBrokenEntry(t *testing.T) {
	db := database(t)
	whole := packZip(entry{"README", []byte("text")}, entry{"a.db", db})
	for name, at := range map[string]int{"a.db": len(whole) / 2, "README": bytes.Index(whole, []byte("README")) + len("README")} {
		t.Run(name, func(t *testing.T) {
			data := bytes.Clone(whole)
			data[at] = ^data[at]
			e, err := open(t, data, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Faults) != 1 || !strings.Contains(e.Faults[0], name) || e.Entry != "a.db" {
				t.Errorf("entry %s, faults %q", e.Entry, e.Faults)
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	db := database(t)
	root := t.TempDir()
	make := func(path string, data []byte) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	make("data/member/snap/db", db)
	make("data/member/wal/x", nil)
	make("alone/snap/db", db)
	make("none/x", nil)
	for _, test := range []struct{ dir, entry, wal string }{
		{"data", "member/snap/db", "data/member/wal"},
		{"data/member", "snap/db", "data/member/wal"},
		{"data/member/snap", "db", ""},
		{"alone", "snap/db", ""},
	} {
		e, err := Open(t.Context(), filepath.Join(root, test.dir), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if wal := strings.TrimPrefix(strings.TrimPrefix(e.WALDir, root), "/"); e.Format != Directory || e.Entry != test.entry || wal != test.wal {
			t.Errorf("%s: format %s, entry %q, log %q", test.dir, e.Format, e.Entry, wal)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	e, err := Open(t.Context(), filepath.Join(root, "alone"), Options{WALDir: "/elsewhere"})
	if err != nil || e.WALDir != "/elsewhere" {
		t.Errorf("log %+v, %v", e, err)
	}
	e.Close()
	if _, err := Open(t.Context(), filepath.Join(root, "none"), Options{}); !errors.Is(err, ErrDirectory) {
		t.Errorf("error %v", err)
	}
}

func TestStdin(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	db := database(t)
	for name, data := range map[string][]byte{"plain": db, "gzip": packGzip(db)} {
		e, err := Open(t.Context(), "-", Options{Stdin: bytes.NewReader(data)})
		if err != nil {
			t.Fatal(name, err)
		}
		sum := sha256.Sum256(data)
		got, err := io.ReadAll(e.DB)
		if err != nil || !bytes.Equal(got, db) || e.Files[0].Path != "-" || e.Files[0].SHA256 != hex.EncodeToString(sum[:]) || !e.Expanded() {
			t.Errorf("%s: %v, %+v", name, err, e.Files)
		}
		e.Close()
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, packGzip(database(t)), 0o400); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, path, Options{Progress: func(done, total int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// FuzzOpen opens anything. Whatever it is: no panic, nothing beyond the limit,
// nothing left behind.
func FuzzOpen(f *testing.F) {
	db := database(f)[:8192]
	for _, seed := range [][]byte{
		db, packGzip(db), packZstd(db), packZip(entry{"a.db", db}), packTar(entry{"member/snap/db", db}),
		packGzip(packTar(entry{"wal/0000000000000000-0000000000000000.wal", []byte("x")}, entry{"snap/db", db})),
	} {
		f.Add(seed)
	}
	temp := f.TempDir()
	f.Setenv("TMPDIR", temp)
	path := filepath.Join(f.TempDir(), "evidence")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		const most = 1 << 20
		e, err := Open(t.Context(), path, Options{Limits: Limits{Bytes: most}})
		if err == nil {
			if info, err := e.DB.Stat(); err != nil || e.Expanded() && info.Size() > most {
				t.Errorf("expanded to %d bytes, %v", info.Size(), err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("%s was left behind", left[0].Name())
		}
	})
}
