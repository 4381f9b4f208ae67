package train_test

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/analyzer/replay"
	"revenant/train"
)

// TestMade: a seed and a level make one scenario, another seed another one; it is not solved
// where it begins, and its solution solves it, at no cost above what is needed.
func TestMade(t *testing.T) {
	differ := map[string]bool{}
	for level := 1; level <= train.Levels; level++ {
		for seed := range uint64(150) {
			s, err := train.Make(seed+1, level)
			if err != nil {
				t.Fatal(err)
			}
			if found := train.Find(nil, s.ID); found == nil || !reflect.DeepEqual(*found, s) {
				t.Fatalf("%s is not found again by its id", s.ID)
			}
			x, err := train.New(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if solved, err := x.Solved(); err != nil || solved {
				t.Errorf("%s is solved where it begins, %v", s.ID, err)
			}
			right, err := x.Right(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range right {
				differ[text] = true
				if r, err := x.Answer(t.Context(), text); err != nil || !r.Reached {
					t.Errorf("%s: %q is right, and refused: %v, %v", s.ID, text, r.Overlook, err)
				}
			}
			if err := x.Go(s.Solution); err != nil {
				t.Fatal(err)
			}
			results, err := x.Check()
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if !r.Reached {
					t.Errorf("%s: %s: %v", s.ID, r.Goal.Ask, r.Overlook)
				}
			}
			if level == 3 {
				continue
			}
			view, err := x.View()
			if err != nil {
				t.Fatal(err)
			}
			if level == 1 && (view.Phantoms == 0 || view.Ghosts == 0) {
				t.Errorf("%s: %d phantoms and %d ghosts after a plain restore", s.ID, view.Phantoms, view.Ghosts)
			}
		}
	}
	if len(differ) < 150 {
		t.Errorf("%d different answers", len(differ))
	}
	for _, id := range []string{"seed-1", "seed-1-0", "seed-1-4", "seed--1-1", "seed-01-1", "seed-1-1x", "seed-99999999999999999999-1"} {
		if train.Find(nil, id) != nil {
			t.Errorf("the id %s makes a scenario", id)
		}
	}
}

// TestTaken: what was done in a session, in words, leads a second session to the same
// moment, whatever was done.
func TestTaken(t *testing.T) {
	for seed := range uint64(60) {
		s, err := train.Make(seed+1, 1+int(seed%3))
		if err != nil {
			t.Fatal(err)
		}
		x, err := train.New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		n := seed
		for range 25 {
			n = n*6364136223846793005 + 1442695040888963407
			list := x.Actions()
			switch n >> 60 {
			case 0:
				x.Settle()
			case 1:
				x.Back()
			default:
				if err := x.Do(list[n>>33%uint64(len(list))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		again, err := train.New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range x.Taken() {
			if err := again.Perform(word); err != nil {
				t.Fatalf("%s: %v", s.ID, err)
			}
		}
		if diff := cmp.Diff(x.State(), again.State()); diff != "" {
			t.Errorf("%s: %v leads elsewhere:\n%s", s.ID, x.Taken(), diff)
		}
		if err := again.Go(x.Play.ID()); err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
	}
}

// TestElsewhere: a moment that does not lie behind the beginning of the scenario is refused,
// and leaves the session where it begins.
func TestElsewhere(t *testing.T) {
	for _, s := range scenarios(t) {
		if s.Begin == "" {
			continue
		}
		x, err := train.New(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		begin := *x.State()
		c, start := x.Play.Cluster, x.Play.Moments()[0]
		p := replay.NewPlay(c, start)
		for _, id := range []string{p.ID(), "01.zz"} {
			if err := x.Go(id); err == nil {
				t.Errorf("%s: the moment %s is accepted", s.ID, id)
			}
			if diff := cmp.Diff(begin, *x.State()); diff != "" {
				t.Errorf("%s: a wrong id leads elsewhere:\n%s", s.ID, diff)
			}
		}
	}
}
