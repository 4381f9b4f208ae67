// Package sarif writes findings as SARIF 2.1.0 (OASIS), the part of it that code scanning
// takes.
//
// It takes rules and results, and returns a log with one run. Strings of any origin are made
// safe to show. An earlier log decides which results are new; one that is no SARIF, or of
// another version, is refused.
package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"revenant/decoder/sanitize"
)

// Fingerprint is the name of the fingerprint by which results of two runs are compared.
// It is made of the rule and of what the result is about, and of no revision and no words.
const Fingerprint = "revenant/v1"

// lineHash is the only fingerprint that GitHub compares.
const lineHash = "primaryLocationLineHash"

// How much of a string is written, in bytes, and how many locations of a result: code
// scanning takes 10 (docs.github.com, "SARIF support for code scanning").
const (
	mostInMessage = 4 << 10
	mostLocations = 10
)

// Log is a document of SARIF.
type Log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []Run  `json:"runs"`
}

// Run is what one run of the program found.
type Run struct {
	Tool      Tool       `json:"tool"`
	Artifacts []Artifact `json:"artifacts,omitempty"`
	Results   []Result   `json:"results"`
	Column    string     `json:"columnKind"`
}

// Tool is the program, with its rules.
type Tool struct {
	Driver Driver `json:"driver"`
}

// Driver is the program.
type Driver struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Rules   []Rule `json:"rules"`
}

// Rule is what results of a kind have in common.
type Rule struct {
	ID      string        `json:"id"`
	Name    string        `json:"name,omitempty"`
	Short   Message       `json:"shortDescription"`
	Full    Message       `json:"fullDescription"`
	Help    Message       `json:"help"`
	Default Configuration `json:"defaultConfiguration"`
}

// Configuration has the usual level of a rule.
type Configuration struct {
	Level Level `json:"level"`
}

// Level is how severe a result is.
type Level string

// The levels.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// Message is text.
type Message struct {
	Text string `json:"text"`
}

// Artifact is a file of the evidence.
type Artifact struct {
	Location ArtifactLocation  `json:"location"`
	Length   int64             `json:"length,omitempty"`
	Hashes   map[string]string `json:"hashes,omitempty"`
}

// ArtifactLocation is where a file is: relative where its path is.
type ArtifactLocation struct {
	URI string `json:"uri"`
}

// Result is one finding.
type Result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        Level             `json:"level"`
	Message      Message           `json:"message"`
	Locations    []Location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Baseline     string            `json:"baselineState,omitempty"`
}

// Location is where a result is: in a file, and in the cluster.
type Location struct {
	Physical Physical  `json:"physicalLocation"`
	Logical  []Logical `json:"logicalLocations,omitempty"`
}

// Physical is a place in a file.
type Physical struct {
	Artifact ArtifactLocation `json:"artifactLocation"`
	Region   Region           `json:"region"`
}

// Region is a place in bytes. Line 1 is for code scanning, which shows no result without
// a line.
type Region struct {
	StartLine  int    `json:"startLine"`
	ByteOffset *int64 `json:"byteOffset,omitempty"`
	ByteLength *int64 `json:"byteLength,omitempty"`
}

// Logical is an object of the cluster.
type Logical struct {
	Name      string `json:"name,omitempty"`
	Qualified string `json:"fullyQualifiedName"`
	Kind      string `json:"kind"`
}

// Finding is a result to be written.
type Finding struct {
	Rule   string
	Level  Level
	Text   string
	About  []string // by which it is known in another run
	Places []Place
}

// Place is where a finding is.
type Place struct {
	File   string
	Offset int64 // of the record or the page in the file, in bytes; less than 0 when it is not known
	Length int64 // 0 when it is not known
	Object string
}

// New returns the log of a run.
func New(name, version string, rules []Rule, artifacts []Artifact, findings []Finding) *Log {
	index := map[string]int{}
	for i := range rules {
		r := &rules[i]
		index[r.ID] = i
		for _, m := range []*Message{&r.Short, &r.Full, &r.Help} {
			m.Text = clean(m.Text)
		}
	}
	run := Run{Tool: Tool{Driver{Name: name, Version: version, Rules: rules}}, Artifacts: artifacts, Results: []Result{}, Column: "utf16CodeUnits"}
	seen := map[string]int{}
	for _, f := range findings {
		r := Result{RuleID: f.Rule, RuleIndex: index[f.Rule], Level: f.Level, Message: Message{clean(f.Text)}, Locations: []Location{}}
		for _, p := range f.Places[:min(len(f.Places), mostLocations)] {
			r.Locations = append(r.Locations, p.location())
		}
		mark := fingerprint(append([]string{f.Rule}, f.About...))
		seen[mark]++
		if n := seen[mark]; n > 1 {
			mark = fingerprint([]string{mark, fmt.Sprint(n)})
		}
		r.Fingerprints = map[string]string{Fingerprint: mark, lineHash: mark[:16] + ":1"}
		run.Results = append(run.Results, r)
	}
	return &Log{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []Run{run}}
}

