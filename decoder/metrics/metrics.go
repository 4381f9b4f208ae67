// Package metrics reads from metrics scraped before an outage which revision an etcd
// had reached.
//
// It takes a file with lines of Prometheus' text format, of OpenMetrics, or of
// `promtool tsdb dump`, compressed with gzip or not, with any number of scrapes. It
// returns the highest value of each metric that is a revision, with its time.
//
// It refuses a file without any such metric. Lines that are not understood, or longer
// than maxLine, are skipped: a value that is present was reached in any case.
package metrics

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"revenant/decoder/container"
	"revenant/decoder/document"
	"revenant/decoder/input"
)

// The metrics that are revisions. Those of Kubernetes have the 15 last digits: a
// larger revision was reached than they say when there are more.
const (
	// Etcd is the revision of the member that was scraped (etcd server/v3 v3.7
	// storage/mvcc/metrics.go). Others may have been ahead.
	Etcd = "etcd_debugging_mvcc_current_revision"
	// WatchCache is the newest revision in the watch cache of an API server
	// (apiserver v0.37 pkg/storage/cacher/metrics/metrics.go), from 1.31 on.
	WatchCache = "apiserver_watch_cache_resource_version"
	// Informer is the newest revision that an informer has seen (component-base
	// v0.37 metrics/prometheus/clientgo/fifo/metrics.go), from 1.37 on.
	Informer = "informer_store_resource_version"
)

// Names are those metrics.
var Names = []string{Etcd, WatchCache, Informer}

// ErrNone says that a file has none of the metrics. It comes wrapped.
var ErrNone = errors.New("has no metric that is a revision")

// Sample is a revision that was reached at the latest when it was scraped.
type Sample struct {
	Metric   string         `json:"metric"`
	Series   string         `json:"series"` // as the line has it, shortened
	Revision int64          `json:"revision"`
	Time     *document.Time `json:"time"` // of the scrape; nil when it is not known
	TimeFrom TimeFrom       `json:"timeFrom"`
	File     string         `json:"file"`
}

// At is the time of the scrape, zero when it is not known.
func (s Sample) At() time.Time {
	if s.Time == nil {
		return time.Time{}
	}
	return s.Time.Time
}

// TimeFrom says what a time is known by.
type TimeFrom string

// What times are known by.
const (
	FromLine TimeFrom = "line" // the sample has it
	FromFile TimeFrom = "file" // the file was modified then
	Unknown  TimeFrom = "unknown"
)

// File is a file of metrics.
type File struct {
	container.File
	Samples []Sample // the highest of each metric, the highest first
}

const (
	maxLine   = 64 << 10
	maxSeries = 200
)

