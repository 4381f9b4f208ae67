package resources

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/util/jsonpath"

	"revenant/analyzer/clock"
	"revenant/decoder/kube"
)

// crd is the part of a CustomResourceDefinition, v1 or v1beta1, that tells how its
// objects are called and printed.
type crd struct {
	Spec struct {
		Group                    string
		Scope                    string
		Names                    crdNames
		Version                  string // v1beta1, when there is one only
		Versions                 []crdVersion
		AdditionalPrinterColumns []crdColumn // v1beta1, of all versions
		SelectableFields         []crdField  // v1beta1, of all versions
		Conversion               struct{ Strategy string }
	}
	Status struct{ AcceptedNames crdNames }
}

type crdNames struct {
	Plural     string
	Singular   string
	Kind       string
	ShortNames []string
	Categories []string
}

type crdVersion struct {
	Name                     string
	Served                   bool
	Storage                  bool
	AdditionalPrinterColumns []crdColumn
	SelectableFields         []crdField
}

type crdField struct{ JSONPath string }

type crdColumn struct {
	Name     string
	Type     string
	JSONPath string
	Priority int32
}

// Limits of what is taken from a definition. kubectl itself would print any number
// of columns; no one reads more.
const (
	maxColumns = 64
	maxNames   = 64
	maxPath    = 4 << 10 // bytes of a JSONPath
	maxSteps   = 64      // of a JSONPath
)

// readDefinition reads a CustomResourceDefinition; nil when it is none.
func readDefinition(value []byte) *Resource {
	if len(value) == 0 || value[0] != '{' { // of a version that stores other than JSON
		o := kube.Decode(kube.Key{}, value)
		if o.Kind != "CustomResourceDefinition" || o.Typed == nil && o.Unstructured == nil {
			return nil
		}
		value = o.JSON(kube.PrintOptions{})
	}
	var d crd
	if err := json.Unmarshal(value, &d); err != nil || d.Spec.Group == "" || d.Spec.Names.Plural == "" {
		return nil
	}
	names := d.Spec.Names
	if accepted := d.Status.AcceptedNames; accepted.Plural == names.Plural { // what of the names was free
		names = accepted
	}
	if len(names.ShortNames) > maxNames {
		names.ShortNames = names.ShortNames[:maxNames]
	}
	if len(names.Categories) > maxNames {
		names.Categories = names.Categories[:maxNames]
	}
	if names.Singular == "" {
		names.Singular = strings.ToLower(names.Kind)
	}
	r := &Resource{
		Group: d.Spec.Group, Name: names.Plural, Kind: names.Kind, Singular: names.Singular, ShortNames: names.ShortNames, Categories: names.Categories,
		Namespaced: d.Spec.Scope != "Cluster", Custom: true, Known: true,
	}
	columns, selectable := d.Spec.AdditionalPrinterColumns, d.Spec.SelectableFields
	if best := d.version(); best != nil {
		if len(best.AdditionalPrinterColumns) > 0 {
			columns = best.AdditionalPrinterColumns
		}
		if len(best.SelectableFields) > 0 {
			selectable = best.SelectableFields
		}
	}
	for i, f := range selectable {
		if i < maxColumns && len(f.JSONPath) <= maxPath {
			r.Fields = append(r.Fields, strings.TrimPrefix(f.JSONPath, "."))
		}
	}
	p := printerOfColumns(columns)
	r.Columns, r.values = p.columns, p.values
	return r
}

// version is the version that kubectl asks for: the newest one that is served, by the
// order of kube-aware versions. Where a webhook converts between versions, that would
// print what the webhook makes of the stored object; then the stored version is
// right. It is nil where there is none.
func (d *crd) version() (best *crdVersion) {
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		switch {
		case d.Spec.Conversion.Strategy == "Webhook":
			if v.Storage {
				best = v
			}
		case v.Served && (best == nil || version.CompareKubeAwareVersionStrings(v.Name, best.Name) > 0):
			best = v
		}
	}
	return best
}

// customColumn is a column of a custom resource.
type customColumn struct {
	kind string             // string, integer, number, boolean or date
	path *jsonpath.JSONPath // nil for one that is not followed; evaluating one changes nothing of it, as none has a range
}

