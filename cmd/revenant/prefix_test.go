package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot/snapshottest"
	"revenant/internal/corpus"
	"revenant/report"
)

// moved is a snapshot of a cluster whose API server keeps its objects elsewhere, with
// more keys at its end.
func moved(t *testing.T, name, to string, more ...snapshottest.Change) []byte {
	t.Helper()
	s := snapshottest.Open(t, filepath.Join(repository, "testdata/clusters/rows/plain", name+".db.gz"))
	var changes []snapshottest.Change
	for r := range s.Records() {
		value, err := s.Value(r)
		if err != nil {
			t.Fatal(err)
		}
		key := r.Key
		if rest, ok := strings.CutPrefix(key, "/registry/"); ok {
			key = to + "/" + rest
		}
		changes = append(changes, snapshottest.Change{Key: key, Value: value})
	}
	return snapshottest.Bytes(t, append(changes, more...)...)
}

// revenant runs a command, and returns its exit code and what it wrote.
func revenant(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, streams{in: strings.NewReader(""), out: &o, err: &e})
	return code, o.String(), e.String()
}

func wants(t *testing.T, text string, list ...string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), "") // however it is wrapped
	for _, want := range list {
		if !strings.Contains(text, strings.ReplaceAll(want, " ", "")) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}

const route = `{"kind":"Route","apiVersion":"route.openshift.io/v1","metadata":{"name":"web","namespace":"rows","uid":"1"}}`

// TestPrefixOfOpenShift reads a pair of OpenShift with and without the flag.
func TestPrefixOfOpenShift(t *testing.T) {
	t.Chdir(t.TempDir())
	writeEvidence(t, "backup.db", moved(t, "backup", "/kubernetes.io"))
	writeEvidence(t, "current.db", moved(t, "current", "/kubernetes.io", snapshottest.Put("/openshift.io/routes/rows/web", route)))
	const flag = "--etcd-prefix=/kubernetes.io,/openshift.io"

	_, out, _ := revenant(t, "inspect", "current.db")
	wants(t, out, "/kubernetes.io: Kubernetes, 229 live keys", "/openshift.io: OpenShift's own API servers, 1 live key", flag, "60 pods", "1 routes.route.openshift.io")
	_, out, _ = revenant(t, "inspect", "current.db", "--etcd-prefix", "/registry")
	wants(t, out, "not read what another API server has below /kubernetes.io and /openshift.io: "+flag, "objects none")

	var first string
	for _, flags := range [][]string{nil, {"--etcd-prefix", "/kubernetes.io"}, {"--etcd-prefix", "/kubernetes.io,/openshift.io"}, {"--etcd-prefix", "kubernetes.io", "--etcd-prefix=openshift.io"}} {
		code, out, errs := revenant(t, append([]string{"predict", "-o", "json", "backup.db", "current.db"}, flags...)...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d: %s", flags, code, errs)
		}
		var p restore.Prediction
		if err := json.Unmarshal([]byte(out), &p); err != nil {
			t.Fatal(err)
		}
		if p.Summary[restore.Phantom] == 0 {
			t.Errorf("%v: no phantoms", flags)
		}
		text, _ := json.Marshal([]any{p.Pods, p.Rollback})
		text = bytes.ReplaceAll(text, []byte(`"kubernetes.io`), []byte(`"/kubernetes.io`))
		if first == "" {
			first = string(text)
		} else if string(text) != first {
			t.Errorf("%v: another prediction", flags)
		}
		if !strings.Contains(first, `"routes.route.openshift.io","lost":1`) {
			t.Error("the route is not compared")
		}
	}

	// The commands of a runbook carry the prefixes on.
	for _, args := range [][]string{
		{"plan", "backup.db", "current.db"}, {"plan", "--etcd-prefix", "/kubernetes.io", "backup.db", "current.db"}, {"plan", "--etcd-prefix", "/kubernetes.io", "backup.db"},
	} {
		_, out, _ := revenant(t, args...)
		commands := regexp.MustCompile(`(?m)\brevenant (inspect|predict|plan|verify) .*$`).FindAllString(out, -1)
		if len(commands) < 4 {
			t.Errorf("%v prints %d commands", args, len(commands))
		}
		for _, line := range commands {
			if !strings.Contains(line, " --etcd-prefix=/kubernetes.io") && !strings.HasPrefix(line, "revenant inspect finds") && !strings.HasPrefix(line, "revenant verify finds") {
				t.Errorf("%v prints %s", args, line)
			}
		}
	}
}

