package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/keyspace"
	"revenant/decoder/kube"
	"revenant/decoder/sanitize"
	"revenant/decoder/snapshot"
)

// prefixFlag is the flag that names prefixes, as it is typed.
func prefixFlag(prefix string) string {
	word, ok := sanitize.ShellWord(prefix)
	if !ok {
		word = "PREFIX"
	}
	return "--etcd-prefix=" + word
}

// givenPrefix is what --etcd-prefix names, "" for nothing.
func (o *openOptions) givenPrefix() string {
	var list []string
	for _, p := range o.prefixes {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return kube.JoinPrefixes(list...)
}

// choosePrefix says below which prefix the objects of s are read: the flag's, or else
// the one that the keys show, or else the default. The error is ctx's.
func (o *openOptions) choosePrefix(ctx context.Context, s *snapshot.Snapshot) (keyspace.Choice, error) {
	found, err := keyspace.Find(ctx, s)
	if given := o.givenPrefix(); given != "" {
		return keyspace.With(given, found), err
	}
	if c := keyspace.Choose(found); c.Prefix != "" {
		return c, err
	}
	return keyspace.Choice{Prefix: kube.DefaultPrefix, Found: found}, err
}

// needPrefix is choosePrefix for those who need objects. It refuses a snapshot
// without any, and one in which nothing shows which are meant.
func (o *openOptions) needPrefix(ctx context.Context, s *snapshot.Snapshot) (keyspace.Choice, error) {
	c, err := o.choosePrefix(ctx, s)
	if err != nil {
		return c, err
	}
	if c.Ambiguous {
		var flags []string
		for _, p := range append([]string{c.Prefix}, c.Others...) {
			flags = append(flags, prefixFlag(p))
		}
		return c, hinted(fmt.Errorf("%s has objects of several API servers of Kubernetes", s.Path()), "say which are meant: "+strings.Join(flags, " or "))
	}
	for _, root := range kube.Roots(c.Prefix) {
		for range s.Keys(root) {
			return c, nil
		}
	}
	if o.anyKeys && o.givenPrefix() == "" && len(c.Others) == 0 && s.Len() > 0 {
		return c, nil
	}
	if s.Damaged() && s.Len() == 0 {
		if o.wrecks {
			return c, nil
		}
		return c, hinted(fmt.Errorf("%s is damaged, and no revision in it can be reached", s.Path()), "revenant inspect lists what is wrong with it")
	}
	return c, o.noObjects(ctx, s, c)
}

// noObjects says what a snapshot holds in place of objects below the prefix.
func (o *openOptions) noObjects(ctx context.Context, s *snapshot.Snapshot, c keyspace.Choice) error {
	missing := fmt.Errorf("%s has no key under the prefix %s", s.Path(), strings.Join(kube.SplitPrefixes(c.Prefix), " or "))
	if right := keyspace.Choose(c.Found); right.Prefix != "" && !right.Ambiguous {
		return hinted(missing, "its keys start with "+strings.Join(kube.SplitPrefixes(right.Prefix), ", ")+": "+prefixFlag(right.Prefix)+" reads them, and so does omitting the flag")
	}
	groups, err := keyspace.Survey(ctx, s, c.Prefix, c.Found)
	switch {
	case err != nil:
		return err
	case len(groups) == 0:
		return hinted(missing, "it has no keys at all: is this the right etcd? Kubernetes keeps its objects in the main one")
	}
	var owners []string
	for _, g := range groups[:min(len(groups), 5)] {
		owners = append(owners, strings.TrimSpace(g.Prefix+" ("+g.Name+")"))
	}
	return hinted(missing, "its keys start with "+strings.Join(owners, ", ")+": --etcd-prefix names the API server's, if it is one of these")
}

// prefixNotes say which prefixes are read by default, and which are not read.
func (o *openOptions) prefixNotes(sides ...*side) []string {
	var list []string
	prefix := kube.JoinPrefixes(mergedPrefix(sides...)...)
	if given := o.givenPrefix(); prefix != kube.DefaultPrefix && prefix != given {
		list = append(list, "The objects of Kubernetes are below "+strings.Join(kube.SplitPrefixes(prefix), " and ")+" here, as the keys show; "+prefixFlag(prefix)+" says the same.")
	}
	if !slices.ContainsFunc(sides, func(s *side) bool { return len(s.state.Nodes)+len(s.state.Pods) > 0 }) {
		list = append(list, "There is no node and no pod: this is not the etcd of a kube-apiserver, or not the whole of it, and nothing is said of kubelets.")
	}
	others := map[string]int{}
	for _, side := range sides {
		for _, p := range side.choice.Others {
			n := 0
			for _, root := range kube.Roots(p) {
				for range side.snapshot.Keys(root) {
					n++
				}
			}
			others[p] = max(others[p], n)
		}
	}
	for _, side := range sides {
		for _, p := range side.choice.Others {
			if n := others[p]; n > 0 {
				list = append(list, fmt.Sprintf("%d keys below %s are another API server's and are not read as objects: no pod of them is predicted, and they are compared by their bytes alone. %s reads them.", n, strings.Join(kube.SplitPrefixes(p), " and "), prefixFlag(p)))
				delete(others, p)
			}
		}
	}
	return list
}

// mergedPrefix are the prefixes of all sides, each once, the first one's first.
func mergedPrefix(sides ...*side) []string {
	var list []string
	for _, side := range sides {
		for _, p := range kube.SplitPrefixes(side.choice.Prefix) {
			if !slices.ContainsFunc(list, func(q string) bool { return kube.SamePrefix(p, q) }) {
				list = append(list, p)
			}
		}
	}
	return list
}

// onePrefix is the prefix of both sides. Objects of two API servers are not compared.
func onePrefix(backup, current *side) (string, error) {
	b, c := kube.FirstPrefix(backup.choice.Prefix), kube.FirstPrefix(current.choice.Prefix)
	if !kube.SamePrefix(b, c) {
		return "", hinted(fmt.Errorf("the objects of the backup are below %s, those of the current snapshot below %s", b, c),
			"they are of two API servers; say which is meant: "+prefixFlag(b)+" or "+prefixFlag(c)+"; "+ontoHint)
	}
	return kube.JoinPrefixes(mergedPrefix(backup, current)...), nil
}