// printerOfColumns makes the printer of a custom resource.
func printerOfColumns(columns []crdColumn) printer {
	if len(columns) == 0 {
		return plain(true)
	}
	if len(columns) > maxColumns {
		columns = columns[:maxColumns]
	}
	p := printer{columns: []Column{{Name: "Name"}}}
	paths := make([]customColumn, len(columns))
	for i, c := range columns {
		p.columns = append(p.columns, Column{c.Name, c.Priority > 0})
		paths[i] = customColumn{c.Type, parsePath(c.JSONPath)}
	}
	p.values = func(o *kube.Object, _ clock.Interval) ([]any, error) {
		if o.Unstructured == nil {
			if o.Problem != nil {
				return nil, o.Problem
			}
			return nil, errors.New("not stored as a custom resource")
		}
		content := Numbers(o.Unstructured)
		values := []any{o.Name}
		for i := range paths {
			values = append(values, paths[i].value(content))
		}
		return values, nil
	}
	return p
}

// parsePath parses the JSONPath of a column. It returns nil for one that is
// malformed, and for one that could find more values than the object has: a union
// can name the same again, and what descends may only do so once. No column needs
// either.
func parsePath(text string) *jsonpath.JSONPath {
	if text == "" || len(text) > maxPath {
		return nil
	}
	text = "{" + text + "}"
	parsed, err := jsonpath.Parse("column", text)
	if err != nil {
		return nil
	}
	steps, descents := 0, 0
	if !bounded(parsed.Root, &steps, &descents) {
		return nil
	}
	path := jsonpath.New("column").AllowMissingKeys(true)
	if path.Parse(text) != nil {
		return nil
	}
	return path
}

func bounded(node jsonpath.Node, steps, descents *int) bool {
	if *steps++; *steps > maxSteps {
		return false
	}
	switch n := node.(type) {
	case *jsonpath.ListNode:
		return !slices.ContainsFunc(n.Nodes, func(n jsonpath.Node) bool { return !bounded(n, steps, descents) })
	case *jsonpath.FilterNode:
		return bounded(n.Left, steps, descents) && bounded(n.Right, steps, descents)
	case *jsonpath.RecursiveNode:
		*descents++
		return *descents == 1
	case *jsonpath.UnionNode, *jsonpath.IdentifierNode: // a,b and range … end
		return false
	}
	return true
}

// value is what stands in the column, nil where the object has nothing there
// (apiextensions-apiserver v0.37 pkg/registry/customresource/tableconvertor).
func (c *customColumn) value(content map[string]any) (value any) {
	if c.path == nil {
		return invalid
	}
	defer func() { // the path and the object are evidence, and the evaluator is made for neither
		if recover() != nil {
			value = invalid
		}
	}()
	found, err := c.path.FindResults(content)
	if err != nil || len(found) == 0 || len(found[0]) == 0 {
		return nil
	}
	first := found[0][0]
	if !first.IsValid() || first.Kind() == reflect.Interface && first.IsNil() {
		return nil
	}
	if c.kind == "string" {
		var b bytes.Buffer
		if err := c.path.PrintResults(&b, []reflect.Value{reflect.ValueOf(first.Interface())}); err != nil {
			return nil
		}
		return b.String()
	}
	return jsonCell(c.kind, first.Interface())
}

// jsonCell mirrors cellForJSONValue: a value of another type than the column's is
// not shown.
func jsonCell(kind string, value any) any {
	switch v := value.(type) {
	case int64:
		switch kind {
		case "integer":
			return v
		case "number":
			return float64(v)
		}
	case float64:
		switch {
		case kind == "integer" && math.Abs(v) < math.MaxInt64:
			return int64(v)
		case kind == "number":
			return v
		}
	case bool:
		if kind == "boolean" {
			return v
		}
	case string:
		if kind == "date" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				return invalid
			}
			return metav1.NewTime(t)
		}
	}
	return nil
}

// Numbers is a copy of content with its numbers as the API server has them: integers, or
// else floating.
func Numbers(content map[string]any) map[string]any {
	copied, _ := numbered(content).(map[string]any)
	return copied
}

func numbered(value any) any {
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = numbered(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = numbered(item)
		}
		return list
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return string(v)
	}
	return value
}

// definitionValues mirrors the table of apiextensions-apiserver v0.37
// pkg/registry/customresourcedefinition/tableconvertor.
func definitionValues(o *kube.Object, _ clock.Interval) ([]any, error) {
	served, err := o.Served()
	if err != nil {
		return nil, err
	}
	d, err := kube.As[*apiextensionsv1.CustomResourceDefinition](served)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, v := range d.Spec.Versions {
		switch {
		case v.Served && v.Storage:
			versions = append(versions, v.Name+"(storage)")
		case v.Served:
			versions = append(versions, v.Name)
		}
	}
	slices.Sort(versions)
	established := slices.ContainsFunc(d.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
	return []any{
		d.Name, string(d.Spec.Scope), strings.Join(versions, ","), plainTime{d.CreationTimestamp},
		d.Spec.Group, d.Spec.Names.Kind, strings.Join(d.Spec.Names.ShortNames, ","), established,
	}, nil
}
