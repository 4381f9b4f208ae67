package widget

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"
	"k8s.io/apimachinery/pkg/labels"

	"revenant/tui/keys"
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

// LooksRegular says whether a text is taken for a regular expression: it has a character
// that no name, time or number has. A dot alone is one of a name.
func LooksRegular(text string) bool { return strings.ContainsAny(text, `|*+?^$()[]{}\`) }

// Matcher is what finds a text, in any case: a regular expression where it looks like one,
// else the text itself. The error says what is wrong with the expression.
func Matcher(text string) (func(string) bool, error) {
	if !LooksRegular(text) {
		text = strings.ToLower(text)
		return func(s string) bool { return strings.Contains(strings.ToLower(s), text) }, nil
	}
	e, err := regexp.Compile("(?i)" + text)
	if err != nil {
		var wrong *syntax.Error
		if errors.As(err, &wrong) {
			err = fmt.Errorf("%s: %s", wrong.Code, strings.TrimPrefix(wrong.Expr, "(?i)"))
		}
		return nil, fmt.Errorf("no regular expression: %w", err)
	}
	return e.MatchString, nil
}

// newFilter reads a filter as it is typed. One that is not finished, such as a
// selector, passes all rows; the error says what is missing.
func newFilter(text string, r *Rows, columns int) (filter, error) {
	if r.Sifted {
		sifted := *r
		sifted.Sifted, sifted.Labels = false, func(int) map[string]string { return nil }
		_, err := newFilter(text, &sifted, columns)
		return nil, err
	}
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
	if LooksRegular(rest) {
		matches, err := Matcher(strings.TrimSpace(rest))
		if err != nil {
			return nil, err
		}
		return func(row int) bool { return r.matches(row, matches, columns) != not }, nil
	}
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

// CheckFilter says what is wrong with a filter of these rows; nil for nothing.
func (t *Table) CheckFilter(text string) error {
	_, err := newFilter(text, &t.Rows, len(t.Columns))
	return err
}

// Passing are the rows that pass a filter, in their order; all of them where it is none.
func (r *Rows) Passing(text string, columns int) []int32 {
	passes, _ := newFilter(text, r, columns)
	list := []int32{}
	for row := range r.Count {
		if passes == nil || passes(row) {
			list = append(list, int32(row))
		}
	}
	return list
}

// narrows says whether all rows that pass the filter pass the one before, too.
func narrows(before, after string) bool {
	for _, special := range []string{inverse, "-"} {
		if strings.HasPrefix(after, special) {
			return before == after
		}
	}
	if LooksRegular(before) || LooksRegular(after) {
		return before == after
	}
	return strings.HasPrefix(after, before)
}

// text is all cells of a row.
func (r *Rows) text(row, columns int) string { return strings.Join(r.cells(row, columns), " ") }

func (r *Rows) cells(row, columns int) []string {
	if r.Whole != nil {
		return r.Whole(row)
	}
	cells := make([]string, columns)
	for c := range cells {
		cells[c] = r.Cell(row, c)
	}
	return cells
}

// matches says whether an expression matches a cell of the row, or all of it as it is read.
func (r *Rows) matches(row int, matches func(string) bool, columns int) bool {
	cells := r.cells(row, columns)
	return slices.ContainsFunc(cells, matches) || matches(strings.Join(cells, " "))
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

// namespaceTitle is the column that a namespace is looked for in.
const namespaceTitle = "NAMESPACE"

// namespaced is the column of namespaces, -1 where there is none.
func namespaced(columns []Column) int {
	return slices.IndexFunc(columns, func(c Column) bool { return c.Title == namespaceTitle })
}

// within is a filter for rows of one namespace before another filter.
func (r *Rows) within(namespace string, column int, other filter) filter {
	if namespace == "" || column < 0 {
		return other
	}
	return func(row int) bool { return r.Cell(row, column) == namespace && (other == nil || other(row)) }
}

// InNamespace shows the rows of one namespace, "" for those of all.
func (t *Table) InNamespace(name string) tea.Cmd {
	o := t.Order
	o.Namespace = name
	return t.SetOrder(o)
}

// Narrowing adds the actions that say which rows are shown.
func (t *Table) Narrowing(k keys.Set) {
	k.Offer(keys.FilterBy, keys.SortBy)
	if t.sorted == nil {
		k[keys.SortBy] = "nothing is listed yet"
	}
	if k[keys.InNamespace] = ""; namespaced(t.Columns) < 0 {
		k[keys.InNamespace] = "these rows have no namespace"
	}
	if t.Narrowed() {
		k.Offer(keys.Back)
	}
}

// Hiding adds the action that shows what is hidden, or hides it again.
func (t *Table) Hiding(k keys.Set) {
	if t.Rows.Minor == nil {
		return
	}
	if k[keys.ShowAll] = ""; t.measures.minor == 0 {
		k[keys.ShowAll] = "nothing is hidden here"
	}
}

// Narrowed says whether there is something for Loosen to take away.
func (t *Table) Narrowed() bool {
	return len(t.Marked) > 0 || t.Order.Words != "" || t.Order.Namespace != ""
}

// Loosen takes the marks away, else the filter, else the namespace.
func (t *Table) Loosen() tea.Cmd {
	o := t.Order
	switch {
	case len(t.Marked) > 0:
		clear(t.Marked)
		return nil
	case o.Words != "":
		o.Words = ""
	default:
		o.Namespace = ""
	}
	return t.SetOrder(o)
}
