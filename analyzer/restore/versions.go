package restore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"

	"revenant/internal/words"
)

// RuleBasis says how well the rules of a prediction are known to hold for a version of
// Kubernetes.
type RuleBasis string

// What the rules rest on, the best first.
const (
	RulesSeen    RuleBasis = "seen"    // clusters of that version were watched through restores
	RulesRead    RuleBasis = "read"    // its source was read, and does the same
	RulesUntried RuleBasis = "untried" // neither, or the version is not known
)

// Minor versions of Kubernetes 1. What was read is client-go's reflector, which
// kubelets watch with, and the API server's watch cache.
var (
	seenMinors             = []uint{33, 35, 37}
	readFrom, readTo  uint = 29, 38
	retriesUntilReady uint = 31 // see refusesUnready
)

// Kubernetes says of which versions the cluster is, and what the rules of the
// prediction rest on for them.
type Kubernetes struct {
	// APIServers is their version, the oldest where they differ, "" when nothing shows it;
	// and APIServersFrom what shows it.
	APIServers     string         `json:"apiServers"`
	APIServersFrom string         `json:"apiServersFrom"`
	Kubelets       []VersionCount `json:"kubelets"` // of the current state's nodes, the most first
	// Rules is the weakest of what the rules rest on for the API servers and each
	// kubelet, and Reason says why.
	Rules  RuleBasis `json:"rules"`
	Reason string    `json:"reason"`

	// AtLeast says that the API servers may be of a later version than APIServers.
	AtLeast bool `json:"-"`
}

// VersionCount counts the nodes with a version of the kubelet.
type VersionCount struct {
	Version string `json:"version"` // "" when it is not known
	Nodes   int    `json:"nodes"`
}

// CountVersions counts versions, the most frequent first.
func CountVersions(versions []string) []VersionCount {
	list := []VersionCount{}
	count := map[string]int{}
	for _, v := range versions {
		count[v]++
	}
	for v, n := range count {
		list = append(list, VersionCount{v, n})
	}
	slices.SortFunc(list, func(a, b VersionCount) int {
		return cmp.Or(b.Nodes-a.Nodes, strings.Compare(a.Version, b.Version))
	})
	return list
}

// parseVersion reads a version as nodes and images give it, such as v1.33.4+k3s1. It
// is nil when there is none in s.
func parseVersion(s string) *version.Version {
	v, err := version.ParseGeneric(s)
	if err != nil || v.Major() == 0 {
		return nil
	}
	return v
}

// minor is the version without its patch, which decides nothing.
func minor(v *version.Version) string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

// basis is what the rules rest on for a version, nil for one that is not known.
func basis(v *version.Version) RuleBasis {
	switch {
	case v == nil || v.Major() != 1 || v.Minor() < readFrom || v.Minor() > readTo:
		return RulesUntried
	case slices.Contains(seenMinors, v.Minor()):
		return RulesSeen
	}
	return RulesRead
}

// versions is what a forecast needs of the versions.
type versions struct {
	Kubernetes
	servers *version.Version            // nil when not known
	kubelet map[string]*version.Version // by the name of its Node object
	stated  *version.Version
}

// versionsUnder takes the versions from the current state, and what the plan states
// before it.
func (c *Comparison) versionsUnder(plan Plan) versions {
	v := versions{kubelet: map[string]*version.Version{}, stated: parseVersion(plan.KubernetesVersion)}
	var kubelets []string
	for i := range c.current.Nodes {
		n := &c.current.Nodes[i]
		known := parseVersion(n.KubeletVersion)
		if known == nil {
			known = v.stated
		}
		v.kubelet[n.Name] = known
		kubelets = append(kubelets, n.KubeletVersion)
	}
	v.Kubelets = CountVersions(kubelets)
	if v.servers, v.APIServersFrom = v.stated, "as stated"; v.stated == nil {
		v.servers, v.APIServersFrom = c.serverVersion()
		v.AtLeast = v.APIServersFrom == fromKubelets
	}
	if v.servers != nil {
		v.APIServers = minor(v.servers)
		if len(v.servers.Components()) > 2 {
			v.APIServers += fmt.Sprintf(".%d", v.servers.Patch())
		}
	}
	v.judge()
	return v
}

const fromKubelets = "by the newest kubelet: no API server may be older"

