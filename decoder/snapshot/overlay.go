package snapshot

import (
	"os"
	"sort"

	"google.golang.org/protobuf/encoding/protowire"

	"revenant/decoder/boltpage"
)

// overlay is what a log adds to its db: records as etcd would store them, after
// one another. They are made when they are read, and hold no value twice.
type overlay struct {
	pages   *boltpage.File
	spill   *os.File                   // of values that are kept there; nil for none
	name    func(number uint32) string // of a key
	changes []change
}

// change is a record of the overlay.
type change struct {
	key       uint32 // its number
	rev       Revision
	tombstone bool
	create    int64
	version   int64
	lease     int64
	value     valueRef
	offset    int64 // where the record begins in the overlay
	size      uint32
}

// valueRef is a value: bytes of an entry, a part of the db, or of the spill.
type valueRef struct {
	bytes  []byte
	offset int64 // in the db; 0 for bytes; below 0, in the spill from its first byte, which is -1, on
	size   int   // there
}

func (v valueRef) len() int {
	if v.offset != 0 {
		return v.size
	}
	return len(v.bytes)
}

// read copies what stands from a place in a value that is in no spill on; buf is no
// longer than that.
func (v valueRef) read(pages *boltpage.File, buf []byte, at int) error {
	if v.offset == 0 {
		copy(buf, v.bytes[at:])
		return nil
	}
	_, err := pages.ReadAt(buf, v.offset+int64(at))
	return err
}

// read copies what stands from a place in a value on.
func (o *overlay) read(v valueRef, buf []byte, at int) error {
	if v.offset < 0 {
		_, err := o.spill.ReadAt(buf, -v.offset-1+int64(at))
		return err
	}
	return v.read(o.pages, buf, at)
}

// Fields of an mvccpb.KeyValue.
const (
	kvKey     protowire.Number = 1
	kvCreate  protowire.Number = 2
	kvMod     protowire.Number = 3
	kvVersion protowire.Number = 4
	kvValue   protowire.Number = 5
	kvLease   protowire.Number = 6
)

// head is the stored record up to its value, of a key with that name.
func (c *change) head(name string) []byte {
	b := make([]byte, 0, len(name)+48)
	if name != "" {
		b = protowire.AppendString(protowire.AppendTag(b, kvKey, protowire.BytesType), name)
	}
	if c.tombstone {
		return b
	}
	b = appendNumber(b, kvCreate, c.create)
	b = appendNumber(b, kvMod, c.rev.Main)
	b = appendNumber(b, kvVersion, c.version)
	if n := c.value.len(); n > 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, kvValue, protowire.BytesType), uint64(n))
	}
	return b
}

// tail is the stored record after its value.
func (c *change) tail() []byte { return appendNumber(nil, kvLease, c.lease) }

func appendNumber(b []byte, field protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// readAt fills buf with what stands at an offset, within one record.
func (o *overlay) readAt(buf []byte, offset int64) error {
	n := sort.Search(len(o.changes), func(i int) bool { return o.changes[i].offset > offset }) - 1
	if n < 0 {
		return nil
	}
	c := &o.changes[n]
	at := int(offset - c.offset)
	head, size := c.head(o.name(c.key)), c.value.len()
	if at < len(head) {
		done := copy(buf, head[at:])
		buf, at = buf[done:], at+done
	}
	at -= len(head)
	if at < size && len(buf) > 0 {
		part := buf[:min(len(buf), size-at)]
		if err := o.read(c.value, part, at); err != nil {
			return err
		}
		buf, at = buf[len(part):], at+len(part)
	}
	if at -= size; len(buf) > 0 {
		tail := c.tail()
		copy(buf, tail[min(at, len(tail)):])
	}
	return nil
}
