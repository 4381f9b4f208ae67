//go:build linux

package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// growth is one dimension in which evidence grows.
type growth struct {
	flag  string
	sizes []int
	args  []string // of the pair, beside the flag
}

// grow measures inspect and predict on pairs that grow in one dimension, and fits the
// exponents of time and memory: 1 is linear, less is what does not depend on the size.
func (b *bench) grow() error {
	dir, err := os.MkdirTemp(b.dir, "growth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, g := range []growth{
		{"revisions", []int{10_000, 100_000, 1_000_000, 10_000_000}, []string{"-pods", "100", "-nodes", "100", "-size", "1"}},
		{"pods", []int{100, 1_000, 10_000, 100_000, 1_000_000}, []string{"-nodes", "500", "-revisions", "0", "-size", "1"}},
		{"size", []int{1_000, 10_000, 100_000}, []string{"-pods", "1000", "-nodes", "100", "-revisions", "5000"}},
	} {
		fmt.Printf("\n%-10s %10s %12s %12s %12s %12s\n", g.flag, "file", "inspect", "predict", "memory", "its bound")
		var x, inspect, predict, memory []float64
		for _, size := range g.sizes {
			name := filepath.Join(filepath.Base(dir), g.flag+strconv.Itoa(size))
			backup, current, err := b.pair(name, append([]string{"-" + g.flag, strconv.Itoa(size)}, g.args...)...)
			if err != nil {
				return err
			}
			info, err := os.Stat(current)
			if err != nil {
				return err
			}
			var took [2]float64
			for n, command := range [][]string{
				{b.program("revenant"), "inspect", "--skip-hash-check", current},
				{b.program("revenant"), "predict", "--skip-hash-check", backup, current},
			} {
				var all []float64
				for range b.runs {
					t, err := timed(command)
					if err != nil {
						return err
					}
					all = append(all, t)
				}
				took[n] = median(all)
			}
			used, bound, err := b.peakOfPredict(backup, current)
			if err != nil {
				return err
			}
			fmt.Printf("%-10d %7d MB %10.3f s %10.3f s %8d MiB %8d MiB\n", size, info.Size()/1e6, took[0], took[1], used>>20, bound>>20)
			x, inspect, predict, memory = append(x, float64(size)), append(inspect, took[0]), append(predict, took[1]), append(memory, float64(used))
			if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
				return err
			}
		}
		fmt.Printf("%-10s %10s %11.2f  %11.2f  %11.2f\n", "exponent", "", exponent(x, inspect), exponent(x, predict), exponent(x, memory))
	}
	return nil
}

// exponent is the power of x with which y grows at its end, where what every run costs
// counts least.
func exponent(x, y []float64) float64 {
	n := len(x)
	return math.Log(y[n-1]/y[n-2]) / math.Log(x[n-1]/x[n-2])
}

// withinMemory opens, predicts and reads out a pair as large as is asked for while the
// process can have 1 GiB beside the page cache.
func (b *bench) withinMemory() error {
	const perRevision = 1_390 // bytes of a file, about
	dir := "large"
	defer os.RemoveAll(filepath.Join(b.dir, dir))
	backup, current, err := b.pair(dir, "-pods", "50000", "-nodes", "2000", "-revisions", strconv.FormatInt(b.large/perRevision, 10))
	if err != nil {
		return err
	}
	for _, path := range []string{backup, current} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %.2f GB\n", filepath.Base(path), float64(info.Size())/1e9)
	}
	revenant, tables := b.program("revenant"), filepath.Join(b.dir, dir, "tables")
	for _, args := range [][]string{
		{"inspect", current}, {"predict", backup, current}, {"predict", backup, current, "-o", "json=/dev/null"}, {"get", current, "pods"},
		{"export", current, "--out", tables},
	} {
		cmd := exec.Command("bash", append([]string{"-c", `ulimit -d 1048576 && exec "$@"`, "bash", revenant}, args...)...)
		cmd.Env = append(os.Environ(), "GOMEMLIMIT=900MiB")
		used, took, err := watched(cmd)
		if err != nil {
			return fmt.Errorf("%v: %w", args, err)
		}
		fmt.Printf("%-14s %8.2f s %6d MiB beside the page cache\n", args[0], took, used>>20)
	}
	return nil
}
