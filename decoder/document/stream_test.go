package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type embedded struct {
	First  string `json:"first"`
	Hidden string `json:"-"`
	Items  []item `json:"items"`
}

type item struct {
	Name  string         `json:"name"`
	Bytes []byte         `json:"bytes,omitempty"`
	Inner []string       `json:"inner"`
	Map   map[string]int `json:"map,omitempty"`
	At    *Time          `json:"at,omitempty"`
}

type listed []int

func (listed) MarshalJSON() ([]byte, error) { return []byte(`"a list in its own words"`), nil }

type testDocument struct {
	*embedded
	Untagged int
	Number   float64         `json:"number"`
	Big      uint64          `json:"big"`
	Nothing  *item           `json:"nothing"`
	Left     []item          `json:"left,omitempty"`
	Empty    []item          `json:"empty"`
	Any      any             `json:"any"`
	Raw      json.RawMessage `json:"raw,omitempty"`
	Bytes    []byte          `json:"bytes"`
	Listed   listed          `json:"listed"`
	Map      map[string]any  `json:"map"`
	Struct   struct{ A int } `json:"struct,omitempty"`
	Yes      []bool          `json:"yes,omitempty"`
}

// TestStreams holds what is written item by item against the same document written
// whole, to the byte.
func TestStreams(t *testing.T) {
	many := make([]item, 3*itemsAtATime+1)
	for i := range many {
		many[i] = item{Name: fmt.Sprint(i), Inner: []string{"a long text that the emitter may want to fold, for it has more than eighty columns in all", "x: y"}}
		if i%7 == 0 {
			many[i] = item{Name: "acts\x1b\u202e\"<&>\n two lines", Bytes: []byte{0, 1}, Map: map[string]int{"b\u200b": 1, "a": 2}, At: &Time{time.Unix(0, 0)}}
		}
	}
	for name, doc := range map[string]any{
		"nothing":        testDocument{},
		"a pointer":      &testDocument{Any: []int{1, 2}, Bytes: []byte("bytes"), Listed: listed{1}, Raw: json.RawMessage(`{"b":[1,{"c":2}],"a":[]}`)},
		"embedded":       testDocument{embedded: &embedded{First: "no", Hidden: "hidden"}, Number: 1e21, Big: 1 << 63},
		"lists":          &testDocument{embedded: &embedded{Items: many}, Left: many[:1], Empty: []item{}, Yes: []bool{true}},
		"acts":           &testDocument{embedded: &embedded{Items: many[:2]}, Map: map[string]any{"\u202e": "\x7f", "z": []any{nil, 1.5}}},
		"without fields": &struct{}{},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := JSON(doc, "  ")
			if err != nil {
				t.Fatal(err)
			}
			tree, err := Tree(text)
			if err != nil {
				t.Fatal(err)
			}
			asYAML, err := YAML(tree)
			if err != nil {
				t.Fatal(err)
			}
			var j, y bytes.Buffer
			if err := errors.Join(WriteJSON(&j, doc, "  "), WriteYAML(&y, doc)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(text), j.String()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(string(asYAML), y.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddedFields(t *testing.T) {
	doc, added := struct{ B int }{1}, []Field{{"added", []string{"x"}}}
	var j, y bytes.Buffer
	if err := errors.Join(WriteJSON(&j, doc, " ", added...), WriteYAML(&y, doc, added...)); err != nil {
		t.Fatal(err)
	}
	if want := "{\n \"B\": 1,\n \"added\": [\n  \"x\"\n ]\n}\n"; j.String() != want {
		t.Errorf("got %s", &j)
	}
	if want := "B: 1\nadded:\n- x\n"; y.String() != want {
		t.Errorf("got %s", &y)
	}
}

// counted counts how many of it were encoded.
type counted struct{ n *int }

func (c counted) MarshalJSON() ([]byte, error) {
	*c.n++
	return []byte(`"an item"`), nil
}

var errClosed = errors.New("closed")

// closing is a writer that takes nothing.
type closing struct{}

func (closing) Write([]byte) (int, error) { return 0, errClosed }

// TestItemByItem writes a long list to a writer that takes nothing: most of it is
// never encoded.
func TestItemByItem(t *testing.T) {
	for name, write := range map[string]func(any) error{
		"JSON": func(v any) error { return WriteJSON(closing{}, v, "  ") },
		"YAML": func(v any) error { return WriteYAML(closing{}, v) },
	} {
		t.Run(name, func(t *testing.T) {
			encoded := 0
			doc := struct{ Items []counted }{make([]counted, 100_000)}
			for i := range doc.Items {
				doc.Items[i].n = &encoded
			}
			if err := write(doc); !errors.Is(err, errClosed) {
				t.Errorf("got %v", err)
			}
			if encoded > 1000 {
				t.Errorf("%d items were encoded", encoded)
			}
		})
	}
}
