package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fvbommel/sortorder"
	"github.com/mattn/go-runewidth"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/util/jsonpath"

	"revenant/analyzer/resources"
	"revenant/analyzer/selection"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/internal/outfile"
)

// getFormat is how objects are written, and where.
type getFormat struct {
	name    string         // table and wide are tables
	place   *outfile.Place // nil for standard output
	path    *pathPrinter
	columns []customColumn
}

// customColumn is one of -o custom-columns.
type customColumn struct {
	header string
	path   *jsonpath.JSONPath
}

const getFormatsHint = "the formats are table, wide, name, json, yaml, jsonpath=EXPRESSION, jsonpath-as-json=EXPRESSION and custom-columns=HEADER:PATH,..."

func parseGetFormats(guard *outfile.Guard, outputs []string) (list []*getFormat, err error) {
	if len(outputs) == 0 {
		outputs = []string{"table"}
	}
	for _, output := range outputs {
		f, err := parseGetFormat(guard, output)
		if err != nil {
			return nil, err
		}
		if f.place == nil && slices.ContainsFunc(list, func(f *getFormat) bool { return f.place == nil }) {
			return nil, hinted(errors.New("two outputs for standard output"), "give all but one a file: -o json=FILE")
		}
		list = append(list, f)
	}
	return list, nil
}

func parseGetFormat(guard *outfile.Guard, output string) (f *getFormat, err error) {
	name, argument, has := strings.Cut(output, "=")
	f = &getFormat{name: name}
	switch name {
	case "table", "wide", "name", "json", "yaml":
		if has && argument == "" {
			return nil, fmt.Errorf("output %q names no file", output)
		}
		if has {
			f.place, err = guard.Place(argument, outfile.Follow)
		}
		return f, err
	case "jsonpath", "jsonpath-as-json":
		f.name = "jsonpath"
		path := jsonpath.New("output").AllowMissingKeys(true)
		path.EnableJSONOutput(name == "jsonpath-as-json")
		if err := path.Parse(argument); err != nil || argument == "" {
			return nil, hinted(fmt.Errorf("--output %s: %w", name, cmp.Or(err, io.ErrUnexpectedEOF)), "such as jsonpath='{.items[*].metadata.name}'")
		}
		f.path = &pathPrinter{path: path}
	case "custom-columns":
		for column := range strings.SplitSeq(argument, ",") {
			header, path, ok := strings.Cut(column, ":")
			parsed, err := fieldPath(path)
			if !ok || err != nil {
				return nil, hinted(fmt.Errorf("--output custom-columns: %q is not HEADER:PATH", column), "such as custom-columns=NAME:.metadata.name,NODE:.spec.nodeName")
			}
			f.columns = append(f.columns, customColumn{header, parsed})
		}
	default:
		return nil, hinted(fmt.Errorf("unknown output format %q", name), getFormatsHint)
	}
	return f, nil
}

// fieldForm is a path as kubectl takes it, with or without braces and the first dot
// (cli-runtime v0.37 pkg/get RelaxedJSONPathExpression).
var fieldForm = regexp.MustCompile(`^\{\.?([^{}]+)\}$|^\.?([^{}]+)$`)

func fieldPath(path string) (*jsonpath.JSONPath, error) {
	m := fieldForm.FindStringSubmatch(path)
	if m == nil {
		return nil, fmt.Errorf("%q is no path of a field", path)
	}
	parsed := jsonpath.New("field").AllowMissingKeys(true)
	return parsed, parsed.Parse("{." + m[1] + m[2] + "}")
}

// pathPrinter collects objects for an expression, which is asked of all of them.
type pathPrinter struct {
	path  *jsonpath.JSONPath
	items []any
}

func (p *pathPrinter) add(document map[string]any) error {
	p.items = append(p.items, resources.Numbers(document))
	return nil
}

func (p *pathPrinter) write(w io.Writer, alone bool) error {
	var data any = map[string]any{"apiVersion": "v1", "kind": "List", "items": p.items}
	if alone && len(p.items) == 1 {
		data = p.items[0]
	}
	var out bytes.Buffer
	if err := p.path.Execute(&out, data); err != nil {
		return fmt.Errorf("--output jsonpath: %w", err)
	}
	_, err := io.WriteString(w, sanitize.WholeText(out.String()))
	return err
}

// sortOrder is what --sort-by asks for.
type sortOrder struct{ path *jsonpath.JSONPath }

// sorted is an object with what it is sorted by.
type sorted struct {
	selection.Object
	key any // nil where it has no such field
}

func parseSortBy(path string) (*sortOrder, error) {
	if path == "" {
		return nil, nil
	}
	parsed, err := fieldPath(path)
	if err != nil {
		return nil, hinted(fmt.Errorf("--sort-by: %w", err), "such as .metadata.creationTimestamp")
	}
	return &sortOrder{parsed}, nil
}

func (o *sortOrder) key(document map[string]any) (any, error) {
	found, err := o.path.FindResults(resources.Numbers(document))
	if err != nil {
		return nil, fmt.Errorf("--sort-by: %w", err)
	}
	if len(found) == 0 || len(found[0]) == 0 {
		return nil, nil
	}
	v := found[0][0]
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() || !v.CanInterface() {
		return nil, nil
	}
	return v.Interface(), nil
}

