package replay

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// Play is a restore that is being played: its moments from the start to now, and those
// that were taken back, which can be taken again.
type Play struct {
	*Cluster
	moments []State // moments[i+1] is moments[i] after steps[i]
	steps   []Step
	at      int
}

// longestID bounds what Go reads.
const longestID = 4096

// NewPlay begins a play.
func NewPlay(c *Cluster, start State) *Play { return &Play{Cluster: c, moments: []State{start}} }

// State is the moment that the play is at. It must not be changed.
func (p *Play) State() *State { return &p.moments[p.at] }

// Steps are the steps up to now, and Undone those that were taken back.
func (p *Play) Steps() []Step  { return p.steps[:p.at] }
func (p *Play) Undone() []Step { return p.steps[p.at:] }

// Moments are those from the start to now; each but the first is after the step that stands
// before it in Steps. They must not be changed.
func (p *Play) Moments() []State { return p.moments[:p.at+1] }

// Served says whether an API server is up.
func (p *Play) Served() bool { return p.State().served() }

// More says whether Next has something to do.
func (p *Play) More() bool {
	_, ok := p.next(p.State())
	return ok || p.at < len(p.steps)
}

// Do takes an action. It refuses one that cannot be taken now. What was taken back is
// forgotten.
func (p *Play) Do(a Action) error {
	if !slices.Contains(p.Actions(p.State()), a) {
		return fmt.Errorf("%s: that cannot be done now", p.Say(a))
	}
	s, step := p.Cluster.Do(*p.State(), a)
	p.moments, p.steps = append(p.moments[:p.at+1], s), append(p.steps[:p.at], step)
	p.at++
	return nil
}

// Next lets the next event happen that happens by itself, and says whether there is one.
// After Back it is the step that was taken back, whoever took it.
func (p *Play) Next() bool {
	if p.at < len(p.steps) {
		p.at++
		return true
	}
	a, ok := p.next(p.State())
	return ok && p.Do(a) == nil
}

// Settle lets happen all that happens by itself, and says how much that was.
func (p *Play) Settle() int {
	for n := 0; ; n++ {
		a, ok := p.next(p.State())
		if !ok || p.Do(a) != nil {
			return n
		}
	}
}

// Back takes the last step back, and says whether there is one.
func (p *Play) Back() bool {
	if p.at == 0 {
		return false
	}
	p.at--
	return true
}

// The id of a moment is the way to it: of each action that somebody took, its place among
// Actions as a digit (0 to 9, a to z; beyond that in brackets), and what happened by itself
// after it where that was not all that does: how much of it, after an underscore. After a
// dot comes a sum of the moment.

// ID is a short name of the moment, from which Go finds it again.
func (p *Play) ID() string {
	var b strings.Builder
	settled := func(from, to int) { // what happened by itself between two actions
		if _, more := p.next(&p.moments[to]); more {
			b.WriteString("_" + strconv.FormatInt(int64(to-from), 36) + ",")
		}
	}
	from := 0
	for i, step := range p.steps[:p.at] {
		if by, ok := p.next(&p.moments[i]); ok && by == step.Action {
			continue
		}
		settled(from, i)
		b.WriteString(digit(slices.Index(p.Actions(&p.moments[i]), step.Action)))
		from = i + 1
	}
	settled(from, p.at)
	return b.String() + "." + p.sum()
}

func digit(n int) string {
	if n < 36 {
		return strconv.FormatInt(int64(n), 36)
	}
	return fmt.Sprintf("(%d)", n)
}

// sum is two digits that differ between most moments.
func (p *Play) sum() string {
	h := fnv.New32a()
	h.Write([]byte(p.State().key()))
	return fmt.Sprintf("%02s", strconv.FormatUint(uint64(h.Sum32()%(36*36)), 36))
}

// Go begins the play again and goes to the moment of an id. A wrong id leaves it at the start.
func (p *Play) Go(id string) error {
	p.moments, p.steps, p.at = p.moments[:1], nil, 0
	err := p.follow(id)
	if err != nil {
		p.moments, p.steps, p.at = p.moments[:1], nil, 0
	}
	return err
}

func (p *Play) follow(id string) error {
	way, sum, ok := strings.Cut(id, ".")
	if !ok || len(id) > longestID {
		return fmt.Errorf("no moment has the id %.40q: want digits and letters, a dot, and two more", id)
	}
	elsewhere := fmt.Errorf("no moment of this play has the id %.40q: it is of another one", id)
	itself := func() error { // what happens by itself: all, or so much
		if !strings.HasPrefix(way, "_") {
			p.Settle()
			return nil
		}
		text, rest, ok := strings.Cut(way[1:], ",")
		n, err := strconv.ParseUint(text, 36, 16)
		if !ok || err != nil {
			return fmt.Errorf("no moment has the id %.40q: want a number and a comma after _", id)
		}
		for range n {
			if !p.Next() {
				return elsewhere
			}
		}
		way = rest
		return nil
	}
	if err := itself(); err != nil {
		return err
	}
	for way != "" {
		n, rest, err := place(way)
		if err != nil {
			return fmt.Errorf("no moment has the id %.40q: %w", id, err)
		}
		actions := p.Actions(p.State())
		if n >= len(actions) || p.Do(actions[n]) != nil {
			return elsewhere
		}
		way = rest
		if err := itself(); err != nil {
			return err
		}
	}
	if p.sum() != sum {
		return elsewhere
	}
	return nil
}

// place is the digit that way begins with, and what follows.
func place(way string) (n int, rest string, err error) {
	text, rest := way[:1], way[1:]
	if text == "(" {
		var ok bool
		if text, rest, ok = strings.Cut(rest, ")"); !ok {
			return 0, "", fmt.Errorf("no ) after (")
		}
		n, err := strconv.ParseUint(text, 10, 16)
		return int(n), rest, err
	}
	u, err := strconv.ParseUint(text, 36, 16)
	if err != nil {
		return 0, "", fmt.Errorf("%q is no digit or small letter", text)
	}
	return int(u), rest, nil
}
