package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"revenant/analyzer/restore"
	data "revenant/decoder/document"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/report"
)

// storedPod is a pod as an API server stores it.
func storedPod(t testing.TB, change func(*corev1.Pod)) string {
	t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns", UID: "uid"},
		Spec:       corev1.PodSpec{NodeName: "n1", Containers: []corev1.Container{{Name: "c", Image: "i"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	change(p)
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	u := runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: "v1", Kind: "Pod"}, Raw: raw}
	value, err := u.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return "k8s\x00" + string(value)
}

// TestOneObject writes every document of evidence in which a single object, or the file
// itself, wants to keep it from being written.
func TestOneObject(t *testing.T) {
	const acting = "\x1b\x7f\u009b\u202e\u200b\u2028\ufeff\U000e0041"
	far := metav1.NewTime(time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC))
	early := metav1.NewTime(time.Unix(-99999999999, 0))
	wild := metav1.NewTime(time.Unix(1<<62, 0))
	pods := map[string]func(*corev1.Pod){
		"far":    func(p *corev1.Pod) { p.CreationTimestamp, p.DeletionTimestamp = far, &far },
		"early":  func(p *corev1.Pod) { p.CreationTimestamp, p.DeletionTimestamp = early, &early },
		"wild":   func(p *corev1.Pod) { p.CreationTimestamp, p.DeletionTimestamp = wild, &wild },
		"acting": func(p *corev1.Pod) { p.Name, p.Spec.NodeName, p.UID = "a"+acting, "n"+acting, "u"+acting },
		"bytes":  func(p *corev1.Pod) { p.Name, p.Spec.NodeName = "a\xff\xfe", "n\xc3" },
		"long":   func(p *corev1.Pod) { p.Name = strings.Repeat("n", 100_000) },
	}
	for name, change := range pods {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			stored := storedPod(t, change)
			changes := []snapshottest.Change{snapshottest.Put("/registry/namespaces/kube-system", "x")}
			writeStore(t, "backup.db", changes...)
			key := "/registry/pods/ns/p" + map[string]string{"acting": acting, "bytes": "\xff"}[name]
			writeStore(t, "current.db", append(changes, snapshottest.Put(key, stored))...)
			old := time.Unix(99999999999999, 0)
			if err := os.Chtimes("current.db", old, old); err != nil {
				t.Skip(err)
			}
			for _, line := range []string{
				"inspect current.db --skip-hash-check", "predict backup.db current.db --skip-hash-check", "predict --compare backup.db current.db --skip-hash-check",
				"plan backup.db current.db --skip-hash-check", "preflight backup.db current.db --skip-hash-check --at-time 2026-11-30T00:00Z", "carve current.db --objects --skip-hash-check",
			} {
				checkFormats(t, line)
			}
		})
	}
}

// writeStore writes a db as a member has it.
func writeStore(t *testing.T, path string, changes ...snapshottest.Change) {
	t.Helper()
	if err := os.WriteFile(path, snapshottest.Bytes(t, changes...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// checkFormats runs a command for JSON and YAML, and wants both to be there, alike and
// without a character that acts.
func checkFormats(t *testing.T, line string) {
	t.Helper()
	docs := map[string]any{}
	for _, format := range []string{"json", "yaml"} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append(strings.Fields(line), "-o", format), streams{in: strings.NewReader(""), out: &out, err: &errs})
		if format == "yaml" && strings.HasPrefix(line, "plan") {
			docs[format] = docs["json"] // it has no YAML
			continue
		}
		if code == exitFailed {
			t.Errorf("%s -o %s: %s", line, format, &errs)
			continue
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && sanitize.Hidden(r) }); i >= 0 || !utf8.Valid(out.Bytes()) {
			t.Errorf("%s -o %s: raw character at %d", line, format, i)
		}
		text := out.Bytes()
		if format == "yaml" {
			var err error
			if text, err = yaml.YAMLToJSON(text); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Errorf("%s -o %s: %v", line, format, err)
		}
		if e, ok := doc["evidence"].([]any); ok { // which names the arguments
			for _, e := range e {
				delete(e.(map[string]any), "custody")
			}
		}
		docs[format] = doc
	}
	if diff := cmp.Diff(docs["json"], docs["yaml"]); diff != "" {
		t.Errorf("%s: %s", line, diff)
	}
}

// TestUnwritable wants what JSON cannot hold to be told beside the null or the stand-in
// that is in its place.
func TestUnwritable(t *testing.T) {
	far := data.Time{Time: time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC)}
	doc := &restore.Prediction{
		Pods:     []restore.PodOutcome{{PodIdentity: &restore.PodIdentity{Name: "a\xff"}, Ends: &far}},
		Summary:  map[restore.Outcome]int{"x/\xfe": 1},
		Warnings: []string{"\ufffd is no bad byte"},
	}
	var out bytes.Buffer
	if err := encodeData(&out, "json", &report.Prediction{Prediction: doc}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Pods       []struct{ Ends any }
		Unwritable []unwritable
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []unwritable{
		{At: "/pods/0/name", Problem: "text that is not UTF-8", Base64: []byte("a\xff")},
		{At: "/pods/0/ends", Problem: "a time that RFC 3339 cannot hold", Text: "+12345-01-01T00:00:00Z"},
		{At: "/summary", Problem: "text that is not UTF-8", Base64: []byte("x/\xfe")},
	}
	if diff := cmp.Diff(want, got.Unwritable); diff != "" || got.Pods[0].Ends != nil {
		t.Errorf("ends %v, %s", got.Pods[0].Ends, diff)
	}
}

// TestNoBareTime: no document has a time that could keep it from being written.
func TestNoBareTime(t *testing.T) {
	// These are bounded where they are made: in marks and plans.
	bounded := []string{".Interval.", ".BlindAfter", ".OutageAt"}
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type, string)
	visit = func(typ reflect.Type, path string) {
		if typ == reflect.TypeFor[time.Time]() {
			for _, b := range bounded {
				if strings.Contains(path, b) {
					return
				}
			}
			t.Errorf("%s is a time.Time: make it a document.Time", path)
		}
		if typ == reflect.TypeFor[data.Time]() || seen[typ] {
			return
		}
		seen[typ] = true
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Array:
			visit(typ.Elem(), path)
		case reflect.Struct:
			for f := range typ.Fields() {
				if f.IsExported() && f.Tag.Get("json") != "-" {
					visit(f.Type, path+"."+typ.Name()+"."+f.Name)
				}
			}
		}
	}
	for _, doc := range documents {
		visit(reflect.TypeOf(doc), "")
	}
}

var documents = []document{&report.Inspection{}, &report.Prediction{}, &report.Carving{}, &report.Salvage{}, &report.Verification{}, &report.Runbook{}, &report.PlanComparison{}}

// TestDocumentsStream: every document has the fields that encoding/json finds in it.
func TestDocumentsStream(t *testing.T) {
	for _, empty := range documents {
		doc := reflect.New(reflect.TypeOf(empty).Elem())
		for i := range doc.Elem().NumField() {
			if f := doc.Elem().Field(i); f.Kind() == reflect.Pointer && doc.Elem().Type().Field(i).Anonymous {
				f.Set(reflect.New(f.Type().Elem()))
			}
		}
		want, err := json.MarshalIndent(doc.Interface(), "", indent)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := data.WriteJSON(&got, doc.Interface(), indent); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want)+"\n", got.String()); diff != "" {
			t.Errorf("%T: %s", empty, diff)
		}
	}
}
