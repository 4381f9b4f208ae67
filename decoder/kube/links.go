package kube

import (
	"bytes"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
)

// Links is what an object's metadata has for others to find it by, and says of
// those that it belongs to.
type Links struct {
	UID    string
	Labels map[string]string
	Owners []metav1.OwnerReference // in stored order; without blockOwnerDeletion
}

// ScanLinks reads off a stored value of any kind what a Links has. Of a protobuf
// value only the metadata is looked at; JSON and CBOR are decoded. A label or a uid
// that is given twice counts as Decode takes it, the last one.
//
// The error is that of ScanMeta.
func ScanLinks(value []byte) (Links, error) {
	e, err := ParseEnvelope(value)
	switch {
	case err != nil:
		return Links{}, err
	case e.Encoding == Encrypted:
		return Links{}, &e.Encryption
	case e.Encoding == Protobuf:
		return scanLinks(e.Raw)
	}
	content, err := parseContent(e.Encoding, value)
	if err != nil {
		return Links{}, err
	}
	return linksOf(content), nil
}

// HasOwner says, of a value as it is stored, whether it may have an owner: false
// only where none is named, which takes a JSON value no decoding.
func HasOwner(value []byte) bool {
	return len(value) == 0 || value[0] != '{' || bytes.Contains(value, []byte("ownerReferences")) || bytes.Contains(value, []byte(`\u`))
}

// scanLinks reads the first field of the message, as which all types of
// Kubernetes have their metadata.
func scanLinks(b []byte) (Links, error) {
	var l Links
	for i := 0; i < len(b); {
		f, err := nextField(b, i)
		if err != nil {
			return Links{}, err
		}
		i = f.end
		if f.num != 1 {
			continue
		}
		data, err := bytesField(b, f)
		if err == nil {
			err = l.scan(data)
		}
		if err != nil {
			return Links{}, err
		}
	}
	return l, nil
}

// scan reads a metav1.ObjectMeta.
func (l *Links) scan(b []byte) error {
	for i := 0; i < len(b); {
		f, err := nextField(b, i)
		if err != nil {
			return err
		}
		i = f.end
		switch f.num {
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

func (l *Links) label(b []byte, f wireField) error {
	data, err := bytesField(b, f)
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

// owner reads a metav1.OwnerReference.
func (l *Links) owner(b []byte, f wireField) error {
	b, err := bytesField(b, f)
	if err != nil {
		return err
	}
	var o metav1.OwnerReference
	for i := 0; i < len(b); {
		f, err := nextField(b, i)
		if err != nil {
			return err
		}
		i = f.end
		switch f.num {
		case 1:
			err = setString(&o.Kind, b, f)
		case 3:
			err = setString(&o.Name, b, f)
		case 4:
			var uid string
			err = setString(&uid, b, f)
			o.UID = apitypes.UID(uid)
		case 5:
			err = setString(&o.APIVersion, b, f)
		case 6:
			o.Controller = new(bool)
			err = setBool(o.Controller, f)
		}
		if err != nil {
			return err
		}
	}
	l.Owners = append(l.Owners, o)
	return nil
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
