package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/mattn/go-runewidth"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/util/jsonpath"

	"revenant/analyzer/objects"
	"revenant/analyzer/resources"
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
	case "go-template", "template", "go-template-file", "templatefile":
		return nil, hinted(fmt.Errorf("output %s is not there: the program would weigh a third more with it", name), "jsonpath=EXPRESSION and custom-columns=HEADER:PATH,... print fields, and -o json is for jq")
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
	var data any = map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}, "items": p.items}
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
type sortOrder struct {
	text string
	path *jsonpath.JSONPath
}

// sorted is an object with what it is sorted by.
type sorted struct {
	objects.Object
	key     any // nil is a value, too
	missing bool
}

func parseSortBy(path string) (*sortOrder, error) {
	if path == "" {
		return nil, nil
	}
	parsed, err := fieldPath(path)
	if err != nil {
		return nil, hinted(fmt.Errorf("--sort-by: %w", err), "such as .metadata.creationTimestamp")
	}
	return &sortOrder{path, parsed}, nil
}

func (o *sortOrder) of(object objects.Object, document map[string]any) (s sorted, err error) {
	s = sorted{Object: object, missing: true}
	found, err := o.path.FindResults(resources.Numbers(document))
	if err != nil {
		return s, fmt.Errorf("--sort-by: %w", err)
	}
	if len(found) == 0 || len(found[0]) == 0 {
		return s, nil
	}
	if v := found[0][0]; v.IsValid() && v.CanInterface() {
		s.key = v.Interface()
	}
	s.missing = false
	return s, nil
}

// sort sorts objects as kubectl does, those that are equal included: what has no such
// field first, numbers and quantities by their amount (kubectl v0.37 pkg/cmd/get
// sorter.go). It refuses what kubectl refuses: a field that none of them has, and what
// has no order.
func (o *sortOrder) sort(list []sorted) error {
	if len(list) > 0 && !slices.ContainsFunc(list, func(s sorted) bool { return !s.missing }) {
		return hinted(fmt.Errorf("--sort-by: none of the objects has the field %s", o.text), "-o json shows their fields")
	}
	var failed error
	sort.Sort(byLess{list, func(a, b *sorted) bool {
		if a.missing || b.missing {
			return a.missing
		}
		less, err := lessValue(a.key, b.key)
		failed = cmp.Or(failed, err)
		return less
	}})
	return failed
}

// byLess sorts with sort.Sort, whose order of equal elements is that of kubectl.
type byLess struct {
	list []sorted
	less func(a, b *sorted) bool
}

func (s byLess) Len() int           { return len(s.list) }
func (s byLess) Swap(i, j int)      { s.list[i], s.list[j] = s.list[j], s.list[i] }
func (s byLess) Less(i, j int) bool { return s.less(&s.list[i], &s.list[j]) }

func lessValue(a, b any) (bool, error) {
	if a == nil || b == nil {
		return a == nil && b != nil, nil
	}
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return x < y, nil
		}
	case float64:
		if y, ok := b.(float64); ok {
			return x < y, nil
		}
	case string:
		if y, ok := b.(string); ok {
			p, err := resource.ParseQuantity(x)
			q, err2 := resource.ParseQuantity(y)
			if err != nil || err2 != nil {
				return x < y, nil
			}
			return p.Cmp(q) < 0, nil
		}
	}
	return false, errors.New("--sort-by: the field has values that have no order")
}

// kubectlName is an object as -o name has it: pod/web-0, deployment.apps/web.
func kubectlName(o *objects.Object, decoded *kube.Object) string {
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
func (l *objectList) row(o *objects.Object, decoded *kube.Object) error {
	r := o.Resource
	if r == nil {
		r = &resources.Resource{Name: o.Key.Resource, Group: o.Key.Group}
	}
	// As kubectl, which goes on with the column once it has one.
	namespaced := l.query.query.Namespace == "" && (r.Namespaced || l.table != nil && l.table.header[0] == "NAMESPACE")
	if l.table == nil || l.table.of != r {
		if l.table != nil {
			if err := l.table.flush(l.out); err != nil {
				return err
			}
			if !l.noHeaders {
				fmt.Fprintln(l.out)
			}
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
		if i == r.NameColumn() && l.several {
			text = kubectlName(o, decoded)
		}
		if end := strings.IndexAny(text, "\f\n\r"); end >= 0 { // as cli-runtime v0.37 pkg/printers tableprinter.go
			text = text[:end] + "..."
		}
		cells = append(cells, cellText(text, maxCell))
	}
	if len(r.Columns) == 0 {
		cells = append(cells, cellText(cmp.Or(o.Key.Name, o.Record.Key), maxCell))
	}
	if l.showLabels {
		cells = append(cells, cellText(labelText(l.document(o, decoded)), maxLabels))
	}
	return l.table.add(l.out, cells)
}

// customTable is the table of -o custom-columns.
func (l *objectList) customTable() *objectTable {
	t := &objectTable{silent: l.noHeaders, always: true}
	for _, c := range l.format.columns {
		t.header = append(t.header, c.header)
	}
	return t
}

// custom adds an object to the table of -o custom-columns.
func (l *objectList) custom(document map[string]any) error {
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
	always bool // the header is written where there is no row, too
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

// The room of a column, and between it and the next (cli-runtime v0.37 pkg/printers
// tabwriter.go).
const (
	leastWidth = 6 // what is between them included
	gap        = 3
)

// flush writes the rows so far; of no table it writes nothing.
func (t *objectTable) flush(w *bufio.Writer) error {
	if t == nil {
		return nil
	}
	if t.rows == nil && t.widths == nil && t.always && !t.silent {
		t.rows = append(t.rows, t.header)
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
				line.WriteString(strings.Repeat(" ", max(t.widths[i]+gap, leastWidth)-runewidth.StringWidth(cell)))
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	t.rows = t.rows[:0]
	return w.Flush()
}
