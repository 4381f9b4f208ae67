package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"revenant/analyzer/preflight"
	"revenant/internal/corpus"
)

// What docs/preflight.md has for machines.
const (
	preflightPolicy = `limits:
  maxAge: 25h        # of the backup, at the time of the check
  maxGap: 2000000    # revisions that a restore undoes
  maxRate: 500       # revisions a second, on average
  maxSize: 0.8       # share of etcd's quota
default:
  unknown: warn      # what is not known makes no failure
checks:
  age: {unknown: fail}
  etcd-version: {unknown: ignore}
  container: {warn: ignore}
`
	preflightScript = `#!/bin/sh
# Checks every backup. The journal gets a line or two of each, the node exporter the numbers.
backups=${BACKUPS:-/var/backups/etcd}
policy=${POLICY:-/etc/revenant/preflight.yaml}
metrics=${METRICS:-/var/lib/prometheus/node-exporter}
reports=${REPORTS:-/var/lib/revenant}
failed=0
for backup in "$backups"/*.db; do
  name=$(basename "$backup" .db)
  rm -f "$reports/$name.txt"
  revenant preflight "$backup" --policy "$policy" "$@" \
    -o "prometheus=$metrics/revenant-$name.prom" -o "text=$reports/$name.txt"
  code=$?
  echo "$name: exit code $code"
  [ ! -e "$reports/$name.txt" ] || sed '/^$/q' "$reports/$name.txt"
  [ "$code" -eq 0 ] || failed=1
done
for prom in "$metrics"/revenant-*.prom; do # of backups that are no more
  name=$(basename "$prom" .prom)
  [ -e "$backups/${name#revenant-}.db" ] || rm -f "$prom"
done
exit $failed
`
	preflightService = `[Unit]
Description=Check whether every etcd backup can be restored
Documentation=man:revenant-preflight(1)

[Service]
Type=oneshot
ExecStart=/usr/local/bin/revenant-preflight-all
ReadWritePaths=/var/lib/prometheus/node-exporter
StateDirectory=revenant
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateNetwork=yes
NoNewPrivileges=yes
Nice=10
`
	preflightTimer = `[Unit]
Description=Check every hour whether every etcd backup can be restored

[Timer]
OnCalendar=hourly
RandomizedDelaySec=5min
Persistent=yes

[Install]
WantedBy=timers.target
`
	preflightCronJob = `apiVersion: batch/v1
kind: CronJob
metadata:
  name: etcd-backup-preflight
  namespace: backups
spec:
  schedule: "17 * * * *"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 0 # the answer does not change by asking again
      template:
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          containers:
          - name: preflight
            image: REGISTRY/revenant:VERSION # FROM scratch, COPY revenant /revenant, built with CGO_ENABLED=0
            command: [/revenant]
            args: [preflight, backups/latest.db, --policy, policy/preflight.yaml, --kubernetes-version, "1.37", --platform, kubeadm]
            workingDir: /
            resources:
              limits: {memory: 1Gi}
            securityContext:
              readOnlyRootFilesystem: true
              allowPrivilegeEscalation: false
              capabilities: {drop: [ALL]}
            volumeMounts:
            - {name: backups, mountPath: /backups, readOnly: true}
            - {name: policy, mountPath: /policy, readOnly: true}
            - {name: tmp, mountPath: /tmp} # where packed backups are unpacked
          volumes:
          - name: backups
            persistentVolumeClaim: {claimName: etcd-backups, readOnly: true}
          - name: policy
            configMap: {name: etcd-backup-preflight}
          - name: tmp
            emptyDir: {}
`
)

// checkedAt is the time for which the document checks: its evidence is of that day.
const checkedAt = "2026-11-23T05:00Z"

