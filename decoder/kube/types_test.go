package kube

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// storedType is a registered type that has a protobuf encoding.
type storedType struct {
	gvk schema.GroupVersionKind
	typ reflect.Type
}

func storedTypes() []storedType {
	var list []storedType
	for gvk, typ := range types().AllKnownTypes() {
		_, hasMeta := typ.FieldByName("ObjectMeta")
		if gvk.Version != runtime.APIVersionInternal && hasMeta {
			list = append(list, storedType{gvk, typ})
		}
	}
	slices.SortFunc(list, func(a, b storedType) int { return bytes.Compare([]byte(a.gvk.String()), []byte(b.gvk.String())) })
	return list
}

type protobufObject interface {
	runtime.Object
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}

// TestTypesOfClientGo: every type of client-go's scheme is registered.
func TestTypesOfClientGo(t *testing.T) {
	known := types().AllKnownTypes()
	for gvk, typ := range scheme.Scheme.AllKnownTypes() {
		if known[gvk] != typ {
			t.Errorf("%s is %v", gvk, known[gvk])
		}
	}
}

// TestEveryType: every field of every type is known, decoded and printed.
func TestEveryType(t *testing.T) {
	list := storedTypes()
	if len(list) < 150 {
		t.Errorf("only %d types", len(list))
	}
	for _, st := range list {
		t.Run(st.gvk.String(), func(t *testing.T) {
			obj := reflect.New(st.typ).Interface().(protobufObject)
			fill(reflect.ValueOf(obj).Elem(), map[reflect.Type]int{})
			obj.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{}) // as stored
			raw, err := obj.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			apiVersion, kind := st.gvk.ToAPIVersionAndKind()
			o := Decode(Key{}, envelope(t, apiVersion, kind, raw))
			if o.Problem != nil {
				t.Fatal(o.Problem)
			}
			if o.Namespace != "text" || o.Name != "text" || o.UID != "text" {
				t.Errorf("it is %s/%s %s", o.Namespace, o.Name, o.UID)
			}
			all := PrintOptions{ShowSecrets: true}
			for format, out := range map[string][]byte{"YAML": o.YAML(all), "JSON": o.JSON(all)} {
				back := reflect.New(st.typ).Interface().(protobufObject)
				if err := yaml.UnmarshalStrict(out, back); err != nil {
					t.Fatalf("%s: %v\n%s", format, err, out)
				}
				again, err := back.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(raw, again) {
					t.Errorf("%s is another object: %s", format, cmp.Diff(obj, back))
				}
			}
		})
	}
}

// fill sets all of v, types that contain themselves to a depth of two.
func fill(v reflect.Value, seen map[reflect.Type]int) {
	if fillSpecial(v.Addr().Interface()) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if seen[v.Type().Elem()] < 2 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), seen)
		}
	case reflect.Struct:
		seen[v.Type()]++
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), seen)
			}
		}
		seen[v.Type()]--
	case reflect.Slice:
		if seen[v.Type().Elem()] < 2 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), seen)
		}
	case reflect.Map:
		if seen[v.Type().Elem()] < 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, seen)
			fill(value, seen)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	}
}

// fillSpecial sets types whose fields do not hold just anything.
func fillSpecial(v any) bool {
	date := time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)
	switch v := v.(type) {
	case *metav1.Time:
		*v = metav1.NewTime(date)
	case *metav1.MicroTime:
		*v = metav1.NewMicroTime(date.Add(678901 * time.Microsecond))
	case *resource.Quantity:
		*v = resource.MustParse("1500m")
	case *intstr.IntOrString:
		*v = intstr.FromString("50%")
	case *runtime.RawExtension:
		v.Raw = []byte(`{"raw":1}`)
	case *metav1.FieldsV1:
		v.SetRawString(`{"f:metadata":{}}`)
	case *apiextensionsv1.JSON:
		v.Raw = []byte(`"json"`)
	case *apiextensionsv1beta1.JSON:
		v.Raw = []byte(`"json"`)
	case *apiextensionsv1.JSONSchemaPropsOrStringArray:
		v.Property = []string{"text"}
	case *apiextensionsv1beta1.JSONSchemaPropsOrStringArray:
		v.Property = []string{"text"}
	case *apiextensionsv1.JSONSchemaPropsOrArray:
		v.Schema = &apiextensionsv1.JSONSchemaProps{Type: "text"}
	case *apiextensionsv1beta1.JSONSchemaPropsOrArray:
		v.Schema = &apiextensionsv1beta1.JSONSchemaProps{Type: "text"}
	case *apiextensionsv1.JSONSchemaPropsOrBool:
		v.Allows = true
	case *apiextensionsv1beta1.JSONSchemaPropsOrBool:
		v.Allows = true
	default:
		return false
	}
	return true
}

// TestItemsAreSmall holds what the bound of decoding JSON rests on: that a value of it
// makes about typedItem bytes.
func TestItemsAreSmall(t *testing.T) {
	for _, st := range storedTypes() {
		if size := largestItem(st.typ, map[reflect.Type]bool{}); size > 4*typedItem {
			t.Errorf("%s has an item of %d bytes, more than %d", st.gvk, size, 4*typedItem)
		}
	}
}

// largestItem is the size of the largest value that one value of JSON makes in
// t, with the room that lists and maps keep for more.
func largestItem(t reflect.Type, seen map[reflect.Type]bool) (size uintptr) {
	if seen[t] {
		return 0
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer:
		size = max(t.Elem().Size(), largestItem(t.Elem(), seen))
	case reflect.Slice:
		size = max(2*t.Elem().Size(), largestItem(t.Elem(), seen))
	case reflect.Map:
		size = max(2*(t.Key().Size()+t.Elem().Size()), largestItem(t.Elem(), seen))
	case reflect.Struct:
		for i := range t.NumField() {
			size = max(size, largestItem(t.Field(i).Type, seen))
		}
	}
	return size
}
