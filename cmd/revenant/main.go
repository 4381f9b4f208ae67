// Command revenant opens etcd snapshots of Kubernetes clusters offline and
// predicts what restoring one does to what is running.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"revenant/internal/scratch"
)

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(runUntil(ctx, os.Args[1:], standardStreams()))
}

// grace is how long a command has to end by itself when it is interrupted.
const grace = 500 * time.Millisecond

// runUntil runs the command until it ends, or until shortly after ctx does: what
// it waits for then, or computes, is left undone, and its temporary files are
// removed.
func runUntil(ctx context.Context, args []string, s streams) int {
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
	}
	scratch.RemoveAll()
	// A file may be evidence, which is not known before the command has looked at it.
	if f, ok := s.err.(*os.File); ok {
		if info, err := f.Stat(); err != nil || info.Mode().IsRegular() {
			return exitFailed
		}
	}
	fmt.Fprintln(s.err, "revenant: interrupted")
	return exitFailed
}
