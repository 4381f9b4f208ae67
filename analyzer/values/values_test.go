package values

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

func TestProblems(t *testing.T) {
	good := snapshottest.Put("/registry/configmaps/x/a", `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"}}`)
	sealed := func(name string) snapshottest.Change {
		return snapshottest.Put("/registry/secrets/x/"+name, "k8s:enc:aescbc:v1:key1:xxxx")
	}
	broken := func(i int) snapshottest.Change {
		return snapshottest.Put(fmt.Sprintf("/registry/pods/x/%05d", i), "no object")
	}
	var many []snapshottest.Change
	for i := range most + 1002 {
		many = append(many, broken(i))
	}
	for _, tt := range []struct {
		name    string
		changes []snapshottest.Change
		want    []string
	}{
		{"nothing", []snapshottest.Change{good}, nil},
		{"keys of others", []snapshottest.Change{snapshottest.Put("/other/a", "no object")}, nil},
		{"deleted", []snapshottest.Change{broken(1), snapshottest.Delete("/registry/pods/x/00001")}, nil},
		{"encrypted", []snapshottest.Change{good, sealed("a"), sealed("b")}, []string{"note secrets: 2 values encrypted (aescbc v1, key1)"}},
		{"broken", []snapshottest.Change{broken(1)}, []string{"damage /registry/pods/x/00001"}},
		{"many", many, []string{"damage values: 1,002 more values cannot be decoded"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := Problems(t.Context(), snapshottest.Store(t, tt.changes...), "/registry")
			if err != nil {
				t.Fatal(err)
			}
			if len(list) > most {
				list = list[most:]
			}
			var got []string
			for _, p := range list {
				text := string(p.Severity) + " " + p.Where
				if p.Where[0] != '/' {
					text += ": " + p.What
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestProblemsEnded(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	end()
	var changes []snapshottest.Change
	for i := range 2000 {
		changes = append(changes, snapshottest.Put(fmt.Sprintf("/registry/pods/x/%d", i), "x"))
	}
	var list []snapshot.Problem
	var err error
	if list, err = Problems(ctx, snapshottest.Store(t, changes...), "/registry"); !errors.Is(err, context.Canceled) {
		t.Errorf("%d problems, %v", len(list), err)
	}
}
