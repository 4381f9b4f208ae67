package shell

import (
	"strings"
	"testing"

	"revenant/tui/draw"
)

// TestDescribe goes on with d: two versions, the description, the object again.
func TestDescribe(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows(":deploy web -n shop<enter>d", "From revision 228 in the backup to 849 in the current snapshot", "~ spec.replicas: 4 → 7", "u noise", "s side by side")
	x.shows("s", "4                                   │ 7")
	x.shows("u", "~ metadata.managedFields")
	x.shows("su d", "deployments shop/web, described", "Deployment (apps/v1)", "7/7", "Container app")
	x.shows("G", "ScalingReplicaSet")
	x.shows("d", "apiVersion: apps/v1", "Owners and dependents")
	x.shows("dy", "apiVersion: apps/v1")

	x.shows(":po -n shop<enter>d", "api-7fcff878d7-g7mqg, described", "the backup does not have it", "Controlled by  ReplicaSet/api-7fcff878d7")
	x.shows("d", "apiVersion: v1")
	x.shows("d<esc>j", "api-7fcff878d7-sj2ss", "apiVersion: v1") // another one is shown as it is
	x.shows(":cm kube-root-ca.crt -n default<enter>d", "described", "the backup has the same")
	x.shows("d", "Owners and dependents")
}

// TestDescribeThroughTime compares an earlier moment with the newest of its snapshot.
func TestDescribeThroughTime(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows(":deploy web -n shop --at 300<enter>d", "From revision 228 to 849", "~ spec.replicas: 4 → 7")
	x.shows("@847<enter>", "From revision 832 to 849")
	x.shows("@1400<enter>", "From revision 228 in the backup to 849 in the current snapshot")
	x.shows("o", "From revision 228 in the backup to 849 in the current snapshot")
	x.shows("o:deploy old-app -n doomed --at 700<enter>d", "described", "the backup has the same") // it is deleted afterwards
	x.shows("@777<enter>", "does not exist at this revision")
	x.shows("d", "d: no object is selected")
}

// TestDescribeFromOtherScreens goes to the objects that rows of other screens are of.
func TestDescribeFromOtherScreens(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48)
	x.shows("4d", "Objects", "nodes node-4", "From revision 108 in the backup to 738 in the current snapshot")
	x.shows("4y", "kind: Node")
	x.shows("4H", "History", "/registry/minions/node-4")
	x.shows("5Gd", "deployments doomed/old-app, described", "the current snapshot does", "backup, newest revision 454")
	x.shows(":undone<enter>d", "persistentvolumeclaims data/data-db-3, described")
	x.shows("0z", "by namespace")
	x.shows("d", "d: needs an object")
	x.shows("zd", "deployments shop/api", "From revision 337 in the backup to 852")
	x.shows("9@849<enter>d", "History", "Revision 849: changed", "Compared with revision 832")
	x.shows("8/deployments<enter><enter>jj<enter>d", "Diff › deployments › shop › api", "8 fields differ")
	x = openOn(t, demoInput(t), 160, 48)
	x.shows("8z/deployments old-app<enter>y", "Objects", "kind: Deployment", "backup, newest revision 454")
}

// TestDescribeSavesWhatIsShown saves a difference, and an object where that is shown.
func TestDescribeSavesWhatIsShown(t *testing.T) {
	x := openOn(t, demoInput(t), 160, 48).typed(":deploy web -n shop<enter>d")
	if e := x.excerpt(true); !strings.Contains(e.Text, "spec.replicas: 4") || e.Later != nil {
		t.Errorf("of a difference %+v is saved", e)
	}
	x.shows("ddc", "copied deployments shop/web at revision 849")
	if e := x.excerpt(true); e.Later == nil || !strings.Contains(e.Later(), "\napiVersion: apps/v1") {
		t.Errorf("of an object %+v is saved", e)
	}
}

// TestThemeRedraws changes the theme: no line that was drawn before stays as it was.
func TestThemeRedraws(t *testing.T) {
	for _, keys := range []string{"", "2", "3<enter>", "4", "5<enter>", ":deploy web -n shop<enter>d", "8", "9", "0", ":undone<enter>"} {
		x := openOn(t, demoInput(t), 160, 48).typed(keys + ":theme light<enter>")
		once := x.View().Content
		if again := x.typed("<ctrl+k><esc>").View().Content; again != once {
			t.Errorf("after %q something was drawn in the theme before", keys)
		}
		if dim := string(draw.NewTheme(true, x.profile, x.Theme.Glyphs, x.look).Dim); strings.Contains(once, dim) {
			t.Errorf("after %q something is dim as in the dark theme:\n%q", keys, once)
		}
	}
}
