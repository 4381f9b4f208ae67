// Command pair writes a pair of snapshots of a cluster, any size, of real Kubernetes
// objects, and prints what is to be expected of a restore of the one.
//
//	go run ./bench/pair -dir DIR [-pods N] [-nodes N] [-revisions N] [-size BYTES]
//
// The same flags always write the same files, backup.db and current.db.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"revenant/internal/clustertest"
)

// expected is what a restore does under the default plan: every kubelet that was deaf
// to what came since the backup stays so.
type expected struct {
	BackupRevision  int64          `json:"backupRevision"`
	CurrentRevision int64          `json:"currentRevision"`
	Pods            int            `json:"pods"`
	Outcomes        map[string]int `json:"outcomes"` // pods by what becomes of them
}

func main() {
	dir := flag.String("dir", "", "directory to write to")
	pods := flag.Int("pods", 30_000, "pods, of which one in a hundred is changed, created or deleted since the backup")
	var o clustertest.Options
	flag.Uint64Var(&o.Seed, "seed", 1, "seed")
	flag.IntVar(&o.Nodes, "nodes", 2_000, "nodes")
	flag.IntVar(&o.Revisions, "revisions", 400_000, "revisions at least")
	flag.IntVar(&o.SteadySize, "size", 0, "bytes of a pod at least; 0 for what is usual")
	flag.Parse()
	if *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	o.Pods = max(*pods/100, 1)
	o.Steady = *pods - o.Pods
	c, err := clustertest.Write(o, *dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pair:", err)
		os.Exit(1)
	}
	e := expected{BackupRevision: c.BackupRevision, CurrentRevision: c.CurrentRevision, Pods: len(c.Pods) + o.Steady, Outcomes: map[string]int{"unaffected": o.Steady}}
	for i := range c.Pods {
		e.Outcomes[c.Pods[i].Want[clustertest.Deaf].Outcome]++
	}
	if err := json.NewEncoder(os.Stdout).Encode(e); err != nil {
		fmt.Fprintln(os.Stderr, "pair:", err)
		os.Exit(1)
	}
}
