package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/decoder/wire"
)

// Meta is what any stored object says about itself.
type Meta struct {
	APIVersion string
	Kind       string
	UID        string
	Created    time.Time // metadata.creationTimestamp, UTC, whole seconds, zero where it has none
	Deleted    time.Time // metadata.deletionTimestamp, UTC, whole seconds, zero unless being deleted
	Finalizers []string  // metadata.finalizers, in stored order
}

// ScanMeta reads off a stored value of any kind what a Meta has. Of a protobuf or
// JSON value only the metadata is looked at; CBOR is decoded.
//
// The error is an *EncryptedError or says what is malformed.
func ScanMeta(value []byte) (Meta, error) {
	e, err := ParseEnvelope(value)
	switch {
	case err != nil:
		return Meta{}, err
	case e.Encoding == Encrypted:
		return Meta{}, e.encrypted()
	case e.Encoding == Protobuf:
		s := podScan{room: keepable(len(value))}
		if err := scanMetadata(e.Raw, s.meta); err != nil {
			return Meta{}, err
		}
		p := &s.pod
		return Meta{APIVersion: e.APIVersion, Kind: e.Kind, UID: p.UID, Created: p.Created, Deleted: p.Deleted, Finalizers: p.Finalizers}, nil
	}
	content, err := contentOf(e.Encoding, value, nothing)
	if err != nil {
		return Meta{}, err
	}
	return metaOf(content), nil
}

// nothing are the fields of an object beside its type and metadata that are wanted.
func nothing(string) bool { return false }

// contentOf reads a value that is JSON or CBOR: its type, its metadata, and of a JSON
// value those other fields that are wanted.
func contentOf(encoding Encoding, value []byte, wanted func(field string) bool) (map[string]any, error) {
	if encoding != JSON {
		return parseContent(encoding, value)
	}
	parts, err := jsonParts(value)
	if err != nil {
		return nil, err
	}
	return contentOfParts(parts, wanted)
}

// jsonParts are the fields of the object that a JSON value is.
func jsonParts(value []byte) ([]jsonField, error) {
	var parts []jsonField
	for f, err := range jsonFields(value) {
		if err == nil && len(parts) == maxParts {
			err = errTooLarge
		}
		if err != nil {
			return nil, fmt.Errorf("read JSON: %w", err)
		}
		parts = append(parts, f)
	}
	return parts, nil
}

// maxParts bounds the fields at the top of an object, of which real ones have a few.
const maxParts = 1 << 10

