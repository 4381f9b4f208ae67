package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// build is the packages with their mutants, and the tests built with them.
type build struct {
	scratch string
	overlay string // the file for -overlay
	mutants []mutant
	unbuilt []mutant
	suites  []*suite
}

// assemble writes the changed files, and leaves out what does not build.
func assemble(ctx context.Context, scratch string, chosen []mutant) (*build, error) {
	b := &build{scratch: scratch, overlay: filepath.Join(scratch, "overlay.json"), mutants: chosen}
	for {
		dirs, err := b.write()
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-gcflags=-e", "-overlay", b.overlay}, dirs)...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return b, nil
		}
		before := len(b.mutants)
		b.leaveOut(out)
		if len(b.mutants) == before {
			return nil, fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
}

// switchesFile is the file that the overlay adds to each package.
const switchesFile = "mutants_switches.go"

// write writes the overlay, and says which packages it changes.
func (b *build) write() (dirs []string, err error) {
	most := 0
	byFile := map[string][]mutant{}
	for _, m := range b.mutants {
		byFile[m.file] = append(byFile[m.file], m)
		most = max(most, m.number)
	}
	replace := map[string]string{}
	put := func(path string, content []byte) error {
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		changed := filepath.Join(b.scratch, fmt.Sprintf("%d.go", len(replace)))
		replace[path] = changed
		return os.WriteFile(changed, content, 0o600)
	}
	for file, list := range byFile {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		if err := put(file, together(path, source, list)); err != nil {
			return nil, err
		}
		dir := filepath.Dir(file)
		if slices.Contains(dirs, "./"+dir) {
			continue
		}
		dirs = append(dirs, "./"+dir)
		name := regexp.MustCompile(`(?m)^package (\w+)`).FindSubmatch(source)[1]
		if err := put(filepath.Join(dir, switchesFile), fmt.Appendf(nil, switches, name, most+1)); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return nil, err
	}
	return dirs, os.WriteFile(b.overlay, text, 0o600)
}

var compileError = regexp.MustCompile(`(?m)^(\S+\.go):(\d+)(?::\d+)?: `)

// leaveOut drops the mutants of the lines that the compiler complains of.
func (b *build) leaveOut(out []byte) {
	wrong := map[string]bool{}
	for _, e := range compileError.FindAllSubmatch(out, -1) {
		if path, err := filepath.Abs(string(e[1])); err == nil {
			wrong[path+":"+string(e[2])] = true
		}
	}
	b.mutants = slices.DeleteFunc(slices.Clone(b.mutants), func(m mutant) bool {
		path, err := filepath.Abs(m.file)
		out := err == nil && wrong[fmt.Sprintf("%s:%d", path, m.line)]
		if out {
			b.unbuilt = append(b.unbuilt, m)
		}
		return out
	})
}

// suite is the tests of a package.
type suite struct {
	module, dir string   // dir is below module
	path        string   // its import path
	needs       []string // the packages that it and its tests import, directly or not
	run         *regexp.Regexp

	once    sync.Once
	program string
	tests   []*test // those that pass with nothing changed, quick ones first
}

// test is a test, or an example, or a fuzz target with its seeds.
type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool // mutants, by number
}

// suites are the packages that have tests, those that need least first.
func suites(ctx context.Context, o options) ([]*suite, error) {
	modules := []string{"."}
	if o.oracle {
		modules = append(modules, "oracle")
	}
	var list []*suite
	for _, module := range modules {
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
			list = append(list, &suite{module: module, dir: dir, path: path, needs: p.Deps, run: o.run})
		}
	}
	slices.SortStableFunc(list, func(a, b *suite) int { return len(a.needs) - len(b.needs) })
	return list, nil
}

// notices runs the tests that reach m, and says which one failed first, or else how many
// did not. A test that takes far longer than it did has noticed, too.
func (b *build) notices(ctx context.Context, s *suite, m mutant) (by string, asked int) {
	s.once.Do(func() { b.measure(ctx, s) })
	var quick []string
	var slow []*test
	var took time.Duration
	for _, t := range s.tests {
		switch {
		case !t.reaches[m.number]:
		case t.took < time.Second:
			quick = append(quick, regexp.QuoteMeta(t.name))
			took += t.took
		default:
			slow = append(slow, t)
		}
	}
	on := fmt.Sprintf("/mutant/on/%d", m.number)
	fails := func(took time.Duration, names ...string) string {
		out, err := b.start(ctx, s, on, 30*time.Second+10*took, names)
		switch name := failure.FindSubmatch(out); {
		case err == nil || ctx.Err() != nil:
			return ""
		case bytes.Contains(out, []byte("panic: test timed out")):
			return filepath.Join(s.module, s.dir) + " out of time"
		case name != nil:
			return filepath.Join(s.module, s.dir) + " " + string(name[1])
		}
		return filepath.Join(s.module, s.dir) + " " + strings.Join(names, ", ")
	}
	if len(quick) > 0 {
		if by := fails(took, quick...); by != "" {
			return by, 0
		}
	}
	for _, t := range slow {
		if by := fails(t.took, regexp.QuoteMeta(t.name)); by != "" {
			return by, 0
		}
	}
	return "", len(quick) + len(slow)
}

var failure = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// measure builds the tests of s, and runs each with nothing changed, to know how long it
// takes and which mutants it reaches.
func (b *build) measure(ctx context.Context, s *suite) {
	name := filepath.Join(s.module, s.dir)
	s.program = filepath.Join(b.scratch, strings.ReplaceAll(name, string(filepath.Separator), "_")+".test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", b.overlay, "-o", s.program, "./"+s.dir)
	cmd.Dir = s.module
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", name, err, out)
		return
	}
	out, err := b.start(ctx, s, "", time.Minute, nil, "-test.list=^(Test|Example|Fuzz)")
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n%s", name, err, out)
		return
	}
	for _, name := range strings.Fields(string(out)) {
		if !s.run.MatchString(name) {
			continue
		}
		t := &test{name: name, reaches: map[int]bool{}}
		notes := filepath.Join(b.scratch, fmt.Sprintf("%s.%s", filepath.Base(s.program), name))
		if err := os.WriteFile(notes, nil, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		began := time.Now()
		if out, err := b.start(ctx, s, "/mutant/reached"+notes, 20*time.Minute, []string{name}); err != nil {
			if ctx.Err() == nil {
				fmt.Fprintf(os.Stderr, "%s %s fails with nothing changed: %s\n", s.program, name, out)
			}
			continue
		}
		t.took = time.Since(began)
		reached, err := os.ReadFile(notes)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		for _, f := range bytes.Fields(reached) {
			if n, err := strconv.Atoi(string(f)); err == nil {
				t.reaches[n] = true
			}
		}
		s.tests = append(s.tests, t)
	}
	slices.SortStableFunc(s.tests, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
}

// start runs the tests of s that have one of the names, or with other arguments, and with a
// directory more in PATH.
func (b *build) start(ctx context.Context, s *suite, dir string, limit time.Duration, names []string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+time.Minute)
	defer cancel()
	if len(names) > 0 {
		args = append(args, "-test.run=^("+strings.Join(names, "|")+")$", "-test.failfast", "-test.timeout="+limit.String())
	}
	temp, err := os.MkdirTemp(b.scratch, "") // what does not end may leave much
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir, cmd.WaitDelay = filepath.Join(s.module, s.dir), 10*time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "GOFLAGS=-overlay="+b.overlay, "PATH="+os.Getenv("PATH")+":"+cmp.Or(dir, "/mutant"))
	return cmd.CombinedOutput()
}
