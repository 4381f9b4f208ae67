package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/runbook"
	"revenant/internal/corpus"
)

// encryptionConfig leaves everything as it is: what matters is that it is named.
const encryptionConfig = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - identity: {}
`

// stubs are what the commands of revenant's own lines call besides it. One round of a
// wait is all there is.
var stubs = map[string]string{
	"date":  "echo x >> .date; if [ $(wc -l < .date) -gt 2 ]; then rm .date; echo 99999; else echo 0; fi",
	"sleep": ":",
	"kubectl": `case "$*" in
*runningpods*) echo '{"kind":"PodList","apiVersion":"v1","items":[]}' ;;
*"get nodes"*) echo node/node-1 ;;
*"get endpointslice"*) echo 10.0.0.1 fd00::2 ;;
*) echo '{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"a","name":"b","uid":"c"},"spec":{"nodeName":"node-1","containers":[{"name":"d"}]},"status":{"phase":"Running"}}]}' ;;
esac`,
}

// TestPrintedCommandsRun types every command of revenant that plans print into a shell,
// in order, in the directory where plan was called: on all kinds of evidence, with the
// flags that it needs, and for every platform.
func TestPrintedCommandsRun(t *testing.T) {
	pair := func(run string) func(*testing.T) []string {
		return func(t *testing.T) []string {
			writeEvidence(t, "backup.db", corpus.Unpack(t, cluster(run+"/backup")))
			writeEvidence(t, "current.db", corpus.Unpack(t, cluster(run+"/current")))
			return []string{"backup.db", "current.db"}
		}
	}
	type situation struct {
		name string
		make func(*testing.T) []string
		want []string // in a command line each
	}
	situations := []situation{
		{"a backup alone", func(t *testing.T) []string { return pair("rows/plain")(t)[:1] }, nil},
		{"several API servers", pair("ha/plain"), nil},
		{"blanks and quotes", func(t *testing.T) []string {
			writeEvidence(t, "it's a/my backup.db", corpus.Unpack(t, cluster("rows/plain/backup")))
			writeEvidence(t, "it's a/-current $(reboot).db", corpus.Unpack(t, cluster("rows/plain/current")))
			writeFile(t, "it's a/keys.yaml", []byte(encryptionConfig))
			return []string{"it's a/my backup.db", "it's a/-current $(reboot).db", "--encryption-config", "it's a/keys.yaml"}
		}, []string{`'--encryption-config=it'\''s a/keys.yaml'`}},
		{"prefixes", func(t *testing.T) []string {
			writeEvidence(t, "backup.db", moved(t, "backup", "/kubernetes.io"))
			writeEvidence(t, "current.db", moved(t, "current", "/kubernetes.io"))
			return []string{"backup.db", "current.db", "--etcd-prefix", "/kubernetes.io", "--etcd-prefix", "/openshift.io"}
		}, []string{"--etcd-prefix=/kubernetes.io,/openshift.io"}},
		{"a data directory, its log elsewhere", func(t *testing.T) []string {
			writeEvidence(t, "backup.db", corpus.Unpack(t, cluster("scenario-5/datadir-lagging/backup")))
			for name, data := range corpus.Files(t, memberArchive("scenario-5/datadir-lagging")) {
				name = filepath.ToSlash(name)
				if log := filepath.Base(name); strings.HasSuffix(log, ".wal") {
					name = "the log/" + log
				} else {
					name = "the data/" + name
				}
				writeEvidence(t, name, data)
			}
			return []string{"backup.db", "the data", "--wal-dir", "the log", "--assume-committed"}
		}, []string{"'--wal-dir=the log'", "--assume-committed"}},
		{"unlike clusters", func(t *testing.T) []string {
			writeEvidence(t, "backup.db", corpus.Unpack(t, cluster("rows/plain/backup")))
			writeEvidence(t, "current.db", corpus.Unpack(t, cluster("scenario-1/plain/current")))
			return []string{"backup.db", "current.db", "--force"}
		}, []string{"--force"}},
		{"metrics, a version and an outage", func(t *testing.T) []string {
			writeFile(t, "the metrics.prom", []byte("etcd_debugging_mvcc_current_revision 2100\n"))
			return append(pair("scenario-1/plain")(t), "--metrics", "the metrics.prom", "--kubernetes-version", "1.33", "--max-ratio", "999")
		}, []string{"'--metrics=the metrics.prom'", "--max-ratio=999"}},
		{"a packed backup without a trailer", func(t *testing.T) []string {
			data := corpus.Unpack(t, cluster("rows/plain/backup"))
			writeEvidence(t, "bare.db", data[:len(data)-32])
			writeEvidence(t, "current.db", corpus.Unpack(t, cluster("rows/plain/current")))
			return []string{"bare.db", "current.db", "--skip-hash-check"}
		}, []string{"--skip-hash-check"}},
	}
	runs, err := filepath.Glob(filepath.Join(repository, "testdata/clusters/*/*/backup.db.gz"))
	if err != nil || len(runs) < 20 {
		t.Fatalf("%d runs: %v", len(runs), err)
	}
	for i, path := range runs {
		if i%6 != 0 {
			continue
		}
		run, err := filepath.Rel(filepath.Join(repository, "testdata/clusters"), filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		situations = append(situations, situation{run, pair(run), nil})
	}
	platforms := runbook.Platforms()
	for i, s := range situations {
		t.Run(s.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			args := s.make(t)
			tried := platforms[i%len(platforms):][:1]
			if s.want != nil && tried[0] != runbook.Kubeadm {
				tried = append(slices.Clone(tried), runbook.Kubeadm)
			}
			for _, platform := range tried {
				playPrinted(t, platform, args, s.want)
			}
		})
	}
}

