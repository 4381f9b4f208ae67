package container

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/internal/golden"

	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zlib"
)

// teller opens evidence below a directory and says all that is found, in a line.
type teller struct {
	t     *testing.T
	root  string
	temp  string
	known map[string]string // what files hold, and how it is called
	stdin []byte
}

func newTeller(t *testing.T, known map[string]string) *teller {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	return &teller{t: t, temp: temp, known: known}
}

// answer opens a path, "-" for standard input.
func (tl *teller) answer(path string, opts Options) string {
	tl.t.Helper()
	before := path
	if path == "-" {
		opts.Stdin = bytes.NewReader(tl.stdin)
	} else {
		before = tl.root + "/" + path
	}
	e, err := Open(tl.t.Context(), before, opts)
	var text string
	if err != nil {
		text = "ERROR " + err.Error()
	} else {
		text = tl.say(e)
		if path == "-" {
			e.Forget()
			if left, _ := os.ReadDir(tl.temp); len(left) > 0 {
				tl.t.Errorf("%s is still there", left[0].Name())
			}
			if _, err := e.DB.ReadAt(make([]byte, 1), 0); err != nil && err != io.EOF {
				tl.t.Error(err)
			}
		}
		if err := e.Close(); err != nil {
			tl.t.Errorf("%s: %v", path, err)
		}
	}
	if left, _ := os.ReadDir(tl.temp); len(left) > 0 {
		tl.t.Errorf("%s: %s was left behind", path, left[0].Name())
		os.RemoveAll(filepath.Join(tl.temp, left[0].Name()))
	}
	text = private.ReplaceAllString(strings.ReplaceAll(text, tl.temp+"/", ""), "TEMP/")
	text = packedSize.ReplaceAllString(strings.ReplaceAll(text, tl.root+"/", ""), "$1 (N bytes")
	return strings.ReplaceAll(longName.ReplaceAllString(text, "n/…n/"), strconv.Quote(filepath.Base(tl.root)), "DIR")
}

func (tl *teller) say(e *Evidence) string {
	path := strings.TrimPrefix(e.Path, tl.root+"/")
	parts := []string{string(e.Format)}
	add := func(label, text string) {
		if text != "" {
			parts = append(parts, label+" "+text)
		}
	}
	add("path", path)
	add("entry", e.Entry)
	db, err := io.ReadAll(e.DB)
	if disk, err := os.ReadFile(e.DBPath); err != nil || !bytes.Equal(disk, db) {
		tl.t.Errorf("%s: DBPath %s has %d bytes, %v", e.Path, e.DBPath, len(disk), err)
	}
	add("db", tl.name(db, err))
	if e.Expanded() != strings.HasPrefix(e.DBPath, tl.temp) {
		tl.t.Errorf("%s: the db at %s is said to be expanded: %t", e.Path, e.DBPath, e.Expanded())
	}
	if e.WALDir != "" {
		segments, err := os.ReadDir(e.WALDir)
		var list []string
		for _, s := range segments {
			data, err := os.ReadFile(filepath.Join(e.WALDir, s.Name()))
			list = append(list, s.Name()+"="+tl.name(data, err))
		}
		if err != nil {
			list = append(list, "none")
		}
		at := strings.TrimPrefix(strings.TrimPrefix(e.WALDir, tl.root+"/"), e.temp+"/")
		add("log", at+"("+strings.Join(list, " ")+")")
	}
	add("beside", strings.TrimPrefix(e.Beside, tl.root+"/"))
	for _, f := range e.Files {
		what := strings.TrimPrefix(f.Path, tl.root+"/")
		if what == path || strings.HasPrefix(path, what+"//") {
			what = "it"
		}
		data, err := os.ReadFile(f.Path)
		if f.Path == "-" {
			data, err = tl.stdin, nil
		}
		sum := sha256.Sum256(data)
		switch {
		case f.SHA256 == "":
			what += " unhashed"
		case err == nil && f.SHA256 == hex.EncodeToString(sum[:]):
			what += " hashed"
		case err == nil:
			what += " WITH ANOTHER HASH"
		}
		if f.SizeBytes != int64(len(data)) || f.Path != "-" && (f.Info == nil || !f.Info.ModTime().Equal(f.Modified.Time)) {
			what += fmt.Sprintf(" of %d bytes %v", f.SizeBytes, f.Info)
		}
		add("file", what)
	}
	for _, d := range e.Deltas {
		data, err := os.ReadFile(d.Path)
		text := fmt.Sprintf("%s(%d-%d)=%s", d.Name, d.First, d.Last, tl.name(data, err))
		if d.Fault != "" {
			text += " fault " + d.Fault
		}
		add("delta", text)
	}
	add("fault", strings.Join(e.Faults, " | "))
	add("unread", strings.Join(e.Unread, " "))
	if e.Newer != 0 {
		add("newer", fmt.Sprint(e.Newer))
	}
	return strings.Join(parts, "; ")
}

