// Command revenant opens etcd snapshots of Kubernetes clusters offline and
// predicts what restoring one does to what is running.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], standardStreams())
	stop()
	os.Exit(code)
}
