package kube

import (
	"errors"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"

	"revenant/decoder/wire"
)

// init keeps Kubernetes' types quiet: they log what they cannot read of an object, and wait a millisecond
// each time. Here that is evidence, which writes nothing to anybody's terminal.
func init() { utilruntime.ErrorHandlers = nil }

// Object is a stored value, decoded as far as it can be: a protobuf value into
// Typed, one of a type that Kubernetes 1.37 no longer has into Unstructured, or else
// into Unknown; a JSON or CBOR value into Unstructured, with Typed beside it for a
// built-in type in JSON.
type Object struct {
	Key      Key // it was stored under
	Encoding Encoding

	APIVersion string
	Kind       string
	Namespace  string // from the object, else from Key
	Name       string // from the object, else from Key
	UID        string

	// Typed is the object as its Go type: *corev1.Pod and so on.
	Typed runtime.Object
	// Unstructured is the content of a JSON or CBOR object, or what the JSON of an
	// object would be whose type is gone. Numbers but those of CBOR are of type
	// json.Number.
	Unstructured map[string]any
	// Removed says that the value has something in fields that Kubernetes 1.37 no
	// longer has, which Typed lacks and a Document has under their names.
	Removed bool
	// Unknown holds the fields of a protobuf message without a type here, or
	// which its type's decoder does not take.
	Unknown Message

	// Problem says what the object lacks, nil if nothing. It is an
	// *EncryptedError, a *LossError, a *NoTypeError or says why the value could
	// not be decoded.
	Problem error

	value []byte
}

// NoTypeError says that a protobuf value is of a type that is not built in here.
type NoTypeError struct {
	APIVersion string
	Kind       string
}

func (e *NoTypeError) Error() string {
	return fmt.Sprintf("no Go type for %q %q: fields shown by number", e.APIVersion, e.Kind)
}

var (
	errNoEncoding      = errors.New("in no encoding of an API server")
	errContentEncoding = errors.New("compressed, which no API server stores")
)

// Decode decodes what is stored under key. It takes any value and says in
// Problem what it could not read. With the zero Key, the object alone tells who
// it is. The object keeps value, which must not be changed from then on.
func Decode(key Key, value []byte) *Object {
	o := &Object{Key: key, value: value, Namespace: key.Namespace, Name: key.Name}
	e, err := ParseEnvelope(value)
	o.Encoding, o.APIVersion, o.Kind = e.Encoding, e.APIVersion, e.Kind
	switch {
	case len(value) > maxValue:
		o.Problem = errTooLarge
	case e.Encoding == Protobuf:
		o.decodeProtobuf(e, err)
	case err != nil:
		o.Problem = err
	case e.Encoding == Encrypted:
		o.Problem = e.encrypted()
	case e.Encoding == JSON:
		o.decodeJSON()
	case e.Encoding == CBOR:
		o.decodeCBOR()
	default:
		o.Problem = errNoEncoding
	}
	return o
}

// DecodeMetadata is Decode for who needs an object's metadata alone: of a JSON value
// the rest is stepped over, and not in the Object.
func DecodeMetadata(key Key, value []byte) *Object {
	e, err := ParseEnvelope(value)
	if err != nil || e.Encoding != JSON || len(value) > maxValue {
		return Decode(key, value)
	}
	o := &Object{Key: key, value: value, Namespace: key.Namespace, Name: key.Name, Encoding: JSON}
	if o.Unstructured, o.Problem = contentOf(JSON, value, nothing); o.Problem == nil {
		o.identifyContent()
	}
	return o
}

func (o *Object) decodeProtobuf(e Envelope, err error) {
	if err == nil && e.ContentEncoding != "" {
		err = errContentEncoding
	}
	if message := oldKind(e.APIVersion, e.Kind); err == nil && message != nil {
		var loss LossError
		if o.Unstructured, loss, err = decodeOld(e, message); err == nil {
			o.Problem = loss.err()
			o.identifyContent()
			return
		}
	} else if err == nil {
		var loss LossError
		o.Typed, loss, o.Removed, err = decodeTyped(e)
		o.Problem = loss.err()
	}
	if err != nil {
		o.Problem = err
		o.Unknown, _ = parseMessage(e.Raw) // shown as bytes if it fails, too
		o.identifyMessage()
		return
	}
	if m, err := meta.Accessor(o.Typed); err == nil {
		o.identify(m.GetNamespace(), m.GetName(), string(m.GetUID()))
	}
}

