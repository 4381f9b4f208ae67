package export

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"

	"revenant/decoder/document"
	"revenant/export/parquet"
)

// Format is how tables are written.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	NDJSON  Format = "ndjson" // a JSON object a line
)

// Formats are all formats.
var Formats = []Format{Parquet, NDJSON}

// Sink takes the rows of a table.
type Sink[Row any] struct {
	rows  int64
	write func(*Row) error
	close func() error
}

// Write writes a row.
func (s *Sink[Row]) Write(row *Row) error {
	s.rows++
	return s.write(row)
}

// Rows counts the rows that were written.
func (s *Sink[Row]) Rows() int64 { return s.rows }

func (s *Sink[Row]) end() error { return s.close() }

// Sinks are those of all tables, for one snapshot.
type Sinks struct {
	Snapshots   *Sink[Snapshot]
	Objects     *Sink[Object]
	Revisions   *Sink[Revision]
	Nodes       *Sink[Node]
	Pods        *Sink[Pod]
	Containers  *Sink[Container]
	Images      *Sink[Image]
	Predictions *Sink[Prediction]
	Checks      *Sink[Check]
}

// ender is a Sink of any table.
type ender interface {
	end() error
	Rows() int64
}

// Create begins every table and has fill write the rows. open makes the file of a table,
// which is complete when the function that it is given returns. Files are completed in
// the opposite order of List; with an error, none is.
func Create(format Format, tool string, open func(table string, write func(io.Writer) (rows int64, err error)) error, fill func(*Sinks) error) error {
	c := creation{format: format, tool: tool, open: open, fill: fill}
	return c.next(0)
}

type creation struct {
	format Format
	tool   string
	open   func(string, func(io.Writer) (int64, error)) error
	fill   func(*Sinks) error
	sinks  Sinks
}

// next begins the tables from the nth one on.
func (c *creation) next(n int) error {
	if n == len(List) {
		return c.fill(&c.sinks)
	}
	return c.open(List[n].Name, func(w io.Writer) (int64, error) {
		sink, err := c.begin(List[n].Name, w)
		if err == nil {
			err = c.next(n + 1)
		}
		if err != nil {
			return 0, err
		}
		return sink.Rows(), sink.end()
	})
}

func (c *creation) begin(table string, w io.Writer) (ender, error) {
	s := &c.sinks
	switch table {
	case "snapshots":
		return begin(c, &s.Snapshots, w)
	case "objects":
		return begin(c, &s.Objects, w)
	case "revisions":
		return begin(c, &s.Revisions, w)
	case "nodes":
		return begin(c, &s.Nodes, w)
	case "pods":
		return begin(c, &s.Pods, w)
	case "containers":
		return begin(c, &s.Containers, w)
	case "images":
		return begin(c, &s.Images, w)
	case "predictions":
		return begin(c, &s.Predictions, w)
	case "checks":
		return begin(c, &s.Checks, w)
	}
	return nil, fmt.Errorf("no table %s", table)
}

func begin[Row any](c *creation, to **Sink[Row], w io.Writer) (ender, error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	sink := &Sink[Row]{}
	*to = sink
	if c.format == NDJSON {
		sink.close = buffered.Flush
		sink.write = func(row *Row) error {
			line, err := document.JSON(row, "")
			if err == nil {
				_, err = buffered.Write(append(bytes.TrimRight(line, "\n"), '\n'))
			}
			return err
		}
		return sink, nil
	}
	labels := map[string]string{"revenant.schemaVersion": strconv.Itoa(SchemaVersion)}
	file, err := parquet.New[Row](buffered, c.tool, labels)
	if err != nil {
		return nil, err
	}
	sink.write, sink.close = file.Write, func() error {
		if err := file.Close(); err != nil {
			return err
		}
		return buffered.Flush()
	}
	return sink, nil
}

// empty makes a list of none [] in JSON.
func empty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
