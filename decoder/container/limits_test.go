package container

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
)

// nothingUnpacked fails the test when anything is unpacked.
func nothingUnpacked(t *testing.T, opts Options) Options {
	opts.MkdirTemp = func() (string, error) {
		t.Error("something was unpacked")
		return "", errors.New("not now")
	}
	return opts
}

// header is that of an entry in a tar archive.
func header(kind byte, name string, size int64) []byte {
	h := make([]byte, 512)
	copy(h, name)
	copy(h[100:], "0000600\x000000000\x000000000\x00")
	copy(h[124:], fmt.Sprintf("%011o\x00%011o\x00", size, 0))
	h[156] = kind
	copy(h[257:], "ustar\x0000")
	return checksum(h)
}

func checksum(h []byte) []byte {
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return h
}

// holes is a sparse file of the old GNU format, of which nothing is there.
func holes(name string, size int64) []byte {
	h := header(tar.TypeGNUSparse, name, 0)
	copy(h[257:], "ustar  \x00")
	copy(h[386:], "00000000000\x0000000000000\x00")
	h[483] = 0x80
	binary.BigEndian.PutUint64(h[487:], uint64(size))
	return checksum(h)
}

// holesPAX is one of the format 1.0, whose map is in its content.
func holesPAX(name string, size int64) []byte {
	var records []byte
	for _, r := range [][2]string{{"GNU.sparse.major", "1"}, {"GNU.sparse.minor", "0"}, {"GNU.sparse.name", name}, {"GNU.sparse.realsize", fmt.Sprint(size)}} {
		text := fmt.Sprintf(" %s=%s\n", r[0], r[1])
		n := len(text) + 2
		records = fmt.Appendf(records, "%d%s", n, text)
	}
	content := make([]byte, 512)
	copy(content, "0\n")
	return bytes.Join([][]byte{header(tar.TypeXHeader, "x", int64(len(records))), pad(records), header(tar.TypeReg, "x", 512), content}, nil)
}

func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&511)...) }

func many(n int, name func(int) string, data []byte) (list []entry) {
	for i := range n {
		list = append(list, entry{name(i), data})
	}
	return list
}

// directory is a zip archive whose directory has more entries than its end says.
func directory(entries int, says uint16) []byte {
	b := []byte("PK\x03\x04\x14\x00" + strings.Repeat("\x00", 20) + "\x01\x00\x00\x00a")
	start := len(b)
	one := append([]byte("PK\x01\x02"), make([]byte, 42)...)
	b = append(b, bytes.Repeat(one, entries)...)
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	binary.LittleEndian.PutUint16(end[8:], says)
	binary.LittleEndian.PutUint16(end[10:], says)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(b)-start))
	binary.LittleEndian.PutUint32(end[16:], uint32(start))
	return append(b, end...)
}

// directory64 is a zip archive that says that it has so many entries.
func directory64(says uint64, padding int) []byte {
	b := append([]byte("PK\x03\x04"), make([]byte, padding)...)
	at := len(b)
	end64 := append([]byte("PK\x06\x06"), make([]byte, 52)...)
	binary.LittleEndian.PutUint64(end64[24:], says)
	binary.LittleEndian.PutUint64(end64[32:], says)
	locator := append([]byte("PK\x06\x07"), make([]byte, 16)...)
	binary.LittleEndian.PutUint64(locator[8:], uint64(at))
	binary.LittleEndian.PutUint32(locator[16:], 1)
	end := append([]byte("PK\x05\x06"), bytes.Repeat([]byte{0xFF}, 16)...)
	return bytes.Join([][]byte{b, end64, locator, end, {0, 0}}, nil)
}