// Read reads a file. The error is ctx's, wraps ErrNone or container.ErrTooLarge, or is
// one of reading.
func Read(ctx context.Context, path string, limits container.Limits) (*File, error) {
	f, err := input.OpenStream(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	out := &File{File: container.File{Path: path}}
	taken := time.Time{}
	out.Modified = document.Time{Time: time.Now()} // of a pipe
	if info.Mode().IsRegular() {
		taken = info.ModTime()
		out.Modified, out.Info = document.Time{Time: taken}, info
	}
	sum := sha256.New()
	raw := io.TeeReader(input.Reader(ctx, f), sum)
	body, err := container.NewStream(raw, limits, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if out.Samples, err = samples(body, taken); err != nil {
		return nil, err
	}
	rest, err := io.Copy(io.Discard, raw)
	if err != nil {
		return nil, err
	}
	out.SizeBytes, out.SHA256 = body.ReadBytes()+rest, hex.EncodeToString(sum.Sum(nil))
	for i := range out.Samples {
		out.Samples[i].File = path
	}
	return out, nil
}

// samples are the highest of each metric in a text.
func samples(text io.Reader, taken time.Time) ([]Sample, error) {
	in := bufio.NewReaderSize(text, maxLine)
	best := map[string]Sample{}
	for {
		line, err := in.ReadSlice('\n')
		if s, ok := parseLine(line, taken); ok && err != bufio.ErrBufferFull {
			if old, there := best[s.Metric]; !there || s.higher(old) {
				best[s.Metric] = s
			}
		}
		for err == bufio.ErrBufferFull { // the rest of a line that is too long
			_, err = in.ReadSlice('\n')
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	var list []Sample
	for _, name := range Names {
		if s, ok := best[name]; ok {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil, ErrNone
	}
	slices.SortStableFunc(list, func(a, b Sample) int {
		if a.higher(b) {
			return -1
		}
		return 1
	})
	return list, nil
}

// higher says whether s tells more than t: a higher revision, or the same one later.
func (s Sample) higher(t Sample) bool {
	if s.Revision != t.Revision {
		return s.Revision > t.Revision
	}
	return s.At().After(t.At())
}

// parseLine reads a line of one of the formats. ok is false for all that is not a
// sample of one of the metrics, and of pods where it has a resource.
func parseLine(line []byte, taken time.Time) (s Sample, ok bool) {
	if !bytes.Contains(line, []byte("_re")) { // all names have it
		return s, false
	}
	line = bytes.TrimSpace(line)
	name, labels, rest, ok := parseSeries(line)
	if !ok {
		return s, false
	}
	if name == "" {
		name = labels["__name__"]
	}
	switch name {
	case Etcd:
	case WatchCache, Informer:
		// Other resources can be in another etcd.
		if labels["resource"] != "pods" || labels["group"] != "" {
			return s, false
		}
	default:
		return s, false
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return s, false
	}
	value, err := strconv.ParseFloat(string(fields[0]), 64)
	if err != nil || !(value >= 1 && value < math.MaxInt64) {
		return s, false
	}
	series := line[:len(line)-len(rest)]
	s = Sample{Metric: name, Series: string(series[:min(len(series), maxSeries)]), Revision: int64(value), TimeFrom: Unknown}
	if !taken.IsZero() {
		s.Time, s.TimeFrom = document.NewTime(&taken), FromFile
	}
	if len(fields) > 1 && fields[1][0] != '#' {
		at, ok := parseTime(string(fields[1]))
		if !ok {
			return Sample{}, false
		}
		s.Time, s.TimeFrom = document.NewTime(&at), FromLine
	}
	return s, true
}

// parseTime reads milliseconds since 1970, or, as OpenMetrics has them, seconds.
func parseTime(text string) (time.Time, bool) {
	const largestSeconds = 1e11 // as milliseconds in 1973
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v < 2e14) {
		return time.Time{}, false
	}
	if v < largestSeconds {
		v *= 1000
	}
	return time.UnixMilli(int64(v)).UTC(), true
}

// parseSeries reads the name and the labels that a line begins with. A name can stand
// among the labels, alone in quotes.
func parseSeries(line []byte) (name string, labels map[string]string, rest []byte, ok bool) {
	n := 0
	for n < len(line) && isName(line[n]) {
		n++
	}
	name, rest = string(line[:n]), line[n:]
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) == 0 || rest[0] != '{' {
		return name, nil, line[n:], name != ""
	}
	labels = map[string]string{}
	rest = rest[1:]
	for {
		rest = bytes.TrimLeft(rest, " \t,")
		if len(rest) > 0 && rest[0] == '}' {
			return name, labels, rest[1:], true
		}
		key := ""
		if len(rest) > 0 && rest[0] == '"' {
			if key, rest, ok = unquote(rest); !ok {
				return "", nil, nil, false
			}
		} else {
			n := 0
			for n < len(rest) && isName(rest[n]) {
				n++
			}
			key, rest = string(rest[:n]), rest[n:]
		}
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 || key == "" {
			return "", nil, nil, false
		}
		if rest[0] != '=' {
			name = key
			continue
		}
		var value string
		if value, rest, ok = unquote(bytes.TrimLeft(rest[1:], " \t")); !ok {
			return "", nil, nil, false
		}
		labels[key] = value
	}
}

func isName(c byte) bool {
	return c == '_' || c == ':' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// unquote reads a text in quotes, with \\, \" and \n in it.
func unquote(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return "", nil, false
	}
	var out []byte
	for i := 1; i < len(b); i++ {
		switch {
		case b[i] == '"':
			return string(out), b[i+1:], true
		case b[i] == '\\' && i+1 < len(b):
			i++
			if b[i] == 'n' {
				out = append(out, '\n')
				continue
			}
		}
		out = append(out, b[i])
	}
	return "", nil, false
}
