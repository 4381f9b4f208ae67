package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"revenant/analyzer/series"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
)

// phaseLook is what a series adds to the phases of reading, counted in files.
const phaseLook snapshot.Phase = "look"

// withSeries opens files as one history, lets use have it, and makes sure that the
// evidence is as it was. A directory with several snapshots stands for them.
func (o *openOptions) withSeries(ctx context.Context, s streams, files []string, use func(*series.Series, *progressLine) error) (err error) {
	if err := o.parse(); err != nil {
		return err
	}
	files, err = o.expand(ctx, files)
	if err != nil {
		return err
	}
	bar := newProgressLine(s)
	defer bar.clear()
	var sources []series.Source
	for _, path := range files {
		opts := snapshot.Options{
			SkipHashCheck: true, Limits: o.limits, AssumeCommitted: o.assumeCommitted, Decrypt: o.decrypt(), Stdin: s.in,
			MkdirTemp: func() (string, error) { return o.guard.MkdirTemp("revenant-") },
		}
		if len(files) == 1 {
			opts.WALDir = o.walDir
		}
		sources = append(sources, series.Source{
			Name: path,
			Look: func(ctx context.Context) (*snapshot.Glance, error) { return snapshot.Look(ctx, path, opts) },
			Open: func(ctx context.Context) (*snapshot.Snapshot, error) {
				opts := opts
				opts.Progress = bar.of(filepath.Base(path))
				return snapshot.Open(ctx, path, opts)
			},
		})
	}
	all, err := series.New(ctx, sources, series.Options{
		Prefix: func(ctx context.Context, s *snapshot.Snapshot) (string, error) {
			choice, err := o.needPrefix(ctx, s)
			return choice.Prefix, err
		},
		Progress: func(done, total int) {
			bar.show("files", snapshot.Progress{Phase: phaseLook, Done: int64(done), Total: int64(total)})
		},
	})
	if err != nil {
		return seriesHint(err)
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	if err := use(all, bar); err != nil {
		return err
	}
	for i := range all.Members {
		if err := snapshot.FilesUnchanged(all.Members[i].Files); err != nil {
			return hinted(err, copyHint)
		}
	}
	return nil
}

func seriesHint(err error) error {
	var unrelated *series.UnrelatedError
	if errors.As(err, &unrelated) {
		return hinted(err, "give the files of one cluster")
	}
	return err
}

// expand puts the snapshots of a directory in its place. A file that is named twice counts
// once.
func (o *openOptions) expand(ctx context.Context, files []string) (list []string, err error) {
	stdin := false
	for _, path := range files {
		if path == "-" {
			stdin = true
			list = append(list, path)
			continue
		}
		found, err := container.List(ctx, path, o.maxEntries)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !slices.ContainsFunc(list, func(was string) bool { return was == f || same(was, f) }) {
				list = append(list, f)
				o.guard.Evidence(f)
			}
		}
	}
	switch {
	case stdin && len(list) > 1:
		return nil, errors.New("standard input is read alone")
	case o.walDir != "" && len(list) > 1:
		return nil, fmt.Errorf("--wal-dir is that of one db, and %d files are given", len(list))
	}
	return list, nil
}
