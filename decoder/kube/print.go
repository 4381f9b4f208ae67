package kube

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"

	"revenant/decoder/document"
	"revenant/decoder/sanitize"
)

// MostOnScreen is for PrintOptions.Most: some 30,000 values, more than anybody scrolls
// through, in a quarter of the memory that printing may take.
const MostOnScreen = maxPrintSize / 4

// PrintOptions says how an Object is printed.
type PrintOptions struct {
	// ShowSecrets prints what Secrets hold.
	ShowSecrets bool
	// DropManagedFields leaves metadata.managedFields out, as kubectl does.
	DropManagedFields bool
	// Revision is that of the put, which an API server shows as metadata.resourceVersion;
	// 0 for none.
	Revision int64
	// Most bounds what is printed of many or deeply nested values; 0 for the largest objects
	// that etcd takes. What is beyond is printed as it is stored, with a problem.
	Most int
}

// maxPrintSize bounds what printing makes of many or deeply nested values, in
// the unit of printSize. The largest objects that etcd takes stay far below it.
const maxPrintSize = 2 << 20

const jsonIndent = "    "

var errUnprintable = errors.New("too many values, or nested too deep, to be printed one by one")

// YAML prints the object as `kubectl get -o yaml` does, with its keys sorted. A
// Problem stands above it as a comment. What is no object of a known type is
// shown by field number or, failing that, as text or base64, with the problem
// beside it.
func (o *Object) YAML(opts PrintOptions) []byte {
	doc, err := o.content(opts)
	var out []byte
	if err == nil {
		err = guard(func() (err error) {
			out, err = document.YAML(yamlValue(doc))
			return err
		})
	}
	if err != nil {
		out, _ = document.YAML(yamlValue(o.stored(opts, err)))
		return out
	}
	if o.Problem != nil && doc["problem"] == nil {
		out = append([]byte("# "+comment(o.Problem)+"\n"), out...)
	}
	return out
}

// DocumentYAML prints what Document returns, or a changed copy of it, as YAML does. The
// error says that it has too many or too deeply nested values.
func DocumentYAML(doc map[string]any) (out []byte, err error) {
	if printSize(doc, 0) > maxPrintSize {
		return nil, errUnprintable
	}
	err = guard(func() (err error) {
		out, err = document.YAML(yamlValue(doc))
		return err
	})
	return out, err
}

// Document is the object as JSON prints it, in the types of encoding/json with
// numbers as json.Number. It must not be changed: parts of it may be the object's.
func (o *Object) Document(opts PrintOptions) map[string]any {
	doc, err := o.content(opts)
	if err != nil {
		doc = o.stored(opts, err)
	}
	return doc
}

// JSON prints the object as `kubectl get -o json` does. Unlike YAML it has no
// place for a Problem of an object that is otherwise decoded.
func (o *Object) JSON(opts PrintOptions) []byte {
	doc, err := o.content(opts)
	var out []byte
	if err == nil {
		out, err = document.JSON(doc, jsonIndent)
	}
	if err != nil {
		out, _ = document.JSON(o.stored(opts, err), jsonIndent)
	}
	return out
}

// comment is what err says, on one line.
func comment(err error) string { return sanitize.Line(err.Error()) }

// content is the object as a JSON document, ready to be printed.
func (o *Object) content(opts PrintOptions) (map[string]any, error) {
	doc := maps.Clone(o.Unstructured)
	if doc == nil {
		if o.Typed == nil {
			return o.stored(opts, o.Problem), nil
		}
		b, err := json.Marshal(o.Typed)
		if err != nil {
			return nil, fmt.Errorf("print as %s %s: %w", o.APIVersion, o.Kind, err)
		}
		if doc, _, err = parseObject(b); err != nil {
			return nil, fmt.Errorf("print as %s %s: %w", o.APIVersion, o.Kind, err)
		}
		if o.Removed {
			o.addRemoved(doc)
		}
	}
	if printSize(doc, 0) > cmp.Or(opts.Most, maxPrintSize) {
		return nil, errUnprintable
	}
	if !opts.ShowSecrets && o.Secret() {
		redact(doc)
	}
	if m, ok := doc["metadata"].(map[string]any); ok && (opts.DropManagedFields || opts.Revision > 0) {
		m = maps.Clone(m)
		if opts.DropManagedFields {
			delete(m, "managedFields")
		}
		if opts.Revision > 0 {
			m["resourceVersion"] = strconv.FormatInt(opts.Revision, 10)
		}
		doc["metadata"] = m
	}
	return doc, nil
}

// addRemoved adds to doc what the value has in fields that its type no longer has.
func (o *Object) addRemoved(doc map[string]any) {
	if e, err := ParseEnvelope(o.value); err == nil {
		var c checker
		_ = c.addOld(e.Raw, layoutOf(reflect.TypeOf(o.Typed).Elem()), doc, 0) // what fails was noted when it was decoded
	}
}