// serverVersion is the version of the oldest API server, and what shows it: the image
// of its static pod, or else the newest kubelet, which no API server is older than
// (Kubernetes' policy on version skew).
func (c *Comparison) serverVersion() (*version.Version, string) {
	var oldest *version.Version
	for _, p := range c.current.Pods {
		if v := serverImage(p); v != nil && (oldest == nil || v.LessThan(oldest)) {
			oldest = v
		}
	}
	if oldest != nil {
		return oldest, "by the images of their static pods"
	}
	var newest *version.Version
	for i := range c.current.Nodes {
		if v := parseVersion(c.current.Nodes[i].KubeletVersion); v != nil && (newest == nil || newest.LessThan(v)) {
			newest = v
		}
	}
	if newest != nil {
		return newest, fromKubelets
	}
	return nil, "no node and no static pod shows it"
}

// serverImage is the version in the image's tag of an API server that runs as a static
// pod, nil for any other pod.
func serverImage(p *Pod) *version.Version {
	if p.Mirror == "" {
		return nil
	}
	for _, c := range p.Containers {
		if c.Name != "kube-apiserver" {
			continue
		}
		image, _, _ := strings.Cut(c.Image, "@")
		if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') {
			return parseVersion(image[at+1:])
		}
	}
	return nil
}

// judge says what the rules rest on.
func (v *versions) judge() {
	v.Rules = basis(v.servers)
	weak := map[RuleBasis][]string{v.Rules: {named("API servers", v.servers)}}
	for _, k := range v.kubelet {
		b := basis(k)
		if what := named("kubelets", k); !slices.Contains(weak[b], what) {
			weak[b] = append(weak[b], what)
		}
		if rank(b) > rank(v.Rules) {
			v.Rules = b
		}
	}
	of := weak[v.Rules]
	slices.Sort(of) // API servers come first
	v.Reason = "The rules were seen to hold on real clusters of " + seenText()
	switch v.Rules {
	case RulesSeen:
		v.Reason += "."
	case RulesRead:
		v.Reason += fmt.Sprintf("; for %s they were read in the source.", words.List(of[:min(len(of), maxNamed)]))
		if v.refusesUnready() {
			v.Reason += " " + unreadyText
		}
	default:
		v.Reason += fmt.Sprintf(", and read in the source of 1.%d to 1.%d; for %s they were neither, and nothing that rests on them is certain.", readFrom, readTo, words.List(of[:min(len(of), maxNamed)]))
	}
}

// maxNamed is how many versions a reason names: hostile nodes may have one each.
const maxNamed = 4

// named names what runs a version.
func named(what string, v *version.Version) string {
	if v == nil {
		return what + " of an unknown version"
	}
	return what + " of " + minor(v)
}

func rank(b RuleBasis) int { return slices.Index([]RuleBasis{RulesSeen, RulesRead, RulesUntried}, b) }

func seenText() string {
	var list []string
	for _, m := range seenMinors {
		list = append(list, fmt.Sprintf("1.%d", m))
	}
	return words.List(list)
}

// refusesUnready says whether an API server answers a watch with 503 while its watch
// cache is not ready, at which a kubelet relists; later ones answer 429, at which it
// resumes its watch (apiserver v0.28.3 and v0.31.14 pkg/storage/cacher/cacher.go). It is
// asked of versions that the rules are known to hold for.
func (v *versions) refusesUnready() bool {
	return v.servers.Minor() < retriesUntilReady
}

const (
	unreadyText  = "Up to 1.30 an API server answers 503 until its watch cache is ready, and a kubelet that meets that relists: that a kubelet is deaf is possible there, not certain."
	uncachedText = "Up to 1.30 a list without a resourceVersion is answered from etcd and shows what was restored, and only watches and cached lists show the erased past."
)

// apply lowers the certainty of a verdict on a node's kubelet, or on all API servers
// when node is "", to what the versions allow.
func (v *versions) apply(to *verdict, node string) {
	weak := basis(v.servers) == RulesUntried
	if node != "" {
		kubelet, known := v.kubelet[node]
		if !known {
			kubelet = v.stated
		}
		weak = weak || basis(kubelet) == RulesUntried
	}
	doubt := ""
	switch {
	case weak:
		to.untried = true
		doubt = v.Reason
	case to.column == deaf && v.refusesUnready():
		doubt = unreadyText
	case to.column == stale && v.refusesUnready():
		doubt = uncachedText
	default:
		return
	}
	to.doubt(doubt)
}
