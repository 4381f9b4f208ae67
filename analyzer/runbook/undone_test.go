package runbook

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/analyzer/atrest"
	"revenant/analyzer/finding"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/analyzer/watchers"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// lacking are the critical findings of which no step with something to type is about.
func lacking(in *Input, p *restore.Prediction, r *Runbook) (list []string) {
	covered := map[string]bool{}
	for _, s := range r.Steps {
		for _, id := range s.Findings {
			covered[id] = covered[id] || len(s.Commands) > 0
		}
	}
	need := func(when bool, id string) {
		if when && !covered[id] && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	if in.Rollback != nil {
		for i := range in.Rollback.Findings {
			f := &in.Rollback.Findings[i]
			need(f.Severity == finding.Critical, string(f.ID))
		}
	}
	if p != nil {
		for i := range p.Pods {
			need(p.Pods[i].Severity == restore.Critical, string(p.Pods[i].Outcome))
		}
		for i := range p.Workloads {
			need(p.Workloads[i].Severity == restore.Critical, coversWorkload)
		}
		for i := range p.Nodes {
			need(p.Nodes[i].Capacity != nil && p.Nodes[i].Capacity.Refuses != "", coversRefusal)
		}
	}
	need(len(in.Backup.Facts.Alarms) > 0, coversAlarm)
	need(len(in.Backup.Facts.Encryption) > 0, coversKeys)
	return list
}

// TestNothingOnlyPredicted holds, over every real run, plan and a platform of each sort,
// that what is critical in the prediction has its step in the runbook.
func TestNothingOnlyPredicted(t *testing.T) {
	runs, err := filepath.Glob("../../testdata/clusters/*/*/backup.db.gz")
	if err != nil || len(runs) < 20 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	critical := 0
	for _, run := range runs {
		in := realPair(t, strings.TrimSuffix(strings.TrimPrefix(run, "../../testdata/clusters/"), "/backup.db.gz"))
		for what, plan := range plans {
			if plan != nil && (len(plan.RestartAPIServers) > 0 || len(plan.RestartKubelets.Nodes) > 0) {
				continue // of nodes and API servers that these do not have
			}
			for _, platform := range []Platform{Kubeadm, OpenShift, Kops, Talos, Generic} {
				in.Platform, in.Plan = platform, plan
				r := build(t, in)
				p, err := in.Comparison.Predict(r.Plan)
				if err != nil {
					t.Fatal(err)
				}
				if list := lacking(&in, p, r); len(list) > 0 {
					t.Errorf("%s, plan %s, %s: no step for %q", run, what, platform, list)
				}
				critical += len(p.Pods)
			}
		}
	}
	if critical == 0 {
		t.Error("nothing was held against anything")
	}
}

// realPair is what a runbook of a real run is written from.
func realPair(t *testing.T, name string) Input {
	t.Helper()
	var sides []Side
	var stores []*snapshot.Snapshot
	for _, side := range []string{"backup", "current"} {
		path := "../../testdata/clusters/" + name + "/" + side + ".db.gz"
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		s := snapshottest.Open(t, path)
		state, err := restore.Load(t.Context(), s, kube.DefaultPrefix)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := Look(t.Context(), s, kube.DefaultPrefix)
		if err != nil {
			t.Fatal(err)
		}
		sides, stores = append(sides, Side{name + "/" + side, state, facts}), append(stores, s)
	}
	in := Input{Backup: sides[0], Current: &sides[1], Comparison: restore.Compare(sides[0].State, sides[1].State)}
	var err error
	if in.Rollback, err = rollback.Compare(t.Context(), stores[0], stores[1], rollback.Options{Prefix: kube.DefaultPrefix}); err != nil {
		t.Fatal(err)
	}
	if in.FormerMasters, err = rollback.FormerMasters(t.Context(), stores[0], stores[1], kube.DefaultPrefix); err != nil {
		t.Fatal(err)
	}
	in.Watchers = in.Rollback.Watchers
	return in
}

// everyFinding has two findings of every id, all critical, one of them with a hostile name.
func everyFinding() *rollback.Rollback {
	r := &rollback.Rollback{Summary: map[rollback.ID]int{}, Watchers: everyWatcher()}
	for _, info := range rollback.Infos {
		kind, namespace, name := "secrets", "shop", "it's"
		switch info.ID {
		case rollback.WebhookUnbacked:
			kind, namespace = "validatingwebhookconfigurations.admissionregistration.k8s.io", ""
		case rollback.VolumeResurrected, rollback.VolumeDeletedAgain, rollback.VolumeAttached:
			kind, namespace = "persistentvolumes", ""
		case rollback.IPAM:
			kind, namespace, name = "Calico: addresses", "", ""
		}
		f := rollback.Finding{
			ID: info.ID, Severity: finding.Critical, Certainty: info.Certainty, Kind: kind, Namespace: namespace, Name: name,
			Reason: "it is so", Inferred: info.Inferred, Action: info.Remedy, Evidence: []finding.Ref{{Snapshot: finding.InBackup, Key: "k", Revision: 1}},
		}
		hostile := f
		hostile.Name = "a\nb"
		r.Findings = append(r.Findings, f, hostile)
		r.Summary[info.ID] = 2
	}
	return r
}

// everyWatcher has a watcher of every kind, and one with a hostile name.
func everyWatcher() *watchers.List {
	proxy := &watchers.Known{ID: "kube-proxy", Title: "kube-proxy", Class: watchers.Proxy, Stale: "It is stale."}
	both := []finding.In{finding.InBackup, finding.InCurrent}
	at := func(kind watchers.Kind, name string, known *watchers.Known) watchers.Watcher {
		w := watchers.Watcher{Kind: kind, Namespace: "kube-system", Name: name, Image: "x", Known: known, Class: watchers.Other, Basis: watchers.ByRBAC, Watches: []string{"pods"}, Pods: 2, Nodes: []string{"node-1", "node-3"}, In: both}
		if known != nil {
			w.Class, w.Basis = known.Class, watchers.ByImage
		}
		return w
	}
	list := []watchers.Watcher{
		at(watchers.DaemonSet, "kube-proxy", proxy), at(watchers.StaticPod, "kube-proxy", proxy), at(watchers.StaticPod, "other", nil),
		at(watchers.Deployment, "operator", nil), at(watchers.StatefulSet, "it's", nil), at(watchers.Bare, "bare", nil), at(watchers.DaemonSet, "a\nb", nil),
		at(watchers.DaemonSet, "on-delete", nil), at(watchers.DaemonSet, "on-delete-too", nil), at(watchers.Deployment, "gone", nil),
	}
	list[7].ByDeletion, list[7].Selector = true, "app=on delete"
	list[8].ByDeletion = true
	list[9].In = []finding.In{finding.InCurrent}
	return &watchers.List{Watchers: list, NotSeen: []string{"Something else."}}
}

// TestEveryFinding makes every finding critical, on every platform, under every plan.
func TestEveryFinding(t *testing.T) {
	parsed := map[string]bool{}
	var all strings.Builder
	situations(t, func(t *testing.T, name string, in *Input, _ *Runbook) {
		if in.Current == nil {
			return
		}
		in.Rollback, in.Watchers = everyFinding(), everyWatcher()
		in.FormerMasters = []rollback.FormerMaster{{Key: "/registry/masterleases/10.0.0.9", Address: "10.0.0.9"}}
		in.Backup.Facts.Alarms = []snapshot.Alarm{{Member: "1", Kind: "NOSPACE"}, {Member: "1", Kind: "CORRUPT"}}
		in.Backup.Facts.Encryption = []atrest.Values{{Provider: "aescbc", Version: "v1", Name: "key1", Resource: "secrets", Count: 3, Fit: atrest.NotGiven}}
		r := build(t, *in)
		p, err := in.Comparison.Predict(r.Plan)
		if err != nil {
			t.Fatal(err)
		}
		if list := lacking(in, p, r); len(list) > 0 {
			t.Errorf("%s: no step for %q", name, list)
		}
		lintPrograms(t, name, in, r)
		lintMoves(t, name, r)
		lintEvidence(t, name, in, r)
		lintSteps(t, name, r)
		each(r, func(s *Step, c *Command) {
			if strings.Contains(c.Run, "a\nb") {
				t.Errorf("%s, step %s: %q", name, s.ID, c.Run)
			}
			if !parsed[c.Run] {
				parsed[c.Run] = true
				all.WriteString(c.Run + "\n")
			}
		})
	})
	shell := exec.Command("sh", "-n")
	shell.Stdin = strings.NewReader(all.String())
	if out, err := shell.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDangers holds that the summary names what is critical.
func TestDangers(t *testing.T) {
	for _, tt := range []struct {
		name string
		with func(in *Input)
		want string // among the risks; "" for none of these
	}{
		{"nothing", func(*Input) {}, ""},
		{"an alarm", func(in *Input) { in.Backup.Facts.Alarms = []snapshot.Alarm{{Member: "1", Kind: "NOSPACE"}} }, "refuses writes"},
		{"a key that is not known", func(in *Input) { in.Backup.Facts.Encryption = []atrest.Values{{Count: 3, Fit: atrest.NotGiven}} }, "3 values encrypted at rest"},
		{"a key that does not fit", func(in *Input) {
			in.Backup.Facts.Encryption = []atrest.Values{{Count: 3, Fit: atrest.Fits}, {Count: 1, Fit: atrest.NoKey}}
		}, "does not fit 1 value "},
		{"a finding", func(in *Input) {
			in.Rollback = &rollback.Rollback{Findings: []rollback.Finding{{ID: rollback.TokenRevived, Severity: finding.Critical, Kind: "secrets", Name: "a"}, {ID: rollback.TokenLost, Severity: finding.Warning}}}
		}, "You have to act on these: token valid again (1)."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := input(nil, nil, nodes("node-1"), nodes("node-1"))
			tt.with(&in)
			risks := strings.Join(build(t, in).Summary.Risks, "\n")
			if tt.want != "" && !strings.Contains(risks, tt.want) || tt.want == "" && strings.Contains(risks, "backup") {
				t.Errorf("%q: %s", tt.want, risks)
			}
		})
	}
}

// TestStages holds when each finding is acted on: what is lost with the restore before
// it, what controllers act on before they start, and what recovers by itself after.
func TestStages(t *testing.T) {
	in := input(pods("node-1", "web", []string{"a"}), pods("node-1", "web", []string{"a"}), nodes("node-1"), nodes("node-1"))
	in.Platform, in.Rollback, in.Watchers = Kubeadm, everyFinding(), everyWatcher()
	r := build(t, in)
	order := ids(r)
	for _, tt := range []struct {
		id            rollback.ID
		after, before string
		want          string // in a command
	}{
		{rollback.EncryptionKey, "take-stock", "stop", "revenant inspect"},
		{rollback.BootstrapToken, "take-stock", "stop", "sha256sum"},
		{rollback.NamespaceLost, "take-stock", "stop", "kubectl api-resources"},
		{rollback.TokenRevived, "start-api", "start-controllers", "kubectl delete --namespace=shop secrets 'it'\\''s' --ignore-not-found"},
		{rollback.WebhookUnbacked, "start-api", "start-controllers", "kubectl delete validatingwebhookconfigurations"},
		{rollback.VolumeResurrected, "start-api", "start-controllers", `"persistentVolumeReclaimPolicy":"Retain"`},
		{rollback.EndpointDead, "start-controllers", "", "kubectl get --namespace=shop endpointslices"},
	} {
		found := false
		for i, s := range r.Steps {
			if !slices.Contains(s.Findings, string(tt.id)) {
				continue
			}
			found = true
			if i <= slices.Index(order, tt.after) || tt.before != "" && i >= slices.Index(order, tt.before) {
				t.Errorf("%s: step %s is not between %s and %s: %q", tt.id, s.ID, tt.after, tt.before, order)
			}
			if !slices.ContainsFunc(commands(&s), func(c string) bool { return strings.Contains(c, tt.want) }) {
				t.Errorf("%s: step %s does not type %q:\n%s", tt.id, s.ID, tt.want, strings.Join(commands(&s), "\n"))
			}
		}
		if !found {
			t.Errorf("%s: no step is about it", tt.id)
		}
	}
}

// TestRestartWatchers holds when what else watches is restarted, in which order and how.
func TestRestartWatchers(t *testing.T) {
	in := input(pods("node-1", "web", []string{"a"}), pods("node-1", "web", []string{"a", "b"}), nodes("node-1"), nodes("node-1"))
	in.Platform, in.Watchers = Kubeadm, everyWatcher()
	for what, plan := range plans {
		t.Run(what, func(t *testing.T) {
			if plan != nil && len(plan.RestartAPIServers) > 0 {
				t.Skip("there are no such API servers")
			}
			in := in
			in.Plan = plan
			r := build(t, in)
			at := slices.Index(ids(r), "restart-watchers")
			if enough := r.Bump.Verdict == restore.BumpEnough; enough != (at < 0) || enough != r.Watchers.ListAnew {
				t.Fatalf("bump %s: steps %q, all relist: %v", r.Bump.Verdict, ids(r), r.Watchers.ListAnew)
			}
			if at < 0 {
				if why := step(t, r, "verify").Why; !strings.Contains(why, "410") || !strings.Contains(why, "DaemonSet kube-system/kube-proxy") || strings.Contains(why, "gone") {
					t.Errorf("what relists by itself is not named: %s", why)
				}
				return
			}
			for _, before := range []string{"restart-kubelets", "start-controllers", "start-api"} {
				if slices.Index(ids(r), before) > at {
					t.Errorf("it comes before %s: %q", before, ids(r))
				}
			}
			s := step(t, r, "restart-watchers")
			want := []string{
				"kubectl rollout restart --namespace=kube-system daemonset/kube-proxy",
				"kubectl rollout status --namespace=kube-system daemonset/kube-proxy --timeout=3600s",
				"sudo sh -c 'pkill -x kube-proxy || [ $? -eq 1 ]'", "sudo sh -c 'pkill -x kube-proxy || [ $? -eq 1 ]'",
				"kubectl rollout restart --namespace=kube-system deployment/operator",
				`kubectl rollout restart --namespace=kube-system 'statefulset/it'\''s'`,
				"( pods=$(kubectl get pods --namespace=kube-system '--selector=app=on delete' --output=name) || exit\n  for pod in $pods; do kubectl delete --namespace=kube-system \"$pod\" || exit; done )",
			}
			if got := commands(s); !slices.Equal(want, got) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if all := strings.Join(s.Warnings, " "); !strings.Contains(all, "StaticPod kube-system/other") || !strings.Contains(all, "Pod kube-system/bare") || !strings.Contains(all, "on-delete-too") {
				t.Errorf("warnings %q", s.Warnings)
			}
		})
	}
}

// TestKeys holds what is said before anything is stopped of the keys that the backup needs.
func TestKeys(t *testing.T) {
	const config = "--encryption-config=keys.yaml"
	for _, tt := range []struct {
		fit   atrest.Fit
		flags []string
		run   string // a command
		say   string // among checks and warnings; "" for nothing
	}{
		{atrest.NotGiven, nil, "revenant inspect /evidence/backup.db --encryption-config=encryption.yaml", "no --encryption-config was given"},
		{atrest.NotGiven, nil, "( pid=$(pgrep -x -o kube-apiserver) && sudo cat \"/proc/$pid/cmdline\" | tr '\\0' '\\n' | grep '^--encryption-provider-config' )", `aescbc v1 key "key1" (3 values, of secrets)`},
		{atrest.Fits, []string{config}, "revenant inspect /evidence/backup.db " + config, ""},
		{atrest.NoKey, []string{config}, "revenant inspect /evidence/backup.db " + config, "Stop nothing before"},
		{atrest.WrongKey, []string{config}, "revenant inspect /evidence/backup.db " + config, "does not decrypt"},
		{atrest.Damaged, []string{config}, "revenant inspect /evidence/backup.db " + config, "are damaged"},
		{atrest.Plugin, []string{config}, "revenant inspect /evidence/backup.db " + config, "KMS plug-in answers"},
	} {
		t.Run(fmt.Sprint(tt.fit, tt.flags), func(t *testing.T) {
			in := input(nil, nil, nodes("node-1"), nodes("node-1"))
			in.Platform, in.Flags = Kubeadm, tt.flags
			in.Backup.Path = "/evidence/backup.db"
			in.Backup.Facts.Encryption = []atrest.Values{{Provider: "aescbc", Version: "v1", Name: "key1", Resource: "secrets", Count: 3, Fit: tt.fit}}
			s := step(t, build(t, in), "take-stock")
			if !slices.Contains(commands(s), tt.run) {
				t.Errorf("%q is not typed:\n%s", tt.run, strings.Join(commands(s), "\n"))
			}
			said := strings.Join(append(slices.Clone(s.Checks), s.Warnings...), " ")
			if tt.say != "" && !strings.Contains(said, tt.say) || tt.say == "" && strings.Contains(said, "key1") {
				t.Errorf("%q: %s", tt.say, said)
			}
		})
	}
}

// TestAlarms holds the order: space is won, looked at, and only then is NOSPACE disarmed,
// before an API server writes.
func TestAlarms(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Platform = Kubeadm
	in.Backup.Facts.Members = []snapshot.Member{{Name: "cp-1", PeerURLs: []string{"http://10.0.0.1:2380"}, ClientURLs: []string{"http://10.0.0.1:2379"}}}
	verbs := func(r *Runbook) (list []string) {
		for _, c := range step(t, r, "disarm").Commands {
			_, verb, _ := strings.Cut(c.Run, "http://10.0.0.1:2379 ")
			list = append(list, verb)
		}
		return list
	}
	for _, tt := range []struct {
		name  string
		plan  *restore.Plan
		kinds []string
		want  []string
	}{
		{"a bump has compacted", nil, []string{"NOSPACE"}, []string{"alarm list", "defrag --command-timeout=10m", "endpoint status --write-out=table", "alarm disarm", "alarm list"}},
		{"no bump", &restore.Plan{}, []string{"NOSPACE"}, []string{"alarm list", "compact --physical 100", "defrag --command-timeout=10m", "endpoint status --write-out=table", "alarm disarm", "alarm list"}},
		{"corrupt", nil, []string{"CORRUPT"}, []string{"alarm list", "endpoint hashkv --write-out=table", "alarm disarm", "alarm list"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := in
			in.Plan = tt.plan
			in.Backup.Facts.Alarms = nil
			for _, kind := range tt.kinds {
				in.Backup.Facts.Alarms = append(in.Backup.Facts.Alarms, snapshot.Alarm{Member: "1234", Kind: kind})
			}
			r := build(t, in)
			if got := verbs(r); !slices.Equal(tt.want, got) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if at := slices.Index(ids(r), "disarm"); at < slices.Index(ids(r), "start-etcd") || at > slices.Index(ids(r), "start-api") {
				t.Errorf("steps %q", ids(r))
			}
		})
	}
}

// TestEachReady holds that every API server is asked by its own address, or on its own node
// where nothing else reaches it.
func TestEachReady(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.Platform = Kubeadm
	all := strings.Join(commands(step(t, build(t, in), "start-api")), "\n")
	if !strings.Contains(all, `kubectl --server="https://$ip:6443" get --raw=/readyz`) {
		t.Errorf("without a fence:\n%s", all)
	}
	in = input(pods("node-1", "old", []string{"x"}), nil, nodes("node-1"), nodes("node-1"))
	in.Platform = Kubeadm
	r := build(t, in)
	all = strings.Join(commands(step(t, r, "start-api")), "\n")
	if !slices.Contains(ids(r), "fence") || !strings.Contains(all, "https://127.0.0.1:6443/readyz") || strings.Contains(all, "$ip") {
		t.Errorf("behind the fence:\n%s", all)
	}
}
