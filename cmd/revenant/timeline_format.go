package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/analyzer/diff"
	"revenant/analyzer/history"
	"revenant/analyzer/relations"
	"revenant/analyzer/timeline"
	data "revenant/decoder/document"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
	"revenant/report"
)

// revisionRow is a revision of a key.
type revisionRow struct {
	From      string       `json:"from"` // RFC 3339, "" where it is not known
	To        string       `json:"to"`
	Revision  int64        `json:"revision"`
	Sub       int64        `json:"sub,omitempty"`
	Verb      string       `json:"verb"`
	Key       string       `json:"key"`
	Resource  string       `json:"resource"`
	Namespace string       `json:"namespace"`
	Name      string       `json:"name"`
	Managers  []string     `json:"managers"`
	Fields    []string     `json:"fields"` // that differ from the revision before, by path
	What      string       `json:"what"`
	About     *eventAbout  `json:"about,omitempty"` // of an Event
	Events    []eventShort `json:"events,omitempty"`
	Files     []string     `json:"files"`
	// Carved says what is known of a revision that was recovered from a free page.
	Carved  string `json:"carved,omitempty"`
	Problem string `json:"problem,omitempty"`
	// Unwritable is what JSON cannot hold as it is.
	Unwritable []unwritable `json:"unwritable,omitempty"`
}

// eventAbout is what an Event is about.
type eventAbout struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Revision  int64  `json:"revision,omitempty"`
}

// eventShort is an Event beside the revision that it is about.
type eventShort struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	Reporter string `json:"reporter"`
	Revision int64  `json:"revision"` // of the Event
}

// timesketchRow is a row with what Timesketch requires of each.
type timesketchRow struct {
	Message       string `json:"message"`
	Datetime      string `json:"datetime"`
	TimestampDesc string `json:"timestamp_desc"`
	*revisionRow
}

// flushAt is from how many bytes on rows are written.
const flushAt = 32 << 10

// mostFields is how many fields a row tells with their values.
const mostFields = 3

// revisionWriter writes rows in a format.
type revisionWriter struct {
	format string
	out    *bufio.Writer
	sheet  *csv.Writer
	table  objectTable
}

func newRevisionWriter(w io.Writer, format string) (*revisionWriter, error) {
	out := bufio.NewWriterSize(w, 2*flushAt)
	rw := &revisionWriter{format: format, out: out, sheet: csv.NewWriter(out), table: objectTable{header: []string{"REVISION", "FROM", "TO", "VERB", "NAMESPACE", "OBJECT", "WHO", "WHAT"}}}
	if format != "csv" {
		return rw, nil
	}
	return rw, rw.sheet.Write([]string{"from", "to", "revision", "verb", "key", "resource", "namespace", "name", "who", "what", "events", "files"})
}

// end writes what is left.
func (rw *revisionWriter) end() error {
	rw.sheet.Flush()
	if err := rw.table.flush(rw.out); err != nil || rw.sheet.Error() != nil {
		return cmp.Or(err, rw.sheet.Error())
	}
	return rw.out.Flush()
}

// row writes a row; written is false where the format has no place for it.
func (rw *revisionWriter) row(row *revisionRow) (written bool, err error) {
	switch rw.format {
	case "jsonl":
		err = writeLine(rw.out, row, row)
	case "timesketch":
		at, how := cmp.Or(row.From, row.To), "Written, at the earliest"
		if row.From == "" {
			how = "Written, at the latest"
		}
		if at == "" {
			return false, nil
		}
		err = writeLine(rw.out, row, &timesketchRow{row.message(), strings.TrimSuffix(at, "Z") + "+00:00", how, row})
	case "csv":
		err = rw.sheet.Write(row.cells())
	default:
		err = rw.table.add(rw.out, row.line())
	}
	if err == nil && rw.out.Buffered() > flushAt && rw.format != "table" {
		err = rw.out.Flush() // rows are whole where the list ends early
	}
	return true, err
}

// encode writes all that is asked for.
func (l *revisionList) encode(ctx context.Context, w io.Writer, format string) error {
	if pageFormat(format) {
		return l.page(ctx, w, format)
	}
	rw, err := newRevisionWriter(w, format)
	if err != nil {
		return err
	}
	if l.series == nil {
		err = l.rows(ctx, rw)
	} else {
		err = l.members(ctx, rw)
	}
	if err != nil {
		return err
	}
	return rw.end()
}

// mostOnPage is how many revisions a page has at most.
const mostOnPage = 100_000

