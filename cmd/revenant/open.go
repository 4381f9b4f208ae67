package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// openOptions are the flags that say how evidence is read.
type openOptions struct {
	skipHashCheck bool
	prefix        string
}

func (o *openOptions) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.skipHashCheck, "skip-hash-check", false, "leave the SHA-256 trailer unverified and say so")
	flags.StringVar(&o.prefix, "etcd-prefix", "/registry", "prefix of Kubernetes' keys in etcd")
}

// progressLine is one line on a terminal that says how far the reading is.
type progressLine struct {
	mu    sync.Mutex
	w     io.Writer
	off   bool
	drawn bool
	parts map[string]int64 // percent by name
}

// newProgressLine draws on standard error, when that is a terminal.
func newProgressLine(s streams) *progressLine {
	return &progressLine{w: s.err, off: !s.errTTY, parts: map[string]int64{}}
}

func (l *progressLine) show(name string, p snapshot.Progress) {
	if p.Phase != snapshot.PhaseIndex || p.Total == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return
	}
	l.drawn = true
	l.parts[name] = p.Done * 100 / p.Total
	var line []string
	for _, name := range slices.Sorted(maps.Keys(l.parts)) {
		line = append(line, fmt.Sprintf("%s %d %%", sanitize.Line(name), l.parts[name]))
	}
	fmt.Fprintf(l.w, "\r\x1b[Kreading %s", strings.Join(line, ", "))
}

// clear takes the line away and keeps it away.
func (l *progressLine) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drawn && !l.off {
		fmt.Fprint(l.w, "\r\x1b[K")
	}
	l.off = true
}
