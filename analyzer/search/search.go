// Package search finds text in objects, and runs jq expressions over them.
//
// It takes a query, and a stored object with its key. It returns the places where the object
// matches: its key, its name, a label, an annotation or any other value,
// each with its path and its text. Names of fields are not searched.
//
// Values are compared as kubectl prints them, a Secret's data also as it is encoded there;
// what Secrets hold is searched only when it is asked for. An object that cannot be decoded
// is searched as the bytes it is stored as, and so is a key that names no object.
package search

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"

	"revenant/decoder/kube"
)

// Query is what is looked for: a text, or what an expression gives.
type Query struct {
	pattern *regexp.Regexp
	literal []byte // that is in every object which the pattern is in; nil where none is sure to be
	fold    bool
	code    *gojq.Code

	// ShowSecrets also searches what Secrets hold.
	ShowSecrets bool
}

// Text looks for a text, or with isRegexp for a regular expression (Go's, RE2), in capital
// and small letters alike with fold.
func Text(pattern string, isRegexp, fold bool) (*Query, error) {
	if pattern == "" {
		return nil, errors.New("an empty text is everywhere")
	}
	expr := pattern
	if !isRegexp {
		expr = regexp.QuoteMeta(pattern)
	}
	if fold {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		var bad *syntax.Error
		if errors.As(err, &bad) {
			err = fmt.Errorf("%s: %s", bad.Code, bad.Expr)
		}
		return nil, fmt.Errorf("%q is no regular expression: %w", pattern, err)
	}
	q := &Query{pattern: re, fold: fold}
	// A number or a time is not stored as it is printed, and what is encoded in base64 has
	// other bytes.
	if !isRegexp && len(pattern) >= 3 && strings.IndexFunc(pattern, wordy) >= 0 && !strings.Contains("true false null", strings.ToLower(pattern)) {
		q.literal = []byte(pattern)
	}
	return q, nil
}

// wordy says whether a character is in no number, quantity or time.
func wordy(r rune) bool {
	return !strings.ContainsRune("0123456789+-.:TZeEinumkKMGP", r)
}

// Expression runs a jq expression over each object. Whatever it gives but null and false
// is a hit.
func Expression(text string) (*Query, error) {
	parsed, err := gojq.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no jq expression: %w", text, err)
	}
	code, err := gojq.Compile(parsed, gojq.WithEnvironLoader(func() []string { return nil }))
	if err != nil {
		return nil, fmt.Errorf("%q is no jq expression: %w", text, err)
	}
	return &Query{code: code}, nil
}

// Hit is a place where an object has what is looked for.
type Hit struct {
	Path string // in the object; "" for its key, and for what an expression gives
	Text string // the value there
}

// Excerpt is what of a hit's text stands around the first match, of n bytes or a little
// more.
func (q *Query) Excerpt(text string, n int) string {
	if len(text) <= n || q.pattern == nil {
		return text
	}
	m := q.pattern.FindStringIndex(text)
	if m == nil || m[1] <= n {
		return text
	}
	from := max(0, m[0]-n/3)
	for from > 0 && !utf8.RuneStart(text[from]) {
		from--
	}
	return "…" + text[from:]
}

// mostHits is how many places of one revision are given.
const mostHits = 1000

// ErrUndecodable says that an expression cannot be run over a value, which is no object
// that can be decoded.
var ErrUndecodable = errors.New("it cannot be decoded")

// Find searches an object that is stored under a key. The error is ctx's, that of the
// expression, or ErrUndecodable.
func (q *Query) Find(ctx context.Context, key kube.Key, path string, value []byte) ([]Hit, error) {
	if q.code != nil {
		return q.run(ctx, key, value)
	}
	var hits []Hit
	if q.pattern.MatchString(path) {
		hits = append(hits, Hit{Text: path})
	}
	if !q.mayHave(value) {
		return hits, nil
	}
	o := kube.Decode(key, value)
	if o.Typed == nil && o.Unstructured == nil {
		// Nothing says where in it a Secret has what it holds.
		if m := q.pattern.FindIndex(value); m != nil && (q.ShowSecrets || key.Resource != "secrets") {
			hits = append(hits, Hit{Path: "value", Text: around(value, m)})
		}
		return hits, nil
	}
	s := searcher{query: q, hits: hits, secret: o.Secret() && q.ShowSecrets}
	s.walk("", o.Document(kube.PrintOptions{ShowSecrets: q.ShowSecrets, DropManagedFields: true}), 0)
	return s.hits, nil
}

