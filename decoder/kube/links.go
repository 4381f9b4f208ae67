package kube

import (
	"bytes"
	"unsafe"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"

	"revenant/decoder/wire"
)

// Links is what an object's metadata has for others to find it by, and says of
// those that it belongs to.
type Links struct {
	UID    string
	Labels map[string]string
	Owners []metav1.OwnerReference // in stored order; without blockOwnerDeletion
}

// ScanLinks reads off a stored value of any kind what a Links has. Of a protobuf
// value only the metadata is looked at, and of a JSON value; CBOR is decoded. A label or a uid
// that is given twice counts as Decode takes it, the last one.
//
// The error is that of ScanMeta.
func ScanLinks(value []byte) (Links, error) {
	e, err := ParseEnvelope(value)
	switch {
	case err != nil:
		return Links{}, err
	case e.Encoding == Encrypted:
		return Links{}, e.encrypted()
	case e.Encoding == Protobuf:
		var l Links
		if err := scanMetadata(e.Raw, l.scan); err != nil {
			return Links{}, err
		}
		return l.bounded(value)
	}
	content, err := contentOf(e.Encoding, value, nothing)
	if err != nil {
		return Links{}, err
	}
	l := linksOf(content)
	return l.bounded(value)
}

// bounded refuses links that would take far more memory than the value.
func (l *Links) bounded(value []byte) (Links, error) {
	if len(l.Labels)*labelSize+len(l.Owners)*ownerSize > keepable(len(value)) {
		return Links{}, errTooLarge
	}
	return *l, nil
}

const ownerSize = int(unsafe.Sizeof(metav1.OwnerReference{}))

// ScanController reads which controller an object belongs to, as ScanLinks has it among
// the owners, and nothing else where the value is protobuf; "" for none.
func ScanController(value []byte) (kind, name string, err error) {
	if e, err := ParseEnvelope(value); err == nil && e.Encoding == Protobuf {
		found := false
		err := scanMetadata(e.Raw, func(b []byte) error {
			for f, err := range wire.Fields(b) {
				if err != nil {
					return err
				}
				if f.Num() != 13 || found {
					continue
				}
				o, err := scanOwner(b, f)
				if err != nil {
					return err
				}
				if found = o.controller; found {
					kind, name = o.Kind, o.Name
				}
			}
			return nil
		})
		return kind, name, err
	}
	l, err := ScanLinks(value)
	if err != nil {
		return "", "", err
	}
	kind, name = l.Controller()
	return kind, name, nil
}

// Controller is the kind and the name of the controller among the owners, "" without one.
func (l *Links) Controller() (kind, name string) {
	for _, o := range l.Owners {
		if o.Controller != nil && *o.Controller {
			return o.Kind, o.Name
		}
	}
	return "", ""
}

// HasOwner says, of a value as it is stored, whether it may have an owner: false
// only where none is named, which takes a JSON value no decoding.
func HasOwner(value []byte) bool {
	return len(value) == 0 || value[0] != '{' || bytes.Contains(value, []byte("ownerReferences")) || bytes.Contains(value, []byte(`\u`))
}

// scan reads a metav1.ObjectMeta.
func (l *Links) scan(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		switch f.Num() {
		case 5:
			err = setString(&l.UID, b, f)
		case 11:
			err = l.label(b, f)
		case 13:
			err = l.owner(b, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Links) label(b []byte, f wire.Field) error {
	data, err := f.Bytes(b)
	if err != nil {
		return err
	}
	key, value, err := mapEntry(data)
	if err != nil {
		return err
	}
	if l.Labels == nil {
		l.Labels = map[string]string{}
	}
	l.Labels[string(key)] = string(value)
	return nil
}

func (l *Links) owner(b []byte, f wire.Field) error {
	o, err := scanOwner(b, f)
	if err != nil {
		return err
	}
	ref := metav1.OwnerReference{APIVersion: o.apiVersion, Kind: o.Kind, Name: o.Name, UID: apitypes.UID(o.UID)}
	if o.hasController {
		ref.Controller = new(o.controller)
	}
	l.Owners = append(l.Owners, ref)
	return nil
}

// ownerReference is what is read of a metav1.OwnerReference.
type ownerReference struct {
	Owner
	apiVersion                string
	controller, hasController bool
}

func scanOwner(b []byte, f wire.Field) (o ownerReference, err error) {
	b, err = f.Bytes(b)
	if err != nil {
		return o, err
	}
	for f, err := range wire.Fields(b) {
		if err != nil {
			return o, err
		}
		switch f.Num() {
		case 1:
			err = setString(&o.Kind, b, f)
		case 3:
			err = setString(&o.Name, b, f)
		case 4:
			err = setString(&o.UID, b, f)
		case 5:
			err = setString(&o.apiVersion, b, f)
		case 6:
			err = setBool(&o.controller, f)
			o.hasController = true
		}
		if err != nil {
			return o, err
		}
	}
	o.Custom = custom(o.apiVersion)
	return o, nil
}

func linksOf(content map[string]any) Links {
	var l Links
	metadata, _ := content["metadata"].(map[string]any)
	l.UID, _ = metadata["uid"].(string)
	if labels, ok := metadata["labels"].(map[string]any); ok && len(labels) > 0 {
		l.Labels = map[string]string{}
		for key, value := range labels {
			if text, ok := value.(string); ok {
				l.Labels[key] = text
			}
		}
	}
	owners, _ := metadata["ownerReferences"].([]any)
	for _, owner := range owners {
		fields, ok := owner.(map[string]any)
		if !ok {
			continue
		}
		var o metav1.OwnerReference
		o.APIVersion, _ = fields["apiVersion"].(string)
		o.Kind, _ = fields["kind"].(string)
		o.Name, _ = fields["name"].(string)
		uid, _ := fields["uid"].(string)
		o.UID = apitypes.UID(uid)
		if controller, ok := fields["controller"].(bool); ok {
			o.Controller = &controller
		}
		l.Owners = append(l.Owners, o)
	}
	return l
}