// decodeTyped decodes the message of e into the Go type that e names.
func decodeTyped(e Envelope) (obj runtime.Object, loss LossError, removed bool, err error) {
	obj, err = newTyped(e.APIVersion, e.Kind)
	if err != nil {
		return nil, LossError{}, false, err
	}
	m, ok := obj.(interface{ Unmarshal([]byte) error })
	if !ok {
		return nil, LossError{}, false, &NoTypeError{e.APIVersion, e.Kind}
	}
	loss, removed, err = checkMessage(e.Raw, reflect.TypeOf(obj).Elem())
	if err != nil {
		return nil, LossError{}, false, err
	}
	if err := guard(func() error { return m.Unmarshal(e.Raw) }); err != nil {
		return nil, LossError{}, false, err
	}
	obj.GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(e.APIVersion, e.Kind))
	return obj, loss, removed, nil
}

func (o *Object) decodeJSON() {
	content, loss, err := parseObject(o.value)
	if err != nil {
		o.Problem = fmt.Errorf("read JSON: %w", err)
		return
	}
	o.Unstructured, o.Problem = content, loss.err()
	o.identifyContent()
	obj, err := newTyped(o.APIVersion, o.Kind)
	if err != nil {
		return // a custom resource
	}
	if err := o.decodeTypedJSON(obj); err != nil && o.Problem == nil {
		o.Problem = fmt.Errorf("decode as %s %s: %w", o.APIVersion, o.Kind, err)
	}
}

// typedItem is about the largest Go value that one of JSON makes, and maxTyped how many
// bytes of such an object may ask for: room for the largest CustomResourceDefinition
// that etcd takes.
const (
	typedItem = 1 << 10
	maxTyped  = 64 << 20
)

// decodeTypedJSON sets Typed. It refuses what the decoder of the type cannot be
// trusted with: so many items that their Go values take far more memory than
// their text ("null," makes a Container), and numbers that take hours to expand
// where the type has a quantity.
func (o *Object) decodeTypedJSON(obj runtime.Object) error {
	if typedSize(o.Unstructured, false) > maxTyped {
		return errTooLarge
	}
	for name, part := range o.Unstructured {
		if name != "metadata" && !sensibleQuantities(part) {
			return errQuantity
		}
	}
	if err := guard(func() error { return utiljson.Unmarshal(o.value, obj) }); err != nil {
		return err
	}
	o.Typed = obj
	return nil
}

func (o *Object) decodeCBOR() {
	var content map[string]any
	err := checkCBOR(o.value)
	if err != nil {
		o.Problem = fmt.Errorf("read CBOR: %w", err)
		return
	}
	err = guard(func() error { return direct.Unmarshal(o.value, &content) })
	if err == nil && content == nil {
		err = errNoObject
	}
	if err != nil {
		o.Problem = fmt.Errorf("read CBOR: %w", err)
		return
	}
	o.Unstructured = content
	o.identifyContent()
}

// identifyContent fills in who the Unstructured object says it is.
func (o *Object) identifyContent() {
	o.APIVersion, _ = o.Unstructured["apiVersion"].(string)
	o.Kind, _ = o.Unstructured["kind"].(string)
	m, _ := o.Unstructured["metadata"].(map[string]any)
	namespace, _ := m["namespace"].(string)
	name, _ := m["name"].(string)
	uid, _ := m["uid"].(string)
	o.identify(namespace, name, uid)
}

// identifyMessage takes the first field of an Unknown message for metadata, as
// it is in all types of Kubernetes.
func (o *Object) identifyMessage() {
	for _, f := range o.Unknown {
		if f.Number != 1 || f.Wire != wire.Bytes {
			continue
		}
		s := podScan{room: keepable(len(f.Bytes))}
		if s.meta(f.Bytes) == nil {
			o.identify(s.pod.Namespace, s.pod.Name, s.pod.UID)
		}
		return
	}
}

func (o *Object) identify(namespace, name, uid string) {
	if name != "" {
		o.Namespace, o.Name = namespace, name
	}
	o.UID = uid
}

func newTyped(apiVersion, kind string) (runtime.Object, error) {
	obj, err := types().New(schema.FromAPIVersionAndKind(apiVersion, kind))
	if err != nil {
		return nil, &NoTypeError{apiVersion, kind}
	}
	return obj, nil
}

// guard calls a decoder that is not ours and turns a panic into an error.
func guard(decode func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("decoder panicked: %v", r)
		}
	}()
	return decode()
}
