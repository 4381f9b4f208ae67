package snapshot

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// TestSum holds sums of parts against the sum of the whole.
func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		data := make([]byte, r.IntN(5000))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		var whole sum
		for rest := data; len(rest) > 0; {
			n := r.IntN(len(rest) + 1)
			var part sum
			part.add(rest[:n/2])
			part.add(rest[n/2 : n])
			whole, rest = whole.then(part), rest[n:]
		}
		if want := crc32.Checksum(data, castagnoli); whole.crc != want || whole.length != uint64(len(data)) {
			t.Fatalf("%d bytes: %08x, want %08x", len(data), whole.crc, want)
		}
	}
}

// TestSumZeros appends more zeros than there are bytes in any file.
func TestSumZeros(t *testing.T) {
	half := shifted(0xdeadbeef, 1<<61)
	if got, want := shifted(half, 1<<61), shifted(0xdeadbeef, 1<<62); got != want {
		t.Errorf("%08x, want %08x", got, want)
	}
}
