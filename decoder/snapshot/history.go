package snapshot

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
)

// Errors that refuse a question about a revision or a key.
var (
	// ErrCompacted: the revision is older than the compact revision.
	ErrCompacted = errors.New("revision has been compacted")
	// ErrFuture: the revision is newer than the newest one.
	ErrFuture = errors.New("revision is in the future of this snapshot")
	// ErrNotFound: the key does not exist at that revision.
	ErrNotFound = errors.New("key not found")
)

// Record is one change of one key: a put or, with Tombstone, a deletion.
type Record struct {
	Key string
	Revision
	Tombstone      bool
	CreateRevision int64 // of the generation; 0 for a tombstone
	Version        int64 // counts the puts of the generation from 1; 0 for a tombstone
	// Generation numbers the lives of the key from 1, as far as its history is
	// retained. It is set by History only.
	Generation int
	Size       int // of the stored record in bytes, key and all

	offset int64 // of it, in bytes from the start of the file
	secret bool  // its value is encrypted by its beginning, or has to be read to know
}

// MayBeEncrypted is false of a record whose value certainly does not begin as one that an
// API server has encrypted.
func (r *Record) MayBeEncrypted() bool { return r.secret }

// View is the state of all keys at one revision.
type View struct {
	s   *Snapshot
	rev int64
}

// At returns the state at revision rev, which must lie between the compact
// revision and the newest: else the error is ErrCompacted or ErrFuture with
// the reason. 0 is the newest.
func (s *Snapshot) At(rev int64) (*View, error) {
	switch compact, head := s.CompactRevision(), s.Revision(); {
	case rev == 0:
		rev = head
	case rev < compact: // which is 0 at least
		return nil, fmt.Errorf("revision %d: %w: the oldest one kept is %d", rev, ErrCompacted, compact)
	case rev > head:
		return nil, fmt.Errorf("revision %d: %w: the newest one is %d", rev, ErrFuture, head)
	}
	return &View{s: s, rev: rev}, nil
}

// Revision is the revision whose state the view shows.
func (v *View) Revision() int64 { return v.rev }

// Keys yields the record of every key that exists at the view's revision and
// starts with prefix, sorted by key. The bump marker is not a key.
func (v *View) Keys(prefix string) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for k := range v.s.index.withPrefix(prefix) {
			r, ok := v.s.index.newest(k, v.rev)
			if ok && !r.Tombstone && !yield(r) {
				return
			}
		}
	}
}

// Get returns the record of key at the view's revision, or ErrNotFound.
func (v *View) Get(key string) (Record, error) {
	x := v.s.index
	k, ok := x.find(key)
	if !ok || key == "" {
		return Record{}, fmt.Errorf("%w: never in this snapshot", ErrNotFound)
	}
	r, ok := x.newest(k, v.rev)
	switch {
	case !ok:
		return Record{}, fmt.Errorf("%w at revision %d: first seen at %s", ErrNotFound, v.rev, x.record(x.records(k)[0]).Revision)
	case r.Tombstone:
		return Record{}, fmt.Errorf("%w at revision %d: deleted at %s", ErrNotFound, v.rev, r.Revision)
	}
	return r, nil
}

// KeysFrom yields what Keys does from a key on, which need not be there.
func (s *Snapshot) KeysFrom(key string) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		x := s.index
		at, _ := x.search(key)
		for _, k := range x.sorted[at:] {
			if x.keys[k] == "" {
				continue
			}
			if r, ok := x.newest(k, s.Revision()); ok && !r.Tombstone && !yield(r) {
				return
			}
		}
	}
}

// Keys is View.Keys at the newest revision.
func (s *Snapshot) Keys(prefix string) iter.Seq[Record] {
	return (&View{s: s, rev: s.Revision()}).Keys(prefix)
}

// Newest yields the newest record of every key that starts with prefix, also where that
// deletes the key, sorted by key. The bump marker is not a key.
func (s *Snapshot) Newest(prefix string) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		x := s.index
		for k := range x.withPrefix(prefix) {
			run := x.records(k)
			if !yield(x.record(run[len(run)-1])) {
				return
			}
		}
	}
}

// AllKeys yields every key that starts with prefix and has a record, those
// deleted since included, sorted. The bump marker is not a key.
func (s *Snapshot) AllKeys(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range s.index.withPrefix(prefix) {
			if !yield(s.index.keys[k]) {
				return
			}
		}
	}
}

// Get returns the record of key at revision rev, as View.Get; 0 is the newest.
func (s *Snapshot) Get(key string, rev int64) (Record, error) {
	v, err := s.At(rev)
	if err != nil {
		return Record{}, err
	}
	return v.Get(key)
}

// History returns the retained records of a key, oldest first, tombstones
// included; none for a key that is not in the snapshot. What a compaction
// removed is missing at the front.
func (s *Snapshot) History(key string) []Record {
	x := s.index
	k, ok := x.find(key)
	if !ok {
		return nil
	}
	return x.history(make([]Record, 0, len(x.records(k))), k)
}

