package documents

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	intoto "github.com/in-toto/attestation/go/v1"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/encoding/protojson"

	"revenant/internal/adversary"
	"revenant/oracle/cli"
)

var program string // revenant, built by TestMain

func TestMain(m *testing.M) {
	cli.Main(func(dir string) (code int, err error) {
		if program, err = cli.Build(dir); err != nil {
			return 1, err
		}
		return m.Run(), nil
	})
}

// evidence goes to a directory with the demo's two snapshots, one that is damaged, and
// what a node without pods says.
func evidence(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	backup, _ := cli.Pair(t, dir)
	t.Chdir(dir)
	damaged, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	damaged[500000] ^= 0xff
	for name, data := range map[string][]byte{"damaged.db": damaged, "pods.json": []byte(`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}`)} {
		if err := os.WriteFile(name, data, 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

var repository = func() string {
	path, err := filepath.Abs("../..")
	if err != nil {
		log.Fatal(err)
	}
	return path
}()

// write has the program write a document, which may be what a finding sets the exit code of.
func write(t *testing.T, format string, args ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(cli.Write(t, program, format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// verbs are command lines that have findings.
var verbs = map[string][]string{
	"predict":           {"predict", "backup.db", "current.db"},
	"predict, nothing":  {"predict", "backup.db", "current.db", "--bump-revision", "1000000000", "--mark-compacted"},
	"preflight":         {"preflight", "backup.db", "current.db"},
	"preflight, damage": {"preflight", "damaged.db"},
	"inspect":           {"inspect", "backup.db", "damaged.db"},
	"verify":            {"verify", "backup.db", "--kubelet", "node-1=pods.json"},
}

// TestSchemas holds documents against docs/schema, with no field beside those that are there.
func TestSchemas(t *testing.T) {
	evidence(t)
	if err := os.WriteFile("policy.yaml", []byte("limits: {maxAge: 25h}\nchecks:\n  age: {unknown: fail}\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	predicted := write(t, "json", "predict", "backup.db", "current.db")
	if err := os.WriteFile("prediction.json", predicted, 0o400); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range []string{
		"inspect backup.db current.db damaged.db --hash --hashkv --at 100 --at 2026-11-23T04:03Z --case 7 --examiner x", "inspect backup.db --skip-hash-check",
		"predict backup.db current.db", "predict backup.db damaged.db --force", "predict backup.db current.db --bump-revision 1000000000 --mark-compacted --outage 300..900 --outage-at 2026-11-23T05:00Z",
		"predict backup.db current.db --restart-kubelets node-1 --kubelet-apiserver node-2=vm", "predict backup.db --onto new-machines", "predict backup.db current.db --onto new-machines",
		"predict backup.db current.db --compare", "plan backup.db current.db", "plan backup.db --platform kubeadm", "plan backup.db --onto new-machines",
		"preflight backup.db current.db", "preflight backup.db --policy policy.yaml", "report backup.db current.db --platform talos",
		"verify backup.db --kubelet node-1=pods.json", "verify backup.db --kubelet node-1=pods.json --prediction prediction.json",
		"diff backup.db current.db", "storage backup.db", "carve current.db", "carve current.db --objects", "history backup.db current.db deploy/old-app --patch", "history backup.db current.db deploy/web -n shop --objects",
		"who backup.db current.db deploy/web -n shop",
	} {
		t.Run(line, func(t *testing.T) {
			data := write(t, "json", strings.Fields(line)...)
			var head struct{ Kind string }
			if err := json.Unmarshal(data, &head); err != nil {
				t.Fatal(err)
			}
			seen[head.Kind+".json"] = true
			document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if err := closedSchema(t, head.Kind+".json").Validate(document); err != nil {
				t.Errorf("%.3000v", err)
			}
		})
	}
	for line := range bytes.Lines(write(t, "jsonl", "timeline", "backup.db", "current.db", "--carved")) {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := closedSchema(t, "timeline-line.json").Validate(document); err != nil {
			t.Fatalf("%.3000v", err)
		}
	}
	salvaged, err := exec.Command(program, "salvage", "damaged.db", "-o", "clean.db", "--report", "json").Output()
	if document, jsonErr := jsonschema.UnmarshalJSON(bytes.NewReader(salvaged)); jsonErr != nil {
		t.Errorf("%v, %v", err, jsonErr)
	} else if err := closedSchema(t, "Salvage.json").Validate(document); err != nil {
		t.Errorf("%.3000v", err)
	}
	seen["Salvage.json"], seen["timeline-line.json"] = true, true
	files, err := filepath.Glob(filepath.Join(repository, "docs/schema/*.json"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%d schemas: %v", len(files), err)
	}
	for _, path := range files {
		if !seen[filepath.Base(path)] {
			t.Errorf("no document was held against %s", filepath.Base(path))
		}
	}
}

// closedSchema is a schema of docs/schema that refuses fields which it does not name. What
// is published allows them, for within a version fields are added.
func closedSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	if s := closed[name]; s != nil {
		return s
	}
	data, err := os.ReadFile(filepath.Join(repository, "docs/schema", name))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var shut func(any)
	shut = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
				v["additionalProperties"] = false
			}
			for _, below := range v {
				shut(below)
			}
		case []any:
			for _, below := range v {
				shut(below)
			}
		}
	}
	shut(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	closed[name] = s
	return s
}

var closed = map[string]*jsonschema.Schema{}

// TestSARIF reads SARIF back, and holds it against the schema and against what GitHub's
// code scanning takes (docs.github.com, "SARIF support for code scanning").
func TestSARIF(t *testing.T) {
	evidence(t)
	for name, args := range verbs {
		t.Run(name, func(t *testing.T) {
			data := write(t, "sarif", args...)
			report := checkSARIF(t, data)
			if len(report.Runs[0].Results) == 0 {
				t.Error("no result")
			}
			if again := write(t, "sarif", args...); args[0] != "preflight" && !bytes.Equal(data, again) {
				t.Error("the same is written differently")
			}
		})
	}
}

// sarifSchema is the schema of OASIS. The library that reads SARIF holds only what it wrote
// itself against it, and so it is taken out of its source.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	list := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif")
	list.Dir = filepath.Join(repository, "oracle")
	dir, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := source.Scope.Lookup("schema").Decl.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value
	if text, err = strconv.Unquote(text); err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkSARIF(t *testing.T, data []byte) *sarif.Report {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t).Validate(document); err != nil {
		t.Error(err)
	}
	report, err := sarif.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Runs) != 1 || len(data) > 100<<20 {
		t.Fatalf("%d runs", len(report.Runs))
	}
	run := report.Runs[0]
	rules := run.Tool.Driver.Rules
	seen := map[string]bool{}
	for i, r := range run.Results {
		if r.RuleID == nil || r.RuleIndex < 0 || r.RuleIndex >= len(rules) || rules[r.RuleIndex].ID == nil || *rules[r.RuleIndex].ID != *r.RuleID {
			t.Errorf("result %d: the rule %v is not at %d", i, r.RuleID, r.RuleIndex)
		}
		if r.Message == nil || r.Message.Text == nil || *r.Message.Text == "" {
			t.Errorf("result %d has no text", i)
		}
		if len(r.Locations) == 0 || len(r.Locations) > 10 {
			t.Errorf("result %d has %d locations", i, len(r.Locations))
		}
		for _, l := range r.Locations {
			p := l.PhysicalLocation
			if p == nil || p.ArtifactLocation == nil || p.ArtifactLocation.URI == nil || *p.ArtifactLocation.URI == "" || p.Region == nil || p.Region.StartLine == nil || *p.Region.StartLine < 1 {
				t.Errorf("result %d has a location without a file and a line", i)
			} else if _, err := url.Parse(*p.ArtifactLocation.URI); err != nil {
				t.Errorf("result %d: %v", i, err)
			}
		}
		mark := r.PartialFingerprints["revenant/v1"]
		if mark == "" || seen[mark] {
			t.Errorf("result %d: the fingerprint %q is another result's", i, mark)
		}
		seen[mark] = true
	}
	return report
}

// TestSARIFOffsets wants the record of which a result speaks to be where it points to.
func TestSARIFOffsets(t *testing.T) {
	evidence(t)
	report := checkSARIF(t, write(t, "sarif", "predict", "backup.db", "current.db"))
	found := 0
	for _, r := range report.Runs[0].Results {
		for _, l := range r.Locations {
			region := l.PhysicalLocation.Region
			if region.ByteOffset <= 0 || region.ByteLength == nil {
				continue
			}
			data, err := os.ReadFile(*l.PhysicalLocation.ArtifactLocation.URI)
			if err != nil {
				t.Fatal(err)
			}
			found++
			key := *l.LogicalLocations[0].FullyQualifiedName
			if record := data[region.ByteOffset : region.ByteOffset+*region.ByteLength]; !bytes.Contains(record, []byte(key)) {
				t.Errorf("%s is not at %d", key, region.ByteOffset)
			}
		}
	}
	if found < 30 {
		t.Errorf("%d results have an offset", found)
	}
}

// TestBaseline compares a run with an earlier one under another plan.
func TestBaseline(t *testing.T) {
	evidence(t)
	if err := os.WriteFile("earlier.sarif", write(t, "sarif", "predict", "backup.db", "current.db"), 0o400); err != nil {
		t.Fatal(err)
	}
	states := func(args ...string) string {
		t.Helper()
		report := checkSARIF(t, write(t, "sarif", append(args, "--baseline", "earlier.sarif")...))
		counts := map[string]int{}
		for _, r := range report.Runs[0].Results {
			counts[*r.BaselineState]++
		}
		var list []string
		for _, state := range slices.Sorted(maps.Keys(counts)) {
			list = append(list, fmt.Sprint(counts[state], " ", state))
		}
		return strings.Join(list, ", ")
	}
	if got := states("predict", "backup.db", "current.db"); got != "38 unchanged" {
		t.Errorf("the same: %s", got)
	}
	if got := states("predict", "backup.db", "current.db", "--restart-kubelets", "node-1,node-2"); got != "11 absent, 11 new, 27 unchanged" {
		t.Errorf("another plan: %s", got)
	}
	for _, args := range [][]string{{"-o", "json", "--baseline", "earlier.sarif"}, {"-o", "sarif", "--baseline", "pods.json"}, {"-o", "sarif", "--baseline", "backup.db"}, {"-o", "sarif", "--baseline", "none"}, {"-o", "sarif=earlier.sarif", "--baseline", "earlier.sarif"}} {
		out, err := exec.Command(program, append([]string{"predict", "backup.db", "current.db"}, args...)...).CombinedOutput()
		if exit := (*exec.ExitError)(nil); err == nil || !strings.Contains(string(out), "revenant: ") {
			t.Errorf("%q: %v %v: %.200s", args, err, exit, out)
		}
	}
}

// TestStatement reads a statement back with in-toto's library, and hashes its subjects.
func TestStatement(t *testing.T) {
	evidence(t)
	lines := maps.Clone(verbs)
	lines["compare"] = []string{"predict", "--compare", "backup.db", "current.db"}
	lines["plan"] = []string{"plan", "backup.db", "current.db"}
	lines["report"] = []string{"report", "backup.db", "current.db", "--case", "7"}
	for name, args := range lines {
		t.Run(name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "page.html")
			data := write(t, "attestation", append(slices.Clone(args), "-o", "html="+page)...)
			s := new(intoto.Statement)
			if err := protojson.Unmarshal(data, s); err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
			named := false
			for _, subject := range s.GetSubject() {
				file, err := os.ReadFile(subject.GetName())
				if err != nil {
					t.Fatal(err)
				}
				if sum := sha256.Sum256(file); subject.GetDigest()["sha256"] != hex.EncodeToString(sum[:]) {
					t.Errorf("%s has another hash", subject.GetName())
				}
				named = named || subject.GetName() == page
			}
			predicate := s.GetPredicate().GetFields()
			if !named || len(s.GetSubject()) < 2 || predicate["tool"].GetStructValue().GetFields()["name"].GetStringValue() != "revenant" || predicate["verdict"].GetStructValue().GetFields()["text"].GetStringValue() == "" ||
				len(predicate["arguments"].GetListValue().GetValues()) == 0 || len(predicate["evidence"].GetListValue().GetValues()) == 0 {
				t.Errorf("something is missing: %s", data)
			}
		})
	}
	out, err := exec.Command(program, "inspect", "backup.db", "--skip-hash-check", "-o", "attestation").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "was not hashed") {
		t.Errorf("%v: %.300s", err, out)
	}
}

// TestPrometheus parses metrics as Prometheus does.
func TestPrometheus(t *testing.T) {
	evidence(t)
	for name, args := range verbs {
		if args[0] == "verify" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text := expfmt.NewTextParser(model.UTF8Validation)
			families, err := text.TextToMetricFamilies(bytes.NewReader(write(t, "prometheus", args...)))
			if err != nil || len(families) < 5 {
				t.Fatalf("%d families: %v", len(families), err)
			}
			for name, f := range families {
				if !strings.HasPrefix(name, "revenant_"+args[0]+"_") || f.GetHelp() == "" {
					t.Errorf("%s: %q", name, f.GetHelp())
				}
			}
			if name != "predict" {
				return
			}
			var doc struct{ Summary map[string]int }
			if err := json.Unmarshal(write(t, "json", args...), &doc); err != nil {
				t.Fatal(err)
			}
			pods := map[string]int{}
			for _, m := range families["revenant_predict_pods"].GetMetric() {
				for _, l := range m.GetLabel() {
					if l.GetName() == "outcome" {
						pods[l.GetValue()] += int(m.GetGauge().GetValue())
					}
				}
			}
			for outcome, n := range doc.Summary {
				if pods[outcome] != n {
					t.Errorf("%d pods are %s, not %d", pods[outcome], outcome, n)
				}
			}
		})
	}
}

