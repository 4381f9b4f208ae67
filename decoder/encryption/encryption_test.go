package encryption

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

const (
	one   = "0123456789abcdef0123456789abcdef"
	two   = "fedcba9876543210fedcba9876543210"
	place = "/registry/secrets/default/token"
)

func config(entries ...string) []byte {
	return []byte("apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n" + strings.Join(entries, ""))
}

func entry(resource, provider, name, secret string) string {
	return fmt.Sprintf("- resources: [%s]\n  providers:\n  - %s:\n      keys:\n      - {name: %s, secret: %s}\n  - identity: {}\n",
		resource, provider, name, base64.StdEncoding.EncodeToString([]byte(secret)))
}

// encrypt is what an API server does.
func encrypt(t testing.TB, provider, name, secret, key string, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 24) // an initialization vector or a nonce
	_, _ = rand.Read(random)
	var out []byte
	switch provider {
	case "aescbc":
		padding := aes.BlockSize - len(plain)%aes.BlockSize
		padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
		cipher.NewCBCEncrypter(block, random[:aes.BlockSize]).CryptBlocks(padded, padded)
		out = append(random[:aes.BlockSize:aes.BlockSize], padded...)
	case "aesgcm":
		sealed, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		out = sealed.Seal(random[:12:12], random[:12], plain, []byte(key))
	case "secretbox":
		out = secretbox.Seal(random[:24:24], plain, (*[24]byte)(random), (*[32]byte)([]byte(secret)))
	}
	return append([]byte("k8s:enc:"+provider+":v1:"+name+":"), out...)
}

func parse(t testing.TB, data []byte) *Keyring {
	t.Helper()
	ring, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestDecrypt(t *testing.T) {
	plain := []byte("k8s\x00\n\x0c\n\x02v1\x12\x06Secret")
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		t.Run(provider, func(t *testing.T) {
			stored := encrypt(t, provider, "key1", one, place, plain)
			ring := parse(t, config(entry("secrets", provider, "key1", one)))
			if got, err := ring.Decrypt(place, stored); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%q, %v", got, err)
			}
			// The same name with another secret for another resource.
			both := parse(t, config(entry("configmaps", provider, "key1", two), entry("'*.*'", provider, "key1", one)))
			if got, err := both.Decrypt(place, stored); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("with two keys of a name: %q, %v", got, err)
			}
			if _, err := ring.Decrypt(place+"2", stored); provider == "aesgcm" != (err != nil) {
				t.Errorf("under another key: %v", err) // only aesgcm binds a value to its key
			}
			for name, wrong := range map[string]struct {
				ring  *Keyring
				value []byte
				want  error
			}{
				"wrong secret":   {parse(t, config(entry("secrets", provider, "key1", two))), stored, ErrWrongKey},
				"other name":     {parse(t, config(entry("secrets", provider, "key2", one))), stored, ErrNoKey},
				"other provider": {parse(t, config(entry("secrets", map[string]string{"aescbc": "aesgcm", "aesgcm": "secretbox", "secretbox": "aescbc"}[provider], "key1", one))), stored, ErrNoKey},
				"cut off":        {ring, stored[:len(stored)-5], ErrWrongKey},
				"nothing left":   {ring, stored[:len("k8s:enc:"+provider+":v1:key1:")], ErrWrongKey},
				"flipped":        {ring, flipped(stored, len("k8s:enc:"+provider+":v1:key1:")), ErrWrongKey},
				"no end":         {ring, []byte("k8s:enc:" + provider + ":v1:key1"), ErrMalformed},
			} {
				if got, err := wrong.ring.Decrypt(place, wrong.value); !errors.Is(err, wrong.want) {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
		})
	}
}

// flipped changes a byte of the first block of what is encrypted.
func flipped(b []byte, from int) []byte {
	b = bytes.Clone(b)
	b[from+1] ^= 0x40
	return b
}

func TestOtherValues(t *testing.T) {
	ring := parse(t, config(entry("secrets", "aescbc", "key1", one)))
	for _, plain := range []string{"", "{}", "k8s\x00", "k8s:encode"} {
		if got, err := ring.Decrypt(place, []byte(plain)); err != nil || string(got) != plain {
			t.Errorf("%q: %q, %v", plain, got, err)
		}
	}
	for _, kms := range []string{"k8s:enc:kms:v1:vault:\x00\x03abc", "k8s:enc:kms:v2:vault:\x0a\x00"} {
		_, err := ring.Decrypt(place, []byte(kms))
		if !errors.Is(err, ErrKMS) || !strings.Contains(err.Error(), `plugin "vault"`) {
			t.Errorf("%v", err)
		}
	}
}