// overlapping is a zip archive whose entries are all the same bytes.
func overlapping(t *testing.T, names []string, content []byte) []byte {
	whole := packZip(entry{"a", content})
	zr, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	start := bytes.Index(whole, []byte("PK\x01\x02"))
	b.Write(whole[:start])
	f := zr.File[0]
	for _, name := range names {
		h := append([]byte("PK\x01\x02\x14\x00\x14\x00\x08\x00\x08\x00"), make([]byte, 34)...)
		binary.LittleEndian.PutUint32(h[16:], f.CRC32)
		binary.LittleEndian.PutUint32(h[20:], uint32(f.CompressedSize64))
		binary.LittleEndian.PutUint32(h[24:], uint32(f.UncompressedSize64))
		binary.LittleEndian.PutUint16(h[28:], uint16(len(name)))
		b.Write(h)
		b.WriteString(name)
	}
	end := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	binary.LittleEndian.PutUint16(end[8:], uint16(len(names)))
	binary.LittleEndian.PutUint16(end[10:], uint16(len(names)))
	binary.LittleEndian.PutUint32(end[12:], uint32(b.Len()-start))
	binary.LittleEndian.PutUint32(end[16:], uint32(start))
	b.Write(end)
	return b.Bytes()
}

func segmentName(i int) string { return fmt.Sprintf("wal/%016x-%016x.wal", i, i) }

// TestBounded refuses what asks for more than it is, before any of it is unpacked,
// and at the cost of what it is.
func TestBounded(t *testing.T) {
	db := database(t)
	pax := bytes.Repeat([]byte("12 a000001=\n"), 80_000)
	pax = bytes.Join([][]byte{header(tar.TypeXHeader, "x", int64(len(pax))), pad(pax)}, nil)
	plain := func(i int) string { return fmt.Sprint("f", i) }
	few := Options{Limits: Limits{Entries: 1000}}
	for _, test := range []struct {
		name string
		data []byte
		opts Options
		want error
	}{
		{"entries in tar", packTar(append(many(1000, plain, nil), entry{"a.db", db})...), few, ErrEntries},
		{"entries in tar.gz", packGzip(packTar(append(many(1000, plain, nil), entry{"a.db", db})...)), few, ErrEntries},
		{"entries in zip", packZip(append(many(1000, plain, nil), entry{"a.db", db})...), few, ErrEntries},
		{"segments", packZstd(packTar(append(many(1000, segmentName, nil), entry{"snap/db", db})...)), few, ErrEntries},
		{"too many segments", packZstd(bytes.Repeat(header(tar.TypeReg, segmentName(1), 0), DefaultEntries+1)), Options{}, ErrEntries},
		{"too many directories", packZstd(bytes.Repeat(header(tar.TypeDir, "d", 0), DefaultEntries+1)), Options{}, ErrEntries},
		{"databases", packZstd(packTar(many(2000, func(i int) string { return fmt.Sprint(i, ".db") }, db[:4096])...)), Options{}, ErrSeveral},
		{"members", packZstd(packTar(many(20_000, func(i int) string { return fmt.Sprint(i, "/snap/db") }, nil)...)), Options{}, ErrSeveral},
		{"databases in zip", packZip(many(20_000, func(i int) string { return fmt.Sprint(i, "/snap/db") }, nil)...), Options{}, ErrSeveral},
		{"headers before an entry", packZstd(bytes.Repeat(header(tar.TypeXHeader, "x", 0), 40_000)), Options{}, ErrEntries},
		{"long names before an entry", packZstd(bytes.Repeat(append(header(tar.TypeGNULongName, "x", 512), bytes.Repeat([]byte("n"), 512)...), 20_000)), Options{}, ErrEntries},
		{"records before an entry", packZstd(bytes.Repeat(pax, 20)), Options{}, ErrEntries},
		{"directory of a million", directory(1_000_000, 1_000_000&0xFFFF), Options{}, ErrEntries},
		{"directory that says less", directory(3<<16, 0), Options{}, ErrEntries},
		{"directory that says more", directory64(400_000, 13_000_000), Options{}, ErrEntries},
		{"holes", append(holes("snap/db", 1<<40), make([]byte, 1024)...), Options{}, ErrTooLarge},
		{"holes of PAX", append(holesPAX("snap/db", 1<<40), make([]byte, 1024)...), Options{}, ErrTooLarge},
		{"holes passed over", bytes.Join([][]byte{holes("x", 1<<40), packTar(entry{"a.db", db})}, nil), Options{}, ErrTooLarge},
		{"holes many times", packZstd(append(bytes.Repeat(holes("x", 1<<30), 1000), packTar(entry{"a.db", db})...)), Options{}, ErrTooLarge},
		{"bytes passed over", packZstd(packTar(entry{"x", make([]byte, 1<<20)}, entry{"a.db", db})), Options{Limits: Limits{Bytes: 1 << 20}}, ErrTooLarge},
		{"zeros after the end", packZstd(append(packTar(entry{"a.db", db}), make([]byte, 2<<20)...)), Options{Limits: Limits{Bytes: 2 << 20}}, ErrTooLarge},
		{"overlapping", overlapping(t, append(namesOf(many(1000, segmentName, nil)), "snap/db"), make([]byte, 10<<20)), Options{}, ErrTooLarge},
		{"long name", packTar(entry{strings.Repeat("n/", 1<<17) + "n", db[:4096]}, entry{"b.db", db[:4096]}), Options{}, ErrSeveral},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := open(t, test.data, nothingUnpacked(t, test.opts))
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, test.want) || len(err.Error()) > 2000 {
				t.Errorf("error %.2000v", err)
			}
			if took > 20*time.Second {
				t.Errorf("%d bytes took %v", len(test.data), took)
			}
			if live := after.HeapSys - min(before.HeapSys, after.HeapSys); live > 256<<20 {
				t.Errorf("%d bytes took %d MiB", len(test.data), live>>20)
			}
		})
	}
}

