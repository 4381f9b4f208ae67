// Package dump makes objects of every type that a release of Kubernetes stored, with
// that release's own encoders. It compiles with k8s.io/apimachinery of 1.10 and later.
package dump

import (
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Object is an object with both of its encodings.
type Object struct {
	APIVersion, Kind string
	Protobuf         []byte // as stored, with the envelope
	JSON             json.RawMessage
}

// Encode encodes an object as an API server stores it.
func Encode(o runtime.Object, apiVersion, kind string) (Object, error) {
	set := func(apiVersion, kind string) {
		meta := reflect.ValueOf(o).Elem().FieldByName("TypeMeta").Addr().Interface().(*metav1.TypeMeta)
		meta.APIVersion, meta.Kind = apiVersion, kind
	}
	set("", "")
	raw, err := o.(interface{ Marshal() ([]byte, error) }).Marshal()
	if err != nil {
		return Object{}, err
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kind}, Raw: raw}
	stored, err := unknown.Marshal()
	if err != nil {
		return Object{}, err
	}
	set(apiVersion, kind)
	text, err := json.Marshal(o)
	return Object{apiVersion, kind, append([]byte("k8s\x00"), stored...), text}, err
}

// notStored are types with metadata that no API server keeps under a key.
var notStored = []string{"EphemeralContainers", "JobTemplate", "PodStatusResult"}

// Types writes an object of every type that s has and that is stored, all of its fields
// set, and another with none.
func Types(w io.Writer, s *runtime.Scheme) error {
	type protobuf interface{ Marshal() ([]byte, error) }
	enc := json.NewEncoder(w)
	for gvk, t := range s.AllKnownTypes() {
		_, hasMeta := t.FieldByName("ObjectMeta")
		full, ok := reflect.New(t).Interface().(runtime.Object)
		if _, encodes := full.(protobuf); gvk.Version == runtime.APIVersionInternal || slices.Contains(notStored, gvk.Kind) || !hasMeta || !ok || !encodes {
			continue
		}
		empty := reflect.New(t).Interface().(runtime.Object)
		fill(reflect.ValueOf(full).Elem(), nil)
		for _, o := range []runtime.Object{empty, full} {
			apiVersion, kind := gvk.ToAPIVersionAndKind()
			encoded, err := Encode(o, apiVersion, kind)
			if err == nil {
				err = enc.Encode(encoded)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// fill sets all of v, but not a type within itself.
func fill(v reflect.Value, within []reflect.Type) {
	date := time.Date(2018, 5, 22, 3, 4, 5, 0, time.UTC)
	switch to := v.Addr().Interface().(type) {
	case *metav1.Time:
		*to = metav1.NewTime(date)
		return
	case *metav1.MicroTime:
		*to = metav1.MicroTime{Time: date.Add(678901 * time.Microsecond)}
		return
	case *resource.Quantity:
		*to = resource.MustParse("1500m")
		return
	case *intstr.IntOrString:
		*to = intstr.FromString("50%")
		return
	case *runtime.RawExtension:
		to.Raw = []byte(`{"raw":1}`)
		return
	case *metav1.TypeMeta:
		return
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		t = t.Elem()
	}
	if slices.Contains(within, t) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t))
		fill(v.Elem(), within)
	case reflect.Struct:
		if v.Type().Name() == "FieldsV1" {
			v.Field(0).SetBytes([]byte(`{"f:metadata":{}}`))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), append(slices.Clone(within), t))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), within)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(t).Elem()
		fill(key, within)
		fill(value, within)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	}
}
