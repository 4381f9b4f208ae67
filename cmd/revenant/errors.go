package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"revenant/analyzer/restore"
	"revenant/decoder/container"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
	"revenant/internal/memlimit"
	"revenant/internal/outfile"
)

// The exit codes. When several apply, the order is 2, 3, 1.
const (
	exitOK       = 0
	exitFindings = 1 // what was asked for was found
	exitFailed   = 2 // the command could not do its work
	exitDamaged  = 3 // the evidence is damaged; the work was done on what was readable
)

// These end a command that has done its work and said everything; they only
// choose the exit code.
var (
	errFindings = errors.New("findings")
	errDamaged  = errors.New("evidence is damaged")
	errUnread   = errors.New("a file could not be read")
	errMute     = errors.New("standard error is evidence") // nothing can be said: that would change it
)

// hintError carries a line that says what to do about an error.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

func hinted(err error, hint string) error { return &hintError{error: err, hint: hint} }

// mostInError is how many bytes of an error are shown, beginning and end.
const mostInError = 4 << 10

// exitCode tells the person what went wrong and returns the exit code.
func exitCode(w io.Writer, err error) int {
	switch {
	case err == nil, errors.Is(err, errPagerLeft):
		return exitOK
	case errors.Is(err, errUnread), errors.Is(err, errMute):
		return exitFailed
	case errors.Is(err, errDamaged):
		return exitDamaged
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "revenant: interrupted")
		return exitFailed
	}
	fmt.Fprintf(w, "revenant: %s\n", sanitize.Short(err.Error(), mostInError))
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", sanitize.Short(hint, mostInError))
	}
	return exitFailed
}

// hintFor says what to do about an error, "" when there is nothing to say.
func hintFor(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
	}
	if errors.Is(err, outfile.ErrEvidence) {
		return "evidence is never changed: name another file, outside of it"
	}
	var short *memlimit.Error
	if errors.As(err, &short) || errors.Is(err, syscall.ENOMEM) {
		return "give it more memory, or let it run where there is more: some 2 KiB a pod, and what etcd's keys take"
	}
	var plan *restore.PlanError
	if errors.As(err, &plan) {
		return plan.Hint()
	}
	var open *snapshot.OpenError
	if !errors.As(err, &open) {
		return ""
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "check the path; revenant --help lists the commands"
	case errors.Is(err, fs.ErrPermission):
		return "you may not read this file: run as its owner, or copy it"
	case errors.Is(err, container.ErrChoose):
		return "name the one that is meant, such as " + quoted(filepath.Join(open.Path, "NAME"))
	case errors.Is(err, snapshot.ErrDirectory):
		return "name etcd's data directory, which has its db at member/snap/db, or the file of a snapshot"
	case errors.Is(err, container.ErrNested):
		return "unpack the outer one first, and name what is in it"
	case errors.Is(err, container.ErrSeveral):
		return "name the one that is meant, such as " + inArchive(open.Path)
	case errors.Is(err, container.ErrTooLarge):
		return "if it is meant to be that large, --max-expanded and --max-ratio raise the limits"
	case errors.Is(err, container.ErrEntries):
		return "if it is meant to have that many, --max-entries raises the limit"
	case errors.Is(err, container.ErrEndless), open.Path == "-" && errors.Is(err, container.ErrNone):
		return "a snapshot is the file that `etcdctl snapshot save FILE` writes; a damaged one is read from a file, not from standard input"
	case errors.Is(err, container.ErrSpecial):
		return "standard input is read for the name -"
	case errors.Is(err, snapshot.ErrEmpty):
		return "the copy or the upload of the snapshot failed: look for another one"
	case open.Looks != "":
		return looksHint(open.Looks, open.Path)
	case errors.Is(err, snapshot.ErrNoMeta):
		return "the first two pages, through which everything is found, are damaged or not bbolt's: is this the whole file, and the right one?"
	case errors.Is(err, snapshot.ErrNoKeyBucket):
		return "an etcd snapshot keeps its revisions in a bucket named key: is this the right file?"
	}
	return ""
}

// inArchive is how a database in an archive is named. The archive may be the only one in
// a directory, or standard input.
func inArchive(path string) string {
	if archive, _ := container.Split(path); archive != path {
		path = archive
	} else if path == "-" {
		path = "ARCHIVE"
	} else if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "ARCHIVE")
	}
	return quoted(path + "//NAME")
}

// quoted is a path as a word of the shell, or a word that stands for it.
func quoted(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	if word, ok := sanitize.ShellWord(path); ok {
		return word
	}
	return "FILE"
}

func looksHint(looks, path string) string {
	if open := container.Opener(looks, quoted(path)); open != "" {
		return open + " | revenant inspect -"
	}
	unpack := map[string]string{
		"a bzip2 file":    "unpack it first: bunzip2 FILE",
		"an xz file":      "unpack it first: unxz FILE",
		"an lz4 file":     "unpack it first: unlz4 FILE",
		"a 7-Zip archive": "unpack it first: 7z x FILE",
	}
	if hint, ok := unpack[looks]; ok {
		return hint
	}
	return "a snapshot is the file that `etcdctl snapshot save FILE` writes"
}
