package encryption

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"golang.org/x/crypto/nacl/secretbox"
)

// opener decrypts what a provider stores after its prefix. ok is false where it was
// not encrypted with the key. The formats are those of k8s.io/apiserver v0.37
// pkg/storage/value/encrypt, aes/aes.go and secretbox/secretbox.go.
type opener func(etcdKey string, data []byte) (plain []byte, ok bool)

// newCBC opens what AES-CBC encrypted: an initialization vector of a block, then the
// blocks, the last of which is padded by as many bytes as its last byte says (PKCS #7).
func newCBC(secret []byte) (opener, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return func(_ string, data []byte) ([]byte, bool) {
		if len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
			return nil, false
		}
		plain := make([]byte, len(data)-aes.BlockSize)
		cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(plain, data[aes.BlockSize:])
		padding := plain[len(plain)-1]
		size := len(plain) - int(padding)
		if padding == 0 || size < 0 {
			return nil, false
		}
		for _, b := range plain[size:] {
			if b != padding {
				return nil, false
			}
		}
		return plain[:size], true
	}, nil
}

// newGCM opens what AES-GCM sealed for a key of etcd: a nonce of 12 bytes, then the
// rest.
func newGCM(secret []byte) (opener, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	sealed, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return func(etcdKey string, data []byte) ([]byte, bool) {
		if len(data) < sealed.NonceSize() {
			return nil, false
		}
		plain, err := sealed.Open(nil, data[:sealed.NonceSize()], data[sealed.NonceSize():], []byte(etcdKey))
		return plain, err == nil
	}, nil
}

// newSecretbox opens what XSalsa20 and Poly1305 sealed: a nonce of 24 bytes, then the
// rest.
func newSecretbox(secret []byte) (opener, error) {
	if len(secret) != 32 {
		return nil, errors.New("a key has 32 bytes")
	}
	key := [32]byte(secret)
	return func(_ string, data []byte) ([]byte, bool) {
		var nonce [24]byte
		if len(data) < len(nonce) {
			return nil, false
		}
		copy(nonce[:], data)
		return secretbox.Open(nil, data[len(nonce):], &nonce, &key)
	}, nil
}
