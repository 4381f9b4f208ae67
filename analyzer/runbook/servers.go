package runbook

import (
	"fmt"
	"regexp"
	"slices"

	"revenant/analyzer/restore"
	"revenant/internal/words"
)

// servers are the nodes whose kubelets are part of a service that the steps stop and start:
// by their Node objects, and on a platform that is so by an API server or a member
// of etcd of that name.
func (b *builder) servers() map[string]bool {
	list := map[string]bool{}
	if b.Current == nil {
		return list
	}
	for i := range b.Current.State.Nodes {
		n := &b.Current.State.Nodes[i]
		list[n.Name] = n.Service != "" || b.agent.unit != "" && b.serverNamed(n.Name)
	}
	return list
}

// memberOf is how k3s and RKE2 name a member: by its node, and eight digits (k3s 005499a9
// pkg/etcd/etcd.go setName).
var memberOf = regexp.MustCompile(`^(.+)-[0-9a-f]{8}$`)

func (b *builder) serverNamed(node string) bool {
	for i := range b.Current.State.APIServers {
		if s := &b.Current.State.APIServers[i]; s.Name == node || slices.Contains(s.Aliases, node) {
			return true
		}
	}
	for _, m := range b.Current.Facts.Members {
		if parts := memberOf.FindStringSubmatch(m.Name); m.Name == node || parts != nil && parts[1] == node && b.id != K0s {
			return true
		}
	}
	return false
}

// withServers is the plan with the kubelets that its steps restart in any case.
func (b *builder) withServers(p restore.Plan) restore.Plan {
	if b.Current == nil || p.RestartKubelets.All || p.KeepAPIServers {
		return p
	}
	names := slices.Clone(p.RestartKubelets.Nodes)
	for i := range b.Current.State.Nodes {
		if n := &b.Current.State.Nodes[i]; b.restartsWith[n.Name] && n.Service == "" && !slices.Contains(names, n.Name) {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	p.RestartKubelets.Nodes = names
	return p
}

// kubeletsOfServers says what the kubelets of servers do that start with their service.
func (b *builder) kubeletsOfServers(s *Step) {
	if b.prediction == nil {
		if b.agent.unit != "" {
			s.Warnings = append(s.Warnings, "The kubelets of servers start with their service. They kill what the API does not know, within 2 seconds and without preStop hooks.")
		}
		return
	}
	var names []string
	for i := range b.prediction.Nodes {
		if n := &b.prediction.Nodes[i]; n.Kubelet == restore.KubeletRestarted && b.restartsWith[n.Name] {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		return
	}
	s.Warnings = append(s.Warnings, fmt.Sprintf("The kubelets of the servers (%s) start with their service. They kill what the API does not know, within 2 seconds and without preStop hooks, and start what it has. You cannot delete anything before.", words.First(names, listed)))
	said := 0
	for _, t := range b.pairs {
		if b.restartsWith[t.was.node] && said < listed {
			said++
			s.Warnings = append(s.Warnings, fmt.Sprintf("%s runs twice until it has stopped on %s, because %s is a server and starts its namesake at once.", t.now, t.now.node, t.was.node))
		}
	}
}

// waiting counts the pods whose namesakes wait on nodes that are held back.
func (b *builder) waiting() (n int) {
	for _, t := range b.pairs {
		if !b.restartsWith[t.was.node] {
			n++
		}
	}
	return n
}
