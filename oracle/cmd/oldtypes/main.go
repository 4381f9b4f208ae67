// Command oldtypes prints the table of what left the types of Kubernetes: fields that
// messages no longer have, and stored objects whose types are gone. It compares the
// protobuf messages of the API modules of old releases with those of the newest one.
//
//	go run ./cmd/oldtypes > ../decoder/kube/oldtypes.txt
//
// Numbers and types come from generated.proto, names in JSON from the Go types'
// tags. The modules come from the Go module proxy.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const newest = "v0.37.2"

// releases are the modules compared, the oldest first: of 1.6 and 1.7 the client that
// had the types then.
var releases = []string{
	"k8s.io/client-go@v3.0.0+incompatible", // 1.6
	"k8s.io/client-go@v4.0.0+incompatible", // 1.7
	"k8s.io/api@v0.0.0-20170922112058-fe29995db376",
	"k8s.io/api@v0.0.0-20171214033149-af4bc157c3a2",
	"k8s.io/api@v0.0.0-20180308224125-73d903622b73", // 1.10
	"k8s.io/api@v0.0.0-20180628040859-072894a440bd",
	"k8s.io/api@v0.0.0-20181004124137-fd83cbc87e76",
	"k8s.io/api@v0.0.0-20181204000039-89a74a8d264d",
	"k8s.io/api@v0.0.0-20190313235455-40a48860b5ab", // 1.14
	"k8s.io/api@v0.0.0-20190620084959-7cf5895f2711",
	"k8s.io/api@v0.0.0-20190918155943-95b840bb6a1f",
	"k8s.io/api@v0.17.0", "k8s.io/api@v0.18.0", "k8s.io/api@v0.19.0", "k8s.io/api@v0.20.0",
	"k8s.io/api@v0.21.0", "k8s.io/api@v0.22.0", "k8s.io/api@v0.23.0", "k8s.io/api@v0.24.0",
	"k8s.io/api@v0.25.0", "k8s.io/api@v0.26.0", "k8s.io/api@v0.27.0", "k8s.io/api@v0.28.0",
	"k8s.io/api@v0.29.0", "k8s.io/api@v0.30.0", "k8s.io/api@v0.31.0", "k8s.io/api@v0.32.0",
	"k8s.io/api@v0.33.0", "k8s.io/api@v0.34.0", "k8s.io/api@v0.35.0", "k8s.io/api@v0.36.0",
	"k8s.io/apimachinery@v0.0.0-20170925234155-019ae5ada31d", // 1.8
	"k8s.io/apimachinery@v0.0.0-20181127025237-2b1284ed4c93", // 1.13
	"k8s.io/apimachinery@v0.0.0-20190612205821-1799e75a0719", // 1.15
	"k8s.io/apimachinery@v0.20.0",
	"k8s.io/apimachinery@v0.24.0",
}

// notStored are messages with metadata that no API server keeps under a key.
var notStored = map[string]bool{"EphemeralContainers": true, "JobTemplate": true, "PodStatusResult": true, "VerticalPodAutoscaler": true}

// field is a field of a message.
type field struct {
	name string // in JSON; - for one whose fields stand beside the others
	typ  string // with [] before that of a list, and map: before that of a map's values
	omit bool   // left out of JSON when it is zero
}

type messages map[string]map[int]field

func main() {
	log.SetFlags(0)
	now, then := messages{}, messages{}
	for _, module := range []string{"k8s.io/api", "k8s.io/apimachinery"} {
		now.read(download(module + "@" + newest))
	}
	for _, module := range releases {
		then.read(download(module))
	}
	wanted := messages{}
	for name, fields := range then {
		if current, ok := now[name]; ok {
			for n, f := range fields {
				if _, ok := current[n]; !ok && !strings.HasSuffix(name, "Options") {
					wanted.add(name, n, f)
				}
			}
		} else if fields[1].typ == "meta/v1.ObjectMeta" && !notStored[name[strings.Index(name, ".")+1:]] && !strings.HasPrefix(name, "meta/") {
			wanted[name] = fields
		}
	}
	// A field of Kubernetes 1.26 to 1.28, when the claim of a volume shared its type
	// with containers.
	wanted.add("core/v1.VolumeResourceRequirements", 3, then["core/v1.ResourceRequirements"][3])
	stored := now.stored()
	for added := true; added; {
		added = false
		for name := range maps.Clone(wanted) {
			for _, f := range wanted[name] {
				ref := f.message()
				if ref != "" && !stored[ref] && wanted[ref] == nil {
					if then[ref] == nil {
						log.Fatalf("%s has a field of type %s, which no release has", name, ref)
					}
					wanted[ref], added = then[ref], true
				}
			}
		}
	}
	wanted.print()
}

// message is the type of the field's values, "" for one that is no message.
func (f field) message() string {
	if name := strings.TrimPrefix(strings.TrimPrefix(f.typ, "[]"), "map:"); strings.Contains(name, ".") {
		return name
	}
	return ""
}

