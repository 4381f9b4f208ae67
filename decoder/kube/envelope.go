package kube

import (
	"bytes"
	"fmt"

	"revenant/decoder/wire"
)

// Encoding is how a stored value is encoded.
type Encoding int

// The encodings of kube-apiserver (apiserver v0.37 pkg/server/options
// etcd.go, encryptionconfig/config.go). UnknownEncoding is everything else:
// values that no API server wrote, damaged ones, and empty ones.
const (
	UnknownEncoding Encoding = iota
	Protobuf                 // runtime.Unknown after "k8s\0": built-in types
	JSON                     // custom resources, CustomResourceDefinitions, APIServices
	CBOR                     // custom resources, with the feature gate CBORServingAndStorage
	Encrypted                // any of them, encrypted
)

func (e Encoding) String() string {
	switch e {
	case Protobuf:
		return "protobuf"
	case JSON:
		return "JSON"
	case CBOR:
		return "CBOR"
	case Encrypted:
		return "encrypted"
	default:
		return "unknown"
	}
}

// Envelope is what a value says about itself before its object is decoded.
type Envelope struct {
	Encoding Encoding

	// Of a protobuf value; JSON and CBOR have these in the object.
	APIVersion      string
	Kind            string
	ContentEncoding string // never set by an API server
	ContentType     string // never set by an API server

	Encryption EncryptedError // of an encrypted value

	// Raw is the encoded object or the ciphertext, after what was read. It
	// aliases the value.
	Raw []byte
}

// EncryptedError says that a value is encrypted, and by what. Decrypting it
// (apiserver pkg/storage/value) gives a value with an envelope of its own.
type EncryptedError struct {
	Provider string // aescbc, aesgcm, secretbox or kms
	Version  string // of the provider's format: v1 or v2
	Name     string // of the key or, for kms, of the plugin, as the EncryptionConfiguration calls it
}

func (e *EncryptedError) Error() string {
	if e.Provider == "kms" {
		return fmt.Sprintf("encrypted by kms %s with plugin %q", e.Version, e.Name)
	}
	return fmt.Sprintf("encrypted by %s with key %q", e.Provider, e.Name)
}

const (
	protobufMagic    = "k8s\x00"
	cborMagic        = "\xd9\xd9\xf7"
	encryptionPrefix = "k8s:enc:"
	maxKeyName       = 1024 // bytes of a key's or plugin's name; real ones have a few
)

// encrypted is why an encrypted value is not read; a copy, so that e need not be kept.
func (e *Envelope) encrypted() error { return new(e.Encryption) }

// ParseEnvelope tells how value is encoded. The error says what is wrong with a
// protobuf envelope or an encryption prefix; the encoding is set nevertheless,
// and Raw is all that follows the magic bytes.
func ParseEnvelope(value []byte) (Envelope, error) {
	if raw, ok := bytes.CutPrefix(value, []byte(protobufMagic)); ok {
		e := Envelope{Encoding: Protobuf, Raw: raw}
		if err := e.scanUnknown(raw); err != nil {
			return Envelope{Encoding: Protobuf, Raw: raw}, fmt.Errorf("read protobuf envelope: %w", err)
		}
		return e, nil
	}
	if raw, ok := bytes.CutPrefix(value, []byte(encryptionPrefix)); ok {
		e := Envelope{Encoding: Encrypted, Raw: raw}
		err := e.scanEncryption(raw)
		return e, err
	}
	if bytes.HasPrefix(value, []byte(cborMagic)) {
		return Envelope{Encoding: CBOR, Raw: value}, nil
	}
	if bytes.HasPrefix(bytes.TrimLeft(value, " \t\r\n"), []byte("{")) {
		return Envelope{Encoding: JSON, Raw: value}, nil
	}
	return Envelope{Raw: value}, nil
}

// scanUnknown reads a runtime.Unknown (apimachinery pkg/runtime/generated.proto).
func (e *Envelope) scanUnknown(b []byte) error {
	e.Raw = nil
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() > 4 {
			continue
		}
		data, err := f.Bytes(b)
		if err != nil {
			return err
		}
		switch f.Num() {
		case 1:
			if err := e.scanTypeMeta(data); err != nil {
				return err
			}
		case 2:
			e.Raw = data
		case 3:
			e.ContentEncoding = string(data)
		case 4:
			e.ContentType = string(data)
		}
	}
	return nil
}

func (e *Envelope) scanTypeMeta(b []byte) error {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() > 2 {
			continue
		}
		data, err := f.Bytes(b)
		if err != nil {
			return err
		}
		if f.Num() == 1 {
			e.APIVersion = intern(data)
		} else {
			e.Kind = intern(data)
		}
	}
	return nil
}

// scanEncryption reads <provider>:<version>:<name>: (apiserver v0.37
// pkg/server/options/encryptionconfig/config.go).
func (e *Envelope) scanEncryption(b []byte) error {
	var part [3]string
	rest := b
	for i := range part {
		end := bytes.IndexByte(rest[:min(len(rest), maxKeyName)], ':')
		if end < 0 {
			return fmt.Errorf("read encryption prefix: %w", wire.ErrTruncated)
		}
		part[i], rest = string(rest[:end]), rest[end+1:]
	}
	e.Encryption = EncryptedError{Provider: part[0], Version: part[1], Name: part[2]}
	e.Raw = rest
	return nil
}

// intern returns b as a string, without allocating for those that most objects
// share.
func intern(b []byte) string {
	switch string(b) {
	case "v1":
		return "v1"
	case "apps/v1":
		return "apps/v1"
	case "batch/v1":
		return "batch/v1"
	case "Pod":
		return "Pod"
	case "Pending":
		return "Pending"
	case "Running":
		return "Running"
	case "Succeeded":
		return "Succeeded"
	case "Failed":
		return "Failed"
	case "Always":
		return "Always"
	case "OnFailure":
		return "OnFailure"
	case "Never":
		return "Never"
	case "TCP":
		return "TCP"
	case "ReplicaSet":
		return "ReplicaSet"
	case "StatefulSet":
		return "StatefulSet"
	case "DaemonSet":
		return "DaemonSet"
	case "Job":
		return "Job"
	case "Node":
		return "Node"
	}
	return string(b)
}

// mapEntry reads an entry of a map from string to a string or message.
func mapEntry(b []byte) (key, value []byte, err error) {
	for f, err := range wire.Fields(b) {
		if err != nil {
			return nil, nil, err
		}
		switch f.Num() {
		case 1:
			key, err = f.Bytes(b)
		case 2:
			value, err = f.Bytes(b)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return key, value, nil
}
