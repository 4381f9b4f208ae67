package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
)

// TestUnsearched wants what a search leaves out to be counted: that nothing is found there
// shows nothing.
func TestUnsearched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "backup.db")
	db := snapshottest.Bytes(t,
		snapshottest.Put("/registry/secrets/shop/a", "k8s:enc:aescbc:v1:key1:needle"),
		snapshottest.Put("/registry/secrets/shop/b", "k8s:enc:kms:v2:key1:x"),
		snapshottest.Put("/registry/configmaps/shop/broken", "k8s\x00\xff"),
		snapshottest.Put("/registry/configmaps/shop/c", `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b"}}`),
		snapshottest.Put("compact_rev_key", "1"),
	)
	if err := os.WriteFile(path, db, 0o400); err != nil {
		t.Fatal(err)
	}
	const encrypted = "2 values are encrypted, and what they hold was not searched: --encryption-config decrypts them.\n"
	for _, test := range []struct{ args, out, errs string }{
		{"-n shop --kind configmaps b", "shop", ""},
		{"needle", "", encrypted + "Nothing found.\n"},
		{"--jq .data.a", `"b"`, encrypted + "1 object cannot be decoded: the expression was not run there.\n"},
		{"--jq .data.a --kind secrets", "", encrypted + "Nothing found.\n"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"search", "--skip-hash-check", "-f", path}, strings.Fields(test.args)...), streams{in: strings.NewReader(""), out: &out, err: &errs})
		if code != exitOK || errs.String() != test.errs || !strings.Contains(out.String(), test.out) || test.out == "" && out.Len() > 0 {
			t.Errorf("%s: exit code %d, %q, %q", test.args, code, &out, &errs)
		}
	}
}
