package train_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"revenant/analyzer/replay"
	"revenant/internal/golden"
	"revenant/train"
)

// begins are what the operator did before a scenario begins, by the name of that.
var begins = map[string][]string{
	"@plain": {"stop 0", "stop etcd", "restore 0", "start etcd", "start 0"},
	"@bump":  {"stop 0", "stop etcd", "restore 8", "start etcd", "start 0", "create 0", "wait"},
	"@later": {"stop 0", "stop etcd", "restore 0", "start etcd", "start 0", "wait", "wait"},
	"@twice": {"stop 0", "stop etcd", "restore 0", "start etcd", "start 0", "kubelet 1"},
	"@kept":  {"stop 0", "settle", "stop etcd", "restore 0", "start etcd", "start 0"},
}

// beginsOf are the beginnings of scenarios, by their ids.
var beginsOf = map[string]string{
	"unseen": "@plain", "nobody-starts": "@plain", "too-early": "@plain",
	"same-bump": "@bump", "second-restart": "@later", "twice": "@twice", "list-lies": "@kept",
}

// solutions are what the operator does in each scenario. TestIDs makes the ids in the files
// from both.
var solutions = map[string][]string{
	"phantom":       {"stop 0", "stop etcd", "restore 8", "start etcd", "start 0"},
	"unseen":        {},
	"too-small":     {"stop 0", "stop etcd", "restore 10", "start etcd", "start 0"},
	"same-bump":     {"stop 0", "stop etcd", "restore 80", "start etcd", "start 0"},
	"nobody-starts": {"create 0", "wait", "wait", "stop 0", "start 0"},
	"list-lies":     {"wait", "wait", "stop 0", "stop 1", "start 0", "start 1"},
	"too-early":     {"wait", "wait", "stop 0", "start 0"},

	"second-restart": {"stop 0", "start 0"},
	"twice":          {"wait", "wait", "stop 0", "start 0"},
}

func do(t *testing.T, p *replay.Play, list []string) {
	t.Helper()
	for _, what := range list {
		var verb string
		var n int64
		fmt.Sscan(what, &verb, &n)
		a := replay.Action{}
		switch verb {
		case "settle":
			p.Settle()
			continue
		case "stop":
			a = replay.Action{Kind: replay.StopServer, Target: int32(n)}
		case "start":
			a = replay.Action{Kind: replay.StartServer, Target: int32(n)}
		case "restore":
			a = replay.Action{Kind: replay.Restore, N: n}
		case "create":
			a = replay.Action{Kind: replay.CreatePod, Target: int32(n)}
		case "kubelet":
			a = replay.Action{Kind: replay.RestartKubelet, Target: int32(n)}
		case "wait":
			a = replay.Action{Kind: replay.Wait, N: p.WaitWrites}
		}
		switch what {
		case "stop etcd":
			a = replay.Action{Kind: replay.StopEtcd}
		case "start etcd":
			a = replay.Action{Kind: replay.StartEtcd}
		}
		if err := p.Do(a); err != nil {
			t.Fatal(err)
		}
		p.Settle()
	}
}

