package container

import (
	"bytes"
	"encoding/binary"
)

// headSize is how much of a file is looked at to tell what it is: the first
// meta page of a database with pages of 512 bytes and the magic of the second.
const headSize = 1024

const boltMagic = 0xED0CDAED // bbolt v1.5 internal/common/meta.go

// sniff tells a container by its first bytes.
func sniff(head []byte) (Format, bool) {
	switch {
	// A database begins with eight zero bytes, the number of its first page: what
	// begins with one of these is none, whatever follows.
	case bytes.HasPrefix(head, []byte("\x1f\x8b\x08")):
		return Gzip, true
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return Zstd, true
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return Zip, true
	case isDatabase(head):
		return Plain, false
	case len(head) > 262 && bytes.HasPrefix(head[257:], []byte("ustar")):
		return Tar, true
	}
	return Plain, false
}

// isDatabase says whether the first bytes are those of a bbolt file. The first
// meta page starts behind the header of its page.
func isDatabase(head []byte) bool {
	return len(head) >= 20 && binary.LittleEndian.Uint32(head[16:]) == boltMagic
}

// Looks names the kind of a file that is no database, by its first bytes; "" when
// they say nothing.
func Looks(head []byte) string {
	for _, m := range []struct{ magic, name string }{
		{"BZh", "a bzip2 file"},
		{"\xfd7zXZ\x00", "an xz file"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"},
		{"\x04\x22\x4d\x18", "an lz4 file"},
		{"SQLite format 3\x00", "an SQLite database"},
		{"\x7fELF", "a program"},
		{"age-encryption.org/", "a file encrypted with age"},
		{"-----BEGIN PGP", "a file encrypted with PGP"},
		{"Salted__", "a file encrypted with openssl enc"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name
		}
	}
	if len(head) > 0 && len(bytes.Trim(head, "\x00")) == 0 {
		return "zeros"
	}
	binary := func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0xFFFD }
	if len(head) > 0 && bytes.IndexFunc(head, binary) < 0 {
		return "text"
	}
	return ""
}
