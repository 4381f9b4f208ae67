package rollback

import (
	"encoding/pem"
	"testing"
)

func FuzzNotAfter(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: []byte{0x30, 0x82}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, chain []byte) {
		if at, ok := notAfter(chain); !ok && !at.IsZero() {
			t.Errorf("no certificate, but it expires at %v", at)
		}
	})
}

func FuzzTokenExpiry(f *testing.F) {
	f.Add([]byte("e30.eyJleHAiOjE3fQ.x"))
	f.Add([]byte("a.eyJleHAiOjFlMzA4fQ.c"))
	f.Add([]byte("a..c"))
	f.Fuzz(func(t *testing.T, token []byte) {
		if at, ok := TokenExpiry(token); !ok && !at.IsZero() {
			t.Errorf("no end, but it expires at %v", at)
		}
	})
}