// page writes a page.
func (l *revisionList) page(ctx context.Context, w io.Writer, format string) error {
	doc := report.Timeline{Tool: tool(), Notes: l.gaps(ctx)}
	for _, s := range l.sources {
		e, err := report.NewEvidence(ctx, "evidence", s.Snapshot)
		if err != nil {
			return err
		}
		l.timelineOptions.open.sign(&e, s.Snapshot)
		doc.Evidence = append(doc.Evidence, e)
	}
	for n := range l.numbers() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if l.count++; l.count > mostOnPage {
			return hinted(fmt.Errorf("more than %s revisions, and a page has no more", words.Number(mostOnPage)), "choose some of them: --from, --to, --verb, a resource; -o csv and -o jsonl have all")
		}
		doc.Rows = append(doc.Rows, l.row(n).line())
	}
	return writePage(w, format, &doc)
}

// rows writes those of the timeline that was read.
func (l *revisionList) rows(ctx context.Context, rw *revisionWriter) error {
	for n := range l.numbers() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := l.writeRow(rw, l.row(n)); err != nil {
			return err
		}
	}
	return nil
}

func (l *revisionList) writeRow(rw *revisionWriter, row *revisionRow) error {
	l.count++
	written, err := rw.row(row)
	if !written && err == nil {
		l.timeless++
	}
	return err
}

// numbers yields what is asked for, by its number in the timeline.
func (l *revisionList) numbers() func(yield func(int) bool) {
	verbs := map[timeline.Verb]bool{}
	for _, verb := range l.verbs {
		verbs[timeline.Verb(verb)] = true
	}
	return func(yield func(int) bool) {
		for n := range l.all.Numbers(timeline.Filter{From: l.from, To: l.to}) {
			if (l.keys == nil || l.keys[l.all.Key(n)]) && (len(verbs) == 0 || verbs[l.all.Verb(n)]) && !yield(n) {
				return
			}
		}
	}
}

// row tells what a revision did.
func (l *revisionList) row(n int) *revisionRow {
	e := l.all.Event(n)
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05.999Z")
	}
	row := &revisionRow{
		From: stamp(e.When.From), To: stamp(e.When.To), Revision: e.Main, Sub: e.Sub, Verb: string(e.Verb), Key: e.Key,
		Resource: e.Object.Plural(), Namespace: e.Object.Namespace, Name: cmp.Or(e.Object.Name, e.Key), Managers: []string{}, Fields: []string{}, Files: e.In,
	}
	for _, about := range l.events.Of(e.Object, e.Main) {
		row.Events = append(row.Events, eventShort{about.Key.Name, about.Type, about.Reason, about.Message, about.Source, about.Record.Main})
	}
	if r := l.carvedAt(n); r != nil {
		row.Carved = fmt.Sprintf("%s, %s", r.Label, r.Sure)
		defer func() { row.What = strings.TrimSuffix("carved ("+row.Carved+"): "+row.What, ": ") }()
	}
	if e.Verb == timeline.Deleted {
		return row
	}
	before, after, err := l.values(n)
	if err != nil {
		row.Problem = err.Error()
	}
	managers, d := history.Step(l.prefix, e.Key, before, after)
	row.Managers = append(row.Managers, managers...)
	row.Problem = cmp.Or(row.Problem, d.Problem)
	switch {
	case row.Problem != "":
		row.What = "it could not be read in full: " + row.Problem
	case e.Object.GroupResource() == "events" && after != nil:
		if event, about, ok := relations.ReadEvent(e.Object, after); ok {
			row.About = &eventAbout{about.Kind, about.Namespace, about.Name, about.Revision}
			row.What = fmt.Sprintf("%s %s %s/%s: %s", event.Type, event.Reason, strings.ToLower(about.Kind), about.Name, event.Message)
		}
	case e.Verb == timeline.Updated && before == nil:
		row.What = "the revision before it is not kept"
	default:
		row.changes(&d)
	}
	return row
}

// values reads an event's value and the one before it; nil is none, or one that is not
// kept. The error says why the event's own cannot be read.
func (l *revisionList) values(n int) (before, after []byte, err error) {
	s, key, main := l.sources[l.all.Source(n)].Snapshot, l.all.Key(n), l.all.Revision(n).Main
	record, err := s.Get(key, main)
	carved := l.carvedAt(n)
	if carved != nil {
		record, err = carved.Record, nil
	}
	if errors.Is(err, snapshot.ErrCompacted) {
		for _, r := range s.History(key) {
			if r.Main == main {
				record, err = r, nil
			}
		}
	}
	if err == nil {
		after, err = s.Value(record)
	}
	if err != nil {
		return nil, nil, err
	}
	if after == nil {
		after = []byte{} // a value of no bytes is one, too
	}
	if l.all.Verb(n) != timeline.Updated || main <= 1 {
		return nil, after, nil
	}
	was, err := s.Get(key, main-1)
	if carved != nil && err == nil && !follows(&record, &was) {
		err = snapshot.ErrCompacted
	}
	for _, r := range l.recovered[l.all.Source(n)][key] {
		if err != nil && follows(&record, &r.Record) {
			was, err = r.Record, nil
		}
	}
	if err == nil {
		if before, err = s.Value(was); err == nil && before == nil {
			before = []byte{}
		}
	}
	return before, after, nil
}

