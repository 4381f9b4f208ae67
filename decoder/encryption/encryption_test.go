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
	"slices"
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
				"sealed twice":   {ring, encrypt(t, provider, "key1", one, place, stored), ErrWrongKey},
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

// TestKeyOfRule: aescbc vouches for nothing, so a value can open with two keys of a name.
// The one of the rule that an API server goes by is meant.
func TestKeyOfRule(t *testing.T) {
	ambiguous := fitsBoth(t)
	for _, tt := range []struct{ name, key, other, etcdKey string }{
		{"for the resource", "secrets", "configmaps", "/registry/secrets/default/a"},
		{"for the resource, before its group", "secrets", "'*.'", "/registry/secrets/default/a"},
		{"for its group, before all", "'*.'", "'*.*'", "/registry/secrets/default/a"},
		{"for all, before another's", "'*.*'", "configmaps", "/registry/secrets/default/a"},
		{"for all, before another group's", "'*.*'", "'*.apps'", "/registry/secrets/default/a"},
		{"of a group that the etcd key leaves out", "deployments.apps", "'*.*'", "/registry/deployments/default/a"},
		{"of a group that the etcd key leaves out, for all of it", "'*.apps'", "'*.'", "/registry/deployments/default/a"},
		{"of a custom resource", "backups.velero.io", "backups.example.com", "/registry/velero.io/backups/ns/a"},
		{"for all custom resources of a group", "'*.velero.io'", "'*.example.com'", "/registry/velero.io/backups/ns/a"},
		{"below another prefix", "secrets", "configmaps", "/kubernetes.io/secrets/default/a"},
		{"with a resource's name as its namespace", "configmaps", "secrets", "/registry/configmaps/secrets/a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, entries := range [][]string{
				{entry(tt.other, "aescbc", "key1", two), entry(tt.key, "aescbc", "key1", one)},
				{entry(tt.key, "aescbc", "key1", one), entry(tt.other, "aescbc", "key1", two)},
			} {
				got, err := parse(t, config(entries...)).Decrypt(tt.etcdKey, ambiguous)
				want, wantErr := parse(t, config(entry("secrets", "aescbc", "key1", one))).Decrypt(tt.etcdKey, ambiguous)
				if err != nil || wantErr != nil || !bytes.Equal(got, want) {
					t.Errorf("%q, want %q, %v, %v", got, want, err, wantErr)
				}
			}
			// Where the etcd key does not show a resource, the first key that fits is taken.
			for first, second := range map[string]string{one: two, two: one} {
				got, err := parse(t, config(entry("pods", "aescbc", "key1", first), entry("'*.*'", "aescbc", "key1", second))).Decrypt("/some/where/else/secrets/default/a", ambiguous)
				want, wantErr := parse(t, config(entry("secrets", "aescbc", "key1", first))).Decrypt(place, ambiguous)
				if err != nil || wantErr != nil || !bytes.Equal(got, want) {
					t.Errorf("%q, want %q, %v, %v", got, want, err, wantErr)
				}
			}
		})
	}
}