func namesOf(entries []entry) (names []string) {
	for _, e := range entries {
		names = append(names, e.name)
	}
	return names
}

// TestOnlyChosen unpacks the database and its own log, and nothing else.
func TestOnlyChosen(t *testing.T) {
	db := database(t)
	entries := append(many(3, segmentName, []byte("own")), entry{"snap/db", db}, entry{"wal/0.tmp", nil}, entry{"README", []byte("text")})
	entries = append(entries, many(3, func(i int) string { return "other/" + segmentName(i) }, []byte("other"))...)
	for name, data := range map[string][]byte{"tar": packTar(entries...), "tar.zst": packZstd(packTar(entries...)), "zip": packZip(entries...)} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			e, err := open(t, data, Options{MkdirTemp: func() (string, error) { return os.MkdirTemp(temp, "") }})
			if err != nil {
				t.Fatal(err)
			}
			var files []string
			filepath.WalkDir(temp, func(path string, d os.DirEntry, err error) error {
				if !d.IsDir() {
					files = append(files, path)
				}
				return err
			})
			if segments, _ := filepath.Glob(filepath.Join(e.WALDir, "*.wal")); len(segments) != 3 || len(files) != 4 {
				t.Errorf("unpacked %q", files)
			}
			if got, err := os.ReadFile(filepath.Join(e.WALDir, filepath.Base(segmentName(2)))); string(got) != "own" {
				t.Errorf("segment %q, %v", got, err)
			}
		})
	}
}

