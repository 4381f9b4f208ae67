package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestMan wants a page for every command that --help lists, with all of its flags,
// and that those programs that are there show it without complaint.
func TestMan(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1795600000")
	dir := filepath.Join(t.TempDir(), "share", "man1")
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"man", dir}, streams{out: &out, err: &errs}); code != exitOK || out.Len()+errs.Len() > 0 {
		t.Fatalf("exit code %d: %s%s", code, &out, &errs)
	}
	root := newRoot(streams{}, work)
	root.InitDefaultCompletionCmd()
	pages := 0
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		pages++
		path := filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		checkPage(t, cmd, path)
		for _, below := range cmd.Commands() {
			if !below.Hidden && below.Name() != "help" {
				check(below)
			}
		}
	}
	check(root)
	if written, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(written) != pages || pages < 8 {
		t.Errorf("%d pages of %d commands, %v", len(written), pages, err)
	}
}

func checkPage(t *testing.T, cmd *cobra.Command, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	shown := string(text)
	for _, viewer := range [][]string{
		{"man", "--warnings=w", "-l", path},
		{"mandoc", "-T", "utf8", "-W", "warning", path},
	} {
		if _, err := exec.LookPath(viewer[0]); err != nil {
			t.Logf("%s is not here", viewer[0])
			continue
		}
		view := exec.Command(viewer[0], viewer[1:]...)
		view.Env = append(os.Environ(), "MANWIDTH=500", "MANPAGER=cat", "LC_ALL=C.UTF-8")
		var complaints bytes.Buffer
		view.Stderr = &complaints
		output, err := view.Output()
		if err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v\n%s", strings.Join(viewer, " "), err, &complaints)
		}
		if viewer[0] == "man" {
			shown = string(output)
		}
	}
	want := []string{strings.Fields(cmd.Short)[0]}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { want = append(want, "--"+f.Name) })
	want = append(want, strings.Split(strings.TrimSpace(cmd.Example), "\n")...)
	shown = strings.ReplaceAll(shown, `\-`, "-")
	for _, w := range want {
		if !strings.Contains(shown, strings.TrimSpace(w)) {
			t.Errorf("%s does not say %q", filepath.Base(path), w)
		}
	}
}
