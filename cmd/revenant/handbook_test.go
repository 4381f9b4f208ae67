package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"revenant/docs/handbook"
	"revenant/internal/golden"
)

// handbookPages are the files of the chapters.
func handbookPages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, language := range handbook.Languages {
		for _, c := range handbook.Chapters(language) {
			path, err := filepath.Abs(filepath.Join(repository, "docs/handbook", c.Path()))
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			pages[path] = string(text)
		}
	}
	return pages
}

// TestHandbookExamples runs every command that the handbook shows with what it prints.
func TestHandbookExamples(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the examples are for a shell")
	}
	block := regexp.MustCompile("(?s)```\n\\$ .*?```\n")
	pages := handbookPages(t)
	evidenceFiles(t)
	ran := 0
	for path, text := range pages {
		printed := block.ReplaceAllStringFunc(text, func(shown string) string {
			var b strings.Builder
			b.WriteString("```\n")
			for line := range strings.Lines(shown) {
				if command, ok := strings.CutPrefix(line, "$ "); ok {
					ran++
					b.WriteString(line + piped(t, strings.TrimSpace(command)))
				}
			}
			return b.String() + "```\n"
		})
		golden.Equal(t, path, printed)
	}
	if ran < 12 {
		t.Errorf("%d examples", ran)
	}
}

// piped runs a line that begins with revenant, and gives the output to what stands after
// the first bar.
func piped(t *testing.T, line string) string {
	t.Helper()
	own, rest, more := strings.Cut(line, " | ")
	words := exampleWords(own)
	var out, errs bytes.Buffer
	code := run(t.Context(), words[1:], streams{in: strings.NewReader(""), out: &out, err: &errs})
	if words[0] != "revenant" || code != exitOK && code != exitFindings {
		t.Fatalf("%s: exit code %d, %s", line, code, &errs)
	}
	if !more {
		return out.String()
	}
	filter := exec.CommandContext(t.Context(), "sh", "-c", rest)
	filter.Stdin = &out
	text, err := filter.Output()
	if err != nil || len(text) == 0 {
		t.Fatalf("%s: %v, %d bytes", line, err, len(text))
	}
	return string(text)
}

// otherFlags are those that the handbook names and that are of other programs.
var otherFlags = []string{"force-new-cluster", "initial-cluster", "initial-cluster-token", "name", "etcd-compaction-interval"}

// TestHandbookFlags wants every command of revenant that the handbook names to be there,
// with its flags, and every other flag to be some command's, or known to be another program's.
func TestHandbookFlags(t *testing.T) {
	root := newRoot(streams{}, work)
	anywhere := map[string]bool{}
	for _, name := range otherFlags {
		anywhere[name] = true
	}
	verbs := map[string]*cobra.Command{}
	for _, cmd := range append(root.Commands(), root) {
		verbs[cmd.Name()] = cmd
		for name := range flagsOf(cmd) {
			anywhere[name] = true
		}
	}
	code := regexp.MustCompile("(?s)```\n.*?```|`[^`]+`")
	line := regexp.MustCompile(`(?m)^[$ ]*revenant .*$`)
	long := regexp.MustCompile(`--([a-z][a-z-]+)`)
	commands := 0
	for path, text := range handbookPages(t) {
		page := filepath.Base(path)
		for _, piece := range code.FindAllString(text, -1) {
			piece = strings.Trim(piece, "`\n")
			for _, m := range long.FindAllStringSubmatch(piece, -1) {
				if !anywhere[m[1]] && !strings.HasPrefix(piece, "$ ") {
					t.Errorf("%s: no command has --%s", page, m[1])
				}
			}
			for _, named := range line.FindAllString(piece, -1) {
				named, _, _ = strings.Cut(strings.TrimLeft(named, "$ "), " | ")
				words := exampleWords(strings.ReplaceAll(named, "\n", " "))
				cmd := verbs[words[1]]
				if cmd == nil && (words[1] == "BACKUP" || strings.HasPrefix(words[1], "-")) {
					cmd = root
				}
				if cmd == nil {
					t.Errorf("%s: no command %q", page, named)
					continue
				}
				commands++
				for _, word := range words[1:] {
					name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
					long, short := strings.HasPrefix(word, "--"), strings.HasPrefix(word, "-") && len(word) == 2
					if long && cmd.Flags().Lookup(name) == nil || short && cmd.Flags().ShorthandLookup(name) == nil {
						t.Errorf("%s: %q has no %s", page, named, word)
					}
				}
			}
		}
	}
	if commands < 40 {
		t.Errorf("%d commands", commands)
	}
}

func flagsOf(cmd *cobra.Command) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(cmd.Flags().FlagUsages()) {
		if m := regexp.MustCompile(`^ +(?:-\w, )?--([a-z-]+)`).FindStringSubmatch(line); m != nil {
			names[m[1]] = true
		}
	}
	return names
}

// TestHandbook reads it from the program: a list, a chapter, a word, and what there is not.
func TestHandbook(t *testing.T) {
	for _, tt := range []struct {
		args  []string
		width int
		code  int
		want  []string
	}{
		{args: nil, want: []string{" 1  blind-spot    What a restore does to what is running\n", " 8  glossary      Glossary\n"}},
		{args: []string{"--lang", "zh"}, want: []string{" 2  quick-start  快速上手\n"}},
		{args: []string{"3"}, want: []string{"3. Why phantoms, ghosts and double runs appear\n=====", "Sources\n-------"}},
		{args: []string{"flags"}, width: 40, want: []string{"4. What each flag and each restart does\n"}},
		{args: []string{"phantom"}, want: []string{"phantom\n=======\n\nA pod that a kubelet keeps running"}},
		{args: []string{"kubelets"}, want: []string{"6. Kubelets\n"}},
		{args: []string{"1", "--lang", "zh"}, width: 40, want: []string{"来源\n----"}},
		{args: []string{"nonsense"}, code: exitFailed, want: []string{`the handbook has nothing that is called "nonsense"`, "revenant handbook lists the chapters"}},
		{args: []string{"--lang", "xx"}, code: exitFailed, want: []string{`no language "xx"`}},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			s := streams{out: &out, err: &out}
			if tt.width > 0 {
				s.outTTY, s.outWidth = true, func() int { return tt.width }
			}
			if code := run(t.Context(), append([]string{"handbook"}, tt.args...), s); code != tt.code {
				t.Errorf("exit code %d", code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("want %q in:\n%s", want, &out)
				}
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Error("there are colours without a terminal that wants them")
			}
		})
	}
}
