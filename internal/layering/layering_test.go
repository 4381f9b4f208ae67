// Package layering holds the direction in which data flows through this module:
//
//	decoder → analyzer → report, tui → cmd
//
// It asks the go command what every package imports and refuses an import
// against that direction, a package that belongs to no layer, and a layer that
// has lost its packages. Only imports of production code count: a test may use
// whatever it compares with.
package layering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module = "revenant"
	root   = "../.." // where its go.mod is
)

// layers says which layers a layer may import from, itself always included. A
// package is in the layer of its path's first element below the module.
var layers = map[string][]string{
	"internal": {},
	"decoder":  {"internal"},
	"analyzer": {"internal", "decoder"},
	"report":   {"internal", "decoder", "analyzer"},
	"export":   {"internal", "decoder", "analyzer", "report"},
	"train":    {"internal", "decoder", "analyzer"},
	"docs":     {"internal"},                                         // the handbook, which the program carries
	"tui":      {"internal", "decoder", "analyzer", "docs", "train"}, // findings go to a screen or to a report: neither needs the other
	"cmd":      {"internal", "decoder", "analyzer", "docs", "report", "export", "train", "tui"},
	"bench":    {"internal"},
	"scripts":  {}, // for who works on the program; they know none of it
}

// rooms are the packages of tui, the uppermost first, and what of this module each may
// import beside itself. A room stands for its own path, or, with /*, for each package below
// it: those may not know one another. Paths ending in /... stand for the tree below.
var rooms = []struct {
	room  string
	knows []string
}{
	{"tui", []string{"tui/shell", "tui/session", "tui/draw", "tui/keys"}},
	{"tui/shell", []string{"tui/screens/...", "tui/session", "tui/widget", "tui/draw", "tui/keys", "analyzer/...", "decoder/snapshot", "internal/outfile", "internal/words"}},
	{"tui/screens/*", []string{"tui/screens/shared", "tui/session", "tui/widget", "tui/draw", "tui/keys", "analyzer/...", "decoder/snapshot", "decoder/kube", "decoder/keyspace", "decoder/sanitize", "docs/handbook", "train", "internal/words"}},
	{"tui/session", []string{"tui/widget", "tui/draw", "tui/keys", "analyzer/...", "decoder/snapshot", "decoder/kube", "train", "internal/words"}},
	{"tui/widget", []string{"tui/draw", "tui/keys", "decoder/sanitize", "internal/words"}},
	{"tui/draw", []string{"decoder/sanitize", "internal/words"}},
	{"tui/keys", nil},
}

// packages must be there, so that no rule holds only for want of a package.
var packages = []string{
	"analyzer/atrest",
	"analyzer/audit",
	"analyzer/clock",
	"analyzer/diff",
	"analyzer/digest",
	"analyzer/drift",
	"analyzer/finding",
	"analyzer/history",
	"analyzer/lineage",
	"analyzer/manifest",
	"analyzer/objects",
	"analyzer/preflight",
	"analyzer/relations",
	"analyzer/replay",
	"analyzer/resources",
	"analyzer/restore",
	"analyzer/rollback",
	"analyzer/runbook",
	"analyzer/storage",
	"analyzer/ties",
	"analyzer/timeline",
	"analyzer/values",
	"analyzer/watchers",
	"cmd/revenant",
	"decoder/audit",
	"decoder/boltpage",
	"decoder/container",
	"decoder/delta",
	"decoder/document",
	"decoder/encryption",
	"decoder/input",
	"decoder/keyspace",
	"decoder/kube",
	"decoder/kubelet",
	"decoder/salvage",
	"decoder/sanitize",
	"decoder/scrub",
	"decoder/snapshot",
	"decoder/snapshotfile",
	"decoder/wal",
	"decoder/wire",
	"docs/handbook",
	"export",
	"export/parquet",
	"internal/demo",
	"internal/memlimit",
	"internal/outfile",
	"internal/scratch",
	"internal/words",
	"report",
	"report/page",
	"report/sarif",
	"scripts/mutants",
	"tui",
	"tui/draw",
	"tui/keys",
	"tui/screens/objects",
	"tui/screens/shared",
	"tui/session",
	"tui/shell",
	"tui/widget",
}

// testSupport are packages made for tests: no code of production imports them,
// and what they import is their own business as long as it is of no later layer.
var testSupport = []string{
	"bench",
	"bench/pair",
	"decoder/delta/deltatest",
	"decoder/snapshot/snapshottest",
	"internal/adversary",
	"decoder/wal/waltest",
	"internal/clustertest",
	"internal/corpus",
	"internal/damage",
	"internal/golden",
	"internal/hostile",
	"tui/session/sessiontest",
}

