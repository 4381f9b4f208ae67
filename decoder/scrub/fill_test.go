package scrub

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"revenant/decoder/kube"
)

// canary is in every text that the tests plant, and in none that may be found again.
const canary = "canary"

// shapes are texts that look like what is kept in part.
var shapes = []string{
	"canary%06d", "CanaRy-canary%06d", "web-canary%06d-x2x7p", "canary%06d.example.com/canary%06d", "v1.2.3-canary%06d", "1.33.4+canary%06d",
	"10.20.30.4/canary%06d", "fd00::1%%canary%06d", "system:canary%06d", "kube-apiserver-canary%06d", "registry.k8s.io/canary%06d:v1.2.3",
	"kubernetes.io/canary%06d", "registry.k8s.io/kube-apiserver:canary%06d", "2026-11-29T10:00:00Zcanary%06d", "*/5 * * * * canary%06d",
	"{\"canary%06d\":\"canary%06d\"}", "canary%06d said: \"canary %06d\"", "\xffcanary%06d", "canary%06d\x1b[31m", "canary%06d€",
	"3f889467-a4d6-2268-712e-3aeebe433d8b-canary%06d", "f:canary%06d", "k:{\"name\":\"canary%06d\"}", "v1beta1canary%06d", "a:1:canary%06d",
	"k8s:enc:canary%06d", "100mcanary%06d", "~canary%06d%%2Fcanary", "canary%06d" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
}

// planter fills Go values with canaries.
type planter struct {
	n     int
	shape string
}

func (p *planter) text() string {
	p.n++
	return strings.ReplaceAll(strings.ReplaceAll(p.shape, "%06d", fmt.Sprintf("%06d", p.n)), "%%", "%")
}

func (p *planter) plant(v reflect.Value, depth int) {
	if depth > 14 || !v.CanSet() {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		return
	case reflect.TypeFor[metav1.TypeMeta]():
		return
	case reflect.TypeFor[metav1.FieldsV1]():
		v.Set(reflect.ValueOf(*metav1.NewFieldsV1(string(p.json()))))
		return
	case reflect.TypeFor[runtime.RawExtension]():
		v.Set(reflect.ValueOf(runtime.RawExtension{Raw: p.json()}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(p.text())
	case reflect.Pointer:
		if depth < 12 {
			v.Set(reflect.New(v.Type().Elem()))
			p.plant(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(p.text()))
			return
		}
		if depth < 12 {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range 2 {
				p.plant(v.Index(i), depth+1)
			}
		}
	case reflect.Map:
		if depth < 12 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			p.plant(key, depth+1)
			p.plant(value, depth+1)
			v.Set(reflect.MakeMap(v.Type()))
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			p.plant(v.Field(i), depth+1)
		}
	}
}

// json is JSON with canaries, as in fieldsV1 and elsewhere.
func (p *planter) json() []byte {
	item, _ := json.Marshal(map[string]string{p.text(): p.text(), "name": p.text()})
	text, _ := json.Marshal(map[string]any{
		"f:" + p.text(): map[string]any{"k:" + string(item): map[string]any{".": map[string]any{}}, "v:" + string(item): 1},
		p.text():        []any{p.text(), map[string]any{"name": p.text()}}, ".": p.text(),
	})
	return text
}

// stored is an object as an API server stores it.
func stored(t testing.TB, obj runtime.Object, kind schema.GroupVersionKind) []byte {
	t.Helper()
	m, ok := obj.(interface{ Marshal() ([]byte, error) })
	if !ok {
		return nil
	}
	raw, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind}, Raw: raw}
	data, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte("k8s\x00"), data...)
}

// TestEveryField plants canaries into every text of every type that Kubernetes stores, in
// every shape that is kept in part.
func TestEveryField(t *testing.T) {
	known := scheme.Scheme.AllKnownTypes()
	var kinds []schema.GroupVersionKind
	for kind := range known {
		if _, ok := reflect.New(known[kind]).Interface().(metav1.Object); ok {
			kinds = append(kinds, kind)
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	if len(kinds) < 150 {
		t.Fatalf("%d kinds", len(kinds))
	}
	values := 0
	for n, shape := range shapes {
		s := New(KeyOf(shape), kube.DefaultPrefix)
		for i, kind := range kinds {
			if testing.Short() && (i+n)%5 != 0 {
				continue
			}
			obj := reflect.New(known[kind]).Interface().(runtime.Object)
			p := planter{shape: shape}
			p.plant(reflect.ValueOf(obj).Elem(), 0)
			for _, value := range [][]byte{stored(t, obj, kind), asJSON(obj, kind)} {
				if value == nil {
					continue
				}
				values++
				if !found(value) {
					continue // it has no text
				}
				size := len(value)
				err := s.value(value)
				if found(value) {
					at := strings.Index(strings.ToLower(string(value)), canary)
					t.Errorf("%s as %q: %q stays (%v)", kind, shape, value[max(0, at-60):min(len(value), at+40)], err)
				}
				if err != nil {
					t.Errorf("%s as %q is not read: %v", kind, shape, err)
				}
				if len(value) != size {
					t.Errorf("%s: %d bytes were %d", kind, len(value), size)
				}
				if t.Failed() && values > 2000 {
					t.FailNow()
				}
			}
		}
	}
	t.Logf("%d values", values)
}

func asJSON(obj runtime.Object, kind schema.GroupVersionKind) []byte {
	obj.GetObjectKind().SetGroupVersionKind(kind)
	text, err := json.Marshal(obj)
	if err != nil {
		return nil
	}
	return text
}

func found(b []byte) bool { return strings.Contains(strings.ToLower(string(b)), canary) }
