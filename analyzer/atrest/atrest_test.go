package atrest_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/atrest"
	"revenant/decoder/encryption"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

const (
	one = "0123456789abcdef"
	two = "fedcba9876543210"
)

// configuration is one of aesgcm keys and a KMS plugin for secrets; pairs are a key's
// name and its secret.
func configuration(plugin string, pairs ...string) string {
	var b strings.Builder
	b.WriteString("kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets]\n  providers:\n  - identity: {}\n")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "  - aesgcm: {keys: [{name: %s, secret: %s}]}\n", pairs[i], base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	if plugin != "" {
		fmt.Fprintf(&b, "  - kms: {apiVersion: v2, name: %s, endpoint: unix:///kms.sock}\n", plugin)
	}
	return b.String()
}

// seal encrypts an object as an API server does with aesgcm.
func seal(t *testing.T, name, secret, key string) string {
	t.Helper()
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, sealed.NonceSize())
	return "k8s:enc:aesgcm:v1:" + name + ":" + string(sealed.Seal(nonce, nonce, []byte(`{"kind":"Secret","apiVersion":"v1"}`), []byte(key)))
}

func TestKeys(t *testing.T) {
	const a, b, c = "/registry/secrets/default/a", "/registry/secrets/default/b", "/registry/configmaps/default/c"
	good := []string{a, seal(t, "key1", one, a), b, seal(t, "key1", one, b), c, seal(t, "key1", one, c)}
	tests := []struct {
		name   string
		values []string // keys and what is stored
		config string   // "" for none
		want   []atrest.Key
	}{
		{"nothing is encrypted", []string{a, `{"kind":"Secret"}`}, "", []atrest.Key{}},
		{"no configuration", good, "", []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"configmaps", "secrets"}, Count: 3, Fit: atrest.NotGiven}}},
		{"it fits", good, configuration("", "key0", two, "key1", one), []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"configmaps", "secrets"}, Count: 3, Decrypted: 3, Fit: atrest.Fits}}},
		{"another key of that name", good, configuration("", "key1", two), []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"configmaps", "secrets"}, Count: 3, Fit: atrest.WrongKey}}},
		{"no such key", good, configuration("", "key2", one), []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"configmaps", "secrets"}, Count: 3, Fit: atrest.NoKey}}},
		{"one is damaged", []string{a, seal(t, "key1", one, a), b, seal(t, "key1", one, a)}, configuration("", "key1", one), []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"secrets"}, Count: 2, Decrypted: 1, Fit: atrest.Damaged}}},
		{"the first is damaged", []string{a, seal(t, "key1", one, b), b, seal(t, "key1", one, b)}, configuration("", "key1", one), []atrest.Key{{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"secrets"}, Count: 2, Decrypted: 1, Fit: atrest.Damaged}}},
		{"a plugin that it names", []string{a, "k8s:enc:kms:v2:vault:\x0a\x00"}, configuration("vault"), []atrest.Key{{Provider: "kms", Version: "v2", Name: "vault", Resources: []string{"secrets"}, Count: 1, Fit: atrest.Plugin}}},
		{"a plugin that it does not name", []string{a, "k8s:enc:kms:v2:vault:\x0a\x00"}, configuration("cloud"), []atrest.Key{{Provider: "kms", Version: "v2", Name: "vault", Resources: []string{"secrets"}, Count: 1, Fit: atrest.NoPlugin}}},
		{"a plugin of another version", []string{a, "k8s:enc:kms:v1:vault:\x00\x03abc"}, configuration("vault"), []atrest.Key{{Provider: "kms", Version: "v1", Name: "vault", Resources: []string{"secrets"}, Count: 1, Fit: atrest.NoPlugin}}},
		{"a plugin, and no configuration", []string{a, "k8s:enc:kms:v2:vault:\x0a\x00"}, "", []atrest.Key{{Provider: "kms", Version: "v2", Name: "vault", Resources: []string{"secrets"}, Count: 1, Fit: atrest.NotGiven}}},
		{"a malformed prefix", []string{a, "k8s:enc:abc"}, configuration("", "key1", one), []atrest.Key{{Resources: []string{"secrets"}, Count: 1, Fit: atrest.NoPrefix}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var changes []snapshottest.Change
			for i := 0; i < len(tt.values); i += 2 {
				changes = append(changes, snapshottest.Put(tt.values[i], tt.values[i+1]))
			}
			path := filepath.Join(t.TempDir(), "backup.db")
			if err := os.WriteFile(path, snapshottest.Bytes(t, changes...), 0o600); err != nil {
				t.Fatal(err)
			}
			var opts snapshot.Options
			if tt.config != "" {
				ring, err := encryption.Parse([]byte(tt.config))
				if err != nil {
					t.Fatal(err)
				}
				opts.Decrypt = ring.Decrypt
			}
			s, err := snapshot.Open(t.Context(), path, opts)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			values, err := atrest.Encrypted(t.Context(), s, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, atrest.Keys(values), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRefused holds what an API server does not read although its key is the right one.
func TestRefused(t *testing.T) {
	const a, b, c, d = "/registry/secrets/default/a", "/registry/secrets/default/b", "/registry/configmaps/default/c", "/registry/pods/default/d"
	const plain, vault = `{"kind":"Secret","apiVersion":"v1"}`, "k8s:enc:kms:v2:vault:\x0a\x00"
	rule := func(resource, provider string) string {
		return "- resources: [" + resource + "]\n  providers:\n  - " + provider + "\n"
	}
	gcm := func(secret string) string {
		return "aesgcm: {keys: [{name: key1, secret: " + base64.StdEncoding.EncodeToString([]byte(secret)) + "}]}"
	}
	const kms = "kms: {apiVersion: v2, name: vault, endpoint: unix:///kms.sock}"
	for _, tt := range []struct {
		name   string
		rules  string
		values []string
		want   []atrest.Values
	}{
		{"a key of another resource, and plain values", rule("secrets", gcm(one)), []string{
			a, seal(t, "key1", one, a), b, plain, c, seal(t, "key1", one, c), d, plain, "/registry/ranges/serviceips", plain, "compact_rev_key", "1"}, []atrest.Values{
			{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "configmaps", Count: 1, Decrypted: 1, Fit: atrest.OtherKey},
			{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "secrets", Count: 1, Decrypted: 1, Fit: atrest.Fits},
			{Provider: atrest.Identity, Resource: "secrets", Count: 1, Fit: atrest.NoPlain},
		}},
		{"what no API server decrypts is not refused", rule("'*.*'", gcm(one)), []string{
			a, plain, b, plain, d, plain, "/registry/ranges/serviceips", plain, "/registry/masterleases/10.0.0.1", plain, "compact_rev_key", "1"}, []atrest.Values{
			{Provider: atrest.Identity, Resource: "pods", Count: 1, Fit: atrest.NoPlain},
			{Provider: atrest.Identity, Resource: "secrets", Count: 2, Fit: atrest.NoPlain},
		}},
		{"a plugin of another resource", rule("secrets", kms), []string{a, vault, c, vault}, []atrest.Values{
			{Provider: "kms", Version: "v2", Name: "vault", Resource: "configmaps", Count: 1, Fit: atrest.OtherKey},
			{Provider: "kms", Version: "v2", Name: "vault", Resource: "secrets", Count: 1, Fit: atrest.Plugin},
		}},
		{"a wrong key stays one, for whatever resource it is", rule("secrets", gcm(two)), []string{a, seal(t, "key1", one, a), c, seal(t, "key1", one, c)}, []atrest.Values{
			{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "configmaps", Count: 1, Fit: atrest.WrongKey},
			{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "secrets", Count: 1, Fit: atrest.WrongKey},
		}},
		{"a value that only begins as an encrypted one", rule("secrets", "identity: {}"), []string{a, "k8s:encode", c, "k8s:"}, []atrest.Values{}},
		{"outside of the prefix", rule("secrets", gcm(one)), []string{"/other/secrets/default/a", seal(t, "key1", one, "/other/secrets/default/a")}, []atrest.Values{
			{Provider: "aesgcm", Version: "v1", Name: "key1", Count: 1, Decrypted: 1, Fit: atrest.Fits},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ring, err := encryption.Parse([]byte("kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n" + tt.rules))
			if err != nil {
				t.Fatal(err)
			}
			var changes []snapshottest.Change
			for i := 0; i < len(tt.values); i += 2 {
				changes = append(changes, snapshottest.Put(tt.values[i], tt.values[i+1]))
			}
			s, err := snapshot.OpenBytes(t.Context(), "backup.db", snapshottest.Bytes(t, changes...), snapshot.Options{Decrypt: ring.Decrypt})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			found, err := atrest.Encrypted(t.Context(), s, "/registry")
			if err != nil {
				t.Fatal(err)
			}
			got, err := atrest.Refused(t.Context(), s, "/registry", ring, found)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(atrest.Values{}, "Error")); diff != "" {
				t.Error(diff)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if got, err := atrest.Encrypted(ctx, s, "/registry"); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: %v, %v", got, err)
			}
			if got, err := atrest.Refused(ctx, s, "/registry", ring, found); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled: %v, %v", got, err)
			}
		})
	}
}

// TestKeysOfResources sums a key's resources up, and says how the worst of them fits.
func TestKeysOfResources(t *testing.T) {
	got := atrest.Keys([]atrest.Values{
		{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "secrets", Count: 5, Decrypted: 5, Fit: atrest.Fits},
		{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "configmaps", Count: 3, Decrypted: 3, Fit: atrest.OtherKey},
		{Provider: "kms", Version: "v2", Name: "key1", Resource: "secrets", Count: 2, Fit: atrest.NoPlugin},
		{Provider: "aesgcm", Version: "v1", Name: "key1", Resource: "", Count: 1, Decrypted: 0, Fit: atrest.Damaged},
		{Provider: atrest.Identity, Resource: "pods", Count: 1, Fit: atrest.NoPlain},
	})
	want := []atrest.Key{
		{Provider: "aesgcm", Version: "v1", Name: "key1", Resources: []string{"configmaps", "secrets"}, Count: 9, Decrypted: 8, Fit: atrest.OtherKey},
		{Provider: "kms", Version: "v2", Name: "key1", Resources: []string{"secrets"}, Count: 2, Fit: atrest.NoPlugin},
		{Provider: atrest.Identity, Resources: []string{"pods"}, Count: 1, Fit: atrest.NoPlain},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	by := []string{}
	for _, k := range append(got, atrest.Key{}) {
		by = append(by, k.By())
	}
	says := []string{`aesgcm v1 key "key1"`, `kms v2 plugin "key1"`, "provider identity, for they are not encrypted", "an unknown provider: the prefix is malformed"}
	if diff := cmp.Diff(says, by); diff != "" {
		t.Error(diff)
	}
}

// TestUnread: values are damaged only where the key decrypts others of them.
func TestUnread(t *testing.T) {
	const a, b = "/registry/secrets/default/a", "/registry/secrets/default/b"
	data := snapshottest.Bytes(t, snapshottest.Put(a, seal(t, "key1", one, a)), snapshottest.Put(b, seal(t, "key1", one, b)))
	for _, tt := range []struct {
		a, b error
		want atrest.Values
	}{
		{encryption.ErrWrongKey, io.ErrUnexpectedEOF, atrest.Values{Fit: atrest.WrongKey}},
		{io.ErrUnexpectedEOF, encryption.ErrWrongKey, atrest.Values{Fit: atrest.Unread}},
		{nil, io.ErrUnexpectedEOF, atrest.Values{Fit: atrest.Damaged, Decrypted: 1}},
		{io.ErrUnexpectedEOF, nil, atrest.Values{Fit: atrest.Damaged, Decrypted: 1}},
		{nil, nil, atrest.Values{Fit: atrest.Fits, Decrypted: 2}},
	} {
		s, err := snapshot.OpenBytes(t.Context(), "backup.db", data, snapshot.Options{Decrypt: func(key string, _ []byte) ([]byte, error) {
			return []byte("{}"), map[string]error{a: tt.a, b: tt.b}[key]
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := atrest.Encrypted(t.Context(), s, "/registry")
		s.Close()
		tt.want.Provider, tt.want.Version, tt.want.Name, tt.want.Resource, tt.want.Count = "aesgcm", "v1", "key1", "secrets", 2
		if diff := cmp.Diff([]atrest.Values{tt.want}, got, cmpopts.IgnoreFields(atrest.Values{}, "Error")); diff != "" || err != nil {
			t.Errorf("%v, %v: %v\n%s", tt.a, tt.b, err, diff)
		}
	}
}
