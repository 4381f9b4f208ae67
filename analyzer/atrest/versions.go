package atrest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"revenant/decoder/kube"
	"revenant/decoder/snapshot"
)

// Stored counts the live objects of a resource that are stored in one version.
type Stored struct {
	Group      string // of the key, "" of the built-in kinds that have none there
	Resource   string
	APIVersion string // "" where Problem is set
	Kind       string
	Count      int
	Example    string // the key of one
	// Encrypted says that the values could not be decrypted, so that nothing else is
	// known of them; Problem why no API server can read them.
	Encrypted bool
	Problem   string
}

// mostStored bounds how many are told apart, and mostInName the bytes of what a value
// says of itself: real clusters have some hundred, of some dozen bytes.
const (
	mostStored = 1 << 14
	mostInName = 256
)

// Find counts all live objects below the prefix, sorted by resource and version. look,
// which may be nil, is shown each of them with its value, nil for one that cannot be
// read. The error is ctx's.
func Find(ctx context.Context, s *snapshot.Snapshot, prefix string, look func(kube.Key, snapshot.Record, []byte)) ([]Stored, error) {
	type sort struct{ group, resource, version, kind, problem string }
	found := map[sort]*Stored{}
	n := 0
	for r := range s.Keys("") {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		k, ok := kube.ParseKey(prefix, r.Key)
		if !ok {
			continue
		}
		v := Stored{Group: k.Group, Resource: k.Resource, Example: r.Key}
		value := v.read(s, r)
		if look != nil {
			look(k, r, value)
		}
		at := sort{v.Group, v.Resource, v.APIVersion, v.Kind, v.Problem}
		if found[at] == nil {
			if len(found) >= mostStored {
				at = sort{problem: "too many kinds to tell apart"}
				v = Stored{Example: r.Key, Problem: at.problem}
			}
			if found[at] == nil {
				found[at] = &v
			}
		}
		found[at].Count++
	}
	var list []Stored
	for _, v := range found {
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b Stored) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Resource, b.Resource), strings.Compare(a.APIVersion, b.APIVersion),
			strings.Compare(a.Kind, b.Kind), strings.Compare(a.Problem, b.Problem))
	})
	return list, ctx.Err()
}

// read reads the value of a record, and what it says of itself.
func (v *Stored) read(s *snapshot.Snapshot, r snapshot.Record) []byte {
	value, err := s.Value(r)
	if err != nil {
		v.Problem = "it cannot be read"
		return nil
	}
	m, err := kube.ScanMeta(value)
	var encrypted *kube.EncryptedError
	switch {
	case errors.As(err, &encrypted):
		v.Encrypted, v.Problem = true, encrypted.Error()
	case err != nil:
		v.Problem = "it does not decode"
	case m.APIVersion == "" || m.Kind == "":
		v.Problem = "it names no version or no kind"
	default:
		v.APIVersion, v.Kind = short(m.APIVersion), short(m.Kind)
	}
	v.Problem = short(v.Problem)
	return value
}

func short(s string) string { return strings.Clone(s[:min(len(s), mostInName)]) }
