package restore

import (
	"strings"

	"revenant/decoder/kube"
)

// names are strings that many pods have in common: most of what a pod's own copies of
// them would take.
type names map[string]string

// maxNames bounds what is kept of strings that turn out to be in common to none.
const maxNames = 1 << 16

// share replaces a string by an equal one that is there already.
func (n names) share(s *string) {
	if known, ok := n[*s]; ok {
		*s = known
	} else if len(n) < maxNames {
		n[*s] = *s
	}
}

// shareOf shares the strings of a pod. Its name and namespace are in its key.
func (n names) shareOf(p *Pod) {
	if rest, ok := strings.CutSuffix(p.Key, "/"+p.Name); ok {
		p.Name = p.Key[len(rest)+1:]
		if before, ok := strings.CutSuffix(rest, "/"+p.Namespace); ok {
			p.Namespace = rest[len(before)+1:]
		}
	}
	for _, s := range []*string{&p.NodeName, &p.Reason, &p.Owner.Kind, &p.Owner.Name, &p.Owner.UID} {
		n.share(s)
	}
	for _, list := range [][]kube.Container{p.InitContainers, p.Containers, p.EphemeralContainers} {
		for i := range list {
			n.share(&list[i].Name)
			n.share(&list[i].Image)
		}
	}
	for i := range p.Finalizers {
		n.share(&p.Finalizers[i])
	}
}
