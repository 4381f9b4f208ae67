package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// EncryptedValues counts the live values of a resource that one key encrypted.
type EncryptedValues struct {
	Provider  string `json:"provider"` // aescbc, aesgcm, secretbox or kms; "" when the prefix is malformed
	Version   string `json:"version"`
	Name      string `json:"name"` // of the key or, for kms, of the plugin
	Resource  string `json:"resource"`
	Count     int    `json:"count"`
	Decrypted int    `json:"decrypted"`
	Error     string `json:"error,omitempty"` // why the others could not be, with keys at hand
}

// prefixSize is how much of a value tells by what it was encrypted.
const prefixSize = 1100

// encrypted names what encrypted the live values of a snapshot. The error is ctx's.
func encrypted(ctx context.Context, s *snapshot.Snapshot, prefix string) ([]EncryptedValues, error) {
	list := []EncryptedValues{}
	for r := range s.Keys("") {
		if err := ctx.Err(); err != nil {
			return nil, err
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
			resource = resourceName(key)
		}
		e := envelope.Encryption
		at := slices.IndexFunc(list, func(v EncryptedValues) bool {
			return v.Provider == e.Provider && v.Version == e.Version && v.Name == e.Name && v.Resource == resource
		})
		if at < 0 {
			at = len(list)
			list = append(list, EncryptedValues{Provider: e.Provider, Version: e.Version, Name: e.Name, Resource: resource})
		}
		list[at].count(s, r)
	}
	slices.SortFunc(list, func(a, b EncryptedValues) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

func (v *EncryptedValues) count(s *snapshot.Snapshot, r snapshot.Record) {
	v.Count++
	plain, err := s.Decrypted(r)
	if err != nil {
		v.Error = err.Error()
		return
	}
	if e, err := kube.ParseEnvelope(plain); err == nil && e.Encoding != kube.Encrypted {
		v.Decrypted++
	}
}

// resourceName is a resource with its group, where the key has it.
func resourceName(key kube.Key) string {
	if strings.Contains(key.Group, ".") {
		return key.Resource + "." + key.Group
	}
	return key.Resource
}

func encryptionText(p *Printer, list []EncryptedValues) {
	for i := range list {
		v := &list[i]
		by := fmt.Sprintf("%s %s key %q", v.Provider, v.Version, v.Name)
		switch v.Provider {
		case "":
			by = "an unknown provider: the prefix is malformed"
		case "kms":
			by = fmt.Sprintf("kms %s plugin %q", v.Version, v.Name)
		}
		state := "not decrypted: --encryption-config names the keys"
		switch {
		case v.Provider == "kms":
			state = "only that plugin can decrypt them: read them through an API server that has it"
		case v.Decrypted == v.Count:
			state = "decrypted with the given configuration"
		case v.Error != "" && v.Decrypted > 0:
			state = fmt.Sprintf("%s decrypted, %s damaged: %s", Count(v.Decrypted), Count(v.Count-v.Decrypted), v.Error)
		case v.Error != "":
			state = v.Error
		}
		p.wrappedField("encrypted", fmt.Sprintf("%s %s by %s; %s", Count(v.Count), known(v.Resource), by, state))
	}
}

// brokenValues says whether a key decrypts some values and others not: those are
// damaged. Where it decrypts none, it may be the wrong one.
func brokenValues(list []EncryptedValues) bool {
	return slices.ContainsFunc(list, func(v EncryptedValues) bool { return v.Error != "" && v.Decrypted > 0 && v.Provider != "kms" })
}