// fitsBoth is a value of aescbc that looks like JSON with either of the two keys: two
// blocks, whose first begins with a brace, and whose last is padded by one byte.
func fitsBoth(t *testing.T) []byte {
	t.Helper()
	a, _ := aes.NewCipher([]byte(one))
	b, _ := aes.NewCipher([]byte(two))
	// same is a block that ends with a byte, and how one byte of it opens with both keys.
	same := func(end byte, at int) (block []byte, opens byte) {
		for n := range 1 << 16 {
			block = make([]byte, aes.BlockSize)
			block[0], block[1], block[aes.BlockSize-1] = byte(n), byte(n>>8), end
			withA, withB := make([]byte, aes.BlockSize), make([]byte, aes.BlockSize)
			a.Decrypt(withA, block)
			b.Decrypt(withB, block)
			if withA[at] == withB[at] {
				return block, withA[at]
			}
		}
		t.Fatal("there is none")
		return nil, 0
	}
	last, opens := same(0, aes.BlockSize-1)
	first, begins := same(opens^1, 0)
	return slices.Concat([]byte("k8s:enc:aescbc:v1:key1:"), []byte{begins ^ '{'}, make([]byte, aes.BlockSize-1), first, last)
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

// TestReads: the rule of the resource counts alone, else that of its group, else that of all.
func TestReads(t *testing.T) {
	kms := func(resource, text string) string {
		return "- resources: [" + resource + "]\n  providers:\n  - kms: {" + text + ", endpoint: unix:///a}\n"
	}
	ring := parse(t, config(
		strings.Replace(entry("secrets", "aescbc", "key1", one), "  - identity: {}\n", "", 1),
		entry("secrets", "secretbox", "key2", one),
		entry("deployments.apps", "aesgcm", "key1", one),
		kms("widgets.example.com, gadgets.example.com", "name: old"),
		kms("'*.example.com'", "apiVersion: v2, name: new"),
		"- resources: [events]\n  providers:\n  - aesgcm: {keys: [{name: a, secret: "+base64.StdEncoding.EncodeToString([]byte(one))+"}, {name: b, secret: "+base64.StdEncoding.EncodeToString([]byte(two))+"}]}\n",
		entry("'*.'", "aesgcm", "core", one),
	))
	rest := parse(t, config(kms("'*.*'", "name: all")))
	by := func(provider, version, name string) kube.EncryptedError {
		return kube.EncryptedError{Provider: provider, Version: version, Name: name}
	}
	plain := kube.EncryptedError{}
	for _, tt := range []struct {
		ring            *Keyring
		group, resource string
		by              kube.EncryptedError
		want            bool
	}{
		{ring, "", "secrets", by("aescbc", "v1", "key1"), true},
		{ring, "", "secrets", by("secretbox", "v1", "key2"), true},
		{ring, "", "secrets", by("aescbc", "v1", "key2"), false},
		{ring, "", "secrets", by("aesgcm", "v1", "core"), false}, // its group's rule does not count
		{ring, "", "secrets", plain, true},
		{ring, "", "configmaps", by("aesgcm", "v1", "core"), true},
		{ring, "", "configmaps", by("aescbc", "v1", "key1"), false},
		{ring, "", "events", by("aesgcm", "v1", "a"), true},
		{ring, "", "events", by("aesgcm", "v1", "b"), true},
		{ring, "", "events", plain, false},
		{ring, "apps", "deployments", by("aesgcm", "v1", "key1"), true},
		{ring, "apps", "deployments", plain, true},
		{ring, "apps", "statefulsets", by("aesgcm", "v1", "key1"), false},
		{ring, "apps", "statefulsets", plain, true}, // there is no rule for it
		{ring, "example.com", "widgets", by("kms", "v1", "old"), true},
		{ring, "example.com", "widgets", by("kms", "v2", "old"), false},
		{ring, "example.com", "widgets", plain, false},
		{ring, "example.com", "gadgets", by("kms", "v1", "old"), true},
		{ring, "example.com", "others", by("kms", "v2", "new"), true},
		{ring, "example.com", "others", by("kms", "v1", "old"), false},
		{rest, "", "secrets", by("kms", "v1", "all"), true},
		{rest, "example.com", "others", by("kms", "v1", "all"), true},
		{rest, "example.com", "others", plain, false},
		{&Keyring{}, "", "secrets", plain, true},
		{&Keyring{}, "", "secrets", by("kms", "v1", "all"), false},
	} {
		if got := tt.ring.Reads(tt.group, tt.resource, tt.by); got != tt.want {
			t.Errorf("%s of group %q by %+v: %t", tt.resource, tt.group, tt.by, got)
		}
	}
	for _, tt := range []struct {
		ring   *Keyring
		value  string
		absent bool
	}{
		{ring, "k8s:enc:kms:v1:old:x", false}, {ring, "k8s:enc:kms:v2:new:x", false}, {ring, "k8s:enc:kms:v2:old:x", true}, {ring, "k8s:enc:kms:v1:all:x", true}, {rest, "k8s:enc:kms:v1:all:x", false},
	} {
		if _, err := tt.ring.Decrypt(place, []byte(tt.value)); !errors.Is(err, ErrKMS) || errors.Is(err, ErrNoPlugin) != tt.absent {
			t.Errorf("%s: %v", tt.value, err)
		}
	}
}

// TestParse holds which files are refused, and what is said of them.
func TestParse(t *testing.T) {
	good := string(config(entry("secrets", "aescbc", "key1", one)))
	for _, tt := range []struct{ name, text, says string }{
		{"as it is", good, ""},
		{"as it was called before 1.13", strings.Replace(good, "EncryptionConfiguration", "EncryptionConfig", 1), ""},
		{"of another kind", strings.Replace(good, "EncryptionConfiguration", "Secret", 1), "not an EncryptionConfiguration: its kind is another one"},
		{"of no kind", "resources: []", "not an EncryptionConfiguration: its kind is another one"},
		{"with another field", strings.Replace(good, "secret:", "Secrets:", 1), `not an EncryptionConfiguration: unknown field "Secrets"`},
		{"no YAML", "a: b: c", "not an EncryptionConfiguration: it does not parse"},
		{"no base64", strings.Replace(good, "secret: ", "secret: _", 1), "resources[0].providers[0]: aescbc.keys[0]: the secret is not base64"},
		{"a short key", string(config(entry("secrets", "aescbc", "key1", one), entry("pods", "aesgcm", "key2", one[:15]))), "resources[1].providers[0]: aesgcm.keys[0]: the secret has 15 bytes, which is no key of that kind"},
		{"a short key of secretbox", string(config(entry("secrets", "secretbox", "key1", one[:31]))), "resources[0].providers[0]: secretbox.keys[0]: the secret has 31 bytes, which is no key of that kind"},
	} {
		_, err := Parse([]byte(tt.text))
		if said := fmt.Sprint(err); tt.says == "" && err != nil || tt.says != "" && !strings.Contains(said, tt.says) {
			t.Errorf("%s: %s", tt.name, said)
		}
	}
}

// TestShortest opens the shortest values that a provider makes, and none that is shorter.
func TestShortest(t *testing.T) {
	for _, tt := range []struct {
		provider string
		build    func([]byte) (opener, error)
	}{{"aescbc", newCBC}, {"aesgcm", newGCM}, {"secretbox", newSecretbox}} {
		open, err := tt.build([]byte(one))
		if err != nil {
			t.Fatal(err)
		}
		prefix := len("k8s:enc:" + tt.provider + ":v1:k:")
		for _, plain := range []string{"", "0123456789abcdef", "0123456789abcde"} {
			data := encrypt(t, tt.provider, "k", one, place, []byte(plain))[prefix:]
			if got, ok := open(place, data); !ok || string(got) != plain {
				t.Errorf("%s of %q: %q, %t", tt.provider, plain, got, ok)
			}
			for n := range len(data) {
				if got, ok := open(place, data[:n]); ok && (tt.provider != "aescbc" || n%aes.BlockSize != 0) {
					t.Errorf("%s of %q, cut to %d bytes: %q", tt.provider, plain, n, got)
				}
			}
		}
	}
	// What the padding of aescbc says must be there, and be no more than there is.
	block, _ := aes.NewCipher([]byte(one))
	open, _ := newCBC([]byte(one))
	for _, tt := range []struct {
		last string
		want bool
	}{
		{"0123456789abcde\x01", true}, {"0123456789abcd\x02\x02", true}, {"0123456789abcd\x01\x02", false}, {"0123456789abcde\x00", false},
		{strings.Repeat("\x10", 16), true}, {strings.Repeat("\x11", 16), false},
	} {
		data := make([]byte, 2*aes.BlockSize)
		cipher.NewCBCEncrypter(block, data[:aes.BlockSize]).CryptBlocks(data[aes.BlockSize:], []byte(tt.last))
		if plain, ok := open(place, data); ok != tt.want {
			t.Errorf("%q: %q, %t", tt.last, plain, ok)
		}
	}
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
