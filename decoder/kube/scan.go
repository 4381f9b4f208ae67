package kube

import (
	"errors"
	"fmt"
	"time"

	"revenant/decoder/wire"
)

// ErrWrongKind says that a value holds an object of another kind.
var ErrWrongKind = errors.New("wrong kind of object")

// envelopeOf reads the envelope of a value that must hold an object of group
// core/v1 and the given kind, as protobuf or as JSON, whose kind is not looked at.
func envelopeOf(value []byte, kind string) (Envelope, error) {
	e, err := ParseEnvelope(value)
	switch {
	case err != nil:
		return e, err
	case e.Encoding == Encrypted:
		return e, e.encrypted()
	case e.Encoding == JSON:
		return e, nil
	case e.Encoding != Protobuf:
		return e, fmt.Errorf("value %w", errNoEncoding)
	case e.ContentEncoding != "":
		return e, errContentEncoding
	case e.Kind != kind || e.APIVersion != "v1":
		return e, fmt.Errorf("%w: %q of %q", ErrWrongKind, e.Kind, e.APIVersion)
	}
	return e, nil
}

// decodeAs decodes a value that must hold a T.
func decodeAs[T any](value []byte) (T, error) {
	o := Decode(Key{}, value)
	typed, ok := o.Typed.(T)
	switch {
	case ok:
		return typed, nil
	case o.Typed != nil || o.Problem == nil:
		return typed, fmt.Errorf("%w: %q of %q", ErrWrongKind, o.Kind, o.APIVersion)
	default:
		return typed, o.Problem
	}
}

func setString(s *string, b []byte, f wire.Field) error {
	data, err := f.Bytes(b)
	if err == nil {
		*s = intern(data)
	}
	return err
}

func setInt64(n *int64, f wire.Field) error {
	if f.Type() != wire.Varint {
		return wire.ErrType
	}
	*n = int64(f.Val)
	return nil
}

func setBool(v *bool, f wire.Field) error {
	if f.Type() != wire.Varint {
		return wire.ErrType
	}
	*v = f.Val != 0
	return nil
}

// setTime reads a metav1.Time, of which only the seconds count
// (apimachinery v0.37 pkg/apis/meta/v1/time_proto.go).
func setTime(t *time.Time, b []byte, f wire.Field) error {
	b, err := f.Bytes(b)
	if err != nil {
		return err
	}
	*t = time.Time{}
	var seconds int64
	for f, err := range wire.Fields(b) {
		if err != nil {
			return err
		}
		if f.Num() != 1 {
			continue
		}
		if err := setInt64(&seconds, f); err != nil {
			return err
		}
	}
	if len(b) > 0 {
		*t = time.Unix(seconds, 0).UTC()
	}
	return nil
}