// name says which of what is known some bytes are, or the beginning of.
func (tl *teller) name(data []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	if known, ok := tl.known[string(data)]; ok {
		return known
	}
	for _, text := range slices.Sorted(maps.Keys(tl.known)) {
		if len(data) > 0 && strings.HasPrefix(text, string(data)) {
			return fmt.Sprintf("%d bytes of %s", len(data), tl.known[text])
		}
	}
	return fmt.Sprintf("%d other bytes", len(data))
}

// private is the directory for what is expanded.
var private = regexp.MustCompile(`revenant-[0-9]+/`)

var longName = regexp.MustCompile(`(n/){20,}`)

// packedSize is what is said of the size of a compressed file, which depends on what compressed it.
var packedSize = regexp.MustCompile(`(\.(?:gz|zst|zip|zlib)") \([0-9]+ bytes`)

func packZlib(data []byte, level int) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, level)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func packTarOf(headers ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		w.WriteHeader(&h)
	}
	w.Close()
	return b.Bytes()
}

// packLink is a zip archive of a directory, a link, and a database, each by a name of one.
func packLink(db []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.Create("a/snap/")
	link := zip.FileHeader{Name: "snap/db"}
	link.SetMode(os.ModeSymlink | 0o777)
	f, _ := w.CreateHeader(&link)
	f.Write([]byte("/etc/passwd"))
	f, _ = w.CreateHeader(&zip.FileHeader{Name: "a.db", Modified: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)})
	f.Write(db)
	w.Close()
	return b.Bytes()
}

// broken has another first byte in what it holds under a name.
func broken(data []byte, name string) []byte {
	data = bytes.Clone(data)
	data[bytes.Index(data, []byte(name))+len(name)] ^= 0xFF
	return data
}

func filesOf(n int, data []byte) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		files[fmt.Sprint("x", i)] = data
	}
	return files
}

// asked is evidence, and how it is opened.
type asked struct {
	name  string
	files map[string][]byte
	path  string // below the directory of files
	stdin []byte // for the path "-"
	opts  Options
}

