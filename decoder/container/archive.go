package container

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zip"
)

// archive is what was seen of an archive. Nothing is unpacked before all of it was
// looked at.
type archive struct {
	entries  int
	inHeader bool  // what is read now describes an entry
	headers  int64 // bytes that do
	found    []item
	damaged  []item            // that have pages of a database, and no meta page at their beginning
	segments map[string][]item // by the directory that wal is in
	nested   string            // an entry that is an archive
	others   int               // entries that are neither
}

// item is an entry of an archive that may be unpacked.
type item struct {
	index  int    // its place among the entries
	name   string // cleaned
	member string // directory that snap is in, of a member's db
	isDB   bool   // of a member
	size   int64  // in bytes, by what the archive says
	time   time.Time
	to     string // where it is unpacked to
}

const (
	maxName     = 4096 // bytes of a path (Linux PATH_MAX); none of etcd's is as long
	headerBytes = 2048 // that describe an entry, on average
	headerSlack = 16 << 20
)

var (
	segmentEntry = regexp.MustCompile(`^(?:(.*)/)?wal/([0-9a-f]{16}-[0-9a-f]{16}\.wal|[0-9]+\.tmp)$`)
	dbEntry      = regexp.MustCompile(`^(?:(.*)/)?snap/db$`)
)

// count counts one more entry.
func (x *expander) count() error {
	a := &x.archive
	if a.entries++; a.entries > x.opts.Entries {
		return fmt.Errorf("%w of %d", ErrEntries, x.opts.Entries)
	}
	return x.ctx.Err()
}

// describe counts bytes that describe entries: any number of them can come before
// one.
func (x *expander) describe(n int) error {
	a := &x.archive
	if a.headers += int64(n); a.headers > headerBytes*int64(a.entries)+headerSlack {
		return fmt.Errorf("%w: %d bytes describe %d entries", ErrEntries, a.headers, a.entries)
	}
	return nil
}