// TestCutOffAfter reads a whole database of an archive whose rest is lost, and says
// that it is.
func TestCutOffAfter(t *testing.T) {
	db := database(t)
	whole := packTar(entry{"a.db", db}, entry{"b", bytes.Repeat([]byte("b"), 1<<20)})
	e, err := open(t, packGzip(whole[:len(whole)-(1<<19)]), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(e.DB); err != nil || !bytes.Equal(got, db) || len(e.Faults) != 1 || !strings.Contains(e.Faults[0], `entry "b"`) {
		t.Errorf("faults %q, %v", e.Faults, err)
	}
}

// endless repeats text after a beginning.
type endless struct {
	begin  io.Reader
	text   []byte
	at     int
	random io.Reader // in place of text
}

func (e *endless) Read(p []byte) (n int, err error) {
	if e.begin != nil {
		n, err = e.begin.Read(p)
		if err != nil {
			e.begin, err = nil, nil
		}
		return n, nil
	}
	if e.random != nil {
		return e.random.Read(p)
	}
	for n < len(p) {
		c := copy(p[n:], e.text[e.at:])
		n, e.at = n+c, (e.at+c)%len(e.text)
	}
	return n, nil
}

// compressing is r, compressed as it is read.
func compressing(r io.Reader) io.Reader {
	from, to := io.Pipe()
	go func() {
		z, _ := gzip.NewWriterLevel(to, gzip.BestSpeed)
		_, err := io.Copy(z, r)
		to.CloseWithError(err)
	}()
	return from
}

// TestEndless bounds standard input that never ends.
func TestEndless(t *testing.T) {
	db := database(t)
	noMeta := append(make([]byte, 8192), db[8192:]...)
	after := func(data []byte, text string) io.Reader {
		return &endless{begin: bytes.NewReader(data), text: bytes.Repeat([]byte(text), 4096)}
	}
	random := func(data []byte) io.Reader {
		return &endless{begin: bytes.NewReader(data), random: rand.NewChaCha8([32]byte{})}
	}
	streamed := packZip(entry{"a.db", db})
	for _, test := range []struct {
		name string
		in   io.Reader
		want error
		most int64 // MiB that are kept
	}{
		{"yes", after(nil, "y\n"), ErrNone, 0},
		{"zeros", after(nil, "\x00"), ErrNone, 0},
		{"random", random(nil), ErrNone, 0},
		{"yes, compressed", compressing(after(nil, "y\n")), ErrNone, 1},
		{"random, compressed", compressing(random(nil)), ErrNone, 1},
		{"database, yes", after(db, "y\n"), ErrEndless, 80},
		{"database, zeros", after(db, "\x00"), ErrEndless, 80},
		{"database without meta pages, yes", after(noMeta, "y\n"), ErrEndless, 280},
		{"database, yes, compressed", compressing(after(db, "y\n")), ErrEndless, 160},
		{"gzip, yes", after(packGzip(db), "y\n"), ErrEndless, 80},
		{"gzip header, random", random([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")), nil, 80},
		{"zstd, yes", after(packZstd(db), "y\n"), ErrEndless, 80},
		{"tar, yes", after(packTar(entry{"a.db", db}), "y\n"), ErrEndless, 80},
		{"tar, zeros", after(packTar(entry{"a.db", db}), "\x00"), ErrEndless, 80},
		{"tar.gz, yes", after(packGzip(packTar(entry{"a.db", db})), "y\n"), ErrEndless, 80},
		{"tar, zeros, compressed", compressing(after(packTar(entry{"a.db", db}), "\x00")), nil, 80},
		{"zip, yes", after(streamed, "y\n"), ErrEndless, 80},
		{"zip without directory, yes", after(streamed[:bytes.Index(streamed, []byte("PK\x01\x02"))], "y\n"), ErrEndless, 80},
		{"zip header, yes", after([]byte("PK\x03\x04"), "y\n"), ErrEndless, 80},
	} {
		t.Run(test.name, func(t *testing.T) {
			temp := t.TempDir()
			kept := int64(0)
			opts := Options{Stdin: test.in, MkdirTemp: func() (string, error) { return temp, nil }}
			opts.Progress = func(int64, int64) {
				filepath.WalkDir(temp, func(path string, d os.DirEntry, err error) error {
					if info, err := d.Info(); err == nil && !d.IsDir() {
						kept = max(kept, info.Size())
					}
					return nil
				})
			}
			_, err := Open(t.Context(), "-", opts)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %v", err)
			}
			if kept > test.most<<20 {
				t.Errorf("%d MiB were kept", kept>>20)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
			if p, ok := test.in.(*io.PipeReader); ok {
				p.Close()
			}
		})
	}
}

// slow returns a byte or a few at a time.
type slow struct {
	r io.Reader
	n int
}

func (s *slow) Read(p []byte) (int, error) {
	s.n = s.n%4093 + 1
	return s.r.Read(p[:min(len(p), s.n)])
}

// TestStdinFormats reads from standard input what is read from a file.
func TestStdinFormats(t *testing.T) {
	db := database(t)
	first, both := bytes.Clone(db), bytes.Clone(db)
	clear(first[:4096])
	clear(both[:8192])
	member := []entry{{"wal/0000000000000000-0000000000000000.wal", []byte("the log")}, {"snap/db", db}}
	stored := func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, _ := w.CreateRaw(&zip.FileHeader{Name: "a.db", Method: zip.Store, CompressedSize64: uint64(len(db)), UncompressedSize64: uint64(len(db)), CRC32: crc32.ChecksumIEEE(db)})
		f.Write(db)
		w.Close()
		return b.Bytes()
	}()
	for _, test := range []struct {
		name   string
		data   []byte
		want   []byte
		format Format
	}{
		{"plain", db, db, Plain},
		{"first page lost", first, first, Plain},
		{"both meta pages lost", both, both, Plain},
		{"grown", append(bytes.Clone(db), make([]byte, 16<<20)...), append(bytes.Clone(db), make([]byte, 16<<20)...), Plain},
		{"gzip", packGzip(db), db, Gzip},
		{"zstd", packZstd(db), db, Zstd},
		{"tar", packTar(member...), db, Tar},
		{"tar.gz", packGzip(packTar(member...)), db, TarGzip},
		{"tar.zst", packZstd(packTar(member...)), db, TarZstd},
		{"zip", packZip(member...), db, Zip},
		{"stored zip", stored, db, Zip},
		{"gzip and a few bytes", append(packGzip(db), "trailing"...), db, Gzip},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			e, err := Open(t.Context(), "-", Options{Stdin: &slow{r: bytes.NewReader(test.data)}})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			sum := sha256.Sum256(test.data)
			got, err := io.ReadAll(e.DB)
			if err != nil || !bytes.Equal(got, test.want) || e.Format != test.format {
				t.Errorf("format %s, %d bytes, %v", e.Format, len(got), err)
			}
			if f := e.Files[0]; len(e.Files) != 1 || f.Path != "-" || f.SizeBytes != int64(len(test.data)) || f.SHA256 != hex.EncodeToString(sum[:]) || !e.Expanded() {
				t.Errorf("evidence %+v of %d bytes", f, len(test.data))
			}
		})
	}
}

// TestStdinWaits ends with its context wherever standard input stops to come.
func TestStdinWaits(t *testing.T) {
	db := database(t)
	for name, begin := range map[string][]byte{
		"start": nil, "head": db[:100], "database": db[:len(db)/2], "gzip": packGzip(db)[:20_000], "tar": packTar(entry{"a.db", db})[:300_000], "zip": packZip(entry{"a.db", db})[:20_000],
	} {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			in, to, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			defer to.Close()
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				to.Write(begin)
				cancel()
			}()
			if _, err := Open(ctx, "-", Options{Stdin: in}); !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("%s was left behind", left[0].Name())
			}
		})
	}
}

