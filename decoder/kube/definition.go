package kube

import (
	"encoding/json"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
)

// Definition is the part of a CustomResourceDefinition that says where its objects are
// and in which versions.
type Definition struct {
	Group          string           // spec.group
	Plural         string           // spec.names.plural
	Versions       []DefinedVersion // spec.versions, or the one in spec.version of v1beta1
	StoredVersions []string         // status.storedVersions
}

// DefinedVersion is one of spec.versions.
type DefinedVersion struct {
	Name   string
	Served bool
}

// ScanDefinition reads off a stored value of group apiextensions.k8s.io, in version v1
// or v1beta1, what a Definition has. In JSON, as which API servers store it, everything else is stepped
// over, so faults there go unseen. The errors are those of ScanPod.
func ScanDefinition(value []byte) (Definition, error) {
	e, err := ParseEnvelope(value)
	if err != nil || e.Encoding != JSON {
		d, err := decodeDefinition(value)
		if err != nil {
			return Definition{}, fmt.Errorf("decode definition: %w", err)
		}
		return d, nil
	}
	var d Definition
	var version, kind, only string
	err = readJSON(value, jsonReads{
		"apiVersion": into(&version),
		"kind":       into(&kind),
		"spec": below(jsonReads{
			"group":   into(&d.Group),
			"version": into(&only),
			"names":   below(jsonReads{"plural": into(&d.Plural)}),
			"versions": func(list []byte) error {
				d.Versions = nil
				return eachJSON(list, func(item []byte) error {
					var v DefinedVersion
					err := readJSON(item, jsonReads{"name": into(&v.Name), "served": into(&v.Served)})
					d.Versions = append(d.Versions, v)
					return err
				})
			},
		}),
		"status": below(jsonReads{"storedVersions": into(&d.StoredVersions)}),
	})
	if err != nil {
		return Definition{}, fmt.Errorf("scan definition: %w", err)
	}
	if len(d.Versions) == 0 && only != "" {
		d.Versions = []DefinedVersion{{only, true}}
	}
	if version != "apiextensions.k8s.io/v1" && version != "apiextensions.k8s.io/v1beta1" || kind != "CustomResourceDefinition" {
		return Definition{}, fmt.Errorf("%w: %q of %q", ErrWrongKind, kind, version)
	}
	return d, nil
}

func decodeDefinition(value []byte) (Definition, error) {
	o := Decode(Key{}, value)
	c, err := As[*apiextensionsv1.CustomResourceDefinition](o)
	if err != nil {
		return Definition{}, err
	}
	d := definitionFrom(c)
	if old, ok := o.Typed.(*apiextensionsv1beta1.CustomResourceDefinition); ok && len(d.Versions) == 0 && old.Spec.Version != "" {
		d.Versions = []DefinedVersion{{old.Spec.Version, true}}
	}
	return d, nil
}

func definitionFrom(c *apiextensionsv1.CustomResourceDefinition) Definition {
	d := Definition{Group: c.Spec.Group, Plural: c.Spec.Names.Plural, StoredVersions: c.Status.StoredVersions}
	for i := range c.Spec.Versions {
		d.Versions = append(d.Versions, DefinedVersion{c.Spec.Versions[i].Name, c.Spec.Versions[i].Served})
	}
	return d
}

// jsonReads says what to do with which fields of an object. null is no field.
type jsonReads map[string]func(value []byte) error

// readJSON reads fields of the object that b is.
func readJSON(b []byte, reads jsonReads) error {
	for f, err := range jsonFields(b) {
		if err != nil {
			return err
		}
		if read := reads[f.name]; read != nil && string(f.value) != "null" {
			if err := read(f.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachJSON reads the items of the list that b is.
func eachJSON(b []byte, read func(item []byte) error) error {
	for f, err := range jsonFields(b) {
		if err == nil {
			err = read(f.value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func below(reads jsonReads) func([]byte) error {
	return func(b []byte) error { return readJSON(b, reads) }
}

func into(to any) func([]byte) error {
	return func(b []byte) error { return json.Unmarshal(b, to) }
}
