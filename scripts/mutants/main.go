// Command mutants asks whether the tests would notice. It changes one condition at a time
// in the packages that decide an answer, and runs the tests of the package, then of those
// that depend on it. A change that no test notices survives, and is printed.
//
//	go run ./scripts/mutants -n 60 -seed 1
//
// The same seed picks the same mutants of the same code. The tree is never changed: the go
// command reads the changed file through -overlay. A survivor that changes no answer is
// named in equivalent.txt, with the reason.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
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
	timeout    time.Duration
	own        bool
	match      *regexp.Regexp
	oracle     bool
	list       bool
	packages   []string
}

func main() {
	var o options
	flag.IntVar(&o.n, "n", 60, "how many mutants")
	flag.Uint64Var(&o.seed, "seed", 1, "which mutants")
	flag.IntVar(&o.workers, "workers", 2, "how many at a time")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Minute, "the time limit for the tests of one package")
	flag.BoolVar(&o.own, "own", false, "run the tests of the mutant's package alone")
	flag.BoolVar(&o.oracle, "oracle", false, "run the tests of the nested module, too, before a mutant has survived")
	match := flag.String("match", "", "only mutants whose line (-list) matches the regular expression")
	flag.BoolVar(&o.list, "list", false, "print the mutants, and run nothing")
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: go run ./scripts/mutants [flags] [package directories]\n\nWithout packages: %s.\n\n", strings.Join(decide, ", "))
		flag.PrintDefaults()
	}
	flag.Parse()
	o.match = regexp.MustCompile(*match)
	o.packages = flag.Args()
	if len(o.packages) == 0 {
		o.packages = decide
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, o options) error {
	modules := []string{"."}
	if o.oracle {
		modules = append(modules, "oracle")
	}
	var tests []*suite
	for _, dir := range modules {
		more, err := suites(ctx, dir)
		if err != nil {
			return err
		}
		tests = append(tests, more...)
	}
	if o.own {
		for _, s := range tests {
			s.needs = nil
		}
	}
	var all []mutant
	for _, dir := range o.packages {
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			more, err := mutants(name)
			if err != nil {
				return err
			}
			for _, m := range more {
				if o.match.MatchString(m.String()) {
					all = append(all, m)
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(o.seed, 0))
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	fmt.Fprintf(w, "%d mutants of %d, seed %d\n", min(o.n, len(all)), len(all), o.seed)
	if o.list {
		for _, m := range all[:min(o.n, len(all))] {
			fmt.Fprintln(w, m)
		}
		return nil
	}
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)

	known := equivalent()
	count := map[fate]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	next, wanted := 0, o.n
	take := func() (int, bool) {
		lock.Lock()
		defer lock.Unlock()
		if wanted == 0 || next == len(all) || ctx.Err() != nil {
			return 0, false
		}
		wanted--
		next++
		return next - 1, true
	}
	for range o.workers {
		group.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				m, began := all[i], time.Now()
				f, by := judge(ctx, filepath.Join(scratch, fmt.Sprint(i)), m, tests, o.timeout)
				lock.Lock()
				switch why, ok := known[m.change()]; {
				case ctx.Err() != nil:
				case f == unbuilt:
					wanted++ // another one instead
				case f == survived && ok:
					count[same]++
					fmt.Fprintf(w, "%s  %s (%s)\n", same, m, why)
				default:
					count[f]++
					fmt.Fprintf(w, "%s  %s (%s, %d s)\n", f, m, by, int(time.Since(began).Seconds()))
				}
				lock.Unlock()
			}
		})
	}
	group.Wait()
	fmt.Fprintf(w, "%d noticed by their package's tests, %d by those of others; %d survived; %d equivalent\n", count[noticed], count[elsewhere], count[survived], count[same])
	return ctx.Err()
}

// fate is what became of a mutant.
type fate string

const (
	noticed   fate = "noticed  "
	elsewhere fate = "elsewhere" // by the tests of another package
	survived  fate = "SURVIVED "
	same      fate = "same     " // survived, and changes no answer
	unbuilt   fate = "unbuilt  "
)

// suite is the tests of a package.
type suite struct {
	module, dir string   // dir is below module
	path        string   // its import path
	needs       []string // the packages that it and its tests import, directly or not

	once sync.Once
	slow []string // tests that take more than a second
}

