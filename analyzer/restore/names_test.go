package restore

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/decoder/kube"
)

// TestShare: sharing changes no pod, and lets pods of one template hold one copy of
// what they have in common.
func TestShare(t *testing.T) {
	make := func(key, namespace, name string) *Pod {
		own := strings.Clone
		return &Pod{Key: key, Pod: kube.Pod{
			Namespace: own(namespace), Name: own(name), NodeName: own("node-1"), Owner: kube.Owner{Name: own("web"), UID: own("uid")},
			Containers: []kube.Container{{Name: own("c"), Image: own("image")}}, InitContainers: []kube.Container{{Name: own("i")}}, Finalizers: []string{own("f")},
		}}
	}
	n := names{}
	var pods []*Pod
	for _, id := range [][3]string{
		{"/registry/pods/ns/a", "ns", "a"}, {"/registry/pods/ns/b", "ns", "b"},
		{"/registry/pods/ns/c", "other", "c"}, {"/registry/pods/ns/d", "ns", "other"}, {"/registry/pods/ns/", "ns", ""}, {"", "", ""},
	} {
		p, want := make(id[0], id[1], id[2]), make(id[0], id[1], id[2])
		n.shareOf(p)
		if diff := cmp.Diff(want, p, cmpopts.IgnoreUnexported(Pod{})); diff != "" {
			t.Error(diff)
		}
		pods = append(pods, p)
	}
	a, b := pods[0], pods[1]
	for _, pair := range [][2]string{{a.NodeName, b.NodeName}, {a.Owner.UID, b.Owner.UID}, {a.Containers[0].Image, b.Containers[0].Image}, {a.Name, a.Key[len("/registry/pods/ns/"):]}, {a.Namespace, a.Key[len("/registry/pods/"):]}, {a.Finalizers[0], b.Finalizers[0]}, {a.InitContainers[0].Name, b.InitContainers[0].Name}} {
		if unsafe.StringData(pair[0]) != unsafe.StringData(pair[1]) {
			t.Errorf("%q is there twice", pair[0])
		}
	}
	for i := range 2 * maxNames {
		s := fmt.Sprint(i)
		n.share(&s)
	}
	if len(n) > maxNames {
		t.Errorf("%d names are kept", len(n))
	}
}
