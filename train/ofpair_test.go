package train

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"revenant/analyzer/restore"
	"revenant/internal/corpus"
)

// playPair solves a scenario as a person does who knows the answers.
func playPair(t *testing.T, c *restore.Comparison) {
	t.Helper()
	s, err := MakeOf(t.Context(), PairID("a", "b"), c)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	read, err := parseOf(text, c)
	if diff := cmp.Diff(s, read, cmpopts.IgnoreUnexported(Scenario{})); err != nil || diff != "" {
		t.Fatalf("%v %s", err, diff)
	}
	x, err := New(t.Context(), read)
	if err != nil {
		t.Fatal(err)
	}
	m, err := x.moment()
	if err != nil {
		t.Fatal(err)
	}
	for _, goal := range s.Goals {
		answer := ""
		for i := range m.view.Pods {
			if p := &m.view.Pods[i]; goal.Answer == "unseen-pods" && p.Phantom || goal.Answer == "ghosts" && p.Ghost {
				answer += p.Name + " "
			}
		}
		switch goal.Answer {
		case "":
			continue
		case "smallest-bump":
			seen := int64(0)
			for _, k := range m.view.Kubelets {
				seen = max(seen, k.Seen)
			}
			backup, _ := x.Play.Revisions()
			answer = fmt.Sprint(seen + 1 - backup)
		}
		for _, wrong := range []string{"", "nobody", "1"} {
			if r, err := x.Answer(t.Context(), wrong); err != nil || r.Reached {
				t.Errorf("%s: %q is taken for right (%v)", goal.Answer, wrong, err)
			}
		}
		if r, err := x.Answer(t.Context(), answer); err != nil || !r.Reached {
			t.Errorf("%s: %q is taken for wrong: %v, %v", goal.Answer, answer, r.Overlook, err)
		}
	}
	if solved, err := x.Solved(); err != nil || solved {
		t.Errorf("it is solved from the beginning (%v)", err)
	}
	if err := x.Play.Go(s.Solution); err != nil {
		t.Fatal(err)
	}
	results, err := x.Check()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Reached {
			t.Errorf("the solution does not reach %q: %q", r.Goal.Ask, r.Overlook)
		}
	}
	cost, err := x.Cost()
	cost.Wrong = 0
	if best, again := Best(t.Context(), x.Scenario); err != nil || again != nil || best != cost {
		t.Errorf("the best known way costs %s (%v) and the solution %s (%v)", best, again, cost, err)
	}
}

func parseOf(text []byte, c *restore.Comparison) (Scenario, error) {
	s, err := ReadPair(text)
	if err != nil {
		return s, err
	}
	return s.Bound(c)
}

// TestMakeOfHarmless makes a scenario of a pair of which a plain restore harms nothing.
func TestMakeOfHarmless(t *testing.T) {
	data := corpus.Unpack(t, "../testdata/clusters/scenario-1/plain/backup.db.gz")
	c := comparisonOf(t, openBytes(t, "backup", data), openBytes(t, "current", data))
	s, err := MakeOf(t.Context(), PairID("a", "b"), c)
	if err != nil {
		t.Fatal(err)
	}
	if s.Begin != "" || len(s.Goals[len(s.Goals)-1].Reach) == 0 {
		t.Errorf("%+v", s)
	}
	playPair(t, c)
}

// TestReadPair: what is in the file of a scenario is checked, and the cluster is that of the
// snapshots whatever it says.
func TestReadPair(t *testing.T) {
	data := corpus.Unpack(t, "../testdata/clusters/scenario-1/plain/backup.db.gz")
	c := comparisonOf(t, openBytes(t, "backup", data), openBytes(t, "current", data))
	s, err := MakeOf(t.Context(), PairID("a", "b"), c)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Scenario){
		"":                                func(s *Scenario) { s.Servers, s.Cluster = -1, "nowhere" },
		`its id is "phantom"`:             func(s *Scenario) { s.ID = "phantom" },
		"it wants either API servers":     func(s *Scenario) { s.Evidence = map[string]string{"a.db": "../../etc/passwd"} },
		"no condition is called":          func(s *Scenario) { s.Goals[0] = Goal{Ask: "?", Reach: []string{"nothing"}} },
		"no question is called":           func(s *Scenario) { s.Goals[0] = Goal{Ask: "?", Answer: "manifest", Of: "a"} },
		"it wants the id of its solution": func(s *Scenario) { s.Commands = []string{"revenant"} },
	} {
		changed := s
		changed.Goals = append([]Goal{}, s.Goals...)
		change(&changed)
		text, err := yaml.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := parseOf(text, c); want == "" && (err != nil || read.Servers != s.Servers || !read.OfPair()) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
	s.Begin = "of nowhere"
	if x, err := New(t.Context(), s); err == nil {
		t.Errorf("it begins at %s", x.Play.ID())
	}
}
