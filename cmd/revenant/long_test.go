package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"revenant/internal/adversary"
)

// How many bytes a line of text may have: more than that are in a paragraph only, which
// is one line in Markdown.
const (
	longestLine      = 12 << 10
	longestParagraph = 66 << 10 // 32 KiB of what is escaped
	longestElement   = 5*(32<<10) + 1<<10
)

// TestLongNames gives evidence whose names are much longer than can be shown to every
// command that writes text: no line grows with the name.
func TestLongNames(t *testing.T) {
	for i, long := range []struct{ name, of string }{
		{"marks and jamo", "e" + strings.Repeat("\u0301", 50_000) + strings.Repeat("e"+strings.Repeat("\U0001D167", 50), 200) + strings.Repeat("\u1100", 10_000) + strings.Repeat("\u11A8\u1161", 5_000)},
		{"no blank", strings.Repeat("a", 300_000)},
		{"escaped", strings.Repeat("* ", 50_000) + strings.Repeat("`", 100_000)},
		{"no UTF-8", strings.Repeat("\xff", 100_000)},
	} {
		t.Run(long.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			c, err := adversary.Named(uint64(i), long.of)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			in := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
			for name, data := range c.Files {
				if err := os.MkdirAll(filepath.Dir(in(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(in(name), data, 0o444); err != nil {
					t.Fatal(err)
				}
			}
			backup, current := in(c.Backup.Path), in(c.Current.Path)
			for name, args := range map[string][]string{
				"inspect":  {"inspect", backup, current},
				"predict":  {"predict", "--all", backup, current},
				"compare":  {"predict", "--compare", backup, current},
				"overview": {backup, current},
				"plan":     {"plan", "--platform", "kubeadm", backup, current},
				"markdown": {"report", "--platform", "kubeadm", "-o", "markdown", backup, current},
				"report":   {"report", "--platform", "kubeadm", backup, current},
				"html":     {"report", "--platform", "kubeadm", "-o", "html", backup, current},
				"verify":   {"verify", current, "--dumps", in(c.Dumps), "--partial"},
				"carve":    {"carve", current},
				"get":      {"get", "--show-labels", "-o", "wide", current},
				"history":  {"history", "-f", backup, "-f", current, "/registry/namespaces/kube-system"},
				"diff":     {"diff", "--force", backup, current},
				"timeline": {"timeline", current},
				"describe": {"describe", current, "pods"},
				"storage":  {"storage", current},
				"who":      {"who", "-f", backup, "-f", current, "/registry/namespaces/kube-system"},
				"salvage":  {"salvage", current, "-o", in("clean.db")},
				"plain":    {"--plain", backup, current},
				"error":    {"inspect", current, "--prefix", "/" + long.of},
			} {
				var out, errs bytes.Buffer
				keys := "pods\nenter\nesc\nnodes\nenter\nesc\nworkloads\nenter\nesc\nobjects\nenter\ny\nesc\ntimeline\nstorage\nenter\nundone\nenter\nproblems\nplans\nenter\ndiff\nenter\nquit\n"
				code := run(t.Context(), args, streams{in: strings.NewReader(keys), out: &out, err: &errs})
				text := out.String() + errs.String()
				if out.Len() == 0 && name != "error" {
					t.Errorf("%s: exit %d, nothing is written: %.1000s", name, code, errs.String())
				}
				checkLines(t, name, text)
			}
		})
	}
}

// checkLines wants no line to be long, and no character to be made of much.
func checkLines(t *testing.T, name, text string) {
	t.Helper()
	most := longestLine
	switch name {
	case "markdown":
		most = longestParagraph
	case "html":
		most = longestElement
	}
	if c := crowded(text); c != "" {
		t.Errorf("%s: a character of %d bytes: %.100q", name, len(c), c)
	}
	for line := range strings.Lines(text) {
		if len(line) > most {
			t.Errorf("%s: a line of %d bytes, %d columns: %.200q", name, len(line), ansi.StringWidth(line), line)
		}
	}
}
