package restore

import (
	"fmt"
	"maps"
	"slices"

	"revenant/internal/words"
)

// Serves says what an API server shows after the restore.
type Serves string

// What an API server shows.
const (
	ServesRestored Serves = "restored" // what etcd holds
	ServesErased   Serves = "erased"   // its cache of before the restore, which etcd has lost
)

// APIServerOutcome is what becomes of an API server. Each answers for itself: what a
// person or a client sees depends on the one that it is connected to.
type APIServerOutcome struct {
	Name      string    `json:"name"`
	Aliases   []string  `json:"aliases,omitempty"` // other names and addresses of it
	Restarted bool      `json:"restarted"`
	Serves    Serves    `json:"serves"`
	Certainty Certainty `json:"certainty"`
	Reason    string    `json:"reason"`
	Evidence  []Ref     `json:"evidence"` // none where only the plan names it
}

// Through is what some API servers show of a pod.
type Through struct {
	APIServers []string `json:"apiServers"`
	API        *APIView `json:"api"` // nil when a LIST does not have the pod
}

// normal is the one way to write the plan: API servers by their names, and all where
// the names are all there are.
func (c *Comparison) normal(p Plan) Plan {
	p = p.normal()
	for i, name := range p.RestartAPIServers {
		if s := c.apiServer(name); s != nil {
			p.RestartAPIServers[i] = s.Name
		}
	}
	reaches := maps.Clone(p.KubeletAPIServers)
	for node, name := range reaches {
		if s := c.apiServer(name); s != nil {
			reaches[node] = s.Name
		}
	}
	p.KubeletAPIServers = reaches
	p = p.normal()
	known := c.current.APIServers
	if p.someKept() && len(known) > 0 && !slices.ContainsFunc(known, func(s APIServer) bool { return !slices.Contains(p.RestartAPIServers, s.Name) }) {
		p.KeepAPIServers, p.RestartAPIServers = false, nil
	}
	return p
}

// apiServer is the API server of that name, nil for none.
func (c *Comparison) apiServer(name string) *APIServer {
	for i := range c.current.APIServers {
		if s := &c.current.APIServers[i]; s.is(name) {
			return s
		}
	}
	return nil
}

// unknownAPIServers are those of the plan that the current snapshot does not have. Where
// it names none, any may be there.
func (c *Comparison) unknownAPIServers(p Plan) (names []string) {
	if len(c.current.APIServers) == 0 {
		return nil
	}
	for _, name := range slices.Concat(p.RestartAPIServers, slices.Sorted(maps.Values(p.KubeletAPIServers))) {
		if c.apiServer(name) == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// APIServerNames are the names of the API servers of the current state.
func (c *Comparison) APIServerNames() (names []string) {
	for i := range c.current.APIServers {
		names = append(names, c.current.APIServers[i].Name)
	}
	return names
}

// apiServers says what becomes of every API server that the current snapshot, or the
// plan, names.
func (f *forecast) apiServers() []APIServerOutcome {
	list := []APIServerOutcome{}
	outcome := func(name string) APIServerOutcome {
		o := APIServerOutcome{Name: name, Restarted: !f.plan.KeepAPIServers || slices.Contains(f.plan.RestartAPIServers, name), Evidence: []Ref{}}
		switch {
		case o.Restarted:
			o.Serves, o.Certainty, o.Reason = ServesRestored, Certain, "It is restarted, and lists what etcd holds."
		case f.cache.column == stale:
			o.Serves, o.Certainty, o.Reason = ServesErased, f.cache.certainty, f.cache.reason
		default:
			o.Serves, o.Certainty, o.Reason = ServesRestored, f.cache.certainty, "It is left running, and drops its cache when etcd refuses to resume its watch."
		}
		return o
	}
	for i := range f.current.APIServers {
		s := &f.current.APIServers[i]
		o := outcome(s.Name)
		o.Aliases, o.Evidence = s.Aliases, []Ref{{Snapshot: InCurrent, Key: s.Key, Revision: s.Revision}}
		list = append(list, o)
	}
	if len(list) == 0 && f.plan.someKept() {
		for _, name := range append(slices.Clone(f.plan.RestartAPIServers), otherServers) {
			list = append(list, outcome(name))
		}
	}
	return list
}

// otherServers is what to call the API servers that are left running where their names
// are not known.
const otherServers = "(the others)"

// kept are the names of the API servers that are left running.
func (f *forecast) kept() []string {
	var names []string
	for _, name := range f.APIServerNames() {
		if !slices.Contains(f.plan.RestartAPIServers, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		names = []string{otherServers}
	}
	return names
}

// mostNamed is how many of many are named: hostile evidence may have any number.
const mostNamed = 8

// disagree says whether some API servers serve what etcd holds, and others may serve
// what it has lost.
func (f *forecast) disagree() bool { return f.plan.someKept() && f.cache.column == stale }

// through says what each API server shows of the pod, where they differ.
func (f *forecast) through(o *PodOutcome, p *podCase) []Through {
	erased := p.views[stale]
	if !f.disagree() || alike(o.API, erased) {
		return nil
	}
	return []Through{{f.plan.RestartAPIServers, o.API}, {f.kept(), erased}}
}

// reaching is mixed of a kubelet that reaches one API server alone.
func (f *forecast) reaching(server string, restarted verdict) verdict {
	v := restarted
	if slices.Contains(f.plan.RestartAPIServers, server) {
		v.reason += fmt.Sprintf(" As stated, it reaches no API server but %s, which is restarted.", server)
		return v
	}
	v.column, v.certainty, v.kubelet = deaf, f.cache.certainty, KubeletStale
	v.reason = fmt.Sprintf("As stated, it reaches no API server but %s, which is left running and serves the erased past: nothing changes. %s", server, f.cache.reason)
	return v
}

// alike says whether a LIST shows the same.
func alike(a, b *APIView) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// mixed is what the kubelet of a node does where some API servers were restarted and
// others serve their cache: restarted is the verdict for the former. It hears nothing
// from one that serves its cache; and where it lists from that, it goes on as it was.
func (f *forecast) mixed(node string, restarted verdict) verdict {
	if server := f.plan.KubeletAPIServers[node]; server != "" {
		return f.reaching(server, restarted)
	}
	kept := words.First(f.kept(), mostNamed)
	switch v := restarted; v.column {
	case deaf:
		v.reason += fmt.Sprintf(" An API server that is left running (%s) serves it the erased past and no new events.", kept)
		return v
	default:
		v.column, v.certainty, v.kubelet = deaf, Possible, KubeletStale
		v.reason = fmt.Sprintf("The snapshots do not show which API server it is connected to. An API server that is left running (%s) may serve it the erased past, and nothing changes; one that is restarted makes it relist its pods. %s", kept, restarted.reason)
		return v
	}
}
