package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"revenant/decoder/snapshot/snapshottest"
)

// parts are what Walk visits, each as its path and its bytes.
func parts(t *testing.T, value []byte) (list []string) {
	t.Helper()
	err := Walk(value, func(p *Part) {
		list = append(list, strings.Join(p.Path, ".")+"="+string(p.Bytes))
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWalk(t *testing.T) {
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: map[string]string{"app": "shop"}}}
	pod.Spec.Containers = []corev1.Container{{Name: "c", Env: []corev1.EnvVar{{Name: "A", Value: "b"}}}}
	raw, err := pod.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	unknown := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: append(raw, 0x9a, 0x06, 1, 'x', 0x98, 0x06, 7)}
	value, err := unknown.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, p := range parts(t, append([]byte(protobufMagic), value...)) {
		if !strings.HasSuffix(p, "=") {
			named = append(named, p)
		}
	}
	want := []string{
		"apiVersion=v1", "kind=Pod", "metadata.name=web", "metadata.labels.app=shop", "metadata.labels=app",
		"spec.containers.name=c", "spec.containers.env.name=A", "spec.containers.env.value=b", "=x", "=\x07",
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Error(diff)
	}
	want = []string{"=a", "a=b", "a.b=1", "a.b=c", `a.b.c=x\"y`, "a.b=z", "a=d", "=g", "g=-1.5e3", "=h"}
	if diff := cmp.Diff(want, parts(t, []byte(`{"a":{"b":[1,{"c":"x\"y"},["z"]],"d":true},"g":-1.5e3,"h":{}}`))); diff != "" {
		t.Error(diff)
	}
	var encrypted *EncryptedError
	if err := Walk([]byte("k8s:enc:aescbc:v1:key:text"), nil); !errors.As(err, &encrypted) {
		t.Errorf("an encrypted value: %v", err)
	}
	for _, bad := range []string{"", "text", "k8s\x00\x12\x7f", "k8s\x00\x0a\x02\x0a\x7f", `{"a":`, "\xd9\xd9\xf7\xa0", "{" + strings.Repeat(`"a":{`, maxJSONDepth+1) + strings.Repeat("}", maxJSONDepth+2)} {
		if err := Walk([]byte(bad), func(*Part) {}); err == nil {
			t.Errorf("%.40q is walked", bad)
		}
	}
}

// TestWalkMissesNothing overwrites every part of every value of a real cluster, and finds no
// text in the object that was not.
func TestWalkMissesNothing(t *testing.T) {
	s := snapshottest.Open(t, "../../testdata/clusters/rows/plain/current.db.gz")
	texts := 0
	for r := range s.Records() {
		value, err := s.Value(r)
		if err != nil || len(value) == 0 || r.Key == "compact_rev_key" {
			continue
		}
		err = Walk(value, func(p *Part) {
			if p.What != PartQuantity && p.What != PartNumber && p.Name() != "apiVersion" && p.Name() != "kind" {
				for i := range p.Bytes {
					p.Bytes[i] = 'x'
				}
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", r.Key, err)
		}
		o := Decode(Key{}, value)
		if o.Typed == nil {
			continue // a custom resource: FuzzWalkJSON holds those
		}
		var look func(v reflect.Value, path string)
		look = func(v reflect.Value, path string) {
			switch v.Kind() {
			case reflect.String:
				texts++
				if strings.Trim(v.String(), "x") != "" && !strings.HasSuffix(path, "Kind") && !strings.HasSuffix(path, "APIVersion") {
					t.Errorf("%s %s: %q was not visited", r.Key, path, v.String())
				}
			case reflect.Pointer, reflect.Interface:
				if !v.IsNil() {
					look(v.Elem(), path)
				}
			case reflect.Slice, reflect.Array:
				if v.Type().Elem().Kind() == reflect.Uint8 {
					if b := v.Bytes(); strings.Trim(string(b), "x") != "" {
						t.Errorf("%s %s: %q was not visited", r.Key, path, b)
					}
					return
				}
				for i := range v.Len() {
					look(v.Index(i), path)
				}
			case reflect.Map:
				for _, key := range v.MapKeys() {
					look(key, path)
					look(v.MapIndex(key), path)
				}
			case reflect.Struct:
				if v.Type() == quantityType || v.Type() == timeType || v.Type() == microTimeType {
					return
				}
				for i := range v.NumField() {
					if v.Type().Field(i).IsExported() {
						look(v.Field(i), path+"."+v.Type().Field(i).Name)
					}
				}
			}
		}
		look(reflect.ValueOf(o.Typed), "")
	}
	if texts < 10_000 {
		t.Errorf("%d texts", texts)
	}
}

// FuzzWalkJSON holds what is visited of a JSON text against encoding/json's own reader.
func FuzzWalkJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, `"a"`, `{"a":{"b":[1,{"c":"x\"y"},["z"]],"d":true},"g":-1.5e3,"h":{}}`, `[[],{},"",0,null]`, ` {"\u0061" : "\\" , "b":[ ]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		var visited []string
		err := WalkJSON(text, func(p *Part) {
			if p.What == PartNumber {
				visited = append(visited, string(p.Bytes))
				return
			}
			var s string
			if err := json.Unmarshal([]byte(`"`+string(p.Bytes)+`"`), &s); err != nil {
				t.Errorf("%q: %v", p.Bytes, err)
			}
			visited = append(visited, s)
		})
		if !bytes.Equal(before, text) {
			t.Error("the text changed")
		}
		if err != nil {
			return
		}
		var want []string
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			switch token := token.(type) {
			case string:
				want = append(want, token)
			case json.Number:
				want = append(want, token.String())
			}
		}
		if diff := cmp.Diff(want, visited); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}
