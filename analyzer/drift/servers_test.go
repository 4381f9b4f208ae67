package drift_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/drift"
	"revenant/analyzer/restore"
	"revenant/internal/corpus"
)

// TestServers gives verify what each of two API servers listed after every restore of
// a cluster with several, and the backup that was restored.
func TestServers(t *testing.T) {
	paths, err := filepath.Glob(clusters + "/ha/*/truth.json.gz")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found %d, %v", len(paths), err)
	}
	agreed, disagreed := 0, 0
	for _, path := range paths {
		var run truth
		if err := json.Unmarshal(corpus.Unpack(t, path), &run); err != nil {
			t.Fatal(err)
		}
		state := backup(t, filepath.Dir(path))
		api, _ := drift.APIPods(state)
		for i := range api {
			api[i].Containers = []string{"c"} // as the samples' lists are made
		}
		for _, s := range run.Samples {
			one, two := s.PerAPI["1"], s.PerAPI["2"]
			if len(one.API) == 0 || len(two.API) == 0 {
				continue // it was down
			}
			t.Run(path[len(clusters)+1:len(path)-len("/truth.json.gz")]+"/"+s.Label, func(t *testing.T) {
				lists := []drift.Server{{Name: "api-1", Pods: parse(t, one.list(t)).Pods}, {Name: "api-2", Pods: parse(t, two.list(t)).Pods}}
				in := drift.Input{API: api, Taken: state.Time, Servers: lists, Nodes: s.nodes(t)}
				r := drift.Compare(in)
				var got []string
				for _, f := range r.Findings {
					if f.Kind == drift.Disagreement {
						got = append(got, f.Namespace+"/"+f.Name)
						if f.Severity != restore.Critical || f.Certainty != restore.Possible || !strings.Contains(f.Action, "Restart every API server") {
							t.Errorf("%+v", f)
						}
					}
				}
				want := disagreements(one.API, two.API)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("-listed differently +found:\n%s", diff)
				}
				if len(want) == 0 {
					agreed++
					s.check(t, &run, r)
					return
				}
				disagreed++
				// The backup has all as the API server that was restarted; the other one
				// might have gone on since, for what it tells. So the nodes are held against
				// both: what one of them makes a finding is one, and nothing is stopped for it.
				for i, as := range []int{len(want), 0} {
					if s := r.Servers[i]; s.Differs != len(want) || s.AsSnapshot != as || s.Pods != len(lists[i].Pods) {
						t.Errorf("%+v", s)
					}
				}
				found := map[place]drift.Kind{}
				for _, f := range r.Findings {
					if f.Kind == drift.Phantom || f.Kind == drift.Ghost {
						found[place{f.Node, f.UID}] = f.Kind
						if f.Command != "" || f.Certainty == restore.Certain || !strings.HasSuffix(f.Reason, " Only the list of api-1 shows this.") {
							t.Errorf("%+v", f)
						}
					}
				}
				if diff := cmp.Diff(recorded(&one, &two), found); diff != "" {
					t.Errorf("-recorded +found:\n%s", diff)
				}
				// A snapshot that was saved after the lists settles it.
				in.API, in.Taken = lists[0].Pods, s.at(&run)
				slices.Reverse(in.Servers)
				r = drift.Compare(in)
				for _, f := range r.Findings {
					if f.Kind == drift.Disagreement && (f.Certainty != restore.Certain || !strings.HasPrefix(f.Action, "Restart the API server api-2: ") || !strings.HasSuffix(f.Reason, "The snapshot agrees with api-1.")) {
						t.Errorf("%+v", f)
					}
				}
				s.seen = one
				s.check(t, &run, r)
			})
		}
	}
	if agreed < 8 || disagreed < 3 {
		t.Errorf("only %d samples in which API servers agreed, and %d in which they did not", agreed, disagreed)
	}
}

// disagreements are the names that two lists have differently, sorted.
func disagreements(a, b []object) (names []string) {
	type listed struct {
		uid, node, phase string
		deleting         bool
	}
	views := [2]map[string]listed{{}, {}}
	for i, list := range [][]object{a, b} {
		for _, o := range list {
			views[i][o.Namespace+"/"+o.Name] = listed{o.UID, o.Node, o.Phase, o.Deleting}
		}
	}
	for i := range views {
		for name, v := range views[i] {
			if views[1-i][name] != v && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// recorded are the phantoms and ghosts as seen through any API server.
func recorded(all ...*seen) map[place]drift.Kind {
	m := map[place]drift.Kind{}
	for _, s := range all {
		for _, p := range s.Phantoms {
			if p.Running {
				m[place{p.Node, p.UID}] = drift.Phantom
			}
		}
		for _, g := range s.Ghosts {
			m[place{g.Node, g.UID}] = drift.Ghost
		}
	}
	return m
}
