// Command bigsnap writes a large etcd snapshot for measuring: many revisions of
// Kubernetes-like keys, put through etcd's own store, with the SHA-256 trailer.
// The same flags always give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"

	"revenant/oracle/fixture"
)

func main() {
	var l fixture.Large
	flag.IntVar(&l.Revisions, "revisions", 1_000_000, "revisions to write")
	flag.IntVar(&l.Keys, "keys", 100_000, "distinct keys")
	flag.IntVar(&l.Value, "value", 900, "mean size of a value in bytes; sizes are within a tenth of it")
	flag.Uint64Var(&l.Seed, "seed", 1, "seed of keys and values")
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if *out == "" || l.Keys < 1 || l.Value < 10 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := l.Write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "bigsnap:", err)
		os.Exit(1)
	}
}