// FuzzAllocation opens anything, as a file and from standard input. Whatever it
// is, what is allocated for it is in proportion to its size and to what may come
// out of it.
func FuzzAllocation(f *testing.F) {
	db := database(f)[:8192]
	segment := entry{segmentName(0), []byte("x")}
	for _, seed := range [][]byte{
		db, packGzip(db), packZstd(db), packZip(entry{"a.db", db}), packTar(entry{"member/snap/db", db}),
		packGzip(packTar(segment, entry{"snap/db", db})), packZip(segment, entry{"snap/db", db}),
		append(holes("snap/db", 1<<40), make([]byte, 1024)...), append(holesPAX("snap/db", 1<<30), make([]byte, 1024)...),
		directory(100, 100), directory64(1000, 30), packZstd(bytes.Repeat(header(tar.TypeXHeader, "x", 0), 100)),
		packZip(many(60, func(i int) string { return fmt.Sprint(i) }, []byte("x"))...),
		append([]byte("\x28\xb5\x2f\xfd\x00\x88"), packZstd(db)[6:]...), // a window of 128 MiB
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
		limits := Limits{Bytes: 1 << 20, Entries: 100}
		const each = 32
		fixed := 8 << 20
		if format, _ := sniff(data); format == Zstd {
			fixed += 1 << 30 // a window has up to 128 MiB, and each frame can have a larger one than that before it
		}
		for _, from := range []string{path, "-"} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			e, err := Open(t.Context(), from, Options{Limits: limits, Stdin: bytes.NewReader(data)})
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > uint64(each*(len(data)+int(limits.Bytes))+fixed) {
				t.Errorf("%d bytes were allocated for %d", took, len(data))
			}
			if err == nil {
				if info, err := e.DB.Stat(); err != nil || e.Expanded() && info.Size() > limits.Bytes {
					t.Errorf("expanded to %d bytes, %v", info.Size(), err)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Fatalf("%s was left behind", left[0].Name())
			}
		}
	})
}

