package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"revenant/analyzer/clock"
	"revenant/analyzer/diff"
	"revenant/analyzer/restore"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/internal/words"
	"revenant/report"
)

// The most bytes of a line that are shown, and how many lines around those that differ.
const (
	maxDiffLine = 4 << 10
	diffContext = 2
)

func (d *stateDiff) encode(ctx context.Context, w io.Writer, format string, color bool) error {
	switch format {
	case "json":
		return d.json(ctx, w)
	case "table":
		return d.table(ctx, w)
	case "html", "markdown":
		return d.page(ctx, w, format)
	}
	return d.text(ctx, w, color)
}

// name is an object as kubectl takes it, or the key of what is none.
func (d *stateDiff) name(i int) string {
	k := d.all.Name(i)
	if k.Name == d.all.Objects[i].Key {
		return k.Name
	}
	name := k.Plural() + "/" + k.Name
	if k.Namespace != "" {
		name += " -n " + k.Namespace
	}
	return name
}

// text writes every object that differs, a buffer each.
func (d *stateDiff) text(ctx context.Context, w io.Writer, color bool) error {
	p := diffPainter{color: color}
	fields := 0
	for i, o := range d.objects(ctx) {
		if !d.shows(o) {
			continue
		}
		p.line(diffHead, "diff "+d.title(i, o))
		fields += d.object(&p, i, o)
		p.line("", "")
		if _, err := w.Write(p.buffer.Bytes()); err != nil {
			return err
		}
		p.buffer.Reset()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, line := range d.summary(fields) {
		p.line("", line)
	}
	_, err := w.Write(p.buffer.Bytes())
	return err
}

// title names an object, and says what became of it.
func (d *stateDiff) title(i int, o *diff.Object) string {
	what := o.Fate.String()
	if o.Fate == diff.Recreated {
		what += ", another object of the same name"
	}
	return fmt.Sprintf("%s (%s)", d.name(i), what)
}

// object writes when an object was written and the fields that differ. It counts those
// that are noise.
func (d *stateDiff) object(p *diffPainter, i int, o *diff.Object) (noise int) {
	difference := d.all.Difference(i)
	p.line(diffHead, "--- "+d.written(d.before, o.Before))
	p.line(diffHead, "+++ "+d.written(d.after, o.After))
	if difference.Problem != "" {
		p.line("", "# not read in full, so that more may differ: "+difference.Problem)
	}
	for j := range difference.Changes {
		c := &difference.Changes[j]
		if c.Noise != 0 && c.Noise&^d.ignored == 0 {
			noise++
			continue
		}
		p.change(c, o.Fate)
	}
	return noise
}

// changes lists the objects that are shown; the function gets each of them as well.
func (d *stateDiff) changes(ctx context.Context, each func(i int, o *diff.Object)) (list report.Changes, err error) {
	list = report.Changes{Summary: []string{}, Objects: []report.Change{}}
	for i, o := range d.objects(ctx) {
		if !d.shows(o) {
			continue
		}
		k := d.all.Name(i)
		note := o.Noise.String()
		if o.Problem != "" {
			note = "not read in full"
		}
		list.Objects = append(list.Objects, report.Change{What: o.Fate.String(), Resource: k.Plural(), Namespace: k.Namespace, Name: k.Name, Before: o.Before, After: o.After, Note: note})
		each(i, o)
	}
	return list, ctx.Err()
}

// page writes a page: the objects that differ in a table, and the fields of each.
func (d *stateDiff) page(ctx context.Context, w io.Writer, format string) (err error) {
	doc := report.Difference{Tool: tool()}
	if doc.Evidence, err = d.evidence(ctx); err != nil {
		return err
	}
	var p diffPainter
	fields := 0
	doc.Changes, err = d.changes(ctx, func(i int, o *diff.Object) {
		fields += d.object(&p, i, o)
		doc.Fields = append(doc.Fields, report.Fields{Title: d.title(i, o), Text: p.buffer.String()})
		p.buffer.Reset()
	})
	if err != nil {
		return err
	}
	doc.Changes.Summary = append(doc.Changes.Summary, d.summary(fields)...)
	return writePage(w, format, &doc)
}

// evidence is what the two states are read from.
func (d *stateDiff) evidence(ctx context.Context) (list []restore.Evidence, err error) {
	for i, s := range []*diffState{d.before, d.after} {
		if i == 1 && s.Snapshot == d.before.Snapshot {
			continue
		}
		e, err := report.NewEvidence(ctx, "evidence", s.Snapshot)
		if err != nil {
			return nil, err
		}
		e.EtcdPrefixes = kube.SplitPrefixes(s.Prefix)
		d.open.sign(&e, s.Snapshot)
		list = append(list, e)
	}
	return list, nil
}

// written says where and when a state of an object was written.
func (d *stateDiff) written(s *diffState, revision int64) string {
	text := ""
	if d.before.file != d.after.file {
		text = s.file + ", "
	}
	if revision == 0 {
		return text + "not there"
	}
	return text + "revision " + words.Number(revision) + ", " + s.clock.TimeOf(revision).String()
}

// summary are the last lines: what differs in all, what is not shown, and what cannot be
// known. fields are those of noise in objects that are shown.
func (d *stateDiff) summary(fields int) []string {
	counts, folded, noise := d.count()
	var parts []string
	for _, f := range []diff.Fate{diff.Added, diff.Removed, diff.Recreated, diff.Changed, diff.Quiet} {
		if n := counts[f]; n > 0 {
			parts = append(parts, words.Number(n)+" "+f.String())
		}
	}
	what := "Nothing differs"
	if folded > 0 {
		what = "Nothing but noise differs"
	}
	if len(parts) > 0 {
		what = words.Count(counts.Total(), "object") + " differ" + map[bool]string{true: "s"}[counts.Total() == 1] + " (" + words.List(parts) + ")"
	}
	from, to := words.Number(d.before.View.Revision()), words.Number(d.after.View.Revision())
	lines := []string{fmt.Sprintf("%s between %s at revision %s and %s at revision %s.", what, d.before.file, from, d.after.file, to)}
	if d.before.file == d.after.file {
		lines[0] = fmt.Sprintf("%s between the revisions %s and %s of %s.", what, from, to, d.before.file)
	}
	var hidden []string
	if folded > 0 {
		hidden = append(hidden, words.CountOf(folded, "object that differs", "objects that differ")+" in noise only ("+noise.String()+")")
	}
	if fields > 0 {
		hidden = append(hidden, words.Count(fields, "field")+" of noise in these objects")
	}
	if len(hidden) > 0 {
		lines = append(lines, "Not shown: "+words.List(hidden)+". --ignore none shows all.")
	}
	for _, warning := range d.all.Warnings {
		lines = append(lines, words.Sentence(warning))
	}
	return lines
}

// count counts the objects that are shown, and those that are not for their noise.
func (d *stateDiff) count() (shown diff.Counts, folded int, noise diff.Noise) {
	for i := range d.all.Objects {
		if o := &d.all.Objects[i]; d.shows(o) {
			shown[o.Fate]++
		} else {
			folded++
			noise |= o.Noise
		}
	}
	return shown, folded, noise
}

// The styles of lines. A line tells what it is by its first character, too.
const (
	diffHead = "head"
	diffPath = "path"
	diffOut  = "-"
	diffIn   = "+"
)

// diffPainter writes lines, in colour where that is wanted.
type diffPainter struct {
	buffer bytes.Buffer
	color  bool
}

func (p *diffPainter) line(style, text string) {
	text = sanitize.Short(text, maxDiffLine)
	if p.color && style != "" {
		s := lipgloss.NewStyle()
		switch style {
		case diffHead:
			s = s.Bold(true)
		case diffPath:
			s = s.Foreground(lipgloss.Cyan)
		case diffOut:
			s = s.Foreground(lipgloss.Red)
		case diffIn:
			s = s.Foreground(lipgloss.Green)
		}
		text = s.Render(text)
	}
	p.buffer.WriteString(text)
	p.buffer.WriteByte('\n')
}

// change writes a field: what it was and what it is, or of an object that only one state
// has the field as a part of it.
func (p *diffPainter) change(c *diff.Change, fate diff.Fate) {
	lines := c.Lines(diffContext)
	if fate == diff.Added || fate == diff.Removed {
		sign, value := "+", c.After
		if fate == diff.Removed {
			sign, value = "-", c.Before
		}
		lead := "  "
		if len(lines) != 1 || strings.ContainsAny(value[:min(len(value), 1)], "{[") && len(value) > 2 {
			p.line(sign, sign+c.Path+":")
		} else {
			lead = c.Path + ": "
		}
		for _, l := range lines {
			p.line(sign, sign+lead+l.Before+l.After)
		}
		return
	}
	p.line(diffPath, "@@ "+cmp.Or(c.Path, "the object as it is stored")+" @@")
	var in []string
	flush := func() {
		for _, text := range in {
			p.line(diffIn, "+"+text)
		}
		in = in[:0]
	}
	for _, l := range lines {
		switch l.Op {
		case diff.Out:
			p.line(diffOut, "-"+l.Before)
			continue
		case diff.In:
			in = append(in, l.After)
			continue
		case diff.Replaced:
			p.line(diffOut, "-"+l.Before)
			in = append(in, l.After)
			continue
		}
		flush()
		if l.Op == diff.Folded {
			p.line("", "  ... "+words.Count(l.Count, "line"))
		} else {
			p.line("", " "+l.Before)
		}
	}
	flush()
}

// table writes a line for every object that differs.
func (d *stateDiff) table(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	t := objectTable{header: []string{"WHAT", "RESOURCE", "NAMESPACE", "NAME", "BEFORE", "AFTER", "NOTE"}}
	for i, o := range d.objects(ctx) {
		if !d.shows(o) {
			continue
		}
		k := d.all.Name(i)
		note := o.Noise.String()
		if o.Problem != "" {
			note = "not read in full"
		}
		cells := []string{o.Fate.String(), k.Plural(), words.OrDash(k.Namespace), k.Name, revisionCell(o.Before), revisionCell(o.After), note}
		for c := range cells {
			cells[c] = cellText(cells[c], maxCell)
		}
		if err := t.add(out, cells); err != nil {
			return err
		}
	}
	if err := cmp.Or(ctx.Err(), t.flush(out)); err != nil {
		return err
	}
	if t.rows != nil {
		fmt.Fprintln(out)
	}
	for _, line := range d.summary(0) {
		fmt.Fprintln(out, sanitize.Short(line, maxDiffLine))
	}
	return out.Flush()
}

func revisionCell(revision int64) string {
	if revision == 0 {
		return "-"
	}
	return strconv.FormatInt(revision, 10)
}

// listOr writes a, b or c.
func listOr(items []string) string {
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " or " + items[last]
}

// The parts of the JSON document around its objects, and one of these.
type (
	diffDocument struct {
		SchemaVersion int                `json:"schemaVersion"`
		Kind          string             `json:"kind"` // Difference
		Tool          restore.Tool       `json:"tool"`
		Evidence      []restore.Evidence `json:"evidence"`
		From          diffMoment         `json:"from"`
		To            diffMoment         `json:"to"`
		Ignored       []string           `json:"ignored"`
		Warnings      []string           `json:"warnings"`
	}
	diffMoment struct {
		Path     string         `json:"path"`
		Revision int64          `json:"revision"`
		Time     clock.Interval `json:"time"` // in which it was written
	}
	diffObject struct {
		Key       string           `json:"key"`
		Resource  string           `json:"resource"`
		Namespace string           `json:"namespace"`
		Name      string           `json:"name"`
		What      string           `json:"what"`
		Before    int64            `json:"before"` // mod revisions, 0 where it is not there
		After     int64            `json:"after"`
		Noise     []string         `json:"noise"`
		Problem   string           `json:"problem,omitempty"`
		Patch     []diff.Operation `json:"patch"`
	}
	diffSummary struct {
		Summary map[string]int `json:"summary"`
	}
)

// json writes the document, its objects one by one.
func (d *stateDiff) json(ctx context.Context, w io.Writer) (err error) {
	head := &diffDocument{SchemaVersion: report.SchemaVersion, Kind: "Difference", Tool: tool(), Ignored: noiseWords(d.ignored), Warnings: append([]string{}, d.all.Warnings...)}
	for i, s := range []*diffState{d.before, d.after} {
		*[]*diffMoment{&head.From, &head.To}[i] = diffMoment{s.file, s.View.Revision(), s.clock.TimeOf(s.View.Revision())}
	}
	if head.Evidence, err = d.evidence(ctx); err != nil {
		return err
	}
	list := jsonList{w: w, name: "objects"}
	if err := list.begin(head); err != nil {
		return err
	}
	for i, o := range d.objects(ctx) {
		if !d.shows(o) {
			continue
		}
		k := d.all.Name(i)
		steps, problem := d.all.Patch(i, d.ignored)
		if err := list.add(&diffObject{o.Key, k.Plural(), k.Namespace, k.Name, o.Fate.String(), o.Before, o.After, noiseWords(o.Noise), problem, steps}); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	counts, folded, _ := d.count()
	return list.end(&diffSummary{map[string]int{
		"added": counts[diff.Added], "removed": counts[diff.Removed], "recreated": counts[diff.Recreated], "changed": counts[diff.Changed],
		"noiseOnly": counts[diff.Quiet], "ignored": folded, "same": d.all.Same,
	}})
}

// noiseWords are the kinds of noise as --ignore takes them.
func noiseWords(n diff.Noise) []string {
	list := []string{}
	for _, name := range n.Names() {
		list = append(list, strings.ReplaceAll(strings.ToLower(name), " ", "-"))
	}
	return list
}
