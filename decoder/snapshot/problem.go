package snapshot

import (
	"fmt"
	"strconv"

	"revenant/decoder/boltpage"
	"revenant/internal/words"
)

// Severity says what a Problem means for what is read.
type Severity string

// The severities.
const (
	// Damage: something is lost or cannot be trusted.
	Damage Severity = "damage"
	// Note: worth knowing, costs nothing.
	Note Severity = "note"
)

// Problem is one thing found wrong with the evidence. None of its strings
// holds bytes of the file other than numbers.
type Problem struct {
	Severity Severity `json:"severity"`
	Where    string   `json:"where"` // "page 12", "revision 4711", "trailer", …
	What     string   `json:"what"`
	Cost     string   `json:"cost"` // what is lost by it, "" when nothing is
}

func (p Problem) String() string {
	s := p.Where + ": " + p.What
	if p.Cost != "" {
		s += " (" + p.Cost + ")"
	}
	return s
}

// maxProblems bounds the memory that a hostile file can claim.
const maxProblems = 10_000

type problemList struct {
	list    []Problem
	dropped int
}

func (l *problemList) add(severity Severity, where, what, cost string) {
	if len(l.list) >= maxProblems {
		l.dropped++
		return
	}
	l.list = append(l.list, Problem{Severity: severity, Where: where, What: what, Cost: cost})
}

func (l *problemList) merge(other *problemList) {
	for _, p := range other.list {
		l.add(p.Severity, p.Where, p.What, p.Cost)
	}
	l.dropped += other.dropped
}

func pageName(page uint64) string { return "page " + strconv.FormatUint(page, 10) }

func revisionName(rev Revision) string { return "revision " + rev.String() }

// fromAnomaly tells an anomaly of the pages as a problem.
func fromAnomaly(a boltpage.Anomaly) Problem {
	p := Problem{Severity: Damage, Where: pageName(a.Page), What: fmt.Sprintf("%s: %s", a.Kind, a.Detail)}
	switch {
	case a.Kind == boltpage.OtherMeta:
		p.Severity = Note
	case a.Lost < 0:
		p.Cost = "what it held or led to"
	case a.Lost > 0:
		p.Cost = words.PlainOf(a.Lost, "item", "items")
	}
	return p
}