func scenarios(t *testing.T) []train.Scenario {
	t.Helper()
	list, err := train.Scenarios("en")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestIDs holds the ids of the moments at which scenarios end against what solves them.
// With -update it makes them, and those of the beginnings.
func TestIDs(t *testing.T) {
	if !golden.Updating() {
		for _, s := range scenarios(t) {
			if !s.Played() {
				continue
			}
			x, err := train.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if do(t, x.Play, solutions[s.ID]); x.Play.ID() != s.Solution {
				t.Errorf("%s: its solution is %s, and what solves it leads to %s", s.ID, s.Solution, x.Play.ID())
			}
		}
		return
	}
	for id, way := range solutions {
		path := "scenarios/" + id + ".yaml"
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		servers := 1
		if id == "list-lies" {
			servers = 2
		}
		cluster := map[string]string{"twice": "database", "too-small": "busy"}[id]
		x, err := train.New(t.Context(), train.Scenario{ID: id, Servers: servers, Cluster: cluster})
		if err != nil {
			t.Fatal(err)
		}
		if name := beginsOf[id]; name != "" {
			do(t, x.Play, begins[name])
			text = regexp.MustCompile(`(?m)^begin: .*`).ReplaceAll(text, []byte(fmt.Sprintf("begin: %q", x.Play.ID())))
		}
		do(t, x.Play, way)
		text = regexp.MustCompile(`(?m)^solution: .*`).ReplaceAll(text, []byte(fmt.Sprintf("solution: %q", x.Play.ID())))
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSolutions: no scenario is solved where it begins, each is by its solution, and no step
// of that can be left out at its end.
func TestSolutions(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.ID, func(t *testing.T) {
			x, err := train.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if solved, err := x.Solved(); err != nil || solved {
				t.Errorf("it is solved where it begins, %v", err)
			}
			if err := x.Solve(t.Context()); err != nil {
				t.Fatal(err)
			}
			results, err := x.Check()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Reached {
					t.Errorf("%s: %v", r.Goal.Ask, r.Overlook)
				}
			}
		})
	}
}

