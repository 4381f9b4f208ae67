package kube

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/decoder/wire"
)

// envelope wraps a message as the API server does.
func envelope(tb testing.TB, apiVersion, kind string, raw []byte) []byte {
	tb.Helper()
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: raw}
	b, err := u.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return append([]byte(protobufMagic), b...)
}

func TestParseEnvelope(t *testing.T) {
	tests := []struct {
		name  string
		value string
		want  Envelope
		err   error
	}{
		{"empty", "", Envelope{Raw: []byte{}}, nil},
		{"text", "1234", Envelope{Raw: []byte("1234")}, nil},
		{
			"protobuf", "k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x02\x08\x01\x1a\x00\x22\x00",
			Envelope{Encoding: Protobuf, APIVersion: "v1", Kind: "Pod", Raw: []byte("\x08\x01")}, nil,
		},
		{
			"protobuf, fields in another order and unknown ones", "k8s\x00\x12\x01x\x2a\x01?\x1a\x04gzip\x0a\x05\x12\x03Pod\x0a\x04\x0a\x02v1",
			Envelope{Encoding: Protobuf, APIVersion: "v1", Kind: "Pod", ContentEncoding: "gzip", Raw: []byte("x")}, nil,
		},
		{"protobuf, empty", "k8s\x00", Envelope{Encoding: Protobuf}, nil},
		{"protobuf, cut off", "k8s\x00\x12\x7fabc", Envelope{Encoding: Protobuf, Raw: []byte("\x12\x7fabc")}, wire.ErrTruncated},
		{"protobuf, wrong wire type", "k8s\x00\x10\x01", Envelope{Encoding: Protobuf, Raw: []byte("\x10\x01")}, wire.ErrType},
		{"JSON", "{\"kind\":\"Foo\"}\n", Envelope{Encoding: JSON, Raw: []byte("{\"kind\":\"Foo\"}\n")}, nil},
		{"JSON after space", " \n{}", Envelope{Encoding: JSON, Raw: []byte(" \n{}")}, nil},
		{"CBOR", "\xd9\xd9\xf7\xa0", Envelope{Encoding: CBOR, Raw: []byte("\xd9\xd9\xf7\xa0")}, nil},
		{
			"aescbc", "k8s:enc:aescbc:v1:key1:\x00\x01",
			Envelope{Encoding: Encrypted, Encryption: EncryptedError{"aescbc", "v1", "key1"}, Raw: []byte("\x00\x01")}, nil,
		},
		{
			"kms", "k8s:enc:kms:v2:vault:\x0a\x00",
			Envelope{Encoding: Encrypted, Encryption: EncryptedError{"kms", "v2", "vault"}, Raw: []byte("\x0a\x00")}, nil,
		},
		{
			"encrypted, cut off", "k8s:enc:aesgcm:v1:key",
			Envelope{Encoding: Encrypted, Raw: []byte("aesgcm:v1:key")}, wire.ErrTruncated,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseEnvelope([]byte(tt.value))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("error is %v, want %v", err, tt.err)
			}
		})
	}
}

func TestEncryptedError(t *testing.T) {
	tests := []struct {
		err  EncryptedError
		want string
	}{
		{EncryptedError{"aescbc", "v1", "key1"}, `encrypted by aescbc with key "key1"`},
		{EncryptedError{"kms", "v2", "vault\x1b"}, `encrypted by kms v2 with plugin "vault\x1b"`},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestEncodingNames(t *testing.T) {
	want := []string{"unknown", "protobuf", "JSON", "CBOR", "encrypted"}
	for e := UnknownEncoding; e <= Encrypted; e++ {
		if got := e.String(); got != want[e] {
			t.Errorf("%d is %q, want %q", int(e), got, want[e])
		}
	}
}
