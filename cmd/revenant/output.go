package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"revenant/analyzer/restore"
	"revenant/report"
)

// document is a finding that can be written in every format of its verb.
type document interface {
	Text(*report.Printer)
}

// markdowner is a document that can be written as Markdown, too.
type markdowner interface {
	Markdown(*report.Printer)
}

// outputOptions are the -o flags: FORMAT or FORMAT=FILE, any number of times.
type outputOptions struct {
	formats []string // those of the verb, its default first; none is table, json and yaml
	outputs []string
}

func (o *outputOptions) addFlags(flags *pflag.FlagSet) {
	formats := o.known()
	last := len(formats) - 1
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, fmt.Sprintf(
		"write `FORMAT[=FILE]`: %s or %s, to standard output or to a file; can be given several times (default %s)",
		strings.Join(formats[:last], ", "), formats[last], formats[0]))
}

// complete offers the formats, and a file behind FORMAT=.
func (o *outputOptions) complete() cobra.CompletionFunc { return completeKeyed(o.known()...) }

func (o *outputOptions) known() []string {
	if len(o.formats) > 0 {
		return o.formats
	}
	return []string{"table", "json", "yaml"}
}

// targets parses the flags before any work is done. A file that is evidence is
// refused.
func (o *outputOptions) targets(evidence ...string) ([]target, error) {
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
		if toFile {
			if err := spare(evidence, file); err != nil {
				return nil, err
			}
		}
		if !toFile && slices.ContainsFunc(list, func(t target) bool { return t.file == "" }) {
			return nil, hinted(fmt.Errorf("two outputs for standard output"), "give all but one a file: -o json=FILE")
		}
		list = append(list, target{format: format, file: file})
	}
	return list, nil
}

// spare refuses a file to write that is evidence, or in a directory of it. An
// empty path of evidence is none.
func spare(evidence []string, file string) error {
	for _, path := range evidence {
		if path != "" && (same(path, file) || filepath.Clean(path) == filepath.Clean(file) || within(path, file)) {
			return hinted(fmt.Errorf("output %s is evidence", file), "evidence is never changed: name another file, outside of it")
		}
	}
	return nil
}

// target is one place to write a document to.
type target struct {
	format string
	file   string // "" for standard output
}

// write writes the document to every target, unless ctx ends before.
func write(ctx context.Context, targets []target, s streams, doc document) error {
	for _, t := range targets {
		if t.file == "" {
			if err := t.encode(untilDone{ctx, s.out}, doc, s.color); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
			continue
		}
		if err := t.writeFile(ctx, doc); err != nil {
			return fmt.Errorf("write %s: %w", t.file, err)
		}
	}
	return nil
}

// untilDone writes until ctx ends.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// writeFile writes a file whole or not at all. A link is followed, and what is no
// regular file, such as a pipe or a device, is written to and not replaced.
func (t target) writeFile(ctx context.Context, doc document) error {
	path := t.file
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	mode := fs.FileMode(0o666)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
		if !info.Mode().IsRegular() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return errors.Join(t.encode(untilDone{ctx, f}, doc, false), f.Close())
		}
	}
	// Not os.CreateTemp, whose mode is not what the umask wants.
	part := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%x", filepath.Base(path), rand.Uint64()))
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = errors.Join(t.encode(untilDone{ctx, f}, doc, false), f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

// within says whether a file is, or would be, in a directory or below it.
func within(dir, file string) bool {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false
	}
	at, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	for parent := filepath.Dir(at); ; parent = filepath.Dir(parent) {
		if same(parent, dir) {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// same says whether two paths lead to one file.
func same(a, b string) bool {
	statA, errA := os.Stat(a)
	statB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(statA, statB)
}

func (t target) encode(w io.Writer, doc document, color bool) error {
	if t.format == "json" || t.format == "yaml" {
		return encodeData(w, t.format, doc)
	}
	p := report.NewPrinter(w)
	if color {
		p.Paint = paint
	}
	if md, ok := doc.(markdowner); ok && t.format == "markdown" {
		p.Paint = nil
		md.Markdown(p)
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
