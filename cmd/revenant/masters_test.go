package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"revenant/decoder/snapshot/snapshottest"
	"revenant/report"
)

// TestFormerMasters: a control plane machine was replaced since the backup: predict reports its address,
// and plan deletes it, with the prefix that the keys have.
func TestFormerMasters(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, prefix := range []string{"/registry", "/kubernetes.io"} {
		address := func(ip string) string {
			return `{"kind":"Endpoints","apiVersion":"v1","metadata":{},"subsets":[{"addresses":[{"ip":"` + ip + `"}]}]}`
		}
		put := func(key, value string) snapshottest.Change { return snapshottest.Put(prefix+key, value) }
		before := []snapshottest.Change{
			put("/namespaces/kube-system", `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"kube-system","uid":"u"}}`),
			{Key: prefix + "/masterleases/10.0.0.1", Value: []byte(address("10.0.0.1")), Lease: 7, TTL: 15},
			put("/services/endpoints/default/kubernetes", address("10.0.0.1")),
		}
		after := append(before[:len(before):len(before)],
			snapshottest.Delete(prefix+"/masterleases/10.0.0.1"), put("/masterleases/10.0.0.9", address("10.0.0.9")),
			put("/services/endpoints/default/kubernetes", address("10.0.0.9")))
		for name, list := range map[string][]snapshottest.Change{"backup.db": before, "current.db": after} {
			if err := os.WriteFile(name, snapshottest.Bytes(t, list...), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		answer := func(args ...string) []byte {
			t.Helper()
			var out, errs bytes.Buffer
			if code := run(t.Context(), append(args, "--etcd-prefix", prefix), streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &errs)
			}
			return out.Bytes()
		}
		key := prefix + "/masterleases/10.0.0.1"
		if text := string(answer("plan", "backup.db", "current.db")); !strings.Contains(text, " del "+key+"\n") {
			t.Errorf("%s is deleted nowhere in\n%s", key, text)
		}
		if text := string(answer("plan", "backup.db")); !strings.Contains(text, key) || strings.Contains(text, " del ") {
			t.Errorf("a backup alone: %s", text)
		}
		var p report.Prediction
		if err := json.Unmarshal(answer("predict", "backup.db", "current.db", "-o", "json"), &p); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range p.Rollback.Findings {
			found = found || f.ID == "former-api-server" && f.Evidence[0].Key == key && f.Evidence[0].Revision == 3
		}
		if !found {
			t.Errorf("%s is in no finding: %+v", key, p.Rollback.Findings)
		}
	}
}
