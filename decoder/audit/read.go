// Package audit reads the audit logs of API servers for the requests that may have
// written an object.
//
// It takes files, compressed or not, with a line of JSON for each audit.k8s.io Event, as
// --audit-log-path has them, or for each EventList, as webhooks are sent them. It returns
// the requests to an object that have ended, one by one as they are read, and what the
// logs cover.
//
// Logs are streamed: memory does not grow with them. It refuses nothing: a line that is no
// event, or too long, is counted, and the first of them are named. Whatever an event says
// was written by others; of the objects in it only the names are kept.
package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/decoder/container"
	"revenant/decoder/document"
	"revenant/decoder/input"
)

// Query is the object whose requests are looked for.
type Query struct {
	Groups    []string // API groups through which it is written; nil for any
	Resource  string   // plural
	Namespace string
	Name      string
}

// Options say how to read.
type Options struct {
	Limits   container.Limits // of what is compressed
	Stdin    io.Reader        // is read for the path -
	Progress func(path string, done, total int64)
}

// Log is what was read. From and To are the times of the oldest and the newest event of any
// kind, zero without any.
type Log struct {
	Files     []container.File
	Lines     int64
	Malformed int64 // lines that are no event
	Long      int64 // lines above 16 MiB
	From, To  time.Time
	Faults    []string // the first lines and the files that could not be read, and why
	Broken    bool     // a file could not be read to its end
}

const (
	// longestLine is more than the 10 MiB that an API server sends to a webhook at most
	// (apiserver v0.37 pkg/server/options/audit.go, MaxBatchSize).
	longestLine = 16 << 20
	mostFaults  = 5
)

// List are the logs in a directory, its files with .log or .json in their name, or those
// that a pattern matches, by name. Of any other path it is the path itself. The error is
// that of reading the directory, or says that it has none.
func List(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		if found, err := filepath.Glob(path); err == nil && len(found) > 0 {
			return found, nil
		}
	}
	if err != nil || !info.IsDir() {
		return []string{path}, nil // opening it says what is wrong
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && name[0] != '.' && (strings.Contains(name, ".log") || strings.Contains(name, ".json")) {
			list = append(list, filepath.Join(path, name))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no file with .log or .json in its name", path)
	}
	return list, nil
}

// Read reads logs and calls each for every request to the object, or to a collection in
// which it may be. The error is ctx's, that of opening a file, or wraps
// container.ErrTooLarge.
func Read(ctx context.Context, paths []string, q Query, o Options, each func(*Event)) (*Log, error) {
	r := &reader{Log: new(Log), query: q, each: each}
	r.prepare()
	for _, path := range paths {
		if err := r.file(ctx, path, o); err != nil {
			return nil, err
		}
	}
	r.From, r.To = r.from.time, r.to.time
	return r.Log, nil
}

type reader struct {
	*Log
	query    Query
	each     func(*Event)
	all      [][]byte // a line without one of them tells nothing of the object
	name     []byte   // nil where it may be written in several ways
	from, to stamp
}

// stamp is a time as it is written.
type stamp struct {
	text []byte
	time time.Time
}

func (r *reader) file(ctx context.Context, path string, o Options) error {
	file := container.File{Path: path}
	name := filepath.Base(path)
	var in io.Reader
	if path == "-" {
		in, name = o.Stdin, "standard input"
	} else {
		f, err := input.OpenStream(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			file.Info, file.Modified, file.SizeBytes = info, document.Time{Time: info.ModTime()}, info.Size()
		}
		in = f
	}
	var tell func(int64)
	if o.Progress != nil {
		tell = func(n int64) { o.Progress(path, n, file.SizeBytes) }
	}
	body, err := container.NewStream(input.Reader(ctx, in), o.Limits, tell)
	if err == nil {
		err = r.lines(body, name)
		body.Close()
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, container.ErrTooLarge):
		return fmt.Errorf("%s: %w", path, err)
	case err != nil:
		r.Broken = true
		r.fault(fmt.Sprintf("%s could not be read to its end: %v", name, err))
	}
	file.SizeBytes = cmp.Or(file.SizeBytes, body.ReadBytes())
	r.Files = append(r.Files, file)
	return nil
}

func (r *reader) fault(text string) {
	if len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, text)
	}
}

