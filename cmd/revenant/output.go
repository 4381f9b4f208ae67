package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	data "revenant/decoder/document"
	"revenant/decoder/input"
	"revenant/internal/outfile"
	"revenant/report"
	"revenant/report/sarif"
)

// document is a finding that can be written in every format of its verb.
type document interface {
	Text(*report.Printer)
}

// prometheuser is a document that can be written for Prometheus, too.
type prometheuser interface {
	Prometheus(*report.Printer)
}

// outputOptions are the -o flags: FORMAT or FORMAT=FILE, any number of times.
type outputOptions struct {
	formats []string // those of the verb, its default first; none is table, json and yaml
	outputs []string

	baseline string // SARIF of an earlier run
}

// addBaseline adds the flag of verbs that write SARIF.
func (o *outputOptions) addBaseline(flags *pflag.FlagSet) {
	flags.StringVar(&o.baseline, "baseline", "", "`FILE` that -o sarif wrote earlier: says of each result whether it is new (baselineState)")
}

func (o *outputOptions) addFlags(flags *pflag.FlagSet) {
	formats := o.known()
	last := len(formats) - 1
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, fmt.Sprintf(
		"write `FORMAT[=FILE]`: %s or %s, to standard output or to a file; can be given several times (default %s)",
		strings.Join(formats[:last], ", "), formats[last], formats[0]))
}

// complete offers the formats, and a file after FORMAT=.
func (o *outputOptions) complete() cobra.CompletionFunc { return completeKeyed(o.known()...) }

func (o *outputOptions) known() []string {
	if len(o.formats) > 0 {
		return o.formats
	}
	return []string{"table", "json", "yaml"}
}

// targets parses the flags before any work is done. A file that the guard knows as
// evidence is refused.
func (o *outputOptions) targets(guard *outfile.Guard) ([]target, error) {
	formats, outputs := o.known(), o.outputs
	if len(outputs) == 0 {
		outputs = formats[:1]
	}
	var list []target
	for _, s := range outputs {
		format, file, toFile := strings.Cut(s, "=")
		if !slices.Contains(formats, format) {
			return nil, hinted(fmt.Errorf("unknown output format %q", format), "the formats are "+strings.Join(formats, ", "))
		}
		if toFile && file == "" {
			return nil, fmt.Errorf("output %q names no file", s)
		}
		var place *outfile.Place
		if toFile {
			var err error
			if place, err = guard.Place(file, outfile.Follow); err != nil {
				return nil, err
			}
		}
		if !toFile && slices.ContainsFunc(list, func(t target) bool { return t.place == nil }) {
			return nil, hinted(fmt.Errorf("two outputs for standard output"), "give all but one a file: -o json=FILE")
		}
		list = append(list, target{format: format, place: place})
	}
	if o.baseline == "" {
		return list, nil
	}
	if !has(list, "sarif") {
		return nil, hinted(errors.New("--baseline is for SARIF"), "give -o sarif=FILE as well")
	}
	text, err := input.ReadBounded(o.baseline, maxBaseline)
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", err)
	}
	earlier, err := sarif.Parse(text)
	if err != nil {
		return nil, hinted(fmt.Errorf("--baseline: %s %w", o.baseline, err), "it is a file that -o sarif=FILE wrote")
	}
	for i := range list {
		list[i].earlier = earlier
	}
	return list, nil
}

// maxBaseline is more than a log of SARIF has, in bytes.
const maxBaseline = 256 << 20

// has says whether something is written in a format.
func has(list []target, format string) bool {
	return slices.ContainsFunc(list, func(t target) bool { return t.format == format })
}

// target is one place to write a document to.
type target struct {
	format string
	place  *outfile.Place // nil for standard output

	earlier *sarif.Log       // of an earlier run; nil for none
	written []report.Subject // the other files, for an attestation
}

// write writes the document to every target, unless ctx ends before.
func write(ctx context.Context, targets []target, s streams, doc document) error {
	// An attestation has the hashes of all other outputs, and so it comes last.
	last := func(t target) int { return map[bool]int{true: 1}[t.format == "attestation"] }
	targets = slices.SortedStableFunc(slices.Values(targets), func(a, b target) int { return last(a) - last(b) })
	var written []report.Subject
	for _, t := range targets {
		t.written = written
		if t.place == nil {
			if err := t.encode(outfile.Until(ctx, s.out), doc, s.color); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
			continue
		}
		hash := sha256.New()
		if err := t.place.Write(ctx, 0o666, func(w io.Writer) error { return t.encode(io.MultiWriter(w, hash), doc, false) }); err != nil {
			return err
		}
		written = append(written, report.Subject{Name: t.place.Name(), Digest: map[string]string{"sha256": hex.EncodeToString(hash.Sum(nil))}})
	}
	return nil
}

func pageFormat(format string) bool { return format == "html" || format == "markdown" }

// writePage writes a page, or the same as Markdown.
func writePage(w io.Writer, format string, doc report.Paged) error {
	p := report.NewPage(w)
	if format == "markdown" {
		p = report.NewMarkdown(w)
	}
	doc.Page(p)
	return p.Flush()
}

func (t target) encode(w io.Writer, doc document, color bool) error {
	if t.format == "json" || t.format == "yaml" {
		return encodeData(w, t.format, doc)
	}
	if paged, ok := doc.(report.Paged); ok && pageFormat(t.format) {
		return writePage(w, t.format, paged)
	}
	if alerting, ok := doc.(report.Alerting); ok && t.format == "sarif" {
		log := alerting.SARIF()
		if t.earlier != nil {
			log.Compare(t.earlier)
		}
		return data.WriteJSON(w, log, indent)
	}
	if attested, ok := doc.(report.Attested); ok && t.format == "attestation" {
		statement, err := report.Attest(attested, t.written)
		if err != nil {
			return hinted(err, "leave out --skip-hash-check")
		}
		var p preparation // a statement has no place for what cannot be written
		p.prepare(reflect.ValueOf(statement))
		return data.WriteJSON(w, statement, indent)
	}
	p := report.NewPrinter(w)
	if color {
		p.Paint = paint
	}
	if prom, ok := doc.(prometheuser); ok && t.format == "prometheus" {
		prom.Prometheus(p)
		return p.Flush()
	}
	doc.Text(p)
	return p.Flush()
}

// paint colours text by severity.
func paint(s restore.Severity, text string) string {
	style := lipgloss.NewStyle()
	switch s {
	case restore.Critical:
		style = style.Foreground(lipgloss.Red)
	case restore.Warning:
		style = style.Foreground(lipgloss.Yellow)
	}
	return style.Render(text)
}
