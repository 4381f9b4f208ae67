package snapshot

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"revenant/decoder/boltpage"
)

// known is what opening a file finds out by reading every page of it. A second opening
// that knows it reads the branch pages and the small buckets only.
type known struct {
	index  *index
	sum    *itemSum // of the bucket key; nil when it was not computed
	tally  boltpage.Tally
	unused unused
}

// An entry of a cache is a head, what is known of the tree, the lengths of the keys, the
// keys and the records in blocks. Each of these, and each block, is followed
// by its CRC-32C. Keys are in their order, and their numbers are their places in it, so
// one file always has one entry. Numbers are little-endian.
type cacheHead struct {
	Magic          [8]byte
	Version        uint32
	Wide           uint32 // 1 when revisions need all their bits, else 0
	Key            [sha256.Size]byte
	Records        uint64
	Keys, KeyBytes uint64
	RunBytes       uint64 // of the runs of leaf pages
	Words          uint64 // of each of the two bitmaps after them
	Items          uint64
	SumLength      uint64
	SumItems       uint64
	Sum            uint32
	_              uint32
	Revision, Page uint64 // of unused
	Index, AtPage  uint64
}

// cacheVersion is to be raised whenever an entry is written in another way, and whenever
// opening looks for something that it did not look for before.
const cacheVersion = 1

var (
	cacheMagic = [8]byte{'r', 'e', 'v', 'n', 'i', 'n', 'd', 'x'}

	errCache = errors.New("the entry is damaged or of another file")
)

const (
	crcSize    = 4
	narrowRow  = 28
	wideRow    = 40
	firstSize  = 8       // the main revision that a block begins with
	secretBit  = 1 << 63 // of an offset
	chunkBytes = 1 << 18 // that are read or written at a time
)

// write writes an entry.
func (k *known) write(w io.Writer, key [sha256.Size]byte) error {
	x := k.index
	var tree []byte
	for _, r := range k.tally.Runs {
		tree = binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(tree, r.Branch), r.From), r.To)
	}
	runBytes := uint64(len(tree))
	for _, words := range [][]uint64{k.tally.Heads, k.tally.Used} {
		for _, word := range words {
			tree = binary.LittleEndian.AppendUint64(tree, word)
		}
	}
	head := cacheHead{
		Magic: cacheMagic, Version: cacheVersion, Key: key, Records: uint64(x.len), Keys: uint64(len(x.keys)), RunBytes: runBytes, Words: uint64(len(k.tally.Heads)),
		Items: uint64(k.tally.Items), SumLength: k.sum.length, SumItems: uint64(k.sum.items), Sum: k.sum.crc,
		Revision: uint64(k.unused.revision), Page: k.unused.page, Index: k.unused.index, AtPage: k.unused.indexPage,
	}
	wide := x.wide()
	if wide {
		head.Wide = 1
	}
	for _, key := range x.keys {
		head.KeyBytes += uint64(len(key))
	}
	sw := sectionWriter{w: bufio.NewWriterSize(w, chunkBytes)}
	b, err := binary.Append(nil, binary.LittleEndian, &head)
	if err != nil {
		return err
	}
	sw.write(b)
	sw.end()
	sw.write(tree)
	sw.end()
	rank := make([]uint32, len(x.keys))
	for at, k := range x.sorted {
		rank[k] = uint32(at)
		sw.write(binary.LittleEndian.AppendUint32(b[:0], uint32(len(x.keys[k]))))
	}
	sw.end()
	for _, k := range x.sorted {
		sw.write(append(b[:0], x.keys[k]...))
	}
	sw.end()
	chunk, n, first := b[:0], 0, int64(0)
	for p := range x.places() {
		from, i := x.at(p)
		e := from.entry(i)
		e.key = rank[e.key]
		if n%blockSize == 0 {
			first = e.rev.Main
			chunk = binary.LittleEndian.AppendUint64(chunk[:0], uint64(first))
		}
		chunk = appendRow(chunk, first, &e, wide)
		if n++; n%blockSize == 0 || n == x.len {
			sw.write(chunk)
			sw.end()
		}
	}
	if sw.err == nil {
		sw.err = sw.w.Flush()
	}
	return sw.err
}

// wide says whether a record needs more than the low halves of its revisions, when
// blocks are full.
func (x *index) wide() bool {
	n, first := 0, int64(0)
	for p := range x.places() {
		b, i := x.at(p)
		rev := b.revision(i)
		if n%blockSize == 0 {
			first = rev.Main
		}
		if rev.Sub != 0 || (uint64(rev.Main-first)|uint64(rev.Main-b.create(i)))>>32 != 0 {
			return true
		}
		n++
	}
	return false
}

// sectionWriter writes sections, each with its CRC after it. The first error stays.
type sectionWriter struct {
	w   *bufio.Writer
	crc uint32
	err error
}

func (s *sectionWriter) write(b []byte) {
	s.crc = crc32.Update(s.crc, castagnoli, b)
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
}