// denials are imports that a layer may not have although the layers allow them.
// Paths ending in /... stand for the tree below, and the path itself.
var denials = []struct {
	layer      string // or the path of a tree in one; "" for all
	transitive bool   // through other packages too
	path       string
	why        string
}{
	{"", true, "go.etcd.io/bbolt/...", "bbolt trusts its file; evidence is read by decoder/boltpage"},
	{"", true, "testing", "test code in production"},

	{"", true, "google.golang.org/grpc/...", "no service is asked anything: a message is read by its wire fields"},
	{"", true, "github.com/prometheus/...", "nothing is measured for others"},
	{"", true, "go.opentelemetry.io/...", "nothing is traced for others"},
	{"", true, "k8s.io/apiserver/...", "values are decrypted with the standard library; the API server is an oracle of the tests"},
	{"", true, "google.golang.org/protobuf/proto", "messages are read by decoder/wire; the generated types are oracles of the tests"},
	{"", true, "go.etcd.io/etcd/...", "messages are read by decoder/wire; the generated types are oracles of the tests"},
	{"", true, "go.etcd.io/raft/...", "messages are read by decoder/wire; the generated types are oracles of the tests"},
	{"", true, "k8s.io/client-go/kubernetes/...", "the types are registered without what encodes objects"},
	{"", false, "text/template", "a template keeps every exported method of the program"},
	{"", false, "html/template", "a template keeps every exported method of the program; report/page writes HTML"},

	{"report", false, module + "/decoder/boltpage", "pages are the decoder's own business"},
	{"tui", false, module + "/decoder/boltpage", "pages are the decoder's own business"},
	{"analyzer", false, module + "/decoder/boltpage", "pages are the decoder's own business"},

	{"analyzer", false, "os/...", "analysis does no IO"},
	{"analyzer", false, "io/fs", "analysis does no IO"},
	{"analyzer", false, "net/...", "analysis does no IO"},
	{"analyzer", false, "syscall/...", "analysis does no IO"},
	{"analyzer", false, "golang.org/x/sys/...", "analysis does no IO"},
	{"analyzer", false, "log/...", "analysis does no IO"},
	{"analyzer", false, "embed", "analysis does no IO"},
	{"decoder", false, "net/http/...", "evidence is read offline"},
	{"", true, "k8s.io/client-go/rest/...", "evidence is read offline"},

	{"decoder", true, "charm.land/...", "only tui and cmd know the terminal"},
	{"analyzer", true, "charm.land/...", "only tui and cmd know the terminal"},
	{"report", true, "charm.land/...", "only tui and cmd know the terminal"},
	{"export", true, "charm.land/...", "only tui and cmd know the terminal"},
	{"", true, "github.com/parquet-go/parquet-go", "the whole of it weighs 8 MB: its encodings are enough"},
	{"decoder", true, "golang.org/x/term", "only tui and cmd know the terminal"},
	{"analyzer", true, "golang.org/x/term", "only tui and cmd know the terminal"},
	{"decoder", true, "github.com/spf13/cobra/...", "only cmd knows the command line"},
	{"analyzer", true, "github.com/spf13/cobra/...", "only cmd knows the command line"},
	{"report", true, "github.com/spf13/cobra/...", "only cmd knows the command line"},
	{"tui", true, "github.com/spf13/cobra/...", "only cmd knows the command line"},

	{"tui/screens", false, "os/...", "screens know no file"},
	{"tui/screens", false, "io/fs", "screens know no file"},
	{"tui/session", false, "os/...", "the evidence is opened by the caller"},
	{"tui/session", false, "io/fs", "the evidence is opened by the caller"},
	{"tui/widget", false, "os/...", "widgets know no file"},
	{"tui/widget", false, "io/fs", "widgets know no file"},
}

// writers are packages that write files with bbolt, and read none with it.
var writers = []string{"decoder/snapshotfile"}

// imports are the packages that each package imports itself, by import path.
type imports map[string][]string

func TestLayering(t *testing.T) {
	watch(t)
	graph, own := list(t)
	for _, path := range slices.Concat(packages, testSupport) {
		if !slices.Contains(own, module+"/"+path) {
			t.Errorf("%s is missing", path)
		}
	}
	for _, v := range violations(graph, own) {
		t.Error(v)
	}
}

