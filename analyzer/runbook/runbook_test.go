package runbook

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
	"revenant/decoder/snapshot/snapshottest"
)

// hostile are names that want to be more than names.
var hostile = []string{
	"it's", "$(reboot)", "`reboot`", "a b", "-rf", "a;b", "a|b", `a\`, `"`, "~root", "*", "#a", "&", "é", "", "a\nb", "a\x1b[2Jb", "\xff", "a\u202eb",
}

// pods are n pods with names of their own, bound to a node and running.
func pods(node, prefix string, names []string) []*restore.Pod {
	var list []*restore.Pod
	for i, name := range names {
		list = append(list, &restore.Pod{
			Pod: kube.Pod{
				Namespace: name, Name: prefix + name, UID: fmt.Sprintf("%s-%s-%d", node, prefix, i),
				NodeName: node, Phase: "Running", RestartPolicy: "OnFailure", Grace: 30,
			},
			Key: fmt.Sprintf("/registry/pods/%s/%02d%s", prefix, i, name), CreateRevision: 10, ModRevision: 10,
		})
	}
	return list
}

func nodes(names ...string) []restore.Node {
	var list []restore.Node
	for _, name := range names {
		list = append(list, restore.Node{Name: name, UID: "uid-" + name, KubeletVersion: "v1.37.2"})
	}
	return list
}

// twin are two pods of the name on two nodes, one a snapshot.
func twin(name, was, now string) (backup, current *restore.Pod) {
	make := func(node string, revision int64) *restore.Pod {
		return &restore.Pod{
			Pod: kube.Pod{
				Namespace: "db", Name: name, UID: name + "@" + node,
				NodeName: node, Phase: "Running", RestartPolicy: "Always", Grace: 30,
			},
			Key: "/registry/pods/db/" + name, CreateRevision: revision, ModRevision: revision,
		}
	}
	return make(was, 20), make(now, 150)
}

// input is a pair of snapshots at revisions 100 and 200.
func input(backup, current []*restore.Pod, backupNodes, currentNodes []restore.Node) Input {
	b := &restore.State{Revision: 100, NewestRecord: 100, Pods: backup, Nodes: backupNodes}
	c := &restore.State{Revision: 200, NewestRecord: 200, SeenRevision: 200, Pods: current, Nodes: currentNodes}
	return Input{
		Backup:     Side{Path: "backup.db", State: b, Facts: Facts{EtcdVersion: "3.6"}},
		Current:    &Side{Path: "current.db", State: c},
		Comparison: restore.Compare(b, c),
	}
}

// hostileInput has hostile names everywhere.
func hostileInput() Input {
	created := pods("node-2", "new", hostile)
	for i := range created {
		created[i].CreateRevision, created[i].ModRevision = 150, 150
	}
	was, now := twin("db-0", "a b", "$(reboot)")
	in := input(
		append(pods("node-1", "old", hostile), was), append(created, now),
		nodes(slices.Concat(hostile, []string{"node-1"})...), nodes("node-1", "node-2", "a b", "$(reboot)", "it's new"),
	)
	in.Backup.Path, in.Current.Path = "-b it's.db", "a\x1b.db"
	in.Backup.Facts.Members = []snapshot.Member{
		{Name: "it's", PeerURLs: []string{"https://a;b:2380"}, ClientURLs: []string{"https://$(reboot):2379"}},
		{Name: "b", PeerURLs: []string{"https://b:2380", "https://`b`:2380"}},
	}
	in.Backup.Facts.NoTrailer = true
	in.Backup.Facts.Namespaces = hostile
	for _, name := range hostile {
		in.FormerMasters = append(in.FormerMasters, rollback.FormerMaster{Key: name, Address: name}, rollback.FormerMaster{Key: "/registry/masterleases/" + name})
	}
	return in
}