var afterwards = regexp.MustCompile(`\bafter-[0-9]+\.db\b`)

// playPrinted runs what a plan for a platform prints of revenant's.
func playPrinted(t *testing.T, platform runbook.Platform, args, want []string) {
	t.Helper()
	code, out, errs := revenant(t, append([]string{"plan", "-o", "json", "--platform", string(platform)}, args...)...)
	if code == exitFailed {
		t.Fatalf("%s: %s", platform, errs)
	}
	var r runbook.Runbook
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for name, script := range stubs {
		writeFile(t, filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"))
		if err := os.Chmod(filepath.Join(bin, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, made := range []string{"newest.db", "prediction.json", "revenant-restore"} {
		if err := os.RemoveAll(made); err != nil {
			t.Fatal(err)
		}
	}
	all, played := "", 0
	for _, step := range r.Steps {
		for _, c := range step.Commands {
			own := slices.Contains(c.Programs, "revenant")
			if own {
				all += c.Run + "\n"
			}
			if c.Host != runbook.Workstation || !own && !strings.HasPrefix(c.Run, "mkdir ") && !strings.HasPrefix(c.Run, "install ") && !strings.Contains(c.Run, "ln -s ") && !strings.Contains(c.Run, "mkdir dumps") {
				continue
			}
			if after := afterwards.FindString(c.Run); after != "" { // as etcd would have saved it
				data, err := os.ReadFile(args[0])
				if err != nil {
					t.Fatal(err)
				}
				writeFile(t, after, data)
			}
			if strings.Contains(c.Run, "BACKUP_DIR") {
				continue
			}
			line := strings.ReplaceAll(c.Run, "=REVISION", "=9000000")
			if strings.HasPrefix(line, "revenant ") && strings.Contains(line, " newest.db") {
				if _, err := os.Stat("newest.db"); err != nil { // of a backup alone: as etcd would have saved it
					data, err := os.ReadFile(args[0])
					if err != nil {
						t.Fatal(err)
					}
					writeFile(t, "newest.db", data)
				}
			}
			sh := exec.Command("sh", "-c", line)
			sh.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			text, err := sh.CombinedOutput()
			if own {
				played++
			}
			if code := sh.ProcessState.ExitCode(); code != 0 && (!own || code == exitFailed || code > exitDamaged) {
				t.Errorf("%s, step %s: exit code %d (%v)\n%s\n%.2000s", platform, step.ID, code, err, c.Run, text)
			}
			if c.WaitsFor != "" && own {
				if data, err := os.ReadFile("listed.txt"); err != nil || len(data) == 0 {
					t.Errorf("%s: the wait has not looked: %v\n%.2000s", platform, err, text)
				}
			}
		}
	}
	if played < 3 {
		t.Errorf("%s: %d commands were played", platform, played)
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("%s: no command has %s:\n%s", platform, w, all)
		}
	}
}
