package shared

import (
	"fmt"
	"strings"

	"revenant/analyzer/manifest"
	"revenant/analyzer/resources"
	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/tui/session"
)

// Taken is a stored object that is copied or saved.
type Taken struct {
	Prefix  string // of the API server's keys
	Key     string
	From    string // names the object, its revision and its file
	Secrets bool   // with what a Secret holds
	JSON    bool   // or else YAML

	// Newest and Catalog tell which owners are still there; nil for none.
	Newest  *session.Source
	Catalog *resources.Catalog
}

// Manifest writes the object as it can be applied again. Where it cannot, it is written as
// it is stored, which is said above it.
func (k *Taken) Manifest(value []byte) string {
	o := kube.Decode(keyspace.DecodeKey(k.Prefix, k.Key), value)
	exists := func(manifest.Owner) bool { return false }
	if k.Newest != nil && k.Catalog != nil {
		exists = manifest.InNewest(k.Newest.Snapshot, k.Catalog, k.Prefix, KeyOf(k.Prefix, k.Key).Namespace)
	}
	m, err := manifest.Of(o, manifest.Options{ShowSecrets: k.Secrets, Exists: exists})
	if err != nil {
		return k.commented(k.stored(o), "As it is stored, and not to be applied: "+err.Error())
	}
	var text []byte
	if k.JSON {
		text, err = kube.DocumentJSON(m.Document)
	} else {
		text, err = kube.DocumentYAML(m.Document)
	}
	if err != nil {
		return k.commented(k.stored(o), "As it is stored: "+err.Error())
	}
	return k.commented(string(text), m.Comments()...)
}

// Stored writes the object as it is stored.
func (k *Taken) Stored(value []byte) string {
	return k.commented(k.stored(kube.Decode(keyspace.DecodeKey(k.Prefix, k.Key), value)), "As it is stored")
}

func (k *Taken) stored(o *kube.Object) string {
	options := kube.PrintOptions{ShowSecrets: k.Secrets}
	if k.JSON {
		return string(o.JSON(options))
	}
	return string(o.YAML(options))
}

// commented puts comments above YAML. JSON has none.
func (k *Taken) commented(text string, comments ...string) string {
	if k.JSON {
		return sanitize.WholeText(text)
	}
	var b strings.Builder
	for _, c := range append([]string{k.From}, comments...) {
		fmt.Fprintln(&b, manifest.Comment(c))
	}
	return b.String() + sanitize.WholeText(text)
}
