// Command openbench opens and indexes an etcd snapshot as revenant does, and
// prints what it cost as JSON. With -memory it watches its own anonymous memory
// (Linux: RssAnon), which takes a little time of its own.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"revenant/decoder/snapshot"
)

// result is what is printed.
type result struct {
	Seconds   float64 `json:"seconds"` // until indexed, and verified if asked
	Revisions int     `json:"revisions"`
	Keys      int     `json:"keys"`
	KeyBytes  int     `json:"keyBytes"` // of the distinct keys
	RSSAnon   int     `json:"rssAnon"`  // highest seen, bytes; 0 when not watched
	Bound     int     `json:"bound"`    // what it may be: 64 MiB + 48 bytes a revision + the keys once
}

func main() {
	skip := flag.Bool("skip-hash-check", false, "do not verify the SHA-256 trailer")
	memory := flag.Bool("memory", false, "watch memory")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	r, err := measure(flag.Arg(0), *skip, *memory)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openbench:", err)
		os.Exit(1)
	}
}

func measure(path string, skip, memory bool) (r result, err error) {
	ctx := context.Background()
	stop := func() int { return 0 }
	if memory {
		stop = watch()
	}
	start := time.Now()
	s, err := snapshot.Open(ctx, path, snapshot.Options{SkipHashCheck: skip})
	if err != nil {
		return r, err
	}
	defer s.Close()
	in, err := s.Integrity(ctx)
	if err != nil {
		return r, err
	}
	r.Seconds = time.Since(start).Seconds()
	r.RSSAnon = stop()
	if in.Bad() {
		return r, fmt.Errorf("%s is damaged: %v", path, in.Checks)
	}
	r.Revisions = s.Len()
	for key := range s.AllKeys("") {
		r.Keys++
		r.KeyBytes += len(key)
	}
	r.Bound = 64<<20 + 48*r.Revisions + r.KeyBytes
	return r, nil
}

// watch looks at RssAnon every millisecond until the function it returns is
// called, which returns the highest value in bytes.
func watch() (stop func() int) {
	quit, peak := make(chan struct{}), make(chan int)
	go func() {
		highest := 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, rssAnon())
			select {
			case <-tick.C:
			case <-quit:
				peak <- max(highest, rssAnon())
				return
			}
		}
	}()
	return func() int {
		close(quit)
		return <-peak
	}
}

// rssAnon reads it from /proc/self/status (proc_pid_status(5)); 0 where there is none.
func rssAnon() int {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(kb, "kB")))
			return n << 10
		}
	}
	return 0
}
