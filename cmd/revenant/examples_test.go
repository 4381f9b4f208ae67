package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestExamples runs the examples in the help of the commands that look into files, on the
// demo's: each does what it shows.
func TestExamples(t *testing.T) {
	evidenceFiles(t)
	for name, from := range map[string]string{"monday.db": "backup.db", "tuesday.db": "current.db", "backups/monday.db": "backup.db", "backups/tuesday.db": "current.db"} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		writeEvidence(t, name, data)
	}
	ran := 0
	for _, cmd := range newRoot(streams{}, work).Commands() {
		switch cmd.Name() {
		case "get", "describe", "extract", "history", "who", "diff", "timeline", "search", "storage":
		default:
			continue
		}
		for line := range strings.Lines(cmd.Example) {
			ran++
			line, _, _ = strings.Cut(strings.TrimSpace(line), " | ")
			args := exampleWords(line)[1:]
			var out, errs bytes.Buffer
			code := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &errs})
			wrote := strings.Contains(line, "=") || strings.Contains(line, "--kustomize")
			if code == exitFailed || code == exitDamaged || out.Len() == 0 && !wrote && !strings.Contains(errs.String(), "found") {
				t.Errorf("%s: exit code %d, %s", line, code, &errs)
			}
		}
	}
	if ran < 25 {
		t.Errorf("%d examples", ran)
	}
}

// exampleWords are the words of a line as a shell has them, with single quotes.
func exampleWords(line string) (words []string) {
	word, quoted := "", false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted:
			if word != "" {
				words = append(words, word)
			}
			word = ""
		default:
			word += string(r)
		}
	}
	return words
}

// TestHelpFits: the text of a command's help fits into a terminal.
func TestHelpFits(t *testing.T) {
	const width = 88
	root := newRoot(streams{}, work)
	for _, cmd := range append(root.Commands(), root) {
		for _, line := range strings.Split(cmd.Long, "\n") {
			if len(line) > width {
				t.Errorf("%s has a line of %d bytes: %s", cmd.Name(), len(line), line)
			}
		}
	}
}
