package scrub

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math/bits"
	"os"
	"strconv"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshotfile"
	"revenant/decoder/wire"
)

// Scrubber scrubs snapshots of one cluster with the same pseudonyms. It is not safe for
// concurrent use. What it keeps in memory grows with the distinct words in the snapshots: a
// few dozen bytes each.
type Scrubber struct {
	values
	prefix string // below which the API servers keep their keys
}

// New makes a Scrubber for a cluster whose API servers keep their keys below prefix, as
// kube.ParseKey takes it.
func New(k Key, prefix string) *Scrubber {
	return &Scrubber{values: values{texts: newTexts(k)}, prefix: prefix}
}

// Ledger has the words of all that was scrubbed.
func (s *Scrubber) Ledger() *Ledger { return s.ledger }

// Name is the pseudonym of a name, an address or a uid.
func (s *Scrubber) Name(name string) string {
	b := []byte(name)
	s.text(b)
	return string(b)
}

// Key is the pseudonym of the key of a record.
func (s *Scrubber) Key(key string) string {
	b := []byte(key)
	s.key(b)
	return string(b)
}

// Result counts what was done.
type Result struct {
	snapshotfile.Written
	Records   int `json:"records"`
	Encrypted int `json:"encrypted"` // values that are overwritten, because they are encrypted
	// Blanked are values that are overwritten, because they cannot be read, and First says
	// why the first one could not.
	Blanked int    `json:"blanked"`
	First   string `json:"first,omitempty"`
	// Dropped are items of small buckets that are left out: users and roles of etcd's own,
	// and what no etcd is known to write.
	Dropped int `json:"dropped"`
}

// Write writes s, scrubbed, to a new file in dir, and leaves a working file called db beside
// it. progress, which may be nil, is called with how many of how many records are written.
func (s *Scrubber) Write(ctx context.Context, from *snapshot.Snapshot, dir *os.Root, name string, progress func(done, total int)) (*Result, error) {
	r := &Result{}
	small, err := s.buckets(from, r)
	if err != nil {
		return nil, err
	}
	next, stop := iter.Pull(from.Records())
	defer stop()
	content := snapshotfile.Content{PageSize: from.PageSize(), Small: small}
	content.Next = func(room []byte) (snapshot.Record, []byte, error) {
		record, ok := next()
		if !ok {
			return record, nil, io.EOF
		}
		raw, err := from.Raw(record, room)
		if err != nil {
			return record, nil, err
		}
		r.Records++
		return record, raw, s.record(raw, r)
	}
	if content.Freed, err = s.freed(ctx, from, r); err != nil {
		return nil, err
	}
	if progress != nil {
		content.Progress = func() { progress(r.Records, from.Len()) }
	}
	r.Written, err = snapshotfile.Write(ctx, dir, name, content)
	return r, err
}

// freed is the newest record on a page that nothing refers to, where that is newer than all
// others: it shows how far etcd had come.
func (s *Scrubber) freed(ctx context.Context, from *snapshot.Snapshot, r *Result) (f snapshotfile.Freed, err error) {
	if !from.NewerUnused() {
		return f, nil
	}
	left, err := from.Leftovers(ctx)
	if err != nil {
		return f, err
	}
	for l := range left.All() {
		if l.Main == from.SeenRevision() {
			f.Record = l.Record
		}
	}
	if f.Main == 0 {
		return f, nil
	}
	if f.Value, err = from.Raw(f.Record, nil); err == nil {
		err = s.record(f.Value, r)
	}
	return f, err
}

// record scrubs a mvccpb.KeyValue in place (etcd api/v3 mvccpb/kv.proto). It refuses one
// with a field that etcd does not write.
func (s *Scrubber) record(b []byte, r *Result) error {
	var key, value []byte
	for f, err := range wire.Fields(b) {
		if err != nil {
			return fmt.Errorf("a record is malformed: %w", err)
		}
		switch number := f.Num(); {
		case number == 1 && f.Type() == wire.Bytes:
			key = f.Payload(b)
		case number == 5 && f.Type() == wire.Bytes:
			value = f.Payload(b)
		case (number == 2 || number == 3 || number == 4 || number == 6) && f.Type() == wire.Varint:
		default:
			return fmt.Errorf("a record has a field %d, which etcd does not write", number)
		}
	}
	if string(key) == compactKey && all(value, isDigit) {
		s.keep(value)
	} else {
		switch err := s.value(value); {
		case err == errEncrypted:
			r.Encrypted++
		case err != nil:
			if r.Blanked++; r.First == "" {
				r.First = err.Error()
			}
		}
	}
	s.key(key)
	return nil
}

// compactKey is where API servers agree on compactions; its value is a revision (apiserver
// v0.37 pkg/storage/etcd3/compact.go).
const compactKey = "compact_rev_key"

