package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.db", "b.db", "pods"} {
		writeEvidence(t, name, nil)
	}
	type split struct{ Files, Words []string }
	list := func(words ...string) []string { return words }
	for _, test := range []struct {
		given, args []string
		want        split
	}{
		{nil, list("a.db"), split{list("a.db"), []string{}}},
		{nil, list("a.db", "b.db", "svc", "a.db"), split{list("a.db", "b.db"), list("svc", "a.db")}},
		{nil, list("none.db", "a.db", "svc"), split{list("none.db", "a.db"), list("svc")}},
		{nil, list("a.db", "a.db//x", "deploy/web"), split{list("a.db", "a.db//x"), list("deploy/web")}},
		{list("a.db"), list("pods", "b.db"), split{list("a.db"), list("pods", "b.db")}},
		{nil, list("-", "svc"), split{list("-"), list("svc")}},
	} {
		o := filesOptions{given: test.given}
		files, words, err := o.split(test.args)
		if diff := cmp.Diff(test.want, split{files, words}); diff != "" || err != nil {
			t.Errorf("%q, -f %q: %v\n%s", test.args, test.given, err, diff)
		}
	}
	if _, _, err := (&filesOptions{}).split(nil); err == nil {
		t.Error("no file is no error")
	}
}