// history appends the records of the key with number k.
func (x *index) history(list []Record, k uint32) []Record {
	generation := 1
	for n, p := range x.records(k) {
		list = append(list, x.record(p))
		if n > 0 && (list[n-1].Tombstone || !list[n].Tombstone && list[n].CreateRevision != list[n-1].CreateRevision) {
			generation++
		}
		list[n].Generation = generation
	}
	return list
}

// HistoriesOf yields the retained records, as History has them, of every key that starts
// with prefix, sorted by key, in at most n parts of about as many keys each, which can be
// read side by side. A part uses its slice again for the next key.
func (s *Snapshot) HistoriesOf(prefix string, n int) []iter.Seq[[]Record] {
	keys, n := slices.Collect(s.index.withPrefix(prefix)), max(n, 1)
	var parts []iter.Seq[[]Record]
	for part := range slices.Chunk(keys, max((len(keys)+n-1)/n, 1)) {
		parts = append(parts, func(yield func([]Record) bool) {
			var list []Record
			for _, k := range part {
				if list = s.index.history(list[:0], k); !yield(list) {
					return
				}
			}
		})
	}
	return parts
}

// Before returns the record of a key that is n records older than its newest one; ok is
// false when none that old is retained.
func (s *Snapshot) Before(key string, n int) (r Record, ok bool) {
	x := s.index
	k, ok := x.find(key)
	if !ok || n >= len(x.records(k)) {
		return Record{}, false
	}
	run := x.records(k)
	return x.record(run[len(run)-1-n]), true
}

// EveryNth yields every n-th record, in the order of revisions.
func (s *Snapshot) EveryNth(n int) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		at := 0
		for p := range s.index.places() {
			if at++; at%n == 0 && !yield(s.index.record(p)) {
				return
			}
		}
	}
}

// Histories yields the retained records of every key, oldest first, without their
// generations; bump markers, with the empty key, included. The slice is used again
// for the next key. It is faster than History of each.
func (s *Snapshot) Histories() iter.Seq[[]Record] {
	return func(yield func([]Record) bool) {
		x := s.index
		var list []Record
		for k := range x.keys {
			run := x.records(uint32(k))
			if len(run) == 0 {
				continue
			}
			list = slices.Grow(list[:0], len(run))
			for _, p := range run {
				list = append(list, x.record(p))
			}
			if !yield(list) {
				return
			}
		}
	}
}

// Records yields every record in the order of revisions, bump markers (with
// the empty key) included.
func (s *Snapshot) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for p := range s.index.places() {
			if !yield(s.index.record(p)) {
				return
			}
		}
	}
}

// Value reads a copy of the record's value; nil for a tombstone. A value that is
// encrypted is decrypted where the snapshot was opened with the keys for it. The
// error says which page could not be read.
func (s *Snapshot) Value(r Record) ([]byte, error) {
	kv, err := s.read(r)
	if err != nil || kv.value == nil {
		return nil, err
	}
	if s.decrypt != nil {
		if plain, err := s.decrypt(r.Key, kv.value); err == nil {
			return plain, nil
		}
	}
	return kv.value, nil
}

// Scan calls fn with the record's value as Value reads it, without copying it where it
// need not be decrypted: it is fn's until it returns, must not be changed, and may change
// where somebody writes to the file. The error is Value's, after which nothing counts that
// fn did, or else fn's.
func (s *Snapshot) Scan(r Record, fn func(value []byte) error) error {
	if s.decrypt != nil && r.secret || r.offset >= s.pages.Size() {
		value, err := s.Value(r)
		if err != nil {
			return err
		}
		return fn(value)
	}
	var of error
	err := s.pages.View(r.offset, r.Size, func(b []byte) {
		kv, err := scanKeyValue(b)
		if err != nil {
			of = fmt.Errorf("read revision %s: %w", r.Revision, err)
			return
		}
		of = fn(kv.value)
	})
	if err != nil {
		return fmt.Errorf("read revision %s: %w", r.Revision, err)
	}
	return of
}

// Decrypted reads the record's value and says why it cannot be decrypted. Without
// keys it returns the value as it is stored.
func (s *Snapshot) Decrypted(r Record) ([]byte, error) {
	kv, err := s.read(r)
	if err != nil || s.decrypt == nil {
		return kv.value, err
	}
	return s.decrypt(r.Key, kv.value)
}

// Head reads the first n bytes of the record's value as it is stored, fewer when
// there are no more.
func (s *Snapshot) Head(r Record, n int) ([]byte, error) {
	const fields = 64 // bytes of the other fields before the value, at most
	b, err := s.readRaw(r.offset, min(r.Size, len(r.Key)+fields+n), nil)
	if err != nil {
		return nil, fmt.Errorf("read revision %s: %w", r.Revision, err)
	}
	return valueHead(b, n), nil
}

