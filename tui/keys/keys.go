package keys

import (
	"fmt"
	"slices"
	"strings"
)

// Map is the table of keys.
type Map []binding

// Of is what a key stands for where these actions are taken: of several, one that
// does something, else one that says why it does nothing here.
func (m Map) Of(key string, taken Set) (binding, bool) {
	var found binding
	rank := 0
	for i := range m {
		b := &m[i]
		if !slices.Contains(b.Keys, key) {
			continue
		}
		r := 1
		if why, ok := taken[b.Action]; ok {
			r = 2
			if why == "" {
				r = 3
			}
		}
		if r > rank {
			found, rank = *b, r
		}
	}
	return found, rank > 0
}

// Key is the first key of an action, as people write it.
func (m Map) Key(a Action) string {
	if i := m.index(a); i >= 0 {
		key, _, _ := strings.Cut(m[i].Label, " ")
		return key
	}
	return ""
}

func (m Map) index(a Action) int {
	return slices.IndexFunc(m, func(b binding) bool { return b.Action == a })
}

// With returns the table with other keys for some actions. The error names an
// action that does not exist, or a key that stands for two things in one place.
func (m Map) With(other map[string][]string) (Map, error) {
	m = slices.Clone(m)
	for name, keys := range other {
		i := m.index(Action(name))
		switch {
		case i < 0 || name == "":
			return nil, fmt.Errorf("no action is called %q", name)
		case Fixed(Action(name)):
			return nil, fmt.Errorf("the keys of %q cannot be changed", name)
		case len(keys) == 0:
			return nil, fmt.Errorf("%s has no key", name)
		}
		b := &m[i]
		if slices.Equal(b.Keys, keys) {
			continue
		}
		first, hinted, _ := strings.Cut(b.Hint, " ")
		b.Keys, b.Label = keys, strings.ReplaceAll(keys[0], "+", "-")
		if b.Hint != "" && first != "" {
			b.Hint = b.Label + " " + hinted
		}
	}
	sorts := &m[m.index(SortBy)]
	for _, b := range m {
		if b.Action != SortBy && !Apart(b.Action, SortBy) {
			sorts.Keys = slices.DeleteFunc(slices.Clone(sorts.Keys), func(key string) bool { return slices.Contains(b.Keys, key) })
		}
	}
	for _, key := range m.All() {
		var actions []Action
		for _, b := range m {
			if slices.Contains(b.Keys, key) {
				actions = append(actions, b.Action)
			}
		}
		for i, a := range actions {
			for _, b := range actions[i+1:] {
				if !Apart(a, b) {
					return nil, fmt.Errorf("%s stands for both %q and %q", key, a, b)
				}
			}
		}
	}
	return m, nil
}

// Fixed says that the keys of an action say what it acts on: a column, a screen.
func Fixed(a Action) bool { return a == SortBy || a == Number }

// All are all keys in the table.
func (m Map) All() []string {
	var list []string
	for _, b := range m {
		list = append(list, b.Keys...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// The actions of lists, and those of texts: no place takes both kinds.
var (
	ofLists = []Action{FilterBy, SortBy, ShowAll, GroupBy, InNamespace, Widen, Mark, Open}
	ofTexts = []Action{Search, NextHit, LastHit, Leave, AsJSON, ToRelated, Decode}

	ofPlays     = []Action{Take, StepOn, StepBack, Settle, PlayOn, Why, ToMoment, Task, HintFor, Answer}
	besidePlays = []Action{Up, Down, HalfUp, HalfDown, PageUp, PageDown, Top, Bottom, Leave, CopyOut, SaveOut, // which plays take, too
		Command, Palette, Number, Next, Previous, Back, Help, Suspend, Quit, Interrupt}

	ofFiles     = []Action{AsBackup, AsCurrent}
	besideFiles = []Action{Bump, CopyOut} // which the files do not take
)

// Apart says that two actions are never taken in the same place.
func Apart(a, b Action) bool {
	in := func(list []Action, x Action) bool { return slices.Contains(list, x) }
	if in(ofFiles, a) != in(ofFiles, b) && (in(besideFiles, a) || in(besideFiles, b)) {
		return true
	}
	if in(ofPlays, a) != in(ofPlays, b) {
		return !in(besidePlays, a) && !in(besidePlays, b)
	}
	if unfolds := []Action{ShowAll, Unfold}; in(unfolds, a) && in(unfolds, b) {
		return true // what can be folded is noise, or else what needs no attention
	}
	return in(ofLists, a) && in(ofTexts, b) || in(ofTexts, a) && in(ofLists, b)
}

// Shares says whether a key of the action stands for another one that is taken.
func (m Map) Shares(a Action, taken Set) bool {
	i := m.index(a)
	return i >= 0 && slices.ContainsFunc(m, func(b binding) bool {
		_, ok := taken[b.Action]
		return ok && b.Action != a && slices.ContainsFunc(b.Keys, func(key string) bool { return slices.Contains(m[i].Keys, key) })
	})
}

// Blocked says why the binding does nothing, "" when it does something.
func (b *binding) Blocked(taken Set) string {
	if why, ok := taken[b.Action]; ok {
		return why
	}
	return b.Absent
}
