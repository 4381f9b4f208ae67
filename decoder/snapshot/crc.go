package snapshot

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is a CRC-32C over bytes, and how many they are: what the CRC of more bytes after
// others is made from, so that parts can be summed side by side.
type sum struct {
	crc    uint32
	length uint64
}

func (s *sum) add(b []byte) {
	s.crc = crc32.Update(s.crc, castagnoli, b)
	s.length += uint64(len(b))
}

// then is the sum of the bytes of s and those of next after them.
func (s sum) then(next sum) sum {
	return sum{shifted(s.crc, next.length) ^ next.crc, s.length + next.length}
}

// A CRC is a polynomial over GF(2), the highest power in the lowest bit, modulo that of
// Castagnoli. To append n zero bytes multiplies it by x to the 8n.

// shifted is a CRC after n zero bytes, without what crc32 inverts.
func shifted(crc uint32, n uint64) uint32 {
	power := uint32(1 << 31 >> 8) // x to the 8
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			crc = product(crc, power)
		}
		power = product(power, power)
	}
	return crc
}

// product multiplies two polynomials.
func product(a, b uint32) (p uint32) {
	for ; a != 0; a <<= 1 {
		if a>>31 != 0 {
			p ^= b
		}
		odd := b & 1
		b = b>>1 ^ odd*crc32.Castagnoli // times x
	}
	return p
}