// clean makes text safe to show, and never empty.
func clean(s string) string {
	if s = sanitize.Short(s, mostInMessage); s != "" {
		return s
	}
	return "-"
}

func fingerprint(parts []string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (p *Place) location() Location {
	l := Location{Physical: Physical{Artifact: ArtifactLocation{URI(p.File)}, Region: Region{StartLine: 1}}}
	if p.Offset >= 0 {
		l.Physical.Region.ByteOffset = &p.Offset
		if p.Length > 0 {
			l.Physical.Region.ByteLength = &p.Length
		}
	}
	if p.Object != "" {
		name := p.Object[strings.LastIndexByte(p.Object, '/')+1:]
		l.Logical = []Logical{{Name: clean(name), Qualified: clean(p.Object), Kind: "resource"}}
	}
	return l
}

// URI is a path as a reference: relative where the path is.
func URI(path string) string {
	path = filepath.ToSlash(path)
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(sanitize.WholeLine(part))
	}
	escaped := strings.Join(parts, "/")
	switch {
	case strings.HasPrefix(path, "/"):
		return "file://" + escaped
	case strings.Contains(parts[0], ":"): // which would be a scheme
		return "./" + escaped
	case escaped == "":
		return "-"
	}
	return escaped
}

// Parse reads the log of an earlier run.
func Parse(text []byte) (*Log, error) {
	l := new(Log)
	if err := json.Unmarshal(text, l); err != nil {
		return nil, fmt.Errorf("is no SARIF: %w", err)
	}
	if l.Version != "2.1.0" || len(l.Runs) == 0 {
		return nil, errors.New("is no SARIF 2.1.0 with a run")
	}
	return l, nil
}

// Compare says of each result whether it is new, and adds those of the earlier run that
// are gone.
func (l *Log) Compare(earlier *Log) {
	was := map[string]Result{}
	for _, run := range earlier.Runs {
		for _, r := range run.Results {
			if mark := r.Fingerprints[Fingerprint]; mark != "" && r.Baseline != "absent" {
				was[mark] = r
			}
		}
	}
	run := &l.Runs[0]
	for i := range run.Results {
		r := &run.Results[i]
		mark := r.Fingerprints[Fingerprint]
		before, there := was[mark]
		delete(was, mark)
		switch {
		case !there:
			r.Baseline = "new"
		case before.Message != r.Message || before.Level != r.Level:
			r.Baseline = "updated"
		default:
			r.Baseline = "unchanged"
		}
	}
	var gone []Result
	for _, r := range was {
		i := slices.IndexFunc(run.Tool.Driver.Rules, func(rule Rule) bool { return rule.ID == r.RuleID })
		if i < 0 || r.Level != Error && r.Level != Warning && r.Level != Note {
			continue
		}
		absent := Result{RuleID: r.RuleID, RuleIndex: i, Level: r.Level, Message: Message{clean(r.Message.Text)}, Locations: []Location{}, Baseline: "absent",
			Fingerprints: map[string]string{Fingerprint: clean(r.Fingerprints[Fingerprint])}}
		if len(run.Artifacts) > 0 {
			here := Location{Physical: Physical{Artifact: run.Artifacts[0].Location, Region: Region{StartLine: 1}}}
			if len(r.Locations) > 0 && len(r.Locations[0].Logical) > 0 {
				l := r.Locations[0].Logical[0]
				here.Logical = []Logical{{Name: clean(l.Name), Qualified: clean(l.Qualified), Kind: "resource"}}
			}
			absent.Locations = append(absent.Locations, here)
		}
		gone = append(gone, absent)
	}
	slices.SortFunc(gone, func(a, b Result) int {
		return strings.Compare(a.Fingerprints[Fingerprint], b.Fingerprints[Fingerprint])
	})
	run.Results = append(run.Results, gone...)
}
