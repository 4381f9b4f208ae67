package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	data "revenant/decoder/document"
	"revenant/internal/golden"
	"revenant/report"
)

// schemas are the documents by kind, and the line of a timeline, which has none.
var schemas = map[string]any{
	"Inspection": report.Inspection{}, "Salvage": report.Salvage{}, "History": report.History{}, "Who": report.Who{}, "Carving": report.Carving{},
	"Difference": struct {
		diffDocument
		Objects []diffObject `json:"objects"`
		diffSummary
	}{},
	"Storage": report.Storage{}, "Prediction": report.Prediction{}, "Preflight": report.Preflight{}, "PlanComparison": report.PlanComparison{},
	"Verification": report.Verification{}, "Runbook": report.Runbook{}, "Report": report.Report{},
	"": revisionRow{},
}

// TestSchemas keeps docs/schema equal to the types of the documents. Documents are held
// against it by the tests of oracle.
func TestSchemas(t *testing.T) {
	dir := filepath.Join(repository, "docs/schema")
	written := []string{}
	for kind, doc := range schemas {
		name := kind + ".json"
		if kind == "" {
			name = "timeline-line.json"
		}
		written = append(written, name)
		want, err := json.MarshalIndent(schemaOf(kind, name, reflect.TypeOf(doc)), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, '\n')
		golden.Equal(t, filepath.Join(dir, name), string(want))
	}
	there, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if !slices.Contains(written, filepath.Base(path)) {
			t.Errorf("%s is of no document", path)
		}
	}
}

// schema is a part of a JSON Schema.
type schema map[string]any

// schemaMaker makes the definitions of types that have a name.
type schemaMaker struct {
	defs  schema
	names map[reflect.Type]string
}

// schemaOf is the JSON Schema (2020-12) of a document.
func schemaOf(kind, name string, doc reflect.Type) schema {
	m := schemaMaker{schema{}, map[reflect.Type]string{}}
	s := m.object(doc)
	properties := s["properties"].(schema)
	if kind != "" {
		properties["kind"], properties["schemaVersion"] = schema{"const": kind}, schema{"const": report.SchemaVersion}
	}
	for name, p := range properties { // the parts of a report are all there
		if either, ok := p.(schema)["anyOf"]; ok && kind == "Report" {
			properties[name] = either.([]schema)[0]
		}
	}
	properties["unwritable"] = m.of(reflect.TypeFor[[]unwritable]())
	s["$schema"], s["$id"], s["title"], s["$defs"] = "https://json-schema.org/draft/2020-12/schema", name, kind, m.defs
	if kind == "" {
		s["title"] = "A line of revenant timeline -o jsonl"
	}
	return s
}

// of is the schema of a type as encode.go writes it: no list and no map is null.
func (m *schemaMaker) of(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[data.Time](), reflect.TypeFor[time.Time]():
		return schema{"type": []string{"string", "null"}, "format": "date-time"}
	case reflect.TypeFor[restore.Restart]():
		return schema{"oneOf": []schema{{"enum": []string{"all", "none"}}, {"type": "array", "items": schema{"type": "string"}}}}
	case reflect.TypeFor[preflight.Age]():
		return schema{"type": "string"}
	case reflect.TypeFor[json.RawMessage]():
		return schema{}
	}
	if t.Implements(reflect.TypeFor[json.Marshaler]()) && t.Kind() != reflect.Pointer {
		panic(fmt.Sprintf("%s encodes itself, and nothing says how", t))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schema{"anyOf": []schema{m.of(t.Elem()), {"type": "null"}}}
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return schema{"type": "string", "contentEncoding": "base64"}
		}
		return schema{"type": "array", "items": m.of(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": m.of(t.Elem())}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Float32, reflect.Float64:
		return schema{"type": "number"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return schema{"type": "integer", "minimum": 0}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Interface:
		return schema{}
	case reflect.Struct:
		return m.ref(t)
	}
	panic(fmt.Sprintf("%s has no schema", t))
}

// ref points to the definition of a struct.
func (m *schemaMaker) ref(t reflect.Type) schema {
	if t.Name() == "" {
		return m.object(t)
	}
	name, ok := m.names[t]
	if !ok {
		name = t.Name()
		for n := 1; m.defs[name] != nil; n++ {
			name = strings.TrimSuffix(fmt.Sprintf("%s.%s%d", filepath.Base(t.PkgPath()), t.Name(), n), "1")
		}
		m.names[t] = name
		m.defs[name] = schema{} // before what it holds, which may be of its type
		m.defs[name] = m.object(t)
	}
	return schema{"$ref": "#/$defs/" + name}
}

// object is the schema of a struct's fields.
func (m *schemaMaker) object(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	m.fields(t, properties, &required)
	slices.Sort(required)
	return schema{"type": "object", "properties": properties, "required": required}
}

// fields adds those of a struct. Its own go before those of what it embeds.
func (m *schemaMaker) fields(t reflect.Type, properties schema, required *[]string) {
	var embedded []reflect.Type
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
			continue
		case f.Anonymous && name == "" && inner.Kind() == reflect.Struct && !reflect.PointerTo(inner).Implements(reflect.TypeFor[json.Marshaler]()):
			embedded = append(embedded, inner)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		if _, there := properties[name]; there {
			continue
		}
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		typ := f.Type
		if optional && typ.Kind() == reflect.Pointer { // nil is left out
			typ = typ.Elem()
		}
		properties[name] = m.of(typ)
		if !optional {
			*required = append(*required, name)
		}
	}
	for _, inner := range embedded {
		m.fields(inner, properties, required)
	}
}
