package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"revenant/analyzer/drift"
	"revenant/analyzer/preflight"
	"revenant/analyzer/restore"
	"revenant/analyzer/rollback"
	"revenant/decoder/container"
	"revenant/decoder/snapshot"
	"revenant/report/sarif"
)

// Alerting is a document that can be written as SARIF.
type Alerting interface {
	SARIF() *sarif.Log
}

// Offsets are where records are stored: bytes from the start of the file that has them.
type Offsets map[restore.Ref]Stored

// Stored is where a record is, and how long.
type Stored struct{ Offset, Length int64 }

// Locate finds where records are stored in snapshots. What a log added, or an archive
// holds, has no place in the file that was handed over.
func Locate(snapshots map[restore.In]*snapshot.Snapshot, evidence []restore.Evidence, refs func(func(restore.Ref))) Offsets {
	found := Offsets{}
	for i := range evidence {
		role := restore.In(evidence[i].Role)
		if f := evidence[i].Custody.Format; f != container.Plain && f != container.Directory {
			delete(snapshots, role)
		}
	}
	refs(func(r restore.Ref) {
		s := snapshots[r.Snapshot]
		if _, ok := found[r]; ok || s == nil {
			return
		}
		if record, err := s.Get(r.Key, r.Revision); err == nil && record.Main == r.Revision {
			if at := s.Offset(record); at >= 0 {
				found[r] = Stored{at, int64(record.Size)}
			}
		}
	})
	return found
}

// places are where refs point to, in the files of the evidence; the first file where
// there is none.
func places(evidence []restore.Evidence, refs []restore.Ref, at Offsets, object string) (list []sarif.Place) {
	for _, r := range refs {
		i := slices.IndexFunc(evidence, func(e restore.Evidence) bool { return e.Role == string(r.Snapshot) })
		if i < 0 {
			continue
		}
		p := sarif.Place{File: file(&evidence[i]), Offset: -1, Object: r.Key}
		if stored, ok := at[r]; ok {
			p.Offset, p.Length = stored.Offset, stored.Length
		}
		list = append(list, p)
	}
	if len(list) == 0 && len(evidence) > 0 {
		list = append(list, sarif.Place{File: file(&evidence[len(evidence)-1]), Offset: -1, Object: object})
	}
	return list
}

// file is the file that has the db of evidence.
func file(e *restore.Evidence) string {
	if len(e.Custody.Files) > 0 {
		return e.Custody.Files[0].Path
	}
	return e.Path
}

func artifacts(list []restore.Evidence) (files []sarif.Artifact) {
	for i := range list {
		for _, f := range list[i].Custody.Files {
			a := sarif.Artifact{Location: sarif.ArtifactLocation{URI: sarif.URI(f.Path)}, Length: f.SizeBytes}
			if f.SHA256 != "" {
				a.Hashes = map[string]string{"sha-256": f.SHA256}
			}
			files = append(files, a)
		}
	}
	return files
}

func level(s restore.Severity) sarif.Level {
	switch s {
	case restore.Critical:
		return sarif.Error
	case restore.Warning:
		return sarif.Warning
	}
	return sarif.Note
}

func newRule(id, title, explains, help string, s restore.Severity) sarif.Rule {
	return sarif.Rule{ID: id, Short: sarif.Message{Text: title}, Full: sarif.Message{Text: explains}, Help: sarif.Message{Text: help}, Default: sarif.Configuration{Level: level(s)}}
}

// Refs calls f with each record that an alert of the prediction rests on.
func (p *Prediction) Refs(f func(restore.Ref)) {
	for i := range p.Pods {
		if o := &p.Pods[i]; o.Severity != restore.OK {
			for _, r := range o.Evidence {
				f(r)
			}
		}
	}
	if p.Rollback == nil {
		return
	}
	for i := range p.Rollback.Findings {
		if x := &p.Rollback.Findings[i]; x.Severity != restore.OK {
			for _, r := range x.Evidence {
				f(r)
			}
		}
	}
}

// SARIF has a result for every pod that needs attention and for what else goes back in
// time and does.
func (p *Prediction) SARIF() *sarif.Log {
	var rules []sarif.Rule
	for _, o := range restore.Outcomes {
		rules = append(rules, newRule(string(o.ID), o.Title, o.Explanation, o.Remedy, o.Severity))
	}
	var findings []sarif.Finding
	for _, o := range p.worstFirst(func(o *restore.PodOutcome) bool { return o.Severity != restore.OK }) {
		findings = append(findings, sarif.Finding{
			Rule: string(o.Outcome), Level: level(o.Severity), Text: fmt.Sprintf("Pod %s/%s: %s (%s) %s", o.Namespace, o.Name, o.Reason, o.Certainty, o.Action),
			About: []string{o.Namespace, o.Name, o.UID}, Places: places(p.Evidence, o.Evidence, p.Offsets, o.Namespace+"/"+o.Name),
		})
	}
	if p.Rollback != nil {
		for _, i := range rollback.Infos {
			rules = append(rules, newRule("rollback/"+string(i.ID), i.Title, i.Explains, i.Remedy, i.Severity))
		}
		for i := range p.Rollback.Findings {
			f := &p.Rollback.Findings[i]
			if f.Severity == restore.OK {
				continue
			}
			findings = append(findings, sarif.Finding{
				Rule: "rollback/" + string(f.ID), Level: level(f.Severity), Text: fmt.Sprintf("%s: %s %s", findingObject(f), f.Reason, f.Action),
				About: []string{f.Kind, f.Namespace, f.Name}, Places: places(p.Evidence, f.Evidence, p.Offsets, findingObject(f)),
			})
		}
	}
	return sarif.New(p.Tool.Name, p.Tool.Version, rules, artifacts(p.Evidence), findings)
}