// TestHostile reads documents back that are made of hostile evidence.
func TestHostile(t *testing.T) {
	for i, name := range []string{"\"}],\n\x1b[2J\u202e</x>", "a\\\" b\x00\xff\u2028{}", "../%2e%2e/ %zz:#?&"} {
		c, err := adversary.Named(uint64(i), name)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		in := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
		for file, data := range c.Files {
			if err := os.MkdirAll(filepath.Dir(in(file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in(file), data, 0o444); err != nil {
				t.Fatal(err)
			}
		}
		backup, current := in(c.Backup.Path), in(c.Current.Path)
		for verb, args := range map[string][]string{
			"inspect": {"inspect", backup, current}, "preflight": {"preflight", "--force", backup, current},
			"predict": {"predict", "--force", backup, current}, "verify": {"verify", current, "--dumps", in(c.Dumps), "--partial"},
		} {
			t.Run(fmt.Sprint(i, " ", verb), func(t *testing.T) {
				checkSARIF(t, write(t, "sarif", args...))
				if verb == "verify" {
					return
				}
				text := expfmt.NewTextParser(model.UTF8Validation)
				if _, err := text.TextToMetricFamilies(bytes.NewReader(write(t, "prometheus", args...))); err != nil {
					t.Error(err)
				}
				s := new(intoto.Statement)
				if err := protojson.Unmarshal(write(t, "attestation", args...), s); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
