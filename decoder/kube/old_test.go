package kube

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	coordinationv1beta1 "k8s.io/api/coordination/v1beta1"
	corev1 "k8s.io/api/core/v1"
	extensionsv1beta1 "k8s.io/api/extensions/v1beta1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"revenant/decoder/wire"
)

// wireText is a field of bytes.
func wireText(number int, data string) string {
	b := binary.AppendUvarint(nil, uint64(number)<<3|uint64(wire.Bytes))
	return string(binary.AppendUvarint(b, uint64(len(data)))) + data
}

func wireNumber(number int, n uint64) string {
	return string(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number)<<3), n))
}

// TestOldTypes holds that the table is sound: what it refers to exists, and it has no
// field that the Go types have.
func TestOldTypes(t *testing.T) {
	if n := len(oldMessages()); n < 250 {
		t.Errorf("only %d messages", n)
	}
	for name, message := range oldMessages() {
		current := goTypes()[name]
		for number, f := range message {
			if current != nil {
				if known, ok := layoutOf(current).fields[number]; ok {
					t.Errorf("%s still has field %d, %s", name, number, known.name)
				}
			}
			if !strings.Contains(f.typ, ".") {
				if _, err := new(checker).oldValue(wire.Field{Tag: 7}, nil, f.typ, nil, 0); !errors.Is(err, wire.ErrType) {
					t.Errorf("%s.%s is of type %s", name, f.name, f.typ)
				}
				continue
			}
			if goTypes()[f.typ] == nil && oldMessages()[f.typ] == nil {
				t.Errorf("%s.%s is of type %s, which is nowhere", name, f.name, f.typ)
			}
			if typ := goTypes()[f.typ]; typ != nil && !isMessage(typ) {
				t.Errorf("%s.%s is of type %s, which is no message", name, f.name, f.typ)
			}
		}
	}
}

