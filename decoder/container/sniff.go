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
	case bytes.HasPrefix(head, []byte("\x78\x01")), bytes.HasPrefix(head, []byte("\x78\x9c")), bytes.HasPrefix(head, []byte("\x78\xda")):
		return Zlib, true
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
// meta page starts after the header of its page.
func isDatabase(head []byte) bool {
	return len(head) >= 20 && binary.LittleEndian.Uint32(head[16:]) == boltMagic
}

// What files look like that are encrypted as a whole.
const (
	withAge     = "a file encrypted with age"
	withPGP     = "a file encrypted with PGP"
	withOpenSSL = "a file encrypted with openssl enc"
	withVault   = "a file encrypted with ansible-vault"
)

// Opener is the command that writes what is in an encrypted file to standard output,
// by what Looks says of it; "" where it says nothing of the kind. file is a word of
// the shell.
func Opener(looks, file string) string {
	switch looks {
	case withAge:
		return "age -d -i KEY " + file
	case withPGP:
		return "gpg -d " + file
	case withOpenSSL:
		return "openssl enc -d -CIPHER -pbkdf2 -in " + file
	case withVault:
		return "ansible-vault decrypt --output - " + file
	}
	return ""
}

// isPGP says whether a file begins with the packet that a binary OpenPGP message
// begins with: a session key, encrypted with a public key or with a passphrase (RFC
// 9580, 4.2, 5.1 and 5.3).
func isPGP(head []byte) bool {
	if len(head) < 16 || head[0]&0x80 == 0 {
		return false
	}
	tag, at, length := head[0]>>2&15, 1, 0
	if head[0]&0x40 != 0 { // the newer form
		tag = head[0] & 63
		switch n := head[1]; {
		case n < 192:
			at, length = 2, int(n)
		case n < 224:
			at, length = 3, int(n-192)<<8+int(head[2])+192
		}
	} else {
		switch head[0] & 3 {
		case 0:
			at, length = 2, int(head[1])
		case 1:
			at, length = 3, int(head[1])<<8+int(head[2])
		}
	}
	if length < 4 || length > 4096 {
		return false
	}
	version := head[at]
	switch tag {
	case 1: // version, eight bytes of the key's id, its algorithm
		return version == 3 && head[at+9] > 0 && head[at+9] < 32 || version == 6
	case 3: // version, cipher, how the key is derived
		return version == 4 && head[at+1] < 16 && head[at+2] < 5 || version == 5 || version == 6
	}
	return false
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
		{"age-encryption.org/", withAge},
		{"-----BEGIN AGE ENCRYPTED FILE-----", withAge},
		{"-----BEGIN PGP MESSAGE-----", withPGP},
		{"Salted__", withOpenSSL},
		{"$ANSIBLE_VAULT;", withVault},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.name
		}
	}
	if isPGP(head) {
		return withPGP
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
