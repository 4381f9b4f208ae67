package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"revenant/decoder/container"
	"revenant/internal/outfile"
)

// filesOptions take the files of a command that has words after them.
type filesOptions struct {
	given []string // by -f
}

func (o *filesOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&o.given, "filename", "f", nil, "`FILE` to read, instead of one before the words; can be given several times")
}

// needs is for cobra: a file must be given, first or with -f.
func (o *filesOptions) needs(_ *cobra.Command, args []string) error {
	_, _, err := o.split(args)
	return err
}

var errNoFile = hinted(errors.New("no file is given"), "name it first, or with -f FILE")

// split tells files from words. Without -f the first argument is a file, and so is each
// one after it up to the first that names nothing there is.
func (o *filesOptions) split(args []string) (files, words []string, err error) {
	switch {
	case len(o.given) > 0:
		return o.given, args, nil
	case len(args) == 0:
		return nil, nil, errNoFile
	}
	n := 1
	for n < len(args) && exists(args[n]) {
		n++
	}
	return args[:n], args[n:], nil
}

// begun is what the arguments of a command are, once they are told apart and the guard
// knows the evidence among them.
type begun struct {
	files, words []string
	guard        *outfile.Guard
	targets      []target
}

// begin is the beginning of a command that has words after its files. beside names what
// it reads beside them; nil for nothing. output is nil for one with formats of its own.
func (o *openOptions) begin(s streams, files *filesOptions, output *outputOptions, args []string, beside func(files []string) ([]string, error)) (b begun, err error) {
	if b.files, b.words, err = files.split(args); err != nil {
		return b, err
	}
	evidence := b.files
	if beside != nil {
		more, err := beside(b.files)
		if err != nil {
			return b, err
		}
		evidence = slices.Concat(evidence, more)
	}
	if b.guard, err = o.guardOutputs(s, evidence...); err != nil || output == nil {
		return b, err
	}
	b.targets, err = output.targets(b.guard)
	return b, err
}

// one is split for a command that reads one file.
func (o *filesOptions) one(args []string) (file string, words []string, err error) {
	files, words, err := o.split(args)
	switch {
	case err != nil:
		return "", nil, err
	case len(o.given) > 1:
		return "", nil, errors.New("-f is given several times, and one file is read")
	case len(o.given) == 1:
		return files[0], words, nil
	}
	return args[0], args[1:], nil
}

// exists says whether an argument is a file, or one in an archive that is there.
func exists(arg string) bool {
	archive, _ := container.Split(arg)
	_, err := os.Stat(archive)
	return arg == "-" || !errors.Is(err, fs.ErrNotExist)
}
