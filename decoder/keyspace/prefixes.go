package keyspace

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Prefix is where an API server keeps its objects.
type Prefix struct {
	Path string // such as /registry
	// Main says that there are namespaces or nodes: it is a kube-apiserver's.
	Main bool
}

// Bounds of the search for prefixes.
const (
	mostPrefixes = 64
	mostTried    = 64       // values that are read below one first part of keys
	mostRead     = 1 << 12  // and in all
	largestTried = 16 << 10 // bytes of a record that is read
	mostParts    = 8        // of a key, in which a prefix is looked for
	checkEvery   = 1 << 12  // keys, after which a pass looks whether it is to stop
)

// usual are the prefixes that need no proof: the default, and OpenShift's two.
var usual = []string{kube.DefaultPrefix, "/kubernetes.io", "/openshift.io"}

// Find finds the prefixes of the API servers whose objects s holds: the usual ones
// by their names, others by keys and values that fit each other. The error is ctx's.
func Find(ctx context.Context, s *snapshot.Snapshot) ([]Prefix, error) {
	f := finder{s: s}
	n := 0
	for from, more := "", true; more; {
		more = false
		for r := range s.KeysFrom(from) {
			if n++; n%checkEvery == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if next := f.look(r); next != "" {
				from, more = next, true
				break
			}
		}
	}
	var list []Prefix
	for _, root := range f.roots {
		p := Prefix{Path: root}
		for _, resource := range []string{"namespaces", "nodes"} {
			for range s.Keys(kube.Key{Resource: resource}.Path(root)) {
				p.Main = true
				break
			}
		}
		list = append(list, p)
	}
	return list, ctx.Err()
}

// finder goes over the keys, sorted, but for those of a directory whose first tells enough.
type finder struct {
	s     *snapshot.Snapshot
	roots []string // the prefixes found so far
	last  string   // root of the one that the key before was below, with a slash

	part  string // first part of the key before, below no prefix
	tried int    // values that were read below it
	read  int    // in all
}

// look looks at a live key, and says where to go on where nothing is to be learned from
// those that follow it, "" where that is with the next.
func (f *finder) look(r snapshot.Record) (next string) {
	if f.last == "" || !strings.HasPrefix(r.Key, f.last) {
		f.last = ""
		if root, ok := f.below(r.Key); ok {
			f.last = root + "/"
		}
	}
	if f.last != "" {
		return f.directory(r.Key)
	}
	if len(r.Key) == 0 || r.Key[0] != '/' || ownerOf(r.Key) != nil {
		return ""
	}
	if part := firstPart(r.Key); part != f.part {
		f.part, f.tried = part, 0
	}
	if f.tried >= mostTried || f.read >= mostRead || r.Size > largestTried || len(f.roots) >= mostPrefixes {
		return ""
	}
	f.tried++
	f.read++
	value, err := f.s.Value(r)
	if err != nil {
		return ""
	}
	root, ok := prefixFor(r.Key, value)
	switch {
	case !ok || strings.Contains(root, ",") || slices.Contains(f.roots, root):
	case root == "/":
		f.roots = append(f.roots, root)
	default:
		f.roots = append(f.roots, root)
		f.last = root + "/"
	}
	return ""
}

// below finds the usual prefix that a key is below. Below one that was found it is looked for
// no more: such keys follow one another.
func (f *finder) below(key string) (string, bool) {
	for _, root := range usual {
		if isBelow(root, key) {
			f.roots = append(f.roots, root)
			return root, true
		}
	}
	return "", false
}

// isBelow says whether a key is below a prefix, other than the root.
func isBelow(root, key string) bool {
	return strings.HasPrefix(key, root) && strings.HasPrefix(key[len(root):], "/")
}

// directory looks at the directory of a key below a prefix, and says where the next one
// begins. An API server whose prefix is below another one's and ends in its group, as
// sample-apiserver's does, has the group twice in its keys.
func (f *finder) directory(key string) (next string) {
	name, _, ok := strings.Cut(key[len(f.last):], "/")
	if !ok {
		return ""
	}
	path := f.last + name
	if strings.Contains(name, ".") && !strings.Contains(name, ",") && len(f.roots) < mostPrefixes && !slices.Contains(f.roots, path) {
		for range f.s.Keys(path + "/" + name + "/") {
			f.roots = append(f.roots, path)
			break
		}
	}
	return path + string('/'+1)
}

