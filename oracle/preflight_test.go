package oracle

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/internal/corpus"
	"revenant/report"
)

// checked opens a snapshot without a current state, and checks it.
func checked(t *testing.T, path string, in preflight.Input) *preflight.Report {
	t.Helper()
	ctx := t.Context()
	s, err := snapshot.Open(ctx, path, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in.Prefix = kube.DefaultPrefix
	in.Backup.Snapshot = s
	if in.Backup.State, err = restore.Load(ctx, s, in.Prefix); err != nil {
		t.Fatal(err)
	}
	e, err := report.NewEvidence(ctx, string(restore.InBackup), s)
	if err != nil {
		t.Fatal(err)
	}
	in.Evidence = []restore.Evidence{e}
	found, err := preflight.Run(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unpacked is a snapshot of testdata in a file.
func unpacked(t *testing.T, name, as string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), as)
	if err := os.WriteFile(path, corpus.Unpack(t, filepath.Join("../testdata", name)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPreflightStarts restores the snapshots of every version of etcd and starts every
// version on them: those of which the check etcd-version fails do not start, and all
// others do.
func TestPreflightStarts(t *testing.T) {
	watch(t)
	dir := t.TempDir()
	restores := map[string]string{"3.5": filepath.Join(dir, "etcdutl35"), "3.7": filepath.Join(dir, "etcdutl37")}
	goBuild(t, []string{"-modfile=etcd35/go.mod", "-o", restores["3.5"], "go.etcd.io/etcd/etcdutl/v3"})
	goBuild(t, []string{"-o", restores["3.7"], "go.etcd.io/etcd/etcdutl/v3"})
	restores["3.6"] = restores["3.7"]
	servers := map[string]string{}
	for version, flags := range map[string][]string{"3.5": {"-modfile=etcd35/go.mod"}, "3.6": {"-modfile=etcd36/go.mod"}, "3.7": nil} {
		servers[version] = filepath.Join(dir, "etcd"+version)
		goBuild(t, append(flags, "-o", servers[version], "go.etcd.io/etcd/server/v3"))
	}
	refused := 0
	for _, stored := range []string{"3.4", "3.5", "3.6", "3.7"} {
		path := unpacked(t, "etcd/versions/"+stored+"/snapshot.db.gz", "backup.db")
		for _, runs := range []string{"3.5", "3.6", "3.7"} {
			t.Run(stored+" by "+runs, func(t *testing.T) {
				data := filepath.Join(t.TempDir(), "data")
				if out, err := exec.Command(restores[runs], "snapshot", "restore", path, "--data-dir", data).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				started := starts(t, servers[runs], data)
				found := checked(t, path, preflight.Input{At: time.Now(), EtcdVersion: runs})
				for _, c := range found.Checks {
					if c.ID != "etcd-version" {
						continue
					}
					t.Logf("%s: %s", c.Verdict, c.Reason)
					if fails := c.Verdict == preflight.Fail; fails == started {
						t.Errorf("started: %t, and the check comes to %s: %s", started, c.Verdict, c.Reason)
					} else if fails {
						refused++
					}
				}
			})
		}
	}
	if refused == 0 {
		t.Error("no etcd refused any")
	}
}

// starts says whether an etcd comes to serve a data directory.
func starts(t *testing.T, program, data string) bool {
	t.Helper()
	var urls [2]string
	for i := range urls {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		urls[i] = "http://" + l.Addr().String()
		l.Close()
	}
	cmd := exec.CommandContext(t.Context(), program, "--data-dir="+data, "--listen-client-urls="+urls[0], "--advertise-client-urls="+urls[0], "--listen-peer-urls="+urls[1])
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	timeout := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer timeout.Stop()
	ready := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "ready to serve client requests") {
			ready = true
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return ready
}

// TestPreflightExposition has Prometheus' own parser and linter read what is written for
// them.
func TestPreflightExposition(t *testing.T) {
	for _, name := range []string{"backup.db", "a \"quoted\\\" name.db", "a\nnew line.db", "esc\x1b[31m.db", "not\xffUTF-8.db", "{brackets}, and = commas.db"} {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			found := checked(t, unpacked(t, "clusters/scenario-1/plain/backup.db.gz", name), preflight.Input{At: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)})
			phantoms, gap := 3, int64(1<<62)
			found.Measures.Phantoms, found.Measures.Gap = &phantoms, &gap
			var text bytes.Buffer
			p := report.NewPrinter(&text)
			(&report.Preflight{Report: found}).Prometheus(p)
			if err := p.Flush(); err != nil {
				t.Fatal(err)
			}
			parser := expfmt.NewTextParser(model.UTF8Validation)
			families, err := parser.TextToMetricFamilies(bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatalf("%v in\n%s", err, &text)
			}
			value := func(family string, labels map[string]string) float64 {
				f := families["revenant_preflight_"+family]
				for _, m := range f.GetMetric() {
					has := map[string]string{}
					for _, l := range m.GetLabel() {
						if l.GetName() != "backup" {
							has[l.GetName()] = l.GetValue()
						}
					}
					if cmp.Equal(has, labels) {
						return m.GetGauge().GetValue()
					}
				}
				t.Errorf("no %s with %v", family, labels)
				return -2
			}
			none := map[string]string{}
			for family, want := range map[string]float64{
				"grade": float64(found.Grade.Rank()), "backup_revision": 454, "checked_timestamp_seconds": 1795410000,
				"backup_age_seconds": *found.Measures.AgeSeconds, "gap_revisions": 1 << 62, "quota_bytes": 2 << 30,
			} {
				if got := value(family, none); got != want {
					t.Errorf("%s is %v, want %v", family, got, want)
				}
			}
			if got := value("phantoms", map[string]string{"plan": "checked"}); got != 3 {
				t.Errorf("%v phantoms", got)
			}
			if n := len(families["revenant_preflight_check"].GetMetric()); n != len(preflight.Infos) {
				t.Errorf("%d checks", n)
			}
			for _, c := range found.Checks {
				if got := value("check", map[string]string{"check": string(c.ID), "group": string(c.Group)}); got != float64(c.Counts.Rank()) {
					t.Errorf("%s is %v, and counts as %s", c.ID, got, c.Counts)
				}
			}
			if families["revenant_preflight_minimum_bump_revisions"] != nil || families["revenant_preflight_ghosts"] != nil {
				t.Error("what is not known has a sample")
			}
			problems, err := promlint.New(bytes.NewReader(text.Bytes())).Lint()
			if err != nil || len(problems) > 0 {
				t.Errorf("%v: %+v", err, problems)
			}
		})
	}
}
