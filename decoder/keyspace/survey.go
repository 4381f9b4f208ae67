package keyspace

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Group is the keys that belong together.
type Group struct {
	Owner  Owner  `json:"owner"`
	Name   string `json:"name"`   // of the owner, in words
	Prefix string `json:"prefix"` // what the keys begin with, "" for others
	Keys   int    `json:"keys"`   // with a record, deleted ones included
	Live   int    `json:"liveKeys"`
	Bytes  int64  `json:"liveBytes"` // of the live keys' records
	// Read says that the API objects among them are read, below one of the prefixes.
	Read bool   `json:"read"`
	Note string `json:"note,omitempty"`
}

// mostAggregated is how many API groups of aggregated API servers are told apart.
const mostAggregated = 64

// mostHashes is how many hashes of tokens are named.
const mostHashes = 4

// Survey groups all keys of s by what they belong to, sorted by prefix, the rest
// last. prefix is what is read, found what Find finds. The error is ctx's.
func Survey(ctx context.Context, s *snapshot.Snapshot, prefix string, found []Prefix) ([]Group, error) {
	v := survey{read: kube.SplitPrefixes(prefix), groups: map[place]*Group{}, defined: map[string]bool{}}
	for _, p := range found {
		v.roots = append(v.roots, p.Path)
	}
	for _, root := range kube.Roots(prefix) {
		if root = strings.TrimSuffix(root, "/"); root != "" && !slices.Contains(v.roots, root) && below(s, root) {
			v.roots = append(v.roots, root)
		}
	}
	// The longest one is whose the key is.
	slices.SortStableFunc(v.roots, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, root := range v.roots {
		v.definitions(s, root)
	}
	n := 0
	for r := range s.Newest("") {
		if n++; n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		g := v.of(r.Key)
		if g.Keys++; r.Tombstone {
			continue
		}
		g.Live++
		g.Bytes += int64(r.Size)
		if g.Owner == Bootstrap {
			v.token(r.Key)
		}
	}
	return v.list(), ctx.Err()
}

// below says whether there is a key below a prefix.
func below(s *snapshot.Snapshot, prefix string) bool {
	for range s.AllKeys(prefix + "/") {
		return true
	}
	return false
}

// place tells groups apart: two owners can keep keys below one prefix.
type place struct {
	owner  Owner
	prefix string // "" of others
}

// survey is the work of Survey.
type survey struct {
	roots   []string // prefixes of API servers
	read    []string // those that are read
	defined map[string]bool
	groups  map[place]*Group
	unknown int
	several int // aggregated API servers
	hashes  []string

	last  string // what the keys of the last group begin with
	group *Group
}

// definitions notes the API groups that CustomResourceDefinitions define below a
// prefix: their keys are the kube-apiserver's own.
func (v *survey) definitions(s *snapshot.Snapshot, root string) {
	under := kube.Key{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}.Path(root)
	for key := range s.AllKeys(under) {
		if _, group, ok := strings.Cut(key[len(under):], "."); ok {
			v.defined[group] = true
		}
	}
}

// of is the group of a key. Keys of one group mostly come together.
func (v *survey) of(key string) *Group {
	if v.last != "" && strings.HasPrefix(key, v.last) {
		return v.group
	}
	v.last = ""
	for _, root := range v.roots {
		if isBelow(root, key) {
			return v.server(root, key[len(root)+1:])
		}
	}
	o, part := ownerOf(key), firstPart(key)
	switch {
	case o == nil:
	case o.root != "":
		return v.add(strings.TrimSuffix(o.root, "/"), o.owner, o.name)
	default:
		return v.some(part, o.owner, o.name)
	}
	if slices.Contains(v.roots, "/") {
		if _, ok := kube.ParseKey("/", key); ok {
			return v.add("/", Kubernetes, "Kubernetes")
		}
	}
	return v.some(part, Unknown, "an owner that is not known")
}

// some is add for keys that can begin with anything: so many groups, and no more.
func (v *survey) some(part string, owner Owner, name string) *Group {
	if v.groups[place{owner, part}] == nil {
		if v.unknown >= mostUnknown || len(part) > longestUnknown {
			return v.add("", Others, "others")
		}
		v.unknown++
	}
	return v.add(part, owner, name)
}

// server is the group of a key below a prefix of an API server: the API server's, or
// that of one that is aggregated with it and keeps its objects beside.
func (v *survey) server(root, rest string) *Group {
	group := root[strings.LastIndexByte(root, '/')+1:]
	if strings.Contains(group, ".") && strings.HasPrefix(rest, group+"/") {
		return v.add(root, Aggregated, "an aggregated API server: "+group)
	}
	first, _, _ := strings.Cut(rest, "/")
	if strings.Contains(first, ".") && !v.defined[first] && first != "apiextensions.k8s.io" && first != "apiregistration.k8s.io" {
		at := root + "/" + first
		if g := v.groups[place{Aggregated, at}]; g != nil || v.several < mostAggregated && len(first) <= longestUnknown {
			if g == nil {
				v.several++
				g = v.add(at, Aggregated, "an aggregated API server: "+first)
				g.Note = "no CustomResourceDefinition here defines this group"
			}
			v.last, v.group = at+"/", g
			return g
		}
	}
	if group == "openshift.io" {
		return v.add(root, Kubernetes, "OpenShift's own API servers")
	}
	return v.add(root, Kubernetes, "Kubernetes")
}

func (v *survey) add(prefix string, owner Owner, name string) *Group {
	g := v.groups[place{owner, prefix}]
	if g == nil {
		g = &Group{Owner: owner, Name: name, Prefix: prefix}
		g.Read = (owner == Kubernetes || owner == Aggregated) && slices.ContainsFunc(v.read, func(p string) bool {
			_, ok := kube.CutPrefix(p, strings.TrimSuffix(prefix, "/")+"/")
			return ok
		})
		v.groups[place{owner, prefix}] = g
	}
	return g
}

// token notes which token the bootstrap data are encrypted with.
func (v *survey) token(key string) {
	if hash, ok := TokenHash(key); ok && len(v.hashes) < mostHashes {
		v.hashes = append(v.hashes, hash)
	}
}

// TokenHash is what the key of bootstrap data says of the token they are encrypted with:
// the first twelve hexadecimal digits of its SHA-256 (k3s
// pkg/cluster/storage.go storageKey). ok is false for every other key.
func TokenHash(key string) (hash string, ok bool) {
	hash, ok = strings.CutPrefix(key, "/bootstrap/")
	return hash, ok && len(hash) == 12 && strings.Trim(hash, "0123456789abcdef") == ""
}

// TokenText says how to recognise the token.
func TokenText(hashes ...string) string {
	return fmt.Sprintf("encrypted with the token whose SHA-256 begins with %s (printf %%s TOKEN | sha256sum; of K10…::server:PASSWORD the PASSWORD counts)", strings.Join(hashes, " or "))
}

func (v *survey) list() []Group {
	list := []Group{}
	for _, g := range v.groups {
		if g.Owner == Bootstrap && len(v.hashes) > 0 {
			g.Note = TokenText(v.hashes...)
		}
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(boolRank(a.Prefix == "")-boolRank(b.Prefix == ""), strings.Compare(a.Prefix, b.Prefix), strings.Compare(string(a.Owner), string(b.Owner)))
	})
	return list
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
