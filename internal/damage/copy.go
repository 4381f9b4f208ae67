package damage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Copy is a damaged copy of a file.
type Copy struct {
	Kind string // one of Kinds
	Note string // what was changed, for a test's message
	Data []byte // the copy, of its own
	Hit  Class  // classes of all bytes that differ from the healthy file
}

// kinds are all kinds of damage. Each changes c.Data and says how; one that
// happens to change nothing is made again.
var kinds = []struct {
	name string
	make func(*maker)
}{
	{"bit flips", (*maker).flipAnywhere},
	{"structure flips", (*maker).flipStructure},
	{"zeroed pages", (*maker).zeroPages},
	{"random pages", (*maker).randomPages},
	{"swapped pages", (*maker).swapPages},
	{"copied page", (*maker).copyPage},
	{"torn page", (*maker).tearPage},
	{"truncated", (*maker).truncate},
	{"appended", (*maker).append},
	{"hostile meta", (*maker).hostileMeta},
	{"hostile header", (*maker).hostileHeader},
	{"hostile leaf element", (*maker).hostileLeaf},
	{"hostile branch element", (*maker).hostileBranch},
	{"child elsewhere", (*maker).moveChild},
	{"root elsewhere", (*maker).moveRoot},
	{"metas lost", (*maker).loseMetas},
	{"freelist elsewhere", (*maker).moveFreelist},
	{"high-water mark wrong", (*maker).moveHighWater},
	{"metas' root elsewhere", (*maker).moveMetasRoot},
	{"newer page beside a loss", (*maker).addNewer},
}

// Kinds are the names of the kinds of damage, in the order seeds go through them.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Copy makes the damaged copy of a seed. Consecutive seeds go through the kinds
// in turn.
func (f *File) Copy(seed uint64) Copy {
	k := kinds[seed%uint64(len(kinds))]
	m := &maker{
		File: f,
		Rand: rand.New(rand.NewPCG(seed, 0x646d67)),
		copy: Copy{Kind: k.name, Data: slices.Clone(f.data)},
	}
	for m.copy.Hit == 0 {
		m.copy.Note = ""
		k.make(m)
		m.copy.Hit = f.hit(m.copy.Data)
	}
	return m.copy
}

// hit is the classes of the bytes in which data differs from the file.
func (f *File) hit(data []byte) Class {
	const step = 512
	var c Class
	both := min(len(f.data), len(data))
	for off := 0; off < both; off += step {
		end := min(off+step, both)
		if bytes.Equal(f.data[off:end], data[off:end]) {
			continue
		}
		for i := off; i < end; i++ {
			if f.data[i] != data[i] {
				c |= f.class[i]
			}
		}
	}
	for _, lost := range f.class[both:] {
		c |= lost
	}
	if len(data) != len(f.data) {
		c |= Length
	}
	return c
}

// maker makes one copy.
type maker struct {
	*File
	*rand.Rand
	copy Copy
}

func (m *maker) note(format string, args ...any) {
	if m.copy.Note != "" {
		m.copy.Note += ", "
	}
	m.copy.Note += fmt.Sprintf(format, args...)
}

func (m *maker) flip(off int) {
	bit := m.IntN(8)
	m.copy.Data[off] ^= 1 << bit
	m.note("bit %d of byte %d", bit, off)
}

func (m *maker) flipAnywhere() {
	for range 1 + m.IntN(8) {
		m.flip(m.IntN(len(m.data)))
	}
}

// flipStructure flips bits of what readers steer by, which is a few percent of
// a file and so seldom hit by chance.
func (m *maker) flipStructure() {
	for flips := 1 + m.IntN(4); flips > 0; {
		page := m.page() * m.pageSize
		off := page + m.IntN(min(m.pageSize, headerSize+metaSize))
		if m.class[off]&(Unread|Key|Value) == 0 {
			m.flip(off)
			flips--
		}
	}
}

func (m *maker) zeroPages() {
	for range 1 + m.IntN(3) {
		id := m.page()
		clear(m.bytes(id))
		m.note("page %d zeroed", id)
	}
}

func (m *maker) randomPages() {
	for range 1 + m.IntN(3) {
		id := m.page()
		m.fill(m.bytes(id))
		m.note("page %d random", id)
	}
}

func (m *maker) swapPages() {
	a, b := m.page(), m.page()
	one := slices.Clone(m.bytes(a))
	copy(m.bytes(a), m.bytes(b))
	copy(m.bytes(b), one)
	m.note("pages %d and %d swapped", a, b)
}

func (m *maker) copyPage() {
	from, to := m.page(), m.page()
	copy(m.bytes(to), m.bytes(from))
	m.note("page %d copied over %d", from, to)
}

// tearPage puts other bytes where some sectors of a page were, as a write that
// was cut off does.
func (m *maker) tearPage() {
	const sector = 512
	from, to := m.page(), m.page()
	a := m.IntN(m.pageSize / sector)
	b := a + 1 + m.IntN(m.pageSize/sector-a)
	sectors := m.bytes(to)[a*sector : b*sector]
	if m.IntN(2) == 0 {
		clear(sectors)
		m.note("sectors %d to %d of page %d zeroed", a, b, to)
		return
	}
	copy(sectors, m.bytes(from)[a*sector:])
	m.note("sectors %d to %d of page %d from page %d", a, b, to, from)
}

