package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"unicode/utf8"
)

var (
	errNoObject = errors.New("not an object")
	errTrailing = errors.New("more after the end of the object")
)

// parseObject reads a JSON object, keeping numbers as written. It returns
// what parsing changed: text that is not UTF-8 and names given twice.
func parseObject(b []byte) (map[string]any, LossError, error) {
	if len(b) > maxValue {
		return nil, LossError{}, errTooLarge
	}
	p := newParser(b)
	v, err := p.value()
	if err != nil {
		return nil, LossError{}, fmt.Errorf("at byte %d: %w", p.dec.InputOffset(), err)
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, LossError{}, errTrailing
	}
	if !utf8.Valid(b) {
		p.loss.Garbled = []string{"."} // the decoder does not show where
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, LossError{}, errNoObject
	}
	return object, p.loss, nil
}

type jsonParser struct {
	dec  *json.Decoder
	path []string // names and indexes on the way down
	room int      // bytes that the tree may take yet
	loss LossError
}

func newParser(b []byte) *jsonParser {
	p := &jsonParser{dec: json.NewDecoder(bytes.NewReader(b)), room: treeRoom(len(b))}
	p.dec.UseNumber()
	return p
}

// What the parts of a tree take about, beside their text, in bytes. The tree of an
// object may take maxTree of them and a few times its text: "{}," makes 64.
const (
	itemSize   = 64  // of a list, or an empty object
	objectSize = 384 // that is not empty: a map has room for eight at once
	maxTree    = 32 << 20
)

func treeRoom(text int) int { return maxTree + 4*text }

// take counts what a part of the tree takes.
func (p *jsonParser) take(size int) error {
	if p.room -= size; p.room < 0 {
		return errTooLarge
	}
	return nil
}

// value reads the next value; the decoder reports everything that is not JSON.
func (p *jsonParser) value() (any, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if len(p.path) > maxDepth {
		return nil, errTooDeep
	}
	switch token {
	case json.Delim('{'):
		return p.object()
	case json.Delim('['):
		return p.array()
	}
	return token, nil
}

func (p *jsonParser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

func (p *jsonParser) object() (map[string]any, error) {
	object := map[string]any{}
	for p.dec.More() {
		token, err := p.token()
		if err == nil && len(object) == 0 {
			err = p.take(objectSize)
		}
		if err == nil {
			err = p.take(itemSize)
		}
		if err != nil {
			return nil, err
		}
		name := token.(string) // else it was an error
		p.path = append(p.path, name)
		if _, twice := object[name]; twice {
			note(&p.loss.Duplicate, p.path)
		}
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
	}
	_, err := p.token() // the closing brace
	return object, err
}

func (p *jsonParser) array() ([]any, error) {
	list := []any{}
	for p.dec.More() {
		p.path = append(p.path, strconv.Itoa(len(list)))
		v, err := p.value()
		if err == nil {
			err = p.take(itemSize)
		}
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		list = append(list, v)
	}
	_, err := p.token() // the closing bracket
	return list, err
}

// children yields the values in an object or list, and nothing for others.
func children(v any) iter.Seq[any] {
	return func(yield func(any) bool) {
		switch v := v.(type) {
		case map[string]any:
			for _, item := range v {
				if !yield(item) {
					return
				}
			}
		case []any:
			for _, item := range v {
				if !yield(item) {
					return
				}
			}
		}
	}
}

// typedSize estimates what the decoder of a type makes of v: up to typedItem bytes for
// what may become an item of a list or map, however short its text ("null," makes a
// Container), and little for a value that is a field.
func typedSize(v any, item bool) int {
	n := 64
	switch v := v.(type) {
	case map[string]any:
		n = typedItem
		for _, value := range v {
			n += typedSize(value, value == nil)
		}
	case []any:
		for _, value := range v {
			n += typedSize(value, true)
		}
	}
	if item {
		n = max(n, typedItem)
	}
	return n
}

// printSize estimates what a printer that gives each value a line makes of v, in
// levels of indentation; a value counts as much as eight of them.
func printSize(v any, depth int) int {
	n := depth + 8
	for item := range children(v) {
		n += printSize(item, depth+1)
	}
	return n
}

// sensibleQuantities says whether every text and number in v could be a
// quantity without harm.
func sensibleQuantities(v any) bool {
	switch v := v.(type) {
	case string:
		return sensibleQuantity(v)
	case json.Number:
		return sensibleQuantity(v.String())
	}
	for item := range children(v) {
		if !sensibleQuantities(item) {
			return false
		}
	}
	return true
}
