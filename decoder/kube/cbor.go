package kube

import (
	"encoding/binary"

	"revenant/decoder/wire"
)

// checkCBOR refuses a value of which the decoder would make far more memory than it has
// bytes. That it is well-formed is left to the decoder, which looks before it makes
// anything.
func checkCBOR(b []byte) error {
	room := treeRoom(len(b))
	for len(b) > 0 {
		major, info := b[0]>>5, b[0]&0x1f
		n, size := cborArgument(b)
		if size > len(b) {
			return wire.ErrTruncated
		}
		b = b[size:]
		room -= itemSize
		switch major {
		case 2, 3: // text: of indefinite length it comes in pieces that have a length
			if n > uint64(len(b)) {
				return wire.ErrTruncated
			}
			b = b[n:]
		case 5:
			if n > 0 || info == 31 {
				room -= objectSize
			}
		}
		if room < 0 {
			return errTooLarge
		}
	}
	return nil
}

// cborArgument is the number in the head of a data item, and the size of the head.
func cborArgument(b []byte) (n uint64, size int) {
	var wide [8]byte
	info := b[0] & 0x1f
	if info < 24 || info > 27 {
		if info > 27 {
			info = 0 // of indefinite length, or not well-formed
		}
		return uint64(info), 1
	}
	size = 1 << (info - 24)
	copy(wide[8-size:], b[1:min(len(b), 1+size)])
	return binary.BigEndian.Uint64(wide[:]), 1 + size
}
