//go:build linux

// Command bench times what a user of revenant runs against what there is to hold it
// against on the same machine: etcdutl snapshot status, openssl's SHA-256 and cat, on the
// same file, in turns. It prints ratios of medians with their spread and what the machine
// itself can do, and exits 1 when a bound is not met.
//
//	go run ./bench [-runs N] [-only REGEXP] [-growth] [-large BYTES]
//
// The files are made once and kept: a million small revisions (1.4 GB) and a pair of a
// cluster of 30,000 pods (1.3 GB). Needs Go, openssl and Linux; other work on the machine
// shows in the figures.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

type options struct {
	runs   int
	only   *regexp.Regexp
	dir    string
	growth bool
	large  int64
}

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 7, "runs of each command, after one that warms the page cache")
	only := flag.String("only", "", "only the rows that match the regular expression")
	flag.StringVar(&o.dir, "dir", "", "directory for the files (default: revenant-bench in the user's cache)")
	flag.BoolVar(&o.growth, "growth", false, "measure how time and memory grow instead, up to a million revisions and pods")
	flag.Int64Var(&o.large, "large", 0, "instead, open, predict and export a pair of so many `BYTES` a file with 1 GiB of memory beside the page cache")
	flag.Parse()
	var err error
	if o.only, err = regexp.Compile(*only); err == nil {
		err = run(&o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.dir = filepath.Join(cache, "revenant-bench")
	}
	bin, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	b := &bench{options: o, bin: bin}
	if err := b.build(); err != nil {
		return err
	}
	switch {
	case o.growth:
		return b.grow()
	case o.large > 0:
		return b.withinMemory()
	}
	return b.rows()
}

type bench struct {
	*options
	bin string
}

// build compiles revenant and the generators, and etcdutl where it is timed.
func (b *bench) build() error {
	commands := [][]string{{".", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.bin + "/", "./cmd/revenant", "./bench/pair"}}
	if !b.growth && b.large == 0 {
		commands = append(commands, []string{"oracle", "go", "build", "-o", b.bin + "/", "./cmd/bigsnap", "go.etcd.io/etcd/etcdutl/v3"})
	}
	for _, c := range commands {
		cmd := exec.Command(c[1], c[2:]...)
		cmd.Dir, cmd.Stderr = c[0], os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(c[1:], " "), err)
		}
	}
	return nil
}

func (b *bench) program(name string) string { return filepath.Join(b.bin, name) }

// pair makes a pair of snapshots, or finds it, and returns their paths.
func (b *bench) pair(name string, args ...string) (backup, current string, err error) {
	dir := filepath.Join(b.dir, name)
	backup, current = filepath.Join(dir, "backup.db"), filepath.Join(dir, "current.db")
	if _, err := os.Stat(current); err == nil {
		return backup, current, nil
	}
	part := dir + ".part"
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o700)); err != nil {
		return "", "", err
	}
	fmt.Fprintln(os.Stderr, "making", dir)
	cmd := exec.Command(b.program("pair"), append([]string{"-dir", part}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", "", err
	}
	return backup, current, os.Rename(part, dir)
}

// million makes the snapshot of a million revisions, or finds it.
func (b *bench) million() (string, error) {
	path := filepath.Join(b.dir, "million.db")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintln(os.Stderr, "making", path)
	cmd := exec.Command(b.program("bigsnap"), "-o", path+".part")
	cmd.Stderr = os.Stderr
	if err := errors.Join(os.MkdirAll(b.dir, 0o700), cmd.Run()); err != nil {
		return "", err
	}
	return path, os.Rename(path+".part", path)
}

// row is what is timed against what, and the ratio that may be.
type row struct {
	name         string
	ours, theirs []string
	of           string  // what theirs is, in words
	bound        float64 // of the ratio
	evict        []string
}