// Refs calls f with each record that an alert of the checks rests on.
func (f *Preflight) Refs(each func(restore.Ref)) {
	for _, c := range f.failing() {
		for _, r := range c.Evidence {
			each(r)
		}
	}
}

// SARIF has a result for every check that does not pass under the policy.
func (f *Preflight) SARIF() *sarif.Log {
	var rules []sarif.Rule
	for i := range f.Checks {
		c := &f.Checks[i]
		rules = append(rules, newRule(string(c.ID), c.Title, c.Looks+". "+c.Why, c.Source, restore.Critical))
	}
	var findings []sarif.Finding
	for _, c := range f.failing() {
		severity := severityOf(c.Counts)
		if c.Counts == preflight.Pass {
			severity = restore.OK
		}
		findings = append(findings, sarif.Finding{
			Rule: string(c.ID), Level: level(severity), Text: fmt.Sprintf("%s: %s. To do: %s", c.Verdict, c.Reason, c.Action),
			Places: places(f.Evidence, c.Evidence, f.Offsets, ""),
		})
	}
	return sarif.New(f.Tool.Name, f.Tool.Version, rules, artifacts(f.Evidence), findings)
}

// SARIF has a result for everything that was found.
func (v *Verification) SARIF() *sarif.Log {
	var rules []sarif.Rule
	for _, k := range drift.Kinds {
		rules = append(rules, newRule(string(k.ID), string(k.ID), k.Title, k.Title, k.Severity))
	}
	var findings []sarif.Finding
	for i := range v.Findings {
		f := &v.Findings[i]
		object := strings.Trim(f.Namespace+"/"+f.Name, "/")
		findings = append(findings, sarif.Finding{
			Rule: string(f.Kind), Level: level(f.Severity), Text: strings.TrimSpace(fmt.Sprintf("%s on %s: %s (%s) %s %s", object, f.Node, f.Reason, f.Certainty, f.Action, f.Command)),
			About: []string{f.Node, f.Namespace, f.Name, f.UID, f.Container}, Places: places(v.Evidence, nil, nil, object),
		})
	}
	return sarif.New(v.Tool.Name, v.Tool.Version, rules, artifacts(v.Evidence), findings)
}

// SARIF has a result for every problem of a file, at its page where it has one.
func (in *Inspection) SARIF() *sarif.Log {
	rules := []sarif.Rule{
		newRule("damage", "Damage", "Something of the file is lost, or cannot be trusted.", "revenant salvage writes a clean snapshot of what is readable.", restore.Critical),
		newRule("note", "Note", "Something to know of the file, by which nothing is lost.", "Nothing.", restore.OK),
		newRule("disagreement", "Files do not agree", "Two files that should hold the same do not.", "Compare them with revenant diff.", restore.Warning),
	}
	var findings []sarif.Finding
	name := in.shortNames()
	for i := range in.Evidence {
		e := &in.Evidence[i]
		for _, p := range e.Problems {
			rule, level := "note", sarif.Note
			if p.Severity == snapshot.Damage {
				rule, level = "damage", sarif.Error
			}
			place := sarif.Place{File: file(&e.Evidence), Offset: -1}
			if f := e.Custody.Format; f == container.Plain || f == container.Directory {
				if n, err := strconv.ParseInt(strings.TrimPrefix(p.Where, "page "), 10, 64); err == nil && n >= 0 && n < e.Custody.SizeBytes/int64(max(e.PageSize, 1)) {
					place.Offset, place.Length = n*int64(e.PageSize), int64(e.PageSize)
				}
			}
			findings = append(findings, sarif.Finding{Rule: rule, Level: level, Text: p.String(), About: []string{filepath.Base(e.Path), p.Where, p.What}, Places: []sarif.Place{place}})
		}
	}
	for i := range in.Agreement {
		if g := &in.Agreement[i]; g.Agree != nil && !*g.Agree {
			findings = append(findings, sarif.Finding{Rule: "disagreement", Level: sarif.Warning, Text: agreementLine(g, name(g.A), name(g.B)), About: []string{g.A, g.B}, Places: []sarif.Place{{File: g.B, Offset: -1}}})
		}
	}
	return sarif.New(in.Tool.Name, in.Tool.Version, rules, artifacts(in.evidence()), findings)
}
