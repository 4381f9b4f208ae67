package adversary

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"
)

// archiveCase packs the current state, and what does not belong there with it.
func (m *maker) archiveCase() error {
	m.cluster(m.IntN(2))
	b, c := m.files()
	if m.odds(3) {
		m.lie(c)
	}
	if err := m.save(b, c); err != nil {
		return err
	}
	db := m.Files[c.Path]
	delete(m.Files, c.Path)
	switch m.IntN(4) {
	case 0:
		m.note("one file, compressed")
		c.Path = "current.gz"
		m.Files[c.Path] = m.compressed(c, db)
	case 1:
		c.Path = "current.zip"
		m.Files[c.Path] = m.zip(c, db)
	default:
		c.Path = "current.tar"
		data := m.tar(c, db)
		if m.odds(2) {
			data = m.compressed(c, data)
		}
		m.Files[c.Path] = data
	}
	return nil
}

// compressed compresses data, and damages what comes of it at times.
func (m *maker) compressed(f *file, data []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	if m.odds(2) {
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			m.err = err
			return nil
		}
		w = z
	} else {
		z := gzip.NewWriter(&b)
		if m.odds(2) {
			z.Name, z.Comment, z.ModTime = "x\u00e9"+strings.Repeat("a", m.IntN(500)), "pwned\u0085", m.when()
		}
		w = z
	}
	if _, err := w.Write(data); err != nil {
		m.err = err
	}
	if err := w.Close(); err != nil {
		m.err = err
	}
	packed := b.Bytes()
	switch m.IntN(6) {
	case 0:
		m.note("compressed data that is cut off")
		packed = packed[:len(packed)-1-m.IntN(len(packed)-1)]
		f.damaged("the compressed data is cut off")
	case 1:
		m.note("compressed data with bytes after its end")
		packed = append(packed, m.word()...)
		f.Sound = false
	case 2:
		m.note("compressed data with a bit flipped")
		packed[m.IntN(len(packed))] ^= 1 << m.IntN(8)
		f.Sound, m.Phantoms, m.Ghosts = false, nil, nil // which pods are lost is not known
	case 3:
		m.note("compressed data with an empty stream after it")
		var empty bytes.Buffer
		z := gzip.NewWriter(&empty)
		_ = z.Close() // a bytes.Buffer takes all
		for range m.IntN(3000) {
			packed = append(packed, empty.Bytes()...)
		}
		f.Sound = false
	}
	return packed
}

// entryName is a name that an archive should not have.
func (m *maker) entryName() string {
	return one(m, "../../../../tmp/pwned", "/tmp/pwned", "a/../../b.db", m.name()+".db", "member/snap/db\x00", "CON", "C:\\pwned", "./././x", strings.Repeat("d/", 3000)+"x", "member/wal/0000000000000000-0000000000000000.wal", "member/wal/"+m.name(), "member/snap/"+m.name(), "")
}

func (m *maker) tar(f *file, db []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(h *tar.Header, data []byte) {
		h.Size = int64(len(data))
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		// What the writer refuses, as a name with a zero byte, is left out.
		if w.WriteHeader(h) == nil {
			_, _ = w.Write(data)
		}
	}
	odd := m.IntN(3) > 0
	noise := func() {
		if !odd {
			return
		}
		f.Sound = false
		for range 1 + m.IntN(6) {
			h := &tar.Header{Name: m.entryName(), Mode: 0o777, ModTime: m.when(), Uname: "pwned"}
			switch m.IntN(7) {
			case 0:
				h.Typeflag, h.Linkname = tar.TypeSymlink, one(m, "/etc/passwd", "../../x", "current.db")
			case 1:
				h.Typeflag, h.Linkname = tar.TypeLink, "/etc/passwd"
			case 2:
				h.Typeflag = one[byte](m, tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeDir)
			case 3:
				h.Format, h.PAXRecords = tar.FormatPAX, map[string]string{"PWNED.x": m.word(), "comment": strings.Repeat("c", m.IntN(100_000))}
			case 4:
				for i := range 500 {
					put(&tar.Header{Name: fmt.Sprintf("member/wal/%016x-%016x.wal", i, i)}, nil)
				}
			}
			var data []byte
			if h.Typeflag == 0 {
				data = []byte(m.word())
			}
			put(h, data)
		}
		m.note("a tar archive with odd entries")
	}
	noise()
	put(&tar.Header{Name: one(m, "current.db", "a/b/c/current.db", "./x.db"), Mode: 0o600}, db)
	noise()
	switch m.IntN(8) {
	case 0:
		m.note("two databases in a tar archive")
		put(&tar.Header{Name: "other.db", Mode: 0o600}, db)
		f.Sound = false
	case 1:
		m.note("a tar archive without an end")
		f.Sound = false
		_ = w.Flush() // a bytes.Buffer takes all
		return b.Bytes()
	case 2:
		m.note("a tar header of an absurd size")
		f.Sound = false
		_ = w.Flush()
		h := make([]byte, 512)
		copy(h, "pwned")
		copy(h[124:], one(m, "77777777777\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", "-7\x00"))
		copy(h[257:], "ustar\x0000")
		sum := 8 * int(' ')
		for _, c := range h {
			sum += int(c)
		}
		copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
		return append(b.Bytes(), h...)
	}
	if err := w.Close(); err != nil && m.err == nil {
		f.Sound = false
	}
	return b.Bytes()
}

func (m *maker) zip(f *file, db []byte) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	odd := m.odds(2)
	put := func(name string, data []byte) {
		h := &zip.FileHeader{Name: name, Method: one(m, zip.Store, zip.Deflate), Modified: m.when()}
		if odd {
			h.Comment, h.Extra = m.word(), []byte(one(m, "", "\x01\x00\x18\x00pwned", "\xff\xff\xff\xff"))
		}
		if e, err := w.CreateHeader(h); err == nil {
			_, err = e.Write(data)
			if err != nil {
				m.err = err
			}
		}
	}
	put("current.db", db)
	if odd {
		m.note("a zip archive with odd entries")
		f.Sound = false
		for range 1 + m.IntN(300) {
			put(m.entryName(), []byte(m.word()))
		}
		_ = w.SetComment("pwned\x1b[2J")
	}
	if err := w.Close(); err != nil {
		m.err = err
	}
	data := b.Bytes()
	switch m.IntN(5) {
	case 0:
		m.note("a zip archive that is cut off")
		data = data[:len(data)-1-m.IntN(len(data)-1)]
		f.damaged("the archive is cut off")
	case 1:
		m.note("a zip archive with a hostile directory")
		at := max(0, len(data)-200) + m.IntN(min(200, len(data)))
		data[at] = byte(m.Uint32())
		f.Sound = false
	}
	return data
}
