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
	m, err := manifest.Of(o, manifest.Options{ShowSecrets: k.Secrets, Exists: k.exists})
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

// exists says whether an owner is there in the newest state, with that uid.
func (k *Taken) exists(owner manifest.Owner) bool {
	if k.Newest == nil || k.Catalog == nil {
		return false
	}
	group, _, found := strings.Cut(owner.APIVersion, "/")
	if !found {
		group = ""
	}
	r := k.Catalog.OfKind(group, owner.Kind)
	if r == nil {
		return false
	}
	key := kube.Key{Group: r.Group, Resource: r.Name, Name: owner.Name}
	if r.Namespaced {
		key.Namespace = KeyOf(k.Prefix, k.Key).Namespace
	}
	record, err := k.Newest.Snapshot.Get(key.Path(k.Prefix), 0)
	if err != nil {
		return false
	}
	value, err := k.Newest.Snapshot.Value(record)
	if err != nil {
		return true // it is there; whether it is the same cannot be read
	}
	meta, err := kube.ScanMeta(value)
	return err != nil || meta.UID == owner.UID
}