// Prefix is the pseudonym of a prefix of keys, as kube.ParseKey takes it: those that
// API servers have by default stay.
func (s *Scrubber) Prefix(prefix string) string {
	list := kube.SplitPrefixes(prefix)
	for i := range list {
		b := []byte(list[i])
		s.segments(b)
		list[i] = string(b)
	}
	return kube.JoinPrefixes(list...)
}

// key scrubs the key of a record in place: what Kubernetes calls its resources stays.
func (s *Scrubber) key(b []byte) {
	key := string(b)
	if below, ok := kube.CutPrefix(s.prefix, key); ok {
		s.segments(b[:len(b)-len(below)])
		b = b[len(b)-len(below):]
	}
	if k, ok := kube.ParseKey(s.prefix, key); ok {
		own := len(k.Name)
		if k.Namespace != "" {
			own += len(k.Namespace) + len("/")
		}
		if _, builtIn := k.Type(); builtIn && own <= len(b) {
			s.keep(b[:len(b)-own])
			b = b[len(b)-own:]
		}
	}
	s.segments(b)
}

// segments scrubs what stands between slashes.
func (s *Scrubber) segments(b []byte) {
	for _, segment := range bytes.Split(b, []byte("/")) {
		s.text(segment)
	}
}

// buckets are the small buckets, scrubbed.
func (s *Scrubber) buckets(from *snapshot.Snapshot, r *Result) (map[string]map[string][]byte, error) {
	small := map[string]map[string][]byte{}
	for _, bucket := range snapshotfile.Buckets {
		items := map[string][]byte{}
		small[bucket] = items
		_, err := from.EachBucket(bucket, func(key, value []byte) error {
			if s.item(bucket, key, value) {
				items[string(key)] = value
			} else {
				r.Dropped++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return small, nil
}

// item scrubs an item of a small bucket in place. ok is false when it is to be left out.
func (s *Scrubber) item(bucket string, key, value []byte) (ok bool) {
	switch bucket {
	case "meta":
		switch string(key) {
		case "consistent_index", "term":
			return len(value) == 8
		case "scheduledCompactRev", "finishedCompactRev":
			return len(value) == 17
		case "storageVersion":
			s.version(value)
			return true
		case "confState":
			return s.members(value) == nil
		}
	case "cluster":
		switch string(key) {
		case "clusterVersion":
			s.version(value)
			return true
		case "downgrade":
			return s.members(value) == nil
		}
	case "members":
		return s.memberKey(key) && s.members(value) == nil
	case "members_removed":
		return s.memberKey(key) && string(value) == "removed"
	case "auth":
		switch string(key) {
		case "authEnabled":
			return len(value) == 1
		case "authRevision":
			return len(value) == 8
		}
	case "lease":
		return len(key) == 8 && numbersOnly(value, nil)
	case "alarm": // its key is an AlarmMember: the id of a member, and what it raised
		return numbersOnly(key, func(number int32, b []byte) {
			if number == 1 {
				id, _ := wire.Uvarint(b)
				binary.PutUvarint(b, s.member(id))
			}
		}) && len(value) == 0
	}
	return false
}

// numbersOnly says whether a message has nothing but numbers, and passes on their bytes.
func numbersOnly(b []byte, number func(field int32, b []byte)) bool {
	for f, err := range wire.Fields(b) {
		if err != nil || f.Type() != wire.Varint {
			return false
		}
		if number != nil {
			number(f.Num(), f.Payload(b))
		}
	}
	return true
}

// members scrubs what etcd writes of members as JSON: names, URLs, and ids, which are made
// of the URLs (etcd server/v3 v3.7 etcdserver/api/membership/member.go).
func (s *Scrubber) members(b []byte) error {
	s.json = true
	return kube.WalkJSON(b, func(p *kube.Part) {
		switch {
		case p.What == kube.PartNumber:
			id, err := strconv.ParseUint(string(p.Bytes), 10, 64)
			if err == nil {
				strconv.AppendUint(p.Bytes[:0], s.member(id), 10)
			}
			s.keep(p.Bytes)
		case p.What == kube.PartText && p.Name() == "target-version":
			s.version(p.Bytes)
		default:
			s.part(p)
		}
	})
}

// memberKey scrubs the id of a member in hexadecimal digits.
func (s *Scrubber) memberKey(b []byte) bool {
	id, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil || strconv.FormatUint(id, 16) != string(b) {
		return false
	}
	strconv.AppendUint(b[:0], s.member(id), 16)
	s.keep(b)
	return true
}

// member is the pseudonym of an id: another number that is as long, however it is written.
func (s *Scrubber) member(id uint64) uint64 {
	if bits.Len64(id) < 32 {
		return id // no hash: a test's, or none
	}
	digits := len(strconv.FormatUint(id, 10))
	for n := uint64(0); ; n++ {
		d := s.cipher.digest(domainMember, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, id), n))
		made := binary.BigEndian.Uint64(d[:])>>(64-bits.Len64(id)) | 1<<(bits.Len64(id)-1)
		if len(strconv.FormatUint(made, 10)) == digits {
			return made
		}
	}
}
