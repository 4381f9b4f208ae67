// Package document writes findings as JSON and YAML.
//
// It takes anything that encoding/json accepts. It returns a document that reads back
// as the same value and that cannot control a terminal or mislead its reader:
// characters that act instead of being visible (sanitize.Hidden) are escaped. A Time
// that the formats cannot hold is null, and never prevents a document from being
// written.
package document

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v2" // the emitter behind sigs.k8s.io/yaml, and so behind kubectl

	"revenant/decoder/sanitize"
)

// JSON writes v with each level indented, and < > & as they are.
func JSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escape(b.Bytes()), nil
}

// escape escapes the hidden characters in JSON, all of which are in its strings.
func escape(text []byte) []byte {
	var out []byte
	kept := 0 // before it, all is in out
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, n := utf8.DecodeRune(text[i:])
		if sanitize.Hidden(r) {
			if out == nil {
				out = make([]byte, 0, len(text)+len(text)/8)
			}
			out = append(out, text[kept:i]...)
			for _, unit := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return text
	}
	return append(out, text[kept:]...)
}

// YAML writes a tree of maps, lists and plain values with its keys sorted.
func YAML(tree any) ([]byte, error) {
	if !anyHidden(tree) {
		return yaml.Marshal(tree)
	}
	all, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	// The emitter writes most hidden characters as they are. Strings with such are
	// given to it as words that stand for them, which no string can hold: they are made
	// of a hash over all strings.
	s := standIns{word: fmt.Sprintf("zz%x", sha256.Sum256(all))}
	out, err := yaml.Marshal(s.tree(tree))
	if err != nil {
		return nil, err
	}
	return s.replace(out), nil
}

// Tree is a JSON document as YAML takes it.
func Tree(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return numbered(tree), nil
}

// numbered replaces the numbers in a tree, in place, by those that YAML reads them as.
func numbered(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			v[name] = numbered(item)
		}
	case []any:
		for i, item := range v {
			v[i] = numbered(item)
		}
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return string(v)
	}
	return v
}

// leftRaw says whether the emitter would write a character of s that is hidden.
func leftRaw(s string) bool {
	return utf8.ValidString(s) && // else it is written in base64
		strings.ContainsFunc(s, func(r rune) bool { return r >= 0x7f && sanitize.Hidden(r) })
}

func anyHidden(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			if leftRaw(name) || anyHidden(item) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, anyHidden)
	case string:
		return leftRaw(v)
	}
	return false
}

// standIns are words that stand for strings in what is given to the emitter.
type standIns struct {
	word    string
	strings []string
}

const (
	standInDigits = 10
	// simpleKey is the length up to which the emitter writes a key without a question
	// mark, and longKey that from which it must have one.
	simpleKey = 64
	longKey   = 160
)

// standIn is the word for s, as long as a key of such length must be.
func (t *standIns) standIn(s string) string {
	if !leftRaw(s) {
		return s
	}
	t.strings = append(t.strings, s)
	word := fmt.Sprintf("%s%0*d", t.word, standInDigits, len(t.strings)-1)
	if len(s) > simpleKey {
		word += strings.Repeat("z", longKey)
	}
	return word
}

func (t *standIns) tree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m[t.standIn(name)] = t.tree(v[name])
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = t.tree(item)
		}
		return list
	case string:
		return t.standIn(v)
	}
	return v
}

// replace puts the strings in the place of their words.
func (t *standIns) replace(out []byte) []byte {
	var b bytes.Buffer
	for {
		before, after, found := bytes.Cut(out, []byte(t.word))
		b.Write(before)
		if !found {
			return b.Bytes()
		}
		n, _ := strconv.Atoi(string(after[:standInDigits]))
		b.WriteString(quote(t.strings[n]))
		out = bytes.TrimPrefix(after[standInDigits:], []byte(strings.Repeat("z", longKey)))
	}
}

// quote is s in double quotes, as YAML escapes it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\x1b':
			b.WriteString(`\e`)
		case !sanitize.Hidden(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