func contentOfParts(parts []jsonField, wanted func(field string) bool) (map[string]any, error) {
	text := []byte{'{'}
	for _, f := range parts {
		if f.name != "apiVersion" && f.name != "kind" && f.name != "metadata" && !wanted(f.name) {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		text = append(append(text, name...), ':')
		text = append(text, f.value...)
	}
	return parseContent(JSON, append(text, '}'))
}

// scanMetadata scans the first field of a message, as which all types of
// Kubernetes have their metadata.
func scanMetadata(b []byte, scan func([]byte) error) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() != 1 {
			continue
		}
		data, err := f.Bytes(b)
		if err == nil {
			err = scan(data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func metaOf(content map[string]any) Meta {
	var m Meta
	m.APIVersion, _ = content["apiVersion"].(string)
	m.Kind, _ = content["kind"].(string)
	metadata, _ := content["metadata"].(map[string]any)
	m.UID, _ = metadata["uid"].(string)
	for name, to := range map[string]*time.Time{"creationTimestamp": &m.Created, "deletionTimestamp": &m.Deleted} {
		if text, ok := metadata[name].(string); ok {
			*to, _ = time.Parse(time.RFC3339, text)
			*to = to.UTC()
		}
	}
	finalizers, _ := metadata["finalizers"].([]any)
	for _, f := range finalizers {
		if name, ok := f.(string); ok {
			m.Finalizers = append(m.Finalizers, name)
		}
	}
	return m
}

// parseContent reads a value that is JSON or CBOR.
func parseContent(encoding Encoding, value []byte) (map[string]any, error) {
	switch encoding {
	case JSON:
		content, _, err := parseObject(value)
		return content, err
	case CBOR:
		o := Decode(Key{}, value)
		return o.Unstructured, o.Problem
	}
	return nil, errNoEncoding
}

// SameButStatus says whether two stored values of one object differ in nothing
// but its status and in who manages its fields. It is false for kinds that have
// no status and for values that cannot be read.
func SameButStatus(a, b []byte) bool {
	x, errX := ParseEnvelope(a)
	y, errY := ParseEnvelope(b)
	switch {
	case errX != nil || errY != nil || x.Encoding != y.Encoding:
		return false
	case x.Encoding == Protobuf:
		return sameMessages(x, y)
	case x.Encoding != JSON && x.Encoding != CBOR:
		return false
	}
	m, n, err := contentsButStatus(x.Encoding, a, b)
	return err == nil && reflect.DeepEqual(m, n)
}

// The fields of metav1.ObjectMeta that say nothing about the object. Kubernetes 1.7 to
// 1.24 wrote a cluster name, which was always empty, and 1.7 to 1.15 initializers.
const (
	resourceVersionField = 6
	clusterNameField     = 15
	initializersField    = 16
	managedFieldsField   = 17
)

func sameMessages(x, y Envelope) bool {
	status, ok := statusField(x.APIVersion, x.Kind)
	if !ok || x.APIVersion != y.APIVersion || x.Kind != y.Kind {
		return false
	}
	a, errX := messageButStatus(x.Raw, status)
	b, errY := messageButStatus(y.Raw, status)
	return errX == nil && errY == nil && bytes.Equal(a, b)
}

// messageButStatus copies a message, its metadata to the front.
func messageButStatus(b []byte, status int32) ([]byte, error) {
	meta, rest := make([]byte, 0, len(b)), make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		f, err := wire.Next(b, i)
		if err != nil {
			return nil, err
		}
		switch f.Num() {
		case 1:
			var data []byte
			if data, err = f.Bytes(b); err == nil {
				meta, err = appendMeta(meta, data)
			}
		case status:
		default:
			rest = append(rest, b[i:f.End]...)
		}
		if err != nil {
			return nil, err
		}
		i = f.End
	}
	return append(meta, rest...), nil
}

// appendMeta copies the fields of a metav1.ObjectMeta that say something.
func appendMeta(to, b []byte) ([]byte, error) {
	for i := 0; i < len(b); {
		f, err := wire.Next(b, i)
		if err != nil {
			return nil, err
		}
		switch f.Num() {
		case resourceVersionField, clusterNameField, initializersField, managedFieldsField:
		default:
			to = append(to, b[i:f.End]...)
		}
		i = f.End
	}
	return to, nil
}

// statusField is the number of the field status in the message of a built-in
// type, or of one that Kubernetes 1.37 no longer has.
func statusField(apiVersion, kind string) (int32, bool) {
	for number, f := range oldKind(apiVersion, kind) {
		if f.name == "status" {
			return number, true
		}
	}
	obj, err := newTyped(apiVersion, kind)
	if err != nil {
		return 0, false
	}
	f, ok := reflect.TypeOf(obj).Elem().FieldByName("Status")
	if !ok {
		return 0, false
	}
	tag := strings.Split(f.Tag.Get("protobuf"), ",")
	if len(tag) < 2 {
		return 0, false
	}
	n, err := strconv.ParseInt(tag[1], 10, 32)
	return int32(n), err == nil && n > 1
}

// contentsButStatus reads two values, of JSON without the fields that are the same text
// in both.
func contentsButStatus(encoding Encoding, a, b []byte) (m, n map[string]any, err error) {
	if encoding != JSON {
		m, errA := parseContent(encoding, a)
		n, errB := parseContent(encoding, b)
		return withoutStatus(m), withoutStatus(n), errors.Join(errA, errB)
	}
	x, errA := jsonParts(a)
	y, errB := jsonParts(b)
	if err := errors.Join(errA, errB); err != nil {
		return nil, nil, err
	}
	differs := func(field string) bool {
		return field != "status" && !bytes.Equal(lastPart(x, field), lastPart(y, field))
	}
	m, errA = contentOfParts(x, differs)
	n, errB = contentOfParts(y, differs)
	return withoutStatus(m), withoutStatus(n), errors.Join(errA, errB)
}

// lastPart is the text of a field, of one that is there twice the last; nil for none.
func lastPart(parts []jsonField, name string) []byte {
	for _, f := range slices.Backward(parts) {
		if f.name == name {
			return f.value
		}
	}
	return nil
}

func withoutStatus(content map[string]any) map[string]any {
	delete(content, "status")
	if m, ok := content["metadata"].(map[string]any); ok {
		delete(m, "clusterName")
		delete(m, "initializers")
		delete(m, "managedFields")
		delete(m, "resourceVersion")
	}
	return content
}
