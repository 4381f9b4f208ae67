// Command mutants asks whether the tests would notice. It changes one condition at a time
// in the packages that decide an answer, and runs the tests of the package, then of those
// that depend on it. A change that no test notices survives, and is printed.
//
//	go run ./scripts/mutants -n 200 -seed 1 -oracle
//
// The same seed picks the same mutants of the same code. All of them are built at once, each
// behind a switch, and of each test it is first measured which of them it reaches: only
// these tests are run with the mutant on. The tree is never changed: the go command reads
// the changed files through -overlay. A survivor that changes no answer is named in
// equivalent.txt, with the reason.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// decide are the packages that decide an answer.
var decide = []string{
	"analyzer/restore", "analyzer/clock", "analyzer/lineage", "analyzer/drift", "analyzer/rollback",
	"analyzer/watchers", "analyzer/ties", "analyzer/preflight", "analyzer/atrest",
	"decoder/snapshot", "decoder/container", "decoder/keyspace", "decoder/wal", "decoder/delta", "decoder/encryption",
}

//go:embed equivalent.txt
var equivalents string

// equivalent is why a change, by its name, changes no answer.
func equivalent() map[string]string {
	known := map[string]string{}
	for line := range strings.Lines(equivalents) {
		if change, why, ok := strings.Cut(strings.TrimSpace(line), " # "); ok {
			known[change] = why
		}
	}
	return known
}

type options struct {
	n, workers int
	seed       uint64
	own        bool
	match, run *regexp.Regexp
	oracle     bool
	list       bool
	packages   []string
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 60, "how many mutants")
	flag.Uint64Var(&o.seed, "seed", 1, "which mutants")
	flag.IntVar(&o.workers, "workers", 2, "how many at a time")
	flag.BoolVar(&o.own, "own", false, "run the tests of the mutant's package alone")
	flag.BoolVar(&o.oracle, "oracle", false, "run the tests of the nested module, too, before a mutant has survived")
	match := flag.String("match", "", "only mutants whose line (-list) matches the regular expression")
	run := flag.String("run", "", "only tests whose names match the regular expression")
	flag.BoolVar(&o.list, "list", false, "print the mutants, and run nothing")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: go run ./scripts/mutants [flags] [package directories]\n\nWithout packages: %s.\n\n", strings.Join(decide, ", "))
		flag.PrintDefaults()
	}
	flag.Parse()
	o.match, o.run = regexp.MustCompile(*match), regexp.MustCompile(*run)
	o.packages = flag.Args()
	if len(o.packages) == 0 {
		o.packages = decide
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := ask(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func ask(ctx context.Context, w io.Writer, o options) error {
	chosen, total, err := choose(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d mutants of %d, seed %d\n", min(o.n, len(chosen)), total, o.seed)
	if o.list {
		for _, m := range chosen[:min(o.n, len(chosen))] {
			fmt.Fprintln(w, m)
		}
		return nil
	}
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b, err := assemble(ctx, scratch, chosen)
	if err != nil {
		return err
	}
	for _, m := range b.unbuilt {
		fmt.Fprintf(w, "unbuilt    %s\n", m)
	}
	chosen = b.mutants[:min(o.n, len(b.mutants))]
	if b.suites, err = suites(ctx, o); err != nil {
		return err
	}

	known := equivalent()
	count := map[fate]int{}
	var lock sync.Mutex
	each(o.workers, chosen, func(m mutant) {
		began := time.Now()
		f, by := b.judge(ctx, m, o.own)
		if ctx.Err() != nil {
			return
		}
		lock.Lock()
		defer lock.Unlock()
		if why, ok := known[m.change()]; ok && f == survived {
			f, by = same, why
		}
		count[f]++
		fmt.Fprintf(w, "%s  %s (%s, %.0f s)\n", f, m, by, time.Since(began).Seconds())
	})
	fmt.Fprintf(w, "%d noticed by their package's tests, %d by those of others; %d survived; %d equivalent\n", count[noticed], count[elsewhere], count[survived], count[same])
	return ctx.Err()
}

// choose picks the mutants, and some more in case not all can be built, and says of how many.
func choose(o options) ([]mutant, int, error) {
	var all []mutant
	for _, dir := range o.packages {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return nil, 0, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			more, err := mutants(name)
			if err != nil {
				return nil, 0, err
			}
			for _, m := range more {
				if o.match.MatchString(m.String()) {
					all = append(all, m)
				}
			}
		}
	}
	total := len(all)
	random := rand.New(rand.NewPCG(o.seed, 0))
	random.Shuffle(total, func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:min(total, o.n+o.n/10)]
	for i := range all {
		all[i].number = i + 1
	}
	return all, total, nil
}

// each calls fn with every element, so many at a time.
func each[T any](workers int, list []T, fn func(T)) {
	queue := make(chan T)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for e := range queue {
				fn(e)
			}
		})
	}
	for _, e := range list {
		queue <- e
	}
	close(queue)
	group.Wait()
}

// fate is what became of a mutant.
type fate string

const (
	noticed   fate = "noticed  "
	elsewhere fate = "elsewhere" // by the tests of another package
	survived  fate = "SURVIVED "
	same      fate = "same     " // survived, and changes no answer
)

// judge runs the tests that reach m until one notices it, those of its package first.
func (b *build) judge(ctx context.Context, m mutant, ownOnly bool) (fate, string) {
	dir, asked := filepath.Dir(m.file), 0
	own := slices.IndexFunc(b.suites, func(s *suite) bool { return s.module == "." && s.dir == dir })
	if own >= 0 {
		by, n := b.notices(ctx, b.suites[own], m)
		if by != "" {
			return noticed, by
		}
		asked += n
	}
	for i, s := range b.suites {
		if i == own || ownOnly || own >= 0 && !slices.Contains(s.needs, b.suites[own].path) {
			continue
		}
		by, n := b.notices(ctx, s, m)
		if by != "" {
			return elsewhere, by
		}
		asked += n
	}
	return survived, fmt.Sprintf("%d tests reach it", asked)
}
