// Package encryption decrypts values that an API server encrypted at rest.
//
// It takes an EncryptionConfiguration, the file that the API server gets with
// --encryption-provider-config, and returns a Keyring, which decrypts values of the
// providers aescbc, aesgcm and secretbox; tests compare it with the API server's own
// transformers. Values encrypted by a KMS plugin cannot be decrypted without that
// plugin: the error names it.
//
// Keys are never printed, logged or kept in an error: a Keyring shows only what it
// has keys for.
package encryption

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"revenant/decoder/input"
	"revenant/decoder/kube"
)

// Errors that say why a value cannot be decrypted. They come wrapped.
var (
	// ErrNoKey: the configuration has no key of that name for that provider.
	ErrNoKey = errors.New("the encryption configuration has no such key")
	// ErrWrongKey: it has one, and it is not the one, or the value is damaged.
	ErrWrongKey = errors.New("the key does not fit, or the value is damaged")
	// ErrKMS: a KMS plugin has the key.
	ErrKMS = errors.New("only the KMS plugin can decrypt it: ask it for the data key, or read the object through an API server that has the plugin")
	// ErrNoPlugin: beside ErrKMS, the configuration has no plugin of that name.
	ErrNoPlugin = errors.New("the encryption configuration has no such plugin")
	// ErrMalformed: the value's prefix is not one that an API server writes.
	ErrMalformed = errors.New("the encryption prefix is malformed")
)

// Keyring holds the keys of a configuration. Its methods are safe for concurrent
// use.
type Keyring struct {
	keys    []key
	plugins []plugin
	rules   map[string]map[kube.EncryptedError]bool // what is read of a resource; of plain values by the zero key
}

// plugin is a KMS plugin, which has its keys itself.
type plugin struct{ version, name string }

// key is one key of a provider.
type key struct {
	provider, name string
	resources      []string
	open           opener
}

