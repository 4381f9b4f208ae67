package resources

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
)

// printer prints the objects of a resource: its columns, and the values that stand
// in them.
type printer struct {
	columns []Column
	values  func(*kube.Object, clock.Interval) ([]any, error)
}

// printerOf makes the printer of a built-in type. Names of columns are separated by
// two spaces; a plus stands before those that are wide.
func printerOf[T any](columns string, values func(*T) []any) printer {
	return timed(columns, func(o *T, _ clock.Interval) []any { return values(o) })
}

// timed is printerOf for values that hold more than one age.
func timed[T any](columns string, values func(*T, clock.Interval) []any) printer {
	return printer{parseColumns(columns), func(o *kube.Object, now clock.Interval) ([]any, error) {
		obj, err := o.Newest()
		if err != nil {
			return nil, err
		}
		typed, ok := any(obj).(*T)
		if !ok {
			return nil, fmt.Errorf("%w: %q of %q", kube.ErrWrongKind, o.Kind, o.APIVersion)
		}
		return values(typed, now), nil
	}}
}

func parseColumns(text string) []Column {
	var list []Column
	for name := range strings.SplitSeq(text, "  ") {
		name, wide := strings.CutPrefix(name, "+")
		list = append(list, Column{name, wide})
	}
	return list
}

// plain prints what has no columns of its own: by name and age, or by name and the
// time of creation, as an API server does that has no printer for a type
// (apiserver v0.37 pkg/registry/rest/table.go).
func plain(age bool) printer {
	p := printer{columns: parseColumns("Name  Created At")}
	if age {
		p.columns = parseColumns("Name  Age")
	}
	p.values = func(o *kube.Object, _ clock.Interval) ([]any, error) {
		created, err := created(o)
		if err != nil {
			return nil, err
		}
		if age {
			return []any{o.Name, created}, nil
		}
		return []any{o.Name, plainTime{created}}, nil
	}
	return p
}

// keyOnly prints a key that holds no API object.
var keyOnly = printer{columns: parseColumns("Name"), values: func(o *kube.Object, _ clock.Interval) ([]any, error) { return []any{o.Key.Name}, nil }}

// created is when an object of any kind was created.
func created(o *kube.Object) (metav1.Time, error) {
	var t metav1.Time
	if o.Typed != nil {
		if m, err := meta.Accessor(o.Typed); err == nil {
			return m.GetCreationTimestamp(), nil
		}
	}
	if o.Unstructured == nil {
		if o.Problem != nil {
			return t, o.Problem
		}
		return t, fmt.Errorf("no metadata")
	}
	metadata, _ := o.Unstructured["metadata"].(map[string]any)
	if text, ok := metadata["creationTimestamp"].(string); ok {
		_ = t.UnmarshalQueryParameter(text) // stays unknown
	}
	return t, nil
}

// The texts that values are made of.

// some is text, or none.
func some(text string) string {
	if text == "" {
		return none
	}
	return text
}

// set is what a pointer points to, or unset.
func set[T any](p *T) any {
	if p == nil {
		return unset
	}
	return *p
}

// given is what a pointer points to, or another value.
func given[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// firstOf joins the first few of a list of which there is no more in sight.
func firstOf(most int, list []string, sep, empty string) string {
	if len(list) == 0 {
		return empty
	}
	if len(list) > most {
		return fmt.Sprintf("%s + %d more...", strings.Join(list[:most], sep), len(list)-most)
	}
	return strings.Join(list, sep)
}

// joined names the items of a list.
func joined[T any](list []T, name func(*T) string) string {
	names := make([]string, len(list))
	for i := range list {
		names[i] = name(&list[i])
	}
	return strings.Join(names, ",")
}

// unique sorts a list and leaves out what is there twice.
func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
