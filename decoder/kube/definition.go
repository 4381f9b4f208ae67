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
	Group          string // spec.group
	Plural         string // spec.names.plural
	Kind           string // spec.names.kind
	Namespaced     bool   // spec.scope is Namespaced
	Versions       []DefinedVersion
	StoredVersions []string // status.storedVersions

	// Webhook says that a webhook converts between versions (spec.conversion), Service
	// which one it is behind, the zero Key when it is called by URL, and CABundle what
	// it is trusted by.
	Webhook  bool
	Service  Key
	CABundle []byte
}

// DefinedVersion is one of spec.versions.
type DefinedVersion struct {
	Name   string
	Served bool
}

// ScanDefinition reads off a stored value of group apiextensions.k8s.io what a
// Definition has, in v1beta1, in which API servers store definitions to this day
// (kubernetes v1.37 test/integration/etcd/data.go), or in v1. In JSON, as which they
// store it, everything else is stepped over, so faults there go unseen. The errors are
// those of ScanPod.
func ScanDefinition(value []byte) (Definition, error) {
	e, err := ParseEnvelope(value)
	if err != nil || e.Encoding != JSON {
		return decodeDefinition(value)
	}
	var d Definition
	var version, kind, only, strategy, scope string
	var webhook, beta conversionWebhook
	err = readJSON(value, jsonReads{
		"apiVersion": into(&version),
		"kind":       into(&kind),
		"spec": below(jsonReads{
			"group":   into(&d.Group),
			"names":   below(jsonReads{"plural": into(&d.Plural), "kind": into(&d.Kind)}),
			"scope":   into(&scope),
			"version": into(&only),
			"versions": func(list []byte) error {
				d.Versions = nil
				return eachJSON(list, func(item []byte) error {
					var v DefinedVersion
					err := readJSON(item, jsonReads{"name": into(&v.Name), "served": into(&v.Served)})
					d.Versions = append(d.Versions, v)
					return err
				})
			},
			"conversion": below(jsonReads{
				"strategy":            into(&strategy),
				"webhook":             below(jsonReads{"clientConfig": webhook.reads()}),
				"webhookClientConfig": beta.reads(),
			}),
		}),
		"status": below(jsonReads{"storedVersions": into(&d.StoredVersions)}),
	})
	if err != nil {
		return Definition{}, fmt.Errorf("scan definition: %w", err)
	}
	if kind != "CustomResourceDefinition" {
		version = ""
	}
	d.Namespaced = scope == string(apiextensionsv1.NamespaceScoped)
	switch version {
	case "apiextensions.k8s.io/v1":
		d.convertedBy(strategy, webhook)
	case "apiextensions.k8s.io/v1beta1":
		d.convertedBy(strategy, beta)
		d.versionOf(only)
	default:
		return Definition{}, fmt.Errorf("%w: %q of %q", ErrWrongKind, kind, version)
	}
	return d, nil
}

// conversionWebhook is a WebhookClientConfig.
type conversionWebhook struct {
	caBundle        []byte
	namespace, name string
}

func (w *conversionWebhook) reads() func([]byte) error {
	return below(jsonReads{
		"caBundle": into(&w.caBundle),
		"service":  below(jsonReads{"namespace": into(&w.namespace), "name": into(&w.name)}),
	})
}

// convertedBy keeps of a webhook what counts under a strategy.
func (d *Definition) convertedBy(strategy string, w conversionWebhook) {
	if strategy != string(apiextensionsv1.WebhookConverter) {
		return
	}
	d.Webhook, d.CABundle = true, w.caBundle
	if w.name != "" {
		d.Service = Key{Resource: "services", Namespace: w.namespace, Name: w.name}
	}
}

// versionOf takes the field that v1beta1 had before there were several versions.
func (d *Definition) versionOf(only string) {
	if len(d.Versions) == 0 && only != "" {
		d.Versions = []DefinedVersion{{Name: only, Served: true}}
	}
}

func decodeDefinition(value []byte) (Definition, error) {
	o := Decode(Key{}, value)
	switch c := o.Typed.(type) {
	case *apiextensionsv1.CustomResourceDefinition:
		return definitionFrom(c), nil
	case *apiextensionsv1beta1.CustomResourceDefinition:
		return definitionFromBeta(c), nil
	}
	_, err := decodeAs[*apiextensionsv1.CustomResourceDefinition](value)
	return Definition{}, fmt.Errorf("decode definition: %w", err)
}

func definitionFrom(c *apiextensionsv1.CustomResourceDefinition) Definition {
	d := Definition{Group: c.Spec.Group, Plural: c.Spec.Names.Plural, Kind: c.Spec.Names.Kind, Namespaced: string(c.Spec.Scope) == string(apiextensionsv1.NamespaceScoped), StoredVersions: c.Status.StoredVersions}
	for i := range c.Spec.Versions {
		d.Versions = append(d.Versions, DefinedVersion{c.Spec.Versions[i].Name, c.Spec.Versions[i].Served})
	}
	if v := c.Spec.Conversion; v != nil {
		var w conversionWebhook
		if v.Webhook != nil && v.Webhook.ClientConfig != nil {
			w.caBundle = v.Webhook.ClientConfig.CABundle
			if s := v.Webhook.ClientConfig.Service; s != nil {
				w.namespace, w.name = s.Namespace, s.Name
			}
		}
		d.convertedBy(string(v.Strategy), w)
	}
	return d
}

func definitionFromBeta(c *apiextensionsv1beta1.CustomResourceDefinition) Definition {
	d := Definition{Group: c.Spec.Group, Plural: c.Spec.Names.Plural, Kind: c.Spec.Names.Kind, Namespaced: string(c.Spec.Scope) == string(apiextensionsv1.NamespaceScoped), StoredVersions: c.Status.StoredVersions}
	for i := range c.Spec.Versions {
		d.Versions = append(d.Versions, DefinedVersion{c.Spec.Versions[i].Name, c.Spec.Versions[i].Served})
	}
	d.versionOf(c.Spec.Version)
	if v := c.Spec.Conversion; v != nil {
		var w conversionWebhook
		if v.WebhookClientConfig != nil {
			w.caBundle = v.WebhookClientConfig.CABundle
			if s := v.WebhookClientConfig.Service; s != nil {
				w.namespace, w.name = s.Namespace, s.Name
			}
		}
		d.convertedBy(string(v.Strategy), w)
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
