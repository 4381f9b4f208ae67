package oracle

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// cited are the components whose sources are at hand, as documents name them, and the
// modules that have them.
var cited = map[string]struct{ in, module string }{
	"client-go v0.37":               {".", "k8s.io/client-go"},
	"apiserver v0.37":               {".", "k8s.io/apiserver"},
	"apimachinery v0.37":            {".", "k8s.io/apimachinery"},
	"apiextensions-apiserver v0.37": {".", "k8s.io/apiextensions-apiserver"},
	"etcd server v3.6":              {"etcd36", "go.etcd.io/etcd/server/v3"},
	"etcdutl v3.6":                  {"etcd36", "go.etcd.io/etcd/etcdutl/v3"},
}

// TestCitations: what documents name as the source of a statement is there, in the version
// that they name: the file, and what is named in it.
func TestCitations(t *testing.T) {
	dirs := map[string]string{}
	for name, c := range cited {
		cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", c.module)
		cmd.Dir = c.in
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", c.module, err)
		}
		version, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if !strings.HasPrefix(version, name[strings.LastIndex(name, " ")+1:]+".") {
			t.Fatalf("%s is %s", name, version)
		}
		dirs[name] = dir
	}
	component := regexp.MustCompile(`(?:[a-z][a-z-]*|etcd server) v\d[\d.]*\d`)
	source := regexp.MustCompile("`?((?:[a-z0-9]\\w*/)+\\w+\\.go)`?(?: `?([A-Za-z]\\w*(?:\\.\\w+)?)`?)?")
	checked := 0
	err := filepath.WalkDir("../docs", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for n, line := range strings.Split(string(text), "\n") {
			places := component.FindAllStringIndex(line, -1)
			for i, at := range places {
				end := len(line)
				if i+1 < len(places) {
					end = places[i+1][0]
				}
				dir := dirs[line[at[0]:at[1]]]
				if dir == "" {
					continue // not at hand
				}
				for _, m := range source.FindAllStringSubmatch(line[at[1]:end], -1) {
					code, err := os.ReadFile(filepath.Join(dir, m[1]))
					if err != nil {
						t.Errorf("%s:%d: %v", path, n+1, err)
						continue
					}
					_, name, ok := strings.Cut(m[2], ".")
					if !ok {
						name = m[2]
					}
					if quoted := strings.Contains(m[0], "` `"); (quoted || strings.HasSuffix(path, "model.md")) && !regexp.MustCompile(`\b`+name+`\b`).Match(code) {
						t.Errorf("%s:%d: %s has no %s", path, n+1, m[1], name)
					}
					checked++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 50 {
		t.Errorf("only %d sources are looked at", checked)
	}
}
