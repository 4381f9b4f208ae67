// Package memlimit ends a process with a clear message when it needs more memory than
// it may have, before the runtime or the kernel ends it.
//
// It reads what limits the process: GOMEMLIMIT, and on Linux `ulimit -v`, `ulimit -d`
// and the cgroup's limit. Watch makes the garbage collector stay below the smallest
// of them, and returns an *Error once the memory really in use does not fit. It
// cannot see an allocation before it is made: a single one that takes all the rest,
// or a limit with which Go does not even start, still ends with an error of the
// runtime.
package memlimit

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Error says that more memory is needed than there may be.
type Error struct {
	Held  int64  // bytes in use
	Limit int64  // bytes of it that there may be at most
	By    string // what limits it, such as GOMEMLIMIT
}

func (e *Error) Error() string {
	return fmt.Sprintf("not enough memory: %s leaves %s for it, and it holds %s", e.By, mebibytes(e.Limit), mebibytes(e.Held))
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// bound is what one limit leaves for what the runtime holds, in bytes.
type bound struct {
	soft int64 // the garbage collector keeps below it
	hard int64 // past it there may be no more at any moment
	by   string
}

// within is the bound of a limit of what the runtime maps. Not all of that can be used:
// what is free may be in pieces too small for a list as long as that of all pods.
func within(limit int64, by string) bound {
	spare := min(limit/8, 64<<20)
	return bound{soft: limit - 2*spare, hard: limit - spare, by: by}
}

// limit says what a limit leaves now; it changes as files are mapped and threads start.
type limit func(usage) bound

// usage is what the runtime holds, in bytes.
type usage struct {
	live     int64 // found in use by the last garbage collection, with what is not of the heap
	held     int64 // garbage included
	heap     int64 // mapped for the heap
	overhead int64 // mapped for anything else
}

var samples = []string{
	"/gc/heap/live:bytes",
	"/memory/classes/total:bytes",
	"/memory/classes/heap/objects:bytes",
	"/memory/classes/heap/unused:bytes",
	"/memory/classes/heap/free:bytes",
	"/memory/classes/heap/released:bytes",
	"/memory/classes/heap/stacks:bytes",
}

// meter reads the usage.
type meter []metrics.Sample

func newMeter() meter {
	m := make(meter, len(samples))
	for i, name := range samples {
		m[i].Name = name
	}
	return m
}

func (m meter) read() usage {
	metrics.Read(m)
	n := func(i int) int64 { return int64(m[i].Value.Uint64()) }
	live, total, objects, unused, free, released, stacks := n(0), n(1), n(2), n(3), n(4), n(5), n(6)
	heap := objects + unused + free + released + stacks
	return usage{live: live + stacks + total - heap, held: total - free - released, heap: heap, overhead: total - heap}
}

// interval is how often the usage is looked at: between two looks, a program that does
// nothing else allocates some megabytes.
const interval = 5 * time.Millisecond

// Watch looks after the process until ctx is done, beside its caller: what the heap
// reserves it has when Watch returns. It calls short once, when there is not enough
// memory, and out once, when there is so little left that the process must end at once.
func Watch(ctx context.Context, short func(*Error), out func()) {
	if limits := limits(); len(limits) > 0 {
		go look(ctx, limits, short, out)
	}
}

func look(ctx context.Context, limits []limit, short func(*Error), out func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	w := watch{meter: newMeter(), limits: limits, set: math.MaxInt64}
	for reported := false; ; {
		used, b := w.look()
		if err := b.exceeded(used); err != nil && !reported {
			reported = true
			short(err)
		}
		if reported && used.held > b.hard {
			out()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if !reported {
				return
			}
			ctx = context.WithoutCancel(ctx) // what was cancelled may go on allocating
		}
	}
}

// exceeded is the error of what is used, nil as long as it fits.
func (b bound) exceeded(u usage) *Error {
	if u.live > b.soft || u.held > b.hard {
		return &Error{Held: max(u.live, min(u.held, b.hard)), Limit: b.soft, By: b.by}
	}
	return nil
}

type watch struct {
	meter  meter
	limits []limit
	set    int64 // what the garbage collector was set to
}

// look reads the usage, and tells the garbage collector of the least bound.
func (w *watch) look() (usage, bound) {
	used := w.meter.read()
	least := bound{soft: math.MaxInt64, hard: math.MaxInt64}
	for _, l := range w.limits {
		if b := l(used); b.soft < least.soft {
			least = b
		}
	}
	if least.soft != w.set {
		w.set = least.soft
		debug.SetMemoryLimit(max(least.soft, 0))
	}
	return used, least
}

// limits are those that are set.
func limits() []limit {
	all := systemLimits()
	if soft := debug.SetMemoryLimit(-1); soft != math.MaxInt64 {
		stated := bound{soft: soft, hard: math.MaxInt64, by: "GOMEMLIMIT"}
		all = append(all, func(usage) bound { return stated })
	}
	return all
}