// shell runs a program in the working directory, with the program under test in PATH,
// and returns what it prints and its exit code.
func shell(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%q: %v", args, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// backupsOf unpacks the backups that the document checks.
func backupsOf(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	backup := corpus.Unpack(t, cluster("scenario-1/plain/backup"))
	for name, data := range map[string][]byte{
		"backup.db": backup, "current.db": corpus.Unpack(t, cluster("scenario-1/plain/current")),
		"backups/latest.db": backup, "backups/monday.db": backup, "backups/sunday.db": backup[:len(backup)/2],
		"policy/preflight.yaml": []byte(preflightPolicy), "revenant-preflight-all": []byte(preflightScript),
	} {
		writeEvidence(t, name, data)
	}
	if err := errors.Join(os.Mkdir("metrics", 0o755), os.Mkdir("reports", 0o755), os.Chmod("revenant-preflight-all", 0o755)); err != nil {
		t.Fatal(err)
	}
}

func preflightDocument(t *testing.T) string {
	t.Helper()
	backupsOf(t)
	var b strings.Builder
	show := func(language, text string) { fmt.Fprintf(&b, "\n```%s\n%s```\n", language, text) }
	b.WriteString(`# Before a restore: preflight

Written by the program: the table, and what every command here prints, are its own.

` + "`revenant preflight BACKUP [CURRENT]`" + ` says in one answer whether a backup can be restored, before anything is touched: by hand
before a restore, and by a timer for every backup that is made. BACKUP is what would be restored, CURRENT the newest state there is
([evidence.md](evidence.md)). Nothing is asked of any cluster.

Every check has a verdict:

| verdict | meaning |
| --- | --- |
| ` + "`pass`" + ` | nothing speaks against it, as far as the evidence shows |
| ` + "`warn`" + ` | the restore is possible, and costs something or needs something first |
| ` + "`unknown`" + ` | the check could not look, or what it saw does not decide it; the reason says why |
| ` + "`fail`" + ` | restored like this, something breaks or is lost |

The grade is the worst of them, in this order: unknown is worse than a warning, which leaves the restore possible, and better than a
failure. No check passes for want of evidence. Where the backup is damaged or known to be incomplete, every check that finds nothing
is unknown, and so is what rests on a current state that is.

Without CURRENT these are unknown: the gap, the bump (unless ` + "`--last-revision` or `--metrics`" + ` tells what was served), phantoms and ghosts, what
else is undone, and whether pods behind webhooks still run. Say what will run the restored store, since a backup cannot:
` + "`--etcd-version`, `--quota`, `--kubernetes-version`, `--platform`, `--encryption-config`" + `. With CURRENT the versions are those that it shows.

Phantoms and ghosts are those of the plan that the flags give (` + "`--bump-revision`, `--restart-kubelets`" + ` and the others of ` + "`revenant predict`" + `;
` + "`--restart-kubelets none`" + ` alone is a plain restore), and without flags of the plan that ` + "`revenant plan`" + ` recommends.

`)
	line := "revenant preflight backup.db current.db --platform kubeadm --at-time " + checkedAt
	out, code := shell(t, nil, strings.Fields(line)...)
	fmt.Fprintf(&b, "`%s`, exit code %d:\n", line, code)
	show("", out)
	b.WriteString("\n## Checks\n\nThe ids are stable names. *Needs CURRENT*: unknown without it.\n\n")
	b.WriteString("| check | what is looked at | why it matters | what to do | needs CURRENT | source |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, g := range preflight.Groups {
		for i := range preflight.Infos {
			if c := &preflight.Infos[i]; c.Group == g.ID {
				pair := ""
				if c.Pair || c.ID == "current" || c.ID == "same-cluster" || c.ID == "order" {
					pair = "yes"
				}
				fmt.Fprintf(&b, "| `%s` | **%s.** %s | %s | %s | %s | %s |\n", c.ID, c.Title, c.Looks, c.Why, c.Do, pair, c.Source)
			}
		}
	}
	b.WriteString(`
## Policy

` + "`--policy FILE`" + `, YAML or JSON, at most 1 MiB and without anchors. A key, a check, a verdict or an action that there is not is an error (exit
code 2), so that a misspelt rule cannot let a backup pass.
`)
	show("yaml", preflightPolicy)
	b.WriteString(`
` + "`checks`" + ` says of single checks what their verdicts ` + "`fail`, `warn` and `unknown`" + ` count as: ` + "`fail`, `warn`, `unknown` or `ignore`" + `. ` + "`default`" + ` says so of all
others; what neither names counts as what it is. The verdicts stay in the answer: ` + "`counts`" + ` stands beside them.

Above a limit of the policy a check fails. Without one, a backup that is more than 24 hours old and a db above 80 % of the quota are
warnings, and there is no limit to the gap and the rate. Ages are as Go writes durations (` + "`90m`, `25h`" + `) or days (` + "`2d`" + `).

## Exit codes

| code | meaning |
| --- | --- |
| 0 | nothing fails; there may be warnings, and what is unknown |
| 1 | a check counts as a failure |
| 2 | the command could not do its work: a flag, the policy or a file |
| 3 | a file is damaged; what was readable was checked |

When several apply, the order is 2, 3, 1. Two clusters' snapshots, or two that are swapped, are failures here and no reason to stop.

## Prometheus

` + "`-o prometheus=FILE`" + ` writes the text format for the textfile collector of Prometheus' node exporter, as every output: whole or not at
all, and never over evidence. What is not known has no sample. JSON and YAML: [json.md](json.md).
`)
	line = "revenant preflight backup.db current.db --platform kubeadm --at-time " + checkedAt + " -o prometheus"
	out, _ = shell(t, nil, strings.Fields(line)...)
	var kept []string
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if !strings.HasPrefix(l, "revenant_preflight_check{") || strings.Contains(l, `"trailer"`) || strings.Contains(l, `"undone"`) {
			kept = append(kept, l)
		} else if kept[len(kept)-1] != "…" {
			kept = append(kept, "…")
		}
	}
	fmt.Fprintf(&b, "\n`%s`, most checks left out:\n", line)
	show("", strings.Join(kept, "\n")+"\n")
	b.WriteString(`
An alert for a backup that cannot be restored, and one for checks that no longer run:
`)
	show("", `revenant_preflight_grade == 3
time() - revenant_preflight_checked_timestamp_seconds > 3 * 3600
`)
	b.WriteString("\n## A systemd timer\n\n`/usr/local/bin/revenant-preflight-all`:\n")
	show("sh", preflightScript)
	b.WriteString("\n`/etc/systemd/system/revenant-preflight.service`:\n")
	show("ini", preflightService)
	b.WriteString("\n`/etc/systemd/system/revenant-preflight.timer`, for `systemctl enable --now revenant-preflight.timer`:\n")
	show("ini", preflightTimer)
	env := []string{"BACKUPS=backups", "POLICY=policy/preflight.yaml", "METRICS=metrics", "REPORTS=reports"}
	out, code = shell(t, env, "./revenant-preflight-all", "--at-time", checkedAt)
	fmt.Fprintf(&b, "\nWhat ExecStart prints of three backups, one of which was cut off, with `--at-time %s`; exit code %d:\n", checkedAt, code)
	show("", out)
	b.WriteString(`
## A Kubernetes CronJob

On another cluster than the one that is backed up, or it does not run when it is needed. The ConfigMap has the policy under
` + "`preflight.yaml`" + `; the Job fails when a check does (` + "`kube_job_status_failed`" + `), and its log has the answer.
`)
	show("yaml", preflightCronJob)
	var job batchv1.CronJob
	if err := yaml.UnmarshalStrict([]byte(preflightCronJob), &job); err != nil {
		t.Fatal(err)
	}
	container := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
	args := append([]string{strings.TrimPrefix(container.Command[0], "/")}, container.Args...)
	out, code = shell(t, nil, append(args, "--at-time", checkedAt)...)
	out, _, _ = strings.Cut(out, "\nIs the evidence whole?")
	fmt.Fprintf(&b, "\nThe beginning of its log, with `--at-time %s`; exit code %d:\n", checkedAt, code)
	show("", out+"…\n")
	return b.String()
}