func build(t *testing.T, in Input) *Runbook {
	t.Helper()
	r, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step(t *testing.T, r *Runbook, id string) *Step {
	t.Helper()
	for i := range r.Steps {
		if r.Steps[i].ID == id {
			return &r.Steps[i]
		}
	}
	t.Fatalf("no step %s", id)
	return nil
}

func ids(r *Runbook) []string {
	var list []string
	for _, s := range r.Steps {
		list = append(list, s.ID)
	}
	return list
}

func commands(s *Step) []string {
	var list []string
	for _, c := range s.Commands {
		list = append(list, c.Run)
	}
	return list
}

// plans are the plans that runbooks are tried with.
var plans = map[string]*restore.Plan{
	"recommended":       nil,
	"plain":             {},
	"restarted":         {RestartKubelets: restore.Restart{All: true}},
	"bump too small":    {BumpRevision: 7, MarkCompacted: true},
	"bump unsure":       {BumpRevision: 101, MarkCompacted: true},
	"API servers kept":  {KeepAPIServers: true},
	"some API servers":  {KeepAPIServers: true, RestartAPIServers: []string{"a b", "-x"}},
	"bump, API kept":    {BumpRevision: 1 << 40, MarkCompacted: true, KeepAPIServers: true},
	"bump and restarts": {BumpRevision: 1 << 40, MarkCompacted: true, RestartKubelets: restore.Restart{Nodes: []string{"node-1"}}},
}

// TestCommandsParse wants every command of every runbook to be one that a shell
// reads, and every name in it to be a word or part of one.
func TestCommandsParse(t *testing.T) {
	alone := hostileInput()
	alone.Current, alone.Comparison = nil, nil
	for what, in := range map[string]Input{"pair": hostileInput(), "backup alone": alone} {
		for name, plan := range plans {
			for _, platform := range Platforms() {
				for _, etcd := range append(EtcdVersions(), "") {
					in.Plan, in.Platform, in.EtcdVersion = plan, platform, etcd
					if what == "backup alone" && plan != nil && len(plan.RestartKubelets.Nodes) > 0 {
						continue
					}
					r := build(t, in)
					for _, s := range r.Steps {
						for _, c := range s.Commands {
							checkCommand(t, fmt.Sprintf("%s, %s, %s, step %s", what, name, platform, s.ID), c)
						}
					}
				}
			}
		}
	}
}

func checkCommand(t *testing.T, where string, c Command) {
	t.Helper()
	list, err := split(c.Run)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	if c.Where == "" {
		t.Errorf("%s: %q does not say where", where, c.Run)
	}
	if i := slices.Index(list, "delete"); list[0] == "kubectl" && i > 0 && (list[i+1] == "pod" || list[i+1] == "node") {
		for _, w := range list[i+2:] {
			name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(w, "--namespace="), "old"), "new")
			if !strings.HasPrefix(w, "--") && !slices.Contains(hostile, name) {
				t.Errorf("%s: %q deletes %q, which is no name", where, c.Run, w)
			}
		}
	}
	bare := quoted.ReplaceAllString(c.Run, "")
	for _, name := range []string{"$(reboot)", "`", "a b", "a;b", "a|b", "~root", "#a", "\x1b", "\u202e"} {
		if strings.Contains(bare, name) {
			t.Errorf("%s: %q has %q outside of quotes", where, c.Run, name)
		}
	}
}

// quoted is what a shell takes as it is.
var quoted = regexp.MustCompile(`'[^']*'|\\'`)

// TestShell wants a real shell to read the commands, too.
func TestShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, platform := range Platforms() {
		in := hostileInput()
		in.Platform = platform
		var script strings.Builder
		for _, s := range build(t, in).Steps {
			for _, c := range s.Commands {
				script.WriteString(c.Run + "\n")
			}
		}
		if out, err := exec.Command(sh, "-n", "-c", script.String()).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", platform, err, out, script.String())
		}
	}
}

// TestDeterministic wants the same runbook from the same input.
func TestDeterministic(t *testing.T) {
	first, err := json.Marshal(build(t, hostileInput()))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		again, err := json.Marshal(build(t, hostileInput()))
		if err != nil {
			t.Fatal(err)
		}
		if string(first) != string(again) {
			t.Fatalf("differs:\n%s\n%s", first, again)
		}
	}
}