func (s *sectionWriter) end() {
	crc := binary.LittleEndian.AppendUint32(nil, s.crc)
	s.write(crc)
	s.crc = 0
}

func appendRow(b []byte, first int64, e *entry, wide bool) []byte {
	le := binary.LittleEndian
	if wide {
		b = le.AppendUint64(b, uint64(e.rev.Main))
		b = le.AppendUint64(b, uint64(e.create))
		b = le.AppendUint32(b, uint32(e.rev.Sub))
	} else {
		b = le.AppendUint32(b, uint32(e.rev.Main-first))
		b = le.AppendUint32(b, uint32(e.rev.Main-e.create))
	}
	offset := uint64(e.offset)
	if e.secret {
		offset |= secretBit
	}
	b = le.AppendUint64(b, offset)
	b = le.AppendUint32(b, e.size)
	b = le.AppendUint32(b, e.version)
	return le.AppendUint32(b, e.key)
}

// parseRow reads a row of the right length.
func parseRow(e *entry, b []byte, first int64, wide bool) {
	le := binary.LittleEndian
	*e = entry{}
	if wide {
		e.rev, e.create = Revision{int64(le.Uint64(b)), int64(le.Uint32(b[16:]))}, int64(le.Uint64(b[8:]))
		b = b[wideRow-narrowRow+8:]
	} else {
		e.rev.Main = first + int64(le.Uint32(b))
		e.create = e.rev.Main - int64(le.Uint32(b[4:]))
		b = b[8:]
	}
	offset := le.Uint64(b)
	e.offset, e.secret = int64(offset&^secretBit), offset&secretBit != 0
	e.size, e.version, e.key = le.Uint32(b[8:]), le.Uint32(b[12:]), le.Uint32(b[16:])
}

// cacheReader reads an entry.
type cacheReader struct {
	r       io.ReaderAt
	head    cacheHead
	db      int64 // size of the file that the entry is of
	row     int   // bytes
	keys    int64 // where their lengths begin
	records int64 // where they begin
}

// readCache reads the entry in r, of that size, for a file of db bytes. It trusts none of
// it: the error is ctx's, errCache, or that of r. Records that it returns lie within the file.
func readCache(ctx context.Context, r io.ReaderAt, size int64, key [sha256.Size]byte, db int64, workers int) (*known, error) {
	cr := cacheReader{r: r, db: db, row: narrowRow}
	at, err := cr.readHead(size, key)
	if err != nil {
		return nil, err
	}
	h := &cr.head
	x := &index{len: int(h.Records)}
	k := &known{
		index:  x,
		sum:    &itemSum{sum{h.Sum, h.SumLength}, int(h.SumItems)},
		unused: unused{revision: int64(h.Revision), page: h.Page, index: h.Index, indexPage: h.AtPage},
	}
	var wg sync.WaitGroup
	var errs [3]error
	wg.Go(func() {
		k.tally, errs[0] = cr.readTree(at)
		x.keys, errs[1] = cr.readKeys()
		x.sorted = make([]uint32, len(x.keys))
		for i := range x.sorted {
			x.sorted[i] = uint32(i)
		}
	})
	if errs[2] = cr.readBlocks(ctx, x, workers); errs[2] == nil {
		x.start, x.order = groupByKey(x, int(h.Keys))
	}
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return k, nil
}

// readHead reads the head and holds what it says against the size; at is where what
// is known of the tree begins.
func (cr *cacheReader) readHead(size int64, key [sha256.Size]byte) (at int64, err error) {
	h := &cr.head
	b, err := cr.section(0, int64(binary.Size(h)))
	if err != nil {
		return 0, err
	}
	if _, err := binary.Decode(b, binary.LittleEndian, h); err != nil {
		return 0, err
	}
	if h.Magic != cacheMagic || h.Version != cacheVersion || h.Key != key || h.Wide > 1 {
		return 0, errCache
	}
	for _, n := range []uint64{h.Records, h.Keys, h.KeyBytes, h.RunBytes, h.Words} {
		if n > uint64(size) || n > math.MaxInt64/wideRow {
			return 0, errCache
		}
	}
	for _, n := range []uint64{h.Items, h.SumItems, h.Revision} {
		if n > math.MaxInt64 {
			return 0, errCache
		}
	}
	if h.Wide == 1 {
		cr.row = wideRow
	}
	at = int64(len(b)) + crcSize
	blocks := (int64(h.Records) + blockSize - 1) / blockSize
	cr.keys = at + int64(h.RunBytes) + 16*int64(h.Words) + crcSize
	cr.records = cr.keys + 4*int64(h.Keys) + crcSize + int64(h.KeyBytes) + crcSize
	if blocks > maxBlocks || h.Keys > math.MaxUint32 || cr.records+blocks*(firstSize+crcSize)+int64(h.Records)*int64(cr.row) != size {
		return 0, errCache
	}
	return at, nil
}