func (m *maker) truncate() {
	size := m.IntN(len(m.data))
	switch m.IntN(4) {
	case 0:
		size = len(m.data) - 1 - m.IntN(min(len(m.data)-1, 1024))
	case 1:
		size -= size % m.pageSize
	case 2:
		size -= size % m.pageSize
		size = min(size+32, len(m.data)-1) // looks as if it had a trailer
	}
	m.copy.Data = m.copy.Data[:size]
	m.note("cut to %d bytes", size)
}

func (m *maker) append() {
	sizes := []int{1, 31, 32, 33, 480, 512, m.pageSize - 32, m.pageSize, m.pageSize + 32, 1 + m.IntN(1<<16)}
	extra := make([]byte, sizes[m.IntN(len(sizes))])
	switch m.IntN(3) {
	case 0:
		m.fill(extra)
	case 1:
		copy(extra, m.data)
	}
	m.copy.Data = append(m.copy.Data, extra...)
	m.note("%d bytes appended", len(extra))
}

// hostileMeta changes fields of one meta or of both, and makes their checksums right.
func (m *maker) hostileMeta() {
	widths := []int{4, 4, 4, 4, 8, 8, 8, 8, 8} // up to the checksum
	which := 1 + m.IntN(3)
	for range 1 + m.IntN(2) {
		i := m.IntN(len(widths))
		off := 0
		for _, w := range widths[:i] {
			off += w
		}
		value := m.hostile(m.u64(headerSize+off), widths[i])
		if off == metaRoot && m.IntN(2) == 0 {
			value = uint64(m.page())
		}
		for id := range 2 {
			if which&(1<<id) != 0 {
				m.put(id*m.pageSize+headerSize+off, widths[i], value)
			}
		}
	}
	m.sumMetas()
}

// sumMetas makes the checksums of both metas right.
func (m *maker) sumMetas() {
	for id := range 2 {
		meta := m.copy.Data[id*m.pageSize+headerSize:]
		binary.LittleEndian.PutUint64(meta[metaChecksum:], metaSum(meta))
	}
}

func (m *maker) hostileHeader() {
	tables := slices.Concat(m.branches, m.leaves)
	m.field(tables[m.IntN(len(tables))].off, 8, 2, 2, 4)
}

func (m *maker) hostileLeaf()   { m.field(m.element(m.leaves), 4, 4, 4, 4) }
func (m *maker) hostileBranch() { m.field(m.element(m.branches), 4, 4, 8) }

// moveChild makes a branch element point at another page: itself, one above it
// or another's child give a cycle or a shared page.
func (m *maker) moveChild() {
	e := m.element(m.branches)
	if m.IntN(2) == 0 {
		m.put(e+8, 8, m.u64(m.element(m.branches)+8))
		return
	}
	m.put(e+8, 8, uint64(m.page()))
}

// moveRoot makes a bucket's root point at another page, or at a root or child
// that is in use.
func (m *maker) moveRoot() {
	root := m.roots[m.IntN(len(m.roots))]
	value := uint64(m.page())
	switch m.IntN(4) {
	case 0:
		value = m.u64(m.roots[m.IntN(len(m.roots))])
	case 1:
		value = m.u64(m.element(m.branches) + 8)
	case 2:
		value = m.hostile(m.u64(root), 8)
	}
	m.put(root, 8, value)
}

// field changes one of the fields that lie at off one after the other.
func (m *maker) field(off int, widths ...int) {
	i := m.IntN(len(widths))
	for _, w := range widths[:i] {
		off += w
	}
	m.put(off, widths[i], m.hostile(m.u64(off), widths[i]))
}

// element is the offset of an element of one of the tables.
func (m *maker) element(tables []table) int {
	for {
		if t := tables[m.IntN(len(tables))]; t.n > 0 {
			return t.element(m.IntN(t.n))
		}
	}
}

// hostile is a value for a field of a width in bytes that holds old: a
// neighbour, an edge of the width, a size that the file has, or any.
func (m *maker) hostile(old uint64, width int) uint64 {
	edge := ^uint64(0) >> (64 - 8*width)
	old &= edge
	values := []uint64{
		0, 1, 2, 3, 16, edge, edge - 1, edge - headerSize, edge >> 1, edge>>1 + 1,
		old + 1, old - 1, old + 2, old - 2, old << 1, old >> 1, old ^ 1<<m.IntN(8*width),
		uint64(m.pageSize), uint64(m.pages), uint64(m.pages) - 1, uint64(len(m.data)), uint64(len(m.data)) - old,
		m.Uint64N(uint64(m.pages)), m.Uint64N(uint64(m.pageSize)), m.Uint64(),
	}
	return values[m.IntN(len(values))] & edge
}

// put sets the field of a width in bytes at off.
func (m *maker) put(off, width int, value uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], value)
	copy(m.copy.Data[off:off+width], b[:])
	m.note("%d at byte %d (page %d byte %d)", value, off, off/m.pageSize, off%m.pageSize)
}

// page is the id of a page: a meta page now and then, else any in use.
func (m *maker) page() int {
	if m.IntN(16) == 0 {
		return m.IntN(2)
	}
	for {
		if id := m.IntN(m.pages); m.seen[id] {
			return id
		}
	}
}

func (m *maker) bytes(id int) []byte {
	return m.copy.Data[id*m.pageSize : (id+1)*m.pageSize]
}

func (m *maker) fill(b []byte) {
	for i := range b {
		b[i] = byte(m.Uint32())
	}
}
