package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"revenant/analyzer/restore"
	"revenant/decoder/container"
	"revenant/decoder/metrics"
)

// readMetrics reads the files of --metrics.
func (o *openOptions) readMetrics(ctx context.Context) error {
	for _, path := range o.metricsFiles {
		f, err := metrics.Read(ctx, path, o.limits)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, metrics.ErrNone):
			return hinted(fmt.Errorf("--metrics: %s %w", path, err), "revenant looks for "+strings.Join(metrics.Names, ", ")+"; of the last two for those of pods")
		case errors.Is(err, container.ErrTooLarge):
			return hinted(fmt.Errorf("--metrics: %s %w", path, err), "if it is meant to be that large, --max-expanded and --max-ratio raise the limits")
		case err != nil:
			if file := new(fs.PathError); !errors.As(err, &file) { // which names it
				err = fmt.Errorf("%s: %w", path, err)
			}
			return hinted(fmt.Errorf("--metrics: %w", err), "it is a file of what a /metrics endpoint answered, or of what promtool tsdb dump printed")
		}
		o.metrics = append(o.metrics, f)
	}
	return nil
}

// scraped is what metrics show; nil without any.
func (o *openOptions) scraped() *restore.Metrics { return restore.NewMetrics(o.metrics) }

// metricsUnchanged makes a change of a file of metrics while the command worked an
// error.
func (o *openOptions) metricsUnchanged(ctx context.Context) error {
	for _, f := range o.metrics {
		if f.Info == nil {
			continue // a pipe
		}
		now, err := os.Stat(f.Path)
		if err == nil && (!os.SameFile(f.Info, now) || now.Size() != f.Info.Size() || !now.ModTime().Equal(f.Info.ModTime())) {
			err = fmt.Errorf("evidence %s changed while it was read", f.Path)
		}
		if err == nil && o.verifies() {
			var again *metrics.File
			if again, err = metrics.Read(ctx, f.Path, o.limits); err == nil && again.SHA256 != f.SHA256 {
				err = fmt.Errorf("evidence %s changed while it was read: its SHA-256 was %s and is %s", f.Path, f.SHA256, again.SHA256)
			}
		}
		if err != nil {
			return hinted(err, copyHint)
		}
	}
	return nil
}
