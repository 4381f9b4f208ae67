// Package atrest reports how the values of a snapshot are encrypted at rest, whether
// the EncryptionConfiguration that the snapshot was opened with fits them, and in
// which API versions they are stored.
//
// It takes a snapshot and returns counts: one per provider, key and resource, or one
// per resource and version. Values are decrypted only to check whether their key
// fits, and nothing of them is kept.
package atrest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"revenant/decoder/encryption"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Values counts the live values of a resource that one key encrypted.
type Values struct {
	Provider  string `json:"provider"` // aescbc, aesgcm, secretbox or kms, identity of plain ones; "" when the prefix is malformed
	Version   string `json:"version"`
	Name      string `json:"name"` // of the key or, for kms, of the plugin
	Resource  string `json:"resource"`
	Count     int    `json:"count"`
	Decrypted int    `json:"decrypted"`
	Error     string `json:"error,omitempty"` // why the others could not be, with keys at hand
	Fit       Fit    `json:"fit"`
}

// Fit says whether the configuration that the snapshot was opened with fits values.
// The ids are stable.
type Fit string

// How a configuration fits, from the best to the worst.
const (
	Fits     Fit = "fits"           // every value is decrypted
	Plugin   Fit = "kms"            // only a KMS plugin can tell, and the configuration names it
	NotGiven Fit = "not-given"      // there is no configuration
	Damaged  Fit = "damaged"        // the key decrypts some of the values, and the others not
	WrongKey Fit = "wrong-key"      // the configuration has a key of that name, which decrypts none
	NoKey    Fit = "no-key"         // it has no key of that name for that provider
	NoPlugin Fit = "no-kms-plugin"  // only a KMS plugin can tell, and the configuration does not name it
	OtherKey Fit = "other-resource" // it has the key for other resources only: API servers do not try it
	NoPlain  Fit = "no-identity"    // they are plain, and it has no provider identity for the resource
	NoPrefix Fit = "malformed"      // the prefix is not one that an API server writes
	Unread   Fit = "unread"         // a value cannot be read off the file
)

// prefixSize is how much of a value tells by what it was encrypted, in bytes.
const prefixSize = 1100