// compareKeys orders as kubectl does: what has no such field first, numbers and
// quantities by their amount, other text with the numbers in it by theirs (kubectl v0.37
// pkg/cmd/get sorter.go).
func compareKeys(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(number(a != nil), number(b != nil))
	}
	x, isX := amount(a)
	y, isY := amount(b)
	if isX && isY {
		return x.Cmp(y)
	}
	s, t := fmt.Sprint(a), fmt.Sprint(b)
	switch {
	case sortorder.NaturalLess(s, t):
		return -1
	case sortorder.NaturalLess(t, s):
		return 1
	}
	return 0
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}

func amount(v any) (resource.Quantity, bool) {
	switch v := v.(type) {
	case int64:
		return *resource.NewQuantity(v, resource.DecimalSI), true
	case float64:
		q, err := resource.ParseQuantity(strconv.FormatFloat(v, 'f', -1, 64))
		return q, err == nil
	case string:
		q, err := resource.ParseQuantity(v)
		return q, err == nil
	}
	return resource.Quantity{}, false
}

// kubectlName is an object as -o name has it: pod/web-0, deployment.apps/web.
func kubectlName(o *selection.Object, decoded *kube.Object) string {
	if o.Key.Name == "" {
		return sanitize.Line(o.Record.Key)
	}
	kind, group := o.Key.Resource, o.Key.Group
	if r := o.Resource; r != nil {
		kind, group = cmp.Or(r.Singular, kind), r.Group
	} else if decoded.Kind != "" {
		kind = strings.ToLower(decoded.Kind)
	}
	if group != "" {
		kind += "." + group
	}
	return sanitize.Line(kind + "/" + o.Key.Name)
}

// The most bytes that a cell takes: what stands in it is evidence.
const (
	maxCell   = 256
	maxLabels = 1024
	blockRows = 1000 // rows that are aligned together
)

// row adds an object to the table of its resource.
func (l *objectList) row(o *selection.Object, decoded *kube.Object) error {
	r := o.Resource
	if r == nil {
		r = &resources.Resource{Name: o.Key.Resource, Group: o.Key.Group}
	}
	namespaced := l.query.query.Namespace == "" && r.Namespaced
	if l.table == nil || l.table.of != r {
		if l.table != nil {
			if err := l.table.flush(l.out); err != nil {
				return err
			}
			fmt.Fprintln(l.out)
		}
		l.table = &objectTable{of: r, silent: l.noHeaders}
		if namespaced {
			l.table.header = append(l.table.header, "NAMESPACE")
		}
		for _, c := range r.Columns {
			if !c.Wide || l.format.name == "wide" {
				l.table.header = append(l.table.header, cellText(strings.ToUpper(c.Name), maxCell)) // of a definition, which is evidence
			}
		}
		if len(r.Columns) == 0 {
			l.table.header = append(l.table.header, "NAME")
		}
		if l.showLabels {
			l.table.header = append(l.table.header, "LABELS")
		}
	}
	var cells []string
	if namespaced {
		cells = append(cells, cellText(o.Key.Namespace, maxCell))
	}
	for i, c := range r.Cells(decoded, l.now) {
		if i >= len(r.Columns) || r.Columns[i].Wide && l.format.name != "wide" {
			continue
		}
		text := c.Text
		if i == r.NameColumn() && l.query.query.Several() {
			text = kubectlName(o, decoded)
		}
		cells = append(cells, cellText(text, maxCell))
	}
	if len(r.Columns) == 0 {
		cells = append(cells, cellText(cmp.Or(o.Key.Name, o.Record.Key), maxCell))
	}
	if l.showLabels {
		cells = append(cells, cellText(labelText(l.document(decoded)), maxLabels))
	}
	return l.table.add(l.out, cells)
}

// custom adds an object to the table of -o custom-columns.
func (l *objectList) custom(document map[string]any) error {
	if l.table == nil {
		l.table = &objectTable{silent: l.noHeaders}
		for _, c := range l.format.columns {
			l.table.header = append(l.table.header, c.header)
		}
	}
	data := resources.Numbers(document)
	var cells []string
	for _, c := range l.format.columns {
		found, err := c.path.FindResults(data)
		var values []string
		for _, results := range found {
			for _, v := range results {
				values = append(values, fmt.Sprint(v.Interface()))
			}
		}
		if err != nil || len(values) == 0 {
			values = []string{"<none>"}
		}
		cells = append(cells, cellText(strings.Join(values, ","), maxLabels))
	}
	return l.table.add(l.out, cells)
}

func cellText(s string, most int) string { return sanitize.Short(s, most) }

// labelText is the labels of an object as kubectl shows them.
func labelText(document map[string]any) string {
	metadata, _ := document["metadata"].(map[string]any)
	set, _ := metadata["labels"].(map[string]any)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		list = append(list, fmt.Sprintf("%s=%v", name, set[name]))
	}
	return cmp.Or(strings.Join(list, ","), "<none>")
}

// objectTable aligns rows some at a time, so that the first are there soon and all of
// them take little memory. Columns only grow.
type objectTable struct {
	of     *resources.Resource
	header []string
	silent bool // no header
	rows   [][]string
	widths []int
}

func (t *objectTable) add(w *bufio.Writer, cells []string) error {
	if t.rows == nil && t.widths == nil && !t.silent {
		t.rows = append(t.rows, t.header)
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) >= blockRows {
		return t.flush(w)
	}
	return nil
}

// flush writes the rows so far; of no table it writes nothing.
func (t *objectTable) flush(w *bufio.Writer) error {
	if t == nil {
		return nil
	}
	if t.widths == nil {
		t.widths = make([]int, len(t.header))
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", t.widths[i]-runewidth.StringWidth(cell)+3))
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return w.Flush()
}
