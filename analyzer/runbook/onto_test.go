package runbook

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/atrest"
	"revenant/analyzer/finding"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/ties"
	"revenant/decoder/snapshot"
)

// tied has a finding of every sort for each of the names, and the keys of old machines.
func tied(names ...string) *ties.Ties {
	list := &ties.Ties{Summary: map[ties.ID]int{}, RootCA: strings.Repeat("ab", 32), ServiceIPs: []string{"10.96.0.1"}, ServiceRanges: []string{"10.96.0.0/12"}}
	kinds := map[ties.ID]string{ties.JobAgain: "jobs", ties.CronJobRuns: "cronjobs", ties.ActsOutside: "deployments", ties.Address: "configmaps"}
	for _, info := range ties.Infos {
		for _, name := range names {
			list.Findings = append(list.Findings, ties.Finding{ID: info.ID, Severity: info.Severity, Certainty: finding.Possible, Kind: kinds[info.ID], Namespace: "ns", Name: name, Detail: "detail of " + name})
			list.Summary[info.ID]++
		}
	}
	list.Findings = append(list.Findings, ties.Finding{ID: ties.ActsOutside, Kind: "daemonsets", Namespace: "ns", Name: "agent", Detail: "agent"})
	list.Summary[ties.ActsOutside]++
	for _, prefix := range []string{"/registry/minions/", "/registry/pods/", "/registry/masterleases/"} {
		list.Machines = append(list.Machines, ties.Keys{Prefix: prefix, Count: 3, What: "keys"})
	}
	return list
}

// ontoInput is a backup of three members that is restored onto other machines.
func ontoInput() Input {
	was, _ := twin("db-0", "node-1", "node-3")
	in := input([]*restore.Pod{was}, nil, nodes("node-1", "node-2"), nodes("node-2", "node-3"))
	in.Onto, in.Comparison, in.Ties = restore.NewMachines, nil, tied("a")
	in.Backup.Facts.MasterLeases = []string{"/registry/masterleases/10.0.0.1", "/registry/masterleases/fd00::1", "/registry/masterleases/$(reboot)"}
	in.Backup.Facts.Members = []snapshot.Member{
		{Name: "cp-1", PeerURLs: []string{"https://10.0.0.1:2380"}, ClientURLs: []string{"https://10.0.0.1:2379"}},
	}
	return in
}

// ontoSituations are runbooks for other machines, of every platform.
func ontoSituations(t *testing.T, check func(t *testing.T, name string, in *Input, r *Runbook)) {
	t.Helper()
	for _, platform := range append(Platforms(), "") {
		for _, plan := range []*restore.Plan{nil, {BumpRevision: 1000, MarkCompacted: true}} {
			for _, how := range []string{"alone", "pair", "data directory", "no trailer", "zip", "3.4", "hostile", "nothing known"} {
				in := ontoInput()
				in.Platform, in.Plan = platform, plan
				switch how {
				case "alone":
					in.Current = nil
				case "data directory":
					in.Current, in.NewestFlags = nil, []string{"--wal-dir=the log"}
					in.Backup.Facts.Logged, in.Backup.Facts.Packed = true, "a db whose log is beside it"
				case "no trailer":
					in.Backup.Facts.NoTrailer = true
				case "zip":
					in.Backup.Facts.Packed = "zip"
				case "3.4":
					in.EtcdVersion = "3.4"
				case "hostile":
					h := hostileInput()
					h.Onto, h.Comparison, h.Platform, h.Plan, h.Ties = restore.NewMachines, nil, platform, plan, tied(hostile...)
					h.Backup.Facts.NoTrailer = false
					h.Ties.Machines = append(h.Ties.Machines, ties.Keys{Prefix: "/it's $(reboot)/"}, ties.Keys{Prefix: "a\nb"}, ties.Keys{Prefix: "-rf"})
					in = h
				case "nothing known":
					in.Current, in.Ties = nil, nil
					in.Backup.State = &restore.State{}
					in.Backup.Facts = Facts{}
				}
				check(t, fmt.Sprintf("%s, plan %v, %s", platform, plan != nil, how), &in, build(t, in))
			}
		}
	}
}

