package snapshot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/decoder/boltpage"
	"revenant/internal/hostile"
)

// resummed is an entry with the right checksums, as far as its head tells where they are.
func resummed(data []byte) []byte {
	le := binary.LittleEndian
	var h cacheHead
	head := binary.Size(&h)
	if _, err := binary.Decode(data, le, &h); err != nil {
		return data
	}
	data = bytes.Clone(data)
	at := uint64(0)
	section := func(size uint64) {
		if rest := uint64(len(data)) - at; size <= rest && rest-size >= crcSize {
			le.PutUint32(data[at+size:], crc32.Checksum(data[at:at+size], castagnoli))
			at += size + crcSize
		}
	}
	section(uint64(head))
	for _, size := range []uint64{h.RunBytes + 16*h.Words, 4 * h.Keys, h.KeyBytes} {
		section(size)
	}
	row := uint64(narrowRow)
	if h.Wide == 1 {
		row = wideRow
	}
	for rest := h.Records; rest > 0 && at < uint64(len(data)); rest -= min(rest, blockSize) {
		before := at
		if section(firstSize + min(rest, blockSize)*row); at == before {
			break
		}
	}
	return data
}

// FuzzCache reads entries of which the checksums are right. One that is not refused must
// allocate no more than its size allows for, and a snapshot that takes it must withstand
// all questions.
func FuzzCache(f *testing.F) {
	key := [sha256.Size]byte{1}
	for _, data := range [][]byte{edges(f), storeOf(f, 0, written{Revision{Main: 2}, "/a", strings.Repeat("1", 4096), 2, 1}, written{Revision{Main: 3}, "/a", "2", 2, 2}), storeOf(f, 0)} {
		s, err := OpenBytes(context.Background(), "snapshot.db", data, Options{Status: true})
		if err != nil {
			f.Fatal(err)
		}
		tally, _ := s.pages.Bucket("key").Tally()
		var entry bytes.Buffer
		if err := (&known{index: s.index, sum: s.keySum, tally: tally}).write(&entry, key); err != nil {
			f.Fatal(err)
		}
		f.Add(entry.Bytes())
	}
	db, path := edges(f), filepath.Join(f.TempDir(), "snapshot.db")
	if err := os.WriteFile(path, db, 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		copy(data[min(16, len(data)):], key[:])
		data = resummed(data)
		var k *known
		var err error
		got := allocated(func() {
			k, err = readCache(t.Context(), bytes.NewReader(data), int64(len(data)), key, int64(len(db)), 2)
		})
		if most := uint64(4<<20 + 64*len(data)); got > most {
			t.Errorf("%d bytes are allocated for an entry of %d, at most %d", got, len(data), most)
		}
		if err != nil {
			return
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		pages, resumed, err := boltpage.Resume(t.Context(), file, "key", &k.tally)
		if err != nil {
			t.Fatal(err)
		}
		s := &Snapshot{path: path, size: int64(len(db)), pages: pages, workers: 2}
		defer s.Close()
		if !resumed {
			return
		}
		s.meta = readMeta(s.pages, &s.problems)
		s.index, s.dbIndex, s.keySum = k.index, k.index, k.sum
		s.noteUnused(k.unused)
		askForged(t, s)
	})
}

