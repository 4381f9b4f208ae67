package container

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"testing"
)

// page is a page that names itself and its kind.
func page(size, number int, kind uint16) []byte {
	p := make([]byte, size)
	binary.LittleEndian.PutUint64(p, uint64(number))
	binary.LittleEndian.PutUint16(p[8:], kind)
	return p
}

// meta is a meta page of a database of so many pages.
func meta(size, number int, pages uint64) []byte {
	p := page(size, number, 4)
	m := p[16:80]
	binary.LittleEndian.PutUint32(m, boltMagic)
	binary.LittleEndian.PutUint32(m[4:], 2)
	binary.LittleEndian.PutUint32(m[8:], uint32(size))
	binary.LittleEndian.PutUint64(m[40:], pages)
	sum := fnv.New64a()
	sum.Write(m[:56])
	binary.LittleEndian.PutUint64(m[56:], sum.Sum64())
	return p
}

// TestPages holds by what a database is known whose end is not: its intact meta pages, else the
// size by which the most of its pages name themselves.
func TestPages(t *testing.T) {
	join := func(list ...[]byte) []byte { return bytes.Join(list, nil) }
	spoiled := func(p []byte, at int) []byte {
		p = bytes.Clone(p)
		p[at] ^= 0x80
		return p
	}
	for _, tt := range []struct {
		name       string
		head       []byte
		size, most int64 // 0, 0 for no database
	}{
		{"both meta pages", join(meta(4096, 0, 10), meta(4096, 1, 10)), 4096, 2*20*4096 + stdinRest},
		{"the first alone", join(meta(4096, 0, 10), make([]byte, 4096)), 4096, 2*10*4096 + stdinRest},
		{"the second alone", join(make([]byte, 4096), meta(4096, 1, 10)), 4096, 2*10*4096 + stdinRest},
		{"a database of one page", meta(4096, 0, 1), 4096, 2*4096 + stdinRest},
		{"the smallest pages", join(meta(512, 0, 10), meta(512, 1, 10)), 512, 2*20*512 + stdinRest},
		{"the largest pages", join(meta(65536, 0, 10), meta(65536, 1, 10)), 65536, 2*20*65536 + stdinRest},
		{"the largest pages, the second alone", join(make([]byte, 65536), meta(65536, 1, 10)), 65536, 2*10*65536 + stdinRest},
		{"pages that are larger", join(meta(131072, 0, 10)), 4096, 0}, // it has the magic
		{"a meta page and no more", meta(4096, 0, 10)[:80], 4096, 2*10*4096 + stdinRest},
		{"less than a meta page", meta(4096, 0, 10)[:79], 4096, 0}, // it has the magic
		{"as many pages as may be", join(meta(4096, 0, 1<<40)), 4096, 2*4096<<40 + stdinRest},
		{"more pages", spoiled(meta(4096, 0, 1<<40+1), 4095), 4096, 0},
		{"a wrong checksum", spoiled(meta(4096, 0, 10), 60), 4096, 0},
		{"another size in it", join(meta(8192, 0, 10)[:4096]), 8192, 2*10*8192 + stdinRest},
		{"no meta page, and a leaf", join(make([]byte, 4096), page(4096, 1, 2)), 4096, 0},
		{"a branch", join(make([]byte, 512), page(512, 1, 1)), 512, 0},
		{"a free list", join(make([]byte, 1024), page(1024, 1, 16)), 1024, 0},
		{"a page of no kind", join(make([]byte, 4096), page(4096, 1, 3)), 0, 0},
		{"a page of another number", join(make([]byte, 4096), page(4096, 3, 2)), 0, 0},
		{"a page that is cut off", join(make([]byte, 4096), page(4096, 1, 2)[:4095]), 0, 0},
		{"more pages of another size", join(make([]byte, 4096), page(4096, 1, 2), page(8192, 1, 2), page(4096, 4, 2), page(4096, 5, 2)), 4096, 0},
		{"as many of two sizes, the smaller counts", join(make([]byte, 1024), page(1024, 1, 2), make([]byte, 2048), page(4096, 1, 2)), 1024, 0},
		{"text", []byte("text"), 0, 0},
		{"noise", []byte("\x81\x02\x03"), 0, 0},
	} {
		p, err := newPageReader(nil, tt.head)
		if (err == nil) != (tt.size > 0) || err == nil && (p.size != tt.size || p.most != tt.most) || err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("%s: %+v, %v", tt.name, p, err)
		}
		if hasPages(tt.head) != (err == nil) {
			t.Errorf("%s: it is said to have pages: %t", tt.name, err != nil)
		}
	}
}

