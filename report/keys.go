package report

import (
	"fmt"
	"strings"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/internal/words"
)

// shownGroups is how many groups of keys are listed; there are more only where somebody
// made them up.
const shownGroups = 20

// keysText lists what the keys belong to, and which of them are read as objects.
func (e *InspectedEvidence) keysText(p *Printer) {
	title := "keys"
	if len(e.KeyGroups) == 0 {
		p.Field(title, "none")
	}
	for i := range e.KeyGroups {
		if i == shownGroups {
			p.Field("", fmt.Sprintf("… and %s more groups: -o json lists them all", words.Number(len(e.KeyGroups)-i)))
			break
		}
		p.wrappedField(title, groupText(&e.KeyGroups[i]))
		title = ""
	}
	prefix := e.Prefix()
	if prefix != kube.DefaultPrefix {
		p.Field("read", "what is below "+strings.Join(e.EtcdPrefixes, " and ")+": --etcd-prefix="+prefix)
	}
	for _, other := range e.OtherPrefix {
		p.Field("not read", "what another API server has below "+strings.Join(kube.SplitPrefixes(other), " and ")+": --etcd-prefix="+other)
	}
}

// groupText describes a group of keys.
func groupText(g *keyspace.Group) string {
	text := g.Name
	if g.Prefix != "" {
		text = g.Prefix + ": " + text
	}
	text += ", " + words.Count(g.Live, "live key")
	if g.Keys > g.Live {
		text += fmt.Sprintf(" and %s deleted", words.Number(g.Keys-g.Live))
	}
	text += ", " + words.Bytes(g.Bytes)
	if g.Note != "" {
		text += "; " + g.Note
	}
	return text
}
