// Package parquet writes tables as Parquet files.
//
// It takes rows, structs whose fields are the columns (Columns), and writes one file
// with pages of version 1 compressed with zstd, which DuckDB, Trino and Spark read.
// The same rows give the same bytes. What is held in memory is one row group, of
// some megabytes, however many rows there are, and a few hundred bytes for each row
// group in the end.
//
// Text is written as UTF-8: what is none is replaced. It refuses rows of another
// type, and types that have no place in a table.
//
// The layout follows https://github.com/apache/parquet-format. Its metadata, levels
// and dictionary indexes are encoded by parquet-go; pages and row groups are put
// together here, because the whole of that library weighs 8 MB in the program.
package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	magic = "PAR1"
	// maxGroup is how much memory the rows of a row group take at most, about, in bytes.
	maxGroup = 8 << 20
)

// Writer writes one file. Close completes it.
type Writer[Row any] struct {
	w       io.Writer
	offset  int64
	columns []Column
	leaves  []leaf
	rows    int64 // of the row group
	size    int   // of the leaves, as of the row last looked at
	encoder *zstd.Encoder
	file    format.FileMetaData
	page    []byte
	packed  []byte
}

// lookEvery is after how many rows the size of a row group is computed.
const lookEvery = 64

// New begins a file. createdBy names the program, and labels are kept in the file.
func New[Row any](w io.Writer, createdBy string, labels map[string]string) (*Writer[Row], error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	p := &Writer[Row]{w: w, encoder: encoder, columns: Columns(reflect.TypeFor[Row]())}
	p.file.Version, p.file.CreatedBy = 2, createdBy
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		p.file.KeyValueMetadata = append(p.file.KeyValueMetadata, format.KeyValue{Key: name, Value: labels[name]})
	}
	p.schema()
	return p, p.write([]byte(magic))
}

func (p *Writer[Row]) write(b []byte) error {
	n, err := p.w.Write(b)
	p.offset += int64(n)
	return err
}