func TestRemovedFields(t *testing.T) {
	service := func(meta, spec string) []byte {
		return envelope(t, "v1", "Service", []byte(wireText(1, wireText(1, "web")+meta)+wireText(2, wireText(3, "10.0.0.1")+spec)))
	}
	for _, tt := range []struct {
		name    string
		value   []byte
		removed bool
		want    string // of the document
		problem string
	}{
		{"empty, as encoders wrote it", service(wireText(15, ""), ""), false,
			`{"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.1"}}`, ""},
		{"metadata", service(wireText(15, "east")+wireText(16, wireText(1, wireText(1, "first.example.com"))), ""), true,
			`{"metadata":{"name":"web","clusterName":"east","initializers":{"pending":[{"name":"first.example.com"}]}},"spec":{"clusterIP":"10.0.0.1"}}`, ""},
		{"spec", service("", wireText(15, "IPv6")+wireText(16, "zone")+wireText(16, "*")), true,
			`{"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.1","ipFamily":"IPv6","topologyKeys":["zone","*"]}}`, ""},
		{"managed fields of 1.14", service(wireText(17, wireText(1, "kubectl"))+wireText(17, wireText(5, wireText(1, wireText(1, "f:spec")+wireText(2, "")))), ""), true,
			`{"metadata":{"name":"web","managedFields":[{"manager":"kubectl"},{"fields":{"f:spec":{}}}]},"spec":{"clusterIP":"10.0.0.1"}}`, ""},
		{"one that never was", service("", wireText(99, "x")), false,
			`{"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.1"}}`, `["spec.99"]`},
		{"of another wire type", service(wireNumber(15, 1), ""), false,
			`{"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.1"}}`, `["metadata.15"]`},
		{"unknown within", service(wireText(16, wireText(1, wireText(7, "x"))), ""), true,
			`{"metadata":{"name":"web","initializers":{"pending":[{}]}},"spec":{"clusterIP":"10.0.0.1"}}`, `["metadata.initializers.pending.7"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Decode(Key{}, tt.value)
			if o.Removed != tt.removed {
				t.Errorf("removed: %v", o.Removed)
			}
			problem := ""
			if o.Problem != nil {
				problem = o.Problem.Error()
			}
			if want := "fields unknown to Kubernetes 1.37, left out: " + tt.problem; tt.problem != "" && problem != want || tt.problem == "" && problem != "" {
				t.Errorf("problem %q, want %q", problem, want)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			got := o.Document(PrintOptions{})
			delete(got, "status")
			delete(got, "apiVersion")
			delete(got, "kind")
			delete(got["metadata"].(map[string]any), "creationTimestamp")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRemovedFieldsWithin: a removed field in an item of a list, in a message that JSON has inline.
func TestRemovedFieldsWithin(t *testing.T) {
	volume := func(name, rest string) string { return wireText(1, wireText(1, name)+rest) }
	spec := volume("a", "") + volume("b", wireText(2, wireText(29, wireNumber(2, 1))))
	o := Decode(Key{}, envelope(t, "v1", "Pod", []byte(wireText(1, wireText(1, "p"))+wireText(2, spec))))
	if o.Problem != nil || !o.Removed {
		t.Fatalf("%v, removed: %v", o.Problem, o.Removed)
	}
	if y := string(o.YAML(PrintOptions{})); !strings.Contains(y, "ephemeral:\n      readOnly: true\n    name: b\n") {
		t.Errorf("%s", y)
	}
	pod, err := ScanPod(o.value)
	if err != nil || pod.Name != "p" {
		t.Errorf("%+v, %v", pod, err)
	}
}

func TestGoneTypes(t *testing.T) {
	psp := wireText(1, wireText(1, "restricted")+wireText(5, "u1")+wireText(15, "")) + wireText(2, wireNumber(1, 0)+wireText(5, "secret")+wireText(5, "nfs")+
		wireText(11, wireText(1, "MustRunAs")+wireText(2, wireNumber(1, 1)+wireNumber(2, 65535)))+wireNumber(16, 0))
	want := map[string]any{
		"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": map[string]any{"name": "restricted", "uid": "u1"},
		"spec": map[string]any{
			"volumes":                  []any{"secret", "nfs"},
			"runAsUser":                map[string]any{"rule": "MustRunAs", "ranges": []any{map[string]any{"min": json.Number("1"), "max": json.Number("65535")}}},
			"allowPrivilegeEscalation": false,
		},
	}
	o := Decode(Key{}, envelope(t, "policy/v1beta1", "PodSecurityPolicy", []byte(psp)))
	if o.Problem != nil || o.Name != "restricted" || o.UID != "u1" {
		t.Fatalf("%s %s, %v", o.Name, o.UID, o.Problem)
	}
	if diff := cmp.Diff(want, o.Document(PrintOptions{})); diff != "" {
		t.Error(diff)
	}
	for name, tt := range map[string]struct{ apiVersion, kind, raw string }{
		"another group's":  {"policy.example.com/v1beta1", "PodSecurityPolicy", psp},
		"no stored object": {"policy/v1beta1", "PodSecurityPolicySpec", psp},
		"malformed":        {"policy/v1beta1", "PodSecurityPolicy", psp + "\x0a\x05"},
		"too deep":         {"policy/v1beta1", "PodSecurityPolicy", psp + wireText(2, wireText(11, "x"))},
	} {
		o := Decode(Key{}, envelope(t, tt.apiVersion, tt.kind, []byte(tt.raw)))
		if o.Problem == nil || o.Unstructured != nil {
			t.Errorf("%s: %v", name, o.Unstructured)
		}
	}
	o = Decode(Key{}, envelope(t, "policy/v1beta1", "PodSecurityPolicy", []byte(psp+wireText(2, wireText(77, "x")))))
	var loss *LossError
	if !errors.As(o.Problem, &loss) || loss.Unknown[0] != "spec.77" {
		t.Errorf("%v", o.Problem)
	}
}

func TestNewest(t *testing.T) {
	encode := func(apiVersion, kind string, o interface{ Marshal() ([]byte, error) }) *Object {
		raw, err := o.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return Decode(Key{}, envelope(t, apiVersion, kind, raw))
	}
	lease := encode("coordination.k8s.io/v1beta1", "Lease", &coordinationv1beta1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "n"}, Spec: coordinationv1beta1.LeaseSpec{HolderIdentity: new("me")}})
	if l, err := As[*coordinationv1.Lease](lease); err != nil || l.Name != "n" || *l.Spec.HolderIdentity != "me" {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := As[*corev1.Node](lease); !errors.Is(err, ErrWrongKind) {
		t.Errorf("as a node: %v", err)
	}
	ingress := encode("extensions/v1beta1", "Ingress", &extensionsv1beta1.Ingress{Spec: extensionsv1beta1.IngressSpec{
		Backend: &extensionsv1beta1.IngressBackend{ServiceName: "web", ServicePort: intstr.FromInt32(80)}}})
	if i, err := As[*networkingv1.Ingress](ingress); err != nil || i.Spec.DefaultBackend == nil {
		t.Errorf("%+v, %v", i, err)
	}
	cron := wireText(1, wireText(1, "nightly")) + wireText(2, wireText(1, "0 3 * * *")+wireNumber(4, 1))
	if c, err := As[*batchv1.CronJob](Decode(Key{}, envelope(t, "batch/v2alpha1", "CronJob", []byte(cron)))); err != nil || c.Spec.Schedule != "0 3 * * *" || !*c.Spec.Suspend {
		t.Errorf("%+v, %v", c, err)
	}
	text := `{"apiVersion":"autoscaling/v2beta2","kind":"HorizontalPodAutoscaler","metadata":{"name":"h"},"spec":{"maxReplicas":3}}`
	if h, err := As[*autoscalingv2.HorizontalPodAutoscaler](Decode(Key{}, []byte(text))); err != nil || h.Spec.MaxReplicas != 3 {
		t.Errorf("%+v, %v", h, err)
	}
	custom := `{"apiVersion":"example.com/v1","kind":"Lease","metadata":{"name":"h"}}`
	if _, err := As[*coordinationv1.Lease](Decode(Key{}, []byte(custom))); !errors.Is(err, ErrWrongKind) {
		t.Errorf("a custom resource is a Lease: %v", err)
	}
}

func FuzzOldTypes(f *testing.F) {
	kinds := [][2]string{
		{"policy/v1beta1", "PodSecurityPolicy"}, {"autoscaling/v2beta1", "HorizontalPodAutoscaler"}, {"batch/v2alpha1", "CronJob"},
		{"resource.k8s.io/v1alpha2", "ResourceSlice"}, {"settings.k8s.io/v1alpha1", "PodPreset"}, {"v1", "Service"}, {"v1", "Pod"},
	}
	f.Add(0, []byte(wireText(1, wireText(1, "x")+wireText(15, "y")+wireText(16, wireText(1, wireText(1, "z"))))))
	f.Add(5, []byte(wireText(1, wireText(17, wireText(5, wireText(1, wireText(1, "f:spec")+wireText(2, "")))))))
	f.Fuzz(func(t *testing.T, kind int, raw []byte) {
		k := kinds[uint(kind)%uint(len(kinds))]
		o := Decode(Key{}, envelope(t, k[0], k[1], raw))
		o.YAML(PrintOptions{})
		_, _ = o.Newest()
		if o.Problem == nil && o.Unstructured == nil && o.Typed == nil {
			t.Error("nothing decoded, and no problem")
		}
	})
}