// lines reads one after another.
func (r *reader) lines(body io.Reader, name string) error {
	in := bufio.NewReaderSize(body, 1<<20)
	var long []byte // what of a line was read before, where it is longer than the buffer
	for n := int64(1); ; n++ {
		line, err := in.ReadSlice('\n')
		for long = long[:0]; err == bufio.ErrBufferFull; {
			if len(long) <= longestLine {
				long = append(long, line...)
			}
			line, err = in.ReadSlice('\n')
		}
		if len(long) > 0 {
			if len(long) <= longestLine {
				long = append(long, line...)
			}
			line = long
		}
		if err != nil && err != io.EOF {
			return err
		}
		r.line(bytes.TrimSpace(line), name, n)
		if err == io.EOF {
			return nil
		}
	}
}

func (r *reader) line(line []byte, name string, n int64) {
	if len(line) == 0 {
		return
	}
	r.Lines++
	if len(line) > longestLine {
		r.Long++
		r.fault(fmt.Sprintf("%s:%d: it is longer than %d MiB", name, n, longestLine>>20))
		return
	}
	err := r.covers(line)
	if err == nil && r.may(line) {
		where := fmt.Sprintf("%s:%d", name, n)
		err = parse(line, func(e *Event) {
			if e.Where = where; r.query.matches(e) {
				r.each(e)
			}
		})
	}
	if err != nil {
		r.Malformed++
		r.fault(fmt.Sprintf("%s:%d: %v", name, n, err))
	}
}

var ended = []byte(`"stageTimestamp"`)

// covers takes the times of a line into those that the log covers, without decoding it. A
// line that has none is no event.
func (r *reader) covers(line []byte) error {
	last := bytes.LastIndex(line, ended)
	if last < 0 || line[0] != '{' || line[len(line)-1] != '}' {
		return errNone
	}
	r.stamp(line[last+len(ended):])
	if bytes.Contains(line[:min(len(line), 100)], []byte(`"EventList"`)) {
		r.stamp(line[bytes.Index(line, ended)+len(ended):])
	}
	return nil
}

// stamp reads a time after its name. What is written alike is compared as it is written.
func (r *reader) stamp(rest []byte) {
	text, ok := bytes.CutPrefix(bytes.TrimLeft(rest[:min(len(rest), 64)], " :"), []byte(`"`))
	end := bytes.IndexByte(text, '"')
	if !ok || end < 0 {
		return
	}
	text = text[:end]
	within := len(text) == len(r.from.text) && len(text) == len(r.to.text) && bytes.Compare(text, r.from.text) >= 0 && bytes.Compare(text, r.to.text) <= 0
	if within {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return
	}
	if t = t.UTC(); r.from.time.IsZero() || t.Before(r.from.time) {
		r.from = stamp{bytes.Clone(text), t}
	}
	if t.After(r.to.time) {
		r.to = stamp{bytes.Clone(text), t}
	}
}

// prepare makes what lines are looked through for before they are decoded.
func (r *reader) prepare() {
	for _, word := range []string{r.query.Resource, r.query.Namespace} {
		if word != "" && plain(word) {
			r.all = append(r.all, []byte(`"`+word+`"`))
		}
	}
	if plain(r.query.Name) {
		r.name = []byte(r.query.Name)
	}
}

// plain says whether JSON has only one usual way to write a word.
func plain(word string) bool {
	return !strings.ContainsFunc(word, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._:", c))
	})
}

var nameless = [][]byte{[]byte(`"create"`), []byte(`"deletecollection"`)}

// may says whether a line can be of the object.
func (r *reader) may(line []byte) bool {
	for _, word := range r.all {
		if !bytes.Contains(line, word) {
			return false
		}
	}
	return r.name == nil || bytes.Contains(line, r.name) || slices.ContainsFunc(nameless, func(verb []byte) bool { return bytes.Contains(line, verb) })
}

// matches says whether a request is to the object, or may be: the names of those that are
// created with generateName are made later than they are logged, and a collection has none.
// The namespace of a request to a Namespace is its own name (apiserver v0.37
// pkg/endpoints/request/requestinfo.go).
func (q *Query) matches(e *Event) bool {
	if e.Resource != q.Resource || q.Groups != nil && !slices.Contains(q.Groups, e.Group) || e.Namespace != q.Namespace && q.Resource != "namespaces" {
		return false
	}
	switch e.Verb {
	case "deletecollection":
		return e.Name == ""
	case "create":
		return cmp.Or(e.Name, e.Answer.Name, q.Name) == q.Name
	}
	return e.Name == q.Name
}
