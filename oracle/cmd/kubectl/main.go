// Command kubectl asks a real kubectl and a real kube-apiserver what revenant get and
// revenant extract are held against, and keeps the answers.
//
//	go run ./cmd/kubectl
//
// It builds both programs of Kubernetes from the Go module proxy, which takes half an hour
// on two cores the first time, and revenant from this repository. An etcd and an API
// server get the objects of the directory objects, with the states that controllers and
// kubelets would give them. Then it keeps, in testdata/kubectl/answers.tar.gz: the
// snapshot of that etcd, what kubectl prints of every resource and for queries made
// from a seed, by which fields the API server selects objects of every resource, and its
// names of the resources. Last, everything that revenant extract writes of the snapshot
// is applied to a new API server, each object after the other, and kept with what kubectl
// said.
//
// TestKubectl and TestApplied of cmd/revenant, and TestServer of analyzer/objects, compare
// revenant with the archive.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// version is the release of Kubernetes that is asked, that of the types revenant has.
const version = "1.37.2"

// answers is what is kept beside the snapshot.
type answers struct {
	Kubernetes string
	From, To   time.Time // when kubectl was asked
	Resources  []resource
	// Fields are those that the API server selects by, of those that were tried, by
	// resource (deployments.apps).
	Fields  map[string][]string
	Tried   []string
	Queries []query
	Applied []applied // in the order of applying
}

// resource is what the API server calls a resource.
type resource struct {
	Name, Singular, Kind, Group string
	ShortNames                  []string
	Namespaced                  bool
}

// query is a command line of kubectl get, without -A, and what kubectl did.
type query struct {
	Args   []string
	Stdout string
	Stderr string
	Failed bool
}

// applied is a manifest of revenant extract, and what kubectl apply said when it failed.
type applied struct {
	Manifest string
	Refused  string `json:",omitempty"`
}

func main() {
	log.SetFlags(log.Ltime)
	seed := flag.Uint64("seed", 1, "of the queries")
	n := flag.Int("n", 240, "how many queries")
	bin := flag.String("bin", "", "directory with kube-apiserver and kubectl (default: build them)")
	out := flag.String("out", "../testdata/kubectl/answers.tar.gz", "the archive")
	flag.Parse()
	if err := run(context.Background(), *seed, *n, *bin, *out); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, seed uint64, n int, bin, out string) error {
	dir, err := os.MkdirTemp("", "kubectl-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if bin == "" {
		bin = filepath.Join(dir, "bin")
		if err := build(dir, bin); err != nil {
			return err
		}
	}
	revenant := filepath.Join(dir, "revenant")
	if err := command("..", "go", "build", "-o", revenant, "./cmd/revenant"); err != nil {
		return err
	}

	log.Print("start an API server")
	c, err := start(ctx, filepath.Join(dir, "first"), bin)
	if err != nil {
		return err
	}
	defer c.stop()
	if err := c.fill(ctx); err != nil {
		return err
	}
	a := answers{Kubernetes: version, Tried: candidates}
	if a.Resources, err = c.resources(); err != nil {
		return err
	}
	time.Sleep(20 * time.Second) // what the API server makes by itself, and finds out about its services
	snapshot := filepath.Join(dir, "snapshot.db")
	if err := c.save(ctx, snapshot); err != nil {
		return err
	}
	a.From = time.Now().UTC().Truncate(time.Second)
	log.Print("ask kubectl")
	for _, args := range append(tables(a.Resources), queries(seed, n)...) {
		a.Queries = append(a.Queries, c.ask(args))
	}
	a.To = time.Now().UTC().Truncate(time.Second)
	log.Print("try fields")
	if a.Fields, err = c.fields(ctx, a.Resources); err != nil {
		return err
	}
	c.stop()

	log.Print("apply what revenant extract writes")
	second, err := start(ctx, filepath.Join(dir, "second"), bin)
	if err != nil {
		return err
	}
	defer second.stop()
	if a.Applied, err = second.apply(revenant, snapshot, filepath.Join(dir, "manifests")); err != nil {
		return err
	}
	refused := 0
	for _, m := range a.Applied {
		if m.Refused != "" {
			refused++
			fmt.Printf("%s\n%s\n", m.Refused, m.Manifest)
		}
	}
	log.Printf("%d of %d manifests refused", refused, len(a.Applied))
	return keep(out, snapshot, &a)
}

// keep writes the archive.
func keep(path, snapshot string, a *answers) error {
	db, err := os.ReadFile(snapshot)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	w := tar.NewWriter(z)
	for _, f := range []struct {
		name string
		data []byte
	}{{"answers.json", text}, {"snapshot.db", db}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data))}); err != nil {
			return err
		}
		if _, err := w.Write(f.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	log.Printf("%s: %d bytes", path, packed.Len())
	return os.WriteFile(path, packed.Bytes(), 0o644)
}

// command runs a program and shows what it says.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, args[0], err)
	}
	return nil
}