// TestOntoLints holds the lints of all runbooks over those for other machines.
func TestOntoLints(t *testing.T) {
	ontoSituations(t, func(t *testing.T, name string, in *Input, r *Runbook) {
		lintPrograms(t, name, in, r)
		lintMoves(t, name, r)
		lintOrder(t, name, r)
		lintRestarts(t, name, r)
		lintEvidence(t, name, in, r)
		lintSteps(t, name, r)
		lintOnto(t, name, in, r)
	})
}

// at is the place of the first command that holds for, -1 for none.
func at(r *Runbook, holds func(*Command) bool) (place int) {
	place, i := -1, 0
	each(r, func(_ *Step, c *Command) {
		if place < 0 && holds(c) {
			place = i
		}
		i++
	})
	return place
}

// lintOnto: the proof comes first, nothing starts before the backup is cleaned, the
// controllers start after what they would act on is held back and before nodes join, and
// no command is for an old machine.
func lintOnto(t *testing.T, name string, in *Input, r *Runbook) {
	t.Helper()
	order := ids(r)
	if order[0] != "prove-down" || order[len(order)-1] != "take-over" {
		t.Errorf("%s: steps %v", name, order)
	}
	index := func(id string) int { return slices.Index(order, id) }
	for _, pair := range [][2]string{
		{"bring-along", "prepare-machines"}, {"clean-backup", "prepare-machines"}, {"clean-backup", "restore"}, {"restore", "start-etcd"}, {"start-etcd", "start-api"},
		{"start-api", "clean-up"}, {"clean-up", "start-controllers"}, {"start-controllers", "join-nodes"}, {"clean-up", "join-nodes"}, {"join-nodes", "verify"},
	} {
		if a, b := index(pair[0]), index(pair[1]); a >= 0 && b >= 0 && a > b {
			t.Errorf("%s: %s comes after %s", name, pair[0], pair[1])
		}
	}
	profile := profileOf(r.Platform.ID)
	held := !profile.together || r.Platform.ID == K3s || r.Platform.ID == RKE2
	if (index("start-controllers") >= 0) != held {
		t.Errorf("%s: steps %v", name, order)
	}
	if warned := slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "start together with the API servers") }); warned == held {
		t.Errorf("%s: controllers are held back %v, and it is warned %v", name, held, warned)
	}
	if profile.bumps == BumpsDataDirectory || profile.bumps == BumpsSnapshot {
		cleans := at(r, func(c *Command) bool { return strings.Contains(c.Run, " snapshot save "+cleaned) })
		if cleans < 0 {
			t.Errorf("%s: the backup is not cleaned", name)
		}
		for _, k := range in.tied().Machines {
			deletes := at(r, func(c *Command) bool { return len(c.Argv) > 0 && c.Argv[len(c.Argv)-1] == k.Prefix })
			if _, writable := operands([]string{k.Prefix}); writable == 0 && (deletes < 0 || deletes > cleans) {
				t.Errorf("%s: the keys %s are not deleted before the backup is saved", name, k.Prefix)
			}
		}
		if starts := at(r, func(c *Command) bool { return c.Host != Workstation && apiRestarts.MatchString(c.Run) }); starts >= 0 && starts < cleans {
			t.Errorf("%s: API servers start before the backup is cleaned", name)
		}
	}
	each(r, func(s *Step, c *Command) {
		host := strings.TrimPrefix(string(c.Host), ofNode)
		if strings.HasPrefix(string(c.Host), ofMember) || slices.ContainsFunc(in.Backup.State.Nodes, func(n restore.Node) bool { return n.Name == host }) {
			t.Errorf("%s, step %s: is done on an old machine (%s): %s", name, s.ID, c.Host, c.Run)
		}
		if strings.Contains(c.Run, "10.0.0.1:23") {
			t.Errorf("%s, step %s: is for an old member: %s", name, s.ID, c.Run)
		}
		for _, call := range apiCall.FindAllString(c.Run, -1) {
			if !strings.HasSuffix(call, " --kubeconfig=") && !strings.HasSuffix(call, " --context=") {
				t.Errorf("%s, step %s: it may be done to the old cluster: %s", name, s.ID, c.Run)
			}
		}
		if strings.Contains(c.Run, "restart-kubelets") {
			t.Errorf("%s, step %s: %s", name, s.ID, c.Run)
		}
	})
	proof := r.Steps[0]
	for _, side := range []*Side{&in.Backup, in.Current} {
		if side == nil {
			continue
		}
		for _, n := range side.State.Nodes {
			all := strings.Join(proof.Checks, " ")
			if len(in.Backup.State.Nodes) < listed && n.Name != "" && !strings.Contains(all, n.Name) {
				t.Errorf("%s: the old node %q is not named: %q", name, n.Name, proof.Checks)
			}
		}
	}
	if r.Plan.Onto != restore.NewMachines || !strings.Contains(r.Predicted, "every pod has to start anew") && len(in.Backup.State.Pods) > 0 {
		t.Errorf("%s: plan %+v, %s", name, r.Plan, r.Predicted)
	}
}