// stored are the messages that objects with metadata are made of, and the statuses that
// were part of some.
func (m messages) stored() map[string]bool {
	all := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if name == "" || all[name] {
			return
		}
		all[name] = true
		for _, f := range m[name] {
			add(f.message())
		}
	}
	add("meta/v1.Status")
	for name, fields := range m {
		if fields[1].typ == "meta/v1.ObjectMeta" {
			add(name)
		}
	}
	return all
}

func (m messages) print() {
	fmt.Println("# Made by oracle/cmd/oldtypes; do not edit.")
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Println(name)
		for _, n := range slices.Sorted(maps.Keys(m[name])) {
			f := m[name][n]
			fmt.Printf("\t%d %s %s", n, f.name, f.typ)
			if f.omit {
				fmt.Print(" omitempty")
			}
			fmt.Println()
		}
	}
}

func (m messages) add(name string, n int, f field) {
	if m[name] == nil {
		m[name] = map[int]field{}
	}
	m[name][n] = f
}

// download is the directory of a module.
func download(module string) string {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside of this module, which pins other versions
	out, err := cmd.Output()
	var info struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &info)
	}
	if err != nil || info.Dir == "" {
		log.Fatalf("download %s: %v", module, err)
	}
	return info.Dir
}

var (
	packageLine = regexp.MustCompile(`(?m)^package ([\w.]+);`)
	messageText = regexp.MustCompile(`(?ms)^message (\w+) \{(.*?)^\}`)
	fieldLine   = regexp.MustCompile(`(?m)^\s+(optional|repeated|map<string, ?([\w.]+)>) (?:([\w.]+) )?(\w+) = (\d+);`)
)

// read adds the messages of a module, each field as the newest release has it.
func (m messages) read(dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "generated.proto" || strings.Contains(path, "/vendor/") || strings.Contains(path, "testapigroup") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAll(text, nil)
		pkg := shortPackage(string(packageLine.FindSubmatch(text)[1]))
		tags := tagsOf(filepath.Dir(path))
		for _, msg := range messageText.FindAllSubmatch(text, -1) {
			if name := pkg + "." + string(msg[1]); m[name] == nil {
				m[name] = map[int]field{}
			}
			for _, f := range fieldLine.FindAllSubmatch(msg[2], -1) {
				n, _ := strconv.Atoi(string(f[5]))
				typ := shortType(pkg, string(f[3]))
				if bytes.HasPrefix(f[1], []byte("map")) {
					typ = "map:" + shortType(pkg, string(f[2]))
				} else if string(f[1]) == "repeated" {
					typ = "[]" + typ
				}
				tag, ok := tags[string(msg[1])][n]
				if !ok {
					tag = field{name: string(f[4])} // of a message that is a list
				}
				m.add(pkg+"."+string(msg[1]), n, field{tag.name, typ, tag.omit})
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}

// shortPackage is the folder of a protobuf package, below that of its module.
func shortPackage(name string) string {
	for _, prefix := range []string{
		"k8s.io.client_go.pkg.apis.", "k8s.io.kubernetes.pkg.apis.", "k8s.io.apimachinery.pkg.apis.", "k8s.io.apimachinery.pkg.util.",
		"k8s.io.apimachinery.pkg.api.", "k8s.io.apimachinery.pkg.", "k8s.io.api.",
	} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return strings.ReplaceAll(rest, ".", "/")
		}
	}
	if strings.HasSuffix(name, ".pkg.api.v1") {
		return "core/v1"
	}
	log.Fatalf("package %s is of no known module", name)
	return ""
}

// shortType is the name of a type in a package: a scalar's own, a message's with its
// package.
func shortType(pkg, name string) string {
	switch name {
	case "string", "bool", "bytes", "int32", "int64", "uint32", "uint64", "double":
		return name
	}
	name = strings.TrimPrefix(name, ".")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return shortPackage(name[:i]) + name[i:]
	}
	return pkg + "." + name
}

// tagsOf reads the tags of the Go types in a folder, by type and field number.
func tagsOf(dir string) map[string]map[int]field {
	tags := map[string]map[int]field{}
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			log.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				tags[spec.Name.Name] = fieldTags(s)
			}
			return false
		})
	}
	return tags
}

func fieldTags(s *ast.StructType) map[int]field {
	fields := map[int]field{}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		text, _ := strconv.Unquote(f.Tag.Value)
		tag := reflect.StructTag(text)
		parts := strings.Split(tag.Get("protobuf"), ",")
		if len(parts) < 2 {
			continue
		}
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			continue
		}
		name, options, _ := strings.Cut(tag.Get("json"), ",")
		if name == "" {
			name = "-"
		}
		_, pointer := f.Type.(*ast.StarExpr)
		fields[n] = field{name: name, omit: strings.Contains(options, "omitempty") && !pointer}
	}
	return fields
}