// TestFits: how much may come out of how much. The ratio counts only where there is much.
func TestFits(t *testing.T) {
	const much = ratioFrom
	limits := Limits{Bytes: 8 * much, Ratio: 200}
	tests := []struct {
		name        string
		n, consumed int64
		fits        bool
	}{
		{"nothing", 0, 0, true},
		{"as much as any may be", much, 0, true},
		{"more, out of nothing", much + 1, 0, false},
		{"more, out of as little as may be", 200*(much/100+1) - 1, much / 100, true},
		{"out of less", 200 * (much/100 + 1), much / 100, false},
		{"all that is allowed", 8 * much, much, true},
		{"more than that", 8*much + 1, much, false},
	}
	for _, tt := range tests {
		x := &expander{opts: Options{Limits: limits}, consumed: tt.consumed}
		if err := x.fits(tt.n); (err == nil) != tt.fits || err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d out of %d: %v", tt.name, tt.n, tt.consumed, err)
		}
	}
}

// TestEntries64 holds a zip's number of entries against the limit as soon as it is read,
// for as many is memory reserved.
func TestEntries64(t *testing.T) {
	end := append([]byte(directoryEnd64), make([]byte, 52)...)
	for _, tt := range []struct {
		entries uint64
		read    int
		want    error
	}{
		{8, 39, nil}, {8, 40, ErrEntries}, {8, 56, ErrEntries}, {7, 56, nil},
	} {
		binary.LittleEndian.PutUint64(end[32:], tt.entries)
		d := directoryReader{x: &expander{opts: Options{Limits: Limits{Entries: 7}}}}
		if err := d.check(end[:tt.read], 0); !errors.Is(err, tt.want) {
			t.Errorf("%d entries, %d bytes read: %v", tt.entries, tt.read, err)
		}
	}
}

// TestSize64: the compressed size of a large entry of a zip, or one that nothing has.
func TestSize64(t *testing.T) {
	field := func(id byte, size int, content ...byte) string {
		return string(append([]byte{id, 0, byte(size), 0}, content...))
	}
	sizes := []byte{1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0}
	const none = 1 << 63
	for _, tt := range []struct {
		name, extra string
		want        uint64
	}{
		{"nothing", "", none},
		{"less than a header", "\x01\x00\x10", none},
		{"sizes", field(1, 16, sizes...), 7},
		{"after another field", field(2, 3, 1, 2, 3) + field(1, 16, sizes...), 7},
		{"after an empty one", field(2, 0) + field(1, 16, sizes...), 7},
		{"another field of two sizes", field(2, 16, sizes...), none},
		{"one size alone", field(1, 8, sizes[:8]...), none},
		{"cut off", field(1, 16, sizes[:15]...), none},
		{"another field, cut off", field(2, 20, sizes...), none},
	} {
		if got := size64([]byte(tt.extra)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