// TestAnswers holds all that is said of evidence of every kind, as a file, in a directory
// and, where that is another answer, from standard input: testdata/answers.txt.
func TestAnswers(t *testing.T) {
	whole := database(t)
	db, older := whole[:4*4096], whole[:3*4096]
	lost := withoutMetas(db)
	text := []byte("text, as it is written")
	one, two := []byte("log 1"), []byte("log 2")
	first, second, third := []byte("changes 1"), []byte("changes 2"), []byte("changes 3")
	const seg0, seg1 = "wal/0000000000000000-0000000000000000.wal", "wal/0000000000000001-00000000000000ff.wal"
	tl := newTeller(t, map[string]string{
		string(db): "db", string(older): "the older db", string(lost): "the db without meta pages", string(text): "text", string(one): "log 1", string(two): "log 2",
		string(first): "changes 1", string(second): "changes 2", string(third): "changes 3", "": "nothing",
	})
	var all []asked
	file := func(name string, data []byte, opts ...Options) {
		all = append(all, asked{name: name, files: map[string][]byte{"evidence": data}, path: "evidence", opts: append(opts, Options{})[0]})
	}
	// either is opened as a file, and from standard input.
	either := func(name string, data []byte, opts ...Options) {
		file(name, data, opts...)
		all = append(all, asked{path: "-", stdin: data, opts: append(opts, Options{})[0]})
	}
	below := func(name, path string, files map[string][]byte, opts ...Options) {
		all = append(all, asked{name: name, files: files, path: path, opts: append(opts, Options{})[0]})
	}

	either("a database", db)
	either("a database, and a log elsewhere", db, Options{WALDir: "/elsewhere"})
	either("a database without meta pages", lost)
	either("text", text)
	either("nothing", nil)
	either("zeros", make([]byte, 5000))
	either("noise", bytes.Repeat([]byte("\x81\x02"), 3000))
	either("gzip", packGzip(db))
	either("gzip, unhashed, with a log elsewhere", packGzip(db), Options{SkipHash: true, WALDir: "/elsewhere"})
	either("gzip of a database without meta pages", packGzip(lost))
	either("gzip of text", packGzip(text))
	either("gzip of nothing", packGzip(nil))
	either("gzip of zeros", packGzip(make([]byte, 5000)))
	either("gzip of noise", packGzip(bytes.Repeat([]byte("\x81\x02"), 3000)))
	either("gzip of gzip", packGzip(packGzip(db)))
	either("gzip, and more after it", append(packGzip(db), text...))
	either("zstd", packZstd(db))
	either("zlib", packZlib(db, zlib.DefaultCompression))
	either("zlib, the best", packZlib(db, zlib.BestCompression))
	either("zlib, the fastest", packZlib(db, zlib.BestSpeed))
	either("zlib of a tar archive", packZlib(packTar(entry{"a.db", db}), zlib.BestSpeed))
	either("tar", packTar(entry{"README", text}, entry{"a.db", db}))
	either("tar.gz", packGzip(packTar(entry{"README", text}, entry{"a.db", db})))
	either("tar.zst", packZstd(packTar(entry{"README", text}, entry{"a.db", db})))
	either("tar of a member with its log", packTar(entry{seg0, one}, entry{"snap/db", db}, entry{seg1, two}, entry{"wal/0.tmp", text}, entry{"else/" + seg0, two}))
	either("zip of a member with its log", packZip(entry{seg0, one}, entry{"snap/db", db}, entry{seg1, two}, entry{"wal/0.tmp", text}, entry{"else/" + seg0, two}))
	either("tar of a member, and a log elsewhere", packTar(entry{seg0, one}, entry{"snap/db", db}), Options{WALDir: "/elsewhere"})
	either("tar of a log alone", packTar(entry{seg0, one}))
	either("tar of a segment twice", packTar(entry{seg0, one}, entry{"snap/db", db}, entry{seg0, two}))
	either("zip of a segment twice", packZip(entry{seg0, one}, entry{"snap/db", db}, entry{seg0, two}))
	either("tar of a database without meta pages", packTar(entry{"zeros", make([]byte, 3000)}, entry{"lost.db", lost}, entry{"program", []byte("\x7fELF")}))
	either("tar of two without meta pages", packTar(entry{"a.db", lost}, entry{"b.db", lost}))
	either("tar of a database, one without meta pages, and an archive", packTar(entry{"lost.db", lost}, entry{"a.db", db}, entry{"b.gz", packGzip(db)}))
	either("tar of archives and others", packTar(entry{"a.gz", packGzip(db)}, entry{"b.zip", packZip(entry{"b.db", db})}, entry{"README", text}))
	either("tar of two", packTar(entry{"a.db", db}, entry{"b.db", older}))
	either("zip of two", packZip(entry{"a.db", db}, entry{"b.db", older}))
	either("tar of ten", packTar(many(10, func(i int) string { return fmt.Sprint(i) }, older)...))
	either("tar of eleven", packTar(many(11, func(i int) string { return fmt.Sprint(i) }, older)...))
	either("tar of twelve", packTar(many(12, func(i int) string { return fmt.Sprint(i) }, older)...))
	either("tar of an empty file and a database", packTar(entry{"empty", nil}, entry{"a.db", db}))
	either("tar of what is named nearly as a delta", packTar(entry{"Incr-00000020-00000013-1764417700", text}, entry{"a.db", db}))
	either("a database that has what a tar archive has", slices.Concat(db[:257], []byte("ustar"), db[262:]))
	either("tar of none", packTar(entry{"a", text}, entry{"b", text}))
	either("tar of nothing", packTar())
	either("zip of nothing", packZip())
	either("tar, and more after it", append(packTar(entry{"a.db", db}), text...))
	file("tar of a large file and a database", packTar(entry{"zeros", make([]byte, 17<<20)}, entry{"a.db", db}))
	either("tar, and much more after it", append(packTar(entry{"a.db", db}), bytes.Repeat(text, 10_000)...))
	either("tar, and one byte after zeros", append(packTar(entry{"a.db", db}), append(make([]byte, 70_000), 1)...))
	either("tar.gz with a wrong checksum", append(packGzip(packTar(entry{"a.db", db}))[:len(packGzip(packTar(entry{"a.db", db})))-8], "12345678"...))
	either("tar, and a broken header after the database", broken(packTar(entry{"a.db", db}, entry{"other", text}), "other"))
	either("tar, and a broken header after another file", broken(packTar(entry{"README", text}, entry{"a.db", db}), "a.db"))
	either("tar of a database that is cut off", packTar(entry{"README", text}, entry{"a.db", db})[:8000])
	either("tar of the shortest beginning that tells", packTar(entry{"a.db", db[:20]}))
	either("tar of a shorter one", packTar(entry{"a.db", db[:19]}))
	either("the shortest tar that tells", packTar(entry{"a", nil})[:263])
	either("a shorter one", packTar(entry{"a", nil})[:262])
	either("tar of an archive of a long name", packTar(entry{strings.Repeat("n", 200), packGzip(db)}))
	either("tar of an archive of a longer name", packTar(entry{strings.Repeat("m", 201), packGzip(db)}))
	either("tar, and zeros after it", append(packTar(entry{"a.db", db}), make([]byte, 9000)...))
	either("tar of what Gardener's store has", packTar(entry{"v2/Full-00000000-00000012-1764417600", db}, entry{"v2/Incr-00000013-00000020-1764417700", first}, entry{"v2/Incr-00000021-00000024-1764417800", second}))
	either("tar of what is no file", packTarOf(
		tar.Header{Name: "dir.db", Typeflag: tar.TypeDir}, tar.Header{Name: "snap/db", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, tar.Header{Name: "hard.db", Typeflag: tar.TypeLink, Linkname: "a.db"}))
	either("zip with a directory and a link", packLink(db))
	either("tar of names with dots", packTar(entry{"./../a//b/./../c.db", db}))
	either("tar of the longest name that is looked at", packTar(entry{strings.Repeat("n/", 2043) + "nn/snap/db", []byte("x")}))
	either("tar of a longer name", packTar(entry{strings.Repeat("n/", 2043) + "nnn/snap/db", []byte("x")}))
	either("zip, and a broken entry", broken(packZip(entry{"README", text}, entry{"a.db", db}), "README"))
	either("zip, and the database is broken", broken(packZip(entry{"README", text}, entry{"a.db", db}), "a.db"))

	// Limits: as much as is allowed, and one less.
	plainZip, plainTar := packZip(entry{"a.db", db}, entry{"b", text}), packTar(entry{"a.db", db}, entry{"b", text})
	either("gzip, just within", packGzip(db), Options{Limits: Limits{Bytes: int64(len(db))}})
	either("gzip, too large", packGzip(db), Options{Limits: Limits{Bytes: int64(len(db)) - 1}})
	file("tar, just within", plainTar, Options{Limits: Limits{Bytes: int64(len(plainTar)), Entries: 2}})
	file("tar, too large", plainTar, Options{Limits: Limits{Bytes: int64(len(plainTar)) - 1}})
	either("tar, too many entries", plainTar, Options{Limits: Limits{Entries: 1}})
	file("zip, just within", plainZip, Options{Limits: Limits{Bytes: int64(2*len(db) + len(text)), Entries: 2}})
	file("zip, too large", plainZip, Options{Limits: Limits{Bytes: int64(len(db)) - 1}})
	either("zip, too many entries", plainZip, Options{Limits: Limits{Entries: 1}})
	either("limits below zero, as none", packGzip(db), Options{Limits: Limits{Bytes: -1, Ratio: -1, Entries: -1}})

	// By name.
	for _, name := range []string{"a.db", "m", "m/snap", "m/snap/db", "./m/../a.db", "a", "README"} {
		below("named", "x.zip//"+name, map[string][]byte{"x.zip": packZip(entry{"a.db", db}, entry{"m/snap/db", older}, entry{"m/" + seg0, one}, entry{"README", text})})
	}
	below("named below two slashes", "d//x.tar//a.db", map[string][]byte{"d/x.tar": packTar(entry{"a.db", db}, entry{"b.db", older})})
	below("named in a database", "x//a.db", map[string][]byte{"x": db})
	below("named in gzip", "x//a.db", map[string][]byte{"x": packGzip(db)})
	below("named in a directory", "d//a.db", map[string][]byte{"d/a.db": db})
	below("named in nothing", "y//a.db", map[string][]byte{"x": db})
	below("named where there is none", "x//a", map[string][]byte{"x": packTar(entry{"a", text})})

	// Directories.
	member := map[string][]byte{"member/snap/db": db, "member/" + seg0: one, "other.db": older, "README": text}
	for _, path := range []string{"", "member", "member/snap", "member/snap/db", "member/wal"} {
		below("a data directory", path, member)
		below("a data directory, and a log elsewhere", path, member, Options{WALDir: "/elsewhere"})
	}
	below("a db beside a file of the log's name", "member/snap/db", map[string][]byte{"member/snap/db": db, "member/wal": text})
	below("a member without a log", "", map[string][]byte{"snap/db": db})
	below("a db that is a directory", "", map[string][]byte{"db/x.db": db})
	below("a db in another place than a member's", "else/db", map[string][]byte{"else/db": db, "wal/x": nil})
	below("one snapshot", "", map[string][]byte{"a.db": db, "README": text, ".hidden.db": older, "below/b.db": older})
	below("one below", "", map[string][]byte{"d/a.db": db, "d/deeper/b.db": older, "e/README": text})
	below("one data directory below", "", map[string][]byte{"d/member/snap/db": db, "d/member/" + seg0: one, "e/README": text})
	below("one member below", "", map[string][]byte{"d/snap/db": db})
	below("two of them, and a file", "", map[string][]byte{"d/member/snap/db": db, "e/snap/db": db, "e/a.db": older})
	below("what packs one", "", map[string][]byte{"a.gz": packGzip(db), "b.gz": packGzip(text), "c.gz": packGzip(packTar(entry{"x", text})), "d.gz": packGzip(packGzip(db)), "e.zip": packZip(entry{"x", text}),
		"f.zst": packZstd(lost), "g.tar": packTar(entry{"x", text}), "h.zlib": packZlib(db, zlib.BestSpeed), "i.gz": packGzip(db)[:8], "k.gz": packGzip(slices.Concat([]byte("PK\x03\x04"), make([]byte, 4092), page(4096, 1, 2))), "j.db": lost, "static_kuberesources_1.tar.gz": packGzip(packTar(entry{"a", text}))})
	below("eleven", "", filesOf(11, older))
	below("ten", "", filesOf(10, older))
	below("encrypted files", "", map[string][]byte{"a.age": []byte("age-encryption.org/v1\n"), "b.gpg": []byte("-----BEGIN PGP MESSAGE-----\n"), "README": text})
	below("an encrypted file below", "", map[string][]byte{"d/b.vault": []byte("$ANSIBLE_VAULT;1.1;AES256\n")})
	below("an archive that has none", "", map[string][]byte{"x.tar": packTar(entry{"x", text})})
	below("files that are none", "", map[string][]byte{"README": text, "empty": nil})
	below("as many entries as the limit", "", map[string][]byte{"a.db": db, "b": text}, Options{Limits: Limits{Entries: 2}})
	below("more entries than the limit", "", map[string][]byte{"a.db": db, "b": text}, Options{Limits: Limits{Entries: 1}})
	below("more entries below than the limit", "", map[string][]byte{"d/a.db": db, "d/b": text}, Options{Limits: Limits{Entries: 2}})
	below("as many entries below as the limit", "", map[string][]byte{"d/a.db": db, "d/b": text}, Options{Limits: Limits{Entries: 3}})

	// Gardener's stores.
	const full, later = "Full-00000000-00000012-1764417600", "Full-00000000-00000030-1764417900"
	const incr4 = "Incr-00000041-00000041-1764418100"
	const incr1, incr2, incr3 = "Incr-00000013-00000020-1764417700", "Incr-00000021-00000030-1764417800", "Incr-00000031-00000040-1764418000"
	store := map[string][]byte{"v2/" + full + ".gz": packGzip(older), "v2/" + incr1 + ".gz": packGzip(first), "v2/" + incr2: second, "v2/" + later + ".Z": packLZW(db), "v2/" + incr3 + ".zlib": packZlib(third, zlib.BestSpeed), "v2/README": text}
	for _, path := range []string{"", "v2", "v2/" + full + ".gz", "v2/" + incr1 + ".gz", "v2/" + incr2, "v2/" + later + ".Z", "v2/" + incr3 + ".zlib"} {
		below("a store", path, store)
	}
	below("a store, unhashed", "", store, Options{SkipHash: true})
	below("a store of the first version", "", map[string][]byte{"v1/Backup-1764417600/" + full: older, "v1/Backup-1764417600/" + incr1: first, "v1/Backup-1764417900/" + later + ".final": db, "v1/Backup-x/" + incr3: third, "v3/" + incr3: third})
	below("a store below its version", "v1", map[string][]byte{"v1/Backup-1764417600/" + full: older, "v1/Backup-1764417600/" + incr1: first, "v1/v2/" + incr3: third})
	below("deltas alone", "", map[string][]byte{incr1: first, incr2: second})
	below("a delta alone", incr1, map[string][]byte{incr1: first})
	below("a delta before its snapshot", incr1, map[string][]byte{incr1: first, later: db})
	below("a delta of one revision", "", map[string][]byte{later: db, incr3: third, incr4: first})
	below("full snapshots alone", "", map[string][]byte{full: older, later: db})
	below("two of one revision", "", map[string][]byte{"Full-00000000-00000030-1764417901": db, later: older})
	below("broken deltas", "", map[string][]byte{full: db, incr1 + ".gz": packGzip(bytes.Repeat(first, 4000))[:60], incr2 + ".gz": second, incr3 + ".zlib": packZlib(third, zlib.BestSpeed)[:8]})
	below("deltas and more after them", "", map[string][]byte{full: db, incr1 + ".zlib": append(packZlib(first, zlib.BestSpeed), text...)})
	below("a delta that is too large", "", map[string][]byte{full: db, incr1 + ".gz": packGzip(first)}, Options{Limits: Limits{Bytes: int64(len(first)) - 1}})
	below("a snapshot of that name that is none", "", map[string][]byte{full + ".gz": packGzip(text)})
	below("a directory of that name", "", map[string][]byte{full + "/a.db": db})
	below("names that are none of theirs", "", map[string][]byte{"Full-00000013-00000012-1764417600": db, "Incr-99999999999999999999-99999999999999999999-1": older, "Full-9223372036854775808-9223372036854775809-1": older})
	below("a store with more entries than the limit", "v2/"+full+".gz", store, Options{Limits: Limits{Entries: 3}})
	below("a delta of a store with more entries than the limit", "v2/"+incr2, store, Options{Limits: Limits{Entries: 3}})

	var b strings.Builder
	before := ""
	for _, a := range all {
		tl.root, tl.stdin = tree(t, a.files), a.stdin
		got := tl.answer(a.path, a.opts)
		if a.path != "-" {
			fmt.Fprintf(&b, "%s: %s\n  %s\n", a.name, cmp.Or(a.path, "."), got)
		} else if got != strings.Replace(before, "; path evidence;", "; path -;", 1) {
			fmt.Fprintf(&b, "  from standard input: %s\n", got)
		}
		before = got
	}
	golden.Equal(t, "testdata/answers.txt", b.String())
}

// TestChangedMeanwhile changes an archive after it was looked at, before the database is
// unpacked.
func TestChangedMeanwhile(t *testing.T) {
	whole := packTar(entry{"README", make([]byte, 300_000)}, entry{"a.db", database(t)})
	for _, test := range []struct {
		name   string
		change func(path string, cancel func()) error
		says   string // "" where it is opened
		fault  string
	}{
		{"not at all", func(string, func()) error { return nil }, "", ""},
		{"to another", func(path string, _ func()) error {
			return os.WriteFile(path, packTar(entry{"README", make([]byte, 300_000)}, entry{"b.db", database(t)}), 0o600)
		}, "the archive changed while it was read", ""},
		{"to a directory of that name", func(path string, _ func()) error {
			return os.WriteFile(path, append(packTar(entry{"README", make([]byte, 300_000)})[:512+300_032], header(tar.TypeDir, "a.db", 0)...), 0o600)
		}, "the archive changed while it was read", ""},
		{"cut off", func(path string, _ func()) error { return os.Truncate(path, 600_000) }, "", "the archive breaks off after 600000 expanded bytes: unexpected EOF"},
		{"to one without it", func(path string, _ func()) error { return os.WriteFile(path, make([]byte, 2000), 0o600) }, "no such file", ""},
		{"and is canceled", func(_ string, cancel func()) error { cancel(); return nil }, "context canceled", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			path := filepath.Join(t.TempDir(), "evidence")
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			changed := false
			e, err := Open(ctx, path, Options{Progress: func(done, _ int64) {
				if done == int64(len(whole)) && !changed {
					changed = true
					if err := test.change(path, cancel); err != nil {
						t.Error(err)
					}
				}
			}})
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%+v, %v", e, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if fault := strings.Join(e.Faults, " "); fault != test.fault || !changed {
				t.Errorf("fault %q, changed %t", fault, changed)
			}
		})
	}
}