// mayHave says whether the pattern can be in an object, by the bytes it is stored as.
func (q *Query) mayHave(value []byte) bool {
	switch {
	case q.literal == nil || q.ShowSecrets:
		return true
	case q.fold:
		return q.pattern.Match(value)
	}
	return bytes.Contains(value, q.literal) || !utf8.Valid(q.literal)
}

// around is what stands around a match in bytes that are no object.
func around(value []byte, match []int) string {
	const some = 40
	return string(bytes.ToValidUTF8(value[max(0, match[0]-some):min(len(value), match[1]+some)], []byte("�")))
}

// run runs the expression.
func (q *Query) run(ctx context.Context, key kube.Key, value []byte) (hits []Hit, err error) {
	o := kube.Decode(key, value)
	if o.Typed == nil && o.Unstructured == nil {
		return nil, ErrUndecodable
	}
	results := q.code.RunWithContext(ctx, plain(o.Document(kube.PrintOptions{ShowSecrets: q.ShowSecrets, DropManagedFields: true})))
	for len(hits) < mostHits {
		v, ok := results.Next()
		if !ok {
			break
		}
		if err, failed := v.(error); failed {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				break
			}
			return hits, err
		}
		if v == nil || v == false {
			continue
		}
		text, err := gojq.Marshal(v)
		if err != nil {
			return hits, err
		}
		hits = append(hits, Hit{Text: string(text)})
	}
	return hits, nil
}

// plain is a document with numbers as expressions have them.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			v[key] = plain(item)
		}
	case []any:
		for i, item := range v {
			v[i] = plain(item)
		}
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case int64:
		return int(v)
	case int32:
		return int(v)
	}
	return v
}

// mostDepth bounds how deep an object is searched.
const mostDepth = 100

// searcher walks through a document.
type searcher struct {
	query  *Query
	hits   []Hit
	secret bool
}

func (s *searcher) walk(path string, v any, depth int) {
	if len(s.hits) >= mostHits || depth > mostDepth {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below := join(path, key)
			if free(path) && s.query.pattern.MatchString(key) {
				s.hits = append(s.hits, Hit{below, fmt.Sprint(v[key])})
				continue
			}
			s.walk(below, v[key], depth+1)
		}
	case []any:
		for i, item := range v {
			s.walk(fmt.Sprintf("%s[%d]", path, i), item, depth+1)
		}
	case nil:
	default:
		s.text(path, fmt.Sprint(v))
	}
}

// free says whether the names of fields below a path are anybody's choice.
func free(path string) bool {
	return path == "metadata.labels" || path == "metadata.annotations" || path == "data" || path == "binaryData" || path == "stringData"
}

func (s *searcher) text(path, text string) {
	if s.query.pattern.MatchString(text) {
		s.hits = append(s.hits, Hit{path, text})
		return
	}
	if s.secret && strings.HasPrefix(path, "data.") || strings.HasPrefix(path, "data[") {
		if clear, err := base64.StdEncoding.DecodeString(text); err == nil && s.query.pattern.Match(clear) {
			s.hits = append(s.hits, Hit{path, string(bytes.ToValidUTF8(clear, []byte("�")))})
		}
	}
}

// join is a path with a name below it.
func join(path, name string) string {
	switch {
	case strings.ContainsAny(name, ".[]\" ") || name == "":
		return path + "[" + strconv.Quote(name) + "]"
	case path == "":
		return name
	}
	return path + "." + name
}
