package parquet

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Column is a column of a table.
type Column struct {
	Name string
	Type string // in words, such as list of string
	Doc  string
	// Nullable says that there may be nothing; a list or a map is empty instead.
	Nullable bool
	// Fields are those of the groups in a list; nil for any other column.
	Fields []Column

	shape  shape
	kind   kind
	index  int // of the field of the row, or of the group
	leaves []int
}

// shape is how many values a column has in a row.
type shape int

const (
	one    shape = iota
	list         // of values
	groups       // a list of groups of values
	pairs        // a map
)

// kind is what a value is.
type kind int

const (
	text kind = iota
	integer
	float
	boolean
	timestamp
)

var kindNames = [...]string{text: "string", integer: "int64", float: "double", boolean: "boolean", timestamp: "timestamp"}

// Columns are those of a table whose rows are structs of a type: each field is a column
// with the name of its json tag. A column may be null when the tag has omitzero, which a
// zero value then is, or when the field is a pointer. It panics on a type that has no
// place in a table.
func Columns(row reflect.Type) []Column {
	var list []Column
	for i := range row.NumField() {
		f := row.Field(i)
		list = append(list, columnOf(f, i))
	}
	return list
}

func columnOf(f reflect.StructField, index int) Column {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	c := Column{Name: name, Doc: f.Tag.Get("doc"), Nullable: options == "omitzero", index: index}
	t := f.Type
	switch {
	case t.Kind() == reflect.Pointer:
		c.Nullable, t = true, t.Elem()
	case t.Kind() == reflect.Map:
		c.shape, c.Type = pairs, "map of string"
		return c
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		c.shape, c.Type, c.Fields = groups, "list of groups", Columns(t.Elem())
		return c
	case t.Kind() == reflect.Slice:
		c.shape, t = list, t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		c.kind = timestamp
	case t.Kind() == reflect.String:
		c.kind = text
	case t.Kind() == reflect.Int64:
		c.kind = integer
	case t.Kind() == reflect.Float64:
		c.kind = float
	case t.Kind() == reflect.Bool:
		c.kind = boolean
	default:
		panic(fmt.Sprintf("a column %s of type %s", f.Name, t))
	}
	c.Type = kindNames[c.kind]
	if c.shape == list {
		c.Type = "list of " + c.Type
	}
	return c
}
