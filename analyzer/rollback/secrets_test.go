package rollback

import (
	"encoding/base64"
	"encoding/pem"
	"testing"
)

// TestNoCertificate takes what is none for none.
func TestNoCertificate(t *testing.T) {
	for name, chain := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("text"), "no DER": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0x82}}),
	} {
		if at, ok := notAfter(chain); ok {
			t.Errorf("%s expires at %v", name, at)
		}
	}
}

// TestTokenEnd: a token ends when its claim says so, where that is a time.
func TestTokenEnd(t *testing.T) {
	for claims, want := range map[string]int64{
		`{"exp":0}`: 0, `{"exp":1}`: 1, `{"exp":1.9}`: 1, `{"exp":1099511627776}`: 1 << 40,
		`{"exp":-1}`: -1, `{"exp":1099511627777}`: -1, `{"exp":"1"}`: -1, `{"exp":null}`: -1, `{}`: -1, `[]`: -1,
	} {
		for token, want := range map[string]int64{
			"e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x": want, "e30." + base64.URLEncoding.EncodeToString([]byte(claims)) + ".x\n": want,
			"e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)): -1, base64.RawURLEncoding.EncodeToString([]byte(claims)): -1, "a.?" + claims + ".c": -1,
		} {
			if at, ok := TokenExpiry([]byte(token)); ok != (want >= 0) || ok && at.Unix() != want {
				t.Errorf("%s: %s: %v, %t", claims, token, at, ok)
			}
		}
	}
}

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