func (b *bench) rows() error {
	million, err := b.million()
	if err != nil {
		return err
	}
	backup, current, err := b.pair("cluster")
	if err != nil {
		return err
	}
	revenant, etcdutl := b.program("revenant"), b.program("etcdutl")
	status := func(f string) []string { return []string{etcdutl, "snapshot", "status", f} }
	sha := func(f string) []string { return []string{"openssl", "dgst", "-sha256", f} }
	const ofStatus, ofSHA, ofCat = "etcdutl snapshot status", "openssl's SHA-256", "cat, both cold"
	var rows []row
	for _, f := range []struct{ name, path string }{{"million", million}, {"cluster", current}} {
		rows = append(rows,
			row{name: f.name + ": inspect --skip-hash-check", ours: []string{revenant, "inspect", "--skip-hash-check", f.path}, theirs: status(f.path), of: ofStatus, bound: 0.15},
			row{name: f.name + ": inspect", ours: []string{revenant, "inspect", f.path}, theirs: sha(f.path), of: ofSHA, bound: 1.05},
			row{name: f.name + ": inspect --skip-hash-check, cold", ours: []string{revenant, "inspect", "--skip-hash-check", f.path}, theirs: []string{"cat", f.path}, of: ofCat, bound: 1.2, evict: []string{f.path}},
		)
	}
	rows = append(rows,
		row{name: "cluster: predict --skip-hash-check", ours: []string{revenant, "predict", "--skip-hash-check", backup, current}, theirs: status(current), of: ofStatus, bound: 0.5},
		row{name: "cluster: predict", ours: []string{revenant, "predict", backup, current}, theirs: sha(current), of: ofSHA, bound: 1.3},
		row{name: "cluster: predict -o json", ours: []string{revenant, "predict", "-o", "json", "--skip-hash-check", backup, current}, theirs: status(current), of: ofStatus, bound: 0.9},
		row{name: "cluster: the UI's Overview", ours: []string{uiOverview, revenant, "--skip-hash-check", backup, current}, theirs: status(current), of: ofStatus, bound: 0.5},
		row{name: "cluster: the UI's verdict", ours: []string{uiVerdict, revenant, "--skip-hash-check", backup, current}, theirs: status(current), of: ofStatus, bound: 0.9},
		row{name: "--version, to 15 ms", ours: []string{revenant, "--version"}, theirs: []string{"sleep", "0.015"}, of: "sleep 0.015", bound: 1},
	)
	if err := limits(current); err != nil {
		return err
	}
	fmt.Printf("\n%-44s %9s %9s %7s %15s %7s\n", "", "revenant", "other", "ratio", "spread", "bound")
	failed := 0
	for _, r := range rows {
		if !b.only.MatchString(r.name) {
			continue
		}
		ok, err := b.compare(&r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if !ok {
			failed++
		}
	}
	ok, err := b.memory(backup, current)
	if err != nil {
		return err
	}
	if !ok {
		failed++
	}
	if failed > 0 {
		return fmt.Errorf("%d bounds are not met", failed)
	}
	return nil
}

// compare runs the two commands of a row in turns.
func (b *bench) compare(r *row) (ok bool, err error) {
	var ours, theirs, ratios []float64
	for i := range b.runs + 1 {
		var pair [2]float64
		for n, command := range [][]string{r.theirs, r.ours} {
			if err := evict(r.evict); err != nil {
				return false, err
			}
			if pair[n], err = timed(command); err != nil {
				return false, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
			}
		}
		if i == 0 && r.evict == nil {
			continue // it warmed the page cache
		}
		theirs, ours = append(theirs, pair[0]), append(ours, pair[1])
		ratios = append(ratios, pair[1]/pair[0])
	}
	ratio := median(ours) / median(theirs)
	ok = ratio <= r.bound
	fmt.Printf("%-44s %7.3f s %7.3f s %7.3f %6.2f to %5.2f %7.2f %s  (%s)\n",
		r.name, median(ours), median(theirs), ratio, slices.Min(ratios), slices.Max(ratios), r.bound, verdict(ok), r.of)
	return ok, nil
}

func verdict(ok bool) string {
	if ok {
		return "ok    "
	}
	return "NOT MET"
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// memory holds the most that a prediction takes beside the pages of the files.
func (b *bench) memory(backup, current string) (ok bool, err error) {
	const name = "cluster: memory of predict"
	if !b.only.MatchString(name) {
		return true, nil
	}
	used, bound, err := b.peakOfPredict(backup, current)
	if err != nil {
		return false, err
	}
	ok = used <= bound
	fmt.Printf("%-44s %5d MiB %5d MiB %7.3f %15s %7.2f %s  (its bound)\n", name, used>>20, bound>>20, float64(used)/float64(bound), "", 1.0, verdict(ok))
	return ok, nil
}

// peakOfPredict is the most memory that a prediction takes, and what it may take by what
// is in the pair: 48 bytes a revision of both, the keys once, 2 KiB a pod and 64 MiB.
func (b *bench) peakOfPredict(backup, current string) (used, bound int64, err error) {
	const perKey = 40 // bytes of a key, which has as many and more
	bound = 64 << 20
	for _, path := range []string{backup, current} {
		out, err := exec.Command(b.program("revenant"), "inspect", "--skip-hash-check", "-o", "json", path).Output()
		if err != nil {
			return 0, 0, fmt.Errorf("inspect %s: %w", path, err)
		}
		var inspection struct {
			Evidence []struct {
				Records, LiveKeys int64
				Kubernetes        struct {
					Objects []struct {
						Resource string
						Count    int64
					}
				}
			}
		}
		if err := json.Unmarshal(out, &inspection); err != nil {
			return 0, 0, fmt.Errorf("inspect %s: %w", path, err)
		}
		e := &inspection.Evidence[0]
		if bound += 48 * e.Records; path != current {
			continue
		}
		bound += perKey * e.LiveKeys
		for _, o := range e.Kubernetes.Objects {
			if o.Resource == "pods" {
				bound += 2 << 10 * o.Count
			}
		}
	}
	used, err = peak([]string{b.program("revenant"), "predict", "--skip-hash-check", backup, current})
	return used, bound, err
}
