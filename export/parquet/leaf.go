package parquet

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// leaf is the values of a column, or of a part of one, that are not written yet. Texts
// are kept once each, in the order in which they came.
type leaf struct {
	path     []string
	kind     kind
	nullable bool
	listed   bool // it is in a list or a map

	repetition, definition []byte // levels, where there are any
	rows                   int    // values, with those that are null or missing

	numbers []int64 // integers, timestamps; bits of floats; 0 and 1
	index   []int32 // of texts
	texts   []string
	known   map[string]int32
	bytes   int // of texts
}

// What a value takes in memory beside its bytes, about.
const (
	perValue = 14
	perText  = 64
)

// size is how much memory the leaf takes, about.
func (l *leaf) size() int { return l.rows*perValue + len(l.texts)*perText + l.bytes }

// most is the definition level of a value that is there.
func (l *leaf) most() byte {
	n := byte(0)
	if l.listed {
		n++
	}
	if l.nullable {
		n++
	}
	return n
}

// level notes that a value is there, or how much of what leads to it.
func (l *leaf) level(repetition, definition byte) {
	l.rows++
	if l.listed {
		l.repetition = append(l.repetition, repetition)
	}
	if l.listed || l.nullable {
		l.definition = append(l.definition, definition)
	}
}

// add takes the next value. v is addressable.
func (l *leaf) add(v reflect.Value, repetition byte) {
	null := l.nullable && v.IsZero()
	if v.Kind() == reflect.Pointer {
		if null = v.IsNil(); !null {
			v = v.Elem()
		}
	}
	if l.kind == timestamp && !null {
		t := v.Addr().Interface().(*time.Time)
		if null = l.nullable && t.IsZero(); !null {
			l.numbers = append(l.numbers, t.UnixMicro())
		}
	}
	if null {
		l.level(repetition, l.most()-1)
		return
	}
	l.level(repetition, l.most())
	switch l.kind {
	case text:
		l.text(v.String())
	case integer:
		l.numbers = append(l.numbers, v.Int())
	case float:
		l.numbers = append(l.numbers, int64(math.Float64bits(v.Float())))
	case boolean:
		n := int64(0)
		if v.Bool() {
			n = 1
		}
		l.numbers = append(l.numbers, n)
	}
}

// text takes a text. The format wants UTF-8.
func (l *leaf) text(s string) {
	i, ok := l.known[s]
	if !ok {
		i = int32(len(l.texts))
		if l.known == nil {
			l.known = map[string]int32{}
		}
		l.known[s] = i
		valid := strings.ToValidUTF8(s, "\uFFFD")
		l.texts = append(l.texts, valid)
		l.bytes += len(valid)
	}
	l.index = append(l.index, i)
}

// clear forgets what was written.
func (l *leaf) clear() {
	l.repetition, l.definition, l.numbers, l.index, l.texts = l.repetition[:0], l.definition[:0], l.numbers[:0], l.index[:0], l.texts[:0]
	l.rows, l.bytes, l.known = 0, 0, nil
}

// maxDictionary bounds a dictionary, in bytes. A reader holds it while it reads the column.
const maxDictionary = 1 << 20

// dictionary says whether texts are written once each and referred to.
func (l *leaf) dictionary() bool {
	return l.kind == text && len(l.texts) > 0 && l.bytes <= maxDictionary && len(l.texts) <= len(l.index)/2
}

// levels are those of a data page of version 1.
func (l *leaf) levels(page []byte) ([]byte, error) {
	for _, levels := range []struct {
		list []byte
		most byte
	}{{l.repetition, 1}, {l.definition, l.most()}} {
		if len(levels.list) == 0 {
			continue
		}
		width := 1
		if levels.most > 1 {
			width = 2
		}
		encoded, err := (&rle.Encoding{BitWidth: width}).EncodeLevels(nil, levels.list)
		if err != nil {
			return nil, err
		}
		page = binary.LittleEndian.AppendUint32(page, uint32(len(encoded)))
		page = append(page, encoded...)
	}
	return page, nil
}

// values are the values of a data page, in the encoding that is returned with them.
func (l *leaf) values(page []byte) ([]byte, format.Encoding, error) {
	switch {
	case l.dictionary():
		encoded, err := (&rle.DictionaryEncoding{}).EncodeInt32(nil, l.index)
		return append(page, encoded...), format.RLEDictionary, err
	case l.kind == text:
		for _, i := range l.index {
			page = appendText(page, l.texts[i])
		}
	case l.kind == boolean:
		for chunk := range slices.Chunk(l.numbers, 8) {
			var b byte
			for i, n := range chunk {
				b |= byte(n) << i
			}
			page = append(page, b)
		}
	default:
		for _, n := range l.numbers {
			page = binary.LittleEndian.AppendUint64(page, uint64(n))
		}
	}
	return page, format.Plain, nil
}

func appendText(page []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(page, uint32(len(s))), s...)
}

// maxBound is the longest text that is given as the least or the greatest of a column.
const maxBound = 64

// statistics are how many values are null, and the least and the greatest of the others.
func (l *leaf) statistics() (s format.Statistics) {
	s.NullCount = int64(l.rows - len(l.index) - len(l.numbers))
	switch {
	case l.kind == text && len(l.texts) > 0:
		least, greatest := slices.Min(l.texts), slices.Max(l.texts)
		if len(least) <= maxBound && len(greatest) <= maxBound {
			s.MinValue, s.MaxValue = []byte(least), []byte(greatest)
		}
	case (l.kind == integer || l.kind == timestamp) && len(l.numbers) > 0:
		s.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(slices.Min(l.numbers)))
		s.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(slices.Max(l.numbers)))
	}
	return s
}

func (k kind) physical() format.Type {
	switch k {
	case text:
		return format.ByteArray
	case float:
		return format.Double
	case boolean:
		return format.Boolean
	}
	return format.Int64
}