// schema lists the elements of the file's schema, and makes the leaves.
func (p *Writer[Row]) schema() {
	p.file.Schema = append(p.file.Schema, format.SchemaElement{Name: "row", NumChildren: thrift.New(int32(len(p.columns)))})
	for i := range p.columns {
		c := &p.columns[i]
		switch c.shape {
		case one:
			c.leaves = append(c.leaves, p.leaf(c.Name, c.kind, c.Nullable, false, c.Name))
		case list:
			p.group(c.Name, format.Required, 1, deprecated.List, &format.ListType{})
			p.group("list", format.Repeated, 1, -1, nil)
			c.leaves = append(c.leaves, p.leaf("element", c.kind, false, true, c.Name, "list", "element"))
		case groups:
			p.group(c.Name, format.Required, 1, deprecated.List, &format.ListType{})
			p.group("list", format.Repeated, 1, -1, nil)
			p.group("element", format.Required, len(c.Fields), -1, nil)
			for _, f := range c.Fields {
				c.leaves = append(c.leaves, p.leaf(f.Name, f.kind, f.Nullable, true, c.Name, "list", "element", f.Name))
			}
		case pairs:
			p.group(c.Name, format.Required, 1, deprecated.Map, &format.MapType{})
			p.group("key_value", format.Repeated, 2, -1, nil)
			for _, name := range []string{"key", "value"} {
				c.leaves = append(c.leaves, p.leaf(name, text, false, true, c.Name, "key_value", name))
			}
		}
	}
	for range p.leaves {
		p.file.ColumnOrders = append(p.file.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
}

func (p *Writer[Row]) group(name string, repetition format.FieldRepetitionType, children int, converted deprecated.ConvertedType, logical format.LogicalTypeValue) {
	e := format.SchemaElement{Name: name, RepetitionType: thrift.New(repetition), NumChildren: thrift.New(int32(children))}
	if logical != nil {
		e.ConvertedType, e.LogicalType.Value = thrift.New(converted), logical
	}
	p.file.Schema = append(p.file.Schema, e)
}

func (p *Writer[Row]) leaf(name string, k kind, nullable, listed bool, path ...string) int {
	e := format.SchemaElement{Name: name, Type: thrift.New(k.physical()), RepetitionType: thrift.New(format.Required)}
	if nullable {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch k {
	case text:
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.UTF8), &format.StringType{}
	case timestamp:
		unit := format.TimeUnit{Value: &format.MicroSeconds{}}
		e.ConvertedType, e.LogicalType.Value = thrift.New(deprecated.TimestampMicros), &format.TimestampType{IsAdjustedToUTC: true, Unit: unit}
	}
	p.file.Schema = append(p.file.Schema, e)
	p.leaves = append(p.leaves, leaf{path: path, kind: k, nullable: nullable, listed: listed})
	return len(p.leaves) - 1
}

// Write writes a row.
func (p *Writer[Row]) Write(row *Row) error {
	v := reflect.ValueOf(row).Elem()
	for i := range p.columns {
		c := &p.columns[i]
		p.add(c, v.Field(c.index))
	}
	p.rows++
	if p.rows%lookEvery == 0 {
		if p.size = 0; p.full() {
			return p.flush()
		}
	}
	return nil
}

func (p *Writer[Row]) full() bool {
	for i := range p.leaves {
		p.size += p.leaves[i].size()
	}
	return p.size >= maxGroup
}

// add takes what a row has of a column.
func (p *Writer[Row]) add(c *Column, v reflect.Value) {
	if c.shape == one {
		p.leaves[c.leaves[0]].add(v, 0)
		return
	}
	if v.Len() == 0 {
		for _, i := range c.leaves {
			p.leaves[i].level(0, 0)
		}
		return
	}
	if c.shape == pairs {
		all := v.Interface().(map[string]string)
		repetition := byte(0)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			for i, s := range []string{name, all[name]} {
				l := &p.leaves[c.leaves[i]]
				l.level(repetition, 1)
				l.text(s)
			}
			repetition = 1
		}
		return
	}
	for n := range v.Len() {
		item, repetition := v.Index(n), byte(min(n, 1))
		if c.shape == list {
			p.leaves[c.leaves[0]].add(item, repetition)
			continue
		}
		for i, f := range c.Fields {
			p.leaves[c.leaves[i]].add(item.Field(f.index), repetition)
		}
	}
}

// flush writes the rows so far as a row group.
func (p *Writer[Row]) flush() error {
	if p.rows == 0 {
		return nil
	}
	g := format.RowGroup{NumRows: p.rows, FileOffset: p.offset, Ordinal: int16(min(len(p.file.RowGroups), 1<<15-1))}
	for i := range p.leaves {
		chunk, err := p.chunk(&p.leaves[i])
		if err != nil {
			return err
		}
		g.Columns = append(g.Columns, chunk)
		g.TotalByteSize += chunk.MetaData.TotalUncompressedSize
		g.TotalCompressedSize += chunk.MetaData.TotalCompressedSize
		p.leaves[i].clear()
	}
	p.file.RowGroups = append(p.file.RowGroups, g)
	p.file.NumRows += p.rows
	p.rows, p.size = 0, 0
	return nil
}

// chunk writes the values of a leaf: its dictionary, if it has one, and one page.
func (p *Writer[Row]) chunk(l *leaf) (c format.ColumnChunk, err error) {
	m := format.ColumnMetaData{
		Type: l.kind.physical(), PathInSchema: l.path, Codec: format.Zstd, NumValues: int64(l.rows), Statistics: l.statistics(),
		Encoding: []format.Encoding{format.RLE},
	}
	if l.dictionary() {
		m.DictionaryPageOffset = p.offset
		p.page = p.page[:0]
		for _, s := range l.texts {
			p.page = appendText(p.page, s)
		}
		header := format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(len(l.texts)), Encoding: format.Plain})}
		if err := p.put(&m, header); err != nil {
			return c, err
		}
		m.Encoding = append(m.Encoding, format.Plain)
	}
	if p.page, err = l.levels(p.page[:0]); err != nil {
		return c, err
	}
	var encoding format.Encoding
	if p.page, encoding, err = l.values(p.page); err != nil {
		return c, err
	}
	m.Encoding = append(m.Encoding, encoding)
	m.DataPageOffset = p.offset
	header := format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: int32(l.rows), Encoding: encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
	})}
	if err := p.put(&m, header); err != nil {
		return c, err
	}
	return format.ColumnChunk{MetaData: m}, nil
}

// put compresses and writes the page.
func (p *Writer[Row]) put(m *format.ColumnMetaData, header format.PageHeader) error {
	p.packed = p.encoder.EncodeAll(p.page, p.packed[:0])
	if int64(len(p.page)) > 1<<30 {
		return fmt.Errorf("a page of %d bytes", len(p.page))
	}
	header.UncompressedPageSize, header.CompressedPageSize = int32(len(p.page)), int32(len(p.packed))
	encoded, err := thrift.Marshal(&thrift.CompactProtocol{}, &header)
	if err != nil {
		return err
	}
	m.TotalUncompressedSize += int64(len(encoded) + len(p.page))
	m.TotalCompressedSize += int64(len(encoded) + len(p.packed))
	if err := p.write(encoded); err != nil {
		return err
	}
	return p.write(p.packed)
}

// Close writes what is left, and the metadata.
func (p *Writer[Row]) Close() error {
	if err := p.flush(); err != nil {
		return err
	}
	footer, err := thrift.Marshal(&thrift.CompactProtocol{}, &p.file)
	if err != nil {
		return err
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return p.write(append(footer, magic...))
}
