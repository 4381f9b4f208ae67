package replay_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"revenant/analyzer/replay"
)

// TestID: from the id of any moment a second play comes to the same moment, and an id of
// another moment, or none, is refused and leaves the play at its start.
func TestID(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		servers := 1 + int(seed%2)
		c, start := replay.Small(servers)
		c.Errors, c.Deletes = seed%3 == 0, seed%4 == 0
		p := replay.NewPlay(c, start)
		for range random.IntN(40) {
			switch random.IntN(4) {
			case 0:
				p.Settle()
			case 1:
				p.Next()
			default:
				list := p.Actions(p.State())
				if err := p.Do(list[random.IntN(len(list))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		id := p.ID()
		again := replay.NewPlay(c, start)
		if err := again.Go(id); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(p.State(), again.State()); diff != "" {
			t.Fatalf("seed %d: %s is another moment:\n%s", seed, id, diff)
		}
		if again.ID() != id {
			t.Errorf("seed %d: the id of %s is %s", seed, id, again.ID())
		}
		if diff := cmp.Diff(p.Steps(), again.Steps(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("seed %d: the way to %s is another:\n%s", seed, id, diff)
		}
		for _, wrong := range []string{"", id[:len(id)-1], strings.Replace(id, ".", "", 1), "z" + id, id + "0", "(9" + id, "_" + id, "_zzzz," + id, "\x00.00"} {
			if err := again.Go(wrong); err == nil {
				t.Errorf("seed %d: the id %q is accepted", seed, wrong)
			}
			if diff := cmp.Diff(&start, again.State()); diff != "" {
				t.Errorf("seed %d: a wrong id leaves the play at %s", seed, diff)
			}
		}
	}
}

// FuzzGo: no id makes a play panic or hang, and one that is accepted leads to a moment of
// that id.
func FuzzGo(f *testing.F) {
	f.Add("0123.ab")
	f.Add("_1,0(3)2_2,.00")
	f.Fuzz(func(t *testing.T, id string) {
		c, start := replay.Small(2)
		p := replay.NewPlay(c, start)
		if p.Go(id) != nil {
			return
		}
		again := replay.NewPlay(c, start)
		if err := again.Go(p.ID()); err != nil {
			t.Errorf("%s leads to %s, which leads nowhere: %v", id, p.ID(), err)
		}
	})
}

// TestView: at every moment, as many pods are marked as phantoms as there are, and what
// etcd has is what an API server that has seen all lists.
func TestView(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 2))
		c, start := replay.Small(1 + int(seed%2))
		c.Errors, c.Deletes = seed%3 == 0, seed%4 == 0
		p := replay.NewPlay(c, start)
		for range 40 {
			list := p.Actions(p.State())
			if err := p.Do(list[random.IntN(len(list))]); err != nil {
				t.Fatal(err)
			}
			v, err := c.View(p.State())
			if err != nil {
				t.Fatal(err)
			}
			marked := 0
			for _, pod := range v.Pods {
				if pod.Phantom {
					marked++
				}
				for i, api := range v.Servers {
					if api.Up && !api.Erased && api.Seen == v.Etcd.Revision && !cmp.Equal(pod.Listed[i], pod.Stored) {
						t.Fatalf("seed %d, %s: %s lists %s as %v, and etcd has %v", seed, p.ID(), api.Name, pod.Name, pod.Listed[i], pod.Stored)
					}
				}
			}
			if marked != v.Phantoms {
				t.Fatalf("seed %d, %s: %d pods are marked as phantoms, and %d are", seed, p.ID(), marked, v.Phantoms)
			}
		}
	}
}