func TestSteps(t *testing.T) {
	byHand := []string{"bring-files", "take-stock", "freeze", "stop", "fence", "restore", "start-etcd", "start-api", "clean-up", "let-in", "start-controllers", "restart-kubelets", "verify", "repair"}
	tests := []struct {
		name     string
		platform Platform
		plan     *restore.Plan
		alone    bool
		want     []string
	}{
		{name: "generic", want: byHand},
		{name: "kubeadm", platform: Kubeadm, want: byHand},
		{name: "k3s", platform: K3s, want: []string{"bring-files", "take-stock", "freeze", "stop", "fence", "restore", "start-etcd", "clean-up", "let-in", "restart-kubelets", "verify", "repair"}},
		{name: "kops", platform: Kops, want: []string{"take-stock", "freeze", "restore", "start-etcd", "start-api", "clean-up", "restart-kubelets", "verify", "repair"}},
		{
			name: "without a bump kubelets come before controllers", plan: &restore.Plan{RestartKubelets: restore.Restart{All: true}},
			want: []string{"bring-files", "take-stock", "freeze", "stop", "restore", "start-etcd", "start-api", "clean-up", "restart-kubelets", "start-controllers", "verify", "repair"},
		},
		{
			name: "backup alone", alone: true,
			want: []string{"bring-files", "take-stock", "freeze", "stop", "restore", "start-etcd", "start-api", "clean-up", "start-controllers", "restart-kubelets", "verify", "repair"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			was, now := twin("db-0", "node-1", "node-3")
			in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1"), nodes("node-1", "node-3"))
			in.Backup.State.Pods = append(in.Backup.State.Pods, pods("node-1", "old", []string{"x"})...)
			in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
			in.Platform, in.Plan = tt.platform, tt.plan
			if tt.alone {
				in.Current, in.Comparison = nil, nil
			}
			if diff := cmp.Diff(tt.want, ids(build(t, in))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCordons: what was cordoned or uncordoned by hand is so again before the scheduler
// starts.
func TestCordons(t *testing.T) {
	before, after := nodes("node-1", "node-2"), nodes("node-1", "node-2", "node-3")
	before[0].Cordoned, after[1].Cordoned, after[2].Cordoned = true, true, true
	r := build(t, input(nil, nil, before, after))
	s := step(t, r, "cordon")
	if diff := cmp.Diff([]string{"kubectl cordon node-2 node-3", "kubectl uncordon node-1"}, commands(s)); diff != "" {
		t.Error(diff)
	}
	if len(s.Warnings) != 1 {
		t.Errorf("warnings %q", s.Warnings)
	}
	if slices.Index(ids(r), "cordon") > slices.Index(ids(r), "start-controllers") {
		t.Errorf("steps %v", ids(r))
	}
}

func TestBump(t *testing.T) {
	tests := []struct {
		name     string
		alone    bool
		platform Platform
		plan     *restore.Plan
		last     int64
		want     Bump // Reason aside
	}{
		{name: "from the gap", want: Bump{Revision: 1_000_150, Base: 100, Restored: 1_000_250, Minimum: 101, IsLowerBound: true, Verdict: restore.BumpEnough}},
		{name: "from the gap, far more was served", last: 10_000_100, want: Bump{Revision: 16_000_000, Base: 100, Restored: 16_000_100, Minimum: 10_000_001, Verdict: restore.BumpEnough}},
		{name: "from the gap, less was served than is known", last: 150, want: Bump{Revision: 1_000_150, Base: 100, Restored: 1_000_250, Minimum: 101, Verdict: restore.BumpEnough}},
		{name: "backup alone", alone: true, want: Bump{Revision: 1_000_000_000, Base: 100, Restored: 1_000_000_100, IsLowerBound: true, Verdict: restore.BumpUnsure}},
		{name: "backup alone, much was served", alone: true, last: 4_000_000_100, want: Bump{Revision: 6_001_000_000, Base: 100, Restored: 6_001_000_100, Minimum: 4_000_000_001, Verdict: restore.BumpEnough}},
		{name: "given, too small", plan: &restore.Plan{BumpRevision: 50, MarkCompacted: true}, want: Bump{Revision: 50, Base: 100, Restored: 150, Minimum: 101, IsLowerBound: true, Verdict: restore.BumpSmall}},
		{name: "given, enough for the pair and too small for what was served", last: 1_000_000, plan: &restore.Plan{BumpRevision: 5000, MarkCompacted: true}, want: Bump{Revision: 5000, Base: 100, Restored: 5100, Minimum: 999_901, Verdict: restore.BumpSmall}},
		{name: "given, unsure", plan: &restore.Plan{BumpRevision: 110, MarkCompacted: true}, want: Bump{Revision: 110, Base: 100, Restored: 210, Minimum: 101, IsLowerBound: true, Verdict: restore.BumpUnsure}},
		{name: "given, API servers kept", plan: &restore.Plan{BumpRevision: 101, MarkCompacted: true, KeepAPIServers: true}, want: Bump{Revision: 101, Base: 100, Restored: 201, Minimum: 102, IsLowerBound: true, Verdict: restore.BumpSmall}},
		{name: "a platform that cannot bump", platform: Gardener, want: Bump{Base: 100, Restored: 100, Minimum: 101, IsLowerBound: true, Verdict: restore.NoBump}},
		{name: "a platform that counts from the start", platform: Kops, want: Bump{Base: 100, Minimum: 101, IsLowerBound: true, Verdict: restore.NoBump}},
		{name: "given, and the platform cannot bump", platform: Gardener, plan: &restore.Plan{BumpRevision: 5000, MarkCompacted: true}, want: Bump{Base: 100, Restored: 100, Minimum: 101, IsLowerBound: true, Verdict: restore.NoBump}},
		{name: "given, and the platform counts from the start", platform: Kops, plan: &restore.Plan{BumpRevision: 5000, MarkCompacted: true}, want: Bump{Base: 100, Minimum: 101, IsLowerBound: true, Verdict: restore.NoBump}},
		{name: "given for a backup alone, and the platform counts from the start", alone: true, platform: Kops, last: 150, plan: &restore.Plan{BumpRevision: 5000, MarkCompacted: true}, want: Bump{Base: 100, Minimum: 51, Verdict: restore.NoBump}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(nil, nil, nodes("node-1"), nodes("node-1"))
			in.Platform, in.Plan, in.LastRevision = tt.platform, tt.plan, tt.last
			if tt.alone {
				in.Current, in.Comparison = nil, nil
			}
			r := build(t, in)
			if r.Bump.Reason == "" {
				t.Error("no reason")
			}
			got := r.Bump
			got.Reason = ""
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			small := tt.want.Verdict == restore.BumpSmall
			if warned := slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, "too small") }); warned != small {
				t.Errorf("warned of the bump: %v, want %v: %q", warned, small, r.Warnings)
			}
			refused := tt.plan != nil && tt.plan.BumpRevision > 0 && tt.want.Revision == 0
			if warned := slices.ContainsFunc(r.Warnings, func(s string) bool { return strings.Contains(s, "cannot carry out") }); warned != refused || r.Plan.BumpRevision != tt.want.Revision {
				t.Errorf("warned that the bump cannot be carried out: %v, want %v; the plan is %+v", warned, refused, r.Plan)
			}
			enough := tt.want.Verdict == restore.BumpEnough
			if why := step(t, r, "restore").Why; strings.Contains(why, "above everything") != enough {
				t.Errorf("the bump is %s, and the step says: %s", tt.want.Verdict, why)
			}
		})
	}
}

// TestKeptPrediction: what is kept for the comparison afterwards is predicted from
// the same evidence as the runbook.
func TestKeptPrediction(t *testing.T) {
	in := input(nil, nil, nodes("node-1"), nodes("node-1"))
	in.LastRevision = 5000
	runs := commands(step(t, build(t, in), "take-stock"))
	if last := runs[len(runs)-1]; !strings.HasPrefix(last, "revenant predict") || !strings.Contains(last, " --last-revision=5000 ") {
		t.Errorf("kept by %q", last)
	}
}

// TestSomeAPIServers: where a plan restarts only some API servers, the steps restart all,
// and say why.
func TestSomeAPIServers(t *testing.T) {
	in := hostileInput()
	in.Plan = &restore.Plan{}
	all := build(t, in)
	in.Plan = plans["some API servers"]
	r := build(t, in)
	if r.Plan.APIServers() != "all" || r.Predicted != all.Predicted || !slices.Equal(ids(r), ids(all)) {
		t.Errorf("restarts %s, steps %v: %s", r.Plan.APIServers(), ids(r), r.Predicted)
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "The plan restarts only some API servers (a b, -x).") }) {
		t.Errorf("warnings %q", r.Warnings)
	}
	if in.Plan.APIServers() != "-x,a b" && in.Plan.APIServers() != "a b,-x" {
		t.Errorf("the given plan became %s", in.Plan.APIServers())
	}
}

