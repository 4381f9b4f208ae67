package shell

import (
	"bytes"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/internal/demo"
	"revenant/tui/session"
)

func opened(t *testing.T, name string, data []byte) session.Source {
	t.Helper()
	s := snapshottest.OpenBytes(t, name, data)
	state, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	return session.Source{Snapshot: s, State: state}
}

// TestEncryptedProblem counts values that are encrypted, by resource and key.
func TestEncryptedProblem(t *testing.T) {
	side := func(name string) session.Source {
		return opened(t, name, corpus.Unpack(t, "../../testdata/clusters/scenario-3/plain/"+name+".db.gz"))
	}
	in := &session.Input{Prefix: "/registry"}
	in.Pair(side("backup"), side("current"))
	x := openOn(t, in, 160, 48).typed(":problems<enter>/secrets<enter>")
	if screen := x.plain(); !strings.Contains(screen, "encrypted (aescbc v1, ") || !strings.Contains(screen, "2 of ") {
		t.Errorf("encrypted values are not told:\n%s", screen)
	}
	x.fits()
}

// TestUndecodedProblem names a value that is no object.
func TestUndecodedProblem(t *testing.T) {
	_, data, err := demo.Pair()
	if err != nil {
		t.Fatal(err)
	}
	before := opened(t, "whole", data)
	r, err := before.Snapshot.Get("/registry/deployments/shop/web", 0)
	if err != nil {
		t.Fatal(err)
	}
	value, err := before.Snapshot.Value(r)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(value)
	broken[4] = 0xff // after k8s\0: a field of a wire type that does not exist
	in := demoInput(t)
	in.Sources[in.Current] = opened(t, "broken", bytes.ReplaceAll(data, value, broken))
	x := openOn(t, in, 160, 48).typed(":problems<enter>/deployments<enter>")
	if screen := x.plain(); !strings.Contains(screen, "/registry/deployments/shop/web") || !strings.Contains(screen, "the object cannot be decoded") {
		t.Errorf("the object is not named:\n%s", screen)
	}
	if e := x.excerpt(false); !strings.HasPrefix(e.Text, "current: /registry/deployments/shop/web: read protobuf envelope") {
		t.Errorf("of the problem %q is copied", e.Text)
	}
}
