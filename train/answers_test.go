package train_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/train"
)

// TestCheck: answers are followed and marked, what is handed in is not believed, and the
// session's own record is as good as what was done in it.
func TestCheck(t *testing.T) {
	list := scenarios(t)
	var all train.Answers
	for _, s := range list {
		x, err := train.New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if err := x.Solve(t.Context()); err != nil {
			t.Fatal(err)
		}
		all.Put(x.Given())
	}
	text, err := all.Text()
	if err != nil {
		t.Fatal(err)
	}
	read, err := train.ParseAnswers(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&all, read); diff != "" {
		t.Errorf("answers read back otherwise:\n%s", diff)
	}
	marks, err := train.Check(t.Context(), list, read)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range marks {
		if !m.Solved || m.Problem != "" || m.Cost != m.Best {
			t.Errorf("%s: solved %v, %q, cost %v of %v, %v", m.Given.Scenario, m.Solved, m.Problem, m.Cost, m.Best, m.Results)
		}
	}
	for _, tt := range []struct{ name, text, problem, overlook string }{
		{"nothing done", `scenarios: [{scenario: phantom}]`, "", "has not been restored"},
		{"what settles by itself at the end need not be said", `scenarios: [{scenario: phantom, actions: [stop cp-1, stop etcd, restore, start etcd, start cp-1]}]`, "", "Runs unseen"},
		{"an action that there is not", `scenarios: [{scenario: phantom, actions: [stop cp-1, restore 7]}]`, `action 2: "restore 7" cannot be done now: there are start cp-1, stop etcd,`, "has not been restored"},
		{"an action on evidence", `scenarios: [{scenario: carve, actions: [stop cp-1]}]`, "action 1: nothing is played", "has not been answered"},
		{"a wrong answer", `scenarios: [{scenario: node, answers: [node-1]}]`, "", "Not node-1"},
		{"an answer that is left out", `scenarios: [{scenario: unseen, answers: ["", old]}]`, "", "has not been answered"},
		{"too many answers", `scenarios: [{scenario: unseen, answers: [new, old, both]}]`, "more answers than questions", ""},
		{"no such scenario", `scenarios: [{scenario: nowhere}]`, "there is no such scenario", ""},
		{"no such made one", `scenarios: [{scenario: seed-1-9}]`, "there is no such scenario", ""},
		{"a made one", `scenarios: [{scenario: seed-1-2, actions: [stop cp-1]}]`, "", "has not been answered"},
		{"points cannot be earned by a negative number", `scenarios: [{scenario: unseen, wrong: -9, answers: [new]}]`, "", "has not been answered"},
	} {
		a, err := train.ParseAnswers([]byte(tt.text))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		marks, err := train.Check(t.Context(), list, a)
		if err != nil || len(marks) != 1 {
			t.Fatalf("%s: %v", tt.name, err)
		}
		m := marks[0]
		var overlooked []string
		for _, r := range m.Results {
			overlooked = append(overlooked, r.Overlook...)
		}
		if m.Solved || !strings.Contains(m.Problem, tt.problem) || (tt.problem == "") != (m.Problem == "") || !strings.Contains(strings.Join(overlooked, " "), tt.overlook) || m.Cost.Wrong < 0 {
			t.Errorf("%s: solved %v, %q, %q", tt.name, m.Solved, m.Problem, overlooked)
		}
	}
}

// TestParseAnswers: what is not of the form is refused, unknown fields with their line.
func TestParseAnswers(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"name: Ada\nscenarios:\n- scenario: phantom\n  acts: [wait]\n", `^line 4: field acts not found$`},
		{"nom: Ada\n", `^line 1: field nom not found$`},
		{"scenarios:\n- scenario: phantom\n  answers: {a: b}\n", `^line 3: cannot unmarshal`},
		{"scenarios:\n- scenario: phantom\n  hints: many\n", `^line 3: cannot unmarshal`},
		{"scenarios: [{scenario: phantom}, {scenario: phantom}]", `^phantom is in it twice$`},
		{"scenarios: [{actions: [wait]}]", `^the 1\. of the scenarios does not say which it is$`},
		{"scenarios: [", `did not find`},
		{"{\"scenarios\": [{\"scenario\": \"phantom\", \"actions\": [" + strings.TrimSuffix(strings.Repeat("\"wait\",", 1001), ",") + "]}]}", `^phantom: 1001 actions`},
		{"scenarios: [" + strings.Repeat("{scenario: a},", 501) + "]", `^501 scenarios`},
	} {
		_, err := train.ParseAnswers([]byte(tt.text))
		if !regexp.MustCompile(tt.want).MatchString(fmt.Sprint(err)) {
			t.Errorf("%.60s: %v", tt.text, err)
		}
	}
}

// FuzzParseAnswers: no text makes it panic, and what is accepted is checked without one.
func FuzzParseAnswers(f *testing.F) {
	f.Add([]byte("scenarios: [{scenario: phantom, actions: [stop cp-1, settle], answers: [a]}]"))
	f.Add([]byte("name: a\nscenarios:\n- scenario: seed-3-1\n  answers: [x, y]\n"))
	list, err := train.Scenarios("en")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := train.ParseAnswers(text)
		if err != nil || len(a.Scenarios) > 3 {
			return
		}
		if _, err := train.Check(t.Context(), list, a); err != nil {
			t.Error(err)
		}
	})
}

// TestLanguages: every language has texts that fit the scenarios, and none that is of no
// scenario.
func TestLanguages(t *testing.T) {
	for _, language := range train.Languages {
		list, err := train.Scenarios(language)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != len(scenarios(t)) {
			t.Errorf("%s has %d scenarios", language, len(list))
		}
	}
	if _, err := train.Scenarios("tlh"); err == nil {
		t.Error("an unknown language is accepted")
	}
}
