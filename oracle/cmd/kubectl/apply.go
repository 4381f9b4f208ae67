package main

import (
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// apply applies everything that revenant extract writes of a snapshot, one object after
// the other in its order, to an API server that has nothing else. What a definition
// defines is served a little later.
func (c *cluster) apply(revenant, snapshot, dir string) (list []applied, err error) {
	if err := command("", revenant, "extract", snapshot, "--show-secrets", "--dir", dir); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		a := applied{Manifest: string(text)}
		for range 10 {
			var stderr string
			if _, stderr, err = c.run("apply", "-f", path); err == nil {
				break
			}
			a.Refused = strings.TrimSpace(strings.ReplaceAll(stderr, path, filepath.Base(path)))
			if !strings.Contains(stderr, "no matches for kind") {
				break
			}
			time.Sleep(time.Second)
		}
		if err == nil {
			a.Refused = ""
		}
		list = append(list, a)
	}
	return list, nil
}
