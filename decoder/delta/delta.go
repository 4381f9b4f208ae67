// Package delta reads the files of changes that Gardener's etcd-backup-restore saves
// after a full snapshot (pkg/snapshot/snapshotter/snapshotter.go).
//
// It takes a file, expanded: a JSON array of the events of a watch on all keys, in
// order, and its SHA-256. It returns the events, once the hash was compared.
//
// It refuses a file whose hash differs, and anything that is no such array. An event
// takes no more memory than the bytes that it has in the file, and one with more than
// MaxEvent bytes is refused.
package delta

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxEvent bounds an event, in bytes of the file. etcd refuses requests of more than
// 1.5 MiB unless --max-request-bytes says otherwise; an event is a third longer, and
// may have the value before it, too.
const MaxEvent = 64 << 20

// Errors that say why a file is not read. They come wrapped.
var (
	ErrShort = errors.New("is too short to have a hash")
	ErrHash  = errors.New("its SHA-256 is not that of its events")
)

// Event is a change of one key.
type Event struct {
	Delete         bool
	Key            []byte
	CreateRevision int64
	ModRevision    int64 // of the change
	Version        int64
	Lease          int64
	Value          []byte
	Time           time.Time // when it was received
}

// stored is an event as it is marshalled: clientv3.Event has no methods, so that
// encoding/json writes its fields (api/v3 mvccpb/kv.proto).
type stored struct {
	Event *struct {
		Type json.RawMessage `json:"type"`
		KV   *struct {
			Key            []byte `json:"key"`
			CreateRevision int64  `json:"create_revision"`
			ModRevision    int64  `json:"mod_revision"`
			Version        int64  `json:"version"`
			Value          []byte `json:"value"`
			Lease          int64  `json:"lease"`
		} `json:"kv"`
	} `json:"etcdEvent"`
	Time json.RawMessage `json:"time"`
}

// Read compares the hash of a file of size bytes with what it holds, and then calls
// use for one event after another. The error is use's, ctx's, one of those above, or
// says what is not understood.
func Read(ctx context.Context, r io.ReaderAt, size int64, use func(*Event) error) error {
	content := size - sha256.Size
	if content < 0 {
		return ErrShort
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, &interruptible{ctx, io.NewSectionReader(r, 0, content)}); err != nil {
		return err
	}
	var want [sha256.Size]byte
	if _, err := r.ReadAt(want[:], content); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Equal(sum.Sum(nil), want[:]) {
		return ErrHash
	}
	return events(&interruptible{ctx, io.NewSectionReader(r, 0, content)}, use)
}

// events reads the array.
func events(r io.Reader, use func(*Event) error) error {
	in := &metered{r: r, left: MaxEvent}
	d := json.NewDecoder(in)
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(errors.New("is no list of events"), err)
	}
	n := 0
	for d.More() {
		n++
		var s stored
		if err := d.Decode(&s); errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("event %d breaks off", n)
		} else if err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
		in.left = MaxEvent
		e, err := s.event()
		if err != nil {
			return fmt.Errorf("event %d %w", n, err)
		}
		if err := use(e); err != nil {
			return err
		}
	}
	_, err := d.Token()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the list breaks off after event %d", n)
	}
	return err
}

func (s *stored) event() (*Event, error) {
	if s.Event == nil || s.Event.KV == nil {
		return nil, errors.New("has no key")
	}
	kv := s.Event.KV
	e := &Event{Key: kv.Key, CreateRevision: kv.CreateRevision, ModRevision: kv.ModRevision, Version: kv.Version, Lease: kv.Lease, Value: kv.Value}
	switch string(s.Event.Type) {
	case "", "0", `"PUT"`, "null":
	case "1", `"DELETE"`:
		e.Delete = true
	default:
		return nil, errors.New("is of a type that etcd does not have")
	}
	if len(kv.Key) == 0 || kv.ModRevision <= 0 || !e.Delete && (kv.CreateRevision <= 0 || kv.CreateRevision > kv.ModRevision || kv.Version <= 0) {
		return nil, errors.New("is not one that etcd makes")
	}
	_ = json.Unmarshal(s.Time, &e.Time) // zero where it is no time
	return e, nil
}

// metered ends what is read of one event.
type metered struct {
	r    io.Reader
	left int64
}

func (m *metered) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, fmt.Errorf("has more than %d bytes", MaxEvent)
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