// askForged asks everything of a snapshot whose index may say what is not so. Answers may
// be wrong, and values missing.
func askForged(t *testing.T, s *Snapshot) {
	ctx := t.Context()
	for r := range s.Records() {
		_, _ = s.Value(r)
		_, _ = s.Lease(r)
		s.Page(r)
	}
	for key := range s.AllKeys("") {
		s.History(key)
	}
	for h := range s.Histories() {
		_ = h
	}
	if v, err := s.At(s.Revision()); err == nil {
		for r := range v.Keys("") {
			_, _ = v.Get(r.Key)
		}
	}
	var errs [7]error
	_, errs[0] = s.Status(ctx)
	_, errs[1] = s.Hash(ctx)
	_, errs[2] = s.Usage(ctx)
	_, errs[3] = s.Buckets(ctx)
	_, errs[4] = s.Lost(ctx)
	_, errs[5] = s.Carve(ctx)
	_, errs[6] = s.Missing(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	_, _ = s.HashKV(ctx, 0)
	s.Problems()
	s.SeenRevision()
	s.BumpMarkers()
}

// TestEntryOfBlocks: an entry has its records in blocks, the last of which may be full.
func TestEntryOfBlocks(t *testing.T) {
	var items []hostile.Item
	var key [sha256.Size]byte
	for i := range int64(2*blockSize + 1) {
		items = append(items, hostile.Record(i+2, 0, i+2, 1, fmt.Sprintf("/%05d", i), nil))
	}
	for _, n := range []int{1, blockSize - 1, blockSize, blockSize + 1, 2 * blockSize, 2*blockSize + 1} {
		db := hostile.Store(hostile.Pack(items[:n])...)
		s, err := OpenBytes(t.Context(), "snapshot.db", db, Options{Status: true})
		if err != nil {
			t.Fatal(err)
		}
		var entry bytes.Buffer
		if err := (&known{index: s.index, sum: s.keySum}).write(&entry, key); err != nil {
			t.Fatal(err)
		}
		if s.index.wide() {
			t.Errorf("%d records: their revisions need all bits", n)
		}
		if n == 1 {
			for first, want := range map[int64]bool{0: true, math.MaxInt64 - math.MaxUint32: true, math.MaxInt64 - math.MaxUint32 + 1: false, -1: false} {
				data := bytes.Clone(entry.Bytes())
				binary.LittleEndian.PutUint64(data[len(data)-crcSize-narrowRow-firstSize:], uint64(first))
				data = resummed(data)
				if _, err := readCache(t.Context(), bytes.NewReader(data), int64(len(data)), key, int64(len(db)), 2); (err == nil) != want {
					t.Errorf("a block that begins at %d: %v", first, err)
				}
			}
		}
		if n == 2*blockSize+1 {
			refuseForged(t, entry.Bytes(), key, int64(len(db)))
		}
		for _, workers := range []int{0, 1, 3} {
			k, err := readCache(t.Context(), bytes.NewReader(entry.Bytes()), int64(entry.Len()), key, int64(len(db)), workers)
			if err != nil {
				t.Errorf("%d records: %v", n, err)
				continue
			}
			if got, want := recordsOf(k.index), recordsOf(s.index); !slices.Equal(got, want) {
				t.Errorf("%d records, %d workers: read %d that are not those written", n, workers, len(got))
			}
		}
		s.Close()
	}
}

// refuseForged forges an entry of two full blocks and a record, and wants it refused.
func refuseForged(t *testing.T, entry []byte, key [sha256.Size]byte, db int64) {
	t.Helper()
	const section = firstSize + blockSize*narrowRow + crcSize
	records := len(entry) - 2*section - (firstSize + narrowRow + crcSize)
	for name, forge := range map[string]func(data []byte){
		"blocks in another order": func(data []byte) {
			copy(data[records:], entry[records+section:][:section])
			copy(data[records+section:], entry[records:][:section])
		},
		"its first keys in another order": func(data []byte) { copy(data[bytes.Index(data, []byte("/00000/00001")):], "/00001/00000") },
		"its first keys the same":         func(data []byte) { copy(data[bytes.Index(data, []byte("/00000/00001")):], "/00000/00000") },
		"a width that there is not":       func(data []byte) { data[12] = 2 },
	} {
		data := bytes.Clone(entry)
		forge(data)
		data = resummed(data)
		if k, err := readCache(t.Context(), bytes.NewReader(data), int64(len(data)), key, db, 2); !errors.Is(err, errCache) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}

// TestWide: which revisions need all their bits.
func TestWide(t *testing.T) {
	const far = 1 << 32
	for _, tt := range []struct {
		name    string
		records []written
		want    bool
	}{
		{"near", []written{{Revision{Main: 2}, "/a", "1", 2, 1}, {Revision{Main: far + 1}, "/b", "1", far + 1, 1}}, false},
		{"far", []written{{Revision{Main: 2}, "/a", "1", 2, 1}, {Revision{Main: far + 2}, "/b", "1", far + 2, 1}}, true},
		{"created not long ago", []written{{Revision{Main: far + 1}, "/a", "1", 2, 2}}, false},
		{"created long ago", []written{{Revision{Main: far + 2}, "/a", "1", 2, 2}}, true},
		{"of a transaction", []written{{Revision{Main: 2}, "/a", "1", 2, 1}, {Revision{Main: 2, Sub: 1}, "/b", "1", 2, 1}}, true},
	} {
		s, err := OpenBytes(t.Context(), "snapshot.db", storeOf(t, 0, tt.records...), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.index.wide(); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
		s.Close()
	}
}

// TestEntryOfShortKeys: an entry has keys of any length.
func TestEntryOfShortKeys(t *testing.T) {
	for _, names := range [][]string{{"k"}, {"a", "b"}, {"", "k"}} {
		var records []written
		for i, name := range names {
			main := int64(i + 2)
			records = append(records, written{Revision{Main: main}, name, "1", main, 1})
		}
		s, err := OpenBytes(t.Context(), "snapshot.db", storeOf(t, 0, records...), Options{Status: true})
		if err != nil {
			t.Fatal(err)
		}
		var key [sha256.Size]byte
		var entry bytes.Buffer
		if err := (&known{index: s.index, sum: s.keySum}).write(&entry, key); err != nil {
			t.Fatal(err)
		}
		k, err := readCache(t.Context(), bytes.NewReader(entry.Bytes()), int64(entry.Len()), key, s.size, 1)
		if err != nil || !slices.Equal(k.index.keys, s.index.keys) {
			t.Errorf("%q: %+v, %v", names, k, err)
		}
		s.Close()
	}
}

// recordsOf are all records, however full the blocks are: each worker has its own.
func recordsOf(x *index) (list []Record) {
	for p := range x.places() {
		list = append(list, x.record(p))
	}
	return list
}
