package shell

import (
	"strings"
	"testing"
)

// TestKubectlsWords types what kubectl get takes, and wants what revenant get lists.
func TestKubectlsWords(t *testing.T) {
	for _, tt := range []struct {
		keys          string
		want, without []string
	}{
		{":svc,deploy -n shop<enter>", []string{"services", "deployments", "of 3 objects"}, []string{"replicasets"}},
		{":all -n late<enter>", []string{"pods", "deployments", "replicasets", "of 5 objects"}, []string{"configmaps"}},
		{":deploy.apps/web -n shop<enter>", []string{"deployments shop/web"}, []string{"Not there"}},
		{":no node-3 node-1<enter>", []string{"2 of 2 objects", "node-1", "node-3"}, []string{"node-2"}},
		{":pods --field-selector spec.nodeName=node-1 -n shop<enter>", []string{"3 of 3 objects", "[--field-selector spec.nodeName=n"}, nil},
		{":pods --field-selector spec.color=red<enter>", []string{`not selected by the field "spec.color"`}, nil},
		{":/registry/deployments/shop/web<enter>", []string{"deployments shop/web"}, []string{"Not there"}},
		{":deploy nope<enter>", []string{"No object of this revision is meant by that."}, nil},
		{":pods -l app=web<enter><esc>", []string{"280 of 280 objects"}, []string{"-l app=web"}},
	} {
		x := openOn(t, demoInput(t), 160, 48).typed(tt.keys)
		for _, want := range tt.want {
			if !strings.Contains(x.plain(), want) {
				t.Errorf("%s: no %q\n%s", tt.keys, want, x.plain())
			}
		}
		for _, not := range tt.without {
			if strings.Contains(x.plain(), not) {
				t.Errorf("%s: %q is there\n%s", tt.keys, not, x.plain())
			}
		}
	}
}
