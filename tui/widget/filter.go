package widget

import (
	"errors"
	"strings"

	"github.com/sahilm/fuzzy"
	"k8s.io/apimachinery/pkg/labels"
)

// filter says whether a row passes; nil lets all pass.
type filter func(row int) bool

// The ways to filter, by what the text begins with. They are k9s' own.
const (
	inverse  = "!"   // rows that do not hold the words
	Selector = "-l " // rows whose labels a selector matches
	loose    = "-f " // rows that hold the letters in their order
)

var errNoLabels = errors.New("these rows have no labels")

// newFilter reads a filter as it is typed. One that is not finished, such as a
// selector, passes all rows; the error says what is missing.
func newFilter(text string, r *Rows, columns int) (filter, error) {
	if rest, ok := strings.CutPrefix(text, Selector); ok {
		return labelFilter(rest, r)
	}
	if rest, ok := strings.CutPrefix(text, loose); ok {
		rest = strings.TrimSpace(rest)
		if rest == "" {
			return nil, nil
		}
		return func(row int) bool { return len(fuzzy.Find(rest, []string{r.text(row, columns)})) > 0 }, nil
	}
	rest, not := strings.CutPrefix(text, inverse)
	words := strings.Fields(strings.ToLower(rest))
	if len(words) == 0 {
		return nil, nil
	}
	return func(row int) bool { return r.holds(row, words, columns) != not }, nil
}

func labelFilter(text string, r *Rows) (filter, error) {
	if r.Labels == nil {
		return nil, errNoLabels
	}
	s, err := labels.Parse(text)
	if err != nil {
		return nil, err
	}
	if s.Empty() {
		return nil, nil
	}
	return func(row int) bool { return s.Matches(labels.Set(r.Labels(row))) }, nil
}

// narrows says whether all rows that pass the filter pass the one before, too.
func narrows(before, after string) bool {
	for _, special := range []string{inverse, "-"} {
		if strings.HasPrefix(after, special) {
			return before == after
		}
	}
	return strings.HasPrefix(after, before)
}

// text is all cells of a row.
func (r *Rows) text(row, columns int) string {
	if r.Whole != nil {
		return strings.Join(r.Whole(row), " ")
	}
	cells := make([]string, columns)
	for c := range cells {
		cells[c] = r.Cell(row, c)
	}
	return strings.Join(cells, " ")
}

// holds says whether every word occurs in some cell of the row. One that takes
// reading is read only where what is there already does not hold them.
func (r *Rows) holds(row int, words []string, columns int) bool {
	if holdAll(words, columns, func(c int) string { return r.Cell(row, c) }) {
		return true
	}
	if r.Whole == nil {
		return false
	}
	cells := r.Whole(row)
	return holdAll(words, len(cells), func(c int) string { return cells[c] })
}

func holdAll(words []string, columns int, cell func(int) string) bool {
	for _, word := range words {
		found := false
		for c := 0; c < columns && !found; c++ {
			found = strings.Contains(strings.ToLower(cell(c)), word)
		}
		if !found {
			return false
		}
	}
	return true
}