// TestNoBumpFits: where what was served is at the end of all revisions, every platform
// has a runbook, without a bump and with the kubelets restarted.
func TestNoBumpFits(t *testing.T) {
	for _, platform := range Platforms() {
		for _, alone := range []bool{false, true} {
			in := input(nil, nil, nil, nil)
			in.Platform, in.LastRevision = platform, math.MaxInt64-3
			if alone {
				in.Current, in.Comparison = nil, nil
			}
			r, err := New(in)
			if err != nil {
				t.Errorf("%s: %v", platform, err)
				continue
			}
			if r.Bump.Revision != 0 || r.Bump.Minimum != 0 || r.Plan.BumpRevision != 0 || !r.Plan.RestartKubelets.All || !strings.Contains(r.Bump.Reason, "No bump can be enough") {
				t.Errorf("%s: bump %+v under %+v", platform, r.Bump, r.Plan)
			}
			in.Plan = &restore.Plan{BumpRevision: 5, MarkCompacted: true}
			if r, err = New(in); err != nil {
				t.Errorf("%s: %v", platform, err)
			} else if warned := strings.Join(r.Warnings, " "); r.Plan.BumpRevision > 0 && !strings.Contains(warned, "No bump can be enough") || strings.Contains(warned, "At least") {
				t.Errorf("%s: warns %q", platform, warned)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	near := input(nil, nil, nil, nil)
	near.Backup.State.Revision, near.Backup.State.NewestRecord = math.MaxInt64-5, math.MaxInt64-5
	near.Current, near.Comparison = nil, nil
	planned := input(nil, nil, nil, nil)
	planned.Plan = &restore.Plan{BumpRevision: 5}
	for name, in := range map[string]Input{"no bump fits": near, "half a bump": planned} {
		var refused *restore.PlanError
		if _, err := New(in); !errors.As(err, &refused) {
			t.Errorf("%s: error %v, want a PlanError", name, err)
		}
	}
	unknown := input(nil, nil, nil, nil)
	unknown.Platform = "nomad"
	if _, err := New(unknown); err == nil {
		t.Error("an unknown platform was taken")
	}
}

func TestOrder(t *testing.T) {
	pair := func(now, was string) twins { return twins{pod{node: was}, pod{node: now}} }
	tests := []struct {
		name    string
		pairs   []twins
		missing []string
		want    []string
		left    int
	}{
		{name: "by name", want: []string{"a", "b", "c", "d"}},
		{name: "where it runs first", pairs: []twins{pair("c", "a"), pair("d", "c")}, want: []string{"b", "d", "c", "a"}},
		{name: "new nodes last", missing: []string{"a"}, want: []string{"b", "c", "d", "a"}},
		{name: "a new node before the one that waits for it", missing: []string{"c"}, pairs: []twins{pair("c", "a")}, want: []string{"b", "d", "c", "a"}},
		{name: "two that wait for each other", pairs: []twins{pair("a", "b"), pair("b", "a")}, want: []string{"c", "d", "a", "b"}, left: 1},
		{name: "one that is not restarted", pairs: []twins{pair("z", "a")}, want: []string{"a", "b", "c", "d"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := findings{pairs: tt.pairs, missing: tt.missing}
			got, left := f.order([]string{"d", "c", "b", "a"})
			if diff := cmp.Diff(tt.want, got); diff != "" || len(left) != tt.left {
				t.Errorf("%d left, want %d; (-want +got)\n%s", len(left), tt.left, diff)
			}
		})
	}
}

// TestCapped wants long lists cut, and what is left counted.
func TestCapped(t *testing.T) {
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("p%02d", i))
	}
	list := pods("node-1", "", names)
	for i := range list {
		list[i].Namespace = "jobs"
	}
	s := step(t, build(t, input(list, nil, nodes("node-1"), nodes("node-1"))), "clean-up")
	all := strings.Join(commands(s), "\n")
	if !strings.Contains(all, " p19") || strings.Contains(all, " p20") {
		t.Errorf("want 20 names in:\n%s", all)
	}
	if !slices.ContainsFunc(s.Warnings, func(w string) bool {
		return strings.HasPrefix(w, "And 30 more: revenant predict backup.db newest.db --bump-revision=")
	}) {
		t.Errorf("the rest is not counted: %q", s.Warnings)
	}
}

// TestUnwritable wants no command without its names.
func TestUnwritable(t *testing.T) {
	in := input(pods("node-1", "", []string{"a\nb"}), nil, nodes("node-1", "c\nd"), nodes("node-1"))
	s := step(t, build(t, in), "clean-up")
	for _, c := range commands(s) {
		if strings.Contains(c, "delete") {
			t.Errorf("deletes something: %q", c)
		}
	}
	if diff := cmp.Diff([]string{unwritten(1, "node"), unwritten(1, "pod")}, s.Warnings); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
}

// TestManyNodes wants the order of a long chain of nodes, each of which waits for
// the next.
func TestManyNodes(t *testing.T) {
	const n = 50_000
	names := make([]string, n)
	var f findings
	for i := range names {
		names[i] = fmt.Sprintf("node-%06d", i)
		if i > 0 {
			f.pairs = append(f.pairs, twins{pod{node: names[i-1]}, pod{node: names[i]}})
		}
	}
	got, left := f.order(names)
	slices.Reverse(names)
	if !slices.Equal(names, got) || len(left) > 0 {
		t.Errorf("%d pairs left, order begins with %s", len(left), got[0])
	}
}

// TestRealPair writes the runbook of the pair that has a pod of every class.
func TestRealPair(t *testing.T) {
	in := Input{Platform: Kubeadm}
	in.Backup = load(t, "rows/plain/backup")
	current := load(t, "rows/plain/current")
	in.Current = &current
	in.Comparison = restore.Compare(in.Backup.State, in.Current.State)
	r := build(t, in)
	has := func(id string, lines ...string) {
		t.Helper()
		s := step(t, r, id)
		for _, line := range lines {
			if !slices.Contains(commands(s), line) {
				t.Errorf("step %s lacks %q:\n%s", id, line, strings.Join(commands(s), "\n"))
			}
		}
	}
	const past = "kubectl --server=https://127.0.0.1:16443 --tls-server-name=kubernetes "
	has("clean-up",
		past+"delete node --ignore-not-found node-4",
		past+"delete pod --ignore-not-found --namespace=rows --wait=false p3-onfail-1 p3-onfail-2 p3-pend-never",
		past+"delete pod --ignore-not-found --namespace=gone --wait=false p3-gone-ns",
		past+"delete pod --ignore-not-found --namespace=rows --wait=false p3-never-1 p3-never-2",
		past+"delete pod --ignore-not-found --namespace=rows --wait=false p4d-long p4d-mid p4d-never",
	)
	forced := strings.Join(commands(step(t, r, "let-in")), "\n")
	for _, want := range []string{"gone rows dep4d-75d8ff478f-b27vm ", "gone rows p4d-fin "} {
		if !strings.Contains(forced, want) {
			t.Errorf("let-in lacks %q:\n%s", want, forced)
		}
	}
	has("restore", strings.Join([]string{
		"sudo revenant-restore/etcdutl snapshot restore revenant-restore/backup.db", "--data-dir=/var/lib/etcd/restored-1001655", "--name=lab", "--initial-cluster=lab=http://127.0.0.1:27001",
		"--initial-cluster-token=restored-1001655", "--initial-advertise-peer-urls=http://127.0.0.1:27001", "--bump-revision=1001258", "--mark-compacted",
	}, " \\\n    "))
	restarts := step(t, r, "restart-kubelets")
	if len(restarts.Commands) != 1 || restarts.Commands[0].Where != "node-5" {
		t.Errorf("want only the new node's kubelet restarted under the bump, got %v", restarts.Commands)
	}

	// Without the bump: where the phantom runs before where the backup has its
	// namesake. p2b-1 ran on node-2, p2b-2 on node-1, db-1 and one-0 on node-5.
	in.Plan = &restore.Plan{RestartKubelets: restore.Restart{All: true}}
	r = build(t, in)
	var order []string
	for _, c := range step(t, r, "restart-kubelets").Commands {
		if c.Run == "sudo systemctl restart kubelet" {
			order = append(order, c.Where)
		}
	}
	if diff := cmp.Diff([]string{"node-2", "node-1", "node-5", "node-3"}, order); diff != "" {
		t.Errorf("order of restarts (-want +got)\n%s", diff)
	}
}

// load reads one of the shared snapshots, named RUN/MODE/NAME.
func load(t *testing.T, name string) Side {
	t.Helper()
	s := snapshottest.Open(t, "../../testdata/clusters/"+name+".db.gz")
	state, err := restore.Load(t.Context(), s, kube.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := Look(t.Context(), s, kube.DefaultPrefix)
	if err != nil {
		t.Fatal(err)
	}
	return Side{name, state, facts}
}

func TestLook(t *testing.T) {
	f := load(t, "rows/plain/backup").Facts
	if f.EtcdVersion != "3.6" || f.NoTrailer || len(f.BumpMarkers) > 0 || f.Suggestion != nil {
		t.Errorf("etcd %s, no trailer %v, bump markers %v, suggestion %v", f.EtcdVersion, f.NoTrailer, f.BumpMarkers, f.Suggestion)
	}
	want := []snapshot.Member{{ID: "b2d7b835ca9f3eef", Name: "lab", PeerURLs: []string{"http://127.0.0.1:27001"}, ClientURLs: []string{"http://127.0.0.1:27000"}}}
	if diff := cmp.Diff(want, f.Members); diff != "" {
		t.Errorf("members (-want +got)\n%s", diff)
	}
	if !slices.Contains(f.Namespaces, "kube-system") || !slices.Contains(f.Namespaces, "gone") {
		t.Errorf("namespaces %v", f.Namespaces)
	}
}

func TestSuggestion(t *testing.T) {
	label := func(key, value string) kube.Node { return kube.Node{Labels: map[string]string{key: value}} }
	tests := []struct {
		name    string
		nodes   []kube.Node
		ns      []string
		kubeadm bool
		want    Platform // "" is none
	}{
		{name: "nothing"},
		{name: "kubeadm", kubeadm: true, want: Kubeadm},
		{name: "openshift", ns: []string{"default", "openshift-etcd"}, want: OpenShift},
		{name: "k3s by provider", nodes: []kube.Node{{ProviderID: "k3s://a"}}, want: K3s},
		{name: "rke2 by instance type", nodes: []kube.Node{label("node.kubernetes.io/instance-type", "rke2")}, want: RKE2},
		{name: "k0s by label", nodes: []kube.Node{label("node.k0sproject.io/role", "control-plane")}, want: K0s},
		{name: "k0s by kubelet", nodes: []kube.Node{{KubeletVersion: "v1.34.1+k0s"}}, want: K0s},
		{name: "kops", nodes: []kube.Node{label("kops.k8s.io/instancegroup", "nodes")}, want: Kops},
		{name: "talos", nodes: []kube.Node{label("extensions.talos.dev/i915", "1")}, want: Talos},
		{name: "gardener", nodes: []kube.Node{label("worker.gardener.cloud/pool", "p")}, want: Gardener},
		{name: "vcluster", nodes: []kube.Node{label("vcluster.loft.sh/fake-node", "true")}, want: VCluster},
		{name: "a platform that uses kubeadm", kubeadm: true, nodes: []kube.Node{label("kops.k8s.io/instancegroup", "nodes")}, want: Kops},
		{name: "two platforms", nodes: []kube.Node{label("kops.k8s.io/instancegroup", "nodes"), {ProviderID: "k3s://a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := marks{kubeadm: tt.kubeadm}
			for _, name := range tt.ns {
				m.namespace(name)
			}
			for i := range tt.nodes {
				m.node(&tt.nodes[i])
			}
			var got Platform
			if s := m.suggest(); s != nil {
				got = s.Platform
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestSuggestionIsNotUsed wants the steps of the platform that was asked for.
func TestSuggestionIsNotUsed(t *testing.T) {
	in := input(nil, nil, nil, nil)
	in.Backup.Facts.Suggestion = &Suggestion{K3s, "nodes say so"}
	r := build(t, in)
	if r.Platform.ID != Generic || !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "--platform=k3s") }) {
		t.Errorf("platform %s, warnings %q", r.Platform.ID, r.Warnings)
	}
}

func TestMinor(t *testing.T) {
	for in, want := range map[string]string{"3.6.0": "3.6", "3.5": "3.5", "": "", "x": "", "-3.6": "", "3": ""} {
		if got := minor(in); got != want {
			t.Errorf("minor(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMembers(t *testing.T) {
	var many []snapshot.Member
	for i := range 100 {
		many = append(many, snapshot.Member{Name: fmt.Sprint("member-", i), PeerURLs: []string{"https://" + strings.Repeat("a", 40) + ":2380"}})
	}
	tests := []struct {
		name    string
		members []snapshot.Member
		want    string // --initial-cluster
		known   bool
	}{
		{name: "none", want: "INITIAL_CLUSTER"},
		{
			name: "three, a learner and several URLs", known: true,
			members: []snapshot.Member{
				{Name: "b", PeerURLs: []string{"https://b:2380"}},
				{Name: "a", PeerURLs: []string{"https://a:2380", "https://a:2381"}},
				{Name: "l", PeerURLs: []string{"https://l:2380"}, Learner: true},
			},
			want: "a=https://a:2380,a=https://a:2381,b=https://b:2380",
		},
		{name: "a name with a comma", members: []snapshot.Member{{Name: "a,b", PeerURLs: []string{"https://a:2380"}}}, want: "INITIAL_CLUSTER"},
		{name: "names that join into one too long", members: many, want: "INITIAL_CLUSTER"},
		{name: "marks that would stand on what is before them", members: []snapshot.Member{{Name: "a", PeerURLs: []string{"https://a:2380"}}, {Name: strings.Repeat("\u0301", 11), PeerURLs: []string{"https://b:2380", strings.Repeat("\u0301", 12)}}}, want: "INITIAL_CLUSTER"},
		{name: "a member that never started", members: []snapshot.Member{{PeerURLs: []string{"https://a:2380"}}}, want: "INITIAL_CLUSTER"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := builder{}
			b.Backup.Facts.Members = tt.members
			if _, got, known := b.members(); got != tt.want || known != tt.known {
				t.Errorf("got %q, %v; want %q, %v", got, known, tt.want, tt.known)
			}
		})
	}
}

// TestLongGrace: before the scheduler starts, pods must have stopped. What the
// steps do not wait for they have looked for.
func TestLongGrace(t *testing.T) {
	for grace, want := range map[int64]int64{30: 210, 300: 480, 900: 780} {
		slow := pods("node-1", "slow", []string{"a"})
		slow[0].CreateRevision, slow[0].ModRevision, slow[0].Grace = 150, 150, grace
		in := input(nil, slow, nodes("node-1"), nodes("node-1"))
		in.Platform = Kubeadm
		s := step(t, build(t, in), "start-controllers")
		if got := s.Commands[0].LimitSeconds; got != want {
			t.Errorf("grace period of %d s: waits for %d s, want %d", grace, got, want)
		}
		looked := slices.ContainsFunc(s.Checks, func(c string) bool { return strings.Contains(c, "more than 600 s have stopped") })
		if looked != (grace > 600) {
			t.Errorf("grace period of %d s: checks %q", grace, s.Checks)
		}
	}
}

// TestRebound: a pod that only its own node can take runs on where the scheduler is
// in time to bind it again. Here it is stopped until the kubelets have listed.
func TestRebound(t *testing.T) {
	was, now := twin("only-there", "", "node-1")
	was.UID, was.Phase, was.CreateRevision = now.UID, "Pending", 10
	was.Choices, was.ChoicesKnown = []string{"node-1"}, true
	now.CreateRevision, now.Grace = 10, 90
	in := input([]*restore.Pod{was}, []*restore.Pod{now}, nodes("node-1", "node-2"), nodes("node-1", "node-2"))
	if warned := strings.Join(step(t, build(t, in), "start-controllers").Warnings, " "); !strings.Contains(warned, "db/only-there") {
		t.Errorf("nothing says that it is stopped: %q", warned)
	}
	if s := step(t, build(t, in), "start-controllers"); s.Commands[0].LimitSeconds != 270 {
		t.Errorf("its grace period is not waited for: %+v", s.Commands[0])
	}
	in.Platform = OpenShift // where the scheduler is not held back
	if slices.Contains(ids(build(t, in)), "start-controllers") {
		t.Error("there is a step to start controllers")
	}
}

// TestKeptByPlatform: API servers that are left running drop their cache only for a
// revision that is two above what they have seen.
func TestKeptByPlatform(t *testing.T) {
	for platform, want := range map[Platform]int64{Generic: 101, OpenShift: 102} {
		in := input(nil, nil, nodes("node-1"), nodes("node-1"))
		in.Platform = platform
		if r := build(t, in); r.Bump.Minimum != want {
			t.Errorf("%s: at least %d, not %d", platform, r.Bump.Minimum, want)
		}
	}
}