// TestFollowPages: a database ends after twice what its meta pages say and some more, and where
// they say nothing, when no page named itself for long. How it is read is no matter.
func TestFollowPages(t *testing.T) {
	var db []byte
	for n := range 40 {
		db = append(db, page(512, n, 2)...)
	}
	db = append(db, make([]byte, 700)...)
	for _, size := range []int{1, 3, 7, 8, 9, 511, 512, 513, len(db)} {
		p := &pageReader{size: 512}
		for at := 0; at < len(db); at += size {
			p.follow(db[at:min(at+size, len(db))])
		}
		if p.at != int64(len(db)) || p.last != 39*512 {
			t.Errorf("read %d bytes at a time: %d bytes, the last page is at %d", size, p.at, p.last)
		}
	}
	for _, tt := range []struct {
		name string
		p    pageReader
		want error
	}{
		{"as much as they account for", pageReader{size: 512, most: 1004, at: 1000, last: 1000}, nil},
		{"more", pageReader{size: 512, most: 1003, at: 1000, last: 1000}, ErrEndless},
		{"they do not say", pageReader{size: 512, at: 1000, last: 1000}, nil},
		{"no page for long", pageReader{size: 512, at: 1000 + pageGap - 4, last: 1000}, nil},
		{"no page for longer", pageReader{size: 512, at: 1000 + pageGap - 3, last: 1000}, ErrEndless},
	} {
		tt.p.r = strings.NewReader("text")
		if n, err := tt.p.Read(make([]byte, 4)); n != 4 || !errors.Is(err, tt.want) {
			t.Errorf("%s: %d, %v", tt.name, n, err)
		}
	}
}

// TestBoundedStdin: standard input ends with what may come out of it, and not long after what it
// holds.
func TestBoundedStdin(t *testing.T) {
	for _, tt := range []struct {
		consumed, ended int64
		want            error
	}{
		{1000, 0, nil}, {1001, 0, ErrTooLarge}, {900, 1, nil}, {1000, 1000, nil},
	} {
		x := &expander{opts: Options{Limits: Limits{Bytes: 1000}}, consumed: tt.consumed, ended: tt.ended}
		if err := x.bounded(); !errors.Is(err, tt.want) {
			t.Errorf("%d bytes, ended at %d: %v", tt.consumed, tt.ended, err)
		}
	}
	for more, want := range map[int64]error{stdinRest: nil, stdinRest + 1: ErrEndless} {
		x := &expander{opts: Options{Limits: Limits{Bytes: 1 << 40}}, consumed: 1 + more, ended: 1}
		if err := x.bounded(); !errors.Is(err, want) {
			t.Errorf("%d bytes after the end: %v", more, err)
		}
	}
	if e, err := Open(t.Context(), "-", Options{}); err == nil || err.Error() != "there is no standard input" {
		t.Errorf("%+v, %v", e, err)
	}
	x := &expander{consumed: 5}
	x.end()
	x.consumed = 9
	x.end()
	if x.ended != 5 {
		t.Errorf("it ended at %d", x.ended)
	}
}

// TestStops: what ends the reading of a container whatever else is in it.
func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x := &expander{Evidence: &Evidence{Format: Gzip}, ctx: ctx}
	for _, err := range []error{errChanged, ErrTooLarge, ErrEntries, ErrEndless, &writeError{io.ErrShortWrite}} {
		err = fmt.Errorf("wrapped: %w", err)
		if !x.stops(err) || x.tolerate("the stream", err) || x.unpacked(err) != err || len(x.Faults) > 0 {
			t.Errorf("%v does not stop it: %q", err, x.Faults)
		}
	}
	for err, want := range map[error]string{
		io.ErrUnexpectedEOF: "it ends too early (unexpected EOF)", io.EOF: "it ends too early (EOF)", errTwice: errTwice.Error(), ErrNone: ErrNone.Error(),
	} {
		if x.stops(err) || !x.tolerate("the stream", err) || x.unpacked(err).Error() != "unpack gzip: "+want {
			t.Errorf("%v stops it, or is %q", err, x.unpacked(err))
		}
	}
	if x.unpacked(nil) != nil || x.unpacked(ErrEmpty) != ErrEmpty {
		t.Error("an empty one is said to be damaged")
	}
	if cancel(); !x.stops(io.ErrUnexpectedEOF) {
		t.Error("the end of the context does not stop it")
	}
}

// TestManyFaults lists the first of many faults, and says once that there are more.
func TestManyFaults(t *testing.T) {
	x := &expander{Evidence: &Evidence{}, ctx: t.Context()}
	for n := range 3 * maxFaults {
		x.tolerate("entry "+fmt.Sprint(n), io.ErrUnexpectedEOF)
		if want := min(n+1, maxFaults+1); len(x.Faults) != want {
			t.Fatalf("%d are listed after %d", len(x.Faults), n+1)
		}
	}
	if x.Faults[maxFaults-1] != "entry 19 breaks off after 0 expanded bytes: unexpected EOF" || !strings.HasPrefix(x.Faults[maxFaults], "more of it") {
		t.Errorf("%q", x.Faults[maxFaults-1:])
	}
}

// TestDescribed: so many bytes may describe entries, and no more.
func TestDescribed(t *testing.T) {
	x := &expander{opts: Options{Limits: Limits{Entries: 3}}, ctx: t.Context()}
	for n, want := range []error{nil, nil, nil, ErrEntries} {
		if err := x.count(); !errors.Is(err, want) {
			t.Errorf("entry %d: %v", n+1, err)
		}
	}
	if err := x.describe(4*headerBytes + headerSlack); err != nil {
		t.Error(err)
	}
	if err := x.describe(1); !errors.Is(err, ErrEntries) {
		t.Error(err)
	}
}