// Encrypted names what encrypted the live values of a snapshot whose API servers keep
// their keys below prefix, the most values first. The error is ctx's.
func Encrypted(ctx context.Context, s *snapshot.Snapshot, prefix string) ([]Values, error) {
	type by struct {
		kube.EncryptedError
		resource string
	}
	list := []Values{}
	place := map[by]int{}
	for r := range s.Keys("") {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !r.MayBeEncrypted() {
			continue
		}
		head, err := s.Head(r, prefixSize)
		if err != nil {
			continue // that is among the problems
		}
		envelope, _ := kube.ParseEnvelope(head)
		if envelope.Encoding != kube.Encrypted {
			continue
		}
		resource := ""
		if key, ok := kube.ParseKey(prefix, r.Key); ok {
			resource = key.GroupResource()
		}
		e := envelope.Encryption
		at, ok := place[by{e, resource}]
		if !ok {
			at = len(list)
			place[by{e, resource}] = at
			list = append(list, Values{Provider: e.Provider, Version: e.Version, Name: e.Name, Resource: resource, Fit: Fits})
		}
		list[at].count(s, r)
	}
	slices.SortFunc(list, func(a, b Values) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Provider, b.Provider), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// Identity is the provider of values that are not encrypted.
const Identity = "identity"

// Refused adds to what Encrypted found what an API server with a configuration does not
// read although nothing is wrong with the key: plain values of resources that have no
// provider identity, and those whose key is for other resources. The error is ctx's.
func Refused(ctx context.Context, s *snapshot.Snapshot, prefix string, ring *encryption.Keyring, found []Values) ([]Values, error) {
	type by struct {
		kube.EncryptedError
		resource string
	}
	plain, other := map[string]int{}, map[by]bool{}
	for r := range s.Keys("") {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		key, ok := kube.ParseKey(prefix, r.Key)
		if !ok {
			continue // no API server decrypts it
		}
		head, err := s.Head(r, prefixSize)
		if err != nil {
			continue
		}
		envelope, _ := kube.ParseEnvelope(head)
		switch encrypted := envelope.Encoding == kube.Encrypted; {
		case ring.Reads(key.Group, key.Resource, envelope.Encryption):
		case encrypted:
			other[by{envelope.Encryption, key.GroupResource()}] = true
		default:
			plain[key.GroupResource()]++
		}
	}
	list := slices.Clone(found)
	for i := range list {
		v := &list[i]
		if (v.Fit == Fits || v.Fit == Plugin) && other[by{kube.EncryptedError{Provider: v.Provider, Version: v.Version, Name: v.Name}, v.Resource}] {
			v.Fit = OtherKey
		}
	}
	for _, resource := range slices.Sorted(maps.Keys(plain)) {
		list = append(list, Values{Provider: Identity, Resource: resource, Count: plain[resource], Fit: NoPlain})
	}
	return list, nil
}

func (v *Values) count(s *snapshot.Snapshot, r snapshot.Record) {
	v.Count++
	plain, err := s.Decrypted(r)
	fit := fitOf(err)
	if err == nil {
		if e, err := kube.ParseEnvelope(plain); err != nil || e.Encoding == kube.Encrypted {
			fit = NotGiven
		} else {
			v.Decrypted++
		}
	} else {
		v.Error = err.Error()
	}
	switch {
	case v.Count == 1:
		v.Fit = fit
	case v.Fit != fit && v.Decrypted > 0:
		v.Fit = Damaged
	}
}

func fitOf(err error) Fit {
	switch {
	case err == nil:
		return Fits
	case errors.Is(err, encryption.ErrNoPlugin):
		return NoPlugin
	case errors.Is(err, encryption.ErrKMS):
		return Plugin
	case errors.Is(err, encryption.ErrNoKey):
		return NoKey
	case errors.Is(err, encryption.ErrWrongKey):
		return WrongKey
	case errors.Is(err, encryption.ErrMalformed):
		return NoPrefix
	}
	return Unread
}

// By names what encrypted the values, such as `aescbc v1 key "key1"`.
func (v *Values) By() string {
	switch v.Provider {
	case "":
		return "an unknown provider: the prefix is malformed"
	case Identity:
		return "provider identity, for they are not encrypted"
	case "kms":
		return fmt.Sprintf("kms %s plugin %q", v.Version, v.Name)
	}
	return fmt.Sprintf("%s %s key %q", v.Provider, v.Version, v.Name)
}

// Key is a key or a KMS plugin that an API server needs to read a snapshot, and how
// many values of it need that one.
type Key struct {
	Provider  string   `json:"provider"`
	Version   string   `json:"version"`
	Name      string   `json:"name"`
	Resources []string `json:"resources"` // sorted
	Count     int      `json:"count"`
	Decrypted int      `json:"decrypted"`
	Fit       Fit      `json:"fit"` // the worst of its resources
}

// By is as that of Values.
func (k *Key) By() string {
	return (&Values{Provider: k.Provider, Version: k.Version, Name: k.Name}).By()
}

// Keys sums values up by key, in their order.
func Keys(values []Values) []Key {
	list := []Key{}
	place := map[kube.EncryptedError]int{}
	for _, v := range values {
		by := kube.EncryptedError{Provider: v.Provider, Version: v.Version, Name: v.Name}
		at, ok := place[by]
		if !ok {
			at = len(list)
			place[by] = at
			list = append(list, Key{Provider: v.Provider, Version: v.Version, Name: v.Name, Fit: v.Fit})
		}
		k := &list[at]
		k.Count += v.Count
		k.Decrypted += v.Decrypted
		if v.Fit.rank() > k.Fit.rank() {
			k.Fit = v.Fit
		}
		if v.Resource != "" { // which no other of the key's values has
			k.Resources = append(k.Resources, v.Resource)
			slices.Sort(k.Resources)
		}
	}
	return list
}

func (f Fit) rank() int {
	return slices.Index([]Fit{Fits, Plugin, NotGiven, Unread, Damaged, OtherKey, WrongKey, NoKey, NoPlugin, NoPlain, NoPrefix}, f)
}
