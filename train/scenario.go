// Package train has scenarios about restores, and checks what is done in them.
//
// A scenario is of one of two kinds. One plays on the state machine of analyzer/replay:
// what goes in are actions, and answers as a person types them. The other is on evidence:
// snapshots that are looked into with the program's other commands; what goes in are
// answers. What comes out is whether each goal is reached, and if not, what was overlooked.
// A goal is a condition on the state that was reached, or a question whose answer is
// computed from the state or from the evidence: nothing is compared with a text that was
// written down.
//
// The package writes nothing and knows no terminal: whoever shows a scenario writes its
// files for the learner, and keeps the learner's Answers.
package train

import (
	"cmp"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"revenant/analyzer/restore"
)

// Scenario is something to be done or found out, with what it takes and what is asked.
type Scenario struct {
	ID    string `json:"id"`
	Level int    `json:"level"` // 1 to 3
	Texts
	// Servers is how many API servers the cluster has that is played, 0 for a scenario on
	// evidence. Cluster is its name (Clusters), "" for the small one. Begin is the id of the
	// moment at which the scenario begins, "" for before the outage.
	Servers int    `json:"servers,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	Begin   string `json:"begin,omitempty"`
	// Evidence are the files that are given to the learner, by the names that they get, and
	// the names that they have among the program's own.
	Evidence map[string]string `json:"evidence,omitempty"`
	Goals    []Goal            `json:"goals"`
	Sources  []string          `json:"sources"`
	// Solution is the id of a moment at which the goals are reached, with the least
	// disturbance that is known. Of a scenario on evidence, Commands show what is asked for.
	Solution string   `json:"solution,omitempty"`
	Commands []string `json:"commands,omitempty"`

	// Dir is the directory of a scenario that was made of a pair of snapshots, as a command
	// line names it; "" for others.
	Dir string `json:"-"`

	made *madeCluster        // of a scenario that a seed made
	pair *restore.Comparison // and of one that was made of a pair of snapshots
}

// Texts are what a learner reads, in one language.
type Texts struct {
	Title string `json:"title"`
	Story string `json:"story"`
	// Hints are given one after another, each saying more than the one before. A line of one
	// that begins with "revenant " is a command, to be shown as it is.
	Hints       []string `json:"hints"`
	Explanation string   `json:"explanation"`
}

// Goal is what is to be reached, or to be found out.
type Goal struct {
	Ask string `json:"ask"`
	// Reach are conditions on the moment (Conditions), and Answer is a question
	// (Questions); a goal has one of both. Of is what the question is about, such as the key
	// of an object.
	Reach  []string `json:"reach,omitempty"`
	Answer string   `json:"answer,omitempty"`
	Of     string   `json:"of,omitempty"`
}

// Manifest says that what answers the goal is the text of a manifest.
func (g *Goal) Manifest() bool { return g.Answer == "manifest" || g.Answer == "carved-manifest" }

// translation is the texts of a scenario in another language than English.
type translation struct {
	Texts
	Asks []string `json:"asks"` // of the goals
}

//go:embed scenarios evidence
var files embed.FS

// mostServers is how many API servers a scenario says that it has at most.
const mostServers = 3

// hintSteps is how many hints a scenario has.
const hintSteps = 3

// Languages are those that scenarios have texts in. English has all of them; where another
// lacks a scenario, that is in English.
var Languages = []string{"en", "zh"}

// Scenarios are all of them in a language, the easiest first, and those that are played before the others. The error says that there is
// no such language, or what is wrong with a scenario.
func Scenarios(language string) ([]Scenario, error) {
	if !slices.Contains(Languages, language) {
		return nil, fmt.Errorf("no scenario is in the language %.40q: there are %s", language, strings.Join(Languages, ", "))
	}
	names, err := fs.Glob(files, "scenarios/*.yaml")
	if err != nil {
		return nil, err
	}
	var list []Scenario
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		id := strings.TrimSuffix(path.Base(name), ".yaml")
		s, err := parse(id, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := s.translate(language); err != nil {
			return nil, fmt.Errorf("%s in %s: %w", name, language, err)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b Scenario) int { return cmp.Or(a.Level-b.Level, b.Servers-a.Servers) })
	return list, nil
}

// parse reads a scenario and says what is wrong with it.
func parse(id string, text []byte) (Scenario, error) {
	var s Scenario
	if err := yaml.UnmarshalStrict(text, &s); err != nil {
		return s, err
	}
	return s, s.check(id)
}

// translate puts the texts of a language in, where there are any.
func (s *Scenario) translate(language string) error {
	text, err := files.ReadFile(path.Join("scenarios", language, s.ID+".yaml"))
	if err != nil {
		return nil // English, or not translated
	}
	var t translation
	if err := yaml.UnmarshalStrict(text, &t); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	if len(t.Asks) != len(s.Goals) {
		return fmt.Errorf("it asks for %d goals of %d", len(t.Asks), len(s.Goals))
	}
	s.Texts, s.Goals = t.Texts, slices.Clone(s.Goals)
	for i, ask := range t.Asks {
		s.Goals[i].Ask = ask
	}
	return nil
}

// check says what the texts lack.
func (t *Texts) check() error {
	if len(t.Hints) != hintSteps || t.Title == "" || t.Story == "" || t.Explanation == "" {
		return fmt.Errorf("it lacks %d hints, a title, a story or an explanation", hintSteps)
	}
	return nil
}

// check says what is wrong with a scenario.
func (s *Scenario) check(name string) error {
	played := s.Servers > 0
	switch {
	case s.ID != name:
		return fmt.Errorf("its id is %q", s.ID)
	case s.Level < 1 || s.Level > Levels:
		return fmt.Errorf("level %d", s.Level)
	case s.Servers < 0 || s.Servers > mostServers:
		return fmt.Errorf("%d API servers", s.Servers)
	case played == (len(s.Evidence) > 0):
		return fmt.Errorf("it wants either API servers or evidence")
	case played && clusters[s.Cluster] == nil:
		return fmt.Errorf("no cluster is called %q", s.Cluster)
	case played != (s.Solution != "") || played == (len(s.Commands) > 0):
		return fmt.Errorf("it wants the id of its solution, or, on evidence, the commands that show it")
	case len(s.Goals) == 0 || len(s.Sources) == 0:
		return fmt.Errorf("it lacks goals or sources")
	}
	for _, g := range s.Goals {
		if g.Ask == "" || (len(g.Reach) == 0) == (g.Answer == "") || len(g.Reach) > 0 && !played {
			return fmt.Errorf("a goal wants a text, and a question or, where it is played, conditions")
		}
		for _, id := range g.Reach {
			if conditionOf(id) == nil {
				return fmt.Errorf("no condition is called %q", id)
			}
		}
		if g.Answer == "" {
			continue
		}
		q := questionOf(g.Answer)
		if q == nil || (q.played != nil) != played || q.about != (g.Of != "") {
			return fmt.Errorf("no question is called %q, or not of this kind of scenario, or it is asked of the wrong thing", g.Answer)
		}
	}
	return s.Texts.check()
}

// Played says whether the scenario is played, and not on evidence.
func (s *Scenario) Played() bool { return s.Servers > 0 }

// Files are the evidence by the names that the learner's files have.
func (s *Scenario) Files() (map[string][]byte, error) {
	list := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(s.Evidence)) {
		f, err := files.Open(path.Join("evidence", s.Evidence[name]+".gz"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.ID, err)
		}
		z, err := gzip.NewReader(f)
		if err == nil {
			list[name], err = io.ReadAll(z)
		}
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("unpack the evidence of %s: %w", s.ID, err)
		}
	}
	return list, nil
}

// Argument is what follows "revenant train" to begin the scenario.
func (s *Scenario) Argument() string { return cmp.Or(s.Dir, s.ID) }

// Find is the scenario of an id, of a directory, or of what only one id begins with; nil for
// none. The id of a made scenario makes it.
func Find(list []Scenario, id string) *Scenario {
	if i := slices.IndexFunc(list, func(s Scenario) bool { return s.ID == id || s.Dir != "" && s.Dir == id }); i >= 0 {
		return &list[i]
	}
	if seed, level, ok := madeID(id); ok {
		s, err := Make(seed, level)
		if err != nil {
			return nil
		}
		return &s
	}
	var found *Scenario
	for i := range list {
		if id != "" && strings.HasPrefix(list[i].ID, id) {
			if found != nil {
				return nil
			}
			found = &list[i]
		}
	}
	return found
}
