package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

type part struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Note  string `json:"note,omitzero"`
}

type record struct {
	Text   string            `json:"text"`
	Maybe  string            `json:"maybe,omitzero"`
	Number int64             `json:"number"`
	Some   *int64            `json:"some,omitzero"`
	Share  float64           `json:"share"`
	Yes    *bool             `json:"yes,omitzero"`
	At     time.Time         `json:"at,omitzero"`
	Words  []string          `json:"words"`
	Parts  []part            `json:"parts"`
	Labels map[string]string `json:"labels"`
}

func written(t *testing.T, records []record) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := New[record](&b, "test", map[string]string{"b": "2", "a": "1"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// made are records of which every kind of column is there, null, empty and long.
func made(n int) (list []record) {
	for i := range n {
		number, yes := int64(i), i%3 == 0
		r := record{Text: fmt.Sprint("text ", i%7), Number: int64(-i), Share: float64(i) / 3, Words: []string{}, Parts: []part{}, Labels: map[string]string{}}
		if i%2 == 0 {
			r.Maybe, r.Some, r.Yes, r.At = fmt.Sprint("unique ", i), &number, &yes, time.UnixMicro(int64(i)).UTC()
		}
		for j := range i % 4 {
			r.Words = append(r.Words, strings.Repeat("w", j))
			r.Parts = append(r.Parts, part{Name: fmt.Sprint(j), Count: int64(j), Note: strings.Repeat("n", j%2)})
			r.Labels[fmt.Sprint("key", j)] = fmt.Sprint(i)
		}
		list = append(list, r)
	}
	return list
}

// TestSame wants the same rows to give the same bytes, whatever order maps have.
func TestSame(t *testing.T) {
	first := written(t, made(1000))
	for range 3 {
		if !bytes.Equal(first, written(t, made(1000))) {
			t.Fatal("other bytes")
		}
	}
}

// footer reads the metadata of a file.
func footer(t *testing.T, file []byte) *format.FileMetaData {
	t.Helper()
	if string(file[:4]) != magic || string(file[len(file)-4:]) != magic {
		t.Fatal("no Parquet file")
	}
	size := int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	var m format.FileMetaData
	if err := thrift.Unmarshal(&thrift.CompactProtocol{}, file[len(file)-8-size:len(file)-8], &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

// TestGroups wants rows beyond the memory of a row group to begin another one, in
// ranges that follow one another and cover the file.
func TestGroups(t *testing.T) {
	records := make([]record, 3000)
	for i := range records {
		records[i] = record{Text: strings.Repeat("x", 10_000) + fmt.Sprint(i), Words: []string{}, Parts: []part{}}
	}
	m := footer(t, written(t, records))
	if len(m.RowGroups) < 3 || len(m.RowGroups) > 6 {
		t.Errorf("%d row groups", len(m.RowGroups))
	}
	at, rows := int64(len(magic)), int64(0)
	for _, g := range m.RowGroups {
		for _, c := range g.Columns {
			begins := c.MetaData.DataPageOffset
			if d := c.MetaData.DictionaryPageOffset; d != 0 {
				begins = d
			}
			if begins != at {
				t.Errorf("%v begins at %d, not at %d", c.MetaData.PathInSchema, begins, at)
			}
			at += c.MetaData.TotalCompressedSize
		}
		rows += g.NumRows
	}
	if rows != int64(len(records)) || m.NumRows != rows {
		t.Errorf("%d rows, and %d", rows, m.NumRows)
	}
}

// column decodes the one page of a column of texts.
func column(t *testing.T, file []byte, name string) (list []string, chunk format.ColumnMetaData) {
	t.Helper()
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	page := func(at int64) (format.PageHeader, []byte) {
		r := bytes.NewReader(file[at:])
		var h format.PageHeader
		if err := thrift.NewDecoder((&thrift.CompactProtocol{}).NewReader(r)).Decode(&h); err != nil {
			t.Fatal(err)
		}
		begin := int64(len(file)) - int64(r.Len())
		content, err := decoder.DecodeAll(file[begin:begin+int64(h.CompressedPageSize)], nil)
		if err != nil || len(content) != int(h.UncompressedPageSize) {
			t.Fatal(err, len(content))
		}
		return h, content
	}
	texts := func(b []byte) (list []string) {
		for len(b) > 0 {
			n := binary.LittleEndian.Uint32(b)
			list, b = append(list, string(b[4:4+n])), b[4+n:]
		}
		return list
	}
	for _, c := range footer(t, file).RowGroups[0].Columns {
		if chunk = c.MetaData; chunk.PathInSchema[0] != name {
			continue
		}
		h, content := page(chunk.DataPageOffset)
		if h.DataPageHeader.V.Encoding == format.Plain {
			return texts(content), chunk
		}
		_, dictionary := page(chunk.DictionaryPageOffset)
		index, err := (&rle.DictionaryEncoding{}).DecodeInt32(nil, content)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range index[:h.DataPageHeader.V.NumValues] {
			list = append(list, texts(dictionary)[i])
		}
		return list, chunk
	}
	t.Fatalf("no column %s", name)
	return nil, chunk
}

// TestTexts reads texts back, those that recur and those that do not, and what is no
// UTF-8 or too long to be a bound.
func TestTexts(t *testing.T) {
	long := strings.Repeat("z", maxBound+1)
	for _, test := range []struct {
		name        string
		texts, want []string
		bounds      string
		dictionary  bool
	}{
		{"different", []string{"b", "a", "c"}, []string{"b", "a", "c"}, "a c", false},
		{"recurring", []string{"b", "a", "b", "a", "b", "a"}, []string{"b", "a", "b", "a", "b", "a"}, "a b", true},
		{"empty", []string{"", "", "", ""}, []string{"", "", "", ""}, " ", true},
		{"no UTF-8", []string{"a\xffb", "c"}, []string{"a\uFFFDb", "c"}, "a\uFFFDb c", false},
		{"long", []string{long, "c"}, []string{long, "c"}, " ", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var records []record
			for _, s := range test.texts {
				records = append(records, record{Text: s})
			}
			got, chunk := column(t, written(t, records), "text")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if bounds := string(chunk.Statistics.MinValue) + " " + string(chunk.Statistics.MaxValue); bounds != test.bounds {
				t.Errorf("from %q, not %q", bounds, test.bounds)
			}
			if got := chunk.DictionaryPageOffset != 0; got != test.dictionary {
				t.Errorf("a dictionary: %v", got)
			}
		})
	}
}

// TestColumns refuses a type that has no place in a table.
func TestColumns(t *testing.T) {
	var names []string
	for _, c := range Columns(reflect.TypeFor[record]()) {
		names = append(names, fmt.Sprint(c.Name, " ", c.Type, " ", c.Nullable))
	}
	want := []string{
		"text string false", "maybe string true", "number int64 false", "some int64 true", "share double false", "yes boolean true", "at timestamp true",
		"words list of string false", "parts list of groups false", "labels map of string false",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("a channel is taken for a column")
		}
	}()
	Columns(reflect.TypeFor[struct {
		C chan int `json:"c"`
	}]())
}
