package oracle

import (
	"bytes"
	"context"
	"crypto/aes"
	"encoding/base64"
	"fmt"
	"testing"

	apiserver "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"k8s.io/apiserver/pkg/storage/value"
	aestransformer "k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	"k8s.io/apiserver/pkg/storage/value/encrypt/secretbox"
	"sigs.k8s.io/yaml"

	"revenant/decoder/encryption"
)

const encryptionSecret = "0123456789abcdef0123456789abcdef"

// transformers are the API server's own, by provider.
func transformers(t testing.TB) map[string]value.Transformer {
	t.Helper()
	block, err := aes.NewCipher([]byte(encryptionSecret))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := aestransformer.NewGCMTransformer(block)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]value.Transformer{
		"aescbc": aestransformer.NewCBCTransformer(block), "aesgcm": gcm,
		"secretbox": secretbox.NewSecretboxTransformer([32]byte([]byte(encryptionSecret))),
	}
}

func keyring(t testing.TB) *encryption.Keyring {
	t.Helper()
	config := "kind: EncryptionConfiguration\nresources:\n"
	for _, provider := range []string{"aescbc", "aesgcm", "secretbox"} {
		config += fmt.Sprintf("- resources: [secrets]\n  providers: [{%s: {keys: [{name: k, secret: %s}]}}]\n", provider, base64.StdEncoding.EncodeToString([]byte(encryptionSecret)))
	}
	ring, err := encryption.Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// FuzzEncryption: what the API server's transformers read is read alike, and nothing
// else; and what they write is read.
func FuzzEncryption(f *testing.F) {
	ring, all := keyring(f), transformers(f)
	for _, plain := range []string{"{}", "", "k8s\x00\x0a\x00", "{\"a\":\"" + string(bytes.Repeat([]byte("b"), 100)) + "\"}"} {
		for provider, tr := range all {
			stored, err := tr.TransformToStorage(context.Background(), []byte(plain), value.DefaultContext("/registry/secrets/a/b"))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(provider, "/registry/secrets/a/b", stored)
			f.Add(provider, "/registry/secrets/a/c", stored[:len(stored)-1])
		}
	}
	f.Fuzz(func(t *testing.T, provider, key string, data []byte) {
		tr := all[provider]
		if tr == nil {
			return
		}
		same(t, ring, provider, key, data, tr)
		stored, err := tr.TransformToStorage(context.Background(), append([]byte("{"), data...), value.DefaultContext(key))
		if err != nil {
			t.Fatal(err)
		}
		same(t, ring, provider, key, stored, tr)
	})
}

// same holds one value: the ring gives what the transformer gives, where that looks like
// an object.
func same(t *testing.T, ring *encryption.Keyring, provider, key string, data []byte, tr value.Transformer) {
	t.Helper()
	got, err := ring.Decrypt(key, append([]byte("k8s:enc:"+provider+":v1:k:"), data...))
	want, wantErr := fromStorage(tr, key, data)
	switch object := bytes.HasPrefix(want, []byte("{")) || bytes.HasPrefix(want, []byte("k8s\x00")); {
	case wantErr != nil && err == nil:
		t.Errorf("%s: read %q, which the API server refuses: %v", provider, got, wantErr)
	case wantErr == nil && object && (err != nil || !bytes.Equal(got, want)):
		t.Errorf("%s: %q, %v; the API server reads %q", provider, got, err, want)
	case err == nil && !bytes.Equal(got, want):
		t.Errorf("%s: %q, the API server reads %q", provider, got, want)
	}
}

// fromStorage is what the transformer reads. It panics at some data.
func fromStorage(tr value.Transformer, key string, data []byte) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	plain, _, err = tr.TransformFromStorage(context.Background(), data, value.DefaultContext(key))
	return plain, err
}

// FuzzEncryptionConfig: a configuration that an API server's types take is taken, but
// for keys that are none, and no other.
func FuzzEncryptionConfig(f *testing.F) {
	f.Add([]byte("kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n- resources: [secrets]\n  providers:\n  - identity: {}\n"))
	f.Add([]byte(`{"kind":"EncryptionConfig","resources":[{"resources":["*.*"],"providers":[{"kms":{"apiVersion":"v2","name":"p","endpoint":"unix:///x","timeout":"3s","cachesize":7}}]}]}`))
	f.Add([]byte(`{"kind":"EncryptionConfig","resources":[{"resources":["*.*"],"providers":[{"kms":{"names":"p"}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var config apiserver.EncryptionConfiguration
		wantErr := yaml.UnmarshalStrict(data, &config)
		if wantErr == nil && config.Kind != "EncryptionConfiguration" && config.Kind != "EncryptionConfig" {
			wantErr = fmt.Errorf("kind %q", config.Kind)
		}
		keys := 0
		for _, r := range config.Resources {
			for _, p := range r.Providers {
				for _, aes := range []*apiserver.AESConfiguration{p.AESCBC, p.AESGCM} {
					if aes != nil {
						keys += len(aes.Keys)
					}
				}
				if p.Secretbox != nil {
					keys += len(p.Secretbox.Keys)
				}
			}
		}
		_, err := encryption.Parse(data)
		if wantErr != nil && err == nil && !bytes.Contains(data, []byte("timeout")) || wantErr == nil && err != nil && keys == 0 {
			t.Errorf("%v; the API server's types: %v", err, wantErr)
		}
	})
}