// TestBrokenZip holds what is said of a zip archive of which any one byte of the directory is
// another: testdata/brokenzip.txt, in which a line is of all places with one answer.
func TestBrokenZip(t *testing.T) {
	db := slices.Concat(database(t)[:64], []byte("some text, which is no page"))
	log := []byte("the log")
	tl := newTeller(t, map[string]string{string(db): "db", string(log): "log", "": "nothing"})
	tl.root = t.TempDir()
	data := packZip(entry{"wal/0000000000000000-0000000000000000.wal", log}, entry{"snap/db", db})
	start := bytes.Index(data, []byte("PK\x01\x02"))
	var b strings.Builder
	last, from := "", 0
	for at := start; at < len(data); at++ {
		data[at] ^= 0xFF
		if err := os.WriteFile(filepath.Join(tl.root, "evidence"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		data[at] ^= 0xFF
		text := strings.ToValidUTF8(number.ReplaceAllString(tl.answer("evidence", Options{SkipHash: true}), "N"), "?")
		if text != last && last != "" {
			fmt.Fprintf(&b, "%d to %d: %s\n", from, at-start-1, last)
		}
		if text != last {
			last, from = text, at-start
		}
	}
	fmt.Fprintf(&b, "%d to %d: %s\n", from, len(data)-start-1, last)
	golden.Equal(t, "testdata/brokenzip.txt", b.String())
}

// number is one that depends on where something is broken.
var number = regexp.MustCompile(`\b[0-9]{1,10}\b`)