// TestSilence looks for the secrets wherever a Keyring or an error could show them.
func TestSilence(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(one))
	ring := parse(t, config(entry("secrets", "aescbc", "key1", one)))
	said := fmt.Sprint(ring) + fmt.Sprintf("%v %+v %#v %s %x %q", ring, ring, ring, ring, ring, *ring)
	for _, bad := range []string{
		string(config(entry("secrets", "aescbc", "key1", one)))[:150],
		strings.Replace(string(config(entry("secrets", "aescbc", "key1", one))), "secret:", encoded+":", 1),
		strings.Replace(string(config(entry("secrets", "aescbc", "key1", one))), "[secrets]", encoded, 1),
		string(config(entry("secrets", "aescbc", "key1", one[:7]))),
		string(config(entry("secrets", "secretbox", "key1", one[:16]))),
		strings.Replace(string(config(entry("secrets", "aescbc", "key1", one))), encoded, "'"+encoded[:10]+"!'", 1),
		"kind: EncryptionConfiguration\nresources: " + encoded,
		encoded,
	} {
		_, err := Parse([]byte(bad))
		if err == nil {
			t.Errorf("parsed:\n%s", bad)
			continue
		}
		said += err.Error()
	}
	_, err := ring.Decrypt(place, []byte("k8s:enc:aescbc:v1:key1:xx"))
	said += err.Error()
	for _, secret := range []string{one, one[:7], encoded, encoded[:10], fmt.Sprintf("%x", one), "48 49 50"} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is in what is said: %s", secret, said)
		}
	}
	if !strings.Contains(said, `keys: aescbc "key1"`) {
		t.Errorf("a keyring says %s", ring)
	}
}

// TestCluster decrypts every Secret of a real cluster.
func TestCluster(t *testing.T) {
	const dir = "../../testdata/clusters/scenario-3/plain/"
	ring, err := Load(dir + "encryption.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"backup", "current"} {
		s, err := snapshot.OpenBytes(t.Context(), name, corpus.Unpack(t, dir+name+".db.gz"), snapshot.Options{Decrypt: ring.Decrypt})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		secrets := 0
		for r := range s.Keys("/registry/secrets/") {
			stored, err := s.Head(r, 8)
			if err != nil || string(stored) != "k8s:enc:" {
				t.Errorf("%s is stored as %q, %v", r.Key, stored, err)
			}
			value, err := s.Value(r)
			if err != nil {
				t.Fatal(err)
			}
			key, ok := kube.ParseKey("/registry", r.Key)
			if o := kube.Decode(key, value); !ok || o.Kind != "Secret" || o.Name != key.Name || o.Problem != nil {
				t.Errorf("%s: %+v", r.Key, o)
			}
			secrets++
		}
		if secrets == 0 {
			t.Errorf("%s has no secrets", name)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	ring := parse(f, config(entry("secrets", "aescbc", "k", one), entry("secrets", "aesgcm", "k", one), entry("secrets", "secretbox", "k", one)))
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		f.Add(place, encrypt(f, provider, "k", one, place, []byte("{}")))
		f.Add(place, []byte("k8s:enc:"+provider+":v1:k:short"))
	}
	f.Add("", []byte("k8s:enc:kms:v2:p:"))
	f.Fuzz(func(t *testing.T, key string, stored []byte) {
		plain, err := ring.Decrypt(key, stored)
		if err == nil && len(plain) > len(stored) {
			t.Errorf("%d bytes out of %d", len(plain), len(stored))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(config(entry("secrets", "aescbc", "k", one)))
	f.Add([]byte(`{"kind":"EncryptionConfig","apiVersion":"v1","resources":[{"resources":["*.*"],"providers":[{"kms":{"name":"p"}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, err := Parse(data)
		if err == nil {
			_, _ = ring.Decrypt(place, []byte("k8s:enc:aescbc:v1:k:0123456789abcdef0123456789abcdef"))
		}
	})
}

// TestLoadBounded does not expand what stands for much more than it is, and waits
// for nothing.
func TestLoadBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	// The parser bounds how many aliases there are, and not how much each stands for.
	laughs := "a: &a " + strings.Repeat("x", 900_000) + "\nb: [" + strings.Repeat("*a, ", 500) + strings.Repeat("x, ", 100) + "]\n"
	for name, text := range map[string]string{
		"aliases": laughs,
		"deep":    strings.Repeat("[", 500_000),
		"long":    string(config()) + strings.Repeat("#", 1<<20),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Load(path)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; err == nil || !strings.Contains(err.Error(), path) || took > 256<<20 {
			t.Errorf("%s: %d MiB were allocated, %v", name, took>>20, err)
		}
	}
}
