package damage

import (
	"bytes"
	"encoding/binary"
)

// loseMetas makes both meta pages useless: what they lead to is intact.
func (m *maker) loseMetas() {
	way := m.IntN(5)
	for id := range 2 {
		page := m.bytes(id)
		switch way {
		case 0:
			clear(page)
		case 1:
			m.fill(page)
		case 2:
			clear(page[:headerSize+metaSize])
		case 3:
			m.flip(id*m.pageSize + headerSize + m.IntN(8)) // magic or version
		case 4:
			m.flip(id*m.pageSize + headerSize + metaRoot + m.IntN(metaSize-metaRoot)) // the checksum does not fit
		}
	}
	m.note("both metas lost, way %d", way)
}

// setMetas sets a field of both metas, and makes their checksums right.
func (m *maker) setMetas(field int, value uint64) {
	for id := range 2 {
		m.put(id*m.pageSize+headerSize+field, 8, value)
	}
	m.sumMetas()
}

// moveFreelist names a page for the freelist that holds none, or is not there.
func (m *maker) moveFreelist() {
	for {
		id := uint64(m.page())
		if m.IntN(2) == 0 {
			id = m.hostile(m.u64(headerSize+metaFreelist), 8)
		}
		if id != m.u64(headerSize+metaFreelist) && id != noFreelist {
			m.setMetas(metaFreelist, id)
			return
		}
	}
}

// moveHighWater makes the high-water mark too low or too high.
func (m *maker) moveHighWater() {
	mark := uint64(m.IntN(m.pages))
	switch m.IntN(3) {
	case 0:
		mark = uint64(m.pages) + 1 + uint64(m.IntN(1<<20))
	case 1:
		mark = 1<<63 + m.Uint64N(1<<62)
	}
	m.setMetas(metaPgid, mark)
}

// moveMetasRoot names a page for the root that is none.
func (m *maker) moveMetasRoot() {
	for {
		id := m.Uint64()
		if m.IntN(2) == 0 {
			id = uint64(m.page())
		}
		if id >= uint64(m.pages) || !m.holdsBuckets(int(id)) {
			m.setMetas(metaRoot, id)
			return
		}
	}
}

// holdsBuckets says whether a bucket stands on the page, as on those of the root.
func (m *maker) holdsBuckets(id int) bool {
	for _, root := range m.roots {
		if root/m.pageSize == id {
			return true
		}
	}
	return id < 2 || m.u16(id*m.pageSize+8) == branchFlag
}

// addNewer destroys a page of a tree, and puts a revision newer than all others on a
// page in no tree.
func (m *maker) addNewer() {
	free := 0
	for id := 2; id < m.pages; id++ {
		if !m.seen[id] && (free == 0 || m.IntN(8) == 0) {
			free = id
		}
	}
	var newest, record Revision
	for _, r := range m.Revisions() {
		if bytes.Compare(newest.Key, r.Key) < 0 {
			newest = r
		}
		if len(r.Key) == 17 && len(r.Value) < m.pageSize/2 && (record.Key == nil || m.IntN(8) == 0) {
			record = r
		}
	}
	if free > 0 && record.Key != nil {
		main := binary.BigEndian.Uint64(newest.Key) + 1 + m.Uint64N(100)
		m.writeLeaf(free, binary.BigEndian.AppendUint64(append(binary.BigEndian.AppendUint64(nil, main), '_'), 0), ofRevision(record.Value, main))
		m.note("revision %d on free page %d", main, free)
	}
	for {
		if id := m.page(); id > 1 {
			clear(m.bytes(id))
			m.note("page %d zeroed", id)
			return
		}
	}
}

// ofRevision is a record's value with another mod revision: the third field of an
// mvccpb.KeyValue, which follows the key and the create revision.
func ofRevision(value []byte, main uint64) []byte {
	if len(value) < 2 {
		return value
	}
	at := 1
	length, n := binary.Uvarint(value[at:])
	at += n + int(length)
	if n <= 0 || at >= len(value) || value[at] != 2<<3 {
		return value
	}
	_, n = binary.Uvarint(value[at+1:])
	at += 1 + n
	if n <= 0 || at >= len(value) || value[at] != 3<<3 {
		return value
	}
	_, n = binary.Uvarint(value[at+1:])
	changed := binary.AppendUvarint(bytes.Clone(value[:at+1]), main)
	return append(changed, value[at+1+max(n, 0):]...)
}

// writeLeaf makes a leaf page of one item.
func (m *maker) writeLeaf(id int, key, value []byte) {
	page, le := m.bytes(id), binary.LittleEndian
	clear(page)
	le.PutUint64(page, uint64(id))
	le.PutUint16(page[8:], leafFlag)
	le.PutUint16(page[10:], 1)
	element := page[headerSize:]
	le.PutUint32(element[4:], elementSize)
	le.PutUint32(element[8:], uint32(len(key)))
	le.PutUint32(element[12:], uint32(len(value)))
	copy(page[headerSize+elementSize:], append(bytes.Clone(key), value...))
}

// Intact says whether the page of a revision is as it was in a copy.
func (f *File) Intact(c *Copy, r Revision) bool { return f.same(c, r.Page, r.End) }

// Led says whether the copy still leads to a revision from the root: its page is
// intact, and so are those above it. What the metas say is left aside.
func (f *File) Led(c *Copy, r Revision) bool {
	for id := r.Page / f.pageSize; id != 0; id = f.parents[id] {
		off := id * f.pageSize
		if !f.same(c, off, off+(int(f.u32(off+12))+1)*f.pageSize) {
			return false
		}
	}
	return true
}

func (f *File) same(c *Copy, from, to int) bool {
	return to <= len(c.Data) && bytes.Equal(f.data[from:to], c.Data[from:to])
}
