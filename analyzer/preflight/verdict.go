package preflight

import (
	"fmt"
	"slices"
	"strings"

	"revenant/analyzer/finding"
	"revenant/internal/words"
)

// Verdict is the result of a check.
type Verdict string

// The verdicts, best first. Unknown is worse than a warning, which is known to leave the
// restore possible, and better than a failure.
const (
	Pass    Verdict = "pass"
	Warn    Verdict = "warn"
	Unknown Verdict = "unknown" // the check could not look, or what it saw does not decide it
	Fail    Verdict = "fail"
)

// Ignored is what a verdict counts as that the policy leaves out.
const Ignored Verdict = "ignore"

// Verdicts are all verdicts of checks, best first.
var Verdicts = []Verdict{Pass, Warn, Unknown, Fail}

// Rank orders verdicts: 0 is the best. What is ignored counts as none.
func (v Verdict) Rank() int { return max(0, slices.Index(Verdicts, v)) }

// result is what a check found.
type result struct {
	Verdict
	reason   string
	do       string // "" is what the check's Info says
	evidence []finding.Ref
}

func pass(format string, args ...any) result {
	return result{Verdict: Pass, reason: fmt.Sprintf(format, args...)}
}

func warn(format string, args ...any) result {
	return result{Verdict: Warn, reason: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) result {
	return result{Verdict: Unknown, reason: fmt.Sprintf(format, args...)}
}

func fail(format string, args ...any) result {
	return result{Verdict: Fail, reason: fmt.Sprintf(format, args...)}
}

func (r result) doing(format string, args ...any) result {
	r.do = fmt.Sprintf(format, args...)
	return r
}

// points collects what a check found of each verdict, and comes to the worst.
type points struct {
	by   map[Verdict][]string
	refs []finding.Ref
}

const (
	mostPoints = 5 // named of one verdict
	mostRefs   = 5
)

func (p *points) add(v Verdict, refs []finding.Ref, format string, args ...any) {
	if p.by == nil {
		p.by = map[Verdict][]string{}
	}
	p.by[v] = append(p.by[v], fmt.Sprintf(format, args...))
	if v != Pass && len(p.refs) < mostRefs {
		p.refs = append(p.refs, refs[:min(len(refs), mostRefs-len(p.refs))]...)
	}
}

// result is the worst of the points with all that are no pass, or else.
func (p *points) result(otherwise result) result {
	r := result{Verdict: Pass, evidence: p.refs}
	var parts []string
	for _, v := range []Verdict{Fail, Unknown, Warn} {
		if list := p.by[v]; len(list) > 0 {
			if v.Rank() > r.Verdict.Rank() {
				r.Verdict = v
			}
			parts = append(parts, words.Clauses(list, mostPoints, len(list)))
		}
	}
	if r.Verdict == Pass {
		return otherwise
	}
	r.reason = strings.Join(parts, "; ")
	return r
}