// carvedAt is the record that an event was carved from; nil for one that a bucket has.
func (l *revisionList) carvedAt(n int) *snapshot.Carved {
	if !l.all.Carved(n) {
		return nil
	}
	list := l.recovered[l.all.Source(n)][l.all.Key(n)]
	if i := slices.IndexFunc(list, func(r snapshot.Carved) bool { return r.Revision == l.all.Revision(n) }); i >= 0 {
		return &list[i]
	}
	return nil
}

// follows says whether a record is the next version after another of one life of a key.
func follows(r, before *snapshot.Record) bool {
	return !before.Tombstone && before.CreateRevision == r.CreateRevision && before.Version == r.Version-1
}

// changes tells which fields differ: some with their values, or that it is noise.
func (row *revisionRow) changes(d *diff.Difference) {
	var parts []string
	for _, c := range d.Significant() {
		row.Fields = append(row.Fields, c.Path)
		if len(parts) < mostFields {
			parts = append(parts, fmt.Sprintf("%s: %s -> %s", cmp.Or(c.Path, "it"), shortValue(c.Before), shortValue(c.After)))
		}
	}
	if more := len(row.Fields) - len(parts); more > 0 {
		parts = append(parts, words.Count(more, "more field"))
	}
	switch row.What = strings.Join(parts, ", "); {
	case row.Verb == string(timeline.Updated) && len(parts) == 0 && d.Noise() != 0:
		row.What = d.Noise().String()
	case row.Verb == string(timeline.Updated) && len(parts) == 0:
		row.What = "the same content"
	}
}

// shortValue is a value as a row has it.
func shortValue(json string) string {
	if json == "" {
		return "none"
	}
	return sanitize.Short(json, 60)
}

// message is what there is to say in one line.
func (row *revisionRow) message() string {
	text := row.Verb + " " + row.object()
	if row.Namespace != "" {
		text += " in " + row.Namespace
	}
	if row.What != "" {
		text += ": " + row.What
	}
	if len(row.Managers) > 0 {
		text += " (by " + strings.Join(row.Managers, ", ") + ")"
	}
	return text
}

func (row *revisionRow) object() string {
	if row.Resource == "" {
		return row.Key
	}
	return row.Resource + "/" + row.Name
}

// reasons are the Events beside the revision.
func (row *revisionRow) reasons() string {
	var list []string
	for _, e := range row.Events {
		list = append(list, e.Reason)
	}
	return strings.Join(list, ", ")
}

// line is the row of a table.
func (row *revisionRow) line() []string {
	what := row.What
	if reasons := row.reasons(); reasons != "" {
		what = strings.TrimPrefix(what+"; Events: "+reasons, "; ")
	}
	seconds := func(t string) string {
		whole, _, _ := strings.Cut(t, ".")
		return words.OrDash(strings.TrimSuffix(whole, "Z"))
	}
	cells := []string{strconv.FormatInt(row.Revision, 10), seconds(row.From), seconds(row.To), row.Verb, words.OrDash(row.Namespace), row.object(), words.OrDash(strings.Join(row.Managers, ",")), what}
	for i := range cells {
		cells[i] = cellText(cells[i], maxCell)
	}
	cells[len(cells)-1] = cellText(what, maxLabels)
	return cells
}

// cells are those of a sheet.
func (row *revisionRow) cells() []string {
	list := []string{
		row.From, row.To, strconv.FormatInt(row.Revision, 10), row.Verb, row.Key, row.Resource, row.Namespace, row.Name,
		strings.Join(row.Managers, ", "), row.What, row.reasons(), strings.Join(row.Files, ", "),
	}
	for i := range list {
		list[i] = sanitize.Cell(sanitize.Line(list[i]))
	}
	return list
}

// writeLine writes a document as one line of JSON, with what it cannot hold of the row.
func writeLine(w io.Writer, row *revisionRow, v any) error {
	var p preparation
	p.prepare(reflect.ValueOf(row))
	row.Unwritable = p.unwritable
	text, err := data.JSON(v, "")
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