// apiCall is the beginning of a call of kubectl or oc, in a script or alone.
var apiCall = regexp.MustCompile(`(?:^|[ (;|])(?:kubectl|oc) (?:--?[a-z]+=?|[a-z]+)`)

// tied are the ties that a runbook is written with.
func (in *Input) tied() *ties.Ties {
	if in.Ties == nil {
		return &ties.Ties{}
	}
	return in.Ties
}

// TestOntoParses: a shell takes every command, with whatever names.
func TestOntoParses(t *testing.T) {
	seen := map[string]bool{}
	ontoSituations(t, func(t *testing.T, name string, in *Input, r *Runbook) {
		each(r, func(s *Step, c *Command) {
			if seen[c.Run] {
				return
			}
			seen[c.Run] = true
			if out, err := exec.Command("sh", "-n", "-c", c.Run).CombinedOutput(); err != nil {
				t.Errorf("%s, step %s: %v: %s\n%s", name, s.ID, err, out, c.Run)
			}
		})
	})
	if len(seen) < 100 {
		t.Errorf("only %d commands", len(seen))
	}
}

// TestOntoProof: an API server that answers ends the first step with an error, and so
// does a curl that is not there.
func TestOntoProof(t *testing.T) {
	line := step(t, build(t, ontoInput()), "prove-down").Commands[0].Run
	if !strings.Contains(line, "for at in 10.0.0.1 [fd00::1]; do") {
		t.Errorf("addresses: %s", line)
	}
	for _, tt := range []struct {
		curl string
		ok   bool
	}{{"exit 7", true}, {"exit 28", true}, {"exit 0", false}, {"", false}} {
		path := "PATH=" + stubDir(t, "curl", tt.curl)
		cmd := exec.Command("/bin/sh", "-c", line)
		cmd.Env = []string{path}
		if out, err := cmd.CombinedOutput(); (err == nil) != tt.ok {
			t.Errorf("curl that does %q: %v: %s", tt.curl, err, out)
		}
	}
}

// TestOntoRefuses: what a runbook cannot be written for.
func TestOntoRefuses(t *testing.T) {
	for _, plan := range []restore.Plan{{KeepAPIServers: true}, {RestartKubelets: restore.Restart{All: true}}, {BumpRevision: 1}} {
		in := ontoInput()
		in.Plan = &plan
		if r, err := New(in); err == nil {
			t.Errorf("%+v: %v", plan, ids(r))
		}
	}
}

