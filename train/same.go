package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/restore"
)

// Pseudonyms say what a text may be called in a scrubbed snapshot.
type Pseudonyms interface {
	Name(string) string // of a name, an address or a uid
	Key(string) string  // of a record's key
}

// SamePredictions says in which prediction, under any of the ways to restore, the comparison
// of the scrubbed snapshots differs from that of the original ones, once every name there is
// taken for its pseudonym. It compares all that a prediction says, numbers and reasons too,
// and not in which order names come.
func SamePredictions(original, scrubbed *restore.Comparison, p Pseudonyms) error {
	ways, err := original.ComparePlans(restore.Plan{})
	if err != nil {
		return err
	}
	for _, way := range ways.Modes {
		a, err := original.Predict(way.Plan)
		if err != nil {
			return err
		}
		b, err := scrubbed.Predict(way.Plan)
		if err != nil {
			return err
		}
		if err := samePrediction(a, b, p); err != nil {
			return fmt.Errorf("with %s, it predicts something else: %w", way.Title, err)
		}
	}
	return nil
}

func samePrediction(a, b *restore.Prediction, p Pseudonyms) error {
	s := sameness{p}
	err := sameItems(s, "pod", a.Pods, b.Pods, func(x *restore.PodOutcome) []string { return []string{x.Namespace, x.Name, x.UID} })
	if err == nil {
		err = sameItems(s, "node", a.Nodes, b.Nodes, func(x *restore.NodeOutcome) []string { return []string{x.Name} })
	}
	if err == nil {
		err = sameItems(s, "workload", a.Workloads, b.Workloads, func(x *restore.WorkloadOutcome) []string {
			return []string{x.Namespace, x.Name, x.UID}
		})
	}
	if err != nil {
		return err
	}
	x, y := *a, *b
	x.Pods, x.Nodes, x.Workloads = nil, nil, nil
	y.Pods, y.Nodes, y.Workloads = nil, nil, nil
	return s.values(x, y)
}

// sameItems compares lists whose items have names, whatever their order.
func sameItems[T any](s sameness, what string, a, b []T, name func(*T) []string) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d instead of %d of the kind %s", len(b), len(a), what)
	}
	sorted := func(list []T, called func(string) string) (order []int, names []string) {
		for i := range list {
			parts := name(&list[i])
			for j := range parts {
				parts[j] = called(parts[j])
			}
			order, names = append(order, i), append(names, strings.Join(parts, "/"))
		}
		slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(names[i], names[j]) })
		return order, names
	}
	orderA, namesA := sorted(a, s.p.Name)
	orderB, namesB := sorted(b, func(s string) string { return s })
	for n := range orderA {
		i, j := orderA[n], orderB[n]
		if namesA[i] != namesB[j] {
			return fmt.Errorf("the %s %s is missing", what, namesA[i])
		}
		if err := s.values(a[i], b[j]); err != nil {
			return fmt.Errorf("%s %s: %w", what, namesB[j], err)
		}
	}
	return nil
}

// sameness compares what is one but for its names.
type sameness struct{ p Pseudonyms }

// values compares two values as JSON has them.
func (s sameness) values(a, b any) error {
	x, err := tree(a)
	if err != nil {
		return err
	}
	y, err := tree(b)
	if err != nil {
		return err
	}
	return s.trees(x, y)
}

func tree(v any) (t any, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return t, d.Decode(&t)
}

func (s sameness) trees(a, b any) error {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return fmt.Errorf("has other fields")
		}
		for name, value := range x {
			other, ok := y[name]
			if !ok {
				other, ok = y[s.p.Name(name)]
			}
			if !ok {
				return fmt.Errorf("%s is missing", name)
			}
			if err := s.trees(value, other); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return fmt.Errorf("has other items")
		}
		return s.lists(x, y)
	case string:
		if y, ok := b.(string); !ok || !s.texts(x, y) {
			return fmt.Errorf("says something else")
		}
		return nil
	}
	if a != b {
		return fmt.Errorf("%v instead of %v", b, a)
	}
	return nil
}

// lists compares lists whose items may come in another order, because names do.
func (s sameness) lists(a, b []any) error {
	left := slices.Clone(b)
	for _, x := range a {
		var first error
		i := slices.IndexFunc(left, func(y any) bool {
			err := s.trees(x, y)
			if first == nil {
				first = err
			}
			return err == nil
		})
		if i < 0 {
			return first
		}
		left = slices.Delete(left, i, i+1)
	}
	return nil
}

// texts says whether b says what a does: each word of a stands in b, or its pseudonym.
func (s sameness) texts(a, b string) bool {
	if a == b || s.p.Name(a) == b || s.p.Key(a) == b {
		return true
	}
	left := splitText(b)
	take := func(word string) bool {
		i := slices.Index(left, word)
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
		}
		return i >= 0
	}
	named := slices.DeleteFunc(splitText(a), take) // the others are of the sentence
	for _, word := range named {
		if !take(s.p.Name(word)) && !take(s.p.Key(word)) {
			return false
		}
	}
	return len(left) == 0
}

// splitText are the words of a text, names whole.
func splitText(text string) (list []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n,;()\"'=", r) }) {
		if word = strings.TrimRight(word, ".:"); word != "" {
			list = append(list, word)
		}
	}
	return list
}