// TestPrefixOfOwn reads prefixes that nobody would guess, and refuses one that nothing shows.
func TestPrefixOfOwn(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"backup", "current"} {
		writeEvidence(t, name+".db", moved(t, name, "/k8s/prod"))
		writeEvidence(t, name+"-registry.db", moved(t, name, "/registry"))
		writeEvidence(t, name+"-two.db", moved(t, name, "/k8s/prod", snapshottest.Put("/k8s/test/namespaces/default", "k8s\x00\n\x0f\n\x02v1\x12\tNamespace")))
	}
	code, out, errs := revenant(t, "predict", "backup.db", "current.db")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	wants(t, out, "The objects of Kubernetes are below /k8s/prod here, as the keys show; --etcd-prefix=/k8s/prod says the same")

	code, _, errs = revenant(t, "predict", "--etcd-prefix=/registry", "backup.db", "current.db")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	wants(t, errs, "no key under the prefix /registry", "--etcd-prefix=/k8s/prod")

	code, _, errs = revenant(t, "predict", "backup-two.db", "current-two.db")
	if code != exitFailed {
		t.Errorf("exit code %d for two API servers", code)
	}
	wants(t, errs, "objects of several API servers", "--etcd-prefix=/k8s/prod or --etcd-prefix=/k8s/test")
	code, out, errs = revenant(t, "predict", "--etcd-prefix=/k8s/prod", "backup-two.db", "current-two.db")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	wants(t, out, "1 keys below /k8s/test are another API server's", "--etcd-prefix=/k8s/test reads them")

	code, _, errs = revenant(t, "predict", "backup.db", "current-registry.db")
	if code != exitFailed {
		t.Errorf("exit code %d for two prefixes", code)
	}
	wants(t, errs, "the objects of the backup are below /k8s/prod, those of the current snapshot below /registry")
}

// TestKeysOfOthers reports keys that are no API server's.
func TestKeysOfOthers(t *testing.T) {
	t.Chdir(t.TempDir())
	const block = "/calico/ipam/v2/assignment/ipv4/block/10.1.0.0-26"
	writeEvidence(t, "backup.db", moved(t, "backup", "/registry", snapshottest.Put(block, `{"allocations":[0,1,null]}`), snapshottest.Put("/bootstrap/4489e5a9bd37", "x")))
	writeEvidence(t, "current.db", moved(t, "current", "/registry", snapshottest.Put(block, `{"allocations":[0,1,2,3]}`), snapshottest.Put("rke2/apiaddresses", "[]")))
	_, out, _ := revenant(t, "inspect", "backup.db")
	wants(t, out, "/calico: Calico's datastore, 1 live key", "token whose SHA-256 begins with 4489e5a9bd37")
	_, out, _ = revenant(t, "predict", "backup.db", "current.db")
	wants(t, out, "ipam-rolled-back", "2 addresses were given out since the backup", "RKE2: addresses of its API servers 1")
	_, out, _ = revenant(t, "plan", "backup.db")
	wants(t, out, "The servers need the token of the backup", "4489e5a9bd37")

	writeEvidence(t, "calico.db", snapshottest.Bytes(t, snapshottest.Put(block, "{}")))
	code, _, errs := revenant(t, "predict", "calico.db", "current.db")
	if code != exitFailed {
		t.Errorf("exit code %d for Calico's etcd", code)
	}
	wants(t, errs, "its keys start with /calico (Calico's datastore)")

	// An aggregated API server's etcd has no pods, and nothing is concluded from that.
	flunder := func(n string) snapshottest.Change {
		return snapshottest.Put("/registry/wardle.example.com/flunders/a/"+n, `{"kind":"Flunder","apiVersion":"wardle.example.com/v1"}`)
	}
	writeEvidence(t, "wardle-1.db", snapshottest.Bytes(t, flunder("a")))
	writeEvidence(t, "wardle-2.db", snapshottest.Bytes(t, flunder("a"), flunder("b")))
	_, out, _ = revenant(t, "inspect", "wardle-1.db")
	wants(t, out, "an aggregated API server: wardle.example.com")
	_, out, _ = revenant(t, "predict", "wardle-1.db", "wardle-2.db")
	wants(t, out, "nothing can be predicted for any kubelet", "this is not the etcd of a kube-apiserver", "flunders.wardle.example.com 1")
}

// TestKeyGroupsInJSON holds the JSON of inspect against its keys.
func TestKeyGroupsInJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	writeEvidence(t, "backup.db", corpus.Unpack(t, filepath.Join(repository, "testdata/clusters/rows/plain/backup.db.gz")))
	_, out, _ := revenant(t, "inspect", "-o", "json", "backup.db")
	var in report.Inspection
	if err := json.Unmarshal([]byte(out), &in); err != nil {
		t.Fatal(err)
	}
	e := in.Evidence[0]
	live := 0
	for _, g := range e.KeyGroups {
		live += g.Live
	}
	if live != e.LiveKeys || len(e.EtcdPrefixes) != 1 || e.EtcdPrefixes[0] != "/registry" {
		t.Errorf("%d keys in groups of %d, prefixes %v", live, e.LiveKeys, e.EtcdPrefixes)
	}
}
