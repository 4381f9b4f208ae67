package scrub

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// Key decides the pseudonyms. Who has it can undo them.
type Key [sha256.Size]byte

// NewKey is a random key.
func NewKey() (k Key) {
	_, _ = rand.Read(k[:]) // never fails (crypto/rand)
	return k
}

// KeyOf is the key of a passphrase: the same one gives the same pseudonyms.
func KeyOf(passphrase string) Key { return sha256.Sum256([]byte("revenant scrub\x00" + passphrase)) }

// cipher permutes words: a word of the alphabet that a class gives to each of its places
// becomes another one, and no two the same one.
type cipher struct {
	mac hash.Hash
	sum []byte
}

func newCipher(k Key) *cipher { return &cipher{mac: hmac.New(sha256.New, k[:])} }

// rounds of the Feistel network. NIST SP 800-38G has 10 for FF1, which this follows: it
// splits a word in two, and adds to each half, place by place, what a keyed hash makes of
// the other.
const rounds = 10

// permute replaces x, of whose places i has radix[i] digits, in place. Words of different
// radixes or domains have nothing to do with each other.
func (c *cipher) permute(domain byte, radix, x []byte) {
	if len(x) == 1 {
		x[0] = c.shuffle(domain, 0, nil, radix[0], x[0])
		return
	}
	half := len(x) / 2
	for round := range byte(rounds) {
		to, from := x[:half], x[half:]
		of := radix[:half]
		if round%2 == 1 {
			to, from, of = x[half:], x[:half], radix[half:]
		}
		stream := c.stream(domain, round, radix, from)
		for i := range to {
			to[i] = byte((int(to[i]) + int(stream(i))) % int(of[i]))
		}
	}
}

// shuffle is the place of x in a permutation of the numbers below n, which depends on what
// stands before x.
func (c *cipher) shuffle(domain, place byte, before []byte, n, x byte) byte {
	stream := c.stream(domain, place, []byte{n}, before)
	var at [256]byte
	for i := range int(n) {
		at[i] = byte(i)
	}
	for i := int(n) - 1; i > 0; i-- { // Fisher and Yates
		j := (int(stream(2*(int(n)-1-i)))<<8 | int(stream(2*(int(n)-1-i)+1))) % (i + 1)
		at[i], at[j] = at[j], at[i]
	}
	return at[x]
}

// stream are bytes that depend on all that is given.
func (c *cipher) stream(domain, round byte, radix, from []byte) func(i int) byte {
	c.mac.Reset()
	c.mac.Write([]byte{domain, round})
	c.mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(radix))))
	c.mac.Write(radix)
	c.mac.Write(from)
	c.sum = c.mac.Sum(c.sum[:0])
	block, at := [sha256.Size]byte(c.sum), 0
	return func(i int) byte {
		if i/sha256.Size != at { // places ascend
			block, at = sha256.Sum256(block[:]), i/sha256.Size
		}
		return block[i%sha256.Size]
	}
}

// digest is a keyed hash of b.
func (c *cipher) digest(domain byte, b []byte) (d [sha256.Size]byte) {
	c.mac.Reset()
	c.mac.Write([]byte{domain, 0xff})
	c.mac.Write(b)
	c.sum = c.mac.Sum(c.sum[:0])
	copy(d[:], c.sum)
	return d
}