// look notes what an entry is: by its name, or by its first bytes.
func (x *expander) look(name string, size int64, modified time.Time, r io.Reader) error {
	a := &x.archive
	it := item{index: a.entries, name: clean(name), size: size, time: modified}
	if len(it.name) <= maxName {
		if m := segmentEntry.FindStringSubmatch(it.name); m != nil {
			if !strings.HasSuffix(m[2], ".tmp") {
				if a.segments == nil {
					a.segments = map[string][]item{}
				}
				a.segments[m[1]] = append(a.segments[m[1]], it)
			}
			return nil
		}
		if m := dbEntry.FindStringSubmatch(it.name); m != nil {
			it.member, it.isDB = m[1], true
			x.find(&a.found, it)
			return nil
		}
	}
	if f, ok := parseStored(path.Base(it.name)); ok && f.delta {
		x.unread(it.name) // they are applied out of a directory only
		x.Newer = max(x.Newer, f.last)
		return nil
	}
	if x.head == nil {
		x.head = make([]byte, stdinHead)
	}
	head := x.head
	n, err := io.ReadFull(r, head[:headSize])
	_, container := sniff(head[:n])
	known := container || isDatabase(head[:n])
	if looks := Looks(head[:n]); err == nil && !known && (looks == "" || looks == "zeros") {
		var more int
		more, err = io.ReadFull(r, head[n:])
		n += more
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	switch head = head[:n]; {
	case isDatabase(head):
		x.find(&a.found, it)
	case container && a.nested == "":
		a.nested = it.name
	case n > headSize && hasPages(head): // more was read of what may be one
		x.find(&a.damaged, it)
	case !container:
		a.others++
	}
	return nil
}

// find notes an entry that may be the database: those that are meant, and so many others
// that it can be said that there are more than are named.
func (x *expander) find(list *[]item, it item) {
	if name := x.opts.member; len(*list) <= listed || name != "" && it.is(name) {
		*list = append(*list, it)
	}
}

// is says whether the entry, or the member's directory that it is in, has that name.
func (it *item) is(name string) bool {
	return it.name == name || it.isDB && strings.HasPrefix(it.name, name+"/")
}

// clean is a name from an archive as a path below its root.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// enough says whether more databases were found than are named.
func (x *expander) enough() bool { return x.opts.member == "" && len(x.archive.found) > listed }

// choose takes the only database of an archive, or the one that is named, with the log
// that belongs to it.
func (x *expander) choose() (item, []item, error) {
	a := &x.archive
	list := a.found
	if len(list) == 0 {
		list = a.damaged
	}
	if name := x.opts.member; name != "" {
		all := slices.Concat(a.found, a.damaged)
		list = slices.DeleteFunc(slices.Clone(all), func(it item) bool { return !it.is(name) })
		if len(list) == 0 && len(all) > 0 {
			return item{}, nil, fmt.Errorf("%w of the name %s: %s", ErrNone, quote(name), x.list(all))
		}
	}
	switch {
	case len(list) == 1:
		db := list[0]
		if !db.isDB {
			return db, nil, nil
		}
		return db, a.segments[db.member], nil
	case len(list) > 0:
		return item{}, nil, fmt.Errorf("%w: %s", ErrSeveral, x.list(list))
	case a.nested != "":
		return item{}, nil, fmt.Errorf("%w: %s", ErrNested, quote(a.nested))
	case len(x.Faults) > 0: // what could not be read may be it
		return item{}, nil, fmt.Errorf("%w: %s", ErrNone, x.Faults[0])
	default:
		return item{}, nil, fmt.Errorf("%w: %d other files are in it", ErrNone, a.others)
	}
}

// list names some databases of an archive as those of a directory are.
func (x *expander) list(items []item) string {
	var s surveyed
	for _, it := range items[:min(len(items), listed)] {
		s.found = append(s.found, candidate{name: it.name, size: it.size, modified: it.time})
	}
	if len(items) > listed {
		return s.String() + " and more"
	}
	return s.String()
}

// quote is a name from an archive, shortened.
func quote(name string) string {
	if most := 200; len(name) > most {
		return fmt.Sprintf("%q…", name[:most])
	}
	return fmt.Sprintf("%q", name)
}

// place says where what was chosen is unpacked to, by its place in the archive. No
// name of the archive's is used on the disk but that of a segment.
func (x *expander) place(db item, segments []item) (_ item, wanted map[int]item, err error) {
	if db.to, err = x.Temp("member", "snap", "db"); err != nil {
		return db, nil, err
	}
	wanted = map[int]item{db.index: db}
	if len(segments) > 0 {
		if _, err := x.Temp("member", "wal", "segment"); err != nil {
			return db, nil, err
		}
	}
	for _, s := range segments {
		s.to = filepath.Join(x.temp, "member", "wal", path.Base(s.name))
		wanted[s.index] = s
	}
	return db, wanted, nil
}

// chosen opens the database that was unpacked.
func (x *expander) chosen(db item, wanted map[int]item) error {
	wal := ""
	if len(wanted) > 1 {
		wal = filepath.Join(x.temp, "member", "wal")
	}
	return x.use(db.to, db.name, wal)
}

// surveyTar looks at what is in a tar archive.
func (x *expander) surveyTar(r *body) error {
	tr := tar.NewReader(r)
	for !x.enough() {
		x.archive.inHeader = true
		h, err := tr.Next()
		x.archive.inHeader = false
		if err == io.EOF {
			break
		}
		if err == nil {
			if err := x.count(); err != nil {
				return err
			}
		} else if len(x.archive.found) == 0 || !x.tolerate("the archive", err) {
			return x.unpacked(err)
		} else {
			break
		}
		if err := x.pass(h, tr); err != nil {
			if !x.tolerate("entry "+quote(h.Name), err) {
				return err
			}
			break
		}
	}
	if x.enough() {
		_, _, err := x.choose()
		return err
	}
	return x.drain(r)
}

// pass looks at an entry and passes it over.
func (x *expander) pass(h *tar.Header, tr *tar.Reader) error {
	if isFile(h) {
		if err := x.look(h.Name, h.Size, h.ModTime, tr); err != nil {
			return err
		}
	}
	_, err := io.CopyBuffer(passedOver{x}, tr, x.buffer())
	return err
}

// passedOver counts what is not unpacked, as long as it would be: the holes of a
// sparse file were not read.
type passedOver struct{ x *expander }

func (p passedOver) Write(b []byte) (int, error) {
	p.x.passed += int64(len(b))
	return len(b), p.x.withinLimits()
}

func isFile(h *tar.Header) bool { return h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeGNUSparse }

// unpackTar reads the archive again and unpacks what was chosen.
func (x *expander) unpackTar(format Format) error {
	db, segments, err := x.choose()
	if err != nil {
		return err
	}
	db, wanted, err := x.place(db, segments)
	if err != nil {
		return err
	}
	// The stream was read to its end, and its faults are known.
	x.size, x.consumed, x.expanded = x.consumed, 0, 0
	r, err := x.open(&counted{x: x, r: io.NewSectionReader(x.file, 0, x.size)}, format)
	if err != nil {
		return err
	}
	defer r.Close()
	known := len(x.Faults) > 0
	if err := x.unpackEntries(tar.NewReader(r), wanted); err != nil && x.stops(err) {
		return err
	} else if err != nil && !known {
		x.tolerate("the archive", err)
	}
	return x.chosen(db, wanted)
}

// unpackEntries unpacks what was chosen.
func (x *expander) unpackEntries(tr *tar.Reader, wanted map[int]item) error {
	for index, left := 1, len(wanted); left > 0; index++ {
		h, err := tr.Next()
		if err != nil {
			return err
		}
		want, ok := wanted[index]
		if !ok {
			continue
		}
		left--
		if clean(h.Name) != want.name || !isFile(h) {
			return errChanged
		}
		if _, err := x.copy(want.to, tr); err != nil && (!errors.Is(err, errTwice) || !x.tolerate("entry "+quote(h.Name), err)) {
			return err
		}
	}
	return nil
}

// drain reads what follows the end of a tar archive: zeros, and the checksum of
// the stream that it is in. A damaged archive can seem to end early.
func (x *expander) drain(r io.Reader) error {
	x.end()
	buf := make([]byte, 1<<16)
	for more := false; ; {
		n, err := r.Read(buf)
		if !more && len(bytes.Trim(buf[:n], "\x00")) > 0 {
			more = true
			x.fault("bytes that are not zero follow the end of the archive: a part of it may be damaged")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil && !x.stops(err) {
			if len(x.Faults) == 0 {
				x.tolerate("the archive", err)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// zip looks at the directory of a zip archive, and unpacks what was chosen.
func (x *expander) zip() error {
	directory := &directoryReader{x: x}
	zr, err := zip.NewReader(directory, x.size)
	if err != nil {
		return x.unpacked(err)
	}
	directory.read = true
	for _, entry := range zr.File {
		if err := x.count(); err != nil {
			return err
		}
		if !entry.Mode().IsRegular() {
			continue
		}
		r := &zipEntry{x: x, File: entry}
		err := x.look(entry.Name, int64(min(entry.UncompressedSize64, math.MaxInt64)), entry.Modified, r)
		r.Close()
		if err != nil && !x.tolerate("entry "+quote(entry.Name), err) {
			return err
		}
		if x.enough() {
			break
		}
	}
	db, segments, err := x.choose()
	if err != nil {
		return err
	}
	total := int64(0)
	for _, it := range append(slices.Clone(segments), db) {
		total += int64(min(zr.File[it.index-1].UncompressedSize64, 1<<62))
		if err := x.fits(total); err != nil {
			return err
		}
	}
	db, wanted, err := x.place(db, segments)
	if err != nil {
		return err
	}
	for _, index := range slices.Sorted(maps.Keys(wanted)) { // of a segment that is there twice, the first is kept
		want := wanted[index]
		r := &zipEntry{x: x, File: zr.File[index-1]}
		_, err := x.copy(want.to, r)
		r.Close()
		if err != nil && !x.tolerate("entry "+quote(want.name), err) {
			return err
		}
	}
	return x.chosen(db, wanted)
}

// zipEntry opens an entry when it is read.
type zipEntry struct {
	x *expander
	*zip.File
	r io.ReadCloser
}

func (z *zipEntry) Read(p []byte) (n int, err error) {
	if z.r == nil {
		if z.r, err = z.File.Open(); err == io.EOF { // it begins after the archive's end
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
	}
	n, err = z.r.Read(p)
	z.x.expanded += int64(n)
	if limit := z.x.withinLimits(); limit != nil {
		return 0, limit
	}
	return n, err
}

func (z *zipEntry) Close() {
	if z.r != nil {
		z.r.Close()
	}
}

// directoryReader bounds what is read, and so kept, of the directory of a zip
// archive: it is read to its end, whatever number of entries it says it has.
type directoryReader struct {
	x       *expander
	read    bool // it was, and what is read from now on are entries
	bytes   int64
	entries int
	next    int64  // where the last read ended
	tail    []byte // its last bytes
}

const (
	directoryEntry = "PK\x01\x02"
	directoryEnd64 = "PK\x06\x06" // 32 bytes on, the number of entries for which memory is reserved
	directorySlack = 128 << 10    // is read to find it
	directoryBytes = 1024         // that describe an entry, on average
)

func (d *directoryReader) ReadAt(p []byte, off int64) (int, error) {
	if err := d.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := d.x.file.ReadAt(p, off)
	if !d.read {
		if err := d.check(p[:n], off); err != nil {
			return 0, err
		}
	}
	return n, err
}

func (d *directoryReader) check(p []byte, off int64) error {
	most := d.x.opts.Entries
	if bytes.HasPrefix(p, []byte(directoryEnd64)) && len(p) >= 40 && binary.LittleEndian.Uint64(p[32:]) > uint64(most) {
		return fmt.Errorf("%w of %d", ErrEntries, most)
	}
	if off != d.next {
		d.tail = nil
	}
	read := slices.Concat(d.tail, p)
	d.entries += bytes.Count(read, []byte(directoryEntry))
	d.next, d.tail = off+int64(len(p)), bytes.Clone(read[max(0, len(read)-len(directoryEntry)+1):])
	d.bytes += int64(len(p))
	if d.entries > most+directorySlack/len(directoryEntry) || d.bytes > directoryBytes*int64(most)+directorySlack {
		return fmt.Errorf("%w of %d", ErrEntries, most)
	}
	return nil
}