// TestPreflightFiles holds what docs/preflight.md has for machines against who reads it.
func TestPreflightFiles(t *testing.T) {
	if _, err := preflight.ParsePolicy([]byte(preflightPolicy)); err != nil {
		t.Error(err)
	}
	var job batchv1.CronJob
	if err := yaml.UnmarshalStrict([]byte(preflightCronJob), &job); err != nil {
		t.Fatal(err)
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	volumes := map[string]corev1.Volume{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		if _, ok := volumes[m.Name]; !ok {
			t.Errorf("no volume %s", m.Name)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "revenant-preflight-all")
	unit := strings.Replace(preflightService, "/usr/local/bin/revenant-preflight-all", program, 1)
	for name, text := range map[string]string{"revenant-preflight-all": preflightScript, "revenant-preflight.service": strings.Replace(unit, "Documentation=man:revenant-preflight(1)\n", "", 1), "revenant-preflight.timer": preflightTimer} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(analyze, "verify", filepath.Join(dir, "revenant-preflight.service"), filepath.Join(dir, "revenant-preflight.timer")).CombinedOutput()
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("revenant-preflight")) && !bytes.Contains(line, []byte("is marked executable")) && !bytes.Contains(line, []byte("is marked world-")) {
			t.Errorf("systemd-analyze: %s", line)
		}
	}
	t.Logf("%v: %s", err, out)
}

// TestPreflightScript runs the timer's script a second time, once a backup is gone, and
// wants its numbers to be gone, and no file half written.
func TestPreflightScript(t *testing.T) {
	backupsOf(t)
	env := []string{"BACKUPS=backups", "POLICY=policy/preflight.yaml", "METRICS=metrics", "REPORTS=reports"}
	if out, code := shell(t, env, "./revenant-preflight-all", "--at-time", checkedAt); code != 1 || !strings.Contains(out, "sunday: exit code 3") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if err := os.Remove("backups/sunday.db"); err != nil {
		t.Fatal(err)
	}
	if out, code := shell(t, env, "./revenant-preflight-all", "--at-time", checkedAt); code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
	left, err := filepath.Glob("metrics/*")
	if err != nil || strings.Join(left, " ") != "metrics/revenant-latest.prom metrics/revenant-monday.prom" {
		t.Errorf("%q, %v", left, err)
	}
}
