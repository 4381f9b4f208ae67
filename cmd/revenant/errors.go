package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"revenant/analyzer/restore"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// The exit codes. When several apply, the order is 2, 3, 1.
const (
	exitOK       = 0
	exitFindings = 1 // what was asked for was found
	exitFailed   = 2 // the command could not do its work
	exitDamaged  = 3 // the evidence is damaged; the work was done on what was readable
)

// errFindings and errDamaged end a command that has done its work and said
// everything; they only choose the exit code.
var (
	errFindings = errors.New("findings")
	errDamaged  = errors.New("evidence is damaged")
)

// hintError carries a line that says what to do about an error.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

func hinted(err error, hint string) error { return &hintError{error: err, hint: hint} }

// exitCode tells the person what went wrong and returns the exit code.
func exitCode(w io.Writer, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDamaged):
		return exitDamaged
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(w, "revenant: interrupted")
		return exitFailed
	}
	fmt.Fprintf(w, "revenant: %s\n", sanitize.Line(err.Error()))
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", sanitize.Line(hint))
	}
	return exitFailed
}

// hintFor says what to do about an error, "" when there is nothing to say.
func hintFor(err error) string {
	var h *hintError
	if errors.As(err, &h) {
		return h.hint
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
		return "the file is readable for others only; reading is all revenant does"
	case errors.Is(err, snapshot.ErrDirectory):
		return "name the db file in it: a data directory has it at member/snap/db"
	case errors.Is(err, snapshot.ErrEmpty):
		return "the copy or the upload of the snapshot failed: look for another one"
	case open.Looks != "":
		return looksHint(open.Looks)
	case errors.Is(err, snapshot.ErrNoMeta):
		return "the first two pages, through which everything is found, are damaged or not bbolt's: is this the whole file, and the right one?"
	case errors.Is(err, snapshot.ErrNoKeyBucket):
		return "an etcd snapshot keeps its revisions in a bucket named key: is this the right file?"
	}
	return ""
}

func looksHint(looks string) string {
	unpack := map[string]string{
		"a gzip file":   "unpack it first: gunzip FILE",
		"a zstd file":   "unpack it first: unzstd FILE",
		"a zip archive": "unpack it first: unzip FILE",
		"a bzip2 file":  "unpack it first: bunzip2 FILE",
		"an xz file":    "unpack it first: unxz FILE",
		"a tar archive": "unpack it first: tar xf FILE",
	}
	if hint, ok := unpack[looks]; ok {
		return hint
	}
	return "a snapshot is the file that `etcdctl snapshot save FILE` writes"
}