// TestDesign wants every package of the program that data flows through to be in docs/design.md.
func TestDesign(t *testing.T) {
	design, err := os.ReadFile(filepath.Join(root, "docs/design.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, own := list(t)
	for _, pkg := range own {
		path := strings.TrimPrefix(pkg, module+"/")
		if layer := layerOf(pkg); layer != "internal" && layer != "scripts" && !isTestSupport(pkg) && !bytes.Contains(design, []byte("| `"+path+"` |")) {
			t.Errorf("docs/design.md has no row for %s", path)
		}
	}
}

// TestMethods refuses what makes the linker keep every exported method of every type,
// which is 7 MB of the program: to find methods by a name that it cannot know, as
// cobra's templates do once one is set.
func TestMethods(t *testing.T) {
	bad := regexp.MustCompile(`\.(MethodByName|Set(Version|Help|Usage)Template)\(`)
	for path, src := range sources(t) {
		if found := bad.Find(src); found != nil {
			t.Errorf("%s has %s", path, found)
		}
	}
}

// TestLength keeps each file of the program to what one reads in one go.
func TestLength(t *testing.T) {
	const most = 500 // lines
	for path, src := range sources(t) {
		if n := bytes.Count(src, []byte("\n")); n > most {
			t.Errorf("%s has %d lines, of at most %d", path, n, most)
		}
	}
}

// sources are the files of the program, tests left out, by path.
func sources(t *testing.T) map[string][]byte {
	all := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			rel, err := filepath.Rel(root, path)
			if _, ok := layers[strings.Split(filepath.ToSlash(rel), "/")[0]]; rel != "." && !ok {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files read, %v", len(all), err)
	}
	return all
}

// violations lists what breaks the rules in the packages own of this module.
func violations(graph imports, own []string) []string {
	var found []string
	for _, pkg := range own {
		layer := layerOf(pkg)
		allowed, ok := layers[layer]
		if !ok {
			found = append(found, fmt.Sprintf("%s belongs to no layer", pkg))
			continue
		}
		for _, path := range graph[pkg] {
			if to := layerOf(path); to != "" && to != layer && !slices.Contains(allowed, to) {
				found = append(found, fmt.Sprintf("%s imports %s: %s may not know %s", pkg, path, layer, to))
			}
			if room, ok := unknown(pkg, path); ok {
				found = append(found, fmt.Sprintf("%s imports %s: %s may not know it", pkg, path, room))
			}
			if isTestSupport(path) && !isTestSupport(pkg) {
				found = append(found, fmt.Sprintf("%s imports %s: made for tests", pkg, path))
			}
		}
		if isTestSupport(pkg) {
			continue
		}
		for _, d := range denials {
			if d.layer != "" && !match(module+"/"+d.layer+"/...", pkg) {
				continue
			}
			reached := graph
			if strings.HasPrefix(d.path, "go.etcd.io/bbolt") {
				reached = graph.without(writers)
			}
			if chain := reached.find(pkg, d.path, d.transitive); chain != nil {
				found = append(found, fmt.Sprintf("%s: %s", strings.Join(chain, " imports "), d.why))
			}
		}
	}
	return found
}

// unknown says whether a package of a room imports what that may not know.
func unknown(pkg, path string) (room string, ok bool) {
	if layerOf(pkg) != "tui" || layerOf(path) == "" || isTestSupport(pkg) {
		return "", false
	}
	for _, r := range rooms {
		below, each := strings.CutSuffix(r.room, "/*")
		if in := strings.HasPrefix(pkg, module+"/"+below+"/"); each != in || !each && pkg != module+"/"+r.room {
			continue
		}
		return r.room, !slices.ContainsFunc(r.knows, func(known string) bool { return match(module+"/"+known, path) })
	}
	return "no room", true
}

func isTestSupport(pkg string) bool {
	return slices.Contains(testSupport, strings.TrimPrefix(pkg, module+"/"))
}

// layerOf is the first element of a path below this module, and "" for the path
// of another.
func layerOf(path string) string {
	below, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	layer, _, _ := strings.Cut(below, "/")
	return layer
}

// without leaves out what some packages of this module import.
func (g imports) without(packages []string) imports {
	rest := maps.Clone(g)
	for _, path := range slices.Concat(packages, testSupport) {
		delete(rest, module+"/"+path)
	}
	return rest
}

// find returns a chain of imports from pkg to a package that pattern matches,
// shortest first, or nil.
func (g imports) find(pkg, pattern string, transitive bool) []string {
	seen := map[string]bool{pkg: true}
	for chains := [][]string{{pkg}}; len(chains) > 0; chains = chains[1:] {
		chain := chains[0]
		for _, path := range g[chain[len(chain)-1]] {
			if seen[path] {
				continue
			}
			seen[path] = true
			next := append(slices.Clone(chain), path)
			if match(pattern, path) {
				return next
			}
			if transitive {
				chains = append(chains, next)
			}
		}
	}
	return nil
}

func match(pattern, path string) bool {
	tree, ok := strings.CutSuffix(pattern, "/...")
	return path == tree || ok && strings.HasPrefix(path, tree+"/")
}

// list asks the go command for all packages that those of this module need, and
// for the names of its own.
func list(t *testing.T) (graph imports, own []string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,GoFiles", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	graph = imports{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
			GoFiles    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return graph, own
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		graph[pkg.ImportPath] = pkg.Imports
		if layerOf(pkg.ImportPath) != "" && len(pkg.GoFiles) > 0 {
			own = append(own, pkg.ImportPath)
		}
	}
}

// watch opens every directory of the module. A passed test is not run again until
// something it opened itself changes, and what go list reads for it does not count.
func watch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestViolations(t *testing.T) {
	tests := []struct {
		name  string
		graph imports
		want  []string
	}{
		{
			name: "with the flow",
			graph: imports{
				"revenant/decoder/snapshot": {"revenant/decoder/boltpage", "os"},
				"revenant/decoder/boltpage": {"os"},
				"revenant/analyzer/restore": {"revenant/decoder/snapshot", "fmt"},
				"revenant/tui":              {"revenant/tui/shell", "charm.land/bubbletea/v2"},
				"revenant/tui/shell":        {"revenant/tui/screens/pods", "os"},
				"revenant/tui/screens/pods": {"revenant/tui/screens/shared", "revenant/analyzer/restore"},
				"revenant/report":           {"revenant/analyzer/restore", "os"},
				"revenant/cmd/revenant":     {"revenant/tui", "revenant/report", "revenant/internal/demo"},
				"revenant/internal/demo":    {"embed"},
			},
		},
		{
			name:  "against the flow",
			graph: imports{"revenant/decoder/kube": {"revenant/analyzer/restore"}},
			want:  []string{"revenant/decoder/kube imports revenant/analyzer/restore: decoder may not know analyzer"},
		},
		{
			name:  "between siblings",
			graph: imports{"revenant/tui": {"revenant/report"}},
			want:  []string{"revenant/tui imports revenant/report: tui may not know report", "revenant/tui imports revenant/report: tui may not know it"},
		},
		{
			name: "between the rooms of tui",
			graph: imports{
				"revenant/tui/widget":       {"revenant/decoder/sanitize", "revenant/decoder/snapshot"},
				"revenant/tui/session":      {"revenant/tui/screens/pods"},
				"revenant/tui/screens/pods": {"revenant/tui/screens/diff"},
				"revenant/tui/screens/diff": {"revenant/tui/shell", "os"},
				"revenant/tui/cellar":       {"revenant/tui/keys"},
			},
			want: []string{
				"revenant/tui/cellar imports revenant/tui/keys: no room may not know it",
				"revenant/tui/screens/diff imports os: screens know no file",
				"revenant/tui/screens/diff imports revenant/tui/shell: tui/screens/* may not know it",
				"revenant/tui/screens/pods imports revenant/tui/screens/diff: tui/screens/* may not know it",
				"revenant/tui/session imports revenant/tui/screens/pods: tui/session may not know it",
				"revenant/tui/widget imports revenant/decoder/snapshot: tui/widget may not know it",
			},
		},
		{
			name: "test support",
			graph: imports{
				"revenant/decoder/snapshot/snapshottest": {"testing", "go.etcd.io/bbolt", "revenant/internal/corpus"},
			},
		},
		{
			name:  "test support in production",
			graph: imports{"revenant/analyzer/restore": {"revenant/internal/corpus"}},
			want:  []string{"revenant/analyzer/restore imports revenant/internal/corpus: made for tests"},
		},
		{
			name:  "a package of no layer",
			graph: imports{"revenant/util": nil},
			want:  []string{"revenant/util belongs to no layer"},
		},
		{
			name: "denied through another package",
			graph: imports{
				"revenant/report":       {"example.com/a"},
				"example.com/a":         {"example.com/b", "example.com/a"},
				"example.com/b":         {"go.etcd.io/bbolt"},
				"go.etcd.io/bbolt":      {"os"},
				"go.etcd.io/bboltclone": nil,
			},
			want: []string{"revenant/report imports example.com/a imports example.com/b imports go.etcd.io/bbolt: bbolt trusts its file; evidence is read by decoder/boltpage"},
		},
		{
			name: "denied directly only",
			graph: imports{
				"revenant/analyzer/restore": {"fmt", "os/signal"},
				"fmt":                       {"os"},
			},
			want: []string{"revenant/analyzer/restore imports os/signal: analysis does no IO"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var own []string
			for path := range tt.graph {
				if layerOf(path) != "" {
					own = append(own, path)
				}
			}
			slices.Sort(own)
			got := violations(tt.graph, own)
			if tt.name == "between the rooms of tui" {
				slices.Sort(got)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