// stored is a document of the value as it was stored, for values that could not
// be decoded because of problem.
func (o *Object) stored(opts PrintOptions, problem error) map[string]any {
	doc := map[string]any{"problem": problem.Error()}
	if o.Encoding == Protobuf {
		doc["apiVersion"], doc["kind"] = o.APIVersion, o.Kind
	}
	var encrypted *EncryptedError
	switch {
	case errors.As(problem, &encrypted):
		doc["size"] = len(o.value)
		return doc
	case !opts.ShowSecrets && o.Secret():
		doc["value"] = redacted(len(o.value))
		return doc
	}
	if m := o.message(); m != nil {
		doc["protobuf"] = m.document()
	} else if isText(o.value, "\t\r\n") {
		doc["text"] = string(o.value)
	} else {
		doc["base64"] = base64.StdEncoding.EncodeToString(o.value)
	}
	return doc
}

// message is the value of a protobuf object by field number, nil for others and
// for what is no message.
func (o *Object) message() Message {
	if o.Unknown != nil || o.Encoding != Protobuf || len(o.value) > maxValue {
		return o.Unknown
	}
	e, _ := ParseEnvelope(o.value)
	m, _ := parseMessage(e.Raw)
	return m
}

// Secret says whether the object holds secrets, which are printed only when asked
// for: by its kind, by its key, and, when neither is known, to be on the safe side.
func (o *Object) Secret() bool {
	switch o.Kind {
	case "Secret", "SecretList", "OAuthClient", "OAuthAccessToken", "OAuthAuthorizeToken":
		return true
	}
	switch o.Key.Resource {
	case "secrets", "oauthclients", "oauthaccesstokens", "oauthauthorizetokens":
		return true
	}
	return o.Kind == "" && o.Key.Resource == ""
}

// harmless are the fields of a Secret that tell nothing of its content.
var harmless = map[string]bool{"apiVersion": true, "kind": true, "metadata": true, "type": true, "immutable": true}

// copies are annotations that hold a copy of the object, or its token.
var copies = map[string]bool{
	"kubectl.kubernetes.io/last-applied-configuration": true,
	"kapp.k14s.io/original":                            true,
	"objectset.rio.cattle.io/applied":                  true,
	"openshift.io/token-secret.value":                  true,
}

// maxAnnotation is the length in bytes up to which other annotations of a Secret
// are shown: a name, a time, but hardly a copy of its content.
const maxAnnotation = 253

// redact takes the content out of a Secret's document: all values but those
// which are known to be harmless, also where copies of them are kept. The names
// of the values stay.
func redact(doc map[string]any) {
	for name, v := range doc {
		if !harmless[name] {
			doc[name] = redactEach(v, name == "data")
		}
	}
	m, ok := doc["metadata"].(map[string]any)
	if !ok {
		delete(doc, "metadata")
		return
	}
	m = maps.Clone(m)
	doc["metadata"] = m
	annotations, ok := m["annotations"].(map[string]any)
	if !ok {
		delete(m, "annotations")
		return
	}
	annotations = maps.Clone(annotations)
	m["annotations"] = annotations
	for name, v := range annotations {
		if s, ok := v.(string); !ok || copies[name] || len(s) > maxAnnotation {
			annotations[name] = redactValue(v, false)
		}
	}
}

// redactEach hides each value of an object, or v itself.
func redactEach(v any, encoded bool) any {
	object, ok := v.(map[string]any)
	if !ok {
		return redactValue(v, encoded)
	}
	hidden := make(map[string]any, len(object))
	for name, item := range object {
		hidden[name] = redactValue(item, encoded)
	}
	return hidden
}

// redactValue hides v and tells how long it is, decoded if it is encoded in base64.
func redactValue(v any, encoded bool) string {
	s, ok := v.(string)
	if !ok {
		return "<redacted>"
	}
	if b, err := base64.StdEncoding.DecodeString(s); encoded && err == nil {
		return redacted(len(b))
	}
	return redacted(len(s))
}

func redacted(size int) string { return fmt.Sprintf("<redacted, %d bytes>", size) }

// yamlValue is v with the numbers as the YAML emitter knows them. Integers
// beyond 64 bits and long fractions lose digits there, as they do in kubectl.
func yamlValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, item := range v {
			m[name] = yamlValue(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = yamlValue(item)
		}
		return list
	case json.Number:
		if u, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return u
		}
	}
	return v // json.Number is known to the emitter
}

// DocumentJSON is DocumentYAML as JSON.
func DocumentJSON(doc map[string]any) ([]byte, error) { return document.JSON(doc, jsonIndent) }