// Raw reads the stored bytes of a record, an mvccpb.KeyValue, into buf where that
// is large enough; none for a bump marker. They are the same in every member that
// has applied the same writes. The error is Value's.
func (s *Snapshot) Raw(r Record, buf []byte) ([]byte, error) {
	b, err := s.readRaw(r.offset, r.Size, buf)
	if err != nil {
		return b, fmt.Errorf("read revision %s: %w", r.Revision, err)
	}
	return b, nil
}

// Lease reads the id of the lease the record was put with, 0 for none. Of a large
// value it reads only what stands around it.
func (s *Snapshot) Lease(r Record) (int64, error) {
	const small = 512 // bytes that are cheaper read than stepped over
	if r.Size > len(r.Key)+small {
		b, err := s.readRaw(r.offset, len(r.Key)+small, nil)
		if err != nil {
			return 0, fmt.Errorf("read revision %s: %w", r.Revision, err)
		}
		if _, end := valueSpan(b); end >= len(b) && end <= r.Size {
			if b, err = s.readRaw(r.offset+int64(end), r.Size-end, b); err != nil {
				return 0, fmt.Errorf("read revision %s: %w", r.Revision, err)
			}
			if kv, err := scanKeyValue(b); err == nil {
				return kv.lease, nil
			}
		}
	}
	kv, err := s.read(r)
	return kv.lease, err
}

// locate finds the value of a record of the db without reading it, and its lease.
func (s *Snapshot) locate(r Record, buf []byte) (valueRef, int64, error) {
	const fields, lease = 64, 16 // bytes before the value but for the key, and after it, at most
	b, err := s.readRaw(r.offset, min(r.Size, len(r.Key)+fields), buf)
	if err != nil {
		return valueRef{}, 0, err
	}
	if from, to := valueSpan(b); to > 0 && to <= r.Size && r.Size-to < lease {
		if b, err = s.readRaw(r.offset+int64(to), r.Size-to, b); err != nil {
			return valueRef{}, 0, err
		}
		kv, err := scanKeyValue(b)
		if err == nil && kv.value == nil {
			return valueRef{offset: r.offset + int64(from), size: to - from}, kv.lease, nil
		}
	}
	kv, err := s.read(r)
	return valueRef{bytes: kv.value}, kv.lease, err
}

func (s *Snapshot) read(r Record) (keyValue, error) {
	b, err := s.Raw(r, nil)
	if err != nil {
		return keyValue{}, err
	}
	kv, err := scanKeyValue(b)
	if err != nil {
		return keyValue{}, fmt.Errorf("read revision %s: %w", r.Revision, err)
	}
	return kv, nil
}

// readRaw copies the stored bytes of a record: a mvccpb.KeyValue of size bytes at
// offset in the file, or in what the log adds to it, which comes after; none
// for a bump marker. It reuses buf when that is large enough. Every read of a
// record goes through it.
func (s *Snapshot) readRaw(offset int64, size int, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], size)[:size]
	if at := offset - s.pages.Size(); at >= 0 && s.overlay != nil {
		return buf, s.overlay.readAt(buf, at)
	}
	_, err := s.pages.ReadAt(buf, offset)
	return buf, err
}

func (x *index) record(p place) Record {
	b, i := x.at(p)
	return Record{
		Key:            x.keys[b.key[i]],
		Revision:       b.revision(i),
		Tombstone:      b.tombstone(i),
		CreateRevision: b.create(i),
		Version:        int64(b.version[i]),
		Size:           int(b.size[i] &^ tombstoneBit),
		offset:         b.offset[i],
		secret:         b.secret.has(i),
	}
}

// withPrefix yields the number of every key that starts with prefix and has a
// record, in the order of the keys. The empty key of bump markers is left out.
func (x *index) withPrefix(prefix string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		from, _ := x.search(prefix)
		for _, k := range x.sorted[from:] {
			if !strings.HasPrefix(x.keys[k], prefix) {
				return
			}
			if x.keys[k] != "" && len(x.records(k)) > 0 && !yield(k) {
				return
			}
		}
	}
}

// newest finds the last record of the key with number k whose main revision is at most rev.
func (x *index) newest(k uint32, rev int64) (Record, bool) {
	p, ok := x.newestPlace(k, rev)
	if !ok {
		return Record{}, false
	}
	return x.record(p), true
}

// newestPlace is newest for those who need only where the record stands.
func (x *index) newestPlace(k uint32, rev int64) (place, bool) {
	run := x.records(k)
	if len(run) > 0 { // most ask about the newest revision
		if b, i := x.at(run[len(run)-1]); b.main(i) <= rev {
			return run[len(run)-1], true
		}
	}
	n := sort.Search(len(run), func(n int) bool {
		b, i := x.at(run[n])
		return b.main(i) > rev
	})
	if n == 0 {
		return 0, false
	}
	return run[n-1], true
}
