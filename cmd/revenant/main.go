// Command revenant opens etcd snapshots of Kubernetes clusters offline and
// predicts what restoring one does to what is running.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"revenant/internal/memlimit"
	"revenant/internal/scratch"
)

func main() {
	memlimit.Prepare()
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	ctx, cancel := context.WithCancelCause(ctx)
	out := make(chan struct{})
	memlimit.Watch(ctx, func(short *memlimit.Error) { cancel(short) }, func() { close(out) })
	s := standardStreams()
	endPager := withPager(os.Args[1:], &s)
	code := runUntil(ctx, out, os.Args[1:], s)
	endPager()
	os.Exit(code)
}

// grace is how long a command has to end by itself when it is interrupted.
const grace = 500 * time.Millisecond

// runUntil runs the command until it ends, or until shortly after ctx does: what
// it waits for then, or computes, is left undone, and its temporary files are
// removed. That is so at once when out is closed.
func runUntil(ctx context.Context, out <-chan struct{}, args []string, s streams) int {
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, s) }()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	select {
	case code := <-done:
		return code
	case <-time.After(grace):
	case <-out:
	}
	scratch.RemoveAll()
	// A file may be evidence, which is not known before the command has looked at it.
	if f, ok := s.err.(*os.File); ok && !s.errClear.Load() {
		if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
			return exitFailed
		}
	}
	return exitCode(s.err, whyEnded(ctx))
}

// whyEnded is the error of a command that ctx ended: for want of memory, or else it
// was interrupted.
func whyEnded(ctx context.Context) error {
	var short *memlimit.Error
	if errors.As(context.Cause(ctx), &short) {
		return short
	}
	return context.Canceled
}
