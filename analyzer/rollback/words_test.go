package rollback

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestNames: the first few, and how many more there are.
func TestNames(t *testing.T) {
	for n := range maxExamples + 3 {
		var list names
		want := ""
		for i := range n {
			list.add(fmt.Sprint(i))
			switch {
			case i == 0:
				want = "0"
			case i < maxExamples:
				want += fmt.Sprint(", ", i)
			}
		}
		if more := n - maxExamples; more > 0 {
			want += fmt.Sprintf(" and %d more", more)
		}
		if got := list.String(); got != want || list.count != n {
			t.Errorf("%d: %q (%d), want %q", n, got, list.count, want)
		}
	}
}

// TestSameClaim: what a volume is reserved for is told apart by all of its name, and a claim
// that it is bound to by its uid, too.
func TestSameClaim(t *testing.T) {
	claim := func(namespace, name, uid string) *corev1.ObjectReference {
		return &corev1.ObjectReference{Namespace: namespace, Name: name, UID: types.UID(uid)}
	}
	for _, tt := range []struct {
		a, b *corev1.ObjectReference
		want bool
	}{
		{nil, nil, true},
		{nil, claim("a", "x", ""), false},
		{claim("a", "x", ""), nil, false},
		{claim("a", "x", ""), claim("a", "x", ""), true},
		{claim("a", "x", ""), claim("a", "y", ""), false},
		{claim("a", "x", ""), claim("b", "x", ""), false},
		{claim("a", "x", "1"), claim("a", "x", "1"), true},
		{claim("a", "x", "1"), claim("a", "x", "2"), false},
	} {
		if got := sameClaim(tt.a, tt.b); got != tt.want {
			t.Errorf("%v and %v are the same: %v", tt.a, tt.b, got)
		}
	}
}

// TestDisk: two volumes are the same disk when what is behind them has the same name.
func TestDisk(t *testing.T) {
	for want, source := range map[string]corev1.PersistentVolumeSource{
		`ebs.csi.aws.com volume "vol-1"`: {CSI: &corev1.CSIPersistentVolumeSource{Driver: "ebs.csi.aws.com", VolumeHandle: "vol-1"}},
		"NFS export s:/p":                {NFS: &corev1.NFSVolumeSource{Server: "s", Path: "/p"}},
		"local path /l":                  {Local: &corev1.LocalVolumeSource{Path: "/l"}},
		"host path /h":                   {HostPath: &corev1.HostPathVolumeSource{Path: "/h"}},
		"EBS volume e":                   {AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: "e"}},
		"GCE disk g":                     {GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{PDName: "g"}},
		"Azure disk a":                   {AzureDisk: &corev1.AzureDiskVolumeSource{DiskName: "a"}},
		"Cinder volume c":                {Cinder: &corev1.CinderPersistentVolumeSource{VolumeID: "c"}},
		"vSphere volume v":               {VsphereVolume: &corev1.VsphereVirtualDiskVolumeSource{VolumePath: "v"}},
		"a disk of another type":         {},
	} {
		if got := disk(&corev1.PersistentVolumeSpec{PersistentVolumeSource: source}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for want, claim := range map[string]*corev1.ObjectReference{
		"bound to no claim": nil, "bound to claim ns/c": {Namespace: "ns", Name: "c"},
	} {
		if got := boundTo(claim); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