// Load reads the EncryptionConfiguration in a file. The error names the file, and
// nothing of what is in it.
func Load(path string) (*Keyring, error) {
	data, err := input.ReadConfig(path)
	if err != nil {
		return nil, err
	}
	ring, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// unknownField is the one error of the parser that quotes no value.
var unknownField = regexp.MustCompile(`unknown field "[A-Za-z.\[\]0-9]{1,80}"`)

// Parse reads an EncryptionConfiguration, YAML or JSON. The error quotes no value.
func Parse(data []byte) (*Keyring, error) {
	var config configuration
	if err := yaml.UnmarshalStrict(data, &config); err != nil {
		if field := unknownField.FindString(err.Error()); field != "" {
			return nil, fmt.Errorf("not an EncryptionConfiguration: %s", field)
		}
		return nil, errors.New("not an EncryptionConfiguration: it does not parse")
	}
	if config.Kind != "EncryptionConfiguration" && config.Kind != "EncryptionConfig" {
		return nil, errors.New("not an EncryptionConfiguration: its kind is another one")
	}
	ring := &Keyring{}
	for i, r := range config.Resources {
		for j, p := range r.Providers {
			ring.allow(r.Resources, p)
			if err := ring.add(r.Resources, p); err != nil {
				return nil, fmt.Errorf("resources[%d].providers[%d]: %w", i, j, err)
			}
		}
	}
	return ring, nil
}

func (k *Keyring) add(resources []string, p provider) error {
	switch {
	case p.AESCBC != nil:
		return k.addKeys("aescbc", resources, p.AESCBC, newCBC)
	case p.AESGCM != nil:
		return k.addKeys("aesgcm", resources, p.AESGCM, newGCM)
	case p.Secretbox != nil:
		return k.addKeys("secretbox", resources, p.Secretbox, newSecretbox)
	case p.KMS != nil:
		k.plugins = append(k.plugins, plugin{cmp.Or(p.KMS.APIVersion, "v1"), p.KMS.Name}) // v1 is the default (k8s.io/apiserver v0.37 pkg/apis/apiserver/v1/defaults.go)
	}
	return nil // identity has no key
}

// allow notes what an API server reads of the resources by the provider.
func (k *Keyring) allow(resources []string, p provider) {
	if k.rules == nil {
		k.rules = map[string]map[kube.EncryptedError]bool{}
	}
	for _, r := range resources {
		if k.rules[r] == nil {
			k.rules[r] = map[kube.EncryptedError]bool{}
		}
		may := k.rules[r]
		named := func(provider string, of *keys) {
			for _, c := range of.Keys {
				may[kube.EncryptedError{Provider: provider, Version: "v1", Name: c.Name}] = true
			}
		}
		switch {
		case p.AESCBC != nil:
			named("aescbc", p.AESCBC)
		case p.AESGCM != nil:
			named("aesgcm", p.AESGCM)
		case p.Secretbox != nil:
			named("secretbox", p.Secretbox)
		case p.KMS != nil:
			may[kube.EncryptedError{Provider: "kms", Version: cmp.Or(p.KMS.APIVersion, "v1"), Name: p.KMS.Name}] = true
		default: // identity
			may[kube.EncryptedError{}] = true
		}
	}
}

// Reads says whether an API server with this configuration looks at values of a resource
// that are encrypted so; at plain ones by the zero error. Whether a key is the one it does
// not say. The rule for the resource counts, else that for all of its group, else that for
// all (k8s.io/apiserver v0.37 pkg/server/options/encryptionconfig/config.go
// transformerFromOverrides); where there is none, only plain values are read.
func (k *Keyring) Reads(group, resource string, by kube.EncryptedError) bool {
	for _, name := range rulesOf(group, resource) {
		if may, ok := k.rules[name]; ok {
			return may[by]
		}
	}
	return by == kube.EncryptedError{}
}

// rulesOf are the rules that may be those of a resource, the one that counts first.
func rulesOf(group, resource string) []string {
	if group == "" {
		return []string{resource, "*.", "*.*"}
	}
	return []string{resource + "." + group, "*." + group, "*.*"}
}

func (k *Keyring) addKeys(provider string, resources []string, of *keys, build func([]byte) (opener, error)) error {
	for i, c := range of.Keys {
		secret, err := base64.StdEncoding.DecodeString(c.Secret)
		if err != nil {
			return fmt.Errorf("%s.keys[%d]: the secret is not base64", provider, i)
		}
		open, err := build(secret)
		if err != nil {
			return fmt.Errorf("%s.keys[%d]: the secret has %d bytes, which is no key of that kind", provider, i, len(secret))
		}
		k.keys = append(k.keys, key{provider, c.Name, resources, open})
	}
	return nil
}

// String says what there are keys for.
func (k Keyring) String() string {
	var names []string
	for _, key := range k.keys {
		names = append(names, fmt.Sprintf("%s %q", key.provider, key.name))
	}
	return "keys: " + strings.Join(names, ", ")
}

// GoString is String: %#v shows no key either.
func (k Keyring) GoString() string { return k.String() }

// Format is String for every verb.
func (k Keyring) Format(s fmt.State, _ rune) { fmt.Fprint(s, k.String()) }

// Decrypt decrypts the value of an etcd key. One that is not encrypted is returned
// as it is. The error wraps one of this package's.
func (k *Keyring) Decrypt(etcdKey string, stored []byte) (plain []byte, err error) {
	envelope, err := kube.ParseEnvelope(stored)
	if envelope.Encoding != kube.Encrypted {
		return stored, nil
	}
	if err != nil {
		return nil, ErrMalformed
	}
	e := envelope.Encryption
	if e.Provider == "kms" {
		if !slices.Contains(k.plugins, plugin{e.Version, e.Name}) {
			return nil, fmt.Errorf("plugin %q, kms %s: %w; %w", e.Name, e.Version, ErrNoPlugin, ErrKMS)
		}
		return nil, fmt.Errorf("plugin %q, kms %s: %w", e.Name, e.Version, ErrKMS)
	}
	var named []*key
	for i := range k.keys {
		if key := &k.keys[i]; key.provider == e.Provider && key.name == e.Name {
			named = append(named, key)
		}
	}
	if len(named) == 0 {
		return nil, fmt.Errorf("%s key %q: %w", e.Provider, e.Name, ErrNoKey)
	}
	rules := rulesOfKey(etcdKey)
	slices.SortStableFunc(named, func(a, b *key) int { return cmp.Compare(a.rank(rules), b.rank(rules)) })
	for _, key := range named {
		if plain, ok := key.decrypt(etcdKey, envelope.Raw); ok {
			return plain, nil
		}
	}
	return nil, fmt.Errorf("%s key %q: %w", e.Provider, e.Name, ErrWrongKey)
}

// rulesOfKey are the rules for what is at an etcd key below a prefix of one element, as
// that of most API servers is.
func rulesOfKey(etcdKey string) []string {
	prefix, _, _ := strings.Cut(strings.TrimPrefix(etcdKey, "/"), "/")
	at, ok := kube.ParseKey("/"+prefix, etcdKey)
	if !ok {
		return nil
	}
	return rulesOf(at.Group, at.Resource)
}

// rank is where the first of the rules is that has the key: an API server tries the keys
// of one rule alone.
func (k *key) rank(rules []string) int {
	at := slices.IndexFunc(rules, func(rule string) bool { return slices.Contains(k.resources, rule) })
	if at < 0 {
		return len(rules)
	}
	return at
}

// decrypt says whether the key fits. aescbc vouches for nothing: what comes out
// must look like an object.
func (k *key) decrypt(etcdKey string, data []byte) (plain []byte, ok bool) {
	if plain, ok = k.open(etcdKey, data); !ok {
		return nil, false
	}
	e, err := kube.ParseEnvelope(plain)
	return plain, err == nil && e.Encoding != kube.UnknownEncoding && e.Encoding != kube.Encrypted
}
