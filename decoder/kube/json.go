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
	p := jsonParser{dec: json.NewDecoder(bytes.NewReader(b))}
	p.dec.UseNumber()
	v, err := p.value()
	if err != nil {
		return nil, LossError{}, fmt.Errorf("at byte %d: %w", p.dec.InputOffset(), err)
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, LossError{}, errTrailing
	}
	if !utf8.Valid(b) {
		p.loss.Garbled = []string{"."} // the decoder does not tell where
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
	loss LossError
}

// value reads the next value; the decoder tells of everything that is not JSON.
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

// countValues counts v and the values in it.
func countValues(v any) int {
	n := 1
	for item := range children(v) {
		n += countValues(item)
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