// suites are the packages of a module that have tests, those that need least first.
func suites(ctx context.Context, module string) ([]*suite, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-e", "-test", "-json=ImportPath,ForTest,Dir,Deps", "./...")
	cmd.Dir, cmd.Stderr = module, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", module, err)
	}
	root, err := filepath.Abs(module)
	if err != nil {
		return nil, err
	}
	var list []*suite
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, ForTest, Dir string
			Deps                     []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		path, ok := strings.CutSuffix(p.ImportPath, ".test")
		if !ok {
			continue
		}
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			return nil, err
		}
		for i, d := range p.Deps { // a dependency that is compiled for the test is "path [test]"
			p.Deps[i], _, _ = strings.Cut(d, " ")
		}
		list = append(list, &suite{module: module, dir: dir, path: path, needs: p.Deps})
	}
	slices.SortStableFunc(list, func(a, b *suite) int { return len(a.needs) - len(b.needs) })
	return list, nil
}

// judge runs the tests that may notice m, until one does, and says which did. Tests that
// are quick come first: they notice most.
func judge(ctx context.Context, scratch string, m mutant, tests []*suite, limit time.Duration) (fate, string) {
	overlay, err := m.overlay(scratch)
	if err != nil {
		return unbuilt, err.Error()
	}
	dir := filepath.Dir(m.file)
	at := slices.IndexFunc(tests, func(s *suite) bool { return s.module == "." && s.dir == dir })
	if at < 0 {
		return survived, "no tests"
	}
	own := tests[at]
	for _, part := range []part{quick, slow} {
		switch result, by := own.test(ctx, overlay, limit, part); result {
		case failed:
			return noticed, by
		case broken:
			return unbuilt, by
		}
	}
	others := slices.DeleteFunc(slices.Clone(tests), func(s *suite) bool { return s == own || !slices.Contains(s.needs, own.path) })
	for _, part := range []part{quick, slow} {
		for _, s := range others {
			if result, by := s.test(ctx, overlay, limit, part); result == failed {
				return elsewhere, by
			}
		}
	}
	return survived, fmt.Sprintf("tests of %d packages", 1+len(others))
}

// overlay writes the changed file, and what makes the go command read it.
func (m mutant) overlay(scratch string) (string, error) {
	if err := os.Mkdir(scratch, 0o700); err != nil {
		return "", err
	}
	source, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(scratch, "changed.go")
	if err := os.WriteFile(changed, m.apply(source), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(scratch, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

type result int

const (
	passed result = iota
	failed
	broken // did not build
)

// part is which tests of a package run.
type part int

const (
	quick part = iota
	slow       // those that take more than a second
)

// test runs tests of a package, and says which failed first. Tests that do not end have
// noticed.
func (s *suite) test(ctx context.Context, overlay string, limit time.Duration, part part) (result, string) {
	s.once.Do(func() { s.slow = s.measure(ctx, limit) })
	args := []string{"-overlay", overlay, "-failfast"}
	switch names := "^(" + strings.Join(s.slow, "|") + ")$"; {
	case part == quick && len(s.slow) > 0:
		args = append(args, "-skip", names)
	case part == slow && len(s.slow) > 0:
		args = append(args, "-run", names)
	case part == slow:
		return passed, ""
	}
	out, err := s.run(ctx, limit, args...)
	by := filepath.Join(s.module, s.dir)
	switch name := failure.FindSubmatch(out); {
	case bytes.Contains(out, []byte("panic: test timed out")):
		by += " out of time" // which a busy machine makes, too
	case name != nil:
		by += " " + string(name[1])
	}
	switch {
	case err == nil:
		return passed, by
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return broken, by
	}
	return failed, by
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// measure names the tests that take more than a second, with nothing changed.
func (s *suite) measure(ctx context.Context, limit time.Duration) []string {
	out, err := s.run(ctx, limit, "-json")
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "%s: its tests fail with nothing changed\n", filepath.Join(s.module, s.dir))
	}
	var names []string
	for line := range bytes.Lines(out) {
		var event struct {
			Action, Test string
			Elapsed      float64
		}
		if json.Unmarshal(line, &event) == nil && event.Action == "pass" && event.Elapsed > 1 && event.Test != "" && !strings.Contains(event.Test, "/") {
			names = append(names, event.Test)
		}
	}
	return names
}

func (s *suite) run(ctx context.Context, limit time.Duration, args ...string) ([]byte, error) {
	const building = 10 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit+building)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"test", "-vet=off", "-timeout", limit.String()}, args, []string{"./" + s.dir})...)
	cmd.Dir, cmd.WaitDelay = s.module, 10*time.Second
	return cmd.CombinedOutput()
}