// TestOntoManyNodes: what a step leaves out is counted, and a command lists it.
func TestOntoManyNodes(t *testing.T) {
	in := ontoInput()
	var names []string
	for i := range listed + 15 {
		names = append(names, fmt.Sprintf("worker-%03d", i))
	}
	in.Current, in.Backup.State.Nodes, in.Ties = nil, nodes(names...), tied(names...)
	r := build(t, in)
	const rest = "15 more old machines: revenant predict backup.db --onto=new-machines lists them."
	if s := step(t, r, "prove-down"); !slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, rest) }) {
		t.Errorf("%q", s.Warnings)
	}
	if s := step(t, r, "clean-up"); !slices.ContainsFunc(s.Warnings, func(w string) bool {
		return strings.Contains(w, "And 15 more (job-runs-again): revenant predict backup.db")
	}) {
		t.Errorf("%q", s.Warnings)
	}
}

// stubDir is a directory with a program that does what the text says; with no program
// where it says nothing.
func stubDir(t *testing.T, program, text string) string {
	t.Helper()
	dir := t.TempDir()
	if text == "" {
		return dir
	}
	if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOntoBringsAlong: what the backup tells of what it does not have is asked for.
func TestOntoBringsAlong(t *testing.T) {
	in := ontoInput()
	in.Backup.Facts.Encryption = []atrest.Values{{Provider: "aescbc", Version: "v1", Name: "key1", Resource: "secrets", Count: 7}}
	in.Backup.Facts.Alarms = []snapshot.Alarm{{Member: "cp-1", Kind: "NOSPACE"}}
	for _, platform := range Platforms() {
		in.Platform = platform
		r := build(t, in)
		s := step(t, r, "bring-along")
		for _, want := range []string{"key1", "7 values", "10.96.0.0/12", "--service-account-issuer"} {
			if !slices.ContainsFunc(s.Checks, func(c string) bool { return strings.Contains(c, want) }) {
				t.Errorf("%s: nothing is said of %s: %q", platform, want, s.Checks)
			}
		}
		order := ids(r)
		if a, b := slices.Index(order, "start-etcd"), slices.Index(order, "disarm"); b != a+1 {
			t.Errorf("%s: alarms: %v", platform, order)
		}
		if p := r.Summary.PointOfNoReturn; p == nil || r.Steps[p.Number-1].ID != p.Step || len(r.Summary.Costs) == 0 || len(r.Summary.Risks) < 2 {
			t.Errorf("%s: %+v", platform, r.Summary)
		}
	}
}

// TestOntoFindings: what goes back in time, and is critical on any machine, has its step on
// others, and no command of it is for the old API servers, which are down.
func TestOntoFindings(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Onto, in.Comparison, in.Platform, in.Ties, in.Rollback = restore.NewMachines, nil, Kubeadm, tied("x"), everyFinding()
	r := build(t, in)
	covered := map[string]bool{}
	for _, s := range r.Steps {
		for _, id := range s.Findings {
			covered[id] = len(s.Commands)+len(s.Checks) > 0
		}
	}
	for i := range in.Rollback.Findings {
		f := &in.Rollback.Findings[i]
		if want := f.Severity == finding.Critical && f.ID != rollback.MasterFormer && !slices.Contains(ofMachines, f.ID); covered[string(f.ID)] != want {
			t.Errorf("%s has a step: %v, want %v", f.ID, !want, want)
		}
	}
	for _, c := range step(t, r, "bring-along").Commands {
		if strings.Contains(c.Run, "kubectl") {
			t.Errorf("asks the old API servers: %s", c.Run)
		}
	}
	if !strings.Contains(strings.Join(commands(step(t, r, "start-api")), "\n"), `kubectl --kubeconfig=NEW_KUBECONFIG --server="https://$ip:6443" get --raw=/readyz`) {
		t.Error("not every API server is asked whether it is ready")
	}
}