// TestWrongAnswers: answers of the kinds that people give are refused with what they
// overlook, and the right one is taken.
func TestWrongAnswers(t *testing.T) {
	byID := map[string]train.Scenario{}
	for _, s := range scenarios(t) {
		byID[s.ID] = s
	}
	for _, tt := range []struct{ scenario, answer, want string }{
		{"too-small", "four", `^Want a number of revisions, not "four"\.$`},
		{"too-small", "4", `lie between the two snapshots.*Kubelets have seen more`},
		{"too-small", "19", `^19 is a revision\.`},
		{"too-small", "18", `^18 is a revision\.`},
		{"too-small", "8", `which a kubelet has seen`},
		{"too-small", "2", `would start at 12, and kubelets have seen revision 18`},
		{"too-small", "1000000", `is enough, and not the smallest`},
		{"too-small", "9", ""},
		{"unseen", "default/old", `^Not default/old: nothing of it runs\.$`},
		{"unseen", "both", `^Not default/both: etcd has it`},
		{"unseen", "web", `There is no pod called "web" here`},
		{"unseen", "", `^Missing: 1 pod that runs unseen\.`},
		{"unseen", "new, web", `There is no pod called "web" here`},
		{"unseen", "new", ""},
		{"list-lies", "cp-1", `cp-1 has listed since the restore`},
		{"list-lies", "", `There is one more, that was left running`},
		{"list-lies", "cp-2 cp-9", `There is no API server called "cp-9" here`},
		{"list-lies", "cp-2", ""},
	} {
		x, err := train.New(t.Context(), byID[tt.scenario])
		if err != nil {
			t.Fatal(err)
		}
		r, err := x.Answer(t.Context(), tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		if tt.want == "" {
			if !r.Reached {
				t.Errorf("%s: %q is refused: %v", tt.scenario, tt.answer, r.Overlook)
			}
			continue
		}
		if r.Reached || !regexp.MustCompile(tt.want).MatchString(fmt.Sprint(r.Overlook[0])) {
			t.Errorf("%s: %q: reached %v, %v", tt.scenario, tt.answer, r.Reached, r.Overlook)
		}
	}
}

// TestVeil: what a question asks for is not marked before it is answered, and is afterwards.
func TestVeil(t *testing.T) {
	for _, s := range scenarios(t) {
		if s.ID != "unseen" && s.ID != "list-lies" {
			continue
		}
		x, err := train.New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		marks := func() (pods, erased int) {
			v, err := x.View()
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range v.Pods {
				if p.Phantom || p.Ghost {
					pods++
				}
			}
			for _, k := range v.Kubelets {
				pods += k.Phantoms
			}
			for _, api := range v.Servers {
				if api.Erased || strings.Contains(api.Doing, "erased") {
					erased++
				}
			}
			if v.Controllers.Erased {
				erased++
			}
			return pods, erased
		}
		if pods, erased := marks(); pods+erased > 0 {
			t.Errorf("%s: %d marks give the answer away", s.ID, pods+erased)
		}
		right, err := x.Right(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range right {
			if _, err := x.Answer(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		if pods, erased := marks(); pods != 3 || erased > 0 != (s.ID == "list-lies") {
			t.Errorf("%s: %d pods and %d of the erased past are marked", s.ID, pods, erased)
		}
	}
}

// TestWrongWays: ways that people take, and that do not lead to the goal, are refused with
// what they overlook.
func TestWrongWays(t *testing.T) {
	byID := map[string]train.Scenario{}
	for _, s := range scenarios(t) {
		byID[s.ID] = s
	}
	for _, tt := range []struct {
		scenario string
		way      []string
		want     string
	}{
		{"phantom", begins["@plain"], `Runs unseen: default/new on node-1\. The kubelet of node-1: It has seen revision 16`},
		{"phantom", append(begins["@plain"][:5:5], "kubelet 0", "kubelet 1"), `1 pod was killed within 2 s`},
		{"phantom", []string{"stop etcd", "restore 0", "start etcd"}, `Runs unseen`},
		{"phantom", []string{"stop 0", "stop etcd", "restore 4", "start etcd", "start 0"}, `Runs unseen`},
		{"too-small", []string{"stop 0", "stop etcd", "restore 4", "start etcd", "start 0"}, `has seen revision 18, and cp-1 is at 15`},
		{"same-bump", []string{"stop 0", "stop etcd", "restore 8", "start etcd", "start 0"}, `Runs unseen: new-1 on node-1`},
		{"same-bump", nil, `has not been restored again`},
		{"nobody-starts", []string{"create 0", "wait", "wait"}, `does not run: the kubelet of node-1 has not heard of it`},
		{"nobody-starts", []string{"create 0", "kubelet 0", "kubelet 1"}, `2 kubelets were restarted`},
		{"too-early", []string{"stop 0", "start 0"}, `Runs unseen`},
		{"list-lies", []string{"stop 1", "start 1"}, `Runs unseen`},
	} {
		x, err := train.New(t.Context(), byID[tt.scenario])
		if err != nil {
			t.Fatal(err)
		}
		do(t, x.Play, tt.way)
		results, err := x.Check()
		if err != nil {
			t.Fatal(err)
		}
		last := results[len(results)-1]
		if last.Reached || !regexp.MustCompile(tt.want).MatchString(fmt.Sprint(last.Overlook)) {
			t.Errorf("%s, %v: reached %v, %v", tt.scenario, tt.way, last.Reached, last.Overlook)
		}
	}
}

// TestBest: no way of as many actions as the solution's, or one more, reaches the goals at
// less cost. What happens by itself happens after each action.
func TestBest(t *testing.T) {
	for _, s := range scenarios(t) {
		if !s.Played() {
			continue
		}
		t.Run(s.ID, func(t *testing.T) {
			best, err := train.Best(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			x, err := train.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			right, err := x.Right(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range right {
				if _, err := x.Answer(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			begun := len(x.Steps())
			seen := map[string]int{}
			depth := len(solutions[s.ID]) + 1
			var look func(left int)
			look = func(left int) {
				cost, err := x.Cost()
				if err != nil {
					t.Fatal(err)
				}
				if cost.Points() >= best.Points() {
					return
				}
				if solved, err := x.Solved(); err != nil || solved {
					t.Fatalf("%v solves it at %v, and the best known way costs %v; %v", x.Taken(), cost, best, err)
				}
				key := fmt.Sprintf("%+v %d", *x.State(), cost.Points())
				if left == 0 || seen[key] > left {
					return
				}
				seen[key] = left + 1
				for _, a := range x.Actions() {
					if !a.Operator() {
						continue
					}
					if err := x.Do(a); err != nil {
						t.Fatal(err)
					}
					n := x.Settle()
					look(left - 1)
					for range n + 1 {
						x.Back()
					}
				}
			}
			look(depth)
			if len(x.Steps()) != begun {
				t.Errorf("%d steps are left", len(x.Steps()))
			}
			t.Logf("%d moments", len(seen))
		})
	}
}
