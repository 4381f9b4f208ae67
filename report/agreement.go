package report

import (
	"fmt"
	"path/filepath"

	"revenant/analyzer/lineage"
	"revenant/internal/words"
)

// agreementText says whether the files hold the same, as members of one cluster do.
func (in *Inspection) agreementText(p *Printer) {
	if len(in.Agreement) == 0 {
		return
	}
	name := in.shortNames()
	p.Line("")
	for i := range in.Agreement {
		g := &in.Agreement[i]
		p.Wrapped("", textWidth, agreementLine(g, name(g.A), name(g.B)))
	}
}

// shortNames returns what files are called: their names without the directory,
// unless two would be called the same.
func (in *Inspection) shortNames() func(path string) string {
	paths := map[string]string{}
	for i := range in.Evidence {
		path := in.Evidence[i].Path
		if other, ok := paths[filepath.Base(path)]; ok && other != path {
			return func(path string) string { return path }
		}
		paths[filepath.Base(path)] = path
	}
	return filepath.Base
}

func agreementLine(g *lineage.Agreement, a, b string) string {
	switch {
	case g.Identical && g.Damaged:
		return fmt.Sprintf("%s and %s are identical, byte for byte, and damaged alike.", b, a)
	case g.Identical:
		return fmt.Sprintf("%s and %s are identical, byte for byte, at revision %s.", b, a, words.Number(g.ComparedTo))
	case g.Agree == nil && g.Cluster == lineage.Different:
		return fmt.Sprintf("%s and %s are of two clusters: the namespace kube-system has another uid in each.", b, a)
	case g.Agree == nil:
		return fmt.Sprintf("%s and %s have nothing in common that could be compared.", b, a)
	case g.FirstDifference != nil:
		return differenceLine(g, a, b)
	}
	revision, same := words.Number(g.ComparedTo), words.Count(g.Same, "record")+" the same, byte for byte."
	if g.Partial {
		same += " What was deleted or written again before the newer one's compaction could not be compared."
	}
	switch {
	case g.Behind > 0:
		return fmt.Sprintf("%s is %s behind %s, and agrees up to there, revision %s: %s", b, words.Count(g.Behind, "revision"), a, revision, same)
	case g.Behind < 0:
		return fmt.Sprintf("%s is %s ahead of %s, and agrees up to revision %s: %s", b, words.Count(-g.Behind, "revision"), a, revision, same)
	}
	return fmt.Sprintf("%s and %s agree at revision %s: %s", b, a, revision, same)
}

func differenceLine(g *lineage.Agreement, a, b string) string {
	d := g.FirstDifference
	how := "is not the same in both"
	switch d.In {
	case lineage.InA:
		how = "is in " + a + " only"
	case lineage.InB:
		how = "is in " + b + " only"
	}
	line := fmt.Sprintf("%s and %s do not agree: revision %s of %s %s. Up to revision %s, %s not the same and %s.",
		b, a, words.Number(d.Revision), d.Key, how, words.Number(g.ComparedTo), words.Count(g.Differences, "record"), words.Number(g.Same))
	switch {
	case g.Behind > 0:
		line += fmt.Sprintf(" %s is %s behind.", b, words.Count(g.Behind, "revision"))
	case g.Behind < 0:
		line += fmt.Sprintf(" %s is %s ahead.", b, words.Count(-g.Behind, "revision"))
	}
	if g.Damaged {
		line += " One of the two is damaged, which may be why."
	}
	return line
}