// section reads a section, of which size is within the entry.
func (cr *cacheReader) section(at, size int64) ([]byte, error) {
	b := make([]byte, size+crcSize)
	if err := cr.read(b, at); err != nil {
		return nil, err
	}
	return b[:size:size], nil
}

// read fills b with a section and its CRC.
func (cr *cacheReader) read(b []byte, at int64) error {
	if n, err := cr.r.ReadAt(b, at); n < len(b) {
		return errors.Join(errCache, err)
	}
	end := len(b) - crcSize
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return errCache
	}
	return nil
}

// readTree reads what is known of the tree.
func (cr *cacheReader) readTree(at int64) (t boltpage.Tally, err error) {
	h := &cr.head
	b, err := cr.section(at, int64(h.RunBytes+16*h.Words))
	if err != nil {
		return t, err
	}
	t.Items = int(h.Items)
	for runs := b[:h.RunBytes]; len(runs) > 0; {
		var fields [3]uint64
		for i := range fields {
			n := 0
			if fields[i], n = binary.Uvarint(runs); n <= 0 {
				return t, errCache
			}
			runs = runs[n:]
		}
		t.Runs = append(t.Runs, boltpage.Run{Branch: fields[0], From: fields[1], To: fields[2]})
	}
	words := make([]uint64, 2*h.Words)
	for i := range words {
		words[i] = binary.LittleEndian.Uint64(b[h.RunBytes+8*uint64(i):])
	}
	t.Heads, t.Used = words[:h.Words], words[h.Words:]
	return t, nil
}

// readKeys reads the keys, which are parts of one string.
func (cr *cacheReader) readKeys() ([]string, error) {
	at := cr.keys
	lengths, err := cr.section(at, 4*int64(cr.head.Keys))
	if err != nil {
		return nil, err
	}
	at += int64(len(lengths)) + crcSize
	var all strings.Builder
	all.Grow(int(cr.head.KeyBytes))
	buf := make([]byte, chunkBytes)
	sum := uint32(0)
	for rest := int64(cr.head.KeyBytes); rest > 0; {
		b := buf[:min(rest, chunkBytes)]
		if n, err := cr.r.ReadAt(b, at); n < len(b) {
			return nil, errors.Join(errCache, err)
		}
		sum = crc32.Update(sum, castagnoli, b)
		all.Write(b)
		at, rest = at+int64(len(b)), rest-int64(len(b))
	}
	if n, err := cr.r.ReadAt(buf[:crcSize], at); n < crcSize || binary.LittleEndian.Uint32(buf) != sum {
		return nil, errors.Join(errCache, err)
	}
	rest := all.String()
	keys := make([]string, cr.head.Keys)
	for i := range keys {
		n := binary.LittleEndian.Uint32(lengths[4*i:])
		if uint64(n) > uint64(len(rest)) {
			return nil, errCache
		}
		keys[i], rest = rest[:n], rest[n:]
		if i > 0 && keys[i-1] >= keys[i] {
			return nil, errCache
		}
	}
	if rest != "" {
		return nil, errCache
	}
	return keys, nil
}

// readBlocks reads the records, several blocks side by side.
func (cr *cacheReader) readBlocks(ctx context.Context, x *index, workers int) error {
	all := make([]block, (x.len+blockSize-1)/blockSize)
	x.blocks = make([]*block, len(all))
	for i := range all {
		x.blocks[i] = &all[i]
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, max(1, min(workers, len(all))))
	for w := range errs {
		wg.Go(func() {
			buf := make([]byte, firstSize+blockSize*cr.row+crcSize)
			for errs[w] == nil {
				i := int(next.Add(1) - 1)
				if i >= len(all) {
					return
				}
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = cr.readBlock(x, i, buf)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i := 1; i < len(all); i++ {
		if !all[i-1].revision(all[i-1].n - 1).less(all[i].revision(0)) {
			return errCache
		}
	}
	return nil
}

// readBlock reads the i-th block into buf and from there.
func (cr *cacheReader) readBlock(x *index, i int, buf []byte) error {
	n := min(x.len-i*blockSize, blockSize)
	buf = buf[:firstSize+n*cr.row+crcSize]
	if err := cr.read(buf, cr.records+int64(i)*int64(firstSize+blockSize*cr.row+crcSize)); err != nil {
		return err
	}
	b := x.blocks[i]
	b.n, b.first = n, int64(binary.LittleEndian.Uint64(buf))
	if b.first < 0 || b.first > math.MaxInt64-math.MaxUint32 && cr.head.Wide == 0 {
		return errCache
	}
	var e entry
	last := Revision{Main: -1}
	rows := buf[firstSize:]
	for i := range n {
		parseRow(&e, rows[:cr.row], b.first, cr.head.Wide == 1)
		rows = rows[cr.row:]
		size := int64(e.size &^ tombstoneBit)
		if !last.less(e.rev) || e.offset > cr.db-size || uint64(e.key) >= cr.head.Keys {
			return errCache
		}
		last = e.rev
		b.set(i, &e)
	}
	return nil
}
