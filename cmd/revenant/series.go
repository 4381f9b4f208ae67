package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"revenant/analyzer/clock"
	"revenant/analyzer/series"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
	"revenant/internal/words"
)

// phaseLook is what a series adds to the phases of reading, counted in files.
const phaseLook snapshot.Phase = "look"

// withSeries opens files as one history, lets use have it, and makes sure that the
// evidence is as it was. A directory with several snapshots stands for them.
func (o *openOptions) withSeries(ctx context.Context, s streams, files []string, use func(*series.Series, *progressLine) error) (err error) {
	bar := newProgressLine(s)
	defer bar.clear()
	all, err := o.series(ctx, s, files, func(path string) func(snapshot.Progress) { return bar.of(filepath.Base(path)) }, bar.of("files"))
	if err != nil {
		return err
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

// series reads files as one history. of makes what is told how far the work on one is, and
// tell how many have been looked at.
func (o *openOptions) series(ctx context.Context, s streams, files []string, of func(path string) func(snapshot.Progress), tell func(snapshot.Progress)) (*series.Series, error) {
	if err := o.parse(); err != nil {
		return nil, err
	}
	files, err := o.expand(ctx, files)
	if err != nil {
		return nil, err
	}
	var sources []series.Source
	for _, path := range files {
		opts := snapshot.Options{
			SkipHashCheck: true, Limits: o.limits, AssumeCommitted: o.assumeCommitted, Decrypt: o.decrypt(), Stdin: s.in, Cache: o.cache,
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
				opts.Progress = of(path)
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
			tell(snapshot.Progress{Phase: phaseLook, Done: int64(done), Total: int64(total)})
		},
	})
	return all, seriesHint(err)
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

// several says whether some files, or a directory of several, are a series.
func (o *openOptions) several(ctx context.Context, files []string) bool {
	if len(files) > 1 {
		return true
	}
	list, err := container.List(ctx, files[0], o.maxEntries)
	return err == nil && len(list) > 1
}

// withState lets use have the snapshot that holds the state at a moment, as --at names it:
// of several files, the one in whose window it lies. A moment that is relative to the
// newest file is then a time.
func (o *openOptions) withState(ctx context.Context, s streams, files []string, at *string, use func(*snapshot.Snapshot, *progressLine) error) error {
	if !o.several(ctx, files) {
		return o.withOne(ctx, s, files[0], use)
	}
	return o.withSeries(ctx, s, files, func(all *series.Series, bar *progressLine) error {
		i, err := memberAt(ctx, all, "--at", at)
		if err != nil {
			return err
		}
		opened, err := all.Open(ctx, i)
		if err != nil {
			return err
		}
		if err := use(opened, bar); err != nil {
			return err
		}
		return leftOut(all)
	})
}

// memberAt is the member that holds the state at a moment of the newest history. A moment
// that is relative to the newest file is then a time.
func memberAt(ctx context.Context, s *series.Series, flag string, at *string) (int, error) {
	newest := s.Newest()
	branch := s.Members[newest].Branch
	if *at == "" {
		return s.At(branch, 0)
	}
	m, err := clock.ParseMoment(*at, s.Members[newest].Taken.From)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: %w", flag, err)
	case m.Time.From.IsZero():
		return s.At(branch, m.Revision)
	}
	*at = m.Time.From.Format(time.RFC3339Nano)
	return s.AtTime(ctx, branch, m.Time.From)
}

// verdict is the error of a series of which some could not be read.
func verdict(s *series.Series, damaged bool) error {
	if err := leftOut(s); err != nil || !damaged {
		return err
	}
	return errDamaged
}

// leftOut is the error of files that could not be taken in.
func leftOut(s *series.Series) error {
	if len(s.Left) == 0 {
		return nil
	}
	var names []string
	for _, l := range s.Left {
		names = append(names, fmt.Sprintf("%s (%v)", l.Name, l.Err))
	}
	return hinted(fmt.Errorf("not taken in: %s", words.First(names, 3)), "revenant inspect says what is wrong with a file")
}
