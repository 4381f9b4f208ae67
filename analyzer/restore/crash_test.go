package restore_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"revenant/analyzer/restore"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
)

// crashed is a run whose etcd was killed under load, its db behind its log.
const crashed = clusters + "/scenario-5/datadir-lagging"

type crashTruth struct {
	KeysDBPlusWAL struct {
		Rev  int64
		Keys map[string][3]int64 // create revision, mod revision, version
	}
	KubeletsAtCrash map[string]struct {
		Pods []struct {
			UID, Namespace, Name, Phase, Source string
		}
	}
}

// TestCrash predicts from a backup and the data directory of a killed etcd: what
// its log adds to the db is what etcd had after a restart, and the phantoms are
// the pods that the kubelets had.
func TestCrash(t *testing.T) {
	var truth crashTruth
	if err := json.Unmarshal(corpus.Unpack(t, filepath.Join(crashed, "truth.json.gz")), &truth); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Open(t.Context(), filepath.Join(crashed, "member.tar.gz"), snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := map[string][3]int64{}
	for r := range s.Keys("") {
		got[r.Key] = [3]int64{r.CreateRevision, r.Main, r.Version}
	}
	if s.Revision() != truth.KeysDBPlusWAL.Rev || len(got) != len(truth.KeysDBPlusWAL.Keys) || len(got) == 0 {
		t.Errorf("revision %d and %d keys, etcd has %d and %d", s.Revision(), len(got), truth.KeysDBPlusWAL.Rev, len(truth.KeysDBPlusWAL.Keys))
	}
	for key, want := range truth.KeysDBPlusWAL.Keys {
		if got[key] != want {
			t.Errorf("%s is %v, etcd has %v", key, got[key], want)
		}
	}

	current, err := restore.Load(t.Context(), s, "/registry")
	if err != nil {
		t.Fatal(err)
	}
	backup := loadState(t, filepath.Join(crashed, "backup.db.gz"))
	p, err := restore.Compare(backup, current).Predict(restore.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	bound := map[string]bool{} // in the backup
	for _, pod := range backup.Pods {
		bound[pod.UID] = pod.NodeName != ""
	}
	running, phantoms := map[string]bool{}, 0
	predicted := map[string]*restore.PodOutcome{}
	for i := range p.Pods {
		if o := &p.Pods[i]; o.Outcome == restore.Phantom {
			predicted[o.UID] = o
		}
	}
	for node, k := range truth.KubeletsAtCrash {
		for _, pod := range k.Pods {
			running[pod.UID] = true
			if pod.Source != "api" || pod.Phase == "Succeeded" || pod.Phase == "Failed" || bound[pod.UID] {
				continue
			}
			phantoms++
			if o := predicted[pod.UID]; o == nil || o.Node != node {
				t.Errorf("%s/%s on %s is no phantom", pod.Namespace, pod.Name, node)
			}
		}
	}
	unseen := 0
	for uid, o := range predicted {
		if !running[uid] {
			unseen++
			t.Logf("%s/%s (%s): predicted %s, %s; bound by the log's last entries, which the kubelet of %s had not received", o.Namespace, o.Name, uid, o.Outcome, o.Certainty, o.Node)
			if o.Certainty == restore.Certain {
				t.Errorf("%s/%s is certain, and its kubelet did not have it", o.Namespace, o.Name)
			}
		}
	}
	t.Logf("%d phantoms on the kubelets, %d predicted, %d of them not received", phantoms, len(predicted), unseen)
	if phantoms < 20 || unseen > 3 {
		t.Error("that is not what the run is about")
	}
}