// prefixFor finds the prefix below which an API server stores value under key: what
// follows it has to fit what the value says it is.
func prefixFor(key string, value []byte) (string, bool) {
	e, err := kube.ParseEnvelope(value)
	switch {
	case err != nil || e.Encoding == kube.UnknownEncoding:
		return "", false
	case e.Encoding == kube.JSON || e.Encoding == kube.CBOR:
		o := kube.DecodeMetadata(kube.Key{}, value)
		e.APIVersion, e.Kind = o.APIVersion, o.Kind
	}
	group, _, versioned := strings.Cut(e.APIVersion, "/")
	if !versioned {
		group = "" // the core group has only a version
	}
	for at, parts := 0, 0; parts < mostParts; parts++ {
		end := strings.IndexByte(key[at+1:], '/')
		if end < 0 {
			return "", false
		}
		root := cmp.Or(key[:at], "/")
		at += 1 + end
		k, ok := kube.ParseKey(root, key)
		if !ok || path.Clean(root) != root {
			continue
		}
		t, builtIn := k.Type()
		switch {
		case e.Encoding == kube.Encrypted:
			ok = builtIn
		case builtIn:
			ok = t.Kind == e.Kind && slices.Contains(t.Groups, group)
		default:
			ok = k.Group != "" && k.Group == group && e.Kind != ""
		}
		if ok {
			return root, true
		}
	}
	return "", false
}

// Choice is what is read of an etcd by default.
type Choice struct {
	Prefix string // one or several, as package kube takes them; "" for none
	// Others are prefixes of further API servers, which are not read; those that belong
	// together are one, as in Prefix.
	Others []string
	// Ambiguous says that nothing shows which of Prefix and Others is meant.
	Ambiguous bool
	// Found is all that Find found.
	Found []Prefix
}

// Choose picks the prefix to read: the only one of a kube-apiserver, or else the
// default.
func Choose(found []Prefix) Choice {
	var main []Prefix
	for _, p := range found {
		if p.Main {
			main = append(main, p)
		}
	}
	if len(main) == 0 {
		main = found
	}
	if len(main) == 0 {
		return Choice{Found: found}
	}
	at := max(0, slices.IndexFunc(main, func(p Prefix) bool { return p.Path == kube.DefaultPrefix }))
	c := With(main[at].Path, found)
	c.Ambiguous = main[at].Path != kube.DefaultPrefix && slices.ContainsFunc(main, func(p Prefix) bool {
		return slices.ContainsFunc(c.Others, func(of string) bool { return kube.FirstPrefix(of) == p.Path })
	})
	return c
}

// With reads what is below the prefixes that are given, and below those that belong to
// them: of API servers that are aggregated with them, OpenShift's own, and those below
// one of them.
func With(given string, found []Prefix) Choice {
	list := kube.SplitPrefixes(given)
	c := Choice{Found: found}
	for _, p := range found {
		switch {
		case slices.ContainsFunc(list, func(g string) bool { return kube.SamePrefix(g, p.Path) }):
		case !p.Main && slices.ContainsFunc(list, func(g string) bool { return belongs(path.Join("/", g), p.Path) }):
			list = append(list, p.Path)
		default:
			c.other(p)
		}
	}
	c.Prefix = kube.JoinPrefixes(list...)
	return c
}

func (c *Choice) other(p Prefix) {
	for i, of := range c.Others {
		if !p.Main && belongs(kube.FirstPrefix(of), p.Path) {
			c.Others[i] = kube.JoinPrefixes(of, p.Path)
			return
		}
	}
	c.Others = append(c.Others, p.Path)
}

// belongs says whether the API server of other is aggregated with that of first.
func belongs(first, other string) bool {
	if below, ok := strings.CutPrefix(other, first+"/"); ok {
		return !strings.Contains(below, "/")
	}
	return path.Base(first) == "kubernetes.io" && path.Base(other) == "openshift.io" && path.Dir(first) == path.Dir(other)
}
